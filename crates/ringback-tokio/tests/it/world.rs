//! A server in this process, and phones that say what a test tells them.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ringback_auth::{Algorithm, AuthSession, Ha1Set, Password};
use ringback_base::{Now, Random, Transport};
use ringback_location_db::{LocationDb, Options};
use ringback_message::{Edit, HeaderId, Message, Request, Response};
use ringback_stack::{Account, Config};
use ringback_tokio::tls::Tls;
use ringback_tokio::{Accounts, Backends, Bound, Drained, IoCounters, ListenOn, Running, TcpLimits};
use ringback_transport::websocket::Admission;
use ringback_transport::{Frame, Stream, StreamLimits};
use tempfile::TempDir;

/// No test waits longer for what must come.
pub(crate) const WAIT: Duration = Duration::from_secs(10);

/// Alice, whose password is "wonderland".
struct Alice;

impl Accounts for Alice {
    fn find(&self, user: &str) -> Option<Account> {
        (user == "alice")
            .then(|| Account { ha1s: Ha1Set::of("alice", "localhost", &Password::new("wonderland")), redirect: false })
    }
}

pub(crate) struct Server {
    pub(crate) running: Running,
    pub(crate) address: SocketAddr,
    pub(crate) location: LocationDb,
    pub(crate) folder: TempDir,
}

impl Server {
    pub(crate) fn start(shards: u16) -> Server {
        Server::start_with(shards, TcpLimits::default(), Options::default(), |_| {})
    }

    /// Which asks nobody for credentials.
    pub(crate) fn open(shards: u16) -> Server {
        Server::limited(shards, TcpLimits::default())
    }

    /// Likewise, with these limits.
    pub(crate) fn limited(shards: u16, limits: TcpLimits) -> Server {
        Server::start_with(shards, limits, Options::default(), |config| config.open = true)
    }

    /// Likewise, by TLS too.
    pub(crate) fn over_tls(shards: u16, limits: TcpLimits, tls: Tls, change: impl FnOnce(&mut Config)) -> Server {
        Server::start_by(shards, limits, Options::default(), tls, |config| {
            config.open = true;
            change(config);
        })
    }

    /// Open, and for pages of browsers too.
    pub(crate) fn for_browsers(shards: u16, limits: TcpLimits, admission: Admission) -> Server {
        let listen = [
            ListenOn::new("127.0.0.1:0".parse().unwrap()),
            ListenOn::by(Transport::Ws, "127.0.0.1:0".parse().unwrap()),
        ];
        let bound = Bound::open(&listen, shards).unwrap().tcp_limits(limits).admission(admission);
        Server::run(bound, Options::default(), |config| config.open = true)
    }

    /// Open, and for clients of WebSocket, with TLS and without.
    pub(crate) fn by_websocket(shards: u16, tls: Tls, admission: Admission) -> Server {
        let bound = Server::bound_by(&[Transport::Ws, Transport::Wss], shards).admission(admission).tls(tls);
        Server::run(bound, Options::default(), |config| config.open = true)
    }

    /// Open, by TLS and WebSocket too, behind this load balancer.
    pub(crate) fn behind_by_all(proxy: IpAddr, tls: Tls) -> Server {
        let bound = Server::bound_by(&[Transport::Tls, Transport::Ws], 1).tls(tls).proxies(vec![proxy.into()]);
        Server::run(bound, Options::default(), |config| config.open = true)
    }

    /// Bound by UDP and TCP, and by these.
    fn bound_by(more: &[Transport], shards: u16) -> Bound {
        let any = "127.0.0.1:0".parse().unwrap();
        let more = more.iter().map(|transport| ListenOn::by(*transport, any));
        Bound::open(&std::iter::once(ListenOn::new(any)).chain(more).collect::<Vec<_>>(), shards).unwrap()
    }

    /// Where WebSockets are opened.
    pub(crate) fn websocket_address(&self) -> SocketAddr {
        self.address_by(Transport::Ws)
    }

    /// Where TLS is listened on.
    pub(crate) fn tls_address(&self) -> SocketAddr {
        self.address_by(Transport::Tls)
    }

    pub(crate) fn address_by(&self, transport: Transport) -> SocketAddr {
        self.running.listeners().iter().find(|listener| listener.transport == transport).unwrap().address
    }

    /// Open, behind this load balancer.
    pub(crate) fn behind(proxy: IpAddr) -> Server {
        let bound =
            Bound::open(&[ListenOn::new("127.0.0.1:0".parse().unwrap())], 1).unwrap().proxies(vec![proxy.into()]);
        Server::run(bound, Options::default(), |config| config.open = true)
    }

    /// Open, with two shards, which tells phones to show themselves so often.
    pub(crate) fn with_flow_timer(secs: u32) -> Server {
        Server::start_with(2, TcpLimits::default(), Options::default(), |config| {
            (config.open, config.flow_timer_secs) = (true, secs);
        })
    }

    /// Open, with room for so many users.
    pub(crate) fn with_room_for(aors_max: usize) -> Server {
        let options = Options { aors_max, ..Options::default() };
        Server::start_with(2, TcpLimits::default(), options, |config| config.open = true)
    }

    fn start_with(shards: u16, limits: TcpLimits, options: Options, change: impl FnOnce(&mut Config)) -> Server {
        Server::start_by(shards, limits, options, Tls::default(), change)
    }

    fn start_by(
        shards: u16,
        limits: TcpLimits,
        options: Options,
        tls: Tls,
        change: impl FnOnce(&mut Config),
    ) -> Server {
        let address = "127.0.0.1:0".parse().unwrap();
        let by_tls = tls.server.as_ref().map(|_| ListenOn::by(Transport::Tls, address));
        let listen: Vec<_> = std::iter::once(ListenOn::new(address)).chain(by_tls).collect();
        let bound = Bound::open(&listen, shards).unwrap().tcp_limits(limits).tls(tls);
        Server::run(bound, options, change)
    }

    fn run(bound: Bound, options: Options, change: impl FnOnce(&mut Config)) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let location = LocationDb::open(&folder.path().join("location.redb"), options, Now::default()).unwrap();
        let address = bound.listeners()[0].address;
        let mut config = Config::new("localhost", bound.listeners());
        config.algorithms = vec![Algorithm::Md5];
        change(&mut config);
        let backends = Backends { location: location.clone(), accounts: Arc::new(Alice) };
        let running = bound.start(&config, &backends).unwrap();
        Server { running, address, location, folder }
    }

    /// With a call that rings and is not answered: its caller and its callee.
    pub(crate) fn ringing(shards: u16) -> (Server, Phone, Phone) {
        let server = Server::open(shards);
        let (caller, callee) = (Phone::new(server.address), Phone::new(server.address));
        callee.send(callee.request("REGISTER", "r1", 1, &callee.contact()));
        assert_eq!(callee.receive().status().as_u16(), 200);
        caller.send(caller.invite("c1", ""));
        assert_eq!(caller.receive().status().as_u16(), 100);
        (server, caller, callee)
    }

    pub(crate) fn counters(&self) -> IoCounters {
        self.running.counters()
    }

    /// Waits until the counters, or the number of connections, are as they must become.
    pub(crate) fn becomes(&self, what: &str, is_so: impl Fn(&IoCounters, usize) -> bool) {
        let begun = Instant::now();
        while !is_so(&self.counters(), self.running.connections()) {
            let state = || format!("{what}: {:?}, {} connections", self.counters(), self.running.connections());
            assert!(begun.elapsed() < WAIT, "{}", state());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn drain(self, bound: Duration) -> Drained {
        let main = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        main.block_on(self.running.drain(bound)).unwrap()
    }
}

/// Text of requests, whatever carries them.
pub(crate) fn request(via: &str, method: &str, call_id: &str, cseq: u32, more: &str) -> String {
    let length = if more.contains("Content-Length") { "" } else { "Content-Length: 0\r\n" };
    format!(
        "{method} sip:localhost SIP/2.0\r\nVia: SIP/2.0/{via};branch=z9hG4bK{call_id}{cseq}\r\nMax-Forwards: 70\r\n\
         From: <sip:alice@localhost>;tag=1\r\nTo: <sip:alice@localhost>\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\n\
         {length}{more}\r\n"
    )
}

/// The same, to Alice.
pub(crate) fn to_alice(request: &str) -> String {
    request.replacen(" sip:localhost ", " sip:alice@localhost ", 1)
}

/// The answer of a phone.
pub(crate) fn answer(request: &Request, code: u16, more: &str) -> String {
    let vias: String =
        request.all(HeaderId::Via).map(|via| format!("Via: {}\r\n", String::from_utf8_lossy(via.value()))).collect();
    let copied: String = [HeaderId::RecordRoute, HeaderId::From, HeaderId::CallId, HeaderId::CSeq]
        .into_iter()
        .flat_map(|id| request.all(id))
        .map(|line| format!("{}: {}\r\n", line.id().as_str(), String::from_utf8_lossy(line.value())))
        .collect();
    let to = String::from_utf8_lossy(request.first(HeaderId::To).unwrap().value()).into_owned();
    let tag = if to.contains(";tag=") { "" } else { ";tag=9" };
    format!("SIP/2.0 {code} Whatever\r\n{vias}{copied}To: {to}{tag}\r\nContent-Length: 0\r\n{more}\r\n")
}

/// What a phone hears.
pub(crate) enum Heard {
    Request(Request),
    Response(Response),
}

impl Heard {
    pub(crate) fn of(message: Message) -> Heard {
        if message.is_request() {
            Heard::Request(Request::check(message).unwrap())
        } else {
            Heard::Response(Response::check(message).unwrap())
        }
    }

    pub(crate) fn response(self) -> Response {
        match self {
            Heard::Response(response) => response,
            Heard::Request(request) => panic!("expected a response, not {request:?}"),
        }
    }

    pub(crate) fn request(self) -> Request {
        match self {
            Heard::Request(request) => request,
            Heard::Response(response) => panic!("expected a request, not {response:?}"),
        }
    }
}

/// A phone by UDP.
pub(crate) struct Phone(pub(crate) UdpSocket);

impl Phone {
    pub(crate) fn new(server: SocketAddr) -> Phone {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(server).unwrap();
        socket.set_read_timeout(Some(WAIT)).unwrap();
        Phone(socket)
    }

    fn via(&self) -> String {
        format!("UDP {}", self.0.local_addr().unwrap())
    }

    pub(crate) fn contact(&self) -> String {
        format!("Contact: <sip:alice@{}>\r\n", self.0.local_addr().unwrap())
    }

    pub(crate) fn request(&self, method: &str, call_id: &str, cseq: u32, more: &str) -> String {
        request(&self.via(), method, call_id, cseq, more)
    }

    pub(crate) fn invite(&self, call_id: &str, more: &str) -> String {
        to_alice(&self.request("INVITE", call_id, 1, more))
    }

    pub(crate) fn send(&self, bytes: impl AsRef<[u8]>) {
        self.0.send(bytes.as_ref()).unwrap();
    }

    pub(crate) fn hear(&self) -> Heard {
        let mut buffer = [0; 65_536];
        let length = self.0.recv(&mut buffer).expect("a message");
        Heard::of(Message::parse(Bytes::copy_from_slice(&buffer[..length])).unwrap())
    }

    pub(crate) fn receive(&self) -> Response {
        self.hear().response()
    }

    /// The code of the next final response.
    pub(crate) fn final_code(&self) -> u16 {
        loop {
            let code = self.receive().status().as_u16();
            if code >= 200 {
                return code;
            }
        }
    }

    /// Answers the challenge.
    pub(crate) fn authorize(&self, request: &str, challenge: &Response, password: &str) -> Bytes {
        let mut random = Random::from_seed([1; 32]);
        let mut session = AuthSession::pick(challenge, HeaderId::WwwAuthenticate, None, &mut random).unwrap();
        let ha1 = session.ha1("alice", &Password::new(password));
        let request = Request::check(Message::parse(Bytes::copy_from_slice(request.as_bytes())).unwrap()).unwrap();
        let value = session.answer("alice", &ha1, &request).unwrap();
        Edit::new(&request).append(HeaderId::Authorization, value.as_bytes()).finish().unwrap().as_bytes().clone()
    }
}

/// A phone by TCP, with one connection.
pub(crate) struct Line {
    pub(crate) socket: TcpStream,
    stream: Stream,
}

impl Line {
    pub(crate) fn new(server: SocketAddr) -> Line {
        Line::on(TcpStream::connect(server).unwrap())
    }

    pub(crate) fn on(socket: TcpStream) -> Line {
        socket.set_read_timeout(Some(WAIT)).unwrap();
        socket.set_nodelay(true).unwrap();
        Line { socket, stream: Stream::new(StreamLimits::default(), Now::default()) }
    }

    /// Which has registered Alice.
    pub(crate) fn registered(server: SocketAddr) -> Line {
        let mut line = Line::new(server);
        let register = line.request("REGISTER", &format!("r{}", line.local().port()), 1, &line.contact());
        line.send(register);
        assert_eq!(line.receive().status().as_u16(), 200);
        line
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    fn via(&self) -> String {
        format!("TCP {}", self.local())
    }

    pub(crate) fn contact(&self) -> String {
        format!("Contact: <sip:alice@{};transport=tcp>\r\n", self.local())
    }

    pub(crate) fn request(&self, method: &str, call_id: &str, cseq: u32, more: &str) -> String {
        request(&self.via(), method, call_id, cseq, more)
    }

    pub(crate) fn options(&self, call_id: &str) -> String {
        self.request("OPTIONS", call_id, 1, "")
    }

    pub(crate) fn invite(&self, call_id: &str, more: &str) -> String {
        to_alice(&self.request("INVITE", call_id, 1, more))
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.socket.write_all(bytes.as_ref()).unwrap();
    }

    /// The next message, passing over pongs; `None` at the end of the connection, however it ends.
    fn next(&mut self) -> Option<Heard> {
        let mut buffer = [0; 65_536];
        loop {
            match self.stream.poll_frame().unwrap() {
                Some(Frame::Message(bytes)) => return Some(Heard::of(Message::parse_framed(bytes).unwrap())),
                Some(_) => continue,
                None => {}
            }
            match self.socket.read(&mut buffer) {
                Ok(0) => return None,
                Ok(length) => self.stream.handle_data(&buffer[..length], Now::default()),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("nothing came: {error}"),
            }
        }
    }

    pub(crate) fn hear(&mut self) -> Heard {
        self.next().expect("a message, not the end")
    }

    pub(crate) fn receive(&mut self) -> Response {
        self.hear().response()
    }

    pub(crate) fn final_code(&mut self) -> u16 {
        loop {
            let code = self.receive().status().as_u16();
            if code >= 200 {
                return code;
            }
        }
    }

    /// Whether a request is answered with 200.
    pub(crate) fn is_served(&mut self, call_id: &str) -> bool {
        self.send(self.options(call_id));
        let response = self.receive();
        (response.status().as_u16(), response.call_id()) == (200, call_id.as_bytes())
    }

    /// Waits for the end of the connection, before which nothing may come.
    pub(crate) fn ends(&mut self) {
        if let Some(heard) = self.next() {
            match heard {
                Heard::Request(request) => panic!("{request:?}"),
                Heard::Response(response) => panic!("{response:?}"),
            }
        }
    }
}
