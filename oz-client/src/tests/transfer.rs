//! Bytes to and from signed addresses, on this server and on others.

use super::plane::{Plane, empty, json, text};
use crate::Error;
use futures_util::TryStreamExt as _;
use oz_core::api::{UploadMethod, UploadTarget};

fn target(url: String, method: UploadMethod) -> UploadTarget {
    let headers = [("content-type".to_owned(), "text/csv".to_owned()), ("x-sum".to_owned(), "1".to_owned())];
    UploadTarget { url, method, headers: headers.into(), fields: Vec::new() }
}

fn artifact(kind: &str, data: &serde_json::Value) -> String {
    let body = serde_json::json!({ "artifact_uid": "a", "created_at": "2026-03-02T08:00:00Z",
        "artifact_type": kind, "data": data });
    json(200, &body)
}

fn file(url: &str) -> String {
    let data = serde_json::json!({ "download_url": url, "expires_at": "2026-03-02T09:00:00Z",
        "content_type": "text/csv", "filename": "f.csv", "filepath": "f.csv" });
    artifact("FILE", &data)
}

#[tokio::test]
async fn an_upload_takes_its_headers_and_no_key() {
    let plane = Plane::start([]).await;
    let client = plane.client().with_workload_token("wk-1.token").with_source("CLI");
    let store = Plane::start([empty(503), empty(200), empty(500)]).await;
    let put = target(format!("{}/blob?signature=s", store.url), UploadMethod::Put);
    client.artifacts().upload(&put, "a,b\n").await.unwrap();
    let post = target(format!("{}/blob?signature=s", store.url), UploadMethod::Post);
    let error = client.upload(&post, vec![7]).await.unwrap_err().to_string();
    assert!(error.contains(&store.url) && !error.contains("signature"), "{error}");
    let asked = store.requests();
    assert_eq!(asked.len(), 3);
    for request in &asked[..2] {
        assert_eq!(request.line, "PUT /blob?signature=s HTTP/1.1");
        assert_eq!(request.body, "a,b\n");
        assert_eq!((request.header("content-type"), request.header("x-sum")), (Some("text/csv"), Some("1")));
    }
    for request in &asked {
        for name in ["authorization", "x-warp-ambient-workload-token", "x-oz-api-source"] {
            assert_eq!(request.header(name), None);
        }
    }
}

#[tokio::test]
async fn a_form_is_refused() {
    let client = Plane::start([]).await.client();
    let fields = vec![serde_json::Map::new()];
    let target = UploadTarget { fields, ..target("/blob".into(), UploadMethod::Post) };
    assert!(matches!(client.upload(&target, "x").await, Err(Error::Config(_))));
}

#[tokio::test]
async fn a_download_takes_no_key() {
    let store = Plane::start([empty(503), text("a,b\n")]).await;
    let plane =
        Plane::start([file(&format!("{}/blob?s=1", store.url)), file("/blobs/1?s=2"), text("here")]).await;
    let client = plane.client();
    let bytes = async |uid: &str| -> Vec<u8> {
        let chunks: Vec<_> = client.artifacts().download(uid).await.unwrap().try_collect().await.unwrap();
        chunks.concat()
    };
    assert_eq!(bytes("a").await, b"a,b\n");
    assert_eq!(bytes("a").await, b"here");
    let asked = store.requests();
    assert_eq!((asked.len(), asked[1].line.as_str()), (2, "GET /blob?s=1 HTTP/1.1"));
    assert!(asked.iter().all(|r| r.header("authorization").is_none()));
    let asked = plane.requests();
    assert_eq!(asked[0].header("authorization"), Some("Bearer wk-1.key"));
    assert_eq!(
        (asked[2].line.as_str(), asked[2].header("authorization")),
        ("GET /blobs/1?s=2 HTTP/1.1", None)
    );
}

#[tokio::test]
async fn a_plan_is_its_own_content() {
    let data = serde_json::json!({ "document_uid": "d", "notebook_uid": "d", "content": "# Plan",
        "content_type": "text/markdown" });
    let plane = Plane::start([artifact("PLAN", &data)]).await;
    let chunks: Vec<_> = plane.client().artifacts().download("a").await.unwrap().try_collect().await.unwrap();
    assert_eq!(chunks, ["# Plan"]);
}

#[tokio::test]
async fn bytes_that_break_off_are_an_error() {
    let short = "HTTP/1.1 200 x\r\ncontent-length: 9\r\n\r\nhalf".to_owned();
    let plane = Plane::start([short]).await;
    let chunks = plane.client().download("/blob?s=1").await.unwrap();
    let error = chunks.try_collect::<Vec<_>>().await.unwrap_err();
    assert!(matches!(error, Error::Interrupted { .. }), "{error}");
}
