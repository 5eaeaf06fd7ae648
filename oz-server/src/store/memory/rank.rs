//! Which memories fit a query best, by the words that they share: BM25, where rare words weigh more, and long texts less.
//! Pure.

use std::collections::{HashMap, HashSet};

/// How soon repeating a word stops to count, and how much a long text is held against it.
const SATURATION: f64 = 1.2;
const LENGTH: f64 = 0.75;
/// How many different words of a query count.
const WORDS: usize = 256;
/// What is worse than this part of the best match is noise.
const FLOOR: f64 = 0.2;

/// Words that say nothing about what a text is about.
const COMMON: &[&str] = &[
    "a", "about", "all", "also", "an", "and", "any", "are", "as", "at", "be", "but", "by", "can", "do",
    "doe", "for", "from", "had", "has", "have", "how", "i", "if", "in", "into", "is", "it", "its", "me",
    "my", "no", "not", "of", "on", "or", "our", "please", "should", "so", "some", "that", "the", "their",
    "them", "then", "there", "these", "they", "thi", "to", "up", "us", "use", "was", "we", "were", "what",
    "when", "where", "which", "will", "with", "you", "your",
];

/// The places in `texts` of those that fit `query`, the best first and at most `most` of them. Of equals the first wins.
pub(super) fn rank(query: &str, texts: &[&str], most: usize) -> Vec<usize> {
    let mut seen = HashSet::new();
    let wanted: Vec<String> = words(query)
        .filter(|word| !COMMON.contains(&word.as_str()) && seen.insert(word.clone()))
        .take(WORDS)
        .collect();
    let counted: Vec<(HashMap<String, f64>, f64)> = texts.iter().map(|text| count(text)).collect();
    let total = to_float(texts.len());
    let average = counted.iter().map(|(_, length)| length).sum::<f64>() / total.max(1.0);
    let weights: Vec<(&str, f64)> = wanted
        .iter()
        .map(|word| {
            let having = to_float(counted.iter().filter(|(counts, _)| counts.contains_key(word)).count());
            (word.as_str(), (1.0 + (total - having + 0.5) / (having + 0.5)).ln())
        })
        .collect();
    let score = |(counts, length): &(HashMap<String, f64>, f64)| -> f64 {
        let of_word = |(word, weight): &(&str, f64)| {
            let times = counts.get(*word).copied().unwrap_or_default();
            let damping = SATURATION * (1.0 - LENGTH + LENGTH * length / average.max(1.0));
            weight * times * (SATURATION + 1.0) / (times + damping)
        };
        weights.iter().map(of_word).sum()
    };
    let mut scored: Vec<(usize, f64)> = counted.iter().map(score).enumerate().collect();
    scored.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let floor = scored.first().map_or(0.0, |(_, best)| best * FLOOR);
    scored
        .into_iter()
        .filter(|(_, score)| *score > 0.0 && *score >= floor)
        .map(|(i, _)| i)
        .take(most)
        .collect()
}

fn count(text: &str) -> (HashMap<String, f64>, f64) {
    let mut counts = HashMap::new();
    let mut length = 0.0;
    for word in words(text) {
        *counts.entry(word).or_insert(0.0) += 1.0;
        length += 1.0;
    }
    (counts, length)
}

/// The words of a text in small letters, without the s of a plural. Scripts without spaces count by character.
fn words(text: &str) -> impl Iterator<Item = String> {
    let parts = text.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    parts.flat_map(|part| {
        if part.chars().any(is_ideograph) {
            return part.chars().map(String::from).collect();
        }
        let word = part.to_lowercase();
        let plural = word.len() > 3 && word.ends_with('s') && !word.ends_with("ss");
        vec![if plural { word[..word.len() - 1].to_owned() } else { word }]
    })
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

#[expect(clippy::cast_precision_loss, reason = "there are never that many memories")]
fn to_float(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXTS: &[&str] = &[
        "Deployments go to staging first; production needs an approval from the on-call engineer.",
        "The user prefers tabs over spaces in Go code.",
        "Integration tests need a running PostgreSQL 15; start it with `make db`.",
        "The billing service is flaky on Mondays. The billing job runs at midnight.",
        "数据库的备份在每天晚上进行",
    ];

    #[test]
    fn the_table() {
        for (query, expected) in [
            ("why do the integration tests fail without postgresql?", &[2][..]),
            ("Deploy: DEPLOYMENTS to production", &[0]),
            ("billing", &[3]),
            ("what about the user's code style: tabs or spaces?", &[1]),
            ("数据库", &[4]),
            ("a job for the engineer", &[3, 0]),
            ("and of the", &[]),
            ("kubernetes", &[]),
            ("", &[]),
        ] {
            assert_eq!(rank(query, TEXTS, 8), expected, "{query}");
        }
        assert_eq!(rank("engineer job", TEXTS, 1).len(), 1);
        assert_eq!(rank("x", &[], 8), [0; 0]);
        assert_eq!(rank("same", &["same", "same"], 8), [0, 1], "the first of equals");
    }

    #[test]
    fn a_rare_word_weighs_more_and_a_faint_match_is_left_out() {
        let texts = ["build build build", "build the parser", "build the lexer", "build it"];
        assert_eq!(rank("build the parser", &texts, 8)[0], 1);
        let mut texts = vec!["deploy with the blue button on fridays after tests passed twice"];
        texts.extend(["deploy"; 40]);
        assert_eq!(rank("blue button fridays deploy", &texts, 8), [0]);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(query in "\\PC{0,40}", texts in proptest::collection::vec("\\PC{0,40}", 0..5)) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let ranked = rank(&query, &texts, 3);
            prop_assert!(ranked.len() <= 3 && ranked.iter().all(|i| *i < texts.len()));
        }
    }
}
