#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use alloc::format;
use alloc::string::String;
use bytes::Bytes;
use ringback_message::Message;

fn request(method: &str) -> Request {
    let text = format!(
        "{method} sip:bob@b.example SIP/2.0\r\nVia: SIP/2.0/UDP p.example;branch=z9hG4bKp\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bKa\r\n\
         From: <sip:a@a.example>;tag=1\r\nTo: <sip:bob@b.example>\r\nCall-ID: 7\r\nCSeq: 1 {method}\r\n\r\n"
    );
    Request::check(Message::parse(Bytes::from(text)).unwrap()).unwrap()
}

fn target(name: &str, q: u16) -> Target {
    Target::new(name.as_bytes(), q)
}

struct Script {
    context: Context,
    method: &'static str,
    now: Now,
}

/// What a context asked for, in short: `start NAME`, `cancel N`, `respond CODE`, `reply CODE`, `give up`.
impl Script {
    fn new(method: &'static str, targets: &[(&str, u16)]) -> Script {
        let targets = targets.iter().map(|(name, q)| target(name, *q)).collect();
        let mut context = Context::new(&request(method), targets, &Config::default());
        context.start(Now::default());
        Script { context, method, now: Now::default() }
    }

    fn wants(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        while let Some(action) = self.context.poll_action() {
            all.push(match action {
                Action::Start { target, .. } => format!("start {}", String::from_utf8_lossy(&target.uri)),
                Action::Cancel { branch } => format!("cancel {}", branch.0),
                Action::Abandon { branch } => format!("abandon {}", branch.0),
                Action::Respond(response) => format!("respond {}", response.status()),
                Action::Reply(reply) => format!("reply {}", reply.status),
                Action::EarlyEnded { to_tag, reply } => format!("{} {to_tag}", reply.status),
                Action::GiveUp => "give up".into(),
                Action::Reached(limit) => format!("reached {limit:?}"),
            });
        }
        all
    }

    fn gets(&mut self, branch: usize, code: u16) -> Vec<String> {
        self.gets_with(branch, code, &[])
    }

    /// A response of the early dialog with this tag.
    fn says(&mut self, branch: usize, code: u16, tag: &str) -> Vec<String> {
        let request = request(self.method);
        let builder = Response::to(&request, StatusCode::new(code).unwrap()).to_tag(tag);
        let response = Response::check(builder.build_unchecked().unwrap()).unwrap();
        self.context.handle_response(BranchId(branch), response, self.now).unwrap();
        self.wants()
    }

    fn gets_with(&mut self, branch: usize, code: u16, headers: &[(HeaderId, &str)]) -> Vec<String> {
        let request = request(self.method);
        let mut builder = Response::to(&request, StatusCode::new(code).unwrap()).to_tag("t");
        for (id, value) in headers {
            builder = builder.raw(*id, value);
        }
        let response = Response::check(builder.build_unchecked().unwrap()).unwrap();
        self.context.handle_response(BranchId(branch), response, self.now).unwrap();
        self.wants()
    }

    fn after_secs(&mut self, secs: u64) -> Vec<String> {
        self.now = self.now.after(Micros::from_secs(secs));
        self.context.handle_timeout(self.now);
        self.wants()
    }
}

#[test]
fn one_target_that_answers() {
    let mut script = Script::new("INVITE", &[("a", 1000)]);
    assert_eq!(script.wants(), ["start a"]);
    assert!(script.gets(0, 100).is_empty());
    assert_eq!(script.gets(0, 180), ["respond 180"]);
    assert_eq!(script.gets(0, 200), ["respond 200"]);
    assert_eq!(script.gets(0, 200), ["respond 200"], "every 2xx goes back");
    assert_eq!(script.context.poll_timeout(), None);
}

#[test]
fn the_first_to_answer_ends_the_others() {
    let mut script = Script::new("INVITE", &[("a", 1000), ("b", 1000), ("c", 1000)]);
    assert_eq!(script.wants(), ["start a", "start b", "start c"]);
    script.gets(0, 180);
    script.gets(1, 180);
    assert_eq!(script.gets(1, 200), ["respond 200", "cancel 0"]);
    // The third had no provisional response yet: it is cancelled when it has. [RFC 3261, Section 9.1]
    assert_eq!(script.gets(2, 180), ["cancel 2"]);
    assert!(script.gets(0, 487).is_empty());
    assert_eq!(script.gets(2, 200), ["respond 200"], "a 2xx that crossed the CANCEL is not lost");
}

#[test]
fn serial_by_preference() {
    let mut script = Script::new("INVITE", &[("low", 100), ("high", 900), ("high2", 900)]);
    assert_eq!(script.wants(), ["start high", "start high2"]);
    assert!(script.gets(0, 486).is_empty());
    assert_eq!(script.gets(1, 480), ["start low"]);
    assert_eq!(script.gets(2, 404), ["respond 486"], "the lowest class, the first of it");
}

#[test]
fn a_global_failure_ends_the_search() {
    let mut script = Script::new("INVITE", &[("a", 1000), ("b", 1000), ("c", 100)]);
    script.wants();
    script.gets(1, 180);
    assert_eq!(script.gets(0, 603), ["cancel 1"]);
    assert_eq!(script.gets(1, 487), ["respond 603"]);
}

#[test]
fn the_best_response() {
    for (codes, best) in [
        ([486, 302], "respond 302"),
        ([500, 404], "respond 404"),
        ([404, 401], "respond 401"),
        ([503, 501], "respond 501"),
        ([503, 503], "reply 500"),
        ([408, 486], "respond 486"),
        ([600, 200], "respond 200"),
    ] {
        let mut script = Script::new("INVITE", &[("a", 1000), ("b", 1000)]);
        script.wants();
        let mut seen = script.gets(0, codes[0]);
        seen.extend(script.gets(1, codes[1]));
        assert_eq!(seen.last().unwrap(), best, "{codes:?}");
    }
}

#[test]
fn challenges_are_gathered() {
    let mut script = Script::new("INVITE", &[("a", 1000), ("b", 1000)]);
    script.wants();
    script.gets_with(0, 407, &[(HeaderId::ProxyAuthenticate, "Digest realm=\"a\", nonce=\"1\"")]);
    let request = request("INVITE");
    let other = Response::to(&request, StatusCode::Unauthorized)
        .to_tag("t")
        .raw(HeaderId::WwwAuthenticate, "Digest realm=\"b\", nonce=\"2\"")
        .build();
    script.context.handle_response(BranchId(1), other.unwrap(), script.now).unwrap();
    let Some(Action::Respond(response)) = script.context.poll_action() else { panic!("no response") };
    assert_eq!(response.all(HeaderId::ProxyAuthenticate).count() + response.all(HeaderId::WwwAuthenticate).count(), 2);
    assert_eq!(response.all(HeaderId::Via).count(), 1);
}

#[test]
fn the_caller_gives_up() {
    let mut script = Script::new("INVITE", &[("a", 1000), ("b", 100)]);
    script.wants();
    script.gets(0, 180);
    script.context.handle_cancel(script.now);
    assert_eq!(script.wants(), ["cancel 0"]);
    assert_eq!(script.gets(0, 487), ["respond 487"], "and the second target is not tried");
}

#[test]
fn the_caller_gives_up_before_anything_came_back() {
    let mut script = Script::new("INVITE", &[("a", 1000)]);
    script.wants();
    script.context.handle_cancel(script.now);
    assert!(script.wants().is_empty());
    assert_eq!(script.gets(0, 100), ["cancel 0"]);
    // The callee never answers the CANCEL: 64 × T1 later the caller is told. [RFC 3261, Section 9.1]
    assert_eq!(script.after_secs(32), ["abandon 0", "reply 487"]);
}

#[test]
fn timer_c() {
    let mut script = Script::new("INVITE", &[("a", 1000)]);
    script.wants();
    assert!(script.after_secs(100).is_empty());
    script.gets(0, 180);
    assert!(script.after_secs(184).is_empty(), "each provisional response starts it anew");
    assert_eq!(script.after_secs(1), ["cancel 0"]);
    assert_eq!(script.after_secs(32), ["abandon 0", "reply 408"]);
}

#[test]
fn a_branch_without_any_answer_ends_at_timer_c() {
    let mut script = Script::new("INVITE", &[("a", 1000), ("b", 100)]);
    script.wants();
    assert_eq!(script.after_secs(185), ["abandon 0", "start b"]);
}

/// [RFC 4320, Section 4.2]
#[test]
fn a_request_other_than_invite_never_gets_408() {
    let mut script = Script::new("MESSAGE", &[("a", 1000)]);
    assert_eq!(script.wants(), ["start a"]);
    assert_eq!(script.context.poll_timeout(), None, "Timer C is for INVITE");
    script.context.handle_failure(BranchId(0), StatusCode::RequestTimeout, script.now);
    assert_eq!(script.wants(), ["give up"]);
    let mut script = Script::new("MESSAGE", &[("a", 1000)]);
    script.wants();
    assert_eq!(script.gets(0, 408), ["give up"], "nor is one passed on that a callee sent");
}

#[test]
fn a_target_that_cannot_be_reached() {
    let mut script = Script::new("INVITE", &[("a", 1000)]);
    script.wants();
    script.context.handle_failure(BranchId(0), StatusCode::ServiceUnavailable, script.now);
    assert_eq!(script.wants(), ["reply 500"]);
}

#[test]
fn nothing_follows_the_answer() {
    let mut script = Script::new("INVITE", &[("a", 1000), ("b", 1000)]);
    script.wants();
    assert_eq!(script.gets(0, 200), ["respond 200"]);
    assert_eq!(script.gets(1, 180), ["cancel 1"], "a late 180 is not passed on");
    assert!(script.gets(1, 487).is_empty());
}

/// Three phones, and a caller whose INVITE says this.
fn forked(more: &str) -> Script {
    let text = String::from_utf8(request("INVITE").as_bytes().to_vec())
        .unwrap()
        .replace("\r\n\r\n", &format!("\r\n{more}\r\n\r\n"));
    let invite = Request::check(Message::parse(Bytes::from(text)).unwrap()).unwrap();
    let targets = [target("a", 1000), target("b", 1000), target("c", 100)];
    let mut context = Context::new(&invite, targets.into(), &Config::default());
    context.start(Now::default());
    let mut script = Script { context, method: "INVITE", now: Now::default() };
    script.wants();
    script
}

/// [RFC 6228, Section 6]
#[test]
fn who_wants_to_know_is_told_of_early_dialogs_that_have_ended() {
    let mut script = forked("Supported: 199");
    assert_eq!(script.says(0, 180, "a1"), ["respond 180"]);
    assert_eq!(script.says(0, 183, "a2"), ["respond 183"], "forked on by somebody else");
    assert_eq!(script.says(1, 180, "b1"), ["respond 180"]);
    assert_eq!(script.says(0, 199, "a2"), ["respond 199"]);
    assert_eq!(script.says(0, 486, "a1"), ["199 a1"], "a2 was told already");
    assert_eq!(script.says(1, 480, "b1"), ["199 b1", "start c"], "the next one is still to be tried");
    assert_eq!(script.says(2, 180, "c1"), ["respond 180"]);
    assert_eq!(script.says(2, 404, "c1"), ["respond 486"], "the final response itself tells it");

    let mut script = forked("Supported: 199");
    script.says(0, 180, "a1");
    script.says(1, 180, "b1");
    assert_eq!(script.says(1, 200, "b1"), ["respond 200", "cancel 0"]);
    assert!(script.says(0, 487, "a1").is_empty(), "not after a final response");

    for silent in ["Subject: x", "Supported: 199\r\nRequire: 100rel"] {
        let mut script = forked(silent);
        script.says(0, 180, "a1");
        assert!(script.says(0, 486, "a1").is_empty(), "{silent}");
    }
}

/// [RFC 5393, Section 5.3.3]
#[test]
fn breadth_is_shared_among_branches() {
    let text = "INVITE sip:b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nMax-Breadth: 2\r\nFrom: <sip:a@a>;tag=1\r\nTo: <sip:b>\r\nCall-ID: 7\r\nCSeq: 1 INVITE\r\n\r\n";
    let invite = Request::check(Message::parse(Bytes::from(text)).unwrap()).unwrap();
    let mut context =
        Context::new(&invite, [target("a", 1), target("b", 1), target("c", 1)].into(), &Config::default());
    context.start(Now::default());
    let mut started = 0;
    while let Some(action) = context.poll_action() {
        assert!(matches!(action, Action::Start { max_breadth: 1, .. }));
        started += 1;
    }
    assert_eq!(started, 2, "the third waits its turn");
    let none = Request::check(Message::parse(Bytes::from(text.replace("Breadth: 2", "Breadth: 0"))).unwrap()).unwrap();
    let mut context = Context::new(&none, [target("a", 1)].into(), &Config::default());
    context.start(Now::default());
    assert!(
        matches!(context.poll_action(), Some(Action::Reply(reply)) if reply.status == StatusCode::MaxBreadthExceeded)
    );
}
