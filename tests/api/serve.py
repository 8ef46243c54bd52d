"""okulctl serve: terminal, crashes, upgrades, reload and stop of a server, and the responses of the web server itself."""

import contextlib
import http.client
import os
import pty
import re
import shutil
import signal
import socket
import stat
import subprocess
import threading
import time
from pathlib import Path

import pytest

from helpers import contract
from helpers.cgi import fastcgi, parse_cgi
from helpers.client import Okul
from helpers.sentences import SENTENCES
from helpers.server import BUILD, OKULCTL, ROOT, SLOW, Server, free_port, until

REFUSED = 78    # EX_CONFIG


class OwnServer(Server):
    """A server that a test may kill: in its own session, as from a terminal; optionally from another build folder, or
    without nginx."""

    def __init__(self, build=BUILD, web=True, **settings):
        self.okulctl, self.has_web = str(build / "okulctl"), web
        super().__init__("serve", web="nginx", **{"OKUL_WORKERS": "2", "OKUL_DELIVERY": "x-accel"} | settings)

    def start(self):
        options = ["--port", str(self.port)] if self.has_web else []
        with open(self.home / "serve.log", "wb") as log:
            self.process = subprocess.Popen([self.okulctl, "-d", str(self.data), "serve", *options], start_new_session=True, cwd=self.home,
                                            env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if self.has_web:
            until(lambda: "Ctrl-C stops" in self.output() or self.process.poll() is not None, "the screen", 20)
            assert self.process.poll() is None, self.output()
        else:
            until(lambda: self.processes() or self.process.poll() is not None, "the first process")

    def signal(self, number):
        os.kill(self.process.pid, number)

    def pids(self, program):
        return set(self.workers(program))

    def fetch(self, path, **headers):
        """Sends one request over a new connection, without checks of the response."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20 * SLOW)) as connection:
            connection.request("GET", path, headers={"Connection": "close"} | {k.replace("_", "-"): v for k, v in headers.items()})
            response = connection.getresponse()
            return response.status, response.headers, response.read()

    def status(self):
        """The status of /health, or the error."""
        try:
            return self.fetch("/health")[0]
        except (OSError, http.client.HTTPException) as error:
            return repr(error)

    def clear(self):
        if self.process.poll() is None:
            self.stop()
        else:
            shutil.rmtree(self.home)


class Load:
    """Four threads that send requests without a pause, each over one connection; collects all failures."""

    def __init__(self, server):
        self.server, self.asked, self.failures, self.running = server, 0, [], True
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run) for _ in range(4)]

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20 * SLOW)
        while self.running:
            try:
                connection.request("GET", "/health")
                response = connection.getresponse()
                response.read()
                status = response.status
            except (OSError, http.client.HTTPException) as error:
                status = repr(error)
                connection.close()
            with self.lock:
                self.asked += 1
                if status != 200:
                    self.failures.append(status)
        connection.close()

    def wait(self, more):
        """Waits for this number of further responses."""
        wanted = self.asked + more
        until(lambda: self.asked >= wanted, f"{more} more responses")

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.running = False
        for thread in self.threads:
            thread.join()


def gone(pids):
    def is_there(pid):
        try:
            return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):     # it may exit after the file was opened
            return False
    return not any(map(is_there, pids))


@pytest.fixture(name="server")
def fixture_server():
    server = OwnServer()
    yield server
    server.clear()


@pytest.fixture(name="shared_server", scope="module")
def fixture_shared_server():
    """One server for tests that only send requests."""
    server = OwnServer()
    yield server
    server.stop()


@pytest.fixture(name="visitor", scope="module")
def fixture_visitor(shared_server):
    visitor = Okul(shared_server)
    yield visitor
    if getattr(visitor.local, "connection", None):
        visitor.local.connection.close()


@pytest.fixture(name="make_server")
def fixture_make_server(tmp_path):
    """Makes servers with shell scripts as programs: make_server(web, auth="a script")."""
    servers = []

    def build(web=False, settings=None, **scripts):
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        shutil.copy(OKULCTL, folder)
        shutil.copytree(BUILD / "share", folder / "share", dirs_exist_ok=True)
        for name, script in scripts.items():
            write_program(folder, name, script)
        if "app" not in scripts:
            shutil.copy(BUILD / "app.fcgi", folder)
        servers.append(OwnServer(folder, web, **settings or {}))
        return servers[-1], folder
    yield build
    for server in servers:
        server.clear()


def write_program(folder, name, script):
    """Replaces the old file atomically, as an upgrade does."""
    new = folder / "new"
    new.write_text(f"#!/bin/sh\n{script}\n")
    new.chmod(0o755)
    new.rename(folder / f"{name}.fcgi")


def refused(server, *options, okulctl=OKULCTL, data=None, code=REFUSED):
    """The error message of `okulctl serve` when it does not start."""
    run = subprocess.run([str(okulctl), "-d", str(data or server.data), "serve", *map(str, options)], env=server.environment, text=True,
                         stdin=subprocess.DEVNULL, capture_output=True, timeout=30 * SLOW)
    assert run.returncode == code, run
    return run.stderr


# ---- start and stop


def test_stop_ends_all_processes(server):
    processes = server.processes()
    names = " ".join(processes.values())
    assert names.count("app.fcgi") == names.count("auth.fcgi") == names.count("users.fcgi") == 2
    assert names.count("mail --keep") == 1 and names.count("nginx: worker") >= 1
    server.end()
    assert gone(processes)
    assert not list((server.data / "run").glob("*.sock"))


def test_ctrl_c_reaches_the_process_group_and_stops_cleanly(server):
    processes = server.processes()
    os.killpg(server.process.pid, signal.SIGINT)
    assert server.process.wait(30) == 0
    assert gone(processes)


def test_a_closed_terminal_stops_it(server):
    server.end()
    pid, terminal = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)    # ignored when the tests run under nohup
        os.execve(OKULCTL, [OKULCTL, "-d", str(server.data), "serve", "--port", str(server.port)], server.environment)
    server.process.pid = pid
    until(lambda: server.status() == 200, "/health")
    processes = server.processes()
    assert len(processes) > 5
    os.close(terminal)
    until(lambda: os.waitpid(pid, os.WNOHANG)[0], "the end of serve")
    assert gone(processes)


def test_a_current_request_is_finished_before_the_end(server):
    """nginx finishes its requests first, and only then the programs are stopped."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as slow:
        slow.settimeout(60)
        slow.sendall(b"POST /auth/otp/request HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 28\r\n"
                     b"Expect: 100-continue\r\n\r\n{")
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += slow.recv(1)
        assert head.startswith(b"HTTP/1.1 100 ")     # nginx has the request
        server.signal(signal.SIGTERM)
        time.sleep(0.5)
        assert server.process.poll() is None
        slow.sendall(b'"email":"ada@example.com"}  ')
        assert slow.recv(100).startswith(b"HTTP/1.1 200 ")
    assert server.process.wait(60) == 0


def test_the_output_shows_url_mail_folder_and_login(server):
    screen, base = server.output(), f"http://127.0.0.1:{server.port}"
    assert f"okul runs at {base} " in screen and f"{server.data}/mail" in screen
    assert f"{base}/auth/otp/request" in screen and f"{base}/auth/otp/verify" in screen
    assert 6 <= len([line for line in screen.splitlines() if line]) <= 10
    assert f"Web app: {base}/app/\n" in screen
    code = server.ctl("user", "setup-code").stdout.strip().partition("code=")[2]
    assert f"\n  {base}/app/#/setup?code={code}\n" in screen
    server.ctl("user", "add", "first@example.com", "--role", "superadmin")
    server.end()
    server.start()
    assert "setup" not in server.output()


def test_the_login_commands_in_the_output_work(server):
    request, code, verify = re.findall(r"^  ((?!http)\S.*)$", server.output(), re.M)
    assert '"isSuccess":true' in subprocess.check_output(["sh", "-c", request], text=True, stderr=subprocess.DEVNULL)
    server.mailbox.wait("user@example.com")
    answer = subprocess.check_output(["bash", "-c", f"{code}; {verify}"], text=True, stderr=subprocess.DEVNULL)
    assert '"accessToken"' in answer, answer


def test_sockets_are_for_owner_and_group(server):
    for name in ("app", "auth", "users"):
        mode = (server.data / "run" / f"{name}.sock").stat().st_mode
        assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o660


def test_the_group_may_enter_the_folder_of_the_sockets(server):
    server.end()
    (server.data / "run").chmod(0o700)    # as `okulctl mail --keep` makes it
    server.start()
    assert (server.data / "run").stat().st_mode & 0o7777 == 0o750


def test_a_second_run_keeps_keys_and_users(server):
    keys = server.keys()
    server.ctl("user", "add", "ada@example.com")
    server.restart()
    assert server.keys() == keys and "ada@example.com" in server.ctl("user", "list").stdout


def test_a_second_serve_on_the_same_data_is_rejected(server):
    error = refused(server, "--port", free_port())
    assert f"(process {server.process.pid}) runs on {server.data}" in error and "DATA=" in error
    assert server.status() == 200


def test_two_servers_run_side_by_side(server):
    other = OwnServer()
    assert server.status() == other.status() == 200
    other.stop()
    assert server.status() == 200


def refuses(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_stale_socket_is_replaced(server):
    server.signal(signal.SIGKILL)
    server.process.wait(60)
    assert (server.data / "run" / "app.sock").exists()
    until(lambda: refuses(server.port), "the end of the old nginx")
    server.start()
    assert server.status() == 200


def test_a_port_in_use_is_reported_with_a_free_one(server):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        server.end()
        error = refused(server, "--port", port)
    assert f"port {port} is taken" in error and f"PORT={port + 1}" in error


def test_a_folder_with_a_name_that_nginx_cannot_use_is_rejected(server, tmp_path):
    odd = tmp_path / "my data"
    odd.mkdir()
    shutil.copy2(server.data / "keys.conf", odd)
    assert "choose another folder" in refused(server, "--port", free_port(), data=odd)


def test_invalid_options(server):
    assert "must be a number" in refused(server, "--port", "http", code=64)
    assert "do not go together" in refused(server, "--port", "8080", "--only", "app", code=64)


def test_a_program_that_cannot_start_aborts_the_start_with_its_error(make_server):
    server, folder = make_server()
    server.end()
    write_program(folder, "auth", "echo the cupboard is bare >&2; exit 78")
    start = time.monotonic()
    error = refused(server, "--port", server.port, okulctl=server.okulctl)
    assert time.monotonic() - start < 60
    assert "auth does not start" in error and "the cupboard is bare" in error and f"{server.data}/log/okul.log" in error


def test_no_program_beside_okulctl(server, tmp_path):
    shutil.copy(OKULCTL, tmp_path)
    shutil.copytree(BUILD / "share", tmp_path / "share")
    server.end()
    assert "there is no program" in refused(server, okulctl=tmp_path / "okulctl")


def test_a_process_that_does_not_stop_is_killed_at_the_second_signal(make_server):
    server, _ = make_server(auth="trap '' TERM; while :; do sleep 1000; done")
    until(lambda: len([n for n in server.processes().values() if n == "sleep 1000"]) == 2, "the scripts")
    processes = server.processes()
    server.signal(signal.SIGTERM)
    time.sleep(1.2)
    assert server.process.poll() is None
    server.signal(signal.SIGTERM)
    assert server.process.wait(60) == 0
    until(lambda: gone(processes), "the end of all")


def test_make_run_serves_and_ctrl_c_ends_it(tmp_path):
    port, out = free_port(), tmp_path / "make.out"
    flavour = "release" if BUILD.name == "build" else BUILD.name
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS", "OKUL_"))}
    with out.open("w") as file:
        make = subprocess.Popen(["make", "run", f"PORT={port}", f"DATA={tmp_path}/var", f"FLAVOUR={flavour}", "LIMITS=off"], cwd=ROOT,
                                env=environment, start_new_session=True, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    until(lambda: "Ctrl-C stops" in out.read_text() or make.poll() is not None, "make run", 300)
    assert make.poll() is None, out.read_text()
    with socket.create_connection(("127.0.0.1", port)):
        os.killpg(make.pid, signal.SIGINT)
        make.wait(30)
    with pytest.raises(ConnectionError):
        socket.create_connection(("127.0.0.1", port))
    assert "***" not in out.read_text() and "rror" not in out.read_text()


# ---- processes that die


def test_a_killed_worker_is_replaced_immediately(server):
    before = server.pids("app")
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    until(lambda: len(server.pids("app") - {victim}) == 2, "the new worker")
    assert re.search(rf"process_died program=app pid={victim} .*signal 9.* again_in_ms=0", server.output())


def test_kills_under_load_fail_at_most_one_request_each(server):
    kills = 10
    with Load(server) as load:
        for _ in range(kills):
            time.sleep(0.2)
            load.wait(10)
            victim = min(server.pids("app"))
            os.kill(victim, signal.SIGKILL)
            until(lambda: len(server.pids("app") - {victim}) == 2, "the new worker")
    assert load.asked >= 10 * kills
    assert len(load.failures) <= kills, load.failures


def test_a_killed_nginx_is_restarted(server):
    old = {pid for pid, name in server.processes().items() if "nginx" in name}
    os.kill(min(old), signal.SIGKILL)
    until(lambda: gone(old) and server.status() == 200, "the new nginx")


def test_all_processes_end_with_a_killed_supervisor(server):
    processes = server.processes()
    server.signal(signal.SIGKILL)
    server.process.wait(60)
    until(lambda: gone(processes), "the end of all")


def test_a_process_that_dies_early_is_restarted_with_growing_delays(make_server):
    server, _ = make_server(auth="date +%s.%N >> $OKUL_DATA/starts; kill -9 $$", settings={"OKUL_WORKERS": "1"})

    def starts():
        path = server.data / "starts"
        return list(map(float, path.read_text().split())) if path.exists() else []
    until(lambda: len(starts()) >= 6, "six starts")
    waits = list(map(int, re.findall(r"process_died program=auth .*again_in_ms=(\d+)", server.output())))
    assert waits[:5] == [0, 0, 250, 500, 1000]
    at = starts()
    assert all((after - before) * 1000 >= wait for before, after, wait in zip(at, at[1:], waits[:5])), (at, waits)


def test_a_wrong_configuration_is_reported_once_and_tried_again_at_sighup(make_server):
    server, _ = make_server(auth="echo x >> $OKUL_DATA/starts; exit 78", settings={"OKUL_WORKERS": "4"})
    until(lambda: "program_refused program=auth" in server.output(), "the error")
    time.sleep(1.5)     # no second one follows
    assert (server.data / "starts").read_text().count("x") == 1
    assert server.output().count("program_refused program=auth") == 1
    server.signal(signal.SIGHUP)
    until(lambda: server.output().count("program_refused program=auth") == 2, "the second try")


def test_it_ends_when_no_program_is_left(make_server):
    server, _ = make_server(app="exit 78")
    assert server.process.wait(60) == REFUSED
    assert "no program runs" in server.output()


def test_ticks_of_the_watchdog_fail_no_request():
    """The tick is real-time signal 1. A worker that is never idle gets each tick during another request, and is not
    stuck; a tick during accept() loses no connection."""
    server = OwnServer(OKUL_WORKERS="1")
    try:
        worker = min(server.pids("app"))
        with Load(server) as load:
            for _ in range(200):
                os.kill(worker, signal.SIGRTMIN + 1)
                time.sleep(0.025)
                load.wait(5)    # at most four requests were in progress: at least one has started after the tick
        assert load.failures == []
        assert server.pids("app") == {worker}
    finally:
        server.stop()


def test_a_retired_worker_is_replaced_immediately():
    server = OwnServer(OKUL_RETIRE_AFTER="5")
    try:
        with Load(server) as load:
            until(lambda: load.asked > 200, "200 responses")
        assert load.failures == []
        assert "process_died" not in server.output()
    finally:
        server.stop()


# ---- renewal (SIGHUP)


def test_renewal_under_load_fails_no_request(server):
    with Load(server) as load:
        for _ in range(2):
            before = {name: server.pids(name) for name in ("app", "auth", "users")}
            load.wait(60)
            server.signal(signal.SIGHUP)
            for name, old in before.items():
                until(lambda: len(server.pids(name)) == 2 and not server.pids(name) & old, f"new workers of {name}")
    assert load.asked > 100
    assert load.failures == []


def test_renewal_replaces_one_worker_at_a_time(server):
    counts = set()
    for _ in range(10):     # three workers exist only for a moment, which may be between two checks
        before = seen = server.pids("app")
        server.signal(signal.SIGHUP)
        while seen & before:
            # workers may end and start during a check: those found by two checks existed in between
            last, seen = seen, server.pids("app")
            counts.add(len(last & seen))
        until(lambda: len(server.pids("app")) == 2, "the end of the renewal")
        if 3 in counts:
            break
    assert 3 in counts <= {2, 3}


def test_renewal_includes_the_mail_sender(server):
    def senders():
        return {pid for pid, name in server.processes().items() if "mail --keep" in name}
    before = senders()
    server.signal(signal.SIGHUP)
    until(lambda: len(senders()) == 1 and not senders() & before, "a new sender")


def test_renewal_includes_nginx_when_its_configuration_changed(make_server):
    server, folder = make_server(web=True)

    def workers():
        return {pid for pid, name in server.processes().items() if "nginx: worker" in name}
    before = workers()
    shared = folder / "share/nginx/locations.conf"
    shared.write_text(shared.read_text() + "location = /teapot { return 418; }\n")
    server.signal(signal.SIGHUP)
    until(lambda: not workers() & before, "new nginx workers")
    assert server.fetch("/teapot")[0] == 418


def test_renewal_to_a_broken_program_keeps_the_old_workers(make_server):
    server, folder = make_server(auth="exec sleep 1000")
    until(lambda: list(server.processes().values()).count("sleep 1000") == 2, "both processes")
    time.sleep(0.3)
    before = {pid for pid, name in server.processes().items() if name == "sleep 1000"}
    write_program(folder, "auth", "exit 78")
    server.signal(signal.SIGHUP)
    until(lambda: "renewal_failed program=auth" in server.output(), "the message")
    time.sleep(1)
    assert before == {pid for pid, name in server.processes().items() if name == "sleep 1000"}


# ---- one program under systemd


def test_only_serves_one_program_on_the_given_socket(server):
    server.end()
    path = server.home / "given.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen(16)
        server.process = subprocess.Popen([OKULCTL, "-d", str(server.data), "serve", "--only", "app"], env=server.environment, stdin=listening)
    until(lambda: len(server.pids("app")) == 2, "the workers")
    processes = server.processes()
    assert len(processes) == 2
    status, _, body = parse_cgi(fastcgi(path, {"REQUEST_METHOD": "GET", "REQUEST_URI": "/health", "REMOTE_ADDR": "127.0.0.1"}))
    assert status == 200 and b'"isSuccess":true' in body
    server.signal(signal.SIGTERM)
    assert server.process.wait(30) == 0
    assert gone(processes) and path.exists()


def test_only_needs_a_listening_socket(server):
    assert "needs a listening socket" in refused(server, "--only", "app")


# ---- responses of the web server itself

CASES = {
    404: b"GET /nothing/here HTTP/1.1\r\nHost: a\r\n%s\r\n",
    405: b"TRACE / HTTP/1.1\r\nHost: a\r\n%s\r\n",
    413: b"POST /auth/otp/request HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n%s\r\n",
    431: b"GET / HTTP/1.1\r\nHost: a\r\n%sX-Long: " + b"a" * 9000 + b"\r\n\r\n",
    400: b"GET / HTTP/1.1\r\n%sHost: a\r\nHost: b\r\n\r\n",
    501: b"POST / HTTP/1.1\r\nHost: a\r\n%sTransfer-Encoding: smoke\r\n\r\n",
}


def own(answer, status, language="en"):
    """Checks what is different in responses of the web server; Okul has checked the envelope and other headers."""
    assert answer.status == status, answer
    assert len(answer.errors) == 1 and answer.headers["Content-Language"] == language
    assert answer.headers["Cache-Control"] == "no-store" and answer.headers["Server"] == "nginx"
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-Id"])
    return answer.errors[0]


@pytest.mark.parametrize("status", CASES)
def test_own_errors_in_four_languages(visitor, status):
    sentences = set()
    for language in contract.LANGUAGES:
        head = f"Accept-Language: {language}-XX,fr;q=0.5\r\nConnection: close\r\n".encode()
        sentences.add(own(visitor.raw(CASES[status] % head, path="/nothing"), status, language))
    assert len(sentences) == 4


def test_a_request_line_that_is_too_long(visitor):
    """The language is unknown, since the headers were not parsed."""
    own(visitor.raw(b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", path="/nothing"), 431)


@pytest.mark.parametrize("request_", [
    b"RUBBISH\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nbad header: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\n\n",
])
def test_malformed_heads(visitor, request_):
    own(visitor.raw(request_, path="/nothing"), 400)


@pytest.mark.parametrize("path", ["/nothing", "/_error", "/_share/schema.sql", "/_data/files/x", "/_data/keys.conf", "//health", "/health/"])
def test_paths_of_no_program(visitor, path):
    own(visitor.get(path), 404)


@pytest.mark.parametrize("language,asked", [("en", None), ("en", "fr"), ("tr", "TR"), ("de", "de-AT, en"), ("es", " es")])
def test_the_first_language_of_the_request_is_used(visitor, language, asked):
    own(visitor.get("/nothing", language=asked), 404, language)


def test_a_valid_request_id_is_returned(visitor):
    assert visitor.get("/nothing", headers={"X-Request-Id": "A.b_c-1"}).headers["X-Request-Id"] == "A.b_c-1"
    for bad in ("a b", "a" * 65, 'a"b'):
        own(visitor.get("/nothing", headers={"X-Request-Id": bad}), 404)


def test_a_missing_program_is_502_while_others_respond(server):
    (server.data / "run" / "auth.sock").unlink()
    for language in contract.LANGUAGES:
        status, headers, body = server.fetch("/auth/sessions", Accept_Language=language)
        assert status == 502 and b'"statusCode":502,' in body and SENTENCES["S_UNAVAILABLE"][language] in body.decode()
        assert headers["Content-Language"] == language and int(headers["Retry-After"]) > 0
        assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert server.status() == 200


def test_errors_of_the_programs_pass_unchanged(shared_server):
    status, headers, body = shared_server.fetch("/me", Accept_Language="tr")
    assert status == 401 and SENTENCES["S_NO_TOKEN"]["tr"] in body.decode() and headers["WWW-Authenticate"].startswith("Bearer")
    for path in ("/auth", "/auth/", "/auth/nothing"):
        status, headers, _ = shared_server.fetch(path)
        assert status == 404 and not re.fullmatch(r"[0-9a-f]{32}", headers["X-Request-Id"])


def test_a_body_of_one_mebibyte_reaches_the_program(visitor):
    answer = visitor.request("POST", "/auth/nothing", body=b" " * 1048576)
    assert answer.status == 404 and not re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-Id"])


def test_files_that_nginx_sends_keep_their_headers(shared_server):
    for path, kind in (("/swagger/json", "application/json"), ("/api/docs", "text/html; charset=utf-8")):
        status, headers, body = shared_server.fetch(path, X_Request_Id="file-1")
        assert status == 200 and headers["Content-Type"] == kind and len(body) > 1000
        assert headers["X-Request-Id"] == "file-1" and headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "X-Accel-Redirect" not in headers
        assert shared_server.fetch(path, If_None_Match=headers["ETag"])[0] == 304
        assert shared_server.fetch(path, Range="bytes=0-9")[2] == body[:10]


def test_the_access_log_has_no_query(shared_server, visitor):
    visitor.get("/nothing?signature=secret", headers={"X-Request-Id": "logged-1"})
    log = shared_server.data / "log" / "access.log"
    line = until(lambda: [row for row in log.read_text().splitlines() if row.endswith(" logged-1")], "the line")[0]
    assert '"GET /nothing" 404 ' in line and "secret" not in line


def test_no_log_of_nginx_has_a_signature_or_a_referer(server):
    """Also when the request fails because its program or file is missing, or its body is buffered on disk."""
    signed = {"Referer": "https://okul.example/?signature=leaked-by-referer"}
    address = "?expires=1&signature=leaked-by-address"
    (server.data / "run" / "storage.sock").unlink()
    assert server.fetch("/storage/files/a.png" + address, **signed)[0] == 502
    assert server.fetch("/nothing" + address, **signed)[0] == 404
    with socket.create_connection(("127.0.0.1", server.port)) as wire:
        wire.sendall(b"POST /auth/nothing%s HTTP/1.1\r\nHost: x\r\nReferer: %s\r\nConnection: close\r\nContent-Length: 200000\r\n\r\n"
                     % (address.encode(), signed["Referer"].encode()) + b" " * 200000)
        assert b" 404 " in wire.recv(100)
    def logs():
        return "".join(path.read_text() for path in (server.data / "log").iterdir())
    until(lambda: logs().count(" /storage/files/a.png") == 1 and "/auth/nothing" in logs(), "the lines")
    assert "leaked" not in logs()


# ---- values that are in two places


def test_web_servers_and_programs_have_the_same_sentences():
    nginx = dict(re.findall(r'^\t"(?:~\^)?([^"]+)" "([^"]+)";$', (ROOT / "conf/nginx/common.conf").read_text(), re.M))
    apache = re.findall(r'ErrorDocument (\d+) .*"errors":\["(.*?)\$', (ROOT / "conf/apache/errors.conf").read_text())
    for status, name in {"403": "S_ROLE_TOO_LOW", "404": "S_NO_PATH", "405": "S_NO_METHOD", "413": "S_TOO_LARGE", "429": "S_TOO_MANY_REQUESTS",
                         "500": "S_INTERNAL", "50[234]": "S_UNAVAILABLE"}.items():
        for language, text in SENTENCES[name].items():
            assert nginx[f"{status} {language}"] == text
    for language, sentences in zip(("en", "tr", "es", "de"), (dict(apache[i:i + 18]) for i in range(0, 72, 18)), strict=True):
        alone = {"414": sentences["414"], **dict.fromkeys(("502", "503", "504"), nginx[f"50[234] {language}"])}
        assert sentences == {status: nginx.get(f"{status} {language}", alone.get(status)) for status in sentences}


def test_headers_that_a_program_reads_are_passed_to_it():
    reads = set(re.findall(r'PARAMETER\("(HTTP_\w+)"', (ROOT / "lib/web/http.c").read_text()))
    passed = set(re.findall(r"^fastcgi_param (HTTP_\w+)", (ROOT / "conf/nginx/params.conf").read_text(), re.M))
    # nginx reads a chunked body to its end, and then passes its length
    assert reads == passed | {"HTTP_TRANSFER_ENCODING"} and "HTTP_AUTHORIZATION" in reads


def test_no_directive_of_apache_is_followed_by_a_comment():
    """Apache would parse the comment as further arguments, and not start."""
    for file in (ROOT / "conf/apache").iterdir():
        assert not re.search(r"(?m)^[ \t]*[^#\s].*[ \t]#", file.read_text()), file


def test_no_log_format_of_a_web_server_has_the_query():
    """The signature in a URL gives access to a private file for 15 minutes."""
    nginx, apache = ((ROOT / f"conf/{file}").read_text() for file in ("nginx/common.conf", "apache/okul.conf"))
    (line,) = re.findall(r"(?m)^log_format okul ([^;]*);", nginx)
    assert not re.search(r"\$(request|request_uri|args|query_string|http_referer)\b", line)
    lines = re.findall(r'(?m)^\s*CustomLog \S+ "(.*)"$', apache)
    assert len(lines) == apache.count("<VirtualHost") and not any(re.search(r"%(\{Referer\})?[rqi]", line) for line in lines)


def test_every_timeout_is_longer_than_the_one_inside_it():
    def seconds(file, pattern):
        return int(re.search(pattern, (ROOT / file).read_text(), re.M)[1])
    watchdog = seconds("lib/web/app.c", r"^#define WATCHDOG (\d+)")
    read = seconds("conf/nginx/locations.conf", r"^fastcgi_read_timeout (\d+)s;")
    web_stop = seconds("bin/serve_keep.c", r"^#define WEB_STOP \((\d+) \* SECOND\)")
    stop = seconds("bin/serve_keep.c", r"^#define STOP \((\d+) \* SECOND\)")
    unit = seconds("conf/systemd/okul@.service", r"^TimeoutStopSec=(\d+)")
    assert 2 < watchdog < read <= web_stop < stop < unit
