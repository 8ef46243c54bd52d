"""okulctl database move: a living school to PostgreSQL and back."""

import json
import os
import re
import secrets
import signal
import subprocess
import threading
import time

import pytest

from helpers import postgres
from helpers.client import Okul
from helpers.everything import with_everything
from helpers.parallel import ServerLock
from helpers.server import Server, until

pytestmark = pytest.mark.postgres

PATHS = ("/courses?limit=100", "/courses?search=a&sort=-title", "/users?limit=100", "/users?search=ada", "/users?sort=-name",
         "/contact", "/proficiency-tests", "/proficiency-tests/admin/results", "/education-materials", "/storage/files",
         "/admin/audit?limit=100", "/admin/dashboard/stats?months=6")


@pytest.fixture
def school():
    server = Server("moved", OKUL_DATABASE=None)
    yield Okul(server)
    server.database = None  # the target is dropped by its own fixture
    server.stop()


@pytest.fixture
def target():
    url = postgres.server().create()
    yield url
    postgres.server().drop(url)


def seen(head):
    """What an administrator sees, but for the time of the response and signatures, which are made each time."""
    found = {}
    for path in PATHS:
        answer = head.get(path)
        assert answer.status in (200, 404), answer
        found[path] = json.loads(re.sub(r'(?:expires|signature)=[^&"]*|(?<="generatedAt": ")[^"]*', "", json.dumps(answer.data)))
    return found


def move(server, to, code=0):
    done = server.ctl("database", "move", to, check=False)
    assert done.returncode == code, done
    return done.stdout + done.stderr


def restart(server, database):
    server.database = database
    server.restart()


def test_there_and_back(school, target):
    head = school.staff("superadmin")
    for n in range(30):
        assert head.post("/courses", {"title": f"Kurs {n} Ğüş", "language": "tr", "price": n / 4}).status == 201
    with with_everything(school, head, "m" + secrets.token_hex(6)) as ada:
        pass
    before = seen(head)
    assert "have the same rows" in move(school.server, target)
    assert head.patch("/me", {"bio": "lost"}).status == 503 and head.get("/me").status == 200
    restart(school.server, target)
    assert seen(head) == before
    # the planner knows all tables at once; -1: it was never told
    assert school.server.sql("SELECT count(*) FROM pg_class WHERE relname IN ('users', 'course', 'result_tally_part') AND reltuples < 0"
                             ).split()[-1] == "0"
    assert head.patch("/me", {"bio": "kept"}).status == 200
    made = head.post("/courses", {"title": "There", "language": "en"}).data["id"]
    assert ada.get("/me").status == 200
    before = seen(head)
    assert "have the same rows" in move(school.server, "folder")
    restart(school.server, None)
    assert seen(head) == before
    assert head.get(f"/courses/{made}").status == 200 and head.get("/me").data["bio"] == "kept"
    assert head.post("/courses", {"title": "Back", "language": "en"}).status == 201
    assert school.server.sql("SELECT count(*) FROM user_reindex").split()[1] == "0"


def test_reads_go_on_and_no_acknowledged_write_is_missing(school, target):
    """Writers write until the old database takes no more."""
    head = school.staff("superadmin")
    for _ in range(3):
        head.post("/courses", {"title": "First", "language": "en"})
    written, statuses, stop = [], set(), threading.Event()

    def write():
        while not stop.is_set():
            answer = head.post("/courses", {"title": "On the way", "language": "en"})
            statuses.add(answer.status)
            if answer.status == 201:
                written.append(answer.data["id"])
            elif answer.status == 503:
                assert answer.headers["Retry-After"]
    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        until(lambda: len(written) > 50, "some courses")
        move(school.server, target)
        assert head.get("/courses").status == 200
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert statuses <= {201, 503}
    restart(school.server, target)
    for id_ in written:
        assert head.get(f"/courses/{id_}").status == 200, "an acknowledged write is missing"


@pytest.mark.parametrize("table, mode", [("users", "ACCESS SHARE"), ("instance", "SHARE"), ("result", "SHARE")])
def test_killed_in_the_middle(school, target, table, mode):
    """The old database serves on, and another run succeeds."""
    head = school.staff("superadmin")
    ids = [head.post("/courses", {"title": f"C{n}", "language": "en"}).data["id"] for n in range(5)]
    # a table of the target is locked: the move waits for it
    environment = school.server.environment | {"OKUL_DATABASE": target}
    subprocess.run([*school.server.command("migrate")], env=environment, check=True, stdout=subprocess.DEVNULL)
    holder = type("Place", (), {"database": target})
    lock = ServerLock(holder)
    lock.db.cursor().execute(f"LOCK TABLE {table} IN {mode} MODE")
    running = subprocess.Popen(school.server.command("database", "move", target), env=school.server.environment,
                               cwd=school.server.home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(1)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    lock.release()
    until(lambda: head.patch("/me", {"bio": "goes on"}).status == 200, "a write after the kill")
    assert not (school.server.data / "okul.conf").exists()
    # the server notices that its client is gone when the statement ends that waited
    until(lambda: school.server.ctl("database", "move", target, check=False).returncode == 0, "a move")
    restart(school.server, target)
    assert all(head.get(f"/courses/{id_}").status == 200 for id_ in ids) and head.get("/me").data["bio"] == "goes on"


def test_wrong_targets(school, target):
    server = school.server
    assert "usage" in move(server, "mysql://x", 64)
    assert "is the file" in move(server, "folder", 78)
    assert "make it: createdb" in move(server, target.replace("postgresql:///okul", "postgresql:///none"), 1)
    for command in (("migrate",), ("user", "add", "a@example.com")):
        subprocess.run(server.command(*command), env=server.environment | {"OKUL_DATABASE": target}, check=True, stdout=subprocess.DEVNULL)
    assert "is not empty" in move(server, target, 1)
    head = school.staff("superadmin")
    assert head.patch("/me", {"bio": "as before"}).status == 200
