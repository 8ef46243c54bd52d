"""Different environments: a web server that runs the programs as CGI, a host that ignores .htaccess, commands run by
root, an incomplete request on a socket, a lock that another process holds, a disk that is nearly full."""

import contextlib
import fcntl
import http.client
import json
import os
import re
import resource
import shutil
import socket
import struct
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from helpers import contract
from helpers.cgi import parse_cgi
from helpers.client import Okul
from helpers.parallel import writer_lock
from helpers.server import BUILD, OKULCTL, ROOT, SLOW, Server, free_port, until

PROGRAMS = sorted(BUILD.glob("*.fcgi"))
WEB_USER = "www-data"
IS_ROOT = os.geteuid() == 0
CGI = {"GATEWAY_INTERFACE": "CGI/1.1", "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "localhost", "SERVER_PORT": "80",
       "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "REMOTE_ADDR": "127.0.0.1"}


def clean():
    """The environment without OKUL_ variables."""
    return {k: v for k, v in os.environ.items() if not k.startswith("OKUL_")}


# ---- RFC 3875 4.4: a query without '=' is passed as arguments


@pytest.mark.parametrize("marks", (CGI, {"REQUEST_METHOD": "GET"}, {"GATEWAY_INTERFACE": "CGI/1.1"}), ids=("all", "method", "interface"))
@pytest.mark.parametrize("option", ("--help", "--check", "--routes", "--openapi", "--version", "-d", "sql"))
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.stem)
def test_a_query_is_not_a_command_line(okul, program, option, marks):
    environment = okul.server.environment | {"OKUL_DATA": str(okul.server.data), "REQUEST_URI": "/nothing?" + option, "QUERY_STRING": option}
    run = subprocess.run([program, option], env=environment | marks, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    status, _, body = parse_cgi(run.stdout)
    assert run.returncode == 0 and status == 404, run
    assert list(json.loads(body)) == contract.ENVELOPE


@pytest.mark.parametrize("arguments", (["--help"], ["--version"], ["sql", "SELECT 1"], ["user", "list"], ["migrate"], ["mail"], []), ids=" ".join)
@pytest.mark.parametrize("program", ("okulctl", "okul-demo"))
def test_okulctl_does_not_run_as_cgi(okul, program, arguments):
    for marks in ({"REQUEST_METHOD": "GET"}, {"GATEWAY_INTERFACE": "CGI/1.1"}):
        environment = okul.server.environment | {"OKUL_DATA": str(okul.server.data)} | marks
        run = subprocess.run([BUILD / program, *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        status, _, body = parse_cgi(run.stdout)
        assert (status, body) == (403, b"Forbidden\n") and run.returncode == 64 and b"env -i" in run.stderr


# ---- shared hosting, as in conf/apache/htaccess


class Host:
    """Apache of a hosting provider, run as an ordinary user, with a web folder as the comment in conf/apache/htaccess
    describes."""

    def __init__(self, home):
        self.home, self.web, self.data = home, home / "public_html", home / "okul-data"
        self.port = free_port()
        programs = self.web / "cgi-bin"
        programs.mkdir(parents=True)
        for file in (*PROGRAMS, Path(OKULCTL)):
            shutil.copy(file, programs)
        shutil.copytree(BUILD / "share", programs / "share")
        shutil.copy(BUILD / "share/apache/htaccess", self.web / ".htaccess")
        if IS_ROOT:
            for path in (home, *home.rglob("*")):
                shutil.chown(path, WEB_USER, WEB_USER)
        self.set_up = re.search(r"(?m)^#     (cgi-bin/okulctl .*)$", (ROOT / "conf/apache/htaccess").read_text())[1]
        run = self.run(["sh", "-ec", self.set_up], cwd=self.web)
        assert run.returncode == 0, run

    def run(self, command, **more):
        return subprocess.run(command, env=clean() | {"HOME": str(self.home)}, **self.user(), **more, text=True, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=60)

    @staticmethod
    def user():
        return {"user": WEB_USER, "group": WEB_USER, "extra_groups": []} if IS_ROOT else {}

    @contextlib.contextmanager
    def apache(self, extra):
        modules = "mpm_prefork authz_core dir mime alias rewrite setenvif headers env cgi".split()
        configuration = self.home / "apache.conf"
        configuration.write_text("\n".join(
            [f"LoadModule {m}_module /usr/lib/apache2/modules/mod_{m}.so" for m in modules] +
            [f"ServerRoot {self.home}", f"PidFile {self.home}/apache.pid", f"ErrorLog {self.home}/error.log", "ServerName localhost",
             f"Mutex file:{self.home}", "StartServers 2", "MaxRequestWorkers 4", f"Listen 127.0.0.1:{self.port}", f"DocumentRoot {self.web}",
             "TypesConfig /etc/mime.types", f"PassEnv PATH\n{extra}"]) + "\n")
        configuration.chmod(0o644)
        process = subprocess.Popen(["apache2", "-f", str(configuration), "-DFOREGROUND"], env=clean(), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self.user())
        try:
            until(lambda: process.poll() is not None or self.answers(), "Apache", 20)
            assert process.poll() is None, (self.home / "error.log").read_text()
            yield self
        finally:
            process.terminate()
            process.wait(30)

    def answers(self):
        with contextlib.suppress(OSError):
            return self.get("/")

    def get(self, path):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30 * SLOW)) as connection:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()

    def secrets(self):
        keys = re.findall(r"[0-9a-f]{64}", (self.data / "keys.conf").read_text())
        assert len(keys) == 5
        return [key.encode() for key in keys]

    def is_secret(self, body):
        return body.startswith(b"SQLite format 3\0") or any(secret in body for secret in self.secrets())

    def paths(self):
        """All files below the web root, following links, and paths that earlier versions used."""
        found = {"/var/okul.db", "/var/keys.conf", "/cgi-bin/var/okul.db", "/cgi-bin/var/keys.conf", "/cgi-bin/var/okul.db-wal"}
        for folder, folders, files in os.walk(self.web, followlinks=True):
            found |= {"/" + str(Path(folder, name).relative_to(self.web)) for name in (*files, *folders)}
        return sorted(found)


@contextlib.contextmanager
def open_folder():
    """A temporary folder that every user may enter, unlike tmp_path."""
    with tempfile.TemporaryDirectory(prefix="okul-host-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
def host():
    with open_folder() as folder:
        yield Host(folder)


# A host that ignores .htaccess and serves all files; one that also runs the programs in cgi-bin.
IGNORES = "<Directory />\nAllowOverride None\nRequire all granted\nOptions FollowSymLinks Indexes\n</Directory>\n"
MODES = {"static": IGNORES, "cgi-bin": IGNORES + "ScriptAlias /cgi-bin/ {web}/cgi-bin/\n"}


@pytest.mark.parametrize("mode", MODES)
def test_a_host_that_ignores_htaccess_serves_no_secret(host, mode):
    with host.apache(MODES[mode].format(web=host.web)):
        served = 0
        for path in host.paths():
            status, body = host.get(path)
            served += status == 200
            assert not host.is_secret(body), path
        assert served > (10 if mode == "static" else 0), "some files are served"
        if mode == "cgi-bin":
            for option in ("--help", "--check", "sql"):
                assert host.get(f"/cgi-bin/okulctl?{option}") == (403, b"Forbidden\n")
                status, body = host.get(f"/cgi-bin/app.fcgi?{option}")
                assert list(json.loads(body)) == contract.ENVELOPE


def test_a_host_that_reads_htaccess_serves_okul(host):
    with host.apache("<Directory />\nAllowOverride All\nRequire all granted\nOptions All\n</Directory>\n"):
        status, body = host.get("/health")
        assert status == 200 and json.loads(body)["data"]["status"] == "ok", body
        status, body = host.get("/courses?--help")
        assert status == 400 and list(json.loads(body)) == contract.ENVELOPE
        assert host.get("/app/")[1] == (BUILD / "share/app/index.html").read_bytes() and host.get("/app")[0] == 301
        assert host.get("/app/lib/api.js")[0] == 200 and host.get("/app/../schema.sql")[0] != 200
        for path in host.paths():
            status, body = host.get(path.replace(" ", "%20"))
            assert status in (301, 404) and not host.is_secret(body), path


def test_check_warns_about_data_below_a_web_root(host):
    def warnings():
        run = host.run([host.web / "cgi-bin/okulctl", "check"], cwd=host.home)
        return [line for line in run.stdout.splitlines() if " web: " in line]
    assert warnings() == ["ok   web: the data lie below no web root"]
    for link in (host.web / "cgi-bin/var", host.web / "data"):
        link.symlink_to(host.data)
        line, = warnings()
        assert line.startswith(f"warn web: {link} leads") and f"rm {link}; echo {host.data} >" in line
        link.unlink()
    inside = host.web / "okul-data"
    shutil.copytree(host.data, inside)
    for path in (inside, *inside.rglob("*")):
        if IS_ROOT:
            shutil.chown(path, WEB_USER, WEB_USER)
    run = host.run([host.web / "cgi-bin/okulctl", "-d", inside, "check"], cwd=host.home)
    assert f"warn web: the data lie below {host.web}, which looks like a web root" in run.stdout
    shutil.rmtree(inside)


# ---- okul.data


@pytest.fixture
def programs(tmp_path):
    """okulctl and a program in a new folder, without a configured data folder."""
    for file in (Path(OKULCTL), BUILD / "app.fcgi"):
        shutil.copy(file, tmp_path)
    shutil.copytree(BUILD / "share", tmp_path / "share")

    def run(*arguments, program="okulctl", **settings):
        return subprocess.run([tmp_path / program, *arguments], env=clean() | settings, cwd=tmp_path, text=True, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=60)
    run.folder = tmp_path
    return run


def test_okul_data_beside_the_programs_names_the_data_folder(programs):
    for name in ("named", "said", "asked"):
        assert programs("-d", name, "migrate").returncode == 0
    assert programs("migrate").returncode == 0 and (programs.folder / "var/okul.db").exists()
    (programs.folder / "okul.data").write_text(f"{programs.folder}/named\n")
    first = re.compile(r"configuration: (\S+),")
    assert first.search(programs("check").stdout)[1] == f"{programs.folder}/named"
    assert first.search(programs("check", OKUL_DATA="said").stdout)[1] == f"{programs.folder}/said"
    assert first.search(programs("-d", "asked", "check", OKUL_DATA="said").stdout)[1] == f"{programs.folder}/asked"
    shutil.rmtree(programs.folder / "var")
    assert programs("--check", program="app.fcgi").returncode == 0
    run = programs(program="app.fcgi", **CGI, REQUEST_URI="/health")
    assert parse_cgi(run.stdout.encode())[0] == 200


@pytest.mark.parametrize("text", ("", "\n", "named\n", "../named\n", " /tmp\n", "x" * 5000), ids=repr)
def test_an_invalid_okul_data_is_an_error(programs, text):
    """It is not ignored, since var may contain the data of another school, or be in the web root."""
    assert programs("migrate").returncode == 0
    (programs.folder / "okul.data").write_text(text)
    for run in (programs("check"), programs("migrate"), programs("sql", "SELECT 1"), programs("--check", program="app.fcgi")):
        assert run.returncode in (1, 78) and f"{programs.folder}/okul.data" in run.stdout + run.stderr


# ---- root


COMMANDS = (["migrate"], ["user", "add", "a@example.com"], ["user", "role", "a@example.com", "superadmin"], ["user", "list"],
            ["key", "rotate"], ["key", "list"], ["sql", "UPDATE users SET bio = 'x'"], ["cleanup"], ["files", "gc"], ["files", "verify"],
            ["mail", "--once"], ["setting", "set", "a.b", "1"], ["audit"], ["check"], ["backup", "--keep", "2", "{data}/backup/"])


def foreign_folder(above):
    """A data folder that is not owned by root."""
    data = above / "data"
    data.mkdir(mode=0o750)
    if IS_ROOT:
        shutil.chown(data, WEB_USER, WEB_USER)
    return data


def as_root(data, *arguments):
    return subprocess.run([OKULCTL, "-d", str(data), *arguments], env=clean(), text=True, stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=120)


def owner_of_the_folder(data):
    owner = data.stat().st_uid
    (data / "backup").mkdir()
    shutil.chown(data / "backup", WEB_USER, WEB_USER)
    for command in COMMANDS:
        run = as_root(data, *(word.format(data=data) for word in command))
        assert run.returncode == 0 or command[0] == "check", run
        for path in (data, *data.rglob("*")):
            assert path.stat().st_uid == owner, f"{path} after {command}"
    assert (data / "okul.gate").exists() and list((data / "backup").glob("*.db"))


def owner_of_the_database(data):
    assert as_root(data, "migrate").returncode == 0
    shutil.chown(data, "root", WEB_USER)
    data.chmod(0o770)
    assert as_root(data, "sql", "UPDATE users SET bio = 'x'").returncode == 0
    assert {path.owner() for path in data.iterdir()} == {WEB_USER}


def rights_of_the_owner(data):
    assert as_root(data, "migrate").returncode == 0
    own = data.parent / "root"
    own.mkdir(mode=0o700)
    run = as_root(data, "backup", str(own / "okul.db"))
    assert run.returncode != 0 and list(own.iterdir()) == []
    assert "Permission denied" in run.stderr and f"root acts as {WEB_USER}" in run.stderr


def refused(data):
    """Root in a user namespace cannot act as the owner of /."""
    run = subprocess.run(["unshare", "-r", OKULCTL, "-d", "/", "check"], env=clean(), text=True, capture_output=True, timeout=60)
    assert run.returncode == 78 and "cannot act" in run.stderr, run


@pytest.mark.parametrize("way", (owner_of_the_folder, owner_of_the_database, rights_of_the_owner) if IS_ROOT else (refused,))
def test_root_acts_as_the_owner_of_the_data(way):
    with open_folder() as folder:
        way(foreign_folder(folder))


def test_data_of_root_stays_owned_by_root(tmp_path):
    assert as_root(tmp_path / "data", "migrate").returncode == 0
    assert as_root(tmp_path / "data", "user", "add", "a@example.com").returncode == 0
    assert {path.stat().st_uid for path in (tmp_path / "data").iterdir()} == {os.geteuid()}


# ---- secrets in processes


@contextlib.contextmanager
def serving(name, **settings):
    server = Server(name, **settings)
    try:
        yield server
    finally:
        server.stop()


def test_no_process_writes_core_dumps():
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2 if IS_ROOT else (before[1], before[1]))
    try:
        with serving("core", OKUL_WORKERS="1") as server:
            def ours():     # nginx has no keys in memory
                return {pid: name for pid, name in server.processes().items() if not name.startswith("nginx")} | {server.process.pid: "serve"}
            until(lambda: len(ours()) > len(PROGRAMS) + 2 and "mail" in str(ours()), "all programs")
            for pid, name in ours().items():
                limits = Path(f"/proc/{pid}/limits").read_text()
                assert re.search(r"(?m)^Max core file size +0 +0 ", limits), f"{name}: {limits}"
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)


def test_only_the_sender_has_the_password_of_the_smtp_server(tmp_path):
    """Checks the environment, which programs inherit; tests/unit/conf.c checks the memory."""
    folder = tmp_path / "bin"
    folder.mkdir()
    shutil.copy(OKULCTL, folder)
    shutil.copytree(BUILD / "share", folder / "share")
    spy = folder / "app.fcgi"
    spy.write_text(f"#!/bin/sh\nenv >{tmp_path}/new && mv {tmp_path}/new {tmp_path}/seen\nexec sleep 60\n")
    spy.chmod(0o755)
    data = tmp_path / "data"
    environment = clean() | {"OKUL_SMTP_PASSWORD": "hunter22", "OKUL_DATA": str(data), "OKUL_WORKERS": "1"}
    subprocess.run([OKULCTL, "migrate"], env=environment, check=True, capture_output=True)
    serve = subprocess.Popen([folder / "okulctl", "serve"], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    try:
        until((tmp_path / "seen").exists, "the program")
        seen = (tmp_path / "seen").read_text()
        assert "OKUL_DATA=" in seen and "PASSWORD" not in seen and "hunter22" not in seen
    finally:
        serve.terminate()
        assert serve.wait(40) == 0


@pytest.mark.parametrize("name, value, harmless", [
    ("smtp_password", "hunter22", ""),
    ("files_secret", "hunter22", ""),
    ("database", "postgresql://okul:hunter22@127.0.0.1:9/okul", "postgresql://okul@127.0.0.1:9/okul"),
    ("database", "postgresql://127.0.0.1:9/okul?user=okul&password=hunter22", "postgresql://127.0.0.1:9/okul?user=okul"),
])
def test_check_reports_that_others_can_read_the_password(programs, name, value, harmless):
    assert programs("migrate").returncode == 0
    file = programs.folder / "var/okul.conf"
    file.write_text(f"mail_from = school@example.org\n{name} = {harmless}\n")
    file.chmod(0o640)
    assert "password" not in programs("check").stdout
    file.write_text(f"{name} = {value}\n")
    output = programs("check").stdout
    assert "hunter22" not in output
    assert f"FAIL password: {name} in {file} can be read by other users (mode 0640); run: chmod 600 {file}" in output
    assert "password" not in programs("check", **{f"OKUL_{name.upper()}": value}).stdout
    file.chmod(0o600)
    assert "password" not in programs("check").stdout


# ---- incomplete requests


@pytest.mark.kills
def test_an_incomplete_request_does_not_block_a_worker():
    """Truncated in the parameters, truncated in the header of a record, and empty. An idle worker is not replaced."""
    with serving("half", OKUL_WORKERS="1") as server:
        until(lambda: "Ctrl-C stops" in server.output(), "the end of the start, which fails while a worker is busy")
        idle = server.workers("users")
        begin = struct.pack(">BBHHBB", 1, 1, 1, 8, 0, 0) + struct.pack(">HB5x", 1, 0)
        for start in (begin + struct.pack(">BBHHBB", 1, 4, 1, 100, 0, 0) + b"\x0e\x03REQUEST_METHODGET", begin + b"\x01\x04", b""):
            with socket.socket(socket.AF_UNIX) as wire:
                wire.connect(str(server.data / "run/app.sock"))
                wire.sendall(start)
                until(lambda: server.glance("/")[0] == 200, "a worker", 45)
        assert server.workers("users") == idle


# ---- /health


@contextlib.contextmanager
def held(server):
    """Holds all locks of the lock file, like a process that was stopped during a write."""
    if server.database:
        with writer_lock(server):
            yield
        return
    with open(server.data / "okul.gate", "r+b") as lock_file:
        fcntl.fcntl(lock_file, fcntl.F_OFD_SETLKW, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 3, 0))
        yield


def health(okul):
    return okul.get("/health").data["status"]


def test_health_reports_a_lock_that_another_process_holds():
    with serving("held", OKUL_WORKERS="1") as server:
        okul = Okul(server)
        ada = okul.registered()
        assert health(okul) == "ok"
        with held(server):
            until(lambda: health(okul) == "degraded", "degraded")
            assert ada.patch("/me", {"bio": "no"}).status == 503
            began = time.monotonic()
            for _ in range(50):
                okul.get("/health")
            assert time.monotonic() - began < 20 * SLOW, "further requests do not wait for the lock"
        until(lambda: health(okul) == "ok", "ok")
        assert ada.patch("/me", {"bio": "yes"}).status == 200


def test_health_reports_programs_older_than_the_database():
    with serving("older", OKUL_WORKERS="1") as server:
        okul = Okul(server)
        ada = okul.registered()
        get, put = ("SELECT version FROM schema_version", "UPDATE schema_version SET version =") if server.database else (
            "PRAGMA user_version", "PRAGMA user_version =")
        version = int(server.sql(get).split()[-1])
        server.sql(f"{put} {version + 1}")
        until(lambda: health(okul) == "degraded", "degraded")
        assert ada.patch("/me", {"bio": "no"}).status == 503
        server.sql(f"{put} {version}")
        until(lambda: health(okul) == "ok", "ok")


@pytest.mark.sqlite     # a server has no lock file
def test_a_removed_lock_file_is_created_again():
    with serving("removed", OKUL_WORKERS="2") as server:
        okul = Okul(server)
        ada = okul.registered()
        (server.data / "okul.gate").unlink()
        assert ada.patch("/me", {"bio": "yes"}).status == 200
        assert (server.data / "okul.gate").exists()
        with held(server):      # the new file, which the workers have opened too
            assert ada.patch("/me", {"bio": "no"}).status == 503
        assert health(okul) in ("ok", "degraded")


# ---- a disk that is nearly full


@pytest.mark.sqlite     # a server looks after its own disk
def test_a_disk_that_is_nearly_full_allows_deletions():
    """Test builds read the free space from a file."""
    with serving("full", OKUL_WORKERS="1", OKUL_DISK="") as server:
        disk = server.home / "disk"
        server.environment["OKUL_DISK"] = str(disk)
        server.restart()
        okul = Okul(server)
        ada, boss, again, other = okul.registered(), *(okul.staff("admin") for _ in range(3))
        course = boss.post("/courses", {"title": "A", "language": "en"}).data["id"]
        disk.write_text(str(8 << 20))
        until(lambda: ada.patch("/me", {"bio": "no"}).status == 503, "a worker that has checked the disk")
        until(lambda: health(okul) == "degraded", "degraded")
        assert boss.delete(f"/courses/{course}").status == 200
        assert again.post("/auth/logout").status == 200
        assert other.post("/api/v1/auth/logout").status == 200
        assert server.ctl("cleanup").returncode == 0
        assert server.ctl("files", "gc").returncode == 0
        assert server.ctl("sql", "DELETE FROM event").returncode == 0
        assert server.ctl("user", "add", "b@example.com", check=False).returncode == 1
        disk.write_text(str(3 << 20))
        run = server.ctl("cleanup", check=False)
        assert run.returncode == 1 and "MiB are free" in run.stderr
        # what needs no transaction makes room
        for name in ("00/" + 64 * "0", "tmp/0123"):
            (server.data / "files" / name).parent.mkdir(parents=True)
            (server.data / "files" / name).write_bytes(b"half")
        server.clock.advance(3610)
        assert server.ctl("files", "gc", check=False).returncode == 1
        assert not (server.data / "files/tmp/0123").exists() and (server.data / "files/00" / (64 * "0")).exists()
        disk.unlink()


# ---- control characters


NASTY = "\x1b]0;owned\x07\x1b[2J\u202egnp.exe\u2066\x9b31m\x7f"
SHOWN = "\\x1b]0;owned\\x07\\x1b[2J\\u202egnp.exe\\u2066\\u009b31m\\x7f"


def test_no_control_characters_are_printed_to_the_terminal(programs):
    assert programs("migrate").returncode == 0
    assert programs("user", "add", "nasty@example.com").returncode == 0
    literal = "'" + NASTY + "'"
    assert programs("sql", f"UPDATE users SET name = {literal}, bio = 'Ayşe çok güzel 👩‍👩‍👧' || char(9, 92)").returncode == 0
    assert programs("sql", f"INSERT INTO audit (at, action, subject_id, subject, before) SELECT 1, 'user.role', id, email, {literal} FROM users").returncode == 0
    assert programs("sql", "INSERT INTO outbox (id, recipient, language, template, sealed, created_at, expires_at, next_at, last_error)"
                    f" VALUES ('{24 * 'a'}', 'a@example.com', 'en', 'login-code', x'00', 0, 0, 0, {literal})").returncode == 0
    for run in (programs("sql", "SELECT name FROM users"), programs("audit"), programs("check"),
                programs("sql", f'SELECT 1 AS "{NASTY}"'), programs("sql", f'SELECT * FROM "{NASTY}"'), programs(NASTY)):
        output = run.stdout + run.stderr
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]", output), output
        assert "\\x1b]0;owned" in output
    assert SHOWN in programs("sql", "SELECT name FROM users").stdout
    assert "Ayşe çok güzel 👩‍👩‍👧\\t\\\\" in programs("sql", "SELECT bio FROM users").stdout
