//! Chromium without a window, and the page that it shows: two phones made of other people's libraries.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process::{Guarded, POLL, command, output};
use crate::{Fault, doing};

/// How long a connection of the browser may say nothing: it opens some to have them at hand.
const SILENCE_MAX: Duration = Duration::from_secs(2);
/// The largest request, the page's results included.
const REQUEST_MAX_BYTES: usize = 65_536;

const PAGE: &str = include_str!("../web/index.html");

/// How long putting the page's script together may take.
const BUNDLE_MAX: Duration = Duration::from_secs(20);

/// What makes a browser of Debian run on a machine without a screen, a microphone or a way out.
const FLAGS: [&str; 14] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    // Where there is nothing but the loopback interface.
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
    // Who the server is, is proven by the cases with TLS.
    "--ignore-certificate-errors",
];

/// Where the libraries lie that `npm ci` puts there.
pub(crate) fn libraries() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("web/node_modules")
}

/// The script of the page with the libraries in it.
fn script() -> Result<Vec<u8>, Fault> {
    let mut command = Command::new(libraries().join(".bin/esbuild"));
    command.args(["phones.js", "--bundle", "--format=esm", "--log-level=warning"]);
    command.current_dir(libraries().parent().unwrap_or(Path::new(".")));
    let said = output(&mut command, BUNDLE_MAX)?;
    if said.status.success() {
        Ok(said.stdout)
    } else {
        Err(format!("esbuild: {}", String::from_utf8_lossy(&said.stderr)))
    }
}

/// A page that is served, and the browser that shows it. Dropped, the browser is killed.
#[derive(Debug)]
pub(crate) struct Browser {
    process: Guarded,
    script: Arc<Vec<u8>>,
    listener: TcpListener,
}

impl Browser {
    /// Starts a browser on the page, with a query for it.
    pub(crate) fn start(folder: &Path, query: &str) -> Result<Self, Fault> {
        let script = Arc::new(script()?);
        let what = || "serving a page".to_owned();
        let listener = doing(what, TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        doing(what, listener.set_nonblocking(true))?;
        let address: SocketAddr = doing(what, listener.local_addr())?;
        let log = folder.join("chromium.log");
        let create = || doing(|| format!("creating {}", log.display()), fs::File::create(&log));
        let mut command = command(Path::new("chromium"));
        command.args(FLAGS).arg(format!("--user-data-dir={}", folder.join("chromium").display()));
        command.env("HOME", folder).arg(format!("http://{address}/?{query}"));
        command.stdin(Stdio::null()).stdout(create()?).stderr(create()?);
        Ok(Self { process: Guarded::start(&mut command)?, script, listener })
    }

    /// Serves the page until it tells what came of it.
    pub(crate) fn result(mut self, limit: Duration) -> Result<Value, Fault> {
        let (sender, results) = channel::<Vec<u8>>();
        let began = Instant::now();
        while began.elapsed() < limit {
            if let Ok(result) = results.try_recv() {
                return serde_json::from_slice(&result).map_err(|error| format!("what the page told: {error}"));
            }
            if let Some(status) = self.process.ended() {
                return Err(format!("chromium ended: {status}; see chromium.log"));
            }
            match self.listener.accept() {
                Ok((stream, _)) => {
                    let (script, sender) = (Arc::clone(&self.script), sender.clone());
                    std::thread::spawn(move || serve(stream, &script, &sender));
                }
                Err(_) => std::thread::sleep(POLL),
            }
        }
        Err(format!("the page told nothing within {limit:?}; see chromium.log"))
    }
}

/// One request, and the end of its connection. What goes wrong is the browser's to notice.
fn serve(mut stream: TcpStream, script: &[u8], results: &Sender<Vec<u8>>) {
    // Some systems pass the listener's mode on.
    let _ = stream.set_nonblocking(false);
    let _ = stream.set_read_timeout(Some(SILENCE_MAX));
    let Some((head, body)) = request(&mut stream) else { return };
    let target = head.split(' ').nth(1).unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default();
    let (status, kind, bytes) = match path {
        "/" => ("200 OK", "text/html", PAGE.as_bytes().to_vec()),
        "/phones.js" => ("200 OK", "text/javascript", script.to_vec()),
        "/result" => {
            // Whoever waited for it may have given up.
            let _ = results.send(body);
            ("200 OK", "text/plain", Vec::new())
        }
        _ => ("404 Not Found", "text/plain", Vec::new()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        bytes.len()
    );
    let _ = stream.write_all(&[head.into_bytes(), bytes].concat());
}

/// The head of a request and its body.
fn request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut piece = [0; 8_192];
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(bytes.get(..end)?).into_owned();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            let body = bytes.get(end + 4..)?;
            if body.len() >= length.unwrap_or(0) {
                return Some((head, body.to_vec()));
            }
        }
        let count = stream.read(&mut piece).ok().filter(|count| *count > 0 && bytes.len() < REQUEST_MAX_BYTES)?;
        bytes.extend_from_slice(piece.get(..count)?);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn asked(text: &str) -> (String, Vec<Vec<u8>>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        let (sender, results) = channel::<Vec<u8>>();
        serve(listener.accept().unwrap().0, b"script", &sender);
        drop(sender);
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        (answer, results.iter().collect())
    }

    #[test]
    fn a_page_is_served_and_its_results_are_taken() {
        let (page, _) = asked("GET /?call=x HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(page.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/html") && page.ends_with(PAGE));
        let (_, results) = asked("POST /result HTTP/1.1\r\ncontent-length: 2\r\n\r\n[]");
        assert_eq!(results, [b"[]"]);
        let (script, _) = asked("GET /phones.js HTTP/1.1\r\n\r\n");
        assert!(script.contains("text/javascript") && script.ends_with("\r\n\r\nscript"));
        let (missing, _) = asked("GET /favicon.ico HTTP/1.1\r\n\r\n");
        assert!(missing.starts_with("HTTP/1.1 404 "));
    }
}
