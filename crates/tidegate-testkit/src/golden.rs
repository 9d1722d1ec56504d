//! Comparing a text with a file, and rewriting the file.

use std::fmt::Write as _;
use std::path::Path;

/// The variable that makes [`check`] rewrite files instead of comparing with them.
pub const UPDATE: &str = "UPDATE_GOLDEN";

/// Lines of agreement that are shown around a difference.
const CONTEXT: usize = 3;
/// Beyond this many pairs of lines no shortest difference is looked for.
const MAX_PAIRS: usize = 4_000_000;

/// Compares `actual` with the contents of the file at `path`; with `UPDATE_GOLDEN=1` writes it there.
///
/// A relative path starts at the folder of the crate whose test is running. Line ends count: a file
/// that a checkout has changed to CRLF differs.
///
/// # Panics
/// With the differing lines when the two differ, and when the file cannot be read or written.
#[track_caller]
pub fn check(path: impl AsRef<Path>, actual: &str) {
    let update = std::env::var_os(UPDATE).is_some_and(|value| !value.is_empty() && value != "0");
    if let Err(message) = compare(path.as_ref(), actual, update) {
        panic!("{message}");
    }
}

fn compare(path: &Path, actual: &str, update: bool) -> Result<(), String> {
    let shown = path.display();
    let expected = std::fs::read_to_string(path);
    if update {
        if expected.as_deref().is_ok_and(|expected| expected == actual) {
            return Ok(());
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .map_err(|e| format!("cannot create {}: {e}", folder.display()))?;
        }
        return std::fs::write(path, actual).map_err(|e| format!("cannot write {shown}: {e}"));
    }
    match expected {
        Ok(expected) if expected == actual => Ok(()),
        Ok(expected) => Err(format!(
            "{shown} differs (- the file, + this run); if the change is meant, run with {UPDATE}=1\n{}",
            diff(&expected, actual)
        )),
        Err(e) => Err(format!("cannot read {shown}: {e}; to write it, run with {UPDATE}=1\n{actual}")),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Both,
    Expected,
    Actual,
}

/// The differing lines with some lines around them, and the numbers at which each part begins.
fn diff(expected: &str, actual: &str) -> String {
    let old: Vec<&str> = expected.split_inclusive('\n').collect();
    let new: Vec<&str> = actual.split_inclusive('\n').collect();
    let lines = align(&old, &new);
    let near = |at: usize| {
        let from = at.saturating_sub(CONTEXT);
        let to = (at + CONTEXT + 1).min(lines.len());
        lines[from..to].iter().any(|(side, _)| *side != Side::Both)
    };
    let mut out = String::new();
    let (mut old_line, mut new_line, mut gap) = (1, 1, true);
    for (at, (side, text)) in lines.iter().enumerate() {
        if near(at) {
            if gap {
                let _ = writeln!(out, "@@ line {old_line} of the file, line {new_line} of this run");
            }
            let sign = match side {
                Side::Both => ' ',
                Side::Expected => '-',
                Side::Actual => '+',
            };
            // What the eye would not see is spelled out.
            let shown = text.strip_suffix('\n').unwrap_or(text).replace('\r', "\\r").replace('\t', "\\t");
            let end = if text.ends_with('\n') { "" } else { " (no newline at the end)" };
            let _ = writeln!(out, "{sign}{shown}{end}");
        }
        gap = !near(at);
        old_line += usize::from(*side != Side::Actual);
        new_line += usize::from(*side != Side::Expected);
    }
    out
}

/// Both texts as one sequence of lines, with as many of them in common as possible.
fn align<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<(Side, &'t str)> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[head..], &new[head..]);
    let tail = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old_mid, new_mid) = (&old_rest[..old_rest.len() - tail], &new_rest[..new_rest.len() - tail]);

    let mut lines: Vec<_> = old[..head].iter().map(|line| (Side::Both, *line)).collect();
    if old_mid.len().saturating_mul(new_mid.len()) > MAX_PAIRS {
        lines.extend(old_mid.iter().map(|line| (Side::Expected, *line)));
        lines.extend(new_mid.iter().map(|line| (Side::Actual, *line)));
    } else {
        align_middle(old_mid, new_mid, &mut lines);
    }
    lines.extend(old[old.len() - tail..].iter().map(|line| (Side::Both, *line)));
    lines
}

/// The longest common subsequence by the usual table, read from its top left corner.
fn align_middle<'t>(old: &[&'t str], new: &[&'t str], lines: &mut Vec<(Side, &'t str)>) {
    let width = new.len() + 1;
    let mut common = vec![0_u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i * width + j] = if old[i] == new[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push((Side::Both, old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len()
            || (i < old.len() && common[(i + 1) * width + j] >= common[i * width + j + 1])
        {
            lines.push((Side::Expected, old[i]));
            i += 1;
        } else {
            lines.push((Side::Actual, new[j]));
            j += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_shown_with_its_surroundings_only() {
        let expected = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let actual = expected.replace("5\n", "five\nV\n");
        let shown = "@@ line 2 of the file, line 2 of this run\n 2\n 3\n 4\n-5\n+five\n+V\n 6\n 7\n 8\n";
        assert_eq!(diff(expected, &actual), shown);
    }

    #[test]
    fn what_the_eye_would_not_see_is_spelled_out() {
        let shown = "@@ line 1 of the file, line 1 of this run\n-a\n+a\\r\n-b\n+b (no newline at the end)\n";
        let sorted = |text: &str| {
            let mut lines: Vec<_> = text.lines().map(String::from).collect();
            lines.sort();
            lines
        };
        assert_eq!(sorted(&diff("a\nb\n", "a\r\nb")), sorted(shown));
    }

    #[test]
    fn distant_differences_are_shown_apart() {
        let expected: String = (1..=40).map(|n| format!("{n}\n")).collect();
        let actual = expected.replace("\n5\n", "\nfive\n").replace("\n35\n", "\n");
        let shown = diff(&expected, &actual);
        assert_eq!(shown.matches("@@").count(), 2, "{shown}");
        assert!(shown.contains("@@ line 32 of the file, line 32 of this run"), "{shown}");
    }

    #[test]
    fn every_line_of_both_texts_is_in_the_alignment() {
        let old = ["a", "b", "c", "a", "b"];
        let new = ["c", "b", "a", "b", "d"];
        let lines = align(&old, &new);
        let of = |other: Side| -> Vec<&str> {
            lines.iter().filter(|(side, _)| *side != other).map(|(_, line)| *line).collect()
        };
        assert_eq!(of(Side::Actual), old);
        assert_eq!(of(Side::Expected), new);
    }

    #[test]
    fn a_missing_file_is_written_only_when_asked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/one.txt");
        assert!(compare(&path, "x\n", false).unwrap_err().contains("UPDATE_GOLDEN=1"));
        assert!(!path.exists());
        compare(&path, "x\n", true).unwrap();
        compare(&path, "x\n", false).unwrap();
        assert!(compare(&path, "y\n", false).unwrap_err().contains("-x\n+y\n"));
    }
}
