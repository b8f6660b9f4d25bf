//! Texts of the help that are longer than a line.

pub(super) const EXIT_STATUSES: &str = "\
Exit status:
  0    done; for serve: ended by Ctrl-C or SIGTERM
  1    refused: no such user, a user that exists, a line that can't be imported
  2    the command line can't be understood
  3    an address can't be listened on: taken, not permitted, not this machine's
  4    the data folder or a database in it can't be used: not writable, open elsewhere, broken, too new
  5    the configuration file, or a file that it names (accounts, certificates), can't be read or has errors
  70   a defect, or a system that refuses the least
  130  a second Ctrl-C or SIGTERM ended it at once
  check-config, explain, decode, lint, dns, ping and tls have their own: see their help";

pub(super) const EXAMPLES: &str = "\
Examples:
  ringback user add alice                   an account
  ringback serve                            the server, on port 5060 of this machine
  ringback explain 486                      what an answer means
  ringback lint trace.pcapng                what is wrong in a capture
  ringback ping sip:example.com             whether somebody answers
  ringback help serve                       more of a command";

pub(super) const CHECK_CONFIG_EXAMPLES: &str = "\
Examples:
  ringback check-config ringback.toml                   what it means, with the defaults
  ringback check-config ringback.toml > /dev/null       only whether it can be used

Exit status:
  0    the file can be used
  2    the command line can't be understood
  5    the file, or a file that it names (accounts, certificates), can't be read or has errors
  70   what it means can't be printed";

pub(super) const COMPLETIONS_MORE: &str = "\
Prints a script for the shell. Put it where the shell looks for such scripts, or have the shell read it when it starts.";

pub(super) const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  ringback completions bash > ~/.local/share/bash-completion/completions/ringback
  ringback completions zsh > /usr/local/share/zsh/site-functions/_ringback
  ringback completions fish > ~/.config/fish/completions/ringback.fish
  ringback completions powershell >> $PROFILE
  ringback completions elvish >> ~/.config/elvish/rc.elv";

pub(super) const MAN_MORE: &str = "\
There is a page for each command, ringback-COMMAND.1, and ringback.1 for the whole.";

pub(super) const MAN_EXAMPLES: &str = "\
Examples:
  ringback man | man -l -                   read the page of the whole
  ringback man /usr/local/share/man/man1    write all pages";

pub(super) const USER_EXAMPLES: &str = "\
Examples:
  ringback user add alice --domain a.example
  ringback user list
  ringback user passwd alice";

pub(super) const ADD_EXAMPLES: &str = "\
Examples:
  ringback user add alice                             asks for the password
  ringback user add alice --domain a.example          the first of all says the realm
  pass show sip/alice | ringback user add alice --password-stdin --data /var/lib/ringback";

pub(super) const IMPORT_EXAMPLES: &str = "\
Examples:
  ringback user import users.csv                      lines of NAME,PASSWORD
  ringback user import - --domain a.example           the same from standard input";

pub(super) const LIST_EXAMPLES: &str = "\
Examples:
  ringback user list
  ringback user list --config /etc/ringback.toml      those of a server with a file";

pub(super) const PASSWD_EXAMPLES: &str = "\
Examples:
  ringback user passwd alice                          asks for the new password
  pass show sip/alice | ringback user passwd alice --password-stdin";

pub(super) const REDIRECT_EXAMPLES: &str = "\
Examples:
  ringback user redirect alice on                     callers are told where alice is
  ringback user redirect alice off                    calls go through the server again";

pub(super) const REMOVE_EXAMPLES: &str = "\
Examples:
  ringback user remove alice
  ringback user remove alice --data /var/lib/ringback";

pub(super) const SERVE_EXAMPLES: &str = "\
Examples:
  ringback serve                                    port 5060 of 127.0.0.1 and ::1
  ringback serve --listen 5070                      another port of them
  ringback serve --listen 0.0.0.0 --domain a.example
                                                    every IPv4 address of this machine
  ringback serve --listen 192.0.2.1:5060 --data /var/lib/ringback --log json
  ringback serve --config /etc/ringback.toml        what the flags don't say is in a file

A flag wins over an environment variable (RINGBACK_DATA, RUST_LOG), that over the file, and the file over the defaults. --listen
takes the place of all listeners of the file. Without a file digest is MD5 alone; with one, SHA-256 and then MD5.";

pub(super) const CHECK_CONFIG_MORE: &str = "\
Prints every setting as a file that means the same, those that the file leaves out with their defaults. Of a file that can't be used \
all that is wrong is drawn on standard error. Addresses and the data folder are not tried.";

pub(super) const EXPLAIN_MORE: &str = "\
A term is a response code or its phrase, a method, a header field (also its compact form), an option tag, an event package, a parameter, \
a timer, a warning code, a cause of Reason, or a status line as it stands in a trace. Letter case doesn't matter. Where a term has \
several meanings all are told; a word before it picks one: status, method, header, option, event, warning, timer, uri, param, reason.";

pub(super) const EXPLAIN_EXAMPLES: &str = "\
Examples:
  ringback explain 423                      what it means, what it carries, who sends it, what to check
  ringback explain 'SIP/2.0 603 Network Blocked'
  ringback explain RSeq 100rel INVITE       several terms
  ringback explain 'Timer B' 'Warning 370' presence
  ringback explain 'Reason: Q.850;cause=17'
  ringback explain 486 --lang ko            in Korean
  ringback explain 401 --json               an array: one object a term, its \"entries\" with names that stay

Exit status:
  0    all terms are known
  1    a term isn't; near names are told on standard error
  2    the command line can't be understood";

pub(super) const DECODE_MORE: &str = "\
Reads SIP messages as they are, one after another; captures (pcap, pcapng); hexadecimal dumps (of xxd, od, tcpdump -X, tshark -x, also \
behind the tree of -V); what tcpdump -A prints; and logs with messages in them. What a file is, its content says. Each header field is shown with the parts of its value, and each fault with a caret under its place.";

pub(super) const DECODE_EXAMPLES: &str = "\
Examples:
  ringback decode invite.sip                a message in a file
  ringback decode trace.pcapng --json       every message of a capture, as one object
  pbpaste | ringback decode -               what was copied from a log
  ringback decode a.sip --depth syntax      without a look at what is missing

Exit status:
  0    every message is fine
  1    a message has faults, or the input has messages that can't be read whole
  2    the file can't be read, or there is no SIP message in it; or the command line can't be understood";

pub(super) const LISTEN_HELP: &str =
    "Where to listen, repeatable: HOST:PORT, [IPV6]:PORT, an address, or a port of the loopback addresses";

pub(super) const LISTEN_MORE: &str = "\
0.0.0.0 and [::] mean every address that the machine has when the server starts. Without this flag it is port 5060 of 127.0.0.1, and of \
::1 where there is IPv6. Port 0 lets the system choose one; the line \"ready\" of the log tells which.";

/// Examples, and the statuses that the commands of the server have in common.
pub(super) fn with_statuses(examples: &str) -> String {
    format!("{examples}\n\n{EXIT_STATUSES}")
}
