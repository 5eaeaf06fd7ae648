//! Whole tasks of the native agent on real repositories, with tools that fail in between. The model is scripted; what
//! its tools find and change is real, and it is only answered as long as it was told what it expects.

use oz_core::{
    RunId, RunState,
    api::ReadLog,
    config::{AgentConfig, SourceRepo},
    harness::{ActionState, HarnessEvent},
    transcript::LogItem,
};
use oz_tests::World;
use std::{collections::BTreeMap, fs, time::Duration};

const SCRIPT: &str = include_str!("tasks/script.yaml");

/// Does a task on a repository of these files. Answers with the world, the repository and how many actions failed.
async fn task(
    prompt: &str,
    files: &[(&str, &str)],
    arrange: impl FnOnce(&World, &str),
) -> (World, String, usize) {
    let world = World::scripted(SCRIPT);
    let repo = world.git_repo("project", files);
    arrange(&world, &repo);
    let source = SourceRepo { url: repo.clone(), checkout_ref: None };
    let config = AgentConfig { source_repos: vec![source], ..AgentConfig::default() };
    let run = world.wait_within(world.dispatch(prompt, config).await, Duration::from_secs(180)).await;
    let failed = paired(&world, run.run_id).await;
    assert_eq!(run.state, RunState::Succeeded, "{:?}\n{}", run.status_message, world.read_log("server"));
    (world, repo, failed)
}

/// Checks that each action has one result. Answers with how many failed.
async fn paired(world: &World, run_id: RunId) -> usize {
    let log = world.client().send(&ReadLog { run_id, since: 0, limit: Some(1000) }).await.unwrap();
    let mut open: BTreeMap<String, String> = BTreeMap::new();
    let mut failed = 0;
    for item in log.items {
        let LogItem::Entry { entry } = item else { continue };
        match entry.event.known() {
            Some(HarnessEvent::Action { id, name, .. }) => {
                assert_eq!(open.insert(id.clone(), name.clone()), None, "{id} is there twice");
            }
            Some(HarnessEvent::ActionResult { action_id, state, .. }) => {
                assert!(open.remove(action_id).is_some(), "a result without its action: {action_id}");
                failed += usize::from(*state == ActionState::Failed);
            }
            _ => {}
        }
    }
    assert!(open.is_empty(), "actions without a result: {open:?}");
    failed
}

fn show(world: &World, repo: &str, what: &str) -> String {
    world.git(std::path::Path::new(repo), &["show", what])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_changed_across_files() {
    let files = [
        (
            "config.py",
            "def load_cfg(path):\n    return path\n\n\ndef save(path):\n    return load_cfg(path)\n",
        ),
        ("app.py", "from config import load_cfg\n\n\ndef main():\n    return load_cfg('a')\n"),
        ("tool.py", "import config\n\nprint(config.load_cfg('b'))\n"),
        (
            "test_app.py",
            "import unittest\nimport app\nimport config\n\n\nclass T(unittest.TestCase):\n    def test(self):\n        \
             self.assertEqual(app.main(), 'a')\n        self.assertTrue(hasattr(config, 'load_config'))\n\n\n\
             if __name__ == '__main__':\n    unittest.main()\n",
        ),
    ];
    let (world, repo, failed) = task("rename load_cfg", &files, |_, _| {}).await;
    assert_eq!(failed, 1, "the edit that matched twice");
    for (file, _) in &files[..3] {
        let text = show(&world, &repo, &format!("oz/rename:{file}"));
        assert!(text.contains("load_config") && !text.contains("load_cfg"), "{file}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_test_passes_at_the_second_try() {
    let files = [
        (
            "median.py",
            "def median(values):\n    values = sorted(values)\n    return values[len(values) / 2]\n",
        ),
        (
            "test_median.py",
            "import unittest\nfrom median import median\n\n\nclass T(unittest.TestCase):\n    def test_odd(self):\n        \
             self.assertEqual(median([3, 1, 2]), 2)\n\n    def test_even(self):\n        \
             self.assertEqual(median([4, 1, 2, 3]), 2.5)\n\n\nif __name__ == '__main__':\n    unittest.main()\n",
        ),
    ];
    let (world, repo, failed) = task("make the test pass", &files, |_, _| {}).await;
    assert_eq!(failed, 1, "the file that does not exist");
    assert!(show(&world, &repo, "oz/median:median.py").contains("// 2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_conflict_is_resolved() {
    let files = [("greet.py", "def greet():\n    return 'hi'\n"), ("notes.md", "notes\n")];
    let (world, repo, _) = task("merge the feature branch", &files, |world, repo| {
        let dir = std::path::Path::new(repo);
        let commit = |text: &str, message: &str| {
            fs::write(dir.join("greet.py"), text).unwrap();
            world.git(dir, &["-c", "user.name=T", "-c", "user.email=t@localhost", "commit", "-qam", message]);
        };
        world.git(dir, &["checkout", "-q", "-b", "feature"]);
        commit("def greet(name):\n    return 'hi ' + name\n", "Greet by name");
        world.git(dir, &["checkout", "-q", "main"]);
        commit("def greet():\n    return 'hello'\n", "Be polite");
    })
    .await;
    let merged = show(&world, &repo, "oz/merge:greet.py");
    assert_eq!(merged, "def greet(name):\n    return 'hello ' + name\n");
    let parents = world.git(std::path::Path::new(&repo), &["log", "-1", "--format=%P", "oz/merge"]);
    assert_eq!(parents.split_whitespace().count(), 2, "it is a merge");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_runs_beside_the_work_and_ends_with_it() {
    let server = "import http.server, sys\n\n\nclass H(http.server.SimpleHTTPRequestHandler):\n    def do_GET(self):\n        \
                  self.send_response(500)\n        self.end_headers()\n        self.wfile.write(b'broken')\n\n    \
                  def log_message(self, *a):\n        print('served', self.path, flush=True)\n\n\n\
                  server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), H)\nopen('port', 'w').write(str(server.server_port))\n\
                  print('ready', flush=True)\nserver.serve_forever()\n";
    let files = [("server.py", server), (".gitignore", "port\n")];
    let (world, repo, _) = task("repair the server", &files, |_, _| {}).await;
    assert!(show(&world, &repo, "oz/server:server.py").contains("send_response(200)"));
    world.no_agents(Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_huge_file_is_searched_and_changed() {
    let files = [
        ("make.sh", "seq 1 4000000 | sed '3000000s/.*/level=DEBUG needle/' > big.log\n"),
        (".gitignore", "big.log\n"),
    ];
    let (world, repo, failed) = task("find the needle", &files, |_, _| {}).await;
    assert_eq!(failed, 1, "the edit of a file that is too large");
    assert_eq!(show(&world, &repo, "oz/needle:found.txt").trim(), "3000000:level=INFO needle");
}
