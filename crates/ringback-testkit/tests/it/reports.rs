//! What is told of a run that goes wrong.

use ringback_base::Micros;
use ringback_testkit::check::Invariant;
use ringback_testkit::world::{Deed, Setup, World, server_addresses};

/// A server that may give strangers nothing breaks its promise at once.
#[test]
fn a_failure_tells_its_seed_its_ladder_and_where_the_capture_is() {
    let setup = Setup { amplification_max_percent: 0, ..Setup::new(42) };
    let mut world = World::new(setup).unwrap();
    let [server, _] = server_addresses();
    let stranger = "203.0.113.7:5060".parse().unwrap();
    world.add_stranger("mallory", stranger);
    let bytes = "OPTIONS sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.7:5060;branch=z9hG4bK1\r\nFrom: <sip:m@example.com>;tag=1\r\n\
                 To: <sip:example.com>\r\nCall-ID: probe\r\nCSeq: 7 OPTIONS\r\n\r\n";
    world.schedule(Micros::from_ms(5), Deed::Inject { from: stranger, to: server, bytes: bytes.into() });
    let failure = world.run_until(Micros::from_secs(1)).unwrap_err();
    assert_eq!(failure.violation.invariant, Invariant::Amplification);
    assert_eq!((failure.seed, failure.at), (42, Micros::from_ms(5)));
    let told = failure.to_string();
    for part in ["Amplification: ", "seed 42, step 2, 0.005000s", "Call-ID probe", "|---- OPTIONS 7 ----->|"] {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
    let capture = failure.capture.unwrap();
    let file = std::fs::read(&capture).unwrap();
    std::fs::remove_file(&capture).unwrap();
    // A header, and the one packet that reached the server.
    assert_eq!(file.len(), 24 + 16 + 28 + bytes.len());
    assert!(file.ends_with(bytes.as_bytes()));
}
