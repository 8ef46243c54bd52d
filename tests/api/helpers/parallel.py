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

from helpers.server import dialect, until


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
        self.db, self.other = psycopg2.connect(server.database), psycopg2.connect(server.database)
        self.other.autocommit = True

    def take(self):
        self.db.cursor().execute("LOCK TABLE instance IN EXCLUSIVE MODE")

    def waiters(self):
        cursor = self.other.cursor()
        cursor.execute("SELECT count(*) FROM pg_locks WHERE relation = 'instance'::regclass AND NOT granted")
        return cursor.fetchone()[0]

    def run(self, text):
        """By the holder itself: those who wait share the lock, so none runs before the others."""
        self.db.cursor().execute(dialect(text))

    def release(self):
        self.db.commit()
        self.db.close()
        self.other.close()


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
    """Runs act() so that a statement of another process runs while act() waits for the writer lock, and before its
    transaction. Returns the result of act()."""
    server = okul.server
    with ThreadPoolExecutor(1) as pool:
        with writer_lock(server) as held:
            if not server.database:
                writer = subprocess.Popen(server.command("sql", text), env=server.environment, cwd=server.home)
                until(lambda: held.waiters() > 0, "okulctl, which waits for the lock")
            answer = pool.submit(act)
            until(lambda: answer.done() or held.waiters() > (0 if server.database else 1), "the request that waits for the lock too")
            if server.database:
                held.run(text)
        assert server.database or writer.wait(60) == 0
        return answer.result()
