//! Amounts of memory, disk and processors, as Kubernetes writes them.

use serde_json::Value;

const SUFFIXES: &[&str] =
    &["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// Whether the API server takes this as a quantity.
pub(super) fn is_valid(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(end);
    let is_number = number.chars().any(|c| c.is_ascii_digit()) && number.matches('.').count() <= 1;
    let exponent = suffix.strip_prefix(['e', 'E']).map(|rest| rest.strip_prefix(['+', '-']).unwrap_or(rest));
    let is_exponent = exponent.is_some_and(|e| !e.is_empty() && e.chars().all(|c| c.is_ascii_digit()));
    is_number && (SUFFIXES.contains(&suffix) || is_exponent)
}

/// Checks the amounts of a ResourceRequirements; `path` is where it stands. Numbers become text, as the cluster answers
/// them.
///
/// # Errors
/// The path and value of the first that is wrong.
pub(super) fn check(resources: &mut Value, path: &str) -> Result<(), (String, String)> {
    for group in ["requests", "limits"] {
        let Some(amounts) = resources.get_mut(group).and_then(Value::as_object_mut) else { continue };
        for (name, amount) in amounts {
            if let Value::Number(number) = &*amount {
                *amount = Value::String(number.to_string());
            }
            match amount.as_str() {
                Some(text) if is_valid(text) => {}
                text => {
                    let value = text.map_or_else(|| amount.to_string(), str::to_owned);
                    return Err((format!("{path}.{group}.{name}"), value));
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn quantities_are_told_from_other_text() {
        for right in ["10Gi", "500m", "1", "0.5", "1e3", "2E", "12E-2", "+1", "128974848", "1."] {
            assert!(is_valid(right), "{right}");
        }
        for wrong in ["", "Gi", "10 Gi", "10GB", "ten", "1e", "1.2.3", ".", "1gi", "-"] {
            assert!(!is_valid(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_wrong_amount_is_named_by_its_path() {
        let mut resources = json!({ "requests": { "cpu": 2 }, "limits": { "memory": "4GB" } });
        let wrong = check(&mut resources, "containers[0].resources").unwrap_err();
        assert_eq!(wrong, ("containers[0].resources.limits.memory".into(), "4GB".into()));
        assert_eq!(resources["requests"]["cpu"], "2");
    }
}
