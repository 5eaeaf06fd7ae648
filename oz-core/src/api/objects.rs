//! Requests about named objects that all have the same shape: saved prompts, runners and model services.

use super::Validate;
use crate::{
    Error, Timestamp,
    inference::EndpointConfig,
    open::open_enum,
    principal::{Principal, Scope},
};
use serde::{Deserialize, Serialize};

/// Declares a kind of object with its requests.
macro_rules! object {
    ($(#[$doc:meta])* $Name:ident $Config:ident; $what:literal $plural:literal
     $List:ident $Listed:ident $field:ident $Create:ident $Get:ident $Update:ident $Delete:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct $Name {
            /// Its id: 22 letters and digits.
            pub uid: String,
            /// What it is made of.
            pub config: $Config,
            /// Whose it is.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub scope: Option<Scope>,
            /// Who made it.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub creator: Option<Principal>,
            /// Who changed it last.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub last_editor: Option<Principal>,
            /// When it was made.
            pub created_at: Timestamp,
            /// When it last changed.
            pub last_updated: Timestamp,
            /// Counts its changes; send it back to change only what you have seen.
            pub revision: i64,
        }

        #[doc = concat!("List ", $plural, ".")]
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct $List {}
        impl Validate for $List {}

        #[doc = concat!("All ", $plural, " that the caller may see.")]
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct $Listed {
            /// By name.
            pub $field: Vec<$Name>,
        }

        #[doc = concat!("Make a ", $what, ".")]
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct $Create {
            /// What it is made of.
            pub config: $Config,
            /// Whether it belongs to the team (the default) or to its maker.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub team: Option<bool>,
        }
        impl Validate for $Create {
            fn validate(&self) -> Result<(), Error> {
                self.config.validate("config")
            }
        }

        #[doc = concat!("Replace what a ", $what, " is made of.")]
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct $Update {
            /// Which one.
            pub uid: String,
            /// What it is made of.
            pub config: $Config,
            /// The revision that the caller has seen; another one is refused with 409.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub revision: Option<i64>,
        }
        impl Validate for $Update {
            fn validate(&self) -> Result<(), Error> {
                self.config.validate("config")
            }
        }

        super::by_id! { uid: String;
            #[doc = concat!("Get a ", $what, ".")]
            $Get;
            #[doc = concat!("Delete a ", $what, ".")]
            $Delete;
        }
    };
}

object! {
    /// A prompt that is kept to be used again.
    SavedPrompt SavedPromptConfig; "saved prompt" "saved prompts"
    ListSavedPrompts SavedPromptList saved_prompts CreateSavedPrompt GetSavedPrompt UpdateSavedPrompt DeleteSavedPrompt
}

/// What a saved prompt is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SavedPromptConfig {
    /// Its name.
    pub name: String,
    /// What it is for; at most 240 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The prompt.
    pub prompt: String,
}

impl SavedPromptConfig {
    fn validate(&self, at: &str) -> Result<(), Error> {
        check(at, &self.name, self.description.as_deref())?;
        if self.prompt.trim().is_empty() || self.prompt.len() > super::MAX_PROMPT_BYTES {
            return Err(Error::invalid(format!("{at}.prompt: expected 1 byte to 1 MiB")));
        }
        Ok(())
    }
}

object! {
    /// What runs compute on.
    Runner RunnerConfig; "runner" "runners"
    ListRunners RunnerList runners CreateRunner GetRunner UpdateRunner DeleteRunner
}

open_enum! {
    /// The system of a runner.
    RunnerOs {
        /// Linux.
        Linux = "LINUX",
        /// macOS.
        MacOs = "MACOS",
    }
}

open_enum! {
    /// The processor of a runner.
    RunnerArch {
        /// 64-bit x86.
        X86_64 = "X86_64",
        /// 64-bit ARM.
        Aarch64 = "AARCH64",
    }
}

/// How much of a machine a runner is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InstanceShape {
    /// Processors.
    pub vcpus: u32,
    /// Memory, in GiB.
    pub memory_gb: u32,
}

/// What a runner is made of. A worker takes from it what its backend can do; a run's environment and the run itself
/// come before it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RunnerConfig {
    /// Its name.
    pub name: String,
    /// What it is for; at most 240 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Commands to run, in order, before those of the environment.
    #[serde(default)]
    pub setup_commands: Vec<String>,
    /// How much of a machine; as much as the worker has when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_shape: Option<InstanceShape>,
    /// The system; Linux when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os: Option<RunnerOs>,
    /// The processor; any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arch: Option<RunnerArch>,
    /// The image to run in, on Linux.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docker_image: Option<String>,
    /// The version of macOS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub macos_version: Option<String>,
}

impl RunnerConfig {
    fn validate(&self, at: &str) -> Result<(), Error> {
        check(at, &self.name, self.description.as_deref())?;
        if let Some(os) = &self.os {
            os.require_known(&format!("{at}.os"))?;
        }
        if let Some(arch) = &self.arch {
            arch.require_known(&format!("{at}.arch"))?;
        }
        let mac = self.os == Some(RunnerOs::MacOs);
        if self.macos_version.is_some() && !mac {
            return Err(Error::invalid(format!("{at}.macos_version: only a runner with macOS has one")));
        }
        if self.docker_image.is_some() && mac {
            return Err(Error::invalid(format!("{at}.docker_image: only a runner with Linux has one")));
        }
        if let Some(shape) = &self.instance_shape
            && (shape.vcpus == 0 || shape.memory_gb == 0)
        {
            return Err(Error::invalid(format!(
                "{at}.instance_shape: vcpus and memory_gb must be 1 or more"
            )));
        }
        Ok(())
    }
}

object! {
    /// A model service that the team's runs may use.
    ModelEndpoint EndpointConfig; "model service" "model services"
    ListModelEndpoints ModelEndpointList model_endpoints
    CreateModelEndpoint GetModelEndpoint UpdateModelEndpoint DeleteModelEndpoint
}

fn check(at: &str, name: &str, description: Option<&str>) -> Result<(), Error> {
    if name.trim().is_empty() || name.len() > 128 {
        return Err(Error::invalid_field(&format!("{at}.name"), name, "1 to 128 bytes"));
    }
    if let Some(text) = description.filter(|d| d.chars().count() > 240) {
        return Err(Error::invalid_field(&format!("{at}.description"), text, "at most 240 characters"));
    }
    Ok(())
}
