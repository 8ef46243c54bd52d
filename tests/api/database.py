"""Which processes open the database file. An open() and close() of it inside a worker would drop SQLite's locks
(POSIX advisory locks) and lose commits."""

import collections
import re

import pytest

from helpers.client import Okul
from helpers.server import BUILD, Server

pytestmark = pytest.mark.sqlite  # who opens the file

CALL = re.compile(r'''(?x) ^ (?: open\("([^"]*)",\ ([^)]*)\) | openat\(\S+,\ "([^"]*)",\ ([^)]*)\)
    | creat\("([^"]*)",[^)]*\)    | close\((\d+)\) | execve\("([^"]*)".*\) ) \ += \ (-?\d+)''')


def read_trace(folder):
    """Returns for each process its program, and the database files that it opened, with flags and whether it closed
    them."""
    programs, opened = {}, collections.defaultdict(list)
    for path in folder.glob("trace.*"):
        pid, now = int(path.suffix[1:]), {}
        for line in path.read_text(errors="replace").splitlines():
            found = CALL.match(line)
            if not found or int(found[8]) < 0:
                continue
            if found[7]:
                programs[pid] = found[7]
                now.clear()     # SQLite's descriptors are close-on-exec
            elif found[6]:
                now.pop(int(found[6]), {})["closed"] = True
            else:
                name = found[1] or found[3] or found[5]
                if re.search(r"okul\.db(-wal|-shm)?$", name):
                    entry = {"file": name.rpartition("/")[2], "flags": found[2] or found[4] or "", "closed": False}
                    opened[pid].append(entry)
                    now[int(found[8])] = entry
    return programs, opened


def work(okul):
    """Makes requests that read and write to every program."""
    ada = okul.registered()
    assert ada.renew().status == 200
    assert okul.get("/settings/none").status == 404
    assert ada.get("/me").status == 200 and ada.patch("/me", {"bio": "x"}).status == 200
    assert okul.get("/courses").status == 200
    assert okul.get("/proficiency-tests").status == 200
    assert okul.get("/health").status == 200 and ada.get("/auth/sessions").status == 200
    assert ada.post("/auth/logout").status == 200


def test_only_sqlite_opens_the_database(tmp_path):
    strace = ["strace", "-ff", "-qq", "-s", "4096", "-e", "trace=open,openat,creat,close,execve", "-e", "signal=none"]
    server = Server("strace", under=[*strace, "-o", str(tmp_path / "trace")], OKUL_WORKERS="1")
    okul = Okul(server)
    try:
        work(okul)
        _, before = read_trace(tmp_path)
        for _ in range(3):
            work(okul)
        alive = set(server.processes())
        programs, opened = read_trace(tmp_path)
    finally:
        server.stop()
    for pid, entries in opened.items():
        program = programs.get(pid, "a fork of serve").rpartition("/")[2]
        assert program.endswith(".fcgi") or program in ("okulctl", "a fork of serve"), f"{program} opened {entries}"
        for entry in entries:
            # the flags that SQLite uses, unlike fopen() and a plain open()
            assert "O_NOFOLLOW" in entry["flags"] and "O_CLOEXEC" in entry["flags"], f"{program}: {entry}"
    workers = [pid for pid, program in programs.items() if program.endswith(".fcgi") and pid in alive]
    assert sorted(programs[pid].rpartition("/")[2] for pid in workers) == sorted(p.name for p in BUILD.glob("*.fcgi"))
    for pid in workers:
        entries = opened[pid]
        assert entries == before[pid], f"{programs[pid]} opened or closed a file during requests: {entries}"
        modes = sorted(re.match("O_RD(ONLY|WR)", e["flags"])[1] for e in entries if e["file"] == "okul.db")
        assert modes in (["ONLY", "WR"], ["ONLY"]), f"{programs[pid]}: each connection once: {entries}"
        assert not [e for e in entries if e["file"] == "okul.db" and e["closed"]], f"{programs[pid]}: {entries}"
