"""Parallel calls, and the writer lock as another process sees it."""

import contextlib
import fcntl
import os
import re
import struct
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from helpers.server import OKULCTL, until


def all_at_once(count, act):
    """Runs act(n) in `count` threads that start together; returns their results."""
    barrier = threading.Barrier(count)

    def run(n):
        barrier.wait()
        return act(n)
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def statuses(answers):
    return sorted(a.status for a in answers)


# The bytes of DATA/okul.gate, the lock file: the process that waits holds the first, the writer the second
# (writer_lock.c).
QUEUE, WRITER = 0, 1


def lock(file, command, kind, byte):
    """Locks, unlocks or tests a byte of the lock file for this open file alone. Returns the kind of lock that fcntl()
    found or set."""
    flock = fcntl.fcntl(file, command, struct.pack("hhqqi4x", kind, os.SEEK_SET, byte, 1, 0))
    return struct.unpack("hhqqi4x", flock)[0]


def take_writer_lock(lock_file):
    """False when another process holds it."""
    try:
        return lock(lock_file, fcntl.F_OFD_SETLK, fcntl.F_WRLCK, WRITER) == fcntl.F_WRLCK
    except BlockingIOError:
        return False


def is_awaited(inode, byte):
    """Whether a process waits for that byte of the lock file."""
    return re.search(rf"(?m)-> OFDLCK .*:{inode} {byte} {byte}$", Path("/proc/locks").read_text())


class FileLock:
    """The writer lock of SQLite."""

    def __init__(self, server):
        self.file = open(server.data / "okul.gate", "r+b")

    def take(self):
        until(lambda: take_writer_lock(self.file), "the writer lock")

    def waiters(self):
        """0, 1, or 2 for at least two."""
        if lock(self.file, fcntl.F_OFD_GETLK, fcntl.F_WRLCK, QUEUE) == fcntl.F_UNLCK:
            return 0
        return 2 if is_awaited(os.fstat(self.file.fileno()).st_ino, QUEUE) else 1

    def release(self):
        lock(self.file, fcntl.F_OFD_SETLK, fcntl.F_UNLCK, WRITER)
        self.file.close()


class ServerLock:
    """The lock that all writers of PostgreSQL share, taken alone (lib/store/postgres/transaction.c)."""

    def __init__(self, server):
        import psycopg2
        self.db = psycopg2.connect(server.database)
        self.db.autocommit = True

    def ask(self, sql):
        cursor = self.db.cursor()
        cursor.execute(sql)
        return cursor.fetchone()[0]

    def take(self):
        self.ask("SELECT pg_advisory_lock(1869313388)")

    def waiters(self):
        return self.ask("SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database"
                        " WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted")

    def release(self):
        self.db.close()


@contextlib.contextmanager
def writer_lock(server):
    """Holds what every writer needs."""
    held = (ServerLock if server.database else FileLock)(server)
    held.take()
    try:
        yield held
    finally:
        held.release()


def while_it_waits(okul, act, meanwhile):
    """Runs act(), and meanwhile() while act() waits for the writer lock. Returns the result of act()."""
    with ThreadPoolExecutor(1) as pool:
        with writer_lock(okul.server) as held:
            answer = pool.submit(act)
            until(lambda: answer.done() or held.waiters() > 0, "the request that waits for the writer lock")
            meanwhile()
        return answer.result()


def overtaken(okul, text, act):
    """Runs act() while another process holds the writer lock and `okulctl sql` waits for it with `text`, so that this
    runs before the transaction of act(). Returns the result of act(). On PostgreSQL act() has begun, and only waits."""
    server, waiting = okul.server, 0
    with ThreadPoolExecutor(1) as pool:
        with writer_lock(server) as held:
            if not server.database:
                writer = subprocess.Popen([OKULCTL, "-d", str(server.data), "sql", text], env=server.environment, cwd=server.home)
                until(lambda: held.waiters() > 0, "okulctl, which waits for the lock")
                waiting = 1
            answer = pool.submit(act)
            until(lambda: answer.done() or held.waiters() > waiting, "the request that waits for the lock too")
            if server.database:
                server.sql(text)
        assert server.database or writer.wait(60) == 0
        return answer.result()
