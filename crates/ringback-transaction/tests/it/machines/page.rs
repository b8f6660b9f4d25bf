//! The page that shows the machines: a drawing and a table each.

use ringback_base::Transport;

use super::figures::{FIGURES, Figure};
use super::graph::{Machine, Row, START, TERMINATED, rows};

const HEAD: &str = "\
# The four machines

What `ringback-transaction` does, drawn by doing it: every input in every state that the layer reaches, over UDP, breadth first
from the first message, with codes from the ends and the middle of each class. The timers are those of T1 500 ms, T2 4 s and T4
5 s. Each row is an arrow of the RFC's figure, or says why it is not in it. The figures themselves stand above the machines in
`crates/ringback-transaction/src`.

The last column names the test that goes this way in virtual time, in `crates/ringback-transaction/tests/it`.

This page is made from the machines: `RINGBACK_WRITE_DOCS=1 cargo test -p ringback-server --test it machines_page` writes it anew.
";

/// docs/machines.md as it should be.
pub(crate) fn page() -> String {
    let mut page = HEAD.to_owned();
    for figure in &FIGURES {
        let rows = rows(figure.machine, Transport::Udp);
        page.push_str(&format!("\n## {}\n\n{}; tests in `{}.rs`.\n\n", figure.name, figure.source, figure.tests));
        page.push_str(&drawing(&rows));
        page.push_str(&table(figure, &rows));
        page.push_str(&withdrawn(figure));
        page.push_str(&without_effect(&rows));
        page.push_str(&given_up(&rows));
        page.push_str(&reliable(figure.machine, &rows));
    }
    page
}

fn drawing(rows: &[Row]) -> String {
    let end = |state: &str| if [START, TERMINATED].contains(&state) { "[*]".to_owned() } else { state.to_owned() };
    let line = |row: &Row| format!("    {} --> {}: {}\n", end(&row.from), end(&row.to), row.input.replace('.', ""));
    let is_drawn = |row: &&Row| !row.abandoned && !row.is_idle() && !is_refusal(row);
    let lines: String = rows.iter().filter(is_drawn).map(line).collect();
    format!("```mermaid\nstateDiagram-v2\n{lines}```\n\n")
}

fn is_refusal(row: &Row) -> bool {
    row.effects.iter().any(|effect| effect.starts_with("refused"))
}

fn table(figure: &Figure, rows: &[Row]) -> String {
    let is_shown = |row: &&Row| !row.abandoned && (!row.is_idle() || figure.arrow(row).is_some());
    let line = |row: &Row| {
        let standing = match (figure.arrow(row), figure.beside(row)) {
            (Some(arrow), _) => format!("yes; `{}`", arrow.test),
            (None, Some(beside)) => format!("no: {}", beside.why),
            (None, None) => "no".to_owned(),
        };
        format!("{} {standing} |\n", cells(row))
    };
    let lines: String = rows.iter().filter(is_shown).map(line).collect();
    format!("| from | on | to | does | in the figure |\n|---|---|---|---|---|\n{lines}\n")
}

fn cells(row: &Row) -> String {
    let does = if row.effects.is_empty() { "–".to_owned() } else { row.effects.join("; ") };
    format!("| {} | {} | {} | {does} |", row.from, row.input, row.to)
}

fn withdrawn(figure: &Figure) -> String {
    let mut text = String::new();
    for (arrow, why) in figure.withdrawn {
        text.push_str(&format!("- {}, {} → {}: {why}; `{}`.\n", arrow.from, arrow.input, arrow.to, arrow.test));
    }
    if text.is_empty() { text } else { format!("Of the figure's arrows these are taken back:\n\n{text}\n") }
}

/// One clause for each state.
fn without_effect(rows: &[Row]) -> String {
    let mut states: Vec<(&str, Vec<&str>)> = Vec::new();
    for row in rows.iter().filter(|row| !row.abandoned && row.is_idle()) {
        match states.iter_mut().find(|(state, _)| *state == row.from) {
            Some((_, inputs)) => inputs.push(&row.input),
            None => states.push((&row.from, vec![&row.input])),
        }
    }
    let clause = |(state, inputs): &(&str, Vec<&str>)| format!("in {state} on {}", inputs.join(", "));
    format!("Nothing happens {}.\n", states.iter().map(clause).collect::<Vec<_>>().join("; "))
}

fn given_up(rows: &[Row]) -> String {
    let as_before = |row: &Row| rows.contains(&Row { abandoned: false, ..row.clone() });
    let is_other = |row: &&Row| row.abandoned && !row.is_idle() && !as_before(row);
    let table = short_table(rows.iter().filter(is_other));
    if table.is_empty() { table } else { format!("\nGiven up by its TU, it differs in:\n\n{table}") }
}

fn reliable(machine: Machine, over_udp: &[Row]) -> String {
    let rows = rows(machine, Transport::Tcp);
    let is_other = |row: &&Row| !row.abandoned && !row.is_idle() && !over_udp.contains(row);
    let table = short_table(rows.iter().filter(is_other));
    format!(
        "\nOver a reliable transport no timer repeats a message, D, I, J and K are zero, and it differs in:\n\n{table}"
    )
}

fn short_table<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    let lines: String = rows.map(|row| cells(row) + "\n").collect();
    if lines.is_empty() { lines } else { format!("| from | on | to | does |\n|---|---|---|---|\n{lines}") }
}
