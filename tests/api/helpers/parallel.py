"""Acts at the same time, and the writers' lock as seen from outside."""

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
    """Runs act(n) in so many threads that start together; gives what they gave."""
    gate = threading.Barrier(count)

    def run(n):
        gate.wait()
        return act(n)
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def statuses(answers):
    return sorted(a.status for a in answers)


QUEUE, DOOR = 0, 1      # the bytes of DATA/okul.gate: whoever waits holds the first, whoever writes the second


def lock(file, command, kind, byte):
    """One byte of the gate, for this open file alone. Gives the kind of lock that fcntl() found or set."""
    flock = fcntl.fcntl(file, command, struct.pack("hhqqi4x", kind, os.SEEK_SET, byte, 1, 0))
    return struct.unpack("hhqqi4x", flock)[0]


def closed(gate):
    try:
        return lock(gate, fcntl.F_OFD_SETLK, fcntl.F_WRLCK, DOOR) == fcntl.F_WRLCK
    except BlockingIOError:
        return False


def waits_for(inode, byte):
    """Whether somebody waits for that byte of the gate."""
    return re.search(rf"(?m)-> OFDLCK .*:{inode} {byte} {byte}$", Path("/proc/locks").read_text())


def while_it_waits(okul, act, meanwhile):
    """Does act(), and meanwhile() while act() waits for the writer lock. Gives the answer of act()."""
    with open(okul.server.data / "okul.gate", "r+b") as gate, ThreadPoolExecutor(1) as pool:
        until(lambda: closed(gate), "a moment without writers")
        answer = pool.submit(act)
        until(lambda: answer.done() or lock(gate, fcntl.F_OFD_GETLK, fcntl.F_WRLCK, QUEUE) != fcntl.F_UNLCK, "the one who waits")
        meanwhile()
        lock(gate, fcntl.F_OFD_SETLK, fcntl.F_UNLCK, DOOR)
        return answer.result()


def overtaken(okul, text, act):
    """Does act() while somebody writes; what text says is written before its turn comes. Gives its answer."""
    server = okul.server
    with open(server.data / "okul.gate", "r+b") as gate, ThreadPoolExecutor(1) as pool:
        until(lambda: closed(gate), "a moment without writers")
        writer = subprocess.Popen([OKULCTL, "-d", str(server.data), "sql", text], env=server.environment,
                                  cwd=server.home)
        until(lambda: lock(gate, fcntl.F_OFD_GETLK, fcntl.F_WRLCK, QUEUE) != fcntl.F_UNLCK, "the one who overtakes")
        answer = pool.submit(act)
        inode = os.fstat(gate.fileno()).st_ino
        until(lambda: answer.done() or waits_for(inode, QUEUE), "the one who is overtaken")
        lock(gate, fcntl.F_OFD_SETLK, fcntl.F_UNLCK, DOOR)
        assert writer.wait(60) == 0
        return answer.result()
