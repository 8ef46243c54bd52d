"""The shipped virtual hosts, conf/nginx/okul.conf and conf/apache/okul.conf, with a self-signed certificate:
responses over TLS, requests for unknown names, and logs."""

import contextlib
import http.client
import os
import re
import socket
import ssl
import subprocess

import pytest

from helpers.apache_server import APACHE, Apache
from helpers.client import Okul
from helpers.samples import png
from helpers.server import ORIGIN, ROOT, Server, free_port, until
from helpers.uploads import path_of, uploaded

NAME = "okul.example.org"


class Host:
    """One of the two web servers, in front of a server's programs; plain and secure are its ports."""

    def __init__(self, server):
        self.server, self.home = server, server.home / "host"
        self.plain, self.secure = free_port(), free_port()
        (self.home / "live" / NAME).mkdir(parents=True)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={NAME}",
                        "-keyout", self.home / "live" / NAME / "privkey.pem", "-out", self.home / "live" / NAME / "fullchain.pem"],
                       check=True, capture_output=True)
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        env=os.environ | {"TZ": "UTC", "APACHE_LOG_DIR": str(self.home)})
        until(self.is_up, "the web server")

    def is_up(self):
        assert self.process.poll() is None, self.process.stderr.read().decode()
        return self.server.listens(self.plain) and self.server.listens(self.secure)

    def stop(self):
        self.process.terminate()
        self.process.stderr.close()
        self.process.wait(30)

    def ask(self, path, host=NAME, secure=True, server_name=NAME, method="GET", **headers):
        """Status, headers and body."""
        with socket.create_connection(("127.0.0.1", self.secure if secure else self.plain), timeout=30) as wire:
            with contextlib.ExitStack() as stack:
                if secure:
                    context = ssl.create_default_context()
                    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                    wire = stack.enter_context(context.wrap_socket(wire, server_hostname=server_name))
                lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close", *(f"{k}: {v}" for k, v in headers.items())]
                wire.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
                response = http.client.HTTPResponse(wire, method=method)
                response.begin()
                return response.status, response.headers, response.read()

    def logs(self):
        return "".join(path.read_text() for path in self.home.glob("*log"))


class Nginx(Host):
    web = "nginx"

    def command(self):
        text = (ROOT / "conf/nginx/okul.conf").read_text()
        run = self.server.data / "run"      # `serve` has written the shared parts there, with its own paths
        for old, new in ((r"(?m)^\s*listen \[::\].*\n", ""), (r"listen 80\b", f"listen 127.0.0.1:{self.plain}"),
                         (r"listen 443\b", f"listen 127.0.0.1:{self.secure}"), ("/etc/letsencrypt", str(self.home)),
                         ("/usr/local/lib/okul/share/nginx/common.conf", f"{run}/nginx-common.conf"),
                         ("/usr/local/lib/okul/share/nginx/locations.conf", f"{run}/nginx-locations.conf"), ("/var/log/nginx", str(self.home))):
            assert re.search(old, text), old
            text = re.sub(old, new, text)
        user = "user root;" if os.geteuid() == 0 else ""
        folders = "".join(f"{kind}_temp_path {self.home}/{kind};" for kind in ("client_body", "fastcgi", "proxy", "uwsgi", "scgi"))
        (self.home / "nginx.conf").write_text(f"daemon off; {user} pid {self.home}/pid; error_log {self.home}/main.log;\n"
                                              f"events {{}}\nhttp {{ {folders}\n{text} }}\n")
        return ["/usr/sbin/nginx", "-p", self.home, "-e", self.home / "main.log", "-c", self.home / "nginx.conf"]


class ApacheHost(Host):
    web = "apache"

    def command(self):
        shared = Apache.__new__(Apache)
        shared.server, shared.home = self.server, self.home
        shared.configure()
        text = (ROOT / "conf/apache/okul.conf").read_text()
        for old, new in (("\\*:80>", f"*:{self.plain}>"), ("\\*:443>", f"*:{self.secure}>"), ("/etc/letsencrypt", str(self.home)),
                         ("/usr/local/lib/okul/share/apache/locations.conf", f"{self.home}/locations.conf"), ("/var/www/html", str(self.home / "live"))):
            assert re.search(old, text), old
            text = re.sub(old, new, text)
        # the modules that the comment in the file enables, and those that Debian enables by default
        named = re.search(r"a2enmod ([\w ]+)", text)[1].split() + ["mpm_event", "authz_core", "alias", "dir", "mime", "env", "setenvif", "xsendfile", "socache_shmcb"]
        modules = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in named)
        user = "User www-data\nGroup root" if os.geteuid() == 0 else ""
        self.server.home.chmod(0o710)
        self.server.data.chmod(0o750)
        (self.home / "apache.conf").write_text(
            f"ServerRoot {self.home}\nDefaultRuntimeDir {self.home}\nPidFile {self.home}/pid\nMutex file:{self.home}\n{modules}\n{user}\nTypesConfig /etc/mime.types\n"
            f"Listen 127.0.0.1:{self.plain}\nListen 127.0.0.1:{self.secure}\nServerName x\nErrorLog {self.home}/main.log\n{text}")
        return [APACHE, "-f", self.home / "apache.conf", "-D", "FOREGROUND"]


@pytest.fixture(scope="module", params=[Nginx, ApacheHost])
def host(request):
    server = Server("tls", web=request.param.web, OKUL_WORKERS="1", OKUL_BASE_URL=f"https://{NAME}")
    try:
        host = request.param(server)
        yield host
        host.stop()
    finally:
        server.stop()


FILES, BY_WEB_SERVER = ["/api/docs", "/swagger/json"], ["/.well-known/nothing", "/%zz"]
PATHS = ["/", "/me", "/courses/", "/courses", *FILES, *BY_WEB_SERVER]


@pytest.mark.parametrize("path", PATHS)
def test_security_headers_over_tls(host, path):
    _, headers, _ = host.ask(path, Origin=ORIGIN)
    for name, value in (("Strict-Transport-Security", r"max-age=\d{8}"), ("X-Content-Type-Options", "nosniff"),
                        ("Content-Security-Policy", ".*frame-ancestors 'none'")):
        assert len(headers.get_all(name) or []) == 1 and re.fullmatch(value, headers[name]), f"{name}: {headers}"
    # pages and files, from which links could leak the URL as Referer
    assert headers.get_all("Referrer-Policy") == (["no-referrer"] if path in FILES or path in BY_WEB_SERVER else None), headers
    if path != "/%zz":
        assert headers["Access-Control-Allow-Origin"] == ORIGIN


def test_security_headers_of_files(host):
    okul = Okul(host.server)
    boss = okul.staff("admin")
    answer = uploaded(boss, png(), ("folder", "public"))
    status, headers, body = host.ask(path_of(answer))
    assert status == 200 and len(body) > 50 and headers.get_all("Strict-Transport-Security") and headers.get_all("Referrer-Policy") == ["no-referrer"]


@pytest.mark.parametrize("name", [NAME, "evil.example", "127.0.0.1"])
def test_the_redirect_to_tls_uses_the_configured_name(host, name):
    """Not the Host header: an attacker could poison a cache with a redirect to another site."""
    try:
        status, headers, _ = host.ask("/courses?page=2", host=name, secure=False)
    except (http.client.HTTPException, ConnectionError):
        assert name != NAME
        return
    assert "Strict-Transport-Security" not in headers
    if name == NAME:
        assert status == 301 and headers["Location"] == f"https://{NAME}/courses?page=2"
    else:
        assert status == 421 and "Location" not in headers


def test_other_names_are_not_served(host):
    with contextlib.suppress(ssl.SSLError, ConnectionError, http.client.HTTPException):
        assert host.ask("/health", host="evil.example", server_name="evil.example")[0] == 421
    assert host.ask("/health")[0] == 200


def test_no_url_is_made_from_the_host_header(host):
    """With the right name in TLS and another one in Host, no response contains that name."""
    for path in ("/", "/swagger/json", "/api/docs", "/nothing", "/health"):
        try:
            status, headers, body = host.ask(path, host="evil.example")
        except http.client.RemoteDisconnected:
            continue    # nginx closes the connection without a response
        assert status in (200, 400, 404, 421) and b"evil.example" not in body and "evil.example" not in str(headers)


def test_no_log_has_a_signature(host):
    run = host.server.data / "run"
    (run / "storage.sock").rename(run / "gone")
    try:
        status, _, _ = host.ask("/storage/files/a.png?expires=1&signature=leaked-address", Referer="https://x/?signature=leaked-referer")
        assert status in (502, 503)
    finally:
        (run / "gone").rename(run / "storage.sock")
    logs = until(lambda: re.search(r"GET /storage/files/a.png.* 50[23]", host.logs()) and host.logs(), "the line")
    assert "leaked" not in logs


def test_an_upload_without_token_over_http_2(host):
    """The shipped configuration of Apache has no HTTP/2."""
    if not isinstance(host, Nginx):
        return
    picture = host.home / "picture"
    picture.write_bytes(b"\0" * (3 << 20))
    run = subprocess.run(["curl", "-sk", "--http2", "--connect-to", f"{NAME}:443:127.0.0.1:{host.secure}", "-F", f"file=@{picture}", "-w",
                          "%{http_version} %{http_code}", f"https://{NAME}/storage/upload"], capture_output=True, text=True, timeout=60)
    assert run.stdout.endswith("2 401") and '"statusCode":401' in run.stdout, run
