#!/usr/bin/python3
"""Failover: three database machines, two application machines and the nginx in front of them, as conf/cluster has them, and
writers that remember each write that was acknowledged, while the primary is killed and cut off the network, and an
application machine is killed.

usage: run.py [OPTION...] (--help)

Each machine is a network namespace (root), else an address of 127.0.2.0/24 of this machine; then the rounds without network
are left out. Prints a line a round, and ends with 1 when an acknowledged write is missing, writes stopped for more than 30 s,
a worker died, or a response was none of 200, 201 and 503 in the envelope. OKUL_BUILD is the build folder (build).
"""

import argparse
import contextlib
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

import front
from application import Client, Haproxy, HttpWriter, Pgbouncer, Site
from database import Cluster, Node, certificates
from network import Network, until
from writers import DONE, REFUSED, UNSURE, PlainWriter, Writers

PROXIES = {"libpq": None, "haproxy": Haproxy, "pgbouncer": Pgbouncer}
LONGEST = 30    # seconds without an acknowledged write


class Failed(Exception):
    pass


def say(text):
    print(text, flush=True)


# ---- who writes


class Plainly:
    """Writers without okul, by libpq: what the cluster alone promises. They have okul's timeouts."""

    COUNT = "SELECT count(*) FROM written"

    def __init__(self, cluster, network, options):
        cluster.primary().psql(PlainWriter.TABLE + "; GRANT INSERT ON written TO okul", "okul")
        libpq = {"connect_timeout": 2, "tcp_user_timeout": 5000, "keepalives_idle": 10, "keepalives_interval": 3, "keepalives_count": 3,
                 "options": "-cstatement_timeout%3D2000"}
        names = [f"app{1 + n % 2}" for n in range(options.writers)]
        self.applications = []
        self.writers = Writers([PlainWriter(network.machines[name], n, cluster.address(machine=name, **libpq))
                                for n, name in enumerate(names)])

    @staticmethod
    def written(primary):
        """The keys of all rows."""
        return set(primary.psql("SELECT key FROM written", "okul").split())

    def read(self):
        """Reads each acknowledged write as a client; returns how many there are."""
        return len(self.writers.acknowledged())

    def stop(self):
        self.writers.stop()


class ByApi:
    """Writers that create courses by the API, each as another admin."""

    COUNT = "SELECT count(*) FROM course"

    def __init__(self, cluster, network, options):
        self.site = Site(cluster, network, PROXIES[options.through])
        self.applications = self.site.applications
        self.site.start()
        tokens = self.site.admins(options.writers)
        faults = front.check(self.site, tokens[0])
        if faults:
            raise Failed("; ".join(faults))
        self.writers = Writers([HttpWriter(network.machines["front"], n, self.site, token) for n, token in enumerate(tokens)])

    @staticmethod
    def written(primary):
        return set(primary.psql("SELECT title FROM course", "okul").split())

    def read(self):
        client = Client(self.site)
        for writer in self.writers.writers:
            for key, course in writer.ids.items():
                status, body = client.get(f"/courses/{course}")
                if status != 200 or body["data"]["title"] != key:
                    raise Failed(f"GET /courses/{course} of {key}: {status} {body}")
        return sum(len(writer.ids) for writer in self.writers.writers)

    def stop(self):
        self.writers.stop()
        self.site.stop()


# ---- what fails


class Kill:
    """kill -9 of Patroni and of all processes of PostgreSQL on the primary, later started again."""

    name, etcd = "primary kill -9", False

    def __init__(self, cluster):
        self.cluster, self.old, self.new, self.log = cluster, None, None, 0

    def strike(self):
        self.old = self.cluster.primary()
        self.log = len((self.old.home / "patroni.log").read_text())
        self.old.crash(self.etcd)

    def is_over(self):
        """True when there is another primary."""
        self.new = self.cluster.primary()
        return self.new is not None and self.new is not self.old

    def repair(self):
        self.old.start()

    def is_whole(self):
        return self.cluster.is_whole()

    def notes(self):
        """How the old primary became a standby, as its log says."""
        log = (self.old.home / "patroni.log").read_text()[self.log:]
        way = "copied" if "bootstrap from leader" in log else "pg_rewind" if "running pg_rewind" in log else "followed"
        return f"{self.old.name} to {self.new.name}, back by {way}"


class KillMachine(Kill):
    name, etcd = "primary kill -9, its etcd too", True


class Cut(Kill):
    """The primary's network is cut, and later whole again; nothing on it is told."""

    name = "primary's network cut"

    def strike(self):
        self.old = self.cluster.primary()
        self.log = len((self.old.home / "patroni.log").read_text())
        self.old.machine.cut()

    def repair(self):
        self.old.machine.join()


class KillPostgres(Kill):
    """kill -9 of PostgreSQL alone, on the primary: Patroni starts it again, or makes another one the primary."""

    name = "primary's PostgreSQL kill -9"

    def strike(self):
        self.old = self.cluster.primary()
        self.log = len((self.old.home / "patroni.log").read_text())
        self.old.crash_postgres()

    def is_over(self):
        self.new = self.cluster.primary()
        return self.new is not None

    def repair(self):
        pass

    def notes(self):
        return f"{self.old.name} again" if self.new is self.old else super().notes()


class KillStandby(Kill):
    """kill -9 of the standby for which commits wait."""

    name = "synchronous standby kill -9"

    def strike(self):
        self.old = self.cluster.synchronous()
        self.old.crash()

    def is_over(self):
        self.new = self.cluster.primary()
        return self.new is not None

    def notes(self):
        return f"{self.old.name}; the primary stays {self.new.name}"


class CutStandby(KillStandby):
    name = "synchronous standby's network cut"

    def strike(self):
        self.old = self.cluster.synchronous()
        self.old.machine.cut()

    def repair(self):
        self.old.machine.join()


class KillApplication:
    name = "application machine kill -9"

    def __init__(self, site):
        self.victim, self.other, self.site = *site.applications, site

    def strike(self):
        self.victim.crash()

    @staticmethod
    def is_over():
        return True

    def repair(self):
        self.victim.start()

    def is_whole(self):
        return len(self.victim.workers()) == len(self.other.workers())

    def notes(self):
        return f"{self.victim.name}; {self.other.name} goes on"


# ---- one round


def check(load, cluster, died):
    """Raises where a bar is broken."""
    acknowledged = load.writers.acknowledged()      # first: writers go on
    missing = acknowledged - load.written(cluster.primary())
    if missing:
        raise Failed(f"{len(missing)} acknowledged writes are gone, like {sorted(missing)[:3]}")
    wrong = set(load.writers.count()) - {DONE, REFUSED, UNSURE}
    if wrong:
        raise Failed(f"responses that may not be: {sorted(wrong)[:3]}")
    if died:
        raise Failed(f"workers died: {died}")


def play(load, cluster, what):
    """One round. Returns what is printed of it."""
    before = {a.name: (set(a.workers()), len(a.log())) for a in load.applications}
    time.sleep(2)
    began = time.monotonic()
    what.strike()
    until(what.is_over, "another primary", 90)
    over = time.monotonic()
    until(lambda: load.writers.all_wrote(over), lambda: f"every writer to write again: {load.writers.faults()}", 60)
    again = time.monotonic()
    gap = load.writers.longest_gap(began - 1)
    pause = random.uniform(0, 6)    # it comes back at another moment of Patroni's loop each time
    time.sleep(pause)
    survivors = [a for a in load.applications if a is not getattr(what, "victim", None)]
    died = [pid for a in survivors for pid in before[a.name][0] - set(a.workers())]
    died += [line for a in survivors for line in a.log()[before[a.name][1]:].splitlines() if "process_died" in line]
    what.repair()
    try:
        until(what.is_whole, "the machine to be back", 120)
    except TimeoutError:
        check(load, cluster, died)      # what is lost says more
        raise
    whole = time.monotonic()
    until(lambda: load.writers.all_wrote(whole), lambda: f"every writer to write afterwards: {load.writers.faults()}", 60)
    counts = load.writers.count(began)
    longest = max(write.ended - write.began for write in load.writers.all(began))
    say(f"| {what.name} | {what.notes()} | {over - began:.1f} | {gap:.1f} | {again - began:.1f} | {whole - again - pause:.1f} | "
        f"{counts.get(DONE, 0)} | {counts.get(REFUSED, 0)} | {counts.get(UNSURE, 0)} | {longest:.1f} |")
    check(load, cluster, died)
    if gap > LONGEST:
        raise Failed(f"no write was acknowledged for {gap:.1f} s")


def rounds_of(options, load, cluster, network):
    for n in range(options.rounds):
        yield KillMachine(cluster) if n and n == options.rounds - 1 else Kill(cluster)
    for _ in range(options.cuts if network.real else 0):
        yield Cut(cluster)
    if options.rounds:
        yield KillPostgres(cluster)
        yield KillStandby(cluster)
    if options.cuts and network.real:
        yield CutStandby(cluster)
    if not network.real and options.cuts:
        say("without network namespaces: no round with the network cut")
    if load.applications:
        yield KillApplication(load.site)


def run(options, home):
    with contextlib.ExitStack() as stack:
        network = Network(home)
        stack.callback(network.remove)
        for name, number in (("db1", 11), ("db2", 12), ("db3", 13), ("app1", 21), ("app2", 22), ("front", 2)):
            network.add(name, number)
        certificates(network)
        network.machines["front"].enter()
        changes = [("\netcd:\n", "\netcd3:\n")] if options.etcd3 else []
        cluster = Cluster(network, {name: Node(network.machines[name], *changes) for name in ("db1", "db2", "db3")})
        stack.callback(cluster.stop)
        cluster.start()
        cluster.prepare()
        load = (Plainly if options.plain else ByApi)(cluster, network, options)
        stack.callback(load.stop)
        until(lambda: load.writers.all_wrote(0), lambda: f"the first writes: {load.writers.faults()}", 30)
        say(f"{'network namespaces' if network.real else 'addresses of 127.0.2.0/24'}, {options.writers} writers "
            f"{'by libpq' if options.plain else f'by the API, okul through {options.through}'}\n\n"
            "| what | which | new primary after s | no write for s | all write after s | back after s | acknowledged | 503 | 503, unsure | "
            "longest request s |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
        for what in rounds_of(options, load, cluster, network):
            play(load, cluster, what)
        load.writers.stop()
        say(f"\n{load.read()} acknowledged writes were read afterwards, none is missing")
        before, after = cluster.restored(load.COUNT)
        if before != after:
            raise Failed(f"the restored backup has {after.strip()} rows, not {before.strip()}")
        say(f"a backup by pgBackRest was restored: {after.strip()} rows")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=5, help="rounds with the primary killed")
    parser.add_argument("--cuts", type=int, default=1, help="rounds with the primary's network cut")
    parser.add_argument("--writers", type=int, default=20)
    parser.add_argument("--through", choices=PROXIES, default="libpq", help="how okul finds the primary (libpq, with three hosts)")
    parser.add_argument("--plain", action="store_true", help="writers by libpq, without okul")
    parser.add_argument("--etcd3", action="store_true", help="etcd's newer interface, with which Patroni 3.0.2 loses writes")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and data")
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="okul-cluster-"))
    home.chmod(0o755)
    os.umask(0o022)
    try:
        run(options, home)
    except (Failed, TimeoutError, RuntimeError, AssertionError) as problem:
        say(f"FAILED: {problem}; logs are in {home}")
        return 1
    if options.keep:
        say(f"logs are in {home}")
    else:
        shutil.rmtree(home)
    say("cluster: passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
