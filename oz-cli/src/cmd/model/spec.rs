//! What `--model` of `oz model add` takes.

use oz_core::inference::{EndpointModel, ModelTier};

/// Reads `ID[,tier=genius|standard|efficient][,open][,input=USD,output=USD]`.
pub(super) fn model(text: &str) -> Result<EndpointModel, String> {
    let mut parts = text.split(',');
    let id = parts.next().unwrap_or_default().trim().to_owned();
    if id.is_empty() || id.contains('=') {
        return Err("expected the id of the model first".to_owned());
    }
    let mut model = EndpointModel { id, ..EndpointModel::default() };
    for part in parts.map(str::trim) {
        let (key, value) = part.split_once('=').map_or((part, None), |(key, value)| (key, Some(value)));
        let twice = match (key, value) {
            ("open", None) => std::mem::replace(&mut model.open, true),
            ("tier", Some(name)) => model.tier.replace(tier(name)?).is_some(),
            ("input", Some(price)) => model.input_usd_per_million.replace(usd(price)?).is_some(),
            ("output", Some(price)) => model.output_usd_per_million.replace(usd(price)?).is_some(),
            _ => {
                let known = "tier=genius|standard|efficient, open, input=USD and output=USD";
                return Err(format!("'{part}' is not one of {known}"));
            }
        };
        if twice {
            return Err(format!("'{key}' is there twice"));
        }
    }
    Ok(model)
}

fn tier(name: &str) -> Result<ModelTier, String> {
    let tier = ModelTier::from(name);
    if tier.is_known() {
        return Ok(tier);
    }
    Err(format!("the tier '{name}' is not one of {}", ModelTier::KNOWN.join(", ")))
}

/// A price for a million tokens.
fn usd(text: &str) -> Result<f64, String> {
    let number = text.trim_start_matches('$').parse::<f64>().ok();
    let price = number.filter(|price| price.is_finite() && *price >= 0.0);
    price.ok_or_else(|| format!("the price '{text}' is no amount of US dollars for a million tokens"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_read() {
        assert_eq!(model("a:8b").unwrap(), EndpointModel { id: "a:8b".into(), ..EndpointModel::default() });
        assert_eq!(
            model("a/b, tier=genius,open,input=0.5,output=$2").unwrap(),
            EndpointModel {
                id: "a/b".into(),
                tier: Some(ModelTier::Genius),
                open: true,
                input_usd_per_million: Some(0.5),
                output_usd_per_million: Some(2.0),
            }
        );
        let bad = [
            "",
            ",open",
            "tier=genius",
            "a,opne",
            "a,tier=best",
            "a,input=-1",
            "a,output=NaN",
            "a,open,open",
            "a,open=1",
        ];
        insta::assert_snapshot!(bad.map(|text| format!("{text:14} {}", model(text).unwrap_err())).join("\n"), @"
                       expected the id of the model first
        ,open          expected the id of the model first
        tier=genius    expected the id of the model first
        a,opne         'opne' is not one of tier=genius|standard|efficient, open, input=USD and output=USD
        a,tier=best    the tier 'best' is not one of genius, standard, efficient
        a,input=-1     the price '-1' is no amount of US dollars for a million tokens
        a,output=NaN   the price 'NaN' is no amount of US dollars for a million tokens
        a,open,open    'open' is there twice
        a,open=1       'open=1' is not one of tier=genius|standard|efficient, open, input=USD and output=USD
        ");
    }
}
