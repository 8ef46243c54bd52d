"""The connection to PostgreSQL is lost, or its server restarts: what requests at hand and later ones respond, that no worker
dies, and that no acknowledged write is missing."""

import os
import signal
import socket
import threading
import time

import pytest

from helpers.client import Okul
from helpers.postgres import Postgres
from helpers.server import Server, until

pytestmark = pytest.mark.postgres


# Each worker waits a second after a failed attempt to connect (CONNECT_PAUSE), and then tries again at its next request.
PAUSE = 1.5


class Restartable(Postgres):
    """A server that tests stop and start again; its commits are synced."""

    def settings(self):
        return ["-c", "fsync=on"]

    def kill(self):
        """As a crash of the machine's server process: no shutdown, connections break."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(60)

    def restart(self):
        self.launch()


@pytest.fixture(scope="module")
def postgres():
    server = Restartable()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def site(postgres):
    server = Server("lost", OKUL_WORKERS="2", OKUL_DATABASE=postgres.create())
    until(lambda: len(server.workers()) == 20, "two workers of each group")
    yield Okul(server)
    server.stop()


@pytest.fixture(scope="module")
def head(site):
    return site.staff("superadmin")


@pytest.fixture(autouse=True)
def no_worker_dies(site):
    before = site.server.workers()
    yield
    assert site.server.workers() == before
    assert site.server.deaths() == []


def drop_connections(postgres):
    postgres.run("psql", "-h", postgres.home, "-U", "okul", "-d", "postgres", "-qc",
                 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'okul'")


def test_a_request_after_a_lost_connection_notices_nothing(postgres, site, head):
    for _ in range(3):
        drop_connections(postgres)
        assert head.get("/me").status == 200
        assert head.post("/courses", {"title": "After", "language": "en"}).status == 201


def test_a_stopped_server_is_said_so_and_comes_back(postgres, site, head):
    postgres.kill()
    for answer in (head.get("/me"), head.post("/courses", {"title": "Never", "language": "en"}), site.get("/courses")):
        assert answer.status == 503 and answer.headers["Retry-After"]
    health = site.get("/health")
    assert health.status == 503 and "database server" in health.errors[0], health
    started = time.monotonic()
    assert head.get("/me").status == 503
    assert time.monotonic() - started < 1, "while the server is away no request waits for it"
    postgres.restart()
    time.sleep(PAUSE)
    until(lambda: (site.get("/health").data or {}).get("status") == "ok", "a healthy service")
    assert "Never" not in [course["title"] for course in head.get("/courses?limit=100").data["items"]]


def test_the_mail_sender_logs_once_that_the_server_is_away(postgres, site):
    def lines():
        return [line for line in (site.server.data / "log/okul.log").read_text().splitlines() if "prog=mail" in line]

    def wake():
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(b".", str(site.server.data / "run/mail.sock"))
    before = len(lines())
    postgres.kill()
    try:
        wake()
        until(lambda: "mail_database " in "".join(lines()[before:]), "the sender that notices")
        for _ in range(3):
            time.sleep(PAUSE)
            wake()
    finally:
        postgres.restart()
    until(lambda: "mail_database_back" in "".join(lines()[before:]), "the sender that is back")
    found = "\n".join(lines()[before:])
    assert [found.count(word) for word in ("mail_database ", "db_unreachable", "db_reachable", "mail_database_back")] == [1] * 4, found


def test_a_commit_that_no_standby_confirmed_is_not_acknowledged(postgres, site, head):
    """With synchronous replication and no standby, COMMIT waits, without a timeout of the server: the row is on this machine only, and
    lost when a standby takes over. After some seconds the response says that it does not know."""
    def wait_for(standbys):
        for sql in (f"ALTER SYSTEM SET synchronous_standby_names = '{standbys}'", "SELECT pg_reload_conf()"):
            postgres.run("psql", "-h", postgres.home, "-U", "okul", "-d", "postgres", "-qc", sql)
        until(lambda: postgres.run("psql", "-h", postgres.home, "-U", "okul", "-d", "postgres", "-qAtc",
                                   "SHOW synchronous_standby_names").strip() == standbys, "the setting")
    try:
        wait_for("nobody")
        answer = head.post("/courses", {"title": "Alone", "language": "en"})
        assert answer.status == 503 and "check whether it was made" in answer.errors[0], answer
        assert head.get("/courses?search=Alone").status == 200
    finally:
        wait_for("")
    assert head.post("/courses", {"title": "Confirmed", "language": "en"}).status == 201


def test_writers_while_connections_break_and_the_server_crashes(postgres, site, head):
    stop, lock, acknowledged, statuses = threading.Event(), threading.Lock(), [], set()

    def write(n):
        count = 0
        while not stop.is_set():
            count += 1
            answer = head.post("/courses", {"title": f"Kept {n}-{count}", "language": "en"})
            with lock:
                statuses.add(answer.status)
                if answer.status == 201:
                    acknowledged.append(answer.data["id"])
                else:
                    assert answer.errors and answer.headers["Retry-After"], answer
    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            time.sleep(.5)
            drop_connections(postgres)
        for _ in range(2):
            time.sleep(.5)
            postgres.kill()
            time.sleep(.5)
            postgres.restart()
        time.sleep(2)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    time.sleep(PAUSE)
    assert statuses == {201, 503} and len(acknowledged) > 100
    for id_ in acknowledged:
        assert head.get(f"/courses/{id_}").status == 200, "an acknowledged write is missing"


def test_a_worker_that_starts_while_the_server_is_away(postgres):
    """As on a machine that boots while the database fails over: programs and mail sender wait for it, by themselves."""
    server = Server("away", OKUL_WORKERS="2", OKUL_DATABASE=postgres.create())
    try:
        okul = Okul(server)
        boss = okul.staff("superadmin")
        until(lambda: len(server.workers()) == 20, "two workers of each group")
        postgres.kill()
        old = {pid: name for pid, name in server.processes().items() if ".fcgi" in name or name.endswith("--keep")}
        for pid in old:
            os.kill(pid, signal.SIGKILL)
        until(lambda: sum(b"prog=mail" not in line and b"no connection to the database" in line
                          for line in b"".join(server.logs().values()).splitlines()) >= 40, "programs that tried again")
        postgres.restart()
        until(lambda: len(server.workers()) == 20 and not old.keys() & server.workers().keys(), "all workers", 180)
        assert boss.post("/courses", {"title": "Again", "language": "en"}).status == 201
        until(lambda: any(name.endswith("--keep") for name in server.processes().values()), "the mail sender")
        okul.registered("after@example.com")    # logs in by a code from a mail
        assert b"program_refused" not in b"".join(server.logs().values())
    finally:
        if postgres.process.poll() is not None:
            postgres.restart()
        server.stop()
