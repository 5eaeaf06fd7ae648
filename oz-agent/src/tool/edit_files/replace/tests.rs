use super::*;
use proptest::prelude::*;

proptest! {
    #[test]
    fn an_edit_is_replacen_exactly_when_there_is_one_place(text in "[ab\n]{0,30}", old in "[ab\n]{0,4}", new in "[abc]{0,4}") {
        let places = (0..text.len()).filter(|i| !old.is_empty() && text[*i..].starts_with(&old)).count();
        match once(&text, &old, &new) {
            Ok(Replaced { text: edited, ignored: None }) => {
                prop_assert_eq!(places, 1);
                prop_assert_eq!(edited, text.replacen(&old, &new, 1));
            }
            Ok(_) => prop_assert_eq!(places, 0),
            Err(_) => prop_assert!(places != 1 || old == new),
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "(?s)[ \t\r\n’'a-cé]{0,60}", old in "(?s)[ \t\r\n’'a-cé]{0,12}", new in "(?s).{0,6}") {
        let _ = once(&text, &old, &new);
    }

    #[test]
    fn a_lenient_edit_changes_only_the_lines_it_found(before in "[xy\n]{0,9}", after in "[xy\n]{0,9}", indent in " {0,5}") {
        let text = format!("{before}\n{indent}if a {{ \n{indent}  b();\t\n{indent}}}\n{after}");
        let edited = once(&text, "if a {\n  b();\n}\n", "if a {\n  c();\n\n}\n").unwrap().text;
        prop_assert_eq!(edited, format!("{before}\n{indent}if a {{\n{indent}  c();\n\n{indent}}}\n{after}"));
    }
}

#[test]
fn the_table_of_lenient_edits() {
    let ends = Leniency::Ends.ignores();
    let indentation = Leniency::Indentation.ignores();
    for (text, old, new, expected, ignored) in [
        // Line ends.
        ("a\r\nb\r\nc\r\n", "a\nb", "x\ny", "x\r\ny\r\nc\r\n", "line ends"),
        ("one two\r\nthree\r\n", "two\nthr", "2\n3", "one 2\r\n3ee\r\n", "line ends"),
        // White space at the ends of lines.
        ("a \nb\t\nc\n", "a\nb\n", "x\ny\n", "x\ny\nc\n", ends),
        ("a\nb\n", "a  \nb", "x", "x\n", ends),
        ("a \r\nb\r\n", "a\nb", "x\ny", "x\r\ny\r\n", ends),
        // Typographic characters, also within a line.
        ("say “hi” – now\n", "say \"hi\" -", "said", "said now\n", "typographic characters"),
        ("it's\n", "it’s", "it is", "it is\n", "typographic characters"),
        // Indentation.
        ("f {\n    a;\n    b;\n}\n", "a;\nb;", "c;\nd;", "f {\n    c;\n    d;\n}\n", indentation),
        (
            "f {\n  if x {\n    y\n  }\n}\n",
            "if x {\n  y\n}",
            "if z {\n  w\n}",
            "f {\n  if z {\n    w\n  }\n}\n",
            indentation,
        ),
        (
            "\tif x:\n\t\ty\n",
            "  if x:\n    y\n",
            "  if x:\n    y\n    if q:\n      z\n",
            "\tif x:\n\t\ty\n\t\tif q:\n\t\t\tz\n",
            indentation,
        ),
        ("a\n  b\nc\n", "      b", "      b2\n    c2", "a\n  b2\nc2\nc\n", indentation),
        ("  a\n  b", "a\nb", "x\ny", "  x\n  y", indentation),
        ("  a\n  b\n  c\n", "a\nb\n", "", "  c\n", indentation),
    ] {
        let replaced = once(text, old, new).unwrap_or_else(|e| panic!("{text:?} {old:?}: {e}"));
        assert_eq!(replaced.text, expected, "{text:?} {old:?} {new:?}");
        assert_eq!(replaced.ignored, Some(ignored), "{text:?} {old:?}");
    }
}

#[test]
fn what_is_not_certain_is_not_done() {
    for (text, old, expected) in [
        ("  a\nx\n    a\n", "a ", "2 times, ignoring indentation, at lines 1, 3"),
        ("a \nb\na \nb\n", "a\nb", "2 times, ignoring white space"),
        ("‘a’ “a”\n‘a’\n", "'a'", "2 times, ignoring typographic"),
        ("if x:\n    a\n  b\n", "  if x:\n  a\n  b", "but not by one rule"),
        ("\n\n", " ", "is not in the file; read it again"),
    ] {
        let error = once(text, old, "new").unwrap_err();
        assert!(error.contains(expected), "{text:?} {old:?}: {error}");
    }
}

#[test]
fn a_failure_says_why_and_where_it_comes_close() {
    let text = "fn a() {\n    one();\n    two();\n}\nfn b() {\n    one();\n}\n";
    for (old, expected) in [
        ("one();", "is in the file 2 times, at lines 2, 6; add lines"),
        (
            "fn b() {\n    one();\n    three();",
            "has 2 of its 3 lines:\n5\tfn b() {\n6\t    one();\n7\t}\n  you said:\t    three();",
        ),
        ("    twoo();", "most like it:\n3\t    two();\n  you said:\t    twoo();"),
        ("nothing like it", "is not in the file; read it again"),
        ("", "`old` is empty"),
    ] {
        let error = once(text, old, "x").unwrap_err();
        assert!(error.contains(expected), "{old:?}: {error}");
    }
    assert!(once("a", "a", "a").unwrap_err().contains("the same"));
    let many = once(&"x\n".repeat(9), "x", "y").unwrap_err();
    assert!(many.contains("more than once, at lines 1, 2, 3, 4, 5, …"), "{many}");
}
