//! `ringback man`: manual pages, made of the help.
//!
//! `clap_mangen` makes the sections that come of the arguments; what stands behind them in the help is set here, line by line as it
//! is there, because examples that are filled up to paragraphs can't be read.

use std::fs;
use std::io;
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use ringback_server::ExitStatus;

use crate::args::Args;
use crate::failure::Failure;
use crate::output;

/// Prints the page of the whole, or writes all pages to a folder.
///
/// # Errors
/// Where that can't be done.
pub(crate) fn run(folder: Option<&Path>) -> Result<(), Failure> {
    let pages = pages().map_err(|error| Failure::new(ExitStatus::Internal, error))?;
    let Some(folder) = folder else {
        return pages.first().map_or(Ok(()), |page| output::print_raw(&page.text));
    };
    for page in &pages {
        let file = folder.join(&page.name);
        fs::write(&file, &page.text).map_err(|error| Failure::refused(format!("{}: {error}", file.display())))?;
    }
    output::print(&format!("{} pages written to {}\n", pages.len(), folder.display()))
}

struct Page {
    /// Of its file.
    name: String,
    text: Vec<u8>,
}

/// That of the whole first.
fn pages() -> io::Result<Vec<Page>> {
    let mut whole = Args::command().disable_help_subcommand(true);
    whole.build();
    let mut pages = Vec::new();
    let mut waiting = vec![whole];
    while let Some(command) = waiting.pop() {
        pages.push(page(&command)?);
        waiting.extend(command.get_subcommands().cloned());
    }
    Ok(pages)
}

fn page(command: &Command) -> io::Result<Page> {
    let man = Man::new(command.clone()).manual("Ringback").source(concat!("ringback ", env!("CARGO_PKG_VERSION")));
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text)?;
    }
    let more = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    text.extend_from_slice(sections(&more).as_bytes());
    Ok(Page { name: man.get_filename(), text })
}

/// What stands behind the options: a line that ends in a colon is a heading, and what is below it stays as it is.
fn sections(text: &str) -> String {
    let mut out = String::new();
    for block in text.split("\n\n") {
        match block.split_once('\n').and_then(|(first, rest)| Some((first.strip_suffix(':')?, rest))) {
            Some((heading, rest)) => {
                out.push_str(&format!(".SH {}\n.nf\n", heading.to_uppercase()));
                rest.lines().for_each(|line| out.push_str(&set(line)));
                out.push_str(".fi\n");
            }
            None => {
                out.push_str(".PP\n");
                block.lines().for_each(|line| out.push_str(&set(line)));
            }
        }
    }
    out
}

/// A line in which nothing is a command.
fn set(line: &str) -> String {
    let line = line.strip_prefix("  ").unwrap_or(line);
    let mut out = String::new();
    if line.starts_with(['.', '\'']) {
        out.push_str("\\&");
    }
    for c in line.chars() {
        match c {
            '\\' => out.push_str("\\e"),
            '-' => out.push_str("\\-"),
            '\'' => out.push_str("\\(aq"),
            '~' => out.push_str("\\(ti"),
            '^' => out.push_str("\\(ha"),
            '`' => out.push_str("\\(ga"),
            c => out.push(c),
        }
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_as_they_are() {
        let text = "Examples:\n  a 'b' --c\n  .d\\e  f\n\nNo heading.\n'x'";
        let wanted = ".SH EXAMPLES\n.nf\na \\(aqb\\(aq \\-\\-c\n\\&.d\\ee  f\n.fi\n.PP\nNo heading.\n\\&\\(aqx\\(aq\n";
        assert_eq!(sections(text), wanted);
    }
}
