//! How long files may be. Files that are longer than they should be stand in `xtask/large-files.txt` as `LINES PATH`,
//! with their size as their ceiling, so that the list can only shrink.

use super::{File, Violation};

/// Lines of a Rust file that no file may exceed.
const MAX: usize = 800;
/// Lines above which a file must be listed.
const LARGE: usize = 400;
const LIST: &str = "xtask/large-files.txt";

/// Checks the length of every Rust file, and the list.
pub(super) fn check(files: &[File]) -> Vec<Violation> {
    let list = files.iter().find(|f| f.path == LIST).map_or("", |f| &f.text);
    let mut wrong = Vec::new();
    for file in files.iter().filter(|f| f.path.ends_with(".rs")) {
        let lines = file.text.lines().count();
        let mut say = |advice: String| wrong.push(Violation::new(&file.path, lines, "size", advice));
        if lines > MAX {
            say(format!("no file has more than {MAX} lines; split it by noun"));
        } else if lines > ceiling(list, &file.path).unwrap_or(LARGE) {
            say(format!("split it by noun; a file above {LARGE} lines stands in {LIST} and may only shrink"));
        }
    }
    for (i, entry) in list.lines().enumerate() {
        let listed = entry.split_once(' ').and_then(|(n, path)| Some((n.parse::<usize>().ok()?, path)));
        let found = listed.and_then(|(_, path)| files.iter().find(|f| f.path == path));
        let lines = found.map_or(0, |f| f.text.lines().count());
        let advice = match listed {
            None => "an entry is `LINES PATH`".to_owned(),
            Some((_, path)) if lines <= LARGE => format!("remove the entry: {path} is no longer large"),
            Some((ceiling, path)) if lines < ceiling => format!("lower the ceiling of {path} to {lines}"),
            Some(_) => continue,
        };
        wrong.push(Violation::new(LIST, i + 1, "size", advice));
    }
    wrong
}

fn ceiling(list: &str, path: &str) -> Option<usize> {
    let (lines, _) = list.lines().filter_map(|l| l.split_once(' ')).find(|(_, p)| *p == path)?;
    lines.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(lines: usize, list: &str) -> Vec<String> {
        let file = |path: &str, text: String| File { path: path.to_owned(), text };
        let files = [
            file("a/b.rs", "x\n".repeat(lines)),
            file("a/c.md", "x\n".repeat(9999)),
            file(LIST, list.to_owned()),
        ];
        check(&files).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn files_stay_small_and_the_list_of_large_ones_shrinks() {
        assert!(told(400, "").is_empty());
        assert!(told(401, "")[0].starts_with("a/b.rs:401: size: split it"));
        assert!(told(450, "450 a/b.rs\n").is_empty());
        assert!(told(451, "450 a/b.rs\n")[0].contains("may only shrink"));
        assert!(told(801, "801 a/b.rs\n")[0].contains("no file has more than 800"));
        assert_eq!(
            told(449, "450 a/b.rs\n"),
            ["xtask/large-files.txt:1: size: lower the ceiling of a/b.rs to 449"]
        );
        assert!(told(300, "450 a/b.rs\n")[0].contains("remove the entry"));
        assert!(told(1, "450 gone.rs\n")[0].contains("remove the entry"));
        assert!(told(1, "many a/b.rs\n")[0].contains("`LINES PATH`"));
    }
}
