//! Groups whose own options are those of one of their commands: `oz schedule --name …` is `oz schedule create --name …`.

use clap::{Arg, ArgMatches, Command, Error, error::ErrorKind, parser::ValueSource};

/// Refuses options of the group itself where one of its commands follows: they would be ignored in silence.
pub(super) fn refuse_before_command(matches: &ArgMatches, group: &Command) -> Result<(), Error> {
    let given = |arg: &Arg| matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
    match group.get_arguments().find(|arg| given(arg)) {
        Some(arg) => {
            let name = match arg.get_long() {
                Some(long) => format!("--{long}"),
                None => arg.get_id().as_str().to_uppercase(),
            };
            Err(Error::raw(ErrorKind::ArgumentConflict, format!("{name} must stand after the command\n")))
        }
        None => Ok(()),
    }
}
