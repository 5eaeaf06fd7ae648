//! Budgets hold while runs go on: one that reaches its limit is stopped, and so is a team that has spent its month.

use fake_model::{FakeModel, Script, Turn};
use oz_core::{
    ErrorCode, Run, RunState,
    api::{GetBudget, GetUsage, UpdateBudget, UsageGroup},
    config::AgentConfig,
};
use oz_tests::{World, history, world::Options};
use serde_json::json;
use std::time::Duration;

/// Every answer costs ten cents.
const PRICES: &str = "fake: { input: 100, output: 0 }";

/// A model that never comes to an end; a conversation that begins with `slow` waits after its first call.
async fn model() -> FakeModel {
    FakeModel::start(Script::by(|asked| {
        let waits = asked.opening.contains("slow") && asked.turn == 0;
        let command = if waits { "until [ -e ../../go ]; do sleep 0.05; done" } else { "sleep 0.2" };
        let turn = Turn::call("run_command", json!({ "command": command }));
        Some(Turn { tokens: (1000, 1), ..turn })
    }))
    .await
}

struct Bed {
    world: World,
    model: FakeModel,
    _prices: tempfile::TempDir,
}

impl Bed {
    async fn new() -> Self {
        let model = model().await;
        let prices = tempfile::tempdir().unwrap();
        let path = prices.path().join("prices.yaml");
        std::fs::write(&path, PRICES).unwrap();
        let env = [
            ("ANTHROPIC_API_KEY", "k".to_owned()),
            ("ANTHROPIC_BASE_URL", model.url()),
            ("OZ_MODEL_PRICES", path.to_string_lossy().into_owned()),
        ];
        let env = env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let world = World::start(Options { env, ..Options::default() });
        Self { world, model, _prices: prices }
    }

    async fn limit(&self, monthly: Option<f64>, per_run: Option<f64>) {
        let change = UpdateBudget { monthly_limit_usd: monthly, run_limit_usd: per_run };
        self.world.client().send(&change).await.unwrap();
    }

    async fn dispatch(&self, prompt: &str) -> oz_core::RunId {
        let model_id = Some("anthropic/fake".into());
        self.world.dispatch(prompt, AgentConfig { model_id, ..AgentConfig::default() }).await
    }

    /// How often the model was called for a prompt.
    fn calls(&self, prompt: &str) -> usize {
        self.model.requests().iter().filter(|r| r.body.to_string().contains(prompt)).count()
    }
}

fn failed(run: &Run, code: ErrorCode, parts: &[&str]) {
    let status = run.status_message.clone().unwrap();
    assert_eq!((&run.state, status.error_code), (&RunState::Failed, Some(code)), "{}", status.message);
    for part in parts {
        assert!(status.message.contains(part), "'{part}' is not in: {}", status.message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_stopped_at_the_teams_limit_for_a_run() {
    let bed = Bed::new().await;
    bed.limit(None, Some(0.25)).await;
    let run = bed.world.wait(bed.dispatch("busy").await).await;
    failed(&run, ErrorCode::BudgetExceeded, &["limit of $0.25", "cost $0.30"]);
    bed.world.no_agents(Duration::from_secs(2));
    assert!((3..=4).contains(&bed.calls("busy")), "{} calls", bed.calls("busy"));
    let cents = run.request_usage.unwrap().inference_cost.unwrap();
    assert!((cents - 30.0).abs() < 1e-6, "{cents}");
    let wrong = history::check(&bed.world.database(), &Default::default());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_that_has_spent_its_month_is_stopped_and_goes_on_when_it_may_spend_more() {
    let bed = Bed::new().await;
    bed.limit(Some(0.25), None).await;
    let slow = bed.dispatch("slow").await;
    let spent = || async { bed.world.client().send(&GetBudget {}).await.unwrap().spent_this_month_usd };
    while spent().await < 0.1 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let busy = bed.dispatch("busy").await;
    let run = bed.world.wait(busy).await;
    failed(
        &run,
        ErrorCode::InsufficientCredits,
        &["monthly limit of $0.25", "cost $0.30", "oz budget set --monthly"],
    );
    assert!((2..=3).contains(&bed.calls("busy")), "{} calls", bed.calls("busy"));
    assert_eq!(bed.world.run(slow).await.state, RunState::InProgress, "it has not used more");
    std::fs::write(bed.world.path().join("go"), "").unwrap();
    let run = bed.world.wait(slow).await;
    failed(&run, ErrorCode::InsufficientCredits, &["$0.25", "$0.40"]);
    bed.world.no_agents(Duration::from_secs(2));
    let refused = bed.world.oz(&["agent", "run-cloud", "-p", "more"]);
    assert_ne!(refused.code, 0);
    for part in ["monthly limit of $0.25", "cost $0.40", "oz budget set --monthly"] {
        assert!(refused.stderr.contains(part), "'{part}' is not in: {}", refused.stderr);
    }
    bed.limit(Some(0.65), None).await;
    let run = bed.world.wait(bed.dispatch("again").await).await;
    failed(&run, ErrorCode::InsufficientCredits, &["$0.65", "$0.70"]);
    let request = GetUsage { group_by: Some(UsageGroup::Run), ..GetUsage::default() };
    let report = bed.world.client().send(&request).await.unwrap();
    let mut rows: Vec<_> = report.rows.iter().map(|r| (r.name.as_deref().unwrap_or(""), r.calls)).collect();
    rows.sort_unstable();
    assert_eq!(rows, [("again", 3), ("busy", 2), ("slow", 2)]);
    assert_eq!(report.total.usage.cost_usd, Some(0.7));
    let wrong = history::check(&bed.world.database(), &Default::default());
    assert!(wrong.is_empty(), "{wrong:#?}");
}
