"""Group auth: logging in by code, sessions, registration."""

import json
import os
import re
import secrets
import signal
import time
from datetime import datetime

import pytest

from helpers import contract
from helpers.client import Okul, REGISTRATION, wrong
from helpers.server import SLOW, Server, code_in, fresh, sender
from helpers.tokens import base64url, sign, unbase64

WRONG = "The code is wrong or no longer valid; check it or ask for a new one"
SENT = "Verification code has been sent to your email address"


def request(okul, address, **more):
    return okul.post("/auth/otp/request", {"email": address}, **more)


# ---- requesting a code


def test_the_curl_command_of_the_contract(okul):
    """curl sends the option -H 'accept-language;' as a header without a value."""
    body = b'{\n    "email": "user@example.com",\n    "language": "tr"\n}'
    head = (b"POST /auth/otp/request HTTP/1.1\r\nHost: localhost\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n"
            b"accept-language:\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n")
    answer = okul.raw(head % len(body) + body, "POST", "/auth/otp/request")
    assert answer.status == 200
    assert list(json.loads(answer.body)) == ["isSuccess", "statusCode", "data", "errors", "timestamp"]
    assert answer.data == {"message": SENT, "email": "user@example.com"}
    assert list(answer.data) == ["message", "email"]
    assert answer.headers["Content-Language"] == "en"
    mail = okul.server.mailbox.wait("user@example.com")
    assert re.search("[çğışöüÇĞİŞÖÜ]", mail["Subject"] + mail.get_body(("plain",)).get_content()), "a Turkish mail"
    assert re.fullmatch(r"\d{6}", code_in(mail))


def test_known_unknown_and_deactivated_addresses_get_the_same_response(later):
    known, gone = later.login(), later.login()
    gone.set("is_active = false")
    later.server.clock.advance(61)
    answers = [request(later, address) for address in (known.email, fresh(), gone.email)]
    assert [a.status for a in answers] == [200, 200, 200]
    assert len({a.data["message"] for a in answers}) == 1
    assert len({tuple(sorted(k for k, _ in a.headers.items())) for a in answers}) == 1


def test_address_is_trimmed_and_folded(okul):
    address = fresh("Mixed.Case")
    answer = request(okul, f"  {address.upper()}\t")
    assert answer.data["email"] == address.lower()
    code = code_in(okul.server.mailbox.wait(address.lower()))
    answer = okul.verify(" " + address.title(), f" {code} ")
    assert answer.status == 200 and answer.data["user"]["email"] == address.lower()


def test_codes_differ(okul):
    codes = [okul.code(fresh()) for _ in range(8)]
    assert len(set(codes)) > 5


# ---- using a code


def test_login_of_a_new_address(okul):
    address = fresh()
    before = time.time()
    answer = okul.verify(address, okul.code(address))
    assert answer.status == 200
    assert list(answer.data) == [f.name for f in contract.shapes["AuthResponseDto"]]
    assert answer.data["expiresIn"] == 3600 and answer.data["refreshExpiresIn"] == 2592000
    assert answer.data["isNewUser"] is True and answer.data["isRegistrationComplete"] is False
    user = answer.data["user"]
    assert list(user) == [f.name for f in contract.shapes["UserProfileDto"]]
    assert user["email"] == address and user["role"] == "user" and user["isRegistrationComplete"] is False
    assert [user[k] for k in ("name", "surname", "username", "birthDate", "gender", "bio")] == [None] * 6
    assert user["interests"] == [] and user["availabilityStatus"] == "offline" and user["timezone"]
    assert not (user["privacyPolicyAccepted"] or user["termsOfUseAccepted"] or user["consentFormAccepted"])
    assert user["lastLogin"] is not None and "no-store" in answer.headers["Cache-Control"]
    header, payload, _ = (unbase64(part) for part in answer.data["accessToken"].split("."))
    header, claims = json.loads(header), json.loads(payload)
    assert header["alg"] == "HS256" and header["kid"]
    assert set(claims) == {"iss", "aud", "sub", "sid", "iat", "exp", "jti"}
    assert claims["sub"] == user["id"] and claims["exp"] - claims["iat"] == 3600 and abs(claims["iat"] - before) < 60
    assert len(unbase64(answer.data["refreshToken"])) >= 32, "256 random bits"


def test_login_of_a_known_address(later):
    first = later.registered()
    later.server.clock.advance(61)
    again = later.login(first.email.upper())
    assert again.data["isNewUser"] is False and again.data["isRegistrationComplete"] is True and again.id == first.id
    assert again.data["user"]["lastLogin"] > first.data["user"]["lastLogin"]
    assert first.get("/me").status == 200, "a second login leaves the first session alone"


def test_a_new_user_has_the_language_of_the_mail(okul):
    address = fresh()
    answer = okul.verify(address, okul.code(address, language="es"))
    assert answer.data["user"]["language"] == "es"


def test_ids_grow_with_time(okul):
    ids = [okul.login().id for _ in range(4)]
    assert ids == sorted(ids)


def test_code_works_once(okul):
    address = fresh()
    code = okul.code(address)
    assert okul.verify(address, code).status == 200
    answer = okul.verify(address, code)
    assert answer.status == 400 and answer.errors == [WRONG]


def test_code_of_another_address(okul):
    ada, eve = fresh(), fresh()
    code = okul.code(ada)
    okul.code(eve)
    assert okul.verify(eve, code).status == 400
    assert okul.verify(ada, code).status == 200


def test_same_sentence_for_wrong_and_dead_codes(later):
    never = fresh()
    expired, used, replaced, mistaken = (fresh() for _ in range(4))
    codes = {a: later.code(a) for a in (expired, used, replaced)}
    assert later.verify(used, codes[used]).status == 200
    later.server.clock.advance(61)
    newer = later.code(replaced)
    codes |= {never: "123456", mistaken: wrong(later.code(mistaken))}
    if newer != codes[replaced]:
        answer = later.verify(replaced, codes[replaced])
        assert answer.status == 400 and answer.errors == [WRONG]
    later.server.clock.advance(600)
    for address in (never, mistaken, expired, used):
        answer = later.verify(address, codes[address])
        assert answer.status == 400 and answer.errors == [WRONG], address


def test_code_lives_ten_minutes(later):
    good, late = fresh(), fresh()
    codes = {a: later.code(a) for a in (good, late)}
    later.server.clock.advance(590)
    assert later.verify(good, codes[good]).status == 200
    later.server.clock.advance(11)
    assert later.verify(late, codes[late]).status == 400


def test_a_new_code_kills_the_old(later):
    address = fresh()
    old = later.code(address)
    later.server.clock.advance(61)
    new = later.code(address)
    while new == old:
        later.server.clock.advance(61)
        new = later.code(address)
    assert later.verify(address, old).status == 400
    assert later.verify(address, new).status == 200


def test_four_wrong_tries_and_the_right_one(okul):
    address = fresh()
    code = okul.code(address)
    for _ in range(4):
        assert okul.verify(address, wrong(code)).status == 400
    assert okul.verify(address, code).status == 200


def test_code_dies_after_five_wrong_tries(later):
    address = fresh()
    code = later.code(address)
    for _ in range(5):
        answer = later.verify(address, wrong(code))
        assert answer.status == 400 and answer.errors == [WRONG]
    for attempt in (wrong(code), code, code):
        answer = later.verify(address, attempt)
        assert answer.status == 429
        assert 1 <= int(answer.headers["Retry-After"]) <= 60, "until a new code may be asked for"
    later.server.clock.advance(int(answer.headers["Retry-After"]))
    assert later.verify(address, later.code(address)).status == 200


def test_after_the_last_code_of_an_hour_retry_after_is_that_for_a_new_one(later):
    address = fresh()
    for _ in range(4):
        later.code(address)
        later.server.clock.advance(61)
    code = later.code(address)
    for _ in range(5):
        later.verify(address, wrong(code))
    tried, asked = later.verify(address, code), request(later, address)
    assert tried.status == asked.status == 429
    waits = [int(answer.headers["Retry-After"]) for answer in (tried, asked)]
    assert all(3200 < wait <= 3600 for wait in waits), waits
    later.server.clock.advance(max(waits))
    assert later.verify(address, later.code(address)).status == 200


def test_a_dead_code_stays_dead(later):
    address = fresh()
    code = later.code(address)
    for _ in range(5):
        later.verify(address, wrong(code))
    later.server.clock.advance(300)
    assert later.verify(address, code).status in (400, 429)


def test_wrong_tries_of_a_day_are_limited_over_all_codes(later):
    """25 wrong tries per day and address: a new code does not reset the count."""
    address = fresh()
    for _ in range(5):
        code = later.code(address)
        for _ in range(5):
            assert later.verify(address, wrong(code)).status == 400
        later.server.clock.advance(721)
    code = later.code(address)
    answer = later.verify(address, code)
    assert answer.status == 429, answer
    assert 60 < int(answer.headers["Retry-After"]) <= 86400
    later.server.clock.advance(int(answer.headers["Retry-After"]))
    assert later.verify(address, later.code(address)).status == 200


def test_wrong_tries_are_counted_per_address(later):
    ada, eve = fresh(), fresh()
    code = later.code(ada)
    for _ in range(6):
        later.verify(eve, wrong(code))
    assert later.verify(ada, code).status == 200


# ---- limits on requests


def test_a_minute_between_two_codes(later):
    address = fresh()
    code = later.code(address)
    for elapsed, step in ((0, 0), (45, 45)):    # on a busy machine a few more seconds may pass
        later.server.clock.advance(step)
        answer = request(later, address)
        assert answer.status == 429 and 1 <= int(answer.headers["Retry-After"]) <= 60 - elapsed, elapsed
    assert request(later, address.upper()).status == 429, "the same address in another case"
    assert later.verify(address, code).status == 200, "a refused request leaves the code valid"
    assert len(later.server.mailbox.to(address)) == 1, "and sends no mail"
    later.server.clock.advance(16)
    assert request(later, address).status == 200


def test_five_codes_an_hour_for_an_address(later):
    address, start = fresh(), later.server.clock.offset
    for _ in range(5):
        later.code(address)
        later.server.clock.advance(61)
    answer = request(later, address)
    assert answer.status == 429
    wait, passed = int(answer.headers["Retry-After"]), (later.server.clock.offset - start) / 1000
    assert abs(wait + passed - 3600) < 30, "until the first of the five is an hour old"
    later.server.clock.advance(wait - 30)
    assert request(later, address).status == 429
    later.server.clock.advance(30)
    assert request(later, address).status == 200
    assert request(later, address).status == 429, "one slot became free, not five"


def test_thirty_codes_an_hour_for_a_client(guarded):
    client = guarded.at("127.0.0.2")
    for n in range(30):
        answer = request(client, fresh(), headers={"X-Forwarded-For": f"10.0.0.{n}", "X-Real-IP": f"10.0.0.{n}"})
        assert answer.status == 200, f"request {n + 1}: {answer}"
    for headers in ({}, {"X-Forwarded-For": "10.9.9.9"}, {"X-Real-IP": "10.9.9.9"}, {"Forwarded": "for=10.9.9.9"}):
        answer = request(client, fresh(), headers=headers)
        assert answer.status == 429, headers
        assert 3000 < int(answer.headers["Retry-After"]) <= 3600
    assert request(guarded.at("127.0.0.3"), fresh()).status == 200, "another client"
    guarded.server.clock.advance(int(answer.headers["Retry-After"]))
    assert request(client, fresh()).status == 200


def test_client_address_behind_a_proxy():
    """The client is the last address from the trusted proxy; an IPv6 /64 is one client, IPv4-mapped addresses are not."""
    server = Server("proxy", OKUL_WORKERS="1", OKUL_LIMITS="on", OKUL_CLIENT_HOURLY="1", OKUL_TRUSTED_PROXY="127.0.0.1")
    okul = Okul(server)

    def ask(client):
        return request(okul, fresh(), headers={"X-Forwarded-For": f"192.0.2.1, {client}"}).status
    try:
        assert [ask(client) for client in ["10.0.0.1", "2001:db8:1:2::7"]] == [200, 200]
        assert [ask(client) for client in ["10.0.0.1", "::ffff:10.0.0.1", "2001:DB8:1:2:ffff::8"]] == [429, 429, 429]
        assert [ask(client) for client in ["10.0.0.2", "::ffff:10.0.0.3", "2001:db8:1:3::7"]] == [200, 200, 200]
    finally:
        server.stop()


def test_limits_by_client_can_be_off(okul):
    """They are off on the shared server, since the suite requests far more than 30 codes an hour."""
    assert all(request(okul, fresh()).status == 200 for _ in range(31))


# ---- deactivated users


def test_right_code_of_a_deactivated_user(later):
    ada = later.login()
    later.server.clock.advance(61)
    code = later.code(ada.email)
    ada.set("is_active = false")
    assert later.verify(ada.email, wrong(code)).status == 400, "a wrong code reveals nothing"
    answer = later.verify(ada.email, code)
    assert answer.status == 403 and answer.errors == ["This account has been deactivated; contact the school"]
    assert ada.get("/me").status == 401 and ada.renew().status == 401


# ---- refresh tokens


def test_refresh_rotates(okul):
    ada = okul.registered()
    old_token, old_refresh = ada.token, ada.refresh
    answer = ada.renew()
    assert answer.status == 200
    assert list(answer.data) == [f.name for f in contract.shapes["AuthResponseDto"]]
    assert answer.data["isNewUser"] is False and answer.data["isRegistrationComplete"] is True
    assert answer.data["user"]["id"] == ada.id
    assert answer.data["expiresIn"] == 3600 and answer.data["refreshExpiresIn"] == 2592000
    assert ada.refresh != old_refresh and ada.token != old_token
    assert ada.get("/me").status == 200
    assert okul.get("/me", token=old_token).status == 200, "the access token lives on until it expires"


def test_the_replaced_refresh_token_works_for_ten_seconds(later):
    ada = later.login()
    first = ada.refresh
    second = ada.renew().data["refreshToken"]
    later.server.clock.advance(8)
    answer = ada.renew(first)
    assert answer.status == 200 and answer.data["refreshToken"] == second, "the same successor"
    assert later.get("/me", token=answer.data["accessToken"]).status == 200
    third = ada.renew(second).data["refreshToken"]
    assert third not in (first, second)


def test_later_use_of_a_replaced_refresh_token_ends_the_session(later):
    ada = later.login()
    other = later.login()
    first = ada.refresh
    ada.renew()
    ada.renew()
    later.server.clock.advance(11)
    assert ada.get("/me").status == 200
    answer = later.post("/auth/refresh", {"refreshToken": first})
    assert answer.status == 401
    assert ada.renew().status == 401, "the newest one is dead too"
    assert ada.get("/me").status == 401, "and the access token"
    assert other.get("/me").status == 200, "other users are not affected"


REFRESHES = ["/auth/refresh", "/api/v1/auth/refresh"]


def successor(okul, token, path="/auth/refresh"):
    """Refreshes and returns the new refresh token, or None when the token was refused."""
    answer = okul.post(path, {"refreshToken": token})
    assert answer.status in (200, 401), answer
    return answer.data["refreshToken"] if answer.status == 200 else None


def chain(okul, first, count, path="/auth/refresh"):
    """A refresh token and `count` successors, each made with the one before."""
    tokens = [first]
    for _ in range(count):
        tokens.append(successor(okul, tokens[-1], path))
    assert len(set(tokens)) == count + 1 and None not in tokens
    return tokens


def audit(okul, id_, action):
    rows = okul.server.sql(f"SELECT actor_id, subject_id, before, after FROM audit WHERE subject_id = '{id_}'"
                           f" AND action = '{action}' ORDER BY pk")
    return [line.split("\t") for line in rows.splitlines()[1:]]


@pytest.mark.parametrize("path", REFRESHES)
def test_tabs_that_refresh_one_after_another(later, path):
    """Every token that was replaced within the last ten seconds can be exchanged for the newest one."""
    ada = later.login()
    *replaced, newest = chain(later, ada.refresh, 12, path)
    later.server.clock.advance(8)
    for token in [*replaced, *replaced[::-1]]:
        assert successor(later, token, path) == newest
    assert successor(later, newest, path) not in (None, *replaced, newest)


@pytest.mark.parametrize("path", REFRESHES)
def test_the_ten_seconds_are_counted_per_token(later, path):
    ada = later.login()
    first, second = chain(later, ada.refresh, 1, path)
    later.server.clock.advance(6)
    third = successor(later, second, path)
    later.server.clock.advance(3)
    assert successor(later, first, path) == successor(later, second, path) == third
    later.server.clock.advance(3)
    assert successor(later, second, path) == third
    assert successor(later, first, path) is None, "replaced twelve seconds ago"
    assert successor(later, third, path) is None and ada.get("/me").status == 401, "the session has ended"


@pytest.mark.parametrize("path", REFRESHES)
def test_a_lost_response(later, path):
    """The token stays valid until its successor is used, even for days; use of an access token does not count."""
    ada = later.login()
    first, second = chain(later, ada.refresh, 1, path)
    for days in (1, 25):
        later.server.clock.advance(days * 86400)
        answer = later.post(path, {"refreshToken": first})
        assert answer.data["refreshToken"] == second
        assert later.get("/me", token=answer.data["accessToken"]).status == 200
    assert answer.data["refreshExpiresIn"] == pytest.approx(4 * 86400, abs=60 * SLOW), "the lifetime was not extended"
    third = successor(later, second, path)
    later.server.clock.advance(11)
    assert successor(later, second, path) == third, "this response may have been lost as well"
    assert successor(later, first, path) is None
    assert successor(later, third, path) is None


@pytest.mark.parametrize("path", REFRESHES)
def test_the_reuse_of_a_replaced_token_is_audited_and_logged(later, path):
    ada = later.login()
    first, *_ = chain(later, ada.refresh, 2, path)
    later.server.clock.advance(11)
    session = ada.claims()["sid"]
    assert [successor(later, first, path) for _ in range(2)] == [None] * 2
    assert audit(later, ada.id, "session.reuse") == [[ada.id, ada.id, session, "NULL"]]
    log = (later.server.data / "log/okul.log").read_text()
    line, = [line for line in log.splitlines() if f"session_reuse user={ada.id}" in line]
    assert "level=warn" in line and f"session={session} client=127.0.0.1" in line and ada.email not in line


def test_the_list_of_recent_tokens_stays_short(okul):
    ada = okul.login()
    tokens = chain(okul, ada.refresh, 80)
    kept = okul.server.sql(f"SELECT recent FROM session WHERE id = '{ada.claims()['sid']}'").splitlines()[1]
    assert len(json.loads(kept)) <= 64 and len(kept) < 1100
    assert {successor(okul, token) for token in tokens[-20:-1]} == {tokens[-1]}


@pytest.mark.parametrize("path", REFRESHES)
def test_a_clock_that_was_set_back_does_not_extend_the_ten_seconds(wild, path):
    ada, eve, bob = (wild.login() for _ in range(3))
    try:
        wild.server.clock.advance(3600)
        adas, eves = chain(wild, ada.refresh, 2, path), chain(wild, eve.refresh, 1, path)
    finally:
        wild.server.clock.advance(-3600)
    bobs = chain(wild, bob.refresh, 2, path)
    assert successor(wild, bobs[0], path) == bobs[-1], "tokens from after the change are not affected"
    assert successor(wild, adas[1], path) == adas[2], "whose successor was not used"
    assert successor(wild, adas[0], path) is None, "replaced at a time in the future"
    assert successor(wild, adas[2], path) is None
    newer = chain(wild, eves[-1], 2, path)
    assert successor(wild, newer[0], path) == newer[-1]
    assert successor(wild, eves[0], path) is None, "nor after other tokens were replaced"


@pytest.mark.parametrize("path", REFRESHES)
def test_a_session_ends_180_days_after_its_login(later, path):
    ada = later.login()
    for days in (29, 58, 87, 116, 145, 174):
        later.server.clock.advance(29 * 86400)
        answer = later.post(path, {"refreshToken": ada.refresh})
        assert answer.status == 200, f"{days} days after the login"
        ada.token, ada.refresh = answer.data["accessToken"], answer.data["refreshToken"]
        life = min(30, 180 - days) * 86400
        assert answer.data["refreshExpiresIn"] == pytest.approx(life, abs=60 * SLOW)
        session, = ada.get("/auth/sessions").data
        expires = datetime.fromisoformat(session["expiresAt"].replace("Z", "+00:00")).timestamp()
        assert expires - later.server.clock.now() == pytest.approx(life, abs=60 * SLOW)
    later.server.clock.advance(6 * 86400 - 600)
    assert ada.renew().status == 200 and ada.get("/me").status == 200
    later.server.clock.advance(600)
    assert ada.get("/me").status == 401 and ada.renew().status == 401


def test_a_shorter_lifetime_applies_to_existing_sessions(wild):
    ada, start = wild.login(), wild.server.clock.offset
    wild.server.clock.advance(2 * 86400)
    assert ada.renew().status == 200
    wild.server.environment["OKUL_SESSION_LIFE"] = str(3 * 86400)
    wild.server.restart()
    answer = ada.renew()
    assert answer.status == 200 and 0 < answer.data["refreshExpiresIn"] <= 86400
    wild.server.environment["OKUL_SESSION_LIFE"] = str(86400)
    wild.server.restart()
    assert ada.get("/auth/sessions").data == [] and ada.renew().status == 401
    del wild.server.environment["OKUL_SESSION_LIFE"]
    wild.server.restart()
    wild.server.clock.advance((start - wild.server.clock.offset) / 1000)


@pytest.mark.parametrize("first", ["refresh", "cleanup"])
def test_a_login_in_the_future_does_not_extend_the_session(wild, first):
    """The clock was a year ahead at the login and has been corrected."""
    wild.server.clock.advance(400 * 86400)
    try:
        ada = wild.login()
    finally:
        wild.server.clock.advance(-400 * 86400)
    start = wild.server.clock.offset
    if first == "cleanup":
        assert re.search(r"sessions that were dated ahead: [1-9]\d* corrected", wild.server.ctl("cleanup").stdout)
    row = f"FROM session WHERE id = '{ada.claims()['sid']}'"
    try:
        if first == "refresh":
            assert ada.renew().status == 200
        expires = int(wild.server.sql(f"SELECT expires_at {row}").split()[-1])
        assert expires <= (wild.server.clock.now() + 30 * 86400) * 1000
        assert ada.renew().status == 200, "the lifetime counts from this refresh if the login was in the future"
        for _ in range(6):
            wild.server.clock.advance(29 * 86400)
            assert ada.renew().status == 200
        wild.server.clock.advance(6 * 86400 + 60)
        assert ada.renew().status == 401
    finally:
        wild.server.clock.advance((start - wild.server.clock.offset) / 1000)


def test_a_guessed_refresh_token_ends_nothing(okul):
    ada = okul.login()
    raw = unbase64(ada.refresh)
    for i in range(len(raw)):
        changed = base64url(raw[:i] + bytes([raw[i] ^ 1 << i % 8]) + raw[i + 1:])
        assert okul.post("/auth/refresh", {"refreshToken": changed}).status == 401, f"byte {i} changed"
    for guess in (base64url(secrets.token_bytes(len(raw))), "x" * 16, "x" * 512, ada.refresh + "A", ada.refresh[:-1],
                  ada.refresh + "=", ada.token[:512],
                  "ğ" * 20, "../../../../etc/passwd"):
        assert okul.post("/auth/refresh", {"refreshToken": guess}).status == 401, guess
    assert ada.get("/me").status == 200
    assert ada.renew().status == 200


def test_refresh_ignores_the_authorization_header(okul):
    ada = okul.login()
    answer = okul.post("/auth/refresh", {"refreshToken": ada.refresh}, token="nonsense")
    assert answer.status == 200
    assert okul.post("/auth/refresh", {"refreshToken": "x" * 43}, token=ada.token).status == 401


def test_session_lives_thirty_days_without_use(later):
    ada = later.login()
    for _ in range(2):
        later.server.clock.advance(29 * 86400)
        assert ada.renew().status == 200
    later.server.clock.advance(30 * 86400 + 1)
    assert ada.renew().status == 401
    # no access token lives as long, but the expiry of the session counts here
    now = int(later.server.clock.now())
    header = unbase64(ada.token.split(".")[0]).decode()
    ada.token = sign(header, ada.claims() | {"iat": now - 60, "exp": now + 60}, later.server.keys()[0][1])
    assert ada.get("/me").status == 401


def test_access_token_lives_an_hour(later):
    ada = later.login()
    later.server.clock.advance(3595)
    assert ada.get("/me").status == 200
    later.server.clock.advance(6)
    answer = ada.get("/me")
    assert answer.status == 401 and answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert ada.renew().status == 200 and ada.get("/me").status == 200


@pytest.mark.parametrize("change", ["is_active = false", None])
def test_refresh_of_a_deactivated_or_deleted_user(okul, change):
    ada = okul.login()
    if change:
        ada.set(change)
    else:
        okul.server.sql(f"DELETE FROM users WHERE id = '{ada.id}'")
    assert ada.get("/me").status == 401
    assert ada.renew().status == 401


# ---- logout and sessions


def test_logout_ends_the_session_of_the_token(later):
    ada = later.login()
    later.server.clock.advance(61)
    tablet = later.login(ada.email)
    answer = ada.post("/auth/logout")
    assert answer.status == 200 and answer.data == {"message": "You have been logged out"}
    assert ada.get("/me").status == 401
    assert ada.post("/auth/logout").status == 401
    assert ada.renew().status == 401
    assert tablet.get("/me").status == 200, "another session of the same user lives on"


def test_logout_needs_no_body_and_ignores_the_content_type(okul):
    ada = okul.login()
    assert ada.post("/auth/logout", headers={"Content-Type": "text/plain"}).status == 200


def test_sessions(later):
    agents = ["phone", "tablet/2.0 (okul; test)", "x" * 300]
    address = fresh()
    people = []
    for agent in agents:
        people.append(later.login(address, headers={"User-Agent": agent}))
        later.server.clock.advance(61)
    answer = people[1].get("/auth/sessions")
    assert answer.status == 200 and len(answer.data) == 3
    assert list(answer.data[0]) == [f.name for f in contract.shapes["SessionResponseDto"]]
    by_agent = {s["userAgent"]: s for s in answer.data}
    assert set(by_agent) == {"phone", "tablet/2.0 (okul; test)", "x" * 256}
    assert [by_agent[a[:256]]["isCurrent"] for a in agents] == [False, True, False]
    assert all(s["ip"] == "127.0.0.1" for s in answer.data)
    assert all(s["createdAt"] <= s["lastUsedAt"] < s["expiresAt"] for s in answer.data)
    assert by_agent["phone"]["createdAt"] < by_agent["x" * 256]["createdAt"]
    assert by_agent["phone"]["id"] == people[0].claims()["sid"]


def test_users_see_only_their_own_sessions(okul):
    ada, eve = okul.login(), okul.login()
    assert [s["id"] for s in ada.get("/auth/sessions").data] == [ada.claims()["sid"]]
    assert [s["id"] for s in eve.get("/auth/sessions").data] == [eve.claims()["sid"]]


def test_dead_sessions_are_not_listed(later):
    ada = later.login()
    later.server.clock.advance(61)
    left = later.login(ada.email)
    left.post("/auth/logout")
    assert len(ada.get("/auth/sessions").data) == 1
    later.server.clock.advance(30 * 86400 + 1)
    again = later.login(ada.email)
    assert [s["isCurrent"] for s in again.get("/auth/sessions").data] == [True]


def test_end_a_session(later):
    ada = later.login()
    later.server.clock.advance(61)
    tablet = later.login(ada.email)
    session = tablet.claims()["sid"]
    answer = ada.delete(f"/auth/sessions/{session}")
    assert answer.status == 200 and answer.data["id"] == session
    assert list(answer.data) == ["message", "id"]
    assert tablet.get("/me").status == 401 and tablet.renew().status == 401
    assert ada.delete(f"/auth/sessions/{session}").status == 404, "a second time"
    assert ada.get("/me").status == 200
    assert ada.delete(f"/auth/sessions/{ada.claims()['sid']}").status == 200, "the caller's session"
    assert ada.get("/me").status == 401


def test_users_cannot_end_sessions_of_others(okul):
    ada, eve = okul.login(), okul.login()
    assert eve.delete(f"/auth/sessions/{ada.claims()['sid']}").status == 404
    assert okul.staff("superadmin").delete(f"/auth/sessions/{ada.claims()['sid']}").status == 404
    assert ada.get("/me").status == 200


def test_end_an_unknown_session(okul):
    ada = okul.login()
    assert ada.delete("/auth/sessions/" + "0" * 24).status == 404
    assert ada.delete("/auth/sessions/" + "f" * 24).status == 404


@pytest.mark.parametrize("id_", ["1", "0" * 23, "0" * 25, "g" * 24, "-" + "0" * 23, "%20" + "0" * 23, "0x" + "0" * 22,
                                 "ü" * 12])
def test_an_invalid_session_id(okul, id_):
    answer = okul.login().delete("/auth/sessions/" + id_.replace("ü", "%C3%BC"))
    assert answer.status == 400


# ---- registration


def test_registration(okul):
    ada = okul.login()
    status = ada.get("/auth/registration/status")
    assert status.status == 200
    assert status.data == {"isRegistrationComplete": False,
                           "missingFields": ["name", "surname", "privacyPolicyAccepted", "termsOfUseAccepted"]}
    body = REGISTRATION | {"name": "  Ayşe ", "countryCode": "90", "phoneNumber": "5372505890",
                           "birthDate": "1990-02-28", "language": "de",
                           "consentFormAccepted": True}
    answer = ada.post("/auth/registration/complete", body)
    assert answer.status == 200 and list(answer.data) == ["message", "user"]
    assert answer.data["message"] == "Your registration is complete"
    user = answer.data["user"]
    assert user["isRegistrationComplete"] is True and user["name"] == "Ayşe"
    assert {k: user[k] for k in body if k != "name"} == {k: v for k, v in body.items() if k != "name"}
    assert ada.get("/auth/registration/status").data == {"isRegistrationComplete": True, "missingFields": []}
    assert ada.get("/me").data == user


def test_registration_with_only_the_required_fields(okul):
    ada = okul.login()
    user = ada.post("/auth/registration/complete", REGISTRATION).data["user"]
    assert user["consentFormAccepted"] is False and user["countryCode"] is None and user["birthDate"] is None
    assert user["privacyPolicyAccepted"] is True and user["termsOfUseAccepted"] is True


def test_registration_keeps_what_the_profile_had(okul):
    ada = okul.login()
    ada.patch("/me", {"phoneNumber": "5372505890", "birthDate": "1990-02-28", "language": "es", "bio": "x"})
    user = ada.post("/auth/registration/complete", REGISTRATION).data["user"]
    kept = [user[k] for k in ("phoneNumber", "birthDate", "language", "bio")]
    assert kept == ["5372505890", "1990-02-28", "es", "x"]


def test_registration_status_names_only_what_is_missing(okul):
    ada = okul.login()
    ada.patch("/me", {"surname": "Lovelace"})
    missing = ada.get("/auth/registration/status").data["missingFields"]
    assert missing == ["name", "privacyPolicyAccepted", "termsOfUseAccepted"]


def test_registration_a_second_time(okul):
    ada = okul.registered()
    answer = ada.post("/auth/registration/complete", REGISTRATION | {"name": "Eve"})
    assert answer.status == 409 and answer.errors == ["The registration is already complete"]
    assert ada.get("/me").data["name"] == "Ada", "nothing was changed"


def test_a_refused_registration_changes_nothing(okul):
    ada = okul.login()
    assert ada.post("/auth/registration/complete", REGISTRATION | {"termsOfUseAccepted": False}).status == 400
    me = ada.get("/me").data
    assert me["name"] is None and me["isRegistrationComplete"] is False and me["privacyPolicyAccepted"] is False


def test_an_admin_need_not_register(okul):
    boss = okul.staff("admin")
    assert boss.data["user"]["role"] == "admin"
    assert boss.get("/me").status == 200


# ---- secrets


def test_no_code_and_no_token_is_stored_or_logged(okul):
    """Searches all files that the server writes, except the mails, for every kind of secret."""
    pending = {a: okul.code(a) for a in (fresh() for _ in range(6))}
    used = {a: okul.code(a) for a in (fresh() for _ in range(6))}
    for address, code in used.items():
        okul.verify(address, wrong(code))
        answer = okul.verify(address, code)
        assert answer.status == 200
        okul.get("/me", token=answer.data["accessToken"])
        okul.post("/auth/refresh", {"refreshToken": answer.data["refreshToken"]})
        okul.get("/me?token=" + answer.data["accessToken"][:40], token=answer.data["accessToken"] + "x")
    server = okul.server
    paths = [*server.data.rglob("*"), server.home / "serve.log"]
    files = {p: p.read_bytes() for p in paths if p.is_file() and p.suffix != ".eml"}
    assert (server.database or server.data / "okul.db" in files) and any(b"auth" in content for content in server.logs().values())
    for path, content in files.items():
        # six digits occur by chance in ids and times, but not all six codes of a kind
        for kind in (pending.values(), used.values(), [wrong(c) for c in used.values()]):
            assert not all(code.encode() in content for code in kind), f"codes in {path}"
        for token in server.tokens:
            for secret in (token.encode(), token.rpartition(".")[2].encode(), unbase64(token.rpartition(".")[2])):
                if secret in content:
                    pytest.fail(f"a token in {path}")


def test_keys_are_private(okul):
    for name in ("keys.conf",) if okul.server.database else ("keys.conf", "okul.db"):
        assert os.stat(okul.server.data / name).st_mode & 0o077 == 0, name
    secrets_ = [key.hex() for _, key in okul.server.keys()]
    for path, text in okul.server.logs().items():
        assert not any(s.encode() in text for s in secrets_), path


# ---- the mail sender


def test_an_expired_code_is_not_mailed(later):
    """The sender is stopped (SIGSTOP) while the ten minutes of the code pass."""
    early, late = fresh(), fresh()
    pids = sender(later.server)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        assert request(later, late).status == 200
        later.server.clock.advance(601)
        assert request(later, early).status == 200
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    later.server.mailbox.wait(early)
    assert not later.server.mailbox.to(late)


@pytest.mark.kills
def test_a_mail_outlives_its_sender(okul):
    address = fresh()
    pids = sender(okul.server)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    assert request(okul, address).status == 200
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    assert okul.verify(address, code_in(okul.server.mailbox.wait(address))).status == 200
    assert len(okul.server.mailbox.to(address)) == 1
