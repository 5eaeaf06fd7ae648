//! Wall clocks that a test sets: each server has one of its own, in a file that libfaketime reads whenever the server asks
//! for the time. They run on from where they are set; waiting and time-outs follow the machine's clock as ever.

use crate::{World, tools};
use oz_core::Timestamp;
use std::{fs, path::PathBuf, process::Command};

impl World {
    /// Sets the clock of a server: of `server`, or of `replica0`, `replica1`, ….
    pub fn set_clock(&self, server: &str, time: Timestamp) {
        let ahead = time.duration_since(Timestamp::now()).as_secs_f64();
        let (file, new) = (self.clock_file(server), self.clock_file(&format!("{server}.new")));
        fs::write(&new, format!("{ahead:+.6}\n")).expect("clock");
        // In one step: a server that asks meanwhile must not see half a number.
        fs::rename(new, file).expect("clock");
    }

    fn clock_file(&self, server: &str) -> PathBuf {
        self.path().join(format!("{server}.clock"))
    }

    /// Makes a program live by the clock of this name.
    pub(crate) fn give_clock(&self, command: &mut Command, server: &str, start: Timestamp) {
        if !self.clock_file(server).exists() {
            self.set_clock(server, start);
        }
        command
            .env("LD_PRELOAD", tools::libfaketime())
            .env("FAKETIME_TIMESTAMP_FILE", self.clock_file(server))
            .envs(
                ["FAKETIME_NO_CACHE", "FAKETIME_DONT_FAKE_MONOTONIC", "NO_FAKE_STAT"].map(|name| (name, "1")),
            )
            // The older name of the same.
            .env("DONT_FAKE_MONOTONIC", "1");
    }
}
