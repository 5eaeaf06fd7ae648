//! How much runs may cost: the limits of a team and of a run, and what happens when one is reached.

use super::{
    Db, Result, Store, args, id,
    money::{self, Money},
    transitions::{Standing, advance},
};
use oz_core::{
    Error, ErrorCode, RunState, Timestamp,
    api::{Budget, UpdateBudget},
    config::Limits,
    run::{StatusMessage, machine::Cause},
};

/// The limits of a team, and what counts against them.
struct Standards {
    monthly: Option<Money>,
    per_run: Option<Money>,
    spent: Money,
    month: i64,
}

fn standards(db: &Db<'_>, team_id: &str, now: Timestamp) -> Result<Standards> {
    let month = money::month(now);
    db.one(
        "SELECT t.monthly_limit, t.run_limit, COALESCE(s.cost, 0)
         FROM teams t LEFT JOIN spending s ON s.team_id = t.team_id AND s.month = ?2 WHERE t.team_id = ?1",
        args![team_id, month],
        |row| {
            Ok(Standards {
                monthly: row.get::<Option<i64>>(0)?.map(Money),
                per_run: row.get::<Option<i64>>(1)?.map(Money),
                spent: Money(row.get(2)?),
                month,
            })
        },
    )
}

impl Standards {
    /// Why no run of the team may use anything more, if so.
    fn exhausted(&self) -> Option<Error> {
        let limit = self.monthly.filter(|limit| self.spent >= *limit)?;
        let text = format!(
            "the team has reached its monthly limit of {limit}: its runs have cost {} since {}; raise it with \
             `oz budget set --monthly USD`, or wait until {} (UTC)",
            self.spent,
            money::date(self.month),
            money::date(money::next_month(self.month)),
        );
        Some(Error::new(ErrorCode::InsufficientCredits, text))
    }
}

/// Lets a new run of a team in. Returns the most that it may cost, which it finds in its `limits` too, so that its agent
/// stops by itself.
pub(super) fn admit(
    db: &Db<'_>,
    team_id: &str,
    limits: &mut Option<Limits>,
    now: Timestamp,
) -> Result<Option<Money>> {
    let standards = standards(db, team_id, now)?;
    if let Some(error) = standards.exhausted() {
        return Err(error.into());
    }
    let own = limits.as_ref().and_then(|l| l.max_cost_usd).map(Money::of);
    let Some(per_run) = standards.per_run else { return Ok(own) };
    if per_run == Money(0) {
        let text = "the team's limit for a run is $0.00, so that none may start; raise it with \
                    `oz budget set --per-run USD`";
        return Err(Error::new(ErrorCode::BudgetExceeded, text).into());
    }
    if let Some(own) = own.filter(|own| *own <= per_run) {
        return Ok(Some(own));
    }
    limits.get_or_insert_default().max_cost_usd = Some(per_run.usd());
    Ok(Some(per_run))
}

/// Remembers the most that a run may cost.
pub(super) fn limit(db: &Db<'_>, run_no: i64, limit: Option<Money>) -> Result<()> {
    if let Some(limit) = limit {
        db.execute("UPDATE runs SET cost_limit = ?2 WHERE run_no = ?1", args![run_no, limit.0])?;
    }
    Ok(())
}

/// Why a run may use nothing more, if so.
fn reached(db: &Db<'_>, run_no: i64, now: Timestamp) -> Result<Option<Error>> {
    let (team_id, own) =
        db.one("SELECT team_id, cost_limit FROM runs WHERE run_no = ?1", args![run_no], |row| {
            Ok((row.get::<String>(0)?, row.get::<Option<i64>>(1)?.map(Money)))
        })?;
    let standards = standards(db, &team_id, now)?;
    let limit = match (own, standards.per_run) {
        (Some(own), Some(per_run)) => Some(own.min(per_run)),
        (own, per_run) => own.or(per_run),
    };
    if let Some(limit) = limit {
        let cost = db.one(
            "SELECT CAST(COALESCE(SUM(cost), 0) AS BIGINT) FROM run_usage WHERE run_no = ?1",
            args![run_no],
            |row| Ok(Money(row.get(0)?)),
        )?;
        if cost >= limit {
            let text = format!(
                "the run has reached its limit of {limit}: it has cost {cost}; start it with a higher \
                 `--max-cost`, or raise the team's limit with `oz budget set --per-run USD`"
            );
            return Ok(Some(Error::new(ErrorCode::BudgetExceeded, text)));
        }
    }
    Ok(standards.exhausted())
}

/// Ends a run that has reached a limit, and tells its worker to stop it. Returns the run's new state if so.
pub(super) fn enforce(db: &Db<'_>, run: &Standing, now: Timestamp) -> Result<Option<RunState>> {
    let Some(error) = reached(db, run.run_no, now)? else { return Ok(None) };
    // Its follow-ups would only reach the limit again.
    let mut run = run.clone();
    run.has_more = false;
    let status = StatusMessage::error(error.code, error.detail);
    let state = advance(db, &run, Cause::Fail, Some(&status), now)?;
    if run.state != RunState::Queued
        && let Some(execution) = run.execution_id.as_deref()
    {
        let execution = id(execution)?;
        db.changed(|c| c.stop.push((run.run_id, execution)));
    }
    Ok(Some(state))
}

impl Store {
    /// The budget of a team.
    pub(crate) async fn budget(&self, team_id: String, now: Timestamp) -> Result<Budget> {
        self.engine.read(move |db| budget(db, &team_id, now)).await
    }

    /// Replaces the budget of a team.
    pub(crate) async fn set_budget(
        &self,
        team_id: String,
        change: UpdateBudget,
        now: Timestamp,
    ) -> Result<Budget> {
        let UpdateBudget { monthly_limit_usd, run_limit_usd } = change;
        self.engine
            .write(move |db| {
                db.execute(
                    "UPDATE teams SET monthly_limit = ?2, run_limit = ?3 WHERE team_id = ?1",
                    args![
                        &team_id,
                        monthly_limit_usd.map(|usd| Money::of(usd).0),
                        run_limit_usd.map(|usd| Money::of(usd).0)
                    ],
                )?;
                budget(db, &team_id, now)
            })
            .await
    }
}

fn budget(db: &Db<'_>, team_id: &str, now: Timestamp) -> Result<Budget> {
    let standards = standards(db, team_id, now)?;
    Ok(Budget {
        monthly_limit_usd: standards.monthly.map(Money::usd),
        run_limit_usd: standards.per_run.map(Money::usd),
        spent_this_month_usd: standards.spent.usd(),
        month_began_at: money::beginning(standards.month),
    })
}
