#!/usr/bin/python3
"""A school of 100,000 users and 1,000,000 results is moved to PostgreSQL and back, and answers the same after each move.

usage: tests/bench/moved.py [--users N] [--results N] [--requests N] [--seed N] [--skip PART...]

PART: answers, memory, times; those that are named are left out. Builds: make FLAVOUR=test build (its clock can be set).

answers: --requests (1,000) to all GET routes, made of chance (--seed): pages, filters, orders, searches, single rows; by a
superadmin, an admin, learners and nobody. Status, headers and body must be the same before, between and after the moves, but for
the time of the response and what is signed with it. The clock starts at the same time each time.

memory: the CSV of all results and of all users, by a worker that has just started: its peak memory (VmHWM) with the school and
with one of 10,000 users and 10,000 results. Then a client that reads slowly and one that vanishes: how long until the only worker
answers again.

times: the lists of results and users, and the dashboard: the median of 50 requests each time.

A PostgreSQL of its own starts as an ordinary user, with fsync. OKUL_BUILD is the build folder (build/test).
"""

import argparse
import contextlib
import hashlib
import http.client
import json
import pathlib
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/api"))

import compare
from helpers.postgres import Postgres
from helpers.routes import LISTED
from helpers.server import BUILD, Clock
from replay import HEADERS, NOBODYS, SEARCHES

DAY = 86400
LARGE = 1 << 20         # bytes; of a larger body only the hash is kept
STEP = 0.1              # seconds of the schools' clock between two requests
NOISE = 512             # KiB by which peaks may differ
SMALL = 10000           # rows
KIB = 1024
LEARNERS = 6

# What the time of a response changes in it: itself, signatures, and the stamp of the contact form.
TIMES = re.compile(r'(?<="timestamp":")[^"]*|(?<="generatedAt":")[^"]*|(?:expires|signature)=[^&"]*|(?<="data":){"stamp":[^}]*')


class Server(Postgres):
    """A server whose commits are on the disk."""

    def settings(self):
        return ["-c", "fsync=on", "-c", "synchronous_commit=on", "-c", "shared_buffers=128MB"]

    def active(self, url):
        """How many statements it is running in that database."""
        return int(self.run("psql", "-h", self.home, "-U", "okul", "-d", url.split("/")[3].split("?")[0], "-qAtXc",
                            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'"
                            " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"))   # not autovacuum


class School(compare.Server):
    def __init__(self, users, results):
        self.clock = Clock(pathlib.Path(tempfile.mkdtemp(prefix="okul-moved-")) / "clock")
        self.SCHOOL = ("--users", str(users), "--results", str(results), "--courses", "100")
        self.SETTINGS = {"OKUL_CLOCK": str(self.clock.path), "OKUL_WORKERS": "1"}
        self.at, self.url_there = "SQLite", None
        super().__init__(str(BUILD), "off", 1)

    def ctl(self, *words):
        done = subprocess.run([*self.command, *words], env=self.env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"okulctl {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def rows(self, sql):
        """The rows of a statement, as lists of texts."""
        return [line.split("\t") for line in self.ctl("sql", sql).splitlines()[1:]]

    def restart(self):
        self.end()
        self.start()

    def move(self, to, server=None):
        """Moves to that URL or "folder", and serves from there."""
        start = time.monotonic()
        said = self.ctl("database", "move", to)
        print(f"moved to {'the file' if to == 'folder' else 'PostgreSQL'} in {time.monotonic() - start:.0f} s: "
              f"{re.search('.*have the same rows.*', said)[0]}", flush=True)
        self.url_there = None if to == "folder" else to
        self.at = "PostgreSQL" if self.url_there else "SQLite"
        self.restart()

    def worker(self, program):
        """The process of the only worker."""
        return self.wait(lambda: [int(path.parent.name) for path in pathlib.Path("/proc").glob("[0-9]*/cmdline")
                                  if self.is_worker(path, program)])[0]

    def is_worker(self, path, program):
        with contextlib.suppress(OSError):
            return (f"{program}.fcgi".encode() in path.read_bytes().split(b"\0")[0]
                    and self.data.encode() in (path.parent / "environ").read_bytes())
        return False

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def stop(self):
        super().stop()
        self.clock.path.unlink()
        self.clock.path.parent.rmdir()


# ---- the same answers


class Sample:
    """Requests, made of chance and of what the school has. Each is (who, language, path)."""

    def __init__(self, school, seed):
        self.chance, self.school = random.Random(seed), school
        self.tokens = {"superadmin": school.token, None: None}
        school.ctl("user", "add", "b@example.com", "--role", "admin")
        self.tokens["admin"] = school.login("b@example.com")
        busy = school.rows("SELECT email FROM users WHERE role = 'user' AND registered_at IS NOT NULL AND is_active = 1 AND"
                           " deletion_requested_at IS NULL AND pk IN (SELECT user_pk FROM result) AND (pk < 200 OR pk % 977 = 0)"
                           " ORDER BY pk DESC")
        assigned = school.rows("SELECT DISTINCT email FROM users JOIN assignment ON user_pk = users.pk WHERE role = 'user' AND is_active = 1"
                               " AND registered_at IS NOT NULL AND deletion_requested_at IS NULL ORDER BY email")
        self.learners = [email for (email,) in self.chance.sample(busy, LEARNERS // 2) + self.chance.sample(assigned, LEARNERS // 2)]
        for email in self.learners:
            self.tokens[email] = school.login(email)
        self.look()
        self.parameters = self.document()

    def look(self):
        """What paths and queries name."""
        rows, step = self.school.rows, max(1, self.school_size() // 1000)
        people = rows(f"SELECT id, email, name, surname FROM users WHERE pk % {step} = 0 ORDER BY pk")
        mine = ", ".join(f"'{email}'" for email in self.learners)
        self.ids = {"user": [row[0] for row in people] + [id_ for (id_,) in rows(f"SELECT id FROM users WHERE email IN ({mine}) ORDER BY pk")]}
        for table in ("course", "test", "material", "file"):
            self.ids[table] = [id_ for (id_,) in rows(f"SELECT id FROM {table} ORDER BY pk")]
        self.ids["result"] = [id_ for (id_,) in rows(f"SELECT id FROM result WHERE pk % {step} = 0 ORDER BY pk")]
        self.own = {}
        for id_, email in rows(f"SELECT result.id, email FROM result JOIN users ON users.pk = user_pk WHERE email IN ({mine}) ORDER BY result.pk"):
            self.own.setdefault(email, []).append(id_)
        self.keys = {"file": [key for (key,) in rows("SELECT key FROM file ORDER BY pk")],
                     "setting": [key for (key,) in rows("SELECT key FROM setting ORDER BY key")]}
        self.emails = [row[1] for row in people]
        self.words = self.parts([text for row in people for text in row[1:] if text])
        self.first, self.last = (int(ms) // 1000 for ms in rows("SELECT min(completed_at), max(completed_at) FROM result")[0])

    def school_size(self):
        return int(self.school.rows("SELECT count(*) FROM users")[0][0])

    def parts(self, texts):
        """Texts to search for: whole ones, parts, with other case, of Turkish and German letters, and what is nowhere."""
        special = [text for text in texts if re.search("[çğıİöşüÇĞÖŞÜäÄß]", text)]
        words = list(SEARCHES) + ["ş", "ö", "ü", "İ", "ı", "ß", "gül", "ÖĞ", "ışık", "Müller", "ISIK", "straße", "example.org"]
        for text in self.chance.sample(special, min(60, len(special))) + self.chance.sample(texts, 40):
            start = self.chance.randrange(max(1, len(text) - 3))
            part = text[start:start + self.chance.randint(1, 8)]
            words += [text, part, part.upper(), part.lower()]
        return words

    def document(self):
        """The parameters of each GET route, of the OpenAPI document that the school serves: {path: {name: schema}}."""
        with contextlib.closing(self.school.connect()) as connection:
            connection.request("GET", "/swagger/json")
            document = json.load(connection.getresponse())
        kinds = document["components"]
        found = {}
        for path, methods in document["paths"].items():
            if "get" not in methods:
                continue
            mine = found[path] = {}
            for parameter in methods["get"].get("parameters", []):
                if parameter.get("in") == "query":
                    schema = parameter["schema"]
                    mine[parameter["name"]] = kinds["schemas"][schema["$ref"].split("/")[-1]] if "$ref" in schema else schema
        if set(found) != {route["path"] for route in LISTED if route["method"] == "GET"}:
            raise SystemExit("the document lists other routes than the programs")
        return found

    def date(self):
        at = time.gmtime(self.chance.randint(self.first - 9 * DAY, self.last + DAY))
        return time.strftime(self.chance.choice(("%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ")), at)

    def value(self, path, name, schema):
        chance = self.chance
        if "enum" in schema:
            return chance.choice(schema["enum"])
        # limits that are typed, and the last pages of a large list
        numbers = {"page": (1, 1, 2, 3, 7, 50, 500, 5000), "limit": (1, 2, 5, 20, 50, 100), "months": range(1, 25)}
        if name in numbers:
            return chance.choice(numbers[name])
        makers = {"search": lambda: chance.choice(self.words), "targetLanguage": lambda: chance.choice(("en", "de", "EN", "tr", "es")),
                  "source": lambda: chance.choice(("website", "web", "app", "instagram")), "testId": lambda: chance.choice(self.ids["test"]),
                  "from": self.date, "to": self.date, "owner": lambda: chance.choice(self.ids["user"]),
                  "action": lambda: chance.choice(("user.", "session.", "setting.added")), "actor": lambda: chance.choice(self.known()),
                  "subject": lambda: chance.choice(self.known())}
        if name not in makers:
            raise SystemExit(f"no values for {name} of {path}")
        return makers[name]()

    def known(self):
        return [*self.learners, "a@example.com", "b@example.com", self.emails[0]]

    def query(self, path):
        if "signature" in self.parameters[path]:    # a signed address; here a token opens the file
            return {}
        query = {name: self.value(path, name, schema) for name, schema in self.parameters[path].items() if self.chance.random() < .4}
        if query.get("format") == "csv":
            query = {name: value for name, value in query.items() if name not in ("page", "limit")}
            if path.endswith("/results"):           # of three days: all of them are memory's part
                day = self.chance.randint(self.first, self.last)
                query |= {"from": time.strftime("%Y-%m-%d", time.gmtime(day)), "to": time.strftime("%Y-%m-%d", time.gmtime(day + 3 * DAY))}
        return query

    def fill(self, path, who):
        """Ids and keys in the place of {id} and so on; sometimes one that nobody has."""
        def one(match):
            if match[1] == "key":
                return urllib.parse.quote(self.chance.choice(self.keys["setting" if "settings" in path else "file"]))
            if self.chance.random() < .04:
                return NOBODYS
            if "/results/" in path and who in self.own and self.chance.random() < .8:
                return self.chance.choice(self.own[who])
            kinds = (("/users/", "user"), ("userId", "user"), ("/results/", "result"), ("/courses", "course"), ("/proficiency-tests", "test"),
                     ("/education-materials", "material"))
            return self.chance.choice(self.ids[next((kind for part, kind in kinds if part in path or part == match[1]))])
        return re.sub(r"\{(\w+)\}", one, path)

    def who(self, role):
        staff = self.chance.choice(("superadmin", "superadmin", "admin"))
        learner = self.chance.choice(self.learners)
        likely = {"admin": (.94, .05), "user": (.15, .83), "optional": (.2, .6), "public": (.4, .4)}[role]
        chance = self.chance.random()
        return staff if chance < likely[0] else learner if chance < sum(likely) else None

    def make(self, count):
        """Every route at least once; those with more to choose from more often."""
        routes = [(route["path"], route["role"]) for route in LISTED if route["method"] == "GET"]
        weights = [1 + 2 * len(self.parameters[path]) + 2 * path.count("{") for path, _ in routes]
        chosen = routes + self.chance.choices(routes, weights, k=count - len(routes))
        made = []
        for path, role in chosen:
            who = self.who(role)
            query = urllib.parse.urlencode(self.query(path))
            made.append((path, who, self.chance.choice(("tr", "en", "es", "de")), self.fill(path, who) + ("?" + query if query else "")))
        return made


def plain(response, body):
    headers = tuple(response.headers.get(name) for name in (*HEADERS, "ETag"))
    if len(body) > LARGE:
        return response.status, headers, f"{len(body)} bytes, sha256 {hashlib.sha256(body).hexdigest()}"
    return response.status, headers, TIMES.sub("~", body.decode("utf-8", "backslashreplace"))


def answers(school, sample, requests, start):
    """What each request gets. The clock of the first is `start`, and goes on by STEP."""
    found = []
    connection = school.connect()
    for number, (_, who, language, path) in enumerate(requests):
        school.clock.offset = round((start + number * STEP - time.time()) * 1000)
        school.clock.write()
        token = sample.tokens[who]
        # On a busy machine a search of all users may take longer than its 2 s, and a table longer than its 10 s.
        for wait in (0, 1, 5, 20):
            time.sleep(wait)
            connection.request("GET", path, headers={"Accept-Language": language} | ({"Authorization": f"Bearer {token}"} if token else {}))
            response = connection.getresponse()
            body = response.read()
            if response.status != 503 and b"# incomplete" not in body[-100:]:
                break
        found.append(plain(response, body))
    connection.close()
    school.clock.offset = 0
    school.clock.write()
    return found


def show_difference(request, one, other):
    print(f"different: {' '.join(map(str, request[1:]))}\n  {one[:2]}\n  {other[:2]}")
    if one[2] != other[2]:
        at = next((i for i, (a, b) in enumerate(zip(one[2], other[2])) if a != b), min(len(one[2]), len(other[2])))
        print(f"  {one[2][max(0, at - 80):at + 160]!r}\n  {other[2][max(0, at - 80):at + 160]!r}", flush=True)


def same(school, requests, before, now):
    """Prints how many are equal, and the first that are not."""
    different = [n for n, (one, other) in enumerate(zip(before, now)) if one != other]
    for n in different[:12]:
        show_difference(requests[n], before[n], now[n])
    print(f"{school.at}: {len(requests) - len(different)} of {len(requests)} responses are equal", flush=True)
    return not different


def describe(requests, found):
    statuses = {}
    for status, _, _ in found:
        statuses[status] = statuses.get(status, 0) + 1
    if any(status >= 500 for status in statuses) or statuses.get(200, 0) < len(requests) * .7:
        failed = [(request[3], one) for request, one in zip(requests, found) if one[0] >= 500]
        raise SystemExit(f"no sample: {statuses} {failed[:3]}")
    print(f"{len(requests)} requests to {len({request[0] for request in requests})} routes: {dict(sorted(statuses.items()))}, "
          f"{sum('search=' in request[3] for request in requests)} searches", flush=True)


# ---- memory


TABLES = (("results", "proficiency", "/proficiency-tests/admin/results?format=csv", "/proficiency-tests/target-languages"),
          ("users", "users", "/users?format=csv", "/me/optional"))


def download(school, path, answer=None):
    """All of a table: lines, bytes, the hash, seconds."""
    start, digest, size, lines, tail = time.monotonic(), hashlib.sha256(), 0, 0, b""
    with contextlib.closing(school.connect()) as connection:
        connection.request("GET", path, headers={"Authorization": f"Bearer {school.token}"})
        response = connection.getresponse()
        while piece := response.read(LARGE):
            digest.update(piece)
            size, lines, tail = size + len(piece), lines + piece.count(b"\n"), (tail + piece)[-200:]
    if response.status != 200 or b"# incomplete" in tail:
        raise SystemExit(f"{path} on {school.at}: {response.status} {tail!r}")
    return lines - 1, size, digest.hexdigest(), time.monotonic() - start


def peak(pid):
    """KiB."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


def peaks(school, rounds):
    """For each table, from a worker that has just started: the peak of each round, and what the last one got."""
    found = {}
    for name, program, path, _ in TABLES:
        found[name] = []
        for _ in range(rounds):
            school.restart()
            pid = school.worker(program)
            got = download(school, path)
            if school.worker(program) != pid:
                raise SystemExit(f"the worker of {program} died")
            found[name].append((peak(pid), *got))
    return found


def show_peaks(school, found):
    for name, rounds in found.items():
        kib = [one[0] for one in rounds]
        _, lines, size, _, _ = rounds[-1]
        print(f"| {school.at} | {name} | {lines} | {size / (1 << 20):.1f} | {min(one[4] for one in rounds):.1f} | "
              f"{statistics.median(kib):.0f} ({min(kib)} to {max(kib)}) |", flush=True)


def open_slowly(school, path):
    """A client that has asked for a table, and reads none of it yet."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", school.port))
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {school.token}\r\n\r\n".encode())
    if not client.recv(12).startswith(b"HTTP/1.1 200"):
        raise SystemExit("no table")
    return client


def free_after(school, path):
    """Seconds until the only worker answers another request."""
    start = time.monotonic()
    with contextlib.closing(school.connect()) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
    if response.status != 200:
        raise SystemExit(f"{path}: {response.status}")
    return time.monotonic() - start


def bad_clients(school, server, expected):
    """One that reads 4 KiB a second, and one that vanishes in the middle; the worker serves on, and the next gets all."""
    for name, program, path, other in TABLES:
        pid = school.worker(program)
        slow = open_slowly(school, path)
        while_slow = free_after(school, other)
        for _ in range(5):
            slow.recv(4096)
            time.sleep(1)
        again = free_after(school, other)
        slow.close()
        vanished = open_slowly(school, path)
        vanished.close()
        after = free_after(school, other)
        left = server.active(school.url_there) if school.url_there else 0
        good = download(school, path)[2] == expected[name] and school.worker(program) == pid and left == 0
        print(f"| {school.at} | {name} | {while_slow:.2f} | {again:.3f} | {after:.2f} | {left} | {'yes' if good else 'NO'} |", flush=True)
        if not good:
            raise SystemExit("a client did harm")


def memory(school, small, server, rounds, hashes):
    """Whether the peaks of both schools are equal but for noise, and all rows those of the other database."""
    good = True
    print("\n| database | table | rows | MiB | s | peak of the worker, KiB |\n| --- | --- | --- | --- | --- | --- |")
    large, few = peaks(school, rounds), peaks(small, rounds)
    show_peaks(small, few)
    show_peaks(school, large)
    for name, found in large.items():
        more = statistics.median(one[0] for one in found) - statistics.median(one[0] for one in few[name])
        good &= abs(more) <= NOISE
        good &= hashes.setdefault(name, found[-1][3]) == found[-1][3]
    print("\n| database | table | s until the worker answers while a client is slow | and later | after one vanished | statements left | served on |"
          "\n| --- | --- | --- | --- | --- | --- | --- |")
    bad_clients(school, server, hashes)
    return good


# ---- times


TIMED = {"GET /me": "/me", "results, page 1": "/proficiency-tests/admin/results", "results, by level": "/proficiency-tests/admin/results?level=B1",
         "results, by level and language": "/proficiency-tests/admin/results?level=B1&targetLanguage=de",
         "results, by test": "/proficiency-tests/admin/results?testId={test}", "results, highest first": "/proficiency-tests/admin/results?sort=-totalScore",
         "results, level and language, highest first": "/proficiency-tests/admin/results?level=B1&targetLanguage=de&sort=-totalScore",
         "results, a month": "/proficiency-tests/admin/results?from={month}&to={end}",
         "results, a month, level and language": "/proficiency-tests/admin/results?from={month}&to={end}&level=B1&targetLanguage=de",
         "results, the middle page": "/proficiency-tests/admin/results?page={middle}", "results, search a user": "/proficiency-tests/admin/results?search={user}",
         "results, search a name": "/proficiency-tests/admin/results?search={name}", "results, search all users": "/proficiency-tests/admin/results?search=example",
         "results, search a title": "/proficiency-tests/admin/results?search=placement", "results, search two letters": "/proficiency-tests/admin/results?search=yz",
         "users, page 1": "/users", "users, page 2,000": "/users?page=2000", "users, by name, page 2,000": "/users?sort=name&page=2000",
         "users, search one": "/users?search={user}", "users, search a name": "/users?search={name}", "users, search a surname with umlaut": "/users?search=m%C3%BCller",
         "users, search two letters": "/users?search=yz", "users, search all": "/users?search=example", "users, a role": "/users?role=user&page=100",
         "users, a role and a name": "/users?role=user&search={name}",
         "dashboard, 1 month": "/admin/dashboard/stats?months=1", "dashboard, 6 months": "/admin/dashboard/stats?months=6",
         "dashboard, 24 months": "/admin/dashboard/stats?months=24", "statistics of a test": "/proficiency-tests/{test}/statistics"}


def times(school, sample, count=50):
    """The median of each, in milliseconds."""
    month = sample.last - 200 * DAY
    text = {"test": sample.ids["test"][0], "month": time.strftime("%Y-%m-%d", time.gmtime(month)), "middle": 25000,
            "end": time.strftime("%Y-%m-%d", time.gmtime(month + 30 * DAY)), "user": sample.emails[len(sample.emails) // 2].split("@")[0],
            "name": urllib.parse.quote("ayşe")}
    found = {}
    connection = school.connect()
    for name, path in TIMED.items():
        each = []
        for _ in range(count):
            start = time.perf_counter()
            connection.request("GET", path.format(**text), headers={"Authorization": f"Bearer {school.token}"})
            response = connection.getresponse()
            response.read()
            each.append((time.perf_counter() - start) * 1000)
            if response.status != 200:
                print(f"{name}: {response.status}, longer than 2 s", flush=True)
                break
        found[name] = statistics.median(each)
    connection.close()
    return found


# ---- all


def run(args, stack):
    server = Server()
    stack.callback(server.stop)
    school = School(args.users, args.results)
    stack.callback(school.stop)
    sample = Sample(school, args.seed)
    requests, good, measured, hashes = sample.make(args.requests), True, [], {}
    small = None
    if "memory" not in args.skip:
        small = School(SMALL, SMALL)
        stack.callback(small.stop)
    before, start = None, time.time()
    for to in (None, server.create(), "folder"):
        if to:
            school.move(to)
        if "answers" not in args.skip:
            now = answers(school, sample, requests, start)
            if to:
                good &= same(school, requests, before, now)
            else:
                before = now
                describe(requests, now)
        if "times" not in args.skip:
            measured.append(times(school, sample))
        if small and to != "folder":
            if to:
                small.move(server.create())
            good &= memory(school, small, server, args.rounds, hashes)
    if measured:
        print("\n| request (1 connection) | SQLite ms | PostgreSQL ms | SQLite again ms | ratio to their mean |\n| --- | --- | --- | --- | --- |")
        for name, file in measured[0].items():
            there, back = measured[1][name], measured[2][name]
            print(f"| {name} | {file:.2f} | {there:.2f} | {back:.2f} | {2 * there / (file + back):.1f} |")
    return good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--users", type=int, default=100000)
    parser.add_argument("--results", type=int, default=1000000)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=20261201)
    parser.add_argument("--skip", nargs="+", choices=("answers", "memory", "times"), default=())
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with contextlib.ExitStack() as stack:
        return 0 if run(args, stack) else 1


if __name__ == "__main__":
    sys.exit(main())
