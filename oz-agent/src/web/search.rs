//! Searches the web through a service that answers as SearXNG does.

use super::Web;
use oz_core::egress::Network;
use serde::Deserialize;

/// Something that was found.
#[derive(Debug, PartialEq, Deserialize)]
pub(crate) struct Hit {
    pub(crate) url: String,
    #[serde(default)]
    pub(crate) title: String,
    /// A part of the page.
    #[serde(default)]
    pub(crate) content: String,
}

#[derive(Deserialize)]
struct Answer {
    results: Vec<Hit>,
}

impl Web {
    /// What a search service finds, the best first.
    ///
    /// # Errors
    /// Why nothing, for the model.
    pub(crate) async fn search(&self, query: &str) -> Result<Vec<Hit>, String> {
        let Some(mut url) = self.search.clone() else { return Err("there is no search service".to_owned()) };
        url.query_pairs_mut().append_pair("q", query).append_pair("format", "json");
        // It was chosen by whoever set up the agent, so it may be in a private network, and is
        // on no list.
        let page = self
            .within(url, true, &Network::default())
            .await
            .map_err(|e| format!("the search service: {e}"))?;
        if page.status != 200 {
            return Err(format!("the search service answered with status {}", page.status));
        }
        let answer: Answer = serde_json::from_slice(&page.body)
            .map_err(|e| format!("the search service did not answer in SearXNG's JSON: {e}"))?;
        Ok(answer.results)
    }
}
