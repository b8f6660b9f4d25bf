//! The first accounts, and how a phone uses them.

use std::io::{self, Write};

use ringback_auth::Password;
use ringback_base::Random;
use ringback_stack::Listener;

use crate::accounts::UserName;
use crate::secret;
use crate::settings::Domain;

/// Who has an account on a server that was never told of any.
const FIRST_USERS: [&str; 2] = ["alice", "bob"];

/// Accounts with passwords of their own.
pub(crate) fn first_users() -> Result<Vec<(UserName, Password)>, getrandom::Error> {
    let mut random = Random::from_seed(secret::draw()?);
    Ok(FIRST_USERS
        .iter()
        .filter_map(|name| name.parse().ok())
        .map(|name| (name, secret::password(&mut random)))
        .collect())
}

/// Tells the passwords, and what to type into a phone: the only time that anybody sees them.
///
/// # Errors
/// Where nobody listens.
pub(crate) fn announce(
    out: &mut dyn Write,
    users: &[(UserName, Password)],
    listeners: &[Listener],
    domain: Option<&Domain>,
) -> io::Result<()> {
    let width = users.iter().map(|(name, _)| name.as_str().len()).max().unwrap_or(0);
    writeln!(out, "Two accounts were made. Their passwords are shown this once:\n")?;
    for (name, password) in users {
        writeln!(out, "    user {name:width$}    password {}", password.reveal(), name = name.as_str())?;
    }
    if let Some(listener) = reachable(listeners) {
        let domain = domain.map_or_else(|| host(listener), ToString::to_string);
        writeln!(out, "\nIn a phone:\n")?;
        writeln!(out, "    server       {}", listener.address)?;
        writeln!(out, "    transport    {}", listener.transport)?;
        writeln!(out, "    domain       {domain}")?;
    }
    writeln!(out, "\nAnother password: ringback user passwd NAME. Another user: ringback user add NAME.\n")?;
    out.flush()
}

/// The listener that most phones can reach: one that is not on loopback, if there is one, and of IPv4 before IPv6.
fn reachable(listeners: &[Listener]) -> Option<&Listener> {
    listeners.iter().min_by_key(|listener| (listener.address.ip().is_loopback(), listener.address.is_ipv6()))
}

fn host(listener: &Listener) -> String {
    match listener.address {
        std::net::SocketAddr::V4(address) => address.ip().to_string(),
        std::net::SocketAddr::V6(address) => format!("[{}]", address.ip()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn told(listeners: &[&str], domain: Option<&str>) -> String {
        let users = [("alice", "in-wonderland"), ("bob", "builds")]
            .map(|(name, word)| (name.parse().unwrap(), Password::new(word)));
        let listeners: Vec<_> = listeners.iter().map(|address| Listener::udp(address.parse().unwrap())).collect();
        let mut out = Vec::new();
        announce(&mut out, &users, &listeners, domain.map(|d| d.parse().unwrap()).as_ref()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_a_phone_needs_is_told() {
        let expected = "\
Two accounts were made. Their passwords are shown this once:

    user alice    password in-wonderland
    user bob      password builds

In a phone:

    server       127.0.0.1:5060
    transport    UDP
    domain       127.0.0.1

Another password: ringback user passwd NAME. Another user: ringback user add NAME.

";
        assert_eq!(told(&["127.0.0.1:5060", "[::1]:5060"], None), expected);
        let text = told(&["127.0.0.1:5060", "[2001:db8::1]:5070", "192.0.2.1:5060"], Some("a.example"));
        assert!(text.contains(" 192.0.2.1:5060\n") && text.contains(" a.example\n"), "{text}");
        assert!(told(&["[2001:db8::1]:5070"], None).contains("domain       [2001:db8::1]\n"));
    }

    #[test]
    fn each_has_a_password_of_its_own() {
        let users = first_users().unwrap();
        assert_eq!(users.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["alice", "bob"]);
        assert_ne!(users[0].1, users[1].1);
    }
}
