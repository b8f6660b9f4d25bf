#!/usr/bin/env python3
"""Writes the digests that the jobs' answers must have: reference.py MESSAGES > reference.tsv

Shares no code with the parsers that are measured. It knows only the plain messages of the yardstick: no folds, no lists
of several addresses in one line, no URIs but SIP's.
"""
import functools
import glob
import hashlib
import operator
import os
import re
import sys

COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length"}
DIALOG_MAKERS = {"INVITE", "SUBSCRIBE", "REFER", "NOTIFY"}
TO_TAG = "a6c85cf"
OUR_CONTACT = "sip:bob@192.0.2.4:5060"
NEXT_HOP = "sip:bob@203.0.113.77:5080;transport=udp"
OUR_VIA = "SIP/2.0/UDP proxy.example.net:5060;branch=z9hG4bK4b43c2ff8.1"


class Message:
    def __init__(self, text):
        self.text = text
        head, self.body = text.split("\r\n\r\n", 1)
        self.start, *lines = head.split("\r\n")
        self.headers = [re.fullmatch(r"([^:\s]+)\s*:\s*(.*?)\s*", line).groups() for line in lines]
        self.is_request = not self.start.startswith("SIP/2.0 ")
        if self.is_request:
            self.method, self.uri, _ = self.start.split(" ")
        else:
            _, self.code, self.reason = self.start.split(" ", 2)

    def first(self, wanted):
        for name, value in self.headers:
            if canonical(name) == wanted:
                return value
        return None


def canonical(name):
    return COMPACT.get(name.lower(), name.lower())


def pair(name, value):
    return f"{name}:{'-' if value is None else value}\n"


def params(text):
    """`;a=1;b` as lines, and an empty one behind them; a semicolon in quotes does not part them."""
    found = re.findall(r';\s*([^;=\s]+)(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^;\s]*))?', text)
    with_value = [";" + name + "=" in text.replace(" ", "") for name, _ in found]
    return "".join(pair(name, value if has else None) for (name, value), has in zip(found, with_value)) + "\n"


def uri(text):
    scheme, user, password, host, port, rest, headers = re.fullmatch(
        r"(sips?):(?:([^@:]+)(?::([^@]*))?@)?([^:;?]+)(?::(\d+))?((?:;[^?]*)?)(?:\?(.*))?", text
    ).groups()
    return (
        pair("scheme", scheme) + pair("user", user) + pair("password", password) + pair("host", host)
        + pair("port", port) + params(rest) + pair("headers", headers)
    )


def address(label, text):
    if text is None:
        return pair(label, None)
    display, inner, rest = re.fullmatch(r'("(?:[^"\\]|\\.)*"|[^<"]*?)\s*<([^>]*)>(.*)', text).groups()
    return pair(label, display or None) + uri(inner) + params(rest)


def tag(text):
    found = re.search(r">.*;tag=([^;\s]+)", text)
    return found and found.group(1)


def lines(m):
    ends = [i for i, c in enumerate(m.text) if c == "\n"]
    return f"{len(ends)} {functools.reduce(operator.xor, ends, 0)}"


def headers(m):
    return "".join(pair(name, value) for name, value in m.headers) + "\n" + m.body


def frame(m):
    start = pair(m.method, m.uri) if m.is_request else pair(m.code, m.reason)
    return start + headers(m)


def fields(m):
    start = pair("method", m.method) + uri(m.uri) if m.is_request else pair("status", m.code) + pair("reason", m.reason)
    transport, host, port, rest = re.fullmatch(r"SIP/2\.0/(\S+) ([^:;]+)(?::(\d+))?(.*)", m.first("via")).groups()
    number, method = m.first("cseq").split()
    return (
        start + pair("via", transport) + pair("host", host) + pair("port", port) + params(rest)
        + address("from", m.first("from")) + address("to", m.first("to")) + pair("call-id", m.first("call-id"))
        + pair("cseq", number) + pair("cseq-method", method) + address("contact", m.first("contact"))
        + pair("max-forwards", m.first("max-forwards"))
    )


def check(m):
    number, method = m.first("cseq").split()
    return (
        pair("branch", re.search(r";branch=([^;\s]+)", m.first("via")).group(1)) + pair("call-id", m.first("call-id"))
        + pair("from-tag", tag(m.first("from"))) + pair("to-tag", tag(m.first("to"))) + pair("cseq", number)
        + pair("cseq-method", method)
    )


def trip(m):
    return m.text


def ok200(m):
    if not m.is_request:
        return None
    copied = {"via", "from", "to", "call-id", "cseq"} | ({"record-route"} if m.method in DIALOG_MAKERS else set())
    out = "SIP/2.0 200 OK\r\n"
    for name, value in m.headers:
        if canonical(name) in copied:
            tagged = canonical(name) == "to" and tag(value) is None
            out += f"{name}: {value}{';tag=' + TO_TAG if tagged else ''}\r\n"
    return out + "Content-Length: 0\r\n\r\n"


def ok200_checked(m):
    plain = ok200(m)
    return plain and plain.replace("Content-Length: 0", f"Contact: <{OUR_CONTACT}>\r\nContent-Length: 0")


def forward(m):
    if not m.is_request:
        return None
    out, via_is_out = f"{m.method} {NEXT_HOP} SIP/2.0\r\n", False
    for name, value in m.headers:
        if canonical(name) == "via" and not via_is_out:
            out, via_is_out = out + f"Via: {OUR_VIA}\r\n", True
        if canonical(name) == "max-forwards":
            value = str(int(value) - 1)
        out += f"{name}: {value}\r\n"
    return out + "\r\n" + m.body


def main():
    for path in sorted(glob.glob(os.path.join(sys.argv[1], "*.sip"))):
        name = os.path.splitext(os.path.basename(path))[0]
        with open(path, "rb") as f:
            message = Message(f.read().decode("latin-1"))
        for job in (lines, headers, frame, fields, check, trip, ok200, ok200_checked, forward):
            answer = job(message)
            if answer is not None:
                print(job.__name__.replace("_", "-"), name, hashlib.sha256(answer.encode("latin-1")).hexdigest()[:32], sep="\t")


main()
