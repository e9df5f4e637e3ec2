//! Writes what others read of the table of runtimes: the dashboard's facts, and the programs that the tests and the image
//! install.

use std::fmt::Write;

use serde_json::{Map, Value, json};
use townwatch_protocol::runtime::{Program, Properties, Runtime};

use crate::drift;

const HEAD: &str = "\
// Generated from crates/protocol/src/runtime.rs by `npm run types`; do not edit.

import type { Runtime } from \"./protocol.ts\";

export interface RuntimeFacts {
  /** The name that people see. */
  readonly title: string;
  /** An example of a model's name; absent for a runtime without models. */
  readonly model_example?: string;
  /** The behaviour of a run that has no sandbox around it. */
  readonly without_sandbox?: string;
}

/** All runtimes, in the order in which people see them. */
export const RUNTIMES: Readonly<Record<Runtime, RuntimeFacts>> = {
";

fn facts() -> String {
    let mut text = HEAD.to_owned();
    for runtime in Runtime::ALL {
        let Properties { title, model_example, without_sandbox, .. } = runtime.properties();
        writeln!(text, "  {}: {{\n    title: {title:?},", runtime.as_str()).unwrap();
        for (name, value) in [("model_example", model_example), ("without_sandbox", without_sandbox)] {
            if let Some(value) = value {
                writeln!(text, "    {name}: {value:?},").unwrap();
            }
        }
        writeln!(text, "  }},").unwrap();
    }
    text + "};\n"
}

/// The programs that have to be installed, by their commands.
fn programs() -> Map<String, Value> {
    let programs = Runtime::ALL.iter().filter_map(|runtime| runtime.program());
    let row = |Program { command, package, version, has_install_script, .. }: &Program| {
        let row = json!({"package": package, "version": version, "has_install_script": has_install_script});
        ((*command).to_owned(), row)
    };
    programs.map(row).collect()
}

#[test]
fn the_dashboard_knows_the_runtimes() {
    drift::hold("dashboard/src/protocol/runtimes.ts", &facts());
}

#[test]
fn the_tests_and_the_image_install_the_recorded_versions() {
    let text = serde_json::to_string_pretty(&programs()).unwrap();
    drift::hold("container/programs.json", &format!("{text}\n"));
}
