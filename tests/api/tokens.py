"""Forged, malformed and stolen access tokens: all get 401, and no worker dies."""

import hashlib
import itertools
import json
import secrets
import time

import pytest

from helpers.cgi import fastcgi, parse_cgi
from helpers.client import Okul
from helpers.server import Server
from helpers.tokens import base64url, sign, unbase64


@pytest.fixture(autouse=True)
def no_worker_dies(okul):
    before = okul.server.workers()
    assert len(before) >= 3
    yield
    assert okul.server.workers() == before


def refused(okul, header):
    answer = okul.get("/me", headers={"Authorization": header.encode()})
    assert answer.status == 401, f"{header[:200]}: {answer}"
    assert okul.get("/me/optional", headers={"Authorization": header.encode()}).data["isAuthenticated"] is False


def parts(token):
    return [json.loads(unbase64(p)) for p in token.split(".")[:2]]


def test_tokens_signed_by_the_tests_are_valid(okul, ada):
    """Otherwise the tests below would pass for the wrong reason."""
    header, claims = parts(ada.token)
    key = dict(okul.server.keys())[header["kid"]]
    as_written = unbase64(ada.token.split(".")[0]).decode()
    assert sign(as_written, unbase64(ada.token.split(".")[1]).decode(), key) == ada.token
    again = sign(as_written, claims | {"jti": secrets.token_hex(12)}, key)
    assert again != ada.token and okul.get("/me", token=again).status == 200


def test_valid_spellings_of_the_scheme(okul, ada):
    for scheme in ("Bearer ", "bearer ", "BEARER ", "Bearer  "):
        assert okul.get("/me", headers={"Authorization": scheme + ada.token}).status == 200


@pytest.mark.parametrize("header", [
    "", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Token x", "Bearer.", "{token}", "Bearer: {token}", "Bearer,{token}",
    "BearerX {token}", "Bearer {token} {token}",
    "Bearer {token},", "Bearer \"{token}\"", "Bearer Bearer {token}", "Bearer {token}.", "Bearer .{token}",
    "Bearer {token}.x", "Bearer {token}=",
    "Basic {token}", "Bearer null", "Bearer undefined", "Bearer a.b.c", "Bearer ..", "Bearer .", "Bearer a.b",
    "Bearer %65", "Bearer {token}\u00a0",
])
def test_malformed_headers(okul, ada, header):
    refused(okul, header.replace("{token}", ada.token))


def forged(okul, ada):
    """Kinds of tokens: (name, token). Those signed with the server's key, as if it were stolen, must be rejected too."""
    (kid, key), header, claims = okul.server.keys()[0], *parts(ada.token)
    head, payload, signature = ada.token.split(".")
    written = unbase64(head).decode()
    other = secrets.token_bytes(32)
    now = int(time.time())
    eve = okul.login()

    yield "signed with another key", sign(written, claims, other)
    yield "signed with an empty key", sign(written, claims, b"")
    yield "signed with a key of zeros", sign(written, claims, bytes(32))
    yield "signed with the key as hex", sign(written, claims, key.hex().encode())
    for word in ("none", "None", "NONE", "nOnE", ""):
        for tail in ("", signature):
            unsigned = base64url(json.dumps(header | {"alg": word}).encode()) + "." + payload
            yield f"alg {word!r}, signature {tail[:4]!r}", unsigned + "." + tail
    yield "alg none without its dot", base64url(b'{"alg":"none","typ":"JWT"}') + "." + payload
    yield "alg none signed with our key", sign(header | {"alg": "none"}, claims, key)
    yield "no alg", sign({k: v for k, v in header.items() if k != "alg"}, claims, key)
    yield "HS384 with our key", sign(header | {"alg": "HS384"}, claims, key, hashlib.sha384)
    yield "HS512 with our key", sign(header | {"alg": "HS512"}, claims, key, hashlib.sha512)
    yield "HS256 in name, HS512 in deed", sign(written, claims, key, hashlib.sha512)
    yield "RS256 with our key as secret", sign(header | {"alg": "RS256"}, claims, key)
    yield "no kid", sign({k: v for k, v in header.items() if k != "kid"}, claims, key)
    for foreign in ("k0", kid + "x", kid.upper() if kid.upper() != kid else "x", "", "../../../dev/null", "' OR 1=1 --",
                    "k\u0000", 1, None, [kid]):
        yield f"kid {foreign!r}", sign(header | {"kid": foreign}, claims, key)
    yield "another typ", sign(header | {"typ": "at+jwt"}, claims, key)
    yield "a header with white space", sign(json.dumps(header, indent=1), claims, key)
    yield "a header in another order", sign(dict(reversed(header.items())), claims, key)
    yield "crit", sign(header | {"crit": ["exp"]}, claims, key)
    yield "a key inside", sign(header | {"jwk": {"kty": "oct", "k": base64url(other)}}, claims, other)
    yield "a key from elsewhere", sign(header | {"jku": "http://127.0.0.1/keys"}, claims, other)
    yield "alg twice", sign(written[:-1] + ',"alg":"none"}', claims, key)
    yield "kid twice", sign(written[:-1] + ',"kid":"x"}', claims, key)

    swapped = base64url(json.dumps(claims | {"sub": eve.id}).encode())
    yield "another subject, old signature", head + "." + swapped + "." + signature
    yield "the payload of another token", head + "." + eve.token.split(".")[1] + "." + signature
    yield "the signature of another token", head + "." + payload + "." + eve.token.split(".")[2]
    yield "another's session", sign(written, claims | {"sid": eve.claims()["sid"]}, key)
    yield "another's subject", sign(written, claims | {"sub": eve.id}, key)
    yield "a session that never was", sign(written, claims | {"sid": "0" * 24}, key)
    yield "a subject that never was", sign(written, claims | {"sub": "0" * 24}, key)
    yield "expired a second ago", sign(written, claims | {"iat": now - 3601, "exp": now - 1}, key)
    yield "expired long ago", sign(written, claims | {"iat": 1, "exp": 3601}, key)
    yield "another issuer", sign(written, claims | {"iss": "https://evil.example"}, key)
    yield "another audience", sign(written, claims | {"aud": "https://evil.example"}, key)
    yield "issued tomorrow", sign(written, claims | {"iat": now + 86400, "exp": now + 90000}, key)
    for name in ("iss", "aud", "sub", "sid", "exp"):
        yield f"no {name}", sign(written, {k: v for k, v in claims.items() if k != name}, key)
        for value in (None, "", [], {}, True, -1, [claims[name]]):
            yield f"{name} {value!r}", sign(written, claims | {name: value}, key)
        yield f"{name} twice", sign(written, json.dumps(claims)[:-1] + f',"{name}":{json.dumps(claims[name])}}}', key)
        yield f"{name} twice, once another", sign(written, json.dumps({name: "x"})[:-1] + "," + json.dumps(claims)[1:],
                                                  key)
    yield "exp as text", sign(written, claims | {"exp": str(claims["exp"])}, key)
    yield "exp beyond all numbers", sign(written, json.dumps(claims).replace(str(claims["exp"]), "1e999"), key)
    for text in ("", "null", "[]", "1", '"x"', "{", "{}", "[" * 1500, '{"sub":"\\u0000"}', json.dumps(claims) + "x",
                 "\ufeff" + json.dumps(claims)):
        yield f"payload {text[:20]!r}", sign(written, text, key)
    yield "payload of bad UTF-8", sign(written, b'{"sub":"\xff"}', key)

    yield "without signature", head + "." + payload + "."
    yield "without its last part", head + "." + payload
    yield "half a signature", ada.token[:-20]
    yield "a letter too many", ada.token + "A"
    yield "a part too many", ada.token + "." + signature
    yield "padding", ada.token + "="
    yield "white space inside", head + ". " + payload + "." + signature
    plain = ada.token.replace("-", "+").replace("_", "/")
    yield "the alphabet of plain base64", plain if plain != ada.token else plain + "+"
    yield "the refresh token", ada.refresh
    yield "upper case", ada.token.upper()
    yield "5 KiB", ada.token + "A" * 5000
    yield "5 KiB signed with our key", sign(written, claims | {"x": "y" * 5000}, key)
    yield "parts without end", "." * 3000
    yield "percent signs", "%" * 300 + ".%s%n%n%n%n." + "%" * 300


def test_forged_tokens(okul, ada):
    assert okul.get("/me", token=ada.token).status == 200, "valid, and in the workers' cache"
    kinds = dict(forged(okul, ada))
    assert len(kinds) >= 110
    for kind, token in kinds.items():
        assert token != ada.token, kind
        try:
            refused(okul, "Bearer " + token)
        except AssertionError as fault:
            pytest.fail(f"{kind}: {fault}")
    assert okul.get("/me", token=ada.token).status == 200


def test_every_single_bit(okul, ada):
    """A flip that makes a control character may be rejected by the web server as a malformed head."""
    assert okul.get("/me", token=ada.token).status == 200
    token = ada.token.encode()
    for at, bit in itertools.product(range(len(token)), range(8)):
        flipped = bytes(b ^ (1 << bit) * (i == at) for i, b in enumerate(token))
        printable = 32 < flipped[at] < 127
        if printable:
            answer = okul.get("/me", headers={"Authorization": b"Bearer " + flipped})
        else:
            answer = okul.raw(b"GET /me HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer " + flipped
                              + b"\r\n\r\n", path="/me")
        assert answer.status == 401 or not printable and answer.status == 400, f"byte {at}, bit {bit}: {answer}"
    assert okul.get("/me", token=ada.token).status == 200


def test_the_last_letter_of_the_signature(okul, ada):
    """Base64 of 32 bytes leaves bits of the last letter unused: only one spelling is accepted."""
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_":
        if letter != ada.token[-1]:
            refused(okul, "Bearer " + ada.token[:-1] + letter)


def test_twenty_megabytes(okul, ada):
    answer = okul.raw(b"GET /me HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer "
                      + ada.token.encode() * 65536 + b"\r\n\r\n", path="(20 MB)")
    assert answer.status in (400, 401, 431)


@pytest.mark.parametrize("size", [4096, 4097, 65536, 1 << 20, 20 << 20])
def test_a_long_token_at_the_workers_socket(okul, ada, size):
    """Directly, since the web server would reject it."""
    socket_ = next(okul.server.data.rglob("users.sock"))
    parameters = {"REQUEST_METHOD": "GET", "REQUEST_URI": "/me", "SCRIPT_NAME": "", "PATH_INFO": "/me",
                  "QUERY_STRING": "", "REMOTE_ADDR": "127.0.0.1",
                  "SERVER_PROTOCOL": "HTTP/1.1"}
    status, _, _ = parse_cgi(fastcgi(socket_, parameters | {"HTTP_AUTHORIZATION": f"Bearer {ada.token}"}))
    assert status == 200, "it is the right socket"
    head, payload, signature = ada.token.split(".")
    for token in ("A" * size, f"{head}.{payload}." + "A" * size, f"{head}.{'A' * size}.{signature}",
                  f"{'A' * size}.{payload}.{signature}"):
        status, headers, body = parse_cgi(fastcgi(socket_, parameters | {"HTTP_AUTHORIZATION": f"Bearer {token}"}))
        assert status == 401 and json.loads(body)["statusCode"] == 401


def test_a_token_of_an_older_key_still_works(okul):
    """Keys are rotated by inserting a new one in front: tokens of the old key stay valid until it is removed."""
    server = Server("keys", OKUL_WORKERS="1")
    try:
        client = Okul(server)
        ada = client.login()
        path = server.data / "keys.conf"
        old = path.read_text()
        path.write_text(old.replace("[jwt]\n", f"[jwt]\nnext = {secrets.token_hex(32)}\n"))
        server.restart()
        assert ada.get("/me").status == 200
        eve = client.login()
        assert parts(eve.token)[0]["kid"] == "next" and eve.get("/me").status == 200
        path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith("k1 ")))
        server.restart()
        assert ada.get("/me").status == 401 and eve.get("/me").status == 200
        assert ada.renew().status == 200 and ada.get("/me").status == 200, "refresh tokens do not depend on the key"
    finally:
        server.stop()
