//! What agents need of humans. A run is blocked while a request of it is open. An answer goes to the agent that asked; if
//! that has left or died before it got the answer, the answer is a follow-up for the next one.

use super::{
    Db, Result, Store, StoreError,
    accounts::{Caller, Workload, principal, short_id},
    args,
    engine::Row,
    executions, followups, id, json, micros,
    runs::{self, require_current},
    timestamp, to_json,
    transitions::{Standing, advance, standing},
};
use oz_core::{
    Error, RunId, RunState, Timestamp,
    api::{AnswerRunRequest, ListRunRequests, NewEntry, RunRequest},
    harness::HarnessEvent,
    request::{Answer, Decision, Request, RequestKind},
    run::{StatusMessage, machine::Cause},
};
use uuid::Uuid;

/// How many requests of a run may be open at once.
const MOST: i64 = 100;
/// How much of a request's title becomes the status of its run, in characters.
const TITLE: usize = 500;
/// The status of a run whose agent ended before it got an answer.
pub(super) const MISSED: &str = "the agent ended before it got the answer; another one goes on with it";

const SELECT: &str =
    "SELECT r.run_id, q.request, q.created_at, q.answer, q.answered_at, u.user_id, u.kind, u.display_name, u.email
     FROM requests q JOIN runs r ON r.run_no = q.run_no LEFT JOIN users u ON u.user_id = q.answered_by";

fn request(row: &Row<'_>) -> Result<RunRequest> {
    Ok(RunRequest {
        run_id: id::<RunId>(row.get(0)?)?,
        request: json(row.get(1)?)?,
        created_at: timestamp(row.get(2)?)?,
        answer: row.get::<Option<&str>>(3)?.map(json).transpose()?,
        answered_at: row.get::<Option<i64>>(4)?.map(timestamp).transpose()?,
        answered_by: match row.get::<Option<&str>>(5)? {
            Some(_) => Some(principal(row, 5)?),
            None => None,
        },
    })
}

fn find(db: &Db<'_>, run_no: i64, request_id: Uuid) -> Result<Option<RunRequest>> {
    let sql = format!("{SELECT} WHERE q.run_no = ?1 AND q.request_id = ?2");
    db.first(&sql, args![run_no, request_id.to_string()], request)
}

fn require(db: &Db<'_>, run_no: i64, request_id: Uuid) -> Result<RunRequest> {
    find(db, run_no, request_id)?.ok_or_else(|| StoreError::Refused(Error::not_found("request", request_id)))
}

fn open(db: &Db<'_>, run_no: i64) -> Result<i64> {
    db.one("SELECT COUNT(*) FROM requests WHERE run_no = ?1 AND closed_at IS NULL", args![run_no], |row| {
        row.get(0)
    })
}

/// Whether a run waits for an answer that somebody could give.
pub(super) fn any_open(db: &Db<'_>, run_no: i64) -> Result<bool> {
    Ok(open(db, run_no)? > 0)
}

/// Closes what is open: the run goes on, or ends, without an answer.
pub(super) fn close(db: &Db<'_>, run_no: i64, now: Timestamp) -> Result<()> {
    db.execute(
        "UPDATE requests SET closed_at = ?2 WHERE run_no = ?1 AND closed_at IS NULL",
        args![run_no, micros(now)],
    )?;
    Ok(())
}

/// Ends the execution of a blocked run: its agent is gone, and the run waits on.
pub(super) fn leave(db: &Db<'_>, from: &Standing, now: Timestamp) -> Result<RunState> {
    db.execute(
        "UPDATE executions SET ended_at = ?2 WHERE execution_id = ?1 AND ended_at IS NULL",
        args![from.execution_id.as_deref(), micros(now)],
    )?;
    db.changed(|c| c.queue = true);
    if !any_open(db, from.run_no)? && hand_on(db, from.run_no, now)? {
        return followups::reopen(db, from.run_no, now);
    }
    Ok(from.state.clone())
}

/// Makes follow-ups of the answers that no agent has got. Says whether there were any.
pub(super) fn hand_on(db: &Db<'_>, run_no: i64, now: Timestamp) -> Result<bool> {
    let missed = db.rows(
        "SELECT request, answer, answered_by, answered_at FROM requests
         WHERE run_no = ?1 AND answer IS NOT NULL AND delivered_at IS NULL ORDER BY answered_at, request_id",
        args![run_no],
        |row| {
            let said = told(&json(row.get(0)?)?, &json(row.get(1)?)?);
            Ok((said, row.get::<Option<String>>(2)?.unwrap_or_default(), row.get::<i64>(3)?))
        },
    )?;
    for (said, by, at) in &missed {
        followups::insert(db, run_no, &short_id(), said, None, false, by, *at)?;
    }
    db.execute(
        "UPDATE requests SET delivered_at = ?2 WHERE run_no = ?1 AND answer IS NOT NULL AND delivered_at IS NULL",
        args![run_no, micros(now)],
    )?;
    Ok(!missed.is_empty())
}

/// Notes which answers an agent says that it has got.
pub(super) fn delivered(db: &Db<'_>, run_no: i64, entries: &[&NewEntry], now: Timestamp) -> Result<()> {
    for entry in entries {
        if let Some(HarnessEvent::Answered { request_id, .. }) = entry.event.known() {
            db.execute(
                "UPDATE requests SET delivered_at = ?3
                 WHERE run_no = ?1 AND request_id = ?2 AND answer IS NOT NULL AND delivered_at IS NULL",
                args![run_no, request_id.to_string(), micros(now)],
            )?;
        }
    }
    Ok(())
}

/// An answer for an agent that has to be reminded of what was asked.
fn told(request: &Request, answer: &Answer) -> String {
    let asked = match request.kind {
        RequestKind::Approval => format!("You asked for leave to do this:\n{}", request.title),
        _ => format!("You asked:\n{}", request.title),
    };
    let text = answer.text.as_deref().unwrap_or_default();
    let decided = match &answer.decision {
        Decision::Approve => "It is approved, this once. Do it now.",
        Decision::ApproveAlways => "It is approved, now and for the rest of the run. Do it now.",
        Decision::Deny => "It is denied. Don't do it; find another way, or end without it.",
        Decision::Answer | Decision::Unknown(_) => "The answer:",
    };
    format!("{asked}\n\n{decided}\n{text}").trim_end().to_owned()
}

/// Which decisions there are depends on what was asked.
fn check(request: &Request, decision: &Decision) -> Result<()> {
    let allowed = match (&request.kind, decision) {
        (_, Decision::Deny) => true,
        (RequestKind::Approval, Decision::Approve | Decision::ApproveAlways) => true,
        (RequestKind::Approval, _) => false,
        (_, Decision::Answer) => true,
        (_, _) => false,
    };
    let wanted = match request.kind {
        RequestKind::Approval => "approve, approve_always or deny, because the agent asks for leave",
        _ => "answer or deny, because the agent asks a question",
    };
    if allowed { Ok(()) } else { Err(Error::invalid_field("decision", decision.as_str(), wanted).into()) }
}

/// A title as the status of a run.
fn status(request: &Request) -> StatusMessage {
    let line = request.title.trim().lines().next().unwrap_or_default();
    let mut text: String = line.chars().take(TITLE).collect();
    if text.len() < request.title.trim().len() {
        text.push('…');
    }
    StatusMessage::info(text)
}

impl Store {
    /// Blocks the caller's run until a human has answered. The same id twice is one request.
    pub(crate) async fn raise_request(
        &self,
        who: Workload,
        request: Request,
        now: Timestamp,
    ) -> Result<RunRequest> {
        self.engine
            .write(move |db| {
                let mut from = require_current(db, who.run_no, who.execution_id)?;
                if let Some(known) = find(db, who.run_no, request.request_id)? {
                    return Ok(known);
                }
                if open(db, who.run_no)? >= MOST {
                    let text = format!("requests: {MOST} wait for an answer already; wait, too");
                    return Err(Error::invalid(text).into());
                }
                // As with any other sign of work, the worker's and the agent's own word may be late or lost.
                if from.state == RunState::Pending {
                    executions::claim(db, &from, now)?;
                    from = standing(db, who.run_no)?;
                }
                if from.state == RunState::Claimed {
                    advance(db, &from, Cause::Start, None, now)?;
                    from = standing(db, who.run_no)?;
                }
                if from.state == RunState::InProgress {
                    advance(db, &from, Cause::Block, Some(&status(&request)), now)?;
                }
                db.execute(
                    "INSERT INTO requests (run_no, request_id, execution_id, request, created_at)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                    args![
                        who.run_no,
                        request.request_id.to_string(),
                        who.execution_id.to_string(),
                        to_json(&request)?,
                        micros(now)
                    ],
                )?;
                require(db, who.run_no, request.request_id)
            })
            .await
    }

    /// A request of the caller's run.
    pub(crate) async fn own_request(&self, who: Workload, request_id: Uuid) -> Result<RunRequest> {
        self.engine.read(move |db| require(db, who.run_no, request_id)).await
    }

    /// The requests of a run, oldest first.
    pub(crate) async fn list_requests(
        &self,
        caller: Caller,
        list: ListRunRequests,
    ) -> Result<Vec<RunRequest>> {
        self.engine
            .read(move |db| {
                let run = runs::find_run(db, &caller, list.run_id)?;
                let only = if list.open == Some(true) { "AND q.closed_at IS NULL" } else { "" };
                let sql = format!("{SELECT} WHERE q.run_no = ?1 {only} ORDER BY q.created_at, q.request_id");
                db.rows(&sql, args![run.run_no], request)
            })
            .await
    }

    /// Answers a request. When nothing is open any more the run goes on: with its agent, or with another one when that
    /// has left.
    pub(crate) async fn answer_request(
        &self,
        caller: Caller,
        given: AnswerRunRequest,
        now: Timestamp,
    ) -> Result<RunRequest> {
        self.engine
            .write(move |db| {
                let Caller::Key(member) = &caller else {
                    return Err(Error::not_found("run", given.run_id).into());
                };
                let run_no = runs::find_run(db, &caller, given.run_id)?.run_no;
                let known = require(db, run_no, given.request_id)?;
                check(&known.request, &given.answer.decision)?;
                let from = standing(db, run_no)?;
                refuse_late(db, &known, &from)?;
                db.execute(
                    "UPDATE requests SET answer = ?3, answered_at = ?4, answered_by = ?5, closed_at = ?4
                     WHERE run_no = ?1 AND request_id = ?2",
                    args![
                        run_no,
                        given.request_id.to_string(),
                        to_json(&given.answer)?,
                        micros(now),
                        &member.principal.uid
                    ],
                )?;
                if !any_open(db, run_no)? {
                    go_on(db, &from, now)?;
                }
                db.changed(|c| c.runs.extend([run_no]));
                require(db, run_no, given.request_id)
            })
            .await
    }
}

/// An answer that comes too late, or can't help any more.
fn refuse_late(db: &Db<'_>, known: &RunRequest, from: &Standing) -> Result<()> {
    if let (Some(answer), Some(at)) = (&known.answer, known.answered_at) {
        let who = known.answered_by.as_ref();
        let who = who.map_or("somebody", |p| p.display_name.as_deref().unwrap_or(&p.uid));
        let decision = &answer.decision;
        return Err(Error::settled(format!("the request was answered by {who} at {at}: {decision}")).into());
    }
    if from.state != RunState::Blocked {
        let state = &from.state;
        return Err(Error::settled(format!("the run is {state} and does not wait for an answer")).into());
    }
    if from.agent_left && runs::is_local(db, from.run_no)? {
        let text =
            "run: its agent worked on its creator's own machine and has ended; nobody would get the answer";
        return Err(Error::unsupported(text).into());
    }
    Ok(())
}

/// Everything is answered.
fn go_on(db: &Db<'_>, from: &Standing, now: Timestamp) -> Result<()> {
    if !from.agent_left {
        advance(db, from, Cause::Unblock, None, now)?;
        return Ok(());
    }
    hand_on(db, from.run_no, now)?;
    followups::reopen(db, from.run_no, now)?;
    Ok(())
}
