//! The cases for workers.

use super::subject::{ID, KEY, Scene};
use crate::conformance::{Check, SOON, ensure, fake_plane::Offer};
use futures_util::future::BoxFuture;
use oz_core::worker::SOCKET_PATH;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

type Case = for<'a> fn(&'a mut Scene) -> BoxFuture<'a, Check>;

macro_rules! cases {
    ($($name:ident)+) => {
        vec![$((stringify!($name), (|scene| Box::pin($name(scene))) as Case)),+]
    };
}

pub(super) fn all() -> Vec<(&'static str, Case)> {
    cases! {
        it_dials_with_its_id_and_key
        it_dials_again_when_it_is_refused
        a_run_is_claimed_first_and_ends_once
        a_run_that_is_assigned_again_runs_once
        a_cancelled_run_ends_with_all_its_processes
        what_is_not_there_can_be_cancelled
        who_is_full_says_so
        what_is_not_understood_is_ignored
        a_run_goes_on_while_the_line_is_down
        an_end_that_nobody_read_is_told_again
        a_new_execution_takes_the_place_of_the_old_one
        pings_are_answered
        who_is_asked_to_end_gives_its_runs_back
    }
}

async fn it_dials_with_its_id_and_key(scene: &mut Scene) -> Check {
    let line = scene.accept().await?;
    let expected = format!("{SOCKET_PATH}?worker_id={ID}");
    ensure!(line.dialled.target == expected, "{} in place of {expected}", line.dialled.target);
    ensure!(line.dialled.authorization == format!("Bearer {KEY}"), "another key");
    Ok(())
}

async fn it_dials_again_when_it_is_refused(scene: &mut Scene) -> Check {
    scene.plane.refuse("503 Service Unavailable").await?;
    scene.plane.refuse("401 Unauthorized").await?;
    scene.accept().await.map(drop)
}

async fn a_run_is_claimed_first_and_ends_once(scene: &mut Scene) -> Check {
    let (mut line, offer) = (scene.accept().await?, Offer::new());
    let pid = scene.begun(&mut line, &offer).await?;
    line.silence().await?;
    scene.fail(&offer)?;
    let end = line.expect("task_failed", &offer).await?;
    ensure!(
        end["data"]["failure_reason"] == "setup_command",
        "the reason is {}",
        end["data"]["failure_reason"]
    );
    ensure!(end["data"]["message"].as_str().is_some_and(|message| !message.is_empty()), "no message: {end}");
    scene.gone(pid).await?;
    line.silence().await
}

async fn a_run_that_is_assigned_again_runs_once(scene: &mut Scene) -> Check {
    let (mut line, offer) = (scene.accept().await?, Offer::new());
    scene.begun(&mut line, &offer).await?;
    line.send(&offer.frame()).await?;
    line.send(&offer.frame()).await?;
    for _ in 0..2 {
        // Whether it claims again or says nothing does not matter.
        if line.silence().await.is_ok() {
            break;
        }
    }
    scene.fail(&offer)?;
    while line.frame().await?["type"] != "task_failed" {}
    line.send(&offer.frame()).await?;
    line.silence().await?;
    let begun = scene.processes(&offer).len();
    ensure!(begun == 1, "it ran {begun} times");
    Ok(())
}

async fn a_cancelled_run_ends_with_all_its_processes(scene: &mut Scene) -> Check {
    let (mut line, offer) = (scene.accept().await?, Offer::new());
    let pid = scene.begun(&mut line, &offer).await?;
    let cancel = json!({ "type": "task_cancellation", "data": { "task_id": offer.task_id } });
    line.send(&cancel).await?;
    line.send(&cancel).await?;
    let end = line.expect("task_completed", &offer).await?;
    ensure!(end["data"]["task_state"] == "CANCELLED", "it ended so: {end}");
    scene.gone(pid).await?;
    line.silence().await
}

async fn what_is_not_there_can_be_cancelled(scene: &mut Scene) -> Check {
    let (mut line, offer) = (scene.accept().await?, Offer::new());
    line.send(&json!({ "type": "task_cancellation", "data": { "task_id": Offer::new().task_id } })).await?;
    line.silence().await?;
    scene.begun(&mut line, &offer).await?;
    scene.fail(&offer)?;
    line.expect("task_failed", &offer).await?;
    line.send(&json!({ "type": "task_cancellation", "data": { "task_id": offer.task_id } })).await?;
    line.silence().await
}

async fn who_is_full_says_so(scene: &mut Scene) -> Check {
    let (mut line, one, two) = (scene.accept().await?, Offer::new(), Offer::new());
    scene.begun(&mut line, &one).await?;
    line.send(&two.frame()).await?;
    let rejected = line.expect("task_rejected", &two).await?;
    ensure!(rejected["data"]["reason"].as_str().is_some_and(|why| !why.is_empty()), "no reason: {rejected}");
    scene.fail(&one)?;
    line.expect("task_failed", &one).await?;
    let three = two.again();
    scene.begun(&mut line, &three).await?;
    scene.fail(&three)?;
    line.expect("task_failed", &three).await.map(drop)
}

async fn what_is_not_understood_is_ignored(scene: &mut Scene) -> Check {
    let (mut line, offer) = (scene.accept().await?, Offer::new());
    let mut no_task = offer.frame();
    no_task["data"]["task"] = json!(null);
    for frame in [
        no_task,
        json!({ "type": "heartbeat", "data": {} }),
        json!({ "type": "task_assignment" }),
        json!({ "type": "task_assignment", "data": { "task_id": 7 } }),
        json!([]),
        json!(null),
    ] {
        line.send(&frame).await?;
    }
    line.send_raw(Message::text("{")).await?;
    line.send_raw(Message::binary(vec![0_u8, 159, 146, 150])).await?;
    line.silence().await?;
    scene.begun(&mut line, &offer).await?;
    scene.fail(&offer)?;
    line.expect("task_failed", &offer).await.map(drop)
}

async fn a_run_goes_on_while_the_line_is_down(scene: &mut Scene) -> Check {
    let (mut line, offer) = (scene.accept().await?, Offer::new());
    let pid = scene.begun(&mut line, &offer).await?;
    for _ in 0..2 {
        drop(line);
        line = scene.accept().await?;
        line.silence().await?;
    }
    ensure!(scene.process(&offer, 1).await? == pid, "it began again");
    scene.fail(&offer)?;
    line.expect("task_failed", &offer).await?;
    line.silence().await
}

async fn an_end_that_nobody_read_is_told_again(scene: &mut Scene) -> Check {
    let (mut line, offer) = (scene.accept().await?, Offer::new());
    let pid = scene.begun(&mut line, &offer).await?;
    scene.fail(&offer)?;
    // It speaks into a line that nobody reads any more.
    scene.gone(pid).await?;
    tokio::time::sleep(super::super::QUIET).await;
    drop(line);
    let mut line = scene.accept().await?;
    line.expect("task_failed", &offer).await.map(drop)
}

async fn a_new_execution_takes_the_place_of_the_old_one(scene: &mut Scene) -> Check {
    let (mut line, old) = (scene.accept().await?, Offer::new());
    let pid = scene.begun(&mut line, &old).await?;
    let new = old.again();
    line.send(&new.frame()).await?;
    scene.gone(pid).await?;
    // A worker with room for one run may say first that the old one has ended, or that it is full until then.
    let mut claimed = false;
    while !claimed {
        let frame = line.frame().await?;
        let of_new = frame["data"]["execution_id"] == new.execution_id.as_str();
        match frame["type"].as_str() {
            Some("task_claimed") if of_new => claimed = true,
            Some("task_rejected") if of_new => line.send(&new.frame()).await?,
            _ => ensure!(!of_new, "the new one ends with the old one: {frame}"),
        }
    }
    scene.process(&new, 2).await?;
    scene.fail(&new)?;
    loop {
        let frame = line.frame().await?;
        if frame["type"] == "task_failed" && frame["data"]["execution_id"] == new.execution_id.as_str() {
            return Ok(());
        }
    }
}

async fn pings_are_answered(scene: &mut Scene) -> Check {
    let mut line = scene.accept().await?;
    line.send_raw(Message::Ping("are you there".into())).await?;
    loop {
        if let Message::Pong(payload) = line.message(SOON).await? {
            ensure!(payload.as_ref() == b"are you there", "another pong: {payload:?}");
            return Ok(());
        }
    }
}

async fn who_is_asked_to_end_gives_its_runs_back(scene: &mut Scene) -> Check {
    let (mut line, offer) = (scene.accept().await?, Offer::new());
    let pid = scene.begun(&mut line, &offer).await?;
    scene.terminate()?;
    let end = line.expect("task_failed", &offer).await?;
    ensure!(
        end["data"]["failure_reason"] == "graceful_shutdown",
        "the reason is {}",
        end["data"]["failure_reason"]
    );
    scene.gone(pid).await?;
    loop {
        match line.message(SOON).await {
            Ok(Message::Close(frame)) => {
                let code = frame.map(|frame| u16::from(frame.code));
                ensure!(code == Some(1000), "it closes with {code:?}");
                return Ok(());
            }
            Ok(_) => {}
            Err(e) => return Err(format!("it does not close: {e}")),
        }
    }
}
