"""Group app, and the reference compared with the contract."""

import html.parser
import json
import pathlib
import re
import subprocess

import pytest

from helpers import contract
from helpers.cgi import cgi
from helpers.client import Okul
from helpers.server import BUILD, Server, until

PROGRAMS = sorted(BUILD.glob("*.fcgi"))


def test_hello(okul):
    answer = okul.get("/")
    assert answer.status == 200 and list(answer.data) == ["message"]
    assert len({okul.get("/", language=language).data["message"] for language in contract.LANGUAGES}) == 4


def test_health(okul):
    answer = okul.get("/health")
    assert answer.status == 200
    assert list(answer.data) == ["status", "database", "version", "schemaVersion"]
    assert answer.data["status"] == "ok" and answer.data["database"] == "ok"
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", answer.data["version"])
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.sqlite     # it damages the file; tests/api/lost.py has a server that is away
def test_health_reports_an_unreadable_database():
    server = Server("broken", OKUL_WORKERS="1")
    okul = Okul(server)
    try:
        okul.reference      # read before the corruption
        # VACUUM changes every page, so that no worker can use its page cache; then the file is overwritten
        def checkpoint():   # fails while a worker reads
            server.ctl("sql", "--loose", "VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")
            return (server.data / "okul.db-wal").stat().st_size == 0
        until(checkpoint, "an empty WAL")
        with open(server.data / "okul.db", "r+b") as file:
            file.write(b"\xa5" * 8192)
        answer = okul.get("/health")
        assert answer.status == 503, answer
        assert okul.get("/").status == 200      # needs no database
    finally:
        server.stop()


@pytest.mark.sqlite     # a server answers for its own syncs
def test_after_a_failed_sync_writes_are_rejected_and_health_reports_it():
    """The lock file is poisoned as in lib/store/sqlite/writer_lock.h; tests/unit/transaction.c and power.c make syncs
    fail."""
    server = Server("shut", OKUL_WORKERS="2")
    okul = Okul(server)
    try:
        ada = okul.registered()
        lock_file = server.data / "okul.gate"
        boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text()
        lock_file.write_text(f"a sync failed: what was written last may be lost; boot {boot}")
        for _ in range(4):
            answer = ada.patch("/me", {"bio": "not to be kept"})
            assert answer.status == 503, answer
        assert ada.get("/me").data["bio"] is None
        assert okul.get("/health").data["status"] == "degraded"
        assert server.ctl("sql", "DELETE FROM session", check=False).returncode
        lock_file.write_text("a sync failed: what was written last may be lost; boot 00000000-0000-0000-0000-000000000000\n")
        assert okul.get("/health").data["status"] == "ok"
        # a process that failed to acquire the lock rejects writes until it restarts; a new process can write
        server.ctl("sql", "UPDATE users SET bio = 'kept'")
        assert ada.get("/me").data["bio"] == "kept"
    finally:
        server.stop()


# ---- plain CGI: the same program without a socket


def same_but_time(envelope):
    return {k: v for k, v in json.loads(envelope).items() if k != "timestamp"}


@pytest.mark.parametrize("program, method, path", [
    ("app", "GET", "/"), ("app", "GET", "/health"), ("app", "GET", "/nothing"), ("app", "POST", "/"),
    ("app", "GET", "/?x=1"), ("users", "GET", "/me"),
])
def test_plain_cgi_responds_the_same(okul, program, method, path):
    served = okul.request(method, path, language="de")
    status, headers, body = cgi(okul.server, program, method, path, {"Accept-Language": "de"})
    assert status == served.status
    assert list(json.loads(body)) == contract.ENVELOPE
    assert same_but_time(body) == same_but_time(served.body)
    for name in ("Content-Type", "Content-Language", "Cache-Control", "X-Content-Type-Options", "Allow",
                 "WWW-Authenticate"):
        assert headers[name] == served.headers[name], name
    assert headers["X-Request-Id"]


def test_plain_cgi_logs_in(okul):
    """A session with one process per request: no state that matters is in a process."""
    ada = okul.login()
    status, _, body = cgi(okul.server, "users", "GET", "/me", {"Authorization": f"Bearer {ada.token}"})
    assert status == 200 and json.loads(body)["data"]["email"] == ada.email
    status, _, body = cgi(okul.server, "auth", "POST", "/auth/refresh",
                          body=json.dumps({"refreshToken": ada.refresh}).encode())
    assert status == 200
    assert okul.get("/me", token=json.loads(body)["data"]["accessToken"]).status == 200


def test_plain_cgi_limits_the_size_of_a_body(okul):
    public = ("auth", "POST", "/auth/otp/request", {}), json.dumps({"email": "size@example.com"}).encode(), 1 << 16
    user = ("users", "PATCH", "/me", {"Authorization": f"Bearer {okul.login().token}"}), b'{"bio":"x"}', 1 << 20
    for request, body, limit in (public, user):
        for length, expected in ((limit, 200), (limit + 1, 413)):
            status, _, answer = cgi(okul.server, *request, body=body.ljust(length))
            assert status == expected == json.loads(answer)["statusCode"]


def test_plain_cgi_head_has_no_body(okul):
    status, headers, body = cgi(okul.server, "app", "HEAD", "/")
    assert status == 200 and body == b"" and headers["Content-Type"] == "application/json; charset=utf-8"


# ---- the reference


def test_openapi_document(okul):
    answer = okul.get("/swagger/json")
    assert answer.status == 200
    assert answer.headers["Content-Type"].split(";")[0] == "application/json"
    document = json.loads(answer.body)
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["title"] and document["info"]["version"]
    assert document["components"]["securitySchemes"]


@pytest.mark.parametrize("path", ["/swagger/json", "/api/docs"])
def test_the_reference_is_a_cacheable_file(okul, path):
    whole = okul.get(path)
    head = okul.head(path)
    assert head.status == 200 and head.headers["Content-Type"] == whole.headers["Content-Type"]
    assert int(head.headers["Content-Length"]) == len(whole.body) > 1000
    assert whole.headers["ETag"]
    again = okul.get(path, headers={"If-None-Match": whole.headers["ETag"]})
    assert again.status == 304 and again.body == b"" and again.headers["ETag"] == whole.headers["ETag"]
    assert okul.get(path, headers={"If-None-Match": '"another"'}).body == whole.body


def operations(okul):
    return {(method.upper(), path): operation for path, item in okul.reference.document["paths"].items()
            for method, operation in item.items() if method in ("get", "post", "put", "patch", "delete")}


def resolve(okul, schema):
    while "$ref" in schema:
        schema = okul.reference.resolver.resolve(schema["$ref"])[1]
    return schema


def test_reference_has_exactly_the_contracts_routes(okul):
    assert set(operations(okul)) == {(r.method, r.path) for r in contract.routes}


def normal(okul, schema):
    """Reduces a schema to its constraints, so that those of the reference and the contract can be compared."""
    schema = dict(resolve(okul, schema))
    if "anyOf" in schema:
        variants = [normal(okul, s) for s in schema["anyOf"]]
        rest = [v for v in variants if v != {"type": ["null"]}]
        assert len(rest) == 1 and len(variants) == 2, schema
        return rest[0] | {"type": sorted(rest[0]["type"] + ["null"])}
    kind = schema.get("type", "anything")
    out = {"type": sorted([kind] if isinstance(kind, str) else kind)}
    if "enum" in schema:
        out["enum"] = sorted(w for w in schema["enum"] if w is not None)
    for key in ("minLength", "minItems"):
        if schema.get(key):
            out[key] = schema[key]
    for key in ("maxLength", "maxItems", "minimum", "exclusiveMinimum"):
        if key in schema and not (key == "maxLength" and schema.get("format") in ("date", "date-time")):
            out[key] = schema[key]
    if "items" in schema:
        items = normal(okul, schema["items"])
        out["items"] = items if items["type"] == ["object"] else {"type": items["type"]}
    if "properties" in schema:
        out["properties"] = {name: normal(okul, s) for name, s in schema["properties"].items()}
        out["required"] = sorted(schema.get("required", []))
        out["additionalProperties"] = schema.get("additionalProperties")
    return out


@pytest.mark.parametrize("name", sorted(set(contract.shapes) - contract.forms))
def test_reference_has_the_contracts_shape(okul, name):
    ours = okul.reference.document["components"]["schemas"][name]
    assert list(resolve(okul, ours)["properties"]) == [f.name for f in contract.shapes[name]], "fields in their order"
    assert normal(okul, ours) == normal(okul, contract.schema_for(name))


@pytest.mark.parametrize("route", contract.routes, ids=str)
def test_reference_documents_the_input_and_output_of_each_route(okul, route):
    operation = operations(okul)[route.method, route.path]
    assert operation["summary"]
    if route.part:
        form = operation["requestBody"]["content"]["multipart/form-data"]
        schema = resolve(okul, form["schema"])
        fields = {k: v for k, v in schema["properties"].items() if k != route.part}
        files = schema["properties"][route.part]
        assert files.get("items", files)["format"] == "binary" and form["encoding"][route.part]["contentType"]
        wanted = contract.schema_for(route.request)
        assert {k: normal(okul, v) for k, v in fields.items()} == {k: normal(okul, v) for k, v in wanted["properties"].items()}
        assert sorted(schema["required"]) == sorted(wanted["required"] + ([] if route.json else [route.part]))
    if route.json:
        taken = operation["requestBody"]["content"]["application/json"]["schema"]
        assert taken == {"$ref": f"#/components/schemas/{route.request}"}
    elif not route.part:
        assert "requestBody" not in operation
    given = operation["responses"][str(route.status)]
    while "$ref" in given:
        given = okul.reference.resolver.resolve(given["$ref"])[1]
    if "/" in route.response:
        assert list(given["content"]) == [route.response]
    else:
        envelope = okul.reference.resolver.resolve(given["content"]["application/json"]["schema"]["$ref"])[1]
        data = envelope["properties"]["data"]
        if route.response.startswith("{"):
            data = okul.reference.resolver.resolve(data["$ref"])[1]["properties"]["items"]
        one = {"$ref": f"#/components/schemas/{route.response.strip('[]{}')}"}
        assert data == one if route.response == route.response.strip("[]{}") else data == {"type": "array", "items": one}
    assert tuple(p["name"] for p in operation.get("parameters", ()) if p.get("in") == "query") == route.query
    secured = operation.get("security", okul.reference.document.get("security", []))
    assert bool(secured and {} not in secured) == (route.role not in ("public", "optional"))


class Page(html.parser.HTMLParser):
    def __init__(self, source):
        super().__init__()
        self.external, self.text = [], ""
        self.feed(source)

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("src", "href", "srcset", "action", "data") and re.match(r"(?i)\s*(https?:)?//", value or ""):
                self.external.append((tag, name, value))

    def handle_data(self, data):
        self.text += data


def test_docs_page_has_a_curl_for_each_route_and_loads_nothing_external(okul):
    answer = okul.get("/api/docs")
    assert answer.status == 200 and answer.headers["Content-Type"].split(";")[0] == "text/html"
    page = Page(answer.body.decode())
    assert not [e for e in page.external if e[0] != "a"], page.external
    for route in contract.routes:
        path = re.sub(r"\{\w+\}", r"[^\\s'\"]+", route.path)
        method = {"GET": "curl", "POST": "-X POST|-d "}.get(route.method, f"-X {route.method}")
        blocks = [b for b in re.findall(r"curl[^\n]*(?:\\\n[^\n]*)*", page.text)
                  if re.search(rf"{path}(?=['\"\s]|$)", b) and re.search(method, b)]
        assert blocks, f"a curl for {route}"


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.name)
def test_program_lists_its_routes(program):
    run = subprocess.run([program, "--routes"], capture_output=True, text=True, timeout=30)
    assert run.returncode == 0
    heading, *rows = [line.split("\t") for line in run.stdout.splitlines()]
    assert heading == ["program", "method", "path", "role", "status", "flags", "in", "out", "title"]
    rows = {(row[1], row[2]): row for row in rows}
    expected = [r for r in contract.routes if r.program == program.stem]
    assert set(rows) == {(r.method, r.path) for r in expected}
    for r in expected:
        row = rows[r.method, r.path]
        assert row[0] == r.program and row[3] == r.role and row[4] == str(r.status)
        assert row[6] == (f"{r.request}+{r.part}" if r.part else r.request or "?" + "&".join(r.query) if r.request or r.query else "-")
        assert row[7] == (f"({r.response})" if "/" in r.response
                          else re.sub(r"{(\w+)}", r"{items: \1[], pagination}", r.response))
        assert len(row[8]) > 5
        assert ("unregistered" in row[5].split(",")) == r.early or r.role in ("public", "optional")


def test_all_of_the_contracts_programs_are_built():
    assert {p.stem for p in PROGRAMS} == {r.program for r in contract.routes}


# ---- what an operator finds in the logs


def test_each_request_leaves_one_line_with_its_id(okul):
    okul.get("/me", headers={"X-Request-Id": "log-test-4711"})
    lines = until(lambda: [line for text in okul.server.logs().values()
                           for line in text.decode(errors="replace").splitlines()
                           if "log-test-4711" in line], "the request's line in a log")
    ours = [line for line in lines if "status=401" in line]
    assert len(ours) == 1, lines
    assert "/me" in ours[0] and "GET" in ours[0]


def test_a_request_cannot_forge_a_log_line(okul):
    okul.get("/nothing%0astatus=200%20forged-line", headers={"User-Agent": "x\tforged-agent"})
    until(lambda: any(b"forged-line" in text for text in okul.server.logs().values()), "the request's line")
    for text in okul.server.logs().values():
        assert not [line for line in text.splitlines() if line.startswith(b"status=200 forged-line")]
