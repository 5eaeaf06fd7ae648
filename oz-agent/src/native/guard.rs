//! Notices an agent that goes round in circles: the same calls with the same results again and again, and answers that
//! lead nowhere. It counts and answers; the loop decides what follows. Pure.

use oz_core::model::ToolCall;
use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    time::Duration,
};

/// The longest circle that is noticed, in calls.
const CIRCLE: usize = 4;
/// From how many rounds on a result warns, and after how many the work ends, where every call fails.
const FAILING: (usize, usize) = (3, 6);
/// The same where calls succeed. Who looks again and again whether something has changed is given more time.
const IDLING: (usize, usize) = (6, 20);
/// A call that takes this long waits for something; that it is done again means nothing.
const WAITS: Duration = Duration::from_secs(2);
/// How many empty answers are asked again before an answer that leads on.
const EMPTY: u32 = 2;
/// The same for answers that were cut.
const CUT: u32 = 4;

/// What has been going on.
#[derive(Debug, Default)]
pub(super) struct Guard {
    recent: VecDeque<Step>,
    waits: u64,
    empty: u32,
    cut: u32,
}

/// A call as far as circles go.
#[derive(Debug, PartialEq)]
struct Step {
    /// Stands for its name, its arguments, and its result unless it failed: errors say the same in other words.
    digest: u64,
    failed: bool,
}

/// How a call went.
#[derive(Debug, Clone, Copy)]
pub(super) struct Went<'a> {
    pub(super) failed: bool,
    pub(super) result: &'a str,
    pub(super) took: Duration,
}

/// What an answer of the model is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Worth {
    /// It leads on.
    Something,
    /// It holds nothing.
    Nothing,
    /// It was cut, and nothing came of it.
    Cut,
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
    pub(super) fn called(&mut self, call: &ToolCall, went: Went<'_>) -> Verdict {
        let step = self.step(call, went);
        self.recent.push_back(step);
        if self.recent.len() > CIRCLE * IDLING.1 {
            self.recent.pop_front();
        }
        let circles = (1..=CIRCLE).map(|length| (self.rounds(length), length));
        // Of circles with as many rounds the shortest is the one that is meant.
        let (rounds, length) = circles.rev().max_by_key(|(rounds, _)| *rounds).unwrap_or_default();
        let failing = self.recent.iter().rev().take(length).all(|step| step.failed);
        let (warn, end) = if failing { FAILING } else { IDLING };
        let same = match length {
            1 => format!("'{}' with the same arguments", call.name),
            _ => format!("the same {length} calls, '{}' the last of them,", call.name),
        };
        let outcome = if failing { "it failed each time" } else { "nothing came of it but the same again" };
        match rounds {
            _ if rounds >= end => Verdict::End(format!(
                "the agent went round in circles: it called {same} {rounds} times in a row, and {outcome}; say more \
                 closely what is to be done, or choose another model"
            )),
            _ if rounds >= warn => Verdict::Warn(format!(
                "You have called {same} {rounds} times in a row, and {outcome}; it will not go better. Try something \
                 else, or wait longer in one call. The work ends as failed after {end} times."
            )),
            _ => Verdict::Fine,
        }
    }

    fn step(&mut self, call: &ToolCall, went: Went<'_>) -> Step {
        let mut hasher = DefaultHasher::new();
        (&call.name, &call.arguments, went.failed).hash(&mut hasher);
        if !went.failed {
            went.result.hash(&mut hasher);
            if went.took >= WAITS {
                self.waits += 1;
                self.waits.hash(&mut hasher);
            }
        }
        Step { digest: hasher.finish(), failed: went.failed }
    }

    /// How many times in a row the last `length` calls were made.
    fn rounds(&self, length: usize) -> usize {
        let earlier = self.recent.iter().rev().skip(length);
        let repeated = self.recent.iter().rev().zip(earlier).take_while(|(a, b)| a == b).count();
        repeated / length + 1
    }

    /// An answer came. Why the work should end, if this was one too many that leads nowhere.
    pub(super) fn answered(&mut self, worth: Worth) -> Option<String> {
        match worth {
            Worth::Something => (self.empty, self.cut) = (0, 0),
            Worth::Nothing => self.empty += 1,
            Worth::Cut => self.cut += 1,
        }
        let Self { empty, cut, .. } = self;
        if *empty > EMPTY {
            return Some(format!(
                "the model gave an empty answer {empty} times in a row; try again, or choose another model"
            ));
        }
        (*cut > CUT).then(|| {
            format!(
                "{cut} answers of the model in a row reached the limit on their length before they were whole; ask \
                 for the work in smaller parts, or choose a model that may say more at once"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(arguments: &str) -> ToolCall {
        ToolCall { id: "c".into(), name: "grep".into(), arguments: arguments.into() }
    }

    const FAILED: Went<'_> = Went { failed: true, result: "no", took: Duration::ZERO };
    const DONE: Went<'_> = Went { failed: false, result: "yes", took: Duration::ZERO };

    /// What becomes of the last of so many rounds of these calls.
    fn rounds(guard: &mut Guard, n: usize, circle: &[(&str, Went<'_>)]) -> Verdict {
        let mut verdict = Verdict::Fine;
        for _ in 0..n {
            for (arguments, went) in circle {
                verdict = guard.called(&call(arguments), *went);
            }
        }
        verdict
    }

    #[test]
    fn the_same_failing_call_is_warned_of_and_ends_the_work_and_anything_else_begins_anew() {
        let mut guard = Guard::default();
        let mut times = |n, arguments: &str, went| rounds(&mut guard, n, &[(arguments, went)]);
        assert_eq!(times(2, "a", FAILED), Verdict::Fine);
        assert_eq!(times(1, "b", FAILED), Verdict::Fine);
        assert!(matches!(times(3, "a", FAILED), Verdict::Warn(text) if text.contains("3 times")));
        assert_eq!(times(1, "a", DONE), Verdict::Fine);
        assert!(matches!(times(5, "a", FAILED), Verdict::Warn(_)));
        let other_words = Went { result: "not this time either", ..FAILED };
        assert!(
            matches!(times(1, "a", other_words), Verdict::End(text) if text.contains("'grep' with the same arguments 6 times"))
        );
    }

    #[test]
    fn calls_that_succeed_may_be_repeated_longer_and_new_results_and_waiting_are_no_circle() {
        let mut guard = Guard::default();
        assert_eq!(rounds(&mut guard, 5, &[("a", DONE)]), Verdict::Fine);
        assert!(matches!(rounds(&mut guard, 14, &[("a", DONE)]), Verdict::Warn(_)));
        assert!(
            matches!(rounds(&mut guard, 1, &[("a", DONE)]), Verdict::End(text) if text.contains("20 times"))
        );
        for n in 0..50 {
            let result = n.to_string();
            assert_eq!(guard.called(&call("a"), Went { result: &result, ..DONE }), Verdict::Fine);
        }
        let waiting = Went { took: WAITS, ..DONE };
        assert_eq!(rounds(&mut guard, 50, &[("a", waiting)]), Verdict::Fine);
        assert_eq!(rounds(&mut guard, 50, &[("a", waiting), ("b", DONE)]), Verdict::Fine);
    }

    #[test]
    fn circles_of_several_calls_are_noticed() {
        for circle in [
            &[("a", FAILED), ("b", FAILED)][..],
            &[("a", FAILED), ("b", FAILED), ("c", FAILED)],
            &[("a", FAILED), ("a", FAILED), ("b", FAILED), ("c", FAILED)],
        ] {
            let mut guard = Guard::default();
            assert_eq!(rounds(&mut guard, 2, circle), Verdict::Fine);
            assert!(matches!(rounds(&mut guard, 1, circle), Verdict::Warn(_)));
            assert_eq!(guard.called(&call("z"), DONE), Verdict::Fine);
            let Verdict::End(reason) = rounds(&mut guard, 6, circle) else { panic!("no end") };
            assert!(
                reason.contains(&format!("the same {} calls, 'grep' the last", circle.len())),
                "{reason}"
            );
        }
        let mut guard = Guard::default();
        let mixed = [("a", FAILED), ("b", DONE)];
        assert!(matches!(rounds(&mut guard, 19, &mixed), Verdict::Warn(_)));
        assert!(matches!(guard.called(&call("a"), FAILED), Verdict::Warn(_)));
        assert!(matches!(guard.called(&call("b"), DONE), Verdict::End(_)));
    }

    #[test]
    fn answers_that_lead_nowhere_are_asked_again_a_few_times() {
        use Worth::{Cut, Nothing, Something};
        let mut guard = Guard::default();
        for worth in [Nothing, Nothing, Something, Cut, Nothing, Cut, Nothing, Cut, Cut, Something, Nothing] {
            assert_eq!(guard.answered(worth), None);
        }
        assert_eq!(guard.answered(Nothing), None);
        assert!(guard.answered(Nothing).unwrap().contains("3 times"));
        let mut guard = Guard::default();
        let last = (0..=CUT).map(|_| guard.answered(Cut)).last().unwrap();
        assert!(last.unwrap().contains("smaller parts"));
    }
}
