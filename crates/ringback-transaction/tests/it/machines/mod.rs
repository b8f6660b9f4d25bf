//! The machines as graphs, drawn by playing them, beside the RFCs' figures.

mod figures;
mod graph;
mod page;

use ringback_base::Transport;

use figures::{Arrow, FIGURES};
use graph::{Machine, Row, TERMINATED, rows};

/// What is never started over a reliable transport, or is zero there.
const DATAGRAMS_ONLY: [&str; 7] = ["Timer A", "Timer E", "Timer G", "Timer D", "Timer I", "Timer J", "Timer K"];

/// The states whose only way on is a timer that is zero over a reliable transport.
fn has_no_time(machine: Machine, state: &str) -> bool {
    match machine {
        Machine::InviteServer => state == "Confirmed",
        _ => matches!(state, "Completed" | "Expired"),
    }
}

/// The page of the documentation shows what they are.
#[test]
fn the_page_of_the_machines_is_up_to_date() {
    let (page, wanted) = (include_str!("../../../../../docs/machines.md"), page::page());
    let differ = page.lines().zip(wanted.lines()).find(|(page, wanted)| page != wanted);
    assert_eq!(differ, None, "docs/machines.md: the page says how it is written anew");
    assert_eq!(page.len(), wanted.len(), "docs/machines.md: the page says how it is written anew");
}

#[test]
fn every_arrow_of_the_figures_is_there_over_datagrams() {
    for figure in &FIGURES {
        let rows = rows(figure.machine, Transport::Udp);
        let is_there = |arrow: &Arrow| rows.iter().any(|row| !row.abandoned && arrow.is(row, arrow.to));
        for arrow in figure.arrows {
            assert!(is_there(arrow), "{}: {} {} {}", figure.name, arrow.from, arrow.input, arrow.to);
        }
        for (arrow, _) in figure.withdrawn {
            assert!(!is_there(arrow), "{}: {} {} {}", figure.name, arrow.from, arrow.input, arrow.to);
        }
    }
}

#[test]
fn every_arrow_of_the_figures_is_there_over_a_reliable_transport_or_has_no_time_to_be() {
    for figure in &FIGURES {
        let rows = rows(figure.machine, Transport::Tcp);
        assert!(!rows.iter().any(|row| DATAGRAMS_ONLY.contains(&row.input.as_str())), "{}", figure.name);
        for arrow in figure.arrows {
            if DATAGRAMS_ONLY.contains(&arrow.input) || has_no_time(figure.machine, arrow.from) {
                continue;
            }
            let to = if has_no_time(figure.machine, arrow.to) { TERMINATED } else { arrow.to };
            let is_there = rows.iter().any(|row| !row.abandoned && arrow.is(row, to));
            assert!(is_there, "{}: {} {} {to}", figure.name, arrow.from, arrow.input);
        }
    }
}

/// And no reason is left over.
#[test]
fn what_the_figures_lack_has_a_reason() {
    for figure in &FIGURES {
        let rows: Vec<Row> = rows(figure.machine, Transport::Udp);
        let rows = rows.iter().filter(|row| !row.abandoned && !row.is_idle()).collect::<Vec<_>>();
        for row in &rows {
            assert!(figure.arrow(row).is_some() != figure.beside(row).is_some(), "{}: {row:?}", figure.name);
        }
        for beside in figure.beside {
            let is_it = |row: &&&Row| row.from == beside.from && row.input == beside.input;
            assert_eq!(rows.iter().filter(is_it).count(), 1, "{}: {} {}", figure.name, beside.from, beside.input);
        }
    }
}

/// Whatever code of its class, whatever interval of a timer: the same is done.
#[test]
fn an_input_does_one_thing_in_one_state() {
    for figure in &FIGURES {
        for transport in [Transport::Udp, Transport::Tcp] {
            let rows = rows(figure.machine, transport);
            for row in &rows {
                let key = |row: &Row| (row.from.clone(), row.input.clone(), row.abandoned);
                // Before the first response there is nothing to repeat.
                let may_be_silent = figure.machine == Machine::InviteServer
                    && (row.from.as_str(), row.input.as_str()) == ("Proceeding", "Request");
                let ways = if may_be_silent { 2 } else { 1 };
                assert_eq!(rows.iter().filter(|other| key(other) == key(row)).count(), ways, "{row:?}");
            }
        }
    }
}

#[test]
fn every_arrow_has_a_test_in_virtual_time() {
    let sources = [
        ("invite_client", include_str!("../invite_client.rs")),
        ("non_invite_client", include_str!("../non_invite_client.rs")),
        ("invite_server", include_str!("../invite_server.rs")),
        ("non_invite_server", include_str!("../non_invite_server.rs")),
    ];
    for figure in &FIGURES {
        let (_, source) = sources.iter().find(|(name, _)| *name == figure.tests).unwrap();
        for arrow in figure.arrows.iter().chain(figure.withdrawn.iter().map(|(arrow, _)| arrow)) {
            assert!(source.contains(&format!("#[test]\nfn {}()", arrow.test)), "{}", arrow.test);
        }
    }
}
