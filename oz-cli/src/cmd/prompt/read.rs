//! A saved prompt by its id. That the id is none, that nothing has it, and that nobody could be asked are told apart.

use crate::error::CliError;
use oz_client::{Client, Error};
use oz_core::{ErrorCode, api::SavedPrompt};

/// Gets a saved prompt.
pub(in crate::cmd) async fn prompt(client: &Client, id: &str) -> Result<SavedPrompt, CliError> {
    if id.len() != 22 || !id.bytes().all(|c| c.is_ascii_alphanumeric()) {
        let text = format!("'{id}' is not the id of a saved prompt, which has 22 letters and digits");
        return Err(CliError::new(text).hint("`oz prompt list` shows the ids"));
    }
    client.saved_prompts().get(id).await.map_err(|e| match e.code() {
        Some(ErrorCode::ResourceNotFound) => {
            let text = format!("there is no saved prompt '{id}', or it is not yours to see");
            CliError::new(text).hint("`oz prompt list` shows those that there are")
        }
        None if matches!(e, Error::Connect { .. } | Error::Interrupted { .. }) => {
            let text = format!("the saved prompt '{id}' can't be read: {e}");
            CliError::new(text)
                .hint("saved prompts are kept by the control plane; pass the text with --prompt instead")
        }
        _ => e.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use oz_client::RequestOptions;
    use std::{
        io::{Read as _, Write as _},
        net::TcpListener,
    };

    const ID: &str = "UA17BXYZ000000000000AB";

    /// What a control plane that answers once with `status` and `body` lets a reader know.
    fn read(id: &str, answer: Option<(&str, &str)>) -> Result<String, String> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = answer.map(|(status, body)| {
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            let listener = listener.try_clone().unwrap();
            std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let _ = stream.read(&mut [0; 4096]);
                stream.write_all(answer.as_bytes()).unwrap();
            })
        });
        drop(listener);
        let once = RequestOptions { max_attempts: Some(1), ..RequestOptions::default() };
        let client = Client::new(&url, Some("wk-x".into())).unwrap().with_options(once);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let read = runtime.block_on(prompt(&client, id));
        server.into_iter().for_each(|server| server.join().unwrap());
        read.map(|prompt| prompt.config.prompt).map_err(|e| e.to_string())
    }

    #[test]
    fn every_way_to_fail_is_told_apart() {
        let body = format!(
            r#"{{"uid": "{ID}", "config": {{"name": "n", "prompt": "do it"}}, "created_at": "2026-03-02T08:00:00Z",
                "last_updated": "2026-03-02T08:00:00Z", "revision": 1}}"#
        );
        assert_eq!(read(ID, Some(("200 OK", &body))), Ok("do it".to_owned()));
        let missing = r#"{"type": "x/resource-not-found", "title": "t", "status": 404, "code": "resource_not_found", "error": "no"}"#;
        insta::assert_snapshot!(read("short", None).unwrap_err(), @"
        Error: 'short' is not the id of a saved prompt, which has 22 letters and digits
        => `oz prompt list` shows the ids
        ");
        insta::assert_snapshot!(read(ID, Some(("404 Not Found", missing))).unwrap_err(), @"
        Error: there is no saved prompt 'UA17BXYZ000000000000AB', or it is not yours to see
        => `oz prompt list` shows those that there are
        ");
        let away = read(ID, None).unwrap_err();
        assert!(
            away.contains("can't be read: can't reach http://127.0.0.1") && away.contains("--prompt"),
            "{away}"
        );
    }
}
