"""The API behind Apache: with a virtual host in front of the programs, and on shared hosting with .htaccess and CGI.
With OKUL_WEB=apache all other tests use Apache too."""

import os
import re
import shutil
import subprocess

import pytest

from helpers import contract
from helpers.apache_server import Apache
from helpers.client import Okul, form
from helpers.samples import mp4, pdf, png
from helpers.sentences import SENTENCES
from helpers.server import BUILD, ORIGIN, Server, free_port, until
from helpers.uploads import path_of, uploaded

MIB = 1 << 20


@pytest.fixture(scope="module")
def apache():
    server = Server("apache", web="apache", OKUL_WORKERS="2")
    yield Okul(server)
    server.stop()


# ---- requests to the programs


def test_requests_of_a_user(apache):
    ada = apache.registered()
    assert ada.get("/me", language="tr").headers["Content-Language"] == "tr"
    first = ada.get("/me")
    assert ada.get("/me", headers={"If-None-Match": first.headers["ETag"]}).status == 304
    assert ada.patch("/me", {"name": "Ada"}, headers={"If-Match": '"0"'}).status == 412
    assert ada.patch("/me", {"name": "Ada"}, headers={"If-Match": first.headers["ETag"]}).status == 200
    assert ada.renew().status == 200 and ada.get("/auth/sessions").status == 200
    assert apache.get("/courses?page=1&limit=5").status == 200
    assert apache.get("/swagger/json").status == 200 and apache.get("/api/docs").status == 200


@pytest.mark.parametrize("method, path, status", [
    ("GET", "/me", 401), ("GET", "/nothing", 404), ("GET", "/courses/", 404), ("GET", "/users", 401), ("PUT", "/me", 405),
    ("POST", "/auth/otp/request", 415), ("GET", "/courses/xyz", 400), ("GET", "/?x=1", 400), ("OPTIONS", "/courses/", 404),
    ("OPTIONS", "/courses", 204), ("HEAD", "/", 200), ("GET", "/me%2Foptional", 404), ("GET", "//me", 404)])
def test_errors_of_the_programs_pass_unchanged(apache, method, path, status):
    for language in contract.LANGUAGES:
        answer = apache.request(method, path, language=language)
        assert answer.status == status and re.fullmatch("[0-9a-f]{24}", answer.headers["X-Request-Id"]), answer
        assert status < 400 or answer.headers["Content-Language"] == language


def test_upload_and_download(apache):
    ada, content = apache.registered(), mp4(3 * MIB)
    answer = uploaded(ada, content)
    got = apache.get(path_of(answer))
    assert got.status == 200 and got.body == content and got.headers["Content-Type"] == "video/mp4"
    assert apache.get(path_of(answer), headers={"Range": "bytes=5-9"}).body == content[5:10]
    assert apache.get(path_of(answer), headers={"If-None-Match": got.headers["ETag"]}).status == 304
    assert apache.head(path_of(answer)).headers["Content-Length"] == str(len(content))
    admin = apache.staff("admin")
    kind, body = form(("title", "Reading"), ("pdfs", "a.pdf", pdf()))
    assert admin.get("/education-materials").status == 200
    assert apache.request("POST", "/education-materials", body=body, content_type=kind).status == 401


# ---- responses of Apache itself


def own(answer, status, language="en"):
    assert answer.status == status and not re.fullmatch("[0-9a-f]{24}", answer.headers["X-Request-Id"]), answer
    assert answer.headers["Content-Language"] == language and answer.headers["Access-Control-Allow-Origin"] == ORIGIN


@pytest.mark.parametrize("language", contract.LANGUAGES)
def test_errors_of_apache_are_in_the_envelope(apache, language):
    """okul.check() checks the rest of the response, CORS headers included."""
    own(apache.get("/.well-known/nothing", language=language), 404, language)
    rest = b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nOrigin: %s\r\nAccept-Language: %s\r\n" % (ORIGIN.encode(), language.encode())
    own(apache.raw(b"TRACE /me" + rest + b"\r\n", "TRACE", "/me"), 405, language)


@pytest.mark.parametrize("head", [b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", b"GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
                                  b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 100000 + b"\r\n\r\n",
                                  b"GET /" + b"x" * 100000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"],
                         ids=["no host", "bad host", "control character", "long header", "long address"])
def test_malformed_heads(apache, head):
    answer = apache.raw(head, path="(none)")
    assert answer.status in (400, 414, 431, 505) and answer.json, answer


def test_other_origins_get_no_cors_headers_from_apache(apache):
    """okul.check_cors() checks the headers. Wildcards in the Origin header match nothing."""
    for origin in ("https://evil.example", "https://okul.exampl?", "https://okul.*", "https://*", "*", "null", "https://[a-z]kul.example",
                   "https://okul.example;", "HTTPS://okul.example", "okul.example", "https://okul.example https://admin.okul.example"):
        assert apache.get("/.well-known/nothing", headers={"Origin": origin}).status == 404


def test_a_missing_program_is_503(apache):
    run = apache.server.data / "run"
    (run / "auth.sock").rename(run / "gone")
    try:
        for language in contract.LANGUAGES:
            answer = apache.get("/auth/sessions", language=language)
            own(answer, 503, language)
            assert answer.errors == [SENTENCES["S_UNAVAILABLE"][language]]
        assert apache.get("/health").status == 200
    finally:
        (run / "gone").rename(run / "auth.sock")


def test_no_log_has_a_signature_or_a_referer(apache):
    signed = {"Referer": "https://okul.example/storage/files/a?signature=leaked-by-referer"}
    run = apache.server.data / "run"
    (run / "storage.sock").rename(run / "gone")
    try:
        assert apache.get("/storage/files/a.png?expires=1&signature=leaked-by-address", headers=signed).status == 503
    finally:
        (run / "gone").rename(run / "storage.sock")
    assert apache.get("/.well-known/x?signature=leaked-by-address", headers=signed).status == 404
    assert apache.get("/storage/files/a.png?expires=1&signature=leaked-by-address", headers=signed).status == 404
    log = until(lambda: "storage" in apache.server.apache.log() and apache.server.apache.log(), "the log")
    assert "failed to make connection to backend: storage" in log and "leaked-by" not in log


# ---- on shared hosting


@pytest.fixture(scope="module", params=["cgi", "fcgid"])
def hosted(request, tmp_path_factory):
    """A web folder with .htaccess and the programs in cgi-bin, as the comment in .htaccess describes; the data is
    that of a server."""
    server = Server("hosted", OKUL_WORKERS="1", OKUL_DELIVERY="itself")
    try:
        apache = Hosting(server, request.param)
        okul = Okul(server)
        server.port, before = apache.port, server.port
        yield okul
        server.port = before
        apache.stop()
    finally:
        server.stop()


class Hosting(Apache):
    """Apache without configuration for okul, except .htaccess."""

    def __init__(self, server, kind):
        self.kind = kind
        super().__init__(server, free_port())

    def modules(self):
        return "mpm_event authz_core env setenvif headers unique_id alias mime dir rewrite cgid" + (" fcgid" if self.kind == "fcgid" else "")

    def environment(self):
        """The settings of the server, the clock of the tests, and the log path of the sanitizers."""
        names = [name for name in self.server.environment if name.startswith("OKUL_") or name.endswith("SAN_OPTIONS")]
        return {name: self.server.environment[name] for name in names} | {
            "OKUL_DATA": str(self.server.data), "OKUL_BASE_URL": f"http://127.0.0.1:{self.port}"}

    def server_lines(self):
        lines = ["TypesConfig /etc/mime.types", f"ScriptSock {self.home}/cgid"]
        if self.kind == "fcgid":
            lines += [f"FcgidIPCDir {self.home}/fcgid", f"FcgidProcessTableFile {self.home}/fcgid.table"]
            lines += [f'FcgidInitialEnv {name} "{value}"' for name, value in self.environment().items()]
        return "\n".join(lines)

    def configure(self):
        root = self.home / "root"
        shutil.copy(BUILD / "share/apache/htaccess", root / ".htaccess")
        (root / "cgi-bin").mkdir()
        (self.home / "fcgid").mkdir()
        for program in BUILD.glob("*.fcgi"):
            shutil.copy(program, root / "cgi-bin")
        (root / "cgi-bin/share").symlink_to(BUILD / "share")
        if os.geteuid() == 0:   # on shared hosting, Apache runs the programs as the owner of the data
            self.server.home.chmod(0o711)
            subprocess.run(["chown", "-R", "www-data", self.server.data, self.server.clock.path, self.home / "fcgid"], check=True)
        lines = [f'SetEnv {name} "{value}"' for name, value in self.environment().items()]
        return "\n\t".join([*lines, f"<Directory {root}>", "AllowOverride All", "Require all granted", "</Directory>"])


def test_login_on_shared_hosting(hosted):
    ada = hosted.registered()
    assert ada.get("/me").status == 200 and ada.patch("/me", {"bio": "x"}).status == 200
    content = png()
    answer = uploaded(ada, content)
    assert hosted.get(path_of(answer)).body == content


@pytest.mark.parametrize("method, path, status", [
    ("GET", "/", 200), ("GET", "/health", 200), ("GET", "/me", 401), ("GET", "/nothing", 404), ("GET", "/.htaccess", 404),
    ("GET", "/cgi-bin/auth.fcgi", 404), ("GET", "/cgi-bin/share/schema.sql", 404), ("GET", "/okul.db", 404), ("PUT", "/me", 405),
    ("POST", "/auth/otp/request", 415), ("OPTIONS", "/courses/", 404), ("OPTIONS", "/courses", 204)])
def test_errors_on_shared_hosting(hosted, method, path, status):
    assert hosted.request(method, path, language="tr").status == status
