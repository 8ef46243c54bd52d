"""The server under test, and the files in its folder."""

import contextlib
import email
import email.policy
import http.client
import itertools
import os
import random
import re
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
from pathlib import Path

from helpers import postgres

ROOT = Path(__file__).resolve().parents[3]
BUILD = (ROOT / os.environ.get("OKUL_BUILD", "build/test")).resolve()
OKULCTL = str(BUILD / "okulctl")
WEB = os.environ.get("OKUL_WEB", "nginx")   # the web server in front of the programs: nginx or apache
SLOW = 4 if "asan" in BUILD.name else 1     # factor for timeouts

# Allowed origins of the test servers: the second is configured in a form that browsers do not send.
ORIGIN, ADMIN_ORIGIN = ORIGINS = ["https://okul.example", "https://admin.okul.example"]

counter = itertools.count(1)


def fresh(name="user"):
    """Returns a mail address that no other test uses."""
    return f"{name}{next(counter)}.{secrets.token_hex(3)}@example.com"


reserved = []       # sockets that stay open until this process ends


def free_port():
    """Returns a port that no other process takes: other tests reserve theirs with an abstract socket, and the port is
    below the range from which the kernel chooses ports of clients."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(first // 2, first)
        name = socket.socket(socket.AF_UNIX)
        with socket.socket() as probe:
            try:
                name.bind(f"\0okul-test-port-{port}")
                probe.bind(("127.0.0.1", port))
            except OSError:
                name.close()
                continue
        reserved.append(name)
        return port


def until(condition, what, seconds=60):
    """Waits until condition() returns a true value, and returns it. The timeout is generous, for a busy machine."""
    end = time.monotonic() + seconds * SLOW
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"timeout waiting for {what}"
        time.sleep(0.004)


class Clock:
    """The server's clock: real time plus the milliseconds in a file (test builds only)."""

    def __init__(self, path):
        self.path, self.offset = path, 0
        self.write()

    def write(self):
        # in place: programs have the file mapped, and reading a file that is truncated meanwhile raises SIGBUS
        with open(self.path, "r+b" if os.path.exists(self.path) else "wb") as file:
            file.write(struct.pack("=q", self.offset))

    def advance(self, seconds):
        self.offset += round(seconds * 1000)
        self.write()

    def now(self):
        return time.time() + self.offset / 1000


class Mailbox:
    """The folder into which the file transport writes mails."""

    def __init__(self, folder):
        self.folder, self.seen, self.mails = folder, set(), {}

    def scan(self):
        if not self.folder.is_dir():
            return
        new = [e for e in os.scandir(self.folder) if e.name.endswith(".eml") and e.name not in self.seen]
        for entry in sorted(new, key=lambda e: (e.stat().st_mtime_ns, e.name)):
            self.seen.add(entry.name)
            source = Path(entry.path).read_bytes()
            mail = email.message_from_bytes(source, policy=email.policy.default)
            mail.source = source
            self.mails.setdefault(mail["To"].addresses[0].addr_spec, []).append(mail)

    def to(self, address):
        self.scan()
        return self.mails.get(address, [])

    def wait(self, address, count=1):
        """Waits until `count` mails to the address have arrived, and returns the newest."""
        return until(lambda: len(self.to(address)) >= count and self.to(address), f"mail {count} to {address}")[-1]


def code_in(mail, digits=6):
    """Returns the login code in the plain text part of a mail."""
    found = re.findall(rf"(?<!\d)\d{{{digits}}}(?!\d)", mail.get_body(("plain",)).get_content())
    assert len(set(found)) == 1, f"one code in the mail, not {found}"
    return found[0]


def dialect(sql):
    """Literals and types that only SQLite has, for PostgreSQL."""
    sql = re.sub(r"\bx'([0-9a-fA-F]*)'", r"'\\x\1'::bytea", sql)
    sql = re.sub(r"\bchar\((\d+), (\d+)\)", r"chr(\1) || chr(\2)", sql)
    return re.sub(r"\bchar\((\d+)\)", r"chr(\1)", sql)


class Server:
    """One `okulctl serve` with its own data folder and nginx; with web="apache", Apache is in front of the programs."""

    def __init__(self, name, under=(), web=WEB, **settings):
        self.home = Path(tempfile.mkdtemp(prefix=f"okul-{name}-"))
        self.data = self.home / "data"
        self.data.mkdir(mode=0o700)
        self.web, self.apache = web, None
        self.port = free_port()     # of the web server that tests use
        self.nginx_port = self.port if web == "nginx" else free_port()
        self.clock = Clock(self.home / "clock")
        self.under = list(under)
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("OKUL_")} | {
            "OKUL_ENV": "development", "OKUL_MAIL_TRANSPORT": "file", "OKUL_LIMITS": "off", "OKUL_WORKERS": "3",
            "OKUL_RETIRE_AFTER": "0", "OKUL_DELIVERY": "x-accel" if web == "nginx" else "x-sendfile", "OKUL_CLOCK": str(self.clock.path),
            "OKUL_CORS_ORIGINS": f"{ORIGIN}, HTTPS://Admin.Okul.Example:443/",
            "ASAN_OPTIONS": f"log_path={self.home}/sanitizer:detect_leaks={0 if under else 1}",
            "UBSAN_OPTIONS": f"log_path={self.home}/sanitizer:print_stacktrace=1",
        } | {name: value for name, value in settings.items() if value is not None}
        self.database = None    # its URL; None: the file DATA/okul.db, also on PostgreSQL where OKUL_DATABASE is None
        if postgres.ENABLED and "OKUL_DATABASE" not in settings:
            self.database = postgres.server().create()
            (self.data / "okul.conf").write_text(f"database = {self.database}\n")
        self.origins = ORIGINS if self.environment["OKUL_CORS_ORIGINS"] else []
        self.mailbox = Mailbox(self.data / "mail")
        self.codes, self.tokens = set(), set()  # every secret that this server issued
        self.process = None
        self.ctl("migrate")
        self.start()

    def start(self):
        with open(self.home / "serve.log", "ab") as log:
            self.process = subprocess.Popen([*self.under, OKULCTL, "-d", str(self.data), "serve", "--port",
                                             str(self.nginx_port)],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment,
                                            cwd=self.home)
        try:
            if self.web == "apache":
                from helpers.apache_server import Apache
                self.apache = Apache(self)
            until(self.answers, "the server's /health", 20)
        except BaseException:
            self.process.kill()
            raise

    def answers(self):
        self.check_sanitizers()
        assert self.process.poll() is None, f"serve ended with {self.process.returncode}:\n" + self.output()
        try:
            return self.glance("/health")[0] == 200
        except OSError:
            return False

    def listens(self, port):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def glance(self, path):
        """Returns status and body of a GET, unchecked."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()

    def end(self):
        """Stops the server as an operator does, and fails with its output when it does not exit cleanly."""
        if self.apache:
            self.apache.stop()
            self.apache = None
        children = self.processes()
        os.kill(min(children) if self.under else self.process.pid, signal.SIGTERM)
        try:
            code = self.process.wait(30)
        finally:
            self.process.kill()
        self.check_sanitizers()
        assert code == 0, f"serve ended with {code}:\n{self.output()}"
        left = [name for pid, name in children.items() if os.path.exists(f"/proc/{pid}")]
        assert not left, f"processes outlived the server: {left}"

    def stop(self):
        """Stops the server and deletes its folder."""
        try:
            self.end()
        finally:
            if self.database:
                postgres.server().drop(self.database)
            if not os.environ.get("OKUL_KEEP"):
                shutil.rmtree(self.home)

    def check_sanitizers(self):
        """Fails with what AddressSanitizer, LeakSanitizer and UBSan reported since the last call."""
        reports = []
        for path in self.home.glob("sanitizer.*"):
            lines = path.read_text(errors="replace").splitlines()
            path.unlink()
            # no finding: the process was killed while LeakSanitizer scanned it
            if not all(re.fullmatch(r"==\d+==Unable to get registers from thread \d+\.", line) for line in lines):
                reports.append("\n".join(lines[:30]))
        assert not reports, f"{len(reports)} reports, the first:\n{reports[0]}"

    def deaths(self):
        """The log lines of the supervisor about processes that died."""
        log = (self.data / "log/okul.log").read_text(errors="replace")
        return [line for line in log.splitlines() if "process_died" in line]

    def restart(self):
        self.end()
        self.start()

    def output(self):
        return (self.home / "serve.log").read_text(errors="replace")

    def command(self, *arguments):
        if self.database and arguments[0] == "sql":
            arguments = [dialect(argument) for argument in arguments]
        return [OKULCTL, "-d", str(self.data), *arguments]

    def ctl(self, *arguments, check=True):
        run = subprocess.run(self.command(*arguments), env=self.environment, cwd=self.home,
                             text=True,
                             stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        if check:
            assert run.returncode == 0, f"okulctl {' '.join(arguments)}: {run.returncode}\n{run.stdout}{run.stderr}"
        return run

    def sql(self, text):
        return self.ctl("sql", text).stdout

    def processes(self):
        """All processes below this server: {pid: name}."""
        parents, names = {}, {}
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                stat = Path(f"/proc/{entry}/stat").read_text()
                words = Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            parents[int(entry)] = int(stat.rpartition(")")[2].split()[1])
            names[int(entry)] = " ".join([os.path.basename(words[0].decode()),
                                          *(w.decode(errors="replace") for w in words[1:])]).strip()

        def below(pid):
            while pid in parents:
                pid = parents[pid]
                if pid == self.process.pid:
                    return True
            return False
        # LeakSanitizer forks a short-lived child with the same command line when a program exits
        return {pid: names[pid] for pid in sorted(parents) if below(pid) and
                not (".fcgi" in names[pid] and names[pid] == names.get(parents[pid]))}

    def workers(self, program=""):
        return {pid: name for pid,
                name in self.processes().items() if name.startswith(program) and ".fcgi" in name.split(" ")[0]}

    def logs(self):
        """The output of the server and all its log files: {name: bytes}."""
        files = [self.home / "serve.log",
                 *(p for p in self.data.rglob("*") if p.is_file() and "log" in str(p.relative_to(self.data)))]
        return {str(p): p.read_bytes() for p in files}

    def keys(self):
        """The JWT keys of keys.conf: [(kid, key bytes)], the signing key first."""
        section = re.search(r"(?ms)^\[jwt\]$(.*?)^\[", (self.data / "keys.conf").read_text())[1]
        return [(kid, bytes.fromhex(key)) for kid, key in re.findall(r"(?m)^([\w-]+) = ([0-9a-f]{64})$", section)]


def shows_code(text, code):
    """Whether a text contains a login code by itself: six digits can be part of a random hexadecimal id."""
    return re.search(rf"(?<![0-9a-f]){code}(?![0-9a-f])", text) is not None


def sender(server):
    return until(lambda: [pid for pid, name in server.processes().items() if re.match("okulctl .* mail --keep$", name)],
                 "the mail sender")


def files(server):
    """The files below DATA/files: {name: path}."""
    return {p.name: p for p in (server.data / "files").rglob("*") if p.is_file()}
