//! Every bound says what it is, and none stands twice.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The constants of a file by name, each with the line above it.
fn constants(text: &str) -> Vec<(&str, &str)> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let named = |line: &'_ str| line.split_once("const ").and_then(|(_, rest)| Some(rest.split_once(':')?.0.len()));
    let mut found = Vec::new();
    for (above, line) in lines.iter().zip(&lines[1..]) {
        let is_constant = line.starts_with("const ") || (line.starts_with("pub") && line.contains(" const "));
        if let Some(length) = named(line).filter(|_| is_constant) {
            let begin = line.find("const ").unwrap() + "const ".len();
            found.push((&line[begin..begin + length], *above));
        }
    }
    found
}

#[test]
fn every_bound_says_what_it_is_and_none_of_the_shared_ones_stands_twice() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "crates", "container/src", "cli/src"] {
        sources(&root.join(folder), &mut files);
    }
    let limits = fs::read_to_string(root.join("crates/protocol/src/limits.rs")).unwrap();
    let shared: Vec<&str> = constants(&limits).into_iter().map(|(name, _)| name).collect();
    assert!(shared.contains(&"TIMEOUT_SECONDS_MAX") && shared.len() > 50, "{shared:?}");
    let (mut bounds, mut silent, mut twice) = (0, Vec::new(), Vec::new());
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let is_limits = file.ends_with("protocol/src/limits.rs");
        for (name, above) in constants(&text) {
            if !is_limits && shared.contains(&name) {
                twice.push(format!("{name} in {}", file.display()));
            }
            if is_limits || name.ends_with("_MAX") {
                bounds += 1;
                if !above.starts_with("///") {
                    silent.push(format!("{name} in {}", file.display()));
                }
            }
        }
    }
    assert!(bounds > 120, "only {bounds} bounds were found");
    assert!(twice.is_empty(), "bounds of limits.rs that stand somewhere else, too: {twice:?}");
    assert!(silent.is_empty(), "bounds without a word of what happens at them: {silent:?}");
}
