//! Whole runs drawn from a seed: who has which phones, who calls whom when, and what goes wrong meanwhile.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use ringback_auth::AuthConfigError;
use ringback_base::{Micros, Random};

use crate::failure::Failure;
use crate::net::{Chance, Quality};
use crate::phone::{Act, CallPlan, Line, Manners, Reaction, Span};
use crate::strange::{Victims, datagram};
use crate::surroundings::Faults;
use crate::world::{DOMAIN, Deed, PhoneId, Setup, Summary, World, server_addresses};

/// The number of the first request outside of calls, in the diaries.
const OTHERS_FROM: u32 = 1_000_000;

/// When the last phone has been told to register.
const CALLS_FROM: Micros = Micros::from_secs(8);

/// What a run is drawn from, besides its seed.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// All chance comes from it.
    pub seed: u64,
    /// How many users there are.
    pub users: u32,
    /// How many calls are placed.
    pub calls: u32,
    /// Within which time.
    pub span: Micros,
    /// The quality of the links.
    pub quality: Quality,
    /// What goes wrong between the server and its data.
    pub faults: Faults,
    /// How often the server dies and starts again.
    pub crashes: u32,
    /// How often a phone loses its way to the server for a while.
    pub partitions: u32,
    /// How many strangers send nonsense.
    pub strangers: u32,
    /// Phones do what phones should not.
    pub odd_phones: bool,
    /// Towards the end the server takes no new requests any more.
    pub drains: bool,
    /// The server redirects and does not relay.
    pub redirects: bool,
    /// The most server transactions, client transactions, calls and look-ups; the defaults where it is none.
    pub tables_max: Option<usize>,
}

impl Scenario {
    /// A small town of well-behaved phones on a perfect network.
    #[must_use]
    pub fn new(seed: u64) -> Scenario {
        Scenario {
            seed,
            users: 12,
            calls: 100,
            span: Micros::from_secs(120),
            quality: Quality::PERFECT,
            faults: Faults::NONE,
            crashes: 0,
            partitions: 0,
            strangers: 0,
            odd_phones: false,
            drains: false,
            redirects: false,
            tables_max: None,
        }
    }

    /// The world of this number: the quality of the network and all that goes wrong follow from it.
    ///
    /// Worlds of one number are the same, so a run of many worlds fails at one of them, which can be played alone.
    #[must_use]
    pub fn of_seed(seed: u64) -> Scenario {
        let plain = Scenario::new(seed);
        let odd = Scenario { odd_phones: true, strangers: 2, ..plain.clone() };
        match seed % 20 {
            0..=1 => plain,
            2..=4 => Scenario { quality: Quality::LAN, ..odd },
            5..=8 => Scenario { quality: Quality::INTERNET, faults: Faults::SLOW, crashes: 1, partitions: 3, ..odd },
            9 => Scenario { quality: Quality::INTERNET, faults: Faults::SLOW, drains: true, ..odd },
            10..=13 => Scenario { quality: Quality::CROWDED, faults: Faults::MANY, crashes: 2, partitions: 5, ..odd },
            14..=16 => Scenario { quality: Quality::BROKEN, faults: Faults::MANY, crashes: 1, partitions: 5, ..odd },
            17..=18 => Scenario { quality: Quality::INTERNET, faults: Faults::MANY, tables_max: Some(9), ..odd },
            _ => Scenario { quality: Quality::INTERNET, redirects: true, ..odd },
        }
    }

    /// Plays it to its end.
    ///
    /// # Errors
    /// Where an invariant is violated.
    pub fn run(&self) -> Result<Summary, Box<Failure>> {
        match self.build() {
            Ok(mut world) => {
                world.run_until(CALLS_FROM.plus(self.span).plus(Micros::from_secs(30)))?;
                world.finish()
            }
            Err(error) => Err(Box::new(Failure::of_setup(self.seed, &error))),
        }
    }

    /// The world with all that is going to happen in it.
    ///
    /// # Errors
    /// Where the configuration contradicts itself.
    pub fn build(&self) -> Result<World, AuthConfigError> {
        let mut setup = Setup { quality: self.quality, faults: self.faults, ..Setup::new(self.seed) };
        setup.config.redirect = self.redirects;
        if let Some(most) = self.tables_max {
            setup.config.transactions.server_transactions_max = most;
            setup.config.transactions.client_transactions_max = most;
            setup.config.proxy.contexts_max = most;
            setup.config.lookups_max = most;
        }
        let mut seed = [0x5c; 32];
        seed.iter_mut().zip(self.seed.to_be_bytes()).for_each(|(byte, from)| *byte = from);
        let mut draw = Draw { random: Random::from_seed(seed), scenario: self, world: World::new(setup)? };
        let (users, phones) = draw.people();
        draw.calls(&users, &phones);
        draw.others(&users, &phones);
        draw.comings_and_goings(&phones);
        draw.crashes();
        if self.drains {
            draw.world.schedule(CALLS_FROM.plus(Micros(self.span.0 / 10 * 9)), Deed::Drain);
        }
        draw.partitions(&phones);
        draw.strangers(&users, &phones);
        Ok(draw.world)
    }
}

struct Draw<'a> {
    random: Random,
    scenario: &'a Scenario,
    world: World,
}

type Phones = Vec<(PhoneId, SocketAddr)>;

impl Draw<'_> {
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.random.below(bound as u64)).unwrap_or(0)
    }

    fn chance(&mut self, percent: u32) -> bool {
        Chance::percent(percent).strikes(&mut self.random)
    }

    fn at(&mut self) -> Micros {
        CALLS_FROM.plus(Micros(self.random.below(self.scenario.span.0)))
    }

    fn ms(&mut self, least: u64, most: u64) -> Micros {
        Span::ms(least, most).draw(&mut self.random)
    }

    fn people(&mut self) -> (Vec<String>, Phones) {
        let names = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy"];
        let mut users = Vec::new();
        let mut phones = Vec::new();
        for number in 0..self.scenario.users {
            let name = names.get(number as usize % names.len()).copied().unwrap_or("zoe");
            let user = format!("{name}{number}");
            self.world.add_user(&user, "secret");
            let count = [1, 1, 1, 2, 2, 3, 5].get(self.below(7)).copied().unwrap_or(1);
            for index in 0..count {
                let phone = self.phone(&user, index, phones.len());
                phones.push(phone);
            }
            users.push(user);
        }
        // Known, and never there.
        self.world.add_user("absent", "secret");
        users.push("absent".to_owned());
        (users, phones)
    }

    fn phone(&mut self, user: &str, index: u32, number: usize) -> (PhoneId, SocketAddr) {
        let host = u16::try_from(number).unwrap_or(u16::MAX).saturating_add(2);
        let [high, low] = host.to_be_bytes();
        let is_v6 = self.chance(20);
        let address = if is_v6 {
            SocketAddr::from((Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, host), 5060))
        } else {
            SocketAddr::from((Ipv4Addr::new(198, 18, high, low), 5060))
        };
        let [v4, v6] = server_addresses();
        let q = [None, None, Some(1_000), Some(500), Some(500), Some(100)].get(self.below(6)).copied().flatten();
        let mut manners = if self.scenario.odd_phones { Manners::mixed() } else { Manners::default() };
        let mut password = "secret";
        if self.scenario.odd_phones {
            match self.below(24) {
                0 => password = "wrong",
                1 => manners.via = Some(SocketAddr::from((Ipv4Addr::new(203, 0, 113, 250), 5060))),
                // Whoever calls there calls the server again.
                2 => manners.contact = Some(format!("sip:{user}@{v4}")),
                3 => manners.contact = Some(format!("sip:{user}@{user}.phones.test")),
                4 => manners.answers_others = [0, 408, 503, 481].get(self.below(4)).copied().unwrap_or(0),
                // Nobody listens there.
                5 => manners.contact = Some(format!("sip:{user}@198.18.255.254:5066")),
                6 => manners = Manners::always(Reaction::Garbage),
                _ => {}
            }
        }
        if let Some(contact) = manners.contact.as_ref().filter(|contact| contact.ends_with(".test")) {
            let host = contact.rsplit('@').next().unwrap_or_default().to_owned();
            let zone = &mut self.world.surroundings().zone;
            zone.add_host(&host, address.ip());
            // Every other one is behind a farm, whose first server is dead.
            if number.is_multiple_of(2) {
                let (service, dead) = (format!("_sip._udp.{host}"), format!("dead.{host}"));
                zone.add_service(&service, 10, &dead, 5066);
                zone.add_service(&service, 20, &host, 5060);
                zone.add_host(&dead, Ipv4Addr::new(198, 18, 255, 254).into());
            }
        }
        let line = Line {
            name: format!("{user}-{index}"),
            user: user.to_owned(),
            domain: DOMAIN.to_owned(),
            password: password.to_owned(),
            address,
            server: if is_v6 { v6 } else { v4 },
            q,
            expires_secs: [60, 90, 300, 3_600].get(self.below(4)).copied().unwrap_or(300),
        };
        let id = self.world.add_phone(line, manners);
        let at = Micros(self.random.below(CALLS_FROM.0 / 2));
        self.world.schedule(at, Deed::Phone(id, Act::Register));
        (id, address)
    }

    fn calls(&mut self, users: &[String], phones: &Phones) {
        for number in 0..self.scenario.calls {
            let Some((caller, _)) = phones.get(self.below(phones.len())).copied() else { return };
            let to = match self.below(30) {
                0 => "nobody".to_owned(),
                _ => users.get(self.below(users.len())).cloned().unwrap_or_default(),
            };
            let mut plan = CallPlan::new(number, &to);
            plan.cancel_after = if self.chance(18) { Some(self.ms(0, 7_000)) } else { None };
            plan.talk = if self.chance(70) { Some(self.ms(50, 20_000)) } else { None };
            plan.reinvite_after = if self.chance(10) { Some(self.ms(100, 5_000)) } else { None };
            if self.chance(30) {
                plan.body = "v=0\r\no=- 1 1 IN IP4 192.0.2.50\r\ns=-\r\nc=IN IP4 192.0.2.50\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n".to_owned();
            }
            let at = self.at();
            self.world.schedule(at, Deed::Phone(caller, Act::Call(plan)));
        }
    }

    /// Requests outside of calls, a fifth as many.
    fn others(&mut self, users: &[String], phones: &Phones) {
        for number in 0..self.scenario.calls / 5 {
            let Some((phone, _)) = phones.get(self.below(phones.len())).copied() else { return };
            let method = ["MESSAGE", "MESSAGE", "OPTIONS", "SUBSCRIBE", "NEWFANGLED"];
            let method = method.get(self.below(5)).copied().unwrap_or("MESSAGE").to_owned();
            let to = match self.below(20) {
                0 => Some("nobody".to_owned()),
                1..=4 => None,
                _ => users.get(self.below(users.len())).cloned(),
            };
            let at = self.at();
            let act = Act::Send { number: OTHERS_FROM.saturating_add(number), method, to };
            self.world.schedule(at, Deed::Phone(phone, act));
        }
    }

    fn comings_and_goings(&mut self, phones: &Phones) {
        for _ in 0..self.scenario.calls / 20 {
            let Some((phone, _)) = phones.get(self.below(phones.len())).copied() else { return };
            let at = self.at();
            if self.chance(40) {
                self.world.schedule(at, Deed::Phone(phone, Act::Fetch));
                continue;
            }
            self.world.schedule(at, Deed::Phone(phone, Act::Unregister));
            let back = at.plus(self.ms(0, 30_000));
            self.world.schedule(back, Deed::Phone(phone, Act::Register));
        }
    }

    fn crashes(&mut self) {
        for _ in 0..self.scenario.crashes {
            let (at, down_for) = (self.at(), self.ms(10, 6_000));
            self.world.schedule(at, Deed::Crash { down_for });
        }
    }

    fn partitions(&mut self, phones: &Phones) {
        for _ in 0..self.scenario.partitions {
            let Some((_, address)) = phones.get(self.below(phones.len())).copied() else { return };
            let (at, span) = (self.at(), self.ms(100, 50_000));
            for server in server_addresses() {
                self.world.schedule(at, Deed::Cut(address.ip(), server.ip()));
                self.world.schedule(at.plus(span), Deed::Heal(address.ip(), server.ip()));
            }
        }
    }

    fn strangers(&mut self, users: &[String], phones: &Phones) {
        let [server, _] = server_addresses();
        let phones: Vec<SocketAddr> = phones.iter().map(|(_, address)| *address).collect();
        for number in 0..self.scenario.strangers {
            let host = u8::try_from(number % 200).unwrap_or(0).saturating_add(1);
            let from = SocketAddr::from((Ipv4Addr::new(203, 0, 113, host), 5060));
            self.world.add_stranger(&format!("stranger{number}"), from);
            // A chance of its own, so that all others do the same with strangers and without.
            let mut random = Random::from_seed([host; 32]);
            let victims = Victims { server, users, phones: &phones };
            for _ in 0..self.scenario.calls / 2 {
                let at = CALLS_FROM.plus(Micros(random.below(self.scenario.span.0)));
                let bytes = datagram(from, &victims, &mut random);
                self.world.schedule(at, Deed::Inject { from, to: server, bytes });
            }
        }
    }
}
