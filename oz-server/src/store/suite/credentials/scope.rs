//! Which secrets a run gets, as a table: what starts it, whose the secrets are, and the lists that narrow them.

use super::{
    super::{Bed, team},
    by, child, list,
};
use crate::{
    auth,
    ctx::now,
    store::{
        accounts::{Caller, Member, Workload},
        objects::Kind,
        runs::NewRun,
    },
};
use oz_core::{ExecutionId, config::AgentConfig, run::RunSource};

/// Alice's runs, in a team with TEAM, TWO and BOTH, where Alice has OWN and BOTH and Bob has OTHER. `-` is an empty
/// list, `.` no list at all or nothing, `gone:` the list of an environment that was deleted; BOTH' is Alice's own.
const TABLE: &str = "
    started by    environment       run              agent  |  gets                    misses
    api           .                 .                .      |  TEAM,TWO,OWN,BOTH'      .
    local         .                 .                .      |  TEAM,TWO,OWN,BOTH'      .
    schedule      .                 .                .      |  TEAM,TWO,BOTH           .
    agent         .                 .                .      |  TEAM,TWO,BOTH           .

    api           TEAM,OWN,OTHER    .                .      |  TEAM,OWN                OTHER
    local         TEAM,OWN,OTHER    .                .      |  TEAM,OWN                OTHER
    schedule      TEAM,OWN,OTHER    .                .      |  TEAM                    OTHER,OWN
    agent         TEAM,OWN,OTHER    .                .      |  TEAM                    OTHER,OWN

    api           .                 BOTH,OWN,OTHER   .      |  OWN,BOTH'               OTHER
    local         .                 BOTH,OWN,OTHER   .      |  OWN,BOTH'               OTHER
    schedule      .                 BOTH,OWN,OTHER   .      |  BOTH                    OTHER,OWN
    agent         .                 BOTH,OWN,OTHER   .      |  BOTH                    OTHER,OWN

    api           .                 -                .      |  .                       .
    local         .                 -                .      |  .                       .
    schedule      .                 -                .      |  .                       .
    agent         .                 -                .      |  .                       .

    api           TEAM              .                TWO,X  |  TEAM,TWO                X
    local         TEAM              .                .      |  TEAM                    .
    schedule      TEAM              .                OWN    |  TEAM                    OWN
    agent         TEAM              .                TWO    |  TEAM,TWO                .
    api           TEAM              .                OWN    |  TEAM,OWN                .

    api           -                 .                .      |  .                       .
    api           -                 .                TWO    |  TWO                     .
    api           -                 OWN              TWO    |  OWN                     .
    api           TEAM              -                TWO    |  .                       .
    api           .                 .                X      |  TEAM,TWO,OWN,BOTH'      X
    agent         .                 .                OWN    |  TEAM,TWO,BOTH           OWN
    api           gone:TEAM         .                .      |  .                       .
    api           gone:TEAM         .                TWO    |  TWO                     .
    api           gone:TEAM         OWN              .      |  OWN                     .

    for-alice     .                 .                .      |  TEAM,TWO,OWN,BOTH'      .
    child-of-api  .                 .                .      |  TEAM,TWO,OWN,BOTH'      .
    child-of-plan .                 .                .      |  TEAM,TWO,BOTH           .
    asked-by-her  .                 .                .      |  TEAM,TWO,OWN,BOTH'      .
    asked-by-bob  .                 .                .      |  TEAM,TWO,BOTH           .
    asked-by-run  .                 .                .      |  TEAM,TWO,OWN,BOTH'      .
    child-of-bobs .                 .                .      |  TEAM,TWO,BOTH           .
    without-alice .                 OWN,TEAM         .      |  TEAM                    OWN
";

/// Begins the run of one row of the table.
async fn row(bed: &Bed, bob: &Member, started: &str, config: AgentConfig, agent: Option<String>) -> Workload {
    let alice = bed.member.clone();
    let plain = NewRun { config: config.clone(), agent_uid: agent.clone(), ..by(&alice) };
    match started {
        "api" => bed.begin(plain).await,
        "local" => {
            let local = Some((ExecutionId::mint(now()), auth::random_hex()));
            bed.begin(NewRun { local, source: RunSource::Local, ..plain }).await
        }
        "schedule" => bed.scheduled(config, agent).await,
        "agent" | "for-alice" => {
            let uid = match agent {
                Some(uid) => uid,
                None => bed.agent_with(None).await,
            };
            let key = team::agent(bed, &uid).await;
            let on_behalf_of = (started == "for-alice").then(|| alice.principal.uid.clone());
            bed.begin(NewRun { config, on_behalf_of, ..by(&key) }).await
        }
        "child-of-api" => {
            let parent = bed.begin(by(&alice)).await;
            bed.begin(child(&parent, &alice, config)).await
        }
        "child-of-plan" => {
            let parent = bed.scheduled(AgentConfig::default(), None).await;
            bed.begin(child(&parent, &alice, config)).await
        }
        "child-of-bobs" => {
            let parent = bed.begin(by(&alice)).await;
            let parent = bed.asked(parent, &Caller::Key(bob.clone())).await;
            bed.begin(child(&parent, &alice, config)).await
        }
        "asked-by-her" => {
            let who = bed.begin(plain).await;
            bed.asked(who, &bed.caller()).await
        }
        "asked-by-bob" => {
            let who = bed.begin(plain).await;
            bed.asked(who, &Caller::Key(bob.clone())).await
        }
        "asked-by-run" => {
            let parent = bed.begin(by(&alice)).await;
            let who = bed.begin(child(&parent, &alice, config)).await;
            let who = bed.asked(who.clone(), &Caller::Run(parent)).await;
            bed.asked(who.clone(), &Caller::Run(who)).await
        }
        "without-alice" => {
            let admin = team::join(bed, &format!("{}@example.com", auth::random_hex())).await;
            bed.secret(&admin, true, "OWN", "admin").await;
            let who = bed.begin(NewRun { config, ..by(&admin) }).await;
            bed.store.remove_person(&bed.member, admin.principal.uid).await.unwrap();
            who
        }
        other => panic!("nothing starts by {other}"),
    }
}

on_both! {
    async fn a_run_gets_what_its_start_its_lists_and_their_owners_allow(bed: Bed) {
        let bob = team::join(&bed, "bob@example.com").await;
        for name in ["TEAM", "TWO", "BOTH"] {
            bed.secret(&bed.member, false, name, "team").await;
        }
        for name in ["OWN", "BOTH"] {
            bed.secret(&bed.member, true, name, "alice").await;
        }
        bed.secret(&bob, true, "OTHER", "bob").await;
        let mut rows = 0;
        for line in TABLE.lines().filter(|line| line.contains('|')).skip(1) {
            let words: Vec<&str> = line.split_whitespace().filter(|word| *word != "|").collect();
            let [started, environment, run, agent, gets, misses] = words[..] else { panic!("{line}") };
            let (deleted, environment) = match environment.split_once(':') {
                Some((_, names)) => (true, list(names)),
                None => (false, list(environment)),
            };
            let environment_id = match environment {
                None => None,
                environment => Some(bed.environment(environment).await),
            };
            let agent = match list(agent) {
                None => None,
                secrets => Some(bed.agent_with(secrets).await),
            };
            let config =
                AgentConfig { secrets: list(run), environment_id: environment_id.clone(), ..AgentConfig::default() };
            let who = Box::pin(row(&bed, &bob, started, config, agent)).await;
            if let Some(uid) = environment_id.filter(|_| deleted) {
                bed.store.delete_object(Kind::Environment, bed.member.clone(), uid).await.unwrap();
            }
            let given = bed.given(&who).await;
            let mut got = Vec::new();
            for secret in &given.secrets {
                let value = bed.value(secret).await;
                assert_eq!(value, if secret.owner_uid == bed.member.team_id.0 { "team" } else { "alice" }, "{line}");
                let mark = if secret.name == "BOTH" && value == "alice" { "'" } else { "" };
                got.push(format!("{}{mark}", secret.name));
            }
            let mut expected: Vec<&str> = gets.split(',').filter(|name| *name != ".").collect();
            expected.sort_unstable();
            assert_eq!(got, expected, "{line}");
            let missing: Vec<&str> = given.missing.iter().map(String::as_str).collect();
            let expected: Vec<&str> = misses.split(',').filter(|name| *name != ".").collect();
            assert_eq!(missing, expected, "{line}");
            let shown = bed.store.get_run(who.run_no).await.unwrap().secrets.unwrap();
            assert_eq!((shown.given.len(), shown.missing.len()), (got.len(), missing.len()), "{line}");
            rows += 1;
        }
        assert_eq!(rows, 38);
    }
}
