//! What `ringback tls` prints.

use std::fmt::Write as _;

use ringback_tokio::tls::Inspection;
use serde_json::{Value, json};

use super::Server;
use super::certificate::Certificate;
use crate::args::TlsCommandArgs;
use crate::output::{bold, harmless};

pub(super) fn as_text(args: &TlsCommandArgs, servers: &[Server], failure: Option<&str>) -> String {
    let mut out = String::new();
    for (place, server) in servers.iter().enumerate() {
        if place > 0 {
            out.push('\n');
        }
        out.push_str(&bold(&whereabouts(server)));
        out.push('\n');
        if let Ok(seen) = &server.seen {
            draw(&mut out, args, server, seen);
        }
        match server.problems.as_slice() {
            [] => line(&mut out, "Verdict", &bold("fine")),
            problems => {
                let problems: Vec<String> = problems.iter().map(|problem| harmless(problem.as_bytes())).collect();
                line(&mut out, "Verdict", &bold(&problems.join("; ")));
            }
        }
    }
    if let Some(failure) = failure {
        _ = writeln!(out, "{} leads nowhere: {failure}", harmless(args.uri.as_bytes()));
    }
    out
}

fn draw(out: &mut String, args: &TlsCommandArgs, server: &Server, seen: &Inspection) {
    let agreed = [seen.version, seen.cipher_suite.as_deref(), seen.key_exchange.as_deref()];
    let agreed: Vec<&str> = agreed.into_iter().flatten().collect();
    if !agreed.is_empty() {
        line(out, "Protocol", &agreed.join(", "));
    }
    line(out, "Asked for", seen.sni.as_deref().unwrap_or("no name is sent for an address"));
    if let Some(verdict) = &seen.identity {
        line(out, "Identity", &verdict_as_text(verdict, &format!("it is for {}", identity(args, server))));
    }
    if let Some(verdict) = &seen.trust {
        line(out, "Trust", &verdict_as_text(verdict, &format!("it leads to a root of {}", roots(args))));
    }
    if let Some(verdict) = &seen.possession {
        line(out, "Key", &verdict_as_text(verdict, "the server has the key of its certificate"));
    }
    match (seen.asks_for_certificate, agreed.is_empty()) {
        (true, _) => line(out, "Of clients", "it asks for a certificate"),
        (false, false) => line(out, "Of clients", "it asks for no certificate"),
        (false, true) => {}
    }
    if !agreed.is_empty() {
        line(out, "Resumption", if seen.offers_resumption { "offered" } else { "not offered" });
    }
    for (number, certificate) in (1_u32..).zip(&server.chain) {
        _ = writeln!(out, "  Certificate {number}");
        if let Ok(certificate) = certificate {
            draw_certificate(out, certificate);
        }
    }
}

fn draw_certificate(out: &mut String, certificate: &Certificate) {
    let mut row = |name: &str, value: &str| _ = writeln!(out, "    {name:<11}{}", harmless(value.as_bytes()));
    row("Subject", &certificate.subject);
    row("Issuer", &certificate.issuer);
    let names: Vec<String> = certificate.names.iter().map(|(kind, name)| format!("{kind} {name}")).collect();
    if !names.is_empty() {
        row("Names", &names.join(", "));
    }
    let left = match certificate.days_left {
        days if days < 0 => "expired".to_owned(),
        days => format!("{days} days left"),
    };
    row("Valid", &format!("{} to {}: {left}", certificate.not_before, certificate.not_after));
    row("Key", &format!("{}, signed by {}", certificate.key, certificate.signature));
    if certificate.is_authority {
        row("Authority", "yes: it may sign the certificates of others");
    }
    row("Serial", &certificate.serial);
    row("SHA-256", &certificate.sha256);
}

fn verdict_as_text(verdict: &Result<(), String>, good: &str) -> String {
    match verdict {
        Ok(()) => format!("yes: {}", harmless(good.as_bytes())),
        Err(why) => format!("{} {}", bold("no:"), harmless(why.as_bytes())),
    }
}

fn line(out: &mut String, name: &str, value: &str) {
    _ = writeln!(out, "  {name:<13}{value}");
}

pub(super) fn as_json(args: &TlsCommandArgs, servers: &[Server], failure: Option<&str>) -> String {
    let servers: Vec<Value> = servers.iter().map(|server| server_as_json(args, server)).collect();
    format!("{:#}\n", json!({"uri": args.uri, "servers": servers, "failure": failure}))
}

fn server_as_json(args: &TlsCommandArgs, server: &Server) -> Value {
    let seen = server.seen.as_ref().ok();
    let verdict = |verdict: Option<&Result<(), String>>| {
        verdict.map(|verdict| json!({"ok": verdict.is_ok(), "why": verdict.as_ref().err()}))
    };
    let of = |pick: fn(&Inspection) -> Option<&Result<(), String>>| verdict(seen.and_then(pick));
    let chain: Vec<Value> = server.chain.iter().map(certificate_as_json).collect();
    json!({
        "transport": server.target.transport.as_str(),
        "address": server.target.address.ip().to_string(),
        "port": server.target.address.port(),
        "host": server.host,
        "version": seen.and_then(|seen| seen.version),
        "cipher_suite": seen.and_then(|seen| seen.cipher_suite.as_deref()),
        "key_exchange": seen.and_then(|seen| seen.key_exchange.as_deref()),
        "sni": seen.and_then(|seen| seen.sni.as_deref()),
        "identity": of(|seen| seen.identity.as_ref()),
        "identity_name": own(server).and_then(|own| own.name_for(name(args, server))),
        "trust": of(|seen| seen.trust.as_ref()),
        "roots": roots(args),
        "possession": of(|seen| seen.possession.as_ref()),
        "asks_for_certificate": seen.map(|seen| seen.asks_for_certificate),
        "offers_resumption": seen.map(|seen| seen.offers_resumption),
        "chain": chain,
        "problems": server.problems,
    })
}

fn certificate_as_json(certificate: &Result<Certificate, String>) -> Value {
    match certificate {
        Err(why) => json!({"error": why}),
        Ok(certificate) => {
            let names = certificate.names.iter().map(|(kind, name)| json!({"kind": kind, "name": name}));
            json!({
                "subject": certificate.subject,
                "issuer": certificate.issuer,
                "serial": certificate.serial,
                "names": names.collect::<Vec<_>>(),
                "not_before": certificate.not_before,
                "not_after": certificate.not_after,
                "days_left": certificate.days_left,
                "key": certificate.key,
                "signature": certificate.signature,
                "is_authority": certificate.is_authority,
                "sha256": certificate.sha256,
            })
        }
    }
}

fn whereabouts(server: &Server) -> String {
    let (transport, address) = (server.target.transport, server.target.address);
    match &server.host {
        Some(host) => format!("{transport} {address} ({})", harmless(host.as_bytes())),
        None => format!("{transport} {address}"),
    }
}

fn identity(args: &TlsCommandArgs, server: &Server) -> String {
    let name = name(args, server);
    own(server).and_then(|own| own.name_for(name)).unwrap_or_else(|| name.to_owned())
}

fn own(server: &Server) -> Option<&Certificate> {
    server.chain.first()?.as_ref().ok()
}

fn name<'a>(args: &'a TlsCommandArgs, server: &'a Server) -> &'a str {
    args.server_name.as_deref().unwrap_or(&server.target.identity)
}

fn roots(args: &TlsCommandArgs) -> String {
    args.tls.ca.as_ref().map_or_else(|| "the system".to_owned(), |file| file.display().to_string())
}
