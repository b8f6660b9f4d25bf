//! What our builder makes, read by two programs that others wrote: tshark, and a parser that is strict.
//!
//! A message for each registered code with what it must carry, one for each method, one with each typed header field, what
//! the examples print, and what the manual shows. Tshark's expert says what it finds odd; `judge.c` says what Sofia-SIP reads, which must be what we read.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use ringback_capture::PcapWriter;
use ringback_message::header::facts::Where;
use ringback_message::header::{ToOwnedText, TypedHeader, is_typed};
use ringback_message::status::registry;
use ringback_message::{BuildError, HeaderId, Message, Method, Request, RequestBuilder, Response, StatusCode};

use crate::peer::SOFIA_SIP;
use crate::place::Place;
use crate::process::{Guarded, command, output};
use crate::sipp::Figures;
use crate::{Fault, doing};

/// The program that is compiled against Sofia-SIP.
const JUDGE: &str = include_str!("../../judge.c");
/// A value for each header field that has a type and is not in every message anyhow.
const SAMPLES: &str = include_str!("judges.txt");
/// How long a compiler, a judge or an example may take.
const RUN_MAX: Duration = Duration::from_secs(120);
/// How long the doc tests of the manual may take, the time to compile them included.
const MANUAL_MAX: Duration = Duration::from_secs(600);
/// Fewer messages than the manual has: that none is lost on the way.
const MANUAL_MESSAGES_MIN: usize = 42;
/// What tshark says and is wrong to, and why.
const WRONG_OF_TSHARK: &[(&str, &str)] = &[
    ("Unrecognised SIP header (alertmsg-error)", "RFC 8876 is younger than its table"),
    ("Unrecognised SIP header (content-id)", "RFC 8262 is younger than its table"),
    ("Unrecognised SIP header (p-private-network-indication)", "RFC 7316 is missing from its table"),
    ("Unrecognised SIP header (refer-events-at)", "RFC 7614 is missing from its table"),
    ("Unrecognised SIP header (example-desk)", "the manual's own, which shows how such a one is made"),
    (
        "Invalid retry_after value",
        "it takes digits alone, and not the comment and parameters of RFC 3261, Section 20.33",
    ),
];

/// A message, and what it stands for.
struct Exhibit {
    name: String,
    message: Message,
}

pub(super) fn judges(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let began = Instant::now();
    let mut exhibits = codes()?;
    exhibits.extend(methods()?);
    exhibits.extend(fields()?);
    let built = exhibits.len();
    exhibits.extend(examples(&place.folder)?);
    let shown = exhibits.len();
    exhibits.extend(manual(&place.folder)?);
    let complaints = [sofia(&place.folder, &exhibits)?, tshark(&place.folder, &exhibits)?].concat();
    place.note(format!(
        "{built} messages of the builder, {} of the examples and {} of the manual",
        shown - built,
        exhibits.len() - shown
    ));
    figures.one_call(began.elapsed().as_secs_f64());
    if complaints.is_empty() { Ok(()) } else { Err(complaints.join("\n    ")) }
}

/// Every registered code: built, and given whatever the builder says it lacks, until there is nothing.
fn codes() -> Result<Vec<Exhibit>, Fault> {
    let invite = request(Method::Invite).build().map_err(|error| error.to_string())?;
    let code = |code: StatusCode| {
        let mut given: Vec<HeaderId> = Vec::new();
        loop {
            let builder = given.iter().try_fold(Response::to(&invite, code).to_tag("t1"), |builder, id| {
                Ok::<_, Fault>(builder.header(sample(*id)?))
            })?;
            match builder.build() {
                Ok(response) => return Ok(Exhibit { name: format!("{code}"), message: response.into_message() }),
                Err(BuildError::Missing { header, .. }) if given.len() < 8 => {
                    given.push(HeaderId::from_name(header.as_bytes()));
                }
                Err(error) => return Err(format!("{code}: {error}")),
            }
        }
    };
    registry().iter().map(|info| code(info.code)).collect()
}

/// Every registered method, with what it must carry.
fn methods() -> Result<Vec<Exhibit>, Fault> {
    let method = |method: &Method| {
        let built = whole(method, None)?.build().map_err(|error| format!("{method}: {error}"))?;
        Ok(Exhibit { name: method.to_string(), message: built.into_message() })
    };
    Method::REGISTERED.iter().map(method).collect()
}

/// A request with what its method must carry, but for this.
fn whole(method: &Method, without: Option<HeaderId>) -> Result<RequestBuilder, Fault> {
    let must = method.info().map(|info| info.must).unwrap_or_default();
    let is_due = |id: HeaderId| id != HeaderId::Contact && Some(id) != without;
    let fields = must.iter().filter(|carry| carry.when.is_none() && is_due(carry.header));
    fields.into_iter().try_fold(request(method.clone()), |builder, carry| Ok(builder.header(sample(carry.header)?)))
}

/// Every typed header field that a message needn't have, where it may stand: read from its sample and written by its type.
fn fields() -> Result<Vec<Exhibit>, Fault> {
    let invite = request(Method::Invite).supported_tags(vec!["100rel".to_owned()]);
    let invite = invite.build().map_err(|error| error.to_string())?;
    let field = |id: HeaderId| {
        let facts = id.facts().ok_or_else(|| format!("{id} is not registered"))?;
        let in_response = facts.place == Where::Responses;
        // OPTIONS, where it may stand in that.
        let fits = |method: &&Method| {
            !matches!(method, Method::Ack | Method::Cancel) && facts.may_stand(!in_response, Some(method))
        };
        let method = [&Method::Options].into_iter().chain(Method::REGISTERED).find(fits);
        let method = method.cloned().ok_or_else(|| format!("{id}: no method takes it"))?;
        let fault = |error: BuildError| format!("{id}: {error}");
        let message = if in_response {
            let asked;
            let builder = if id == HeaderId::RSeq {
                let reliable = Response::to(&invite, StatusCode::SessionProgress).header(sample(HeaderId::Require)?);
                reliable.contact("sip:bob@biloxi.example.com", None)
            } else {
                asked = whole(&method, None)?.build().map_err(fault)?;
                let makes_a_dialog = matches!(asked.method(), Method::Refer | Method::Subscribe);
                let builder = Response::to(&asked, StatusCode::Ok);
                if makes_a_dialog { builder.contact("sip:bob@biloxi.example.com", None) } else { builder }
            };
            builder.to_tag("t1").header(sample(id)?).build().map_err(fault)?.into_message()
        } else {
            whole(&method, Some(id))?.header(sample(id)?).build().map_err(fault)?.into_message()
        };
        Ok(Exhibit { name: id.to_string(), message })
    };
    HeaderId::all().filter(|id| is_typed(*id) && !is_in_all(*id)).map(field).collect()
}

/// What every message here has, or what follows from its body.
fn is_in_all(id: HeaderId) -> bool {
    use HeaderId::{CSeq, CallId, ContentLength, ContentType, From, MaxForwards, To, Via};
    [Via, From, To, CallId, CSeq, MaxForwards, ContentLength, ContentType].contains(&id)
}

fn request(method: Method) -> RequestBuilder {
    // A REGISTER goes to a domain; some requests are sent inside a dialog only.
    let uri = if method == Method::Register { "sip:biloxi.example.com" } else { "sip:bob@biloxi.example.com" };
    let to_tag = method.info().filter(|info| !info.outside_dialog).map(|_| "a6c85cf");
    let builder = RequestBuilder::new(method.clone(), uri)
        .via("pc33.atlanta.example.com", "UDP", Some("z9hG4bK776asdhds"))
        .from("Alice", "sip:alice@atlanta.example.com", Some("1928301774"))
        .to("Bob", "sip:bob@biloxi.example.com", to_tag)
        .call_id("a84b4c76e66710@pc33.atlanta.example.com")
        .cseq(314_159, method.clone());
    let has_contact = method.info().is_some_and(|info| info.must.iter().any(|carry| carry.header == HeaderId::Contact));
    let builder = if has_contact { builder.contact("sip:alice@pc33.atlanta.example.com", None) } else { builder };
    if method == Method::Message { builder.content_type("text/plain").body("Watson, come here.") } else { builder }
}

/// The sample of a header field, by its type.
fn sample(id: HeaderId) -> Result<TypedHeader, Fault> {
    let line = SAMPLES
        .lines()
        .find(|line| line.split(':').next().is_some_and(|name| HeaderId::from_name(name.as_bytes()) == id));
    let line = line.ok_or_else(|| format!("judges.txt has no {id}"))?;
    let message = Message::parse(Bytes::from(format!("OPTIONS sip:a SIP/2.0\r\n{line}\r\n\r\n")));
    let message = message.map_err(|rejected| format!("judges.txt: {line}: {rejected}"))?;
    let header = message.first(id).ok_or_else(|| format!("judges.txt: {line}"))?;
    let values = header.typed().map_err(|error| format!("judges.txt: {line}: {error}"))?;
    values.first().map(ToOwnedText::to_owned_text).ok_or_else(|| format!("judges.txt: {line}: no value"))
}

/// What each example of the crate `ringback` prints.
fn examples(folder: &Path) -> Result<Vec<Exhibit>, Fault> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let manifest = root.join("crates/ringback/Cargo.toml");
    let manifest = doing(|| "reading the list of examples".to_owned(), fs::read_to_string(manifest))?;
    // Those that are run as tests print what they make; the others serve until they are stopped.
    let sections = manifest.split("[[example]]").skip(1).filter(|section| section.contains("test = true"));
    let mut names: Vec<&str> = sections.filter_map(|section| section.split('"').nth(1)).collect();
    names.sort_unstable();
    let mut exhibits = Vec::new();
    for name in names {
        let mut cargo = command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(root).args(["run", "--quiet", "--package", "ringback", "--example", name]);
        let said = output(&mut cargo, RUN_MAX)?;
        if !said.status.success() {
            return Err(format!("example {name}: {}", String::from_utf8_lossy(&said.stderr).trim()));
        }
        let file = folder.join(format!("{name}.sip"));
        doing(|| format!("writing {}", file.display()), fs::write(&file, &said.stdout))?;
        let mut rest = Bytes::from(said.stdout);
        while rest.windows(8).any(|window| window == b" SIP/2.0" || window == b"SIP/2.0 ") {
            let message = Message::parse(rest.clone()).map_err(|rejected| format!("example {name}: {rejected}"))?;
            let end = rest.len().min(message.as_bytes().len());
            rest = rest.slice(end..);
            exhibits.push(Exhibit { name: format!("example {name}"), message });
        }
    }
    Ok(exhibits)
}

/// What the programs of the manual make: its doc tests, which write each message into a folder that is named to them.
fn manual(folder: &Path) -> Result<Vec<Exhibit>, Fault> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let shown = folder.join("manual");
    doing(|| format!("making {}", shown.display()), fs::create_dir_all(&shown))?;
    let mut cargo = command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root).args(["test", "--quiet", "--package", "ringback", "--doc", "manual::"]);
    let said = output(cargo.env("RINGBACK_MANUAL_MESSAGES", &shown), MANUAL_MAX)?;
    if !said.status.success() {
        return Err(format!("the manual: {}", String::from_utf8_lossy(&said.stdout).trim()));
    }
    let listed = doing(|| "reading the messages of the manual".to_owned(), fs::read_dir(&shown))?;
    let mut files: Vec<PathBuf> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    if files.len() < MANUAL_MESSAGES_MIN {
        return Err(format!("the manual made {} messages", files.len()));
    }
    let exhibit = |file: &PathBuf| {
        let name = format!("manual {}", file.file_stem().unwrap_or_default().to_string_lossy());
        let bytes = doing(|| format!("reading {}", file.display()), fs::read(file))?;
        let message = Message::parse(Bytes::from(bytes)).map_err(|rejected| format!("{name}: {rejected}"))?;
        Ok(Exhibit { name, message })
    };
    files.iter().map(exhibit).collect()
}

/// What Sofia-SIP refuses, or reads otherwise than we do.
fn sofia(folder: &Path, exhibits: &[Exhibit]) -> Result<Vec<String>, Fault> {
    let judge = compiled(folder)?;
    let mut input = Vec::new();
    for Exhibit { message, .. } in exhibits {
        input.extend_from_slice(format!("{}\n", message.as_bytes().len()).as_bytes());
        input.extend_from_slice(message.as_bytes());
    }
    let said = piped(&mut command(&judge), input)?;
    let verdicts: Vec<&str> = said.lines().collect();
    if verdicts.len() != exhibits.len() {
        return Err(format!("{} messages, and {} verdicts of Sofia-SIP", exhibits.len(), verdicts.len()));
    }
    let mut complaints = Vec::new();
    for (Exhibit { name, message }, verdict) in exhibits.iter().zip(verdicts) {
        let theirs: BTreeMap<&str, &str> = verdict.split('\t').filter_map(|field| field.split_once('=')).collect();
        for (field, ours) in ours(message)? {
            let read = theirs.get(field).copied().unwrap_or("nothing").trim();
            if read != ours {
                complaints.push(format!("Sofia-SIP on {name}: {field} is {read:?}, and {ours:?} by us"));
            }
        }
    }
    Ok(complaints)
}

/// The same fields that `judge.c` prints.
fn ours(message: &Message) -> Result<Vec<(&'static str, String)>, Fault> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let fault = |error: &dyn std::fmt::Display| error.to_string();
    let (start, via, from, to, cseq) = if message.is_request() {
        let request = Request::check(message.clone()).map_err(|rejected| fault(&rejected))?;
        let start = format!("{} {}", text(request.method_text().unwrap_or_default()), text(request.request_uri_text()));
        (
            start,
            via(&request.top_via()),
            tag(request.from_tag()),
            tag(request.to_tag()),
            cseq(request.cseq(), request.cseq_method()),
        )
    } else {
        let response = Response::check(message.clone()).map_err(|rejected| fault(&rejected))?;
        let start = format!("{} {}", response.status(), text(response.reason()));
        (
            start,
            via(&response.top_via()),
            tag(response.from_tag()),
            tag(response.to_tag()),
            cseq(response.cseq(), response.cseq_method()),
        )
    };
    let length = message.number(HeaderId::ContentLength).map_err(|error| fault(&error))?;
    Ok(vec![
        ("errors", String::new()),
        ("start", start),
        ("via", via),
        ("vias", message.vias().count().to_string()),
        ("from", from),
        ("to", to),
        ("call-id", message.first(HeaderId::CallId).map(|header| text(header.value())).unwrap_or_default()),
        ("cseq", cseq),
        ("length", length.map(|length| length.to_string()).unwrap_or_default()),
        ("body", message.body().len().to_string()),
        ("lines", message.headers().count().to_string()),
    ])
}

fn via(via: &ringback_message::Via<&[u8]>) -> String {
    let text = String::from_utf8_lossy;
    let port = via.port.map(|port| format!(":{port}")).unwrap_or_default();
    format!("SIP/2.0/{} {}{port} {}", text(via.transport), text(via.host), text(via.branch().unwrap_or_default()))
}

fn tag(tag: Option<&[u8]>) -> String {
    String::from_utf8_lossy(tag.unwrap_or_default()).into_owned()
}

fn cseq(number: u32, method: &[u8]) -> String {
    format!("{number} {}", String::from_utf8_lossy(method))
}

/// Compiles the judge.
fn compiled(folder: &Path) -> Result<PathBuf, Fault> {
    let (source, program) = (folder.join("judge.c"), folder.join("judge"));
    doing(|| format!("writing {}", source.display()), fs::write(&source, JUDGE))?;
    let mut compiler = command("cc");
    compiler.args(["-O1", "-Wall", "-I", SOFIA_SIP]).arg(&source).arg("-o").arg(&program).arg("-lsofia-sip-ua");
    let said = output(&mut compiler, RUN_MAX)?;
    if said.status.success() {
        Ok(program)
    } else {
        Err(format!("cc: {}", String::from_utf8_lossy(&said.stderr).trim()))
    }
}

/// Runs a program that reads all of `input`, and gives what it prints.
fn piped(command: &mut Command, input: Vec<u8>) -> Result<String, Fault> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut guarded = Guarded::start(command)?;
    let stdin = guarded.child.stdin.take();
    // Written beside, since the program prints before it has read all.
    let writer = std::thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&input)));
    let mut said = String::new();
    if let Some(mut stdout) = guarded.child.stdout.take() {
        doing(|| "reading from the judge".to_owned(), std::io::Read::read_to_string(&mut stdout, &mut said))?;
    }
    let _ = writer.join();
    match guarded.finish(RUN_MAX)? {
        Some(status) if status.success() => Ok(said),
        status => Err(format!("the judge: {status:?}")),
    }
}

/// What tshark's expert has to say of any of them, and whether it takes each for the message that it is.
fn tshark(folder: &Path, exhibits: &[Exhibit]) -> Result<Vec<String>, Fault> {
    let file = folder.join("built.pcap");
    doing(|| format!("writing {}", file.display()), fs::write(&file, pcap(exhibits)?))?;
    let mut tshark = command("tshark");
    tshark.args(["-n", "-r"]).arg(&file).args(["-T", "fields", "-E", "separator=|", "-E", "aggregator=;"]);
    for field in ["sip.Method", "sip.Status-Code", "_ws.malformed", "_ws.expert.message"] {
        tshark.args(["-e", field]);
    }
    let said = output(&mut tshark, RUN_MAX)?;
    if !said.status.success() {
        return Err(format!("tshark: {}", String::from_utf8_lossy(&said.stderr).trim()));
    }
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let lines: Vec<&str> = said.lines().collect();
    if lines.len() != exhibits.len() {
        return Err(format!("{} messages, and tshark shows {}", exhibits.len(), lines.len()));
    }
    let mut complaints = Vec::new();
    for (Exhibit { name, message }, line) in exhibits.iter().zip(lines) {
        let mut words = line.splitn(4, '|');
        let mut word = || words.next().unwrap_or_default();
        let (method, code, malformed, expert) = (word(), word(), word(), word());
        let is_same = match message.status() {
            Some(status) => code == status.to_string(),
            None => Some(method.as_bytes()) == message.method_text(),
        };
        if !is_same {
            complaints.push(format!("tshark takes {name} for {method}{code}"));
        }
        let is_wrong = |said: &&str| WRONG_OF_TSHARK.iter().any(|(wrong, _)| wrong == said);
        let said: Vec<&str> = expert.split(';').map(str::trim).filter(|said| !said.is_empty()).collect();
        if !malformed.is_empty() && said.is_empty() || !said.iter().all(is_wrong) {
            complaints.push(format!("tshark on {name}: {malformed} {}", said.join("; ")));
        }
    }
    Ok(complaints)
}

/// A capture of the messages as datagrams from port 5060 to port 5060.
fn pcap(exhibits: &[Exhibit]) -> Result<Vec<u8>, Fault> {
    let [from, to] = [1, 2].map(|host| SocketAddr::from(([192, 0, 2, host], 5060)));
    let mut writer = PcapWriter::new();
    for Exhibit { name, message } in exhibits {
        writer.datagram(0, from, to, message.as_bytes()).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(writer.take())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn all_that_is_judged_can_be_built() {
        assert_eq!(codes().unwrap().len(), registry().len());
        assert_eq!(methods().unwrap().len(), Method::REGISTERED.len());
        let typed = HeaderId::all().filter(|id| is_typed(*id)).count();
        assert_eq!(fields().unwrap().len() + 8, typed);
    }
}
