//! Lists of runs: filters, sorts and cursors. Pages are found by key, never by counting, so a late page costs what the
//! first one costs.

use super::{Db, Result, Store, StoreError, accounts::Caller, engine::Value, micros, runs};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oz_core::{
    Error, Run, RunId,
    api::{ListRuns, PageInfo, RunPage, RunSort, SortOrder},
    environment::EMPTY_ENVIRONMENT,
};
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

#[derive(Clone)]
struct Conditions {
    sql: Vec<String>,
    values: Vec<Value<'static>>,
}

impl Conditions {
    fn value(&mut self, value: impl Into<Value<'static>>) -> String {
        self.values.push(value.into());
        format!("?{}", self.values.len())
    }
    fn equals(&mut self, column: &str, value: Option<impl Into<Value<'static>>>) {
        if let Some(value) = value {
            let place = self.value(value);
            self.sql.push(format!("{column} = {place}"));
        }
    }
}

impl Store {
    /// A page of the runs that `caller` may see.
    pub(crate) async fn list_runs(&self, caller: Caller, query: ListRuns) -> Result<RunPage> {
        self.engine.read_long(move |db| page(db, &caller, &query)).await
    }
}

fn page(db: &Db<'_>, caller: &Caller, query: &ListRuns) -> Result<RunPage> {
    let sort = query.sort_by.clone().unwrap_or(RunSort::UpdatedAt);
    let order = query.sort_order.clone().unwrap_or(SortOrder::Desc);
    let wanted = usize::try_from(query.limit.unwrap_or(20)).unwrap_or(20);
    let cursor = query.cursor.as_deref().map(|text| cursor(text, &sort, &order)).transpose()?;
    let mut runs: Vec<Run> = Vec::new();
    for part in parts(&sort) {
        let missing = (wanted + 1).saturating_sub(runs.len());
        if missing == 0 {
            break;
        }
        let mut conditions = filters(caller, query);
        if let Some(cursor) = &cursor
            && !part.after(&mut conditions, cursor, &order)
        {
            continue;
        }
        conditions.sql.extend(part.condition.map(str::to_owned));
        let direction = if order == SortOrder::Asc { "ASC" } else { "DESC" };
        let by: Vec<String> = part.columns.iter().map(|c| format!("{c} {direction}")).collect();
        let limit = conditions.value(i64::try_from(missing).unwrap_or(i64::MAX));
        let tail = format!("WHERE {} ORDER BY {} LIMIT {limit}", conditions.sql.join(" AND "), by.join(", "));
        runs.extend(runs::load(db, &tail, &conditions.values)?);
    }
    let has_next_page = runs.len() > wanted;
    runs.truncate(wanted);
    let next_cursor = runs.last().filter(|_| has_next_page).map(|last| encode(last, &sort, &order));
    Ok(RunPage { runs, page_info: PageInfo { has_next_page, next_cursor } })
}

/// A stretch of a list that one index delivers in order.
struct Part {
    condition: Option<&'static str>,
    columns: &'static [&'static str],
}

/// Runs without a skill come last in either direction, so that list has two parts.
fn parts(sort: &RunSort) -> Vec<Part> {
    match sort {
        RunSort::CreatedAt => vec![Part { condition: None, columns: &["r.created_at", "r.run_no"] }],
        RunSort::Title => vec![Part { condition: None, columns: &["r.title", "r.run_no"] }],
        RunSort::Agent => vec![
            Part { condition: Some("r.skill_spec IS NOT NULL"), columns: &["r.skill_spec", "r.run_no"] },
            Part { condition: Some("r.skill_spec IS NULL"), columns: &["r.run_no"] },
        ],
        RunSort::UpdatedAt | RunSort::Unknown(_) => {
            vec![Part { condition: None, columns: &["r.updated_at", "r.run_no"] }]
        }
    }
}

impl Part {
    /// Leaves only the rows after `cursor`. `false` when none of this part are.
    fn after(&self, c: &mut Conditions, cursor: &Cursor, order: &SortOrder) -> bool {
        let beyond = if *order == SortOrder::Asc { ">" } else { "<" };
        let run = |c: &mut Conditions| {
            let last = c.value(cursor.run_id.to_string());
            format!("(SELECT run_no FROM runs WHERE run_id = {last})")
        };
        let key: Value<'static> = match (&cursor.key, self.columns) {
            (Key::Text(None), [_]) => {
                let last = run(c);
                c.sql.push(format!("r.run_no {beyond} {last}"));
                return true;
            }
            (Key::Text(Some(_)), [_]) => return true,
            (Key::Text(None), _) => return false,
            (Key::Text(Some(text)), _) => text.clone().into(),
            (Key::Time(at), _) => (*at).into(),
        };
        let (key, last) = (c.value(key), run(c));
        c.sql.push(format!("({}, r.run_no) {beyond} ({key}, {last})", self.columns[0]));
        true
    }
}

fn filters(caller: &Caller, query: &ListRuns) -> Conditions {
    let mut values = Vec::new();
    let allowed = runs::visible(caller, &mut values);
    let mut c = Conditions { sql: vec![allowed], values };
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
        Some(EMPTY_ENVIRONMENT) => c.sql.push("r.environment_id IS NULL".to_owned()),
        other => c.equals("r.environment_id", other.map(str::to_owned)),
    }
    if query.factory_uid.is_some() {
        // There are no factories here, so no run belongs to one.
        c.sql.push("1 = 0".to_owned());
    }
    for (time, column, condition, sort) in [
        (query.created_after, "r.created_at", ">=", RunSort::CreatedAt),
        (query.created_before, "r.created_at", "<", RunSort::CreatedAt),
        (query.updated_after, "r.updated_at", ">=", RunSort::UpdatedAt),
    ] {
        if let Some(time) = time {
            let place = c.value(micros(time));
            // A plus keeps the planner from finding the rows by this column and sorting all of them: the list has its
            // own order to follow.
            let plus = if query.sort_by.as_ref().unwrap_or(&RunSort::UpdatedAt) == &sort { "" } else { "+" };
            c.sql.push(format!("{plus}{column} {condition} {place}"));
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
        let find = |column: &str| format!("lower({column}) LIKE lower({place}) ESCAPE '\\'");
        let places = [find("r.title"), find("i.prompt"), find("COALESCE(r.skill_spec, '')")];
        c.sql.push(format!("({})", places.join(" OR ")));
    }
    for (name, content) in &query.metadata {
        let (name, content) = (c.value(name.clone()), c.value(content.clone()));
        c.sql.push(format!(
            "EXISTS (SELECT 1 FROM run_labels l WHERE l.run_no = r.run_no AND l.name = {name} AND l.content = {content})"
        ));
    }
    c
}

fn escape_like(word: &str) -> String {
    word.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

fn encode(last: &Run, sort: &RunSort, order: &SortOrder) -> String {
    let key = match sort {
        RunSort::CreatedAt => Key::Time(micros(last.created_at)),
        RunSort::Title => Key::Text(Some(last.title.clone())),
        RunSort::Agent => Key::Text(last.agent_config.as_ref().and_then(|c| c.skill_spec.clone())),
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
