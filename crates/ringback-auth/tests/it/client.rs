//! What a client answers, and what not.

use bytes::Bytes;
use ringback_auth::{
    Account, Algorithm, AuthAttempts, AuthConfig, CALL_IDS_MAX, DigestClient, GiveUp, Ha1, Ha1Set, Password, Qop,
    ROUNDS_MAX, Retry, SESSIONS_MAX, ServerProof,
};
use ringback_base::Random;
use ringback_message::{HeaderId, Message, Request};

use crate::world::{Outcome, REALM, World, at, config, register, request, verified, with};

const PASSWORD: &str = "wonderland";

/// A client, its source of randomness, and the tries of one request.
struct Client {
    client: DigestClient,
    attempts: AuthAttempts,
    random: Random,
}

impl Client {
    fn with(accounts: impl IntoIterator<Item = Account>) -> Client {
        let mut random = Random::from_seed([9; 32]);
        let mut client = DigestClient::new(&mut random);
        accounts.into_iter().for_each(|account| client.add(account));
        Client { client, attempts: AuthAttempts::default(), random }
    }

    fn alice() -> Client {
        Client::with([alice(REALM)])
    }

    fn challenged(&mut self, request: &Message, response: &Message) -> Result<Retry, GiveUp> {
        self.client.challenged(&mut self.attempts, request, response, &mut self.random)
    }

    fn signed(&mut self, request: &Message) -> Request {
        Request::check(self.client.signed(request).unwrap()).unwrap()
    }

    /// The request as it is sent after this challenge.
    fn retried(&mut self, request: &Message, response: &Message) -> Request {
        _ = self.challenged(request, response).unwrap();
        self.signed(request)
    }

    /// Whether the next request starts over.
    fn next_request(&mut self) {
        self.attempts = AuthAttempts::default();
    }
}

fn alice(realm: &str) -> Account {
    Account::new(realm, "alice", Password::new(PASSWORD))
}

/// A response with these header lines.
fn response(code: u16, lines: &[&str]) -> Message {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    Message::parse(Bytes::from(format!("SIP/2.0 {code} Whatever\r\n{lines}\r\n"))).unwrap()
}

fn www(realm: &str, nonce: &str, more: &str) -> String {
    format!("WWW-Authenticate: Digest realm=\"{realm}\", nonce=\"{nonce}\", qop=\"auth\"{more}")
}

fn proxy(realm: &str, nonce: &str, more: &str) -> String {
    www(realm, nonce, more).replace("WWW-", "Proxy-")
}

fn unauthorized(line: &str) -> Message {
    response(401, &[line])
}

/// A request to this URI of this call.
fn call(call_id: &str, uri: &str) -> Message {
    let text = request("INVITE", uri, &[], "").as_bytes().to_vec();
    let text = String::from_utf8(text).unwrap().replace("7@a.example", call_id);
    Message::parse(Bytes::from(text)).unwrap()
}

fn values(request: &Message, header: HeaderId) -> Vec<String> {
    request.all(header).map(|field| String::from_utf8(field.value().to_vec()).unwrap()).collect()
}

fn rejected(realm: &str) -> GiveUp {
    GiveUp::Rejected { realm: realm.into() }
}

#[test]
fn every_algorithm_and_protection_against_the_server() {
    for algorithm in Algorithm::ALL {
        for qop in [vec![Qop::Auth], vec![Qop::AuthInt], vec![Qop::AuthInt, Qop::Auth]] {
            let mut settings = config(&[algorithm]);
            settings.qop = qop.clone();
            let (mut world, mut alice) = (World::new(settings), Client::alice());
            let first = request("INVITE", "sip:bob@b.example", &[], "v=0\r\n");
            let challenge = world.challenge(false, at(0));
            let mut sent = alice.retried(&first, &challenge);
            // Each request that follows in the call counts the nonce once more, whatever its body.
            for body in ["v=0\r\n", "", "v=0\r\ns=-\r\n"] {
                assert_eq!(world.judge(&sent, at(1)), verified(), "{algorithm} {qop:?} {body:?}");
                sent = alice.signed(&request("INVITE", "sip:bob@b.example", &[], body));
            }
            let value = values(&sent, HeaderId::Authorization).remove(0);
            assert!(value.contains("nc=00000004"), "{value}");
            let written = if qop.contains(&Qop::Auth) { "qop=auth," } else { "qop=auth-int," };
            assert!(value.contains(written) && value.contains(&format!("algorithm={algorithm},")), "{value}");
        }
    }
}

#[test]
fn rfc8760_section_2_4_the_topmost_that_is_supported() {
    let offers = |algorithms: &[&str]| {
        let lines: Vec<String> =
            algorithms.iter().map(|name| www(REALM, name, &format!(", algorithm={name}"))).collect();
        response(401, &lines.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let chosen = |account: Account, algorithms: &[&str]| {
        let mut client = Client::with([account]);
        _ = client.challenged(&register(), &offers(algorithms))?;
        let value = values(&client.signed(&register()), HeaderId::Authorization).remove(0);
        Ok::<_, GiveUp>(value.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_string())
    };
    assert_eq!(chosen(alice(REALM), &["SHA-512-256", "SHA-256", "MD5"]).unwrap(), "SHA-512-256");
    assert_eq!(chosen(alice(REALM), &["AKAv1-MD5", "SHA-256", "MD5"]).unwrap(), "SHA-256");
    // The server prefers it, and has its reasons.
    assert_eq!(chosen(alice(REALM), &["MD5", "SHA-256"]).unwrap(), "MD5");
    // Hashes are good for their algorithms only.
    let mut hashes = Ha1Set::new();
    hashes.insert(Ha1::of(Algorithm::Md5, "alice", REALM, &Password::new(PASSWORD)));
    let stored = || Account::new(REALM, "alice", hashes);
    assert_eq!(chosen(stored(), &["SHA-256", "MD5"]).unwrap(), "MD5");
    let no_hash = |algorithm| Err(GiveUp::NoHash { realm: REALM.into(), algorithm });
    assert_eq!(chosen(stored(), &["SHA-256"]), no_hash(Algorithm::Sha256));
    // An attacker on the way took out the better one.
    assert_eq!(chosen(alice(REALM).without_md5(), &["MD5"]), no_hash(Algorithm::Md5));
    assert_eq!(chosen(alice(REALM).without_md5(), &["MD5", "SHA-256"]).unwrap(), "SHA-256");
}

#[test]
fn rfc3261_section_22_3_each_retry_carries_all_that_was_answered() {
    let mut client = Client::with(["p.example", "q.example", "r.example"].map(alice));
    let invite = call("1", "sip:bob@r.example");
    // Two proxies that were reached by a fork, and behind them the server.
    let (first, second) = (proxy("p.example", "n1", ""), proxy("q.example", "n2", ""));
    let sent = client.retried(&invite, &response(407, &[&first, &second]));
    assert_eq!(values(&sent, HeaderId::ProxyAuthorization).len(), 2);
    assert_eq!(values(&sent, HeaderId::Authorization).len(), 0);
    let sent = client.retried(&sent, &unauthorized(&www("r.example", "n3", "")));
    for (header, realms) in
        [(HeaderId::ProxyAuthorization, &["p.example", "q.example"][..]), (HeaderId::Authorization, &["r.example"])]
    {
        let values = values(&sent, header);
        assert_eq!(values.len(), realms.len());
        for (value, realm) in values.iter().zip(realms) {
            assert!(value.contains(&format!("realm=\"{realm}\"")), "{value}");
        }
    }
    assert!(values(&sent, HeaderId::ProxyAuthorization)[0].contains("nc=00000002"));
    // A 401 may hold challenges of proxies, too, and one realm may speak as both.
    client.next_request();
    let both = response(401, &[&www("r.example", "n4", ""), &proxy("r.example", "n5", "")]);
    let sent = client.retried(&call("2", "sip:bob@r.example"), &both);
    assert!(values(&sent, HeaderId::Authorization)[0].contains("n4"));
    assert!(values(&sent, HeaderId::ProxyAuthorization)[0].contains("n5"));
}

#[test]
fn realms_without_an_account_do_not_hinder_the_others() {
    let mut client = Client::alice();
    let lines = [www("other.example", "n1", ""), www(REALM, "n2", "")];
    let sent = client.retried(&register(), &response(401, &[&lines[0], &lines[1]]));
    assert_eq!(values(&sent, HeaderId::Authorization).len(), 1);
    let again = unauthorized(&lines[0]);
    let no_account = GiveUp::NoAccount { realm: "other.example".into() };
    assert_eq!(client.challenged(&sent, &again), Err(no_account));
}

#[test]
fn rfc3261_section_22_1_a_rejected_secret_is_not_sent_again() {
    let (mut world, mut client) =
        (World::new(config(&[Algorithm::Md5])), Client::with([Account::new(REALM, "alice", Password::new("wrong"))]));
    let sent = client.retried(&register(), &world.challenge(false, at(0)));
    assert_eq!(world.judge(&sent, at(0)), Outcome::Wrong);
    // Another nonce, and not a word of staleness.
    assert_eq!(client.challenged(&sent, &world.challenge(false, at(0))), Err(rejected(REALM)));
    // Nor with the next request.
    assert_eq!(values(&client.signed(&register()), HeaderId::Authorization).len(), 0);
    // The user corrects it.
    client.client.add(alice(REALM));
    client.next_request();
    let sent = client.retried(&register(), &world.challenge(false, at(0)));
    assert_eq!(world.judge(&sent, at(0)), verified());
}

#[test]
fn a_stale_nonce_is_replaced() {
    let (mut world, mut client) = (World::new(config(&[Algorithm::Sha256])), Client::alice());
    let sent = client.retried(&register(), &world.challenge(false, at(0)));
    assert_eq!(world.judge(&sent, at(0)), verified());
    // The nonce is too old for the next one.
    client.next_request();
    let sent = client.signed(&register());
    assert!(matches!(world.judge(&sent, at(400)), Outcome::Stale(_)));
    assert!(client.challenged(&sent, &world.challenge(true, at(400))).unwrap().is_stale);
    assert_eq!(world.judge(&client.signed(&sent), at(400)), verified());
    // Within one request, too: a slow hand at the password.
    client.next_request();
    let sent = client.retried(&register(), &world.challenge(false, at(500)));
    let sent = client.retried(&sent, &world.challenge(true, at(900)));
    assert_eq!(world.judge(&sent, at(900)), verified());
}

/// A server that was started anew knows no nonce, and many don't say that it was stale: the secret was good before.
#[test]
fn a_nonce_that_was_used_unasked_may_be_refused_once() {
    let mut client = Client::alice();
    _ = client.retried(&register(), &unauthorized(&www(REALM, "n1", "")));
    client.next_request();
    let sent = client.signed(&register());
    let sent = client.retried(&sent, &unauthorized(&www(REALM, "n2", "")));
    assert!(values(&sent, HeaderId::Authorization)[0].contains("n2"));
    assert_eq!(client.challenged(&sent, &unauthorized(&www(REALM, "n3", ""))), Err(rejected(REALM)));
}

#[test]
fn what_is_no_challenge() {
    let mut client = Client::alice();
    let good = www(REALM, "n", "");
    for (code, lines) in
        [(401, vec![]), (401, vec!["WWW-Authenticate: Basic realm=\"b.example\""]), (403, vec![&*good])]
    {
        assert_eq!(client.challenged(&register(), &response(code, &lines)), Err(GiveUp::NoChallenge));
    }
    for method in ["ACK", "CANCEL"] {
        let request = request(method, "sip:b.example", &[], "");
        assert_eq!(client.challenged(&request, &unauthorized(&good)), Err(GiveUp::NeverChallenged));
        _ = client.retried(&register(), &unauthorized(&good));
        client.next_request();
        assert_eq!(client.client.sign(&request), []);
        // An ACK for a 2xx repeats what its INVITE had.
        let repeats = with(&request, "Digest username=\"alice\", realm=\"b.example\", nonce=\"n\"");
        assert_eq!(client.signed(&repeats), repeats);
    }
    let mut nobody = Client::with([Account::new(REALM, "a\r\nX: y", Password::new("p"))]);
    assert_eq!(nobody.challenged(&register(), &unauthorized(&good)), Err(GiveUp::User));
}

/// FreeSWITCH CVE-2021-41158: whom we call challenges us in the name of our provider, and gets no response to guess from.
#[test]
fn cve_2021_41158_an_account_is_for_its_host() {
    let bound = || Client::with([alice(REALM).at("b.example").at("192.0.2.7")]);
    let stranger = Err(GiveUp::Stranger { realm: REALM.into() });
    let retry = Ok::<_, GiveUp>(false);
    let judge = |mut client: Client, request: &Message, response: &Message| {
        client.challenged(request, response).map(|retry| retry.is_stale)
    };
    let (as_server, as_proxy) = (unauthorized(&www(REALM, "n", "")), response(407, &[&proxy(REALM, "n", "")]));
    let (home, away) = (call("1", "sip:bob@B.example"), call("1", "sip:mallory@evil.example"));
    let through = |host: &str, uri: &str| request("INVITE", uri, &[&format!("Route: <sip:{host};lr>")], "");
    for (request, as_who, wanted) in [
        (&home, &as_server, &retry),
        (&home, &as_proxy, &retry),
        (&away, &as_server, &stranger.clone()),
        (&away, &as_proxy, &stranger.clone()),
        (&through("192.0.2.7", "sip:mallory@evil.example"), &as_proxy, &retry),
        (&through("192.0.2.7", "sip:mallory@evil.example"), &as_server, &stranger.clone()),
        (&through("evil.example", "sip:bob@b.example"), &as_proxy, &stranger),
    ] {
        assert_eq!(judge(bound(), request, as_who), *wanted, "{request:?}");
        assert_eq!(judge(Client::alice(), request, as_who), retry, "whoever knows the realm");
    }
    // Nor does a stranger see a response that was meant for the proxy.
    let mut client = bound();
    let invite = through("b.example", "sip:bob@c.example");
    _ = client.retried(&invite, &as_proxy);
    assert_eq!(client.client.sign(&call("2", "sip:mallory@evil.example")), []);
    assert_eq!(client.client.sign(&through("b.example", "sip:carol@c.example")).len(), 1);
}

/// The server whom a call led to may ask again within it, under the address of its Contact.
#[test]
fn the_server_of_a_call_stays_known_within_it() {
    let mut client = Client::with([alice(REALM).at("b.example")]);
    _ = client.retried(&call("1", "sip:bob@b.example"), &unauthorized(&www(REALM, "n1", "")));
    client.next_request();
    let within = call("1", "sip:gw@192.0.2.9");
    assert_eq!(client.client.sign(&within).len(), 1);
    assert!(client.challenged(&within, &unauthorized(&www(REALM, "n2", ", stale=true"))).is_ok());
    client.next_request();
    let other = call("2", "sip:gw@192.0.2.9");
    assert!(matches!(client.challenged(&other, &unauthorized(&www(REALM, "n3", ""))), Err(GiveUp::Stranger { .. })));
}

#[test]
fn strangers_get_no_answer_unless_all_realms_are_allowed() {
    let challenge = unauthorized(&www("evil.example", "n", ""));
    let no_account = GiveUp::NoAccount { realm: "evil.example".into() };
    assert_eq!(Client::alice().challenged(&register(), &challenge), Err(no_account));
    let any = || Account::for_any_realm("anyone", Password::new("p"));
    let mut client = Client::with([any(), alice(REALM)]);
    let sent = client.retried(&register(), &challenge);
    assert!(values(&sent, HeaderId::Authorization)[0].contains("username=\"anyone\""));
    // An account of the realm itself comes first.
    let sent = client.retried(&call("2", "sip:b.example"), &unauthorized(&www(REALM, "n", "")));
    assert!(values(&sent, HeaderId::Authorization)[0].contains("username=\"alice\""));
    let mut client = Client::with([any().at("b.example")]);
    assert!(matches!(client.challenged(&call("1", "sip:x@c.example"), &challenge), Err(GiveUp::Stranger { .. })));
}

#[test]
fn requests_of_the_same_call_carry_credentials_unasked() {
    let mut client = Client::alice();
    let lines = [www(REALM, "n1", ""), proxy(REALM, "n2", "")];
    _ = client.retried(&call("1", "sip:bob@b.example"), &response(407, &[&lines[0], &lines[1]]));
    assert_eq!(client.client.sign(&call("1", "sip:bob@192.0.2.1")).len(), 2);
    assert_eq!(client.client.sign(&call("2", "sip:bob@b.example")), []);
}

#[test]
fn credentials_of_others_stay_where_they_are() {
    let mut client = Client::alice();
    let theirs =
        "Authorization: Digest username=\"x\", realm=\"c.example\", nonce=\"n\", uri=\"sip:c\", response=\"0\"";
    let old =
        "Authorization: Digest username=\"alice\", realm=\"b.example\", nonce=\"old\", uri=\"sip:c\", response=\"0\"";
    let request = request("REGISTER", "sip:b.example", &[old, theirs, "Authorization: Bearer a.b"], "");
    let values = values(&client.retried(&request, &unauthorized(&www(REALM, "new", ""))), HeaderId::Authorization);
    assert_eq!(values.len(), 3);
    assert!(
        values[0].contains("c.example") && values[1] == "Bearer a.b" && values[2].contains("\"new\""),
        "{values:?}"
    );
}

#[test]
fn rfc3261_section_20_6_the_next_nonce_and_the_proof_of_the_server() {
    let mut client = Client::alice();
    let sent = client.retried(&register(), &unauthorized(&www(REALM, "n1", "")));
    let ok = |info: &str| response(200, &[&format!("Authentication-Info: {info}")]);
    assert_eq!(client.client.succeeded(&sent, &response(200, &[])), ServerProof::None);
    assert_eq!(client.client.succeeded(&sent, &ok("rspauth=\"00\", nextnonce=\"n2\"")), ServerProof::Wrong);
    assert!(values(&client.signed(&register()), HeaderId::Authorization)[0].contains("\"n1\""));
    assert_eq!(client.client.succeeded(&sent, &ok("nextnonce=\"n2\"")), ServerProof::None);
    let value = values(&client.signed(&register()), HeaderId::Authorization).remove(0);
    assert!(value.contains("nonce=\"n2\"") && value.contains("nc=00000001"), "{value}");
}

#[test]
fn rounds_realms_and_calls_are_bounded() {
    // A server that calls every nonce stale.
    let mut client = Client::alice();
    for _ in 0..ROUNDS_MAX {
        _ = client.retried(&register(), &unauthorized(&www(REALM, "n", ", stale=true")));
    }
    let again = client.challenged(&register(), &unauthorized(&www(REALM, "n", ", stale=true")));
    assert_eq!(again, Err(GiveUp::TooOften));
    // One that makes up realms.
    let mut client = Client::with([Account::for_any_realm("anyone", Password::new("p"))]);
    for i in 0..SESSIONS_MAX * 3 {
        client.next_request();
        _ = client.retried(&register(), &unauthorized(&www(&format!("{i}.example"), "n", "")));
        assert!(client.client.sessions() <= SESSIONS_MAX);
    }
    let lines: Vec<String> = (0..100).map(|i| www(&format!("{i}.example"), "n", "")).collect();
    client.next_request();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    assert!(
        values(&client.retried(&register(), &response(401, &lines)), HeaderId::Authorization).len() <= SESSIONS_MAX
    );
    // One call after another: the first is forgotten, and challenged again.
    let mut client = Client::alice();
    for i in 0..=CALL_IDS_MAX {
        client.next_request();
        _ = client.retried(&call(&i.to_string(), "sip:bob@b.example"), &unauthorized(&www(REALM, "n", "")));
    }
    assert_eq!(client.client.sign(&call("0", "sip:bob@b.example")), []);
    assert_eq!(client.client.sign(&call("1", "sip:bob@b.example")).len(), 1);
}

#[test]
fn accounts_for_different_hosts_stand_beside_each_other() {
    let for_host = |user: &str, host: &str| Account::for_any_realm(user, Password::new(PASSWORD)).at(host);
    let mut client = Client::with([for_host("alice", "a.example"), for_host("carol", "c.example")]);
    for (to, user) in [("sip:bob@a.example", "alice"), ("sip:bob@c.example", "carol"), ("sip:bob@a.example", "alice")] {
        let sent = client.retried(&call(to, to), &unauthorized(&www(REALM, "n", "")));
        let value = values(&sent, HeaderId::Authorization).remove(0);
        assert!(value.contains(&format!("username=\"{user}\"")), "{to}: {value}");
        client.next_request();
    }
    let strange = call("b", "sip:bob@b.example");
    assert!(matches!(client.challenged(&strange, &unauthorized(&www(REALM, "n", ""))), Err(GiveUp::Stranger { .. })));
    // The same once more changes nothing; another password takes its place.
    let mut client = Client::with([for_host("alice", "a.example")]);
    _ = client.retried(&call("a", "sip:bob@a.example"), &unauthorized(&www(REALM, "n", "")));
    client.client.add(for_host("alice", "a.example"));
    assert_eq!((client.client.accounts().len(), client.client.sessions()), (1, 1));
    client.client.add(Account::for_any_realm("alice", Password::new("other")).at("a.example"));
    assert_eq!((client.client.accounts().len(), client.client.sessions()), (1, 0));
}

#[test]
fn debug_forms_show_no_secret() {
    let mut client = Client::with([Account::new(REALM, "alice", Ha1Set::of("alice", REALM, &Password::new(PASSWORD)))]);
    client.client.add(Account::for_any_realm("bob", Password::new("hunter2")));
    let sent = client.retried(&register(), &unauthorized(&www(REALM, "n", "")));
    let value = values(&sent, HeaderId::Authorization).remove(0);
    let response = value.split("response=\"").nth(1).unwrap().split('"').next().unwrap();
    let ha1 = Ha1::of(Algorithm::Md5, "alice", REALM, &Password::new(PASSWORD));
    let shown = format!("{:?}", client.client);
    assert!(shown.contains("alice") && shown.contains("bob"), "{shown}");
    for secret in [PASSWORD, "hunter2", ha1.reveal(), response] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

/// PJSIP CVE-2026-40892: challenges as long as a message can be.
#[test]
fn cve_2026_40892_long_challenges_are_passed_over() {
    let long = "l".repeat(60_000);
    for line in [www(&long, "n", ""), www(REALM, &long, ""), www(REALM, "n", &format!(", opaque=\"{long}\""))] {
        let mut client = Client::with([Account::for_any_realm("anyone", Password::new("p"))]);
        assert!(matches!(client.challenged(&register(), &unauthorized(&line)), Err(GiveUp::Challenge(_))));
    }
}

/// The server's own settings, so that the client is seen to serve what they offer by default.
#[test]
fn the_servers_defaults() {
    let (mut world, mut client) = (World::new(AuthConfig::new(REALM)), Client::alice());
    let sent = client.retried(&register(), &world.challenge(false, at(0)));
    assert!(values(&sent, HeaderId::Authorization)[0].contains("algorithm=SHA-256"));
    assert_eq!(world.judge(&sent, at(0)), verified());
}
