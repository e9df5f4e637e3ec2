//! `townwatch questions` and `townwatch answer`: the open questions of agents, and a person's answers, in a terminal.

mod asked;
mod asking;
mod reply;
mod shown;

use std::io::{self, IsTerminal, Write};

use asked::ListedQuestion;
use reply::Reply;
use townwatch_protocol::event::{AgentQuestionAnswered, Answer};
use townwatch_protocol::id::{AgentId, TownId};

use crate::arguments::{AnswerArguments, QuestionsArguments};
use crate::notice::say;
use crate::server::{Failure, Server};
use crate::tail::plain;
use crate::town;

/// The exit code where the server cannot be reached; later it may work.
const OFFLINE: u8 = 1;
/// The newest answers that are searched for the first answer to a question.
const ANSWERS_READ: u64 = 200;

/// Prints the open questions, and gives the exit code.
pub(crate) fn list(arguments: &QuestionsArguments) -> Result<u8, String> {
    exit(|| {
        let (server, town) = server_and_town(&arguments.server, arguments.town.as_ref())?;
        let questions = asked::all(&server, &town, arguments.agent.as_ref())?;
        let mut text = String::new();
        for question in &questions {
            text.push_str(&if arguments.json { question.json() } else { shown::whole(question, now_ms()) + "\n" });
        }
        if questions.is_empty() {
            say("nobody asks anything");
        }
        let mut stdout = io::stdout().lock();
        let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()); // nobody may read it any more
        Ok(())
    })
}

/// Answers a question, and gives the exit code.
pub(crate) fn answer(arguments: &AnswerArguments) -> Result<u8, String> {
    exit(|| {
        // With one word only, that may be the answer to the only question.
        let (request_id, word) = match (&arguments.request_id, &arguments.answer) {
            (Some(word), None) if reply::decision(word).is_some() => (None, Some(word)),
            (request_id, word) => (request_id.as_deref(), word.as_ref()),
        };
        let decision = word.map(|word| reply::decision(word).ok_or_else(|| wrong_word(word))).transpose()?;
        let (server, town) = server_and_town(&arguments.server, arguments.town.as_ref())?;
        let question = find(&server, &town, arguments.agent.as_ref(), request_id)?;
        let given =
            reply::of(&question, decision, &arguments.choose, arguments.text.as_deref()).map_err(Failure::Refused)?;
        let reply = match given {
            Some(reply) => reply,
            None if io::stdin().is_terminal() => {
                let (mut input, mut output) = (io::stdin().lock(), io::stderr().lock());
                asking::ask(&question, now_ms(), &mut input, &mut output)
                    .map_err(|error| Failure::Refused(format!("nothing was answered: {error}")))?
            }
            None => {
                let problem = format!("say what the answer is.\n{}", shown::whole(&question, now_ms()));
                return Err(Failure::Refused(problem));
            }
        };
        send(&server, &town, &question, &reply)?;
        say(&format!("{} has the answer", plain::line(&question.name, 60)));
        Ok(())
    })
}

fn send(server: &Server, town: &TownId, question: &ListedQuestion, reply: &Reply) -> Result<(), Failure> {
    let body = reply.to_request(&question.question.request_id);
    let body = serde_json::to_string(&body).map_err(|error| Failure::Refused(error.to_string()))?;
    server.post(&format!("/api/towns/{town}/agents/{}/answer", question.agent_id), &body).map(drop)
}

fn server_and_town(
    server: &crate::arguments::ServerArguments,
    town: Option<&TownId>,
) -> Result<(Server, TownId), Failure> {
    let server = Server::new(server, &["TOWNWATCH_API_KEY"]).map_err(Failure::Refused)?;
    let town = town.cloned().map_or_else(|| town::only(&server), Ok)?;
    Ok((server, town))
}

/// The question that the arguments mean.
fn find(
    server: &Server,
    town: &TownId,
    agent: Option<&AgentId>,
    request_id: Option<&str>,
) -> Result<ListedQuestion, Failure> {
    let mut open = asked::all(server, town, agent)?;
    open.retain(|asked| request_id.is_none_or(|id| asked.question.request_id == id));
    match (open.len(), request_id) {
        (1, _) => Ok(open.remove(0)),
        (0, Some(id)) => Err(Failure::Refused(match first_answer(server, town, id)? {
            Some(AgentQuestionAnswered { answer, by, .. }) => {
                let how = if answer == Answer::Reject { "no" } else { "yes" };
                format!("question {id} was answered already: {} said {how}", plain::line(&by, 60))
            }
            None => format!("question {id} is not open; `townwatch questions` lists those that are"),
        })),
        (0, None) => Err(Failure::Refused("nobody asks anything".to_owned())),
        _ => {
            let each = open.iter().map(|asked| format!("\n  {}", shown::title(asked)));
            let which = each.collect::<String>();
            Err(Failure::Refused(format!("which question? Name it, or its agent with --agent:{which}")))
        }
    }
}

/// The answer that a question got before, if the log still has it.
fn first_answer(server: &Server, town: &TownId, request_id: &str) -> Result<Option<AgentQuestionAnswered>, Failure> {
    let path = format!("/api/towns/{town}/events?event=agent_question_answered&tail={ANSWERS_READ}");
    let page: asked::EventPage = server.data(&path)?;
    let mut answers = page.events.iter().filter_map(|raw| asked::data::<AgentQuestionAnswered>(raw.get()));
    Ok(answers.rfind(|answered| answered.request_id == request_id))
}

fn exit(does: impl FnOnce() -> Result<(), Failure>) -> Result<u8, String> {
    match does() {
        Ok(()) => Ok(0),
        Err(Failure::Offline(problem) | Failure::Busy { problem, .. } | Failure::TooSlow(problem)) => {
            say(&problem);
            Ok(OFFLINE)
        }
        Err(
            Failure::Refused(problem)
            | Failure::Unacceptable(problem)
            | Failure::TooLargeOnTheWay(problem)
            | Failure::RunEnded { problem, .. },
        ) => Err(problem),
    }
}

fn wrong_word(word: &str) -> Failure {
    let word = plain::line(word, 40);
    Failure::Refused(format!("{word:?} is no answer; say once, always or reject, or choose with --choose"))
}

fn now_ms() -> i64 {
    chrono::Utc::now().timestamp_millis()
}
