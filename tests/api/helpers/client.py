"""A client that checks every response against the contract's envelope, and users who are logged in."""

import http.client
import json
import re
import secrets
import socket
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timezone

from helpers import contract
from helpers.server import ORIGIN, SLOW, Server, code_in, fresh
from helpers.tokens import unbase64


@dataclass
class Answer:
    method: str
    path: str
    status: int
    headers: http.client.HTTPMessage
    body: bytes
    origin: str | None = None       # the Origin header of the request
    json: dict | None = None

    @property
    def data(self):
        return self.json["data"]

    @property
    def errors(self):
        return self.json["errors"]

    def __str__(self):
        return f"{self.method} {self.path}: {self.status} {self.body[:600]!r}"


def unique_keys(pairs):
    """An object_pairs_hook for json.loads() that rejects duplicate keys."""
    object_ = dict(pairs)
    assert len(object_) == len(pairs), f"a key twice: {[k for k, _ in pairs]}"
    return object_


LEAKS = re.compile(r"(?i)sqlite|\bselect\b.*\bfrom\b|insert into|okul\.db|/(tmp|var|home|root|usr|proc)/|\.[ch]:\d"
                   r"|nginx/\d|libfcgi|0x[0-9a-f]{6}")


def check_headers(a):
    h = a.headers
    request_id = h.get_all("X-Request-Id") or []
    assert len(request_id) == 1 and re.fullmatch(r"[\w.:-]{1,128}", request_id[0]), f"X-Request-Id {request_id}: {a}"
    assert h.get_all("X-Content-Type-Options") == ["nosniff"], f"nosniff: {a}\n{h}"
    assert "Strict-Transport-Security" not in h, f"HSTS without TLS: {a}\n{h}"
    assert len(h.get_all("Cache-Control") or []) == 1, f"Cache-Control: {a}\n{h}"
    types = len(h.get_all("Content-Type") or [])
    assert types <= 1 if a.status == 304 else types == (a.status != 204), f"one Content-Type: {a}\n{h}"
    assert not re.search(r"\d", h.get("Server", "")), f"the server tells its version: {h['Server']}"
    if a.status == 401:
        assert h.get("WWW-Authenticate", "").startswith("Bearer"), f"401 without WWW-Authenticate: {a}"
    if a.status == 405:
        assert h.get("Allow"), f"405 without Allow: {a}"
    if a.status in (429, 502, 503, 504):
        assert re.fullmatch(r"[1-9]\d*",
                            h.get("Retry-After", "")), f"{a.status} with Retry-After {h.get('Retry-After')}: {a}"
    else:
        assert "Retry-After" not in h, f"Retry-After: {a}"
    if a.method == "HEAD" or a.status in (204, 304):
        assert a.body == b"", f"a body: {a}"


# Request ids made by nginx, and by Apache's mod_unique_id; those of the programs have 24 digits.
BY_WEB_SERVER = re.compile(r"[0-9a-f]{32}|[\w@-]{27}|\d{14}-\d+")


def check_cors(a, origins):
    """A page of an allowed origin can read every response, of programs and web server; a page of another origin none."""
    names = sorted(name.lower() for name in a.headers if name.lower().startswith("access-control-"))
    if origins:
        vary = re.split(r",\s*", ",".join(a.headers.get_all("Vary") or []).lower())
        assert vary.count("origin") == 1, f"Vary {vary}: {a}"
    if a.origin not in origins:
        assert not names, f"{names} for {a.origin}: {a}"
        return
    if not names and a.status in (400, 414, 431) and BY_WEB_SERVER.fullmatch(a.headers["X-Request-Id"]):
        return      # the request line was malformed, so the web server did not parse the headers
    preflight = ["access-control-allow-headers", "access-control-allow-methods", "access-control-max-age"]
    preflight = preflight if (a.method, a.status) == ("OPTIONS", 204) else []
    assert names == sorted(["access-control-allow-origin", "access-control-expose-headers", *preflight]), f"{names}: {a}"
    assert a.headers["Access-Control-Allow-Origin"] == a.origin, f"{a.headers['Access-Control-Allow-Origin']}: {a}"
    assert {"ETag", "Retry-After", "X-Request-Id"} <= set(a.headers["Access-Control-Expose-Headers"].split(", ")), f"{a}"
    if preflight:
        assert a.headers["Access-Control-Allow-Methods"] == a.headers["Allow"], f"{a}"


def check_caching(a, route):
    """A response that a client may cache has an ETag to revalidate it with; all others forbid caching."""
    if route and a.method in ("GET", "HEAD") and a.status in (200, 304) and not route.live:
        assert re.fullmatch(r'"[0-9a-f]{16}"', a.headers["ETag"] or ""), f"ETag {a.headers['ETag']}: {a}"
        assert a.headers["Cache-Control"] == "private, no-cache", f"{a.headers['Cache-Control']}: {a}"
        assert {"Authorization", "Accept-Language"} <= set(re.split(r",\s*", ",".join(a.headers.get_all("Vary") or []))), f"Vary: {a}"
    else:
        assert a.headers["Cache-Control"] == "no-store", f"{a.headers['Cache-Control']}: {a}"
        assert "ETag" not in a.headers or (a.method, a.status) == ("PATCH", 200), f"ETag {a.headers['ETag']}: {a}"


def check_envelope(a, offset):
    assert a.headers["Content-Type"] == "application/json; charset=utf-8", f"{a.headers['Content-Type']}: {a}"
    assert a.headers.get_all("Content-Security-Policy") == ["frame-ancestors 'none'"], f"{a.headers}: {a}"
    a.json = json.loads(a.body.decode("utf-8"), object_pairs_hook=unique_keys)
    assert list(a.json) == contract.ENVELOPE, f"the five keys in order: {a}"
    good = a.status < 400
    assert a.json["isSuccess"] is good and a.json["statusCode"] == a.status, f"{a}"
    assert type(a.json["statusCode"]) is int and re.fullmatch(contract.TIME, a.json["timestamp"]), f"{a}"
    timestamp = datetime.strptime(a.json["timestamp"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc).timestamp()
    # errors of the web server have the real time, not that of the tests' clock
    assert min(abs(time.time() - timestamp), abs(time.time() + offset / 1000 - timestamp)) < 30 * SLOW, f"timestamp: {a}"
    if good:
        assert a.errors == [], f"a success with errors: {a}"
    else:
        assert a.data is None and isinstance(a.errors, list) and a.errors, f"{a}"
        assert all(isinstance(e, str) and len(e) > 5 for e in a.errors), f"sentences: {a}"
        assert not LEAKS.search(" ".join(a.errors)), f"leak: {a}"
    if not good or isinstance(a.data, dict) and "message" in a.data:
        language = a.headers.get("Content-Language")
        assert language in contract.LANGUAGES, f"Content-Language {language}: {a}"


class Okul:
    """A client of one server, with one connection per thread. Every response is checked before a test gets it."""

    references = {}     # the OpenAPI document of each server, read once

    def __init__(self, server, source="127.0.0.1"):
        self.server, self.source, self.local = server, source, threading.local()

    def at(self, source):
        """The same client from another address of this machine."""
        return Okul(self.server, source)

    # -- sending

    def send(self, method, path, body=None, headers=()):
        """
        Sends one request; headers as pairs, sent unchanged. Reconnects when the connection was closed. Origin is that
        of the web app unless the headers have another one; "" omits the header.
        """
        headers = list(headers)
        if not any(name.lower() == "origin" for name, _ in headers):
            headers.append(("Origin", ORIGIN))
        headers = [(name, value) for name, value in headers if (name.lower(), value) != ("origin", "")]
        origin = dict((name.lower(), value) for name, value in headers).get("origin")
        for attempt in (1, 2):
            connection = getattr(self.local, "connection", None)
            new = connection is None
            if new:
                connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30 * SLOW,
                                                        source_address=(self.source, 0))
                self.local.connection = connection
            try:
                connection.putrequest(method, path, skip_accept_encoding=True)
                for name, value in headers:
                    connection.putheader(name, value)
                if body is not None and not any(n.lower() in ("content-length", "transfer-encoding") for n,
                                                _ in headers):
                    connection.putheader("Content-Length", str(len(body)))
                connection.endheaders(body)
                response = connection.getresponse()
                content = response.read()
                break
            except (http.client.HTTPException, ConnectionError):
                connection.close()
                self.local.connection = None
                if new or attempt == 2:
                    raise
        if response.will_close:
            connection.close()
            self.local.connection = None
        return self.check(Answer(method, path, response.status, response.headers, content, origin))

    def raw(self, request, method="GET", path="/"):
        """Sends bytes over a new connection and reads the whole response."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=30 * SLOW) as wire:
            try:
                wire.sendall(request)
            except ConnectionError:
                pass    # the server closed before it read everything; its response can still be read
            response = http.client.HTTPResponse(wire, method=method)
            response.begin()
            origin = re.search(rb"(?i)\r\norigin: *([^\r]*)\r\n", request)
            return self.check(Answer(method, path, response.status, response.headers, response.read(),
                                     origin[1].decode("latin-1") if origin else None))

    def request(self, method, path, json_=None, body=None, token=None, language=None, headers=None,
                content_type="application/json"):
        pairs = []
        if json_ is not None:
            body = json.dumps(json_, ensure_ascii=False).encode()
        if body is not None and content_type is not None:
            pairs.append(("Content-Type", content_type))
        if token is not None:
            pairs.append(("Authorization", f"Bearer {token}"))
        if language is not None:
            pairs.append(("Accept-Language", language))
        pairs += (headers or {}).items()
        if body is None and method in ("POST", "PATCH", "PUT"):
            pairs.append(("Content-Length", "0"))
        return self.send(method, path, body, pairs)

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def head(self, path, **more):
        return self.request("HEAD", path, **more)

    def options(self, path, **more):
        return self.request("OPTIONS", path, **more)

    def delete(self, path, **more):
        return self.request("DELETE", path, **more)

    def post(self, path, json_=None, **more):
        return self.request("POST", path, json_, **more)

    def patch(self, path, json_=None, **more):
        return self.request("PATCH", path, json_, **more)

    # -- checking

    def check(self, a):
        check_headers(a)
        check_cors(a, self.server.origins)
        route = contract.route_of(a.method, a.path)
        file = route and ("/" in route.response or "format=csv" in a.path)
        if not (a.status in (200, 206, 304, 416) and file):
            check_caching(a, route)
        if a.body and not (a.status in (200, 206) and file):
            check_envelope(a, self.server.clock.offset)
        by_web_server = a.status in (502, 504) or a.status in (411, 429) and BY_WEB_SERVER.fullmatch(a.headers["X-Request-Id"])
        if route and a.method != "HEAD" and not by_web_server:
            self.reference.check(a, route) if a.json else self.reference.check_type(a, route)
            self.reference.check_named_headers(a, route)
        if a.json and a.status == 200 and a.data and "accessToken" in a.data:
            self.server.tokens |= {a.data["accessToken"], a.data["refreshToken"]}
        return a

    def upload(self, *parts, **more):
        """Sends a form to POST /storage/upload; a part is (name, value) or (name, file name, bytes)."""
        kind, body = form(*parts)
        return self.request("POST", "/storage/upload", body=body, content_type=kind, **more)

    @property
    def reference(self):
        if self.server not in self.references:
            self.references[self.server] = Reference(json.loads(self.server.glance("/swagger/json")[1]))
        return self.references[self.server]

    # -- logging in

    def code(self, address, language=None, **more):
        """Requests a login code and reads it from the mail."""
        before = len(self.server.mailbox.to(address.strip().lower()))
        answer = self.post("/auth/otp/request", {"email": address} | ({"language": language} if language else {}),
                           **more)
        assert answer.status == 200, answer
        code = code_in(self.server.mailbox.wait(address.strip().lower(), before + 1))
        self.server.codes.add(code)
        return code

    def verify(self, address, code, **more):
        return self.post("/auth/otp/verify", {"email": address, "code": code}, **more)

    def login(self, address=None, **more):
        """Logs in with a code from the mail; the first login with an address creates the user."""
        address = address or fresh()
        answer = self.verify(address, self.code(address), **more)
        assert answer.status == 200, answer
        return Person(self, address, answer.data)

    def registered(self, address=None):
        person = self.login(address)
        answer = person.post("/auth/registration/complete", REGISTRATION)
        assert answer.status == 200, answer
        return person

    def staff(self, role):
        """An admin or superadmin, created with okulctl."""
        address = fresh(role)
        self.server.ctl("user", "add", address, "--role", role)
        return self.login(address)


def form(*parts, boundary=None):
    """Returns content type and body of multipart/form-data (RFC 7578), as browsers send it."""
    boundary = boundary or "----okul" + secrets.token_hex(12)
    body = b""
    for name, *rest in parts:
        value = rest[-1] if isinstance(rest[-1], bytes) else rest[-1].encode()
        file = f'; filename="{rest[0]}"' if len(rest) == 2 else ""
        kind = "Content-Type: application/octet-stream\r\n" if len(rest) == 2 else ""
        body += (f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n{kind}\r\n').encode(errors="surrogateescape") + value + b"\r\n"
    return f"multipart/form-data; boundary={boundary}", body + f"--{boundary}--\r\n".encode()


REGISTRATION = {"name": "Ada", "surname": "Lovelace", "privacyPolicyAccepted": True, "termsOfUseAccepted": True}


class Person:
    """A user with a session."""

    def __init__(self, okul, address, data):
        self.okul, self.email, self.data = okul, address, data
        self.token, self.refresh, self.id = data["accessToken"], data["refreshToken"], data["user"]["id"]

    def request(self, method, path, json_=None, **more):
        return self.okul.request(method, path, json_, token=self.token, **more)

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, json_=None, **more):
        return self.request("POST", path, json_, **more)

    def patch(self, path, json_=None, **more):
        return self.request("PATCH", path, json_, **more)

    def delete(self, path, **more):
        return self.request("DELETE", path, **more)

    def upload(self, content, name="file.bin", *fields, **more):
        """Uploads one file; more (name, value) fields of the form follow it."""
        return self.okul.upload(("file", name, content), *fields, token=self.token, **more)

    def renew(self, refresh=None):
        """Refreshes with the given token, by default the newest, and keeps the new tokens."""
        answer = self.okul.post("/auth/refresh", {"refreshToken": refresh or self.refresh})
        if answer.status == 200:
            self.token, self.refresh = answer.data["accessToken"], answer.data["refreshToken"]
        return answer

    def claims(self):
        return json.loads(unbase64(self.token.split(".")[1]))

    def set(self, assignments):
        """Changes the user's row directly in the database."""
        self.okul.server.sql(f"UPDATE users SET {assignments} WHERE id = '{self.id}'")


class Reference:
    """Validates responses against the OpenAPI document that the server publishes, and against the contract's schemas."""

    def __init__(self, document):
        import jsonschema
        self.document, self.validators, self.approved = document, {}, set()
        self.resolver = jsonschema.RefResolver("", document)
        self.promises = jsonschema.RefResolver("", contract.promised_schemas)
        self.validator = jsonschema.Draft202012Validator

    def response(self, answer, route):
        """The response object of the reference for this status."""
        promised = self.document["paths"][route.path][route.method.lower()]["responses"]
        assert str(answer.status) in promised, f"the reference does not promise this status: {answer}"
        response = promised[str(answer.status)]
        while "$ref" in response:
            response = self.resolver.resolve(response["$ref"])[1]
        return response

    def check_type(self, answer, route):
        """For a response that is not JSON, the reference has only the media type."""
        types = self.response(answer, route).get("content", {})
        kind = answer.headers.get("Content-Type", "").partition(";")[0]
        assert kind in types or "*/*" in types or not (types or answer.body), f"the reference does not promise {kind}: {answer}"

    def check_named_headers(self, answer, route):
        """The response has no header that the reference does not document, and has those that are on every response."""
        documented = self.response(answer, route)["headers"]
        for name in self.document["components"]["headers"]:
            if name in documented and name in ("X-Request-Id", "Content-Language", "Retry-After", "WWW-Authenticate", "Content-Range"):
                assert (name in answer.headers) or (name == "Content-Language" and not answer.json), f"{name} is missing: {answer}"
            assert name in documented or name not in answer.headers, f"the reference does not document the header {name}: {answer}"

    def validators_for(self, answer, route):
        schema = self.response(answer, route)["content"]["application/json"]["schema"]
        validators = [("the reference", None, self.validator(schema, resolver=self.resolver))]
        row = contract.promised_of.get((route.method, route.path))
        if row and answer.status < 400:     # errors are checked by check_envelope()
            assert str(answer.status) == row.success, f"the contract promises {row.success}: {answer}"
            if row.data:
                validators.append(("the contract", "data", self.validator(row.data, resolver=self.promises)))
        return validators

    def check(self, answer, route):
        key = (route.method, route.path, answer.status)
        known = (*key, answer.body.rpartition(b'"timestamp"')[0])
        if known in self.approved:
            return
        if key not in self.validators:
            self.validators[key] = self.validators_for(answer, route)
        for source, part, validator in self.validators[key]:
            for fault in validator.iter_errors(answer.json[part] if part else answer.json):
                raise AssertionError(f"not as in {source}: {fault.message} at {list(fault.path)}: {answer}")
        self.approved.add(known)


def chunked(body):
    return b"".join(b"%x\r\n" % len(p) + p + b"\r\n"
                    for p in (body[i:i + 4096] for i in range(0, len(body), 4096))) + b"0\r\n\r\n"


def good(answer):
    """Returns the data of a response that must be a success."""
    assert answer.status in (200, 201), answer
    return answer.data


def faults(answer, status, *names):
    """Asserts that the response has this status and errors for exactly these fields, in this order."""
    assert answer.status == status, answer
    assert [e.partition(":")[0] for e in answer.errors] == list(names), answer


def wrong(code):
    """Another code with the same number of digits."""
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}d}"


def ids(page):
    return [item["id"] for item in page["items"]]


def rows(okul, sql):
    """The rows of a query, each a list of texts."""
    return [line.split("\t") for line in okul.server.sql(sql).splitlines()[1:]]


def without_signatures(data):
    """The data without the signatures of URLs, which change with time."""
    return json.loads(re.sub(r"expires=\d+&signature=[0-9a-f]{64}", "", json.dumps(data)))


class Closing(Okul):
    """A client with a server for one test; contextlib.closing() stops the server."""

    def __init__(self, **settings):
        super().__init__(Server("own", **{"OKUL_WORKERS": "2"} | settings))

    def close(self):
        self.server.stop()
