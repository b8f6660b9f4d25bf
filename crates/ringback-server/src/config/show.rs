//! Settings as a configuration file.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::Path;

use super::sections::{ALGORITHMS, transport_name};
use super::{directory, numbers, tls, websocket};
use crate::config::LogSettings;
use crate::settings::{AccountsSource, PublicName, Settings, When};

/// The settings as a configuration file that means the same, every setting named. What has no value is a comment.
#[must_use]
pub fn show(settings: &Settings, log: &LogSettings) -> String {
    let mut out = String::new();
    let text = &mut out;
    if settings.data.as_os_str().is_empty() {
        comment(text, "data: none is named, and this user has no home for one");
    } else {
        line(text, "data", &path(&settings.data));
    }
    match settings.shards {
        Some(shards) => line(text, "shards", &shards.to_string()),
        None => comment(text, &format!("shards: one for each core, {} here", settings.shard_count())),
    }
    show_numbers(text, "", settings);
    show_listeners(text, settings);
    show_domain(text, settings);

    text.push_str("\n[edge]\n");
    line(text, "domains", &array(settings.edge_of.iter().map(|domain| domain.as_str())));

    text.push_str("\n[accounts]\n");
    match &settings.accounts {
        AccountsSource::Database => line(text, "source", "\"database\""),
        AccountsSource::File(file) => {
            line(text, "source", "\"file\"");
            line(text, "file", &path(file));
        }
    }

    text.push_str("\n[log]\n");
    line(text, "format", &quoted(&log.format.unwrap_or_default().to_string()));
    line(text, "level", &quoted(log.level.unwrap_or_default().as_str()));

    for section in numbers::SECTIONS {
        _ = writeln!(text, "\n[{section}]");
        if section == "location" {
            line(text, "durability", &quoted(&When(settings.location.durability).to_string()));
        }
        if section == "dns" {
            line(text, "servers", &array(settings.dns.servers.iter().map(|server| server.to_string())));
            let addresses = |all: &[IpAddr]| all.iter().map(|ip| format!(" {ip}")).collect::<String>();
            line(text, "hosts", &array(settings.hosts.iter().map(|(name, all)| format!("{name}{}", addresses(all)))));
            line(text, "ipv6_first", &settings.ipv6_first.to_string());
            line(text, "maddr", &settings.maddr.to_string());
        }
        if section == "tls" {
            tls::show(text, &settings.tls);
        }
        if section == "tcp" {
            line(text, "proxies", &array(settings.proxies.iter().map(ToString::to_string)));
        }
        if section == "websocket" {
            websocket::show(text, &settings.admission);
        }
        if section == "directory" {
            directory::show(text, &settings.directory);
        }
        show_numbers(text, section, settings);
    }
    tls::show_certificates(text, &settings.tls);
    directory::show_names(text, &settings.directory);
    out
}

fn show_numbers(out: &mut String, section: &str, settings: &Settings) {
    for number in numbers::of_section(section) {
        line(out, number.key, &(number.of)(settings).to_string());
    }
}

fn show_listeners(out: &mut String, settings: &Settings) {
    for listener in &settings.listeners {
        out.push_str("\n[[listener]]\n");
        line(out, "address", &quoted(&listener.listen.to_string()));
        line(out, "transports", &array(listener.transports.iter().map(|transport| transport_name(*transport))));
        match &listener.advertised {
            Some(name) => line(out, "advertised", &quoted(&name.to_string())),
            None => comment(out, "advertised: the address itself"),
        }
        let is_behind_tls = listener.advertised.as_ref().is_some_and(PublicName::is_behind_tls);
        line(out, "behind_tls", &is_behind_tls.to_string());
    }
}

fn show_domain(out: &mut String, settings: &Settings) {
    out.push_str("\n[[domain]]\n");
    match &settings.domain {
        Some(name) => line(out, "name", &quoted(name.as_str())),
        None => comment(out, "name: none but the addresses of the listeners"),
    }
    line(out, "aliases", &array(settings.aliases.iter().map(|alias| alias.as_str())));
    match &settings.realm {
        Some(realm) => line(out, "realm", &quoted(realm)),
        None => comment(out, &format!("realm: that of the accounts; for new ones {}", quoted(settings.realm_if_new()))),
    }
    let of_algorithm = |wanted| ALGORITHMS.iter().find(|(_, algorithm)| *algorithm == wanted).map(|(word, _)| *word);
    let algorithms = array(settings.algorithms.iter().filter_map(|algorithm| of_algorithm(*algorithm)));
    // In an open domain they have no use, and a file that names them there is warned of.
    if settings.open {
        comment(out, "algorithms: nobody is asked")
    } else {
        line(out, "algorithms", &algorithms)
    }
    line(out, "open", &settings.open.to_string());
    line(out, "any_aor", &settings.any_aor.to_string());
    line(out, "redirect", &settings.redirect.to_string());
}

pub(super) fn line(out: &mut String, key: &str, value: &str) {
    _ = writeln!(out, "{key} = {value}");
}

pub(super) fn comment(out: &mut String, text: &str) {
    _ = writeln!(out, "# {text}");
}

pub(super) fn array(texts: impl Iterator<Item = impl AsRef<str>>) -> String {
    format!("[{}]", texts.map(|text| quoted(text.as_ref())).collect::<Vec<_>>().join(", "))
}

/// A path that is no UTF-8 can't be written in TOML: what stands for it is for the eye only.
pub(super) fn path(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}

/// A basic string of TOML.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            _ if character.is_control() => _ = write!(out, "\\u{:04X}", u32::from(character)),
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}
