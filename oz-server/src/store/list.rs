//! Lists of runs: filters, sorts and cursors. Pages are found by key, never by counting, so a late page costs what the
//! first one costs.

use super::{Result, Store, StoreError, accounts::Caller, micros, runs};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oz_core::{
    Error, Run, RunId,
    api::{ListRuns, PageInfo, RunPage, RunSort, SortOrder},
};
use rusqlite::{ToSql, types::Value};
use serde::{Deserialize, Serialize};

/// Where a page ended. It belongs to one sort.
#[derive(Serialize, Deserialize)]
struct Cursor {
    sort: String,
    order: String,
    key: Key,
    run_id: RunId,
}

#[derive(Serialize, Deserialize)]
enum Key {
    Time(i64),
    Text(Option<String>),
}

struct Conditions {
    sql: Vec<String>,
    values: Vec<Value>,
}

impl Conditions {
    fn value(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("?{}", self.values.len())
    }
    fn equals(&mut self, column: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            let place = self.value(value);
            self.sql.push(format!("{column} = {place}"));
        }
    }
}

impl Store {
    /// A page of the runs that `caller` may see.
    pub(crate) async fn list_runs(&self, caller: Caller, query: ListRuns) -> Result<RunPage> {
        self.engine.read(move |db| page(db, &caller, &query)).await
    }
}

fn page(db: &rusqlite::Connection, caller: &Caller, query: &ListRuns) -> Result<RunPage> {
    let sort = query.sort_by.clone().unwrap_or(RunSort::UpdatedAt);
    let order = query.sort_order.clone().unwrap_or(SortOrder::Desc);
    let limit = query.limit.unwrap_or(20);
    let mut conditions = filters(caller, query);
    if let Some(text) = &query.cursor {
        after(&mut conditions, &cursor(text, &sort, &order)?, &sort, &order);
    }
    let direction = if order == SortOrder::Asc { "ASC" } else { "DESC" };
    let by = match sort {
        RunSort::CreatedAt => format!("r.created_at {direction}, r.run_no {direction}"),
        RunSort::Title => format!("r.title {direction}, r.run_no {direction}"),
        RunSort::Agent => format!("r.skill_spec IS NULL, r.skill_spec {direction}, r.run_no {direction}"),
        RunSort::UpdatedAt | RunSort::Unknown(_) => format!("r.updated_at {direction}, r.run_no {direction}"),
    };
    let place = conditions.value(limit + 1);
    let tail = format!("WHERE {} ORDER BY {by} LIMIT {place}", conditions.sql.join(" AND "));
    let values: Vec<&dyn ToSql> = conditions.values.iter().map(|v| v as &dyn ToSql).collect();
    let mut runs = runs::load(db, &tail, &values)?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_next_page = runs.len() > wanted;
    runs.truncate(wanted);
    let next_cursor = runs.last().filter(|_| has_next_page).map(|last| encode(last, &sort, &order));
    Ok(RunPage { runs, page_info: PageInfo { has_next_page, next_cursor } })
}

fn filters(caller: &Caller, query: &ListRuns) -> Conditions {
    let (allowed, a, b) = runs::visible(caller);
    // `visible` numbers its parameters from 2, because a look-up by id has another one before them.
    let values = vec![Value::Null, a.into(), b.into()];
    let mut c = Conditions { sql: vec![allowed.to_owned(), "?1 IS NULL".to_owned()], values };
    if !query.state.is_empty() {
        let places: Vec<String> = query.state.iter().map(|s| c.value(s.as_str().to_owned())).collect();
        c.sql.push(format!("r.state IN ({})", places.join(", ")));
    }
    c.equals("r.name", query.name.clone());
    c.equals("r.model_id", query.model_id.clone());
    c.equals("r.creator_id", query.creator.clone());
    c.equals("r.executor_id", query.executor.clone());
    c.equals("r.source", query.source.as_ref().map(|s| s.as_str().to_owned()));
    c.equals("r.location", query.execution_location.as_ref().map(|s| s.as_str().to_owned()));
    c.equals("r.skill_spec", query.skill_spec.clone());
    c.equals("r.schedule_id", query.schedule_id.clone());
    c.equals("r.automation_id", query.automation_id.clone());
    match query.environment_id.as_deref() {
        Some("empty-environment") => c.sql.push("r.environment_id IS NULL".to_owned()),
        other => c.equals("r.environment_id", other.map(str::to_owned)),
    }
    for (time, condition) in [
        (query.created_after, "r.created_at >= "),
        (query.created_before, "r.created_at < "),
        (query.updated_after, "r.updated_at >= "),
    ] {
        if let Some(time) = time {
            let place = c.value(micros(time));
            c.sql.push(format!("{condition}{place}"));
        }
    }
    if let Some(ancestor) = query.ancestor_run_id {
        let place = c.value(ancestor.to_string());
        c.sql.push(format!("r.parent_run_no = (SELECT run_no FROM runs WHERE run_id = {place})"));
    }
    if let Some(kind) = &query.artifact_type {
        let place = c.value(kind.as_str().to_owned());
        c.sql.push(format!(
            "EXISTS (SELECT 1 FROM artifacts a WHERE a.run_no = r.run_no AND a.artifact_type = {place})"
        ));
    }
    for word in query.q.iter().flat_map(|q| q.split_whitespace()) {
        let place = c.value(format!("%{}%", escape_like(word)));
        c.sql.push(format!(
            "(r.title LIKE {place} ESCAPE '\\' OR i.prompt LIKE {place} ESCAPE '\\' OR r.skill_spec LIKE {place} ESCAPE '\\')"
        ));
    }
    for (key, value) in &query.metadata {
        let (key, value) = (c.value(format!("$.\"{}\"", key.replace('"', ""))), c.value(value.clone()));
        c.sql.push(format!("json_extract(i.metadata, {key}) = {value}"));
    }
    c
}

fn escape_like(word: &str) -> String {
    word.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// The rows that come after `cursor`.
fn after(c: &mut Conditions, cursor: &Cursor, sort: &RunSort, order: &SortOrder) {
    let beyond = if *order == SortOrder::Asc { ">" } else { "<" };
    let last = c.value(cursor.run_id.to_string());
    let last = format!("(SELECT run_no FROM runs WHERE run_id = {last})");
    let condition = match (&cursor.key, sort) {
        (Key::Text(None), _) => format!("(r.skill_spec IS NULL AND r.run_no {beyond} {last})"),
        (Key::Text(Some(text)), sort) => {
            let key = c.value(text.clone());
            let column = if *sort == RunSort::Title { "r.title" } else { "r.skill_spec" };
            let rest = if *sort == RunSort::Title { "" } else { " OR r.skill_spec IS NULL" };
            format!("(({column}, r.run_no) {beyond} ({key}, {last}){rest})")
        }
        (Key::Time(at), sort) => {
            let key = c.value(*at);
            let column = if *sort == RunSort::CreatedAt { "r.created_at" } else { "r.updated_at" };
            format!("({column}, r.run_no) {beyond} ({key}, {last})")
        }
    };
    c.sql.push(condition);
}

fn encode(last: &Run, sort: &RunSort, order: &SortOrder) -> String {
    let key = match sort {
        RunSort::CreatedAt => Key::Time(micros(last.created_at)),
        RunSort::Title => Key::Text(Some(last.title.clone())),
        RunSort::Agent => {
            let config = last.agent_config.as_ref();
            Key::Text(config.and_then(|c| c.skill_spec.clone().or_else(|| c.skills.first().cloned())))
        }
        RunSort::UpdatedAt | RunSort::Unknown(_) => Key::Time(micros(last.updated_at)),
    };
    let cursor = Cursor { sort: sort.to_string(), order: order.to_string(), key, run_id: last.run_id };
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&cursor).unwrap_or_default())
}

fn cursor(text: &str, sort: &RunSort, order: &SortOrder) -> Result<Cursor> {
    let bad =
        || StoreError::Refused(Error::invalid_field("cursor", text, "the next_cursor of an earlier page"));
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| bad())?;
    let cursor: Cursor = serde_json::from_slice(&bytes).map_err(|_| bad())?;
    if cursor.sort != sort.as_str() || cursor.order != order.as_str() {
        return Err(Error::invalid(format!(
            "cursor: it belongs to a list sorted by {} {}; keep the sort while you page",
            cursor.sort, cursor.order
        ))
        .into());
    }
    Ok(cursor)
}
