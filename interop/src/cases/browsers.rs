//! Pages of browsers: they register over WebSocket, call each other, and hear each other.

use std::time::Duration;

use serde_json::Value;

use crate::Fault;
use crate::browser::Browser;
use crate::place::{Place, named};
use crate::probe::free_port;
use crate::server::Account;
use crate::sipp::Figures;

/// From the start of the browser to the end of its last call.
const PAGE_MAX: Duration = Duration::from_secs(60);

/// Both libraries, each calling the other. Of the first call the caller hangs up, of the other the callee.
const PAIRS: [(&str, &str); 2] = [("jssip", "sipjs"), ("sipjs", "jssip")];

pub(super) fn by_ws(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let users = named(["alice", "bob"]);
    place.site.import(&users)?;
    let port = free_port()?;
    place.site.configuration = Some([listener(place), websocket(port, "ws")].concat());
    let server = place.site.start()?;
    calls(place, &users, &format!("ws://127.0.0.1:{port}/ws"), figures)?;
    server.stop()
}

pub(super) fn by_wss(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let users = named(["alice", "bob"]);
    place.site.import(&users)?;
    let port = free_port()?;
    place.site.configuration = Some([listener(place), websocket(port, "wss")].concat());
    place.site.flags = vec!["--tls-self-signed".to_owned()];
    let server = place.site.start()?;
    calls(place, &users, &format!("wss://127.0.0.1:{port}/ws"), figures)?;
    server.stop()
}

/// Where the server is without browsers.
fn listener(place: &Place) -> String {
    format!("[[listener]]\naddress = \"{}\"\n", place.site.address)
}

fn websocket(port: u16, transport: &str) -> String {
    format!("[[listener]]\naddress = \"127.0.0.1:{port}\"\ntransports = [\"{transport}\"]\n")
}

fn calls(place: &mut Place, users: &[Account; 2], url: &str, figures: &mut Figures) -> Result<(), Fault> {
    let [alice, bob] = users;
    let side = |library: &str, user: &Account| format!("{library}:{}:{}", user.name, user.password);
    let mut query = format!("domain={}", place.site.address);
    for (caller, callee) in PAIRS {
        query += &format!("&call={}%3E{}%3E{url}", side(caller, alice), side(callee, bob));
    }
    let told = Browser::start(&place.folder, &query)?.result(PAGE_MAX)?;
    let results = told.as_array().filter(|results| results.len() == PAIRS.len()).ok_or("the page told nonsense")?;
    for ((caller, callee), (result, hangs_up)) in PAIRS.iter().zip(results.iter().zip(["the caller", "the callee"])) {
        if result["ok"] != Value::Bool(true) {
            return Err(format!("{caller} calls {callee}: {}", result["fault"]));
        }
        let confirmed_ms = result["confirmedMs"].as_f64().unwrap_or_default();
        let heard = &result["stats"];
        place.note(format!(
            "{caller} calls {callee}: confirmed after {confirmed_ms} ms, hung up by {hangs_up}, heard: {heard}"
        ));
        figures.one_call(confirmed_ms / 1_000.0);
    }
    Ok(())
}
