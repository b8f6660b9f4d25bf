//! Connections over TLS.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use ringback_base::{Micros, Now};
use ringback_message::{Message, Request, Response};
use ringback_tokio::TcpLimits;
use ringback_tokio::tls::{
    Certificate, ClientAuth, Roots, Tls, TlsClient, TlsClientOptions, TlsServer, TlsServerOptions,
};
use ringback_transport::{Frame, Stream, StreamLimits};
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use crate::connections::header;
use crate::world::{Phone, Server, WAIT, answer, request};

/// Somebody who signs certificates, and is trusted.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: String,
}

/// A certificate and its key, as PEM.
struct Issued(String, String);

impl Issued {
    fn certificate(&self) -> Certificate {
        Certificate::from_pem(self.0.as_bytes(), self.1.as_bytes()).unwrap()
    }

    fn chain(&self) -> Vec<CertificateDer<'static>> {
        CertificateDer::pem_slice_iter(self.0.as_bytes()).collect::<Result<_, _>>().unwrap()
    }

    fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from_pem_slice(self.1.as_bytes()).unwrap()
    }
}

impl Authority {
    pub(crate) fn new() -> Authority {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap().pem();
        Authority { issuer: Issuer::new(params, key), root }
    }

    fn issue(&self, name: &str) -> Issued {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        Issued(params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    fn roots(&self) -> Roots {
        Roots::from_pem(self.root.as_bytes()).unwrap()
    }

    /// Of a server that is "localhost", and of the same as a client.
    pub(crate) fn tls(&self) -> Tls {
        let certificate = self.issue("localhost").certificate();
        let server = TlsServer::new(TlsServerOptions::new(vec![certificate])).unwrap();
        let client = TlsClient::new(TlsClientOptions::new(self.roots())).unwrap();
        Tls { server: Some(server), client: Some(client) }
    }

    /// As phones have it.
    fn client_config(&self, shown: Option<&Issued>) -> Arc<ClientConfig> {
        let mut store = RootCertStore::empty();
        store.add(CertificateDer::from_pem_slice(self.root.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&provider));
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_webpki_verifier(verifier.build().unwrap());
        Arc::new(match shown {
            None => config.with_no_client_auth(),
            Some(issued) => config.with_client_auth_cert(issued.chain(), issued.key()).unwrap(),
        })
    }
}

enum Wire {
    Client(StreamOwned<ClientConnection, TcpStream>),
    Server(StreamOwned<ServerConnection, TcpStream>),
}

/// A phone with one connection over TLS.
struct Secure {
    local: SocketAddr,
    wire: Wire,
    messages: Stream,
}

impl Secure {
    fn new(server: SocketAddr, config: Arc<ClientConfig>) -> Secure {
        let session = ClientConnection::new(config, "localhost".try_into().unwrap()).unwrap();
        Secure::on(TcpStream::connect(server).unwrap(), |socket| Wire::Client(StreamOwned::new(session, socket)))
    }

    /// The next one that connects.
    fn accepted(listener: &TcpListener, issued: &Issued) -> Secure {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(issued.chain(), issued.key()).unwrap();
        let session = ServerConnection::new(Arc::new(config)).unwrap();
        Secure::on(listener.accept().unwrap().0, |socket| Wire::Server(StreamOwned::new(session, socket)))
    }

    fn on(socket: TcpStream, wire: impl FnOnce(TcpStream) -> Wire) -> Secure {
        socket.set_read_timeout(Some(WAIT)).unwrap();
        let local = socket.local_addr().unwrap();
        let messages = Stream::new(StreamLimits::default(), Now::default());
        Secure { local, wire: wire(socket), messages }
    }

    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match &mut self.wire {
            Wire::Client(stream) => stream.read(buffer),
            Wire::Server(stream) => stream.read(buffer),
        }
    }

    fn write(&mut self, text: &str) -> std::io::Result<()> {
        match &mut self.wire {
            Wire::Client(stream) => stream.write_all(text.as_bytes()),
            Wire::Server(stream) => stream.write_all(text.as_bytes()),
        }
    }

    /// What a server has shown.
    fn shown(&self) -> &[CertificateDer<'static>] {
        match &self.wire {
            Wire::Client(stream) => stream.conn.peer_certificates().unwrap(),
            Wire::Server(_) => &[],
        }
    }

    fn request(&self, method: &str, call_id: &str, more: &str) -> String {
        request(&format!("TLS {}", self.local), method, call_id, 1, more)
    }

    fn contact(&self) -> String {
        format!("Contact: <sip:alice@{};transport=tls>\r\n", self.local)
    }

    fn send(&mut self, message: &str) {
        self.write(message).unwrap();
    }

    /// The next message; `None` at the end of the connection, however it ends.
    fn hear(&mut self) -> Option<Message> {
        let mut buffer = [0; 65_536];
        loop {
            if let Some(Frame::Message(bytes)) = self.messages.poll_frame().unwrap() {
                return Some(Message::parse_framed(bytes).unwrap());
            }
            match self.read(&mut buffer) {
                Ok(0) | Err(_) => return None,
                Ok(length) => self.messages.handle_data(&buffer[..length], Now::default()),
            }
        }
    }

    fn hear_request(&mut self) -> Request {
        Request::check(self.hear().expect("a request")).unwrap()
    }

    /// The code of the next final response.
    fn final_code(&mut self) -> Option<u16> {
        loop {
            let code = Response::check(self.hear()?).unwrap().status().as_u16();
            if code >= 200 {
                return Some(code);
            }
        }
    }

    /// Whether a request is answered with 200.
    fn is_served(&mut self, call_id: &str) -> bool {
        let request = self.request("OPTIONS", call_id, "");
        self.write(&request).is_ok() && self.final_code() == Some(200)
    }
}

/// What a load balancer says comes before TLS, and TLS after it.
#[test]
fn a_load_balancer_says_whose_a_connection_is_before_tls() {
    let authority = Authority::new();
    let server = Server::behind_by_all([127, 0, 0, 1].into(), authority.tls());
    let mut stream = TcpStream::connect(server.tls_address()).unwrap();
    stream.write_all(&header([198, 51, 100, 7], 40_123)).unwrap();
    let session = ClientConnection::new(authority.client_config(None), "localhost".try_into().unwrap()).unwrap();
    let mut phone = Secure::on(stream, |socket| Wire::Client(StreamOwned::new(session, socket)));
    let options = phone.request("OPTIONS", "c1", "").replace(";branch", ";rport;branch");
    phone.send(&options);
    let response = Response::check(phone.hear().unwrap()).unwrap();
    let params = String::from_utf8_lossy(response.top_via().params.text()).into_owned();
    assert!(params.contains("received=198.51.100.7") && params.contains("rport=40123"), "{params}");
    // Who says nothing of it is hung up on, and has no handshake.
    let mut silent = Secure::new(server.tls_address(), authority.client_config(None));
    assert!(!silent.is_served("c2"));
    server.becomes("refused", |counters, _| counters.announcements_refused == 1);
    assert_eq!((server.counters().handshakes, server.counters().handshakes_failed), (1, 0));
}

fn register(line: &mut Secure, call_id: &str) {
    let register = line.request("REGISTER", call_id, &line.contact());
    line.send(&register);
    assert_eq!(line.final_code(), Some(200));
}

#[test]
fn a_call_comes_to_a_phone_by_its_own_tls_connection() {
    let authority = Authority::new();
    let server = Server::over_tls(2, TcpLimits::default(), authority.tls(), |_| {});
    let mut phone = Secure::new(server.tls_address(), authority.client_config(None));
    register(&mut phone, "r1");
    let caller = Phone::new(server.address);
    // Longer than what TLS takes at once.
    caller.send(caller.invite("c1", &format!("X-Long: {}\r\n", "x".repeat(40_000))));
    let invite = phone.hear_request();
    assert!(invite.as_bytes().len() > 40_000);
    let record_route = String::from_utf8_lossy(invite.as_bytes()).contains(";transport=tls;lr;");
    assert!(record_route && String::from_utf8_lossy(invite.as_bytes()).contains("Via: SIP/2.0/TLS "), "{invite:?}");
    phone.send(&answer(&invite, 486, ""));
    assert_eq!(caller.final_code(), 486);
    let counters = server.counters();
    assert_eq!((counters.handshakes, counters.connections_opened, counters.handshakes_failed), (1, 0, 0));
    drop(phone);
    server.becomes("the end", |_, connections| connections == 0);
}

#[test]
fn certificates_are_replaced_under_open_connections() {
    let authority = Authority::new();
    let tls = authority.tls();
    let server = Server::over_tls(1, TcpLimits::default(), tls.clone(), |_| {});
    let mut before = Secure::new(server.tls_address(), authority.client_config(None));
    assert!(before.is_served("c1"));
    let issued = authority.issue("localhost");
    let mut options = TlsServerOptions::new(vec![issued.certificate()]);
    options.client_auth = ClientAuth::Require(authority.roots());
    tls.server.unwrap().replace(options).unwrap();
    let shown = authority.issue("phone.example");
    let mut after = Secure::new(server.tls_address(), authority.client_config(Some(&shown)));
    assert!(after.is_served("c2") && before.is_served("c3"));
    assert_eq!(after.shown(), issued.chain());
    // Who shows nothing is not served any more.
    assert!(!Secure::new(server.tls_address(), authority.client_config(None)).is_served("c4"));
    server.becomes("refused", |counters, _| counters.handshakes_failed == 1);
}

#[test]
fn those_who_do_not_agree_are_let_go_of() {
    let authority = Authority::new();
    let limits = TcpLimits { handshakes_max: 2, handshake_timeout: Micros::from_ms(300), ..TcpLimits::default() };
    let server = Server::over_tls(1, limits, authority.tls(), |_| {});
    let mut plain = TcpStream::connect(server.tls_address()).unwrap();
    plain.write_all(b"OPTIONS sip:localhost SIP/2.0\r\n\r\n").unwrap();
    server.becomes("no TLS", |counters, connections| counters.handshakes_failed == 1 && connections == 0);
    let silent = [(); 3].map(|()| TcpStream::connect(server.tls_address()).unwrap());
    server.becomes("too many", |counters, connections| counters.handshakes_max_reached == 1 && connections == 2);
    server.becomes("too slow", |counters, connections| counters.handshake_timeouts == 2 && connections == 0);
    assert!(Secure::new(server.tls_address(), authority.client_config(None)).is_served("c1"));
    drop(silent);
}

#[test]
fn a_flood_of_handshakes_harms_nobody_who_is_there() {
    let authority = Authority::new();
    let limits = TcpLimits { handshakes_max: 50, handshake_timeout: Micros::from_secs(60), ..TcpLimits::default() };
    let server = Server::over_tls(2, limits, authority.tls(), |_| {});
    let mut phone = Secure::new(server.tls_address(), authority.client_config(None));
    assert!(phone.is_served("c0"));
    // The beginning of a handshake, whose rest never comes: a record of 512 bytes.
    let flood: Vec<_> = (0..200)
        .map(|_| {
            let mut socket = TcpStream::connect(server.tls_address()).unwrap();
            // Those beyond the limit may be closed by now.
            let _ = socket.write_all(&[22, 3, 1, 2, 0, 1, 0, 1, 252]);
            socket
        })
        .collect();
    server.becomes("full", |counters, connections| counters.handshakes_max_reached == 150 && connections == 51);
    assert!((1..20).all(|n| phone.is_served(&format!("c{n}"))));
    let by_udp = Phone::new(server.address);
    by_udp.send(by_udp.request("OPTIONS", "u1", 1, ""));
    assert_eq!(by_udp.final_code(), 200);
    drop(flood);
    server.becomes("they are gone", |counters, connections| counters.handshakes_failed == 50 && connections == 1);
    assert!(Secure::new(server.tls_address(), authority.client_config(None)).is_served("c20"));
}

#[test]
fn a_request_goes_only_to_the_server_that_is_whom_it_is_for() {
    let authority = Authority::new();
    let server = Server::over_tls(1, TcpLimits::default(), authority.tls(), |config| {
        for name in ["a.example", "b.example"] {
            config.hosts.add(name, "127.0.0.1".parse().unwrap());
        }
    });
    let far = TcpListener::bind("127.0.0.1:0").unwrap();
    let caller = Phone::new(server.address);
    let port = far.local_addr().unwrap().port();
    let bind = |call_id: &str, host: &str| {
        let contact = format!("Contact: <sip:alice@{host}:{port};transport=tls>\r\n");
        caller.send(caller.request("REGISTER", call_id, 1, &contact));
        assert_eq!(caller.receive().status().as_u16(), 200);
    };
    bind("r1", "a.example");
    caller.send(caller.invite("c1", ""));
    let issued = authority.issue("a.example");
    let mut peer = Secure::accepted(&far, &issued);
    let invite = peer.hear_request();
    peer.send(&answer(&invite, 486, ""));
    assert_eq!(caller.final_code(), 486);
    // The same far end is not taken for another domain: a connection of its own is opened, and comes to nothing.
    let unbind = format!("Contact: <sip:alice@a.example:{port};transport=tls>;expires=0\r\n");
    caller.send(caller.request("REGISTER", "r1", 2, &unbind));
    assert_eq!(caller.receive().status().as_u16(), 200);
    bind("r2", "b.example");
    caller.send(caller.invite("c2", ""));
    assert!(Secure::accepted(&far, &issued).hear().is_none());
    // "A proxy which receives a 503" tells its caller of a failure, not that it is overloaded itself. [RFC 3261, Section 16.7]
    assert_eq!(caller.final_code(), 500);
    let counters = server.counters();
    assert_eq!((counters.connections_opened, counters.handshakes, counters.handshakes_failed), (2, 1, 1));
    drop(peer);
}

/// Two servers that are called by each other, and one connection. `[RFC 5923, Section 8.2]`
#[test]
fn a_peer_that_says_so_is_called_back_by_its_connection_for_its_domain_alone() {
    let authority = Authority::new();
    let mut options = TlsServerOptions::new(vec![authority.issue("localhost").certificate()]);
    options.client_auth = ClientAuth::Request(authority.roots());
    let tls = Tls { server: Some(TlsServer::new(options).unwrap()), ..authority.tls() };
    let server = Server::over_tls(2, TcpLimits::default(), tls, |config| {
        for name in ["a.example", "b.example"] {
            config.hosts.add(name, "127.0.0.1".parse().unwrap());
        }
    });
    // Nobody listens there.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let caller = Phone::new(server.address);
    let shown = authority.issue("a.example");
    let mut peer = Secure::new(server.tls_address(), authority.client_config(Some(&shown)));
    let options = request(&format!("TLS a.example:{closed};alias"), "OPTIONS", "o1", 1, "");
    peer.send(&options);
    assert_eq!(peer.final_code(), Some(200));
    for (n, host, comes) in [(1, "a.example", true), (2, "b.example", false), (3, "127.0.0.1", false)] {
        let contact = |more: &str| format!("Contact: <sip:alice@{host}:{closed};transport=tls>{more}\r\n");
        caller.send(caller.request("REGISTER", &format!("r{n}"), 1, &contact("")));
        assert_eq!(caller.receive().status().as_u16(), 200);
        caller.send(caller.invite(&format!("c{n}"), ""));
        if comes {
            let invite = peer.hear_request();
            peer.send(&answer(&invite, 486, ""));
        }
        assert_eq!(caller.final_code(), if comes { 486 } else { 500 }, "{host}");
        caller.send(caller.request("REGISTER", &format!("r{n}"), 2, &contact(";expires=0")));
        assert_eq!(caller.receive().status().as_u16(), 200);
    }
    let counters = server.counters();
    assert_eq!((counters.handshakes, counters.connects_failed), (1, 2));
    drop(peer);
    server.becomes("the end", |_, connections| connections == 0);
}

#[test]
fn a_peer_that_takes_nothing_is_let_go_of() {
    let authority = Authority::new();
    let limits =
        TcpLimits { stall_timeout: Micros::from_ms(500), write_queue_bytes_max: 1 << 24, ..TcpLimits::default() };
    let server = Server::over_tls(1, limits, authority.tls(), |_| {});
    let mut phone = Secure::new(server.tls_address(), authority.client_config(None));
    assert!(phone.is_served("c0"));
    let many: String = (0..200).map(|n| phone.request("OPTIONS", &format!("{n}-{}", "c".repeat(30_000)), "")).collect();
    if let Wire::Client(stream) = &phone.wire {
        stream.sock.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    }
    // As much of it as the server reads.
    let _ = phone.write(&many);
    server.becomes("stalled", |counters, connections| counters.connections_stalled == 1 && connections == 0);
    assert_eq!(server.counters().handshakes, 1);
}
