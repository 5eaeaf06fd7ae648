//! `fake-model`: the fake model as a program, for shells and benchmarks. It prints its address on standard output and
//! every violation on standard error, and runs until it is killed.

use fake_model::{Doors, Notice, Script, serve};
use std::{fs, process::ExitCode};
use tokio::net::TcpListener;

const USAGE: &str = "fake-model --script FILE.json [--listen HOST:PORT] [--open]

FILE.json: {\"conversations\": [{\"match\": TEXT IN THE FIRST USER MESSAGE, \"turns\": [TURN…]}]}
TURN:      {\"text\": …, \"reasoning\": …, \"calls\": [[NAME, {ARGUMENTS}]…], \"tokens\": [READ, WRITTEN],
            \"pace\": MS PER EVENT, \"faults\": [FAULT…]}
FAULT:     \"cut\" \"reset\" \"overloaded\" \"too_long\" \"not_a_stream\" \"bad_arguments\"
           {\"status\": 503} {\"busy\": [429, SECONDS]} {\"silence\": MS} {\"stall\": MS}
--open:    ask for no key";

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            complain(&e);
            ExitCode::from(2)
        }
    }
}

async fn run() -> Result<(), String> {
    let (mut listen, mut file, mut doors) = ("127.0.0.1:0".to_owned(), None, Doors::Keyed);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--listen" => listen = args.next().ok_or(USAGE)?,
            "--script" => file = Some(args.next().ok_or(USAGE)?),
            "--open" => doors = Doors::Open,
            _ => return Err(USAGE.to_owned()),
        }
    }
    let file = file.ok_or(USAGE)?;
    let text = fs::read_to_string(&file).map_err(|e| format!("{file}: {e}"))?;
    let script = Script::from_json(&text).map_err(|e| format!("{file}: {e}"))?;
    let listener = TcpListener::bind(&listen).await.map_err(|e| format!("{listen}: {e}"))?;
    let address = listener.local_addr().map_err(|e| format!("{listen}: {e}"))?;
    println!("http://{address}");
    serve(listener, script, doors, |notice| {
        if let Notice::Violation(violation) = notice {
            complain(&violation);
        }
    })
    .await;
    Ok(())
}

#[expect(clippy::print_stderr, reason = "this is what its user reads")]
fn complain(text: &str) {
    eprintln!("{text}");
}
