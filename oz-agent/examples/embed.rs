//! A harness and a trigger of one's own: each line of standard input becomes a run, which the team sees at its control
//! plane, and the harness answers it here.
//!
//! `echo "count to three" | OZ_API_KEY=wk-… cargo run -p oz-agent --example embed`

use async_trait::async_trait;
use futures_util::{StreamExt as _, stream, stream::BoxStream};
use oz_agent::driver::{self, Options, Source};
use oz_client::Client;
use oz_core::{
    Error,
    config::AgentConfig,
    harness::{AgentState, Harness, HarnessEvent, HarnessTask},
};
use std::{collections::BTreeMap, env, io, sync::Arc};
use tokio_util::sync::CancellationToken;

/// Says how many words it was asked.
struct Counter;

#[async_trait]
impl Harness for Counter {
    fn name(&self) -> &str {
        "counter"
    }

    async fn start(self: Arc<Self>, task: HarnessTask) -> Result<BoxStream<'static, HarnessEvent>, Error> {
        let state = |state, message| HarnessEvent::State { state, message, code: None };
        let text = format!("{} words", task.prompt.split_whitespace().count());
        let done = state(AgentState::Succeeded, Some(text.clone()));
        Ok(stream::iter([state(AgentState::Started, None), HarnessEvent::Text { text }, done]).boxed())
    }

    async fn send(&self, _: String) -> Result<(), Error> {
        Err(Error::unsupported("it is done before anything can be added".to_owned()))
    }

    async fn cancel(&self) {}
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = env::var("OZ_SERVER_URL").unwrap_or_else(|_| "http://127.0.0.1:7700".to_owned());
    let client = Client::new(&server, env::var("OZ_API_KEY").ok())?;
    for prompt in io::stdin().lines() {
        let source =
            Source::Local { prompt: prompt?, config: AgentConfig::default(), client: Some(client.clone()) };
        let mut options = Options::new(source, env::current_dir()?, BTreeMap::new());
        options.harness = Some(Arc::new(Counter));
        options.own_process = false;
        let finished = driver::drive(options, &mut |_| {}, CancellationToken::new()).await;
        println!("{:?} {}: {}", finished.run_id, finished.state, finished.status.message);
    }
    Ok(())
}
