//! Packs the relocations of the programs where that works: a worker then keeps a tenth less in memory, as the kernel need not
//! read a table of a megabyte to start it.

use std::{env, process::Command};

/// The first version of the GNU C library that reads them.
const READS_PACKED: (u32, u32) = (2, 36);

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let variable = |name: &str| env::var(name).unwrap_or_default();
    let linux = variable("CARGO_CFG_TARGET_OS") == "linux";
    let reads_packed = match variable("CARGO_CFG_TARGET_ENV").as_str() {
        // Rust brings its own, which reads them.
        "musl" => true,
        "gnu" => variable("HOST") == variable("TARGET") && c_library().is_some_and(|v| v >= READS_PACKED),
        _ => false,
    };
    if linux && reads_packed {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// The version of this machine's GNU C library.
fn c_library() -> Option<(u32, u32)> {
    let out = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let text = String::from_utf8(out.stdout).ok()?;
    let (major, minor) = text.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
}
