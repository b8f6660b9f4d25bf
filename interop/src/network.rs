//! Networks of our own: namespaces that nobody else is in, with cables and routers between them.
//!
//! A namespace has no name: this process holds it open, and it is gone with all that is in it when the last process in it ends and
//! this one lets go. Needs the right to make one, as root has it; where it is missing, a case that needs it says so.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::IpAddr;
use std::os::fd::AsRawFd as _;
use std::process::{Command, Stdio};

use nix::sched::{CloneFlags, setns, unshare};

use crate::process::on_path;
use crate::wire::{Harm, Wire};
use crate::{Fault, doing};

/// What the kernel knows the namespace of a thread by.
const OWN: &str = "/proc/thread-self/ns/net";

/// A namespace, with nothing in it but a loopback device.
#[derive(Debug)]
pub(crate) struct Space(File);

impl Space {
    /// # Errors
    /// Where this process has no right to make one.
    pub(crate) fn new() -> Result<Self, Fault> {
        let home = own()?;
        unshare(CloneFlags::CLONE_NEWNET).map_err(|error| {
            format!("no network namespace can be made here: {error} (it takes CAP_SYS_ADMIN, as root has it)")
        })?;
        let made = own();
        enter(&home)?;
        let space = Self(made?);
        space.ip("link set lo up")?;
        Ok(space)
    }

    /// Acts in it: sockets that are opened and processes that are started by this very thread are in it, and stay there.
    ///
    /// # Errors
    /// What `act` says, or that it can't be entered or left.
    pub(crate) fn inside<T>(&self, act: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
        let home = own()?;
        enter(&self.0)?;
        let done = act();
        enter(&home)?;
        done
    }

    /// Has `ip` carry out a command in it.
    ///
    /// # Errors
    /// When it doesn't.
    pub(crate) fn ip(&self, words: &str) -> Result<(), Fault> {
        self.inside(|| run("ip", "iproute2", &words.split(' ').collect::<Vec<_>>(), ""))
    }

    /// Lays a cable from a new device of this one to a new device of another.
    ///
    /// # Errors
    /// When it can't be.
    pub(crate) fn join(&self, device: &str, other: &Space, other_device: &str) -> Result<(), Fault> {
        let path = format!("/proc/{}/fd/{}", std::process::id(), other.0.as_raw_fd());
        self.ip(&format!("link add {device} type veth peer name {other_device} netns {path}"))?;
        self.ip(&format!("link set {device} up"))?;
        other.ip(&format!("link set {other_device} up"))
    }

    /// Gives a device these addresses, each with the length of its network.
    ///
    /// # Errors
    /// When it doesn't take them.
    pub(crate) fn give(&self, device: &str, addresses: &[&str]) -> Result<(), Fault> {
        addresses.iter().try_for_each(|address| {
            // Nobody else has it: an address that is still being asked for can't be bound.
            let nodad = if address.contains(':') { " nodad" } else { "" };
            self.ip(&format!("addr add {address} dev {device}{nodad}"))
        })
    }

    /// Has it pass on what is not for it.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(crate) fn forward(&self) -> Result<(), Fault> {
        self.inside(|| {
            ["ipv4/ip_forward", "ipv6/conf/all/forwarding"].iter().try_for_each(|setting| {
                let path = format!("/proc/sys/net/{setting}");
                doing(|| format!("writing {path}"), fs::write(&path, "1"))
            })
        })
    }

    /// Replaces all rules of its packet filter.
    ///
    /// # Errors
    /// When they are refused.
    pub(crate) fn filter(&self, rules: &str) -> Result<(), Fault> {
        self.inside(|| run("nft", "nftables", &["-f", "-"], &format!("flush ruleset\n{rules}")))
    }
}

fn own() -> Result<File, Fault> {
    doing(|| format!("opening {OWN}"), File::open(OWN))
}

fn enter(space: &File) -> Result<(), Fault> {
    setns(space, CloneFlags::CLONE_NEWNET).map_err(|error| format!("entering a network namespace: {error}"))
}

/// Runs a tool of administrators in a namespace, to its end.
///
/// # Errors
/// When it is missing, or fails.
pub(crate) fn run_in(space: &Space, program: &str, package: &str, arguments: &[&str]) -> Result<(), Fault> {
    space.inside(|| run(program, package, arguments, ""))
}

fn run(program: &str, package: &str, arguments: &[&str], input: &str) -> Result<(), Fault> {
    let path = on_path(program).unwrap_or_else(|| format!("/usr/sbin/{program}").into());
    let what = || format!("{program} {} (Debian: apt-get install {package})", arguments.join(" "));
    let mut command = Command::new(path);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = doing(what, command.spawn())?;
    if let Some(mut stdin) = child.stdin.take() {
        doing(what, stdin.write_all(input.as_bytes()))?;
    }
    let said = doing(what, child.wait_with_output())?;
    match said.status.success() {
        true => Ok(()),
        false => Err(format!("{}: {}: {}", what(), said.status, String::from_utf8_lossy(&said.stderr).trim())),
    }
}

/// A house with a router, and the rest of the world, where the server is.
///
/// ```text
/// home  10.0.0.2, fd00:a::2  eth0 ─── lan  10.0.0.1, fd00:a::1
///                                    router
///                                     wan  198.51.100.1, fd00:b::1 ─── eth0  198.51.100.2 to .4, fd00:b::2 to ::4  world
/// ```
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) home: Space,
    pub(crate) router: Space,
    pub(crate) world: Space,
}

/// Every address that leaves the house is the router's, and only those get in who were spoken to.
pub(crate) const NAT: &str = "\
table ip nat {
    chain out {
        type nat hook postrouting priority srcnat;
        oifname \"wan\" masquerade
    }
    chain through {
        type filter hook forward priority filter;
        iifname \"wan\" ct state new drop
    }
}
";

/// Who is in the house is reached by the router's own address, at all ports, and by no other: as a container or a cloud has it.
pub(crate) const ONE_TO_ONE: &str = "\
table ip nat {
    chain in {
        type nat hook prerouting priority dstnat;
        iifname \"wan\" ip daddr 198.51.100.1 dnat to 10.0.0.2
    }
    chain out {
        type nat hook postrouting priority srcnat;
        oifname \"wan\" snat to 198.51.100.1
    }
    chain through {
        type filter hook forward priority filter;
        iifname \"wan\" ct state new ct status dnat accept
        iifname \"wan\" ct state new drop
    }
}
";

/// Nothing gets through the router.
pub(crate) const CUT: &str = "\
table inet cut {
    chain through {
        type filter hook forward priority filter;
        drop
    }
}
";

impl House {
    /// One with these families of addresses.
    ///
    /// # Errors
    /// As [`Space::new`].
    pub(crate) fn build(families: &[Family]) -> Result<Self, Fault> {
        let house = Self { home: Space::new()?, router: Space::new()?, world: Space::new()? };
        house.router.join("lan", &house.home, "eth0")?;
        house.furnish(families)?;
        Ok(house)
    }

    /// The same with a bad wire between the house and its router.
    ///
    /// # Errors
    /// As [`Space::new`], and [`Wire::lay`].
    pub(crate) fn build_with(harm: Harm, families: &[Family]) -> Result<(Self, Wire), Fault> {
        let house = Self { home: Space::new()?, router: Space::new()?, world: Space::new()? };
        let wire = Wire::lay((&house.home, "eth0"), (&house.router, "lan"), harm)?;
        house.furnish(families)?;
        Ok((house, wire))
    }

    fn furnish(&self, families: &[Family]) -> Result<(), Fault> {
        let house = self;
        house.router.join("wan", &house.world, "eth0")?;
        house.router.forward()?;
        for family in families {
            let (home, lan, wan, world) = match family {
                Family::V4 => (
                    ["10.0.0.2/24"].as_slice(),
                    "10.0.0.1/24",
                    "198.51.100.1/24",
                    ["198.51.100.2/24", "198.51.100.3/24", "198.51.100.4/24"].as_slice(),
                ),
                Family::V6 => (
                    ["fd00:a::2/64"].as_slice(),
                    "fd00:a::1/64",
                    "fd00:b::1/64",
                    ["fd00:b::2/64", "fd00:b::3/64", "fd00:b::4/64"].as_slice(),
                ),
            };
            house.home.give("eth0", home)?;
            house.router.give("lan", &[lan])?;
            house.router.give("wan", &[wan])?;
            house.world.give("eth0", world)?;
            let router: &str = lan.split('/').next().unwrap_or_default();
            house.home.ip(&format!("route add default via {router}"))?;
            let wan = wan.split('/').next().unwrap_or_default();
            house.world.ip(&format!("route add default via {wan}"))?;
        }
        Ok(())
    }
}

/// A family of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
}

/// As it stands in a regular expression for URIs.
pub(crate) fn pattern(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string().replace('.', "[.]"),
        IpAddr::V6(ip) => format!("[[]{ip}[]]"),
    }
}
