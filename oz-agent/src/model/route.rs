//! What `auto` and its kin choose: a pure choice among what is offered.

use oz_core::{Error, inference::ModelTier};

/// A choice that is left to Oz.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Auto {
    Standard,
    Efficient,
    Genius,
    Open,
}

/// A model that may be chosen.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Offer {
    /// What chooses it by name.
    pub(super) id: String,
    tier: ModelTier,
    open: bool,
}

impl Offer {
    /// A model of a tier, `standard` when that is absent or not known, which is `open` or known to be so by its name.
    pub(super) fn new(id: &str, tier: Option<ModelTier>, open: bool) -> Self {
        let tier = tier.filter(ModelTier::is_known).unwrap_or(ModelTier::Standard);
        Self { id: id.to_owned(), tier, open: open || has_open_weights(id) }
    }
}

impl Auto {
    /// What a model's name leaves to Oz; `None` for one that names a model.
    ///
    /// # Errors
    /// `invalid_request` for a way to choose that there is not.
    pub(super) fn of(id: &str) -> Result<Option<Self>, Error> {
        match id {
            "" | "auto" => Ok(Some(Self::Standard)),
            "auto-efficient" => Ok(Some(Self::Efficient)),
            "auto-genius" => Ok(Some(Self::Genius)),
            "auto-open" => Ok(Some(Self::Open)),
            _ if id.starts_with("auto-") && !id.contains('/') => {
                let expected = "auto, auto-efficient, auto-genius, auto-open or the name of a model";
                Err(Error::invalid_field("model", id, expected))
            }
            _ => Ok(None),
        }
    }

    /// The tiers in the order in which they serve.
    fn tiers(self) -> [ModelTier; 3] {
        match self {
            Self::Standard | Self::Open => [ModelTier::Standard, ModelTier::Genius, ModelTier::Efficient],
            Self::Efficient => [ModelTier::Efficient, ModelTier::Standard, ModelTier::Genius],
            Self::Genius => [ModelTier::Genius, ModelTier::Standard, ModelTier::Efficient],
        }
    }

    /// Whether a model may be chosen at all.
    pub(super) fn allows(self, offer: &Offer) -> bool {
        self != Self::Open || offer.open
    }

    /// What serves, the best first: the offers of the best tier that has any, in their order. The first is chosen; the
    /// others go on when it is not available.
    pub(super) fn choose(self, offers: &[Offer]) -> Vec<&Offer> {
        let of = |tier: &ModelTier| -> Vec<&Offer> {
            offers.iter().filter(|offer| offer.tier == *tier && self.allows(offer)).collect()
        };
        self.tiers().iter().map(of).find(|found| !found.is_empty()).unwrap_or_default()
    }
}

/// The families whose models have open weights, by the beginning of their names.
const OPEN: &[&str] = &[
    "qwen",
    "qwq",
    "glm",
    "kimi",
    "llama",
    "codellama",
    "deepseek",
    "minimax",
    "gpt-oss",
    "mistral",
    "ministral",
    "mixtral",
    "codestral",
    "devstral",
    "gemma",
    "phi",
    "granite",
    "olmo",
    "nemotron",
    "starcoder",
];
/// Their members that are only sold: a beginning, and a word that follows.
const SOLD: &[(&str, &str)] =
    &[("qwen", "-max"), ("qwen", "-plus"), ("qwen", "-turbo"), ("mistral", "-medium")];

/// Whether a model is known to have open weights, by its name after whoever serves and made it.
fn has_open_weights(id: &str) -> bool {
    let name = id.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    OPEN.iter().any(|family| name.starts_with(family))
        && !SOLD.iter().any(|(family, word)| name.starts_with(family) && name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    const E: Option<ModelTier> = Some(ModelTier::Efficient);
    const S: Option<ModelTier> = Some(ModelTier::Standard);
    const G: Option<ModelTier> = Some(ModelTier::Genius);

    #[test]
    fn the_table() {
        let all = [
            Offer::new("team/small", E, false),
            Offer::new("team/plain", None, false),
            Offer::new("team/tuned", Some(ModelTier::Unknown("planetary".into())), true),
            Offer::new("anthropic/sonnet", S, false),
            Offer::new("anthropic/opus", G, false),
            Offer::new("ollama/qwen3-coder", S, false),
            Offer::new("openai/gpt-5-mini", E, false),
        ];
        let (small, big) = ([all[0].clone()], [all[0].clone(), all[4].clone()]);
        for (auto, offers, chosen) in [
            ("auto", &all[..], "team/plain team/tuned anthropic/sonnet ollama/qwen3-coder"),
            ("auto-efficient", &all, "team/small openai/gpt-5-mini"),
            ("auto-genius", &all, "anthropic/opus"),
            ("auto-open", &all, "team/tuned ollama/qwen3-coder"),
            ("auto", &small, "team/small"),
            ("auto", &big, "anthropic/opus"),
            ("auto-efficient", &all[3..6], "anthropic/sonnet ollama/qwen3-coder"),
            ("auto-genius", &small, "team/small"),
            ("auto-open", &big, ""),
            ("auto", &[], ""),
        ] {
            let auto = Auto::of(auto).unwrap().unwrap();
            let got: Vec<_> = auto.choose(offers).into_iter().map(|offer| offer.id.as_str()).collect();
            assert_eq!(got.join(" "), chosen, "{auto:?}");
        }
    }

    #[test]
    fn open_weights_are_known_by_name() {
        for id in [
            "qwen3-coder:30b",
            "router/Qwen/Qwen3-Coder-480B",
            "meta-llama/Llama-3.3-70B",
            "openai/gpt-oss-120b",
            "MiniMax-M2",
            "mistral-small",
        ] {
            assert!(has_open_weights(id), "{id}");
        }
        for id in ["gpt-5", "claude-sonnet-4-5", "router/qwen3-max", "mistral-medium-latest", "my-qwen", ""] {
            assert!(!has_open_weights(id), "{id}");
        }
    }

    #[test]
    fn a_way_to_choose_that_there_is_not_is_refused() {
        assert_eq!(Auto::of("automatic").unwrap(), None);
        assert_eq!(Auto::of("auto-service/m").unwrap(), None);
        let error = Auto::of("auto-opne").unwrap_err().detail;
        assert!(error.contains("'auto-opne' is not valid; expected auto, auto-efficient"), "{error}");
    }
}
