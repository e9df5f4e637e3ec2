//! A reader of pages: forwards by `after_id` until it is at the head, or backwards by `before_id` to the beginning.

use townwatch_protocol::id::{AgentId, Epoch, EventName};
use townwatch_town::log::{PageFilter, Selection};
use townwatch_town::reading::cursor::BeginRequest;
use townwatch_town::reading::pages::PageRequest;
use townwatch_town::town::Town;

use super::faults::Fault;
use super::oracle::{Oracle, Stored};
use crate::sqlite::Sqlite;

pub struct Pager {
    agent_id: Option<AgentId>,
    /// Names of events that it wants; empty: all.
    names: Vec<EventName>,
    forwards: bool,
    epoch: Option<Epoch>,
    /// Forwards it has all up to here, backwards from here.
    cursor: Option<u64>,
}

impl Pager {
    pub fn new(forwards: bool, agent_id: Option<AgentId>, names: &[&str]) -> Self {
        let names = names.iter().map(|name| EventName::parse(name).unwrap()).collect();
        Self { agent_id, names, forwards, epoch: None, cursor: forwards.then_some(0) }
    }

    fn wants(&self, stored: &Stored) -> bool {
        self.agent_id.as_ref().is_none_or(|agent_id| agent_id.as_str() == stored.agent_id)
            && (self.names.is_empty() || self.names.iter().any(|name| name.as_str() == stored.event))
    }

    /// Reads its next page and holds it against what the log has. Gives what was special about it.
    pub fn turn(&mut self, town: &Town, oracle: &Oracle, store: &Sqlite, limit: u64) -> Option<Fault> {
        let selection = self.agent_id.clone().map_or_else(Selection::town, Selection::agent);
        let wanted = PageFilter { run_id: None, events: self.names.clone() };
        let asked = match self.cursor {
            None => BeginRequest::default(),
            Some(id) if self.forwards => BeginRequest::after(id),
            Some(id) => BeginRequest::before(id),
        };
        let asked = if self.forwards { asked.of_epoch(self.epoch.clone()) } else { asked };
        let page = town.page(&selection, &PageRequest { asked, limit: Some(limit), wanted }).unwrap();
        assert_eq!((page.reset, page.head.get()), (false, oracle.head()), "a page of another log");
        self.epoch = Some(page.epoch);
        let (from, to) = if self.forwards {
            (self.cursor.unwrap_or(0) + 1, u64::MAX)
        } else {
            (0, self.cursor.unwrap_or(u64::MAX) - 1)
        };
        let mut expected: Vec<u64> =
            oracle.retained.range(from..=to).filter(|id| self.wants(&oracle.log[id])).copied().collect();
        let (count, limit) = (expected.len(), usize::try_from(limit).unwrap());
        if self.forwards {
            expected.truncate(limit);
        } else {
            expected.drain(..count.saturating_sub(limit));
        }
        let there: Vec<&str> = page.events.iter().map(String::as_str).collect();
        let expected_texts: Vec<&str> = expected.iter().filter_map(|id| oracle.frame(*id)).collect();
        assert_eq!(there, expected_texts, "a page is not what the log has there");
        if !self.forwards {
            // At the beginning it starts again from the newest page.
            self.cursor = expected.first().copied();
            return None;
        }
        for gap in &page.gaps {
            oracle.check_gap(gap, store);
        }
        let next = page.next_after_id.get();
        for (id, stored) in oracle.log.range(from..=next.max(from)).filter(|(_, stored)| self.wants(stored)) {
            if oracle.is_gone(*id, &stored.agent_id) {
                continue;
            }
            let told = page
                .gaps
                .iter()
                .any(|gap| gap.agent_id.as_str() == stored.agent_id && (gap.from.get()..=gap.to.get()).contains(id));
            let there = expected.binary_search(id).is_ok();
            assert!(there != told, "a page lacks {id} without a word, or has it and calls it missing");
        }
        // A full page that happens to be all there is may say so or not.
        let goes_on = count >= limit && Some(&next) == expected.last();
        let reaches_head = count <= limit && next == oracle.head();
        assert!(goes_on || reaches_head, "a page goes on elsewhere than after its last event, or ends before the head");
        self.cursor = Some(next);
        if expected.is_empty() {
            Some(Fault::PageAtHead)
        } else {
            (!page.gaps.is_empty()).then_some(Fault::PageWithGap)
        }
    }
}
