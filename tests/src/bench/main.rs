//! The benchmarks of `cargo xtask bench`. Each prints its figure beside a baseline that it measures in the same run,
//! because machines differ and are noisy; none asserts a time.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark may fail")]

mod agent;
mod dispatch;
mod harness;
mod http;
mod lifecycles;
mod lists;
mod memory;
mod server;
mod startup;
mod worker;

use std::{env, path::PathBuf};

/// One line of the report.
pub(crate) struct Figure {
    pub(crate) what: String,
    pub(crate) value: String,
    pub(crate) target: &'static str,
    pub(crate) met: Option<bool>,
}

impl Figure {
    pub(crate) fn new(
        what: impl Into<String>,
        value: impl Into<String>,
        target: &'static str,
        met: bool,
    ) -> Self {
        Self { what: what.into(), value: value.into(), target, met: Some(met) }
    }
    pub(crate) fn info(what: impl Into<String>, value: impl Into<String>) -> Self {
        Self { what: what.into(), value: value.into(), target: "", met: None }
    }
}

type Bench = fn(&tokio::runtime::Runtime) -> Vec<Figure>;

/// The `oz` binary to measure: `OZ_BIN`, or the one beside this program.
pub(crate) fn oz() -> PathBuf {
    env::var_os("OZ_BIN").map_or_else(|| env::current_exe().unwrap().with_file_name("oz"), PathBuf::from)
}

/// The value at `p` (0 to 1) of measurements, which it sorts.
pub(crate) fn percentile(values: &mut [f64], p: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index"
    )]
    let place = ((values.len() - 1) as f64 * p).round() as usize;
    values[place]
}

fn main() {
    let wanted: Vec<String> = env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let all: [(&str, Bench); 8] = [
        ("startup", |_| startup::run()),
        ("lifecycles", |rt| rt.block_on(lifecycles::run())),
        ("dispatch", |rt| rt.block_on(dispatch::run())),
        ("lists", |rt| rt.block_on(lists::run())),
        ("memory", |rt| rt.block_on(memory::run())),
        ("worker", |rt| rt.block_on(worker::run())),
        ("agent", |_| agent::run()),
        ("harness", harness::run),
    ];
    println!("| measured | figure | target | |\n|---|---|---|---|");
    for (name, bench) in all {
        if wanted.is_empty() || wanted.iter().any(|w| w == name) {
            for figure in bench(&runtime) {
                let verdict = figure.met.map_or("", |met| if met { "met" } else { "MISSED" });
                println!("| {} | {} | {} | {verdict} |", figure.what, figure.value, figure.target);
            }
        }
    }
}
