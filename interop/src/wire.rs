//! A bad wire between two namespaces: it loses, delays and swaps frames. Linux has this built in, but not every kernel is built with it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::ifaddrs::getifaddrs;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{AddressFamily, LinkAddr, SockFlag, SockProtocol, SockType, bind, socket};

use crate::Fault;
use crate::network::{Space, run_in};

/// Larger than any frame of a device whose MTU is 1500.
const FRAME_BYTES_MAX: usize = 2_048;
/// How often a way looks whether it is to end.
const LOOK: Duration = Duration::from_millis(50);
/// How much later a frame comes that others overtake, beside its delay.
const OVERTAKEN: Duration = Duration::from_millis(15);

/// What a wire does to frames, each way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Harm {
    /// Of a hundred frames so many are lost.
    pub(crate) loss_percent: u32,
    /// Of a hundred frames so many are overtaken by those behind them.
    pub(crate) reorder_percent: u32,
    /// How long a frame is under way.
    pub(crate) delay: Duration,
    /// What the same happens again by.
    pub(crate) seed: u64,
}

/// A wire at work. Dropped, it is cut.
#[derive(Debug)]
pub(crate) struct Wire {
    is_over: Arc<AtomicBool>,
    ways: Vec<JoinHandle<Carried>>,
    // The devices are gone with it.
    _space: Space,
}

/// What a way has done.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Carried {
    pub(crate) frames: usize,
    pub(crate) lost: usize,
    pub(crate) overtaken: usize,
}

impl Wire {
    /// A wire between a new device of one and a new device of the other.
    ///
    /// # Errors
    /// Where the devices can't be made.
    pub(crate) fn lay(one: (&Space, &str), other: (&Space, &str), harm: Harm) -> Result<Self, Fault> {
        let space = Space::new()?;
        for ((end, device), name) in [(one, "one"), (other, "other")] {
            space.join(name, end, device)?;
            space.ip(&format!("link set {name} promisc on"))?;
            // What is read here is to be whole: no checksum left to a card, no segments in one piece.
            for what in ["tx", "tso", "gso", "gro"] {
                run_in(end, "ethtool", "ethtool", &["-K", device, what, "off"])?;
            }
        }
        let (mac_of_one, mac_of_other) = (mac(one.0, one.1)?, mac(other.0, other.1)?);
        let is_over = Arc::new(AtomicBool::new(false));
        let mut ways = Vec::new();
        for (from, to, mac, seed) in
            [("one", "other", mac_of_one, harm.seed), ("other", "one", mac_of_other, !harm.seed)]
        {
            let (input, output) = space.inside(|| Ok((raw(from)?, raw(to)?)))?;
            let way = Way {
                input,
                output,
                mac,
                harm,
                random: seed,
                waiting: BinaryHeap::new(),
                carried: Carried::default(),
                count: 0,
            };
            let is_over = Arc::clone(&is_over);
            ways.push(std::thread::spawn(move || way.carry(&is_over)));
        }
        Ok(Self { is_over, ways, _space: space })
    }

    /// Ends it, and tells what each way has done.
    pub(crate) fn cut(mut self) -> Vec<Carried> {
        self.is_over.store(true, Ordering::Relaxed);
        std::mem::take(&mut self.ways).into_iter().map(|way| way.join().unwrap_or_default()).collect()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

/// All frames of a device of the namespace that this thread is in.
fn raw(device: &str) -> Result<File, Fault> {
    let what = |error| format!("a socket for the frames of {device}: {error}");
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let opened = socket(AddressFamily::Packet, SockType::Raw, flags, SockProtocol::EthAll).map_err(what)?;
    bind(opened.as_raw_fd(), &link(device)?).map_err(what)?;
    Ok(File::from(opened))
}

fn mac(space: &Space, device: &str) -> Result<[u8; 6], Fault> {
    space.inside(|| link(device)?.addr().ok_or_else(|| format!("{device} has no address of its own")))
}

fn link(device: &str) -> Result<LinkAddr, Fault> {
    let mut devices = getifaddrs().map_err(|error| format!("the devices: {error}"))?;
    let found =
        devices.find_map(|found| found.address?.as_link_addr().copied().filter(|_| found.interface_name == device));
    found.ok_or_else(|| format!("there is no device {device}"))
}

/// One direction.
struct Way {
    input: File,
    output: File,
    /// Whose frames it carries: what the other way has sent is heard here too.
    mac: [u8; 6],
    harm: Harm,
    random: u64,
    waiting: BinaryHeap<Reverse<(Instant, usize, Vec<u8>)>>,
    carried: Carried,
    count: usize,
}

impl Way {
    fn carry(mut self, is_over: &AtomicBool) -> Carried {
        let mut frame = vec![0; FRAME_BYTES_MAX];
        while !is_over.load(Ordering::Relaxed) {
            let due =
                self.waiting.peek().map_or(LOOK, |Reverse((due, ..))| due.saturating_duration_since(Instant::now()));
            // A millisecond is the least that it waits: rounded up, or it would wait for nothing.
            let patience = u16::try_from(due.min(LOOK).as_micros().div_ceil(1_000)).unwrap_or(1);
            let mut inputs = [PollFd::new(self.input.as_fd(), PollFlags::POLLIN)];
            // A signal ends it early, which does no harm.
            let _ = poll(&mut inputs, PollTimeout::from(patience));
            while let Ok(length) = self.input.read(&mut frame) {
                self.take(frame.get(..length).unwrap_or_default());
            }
            while self.waiting.peek().is_some_and(|Reverse((due, ..))| *due <= Instant::now()) {
                if let Some(Reverse((.., frame))) = self.waiting.pop() {
                    // A device that is down loses it.
                    let _ = self.output.write(&frame);
                }
            }
        }
        self.carried
    }

    fn take(&mut self, frame: &[u8]) {
        if frame.get(6..12) != Some(&self.mac) {
            return;
        }
        self.carried.frames += 1;
        let mut delay = self.harm.delay;
        if !is_neighbourly(frame) {
            if self.happens(self.harm.loss_percent) {
                self.carried.lost += 1;
                return;
            }
            if self.happens(self.harm.reorder_percent) {
                self.carried.overtaken += 1;
                delay += OVERTAKEN;
            }
        }
        self.count += 1;
        self.waiting.push(Reverse((Instant::now() + delay, self.count, frame.to_vec())));
    }

    fn happens(&mut self, percent: u32) -> bool {
        // Knuth's generator for 64 bits; the upper ones are good.
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % 100 < u64::from(percent)
    }
}

/// ARP and neighbour discovery, whose loss would only cost time.
fn is_neighbourly(frame: &[u8]) -> bool {
    match frame.get(12..14) {
        Some([0x08, 0x06]) => true,
        Some([0x86, 0xdd]) => frame.get(20) == Some(&58) && matches!(frame.get(54), Some(133..=136)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn arp_and_neighbour_discovery_are_told_from_the_rest() {
        let frame = |kind: [u8; 2], protocol: u8, icmp: u8| {
            let mut frame = vec![0; 60];
            for (at, byte) in [(12, kind[0]), (13, kind[1]), (20, protocol), (54, icmp)] {
                frame[at] = byte;
            }
            frame
        };
        assert!(is_neighbourly(&frame([8, 6], 0, 0)));
        assert!(is_neighbourly(&frame([0x86, 0xdd], 58, 135)));
        // An echo, and UDP.
        assert!(!is_neighbourly(&frame([0x86, 0xdd], 58, 128)));
        assert!(!is_neighbourly(&frame([0x86, 0xdd], 17, 135)));
        assert!(!is_neighbourly(&frame([8, 0], 17, 0)));
        assert!(!is_neighbourly(&[]));
    }
}
