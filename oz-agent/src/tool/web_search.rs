//! `web_search`: pages of the web by words.

use super::{Desk, Done, Failed, Tool, arguments, object, schema};
use crate::web::{Hit, Web};
use async_trait::async_trait;
use oz_core::{harness::ActionCategory, permission::Ask};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{fmt::Write as _, sync::Arc};

/// How many pages are shown.
const MAX: usize = 10;
/// How much of each is shown.
const MAX_CONTENT: usize = 500;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    query: String,
}

pub(super) struct WebSearch(pub(super) Arc<Web>);

#[async_trait]
impl Tool for WebSearch {
    fn name(&self) -> &str {
        "web_search"
    }

    fn description(&self) -> &str {
        "Searches the web. Shows addresses, titles and parts of pages; read a page with fetch_url, and name it when you \
         rely on it."
    }

    fn schema(&self) -> Value {
        schema::<Input>()
    }

    fn category(&self) -> ActionCategory {
        ActionCategory::Search
    }

    fn asks(&self, _: &Desk, _: &Map<String, Value>) -> Vec<Ask> {
        vec![Ask::Web]
    }

    async fn run(&self, _: &Desk, input: Value) -> Result<Done, Failed> {
        let Input { query } = arguments(input)?;
        if query.trim().is_empty() {
            return Err("query: it is empty; name what to look for".to_owned().into());
        }
        let hits = self.0.search(&query).await?;
        let mut content = String::new();
        let mut pages = Vec::new();
        for (i, Hit { url, title, content: part }) in hits.iter().take(MAX).enumerate() {
            let part = &part[..part.floor_char_boundary(MAX_CONTENT)];
            let _ = writeln!(content, "{}. {title}\n   {url}\n   {part}", i + 1);
            pages.push(json!({ "url": url, "title": title }));
        }
        if pages.is_empty() {
            content.push_str("nothing was found\n");
        }
        Ok(Done {
            content,
            output: object([("query", query.into()), ("pages", pages.into())]),
            ..Done::default()
        })
    }
}
