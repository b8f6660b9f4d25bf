//! `ringback man`: manual pages, made of the help.
//!
//! `clap_mangen` makes the sections that come of the arguments; what stands behind them in the help is set here, line by line as it
//! is there, because examples that are filled up to paragraphs can't be read.

use std::fs;
use std::io;
use std::path::Path;

use clap::{Arg, ArgAction, Command, CommandFactory as _};
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
    text.extend_from_slice(synopsis(command).as_bytes());
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text)?;
    }
    let more = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    text.extend_from_slice(sections(&more).as_bytes());
    Ok(Page { name: man.get_filename(), text })
}

/// The command with its flags and their values; `clap_mangen` leaves the values out.
fn synopsis(command: &Command) -> String {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let mut words = vec![format!("\\fB{}\\fR", escaped(name))];
    words.extend(command.get_opts().chain(command.get_arguments().filter(|arg| is_switch(arg))).map(flag));
    words.extend(command.get_positionals().map(|arg| {
        let value = values(arg);
        if arg.is_required_set() { value } else { format!("[{value}]") }
    }));
    if command.has_subcommands() {
        words.push("\\fICOMMAND\\fR".to_owned());
    }
    format!(".SH SYNOPSIS\n{}\n", words.join(" "))
}

fn is_switch(arg: &Arg) -> bool {
    !arg.is_positional() && !arg.get_action().takes_values()
}

fn flag(arg: &Arg) -> String {
    let short = arg.get_short().map(|letter| format!("\\fB\\-{letter}\\fR"));
    let long = arg.get_long().map(|name| format!("\\fB\\-\\-{}\\fR", escaped(name)));
    let names = short.into_iter().chain(long).collect::<Vec<_>>().join("|");
    let value = if arg.get_action().takes_values() { format!(" {}", values(arg)) } else { String::new() };
    let more = if matches!(arg.get_action(), ArgAction::Append) { "..." } else { "" };
    format!("[{names}{value}]{more}")
}

/// The names of an argument's values, or the values themselves where they are few and told.
fn values(arg: &Arg) -> String {
    let known = arg.get_possible_values();
    let is_told = !arg.is_hide_possible_values_set() && (1..=VALUES_MAX).contains(&known.len());
    if is_told {
        let names: Vec<_> = known.iter().map(|value| format!("\\fB{}\\fR", escaped(value.get_name()))).collect();
        return names.join("|");
    }
    let names = arg.get_value_names().unwrap_or_default();
    let names = names.iter().map(|name| format!("\\fI{}\\fR", escaped(name)));
    let more = if arg.is_positional() && matches!(arg.get_action(), ArgAction::Append) { "..." } else { "" };
    format!("{}{more}", names.collect::<Vec<_>>().join(" "))
}

/// The most values that a synopsis tells one by one.
const VALUES_MAX: usize = 5;

fn escaped(text: &str) -> String {
    text.replace('-', "\\-")
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
