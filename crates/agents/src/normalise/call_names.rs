//! Names of calls. Some models count their calls anew in each message or turn, so that a later call has the name of one
//! that has ended: it is told by a name of its own.

use super::recent::Recent;

/// The names of a run's calls.
#[derive(Debug, Clone, Default)]
pub(super) struct CallNames(Recent<Named>);

#[derive(Debug, Clone, Default)]
struct Named {
    /// How many calls of this name there were before.
    earlier: u32,
    ended: bool,
}

impl CallNames {
    /// A call is made. What it is told as: its own name, or `call_0#2` where that was another's that has ended.
    pub(super) fn call(&mut self, id: String) -> String {
        match self.0.get_mut(&id) {
            Some(named) => {
                named.earlier += u32::from(std::mem::take(&mut named.ended));
            }
            None => {
                self.0.insert(&id, Named::default());
            }
        }
        self.told(id)
    }

    /// A call has its result. What it was told as.
    pub(super) fn result(&mut self, id: String) -> String {
        if let Some(named) = self.0.get_mut(&id) {
            named.ended = true;
        }
        self.told(id)
    }

    /// What the latest call of this name was told as.
    pub(super) fn told(&self, id: String) -> String {
        match self.0.get(&id).map_or(0, |named| named.earlier) {
            0 => id,
            earlier => format!("{id}#{}", earlier + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_used_again_is_another_call() {
        let mut names = CallNames::default();
        assert_eq!(names.call("call_0".into()), "call_0");
        assert_eq!(names.call("call_0".into()), "call_0", "said once more while it is open");
        assert_eq!(names.result("call_0".into()), "call_0");
        assert_eq!(names.result("call_0".into()), "call_0", "a result that corrects");
        assert_eq!(names.call("call_0".into()), "call_0#2");
        assert_eq!(names.told("call_0".into()), "call_0#2");
        assert_eq!(names.result("call_0".into()), "call_0#2");
        assert_eq!(names.result("never".into()), "never");
    }
}
