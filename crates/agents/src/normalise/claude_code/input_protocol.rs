//! Messages, answers and interrupts to a running Claude Code.

use townwatch_protocol::error::Result;
use townwatch_protocol::event::{AgentQuestionAnswered, AgentStatusChanged, EventData, NoticeKind, Status};
use townwatch_protocol::wire::AnswerAgent;

use super::ClaudeCode;
use super::control::{Request, interrupt_line, user_line};
use crate::normalise::{InputLine, InputProtocol, asking};

impl ClaudeCode {
    /// Reads a request of the program, which is mostly for a person.
    pub(super) fn request(&mut self, line: &str, events: &mut Vec<EventData>) {
        match self.control.request(line, &self.names, self.working_dir.as_deref()) {
            Request::Question(question, one_too_many) => {
                self.at_work(events);
                events.extend(one_too_many.map(EventData::from));
                events.push((*question).into());
                events.push(AgentStatusChanged { status: Status::Waiting }.into());
            }
            Request::Repeat => {}
            Request::Unknown => events.extend(self.notices.note(NoticeKind::Unknown, line)),
            Request::Malformed => events.extend(self.notices.note(NoticeKind::Malformed, line)),
        }
    }

    /// Notes that a question is no longer open. Without another open question the turn continues.
    pub(super) fn answered(&mut self, answered: Option<AgentQuestionAnswered>, events: &mut Vec<EventData>) {
        let Some(answered) = answered else { return };
        events.push(answered.into());
        if self.control.is_empty() && !self.waiting {
            events.push(AgentStatusChanged { status: Status::Running }.into());
        }
    }
}

impl InputProtocol for ClaudeCode {
    fn is_idle(&self) -> bool {
        self.waiting && self.control.is_empty() && self.tasks.running() == 0
    }

    fn message(&mut self, text: &str, by: &str) -> InputLine {
        let mut events = vec![asking::message(text, by)];
        self.at_work(&mut events);
        InputLine { line: user_line(text), events }
    }

    fn answer(&mut self, answer: &AnswerAgent, by: &str) -> Result<InputLine> {
        let (line, answered) = self.control.answer(answer, by)?;
        let mut events = Vec::new();
        self.answered(Some(answered), &mut events);
        Ok(InputLine { line, events })
    }

    fn interrupt(&mut self) -> Option<InputLine> {
        (!self.waiting).then(|| InputLine { line: interrupt_line(), events: Vec::new() })
    }

    fn owed(&mut self) -> Option<InputLine> {
        Some(InputLine { line: self.control.owed()?, events: Vec::new() })
    }
}
