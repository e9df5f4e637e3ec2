//! Commands of people to an agent that is a server.

use std::time::Duration;

use serde_json::json;
use townwatch_host::now;
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::event::{Answer, QuestionKind};
use townwatch_protocol::wire::AnswerAgent;

use super::conversation::{Conversation, is_plain};
use crate::command::{AgentCommand, OPERATOR, QueuedCommand};

/// The time limit of the server for a command, 5 s: less than people wait for it, so that they are told its outcome.
const COMMAND_LIMIT: Duration = Duration::from_secs(5);

impl Conversation<'_> {
    /// Carries out a command, and reports its outcome.
    pub(super) async fn fulfil(&mut self, queued: QueuedCommand) {
        let Some((command, outcome)) = queued.take() else { return };
        let became = match command {
            AgentCommand::Message(prompt) => match self.prompt(&prompt, COMMAND_LIMIT).await {
                Ok(()) => {
                    self.run.append(self.normaliser.told(&prompt, OPERATOR), now());
                    Ok(())
                }
                Err(problem) => Err(Error::new(Code::ContainerError, problem)),
            },
            AgentCommand::Answer { answer, by } => self.answer(&answer, &by).await,
        };
        let _ = outcome.send(became);
    }

    async fn answer(&mut self, answer: &AnswerAgent, by: &str) -> Result<()> {
        let request_id = answer.request_id.as_str();
        let gone = || Error::new(Code::Conflict, format!("question {request_id} is not open any more"));
        let (kind, given) = self.normaliser.check(answer, by)?;
        if !is_plain(request_id) {
            return Err(gone());
        }
        let (path, body) = match (kind, given.answer) {
            (QuestionKind::Permission, reply) => {
                let mut body = json!({"reply": reply.as_str()});
                if let Some(text) = &given.text {
                    body["message"] = json!(text);
                }
                (format!("/permission/{request_id}/reply"), body)
            }
            (QuestionKind::Input, Answer::Reject) => (format!("/question/{request_id}/reject"), json!({})),
            (QuestionKind::Input, _) => {
                let said = given.answers.iter().map(|part| part.choices.iter().chain(&part.text).collect::<Vec<_>>());
                (format!("/question/{request_id}/reply"), json!({"answers": said.collect::<Vec<_>>()}))
            }
        };
        let (server, _) = self.session().map_err(|problem| Error::new(Code::Conflict, problem))?;
        let server = server.clone();
        // This comes before the request, because the stream has the answer as soon as the server has it.
        self.normaliser.answering(request_id, Some(given));
        let answered = server.post(&path, &body, COMMAND_LIMIT).await;
        let problem = match answered.as_ref().map(|answer| (answer.status, answer.success())) {
            Ok((_, Ok(_))) => return Ok(()),
            Ok((404, _)) => gone(),
            Ok((_, Err(problem))) => Error::new(Code::ContainerError, problem),
            Err(problem) => Error::new(Code::ContainerError, problem.clone()),
        };
        self.normaliser.answering(request_id, None);
        Err(problem)
    }
}
