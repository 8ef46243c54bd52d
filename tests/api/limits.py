"""Limits on login codes and wrong tries, per mailbox and per client network, which must not lock out the owner of an
address. tests/unit/otp.c tests the exact numbers over days of attacks."""

import contextlib
import http.client
import itertools
import json
import re

import pytest

from helpers.client import Okul, Person, REGISTRATION, wrong
from helpers.samples import png
from helpers.server import Server, fresh, shows_code
from helpers.v1 import DELETION, LOCKED, SEND, VERIFY

WRONG = "The code is wrong or no longer valid; check it or ask for a new one"
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def limited():
    """A server with limits behind two proxies, so that tests choose the client address. They also set its clock, even
    back."""
    server = Server("limited", OKUL_WORKERS="2", OKUL_LIMITS="on", OKUL_TRUSTED_PROXY="127.0.0.1, 10.1.0.0/16")
    yield Okul(server)
    server.stop()


def network():
    """A client address in a network that no other test uses."""
    n = next(numbers)
    return f"198.51.{n // 256}.{n % 256}"


def at(client):
    return {"headers": {"X-Forwarded-For": f"192.0.2.77, {client}:4711, 10.1.2.3"}}


def request(okul, address, client):
    return okul.post("/auth/otp/request", {"email": address}, **at(client))


def enter(okul, address, client):
    """Requests a code and logs in with it."""
    return okul.verify(address, okul.code(address, **at(client)), **at(client))


def person(okul, address, client):
    answer = enter(okul, address, client)
    assert answer.status == 200, answer
    return Person(okul, address, answer.data)


def check_limited(answer, sentence, least, most):
    """The response must be 429 with this sentence and a Retry-After in this range, which is returned."""
    assert answer.status == 429 and answer.errors == [sentence], answer
    assert least <= int(answer.headers["Retry-After"]) <= most, answer.headers["Retry-After"]
    return int(answer.headers["Retry-After"])


def unchecked(server, method, path):
    """Status and errors of a response that is not checked, since the reference of this server does not have its route."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, json.loads(response.read())["errors"]


def count(okul, statement):
    return int(okul.server.sql(statement).split()[-1])


# ---- codes per network


def test_each_network_has_its_own_code(limited):
    address, home, away, phone = fresh(), network(), network(), network()
    first = limited.code(address, **at(home))
    limited.server.clock.advance(61)
    second = limited.code(address, **at(away))
    assert limited.verify(address, second, **at(phone)).status == 200, "used from another network"
    assert limited.verify(address, first, **at(home)).status == 200, "the second code does not replace the first"
    for code, client in ((first, home), (second, away), (first, phone)):
        assert limited.verify(address, code, **at(client)).errors == [WRONG]


def test_strangers_do_not_lock_out_the_owner(limited):
    """They use up their limits; the owner can still log in on a known network without waiting."""
    address, home = fresh(), network()
    assert enter(limited, address, home).status == 200
    refused = set()
    for hour in range(7):
        limited.server.clock.advance(721)
        code = limited.code(address, **at(home))
        for _ in range(5):
            client = network()
            answer = request(limited, address, client)
            for _ in range(6):
                answer = limited.verify(address, wrong(code), **at(client))
                if answer.status == 429:
                    refused.add(answer.errors[0])
        assert limited.verify(address, code, **at(home)).status == 200, "not used up by others"
    assert LOCKED in refused
    wait = check_limited(limited.verify(address, "000000", **at(network())), LOCKED, 70000, 86400)
    assert count(limited, f"SELECT count(*) FROM event WHERE kind = 'wrong-email' AND subject = '{address}'") == 25
    asked = request(limited, address, network())
    check_limited(asked, "Too many codes were asked for with this address from unknown networks; use the newest one, ask again later, or ask on "
         "a network from which you have logged in before", 70000, 86400)
    limited.server.clock.advance(wait)
    assert limited.verify(address, "000000", **at(network())).status == 400, "Retry-After was right"


def test_thirty_mails_a_day_in_all(limited):
    address, home = fresh(), network()
    enter(limited, address, home)
    asked = 1
    for _ in range(5):
        limited.server.clock.advance(721)
        assert request(limited, address, network()).status == 200
        asked += 1
    for _ in range(24):
        limited.server.clock.advance(721)
        assert request(limited, address, home).status == 200
        asked += 1
    limited.server.clock.advance(721)
    assert asked == 30
    wait = check_limited(request(limited, address, home),
                "Too many codes were asked for with this address; use the newest one, or ask again later", 60000, 86400)
    limited.server.clock.advance(wait)
    assert request(limited, address, home).status == 200


def test_variants_of_an_address_share_limits_but_are_different_users(limited):
    tag = fresh("ada").replace("@", "+x@")
    plain = tag.replace("+x", "")
    client = network()
    answer = enter(limited, tag, client)
    assert answer.data["user"]["email"] == tag and limited.server.mailbox.to(tag), "as typed"
    for other in (plain, tag.replace("+x", "+y").upper()):
        assert request(limited, other, network()).status == 429, other
    limited.server.clock.advance(61)
    assert enter(limited, plain, client).data["isNewUser"] is True
    local, other = plain.partition("@")[0].replace(".", ""), network()
    assert request(limited, f"{local[:2]}.{local[2:]}@gmail.com", other).status == 200
    assert request(limited, f"{local}+1@googlemail.com", other).status == 429


# ---- client networks


def test_ten_wrong_tries_per_hour_and_fifty_per_day_for_a_client(limited):
    client, address = network(), fresh()
    sentence = "Too many wrong codes were entered from your network; try again later, or use another network"
    code = limited.code(address, **at(client))
    for hour in range(5):
        for n in range(10):
            answer = limited.verify(fresh(), "123456", **at(client))
            assert answer.status == 400 and answer.errors == [WRONG], "also for an address without a code"
        answer = limited.verify(address, code, **at(client))
        if hour == 4:
            break
        check_limited(answer, sentence, 3000, 3600)
        four = limited.post(VERIFY, {"email": fresh(), "code": "1234"}, **at(client))
        limited.server.clock.advance(check_limited(four, sentence, 3000, 3600))
        code = limited.code(address, **at(client))
    wait = check_limited(answer, sentence, 86400 - 5 * 3600, 86400)
    assert limited.verify(fresh(), "123456", **at(network())).status == 400, "another network"
    limited.server.clock.advance(wait)
    assert limited.verify(fresh(), "123456", **at(client)).status == 400


def test_a_class_behind_one_router(limited):
    """31 new users log in within five minutes, and all of them in parallel on another day."""
    client, pupils, start = network(), [fresh("pupil") for _ in range(31)], limited.server.clock.now()
    for pupil in pupils:
        assert enter(limited, pupil, client).status == 200
    assert limited.server.clock.now() - start < 300
    limited.server.clock.advance(86400)
    codes = [limited.code(pupil, **at(client)) for pupil in pupils]
    assert [limited.verify(p, c, **at(client)).status for p, c in zip(pupils, codes)] == [200] * 31


def test_users_on_a_known_network_are_not_limited_by_strangers_there(limited):
    client, ada = network(), fresh()
    assert enter(limited, ada, client).status == 200
    for _ in range(30):
        assert request(limited, fresh(), client).status == 200
    check_limited(request(limited, fresh(), client),
         "Too many codes were asked for from your network; try again later, or use another network", 3500, 3600)
    limited.server.clock.advance(61)
    assert enter(limited, ada, client).status == 200


def test_new_users_of_a_client_are_limited_but_existing_ones_not():
    server = Server("few", OKUL_WORKERS="1", OKUL_LIMITS="on", OKUL_CLIENT_USERS_DAILY="2", OKUL_TRUSTED_PROXY="127.0.0.1 10.1.2.3",
                    OKUL_API_V1="off")
    okul = Okul(server)
    try:
        client, known = network(), fresh()
        assert enter(okul, known, client).status == enter(okul, fresh(), client).status == 200
        late = fresh()
        code = okul.code(late, **at(client))
        sentence = "Too many new accounts were made from your network within a day; try again later, or use another network"
        check_limited(okul.verify(late, code, **at(client)), sentence, 86000, 86400)
        server.clock.advance(61)
        assert enter(okul, known, client).status == 200
        assert okul.verify(late, code, **at(network())).status == 200, "the code stays valid"
        # on this server /api/v1 is off, and not in the reference
        paths = list(json.loads(server.glance("/swagger/json")[1])["paths"])
        assert paths and not [path for path in paths if path.startswith("/api/v1")] and b"/api/v1" not in server.glance("/api/docs")[1]
        for method, path in (("POST", SEND), ("POST", VERIFY), ("GET", "/api/v1/auth/sessions"), ("POST", DELETION),
                             ("OPTIONS", SEND), ("GET", SEND), ("GET", "/%61pi/v1/auth/sessions")):
            assert unchecked(server, method, path) == (404, ["There is nothing at this path"]), (method, path)
    finally:
        server.stop()


# ---- audit and log


def test_logins_wrong_codes_and_lockouts_are_audited_and_logged(limited):
    address, home, stranger = fresh(), network(), network()
    ada = person(limited, address, home)
    for _ in range(3):
        limited.server.clock.advance(61)
        answer = limited.post(SEND, {"email": address}, **at(stranger))
        assert answer.status == 201
        code = answer.data["code"]
        assert limited.post(VERIFY, {"email": address, "code": wrong(code)}, **at(stranger)).status == 400
    unknown = fresh()
    assert limited.verify(unknown, "987612", **at(stranger)).status == 400
    limited.server.ctl("user", "unlock", address.replace("@", "+1@").upper())
    limited.server.ctl("user", "unlock", address)
    trace = limited.server.sql("SELECT action, coalesce(actor_id, 'operator'), coalesce(after, '-') FROM audit"
                               f" WHERE subject_id = '{ada.id}' AND action <> 'user.added' ORDER BY pk").splitlines()[1:]
    assert [row.split("\t") for row in trace] == [
        ["session.login", ada.id, "from a network that was not known"],
        ["session.locked", ada.id, "wrong codes, networks that are not known"], ["session.unlocked", "operator", "-"]]
    log = b"".join(limited.server.logs().values()).decode()
    lines = [line for line in log.splitlines() if " login" in line and (stranger in line or home in line)]
    assert len([line for line in lines if re.search(rf" login user={ada.id} client={home}$", line)]) == 1, lines
    assert len([line for line in lines if f" login_wrong user={ada.id} client={stranger}" in line]) == 3, lines
    assert len([line for line in lines if f" login_locked user={ada.id} client={stranger}" in line]) == 1, lines
    assert len([line for line in lines if f" login_wrong user=- client={stranger}" in line]) == 1, lines
    assert unknown not in log and address not in log
    assert not shows_code(log, "987612") and not any(shows_code(line, wrong(code)) for line in lines)


def test_okulctl_user_unlock(limited):
    address, client = fresh(), network()
    for _ in range(4):
        code = limited.code(address, **at(client))
        for _ in range(5):
            limited.verify(address, wrong(code), **at(network()))
            limited.verify(address, wrong(code), **at(client))
        limited.server.clock.advance(721)
    assert limited.verify(address, "000000", **at(client)).status == 429
    run = limited.server.ctl("user", "unlock", address)
    assert re.fullmatch(rf"{re.escape(address)}: unlocked, 2[6-9] codes and wrong tries forgotten\n", run.stdout), run.stdout
    limited.server.clock.advance(3600)
    assert enter(limited, address, client).status == 200
    for bad in ([], ["nobody"], [address, address]):
        assert limited.server.ctl("user", "unlock", *bad, check=False).returncode in (64, 65)


# ---- a clock that was set back


def test_rows_from_the_future_block_nothing(limited):
    """Written while the clock was 400 days ahead: limits, a login code, a mail in the outbox, a username, signed URLs."""
    address, client = fresh(), network()
    ada = person(limited, address, client)
    assert ada.post("/auth/registration/complete", REGISTRATION).status == 200
    limited.server.clock.advance(400 * 86400)
    ahead = person(limited, address, client)
    form = limited.get("/contact/form").data
    for _ in range(10):
        assert ahead.post(DELETION).status == 201 and ahead.delete(DELETION).status == 200
    assert ahead.patch("/me", {"username": "ahead" + network().replace(".", "")}).status == 200
    url = ahead.upload(png(), "a.png").data["url"]
    for _ in range(5):
        question = {"fullName": "Ada", "email": address, "message": "When?"}
        assert limited.post("/contact", question, **at(client)).status == 201
    code = ""
    for _ in range(4):
        limited.server.clock.advance(61)
        code = limited.code(address, **at(client))
    assert limited.get(url[url.index("/storage/"):]).status == 200
    limited.server.clock.advance(-401 * 86400)
    try:
        assert limited.verify(address, code, **at(client)).errors == [WRONG], "it is valid for ten minutes, not for 400 days"
        assert enter(limited, address, client).status == 200
        assert limited.post("/contact", question, **at(client)).status == 201
        answer = limited.post("/contact", question | {"stamp": form["stamp"]}, **at(client))
        assert answer.errors == ["stamp: is not valid or has expired; open the form again"]
        limited.server.clock.advance(61)
        now = person(limited, address, client)
        assert now.post(DELETION).status == 201 and now.delete(DELETION).status == 200
        assert now.patch("/me", {"username": "now" + network().replace(".", "")}).status == 200
        assert limited.get(url[url.index("/storage/"):]).status == 403
        limited.server.sql("INSERT INTO outbox (id, recipient, language, template, sealed, created_at, expires_at, next_at)"
                           f" SELECT '{'e' * 24}', recipient, language, template, sealed, created_at, expires_at, next_at + {400 * 86400000}"
                           " FROM (SELECT 'late@example.com' AS recipient, 'en' AS language, 'login-code' AS template, x'00' AS sealed,"
                           f" {int(limited.server.clock.now() * 1000)} AS created_at, {int(limited.server.clock.now() * 1000) + 10 ** 9} AS"
                           f" expires_at, {int(limited.server.clock.now() * 1000)} AS next_at) AS late")
        limited.server.ctl("mail", check=False)
        assert count(limited, f"SELECT attempts FROM outbox WHERE id = '{'e' * 24}'") >= 1, "the sender has tried it"
    finally:
        limited.server.clock.advance(401 * 86400)
