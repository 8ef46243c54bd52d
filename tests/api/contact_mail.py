"""Header injection in every field of the contact form and of the reply, from the form to a real SMTP server:
recipients, headers and the number of mails do not change. OKUL_LONG=1 sends 10,000 mails; tests/unit/mail.c composes
as many in every run."""

import json
import os
import random
import re
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from email.header import decode_header, make_header
from pathlib import Path

import pytest

from helpers.client import Okul
from helpers.relay import Relay, parse
from helpers.server import Server, until

CASES = 10_000 if os.environ.get("OKUL_LONG") else 300
HEADERS = ["Date", "From", "To", "Subject", "Message-ID", "Reply-To", "Content-Language", "MIME-Version", "Content-Type"]
LIMITS = {"fullName": 200, "phoneNumber": 20, "subject": 200, "message": 5000, "source": 64}
SPACE = " \t\n\r\v\f\x85\u2028\u2029\u200b\ufeff\u202e\u2066"     # the characters used here that the server trims
CONTROL, DIRECTION = re.compile(r"[\x00-\x1f\x7f-\x9f]"), re.compile(r"[\u202a-\u202e\u2066-\u2069]")

BREAKS = ["\r\n", "\n", "\r", "\n\r", "\r\n\r\n", "\r\n.\r\n", "\n.\n", "\r\n..", ".", "..", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029",
          "\u560a\u560d", "%0d%0a", "&#13;&#10;", "\\r\\n"]
WORDS = ["\nFrom ", "From ", "Bcc: eve@example.com", "To: eve@example.com", "Cc:eve@example.com", "From: eve@example.com", "Subject: x", "Content-Type: text/html",
         "MIME-Version: 1.0", "MAIL FROM:<eve@example.com>", "RCPT TO:<eve@example.com>", "DATA", "QUIT", "RSET", "BDAT 3 LAST",
         "=?utf-8?q?=0D=0ABcc:_eve@example.com?=", "=?UTF-8?B?DQpCY2M6IGV2ZUBleGFtcGxlLmNvbQ==?=", "=?", "?=", "=0D=0A", "=\r\n", "=",
         ", eve@example.com", "; eve@example.com", "<eve@example.com>", "\"", "\\", "(", ")", "[", "]", ":", ";", ",", "'", "@", "{{school}}", "{{", "}}"]
LETTERS = ["a", "Ada", "ğ", "İ", "ß", "😀", "e\u0301", "\u202e", "\u2066", "\ufeff", "\u200b", "\t", " ", "\x01", "\x1b[0m", "\x7f", "x" * 70, "ş" * 90]
NEVER = ["\0", "\ud800"]    # not allowed in JSON (RFC 8259 and the contract)


def text(chance, most, empty=True, breaks=False):
    pieces = [chance.choice(chance.choice((BREAKS, WORDS, LETTERS))) for _ in range(chance.randint(0, most))]
    if not empty:
        pieces.insert(chance.randint(0, len(pieces)), "Ada")
    if chance.random() < 0.01:
        pieces.append(chance.choice(NEVER))
    text = "".join(pieces)
    if chance.random() < 0.05:
        return text
    # seldom, or hardly any request would cause a mail
    text = CONTROL.sub(lambda m: m[0] if m[0] in "\0\t\r\n" else " ", text)
    return re.sub(r"\r(?!\n)", "\n", text) if breaks else re.sub(r"[\t\r\n]", " ", text)


def one_line(value):
    """A text of one line as the server stores it; None when the server rejects it."""
    value = DIRECTION.sub("", value.strip(SPACE))
    return None if CONTROL.search(value) or any(n in value for n in NEVER) else value


def lines(value):
    """A text that may have several lines, likewise."""
    value = value.strip(SPACE).replace("\r\n", "\n")
    return None if CONTROL.search(value.translate({9: None, 10: None})) or any(n in value for n in NEVER) else value


class Case:
    """A malicious question of a visitor, and a malicious reply of the school."""

    def __init__(self, number):
        chance = random.Random(number)
        self.address = f"case{number}@example.com"
        self.body = {name: text(chance, 3 if limit < 100 else 8, name not in ("fullName", "message"), name == "message")[:limit] for name, limit in LIMITS.items()}
        self.body |= {"email": self.address, "language": "en"}
        self.reply = text(chance, 40, number % 50 == 1, True)[:10_000]
        if number % 10 == 0:        # a malformed address, or more than one address
            self.address = None
            self.body["email"] = f"case{number}" + chance.choice((text(chance, 3), "@example.com" + text(chance, 3)))

    def is_good(self):
        kept = {name: (lines if name == "message" else one_line)(self.body[name]) for name in LIMITS}
        return self.address and None not in kept.values() and kept["fullName"] and kept["message"]

    def play(self, okul, boss):
        """Sends question and reply; sets `sent` when the reply must be mailed."""
        self.sent = False
        asked = okul.request("POST", "/contact", body=json.dumps(self.body).encode())
        assert asked.status == (201 if self.is_good() else asked.status if not self.address and asked.status == 201 else 400), asked
        if asked.status != 201:
            return
        self.address = asked.data["email"]
        meant = self.body["email"].strip(SPACE).lower()
        assert re.fullmatch(r"[!-~]+@[A-Za-z0-9.-]+", self.address)
        # the server stores the ASCII form of a domain (RFC 5891)
        assert self.address == meant or not meant.isascii() and self.address.startswith(meant.partition("@")[0] + "@")
        answer = okul.request("POST", f"/contact/{asked.data['id']}/reply", body=json.dumps({"message": self.reply}).encode(), token=boss.token)
        good = lines(self.reply)
        assert answer.status == (200 if good else 400), answer
        self.sent = answer.status == 200
        self.subject = one_line(self.body["subject"]) or "Your question"
        self.name, self.reply, self.question = one_line(self.body["fullName"]), good, lines(self.body["message"])

    def check(self, mail):
        assert mail["from"] == "school@example.org" and mail["to"] == [self.address]
        raw = mail["content"].encode("latin-1")
        assert not re.search(rb"(?<!\r)\n|\r(?!\n)|[^\r\n\t -~]", raw) and not re.search(rb"(?m)^(\.|From )", raw)
        assert max(map(len, raw.split(b"\r\n"))) <= 200
        message = parse(mail)
        assert message.keys() == HEADERS and message.defects == []
        assert message["Reply-To"] == "boss@example.com"
        assert message["To"] == self.address and [a.addr_spec for a in message["From"].addresses] == ["school@example.org"]
        head = raw.partition(b"\r\n\r\n")[0].decode()
        subject = re.search(r"(?s)^Subject: (.*?)(?=\r\n\S)", head, re.M)[1].replace("\r\n ", " ")
        assert str(make_header(decode_header(subject))) == "Re: " + self.subject
        parts = list(message.iter_parts())
        assert [p.get_content_type() for p in parts] == ["text/plain", "text/html"] and not any(p.defects for p in parts)
        plain = parts[0].get_content().replace("\r\n", "\n") + "\n"     # the last one belongs to the boundary (RFC 2046 section 5.1.1)
        quoted = "".join(f"> {line}\n" for line in self.question.split("\n"))
        assert plain == f"Hello {self.name},\n\n{self.reply}\n\nokul\n\nYou wrote to us:\n\n{quoted}"


@pytest.fixture(scope="module")
def chain():
    home = Path(tempfile.mkdtemp(prefix="okul-relay-"))
    relay = Relay(home)
    server = Server("contact", OKUL_MAIL_TRANSPORT="smtp", OKUL_SMTP_HOST="127.0.0.1", OKUL_SMTP_PORT=str(relay.ports["plain"]),
                    OKUL_SMTP_SECURITY="plain", OKUL_MAIL_FROM="school@example.org", OKUL_MAIL_NAME="okul")
    yield Okul(server), relay
    server.stop()
    relay.stop()
    shutil.rmtree(home)


def test_no_question_or_reply_changes_the_headers(chain):
    okul, relay = chain
    okul.server.ctl("user", "add", "boss@example.com", "--role", "superadmin")
    assert okul.post("/auth/otp/request", {"email": "boss@example.com"}).status == 200
    code = re.search(r"(?m)^(\d{6})\r?$", until(relay.received, "the code")[0]["content"])[1]
    boss = type("Boss", (), {"token": okul.verify("boss@example.com", code).data["accessToken"]})
    relay.forget()

    cases = [Case(n) for n in range(CASES)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda case: case.play(okul, boss), cases))
    expected = {case.address: case for case in cases if case.sent}
    assert CASES * 0.6 < len(expected) < CASES * 0.9

    until(lambda: okul.server.sql("SELECT count(*) FROM outbox").split()[-1] == "0", "all mails to be sent", 60)
    mails = relay.received()
    assert sorted(a for mail in mails for a in mail["to"]) == sorted(expected) and len(mails) == len(expected)
    for mail in mails:
        expected[mail["to"][0]].check(mail)
