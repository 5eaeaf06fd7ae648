use super::{super::hunk, *};
use proptest::prelude::*;

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(?s)(\\*\\*\\* (Begin Patch|End Patch|Add File: a|Update File: a|Move to: b|End of File)\n|[-+ @é]{0,3}[a-b]{0,2}\n){0,12}", file in "[ab \n]{0,20}") {
        for text in [text.clone(), format!("*** Begin Patch\n*** Update File: a\n{text}*** End Patch\n")] {
            for section in parse(&text).unwrap_or_default() {
                if let Action::Update { hunks, .. } = &section.action {
                    let _ = hunk::apply(&file, hunks);
                }
            }
        }
    }
}

fn wrapped(body: &str) -> String {
    format!("*** Begin Patch\n{body}*** End Patch\n")
}

#[test]
fn a_patch_says_what_becomes_of_each_file() {
    let text = wrapped(
        "*** Add File: a b.txt\n+one\n+\n*** Delete File: c\n*** Update File: d\n*** Move to: e\n@@ fn x\n@@ y {\n a\n-b\n+c\n\n@@\n+z\n*** End of File\n",
    );
    let sections = parse(&text).unwrap();
    assert_eq!(sections[0], Section { path: "a b.txt", action: Action::Add("one\n\n".into()) });
    assert_eq!(sections[1], Section { path: "c", action: Action::Delete });
    let Action::Update { to: Some("e"), hunks } = &sections[2].action else { panic!("{:?}", sections[2]) };
    assert_eq!(hunks[0].headers, ["fn x", "y {"]);
    assert_eq!(hunks[0].lines, [Line::Same("a"), Line::Old("b"), Line::New("c"), Line::Same("")]);
    assert!(hunks[1].at_end && hunks[1].lines == [Line::New("z")]);
    for (patch, expected) in [
        ("", "must begin with"),
        ("*** Begin Patch\n*** Delete File: a\n", "must end with"),
        (&wrapped(""), "changes no file"),
        (&wrapped("*** Add File: a\nx\n"), "line 3: each line of a file to add begins with `+`, not 'x'"),
        (&wrapped("*** Update File: a\n"), "line 2: nothing is to change in 'a'"),
        (&wrapped("*** Update File: a\n@@\n"), "line 3: nothing follows it"),
        (&wrapped("*** Update File: a\n*x\n"), "line 3: a line of a change begins with"),
        (&wrapped("*** Rename File: a\n"), "line 2: there must be"),
    ] {
        let error = parse(patch).unwrap_err();
        assert!(error.contains(expected), "{patch:?}: {error}");
    }
}

#[test]
fn changes_are_made_where_they_belong() {
    let text = "fn a() {\n    one();\n}\nfn b() {\n    one();\n}\n";
    for (body, expected) in [
        ("@@ fn b() {\n-    one();\n+    two();\n", Ok("fn a() {\n    one();\n}\nfn b() {\n    two();\n}\n")),
        (
            " fn a() {\n-    one();\n+    two();\n@@\n }\n+// end\n*** End of File\n",
            Ok("fn a() {\n    two();\n}\nfn b() {\n    one();\n}\n// end\n"),
        ),
        ("+last\n", Ok("fn a() {\n    one();\n}\nfn b() {\n    one();\n}\nlast\n")),
        (
            "@@ fn a() {\n+    zero();\n",
            Ok("fn a() {\n    zero();\n    one();\n}\nfn b() {\n    one();\n}\n"),
        ),
        ("@@\n fn b() {\n-  one();\n", Ok("fn a() {\n    one();\n}\nfn b() {\n}\n")),
        ("@@\n-fn b() {\n-one();\n+fn c() {\n+one();\n }\n", Err("not by one rule")),
        (
            "-  one();\n+  two();\n",
            Err("its lines are in the file 2 times, at lines 2, 5; add lines around them, or `@@`"),
        ),
        (
            "@@ fn b() {\n-one();\n+if x {\n+}\n",
            Ok("fn a() {\n    one();\n}\nfn b() {\n    if x {\n    }\n}\n"),
        ),
        ("@@ fn c() {\n-one();\n", Err("there is no line 'fn c() {' from line 1 on")),
        ("-three();\n", Err("its lines are not in the file")),
        (
            " fn b() {\n-    one();\n@@\n fn a() {\n-    one();\n",
            Err("only before line 6; changes stand in the order"),
        ),
    ] {
        let patch = wrapped(&format!("*** Update File: f\n{body}"));
        let sections = parse(&patch).unwrap();
        let Action::Update { hunks, .. } = &sections[0].action else { panic!("{sections:?}") };
        match (hunk::apply(text, hunks), expected) {
            (Ok(done), Ok(expected)) => assert_eq!(done.text, expected, "{body}"),
            (Err(error), Err(expected)) => assert!(error.contains(expected), "{body}: {error}"),
            (got, _) => panic!("{body}: {got:?}"),
        }
    }
    let crlf = wrapped("*** Update File: f\n a\n-b\n+c\n+d\n");
    let sections = parse(&crlf).unwrap();
    let Action::Update { hunks, .. } = &sections[0].action else { panic!("{sections:?}") };
    assert_eq!(hunk::apply("a\r\nb\r\n", hunks).unwrap().text, "a\r\nc\r\nd\r\n");
    assert_eq!(hunk::apply("a\nb", hunks).unwrap().text, "a\nc\nd", "the file did not end with a line end");
}
