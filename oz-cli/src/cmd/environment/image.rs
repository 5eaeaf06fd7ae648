//! `oz environment image`: the images that environments may use, and the choice of one.

use crate::{
    cli::Format,
    cmd::{Outcome, ask},
    error::CliError,
    out::environment::IMAGES,
};
use clap::Subcommand;
use oz_client::Client;
use oz_core::ErrorCode;

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum ImageCommand {
    /// List images to choose from: those of your environments, then well-known ones
    #[command(after_help = "Examples:\n  oz environment image list")]
    List,
}

pub(super) async fn run(client: &Client, command: &ImageCommand, format: Format) -> Outcome {
    let ImageCommand::List = command;
    let images = client.environments().images().await?.images;
    IMAGES.print(&images, &images, format)?;
    Ok(true)
}

/// What a person chose.
#[derive(Debug, PartialEq)]
pub(super) enum Choice {
    Image(String),
    NoImage,
}

impl Choice {
    pub(super) fn image(self) -> Option<String> {
        match self {
            Self::Image(image) => Some(image),
            Self::NoImage => None,
        }
    }
}

/// Lets a person choose an image; nobody to ask means none. `None` when they turn away.
pub(super) async fn choose(client: &Client) -> Result<Option<Choice>, CliError> {
    if !ask::is_possible() {
        return Ok(Some(Choice::NoImage));
    }
    let images = match client.environments().images().await {
        Ok(list) => list.images,
        // An older control plane has no list; every image can be named all the same.
        Err(e) if e.code() == Some(&ErrorCode::ResourceNotFound) => Vec::new(),
        Err(e) => return Err(e.into()),
    };
    let mut names: Vec<String> = images.into_iter().map(|image| image.image).collect();
    let count = names.len();
    names.push("Custom image".to_owned());
    names.push("None: agents run as processes of the worker's machine".to_owned());
    Ok(match ask::select("Which image do runs start in?", &names)? {
        Some(at) if at < count => Some(Choice::Image(names.swap_remove(at))),
        Some(at) if at == count => ask::text("Image, such as node:22: ")?.map(Choice::Image),
        Some(_) => Some(Choice::NoImage),
        None => None,
    })
}
