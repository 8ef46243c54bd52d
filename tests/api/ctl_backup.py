"""okulctl backup: complete copies of the database during writes."""

import contextlib
import fcntl
import hashlib
import itertools
import os
import re
import signal
import stat
import subprocess
import threading
import time

import pytest

from helpers import postgres
from helpers.client import Okul
from helpers.database import tuples
from helpers.parallel import writer_lock
from helpers.server import OKULCTL, SLOW, Server, until

END = "dump" if postgres.ENABLED else "db"
LINE = re.compile(r"(.+): (\d+) bytes, SHA-256 ([0-9a-f]{64})\n")
VERSION = "SELECT version FROM schema_version" if postgres.ENABLED else "SELECT user_version FROM pragma_user_version"
NAME = re.compile(rf"okul-\d{{4}}-\d\d-\d\d-\d{{6}}\.{END}")


@pytest.fixture(scope="module")
def school():
    """A server with a large database, so that a copy takes a while."""
    server = Server("backup")
    try:
        server.ctl("demo", "--users", "500", "--results", str((2000 if postgres.ENABLED else 20000) // SLOW))
        yield Okul(server)
    finally:
        server.stop()


class Copy:
    """A database that was restored from a backup."""

    def __init__(self, path):
        self.path, self.database = path, postgres.server().restored(path) if postgres.ENABLED else None

    def ask(self, sql):
        return tuples(self, sql)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.database:
            postgres.server().drop(self.database)


def check(path):
    """Checks the whole backup; returns its schema version and the highest number in a bio."""
    with Copy(path) as copy:
        if not copy.database:
            assert copy.ask("PRAGMA integrity_check") == [("ok",)]
            assert copy.ask("PRAGMA foreign_key_check") == []
        # the counters of triggers match the rows, so the copy is a snapshot
        assert copy.ask("SELECT n FROM tally WHERE name = 'contact'") == copy.ask("SELECT count(*) FROM contact")
        numbers = [int(bio) for bio, in copy.ask("SELECT bio FROM users") if bio and bio.isdecimal()]
        return copy.ask(VERSION)[0][0], max(numbers, default=None)


def test_a_backup_is_complete_private_and_as_reported(school, tmp_path):
    path = tmp_path / "one.db"
    line = LINE.fullmatch(school.server.ctl("backup", str(path)).stdout)
    assert line[1] == str(path) and int(line[2]) == path.stat().st_size
    assert line[3] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and os.listdir(tmp_path) == ["one.db"]
    assert check(path)[0] == int(school.server.sql(VERSION).split()[1])
    assert school.server.ctl("backup", str(tmp_path / "two.db"), "--quiet").stdout == ""


def test_backups_during_writes(school, tmp_path):
    """Each backup is valid, contains all writes acknowledged before it, and hardly delays writes."""
    people = [school.registered() for _ in range(4)]
    done, stop, failed = [0] * 4, threading.Event(), []
    times = {"alone": [], "beside": []}
    phase = "alone"

    def write(who):
        try:
            while not stop.is_set():
                start = time.perf_counter()
                assert people[who].patch("/me", {"bio": str(done[who] + 1)}).status == 200
                school.post("/contact", {"fullName": "X", "email": "x@example.com", "message": "y"}) if done[who] % 8 == 0 else None
                done[who] += 1
                times[phase].append(time.perf_counter() - start)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    try:
        until(lambda: failed or len(times["alone"]) > 100, "100 writes")
        phase = "beside"
        for i in itertools.count():
            if failed or i >= 5 and len(times["beside"]) > 20:
                break
            before = max(done)
            school.server.ctl("backup", str(tmp_path / f"{i}.db"))
            assert check(tmp_path / f"{i}.db")[1] >= before, "contains what was acknowledged before it"
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failed, failed
    def p99(seconds):
        return sorted(seconds)[int(len(seconds) * .99)]
    # The requirement is 2x on an idle machine; this is for a busy one. The next test shows that it needs no writer
    # lock.
    assert p99(times["beside"]) < max(6 * p99(times["alone"]), 1), {k: p99(v) for k, v in times.items()}
    if not school.server.database:
        size = (school.server.data / "okul.db-wal").stat().st_size
        assert size < 32 << 20, f"the WAL has {size} bytes"


def test_it_needs_no_writer_lock(school, tmp_path):
    """While another process holds the lock, a write times out after 2 s; a backup works."""
    with writer_lock(school.server):
        assert school.server.ctl("sql", "UPDATE course SET price = price", check=False).returncode != 0
        school.server.ctl("backup", str(tmp_path / "locked.db"))
    check(tmp_path / "locked.db")


@pytest.mark.sqlite
def test_it_never_writes_to_the_source(school, tmp_path):
    trace = tmp_path / "trace"
    done = subprocess.run(["strace", "-f", "-y", "-e", "trace=write,pwrite64,pwritev,ftruncate,fallocate,unlink,unlinkat,rename,renameat,"
                           "renameat2", "-o", str(trace), OKULCTL, "-d", str(school.server.data), "backup", str(tmp_path / "b.db")],
                          env=school.server.environment | {"ASAN_OPTIONS": "detect_leaks=0"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    calls = [line for line in trace.read_text().splitlines() if str(school.server.data) in line]
    assert [c for c in calls if "okul.db-shm>" not in c] == [], calls     # locks and the index of the WAL


def test_an_existing_file_is_not_overwritten(school, tmp_path):
    path = tmp_path / "mine"
    path.write_text("mine")
    done = school.server.ctl("backup", str(path), check=False)
    assert done.returncode == 65 and done.stderr == \
        f"okulctl: {path} exists; a backup does not replace anything: name another file, or a folder\n"
    assert path.read_text() == "mine" and os.listdir(tmp_path) == ["mine"]
    own = school.server.data / "keys.conf" if school.server.database else school.server.data / "okul.db"
    assert school.server.ctl("backup", str(own), check=False).returncode == 65
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert school.server.ctl("backup", str(tmp_path / "link"), check=False).returncode != 0
    assert not (tmp_path / "nowhere").exists() and (tmp_path / "link").is_symlink()


def test_backups_in_a_folder_and_how_many_are_kept(school, tmp_path):
    folder = tmp_path / "made"
    foreign = [f"okul-2020-01-01-000000.{END}.bak", f"okul-2020-01-01-00000.{END}", f"okul-2020-01-01-00000x.{END}", f"other.{END}"]
    done = school.server.ctl("backup", f"{folder}/")
    assert NAME.fullmatch(os.path.basename(LINE.match(done.stdout)[1])) and stat.S_IMODE(folder.stat().st_mode) == 0o700
    first = os.listdir(folder)
    for name in [*foreign, *(f"okul-2020-01-0{day}-120000.{END}" for day in range(1, 6))]:
        (folder / name).touch()
    school.server.clock.advance(1.01)
    output = school.server.ctl("backup", str(folder), "--keep", "3").stdout
    assert output.endswith(f"backups in {folder}: 3, older ones deleted: 4\n"), output
    left = set(os.listdir(folder)) - set(foreign)
    assert len(left) == 3 and left > set(first) | {f"okul-2020-01-05-120000.{END}"} and len(os.listdir(folder)) == 3 + len(foreign)
    for name in left - {f"okul-2020-01-05-120000.{END}"}:
        check(folder / name)


def test_the_new_backup_is_kept(school, tmp_path):
    """Also when an older backup has a date in the future."""
    (tmp_path / f"okul-2999-01-01-000000.{END}").touch()
    made = LINE.match(school.server.ctl("backup", str(tmp_path), "--keep", "1").stdout)[1]
    assert [str(path) for path in tmp_path.iterdir()] == [made]


def test_a_killed_run_leaves_no_backup_and_does_not_block_others(school, tmp_path):
    (tmp_path / "okul-backup.new").write_bytes(b"half a backup")
    if not school.server.database:
        (tmp_path / "okul-backup.new-journal").write_bytes(b"half a journal")
    school.server.ctl("backup", str(tmp_path))
    assert [NAME.fullmatch(name) is not None for name in os.listdir(tmp_path)] == [True]
    for _ in range(3):
        running = subprocess.Popen([OKULCTL, "-d", str(school.server.data), "backup", str(tmp_path / "cut.db")],
                                   env=school.server.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(.02 * SLOW)
        running.send_signal(signal.SIGKILL)
        running.wait()
        if (tmp_path / "cut.db").exists():
            check(tmp_path / "cut.db")
            (tmp_path / "cut.db").unlink()
    # on a server, pg_dump may run on for a moment
    until(lambda: school.server.ctl("backup", str(tmp_path / "cut.db"), check=False).returncode == 0, "a backup")
    check(tmp_path / "cut.db")
    assert not list(tmp_path.glob("*.new*"))


@pytest.mark.postgres
def test_no_other_backup_writes_to_the_file_while_pg_dump_of_a_killed_one_does(school, tmp_path):
    import psycopg2
    command = [OKULCTL, "-d", str(school.server.data), "backup", str(tmp_path / "one.dump")]
    with contextlib.closing(psycopg2.connect(school.server.database)) as db:
        db.cursor().execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        running = subprocess.Popen(command, env=school.server.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: tuples(school.server, "SELECT count(*) FROM pg_locks WHERE relation = 'users'::regclass AND NOT granted") == [(1,)],
              "pg_dump that waits")
        running.kill()
        running.wait()
        done = school.server.ctl(*command[3:], check=False)
        assert done.returncode == 1 and "another backup" in done.stderr
    until(lambda: school.server.ctl(*command[3:], check=False).returncode == 0, "the end of pg_dump")
    check(tmp_path / "one.dump")


def test_another_file_beside_it_is_not_overwritten(school, tmp_path):
    (tmp_path / "plan.new").write_text("What is new in spring")
    done = school.server.ctl("backup", str(tmp_path / "plan"), check=False)
    assert done.returncode == 65 and "plan.new exists and is not a database" in done.stderr
    assert (tmp_path / "plan.new").read_text() == "What is new in spring" and os.listdir(tmp_path) == ["plan.new"]


def test_two_at_the_same_time(school, tmp_path):
    with open(tmp_path / "okul-backup.new", "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        done = school.server.ctl("backup", str(tmp_path), check=False)
    assert done.returncode == 1 and "another backup" in done.stderr and os.listdir(tmp_path) == ["okul-backup.new"]


@pytest.mark.parametrize("arguments, code, error", [
    ([], 64, "usage: okulctl backup"), (["a", "b"], 64, "usage"), (["a", "--what"], 64, "--help"), ([""], 64, "not a path"),
    (["{}/x.db", "--keep", "3"], 64, "is for a folder"), (["{}", "--keep", "0"], 64, "from 1 to"), (["{}", "--keep", "x"], 64, "from 1"),
    (["{}/none/x.db"], 65, "No such file or directory; make the folder first"), (["{}/none/deep/"], 65, "cannot be made"),
    (["/proc/x.db"], 65, "/proc/x.db.new cannot be made"),
])
def test_refusals(school, tmp_path, arguments, code, error):
    done = school.server.ctl("backup", *(a.format(tmp_path) for a in arguments), check=False)
    assert done.returncode == code and error in done.stderr.splitlines()[-1], done
    assert done.stdout == "" and os.listdir(tmp_path) == []


def test_a_full_disk_is_reported_and_leaves_nothing(school, tmp_path):
    """A file size limit (ulimit -f) simulates a full disk."""
    done = subprocess.run(["bash", "-c", 'trap "" XFSZ; ulimit -f 64; exec "$@"', "-", OKULCTL, "-d", str(school.server.data), "backup",
                           str(tmp_path / "full.db")], env=school.server.environment, capture_output=True, text=True)
    assert done.returncode == 1 and re.fullmatch(rf"okulctl: {tmp_path}/full\.db: .*(full|I/O error|too large).*\n", done.stderr), done
    assert os.listdir(tmp_path) == []


def test_too_little_space_is_reported_before_copying(school, tmp_path):
    small = school.server.environment | {"OKUL_STORAGE_RESERVE": "16777216"}
    data = school.server.data
    done = subprocess.run([OKULCTL, "-d", str(data), "backup", str(data / "b.db")], env=small, capture_output=True, text=True)
    assert done.returncode == 65 and re.search(r"has no room for \d+ MiB: 0 MiB are available there", done.stderr), done
    assert not list(data.glob("b.db*"))


def test_a_backup_is_restored(school, tmp_path):
    """As in README.md: copied into the data folder and served after `okulctl migrate`."""
    path = tmp_path / "saved.db"
    school.server.ctl("backup", str(path))
    server = Server("restore")
    try:
        server.end()
        if server.database:
            postgres.server().drop(server.database)
            server.database = postgres.server().restored(path)
            (server.data / "okul.conf").write_text(f"database = {server.database}\n")
        else:
            for old in server.data.glob("okul.db*"):
                old.unlink()
            path.rename(server.data / "okul.db")
        server.ctl("migrate")
        server.start()
        found = Okul(server).get("/courses").data["pagination"]["total"]
        assert found == school.get("/courses").data["pagination"]["total"] > 0
        assert "FAIL" not in server.ctl("check", check=False).stdout.replace("FAIL durability", "")     # tests run without fsync
    finally:
        server.stop()


@pytest.mark.sqlite     # of a server migrate makes no backup
def test_a_damaged_backup_stops_the_upgrade(school, tmp_path):
    """A write of the copy is lost although it was reported as successful; migrate verifies the copy before it changes
    the database."""
    data = tmp_path / "old"
    data.mkdir()
    school.server.ctl("backup", str(data / "okul.db"))

    def run(*command):
        environment = school.server.environment | {"ASAN_OPTIONS": "detect_leaks=0"}
        return subprocess.run([*command], env=environment, capture_output=True, text=True, timeout=120 * SLOW)
    ctl = [OKULCTL, "-d", str(data)]
    assert run(*ctl, "migrate").returncode == 0      # makes keys, and enables the WAL mode, which a backup does not have
    assert run(*ctl, "sql", "--loose", "PRAGMA user_version = 2").returncode == 0

    def traced(aside, *arguments, inject=()):
        done = run("strace", "-f", "-o", str(tmp_path / "trace"), "-P", str(aside), "-e", "trace=pwrite64", *inject, *ctl, *arguments)
        return done, (tmp_path / "trace").read_text()
    # the last pages are written once, and not read again while copying
    writes = traced(tmp_path / "copy.db.new", "backup", str(tmp_path / "copy.db"))[1].count("pwrite64(")
    done, trace = traced(data / "backup-before-migrate-2.db.new", "migrate",
                         inject=["-e", f"inject=pwrite64:retval=4096:when={writes - 4}"])
    assert "(INJECTED)" in trace
    assert done.returncode == 1 and "the copy is damaged" in done.stderr and "nothing was changed" in done.stderr, done
    assert run(*ctl, "sql", "PRAGMA user_version").stdout.split() == ["user_version", "2"]
    assert list(data.glob("backup-before-*")) == []
