//! Runs the program of a [`Dialect`] from its start to its end.

use super::{
    Conversation, Dialect, End, Foreign, Launch, Reader, Told,
    begun::{Begun, begin},
    lines::{Line, Lines, Tail},
    pairs::Pairs,
    permits::Permits,
    pipes::{Output, writer},
    rules,
};
use crate::{budget::Budget, command::Guard, gate::Gate, human::Human, memory::Memory};
use futures_util::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use oz_core::{
    Error, ErrorCode, Redactor,
    config::Limits,
    harness::{AgentState, HarnessEvent, HarnessTask},
};
use std::{
    os::unix::process::ExitStatusExt as _,
    process::ExitStatus,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    process::Child,
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

/// How many events may wait for their reader before the program does.
const EVENTS: usize = 64;
/// How long the last output may take after the program has ended and all that it left was killed.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How long the end of a killed program may take to show.
const BURIAL: Duration = Duration::from_secs(2);

/// The step under which the transcript says whether an earlier conversation was taken up.
const RESUMPTION: &str = "session_resume";

/// What somebody wants to say to the program.
#[derive(Debug)]
pub(super) enum Input {
    /// Another message.
    Message(String),
    /// It should end its step.
    Interruption(String),
}

/// Why a program does not go on.
enum Stop {
    Cancelled,
    OverBudget(String),
    Hopeless(ErrorCode, String),
}

/// Starts the program for `task`.
pub(super) fn start(
    foreign: &Foreign,
    mut task: HarnessTask,
) -> Result<BoxStream<'static, HarnessEvent>, Error> {
    let dialect = &foreign.dialect;
    if let Some(saved) = task.saved.as_ref().filter(|saved| saved.format != dialect.format()) {
        let text = format!(
            "the conversation to go on with has the format '{}'; the harness '{}' goes on with '{}' only",
            saved.format,
            dialect.name(),
            dialect.format()
        );
        return Err(Error::settled(text));
    }
    let mut lost = None;
    let first = match begin(&**dialect, &foreign.conversation, &task) {
        Err(error) if task.saved.is_some() => {
            task = task.afresh();
            lost = Some(error.detail);
            begin(&**dialect, &foreign.conversation, &task)?
        }
        begun => begun?,
    };
    let (events, mut received) = mpsc::channel(EVENTS);
    let limits = task.limits.clone();
    let engine = Engine {
        dialect: Arc::clone(dialect),
        reader: dialect.reader(&task),
        conversation: Arc::clone(&foreign.conversation),
        max_seconds: limits.max_seconds,
        budget: Budget::new(Limits { max_turns: limits.max_turns.or(Some(u32::MAX)), ..limits }),
        redactor: task.redactor.clone(),
        memory: Memory::new(&task.env),
        cancel: foreign.cancel.clone(),
        permits: Permits::new(
            Gate::new(task.permissions.clone()),
            Human::new(Arc::clone(&foreign.waiting), events.clone()),
            task.redactor.clone(),
        ),
        events,
        pairs: Pairs::default(),
        asked: None,
        at_work: task.saved.is_none(),
    };
    // Dropping the stream drops the handle, and with it the guard.
    let working = AbortOnDropHandle::new(tokio::spawn(engine.work(task, first, lost)));
    let stream = stream::poll_fn(move |context| {
        let _ = &working;
        received.poll_recv(context)
    });
    Ok(stream.boxed())
}

/// One program at work.
struct Engine {
    dialect: Arc<dyn Dialect>,
    reader: Box<dyn Reader>,
    conversation: Arc<Mutex<Conversation>>,
    budget: Budget,
    max_seconds: Option<u64>,
    redactor: Redactor,
    memory: Memory,
    cancel: CancellationToken,
    permits: Permits,
    events: mpsc::Sender<HarnessEvent>,
    pairs: Pairs,
    /// What it was asked last, since it last rested.
    asked: Option<Asked>,
    /// Whether it told of anything. Who can't take up an earlier conversation ends before.
    at_work: bool,
}

#[derive(PartialEq)]
enum Asked {
    More,
    /// To stop, and nothing else: whoever wants that has something to say.
    Stop,
}

impl Engine {
    async fn work(mut self, task: HarnessTask, first: Begun, lost: Option<String>) {
        self.tell(HarnessEvent::State { state: AgentState::Started, message: None, code: None }).await;
        let lists = rules::lists(&task.permissions);
        if !lists.is_empty() && !self.dialect.asks() {
            let detail = format!(
                "the harness '{}' does not ask before it acts, so these lists do not hold: {}",
                self.dialect.name(),
                lists.join(", ")
            );
            self.stage("permissions", detail).await;
        }
        if let Some(why) = lost {
            self.begin_anew(&why).await;
        }
        let mut end = self.attempt(first).await;
        if let (Ok(End::Failed(_, why)), false) = (&end, self.at_work) {
            self.begin_anew(&why.clone()).await;
            let task = task.afresh();
            self.reader = self.dialect.reader(&task);
            end = match begin(&*self.dialect, &self.conversation, &task) {
                Ok(begun) => self.attempt(begun).await,
                Err(error) => Ok(End::Failed(error.code, error.detail)),
            };
        }
        let (state, message, code) = match end {
            Err(Stop::Cancelled) => (AgentState::Cancelled, None, None),
            Err(Stop::OverBudget(why)) => (AgentState::Failed, Some(why), Some(ErrorCode::BudgetExceeded)),
            Err(Stop::Hopeless(code, message)) => (AgentState::Failed, Some(message), Some(code)),
            Ok(End::Done(summary)) => (AgentState::Succeeded, summary, None),
            Ok(End::Failed(code, message)) => (AgentState::Failed, Some(message), Some(code)),
        };
        let message = match self.memory.since(0).filter(|_| state == AgentState::Failed) {
            Some(why) => Some(message.map_or(why.clone(), |text| format!("{why}: {text}"))),
            None => message,
        };
        let why = match &state {
            AgentState::Cancelled => "the agent was stopped before it was done",
            _ => "the agent ended without telling what came of it",
        };
        for event in self.pairs.close(why) {
            self.tell(event).await;
        }
        self.tell(HarnessEvent::State { state, message, code }).await;
    }

    /// Lets a program work until it ends.
    async fn attempt(&mut self, begun: Begun) -> Result<End, Stop> {
        let Begun { mut child, mut guard, launch, inputs } = begun;
        let mut errors = Tail::new();
        let status = self.listen(&mut child, &mut guard, &mut errors, launch, inputs).await;
        self.conversation().input = None;
        guard.kill();
        if status.is_err() {
            let _ = timeout(BURIAL, child.wait()).await;
        }
        Ok(self.reader.end(status?, &errors.text()))
    }

    /// Tells that the earlier conversation is lost to the program, which is told of it instead.
    async fn begin_anew(&mut self, why: &str) {
        let detail = format!("the earlier conversation can't be taken up: {why}; this begins a new one");
        self.stage(RESUMPTION, detail).await;
        self.at_work = true;
    }

    /// Tells of something that is not as it should be.
    async fn stage(&mut self, name: &str, detail: String) {
        let name = name.to_owned();
        self.tell(HarnessEvent::Stage { name, ok: false, duration_ms: 0, detail: Some(detail) }).await;
    }

    /// Reads all that the program tells until it ends. Answers with its exit code.
    async fn listen(
        &mut self,
        child: &mut Child,
        guard: &mut Guard,
        errors: &mut Tail,
        launch: Launch,
        mut inputs: mpsc::UnboundedReceiver<Input>,
    ) -> Result<i32, Stop> {
        let mut stdout = Output::of(child.stdout.take());
        let mut stderr = Output::of(child.stderr.take());
        let mut writer = Some(writer(child.stdin.take(), launch.stdin)).filter(|_| launch.listens);
        let mut lines = Lines::default();
        let mut exit_code = None;
        let mut deadline = Instant::now();
        let cancel = self.cancel.clone();
        let limit = self.max_seconds.map(Duration::from_secs);
        let mut time_up = Instant::now() + limit.unwrap_or_default();
        while exit_code.is_none() || stdout.open() {
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(Stop::Cancelled),
                () = sleep_until(time_up), if limit.is_some() && !self.permits.wait() => return Err(Stop::OverBudget(self.budget.out_of_time())),
                () = sleep_until(deadline), if exit_code.is_some() => break,
                bytes = stderr.read(), if stderr.open() => errors.push(bytes),
                input = inputs.recv(), if writer.is_some() => match (input, &writer) {
                    (Some(input), Some(writer)) => self.pass_on(input, writer),
                    _ => writer = None,
                },
                (permit, waited) = self.permits.next(), if self.permits.wait() => {
                    // Nobody's time but that of the human.
                    time_up += waited;
                    if let (Some(permit), Some(writer)) = (permit, &writer) {
                        let _ = writer.send(self.dialect.word(&permit));
                    }
                }
                bytes = stdout.read(), if stdout.open() => {
                    for line in lines.push(bytes) {
                        if self.line(line, writer.as_ref()).await? {
                            // It ends when it has read to the end.
                            self.conversation().input = None;
                            while let (Ok(input), Some(writer)) = (inputs.try_recv(), &writer) {
                                self.pass_on(input, writer);
                            }
                            writer = None;
                        }
                    }
                }
                status = child.wait(), if exit_code.is_none() => {
                    exit_code = Some(status.as_ref().map_or(-1, code));
                    // Its number may be another's from now on. What it left goes, and with it who holds its output open.
                    if let Some(family) = &mut guard.0 {
                        family.leader = None;
                    }
                    guard.kill();
                    deadline = Instant::now() + LAST_WORDS;
                }
            }
        }
        if let Some(line) = lines.rest() {
            self.line(line, None).await?;
        }
        while stderr.open() && Instant::now() < deadline {
            let Ok(bytes) = timeout(LAST_WORDS / 10, stderr.read()).await else { break };
            errors.push(bytes);
        }
        Ok(exit_code.unwrap_or(-1))
    }

    fn pass_on(&mut self, input: Input, writer: &mpsc::UnboundedSender<String>) {
        let (text, asked) = match input {
            Input::Message(text) => (text, Asked::More),
            Input::Interruption(text) if self.asked == Some(Asked::More) => (text, Asked::More),
            Input::Interruption(text) => (text, Asked::Stop),
        };
        self.asked = Some(asked);
        let _ = writer.send(text);
    }

    /// Tells on what a line means. Answers whether the program may be let go.
    async fn line(
        &mut self,
        line: Line,
        writer: Option<&mpsc::UnboundedSender<String>>,
    ) -> Result<bool, Stop> {
        let Line { text, left_out } = line;
        if left_out > 0 {
            let text = format!("({left_out} bytes of one line of output were left out)");
            self.event(HarnessEvent::Text { text }).await?;
        }
        let mut done = false;
        for told in self.reader.line(&text) {
            self.at_work |= told != Told::Rest;
            match told {
                Told::Session(session_id) => {
                    if self.session(&session_id) {
                        let format = self.dialect.format().to_owned();
                        self.event(HarnessEvent::Session { format, session_id }).await?;
                    }
                }
                Told::Turn => {
                    self.within_budget()?;
                    self.budget.begin_turn();
                }
                Told::Wish(wish) => {
                    if let (Some(permit), Some(writer)) = (self.permits.ask(wish), writer) {
                        let _ = writer.send(self.dialect.word(&permit));
                    }
                }
                Told::Unwished(id) => self.permits.take_back(&id),
                Told::Hopeless(code, message) => return Err(Stop::Hopeless(code, message)),
                Told::Rest => done = self.asked.take() != Some(Asked::Stop),
                Told::Event(event) => {
                    if let HarnessEvent::Usage { usage, .. } = &event {
                        self.budget.count(usage);
                    }
                    self.event(event).await?;
                }
            }
        }
        Ok(done)
    }

    fn within_budget(&self) -> Result<(), Stop> {
        self.budget.exceeded().map_or(Ok(()), |why| Err(Stop::OverBudget(why)))
    }
}

impl Engine {
    fn conversation(&self) -> std::sync::MutexGuard<'_, Conversation> {
        self.conversation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of the conversation's name. Answers whether it is news.
    fn session(&self, session_id: &str) -> bool {
        let mut conversation = self.conversation();
        let news = conversation.session_id.as_deref() != Some(session_id);
        conversation.session_id = Some(session_id.to_owned());
        news
    }

    /// Tells what happened, unless nobody wants to know any more.
    async fn event(&mut self, mut event: HarnessEvent) -> Result<(), Stop> {
        if !self.pairs.pass(&mut event) {
            return Ok(());
        }
        let cancel = self.cancel.clone();
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(Stop::Cancelled),
            () = self.tell(event) => Ok(()),
        }
    }

    async fn tell(&mut self, event: HarnessEvent) {
        // Who does not listen any more has dropped the stream, and this task ends with it.
        let _ = self.events.send(self.redactor.event(event)).await;
    }
}

fn code(status: &ExitStatus) -> i32 {
    status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}
