//! Reads the file in which `setup_command` leaves variables for the agent. It expands nothing: a `$` is a `$`, so no
//! variable of the worker can get into an agent by accident.

use std::{iter::Peekable, str::Chars};

/// The variables in `text`, and what is wrong with it. `NAME=value` on each line; `export` may come first; values may
/// stand in single quotes, where nothing is special, or in double quotes, where `\n`, `\r`, `\t`, `\"`, `\\` and `\$`
/// are; quoted values may span lines; `#` begins a comment.
pub(super) fn parse(text: &str) -> (Vec<(String, String)>, Vec<String>) {
    let (mut variables, mut problems) = (Vec::new(), Vec::new());
    let mut reader = Reader { chars: text.trim_start_matches('\u{feff}').chars().peekable(), line: 1 };
    loop {
        reader.skip_while(char::is_whitespace);
        let line = reader.line;
        match reader.chars.peek() {
            None => return (variables, problems),
            Some('#') => reader.rest_of_line(),
            Some(_) => match reader.variable() {
                Ok(variable) => variables.push(variable),
                Err(problem) => {
                    problems.push(format!("line {line}: {problem}"));
                    reader.rest_of_line();
                }
            },
        }
    }
}

struct Reader<'a> {
    chars: Peekable<Chars<'a>>,
    line: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let next = self.chars.next();
        self.line += usize::from(next == Some('\n'));
        next
    }

    fn take_while(&mut self, check: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(c) = self.chars.next_if(|c| check(*c)) {
            self.line += usize::from(c == '\n');
            taken.push(c);
        }
        taken
    }

    fn skip_while(&mut self, check: impl Fn(char) -> bool) {
        self.take_while(check);
    }

    fn rest_of_line(&mut self) {
        self.skip_while(|c| c != '\n');
    }

    fn variable(&mut self) -> Result<(String, String), String> {
        let blank = |c| matches!(c, ' ' | '\t');
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
        let mut name = self.take_while(is_name);
        self.skip_while(blank);
        if name == "export" && self.chars.peek().is_some_and(|c| is_name(*c)) {
            name = self.take_while(is_name);
            self.skip_while(blank);
        }
        if name.is_empty()
            || name.starts_with(|c: char| c.is_ascii_digit())
            || self.chars.peek() != Some(&'=')
        {
            return Err("expected NAME=value".to_owned());
        }
        self.next();
        self.skip_while(blank);
        let value = match self.chars.peek() {
            Some('\'' | '"') => self.quoted()?,
            _ => self.bare(),
        };
        Ok((name, value))
    }

    fn bare(&mut self) -> String {
        let line = self.take_while(|c| c != '\n');
        let comment =
            line.char_indices().find(|(at, c)| *c == '#' && (*at == 0 || line[..*at].ends_with([' ', '\t'])));
        line[..comment.map_or(line.len(), |(at, _)| at)].trim_end().to_owned()
    }

    fn quoted(&mut self) -> Result<String, String> {
        let quote = self.next();
        let mut value = String::new();
        loop {
            match self.next() {
                None => return Err("a quote is not closed".to_owned()),
                c if c == quote => break,
                Some('\\') if quote == Some('"') => match self.next() {
                    Some('n') => value.push('\n'),
                    Some('r') => value.push('\r'),
                    Some('t') => value.push('\t'),
                    Some(c @ ('"' | '\\' | '$' | '`')) => value.push(c),
                    Some(c) => value.extend(['\\', c]),
                    None => return Err("a quote is not closed".to_owned()),
                },
                Some(c) => value.push(c),
            }
        }
        let rest = self.take_while(|c| c != '\n');
        let rest = rest.trim();
        if rest.is_empty() || rest.starts_with('#') {
            Ok(value)
        } else {
            Err("text follows the closing quote".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        for (text, name, value) in [
            ("A=1", "A", "1"),
            ("  export A = b c  # comment", "A", "b c"),
            ("A=a#b", "A", "a#b"),
            ("A=#b", "A", ""),
            ("A=", "A", ""),
            ("A=x\r\n", "A", "x"),
            ("A='it is $HOME \\n' # c", "A", "it is $HOME \\n"),
            (r#"A="a\tb\"c\\d\$e\x" "#, "A", "a\tb\"c\\d$e\\x"),
            ("A=\"one\ntwo\"", "A", "one\ntwo"),
            ("export=1", "export", "1"),
            ("# c\n\n_a.b=http://h/?x=y", "_a.b", "http://h/?x=y"),
        ] {
            assert_eq!(parse(text), (vec![(name.to_owned(), value.to_owned())], vec![]), "{text:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_the_rest_is_read() {
        let (variables, problems) = parse("A=1\nnonsense here\n1X=2\nB='x' y\nC=3\nD=\"open\n");
        assert_eq!(variables, [("A".to_owned(), "1".to_owned()), ("C".to_owned(), "3".to_owned())]);
        let lines: Vec<&str> = problems.iter().filter_map(|p| p.split(':').next()).collect();
        assert_eq!(lines, ["line 2", "line 3", "line 4", "line 6"]);
    }

    proptest::proptest! {
        #[test]
        fn any_value_survives_double_quotes(value in "\\PC*\n?\\PC*") {
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
            proptest::prop_assert_eq!(parse(&format!("A=\"{escaped}\"\n")).0, [("A".to_owned(), value)]);
        }
        #[test]
        fn any_text_is_read_to_its_end(text in "(?s).*") {
            let _ = parse(&text);
        }
    }
}
