#!/usr/bin/python3
"""Failover: three database machines as conf/cluster has them, and writers that remember what was acknowledged, while the
primary is killed, and cut off the network.

usage: run.py [OPTION...] (--help)

Each machine is a network namespace (root), else an address of 127.0.2.0/24 of this machine; then the round without network is
left out. Prints a table, and ends with 1 when an acknowledged write is missing, or writes stopped for more than 30 s.
"""

import argparse
import contextlib
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from database import Cluster, Node, certificates
from network import Network, until
from writers import PlainWriter, Writers

LONGEST = 30    # seconds without an acknowledged write


class Failed(Exception):
    pass


def say(text):
    print(text, flush=True)


class Kill:
    """kill -9 of Patroni and PostgreSQL, later started again."""
    name = "kill -9"
    etcd = False

    def strike(self, node):
        node.crash(self.etcd)

    def repair(self, node):
        node.start()


class KillAll(Kill):
    name = "kill -9, etcd too"
    etcd = True


class Cut:
    name = "network cut"

    @staticmethod
    def strike(node):
        node.machine.cut()

    @staticmethod
    def repair(node):
        node.machine.join()


def way_back(node, since):
    """How the old primary became a standby, as its log says."""
    log = (node.home / "patroni.log").read_text()[since:]
    if "bootstrap from leader" in log:
        return "copied"
    return "pg_rewind" if "running pg_rewind" in log else "followed"


def play(cluster, writers, what, written):
    """One round. Returns what is printed of it."""
    old = cluster.primary()
    log = len((old.home / "patroni.log").read_text())
    time.sleep(2)
    began = time.monotonic()
    what.strike(old)
    new = until(lambda: (node := cluster.primary()) is not None and node is not old and node, "another primary", 90)
    promoted = time.monotonic()
    until(lambda: writers.all_wrote(promoted), "every writer to write again", 60)
    again = time.monotonic()
    gap = writers.longest_gap(began - 1)
    # It comes back at another moment of Patroni's loop each time.
    pause = random.uniform(0, 6)
    time.sleep(pause)
    what.repair(old)
    until(cluster.is_whole, f"{old.name} to be a standby", 120)
    whole = time.monotonic()
    acknowledged = writers.acknowledged()
    missing = acknowledged - written(cluster.primary())
    row = {"round": what.name, "from": old.name, "to": new.name, "new primary s": f"{promoted - began:.1f}", "no write s": f"{gap:.1f}",
           "all write s": f"{again - began:.1f}", "rejoined s": f"{whole - again - pause:.1f}", "how": way_back(old, log),
           "acknowledged": len(acknowledged), "missing": len(missing), **writers.count(began)}
    say("| " + " | ".join(f"{k}: {v}" for k, v in row.items()) + " |")
    if missing:
        raise Failed(f"{len(missing)} acknowledged writes are gone, like {sorted(missing)[:3]}")
    if gap > LONGEST:
        raise Failed(f"no write was acknowledged for {gap:.1f} s")
    return row


def plain(cluster, network, count, trusting):
    """Writers without okul. They have its timeouts."""
    cluster.primary().psql(PlainWriter.TABLE + "; ALTER TABLE written OWNER TO okul", "okul")
    PlainWriter.trusting = trusting
    options = {"connect_timeout": 2, "tcp_user_timeout": 4000, "keepalives_idle": 2, "keepalives_interval": 1, "keepalives_count": 3,
               "options": "-cstatement_timeout%3D2000"}
    return Writers([PlainWriter(network.machines[f"app{1 + n % 2}"], n, cluster.address(machine=f"app{1 + n % 2}", **options))
                    for n in range(count)])


def plainly_written(primary):
    return set(primary.psql("SELECT key FROM written", "okul").split())


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
        say(f"{'network namespaces' if network.real else 'one machine, addresses of 127.0.2.0/24'}, {options.writers} writers")
        writers = plain(cluster, network, options.writers, options.trusting)
        stack.callback(writers.stop)
        until(lambda: writers.all_wrote(0), lambda: f"the first writes: {writers.faults()}", 30)
        rounds = [KillAll() if n == options.rounds - 1 else Kill() for n in range(options.rounds)] + [Cut()] * (options.cuts if network.real else 0)
        for what in rounds:
            play(cluster, writers, what, plainly_written)
        writers.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=5, help="rounds with the primary killed")
    parser.add_argument("--writers", type=int, default=20)
    parser.add_argument("--trusting", action="store_true", help="writers that ignore the warning of a COMMIT")
    parser.add_argument("--cuts", type=int, default=1, help="rounds with the primary's network cut")
    parser.add_argument("--etcd3", action="store_true", help="etcd's newer interface, with which Patroni 3.0.2 loses writes")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and data")
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="okul-cluster-"))
    home.chmod(0o755)
    try:
        run(options, home)
    except (Failed, TimeoutError, RuntimeError) as problem:
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
