//! Settings as the parts of a server take them.

use ringback_base::Transport;
use ringback_stack::{Config, Listener};
use ringback_tokio::ListenOn;

use crate::listen::{self, Listen, ListenError};
use crate::settings::{PublicName, Settings};

/// What the version and Server say.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Where to listen, and under which name.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) addresses: Vec<ListenOn>,
    names: Vec<(ListenOn, PublicName)>,
}

impl Plan {
    /// # Errors
    /// For the first listener that means no address.
    pub(crate) fn of(settings: &Settings) -> Result<Plan, ListenError> {
        let mut names = Vec::new();
        for listener in &settings.listeners {
            let Some(name) = &listener.advertised else { continue };
            // Who comes to a loopback address is on this machine, and needs no name from outside.
            let every = matches!(listener.listen, Listen::Address(address) if address.ip().is_unspecified());
            let meant = listen::addresses(std::slice::from_ref(listener))?;
            let reached = meant.into_iter().filter(|on| !(every && on.address.ip().is_loopback()));
            // TLS beside other transports has the port behind theirs, here and there.
            let is_beside = |on: &ListenOn| on.stream == Some(Transport::Tls) && listener.transports.len() > 1;
            names.extend(reached.map(|on| (on, if is_beside(&on) { name.next_port() } else { name.clone() })));
        }
        Ok(Plan { addresses: listen::addresses(&settings.listeners)?, names })
    }

    /// Gives the listeners the names that they are reached by.
    pub(crate) fn advertise(&self, mut listeners: Vec<Listener>) -> Vec<Listener> {
        for listener in &mut listeners {
            let (ip, port) = (listener.address.ip(), listener.address.port());
            let is_meant = |on: &ListenOn| {
                let by_udp = on.udp && listener.transport == Transport::Udp;
                let (theirs, by_it) = (on.address, by_udp || on.stream == Some(listener.transport));
                by_it && theirs.ip() == ip && [0, port].contains(&theirs.port())
            };
            let name = self.names.iter().find(|(on, _)| is_meant(on)).map(|(_, name)| name);
            listener.advertised = name.and_then(|name| name.at(port));
        }
        listeners
    }
}

/// What every shard's stack is told; the number of the shard is filled in when it starts.
pub(crate) fn stack_config(settings: &Settings, listeners: &[Listener], realm: &str, route_secret: [u8; 32]) -> Config {
    let mut config = Config::new(settings.domain_name(), listeners.to_vec());
    config.aliases = settings.aliases.iter().map(|alias| alias.as_str().into()).collect();
    config.open = settings.open;
    config.any_aor = settings.any_aor;
    config.redirect = settings.redirect;
    config.edge_of = settings.edge_of.iter().map(|domain| domain.as_str().into()).collect();
    config.directory = settings.directory.clone();
    config.realm = realm.to_owned();
    config.algorithms.clone_from(&settings.algorithms);
    config.route_secret = route_secret;
    config.flow_timer_secs = settings.flow_timer_secs;
    config.registrar = settings.registrar.clone();
    config.transactions = settings.transactions;
    config.proxy = settings.proxy.clone();
    config.server = Some(format!("Ringback/{VERSION}"));
    config.lookup_timeout = settings.lookup_timeout;
    config.hosts = settings.hosts.clone();
    config.ipv6_first = settings.ipv6_first;
    config.maddr = settings.maddr;
    config.failed_target_wait = settings.failed_target_wait;
    config.lookups_max = settings.lookups_max;
    config
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use crate::config::ConfigFile;

    /// What the listeners of such a file are called by others; `-` is their own address.
    fn names(file: &str, bound: &[Listener]) -> Vec<String> {
        let file = ConfigFile::parse("ringback.toml".as_ref(), file).unwrap();
        let plan = Plan::of(&file.into_settings("d".into())).unwrap();
        let named = plan.advertise(bound.to_vec()).into_iter();
        named.map(|listener| listener.advertised.map_or("-".to_owned(), |name| name.to_string())).collect()
    }

    #[test]
    fn names_of_listeners() {
        let at = |address: &str| Listener::udp(address.parse().unwrap());
        let file = "[[listener]]\naddress = \"192.0.2.1:0\"\nadvertised = \"a.example\"\n\
                    [[listener]]\naddress = \"192.0.2.2:5070\"\n\
                    [[listener]]\naddress = \"[2001:db8::1]\"\nadvertised = \"[2001:db8::2]:5080\"\n";
        let bound = ["192.0.2.1:40000", "192.0.2.2:5070", "[2001:db8::1]:5060"].map(at);
        assert_eq!(names(file, &bound), ["a.example:40000", "-", "[2001:db8::2]:5080"]);
        let file = "[[listener]]\naddress = \"192.0.2.1\"\ntransports = [\"tcp\"]\nadvertised = \"a.example\"\n";
        let tcp = Listener::tcp("192.0.2.1:5060".parse().unwrap());
        assert_eq!(names(file, &[at("192.0.2.1:5060"), tcp]), ["-", "a.example:5060"]);
        // TLS has the port behind that of the others; a WebSocket has a listener of its own.
        let file = "[[listener]]\naddress = \"192.0.2.1:5060\"\ntransports = [\"udp\", \"tcp\", \"tls\"]\nadvertised = \"a.example:6060\"\n\
                    [[listener]]\naddress = \"192.0.2.1:8080\"\ntransports = [\"ws\"]\nadvertised = \"a.example:80\"\n\
                    [[listener]]\naddress = \"192.0.2.1:8443\"\ntransports = [\"wss\"]\nadvertised = \"a.example\"\n";
        let at = |transport, address: &str| Listener::new(transport, address.parse().unwrap());
        let bound = [
            at(Transport::Udp, "192.0.2.1:5060"),
            at(Transport::Tcp, "192.0.2.1:5060"),
            at(Transport::Tls, "192.0.2.1:5061"),
            at(Transport::Ws, "192.0.2.1:8080"),
            at(Transport::Wss, "192.0.2.1:8443"),
        ];
        let expected = ["a.example:6060", "a.example:6060", "a.example:6061", "a.example:80", "a.example:8443"];
        assert_eq!(names(file, &bound), expected);
    }

    #[test]
    fn who_listens_everywhere_keeps_loopback_for_itself() {
        let file = "[[listener]]\naddress = \"0.0.0.0:5070\"\nadvertised = \"a.example\"\n";
        let loopback = Listener::udp("127.0.0.1:5070".parse().unwrap());
        assert_eq!(names(file, std::slice::from_ref(&loopback)), ["-"]);
        assert_eq!(names(&file.replace("0.0.0.0", "127.0.0.1"), &[loopback]), ["a.example:5070"]);
    }

    #[test]
    fn settings_reach_the_stack() {
        let file = "[[domain]]\nname = \"a.example\"\naliases = [\"b.example\"]\nopen = true\nredirect = true\n\
                    [edge]\ndomains = [\"d.example\"]\n\
                    [directory]\nnumber_digits_min = 3\n[[name]]\nuser = \"dave\"\nmeans = \"gone\"\n\
                    [registrar]\nbindings_per_aor_max = 3\nflow_timer_secs = 60\n[limits]\nlookups_max = 7\nbranches_max = 5\n\
                    server_transactions_max = 9\n[timers]\nlookup_timeout_ms = 70\n\
                    [dns]\nipv6_first = false\nmaddr = true\nfailed_target_secs = 8\n\
                    hosts = [\"GW.example 192.0.2.1 2001:db8::1\"]\n";
        let settings = ConfigFile::parse("ringback.toml".as_ref(), file).unwrap().into_settings("d".into());
        let config = stack_config(&settings, &[], "c.example", [7; 32]);
        assert_eq!((&*config.domain, config.realm.as_str()), ("a.example", "c.example"));
        assert_eq!(config.aliases, ["b.example".into()]);
        assert!(config.open && config.redirect);
        assert_eq!(config.edge_of, ["d.example".into()]);
        assert_eq!((config.directory.number_digits_min, config.directory.names.len()), (3, 1));
        assert_eq!((config.registrar.bindings_per_aor_max, config.lookups_max, config.proxy.branches_max), (3, 7, 5));
        assert_eq!((config.flow_timer_secs, config.transactions.server_transactions_max), (60, 9));
        assert_eq!(config.lookup_timeout, ringback_base::Micros::from_ms(70));
        assert_eq!((config.ipv6_first, config.maddr), (false, true));
        assert_eq!(config.failed_target_wait, ringback_base::Micros::from_secs(8));
        assert_eq!(config.hosts.get("gw.example.").map(<[_]>::len), Some(2));
        assert_eq!((config.algorithms.len(), config.route_secret), (2, [7; 32]));
    }
}
