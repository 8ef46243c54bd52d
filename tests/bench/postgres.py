#!/usr/bin/python3
"""okul on PostgreSQL, beside okul on SQLite and beside NestJS with TypeORM on the same server, measured alternately.

usage: tests/bench/postgres.py [--rounds N] [--seconds N] [--connections N] [--users N] [REQUEST...]
       tests/bench/postgres.py --machines [--delay MS] [--workers N] [--rounds N] [--seconds N] [--connections N] [--users N]

REQUEST: me (GET /me), submit (of 40 answers); both unless given. Submits are by --users in turn (64).

Starts a PostgreSQL of its own, with fsync and synchronous_commit on, as an ordinary user; okul runs with `okulctl serve`, nginx
included. The peer is peers/nestjs-typeorm, built into build/bench with the packages that its package-lock.json names; nginx is
not in front of it. It runs as --processes (2) with 10 connections each, once as it is usually written, and once keeping tests in
memory, as okul does.

--machines: two machines with okul, one with PostgreSQL, and one with nginx in front and wrk, each a network namespace, where
everything that leaves a machine takes --delay milliseconds (1): submits through both machines against submits through one. Needs
root. OKUL_BUILD is the build folder (build).
"""

import argparse
import base64
import contextlib
import hashlib
import hmac
import json
import os
import pathlib
import secrets
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/cluster"), str(ROOT / "tests/api")]

import application
import compare
from database import USER, certificates
from helpers.postgres import Postgres
from network import Network, until

BUILD = ROOT / os.environ.get("OKUL_BUILD", "build")
SOURCES = ROOT / "tests/bench/peers/nestjs-typeorm"
PEER = ROOT / "build/bench/nestjs-typeorm"
DAY = 86400
WARM = 8    # seconds, until Node has compiled what runs often


class Durable(Postgres):
    """A server whose commits are on the disk. On a machine of tests/cluster it also listens on its address."""

    def __init__(self, machine=None, user=None):
        self.machine, self.user = machine, user
        super().__init__()

    def launch(self):
        if self.machine:
            self.under = self.machine.command([], self.user)
            with open(self.home / "data/pg_hba.conf", "a", encoding="ascii") as file:
                file.write("host all all samenet trust\n")
        super().launch()

    def settings(self):
        return ["-c", "fsync=on", "-c", "synchronous_commit=on", "-c", f"listen_addresses={self.machine.address if self.machine else ''}"]

    def sql(self, database, text):
        path = self.home / f"{database}.sql"
        path.write_text(text)
        path.chmod(0o644)
        return self.run("psql", "-h", self.home, "-U", "okul", "-d", database, "-qAtX", "-v", "ON_ERROR_STOP=1", "-f", path)


# ---- the peer


def build_peer():
    """Installs what package-lock.json names, without any script of a package, and compiles."""
    PEER.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "tsconfig.json"):
        shutil.copy(SOURCES / name, PEER)
    shutil.copytree(SOURCES / "src", PEER / "src", dirs_exist_ok=True)
    lock, installed = (SOURCES / "package-lock.json").read_bytes(), PEER / "node_modules/.locked"
    if not installed.exists() or installed.read_bytes() != lock:
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=PEER, check=True,
                       stdout=subprocess.DEVNULL)
        installed.write_bytes(lock)
    subprocess.run(["node", "node_modules/typescript/bin/tsc"], cwd=PEER, check=True)


class Peer(compare.Target):
    def __init__(self, server, name, args, **settings):
        super().__init__()
        self.server, self.database, self.key = server, name, secrets.token_bytes(32)
        server.run("createdb", "-h", server.home, "-U", "okul", name)
        self.env = os.environ | {"NODE_ENV": "production", "PGHOST": str(server.home), "PGUSER": "okul", "PGDATABASE": name,
                                 "PORT": str(self.port), "JWT_KEY": self.key.hex(), "DAILY_MOST": "1000000",
                                 "PROCESSES": str(args.processes)} | settings
        subprocess.run(["node", PEER / "dist/main.js", "schema"], env=self.env, check=True)
        users = [secrets.token_hex(12) for _ in range(args.users)]
        self.tokens = [self.add_user(i, user) for i, user in enumerate(users)]
        self.token = self.tokens[0]
        server.sql(name, "ANALYZE")
        self.process = subprocess.Popen(["node", PEER / "dist/main.js"], env=self.env, start_new_session=True)
        request = urllib.request.Request(self.url + "/me", headers={"Authorization": f"Bearer {self.token}"})
        self.wait(lambda: urllib.request.urlopen(request))
        for what in ("me", "submit"):
            self.rate(what, args.connections, WARM)

    def add_user(self, i, user):
        """Returns an access token. The profile is as long as okul's of a learner."""
        session = secrets.token_hex(12)
        self.server.sql(self.database, f"""INSERT INTO users (id, email, role, "registeredAt") VALUES
            ('{user}', 'learner{i}@example.com', 'user', now());
            INSERT INTO session (id, "userId", "expiresAt") VALUES ('{session}', '{user}', now() + interval '30 days')""")

        def part(value):
            text = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
            return base64.urlsafe_b64encode(text).rstrip(b"=")
        now = int(time.time())
        signed = part({"alg": "HS256", "typ": "JWT"}) + b"." + part({"sub": user, "sid": session, "iat": now, "exp": now + DAY})
        return (signed + b"." + part(hmac.digest(self.key, signed, hashlib.sha256))).decode()

    def make_test(self):
        test = compare.new_test() | {"id": secrets.token_hex(12)}
        rows = [f"""INSERT INTO test (id, title, "targetLanguage", "maxAttempts", "levelRanges") VALUES
            ('{test['id']}', '{test['title']}', 'en', 0, '{json.dumps(test['levelRanges'])}')"""]
        for q, question in enumerate(test["questions"]):
            question["id"] = secrets.token_hex(12)
            question["options"] = [option | {"id": secrets.token_hex(12)} for option in question["options"]]
            rows.append(f"""INSERT INTO question (id, "testId", "order", text, points) VALUES
                ('{question['id']}', '{test['id']}', {q}, '{question['text']}', {question['points']})""")
            rows.append("""INSERT INTO option (id, "questionId", "order", text, "isCorrect") VALUES """ + ", ".join(
                f"('{option['id']}', '{question['id']}', {o}, '{option['text']}', {option['isCorrect']})"
                for o, option in enumerate(question["options"])))
        self.server.sql(self.database, ";\n".join(rows))
        return test

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(30)
        shutil.rmtree(self.data)


# ---- one machine


def show(request, names, rates, base):
    """A line for each: its median, and the median over the rounds of its ratio to `base`."""
    for name, mine in zip(names, rates):
        ratios = [one / other for one, other in zip(mine, rates[base])]
        print(f"| {request} | {name} | {statistics.median(mine):.0f} | {statistics.median(ratios):.2f} | "
              f"{min(ratios):.2f} to {max(ratios):.2f} |", flush=True)


def one_machine(args):
    build_peer()
    names = ["okul, SQLite", "okul, PostgreSQL", "NestJS + TypeORM", "NestJS + TypeORM, tests in memory"]
    with contextlib.ExitStack() as stack:
        server = Durable()
        stack.callback(server.stop)
        targets = []
        for make in (lambda: compare.Server(str(BUILD), "off", args.users),
                     lambda: compare.Server(f"{BUILD}={server.create()}", "off", args.users),
                     lambda: Peer(server, "peer", args), lambda: Peer(server, "peer_kept", args, KEEP_TESTS="1")):
            targets.append(make())
            stack.callback(targets[-1].stop)
        print(f"{args.rounds} rounds of {args.seconds} s, {args.connections} connections, {args.users} users, "
              f"{args.processes} processes of the peer\n\n| request | what | requests/s | ratio | minimum to maximum |\n"
              "| --- | --- | --- | --- | --- |")
        for request, of, base in (("me", targets[:3], 0), ("submit", targets, 2)):
            if request in (args.requests or compare.REQUESTS):
                show(request, names, compare.measure(of, request, args), base)


# ---- several machines


class Site(application.Site, compare.Target):
    """The two machines with okul and the nginx in front of them, all configured by conf/cluster; wrk speaks HTTP without TLS to it."""

    PORT = 8081

    def __init__(self, server, network, args):
        compare.Target.__init__(self)
        self.server, self.database = server, server.create().split("/")[3].split("?")[0]
        # it asks itself for address(role, machine), as it would a cluster
        application.Site.__init__(self, self, network, OKUL_WORKERS=str(args.workers))
        front = self.front.machine
        config = self.front.home / "nginx.conf"
        config.write_text(config.read_text().replace(f"listen {front.address}:8440 ssl http2;",
                                                     f"listen {front.address}:8440 ssl http2; listen {front.address}:{self.PORT};"))
        self.config = config.read_text()
        self.applications[0].okulctl("sql", compare.NO_DAILY_LIMIT_POSTGRES)
        front.enter()
        self.start()
        self.url, self.headers, self.prefix = f"http://{front.address}:{self.PORT}", {"Host": application.NAME}, front.command([])
        self.tokens = self.admins(args.users)
        self.token = self.tokens[0]

    def address(self, role, _machine):
        return f"postgresql://okul@{self.server.machine.address}/{self.database}?application_name={role}"

    def make_test(self):
        status, body = application.Client(self, self.token).post("/proficiency-tests", compare.new_test())
        assert status == 201, body
        return body["data"]

    def use(self, count):
        """The front sends requests to so many machines."""
        last = f"server {self.applications[1].machine.address}:8443"
        (self.front.home / "nginx.conf").write_text(self.config if count == 2 else self.config.replace(last, f"{last} down"))
        before = application.children(self.front.process.pid)
        self.front.process.send_signal(signal.SIGHUP)
        until(lambda: not set(before) & set(application.children(self.front.process.pid)), "the front to take its configuration", 30)


def cpu():
    """Seconds that all processors were busy so far, and all seconds."""
    times = [int(n) for n in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(times) - times[3] - times[4], sum(times)


def delay_program():
    program = ROOT / "build/bench/delay"
    program.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-o", program, ROOT / "tests/bench/delay.c"], check=True)
    return program


def several_machines(args):
    with contextlib.ExitStack() as stack:
        home = pathlib.Path(tempfile.mkdtemp(prefix="okul-machines-"))
        home.chmod(0o755)
        network = Network(home)
        stack.callback(shutil.rmtree, home)
        stack.callback(network.remove)
        if not network.real:
            raise SystemExit("network namespaces need root")
        for number, name in ((2, "front"), (11, "db1"), (21, "app1"), (22, "app2")):
            network.add(name, number)
        network.delay(delay_program(), args.delay)
        certificates(network)
        server = Durable(network.machines["db1"], USER)
        stack.callback(server.stop)
        site = Site(server, network, args)
        stack.callback(shutil.rmtree, site.data)
        stack.callback(site.stop)
        rates, busy = ([], []), ([], [])
        for turn in range(args.rounds + 1):
            for which in (0, 1) if turn % 2 == 0 else (1, 0):
                site.use(which + 1)
                before = cpu()
                rate = site.rate("submit", args.connections, args.seconds if turn else 1)
                after = cpu()
                if turn:
                    rates[which].append(rate)
                    busy[which].append((after[0] - before[0]) / (after[1] - before[1]))
        print(f"{args.rounds} rounds of {args.seconds} s, {args.connections} connections, {args.users} users, {args.workers} workers "
              f"a machine, {args.delay:g} ms each way\n\n| request | machines | requests/s | ratio | minimum to maximum | processors busy |\n"
              "| --- | --- | --- | --- | --- | --- |")
        ratios = [two / one for one, two in zip(*rates)]
        print(f"| submit | one | {statistics.median(rates[0]):.0f} | | | {statistics.median(busy[0]):.0%} |\n"
              f"| submit | two | {statistics.median(rates[1]):.0f} | {statistics.median(ratios):.2f} | "
              f"{min(ratios):.2f} to {max(ratios):.2f} | {statistics.median(busy[1]):.0%} |", flush=True)
        print(server.sql(site.database, """SELECT 'commits ' || xact_commit || ', rollbacks ' || xact_rollback FROM pg_stat_database
            WHERE datname = current_database()"""), end="", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("requests", nargs="*", choices=("me", "submit", []), metavar="REQUEST")
    parser.add_argument("--machines", action="store_true")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--users", type=int, default=64)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--delay", type=float, default=1)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    (several_machines if args.machines else one_machine)(args)


if __name__ == "__main__":
    main()
