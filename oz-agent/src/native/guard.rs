//! Notices an agent that goes round in circles: the same call that fails again and again, and answers that say nothing.
//! It counts and answers; the loop decides what follows. Pure.

use oz_core::model::ToolCall;

/// From how many failures in a row on a call's result warns.
const WARN: u32 = 3;
/// After how many failures in a row the work ends.
const END: u32 = 6;
/// How many empty answers in a row are asked again.
const EMPTY: u32 = 2;

/// What has been going on.
#[derive(Debug, Default)]
pub(super) struct Guard {
    /// Name and arguments of the call that failed last, and how often in a row it did.
    last: Option<(String, String, u32)>,
    empty: u32,
}

/// What to make of a call.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// Nothing.
    Fine,
    /// Its result should say this, too.
    Warn(String),
    /// The work should end, for this reason.
    End(String),
}

impl Guard {
    /// A call was done.
    pub(super) fn called(&mut self, call: &ToolCall, failed: bool) -> Verdict {
        let before = match self.last.take() {
            Some((name, arguments, times)) if name == call.name && arguments == call.arguments => times,
            _ => 0,
        };
        if !failed {
            return Verdict::Fine;
        }
        let (name, times) = (&call.name, before + 1);
        self.last = Some((name.clone(), call.arguments.clone(), times));
        match times {
            END.. => Verdict::End(format!(
                "the agent called '{name}' {times} times in a row with the same arguments, and it failed each time"
            )),
            WARN.. => Verdict::Warn(format!(
                "This same call has failed {times} times in a row; it will not go better. Try something else. The \
                 work ends as failed after {END} times."
            )),
            _ => Verdict::Fine,
        }
    }

    /// An answer came. Why the work should end, if this was one empty answer too many.
    pub(super) fn answered(&mut self, empty: bool) -> Option<String> {
        self.empty = if empty { self.empty + 1 } else { 0 };
        let times = self.empty;
        (times > EMPTY).then(|| format!("the model gave an empty answer {times} times in a row"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(arguments: &str) -> ToolCall {
        ToolCall { id: "c".into(), name: "grep".into(), arguments: arguments.into() }
    }

    #[test]
    fn the_same_failing_call_is_warned_of_and_ends_the_work_and_anything_else_begins_anew() {
        let mut guard = Guard::default();
        let mut times = |n: u32, arguments: &str, failed: bool| {
            (0..n).map(|_| guard.called(&call(arguments), failed)).last().unwrap()
        };
        assert_eq!(times(2, "a", true), Verdict::Fine);
        assert_eq!(times(1, "b", true), Verdict::Fine);
        assert!(matches!(times(3, "a", true), Verdict::Warn(text) if text.contains("3 times")));
        assert_eq!(times(1, "a", false), Verdict::Fine);
        assert!(matches!(times(5, "a", true), Verdict::Warn(_)));
        assert!(matches!(times(1, "a", true), Verdict::End(text) if text.contains("'grep' 6 times")));
        assert_eq!(times(9, "a", false), Verdict::Fine, "what goes well may be done often");
    }

    #[test]
    fn empty_answers_are_asked_again_twice() {
        let mut guard = Guard::default();
        assert_eq!([true, true, false, true, true].map(|empty| guard.answered(empty)), [const { None }; 5]);
        assert!(guard.answered(true).unwrap().contains("3 times"));
    }
}
