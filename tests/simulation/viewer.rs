//! A viewer as a browser would be: reads frames as they come over its network, remembers its cursor, comes back with it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use serde_json::Value;
use townwatch_protocol::id::{AgentId, Epoch};
use townwatch_town::access::grantor::Grantor;
use townwatch_town::access::permit::Permit;
use townwatch_town::reading::cursor::BeginRequest;
use townwatch_town::reading::streams::Join;
use townwatch_town::viewers::ViewerId;

use super::frames::Frame;

/// How it behaves.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner {
    /// Whether it says what it has, sooner or later.
    pub acknowledges: bool,
    /// Whether what it is sent lies in the network for a while.
    pub slow: bool,
    /// Whether it changes what it watches.
    pub subscribes: bool,
}

/// What it watches, and what it has of that. A subscription begins a new one; a reconnection goes on with it.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    /// None: all of the town.
    pub agents: Option<BTreeSet<String>>,
    /// Names of events that it has filtered out.
    pub hidden: BTreeSet<String>,
    /// Where it began: what lies before is not wanted.
    pub begin: u64,
    pub had: BTreeSet<u64>,
    pub gaps: Vec<Missing>,
}

/// What it was told to be missing.
#[derive(Debug, Clone)]
pub struct Missing {
    pub agent_id: String,
    pub from: u64,
    pub to: u64,
    /// Left out because it did not keep up, and not pruned.
    pub is_elided: bool,
}

impl Missing {
    pub fn holds(&self, agent_id: &str, id: u64) -> bool {
        self.agent_id == agent_id && (self.from..=self.to).contains(&id)
    }
}

impl Watch {
    pub fn wants_agent(&self, agent_id: &str) -> bool {
        self.agents.as_ref().is_none_or(|agents| agents.contains(agent_id))
    }

    pub fn wants(&self, agent_id: &str, event: &str) -> bool {
        self.wants_agent(agent_id) && !self.hidden.contains(event)
    }
}

/// A `subscribe` that was not confirmed yet.
#[derive(Debug, Clone)]
pub struct Subscription {
    pub agents: Option<BTreeSet<String>>,
    pub hidden: BTreeSet<String>,
    pub after_id: Option<u64>,
}

pub struct SimViewer {
    pub manner: Manner,
    pub(super) agent_id: Option<AgentId>,
    /// The agent that its ticket is for; none: the whole town.
    pub ticket_for: Option<AgentId>,
    /// The stream, while one is open.
    pub stream: Option<ViewerId>,
    /// What the town keeps with the socket.
    pub note: Option<String>,
    /// What lies in its network.
    pub inbox: VecDeque<Rc<Frame>>,
    pub watch: Watch,
    pub subscriptions: VecDeque<Subscription>,
    /// The newest id of which it knows that it has all before.
    pub cursor: u64,
    pub(super) epoch: Option<Epoch>,
    /// The last state that it was sent of each agent.
    pub states: BTreeMap<String, Value>,
    pub(super) link: Link,
}

/// What is true of the present stream only.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // independent facts
pub struct Link {
    /// Whether it has said so in this stream: then it is never metered again.
    pub acknowledges: bool,
    pub greeted: bool,
    pub caught_up: bool,
    pub paused: bool,
    pub last_id: u64,
    pub acknowledged: u64,
    /// What it was sent and the town has not heard of: each frame's last id and count.
    owed: VecDeque<(u64, usize)>,
    /// Events so far, and the bytes of their frames.
    pub events: u64,
    pub bytes: usize,
    /// Refusals that it has earned.
    pub errors: u32,
}

impl SimViewer {
    pub fn new(agent_id: Option<AgentId>, manner: Manner) -> Self {
        Self {
            manner,
            agent_id,
            ticket_for: None,
            stream: None,
            note: None,
            inbox: VecDeque::new(),
            watch: Watch::default(),
            subscriptions: VecDeque::new(),
            cursor: 0,
            epoch: None,
            states: BTreeMap::new(),
            link: Link::default(),
        }
    }

    pub fn join(&mut self, stream: ViewerId) -> Join {
        self.stream = Some(stream);
        self.link = Link { acknowledges: self.manner.acknowledges, ..Link::default() };
        self.states.clear();
        // What was left out behind its last event comes again.
        for gap in self.watch.gaps.iter_mut().filter(|gap| gap.is_elided) {
            gap.to = gap.to.min(self.cursor);
        }
        let asked = match &self.epoch {
            Some(epoch) => BeginRequest::after(self.cursor).of_epoch(Some(epoch.clone())),
            None => BeginRequest::default(),
        };
        // Who has subscribed to something else in between has the cursor of that.
        if self.manner.subscribes || self.epoch.is_none() {
            let agents = self.agent_id.as_ref().map(|agent_id| BTreeSet::from([agent_id.to_string()]));
            self.watch = Watch { agents, begin: self.cursor, ..Watch::default() };
        }
        Join { agent_id: self.agent_id.clone(), asked, acknowledges: self.manner.acknowledges, ..Join::default() }
    }

    /// The right that its stream is opened by.
    pub fn permit(&self) -> Permit {
        Permit::of_ticket(self.ticket_for.as_ref(), Grantor { name: "key".to_owned(), ends_at: None })
    }

    /// Whether its ticket is good for all of these agents; none: the whole town.
    pub fn may_watch(&self, agents: Option<&BTreeSet<String>>) -> bool {
        let Some(own) = &self.ticket_for else { return true };
        agents.is_some_and(|agents| agents.iter().all(|agent_id| agent_id == own.as_str()))
    }

    /// A frame is under way to it. One that acknowledges is sent no more than it has made room for, but for one frame.
    pub fn send(&mut self, frame: Rc<Frame>, window_events: u64) {
        if let Some(mark) = frame.last_and_count() {
            let owed: usize = self.link.owed.iter().map(|(_, count)| count).sum();
            let fits = self.link.owed.is_empty() || (owed + mark.1) as u64 <= window_events;
            assert!(fits || !self.link.acknowledges, "{owed} events are not acknowledged, and more is sent");
            self.link.owed.push_back(mark);
        }
        self.inbox.push_back(frame);
    }

    /// The town counts anew: after its eviction, at the first acknowledgement, with a subscription.
    pub fn owes_nothing(&mut self) {
        self.link.owed.clear();
    }

    /// What it has and has not acknowledged yet. What it has of before a subscription means nothing after it.
    pub fn acknowledgement(&mut self) -> Option<u64> {
        let link = &mut self.link;
        if !link.acknowledges || !self.subscriptions.is_empty() || link.last_id <= link.acknowledged {
            return None;
        }
        link.acknowledged = link.last_id;
        link.owed.retain(|(last, _)| *last > link.acknowledged);
        Some(link.last_id)
    }

    /// Whether it has been told, and has read, that it has all up to the head.
    pub fn is_live(&self) -> bool {
        self.stream.is_some() && self.inbox.is_empty() && self.link.caught_up
    }

    /// Whether it has read all that it was sent and was not told why that is not all there is.
    pub fn waits_without_a_word(&self) -> bool {
        let has_all = self.stream.is_some() && self.inbox.is_empty() && self.subscriptions.is_empty();
        has_all && !self.link.caught_up && !self.link.paused
    }

    /// Its network is gone, and what lay in it.
    pub fn cut(&mut self) {
        self.stream = None;
        self.note = None;
        self.inbox.clear();
        self.subscriptions.clear();
    }
}
