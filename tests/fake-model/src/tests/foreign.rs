//! The fake model as clients of others need it, and the interface of Gemini.

use super::*;

const KEY: &str = "x-api-key: sk-right\r\nanthropic-version: 2023-06-01\r\n";

fn request(messages: &Value) -> Value {
    let tool = json!({ "name": "ls", "input_schema": { "type": "object" } });
    json!({ "model": "m", "max_tokens": 9, "messages": messages, "tools": [tool] })
}

fn said(role: &str, text: &str) -> Value {
    json!({ "role": role, "content": text })
}

#[tokio::test]
async fn the_last_prompt_that_is_known_says_which_turn_is_next() {
    let script = Script::conversations([
        ("fix it", vec![Turn::text("one"), Turn::text("two")]),
        ("and more", vec![Turn::text("three")]),
    ]);
    let model = FakeModel::for_foreign("sk-right", script).await;
    let mut talk =
        vec![said("user", "<rules>"), said("user", "<now> fix it </now>"), said("system", "Tools.")];
    for (next, expected) in [("go on", "one"), ("and more", "two"), ("over", "three")] {
        let answer = post_as(&model, "/v1/messages?beta=true", KEY, &request(&json!(talk))).await;
        assert_eq!(answer.json()["content"][0]["text"], expected, "{}", answer.body);
        talk.extend([said("assistant", expected), said("user", next)]);
    }
    let requests = model.finish();
    assert_eq!(requests[2].said, ["<rules>", "<now> fix it </now>", "go on", "and more"]);
}

#[tokio::test]
async fn what_is_asked_beside_the_work_needs_no_script() {
    let model =
        FakeModel::for_foreign("sk-right", Script::conversations([("fix it", vec![Turn::text("one")])]))
            .await;
    let mut title = request(&json!([said("user", "A title for: fix it")]));
    title["tools"] = json!([]);
    let schema = json!({ "type": "object", "required": ["title", "n"], "properties": { "title": { "type": "string" }, "n": { "type": "integer" } } });
    let answer = post_as(&model, "/v1/messages", KEY, &title).await.json();
    assert_eq!(answer["content"][0]["text"], "A task");
    title["output_config"] = json!({ "format": { "type": "json_schema", "schema": schema } });
    let answer = post_as(&model, "/v1/messages", KEY, &title).await.json();
    let text = answer["content"][0]["text"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(text).unwrap(), json!({ "title": "", "n": 1 }));
    let count = post_as(&model, "/v1/messages/count_tokens", KEY, &title).await.json();
    assert!(count["input_tokens"].as_u64().unwrap() > 10);
    let head = send(&model, "HEAD / HTTP/1.0\r\n\r\n".to_owned()).await;
    assert_eq!(head.status, 200);
    assert!(model.finish().iter().all(|request| request.aside));
}

#[tokio::test]
async fn a_wrong_key_is_refused_in_the_words_of_each_service() {
    let model = FakeModel::for_foreign("sk-right", vec![Turn::text("never")]).await;
    let wrong = KEYS.replace(": k", ": sk-wrong").replace("Bearer k", "Bearer sk-wrong");
    for (path, status, pointer, expected) in [
        ("/v1/messages", 401, "/error/type", "authentication_error"),
        ("/v1/messages/count_tokens", 401, "/error/type", "authentication_error"),
        ("/v1/responses", 401, "/error/code", "invalid_api_key"),
        ("/v1/chat/completions", 401, "/error/code", "invalid_api_key"),
        ("/v1beta/models/m:generateContent", 400, "/error/details/0/reason", "API_KEY_INVALID"),
    ] {
        let answer = post_as(&model, path, &wrong, &json!({})).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.json().pointer(pointer).unwrap(), expected, "{path}");
    }
    assert!(model.violations().is_empty());
}

#[tokio::test]
async fn what_no_service_takes_is_refused_to_others_too() {
    let mut model = FakeModel::for_foreign("sk-right", vec![Turn::text("never")]).await;
    model.allow_violations();
    let call = json!({ "role": "assistant", "content": [{ "type": "tool_use", "id": "t", "name": "ls", "input": {} }] });
    let result = json!({ "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "other", "content": "" }] });
    for messages in
        [json!([said("user", "x"), call]), json!([said("user", "x"), result]), json!([said("robot", "x")])]
    {
        let answer = post_as(&model, "/v1/messages", KEY, &request(&messages)).await;
        assert_eq!(answer.status, 400, "{}", answer.body);
    }
    let answered = json!([said("user", "x"), said("assistant", "never")]);
    assert_eq!(post_as(&model, "/v1/messages", KEY, &request(&answered)).await.status, 400);
    assert!(model.violations().last().unwrap().contains("no turn 1"));
}

#[tokio::test]
async fn tools_that_take_text_are_called_with_text() {
    let patch = Turn::call("apply_patch", "*** Begin Patch".into());
    let model = FakeModel::for_foreign("sk-right", vec![patch, Turn::text("Done.")]).await;
    let body = |input: Value, stream: bool| json!({ "model": "m", "stream": stream, "store": false, "input": input, "tools": [{ "type": "custom", "name": "apply_patch" }, { "type": "web_search" }] });
    let post = |body: Value| {
        let model = &model;
        async move { post_as(model, "/v1/responses", "authorization: Bearer sk-right\r\n", &body).await }
    };
    let prompt = said("user", "x");
    let call = post(body(json!([prompt]), false)).await.json()["output"][0].clone();
    assert_eq!((&call["type"], &call["input"]), (&json!("custom_tool_call"), &json!("*** Begin Patch")));
    let data = post(body(json!([prompt]), true)).await.data();
    assert_eq!(joined(&data, "/delta"), "*** Begin Patch");
    let result = json!({ "type": "custom_tool_call_output", "call_id": call["call_id"], "output": "ok" });
    let answer = post(body(json!([prompt, call, result]), false)).await;
    assert!(answer.body.contains("Done."), "{}", answer.body);
}

const GEMINI: &str = "/v1beta/models/m:generateContent";

fn gemini(contents: &Value) -> Value {
    let function = json!({ "name": "ls", "parametersJsonSchema": { "type": "object" } });
    json!({ "contents": contents, "tools": [{ "functionDeclarations": [function] }] })
}

#[tokio::test]
async fn gemini_is_spoken() {
    let model = FakeModel::start(vec![busy_turn(), Turn::text("Done.")]).await;
    let user = json!({ "role": "user", "parts": [{ "text": "hi" }] });
    let keys = "x-goog-api-key: k\r\n";
    let whole = post_as(&model, GEMINI, keys, &gemini(&json!([user]))).await.json();
    let answer = &whole["candidates"][0]["content"];
    let parts = answer["parts"].as_array().unwrap();
    assert_eq!(parts.len(), 4);
    assert_eq!((&parts[0]["thought"], &parts[1]["text"]), (&json!(true), &json!("I look at it.")));
    assert_eq!(parts[2]["functionCall"]["args"], json!({ "path": "ä" }));
    assert_eq!(whole["usageMetadata"]["totalTokenCount"], 19);
    let path = "/v1beta/models/m:streamGenerateContent?alt=sse";
    let data = post_as(&model, path, keys, &gemini(&json!([user]))).await.data();
    assert_eq!(joined(&data, "/candidates/0/content/parts/0/text"), "Hm, öäü.I look at it.");
    assert_eq!(data.last().unwrap()["candidates"][0]["finishReason"], "STOP");
    let results = ["ls", "cat"].map(|name| json!({ "functionResponse": { "name": name, "response": {} } }));
    let results = json!({ "role": "user", "parts": results });
    let second = post_as(&model, GEMINI, keys, &gemini(&json!([user, answer, results]))).await;
    assert!(second.body.contains("Done."), "{}", second.body);
    let count = post_as(&model, "/v1beta/models/m:countTokens", keys, &gemini(&json!([user]))).await.json();
    assert!(count["totalTokens"].as_u64().unwrap() > 10);
}

#[tokio::test]
async fn what_gemini_refuses_is_refused() {
    let mut model = FakeModel::start(vec![Turn::text("never")]).await;
    model.allow_violations();
    let user = json!({ "role": "user", "parts": [{ "text": "hi" }] });
    let call = json!({ "role": "model", "parts": [{ "functionCall": { "name": "ls", "args": {} } }] });
    let result = json!({ "functionResponse": { "name": "ls", "response": {} } });
    let results = |parts: Value| json!({ "role": "user", "parts": parts });
    for (what, contents) in [
        ("no contents", json!([])),
        ("not the user's", json!([call])),
        ("no parts", json!([{ "role": "user", "parts": [] }])),
        ("role", json!([{ "role": "assistant", "parts": [{ "text": "x" }] }])),
        ("no results", json!([user, call])),
        ("after the calls", json!([user, call, user])),
        ("after the calls", json!([user, call, results(json!([result, result]))])),
        ("after the calls", json!([user, results(json!([result]))])),
    ] {
        let answer = post_as(&model, GEMINI, "x-goog-api-key: k\r\n", &gemini(&contents)).await;
        assert_eq!(answer.status, 400, "{what}");
        let message = answer.json()["error"]["message"].to_string();
        assert!(message.contains(what), "expected '{what}' in {message}");
    }
    assert_eq!(post_as(&model, GEMINI, "", &gemini(&json!([user]))).await.status, 401);
    assert_eq!(post_as(&model, "/v1beta/models/m:paint", "", &json!({})).await.status, 404);
}
