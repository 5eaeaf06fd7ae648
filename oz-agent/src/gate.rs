//! What an agent may do is decided here, once for all tools, before any of them does something.

use crate::tool::{Desk, Tool};
use oz_core::{
    Redactor,
    permission::{Ask, Leave, Permissions, Verdict, decide},
    request::{Answer, Decision, Request, RequestKind},
};
use serde_json::{Map, Value};
use std::sync::{Mutex, PoisonError};
use uuid::Uuid;

/// How many bytes of what is to be written go with the question whether it may.
const MAX_DETAIL: usize = 16 << 10;

/// The permissions of a run, and what a human added to them meanwhile.
#[derive(Debug)]
pub(crate) struct Gate {
    permissions: Permissions,
    leave: Mutex<Leave>,
}

impl Gate {
    pub(crate) fn new(permissions: Permissions) -> Self {
        Self { permissions, leave: Mutex::default() }
    }

    /// Whether a tool is of no use, because none of its calls would be allowed.
    pub(crate) fn bars(&self, tool: &dyn Tool, desk: &Desk) -> bool {
        let wholly = |ask: &Ask| matches!(ask, Ask::Web | Ask::Plan | Ask::Question | Ask::Computer);
        let denied = |ask: &Ask| matches!(decide(&self.permissions, ask), Verdict::Deny(_));
        tool.asks(desk, &Map::new()).iter().any(|ask| wholly(ask) && denied(ask))
    }

    /// What has to be asked of a human; or why it is denied.
    pub(crate) fn check(&self, asks: Vec<Ask>) -> Result<Open, String> {
        let mut open = Vec::new();
        for ask in asks {
            match decide(&self.permissions, &ask) {
                Verdict::Allow => {}
                Verdict::Deny(why) => return Err(format!("this is not permitted: {why}")),
                Verdict::Ask(_) if self.leave().covers(&ask) => {}
                Verdict::Ask(why) => open.push((ask, why)),
            }
        }
        Ok(Open(open))
    }

    /// Why the answer is no, if so; what it allows for longer is kept.
    pub(crate) fn settle(&self, open: &Open, answer: Answer) -> Option<String> {
        let Open(asks) = open;
        match answer.decision {
            Decision::Approve => {}
            Decision::ApproveAlways => asks.iter().for_each(|(ask, _)| self.leave().grant(ask)),
            _ => {
                let said = answer.text.filter(|text| !text.trim().is_empty());
                let said = said.map(|text| format!(": {text}")).unwrap_or_default();
                return Some(format!("this was not approved ({}){said}", open.reason()));
            }
        }
        // Who may write to a program once may go on.
        for (ask, _) in asks.iter().filter(|(ask, _)| matches!(ask, Ask::Interact { first: true, .. })) {
            self.leave().grant(ask);
        }
        None
    }

    fn leave(&self) -> std::sync::MutexGuard<'_, Leave> {
        self.leave.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What only a human can allow.
#[derive(Debug)]
pub(crate) struct Open(Vec<(Ask, String)>);

impl Open {
    /// Whether there is nothing to ask.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn reason(&self) -> String {
        self.0.iter().map(|(_, why)| why.as_str()).collect::<Vec<_>>().join("; ")
    }

    /// The question, about a call of a tool with `input`, of which `shown` is told anyway.
    pub(crate) fn request(
        &self,
        input: &Map<String, Value>,
        shown: &Map<String, Value>,
        redactor: &Redactor,
    ) -> Request {
        let title = self.0.iter().map(|(ask, _)| title(ask)).collect::<Vec<_>>().join("; ");
        Request {
            request_id: Uuid::now_v7(),
            kind: RequestKind::Approval,
            title: redactor.string(title),
            reason: Some(redactor.string(self.reason())),
            detail: redactor.map(detail(input, shown)),
            options: Vec::new(),
        }
    }
}

/// What is to be done, so that it can be judged: what is written stands beside what is shown of a call.
fn detail(input: &Map<String, Value>, shown: &Map<String, Value>) -> Map<String, Value> {
    let mut detail = shown.clone();
    for key in ["edits", "patch", "content"] {
        if let Some(value) = input.get(key).filter(|value| value.to_string().len() <= MAX_DETAIL) {
            detail.insert(key.to_owned(), value.clone());
        }
    }
    detail
}

/// What is wanted, in a line.
fn title(ask: &Ask) -> String {
    let list = |verb: &str, paths: &[std::path::PathBuf]| {
        let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        format!("{verb} {}", names.join(", "))
    };
    match ask {
        Ask::Read { paths } => list("Read", paths),
        Ask::Change { paths } => list("Change", paths),
        Ask::Execute { command, .. } => format!("Run: {}", command.lines().next().unwrap_or_default()),
        Ask::Interact { program, .. } => format!("Write to {program}"),
        Ask::Mcp { server, tool, .. } => format!("Call '{tool}' of the MCP server '{server}'"),
        Ask::Web => "Use the web".to_owned(),
        Ask::Plan => "Make a plan".to_owned(),
        Ask::Question => "Ask a question".to_owned(),
        Ask::Computer => "Use a screen".to_owned(),
    }
}
