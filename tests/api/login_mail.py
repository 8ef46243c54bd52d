"""Content of the login mail (mail.py tests the sender)."""

import email.utils
import re

import pytest

from helpers.contract import LANGUAGES
from helpers.server import code_in, fresh


def mail_to(okul, address, language="en"):
    assert okul.post("/auth/otp/request", {"email": address, "language": language}).status == 200
    return okul.server.mailbox.wait(address)


@pytest.mark.parametrize("language", LANGUAGES)
def test_mail(okul, language):
    address = fresh()
    mail = mail_to(okul, address, language)
    assert mail["To"] == address and mail["From"].addresses[0].addr_spec == "okul@localhost"
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    text, html = (part.get_content() for part in mail.iter_parts())
    code = code_in(mail)
    assert html.count(code) >= 1 and re.search(rf"<html[^>]* lang=\"?{language}\b", html)
    assert "{{" not in text + html + mail["Subject"], "every {{name}} is replaced"
    assert len(re.findall(r"\b10\b", text)) == 1, "the lifetime of the code"
    assert re.match(rf"{code}\b.*okul", mail["Subject"]), "notifications show the start of a subject"
    assert abs(email.utils.parsedate_to_datetime(mail["Date"]).timestamp() - okul.server.clock.now()) < 60
    assert re.fullmatch(r"<[^<>@\s]+@[^<>@\s]+>", mail["Message-ID"].strip())
    assert mail["MIME-Version"] == "1.0" and mail["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("language", LANGUAGES)
def test_mail_on_the_wire(okul, language):
    """RFC 5321 and 5322: CRLF, lines of at most 998 bytes, 7 bits, no line starts with a dot."""
    source = mail_to(okul, fresh(), language).source
    assert b"\n" not in source.replace(b"\r\n", b"") and b"\r" not in source.replace(b"\r\n", b"")
    lines = source.split(b"\r\n")
    assert max(map(len, lines)) <= 998 and all(byte < 128 for byte in source)
    assert not [line for line in lines if line.startswith(b".")]
    head = source.partition(b"\r\n\r\n")[0]
    names = [name.lower() for name in re.findall(rb"(?m)^([\w-]+):", head)]
    assert len(names) == len(set(names)), "each header once"


def test_subjects_differ(okul):
    assert len({mail_to(okul, fresh(), language)["Subject"][6:] for language in LANGUAGES}) == 4


def test_message_ids_are_unique(okul):
    assert len({mail_to(okul, fresh())["Message-ID"] for _ in range(5)}) == 5


def test_a_mail_is_sent_once_and_at_once(okul):
    addresses = [fresh() for _ in range(20)]
    for address in addresses:
        assert okul.post("/auth/otp/request", {"email": address}).status == 200
    for address in addresses:
        okul.server.mailbox.wait(address)
    assert [len(okul.server.mailbox.to(a)) for a in addresses] == [1] * 20


@pytest.mark.parametrize("address", ["!#$%&'*+/=?^_`{|}~-@example.com", "a=b?c@example.com"])
def test_addresses_with_unusual_characters(okul, address):
    assert mail_to(okul, address)["To"] == address


def test_a_rejected_request_sends_no_mail(okul):
    for body in ({"email": "one@example.org", "x": 1}, {"email": "two@example.org", "language": "fr"},
                 {"email": "three@example.org\r\nBcc: four@example.org"}):
        assert okul.post("/auth/otp/request", body).status == 400
    mail_to(okul, fresh())      # a later mail has arrived, so earlier ones would have too
    assert not [a for a in okul.server.mailbox.mails if a.endswith("@example.org")]
