//! Names of calls. Some models count their calls again in each message or turn, so that a later call has the id of an
//! earlier one that has ended. Such a call is reported under another name.

use super::recent::Recent;

/// The names of a run's calls.
#[derive(Debug, Clone, Default)]
pub(super) struct CallNames(Recent<CallUse>);

#[derive(Debug, Clone, Default)]
struct CallUse {
    /// The number of earlier calls with this id.
    earlier: u32,
    ended: bool,
}

impl CallNames {
    /// The name of a new call: its own id, or `call_0#2` where an earlier call had that id.
    pub(super) fn call(&mut self, id: String) -> String {
        match self.0.get_mut(&id) {
            Some(named) => {
                named.earlier += u32::from(std::mem::take(&mut named.ended));
            }
            None => {
                self.0.insert(&id, CallUse::default());
            }
        }
        self.told(id)
    }

    /// The name of the call that this result is for.
    pub(super) fn result(&mut self, id: String) -> String {
        if let Some(named) = self.0.get_mut(&id) {
            named.ended = true;
        }
        self.told(id)
    }

    /// The name of the latest call with this id.
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
