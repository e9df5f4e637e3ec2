//! A socket's stream: its opening, the messages of its viewer, and tickets.

use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::id::{AgentId, EventId};
use townwatch_protocol::limits::{CLIENT_FRAME_BYTES_MAX, SUBSCRIBE_AGENTS_MAX, VIEWERS_MAX};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{AgentSelection, ClientFrame, Filters, FromObject, ServerFrame, TicketView};

use crate::access::grantor::Grantor;
use crate::access::permit::Permit;
use crate::access::tickets;
use crate::decision::{Decide, Decision};
use crate::log::{self, Selection};
use crate::reading::cursor::{self, Begin, BeginRequest};
use crate::reading::ending::Ending;
use crate::reading::resumption::{self, Right};
use crate::reading::stream_query::{EventNames, Form};
use crate::town::Town;
use crate::viewers::frames::Occasion;
use crate::viewers::{Effect, RecallResult, Subscription, ViewerId, text_of};

/// The version of the contract that `hello` names.
pub const PROTOCOL_VERSION: u32 = 1;

/// A request to open a stream.
#[derive(Debug, Clone, Default)]
pub struct Join {
    /// The agent to watch; `None` for the whole town.
    pub agent_id: Option<AgentId>,
    /// The place where the stream's history begins.
    pub asked: BeginRequest,
    /// Whether the stream ends with the agent's run.
    pub until_exit: bool,
    /// Whether the viewer acknowledges from the first frame on.
    pub acknowledges: bool,
    /// The form of its messages.
    pub form: Form,
    /// Whether events are named, on an event stream.
    pub names: EventNames,
    /// The right to resume the stream; only an event stream that a ticket opened has one.
    pub right: Option<Right>,
}

impl Join {
    /// Resumes a stream by a right, which knows the life of the log that the stream's ids belong to.
    pub fn resume(&mut self, right: Right) {
        if let Some(epoch) = &right.epoch {
            self.asked.epoch = Some(epoch.clone());
        }
        self.right = Some(right);
    }

    pub(crate) fn selection(&self) -> Selection {
        self.agent_id.clone().map_or_else(Selection::town, Selection::agent)
    }
}

impl Town {
    /// Whether a right is over: its time has passed, or the town was told of its end.
    pub(crate) fn is_over(&self, grantor: &Grantor, now: Timestamp) -> bool {
        self.ended.has(grantor) || grantor.ends_at.is_some_and(|ends_at| ends_at <= now)
    }

    /// Refuses a right that is over with 401 `unauthorized`.
    pub fn check_lasts(&self, grantor: &Grantor, now: Timestamp) -> Result<()> {
        if self.is_over(grantor, now) {
            return Err(Error::new(Code::Unauthorized, Ending::RightEnded.reason()));
        }
        Ok(())
    }

    /// Stores a ticket for a stream.
    ///
    /// # Errors
    /// `unauthorized`: the grantor's right is over. Otherwise the tables cannot be written.
    pub fn mint_ticket(
        &self,
        ticket: &str,
        agent_id: Option<&AgentId>,
        grantor: &Grantor,
        now: Timestamp,
    ) -> Result<TicketView> {
        self.check_lasts(grantor, now)?;
        let expires_at = now.plus_millis(self.config.ticket_ttl_ms);
        tickets::mint(self.store.as_ref(), ticket, agent_id, grantor, expires_at, now)?;
        let town_id = &self.town_id;
        let path = agent_id.map_or_else(
            || format!("/api/towns/{town_id}/stream"),
            |agent_id| format!("/api/towns/{town_id}/container/agents/{agent_id}/stream"),
        );
        Ok(TicketView { ticket: ticket.to_owned(), url: format!("{path}?ticket={ticket}"), expires_at })
    }

    /// Uses a ticket up, and gives the right that it stands for. This must be the last thing before the socket is
    /// accepted, in the same synchronous step. `lasts` says whether the right of the ticket's grantor lasts.
    ///
    /// # Errors
    /// `ticket_invalid`: the ticket opens no stream. Otherwise the tables cannot be read or written.
    pub fn consume_ticket(
        &self,
        ticket: &str,
        agent_id: Option<&AgentId>,
        lasts: &dyn Fn(&Grantor) -> bool,
        now: Timestamp,
    ) -> Result<Permit> {
        let grantor = tickets::consume(self.store.as_ref(), ticket, agent_id, now)?;
        let grantor = grantor.filter(lasts).ok_or_else(resumption::used_up)?;
        Ok(Permit::of_ticket(agent_id, grantor))
    }

    /// Checks everything that can refuse a stream before its ticket is used up. `waiting` is the number of viewers
    /// without a socket.
    ///
    /// # Errors
    /// `too_many_viewers`: the town is full. Otherwise the tables cannot be read.
    pub fn check_join(&self, join: &Join, waiting: usize) -> Result<()> {
        cursor::resolve(self.store.as_ref(), &join.selection(), &self.epoch, &join.asked)?;
        self.check_room(waiting)
    }

    /// Refuses one more viewer with `too_many_viewers` where [`VIEWERS_MAX`] is reached. `waiting` is the number of
    /// viewers without a socket.
    pub fn check_room(&self, waiting: usize) -> Result<()> {
        if self.viewers.len() + waiting >= VIEWERS_MAX {
            let message = format!("the town has {VIEWERS_MAX} viewers, which is the most; try again later");
            return Err(Error::new(Code::TooManyViewers, message));
        }
        Ok(())
    }

    /// Makes an id for a new stream.
    pub fn fresh_viewer(&mut self) -> ViewerId {
        self.viewers.fresh_id()
    }

    /// Takes a stream back after a hibernation, by the note kept with its socket, if its right `lasts`.
    pub fn recall(&mut self, note: &str, lasts: &dyn Fn(&Grantor) -> bool) -> Result<RecallResult> {
        let head = log::head(self.store.as_ref())?;
        Ok(self.viewers.recall(note, lasts, head))
    }

    /// Forgets a stream that is closed.
    pub fn leave(&mut self, id: ViewerId) {
        self.viewers.remove(id);
    }

    /// Ends a stream whose viewer sends too much; `None` if it does not.
    fn too_much(&mut self, id: ViewerId, bytes: usize, now: Timestamp) -> Option<Effect> {
        let end = if bytes > CLIENT_FRAME_BYTES_MAX {
            Effect::Close(id, Ending::MessageTooLarge)
        } else if self.viewers.counts(id, now) {
            return None;
        } else {
            Effect::Close(id, Ending::TooManyMessages)
        };
        self.viewers.remove(id);
        Some(end)
    }

    /// Takes a text from a viewer. An error other than [`Code::Internal`] is a mistake of the viewer, and no frame was
    /// sent for it yet.
    fn take_text(&mut self, id: ViewerId, text: &str, now: Timestamp, effects: &mut Vec<Effect>) -> Result<()> {
        match townwatch_protocol::body::parse_body::<ClientFrame>(text.as_bytes())? {
            ClientFrame::Ping => {
                effects.push(Effect::Send(id, text_of(&ServerFrame::Pong).into()));
                Ok(())
            }
            ClientFrame::Ack { id: ack } => {
                if !self.viewers.acknowledge(id, ack, now, effects) {
                    return Err(Error::invalid("id", "is above all that this stream was sent"));
                }
                // A viewer that waits for nothing gets nothing more by an acknowledgement.
                if self.viewers.waits(id) { self.pump(Occasion::at(now), effects) } else { Ok(()) }
            }
            ClientFrame::Subscribe { agents, after_id, filters } => {
                let filters = filters.map_or_else(Filters::default, |FromObject(filters)| filters);
                self.subscribe(id, (agents, filters), after_id, now, effects)
            }
        }
    }

    fn subscribe(
        &mut self,
        id: ViewerId,
        (agents, filters): (AgentSelection, Filters),
        after_id: Option<EventId>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Result<()> {
        if matches!(&agents, AgentSelection::Only(agents) if agents.len() > SUBSCRIBE_AGENTS_MAX) {
            let problem = format!("at most {SUBSCRIBE_AGENTS_MAX} agents, or \"*\" for all");
            return Err(Error::invalid("agents", problem));
        }
        self.viewers.check_scope(id, &agents)?;
        let store = std::rc::Rc::clone(&self.store);
        let head = log::head(store.as_ref())?;
        let selection = Selection { agents: agents.clone(), filters };
        let begin = match after_id {
            Some(id) => cursor::resolve(store.as_ref(), &selection, &self.epoch, &BeginRequest::after(id.get()))?,
            // A live viewer still gets the events that its pace holds back at this moment.
            None => Begin { cursor: self.viewers.live_cursor(id).unwrap_or(head), reset: false, tail: true },
        };
        let after_id = begin.cursor;
        let confirmed = ServerFrame::SubscriptionConfirmed { agents, filters, after_id };
        self.viewers.subscribe(id, (selection, begin), text_of(&confirmed), now, effects);
        self.pump(Occasion::at(now), effects)
    }
}

/// The opening of a stream by a right: `hello`, states, history, `caught_up`; from then on it is live.
#[derive(Debug)]
pub struct OpenStream<'a> {
    /// The stream's id.
    pub id: ViewerId,
    /// The request to open it.
    pub join: &'a Join,
    /// The right to it.
    pub permit: Permit,
}

/// A message of a viewer. If it cannot be taken, the answer is an `error` frame or the end of the stream.
#[derive(Debug)]
pub struct ViewerMessage<'a> {
    /// The stream that the message came on.
    pub id: ViewerId,
    /// The message's content.
    pub content: MessageContent<'a>,
}

/// The content of a WebSocket's message.
#[derive(Debug, Clone, Copy)]
pub enum MessageContent<'a> {
    /// A text.
    Text(&'a str),
    /// Bytes that are no text, with their number.
    Binary(usize),
}

/// The end of sessions, by the names of their grantors. Everything that these grantors have opened in this town ends:
/// streams, tickets, and rights to resume.
#[derive(Debug)]
pub struct SessionsEnd<'a> {
    /// The names of the grantors.
    pub names: &'a [String],
}

impl Decide for OpenStream<'_> {
    type Answer = ();

    fn decide(self, town: &mut Town, now: Timestamp) -> Result<Decision<()>> {
        let Self { id, join, permit } = self;
        town.show(|town, effects| {
            let selection = join.selection();
            let begin = cursor::resolve(town.store.as_ref(), &selection, &town.epoch, &join.asked)?;
            let head = log::head(town.store.as_ref())?;
            let Join { until_exit, acknowledges, form, .. } = *join;
            if form == Form::Frames {
                effects.push(Effect::Send(id, text_of(&town.hello(begin.reset)?).into()));
            }
            let opened_for = join.agent_id.clone();
            town.viewers.add(
                id,
                Subscription { selection, begin, until_exit, acknowledges, form, permit, opened_for },
                head,
            );
            town.pump(Occasion::at(now), effects)
        });
        Ok(Decision::unseen(()))
    }
}

impl Decide for ViewerMessage<'_> {
    type Answer = ();

    fn decide(self, town: &mut Town, now: Timestamp) -> Result<Decision<()>> {
        let Self { id, content } = self;
        town.show(|town, effects| {
            town.viewers.end_rights(now, effects);
            if !town.viewers.is_open(id) {
                return Ok(());
            }
            let bytes = match content {
                MessageContent::Text(text) => text.len(),
                MessageContent::Binary(bytes) => bytes,
            };
            if let Some(end) = town.too_much(id, bytes, now) {
                effects.push(end);
                return Ok(());
            }
            let taken = match content {
                MessageContent::Text(text) => town.take_text(id, text, now, effects),
                MessageContent::Binary(_) => Err(Error::invalid("message", "is binary; send JSON as text")),
            };
            match taken {
                Err(error) if error.code != Code::Internal => {
                    let kind = match content {
                        MessageContent::Text(text) => ClientFrame::kind_of(text),
                        MessageContent::Binary(_) => None,
                    };
                    effects.push(refused(id, kind, error, now));
                    Ok(())
                }
                taken => taken,
            }
        });
        Ok(Decision::unseen(()))
    }
}

impl Decide for SessionsEnd<'_> {
    type Answer = ();

    fn decide(self, town: &mut Town, _now: Timestamp) -> Result<Decision<()>> {
        for name in self.names {
            town.ended.note(name);
            town.show(|town, effects| {
                town.viewers.end_of(name, effects);
                Ok(())
            });
            town.store.query("DELETE FROM tickets WHERE principal = ?", &[name.as_str().into()])?;
            town.store.query("DELETE FROM resume_rights WHERE principal = ?", &[name.as_str().into()])?;
        }
        town.effects.push(Effect::Announce);
        Ok(Decision::unseen(()))
    }
}

/// Makes the `error` frame for a message. The text names the message's kind, if the message has one. A problem with the
/// message as a whole stands under the name `message`.
fn refused(id: ViewerId, kind: Option<&'static str>, error: Error, now: Timestamp) -> Effect {
    let problem = error.message.strip_prefix("body: ").unwrap_or(&error.message);
    let message = match kind {
        Some(kind) => format!("{kind}: {problem}"),
        None if problem.len() < error.message.len() => format!("message: {problem}"),
        None => error.message,
    };
    let frame =
        ServerFrame::Error { code: error.code.name().to_owned(), message, frame: kind.map(str::to_owned), at: now };
    Effect::Send(id, text_of(&frame).into())
}
