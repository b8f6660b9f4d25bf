//! docs/machines.md shows what the transaction machines do: drawn by the tests of `ringback-transaction`, written here.

#[path = "../../../ringback-transaction/tests/it/machines/figures.rs"]
mod figures;
#[path = "../../../ringback-transaction/tests/it/machines/graph.rs"]
mod graph;
#[path = "../../../ringback-transaction/tests/it/machines/page.rs"]
mod page;

use std::fs;
use std::path::Path;

/// The page shows what the machines do. Set RINGBACK_WRITE_DOCS to write it anew.
#[test]
fn the_page_of_the_machines_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/machines.md");
    let wanted = page::page();
    if std::env::var_os("RINGBACK_WRITE_DOCS").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    let page = fs::read_to_string(&path).unwrap_or_default();
    assert!(page == wanted, "docs/machines.md: run this test with RINGBACK_WRITE_DOCS=1");
}
