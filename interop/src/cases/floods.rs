//! Connections that mean no good: they drip, say nothing, agree on TLS without end, come and go. The server keeps to its bounds, and
//! phones beside notice nothing.

use std::fmt;
use std::fs;
use std::future::Future;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use ringback_bench::streams::{Authority, Dialer, Line, Transport, is_ok, options};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::networks::from_environment;
use crate::leg::{Leg, Transport as Protocol};
use crate::place::{Place, accounts, count, finish};
use crate::probe::free_port;
use crate::scenario::{CALL, CALLEE, OPTIONS};
use crate::server::Server;
use crate::sipp::{Figures, Script};
use crate::{Fault, doing};

/// How long new connections come, in seconds, unless `RINGBACK_FLOOD_SECS` says more.
const FLOOD_SECS: u64 = 4;
/// The server's time limits for the whole of a message, and for a handshake of TLS.
const LIMIT_SECS: u64 = 3;
/// The time limit for a first message is longer, so that it ends nothing that the others should have ended.
const NEWCOMER_SECS: u64 = LIMIT_SECS + 2;
/// The longest that a connection may live: WebSockets are opened before they drip, and this machine does other things too.
const LIFE_MAX: Duration = Duration::from_secs(LIMIT_SECS + 4);
/// How often a byte is dripped.
const DRIP: Duration = Duration::from_millis(200);
/// Connections that drip, of each kind, each from an address of their own.
const DRIPPING: u32 = 250;
/// Connections that say nothing, from one address: more than the server takes of one.
const MUTE: u32 = 1_200;
/// How long those wait that come again and again.
const PACE: Duration = Duration::from_millis(20);
/// How long somebody who was turned away waits.
const TURNED_AWAY: Duration = Duration::from_millis(500);
/// Calls and OPTIONS of the phones beside, a second.
const RATE: u32 = 10;
/// How long an answer to a phone beside may take.
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// By how much memory may grow meanwhile: 16 KiB for each connection that is open at once, and some for the rest.
const GROWTH_MAX_KIB: u64 = 24 * 1024;
/// How much of it may be left at the end: what the allocator keeps.
const LEFT_MAX_KIB: u64 = 16 * 1024;

/// Where things are, and how long it goes on.
#[derive(Clone)]
struct Arena {
    tcp: SocketAddr,
    tls: SocketAddr,
    ws: SocketAddr,
    root: String,
    until: Instant,
}

/// What one kind of attacker met with.
#[derive(Debug, Default)]
struct Toll {
    connections: u64,
    turned_away: u64,
    longest: Duration,
}

/// How an attacker begins, and what it drips.
#[derive(Clone, Copy, Debug)]
enum Drip {
    Request,
    Hello,
    Handshake,
    Frame,
}

type Attackers = JoinSet<(&'static str, Result<Toll, Fault>)>;

/// A thousand connections of four kinds, a byte at a time.
pub(super) fn drips(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    undergo(place, figures, |attackers, arena| {
        let kinds = [
            ("requests", Drip::Request, 70),
            ("TLS hellos", Drip::Hello, 71),
            ("WebSocket handshakes", Drip::Handshake, 72),
            ("WebSocket frames", Drip::Frame, 73),
        ];
        for (name, drip, host) in kinds {
            for number in 0..DRIPPING {
                let arena = arena.clone();
                // They don't come all at once.
                let late = DRIP * number / DRIPPING;
                let attack = async move {
                    sleep(late).await;
                    again(&arena, Duration::ZERO, || one_drip(&arena, drip, source(host))).await
                };
                attackers.spawn(async move { (name, attack.await) });
            }
        }
        Ok(())
    })
}

/// Handshakes that are begun and not ended, handshakes without end, connections that come and go, and some that are reset.
pub(super) fn handshakes(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    undergo(place, figures, |attackers, arena| {
        for _ in 0..MUTE {
            let arena = arena.clone();
            attackers.spawn(async move { ("mute", again(&arena, TURNED_AWAY, || mute(&arena, source(74))).await) });
        }
        for (name, transport, host) in
            [("full handshakes", Transport::Tls, 75), ("one OPTIONS each", Transport::Tcp, 76)]
        {
            let server = if transport == Transport::Tls { arena.tls } else { arena.tcp };
            let dialer = Dialer::new(transport, server, arena.root.as_bytes())?;
            for _ in 0..4 {
                let (arena, dialer) = (arena.clone(), dialer.clone());
                attackers.spawn(async move { (name, again(&arena, PACE, || visit(&dialer, source(host))).await) });
            }
        }
        for _ in 0..4 {
            let arena = arena.clone();
            attackers.spawn(async move { ("reset", again(&arena, PACE, || reset(&arena, source(77))).await) });
        }
        Ok(())
    })
}

/// Starts the server and the phones, lets the attackers loose, and looks at what is left.
fn undergo(
    place: &mut Place,
    figures: &mut Figures,
    attack: impl FnOnce(&mut Attackers, &Arena) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let secs = from_environment("RINGBACK_FLOOD_SECS", FLOOD_SECS)?;
    // The phones go on until the last of the others is gone.
    let calls = RATE * u32::try_from(secs + LIMIT_SECS).map_err(|_| "so long a flood".to_owned())?;
    let users = accounts(usize::try_from(calls).unwrap_or(0) + 1);
    let Some((callee, callers)) = users.split_first() else { return Err("no users".to_owned()) };
    let (root, ws) = configure(place)?;
    place.site.import(&users)?;
    let mut server = place.site.start()?;
    figures.beside(place.register(std::slice::from_ref(callee))?);

    let limit = Duration::from_secs(secs + 60);
    let called = place.answering(Script::new("callee", CALLEE, place.callee_port, calls).limit(limit))?;
    let caller = place.script("call", CALL, callers)?.callee(&place.address_of(&callee.name)).rate(RATE).limit(limit);
    let options = Script::new("options", OPTIONS, free_port()?, count(callers))
        .by(Leg::TCP)
        .to(place.site.address)
        .rate(RATE)
        .limit(limit);
    let before = Look::at(&server)?;
    let (caller, options) = (caller.start(&place.folder)?, options.start(&place.folder)?);

    let tls = SocketAddr::new(place.site.address.ip(), Protocol::Tls.port(place.site.address));
    let until = Instant::now() + Duration::from_secs(secs);
    let arena = Arena { tcp: place.site.address, tls, ws, root, until };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = doing(|| "a runtime".to_owned(), runtime)?;
    let mut attackers = Attackers::new();
    let (peak, friend) = {
        let _entered = runtime.enter();
        attack(&mut attackers, &arena)?;
        runtime.block_on(watch(&mut attackers, &arena, &server, place))?
    };
    place.note(friend);
    figures.then(caller.finish()?);
    for run in [finish(called)?, options.finish()?] {
        figures.beside(run);
    }
    let after = gone(&mut server, &before)?;
    place.note(format!("{before} before, {peak} at most, {after} behind it"));
    if peak.kib > before.kib + GROWTH_MAX_KIB {
        return Err(format!("memory grew by more than {GROWTH_MAX_KIB} KiB"));
    }
    if after.kib > before.kib + LEFT_MAX_KIB {
        return Err(format!("more than {LEFT_MAX_KIB} KiB of memory are left"));
    }
    server.stop()
}

/// The server's configuration; the root of its certificate, and where its WebSocket is.
fn configure(place: &mut Place) -> Result<(String, SocketAddr), Fault> {
    let Authority { root, chain, key } = Authority::new()?;
    for (name, text) in [("server.pem", chain), ("server.key", key)] {
        let path = place.folder.join(name);
        doing(|| format!("writing {}", path.display()), fs::write(&path, text))?;
    }
    let ws = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    place.site.configuration = Some(format!(
        "[[domain]]\nalgorithms = [\"MD5\"]\n[[certificate]]\nchain = \"server.pem\"\nkey = \"server.key\"\n\
         [[listener]]\naddress = \"{}\"\ntransports = [\"udp\", \"tcp\", \"tls\"]\n[[listener]]\naddress = \"{ws}\"\n\
         transports = [\"ws\"]\n[tcp]\nnewcomer_timeout_secs = {NEWCOMER_SECS}\nmessage_timeout_secs = {LIMIT_SECS}\n\
         [tls]\nhandshake_timeout_secs = {LIMIT_SECS}\n",
        place.site.address
    ));
    Ok((root, ws))
}

/// What the process holds.
struct Look {
    kib: u64,
    files: usize,
}

impl Look {
    fn at(server: &Server) -> Result<Look, Fault> {
        Ok(Look { kib: server.memory_kib()?, files: server.open_files()? })
    }
}

impl fmt::Display for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} KiB and {} files", self.kib, self.files)
    }
}

/// Looks at the server until the last attacker is through; the most that it held, and what the friend says.
async fn watch(
    attackers: &mut Attackers,
    arena: &Arena,
    server: &Server,
    place: &mut Place,
) -> Result<(Look, String), Fault> {
    let friend = tokio::spawn(friend(arena.clone()));
    let mut tolls: Vec<(&str, Toll)> = Vec::new();
    let mut peak = Look::at(server)?;
    while !attackers.is_empty() {
        let now = Look::at(server)?;
        peak = Look { kib: peak.kib.max(now.kib), files: peak.files.max(now.files) };
        let next = Instant::now() + LOOK;
        while let Ok(Some(ended)) = timeout(next.saturating_duration_since(Instant::now()), attackers.join_next()).await
        {
            let (name, toll) = ended.map_err(|error| error.to_string())?;
            let toll = toll.map_err(|fault| format!("{name}: {fault}"))?;
            match tolls.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sum)) => sum.add(&toll),
                None => tolls.push((name, toll)),
            }
        }
    }
    for (name, toll) in tolls {
        place.note(format!("{name}: {toll}"));
    }
    Ok((peak, friend.await.map_err(|error| error.to_string())??))
}

impl Toll {
    fn add(&mut self, other: &Toll) {
        self.connections += other.connections;
        self.turned_away += other.turned_away;
        self.longest = self.longest.max(other.longest);
    }
}

impl fmt::Display for Toll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Toll { connections, turned_away, longest } = self;
        write!(f, "{connections} connections, {turned_away} turned away, the longest {:.1} s", longest.as_secs_f64())
    }
}

/// A phone that came before the flood, by TLS, asks on; and every second another one comes. Each must be answered.
async fn friend(arena: Arena) -> Result<String, Fault> {
    let dialer = Dialer::new(Transport::Tls, arena.tls, arena.root.as_bytes())?;
    let mut old = new_friend(&dialer).await?;
    let (mut asked, mut friends, mut slowest) = (0, 1, Duration::ZERO);
    while Instant::now() < arena.until {
        let began = Instant::now();
        ask(&mut old, &dialer, &format!("friend-{asked}"))
            .await
            .map_err(|fault| format!("the phone by TLS: {fault}"))?;
        asked += 1;
        slowest = slowest.max(began.elapsed());
        if asked % RATE == 0 {
            let mut new = new_friend(&dialer).await.map_err(|fault| format!("a new phone by TLS: {fault}"))?;
            ask(&mut new, &dialer, &format!("new-{asked}")).await?;
            friends += 1;
        }
        sleep(Duration::from_secs(1) / RATE).await;
    }
    let slowest_ms = slowest.as_millis();
    Ok(format!(
        "{friends} phones by TLS: {asked} OPTIONS answered over one connection, the slowest after {slowest_ms} ms"
    ))
}

async fn new_friend(dialer: &Dialer) -> Result<Line, Fault> {
    let dialled = timeout(ANSWER_MAX, dialer.dial(IpAddr::V4(Ipv4Addr::LOCALHOST))).await;
    dialled.map_err(|_| format!("no connection within {ANSWER_MAX:?}"))?
}

async fn ask(line: &mut Line, dialer: &Dialer, call: &str) -> Result<(), Fault> {
    line.send(&options(line, dialer.server(), call)).await?;
    let answer =
        timeout(ANSWER_MAX, line.receive()).await.map_err(|_| format!("no answer within {ANSWER_MAX:?}"))??;
    if is_ok(&answer, call) { Ok(()) } else { Err(format!("OPTIONS: {:?}", String::from_utf8_lossy(&answer))) }
}

/// Waits until what the others had open is closed on the server's side too.
fn gone(server: &mut Server, before: &Look) -> Result<Look, Fault> {
    let began = Instant::now();
    loop {
        if let Some(fault) = server.trouble() {
            return Err(fault);
        }
        let now = Look::at(server)?;
        if now.files <= before.files {
            return Ok(now);
        }
        if began.elapsed() > LIFE_MAX {
            return Err(format!("{now} are left of a flood that is over; there were {before}"));
        }
        std::thread::sleep(LOOK);
    }
}

fn source(host: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, host))
}

/// One connection after the other, until it is time.
async fn again<F>(arena: &Arena, pace: Duration, attack: impl Fn() -> F) -> Result<Toll, Fault>
where
    F: Future<Output = Result<bool, Fault>>,
{
    let mut toll = Toll::default();
    while Instant::now() < arena.until {
        let began = Instant::now();
        let stayed = attack().await?;
        let life = began.elapsed();
        if life > LIFE_MAX {
            return Err(format!("a connection lived for {life:?}"));
        }
        toll.connections += 1;
        toll.turned_away += u64::from(!stayed);
        toll.longest = toll.longest.max(life);
        sleep(pace).await;
    }
    Ok(toll)
}

/// A byte now and then, until the server has enough; it must have been patient for as long as it says.
async fn one_drip(arena: &Arena, drip: Drip, source: IpAddr) -> Result<bool, Fault> {
    let (server, begin, endless): (_, &[u8], u8) = match drip {
        Drip::Request => (arena.tcp, b"OPTIONS sip:x SIP/2.0\r\nX: ", b'x'),
        // A record of a handshake, in it a ClientHello of 508 bytes for TLS 1.2.
        Drip::Hello => (arena.tls, &[22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3], 7),
        Drip::Handshake => (arena.ws, b"GET / HTTP/1.1\r\nX: ", b'x'),
        // A text of 60,000 bytes, masked with zeros.
        Drip::Frame => (arena.ws, &[0x81, 0xfe, 0xea, 0x60, 0, 0, 0, 0], b'x'),
    };
    let mut stream = connect(server, source).await?;
    if matches!(drip, Drip::Frame) {
        upgrade(&mut stream, server).await?;
    }
    let began = Instant::now();
    // Nothing is read behind the first byte at once, so that the rest is late in any case.
    let mut bytes = begin.iter().copied().chain(std::iter::repeat(endless));
    loop {
        let mut answer = [0; 512];
        match timeout(DRIP, stream.read(&mut answer)).await {
            Ok(Ok(1..)) => {}
            Ok(_) => break,
            Err(_) if stream.write_all(&[bytes.next().unwrap_or(endless)]).await.is_err() => break,
            Err(_) => {}
        }
    }
    let patience = Duration::from_secs(LIMIT_SECS);
    if began.elapsed() + DRIP < patience {
        return Err(format!("{drip:?} was ended after {:?}, not after {patience:?}", began.elapsed()));
    }
    Ok(true)
}

/// TLS is to be spoken, and is not. False where the server hangs up at once.
async fn mute(arena: &Arena, source: IpAddr) -> Result<bool, Fault> {
    let mut stream = connect(arena.tls, source).await?;
    let began = Instant::now();
    let mut nothing = [0; 16];
    // A reset ends it too.
    let _ = timeout(LIFE_MAX + DRIP, stream.read(&mut nothing)).await;
    Ok(began.elapsed() + DRIP > Duration::from_secs(LIMIT_SECS))
}

/// One OPTIONS.
async fn visit(dialer: &Dialer, source: IpAddr) -> Result<bool, Fault> {
    let mut line = dialer.dial(source).await?;
    let call = format!("visit-{}", line.local());
    ask(&mut line, dialer, &call).await?;
    line.close().await?;
    Ok(true)
}

/// There and away, without a good-bye.
async fn reset(arena: &Arena, source: IpAddr) -> Result<bool, Fault> {
    let stream = connect(arena.tcp, source).await?;
    doing(|| "SO_LINGER".to_owned(), stream.set_zero_linger())?;
    Ok(true)
}

async fn connect(server: SocketAddr, source: IpAddr) -> Result<TcpStream, Fault> {
    Dialer::new(Transport::Tcp, server, b"")?.connect(source).await
}

async fn upgrade(stream: &mut TcpStream, server: SocketAddr) -> Result<(), Fault> {
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {server}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n\r\n"
    );
    let broken = |error: std::io::Error| format!("opening a WebSocket: {error}");
    stream.write_all(request.as_bytes()).await.map_err(broken)?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await.map_err(broken)? == 0 {
            return Err(broken(ErrorKind::UnexpectedEof.into()));
        }
    }
    if head.starts_with(b"HTTP/1.1 101 ") { Ok(()) } else { Err("no WebSocket".to_owned()) }
}
