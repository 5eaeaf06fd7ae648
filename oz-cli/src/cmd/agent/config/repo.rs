//! Repositories as they are named on the command line.

use oz_core::config::SourceRepo;

/// `URL` or `URL@REF`. An `@` before the path belongs to the address, as in `git@host:me/app` and `https://me@host/app`.
pub(in crate::cmd) fn repo(text: &str) -> SourceRepo {
    let path = match text.split_once("://") {
        Some((scheme, rest)) => rest.find('/').map(|slash| scheme.len() + 3 + slash),
        None => text.find([':', '/']),
    };
    // A path of this machine may have no slash at all.
    let path = path.unwrap_or(if text.contains("://") { text.len() } else { 0 });
    match text[path..].split_once('@') {
        Some((rest, reference)) if !reference.is_empty() => {
            SourceRepo { url: format!("{}{rest}", &text[..path]), checkout_ref: Some(reference.to_owned()) }
        }
        _ => SourceRepo { url: text.to_owned(), checkout_ref: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_told_from_addresses() {
        for (text, url, reference) in [
            ("https://github.com/me/app", "https://github.com/me/app", None),
            ("https://github.com/me/app@v1", "https://github.com/me/app", Some("v1")),
            ("https://github.com/me/app@fix/it", "https://github.com/me/app", Some("fix/it")),
            ("git@github.com:me/app.git", "git@github.com:me/app.git", None),
            ("git@github.com:me/app.git@main", "git@github.com:me/app.git", Some("main")),
            ("ssh://git@host/app", "ssh://git@host/app", None),
            ("https://me@host/app", "https://me@host/app", None),
            ("https://me:secret@host/app@main", "https://me:secret@host/app", Some("main")),
            ("https://me@host", "https://me@host", None),
            ("/srv/app", "/srv/app", None),
            ("app@main", "app", Some("main")),
            ("app@", "app@", None),
        ] {
            let got = repo(text);
            assert_eq!((got.url.as_str(), got.checkout_ref.as_deref()), (url, reference), "{text}");
        }
    }
}
