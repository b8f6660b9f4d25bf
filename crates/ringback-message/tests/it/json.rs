//! The JSON view: the example of its page, what can't be read, and what is no text.

use bytes::Bytes;
use ringback_message::{Depth, Message, Request, Response};
use serde_json::{Value, json};

const PAGE: &str = include_str!("../../../../docs/json.md");

/// What stands between the fences of a block of that language.
fn block(language: &str) -> &'static str {
    let start = PAGE.split_once(&format!("```{language}\n")).expect("a block of that language").1;
    start.split_once("```").unwrap().0
}

fn view(message: impl AsRef<[u8]>) -> Value {
    serde_json::to_value(Message::parse(Bytes::copy_from_slice(message.as_ref())).unwrap()).unwrap()
}

#[test]
fn the_example_of_the_page_is_what_comes_out() {
    let message = Message::parse(Bytes::from(block("sip").replace('\n', "\r\n"))).unwrap();
    let written = serde_json::to_string_pretty(&message).unwrap();
    assert!(block("json").trim_end() == written, "docs/json.md: the example becomes\n{written}");
}

#[test]
fn checked_messages_look_like_others() {
    let head = "v: SIP/2.0/UDP a;branch=z9hG4bK1\r\nf: <sip:a@b>;tag=1\r\nt: <sip:b@c>\r\ni: 1\r\nCSeq: 1 BYE\r\n\r\n";
    let read = |start: &str| Message::parse(Bytes::from(format!("{start}\r\n{head}"))).unwrap();
    let (bye, ok) = (read("BYE sip:b@c SIP/2.0"), read("SIP/2.0 200 OK"));
    let request = Request::check(bye.clone()).unwrap();
    assert_eq!(serde_json::to_value(&request).unwrap(), serde_json::to_value(&bye).unwrap());
    let response = Response::check(ok.clone()).unwrap();
    assert_eq!(serde_json::to_value(&response).unwrap(), serde_json::to_value(&ok).unwrap());
}

#[test]
fn what_can_not_be_read_says_where() {
    let answer = view("SIP/2.0 486 Busy Here\r\nX-A: b\r\nRetry-After: soon\r\ne: gzip\r\n\r\n");
    assert_eq!(
        (&answer["kind"], &answer["status"], &answer["reason"]),
        (&json!("response"), &json!(486), &json!("Busy Here"))
    );
    assert_eq!(answer["headers"][0], json!({ "name": "X-A", "value": "b", "offset": 28 }));
    let broken = &answer["headers"][1];
    assert_eq!((&broken["error"]["header"], &broken["error"]["byte"]), (&json!("Retry-After"), &json!(44)));
    assert!(broken["error"]["expected"].is_string() && broken["error"]["section"].is_string());
    assert_eq!(broken["error"]["kind"], json!("header_value"));
    assert_eq!(broken.get("typed"), None);
    assert_eq!(answer["headers"][2]["name"], json!("Content-Encoding"));
    assert_eq!(answer["body"], json!({ "length": 0, "text": "" }));
}

#[test]
fn a_request_whose_first_line_is_broken_has_no_method() {
    let rejected = Message::parse(Bytes::from_static(b"INVITE\r\nSubject: a\xffb\r\n\r\n")).unwrap_err();
    let error = serde_json::to_value(rejected.error).unwrap();
    assert_eq!((&error["header"], &error["byte"]), (&Value::Null, &json!(6)));
    let salvage = serde_json::to_value(rejected.salvage.unwrap()).unwrap();
    assert_eq!(
        (&salvage["kind"], &salvage["method"], &salvage["uri"]),
        (&json!("request"), &Value::Null, &Value::Null)
    );
    assert_eq!(salvage["headers"][0]["typed"][0]["text"], json!("a\u{fffd}b"));
}

#[test]
fn faults_say_what_errors_do_and_how_deep() {
    let options = Message::parse(Bytes::from_static(b"OPTIONS sip:a SIP/2.0\r\nt: <sip:%x@a>\r\n\r\n")).unwrap();
    let faults = serde_json::to_value(options.faults(Depth::Semantics)).unwrap();
    let expected = "two hexadecimal digits behind the % of an escape";
    let to = json!({
        "depth": "syntax", "kind": "header_value", "header": "To", "byte": 31, "expected": expected, "section": "RFC 3261, Section 20.39"
    });
    assert_eq!(faults[0], to);
    assert_eq!(
        (&faults[1]["depth"], &faults[1]["kind"], &faults[1]["header"]),
        (&json!("semantics"), &json!("missing"), &json!("Via"))
    );
}

#[test]
fn bodies_are_text_or_digits_and_have_parts() {
    let body = |text: &[u8]| {
        view([b"MESSAGE sip:a SIP/2.0\r\nc: multipart/mixed;boundary=x\r\n\r\n", text].concat())["body"].clone()
    };
    assert_eq!(view("MESSAGE sip:a SIP/2.0\r\n\r\n\u{fc}")["body"], json!({ "length": 2, "text": "\u{fc}" }));
    assert_eq!(view(b"MESSAGE sip:a SIP/2.0\r\n\r\n\x00\xfe")["body"], json!({ "length": 2, "hex": "00fe" }));
    assert_eq!(view("MESSAGE sip:a SIP/2.0\r\n\r\na\0")["body"], json!({ "length": 2, "hex": "6100" }));
    let parts = &body(b"--x\r\nX-A: y\r\n\r\n\xff\r\n--x--")["parts"];
    let header = json!({ "name": "X-A", "value": "y", "offset": 66 });
    assert_eq!(*parts, json!([{ "headers": [header], "offset": 71, "length": 1, "hex": "ff" }]));
    let broken = body(b"--x\r\nX: y");
    assert_eq!((&broken["error"]["expected"], broken.get("parts")), (&json!("the closing delimiter"), None));
}
