//! A worker that only talks: it starts no process, and says what a case wants it to say.

use super::{Check, QUIET, SOON};
use futures_util::{SinkExt as _, StreamExt as _};
use oz_core::worker::SOCKET_PATH;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message, client::IntoClientRequest as _, http::HeaderValue},
};

/// Which of the optional parts of the protocol a worker speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// What is published: no status, no executions.
    Published,
    /// With what this project adds.
    Extended,
}

/// A control plane refused a worker.
#[derive(Debug)]
pub struct Refused {
    /// The HTTP status; 0 when there was no answer.
    pub status: u16,
    /// What it said.
    pub body: String,
}

/// A connection of a worker to a control plane.
pub struct FakeWorker {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    id: String,
    profile: Profile,
}

/// A run that was assigned.
#[derive(Debug, Clone)]
pub struct Assigned {
    /// The run.
    pub task_id: String,
    /// This execution of it.
    pub execution_id: Option<String>,
    /// All that came.
    pub data: Value,
}

/// What a worker with the extended profile says of itself.
#[must_use]
pub fn status(instance: &str, slots: Option<u32>, active: &[String]) -> Value {
    json!({ "type": "worker_status", "data": { "instance_id": instance, "slots": slots, "active": active } })
}

impl FakeWorker {
    /// Dials `url`, the control plane's address over HTTP. A query of `id` is taken as it is.
    ///
    /// # Errors
    /// When the control plane does not take it.
    pub async fn dial(url: &str, id: &str, key: Option<&str>, profile: Profile) -> Result<Self, Refused> {
        let failed = |text: String| Refused { status: 0, body: text };
        let root = url.trim_end_matches('/').replacen("http", "ws", 1);
        let mut request = format!("{root}{SOCKET_PATH}?worker_id={id}")
            .into_client_request()
            .map_err(|e| failed(e.to_string()))?;
        if let Some(key) = key {
            let bearer =
                HeaderValue::from_str(&format!("Bearer {key}")).map_err(|e| failed(e.to_string()))?;
            request.headers_mut().insert("authorization", bearer);
        }
        let dialled = timeout(SOON, connect_async(request)).await.map_err(|_| failed("no answer".into()))?;
        match dialled {
            Ok((socket, _)) => Ok(Self { socket, id: id.to_owned(), profile }),
            Err(tungstenite::Error::Http(response)) => {
                let body = response.body().as_deref().map(String::from_utf8_lossy).unwrap_or_default();
                Err(Refused { status: response.status().as_u16(), body: body.into_owned() })
            }
            Err(e) => Err(failed(e.to_string())),
        }
    }

    /// Sends a frame.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn send(&mut self, frame: &Value) -> Check {
        self.send_raw(Message::text(frame.to_string())).await
    }

    /// Sends whatever it is.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn send_raw(&mut self, message: Message) -> Check {
        match timeout(SOON, self.socket.send(message)).await {
            Ok(sent) => sent.map_err(|e| format!("the connection is gone: {e}")),
            Err(_) => Err("the control plane does not read".to_owned()),
        }
    }

    /// The next message that is not a ping, or an error when there is none within `limit`.
    ///
    /// # Errors
    /// When the connection ends, or nothing comes.
    pub async fn message(&mut self, limit: Duration) -> Result<Message, String> {
        let next = async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Ping(_))) => {}
                    Some(Ok(message)) => return Ok(message),
                    Some(Err(e)) => return Err(format!("the connection is gone: {e}")),
                    None => return Err("the connection is gone".to_owned()),
                }
            }
        };
        timeout(limit, next).await.unwrap_or_else(|_| Err("nothing came".to_owned()))
    }

    /// The next frame.
    ///
    /// # Errors
    /// When there is none.
    pub async fn frame(&mut self, limit: Duration) -> Result<Value, String> {
        loop {
            if let Message::Text(text) = self.message(limit).await? {
                return serde_json::from_str(&text).map_err(|e| format!("not JSON: {e}: {text}"));
            }
        }
    }

    /// The next assignment; whatever else comes is passed over.
    ///
    /// # Errors
    /// When there is none, or it is not what was published.
    pub async fn assignment(&mut self) -> Result<Assigned, String> {
        loop {
            let frame = self.frame(SOON).await?;
            if frame["type"] == "task_assignment" {
                return Assigned::read(&frame["data"]);
            }
        }
    }

    /// Waits for the cancellation of a run.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn cancellation(&mut self, task_id: &str) -> Check {
        loop {
            let frame = self.frame(SOON).await.map_err(|e| format!("no cancellation: {e}"))?;
            if frame["type"] == "task_cancellation" && frame["data"]["task_id"] == task_id {
                return Ok(());
            }
        }
    }

    /// Checks that no run is assigned for a while.
    ///
    /// # Errors
    /// When one is.
    pub async fn unassigned(&mut self) -> Check {
        match timeout(QUIET, self.assignment()).await {
            Ok(Ok(assigned)) => Err(format!("the run {} was assigned", assigned.task_id)),
            Ok(Err(e)) => Err(e),
            Err(_) => Ok(()),
        }
    }

    /// Waits until the control plane has read all that was sent.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn seen(&mut self) -> Check {
        self.send_raw(Message::Ping("seen".into())).await?;
        while !matches!(self.message(SOON).await?, Message::Pong(_)) {}
        Ok(())
    }

    /// A frame about a run, with the execution where the profile names it.
    #[must_use]
    pub fn about(&self, kind: &str, run: &Assigned, more: &Value) -> Value {
        let mut data = json!({ "task_id": run.task_id });
        if let (Value::Object(data), Value::Object(more)) = (&mut data, more) {
            data.extend(more.clone());
            if self.profile == Profile::Extended {
                data.insert("execution_id".to_owned(), json!(run.execution_id));
            }
        }
        json!({ "type": kind, "data": data })
    }

    /// Takes a run.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn claim(&mut self, run: &Assigned) -> Check {
        let frame = self.about("task_claimed", run, &json!({ "worker_id": self.id }));
        self.send(&frame).await
    }

    /// Does not take a run.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn reject(&mut self, run: &Assigned) -> Check {
        let frame = self.about("task_rejected", run, &json!({ "reason": "worker at maximum concurrency" }));
        self.send(&frame).await
    }

    /// Says that the agent of a run ended well.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn complete(&mut self, run: &Assigned) -> Check {
        let frame = self.about("task_completed", run, &json!({ "message": "Task completed successfully" }));
        self.send(&frame).await
    }

    /// Says that a run was cancelled.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn cancelled(&mut self, run: &Assigned) -> Check {
        let more = json!({ "message": "Task cancelled by user request.", "task_state": "CANCELLED" });
        let frame = self.about("task_completed", run, &more);
        self.send(&frame).await
    }

    /// Says that a run failed.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn fail(&mut self, run: &Assigned, reason: &str) -> Check {
        let more = json!({ "message": format!("Failed to execute task: {reason}"), "failure_reason": reason,
            "exit_code": 137 });
        let frame = self.about("task_failed", run, &more);
        self.send(&frame).await
    }
}

impl Assigned {
    /// Its execution, as a status names what a worker works on.
    #[must_use]
    pub fn executions(&self) -> Vec<String> {
        self.execution_id.iter().cloned().collect()
    }

    /// What every worker relies on must be there.
    pub(super) fn read(data: &Value) -> Result<Self, String> {
        let text = |value: &Value, what: &str| {
            value.as_str().map(str::to_owned).ok_or_else(|| format!("{what} is no text in {data}"))
        };
        let task_id = text(&data["task_id"], "task_id")?;
        let task = &data["task"];
        text(&task["task_definition"]["prompt"], "task.task_definition.prompt")?;
        if task["id"] != task_id.as_str() {
            return Err(format!("task.id is {} in the assignment of {task_id}", task["id"]));
        }
        for field in ["created_at", "updated_at"] {
            let time = text(&task[field], field)?;
            time.parse::<oz_core::Timestamp>().map_err(|e| format!("task.{field}: {e}"))?;
        }
        Ok(Self {
            task_id,
            execution_id: data["execution_id"].as_str().map(str::to_owned),
            data: data.clone(),
        })
    }
}
