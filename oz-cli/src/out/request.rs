//! What agents ask of humans, as people read it.

use super::{
    one_line,
    table::{Listing, short, time},
};
use oz_core::{
    RunId,
    api::RunRequest,
    request::{Request, RequestKind},
};

/// A list of requests.
pub(crate) const LIST: Listing<RunRequest, 6> = Listing {
    header: ["REQUEST ID", "KIND", "ASKED AT", "WHAT", "ANSWER", "BY"],
    whole: 1,
    row,
    none: "It has asked nothing.",
};

fn row(asked: &RunRequest) -> [String; 6] {
    let by = asked.answered_by.as_ref().map(|who| who.display_name.as_deref().unwrap_or(&who.uid));
    [
        asked.request.request_id.to_string(),
        asked.request.kind.to_string(),
        time(asked.created_at),
        one_line(&asked.request.title, 60),
        asked.answer.as_ref().map_or_else(|| "-".to_owned(), answer),
        short(by),
    ]
}

fn answer(answer: &oz_core::request::Answer) -> String {
    match answer.text.as_deref().filter(|text| !text.is_empty()) {
        Some(text) => one_line(&format!("{}: {text}", answer.decision), 60),
        None => answer.decision.to_string(),
    }
}

/// How to answer a request.
pub(crate) fn how(run_id: RunId, request: &Request) -> String {
    match request.kind {
        RequestKind::Approval => {
            format!("Allow it with `oz run approve {run_id}`, refuse with `oz run deny {run_id}`.")
        }
        _ => format!("Answer it with `oz run answer {run_id} \"…\"`."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Format;

    #[test]
    fn many_are_a_table() {
        let asked: Vec<RunRequest> = serde_json::from_value(serde_json::json!([
            { "run_id": "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e", "request_id": "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8f",
              "kind": "approval", "title": "git push\u{1b}[2J\n--force", "created_at": "2026-03-02T08:00:00Z" },
            { "run_id": "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e", "request_id": "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d90",
              "kind": "question", "title": "Which?", "created_at": "2026-03-02T08:00:00Z",
              "answer": { "decision": "answer", "text": "A" }, "answered_at": "2026-03-02T08:01:00Z",
              "answered_by": { "type": "user", "uid": "u1", "display_name": "Ada" } }
        ]))
        .unwrap();
        insta::assert_snapshot!(LIST.text(&asked, Format::Text), @"
        REQUEST ID	KIND	ASKED AT	WHAT	ANSWER	BY
        0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8f	approval	2026-03-02 08:00:00	git push	-	-
        0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d90	question	2026-03-02 08:00:00	Which?	answer: A	Ada
        ");
        let run_id = asked[0].run_id;
        assert!(how(run_id, &asked[0].request).contains("oz run approve 0198c5a2"));
        assert!(how(run_id, &asked[1].request).contains("oz run answer 0198c5a2"));
    }
}
