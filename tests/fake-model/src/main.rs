//! `fake-model`: the fake model as a program, for shells and benchmarks. It prints its address on standard output and
//! every violation on standard error, and runs until it is killed.

use fake_model::{Doors, Notice, Script, serve};
use serde_json::json;
use std::{fs, io::Write as _, process::ExitCode};
use tokio::net::TcpListener;

const USAGE: &str =
    "fake-model --script FILE.json [--listen HOST:PORT] [--open | --foreign KEY] [--record FILE]

FILE.json: {\"conversations\": [{\"match\": TEXT IN THE FIRST USER MESSAGE, \"turns\": [TURN…]}]}
TURN:      {\"text\": …, \"reasoning\": …, \"calls\": [[NAME, {ARGUMENTS}]…], \"tokens\": [READ, WRITTEN],
            \"pace\": MS PER EVENT, \"faults\": [FAULT…]}
FAULT:     \"cut\" \"reset\" \"overloaded\" \"too_long\" \"not_a_stream\" \"bad_arguments\"
           \"refused\" \"empty\" \"truncated\" \"no_pictures\"
           {\"status\": 503} {\"busy\": [429, SECONDS]} {\"silence\": MS} {\"stall\": MS}
--open:    ask for no key
--foreign: play for clients of others that have this key
--record:  write every request to a file, a JSON object per line";

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
    let mut record = None;
    let (mut listen, mut file, mut doors) = ("127.0.0.1:0".to_owned(), None, Doors::Keyed);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--listen" => listen = args.next().ok_or(USAGE)?,
            "--script" => file = Some(args.next().ok_or(USAGE)?),
            "--open" => doors = Doors::Open,
            "--foreign" => doors = Doors::Foreign(args.next().ok_or(USAGE)?),
            "--record" => record = Some(args.next().ok_or(USAGE)?),
            _ => return Err(USAGE.to_owned()),
        }
    }
    let file = file.ok_or(USAGE)?;
    let text = fs::read_to_string(&file).map_err(|e| format!("{file}: {e}"))?;
    let script = Script::from_json(&text).map_err(|e| format!("{file}: {e}"))?;
    let listener = TcpListener::bind(&listen).await.map_err(|e| format!("{listen}: {e}"))?;
    let address = listener.local_addr().map_err(|e| format!("{listen}: {e}"))?;
    let record = record.map(|to| fs::File::create(&to).map_err(|e| format!("{to}: {e}"))).transpose()?;
    println!("http://{address}");
    serve(listener, script, doors, move |notice| match notice {
        Notice::Violation(violation) => complain(&violation),
        Notice::Request(request) => {
            let line = json!({ "path": request.path, "aside": request.aside, "body": request.body });
            if let Some(Err(e)) = record.as_ref().map(|mut file| writeln!(file, "{line}")) {
                complain(&e.to_string());
            }
        }
    })
    .await;
    Ok(())
}

#[expect(clippy::print_stderr, reason = "this is what its user reads")]
fn complain(text: &str) {
    eprintln!("{text}");
}
