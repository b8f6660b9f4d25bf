//! The binary as a child process.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Far longer than anything takes.
pub(crate) const WAIT: Duration = Duration::from_secs(30);

/// How a command ended.
pub(crate) struct Done {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs `ringback` to its end.
pub(crate) fn ringback(args: &[&str], stdin: &str) -> Done {
    ringback_with(&[], args, stdin)
}

/// The same with variables in its environment.
pub(crate) fn ringback_with(variables: &[(&str, &str)], args: &[&str], stdin: &str) -> Done {
    let mut child = command(args).envs(variables.iter().copied()).stdin(Stdio::piped()).spawn().unwrap();
    // A command that ends without reading leaves a broken pipe.
    _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Done { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringback"));
    command.args(args).env_remove("RUST_LOG").env_remove("RINGBACK_DATA");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A command that runs on until it is told to end; killed when it is dropped.
pub(crate) struct Running(Option<Child>);

/// Starts `ringback` and doesn't wait.
pub(crate) fn background(args: &[&str]) -> Running {
    Running(Some(command(args).spawn().unwrap()))
}

impl Running {
    /// As Ctrl-C does.
    pub(crate) fn interrupt(mut self) -> Done {
        let child = self.0.take().unwrap();
        assert!(Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Done { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            _ = child.kill();
            _ = child.wait();
        }
    }
}

/// A running `ringback serve`, killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    lines: Receiver<String>,
    log: Vec<Value>,
    pub(crate) ready: Value,
}

impl Server {
    /// On a port of 127.0.0.1 that the kernel chooses.
    pub(crate) fn start(data: &Path) -> Server {
        Server::start_with(data, &["--listen", "127.0.0.1:0"])
    }

    pub(crate) fn start_with(data: &Path, flags: &[&str]) -> Server {
        let args = [&["serve", "--log", "json", "--data", data.to_str().unwrap()], flags].concat();
        let mut child = command(&args).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut server = Server { child, lines, log: Vec::new(), ready: Value::Null };
        server.ready = server.wait_for("ready");
        server
    }

    /// The line of the log with this message.
    pub(crate) fn wait_for(&mut self, message: &str) -> Value {
        let begun = Instant::now();
        loop {
            let left = WAIT.checked_sub(begun.elapsed()).unwrap_or_default();
            let line =
                self.lines.recv_timeout(left).unwrap_or_else(|error| panic!("{message:?}: {error}; {:?}", self.log));
            let line: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            self.log.push(line.clone());
            if line["message"].as_str().is_some_and(|text| text.starts_with(message)) {
                return line;
            }
        }
    }

    /// From the next line on nobody reads its log.
    pub(crate) fn leave_its_log_unread(&mut self) {
        self.lines = channel().1;
    }

    /// Where it listens, each address once: every one is there for UDP and for TCP.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        let listeners = self.ready["listeners"].as_str().unwrap();
        listeners
            .split(", ")
            .filter_map(|listener| listener.strip_prefix("UDP ")?.split(' ').next()?.parse().ok())
            .collect()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.addresses()[0]
    }

    /// Where it listens by TLS.
    pub(crate) fn tls_address(&self) -> SocketAddr {
        let listeners = self.ready["listeners"].as_str().unwrap();
        let tls =
            listeners.split(", ").find_map(|listener| listener.strip_prefix("TLS ")?.split(' ').next()?.parse().ok());
        tls.unwrap_or_else(|| panic!("no TLS: {listeners}"))
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits for the end: status, standard output, log.
    pub(crate) fn end(mut self) -> (Option<i32>, String, Vec<Value>) {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.code();
            }
            assert!(begun.elapsed() < WAIT, "it does not end: {:?}", self.log);
            thread::sleep(Duration::from_millis(10));
        };
        let mut stdout = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        while let Ok(line) = self.lines.recv_timeout(WAIT) {
            self.log.push(serde_json::from_str(&line).unwrap());
        }
        (status, stdout, std::mem::take(&mut self.log))
    }

    pub(crate) fn terminate(self) -> (Option<i32>, String, Vec<Value>) {
        self.signal("TERM");
        self.end()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
