"""Parallel calls, and the writer lock as another process sees it."""

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


def while_it_waits(okul, act, meanwhile):
    """Runs act(), and meanwhile() while act() waits for the writer lock. Returns the result of act()."""
    with open(okul.server.data / "okul.gate", "r+b") as lock_file, ThreadPoolExecutor(1) as pool:
        until(lambda: take_writer_lock(lock_file), "the writer lock")
        answer = pool.submit(act)
        until(lambda: answer.done() or lock(lock_file, fcntl.F_OFD_GETLK, fcntl.F_WRLCK, QUEUE) != fcntl.F_UNLCK,
              "the request that waits for the writer lock")
        meanwhile()
        lock(lock_file, fcntl.F_OFD_SETLK, fcntl.F_UNLCK, WRITER)
        return answer.result()


def overtaken(okul, text, act):
    """Runs act() while another process holds the writer lock and `okulctl sql` waits for it with `text`, so that this
    runs before the transaction of act(). Returns the result of act()."""
    server = okul.server
    with open(server.data / "okul.gate", "r+b") as lock_file, ThreadPoolExecutor(1) as pool:
        until(lambda: take_writer_lock(lock_file), "the writer lock")
        writer = subprocess.Popen([OKULCTL, "-d", str(server.data), "sql", text], env=server.environment,
                                  cwd=server.home)
        until(lambda: lock(lock_file, fcntl.F_OFD_GETLK, fcntl.F_WRLCK, QUEUE) != fcntl.F_UNLCK, "okulctl to wait for the writer lock")
        answer = pool.submit(act)
        inode = os.fstat(lock_file.fileno()).st_ino
        until(lambda: answer.done() or is_awaited(inode, QUEUE), "the request to wait behind okulctl")
        lock(lock_file, fcntl.F_OFD_SETLK, fcntl.F_UNLCK, WRITER)
        assert writer.wait(60) == 0
        return answer.result()
