//! Writes the wire's types as TypeScript, and fails when the file in the dashboard has drifted from them.

use std::collections::BTreeMap;

use townwatch_protocol::event::KnownEvent;
use townwatch_protocol::wire;
use ts_rs::{Config, TS, TypeVisitor};

use crate::drift;

struct Declarations<'a> {
    config: &'a Config,
    found: BTreeMap<String, String>,
}

impl TypeVisitor for Declarations<'_> {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        if T::output_path().is_none() || self.found.contains_key(&T::ident(self.config)) {
            return;
        }
        let docs = T::docs().unwrap_or_default();
        self.found.insert(T::ident(self.config), format!("{docs}export {}\n", T::decl(self.config)));
        T::visit_dependencies(self);
    }
}

fn generate() -> String {
    let config = Config::default().with_large_int("number");
    let mut types = Declarations { config: &config, found: BTreeMap::new() };
    types.visit::<KnownEvent>();
    types.visit::<wire::TownEvent>();
    types.visit::<wire::ServerFrame>();
    types.visit::<wire::ClientFrame>();
    types.visit::<wire::EventsPage>();
    types.visit::<wire::PostEvents>();
    types.visit::<wire::PostReceipt>();
    types.visit::<wire::Heard>();
    types.visit::<wire::TownView>();
    types.visit::<wire::TownSummary>();
    types.visit::<wire::RunView>();
    types.visit::<wire::TicketView>();
    types.visit::<wire::TokenView>();
    types.visit::<wire::AgentTokens>();
    types.visit::<wire::SessionRequest>();
    types.visit::<wire::BrowserSession>();
    types.visit::<wire::TownRequest>();
    types.visit::<wire::TownChange>();
    types.visit::<wire::BudgetChange>();
    types.visit::<wire::RigRequest>();
    types.visit::<wire::AgentRequest>();
    types.visit::<wire::TokenRequest>();
    types.visit::<wire::StartAgent>();
    types.visit::<wire::StopAgent>();
    types.visit::<wire::MessageAgent>();
    types.visit::<wire::AnswerAgent>();
    let declarations: Vec<String> = types.found.into_values().collect();
    format!("// Generated from crates/protocol/ by `npm run types`; do not edit.\n\n{}", declarations.join("\n"))
}

#[test]
fn the_dashboards_types_are_those_of_the_wire() {
    drift::hold("dashboard/src/protocol/protocol.ts", &generate());
}
