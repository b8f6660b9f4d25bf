//! That no committed file tells where it was written: paths of the machine that a file was made on mean nothing elsewhere.

use crate::project::Project;
use crate::stages::Verdict;

/// Put together here, so that this file doesn't hold them.
const FORBIDDEN: &[&str] =
    &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/tmp/no", "tes"), concat!("/tmp/tar", "get-")];

/// The stage.
pub(crate) fn check(project: &Project) -> Verdict {
    let mut complaints = Vec::new();
    let files = match project.files() {
        Ok(files) => files,
        Err(fault) => return Verdict::Bad(vec![fault]),
    };
    for file in files {
        match project.text(&file) {
            Ok(text) => complaints.extend(found(&text).map(|(line, word)| format!("{file}:{line}: {word}"))),
            Err(fault) => complaints.push(fault),
        }
    }
    Verdict::of(complaints)
}

fn found(text: &str) -> impl Iterator<Item = (usize, &'static str)> + '_ {
    let lines = text.lines().enumerate();
    lines
        .flat_map(|(index, line)| FORBIDDEN.iter().filter(|word| is_in(line, word)).map(move |word| (index + 1, *word)))
}

/// Whether an absolute path begins with `word`: after a letter or the like it is a part of another path.
fn is_in(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line.split_at_checked(at).and_then(|(before, _)| before.chars().next_back());
        !before.is_some_and(|c| c.is_alphanumeric() || "_-.)}".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_paths_are_found_and_others_left_alone() {
        let text = "all\n see W/x and W\n target/wo".replace('W', FORBIDDEN.first().copied().unwrap_or_default());
        let text = format!("{text}rk/x\n(~{}{})", "/ro", "ot/");
        let lines: Vec<usize> = found(&text).map(|(line, _)| line).collect();
        assert_eq!(lines, [2, 4]);
    }
}
