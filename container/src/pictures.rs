//! The pictures in results, kept in memory until the town has fetched them. Events have only their names.

use std::collections::VecDeque;
use std::sync::Arc;

use townwatch_agents::normalise::pictures::Picture;
use townwatch_protocol::id::{AgentId, RunId};

/// The pictures of all agents of a town, 64 MiB; the oldest go, and the town is told that they are not here.
const BYTES_MAX: usize = 64 << 20;

/// The pictures of one town, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Pictures {
    kept: VecDeque<KeptPicture>,
    bytes: usize,
}

#[derive(Debug)]
struct KeptPicture {
    agent_id: AgentId,
    /// The newest run that had the picture.
    run_id: RunId,
    picture: Arc<Picture>,
    is_fetched: bool,
}

impl Pictures {
    /// Takes a picture in. The same picture of the same agent is kept once, and then counts as new.
    pub(crate) fn keep(&mut self, agent_id: &AgentId, run_id: &RunId, picture: Picture) {
        if let Some(at) = self.find(agent_id, &picture.image_id) {
            self.remove(at);
        }
        self.bytes += picture.bytes.len();
        let (agent_id, run_id) = (agent_id.clone(), run_id.clone());
        self.kept.push_back(KeptPicture { agent_id, run_id, picture: Arc::new(picture), is_fetched: false });
        while self.bytes > BYTES_MAX {
            self.remove(0);
        }
    }

    /// Gives a picture to the town.
    pub(crate) fn fetch(&mut self, agent_id: &AgentId, image_id: &str) -> Option<Arc<Picture>> {
        let kept = self.find(agent_id, image_id).and_then(|at| self.kept.get_mut(at))?;
        kept.is_fetched = true;
        Some(Arc::clone(&kept.picture))
    }

    /// Removes the pictures of a run that ended a while ago, if the town has fetched them. A town that has not asked
    /// yet may still fetch the others, as it may its events.
    pub(crate) fn expire(&mut self, agent_id: &AgentId, run_id: &RunId) {
        self.kept.retain(|kept| !(kept.is_fetched && kept.agent_id == *agent_id && kept.run_id == *run_id));
        self.bytes = self.kept.iter().map(|kept| kept.picture.bytes.len()).sum();
    }

    fn find(&self, agent_id: &AgentId, image_id: &str) -> Option<usize> {
        self.kept.iter().position(|kept| kept.agent_id == *agent_id && kept.picture.image_id == image_id)
    }

    fn remove(&mut self, at: usize) {
        if let Some(gone) = self.kept.remove(at) {
            self.bytes -= gone.picture.bytes.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(name: &str, bytes: usize) -> Picture {
        Picture { image_id: name.to_owned(), media_type: "image/png", bytes: vec![0; bytes] }
    }

    fn agent(name: &str) -> AgentId {
        AgentId::parse(name).unwrap()
    }

    fn run(name: &str) -> RunId {
        RunId::parse(name).unwrap()
    }

    #[test]
    fn the_oldest_go_at_the_bound() {
        let mut pictures = Pictures::default();
        for name in ["1", "2", "3", "4", "5", "6", "7", "8"] {
            pictures.keep(&agent("a"), &run("r"), picture(name, BYTES_MAX / 8));
        }
        pictures.keep(&agent("a"), &run("r"), picture("1", BYTES_MAX / 8)); // which makes it young again
        pictures.keep(&agent("b"), &run("r"), picture("1", 1));
        assert!(pictures.fetch(&agent("a"), "2").is_none());
        assert!(pictures.fetch(&agent("a"), "1").is_some() && pictures.fetch(&agent("b"), "1").is_some());
        assert_eq!((pictures.kept.len(), pictures.bytes), (8, BYTES_MAX / 8 * 7 + 1));
    }

    #[test]
    fn an_ended_runs_pictures_go_once_they_are_fetched() {
        let mut pictures = Pictures::default();
        for (name, run_id) in [("1", "r1"), ("2", "r1"), ("3", "r1"), ("3", "r2")] {
            pictures.keep(&agent("a"), &run(run_id), picture(name, 10));
        }
        assert!(pictures.fetch(&agent("a"), "1").is_some() && pictures.fetch(&agent("a"), "3").is_some());
        pictures.expire(&agent("a"), &run("r1"));
        assert!(pictures.fetch(&agent("a"), "1").is_none());
        assert!(pictures.fetch(&agent("a"), "2").is_some(), "the town has not come for it yet");
        assert!(pictures.fetch(&agent("a"), "3").is_some(), "a newer run gave it, too");
        assert_eq!(pictures.bytes, 20);
    }
}
