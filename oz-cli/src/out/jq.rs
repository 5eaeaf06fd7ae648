//! `--jq`: values as a filter makes them, in the language of jq.

use super::{line, one_line};
use crate::error::CliError;
use clap::Args;
use jaq_core::{
    Compiler, Ctx, Vars, data,
    load::{self, Arena, File, Loader},
};
use jaq_json::{Val, read};
use serde::Serialize;

/// A filter for what a command prints.
#[derive(Debug, Default, Args)]
pub(crate) struct JqArgs {
    /// Print what this filter, in the language of jq, makes of the JSON: a value a line
    #[arg(long, value_name = "FILTER", value_parser = readable)]
    jq: Option<String>,
}

impl JqArgs {
    /// Compiles the filter, if there is one; before anything is done, as a mistake in it should change nothing.
    pub(crate) fn compile(&self) -> Result<Filter, CliError> {
        let invalid = |code: &str, reason| CliError::new(format!("invalid jq filter `{code}`: {reason}"));
        let compiled = self.jq.as_deref().map(|code| compile(code).map_err(|reason| invalid(code, reason)));
        compiled.transpose().map(Filter)
    }
}

/// A filter that compiles: a mistake in it is one of the command line.
fn readable(code: &str) -> Result<String, String> {
    compile(code).map(|_| code.to_owned()).map_err(|reason| format!("invalid jq filter `{code}`: {reason}"))
}

/// A filter, or none.
pub(crate) struct Filter(Option<jaq_core::Filter<Data>>);

type Data = data::JustLut<Val>;

impl Filter {
    /// Whether there is one.
    pub(crate) fn is_given(&self) -> bool {
        self.0.is_some()
    }

    /// Prints what the filter makes of a value. `false` when there is no filter, and the value is yet to be printed.
    pub(crate) fn print<T: Serialize>(&self, value: &T) -> Result<bool, CliError> {
        self.each(value, line)
    }

    fn each<T: Serialize>(&self, value: &T, mut show: impl FnMut(Val)) -> Result<bool, CliError> {
        let Some(filter) = &self.0 else { return Ok(false) };
        let json = serde_json::to_vec(value).map_err(CliError::new)?;
        let input = read::parse_single(&json).map_err(CliError::new)?;
        let ctx = Ctx::<Data>::new(&filter.lut, Vars::new([]));
        for result in filter.id.run((ctx, input)) {
            match result.map_err(jaq_core::Exn::get_err) {
                Ok(value) => show(value),
                Err(Ok(e)) => {
                    let reason = one_line(&e.to_string(), 500);
                    return Err(CliError::new(format!("jq filter error: {reason}")));
                }
                // The filter has called `halt`.
                Err(Err(_)) => break,
            }
        }
        Ok(true)
    }
}

fn compile(code: &str) -> Result<jaq_core::Filter<Data>, String> {
    let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let funs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let arena = Arena::default();
    let modules = Loader::new(defs)
        .load(&arena, File { code, path: () })
        .map_err(|errors| first(errors.into_iter().map(|(_, error)| unreadable(error))))?;
    Compiler::default().with_funs(funs).compile(modules).map_err(|errors| {
        let undefined = errors.into_iter().flat_map(|(_, errors)| errors);
        first(undefined.map(|(name, kind)| format!("there is no {} '{name}'", kind.as_str())))
    })
}

fn first(mut reasons: impl Iterator<Item = String>) -> String {
    reasons.next().unwrap_or_else(|| "it can't be read".to_owned())
}

fn unreadable(error: load::Error<&str>) -> String {
    let expected = |what: &str, found: &str| match one_line(found.trim(), 40).as_str() {
        "" => format!("{what} is expected at its end"),
        found => format!("{what} is expected at `{found}`"),
    };
    match error {
        load::Error::Io(errors) => {
            first(errors.into_iter().map(|(path, reason)| format!("'{path}': {reason}")))
        }
        load::Error::Lex(errors) => {
            first(errors.into_iter().map(|(what, found)| expected(what.as_str(), found)))
        }
        load::Error::Parse(errors) => {
            first(errors.into_iter().map(|(what, found)| expected(what.as_str(), found)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn filtered(code: &str) -> (Vec<String>, Option<String>) {
        let mut shown = Vec::new();
        let value =
            json!({ "runs": [{ "id": "a", "n": 1.0 }, { "id": "b\u{1b}", "n": null }], "at": 1_772_438_400 });
        let filter = JqArgs { jq: Some(code.to_owned()) }.compile();
        let outcome = filter.and_then(|filter| filter.each(&value, |value| shown.push(value.to_string())));
        (shown, outcome.err().map(|e| e.to_string()))
    }

    #[test]
    fn every_result_is_a_line() {
        for (code, expected) in [
            (".runs[].id", &[r#""a""#, r#""b\u001b""#][..]),
            (".runs | length", &["2"]),
            (".runs[0]", &[r#"{"id":"a","n":1.0}"#]),
            (".runs | map(select(.n)) | map(.id) | join(\",\")", &[r#""a""#]),
            (".at | todate", &[r#""2026-03-02T08:00:00Z""#]),
            ("empty", &[]),
            ("1, halt, 2", &["1"]),
        ] {
            assert_eq!(filtered(code), (expected.iter().map(|&s| s.to_owned()).collect(), None), "{code}");
        }
    }

    #[test]
    fn mistakes_are_told() {
        let errors =
            [".[", ".runs | nope", ". as $x | $y", "if . then", "", ".runs[] | .id + 1", "include \"m\"; ."]
                .map(|code| filtered(code).1.unwrap_or_default());
        insta::assert_snapshot!(errors.join("\n"), @r#"
        Error: invalid jq filter `.[`: closing bracket is expected at its end
        Error: invalid jq filter `.runs | nope`: there is no filter 'nope'
        Error: invalid jq filter `. as $x | $y`: there is no variable '$y'
        Error: invalid jq filter `if . then`: term is expected at its end
        Error: invalid jq filter ``: term is expected at its end
        Error: jq filter error: cannot calculate "a" + 1
        Error: invalid jq filter `include "m"; .`: 'm': module loading not supported
        "#);
        assert_eq!(filtered("1, .runs.x").0, ["1"]);
    }

    #[test]
    fn without_a_filter_nothing_is_printed() {
        let filter = JqArgs::default().compile().unwrap();
        assert!(!filter.is_given() && !filter.print(&json!({})).unwrap());
    }
}
