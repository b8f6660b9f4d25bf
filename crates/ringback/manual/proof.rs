// Included by the programs of the manual, hidden from its readers: the proof that a message of the manual is right.
//
// The lint finds nothing in it; where the chapter shows it (```sip NAME), the chapter shows just these bytes; and where
// RINGBACK_MANUAL_MESSAGES names a folder, it is written there for judges that others wrote.
mod proof {
    use std::fs;
    use std::path::{Path, PathBuf};

    use ringback::prelude::*;

    /// A message by itself.
    #[track_caller]
    pub fn judged(name: &str, message: &Message) {
        judge(name, message, ringback_lint::lint(message));
    }

    /// A response, against its request.
    #[track_caller]
    pub fn answered(name: &str, request: &Message, response: &Message) {
        judge(name, response, ringback_lint::lint_pair(request, response));
    }

    #[track_caller]
    fn judge(name: &str, message: &Message, findings: Vec<ringback_lint::Finding>) {
        let text = String::from_utf8_lossy(message.as_bytes()).replace("\r\n", "\n");
        let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(findings.is_empty(), "{name}: {findings:#?}\n{text}");
        compare(name, text.trim_end());
        if let Some(folder) = std::env::var_os("RINGBACK_MANUAL_MESSAGES") {
            fs::write(PathBuf::from(folder).join(format!("{name}.sip")), message.as_bytes()).unwrap();
        }
    }

    /// Looks for the place where the manual shows this message. Set RINGBACK_WRITE_DOCS to write it there, one test at a time.
    #[track_caller]
    fn compare(name: &str, text: &str) {
        let fence = format!("```sip {name}\n");
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("manual")).unwrap() {
            let path = entry.unwrap().path();
            let page = fs::read_to_string(&path).unwrap();
            let Some((before, rest)) = page.split_once(&fence) else { continue };
            let (shown, after) = rest.split_once("\n```").unwrap();
            if shown != text && std::env::var_os("RINGBACK_WRITE_DOCS").is_some() {
                fs::write(path, format!("{before}{fence}{text}\n```{after}")).unwrap();
            } else {
                assert_eq!(text, shown, "{name} is shown as another: run the doc tests with RINGBACK_WRITE_DOCS=1");
            }
        }
    }

    /// What Alice's phone asks Bob's.
    pub fn options() -> Request {
        RequestBuilder::new(Method::Options, "sip:bob@biloxi.example.com")
            .via("client.atlanta.example.com", "TCP", Some("z9hG4bKhjhs8ass877"))
            .from("Alice", "sip:alice@atlanta.example.com", Some("1928301774"))
            .to("", "sip:bob@biloxi.example.com", None)
            .call_id("a84b4c76e66710@client.atlanta.example.com")
            .cseq(63104, Method::Options)
            .accept("application/sdp", None)
            .build()
            .unwrap()
    }

    /// The INVITE with which Alice calls Bob, and offers sound as PCMU, PCMA or iLBC.
    pub fn invite() -> Request {
        RequestBuilder::new(Method::Invite, "sip:bob@biloxi.example.com")
            .via("client.atlanta.example.com", "TCP", Some("z9hG4bK74bf9dac1"))
            .from("Alice", "sip:alice@atlanta.example.com", Some("9fxced76sl"))
            .to("Bob", "sip:bob@biloxi.example.com", None)
            .call_id("3848276298220188511@atlanta.example.com")
            .cseq(1, Method::Invite)
            .contact("sip:alice@client.atlanta.example.com;transport=tcp", None)
            .allow_methods(methods())
            .supported_tags(vec!["100rel".into()])
            .sdp(&offer())
            .build()
            .unwrap()
    }

    /// What Alice's phone and Bob's can do.
    pub fn methods() -> Vec<Method> {
        vec![Method::Invite, Method::Ack, Method::Cancel, Method::Bye, Method::Options, Method::Prack]
    }

    pub fn offer() -> SessionDescription {
        SdpBuilder::new("-")
            .origin("alice", "2890844526", "1", "IN", "IP4", "192.0.2.101")
            .connection("IN", "IP4", "192.0.2.101")
            .media_audio(49170, "RTP/AVP")
            .formats(&["0", "8", "97"])
            .rtpmap("97", "iLBC/8000")
            .done()
            .build()
            .unwrap()
    }

    /// The 200 with which Bob takes it.
    pub fn taken() -> Response {
        let origin = Origin::parse("bob 2890844527 1 IN IP4 192.0.2.201").unwrap();
        let bob = Endpoint::new(origin, "192.0.2.201").media(LocalMedia::audio(3456).codec(Codec::pcmu()));
        let answer = Session::new().receive(offer()).unwrap().answer(&bob).unwrap();
        Response::to(&invite(), StatusCode::Ok)
            .to_tag("314159265358")
            .contact("sip:bob@client.biloxi.example.com;transport=tcp", None)
            .allow_methods(methods())
            .supported_tags(vec!["100rel".into()])
            .sdp(answer.description())
            .build()
            .unwrap()
    }
}
use proof::*;
