//! `oz dump-debug-info`: what a report of a bug needs: versions and places, and no secret.

use super::Outcome;
use crate::{
    cli::{Format, Global},
    connection, out, settings,
};
use oz_core::env;
use serde::Serialize;
use std::path::PathBuf;

/// What this program is and where it looks.
#[derive(Debug, Serialize)]
struct DebugInfo {
    version: &'static str,
    os: &'static str,
    arch: &'static str,
    executable: Option<PathBuf>,
    working_directory: Option<PathBuf>,
    login_file: Option<PathBuf>,
    data_directory: Option<PathBuf>,
    server_url: String,
    has_api_key: bool,
    /// Names alone: some of them hold keys.
    variables: Vec<&'static str>,
}

pub(crate) fn run(global: &Global) -> Outcome {
    let connection = connection::of(global);
    let info = DebugInfo {
        version: env!("CARGO_PKG_VERSION"),
        os: std::env::consts::OS,
        arch: std::env::consts::ARCH,
        executable: std::env::current_exe().ok(),
        working_directory: std::env::current_dir().ok(),
        login_file: settings::path().ok(),
        data_directory: settings::default_data_dir().ok(),
        server_url: without_credentials(&connection.server_url),
        has_api_key: connection.api_key.is_some(),
        variables: env::ALL.iter().map(|(name, _)| *name).filter(|name| is_set(name)).collect(),
    };
    if global.output_format.is_json() {
        out::json(global.output_format, &info)?;
    } else {
        out::line(text(&info, global.output_format));
    }
    Ok(true)
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some()
}

/// An address without user and password.
fn without_credentials(url: &str) -> String {
    let Ok(mut parsed) = url::Url::parse(url) else { return out::one_line(url, 200) };
    if parsed.username().is_empty() && parsed.password().is_none() {
        return url.to_owned();
    }
    let _ = parsed.set_username("");
    let _ = parsed.set_password(None);
    parsed.to_string()
}

fn text(info: &DebugInfo, format: Format) -> String {
    let path = |path: &Option<PathBuf>| path.as_ref().map_or("-".to_owned(), |p| p.display().to_string());
    let rows = [
        ("Version", info.version.to_owned()),
        ("Platform", format!("{} {}", info.os, info.arch)),
        ("Executable", path(&info.executable)),
        ("Working directory", path(&info.working_directory)),
        ("Login", path(&info.login_file)),
        ("Data", path(&info.data_directory)),
        ("Server", info.server_url.clone()),
        ("API key", if info.has_api_key { "yes" } else { "no" }.to_owned()),
        ("Variables", out::table::joined(info.variables.iter().copied())),
    ];
    if format == Format::Text {
        return rows.map(|(name, value)| format!("{name}\t{value}")).join("\n");
    }
    out::table::card(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_shows_places_and_no_secret() {
        let info = DebugInfo {
            version: "1.2.3",
            os: "linux",
            arch: "x86_64",
            executable: Some("/usr/bin/oz".into()),
            working_directory: None,
            login_file: Some("/home/me/.config/oz/login.json".into()),
            data_directory: Some("/home/me/.local/share/oz".into()),
            server_url: without_credentials("https://me:secret@oz.example.com/"),
            has_api_key: true,
            variables: vec!["OZ_API_KEY", "OZ_SERVER_URL"],
        };
        insta::assert_snapshot!(text(&info, Format::Pretty), @"
        Version           1.2.3
        Platform          linux x86_64
        Executable        /usr/bin/oz
        Working directory -
        Login             /home/me/.config/oz/login.json
        Data              /home/me/.local/share/oz
        Server            https://oz.example.com/
        API key           yes
        Variables         OZ_API_KEY, OZ_SERVER_URL
        ");
        assert_eq!(without_credentials("http://127.0.0.1:7700"), "http://127.0.0.1:7700");
    }
}
