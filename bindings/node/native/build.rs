//! Tells the linker that Node brings Node-API, and to leave out what only a debugger reads: the whole server is in this
//! library, and unoptimised it would be some hundred megabytes more.

fn main() {
    napi_build::setup();
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,--strip-debug");
    }
}
