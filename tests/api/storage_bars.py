"""Group storage under strain: large files, slow readers, workers that are killed, many who upload the same, and gc meanwhile."""

import contextlib
import fcntl
import hashlib
import os
import re
import signal
import socket
import struct
import termios
import threading
import time
from pathlib import Path

import pytest

from helpers.cgi import cgi_process
from helpers.client import Closing, Okul, form
from helpers.samples import mp4, png
from helpers.server import SLOW, Server, files, until
from helpers.uploads import path_of, uploaded

MIB = 1 << 20
# OKUL_LONG=1 makes the large ones as large as the bars say; the figures of the normal run show the same.
LARGE = 500 * MIB if os.environ.get("OKUL_LONG") else 64 * MIB
ROUNDS = 40 if os.environ.get("OKUL_LONG") else 4


def at_once(*acts):
    """Runs all of them in threads of their own; fails with the first failure."""
    found = []

    def run(act):
        try:
            act()
        except BaseException as failure:    # to be told below
            found.append(failure)
    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if found:
        raise found[0]


def private_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup") as lines:
        return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))


def whole(server):
    """Every row has its file, and what lies under the name of a hash has that hash: also what no row names."""
    run = server.ctl("files", "verify", check=False)
    assert run.returncode == 0, run.stdout
    for name, path in files(server).items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == name, f"half a file under its name: {path}"


def distinct(server):
    return set(server.sql("SELECT DISTINCT sha256 FROM file").split()[1:])


# ---- memory and time


def test_a_large_upload_takes_no_memory():
    server = Server("large", OKUL_WORKERS="1", OKUL_UPLOAD_LIMIT="600", OKUL_UPLOAD_REQUEST_LIMIT="601", OKUL_STORAGE_USER_QUOTA="0")
    okul = Okul(server)
    try:
        ada, (worker,) = okul.registered(), server.workers("storage")
        for _ in range(3):
            uploaded(ada, mp4(MIB))
        before, most, over = private_kib(worker), [0], threading.Event()

        def watch():
            while not over.wait(0.02):
                most[0] = max(most[0], private_kib(worker))
        content = mp4(LARGE)

        def upload():
            start = time.monotonic()
            try:
                answer = uploaded(ada, content)
            finally:
                over.set()
            assert answer.data["size"] == LARGE
            print(f"{LARGE // MIB} MiB in {time.monotonic() - start:.1f} s, private {before} KiB before, at most {most[0]}, "
                  f"{private_kib(worker)} behind")
        at_once(upload, watch)
        if SLOW == 1:   # AddressSanitizer keeps what was freed
            assert most[0] - before <= 1024 and private_kib(worker) - before <= 1024
        server.ctl("files", "verify")
    finally:
        server.stop()


def test_slow_readers_hold_no_worker():
    """200 clients that take a film of 1 GiB as it comes: nginx has them, the programs are free."""
    server = Server("slow", OKUL_WORKERS="2")
    okul = Okul(server)
    readers = []
    try:
        ada = okul.registered()
        small = uploaded(ada)
        # a sparse file, and a row that names it
        name = "ab" + "0" * 62
        folder = server.data / "files/ab"
        folder.mkdir(exist_ok=True)
        with open(folder / name, "wb") as film:
            film.truncate(1 << 30)
        server.sql("INSERT INTO file (id, key, sha256, size, mime, name, is_public, created_at) VALUES"
                   f" ('{'f' * 24}', 'film.mp4', '{name}', {1 << 30}, 'video/mp4', 'film', 1, 0)")
        for _ in range(200):
            reader = socket.create_connection(("127.0.0.1", server.port))
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.sendall(b"GET /storage/files/film.mp4 HTTP/1.1\r\nHost: x\r\n\r\n")
            readers.append(reader)
        assert all(reader.recv(15) == b"HTTP/1.1 200 OK" for reader in readers)
        slowest = 0
        for _ in range(50):
            start = time.monotonic()
            assert okul.get(path_of(small)).status == 200
            slowest = max(slowest, time.monotonic() - start)
        uploaded(ada)
        assert slowest < 10, slowest     # who has to wait for a reader waits for ever
        for reader in readers:
            assert reader.recv(1000)
    finally:
        for reader in readers:
            reader.close()
        server.stop()


def left_in(pipe):
    """Bytes that were written and not read."""
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0]


def pending(pid, number):
    """Whether a signal was sent to a process and has not reached it."""
    masks = re.findall(r"(?m)^(?:Sig|Shd)Pnd:\t(\w+)$", Path(f"/proc/{pid}/status").read_text())
    return any(int(mask, 16) >> number - 1 & 1 for mask in masks)


@pytest.mark.parametrize("step, lives", [(100_000, True), (1, False), (0, False)])
def test_an_upload_that_takes_long_is_not_stuck(okul, step, lives):
    """The watchdog ends a request after some ticks, but not one that moves on between them. The ticks are made by hand here."""
    ada, content = okul.registered(), mp4(2 * MIB)
    kind, body = form(("file", "a", content))
    run = cgi_process(okul.server, "storage", "POST", "/storage/upload", {"Authorization": f"Bearer {ada.token}"}, len(body), kind)
    sent = 200_000      # more than a pipe holds: what was sent later it has read before
    try:
        run.stdin.write(body[:sent])
        for _ in range(10):
            run.stdin.write(body[sent:sent + step])
            run.stdin.flush()
            sent += step
            until(lambda: run.poll() is not None or left_in(run.stdin) == 0, "the reader")
            run.send_signal(signal.SIGRTMIN + 1)
            until(lambda: run.poll() is not None or not pending(run.pid, signal.SIGRTMIN + 1), "the tick")
        run.stdin.write(body[sent:])
    except BrokenPipeError:
        assert not lives
    with contextlib.suppress(BrokenPipeError):
        run.stdin.close()
    out, err = run.stdout.read(), run.stderr.read()
    assert run.wait(30) == (0 if lives else 1), err
    assert (b"201 Created" in out) == lives and (b"watchdog" in err) != lives
    run.stdout.close()
    run.stderr.close()


# ---- many at once


def test_the_same_bytes_from_many_at_once(okul):
    people, content, got = [okul.registered() for _ in range(8)], mp4(300_000), []

    def upload(person):
        for _ in range(4):
            got.append(uploaded(person, content).data)
    at_once(*[lambda p=p: upload(p) for p in people])
    assert len({d["key"] for d in got}) == 32 and len({d["sha256"] for d in got}) == 1
    assert files(okul.server)[got[0]["sha256"]].read_bytes() == content
    assert okul.server.sql(f"SELECT count(*) FROM file WHERE sha256 = '{got[0]['sha256']}'").split()[1] == "32"


def test_the_quota_holds_against_many_at_once():
    with contextlib.closing(Closing(OKUL_STORAGE_USER_QUOTA="1", OKUL_WORKERS="4")) as okul:
        ada, statuses = okul.registered(), []

        def upload():
            for _ in range(4):
                statuses.append(ada.upload(mp4(300_000)).status)
        at_once(*[upload] * 6)
        assert sorted(set(statuses)) == [201, 409] and statuses.count(201) == 3
        assert int(okul.server.sql("SELECT sum(size) FROM file").split()[1]) <= MIB


def test_gc_races_uploads():
    """
    To this server everything is hours old, so gc takes what has no row at any moment: between the name of a file and its row
    too. An upload that this hits may fail, but never leaves a row without its file.
    """
    server = Server("race", OKUL_WORKERS="3", OKUL_STORAGE_USER_QUOTA="0")
    okul = Okul(server)
    try:
        people = [okul.registered() for _ in range(4)]
        server.clock.advance(2 * 3600)
        people = [okul.login(person.email) for person in people]
        shared = [png(), mp4(200_000)]
        over, statuses = time.monotonic() + 3 * min(SLOW, 2), []

        def upload(person, i):
            while time.monotonic() < over or statuses.count(201) <= 10:
                content = shared[i % 2] if i % 4 else png()
                answer = person.upload(content)
                statuses.append(answer.status)
                assert answer.status in (201, 503), answer
                if answer.status == 201:
                    # also one that goes again: the next of the same bytes meets an old file, or none
                    server.sql(f"DELETE FROM file WHERE key = '{answer.data['key']}'") if i % 3 == 0 else None
                i += 1

        def gc():
            while time.monotonic() < over:
                server.ctl("files", "gc")
        at_once(gc, gc, *[lambda p=p, i=i: upload(p, i) for i, p in enumerate(people)])
        server.ctl("files", "gc")
        whole(server)
        assert set(files(server)) == distinct(server)
    finally:
        server.stop()


@pytest.mark.kills
def test_killed_workers_leave_no_row_without_its_file_and_no_half_file():
    server = Server("kill", OKUL_WORKERS="8", OKUL_STORAGE_USER_QUOTA="0")
    okul = Okul(server)
    try:
        people, good, kills = [okul.registered() for _ in range(4)], set(), 0
        over = threading.Event()

        def upload(person, i):
            while not over.is_set():
                content = png() if i % 5 else mp4(2 * MIB)
                i += 1
                try:
                    answer = person.upload(content)
                except OSError:
                    continue
                assert answer.status in (201, 502, 503, 504), answer
                if answer.status == 201:
                    good.add((answer.data["key"], hashlib.sha256(content).hexdigest()))

        def kill():
            nonlocal kills
            try:
                for i in range(ROUNDS * 4):
                    # the oldest: the supervisor lets one that dies in its first second wait
                    time.sleep(0.11 + 0.013 * (i % 5))
                    os.kill(min(server.workers("storage")), signal.SIGKILL)
                    kills += 1
                until(lambda: len(good) > ROUNDS, "uploads that went well")
            finally:
                over.set()
        at_once(kill, *[lambda p=p, i=i: upload(p, i) for i, p in enumerate(people)])
        assert kills >= ROUNDS * 4 and len(good) > ROUNDS
        until(server.answers, "the server")
        whole(server)
        rows = server.sql("SELECT key, sha256 FROM file").splitlines()[1:]
        assert good <= {tuple(row.split("\t")) for row in rows}, "what was acknowledged is there"
        server.clock.advance(2 * 3600)
        server.ctl("files", "gc")
        assert set(files(server)) == distinct(server)
        whole(server)
    finally:
        server.stop()
