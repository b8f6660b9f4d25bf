#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use std::io::Cursor;

use bytes::Bytes;
use rcgen::string::Ia5String;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType, date_time_ymd};
use ringback_message::Host;
use rustls::{AlertDescription, CertificateError, ClientConnection, Error, HandshakeKind, ServerConnection};

use super::*;

/// Somebody who signs certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: String,
}

impl Authority {
    fn new() -> Authority {
        Authority::named("one")
    }

    fn named(name: &str) -> Authority {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap().pem();
        Authority { issuer: Issuer::new(params, key), root }
    }

    fn roots(&self) -> Roots {
        Roots::from_pem(self.root.as_bytes()).unwrap()
    }

    /// For these names: a URI, or a host name or address.
    fn issue(&self, names: &[&str]) -> Certificate {
        self.issue_as(names, |_| {})
    }

    fn issue_as(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Certificate {
        let (uris, hosts): (Vec<&str>, Vec<&str>) = names.iter().copied().partition(|name| name.contains(':'));
        let mut params = CertificateParams::new(hosts.into_iter().map(String::from).collect::<Vec<_>>()).unwrap();
        let uris = uris.into_iter().map(|uri| SanType::URI(Ia5String::try_from(uri).unwrap()));
        params.subject_alt_names.extend(uris);
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let signed = params.signed_by(&key, &self.issuer).unwrap();
        Certificate::from_pem(signed.pem().as_bytes(), key.serialize_pem().as_bytes()).unwrap()
    }
}

/// What both sides say of a handshake: the client's first error, then the server's.
struct Met {
    client: ClientConnection,
    server: ServerConnection,
    failed: Option<Error>,
    refused: Option<Error>,
}

fn meet(client: &TlsClient, server: &TlsServer, name: &str) -> Met {
    let name = PeerName::of_host(Host::of(name.as_bytes()).unwrap()).unwrap();
    let start = client.start(name.server_name().unwrap());
    let mut client = ClientConnection::new(start.config, start.name).unwrap();
    let mut server = ServerConnection::new(Arc::clone(&server.0.read().unwrap())).unwrap();
    let (mut failed, mut refused) = (None, None);
    for _ in 0..4 {
        let mut sent = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut sent).unwrap();
        }
        let mut read = Cursor::new(sent);
        while server.read_tls(&mut read).unwrap() > 0 {
            refused = refused.or(server.process_new_packets().err());
        }
        let mut sent = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut sent).unwrap();
        }
        let mut read = Cursor::new(sent);
        while client.read_tls(&mut read).unwrap() > 0 {
            failed = failed.or(client.process_new_packets().err());
        }
    }
    Met { client, server, failed, refused }
}

fn server(certificate: Certificate) -> TlsServer {
    TlsServer::new(TlsServerOptions::new(Vec::from([certificate]))).unwrap()
}

fn client(roots: Roots) -> TlsClient {
    TlsClient::new(TlsClientOptions::new(roots)).unwrap()
}

#[test]
fn a_server_is_the_domain_that_its_certificate_names_as_a_whole() {
    let authority = Authority::new();
    let client = client(authority.roots());
    for (names, wanted, is_it) in [
        (&["a.example"][..], "a.example", true),
        (&["a.example"], "A.Example", true),
        (&["b.example", "a.example"], "a.example", true),
        (&["b.example"], "a.example", false),
        // "Implementations MUST NOT match suffixes", nor "any form of wildcard".
        (&["a.example"], "sip.a.example", false),
        (&["sip.a.example"], "a.example", false),
        (&["*.a.example"], "sip.a.example", false),
        (&["sip:a.example"], "a.example", true),
        (&["SIP:A.example:5061;transport=tcp"], "a.example", true),
        // Host names count only where no SIP URI names a domain.
        (&["sip:b.example", "a.example"], "a.example", false),
        (&["sip:b.example", "sip:a.example"], "a.example", true),
        // One of a user is none of a domain, and neither is one of another scheme.
        (&["sip:alice@a.example"], "a.example", false),
        (&["sip:alice@b.example", "a.example"], "a.example", true),
        (&["sips:a.example"], "a.example", false),
        (&["https://b.example", "a.example"], "a.example", true),
        (&["192.0.2.1"], "192.0.2.1", true),
        (&["192.0.2.1"], "192.0.2.2", false),
        (&["a.example"], "192.0.2.1", false),
    ] {
        let met = meet(&client, &server(authority.issue(names)), wanted);
        let failed = met.failed;
        assert_eq!(failed.is_none(), is_it, "{wanted} by {names:?}: {failed:?}");
        if !is_it {
            let is_of_name =
                |error| matches!(error, Error::InvalidCertificate(CertificateError::NotValidForNameContext { .. }));
            assert!(failed.is_some_and(is_of_name), "{wanted} by {names:?}");
            assert_eq!(met.refused, Some(Error::AlertReceived(AlertDescription::BadCertificate)));
        }
    }
}

#[test]
fn a_certificate_has_to_be_valid_today_and_signed_by_a_root() {
    let (authority, other) = (Authority::new(), Authority::named("other"));
    let client = client(authority.roots());
    let expired = authority.issue_as(&["a.example"], |params| params.not_after = date_time_ymd(2020, 1, 1));
    let failed = meet(&client, &server(expired), "a.example").failed;
    assert!(matches!(failed, Some(Error::InvalidCertificate(CertificateError::ExpiredContext { .. }))), "{failed:?}");
    let failed = meet(&client, &server(other.issue(&["a.example"])), "a.example").failed;
    assert_eq!(failed, Some(Error::InvalidCertificate(CertificateError::UnknownIssuer)));
}

#[test]
fn clients_get_the_certificate_of_the_name_that_they_ask_for() {
    let authority = Authority::new();
    let [first, second] = [&["a.example"][..], &["*.b.example", "b.example"]].map(|names| authority.issue(names));
    let server = TlsServer::new(TlsServerOptions::new(Vec::from([first, second]))).unwrap();
    let client = client(authority.roots());
    for (name, shown) in [
        ("a.example", "a.example"),
        ("b.example", "b.example"),
        ("sip.b.example", "b.example"),
        ("c.example", "a.example"),
        ("192.0.2.1", "a.example"),
    ] {
        let met = meet(&client, &server, name);
        let certificate = met.client.peer_certificates().map(|chain| sip_domains(&chain[0]));
        let presented = match met.failed {
            Some(Error::InvalidCertificate(CertificateError::NotValidForNameContext { presented, .. })) => presented,
            _ => certificate.unwrap_or_default().into_iter().map(String::from).collect(),
        };
        assert!(presented.iter().any(|known| known.contains(shown)), "{name}: {presented:?}");
    }
}

#[test]
fn clients_show_what_they_must() {
    let (authority, other) = (Authority::new(), Authority::named("other"));
    let with = |client_auth| {
        let options =
            TlsServerOptions { client_auth, ..TlsServerOptions::new(Vec::from([authority.issue(&["a.example"])])) };
        TlsServer::new(options).unwrap()
    };
    let showing = |certificate| {
        TlsClient::new(TlsClientOptions { certificate, ..TlsClientOptions::new(authority.roots()) }).unwrap()
    };
    let (nothing, ours, theirs) =
        (showing(None), showing(Some(authority.issue(&["b.example"]))), showing(Some(other.issue(&["b.example"]))));
    let (required, requested) =
        (with(ClientAuth::Require(authority.roots())), with(ClientAuth::Request(authority.roots())));
    assert_eq!(meet(&nothing, &required, "a.example").refused, Some(Error::NoCertificatesPresented));
    let met = meet(&ours, &required, "a.example");
    assert_eq!(sip_domains(&met.server.peer_certificates().unwrap()[0]), ["b.example".into()]);
    assert!(meet(&theirs, &required, "a.example").refused.is_some());
    assert!(meet(&nothing, &requested, "a.example").refused.is_none());
    assert!(meet(&theirs, &requested, "a.example").refused.is_some());
    // Nobody is asked.
    let met = meet(&ours, &with(ClientAuth::Off), "a.example");
    assert!(met.refused.is_none() && met.server.peer_certificates().is_none());
}

#[test]
fn sessions_are_resumed_until_the_options_change() {
    let authority = Authority::new();
    let (client, server) = (client(authority.roots()), server(authority.issue(&["a.example"])));
    let kind = || meet(&client, &server, "a.example").client.handshake_kind();
    assert_eq!((kind(), kind()), (Some(HandshakeKind::Full), Some(HandshakeKind::Resumed)));
    server.replace(TlsServerOptions::new(Vec::from([authority.issue(&["a.example"])]))).unwrap();
    assert_eq!(kind(), Some(HandshakeKind::Full));
    assert!(matches!(server.replace(TlsServerOptions::new(Vec::new())), Err(TlsError::NoCertificate)));
    assert!(meet(&client, &server, "a.example").failed.is_none());
}

#[test]
fn secrets_are_written_down_only_where_that_is_wanted() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let path = folder.path().join("keys");
    let key_log = Some(Arc::new(KeyLogFile::open(&path).unwrap()));
    let options = TlsClientOptions { key_log, ..TlsClientOptions::new(authority.roots()) };
    meet(&TlsClient::new(options).unwrap(), &server(authority.issue(&["a.example"])), "a.example");
    let text = std::fs::read_to_string(path).unwrap();
    let words: Vec<_> = text.lines().map(|line| line.split(' ').map(str::len).collect::<Vec<_>>()).collect();
    assert!(
        text.contains("CLIENT_TRAFFIC_SECRET_0 ") && words.iter().all(|line| line.len() == 3 && line[1] == 64),
        "{text}"
    );
}

#[test]
fn what_is_no_certificate_is_told() {
    let authority = Authority::new();
    let (one, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let chain = CertificateParams::new([]).unwrap().signed_by(&one, &authority.issuer).unwrap().pem();
    let of = |chain: &str, key: &str| Certificate::from_pem(chain.as_bytes(), key.as_bytes()).unwrap_err();
    let key = one.serialize_pem();
    assert!(matches!(of(&chain, &other.serialize_pem()), TlsError::OtherKey));
    assert!(matches!(of(&chain, &chain), TlsError::NoKey));
    assert!(matches!(of(&key, &key), TlsError::NoCertificate));
    let broken = chain.replace("-----END CERTIFICATE-----", "");
    assert_eq!(of(&broken, &key).to_string(), "an END line of PEM is missing");
    assert!(matches!(Roots::from_pem(b""), Err(TlsError::NoCertificate)));
}

#[test]
fn messages_say_whom_they_are_for() {
    let request = |uri: &str, more: &str| format!("OPTIONS {uri} SIP/2.0\r\n{more}Content-Length: 0\r\n\r\n");
    for (message, name) in [
        (request("sip:bob@A.example:5061;transport=tls", ""), Some("a.example")),
        (request("sip:a.example.", ""), Some("a.example")),
        (request("sips:192.0.2.1", ""), Some("192.0.2.1")),
        (request("sip:[2001:db8::1]:5061", ""), Some("[2001:db8::1]")),
        (request("sip:bob@192.0.2.1", "Route: <sip:p.example;lr>, <sip:q.example;lr>\r\n"), Some("p.example")),
        (request("tel:+1234", ""), None),
        (
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS c.example:5061;branch=z9hG4bK1\r\nContent-Length: 0\r\n\r\n".into(),
            Some("c.example"),
        ),
    ] {
        let expected = name.map(|name| PeerName::of_host(Host::of(name.as_bytes()).unwrap()).unwrap());
        assert_eq!(PeerName::of(&Bytes::from(message.clone())), expected, "{message}");
    }
}

/// What [`inspect`] says of a server with these options, whom it takes for `localhost`.
async fn inspected(server: TlsServerOptions, options: &InspectOptions) -> Inspection {
    let server = TlsServer::new(server).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serve = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let wire = server.begin(socket).await;
        // As long as it is looked at.
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        drop(wire);
    });
    let socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let seen = inspect(socket, "localhost", options).await.unwrap();
    serve.abort();
    seen
}

#[tokio::test]
async fn a_server_is_looked_at_whatever_it_is_worth() {
    let (known, other) = (Authority::new(), Authority::named("other"));
    let options = InspectOptions { roots: Some(known.roots()), certificate: None };
    let expired = |params: &mut CertificateParams| params.not_after = date_time_ymd(2001, 1, 1);
    let (domains, none) = ("it is for example.com, and not for localhost", "no root that is trusted leads to it");
    for (certificate, trust, identity) in [
        (known.issue(&["localhost"]), None, None),
        (known.issue(&["sip:example.com", "localhost"]), None, Some(domains)),
        (other.issue(&["localhost"]), Some(none), None),
        (known.issue_as(&["localhost"], expired), Some("it has expired"), None),
    ] {
        let seen = inspected(TlsServerOptions::new(vec![certificate]), &options).await;
        let why = |verdict: Option<Result<(), String>>| verdict.unwrap().err();
        assert_eq!((seen.version, seen.failure, seen.chain.len()), (Some("TLS 1.3"), None, 1));
        assert_eq!((why(seen.trust).as_deref(), why(seen.identity).as_deref()), (trust, identity));
        assert_eq!((why(seen.possession), seen.offers_resumption, seen.asks_for_certificate), (None, true, false));
    }
}

#[tokio::test]
async fn a_server_that_wants_a_certificate_says_so_and_is_shown_one() {
    let authority = Authority::new();
    let mut server = TlsServerOptions::new(vec![authority.issue(&["localhost"])]);
    server.client_auth = ClientAuth::Require(authority.roots());
    let mut options = InspectOptions { roots: Some(authority.roots()), certificate: None };
    let seen = inspected(server.clone(), &options).await;
    assert!(seen.asks_for_certificate && seen.identity == Some(Ok(())), "{seen:?}");
    assert!(seen.failure.unwrap().contains("it asks for a certificate, and was shown none"));
    options.certificate = Some(authority.issue(&["client.example"]));
    let seen = inspected(server, &options).await;
    assert_eq!((seen.asks_for_certificate, seen.failure), (true, None));
}
