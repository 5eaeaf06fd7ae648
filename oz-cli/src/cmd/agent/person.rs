//! The person at the terminal of a local run: what its agent asks is shown, and the lines they type are answers, or more
//! for the agent to do. Ctrl-C lets them say what to do instead.

use crate::{
    error::CliError,
    live::{
        Live,
        keys::Keys,
        typed::{Line, Typed},
    },
    signals,
};
use oz_agent::driver::{DriverEvent, Steer};
use oz_core::{
    harness::{AgentState, HarnessEvent},
    request::{Answer, Decision, Request, RequestKind},
};
use std::{
    collections::VecDeque,
    io::{self, Read as _},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio_util::sync::CancellationToken;

/// How soon after the first a second Ctrl-C means the whole run.
const TWICE: Duration = Duration::from_secs(2);

/// Who is asked, and talked with. The terminal is given back when it is dropped.
pub(super) struct Person {
    desk: Desk,
    _keys: Keys,
}

/// What the terminal, signals and the run's events share. Clones are the same.
#[derive(Clone)]
struct Desk {
    state: Arc<Mutex<State>>,
    steer: UnboundedSender<Steer>,
    live: Live,
    stop: CancellationToken,
    /// How long to wait for more before the talk is over.
    idle: Option<Duration>,
}

#[derive(Default)]
struct State {
    agent: Agent,
    line: Line,
    /// What waits for an answer, the oldest first.
    open: VecDeque<Request>,
    /// When Ctrl-C was pressed last.
    pressed: Option<Instant>,
    /// What the agent broke on, which the person has not seen yet.
    broke: Option<String>,
    /// How often the agent has come to rest.
    rests: u32,
    /// Whether Ctrl-C ended the run.
    stopped: bool,
}

/// What the agent does.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
enum Agent {
    /// It has not begun.
    #[default]
    Comes,
    Works,
    /// It was told to leave what it is at.
    Pauses,
    /// It waits for what it is to do instead.
    Paused,
    /// It did what it was asked, and waits for more.
    Rests,
}

/// What Ctrl-C means.
#[derive(PartialEq, Eq, Debug)]
enum Press {
    /// The line that was typed goes.
    Clear,
    /// The agent leaves what it is at.
    Pause,
    /// The talk is over.
    End,
    /// All of it ends.
    Stop,
}

impl State {
    fn waits(&self) -> bool {
        !self.open.is_empty() || matches!(self.agent, Agent::Paused | Agent::Rests)
    }

    /// What Ctrl-C means now.
    fn press(&mut self, now: Instant) -> Press {
        let again = self.pressed.replace(now).is_some_and(|before| now.duration_since(before) < TWICE);
        let cleared = self.line.clear();
        match self.agent {
            _ if cleared && !again => {
                self.pressed = None;
                Press::Clear
            }
            Agent::Rests => Press::End,
            Agent::Works if !again => Press::Pause,
            Agent::Comes | Agent::Works | Agent::Pauses | Agent::Paused => Press::Stop,
        }
    }
}

impl Person {
    /// Whoever sits there, if anybody does, and what they will say. `stop` ends the run.
    pub(super) fn present(
        live: &Live,
        stop: &CancellationToken,
        idle: Option<Duration>,
    ) -> Result<Option<(Self, UnboundedReceiver<Steer>)>, CliError> {
        let Some(keys) = Keys::take() else { return Ok(None) };
        let (steer, said) = mpsc::unbounded_channel();
        let desk = Desk { state: Arc::default(), steer, live: live.clone(), stop: stop.clone(), idle };
        let (reader, presser) = (desk.clone(), desk.clone());
        signals::at_a_terminal(stop.clone(), move || presser.pressed())?;
        thread::spawn(move || reader.read());
        Ok(Some((Self { desk, _keys: keys }, said)))
    }

    /// Whether they ended the run with Ctrl-C.
    pub(super) fn stopped(&self) -> bool {
        self.desk.lock().stopped
    }

    /// Shows what concerns them of what happens.
    pub(super) fn sees(&mut self, event: &DriverEvent) {
        let mut state = self.desk.lock();
        match event {
            DriverEvent::Listens if state.agent == Agent::Pauses => {
                state.agent = Agent::Paused;
                self.desk.live.note(
                    "Interrupted. Say what to do instead; Enter alone lets it go on, Ctrl-C ends the run.",
                );
            }
            DriverEvent::Listens => {
                state.agent = Agent::Rests;
                state.rests += 1;
                if let Some(why) = state.broke.take() {
                    self.desk
                        .live
                        .note(CliError::new(format!("{why}; say something to go on, or press Ctrl-D")));
                }
                self.desk.wait(state.rests);
            }
            DriverEvent::Event { event: HarnessEvent::Prompt { .. } } if state.agent != Agent::Comes => {
                state.agent = Agent::Works;
            }
            DriverEvent::Event { event: HarnessEvent::State { state: AgentState::Failed, message, .. } } => {
                state.broke.clone_from(message);
            }
            DriverEvent::Event { event: HarnessEvent::State { state: AgentState::Started, .. } } => {
                state.agent = Agent::Works;
            }
            DriverEvent::Event { event: HarnessEvent::Request { request } } => {
                state.open.push_back(request.clone());
                self.desk.live.note(how(request));
            }
            DriverEvent::Event { event: HarnessEvent::Answered { request_id, .. } } => {
                state.open.retain(|request| request.request_id != *request_id);
            }
            _ => return,
        }
        self.desk.show(&state);
    }
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, state: &State) {
        self.live.types(state.line.text(), state.waits());
    }

    /// Ends the talk when nothing is said for long after the agent has come to rest for the `rests`th time.
    fn wait(&self, rests: u32) {
        let Some(idle) = self.idle else { return };
        let desk = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(idle).await;
            let state = desk.lock();
            if (state.agent, state.rests) == (Agent::Rests, rests) {
                let _ = desk.steer.send(Steer::End);
            }
        });
    }

    /// Reads what is typed until there is no more. The thread ends with the process at the latest.
    fn read(&self) {
        let mut bytes = [0; 1024];
        loop {
            let count = match io::stdin().lock().read(&mut bytes) {
                Ok(count) => count,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => 0,
            };
            let mut state = self.lock();
            let all = if count == 0 { vec![Typed::End] } else { state.line.push(&bytes[..count]) };
            for typed in all {
                if let Some(said) = self.said(&mut state, typed)
                    && self.steer.send(said).is_err()
                {
                    return;
                }
            }
            self.show(&state);
            if count == 0 {
                return;
            }
        }
    }

    /// What is said with what was typed; nothing when it means nothing.
    fn said(&self, state: &mut State, typed: Typed) -> Option<Steer> {
        let line = match typed {
            Typed::Line(line) => line,
            // What it asks is better left unanswered than guessed.
            Typed::End => return matches!(state.agent, Agent::Rests | Agent::Paused).then_some(Steer::End),
        };
        let text = line.trim();
        if let Some(request) = state.open.front() {
            let Some(answer) = understood(request, text) else {
                self.live.note(how(request));
                return None;
            };
            let request_id = request.request_id;
            state.open.pop_front();
            return Some(Steer::Answer { request_id, answer });
        }
        let text = match (state.agent, text) {
            (Agent::Paused, "") => "Go on.",
            (_, "") => return None,
            (_, text) => text,
        };
        self.live.said(text);
        if state.waits() {
            state.agent = Agent::Works;
        }
        Some(Steer::Message { text: text.to_owned(), interrupt: false })
    }

    /// Ctrl-C.
    fn pressed(&self) {
        let mut state = self.lock();
        match state.press(Instant::now()) {
            Press::Clear => {}
            Press::Pause => {
                state.agent = Agent::Pauses;
                let _ = self.steer.send(Steer::Pause);
            }
            Press::End => drop(self.steer.send(Steer::End)),
            Press::Stop => {
                state.stopped = true;
                self.stop.cancel();
            }
        }
        self.show(&state);
    }
}

/// What to type.
fn how(request: &Request) -> String {
    match request.kind {
        RequestKind::Approval => {
            "Type y to allow it once, a to allow the like of it always, n to refuse, or what to do instead."
                .to_owned()
        }
        _ if request.options.is_empty() => "Type the answer.".to_owned(),
        _ => format!("Type a number from 1 to {}, or another answer.", request.options.len()),
    }
}

/// What a typed line means; nothing when it means nothing.
fn understood(request: &Request, line: &str) -> Option<Answer> {
    let answer = |decision, text: Option<&str>| Some(Answer { decision, text: text.map(str::to_owned) });
    if line.is_empty() {
        return None;
    }
    if request.kind != RequestKind::Approval {
        let number = line.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
        let chosen = number.and_then(|at| request.options.get(at)).map_or(line, String::as_str);
        return answer(Decision::Answer, Some(chosen));
    }
    match line.to_ascii_lowercase().as_str() {
        "y" | "yes" => answer(Decision::Approve, None),
        "a" | "always" => answer(Decision::ApproveAlways, None),
        "n" | "no" => answer(Decision::Deny, None),
        _ => answer(Decision::Deny, Some(line)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ctrl_c_means() {
        let start = Instant::now();
        let press = |agent, typed: &str, after: &[u64]| {
            let mut state = State { agent, ..State::default() };
            let _ = state.line.push(typed.as_bytes());
            let pressed: Vec<Press> =
                after.iter().map(|ms| state.press(start + Duration::from_millis(*ms))).collect();
            pressed
        };
        assert_eq!(press(Agent::Comes, "", &[0]), [Press::Stop]);
        assert_eq!(press(Agent::Works, "", &[0, 500]), [Press::Pause, Press::Stop]);
        assert_eq!(press(Agent::Works, "", &[0, 5000]), [Press::Pause, Press::Pause]);
        assert_eq!(press(Agent::Paused, "", &[0]), [Press::Stop]);
        assert_eq!(press(Agent::Rests, "", &[0]), [Press::End]);
        assert_eq!(press(Agent::Rests, "half a li", &[0, 100]), [Press::Clear, Press::End]);
    }

    #[test]
    fn what_is_typed_is_understood() {
        let asked = |kind, options: &[&str]| Request {
            request_id: uuid::Uuid::nil(),
            kind,
            title: "t".into(),
            reason: None,
            detail: serde_json::Map::new(),
            options: options.iter().map(|o| (*o).to_owned()).collect(),
        };
        let approval = asked(RequestKind::Approval, &[]);
        for (line, decision, text) in [
            ("y", Decision::Approve, None),
            ("YES", Decision::Approve, None),
            ("a", Decision::ApproveAlways, None),
            ("n", Decision::Deny, None),
            ("not there", Decision::Deny, Some("not there")),
        ] {
            let text = text.map(str::to_owned);
            assert_eq!(understood(&approval, line), Some(Answer { decision, text }), "{line}");
        }
        let question = asked(RequestKind::Question, &["red", "blue"]);
        for (line, text) in [("2", "blue"), ("3", "3"), ("green", "green"), ("y", "y")] {
            assert_eq!(understood(&question, line).unwrap().text.as_deref(), Some(text), "{line}");
        }
        assert_eq!(understood(&approval, ""), None);
        assert!(how(&question).contains("1 to 2") && how(&approval).contains("y to allow"));
    }
}
