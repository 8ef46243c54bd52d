"""Mail addresses with internationalized domain names: one user for all spellings."""

import secrets
import subprocess

import pytest

from helpers.client import rows
from helpers.people import give_email
from helpers.sentences import SENTENCES
from helpers.server import OKULCTL, code_in


def mark():
    return "idn" + secrets.token_hex(6)


def ctl(okul, *arguments):
    return subprocess.run([OKULCTL, "-d", str(okul.server.data), *arguments], env=okul.server.environment, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=60, text=True)


@pytest.mark.parametrize("typed, kept", [
    (["örnek.com.tr", "ÖRNEK.COM.TR", "o\u0308rnek.com.tr", "XN--RNEK-4QA.com.tr"], "xn--rnek-4qa.com.tr"),
    (["straße.de", "Straße.DE", "xn--strae-oqa.de"], "xn--strae-oqa.de"),
    (["p\u0430ypal.com"], "xn--pypal-4ve.com"),
])
def test_one_user_for_all_spellings_of_the_domain(later, typed, kept):
    """They share the limits per address too."""
    server, name = later.server, mark()
    first, box = later.login(f"{name}@{kept}"), server.mailbox
    for count, domain in enumerate(typed, 2):
        address = f" {name.upper()}@{domain} "
        server.clock.advance(61)
        assert later.post("/auth/otp/request", {"email": address}).status == 200
        assert later.post("/auth/otp/request", {"email": f"{name}@{kept}"}).status == 429
        mail = box.wait(f"{name}@{kept}", count)
        server.codes.add(code_in(mail))
        answer = later.verify(address, code_in(mail))
        assert answer.status == 200 and answer.data["user"]["id"] == first.id and answer.data["user"]["email"] == f"{name}@{kept}"
    assert rows(later, f"SELECT email FROM users WHERE email LIKE '{name}@%'") == [[f"{name}@{kept}"]]


def test_an_address_with_another_domain_is_another_user(okul):
    """ß is not ss (IDNA2008), and a Cyrillic letter is not the similar Latin one."""
    name = mark()
    assert len({okul.login(f"{name}@{domain}").id for domain in ("xn--strae-oqa.de", "strasse.de", "xn--pypal-4ve.com", "paypal.com")}) == 4


@pytest.mark.parametrize("domain", ["bü cher.de", "bücher..de", "-bücher.de", "bü_cher.de", "♥.de", "\u202eb.de", "ü", "xn--a.ü.de", "ü." * 200 + "de"])
def test_invalid_domains(okul, domain):
    for language in ("tr", "en", "es", "de"):
        answer = okul.post("/auth/otp/request", {"email": "a@" + domain}, language=language)
        assert answer.status == 400 and answer.errors == ["email: " + SENTENCES["S_F_EMAIL_DOMAIN"][language]]
    answer = okul.post("/auth/otp/request", {"email": "ü@" + domain})
    assert answer.status == 400 and answer.errors == ["email: " + SENTENCES["S_F_EMAIL"]["en"]]


def test_addresses_from_admins_and_okulctl(okul):
    boss, ada, name = okul.staff("superadmin"), okul.registered(), mark()
    assert give_email(boss, ada.id, f"{name}@Örnek.com.tr").data["email"] == f"{name}@xn--rnek-4qa.com.tr"
    assert give_email(boss, okul.login().id, f"{name}@xn--RNEK-4qa.com.tr").status == 409
    assert ctl(okul, "user", "add", f"{name}@örnek.com.tr").returncode == 65
    assert ctl(okul, "user", "role", f"{name}@ÖRNEK.com.tr", "admin").returncode == 0
    assert rows(okul, f"SELECT role FROM users WHERE email = '{name}@xn--rnek-4qa.com.tr'") == [["admin"]]
    assert ctl(okul, "user", "add", f"{name}@bücher.de").returncode == 0
    assert "is not a mail address" in ctl(okul, "user", "add", f"{name}@bü cher.de").stderr
    path = okul.server.home / "idn.csv"
    path.write_text(f"E-posta\n{name}2@Bücher.de\n{name}2@xn--bcher-kva.de\n{name}@BÜCHER.de\n{name}@♥.de\n")
    assert ctl(okul, "user", "import", str(path)).stderr.splitlines() == [
        "line 3: email: stands in line 2 already", "line 4: email: belongs to a user already",
        "line 5: email: must have a valid domain name behind the @"]
    assert rows(okul, f"SELECT email FROM users WHERE email LIKE '{name}%bcher%' ORDER BY pk") == [
        [f"{name}@xn--bcher-kva.de"], [f"{name}2@xn--bcher-kva.de"]]
