//! Messages in a person's place of the conversation: a person's words, which the program repeats, and the program's
//! own: the summary of a compaction, a sub-agent's task, the note about an interrupted turn.

use townwatch_protocol::event::{EventData, MessageSource, UserMessage};

use super::messages::BlockOrigin;
use super::system::command_output;
use super::tasks::{TaskEnd, exit_code_in, outcome, tagged};
use super::{ClaudeCode, PROGRAM};

/// The author of messages that are sent from here.
const PERSON: &str = "operator";

impl ClaudeCode {
    pub(super) fn heard(&mut self, from: &BlockOrigin, text: String, events: &mut Vec<EventData>) {
        let begins = |tag: &str| text.trim_start().starts_with(tag);
        if begins("<local-command-stdout>") || begins("<local-command-stderr>") {
            return events.extend(command_output(&text));
        }
        // What is told to an agent from here is told when it is delivered.
        let delivered = from.replay && self.context.takes_messages;
        if delivered || begins("<local-command-caveat>") {
            return;
        }
        if let Some(id) = begins("<task-notification>").then(|| tagged(&text, "task-id")).flatten() {
            let (status, summary) = (tagged(&text, "status"), tagged(&text, "summary"));
            let end = TaskEnd {
                outcome: status.and_then(|status| outcome(status.trim())),
                summary: summary.map(str::to_owned),
                exit_code: summary.and_then(exit_code_in),
            };
            events.extend(self.tasks.ended(id.trim(), tagged(&text, "tool-use-id").map(str::to_owned), end));
        }
        if from.meta {
            return; // it is for the model alone, as what a file that was mentioned holds
        }
        let first = self.spoken_to.insert(from.parent.as_deref().unwrap_or_default(), ());
        // Of the agent itself the program repeats its prompt at most; it never makes one up.
        let prompt = first && (from.parent.is_some() || from.replay);
        let source = if prompt { MessageSource::Prompt } else { MessageSource::Message };
        let by = if from.replay { PERSON } else { PROGRAM }.to_owned();
        let (message_id, parent_tool_use_id) = (from.uuid.clone(), from.parent.clone());
        events.push(UserMessage { text, by, source, message_id, parent_tool_use_id }.into());
    }
}
