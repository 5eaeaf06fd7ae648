//! Keys by their names, as a terminal sends them. Pure.

/// The bytes of a key such as `Enter`, `Up`, `F5`, `Ctrl-C` or `Alt-x`.
///
/// # Errors
/// When there is no such key; the text names those that there are.
pub(crate) fn encode(name: &str, application_cursor: bool) -> Result<Vec<u8>, String> {
    let lower = name.to_ascii_lowercase().replace('+', "-");
    if let Some(key) = lower.strip_prefix("alt-").or_else(|| lower.strip_prefix("meta-")) {
        // The case of a letter counts here.
        let rest = &name[name.len() - key.len()..];
        let mut bytes = vec![0x1b];
        bytes.extend(encode(rest, application_cursor)?);
        return Ok(bytes);
    }
    let control = lower.strip_prefix("ctrl-").or_else(|| lower.strip_prefix("c-"));
    if let Some(key) = control {
        let code = match key.as_bytes() {
            [letter @ b'a'..=b'z'] => letter - b'a' + 1,
            b"@" | b"space" => 0,
            b"[" => 0x1b,
            b"\\" => 0x1c,
            b"]" => 0x1d,
            b"^" => 0x1e,
            b"_" | b"/" => 0x1f,
            _ => return Err(unknown(name)),
        };
        return Ok(vec![code]);
    }
    let introducer = if application_cursor { 'O' } else { '[' };
    let text = match lower.as_str() {
        "enter" | "return" => "\r".to_owned(),
        "tab" => "\t".to_owned(),
        "shift-tab" | "backtab" => "\x1b[Z".to_owned(),
        "escape" | "esc" => "\x1b".to_owned(),
        "space" => " ".to_owned(),
        "backspace" => "\x7f".to_owned(),
        "up" => format!("\x1b{introducer}A"),
        "down" => format!("\x1b{introducer}B"),
        "right" => format!("\x1b{introducer}C"),
        "left" => format!("\x1b{introducer}D"),
        "home" => format!("\x1b{introducer}H"),
        "end" => format!("\x1b{introducer}F"),
        "insert" => "\x1b[2~".to_owned(),
        "delete" => "\x1b[3~".to_owned(),
        "pageup" => "\x1b[5~".to_owned(),
        "pagedown" => "\x1b[6~".to_owned(),
        "f1" => "\x1bOP".to_owned(),
        "f2" => "\x1bOQ".to_owned(),
        "f3" => "\x1bOR".to_owned(),
        "f4" => "\x1bOS".to_owned(),
        "f5" => "\x1b[15~".to_owned(),
        "f6" => "\x1b[17~".to_owned(),
        "f7" => "\x1b[18~".to_owned(),
        "f8" => "\x1b[19~".to_owned(),
        "f9" => "\x1b[20~".to_owned(),
        "f10" => "\x1b[21~".to_owned(),
        "f11" => "\x1b[23~".to_owned(),
        "f12" => "\x1b[24~".to_owned(),
        _ if name.chars().count() == 1 => name.to_owned(),
        _ => return Err(unknown(name)),
    };
    Ok(text.into_bytes())
}

fn unknown(name: &str) -> String {
    format!(
        "keys: there is no key '{name}'; there are Enter, Tab, Shift-Tab, Escape, Space, Backspace, Delete, Insert, Up, \
         Down, Left, Right, Home, End, PageUp, PageDown, F1 to F12, Ctrl-A to Ctrl-Z, Alt-x and single characters"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_what_terminals_send() {
        for (name, bytes) in [
            ("Enter", "\r"),
            ("Escape", "\x1b"),
            ("Ctrl-C", "\x03"),
            ("ctrl+d", "\x04"),
            ("C-\\", "\x1c"),
            ("Up", "\x1b[A"),
            ("Alt-X", "\x1bX"),
            ("Alt-Enter", "\x1b\r"),
            ("é", "é"),
            ("-", "-"),
            ("F12", "\x1b[24~"),
        ] {
            assert_eq!(encode(name, false).unwrap(), bytes.as_bytes(), "{name}");
        }
        assert_eq!(encode("Up", true).unwrap(), b"\x1bOA");
        for name in ["", "Ctrl-", "Ctrl-éé", "F13", "hello", "Alt-"] {
            assert!(encode(name, false).unwrap_err().contains("there is no key"), "{name}");
        }
    }
}
