//! The tables of the manual are those of the registries.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use ringback::message::RequestCarry;
use ringback::prelude::*;
use ringback::registry::Source;
use ringback::status::{Carry, Class, registry};
use ringback::ua::{Outcome, blame};

const HOW: &str =
    "<!-- Made from the registry: RINGBACK_WRITE_DOCS=1 cargo test -p ringback --test it pages writes it anew. -->\n\n";

#[test]
fn the_table_of_codes_is_up_to_date() {
    compare("codes.md", &codes());
}

#[test]
fn the_table_of_methods_is_up_to_date() {
    compare("methods.md", &methods());
}

#[test]
fn the_table_of_outcomes_is_up_to_date() {
    compare("outcomes.md", &outcomes());
}

/// The page says what the registry says. Set RINGBACK_WRITE_DOCS to write it anew.
fn compare(name: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("manual").join(name);
    if std::env::var_os("RINGBACK_WRITE_DOCS").is_some() {
        fs::write(&path, wanted).unwrap();
    }
    let page = fs::read_to_string(&path).unwrap_or_default();
    let differ = page.lines().zip(wanted.lines()).find(|(page, wanted)| page != wanted);
    assert_eq!(differ, None, "manual/{name}: run this test with RINGBACK_WRITE_DOCS=1");
    assert_eq!(page.len(), wanted.len(), "manual/{name}: run this test with RINGBACK_WRITE_DOCS=1");
}

fn codes() -> String {
    let mut page = format!(
        "All response codes: what each says, who may send it, what it carries, and what its receiver does.\n\n{HOW}\
         A header field behind **must** is one without which the builder refuses the response, where it can tell whether the condition\n\
         holds; **should** names what is recommended, or makes the response of use. What every response carries is not repeated: Via,\n\
         From, To with a tag (but in a 100), Call-ID and CSeq. A code that is not here is treated as the x00 of its class, or as 183.\n\
         `[RFC 3261, Section 8.1.3.2]`\n"
    );
    let classes = [
        Class::Provisional,
        Class::Success,
        Class::Redirection,
        Class::RequestFailure,
        Class::ServerFailure,
        Class::GlobalFailure,
    ];
    for class in classes {
        let digit = registry().iter().find(|row| row.class == class).map_or(0, |row| row.code.as_u16() / 100);
        let _ = write!(
            page,
            "\n# {digit}xx: {}\n\n| code | says | sent by | carries | its receiver | section |\n|---|---|---|---|---|---|\n",
            class.name()
        );
        for row in registry().iter().filter(|row| row.class == class) {
            let unregistered = if row.registered { "" } else { " (not registered)" };
            let also: String = row.also.iter().map(|source| format!("; {}", source.as_str())).collect();
            let carries = [list("must", row.must), list("should", row.should), list("may", row.may)];
            let carries: Vec<String> = carries.into_iter().flatten().collect();
            let _ = writeln!(
                page,
                "| {} {}{unregistered} | {} | {} | {} | {} | RFC {}, Section {}{also} |",
                row.code,
                row.phrase,
                cell(row.meaning),
                row.generated_by,
                carries.join("; "),
                cell(row.client_text),
                row.rfc,
                row.section,
            );
        }
    }
    page
}

/// `**must** Contact (opens a dialog), Record-Route (…)`
fn list(verb: &str, carries: &[Carry]) -> Option<String> {
    let one = |carry: &Carry| match carry.is_unconditional() {
        true => carry.header.to_string(),
        false => format!("{} ({})", carry.header, cell(&carry.when.to_string())),
    };
    let names: Vec<String> = carries.iter().map(one).collect();
    (!names.is_empty()).then(|| format!("**{verb}** {}", names.join(", ")))
}

fn methods() -> String {
    let mut page = format!(
        "# Methods\n\n{HOW}\
         Every request carries Via, From, To, Call-ID, CSeq and Max-Forwards; the table says what it carries besides.\n\n\
         | method | meaning | carries | makes a dialog | outside of one | inside one | section |\n|---|---|---|---|---|---|---|\n"
    );
    let yes = |is: bool| if is { "yes" } else { "no" };
    for method in Method::REGISTERED {
        let info = method.info().expect("a row for each registered method");
        let one = |carry: &RequestCarry| match carry.when {
            None => carry.header.to_string(),
            Some(when) => format!("{} ({})", carry.header, cell(when)),
        };
        let carries: Vec<String> = info.must.iter().map(one).collect();
        let source = |source: &Source| source.as_str().to_owned();
        let sections: Vec<String> = std::iter::once(&info.source).chain(info.also).map(source).collect();
        let _ = writeln!(
            page,
            "| {method} | {} | {} | {} | {} | {} | {} |",
            cell(info.meaning),
            carries.join(", "),
            yes(info.forms_dialog),
            yes(info.outside_dialog),
            yes(info.inside_dialog),
            sections.join("; "),
        );
    }
    page
}

fn outcomes() -> String {
    let mut page = format!(
        "# Each code\n\n{HOW}\
         What an INVITE that requires 100rel, outside of a dialog, is to do after each response, if that carries what it should; and whom\n\
         it is to be laid to, most likely.\n\n\
         | code | what is to be done | in one word | laid to |\n|---|---|---|---|\n"
    );
    let invite = RequestBuilder::new(Method::Invite, "sip:bob@biloxi.example.com")
        .via("client.atlanta.example.com", "TCP", Some("z9hG4bK74bf9dac1"))
        .from("Alice", "sip:alice@atlanta.example.com", Some("9fxced76sl"))
        .to("Bob", "sip:bob@biloxi.example.com", None)
        .call_id("3848276298220188511@atlanta.example.com")
        .cseq(1, Method::Invite)
        .contact("sip:alice@client.atlanta.example.com", None)
        .header(Require::new(["100rel"]))
        .build()
        .expect("an INVITE");
    for row in registry().iter().filter(|row| row.registered) {
        let unconditional = row.must.iter().chain(row.should).filter(|carry| carry.is_unconditional());
        let response = unconditional.fold(Response::to(&invite, row.code).to_tag("1"), |response, carry| {
            response.raw(carry.header, sample(carry.header))
        });
        let response = Response::check(response.build_unchecked().expect("a response")).expect("a response");
        let outcome = Outcome::of(&invite, &response);
        let action = format!("{:?}", outcome.action());
        let whom = blame(row.code).name();
        let _ = writeln!(page, "| {} {} | {} | {action} | {whom} |", row.code, row.phrase, cell(&outcome.to_string()));
    }
    page
}

/// A value of each header field that some code carries under all conditions.
fn sample(header: HeaderId) -> &'static str {
    match header {
        HeaderId::Contact => "<sip:bob@mobile.example.com>",
        HeaderId::WwwAuthenticate | HeaderId::ProxyAuthenticate => {
            r#"Digest realm="atlanta.example.com", nonce="f84f""#
        }
        HeaderId::Unsupported | HeaderId::Require => "100rel",
        HeaderId::MinSe | HeaderId::MinExpires | HeaderId::Expires => "600",
        HeaderId::Reason => "SIP;cause=486",
        HeaderId::Allow => "OPTIONS",
        HeaderId::AlertMsgError | HeaderId::GeolocationError => "100",
        HeaderId::SecurityServer => "digest",
        HeaderId::RecvInfo => "foo",
        HeaderId::PermissionMissing => "<sip:carol@chicago.example.com>",
        other => panic!("no sample of {other}"),
    }
}

/// A bar would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}
