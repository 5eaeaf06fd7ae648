//! Lines of a file with their numbers. A file of any size is read piece by piece, and of no line more is kept than is
//! shown.

use oz_core::Redactor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    fmt::Write as _,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    time::{Duration, Instant},
};

/// How much of one line is shown.
const MAX_LINE: usize = 2000;
/// How much of one line is kept, so that a secret in what is shown is seen whole.
const MAX_KEPT: u64 = 16 << 10;
/// How long may be searched for lines.
const TIME: Duration = Duration::from_secs(20);
/// How far a file is read.
const MAX_READ: u64 = 16 << 30;
/// After how many lines it is looked at the clock.
const NOW_AND_THEN: u64 = 1 << 16;
/// How much is read at once.
const PIECE: usize = 256 << 10;

/// Lines from `start` to `end`, counted from 1, both included.
#[derive(Debug, Deserialize, Serialize, JsonSchema, Clone, Copy)]
#[serde(deny_unknown_fields)]
pub(super) struct Lines {
    pub(super) start: u64,
    pub(super) end: u64,
}

/// The wanted lines, all when none are named; at most about `room` bytes.
pub(super) fn read(file: File, wanted: &[Lines], room: usize, redactor: &Redactor) -> Result<String, String> {
    let failed = |e: io::Error| e.to_string();
    let mut reader = BufReader::with_capacity(PIECE, file.take(MAX_READ));
    if is_binary(reader.fill_buf().map_err(failed)?) {
        return Err("it is a binary file".to_owned());
    }
    let begun = Instant::now();
    let last = wanted.iter().map(|l| l.end).max().unwrap_or(u64::MAX);
    let is_wanted =
        |number: u64| wanted.is_empty() || wanted.iter().any(|l| (l.start..=l.end).contains(&number));
    let mut text = String::new();
    let (mut number, mut before) = (0, 0);
    while number < last {
        let keep = is_wanted(number + 1);
        if keep && text.len() >= room {
            if !reader.fill_buf().map_err(failed)?.is_empty() {
                let _ = writeln!(text, "[… cut at line {}; name lines to read on …]", number + 1);
            }
            return Ok(text);
        }
        let Some(Line { kept, length }) = line(&mut reader, keep).map_err(failed)? else { break };
        number += 1;
        if number % NOW_AND_THEN == 0 && begun.elapsed() > TIME {
            let seconds = TIME.as_secs();
            return Err(format!("the lines were not found within {seconds} s; use run_command"));
        }
        if !keep {
            continue;
        }
        if number != before + 1 && before != 0 {
            text.push_str("[…]\n");
        }
        before = number;
        let _ = writeln!(text, "{number}\t{}", shorten(&kept, length, redactor));
    }
    if text.is_empty() {
        text = match number {
            0 => "[the file is empty]\n".to_owned(),
            _ if number < last && !wanted.is_empty() => {
                format!("[there are no such lines; the file has {number}]\n")
            }
            _ => "[there are no such lines]\n".to_owned(),
        };
    }
    Ok(text)
}

/// Whether the beginning of a file is no text.
fn is_binary(beginning: &[u8]) -> bool {
    const LOOK: usize = 64 << 10;
    beginning[..beginning.len().min(LOOK)].contains(&0)
}

struct Line {
    /// Its beginning, when it is to be kept.
    kept: Vec<u8>,
    length: u64,
}

/// The next line.
fn line(reader: &mut impl BufRead, keep: bool) -> io::Result<Option<Line>> {
    let mut kept = Vec::new();
    if !keep {
        return Ok((reader.skip_until(b'\n')? > 0).then_some(Line { kept, length: 0 }));
    }
    if reader.by_ref().take(MAX_KEPT).read_until(b'\n', &mut kept)? == 0 {
        return Ok(None);
    }
    if kept.pop_if(|last| *last == b'\n').is_some() {
        return Ok(Some(Line { length: kept.len() as u64, kept }));
    }
    let rest = reader.skip_until(b'\n')?;
    Ok(Some(Line { length: (kept.len() + rest) as u64, kept }))
}

fn shorten(kept: &[u8], length: u64, redactor: &Redactor) -> String {
    let line = String::from_utf8_lossy(kept);
    // First, so that no part of a secret stands where the line is cut.
    let line = redactor.text(&line);
    let beyond = length - kept.len() as u64;
    if line.len() <= MAX_LINE && beyond == 0 {
        return line.into_owned();
    }
    let cut = line.floor_char_boundary(MAX_LINE);
    let more = (line.len() - cut) as u64 + beyond;
    format!("{}[… {more} bytes more in this line …]", &line[..cut])
}

/// The beginning of a file.
pub(super) fn beginning(file: &File, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}
