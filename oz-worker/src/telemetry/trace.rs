//! The trace of a run: one span for all of it, with what happened as events, and one below it for each stage. It holds
//! names, ids and reasons; texts of agents, which may hold secrets, never come here.

use opentelemetry::{
    Context, KeyValue,
    trace::{Status, TraceContextExt as _, Tracer as _},
};
use opentelemetry_sdk::trace::SdkTracer;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// The trace of a run, if there is one. Clones are of the same trace.
#[derive(Clone, Default)]
pub(crate) struct Trace(Option<Arc<Inner>>);

struct Inner {
    tracer: SdkTracer,
    whole: Context,
    stage: Mutex<Option<Context>>,
}

impl std::fmt::Debug for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Trace").field(&self.0.is_some()).finish()
    }
}

impl Trace {
    pub(super) fn begin(tracer: &SdkTracer, task_id: Uuid, title: &str) -> Self {
        let about =
            [KeyValue::new("task.id", task_id.to_string()), KeyValue::new("task.title", title.to_owned())];
        let span = tracer
            .span_builder("oz_worker.task")
            .with_attributes(about)
            .start_with_context(tracer, &Context::new());
        let inner =
            Inner { tracer: tracer.clone(), whole: Context::new().with_span(span), stage: Mutex::new(None) };
        Self(Some(Arc::new(inner)))
    }

    /// Something happened.
    pub(crate) fn event(&self, name: &'static str) {
        self.event_with(name, &[]);
    }

    /// Something happened, and more about it.
    pub(crate) fn event_with(&self, name: &'static str, about: &[(&'static str, &str)]) {
        if let Some(inner) = &self.0 {
            let about = about.iter().map(|(key, value)| KeyValue::new(*key, (*value).to_owned())).collect();
            inner.whole.span().add_event(name, about);
        }
    }

    /// A stage of the run begins, and the one before ends.
    pub(crate) fn stage(&self, name: &'static str) {
        if let Some(inner) = &self.0 {
            let span = inner.tracer.start_with_context(name, &inner.whole);
            inner.replace(Some(Context::new().with_span(span)));
        }
    }

    /// The stage ends.
    pub(crate) fn stage_ended(&self) {
        if let Some(inner) = &self.0 {
            inner.replace(None);
        }
    }

    /// The run failed.
    pub(crate) fn failed(&self, reason: &str) {
        self.event_with("task.failed", &[("reason", reason)]);
        if let Some(inner) = &self.0 {
            inner.whole.span().set_status(Status::error(reason.to_owned()));
        }
    }
}

impl Inner {
    fn replace(&self, next: Option<Context>) {
        let before = std::mem::replace(&mut *self.stage.lock().unwrap_or_else(PoisonError::into_inner), next);
        if let Some(before) = before {
            before.span().end();
        }
    }
}

/// The last of its clones ends the trace.
impl Drop for Inner {
    fn drop(&mut self) {
        self.replace(None);
        self.whole.span().end();
    }
}
