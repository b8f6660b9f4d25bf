#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use bytes::Bytes;
use ringback_message::Rejected;
use tokio::runtime::Builder;
use tokio::task::unconstrained;

use super::*;
use crate::counters::IoCounters;

/// A shard that has no room for the first messages that it is offered.
#[derive(Default)]
struct Busy {
    refuses: usize,
    taken: Vec<(Bytes, Hop)>,
}

impl Upper for Busy {
    fn message(&mut self, bytes: Bytes, hop: Hop) -> Result<(), Bytes> {
        if self.refuses > 0 {
            self.refuses -= 1;
            return Err(bytes);
        }
        self.taken.push((bytes, hop));
        Ok(())
    }

    fn rejected(&mut self, _: Box<Rejected>, _: Hop) {
        panic!("nothing is wrong with it");
    }
}

struct Bench {
    connections: Connections,
    counters: Arc<LiveCounters>,
    buffer: Vec<u8>,
    now: Now,
}

impl Bench {
    /// Within a runtime. With the address that it listens on.
    fn new(limits: TcpLimits) -> (Bench, SocketAddr) {
        let counters = Arc::new(LiveCounters::default());
        let mut connections =
            Connections::new(0, u32::MAX - 1, Common::new(limits, Tls::default()), Arc::clone(&counters));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        connections.listen(listener, Transport::Tcp, address).unwrap();
        (Bench { connections, counters, buffer: vec![0; 65_536], now: Now::default() }, address)
    }

    /// So many turns, each a millisecond after the one before.
    async fn turns(&mut self, count: usize, up: &mut Busy) {
        for _ in 0..count {
            tokio::time::sleep(Duration::from_millis(1)).await;
            self.now = self.now.after(Micros::from_ms(1));
            self.connections.handle_timeout(self.now);
            self.connections.turn(&mut self.buffer, up, self.now);
            self.connections.flush(self.now);
        }
    }

    fn counted(&self) -> IoCounters {
        let mut sum = IoCounters::default();
        self.counters.add_to(&mut sum);
        sum
    }
}

fn within(test: impl Future<Output = ()>) {
    Builder::new_current_thread().enable_all().build().unwrap().block_on(unconstrained(test));
}

fn message(n: usize) -> String {
    format!("MESSAGE sip:a SIP/2.0\r\nCall-ID: {n}\r\nContent-Length: 2\r\n\r\nhi")
}

fn response(hop: Hop) -> Transmit {
    Transmit::new(hop, Bytes::from_static(b"SIP/2.0 200 OK\r\n\r\n"))
}

#[test]
fn what_a_shard_has_no_room_for_is_offered_again_and_in_order() {
    within(async {
        let (mut bench, address) = Bench::new(TcpLimits::default());
        let mut peer = std::net::TcpStream::connect(address).unwrap();
        peer.write_all((0..50).map(message).collect::<String>().as_bytes()).unwrap();
        let mut up = Busy { refuses: 4, ..Busy::default() };
        bench.turns(12, &mut up).await;
        assert!(up.taken.is_empty() && up.refuses > 0, "{}", up.refuses);
        bench.turns(40, &mut up).await;
        let expected: Vec<String> = (0..50).map(message).collect();
        assert_eq!(up.taken.iter().map(|(bytes, _)| bytes.clone()).collect::<Vec<_>>(), expected);
        assert_eq!((bench.counted().messages_held, bench.counted().messages_received), (4, 50));
    });
}

#[test]
fn a_flow_names_one_connection_for_ever() {
    within(async {
        let (mut bench, address) = Bench::new(TcpLimits::default());
        let mut up = Busy::default();
        let mut flows = Vec::new();
        for n in 0..4 {
            let mut peer = std::net::TcpStream::connect(address).unwrap();
            peer.write_all(message(n).as_bytes()).unwrap();
            bench.turns(3, &mut up).await;
            let (_, hop) = up.taken.pop().unwrap();
            assert_eq!((hop.local, hop.remote), (address, peer.local_addr().unwrap()));
            bench.connections.send(response(hop), 0, bench.now).unwrap();
            bench.turns(1, &mut up).await;
            let mut answer = [0; 18];
            peer.read_exact(&mut answer).unwrap();
            assert!(answer.starts_with(b"SIP/2.0 200"));
            drop(peer);
            bench.turns(3, &mut up).await;
            assert_eq!(bench.connections.rows.len(), 0);
            // A request has nowhere else to go.
            let late = Transmit::new(hop, Bytes::from(message(n)));
            assert_eq!(bench.connections.send(late.clone(), 0, bench.now), Err(late));
            flows.push(hop.flow.unwrap());
        }
        // The counter of generations goes round.
        assert_eq!(flows.iter().map(|flow| flow.generation).collect::<Vec<_>>(), [u32::MAX, 0, 1, 2]);
        assert!(flows.iter().all(|flow| flow.slot == flows[0].slot));
        assert_eq!((bench.counted().flows_gone, bench.connections.timers.len()), (4, 0));
    });
}

#[test]
fn what_comes_together_is_offered_before_the_peer_is_judged() {
    within(async {
        let limits = TcpLimits { write_queue_bytes_max: 100, ..TcpLimits::default() };
        let (mut bench, address) = Bench::new(limits);
        let mut peer = std::net::TcpStream::connect(address).unwrap();
        peer.write_all(message(0).as_bytes()).unwrap();
        let mut up = Busy::default();
        bench.turns(3, &mut up).await;
        let (_, hop) = up.taken.pop().unwrap();
        for _ in 0..1_000 {
            bench.connections.send(response(hop), 0, bench.now).unwrap();
        }
        bench.turns(1, &mut up).await;
        let mut answers = vec![0; 18_000];
        peer.read_exact(&mut answers).unwrap();
        assert_eq!((bench.counted().connections_overrun, bench.connections.rows.len()), (0, 1));
    });
}
