"""Writers that remember each write that was acknowledged, while machines fail."""

import threading
import time
from dataclasses import dataclass

import psycopg2

PACE = 0.02         # seconds between two writes of one writer
AFTER_FAULT = 0.2   # the same after one that failed, as a client that waits before it tries again

DONE, REFUSED, UNSURE = "done", "refused", "unsure"


@dataclass
class Write:
    writer: int
    key: str
    began: float
    ended: float
    outcome: str    # DONE; REFUSED: 503, or no connection; UNSURE: sent, and no answer; anything else: an answer that may not be


class Writer(threading.Thread):
    """One writer on a machine. write(key) of a subclass returns an outcome."""

    def __init__(self, machine, number):
        super().__init__(daemon=True)
        self.machine, self.number, self.stopping, self.writes, self.broken, self.fault = machine, number, False, [], None, None

    def write(self, key):
        raise NotImplementedError

    def run(self):
        try:
            self.machine.enter()
            while not self.stopping:
                key = f"w{self.number}-{len(self.writes)}"
                began = time.monotonic()
                outcome = self.write(key)
                self.writes.append(Write(self.number, key, began, time.monotonic(), outcome))
                time.sleep(PACE if outcome == DONE else AFTER_FAULT)
        except Exception as problem:    # shown by Writers: a thread that ends in silence would look like a quiet one
            self.broken = problem
            raise


class PlainWriter(Writer):
    """Inserts rows by libpq, without okul: what the cluster alone promises."""

    TABLE = "CREATE TABLE written (key text PRIMARY KEY)"
    def __init__(self, machine, number, address):
        super().__init__(machine, number)
        self.address, self.connection = address, None

    def write(self, key):
        sent = False
        try:
            if self.connection is None:
                self.connection = psycopg2.connect(self.address)
            with self.connection.cursor() as cursor:
                cursor.execute("INSERT INTO written VALUES (%s)", [key])
            del self.connection.notices[:]
            sent = True
            self.connection.commit()
            # a COMMIT whose wait for the standby was cancelled says COMMIT all the same, with a warning
            return UNSURE if self.connection.notices else DONE
        except psycopg2.Error as problem:
            self.fault = str(problem).strip()
            if self.connection is not None:
                self.connection.close()
                self.connection = None
            return UNSURE if sent else REFUSED


class Writers:
    def __init__(self, writers):
        self.writers = writers
        for writer in writers:
            writer.start()

    def all(self, since=0.0):
        return [write for writer in self.writers for write in list(writer.writes) if write.ended >= since]

    def faults(self):
        """The last fault of each writer that has one: what an administrator would look at."""
        return sorted({writer.fault for writer in self.writers if writer.fault})

    def check(self):
        for writer in self.writers:
            if writer.broken is not None:
                raise RuntimeError(f"writer {writer.number} broke off") from writer.broken

    def all_wrote(self, since):
        """True when each has an acknowledged write that began after that time."""
        self.check()
        return all(any(w.outcome == DONE and w.began >= since for w in reversed(writer.writes)) for writer in self.writers)

    def longest_gap(self, since):
        """The longest time since then in which no write at all was acknowledged."""
        times = sorted(write.ended for write in self.all(since) if write.outcome == DONE)
        return max((later - earlier for earlier, later in zip([since] + times, times)), default=time.monotonic() - since)

    def count(self, since=0.0):
        found = {}
        for write in self.all(since):
            found[write.outcome] = found.get(write.outcome, 0) + 1
        return found

    def acknowledged(self):
        return {write.key for write in self.all() if write.outcome == DONE}

    def stop(self):
        for writer in self.writers:
            writer.stopping = True
        for writer in self.writers:
            writer.join(30)
