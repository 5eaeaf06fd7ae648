//! A day of a schedule that fires every minute, on two servers with clocks of their own.

use super::{at, cron, history, nudge};
use futures_util::{StreamExt as _, future::join, stream};
use oz_client::Client;
use oz_core::{
    RunId, Timestamp,
    api::{CancelRun, ListRuns, Schedule, TickOutcome},
    run::RunSource,
};
use oz_tests::{
    World,
    processes::kill_9,
    world::{KEY, Options},
};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};
use tokio::time::sleep;

const MINUTES: u64 = 24 * 60;

/// The day's accidents. What happens is the same on every run; how far the servers are when it does is not.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// One of the two servers.
struct Server {
    name: &'static str,
    client: Client,
    pid: i32,
    /// Something to change on it without a consequence.
    other: Schedule,
    /// The minute in which it comes back, when it was killed.
    back: Option<u64>,
}

impl Server {
    async fn nudge(&self) {
        if self.back.is_none() {
            let _ = nudge(&self.client, &self.other).await;
        }
    }
}

fn client(port: u16) -> Client {
    Client::new(&format!("http://127.0.0.1:{port}"), Some(KEY.to_owned())).unwrap()
}

fn minute(minute: u64) -> Timestamp {
    at("00:00:00") + Duration::from_secs(60 * minute)
}

struct Day {
    world: World,
    servers: [Server; 2],
    schedule: Schedule,
    dice: Dice,
}

impl Day {
    async fn begin() -> Self {
        let mut world = World::start(Options {
            embedded_worker: false,
            postgres: true,
            clock: Some("2026-05-03T23:59:30Z".parse().unwrap()),
            ..Options::default()
        });
        let (_, port) = world.start_replica();
        let schedule = world.client().send(&cron("* * * * *")).await.unwrap();
        assert_eq!(schedule.history.next_run, Some(minute(0)));
        let other = world.client().send(&cron("0 0 1 1 *")).await.unwrap();
        let server = |name, client, pid| Server { name, client, pid, other: other.clone(), back: None };
        let servers = [
            server("server", world.client(), world.server_pid()),
            server("replica0", client(port), world.replica_pid(0)),
        ];
        Self { world, servers, schedule, dice: Dice(0x5eed_0f0a_11da_7735) }
    }

    fn alive(&self) -> impl Iterator<Item = &Server> {
        self.servers.iter().filter(|server| server.back.is_none())
    }

    /// Lets a minute come, and waits until its run is there. Returns the run.
    async fn minute(&mut self, number: u64) -> RunId {
        self.bring_back(number);
        let accident = self.dice.below(100) == 0 && self.alive().count() == 2;
        for i in 0..2 {
            // A clock may run ahead, or behind so far that its server does not see the minute yet.
            let late = if accident || self.alive().count() < 2 { 0 } else { self.dice.below(2) * i * 8 };
            let time = minute(number) + Duration::from_secs(self.dice.below(5)) - Duration::from_secs(late);
            self.world.set_clock(self.servers[usize::from(i > 0)].name, time);
        }
        if accident {
            let victim = usize::try_from(self.dice.below(2)).unwrap();
            let delay = Duration::from_micros(self.dice.below(25_000));
            let pid = self.servers[victim].pid;
            let kill = async {
                sleep(delay).await;
                kill_9(pid);
            };
            join(join(self.servers[0].nudge(), self.servers[1].nudge()), kill).await;
            self.servers[victim].back = Some(number + 1 + self.dice.below(12));
        } else {
            join(self.servers[0].nudge(), self.servers[1].nudge()).await;
        }
        self.fired(number).await
    }

    /// Starts what was killed and is to come back in this minute.
    fn bring_back(&mut self, number: u64) {
        for i in 0..2 {
            if self.servers[i].back.is_none_or(|back| back > number) {
                continue;
            }
            self.world.set_clock(self.servers[i].name, minute(number));
            if i == 0 {
                self.world.kill_server();
                self.world.start_server();
                self.servers[i].pid = self.world.server_pid();
            } else {
                self.world.kill_replica(0);
                self.servers[i].client = client(self.world.restart_replica(0));
                self.servers[i].pid = self.world.replica_pid(0);
            }
            self.servers[i].back = None;
        }
    }

    async fn fired(&self, number: u64) -> RunId {
        let deadline = Instant::now() + Duration::from_secs(30);
        let client = &self.alive().next().unwrap().client;
        loop {
            let tick = history(client, &self.schedule, 1).await.pop();
            if let Some(tick) = tick.filter(|tick| tick.scheduled_for == minute(number)) {
                assert_eq!((tick.outcome, tick.by_hand, tick.detail), (TickOutcome::Started, false, None));
                return tick.run_id.unwrap();
            }
            assert!(
                Instant::now() < deadline,
                "minute {number} does not fire\n{}",
                self.world.read_log("server")
            );
            sleep(Duration::from_millis(2)).await;
        }
    }

    /// The clocks are set back by half an hour, and for five minutes nobody notices.
    async fn set_back(&self, number: u64) {
        let newest = history(&self.world.client(), &self.schedule, 1).await;
        for wrong in number - 30..number - 25 {
            for server in &self.servers {
                self.world.set_clock(server.name, minute(wrong));
            }
            join(self.servers[0].nudge(), self.servers[1].nudge()).await;
            // Time enough to fire, if it were to.
            sleep(Duration::from_millis(200)).await;
        }
        assert_eq!(history(&self.world.client(), &self.schedule, 1).await, newest);
    }

    /// All runs of the schedule.
    async fn runs(&self) -> Vec<RunId> {
        let client = self.world.client();
        let mut runs = Vec::new();
        let mut query = ListRuns {
            schedule_id: Some(self.schedule.id.clone()),
            source: Some(RunSource::ScheduledAgent),
            limit: Some(500),
            ..ListRuns::default()
        };
        loop {
            let page = client.send(&query).await.unwrap();
            runs.extend(page.runs.iter().map(|run| run.run_id));
            query.cursor = page.page_info.next_cursor;
            if query.cursor.is_none() {
                return runs;
            }
        }
    }

    /// Nobody was there to work on the runs; a world must not end with any that wait.
    async fn cancel(&self, runs: Vec<RunId>) {
        let client = self.world.client();
        let cancel = |run_id| {
            let client = client.clone();
            async move { client.send(&CancelRun { run_id, force: None }).await.map(drop) }
        };
        let ended: Vec<_> = stream::iter(runs).map(cancel).buffer_unordered(16).collect().await;
        ended.into_iter().collect::<Result<(), _>>().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn makes_each_minutes_run_once_whichever_server_dies() {
    let mut day = Day::begin().await;
    let (mut fired, mut deaths) = (BTreeSet::new(), 0);
    for number in 0..MINUTES {
        if number == 700 {
            (0..2).for_each(|i| day.servers[i].back = day.servers[i].back.map(|_| 0));
            day.bring_back(number);
            day.set_back(number).await;
        }
        let alive = day.alive().count();
        assert!(fired.insert(day.minute(number).await), "minute {number} has the run of another");
        deaths += alive.saturating_sub(day.alive().count());
    }
    assert!(deaths >= 8, "only {deaths} servers died");
    day.bring_back(u64::MAX);
    let runs = day.runs().await;
    assert_eq!((runs.len(), fired.len()), (1440, 1440));
    assert_eq!(runs.iter().copied().collect::<BTreeSet<_>>(), fired, "every run is that of a minute");
    let failures =
        day.world.database().select("SELECT scheduled_for FROM schedule_ticks WHERE outcome <> 'started'");
    assert!(failures.is_empty(), "{failures:?}");
    day.cancel(runs).await;
}
