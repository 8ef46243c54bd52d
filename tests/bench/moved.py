#!/usr/bin/python3
"""A large school moved to PostgreSQL and back: the responses before, between and after are the same, and files of all rows take
no memory.

usage: tests/bench/moved.py [--users N] [--results N] [--courses N] [--requests N] [--seed N]

Makes a school of `okulctl demo` (100,000 users, 1,000,000 results, 100 courses), sends 1,000 requests that chance chooses among
the routes that read, as a superadmin, an admin and five learners, moves the school with `okulctl database move` to a PostgreSQL of
its own, sends the same again, moves it back, and sends them once more. A response may differ in the time it was made and in
signatures of links, and in nothing else. Each time the results are also read as CSV, while the peak memory of the workers is
watched. Ends with status 1 when anything differs. Takes about six minutes; OKUL_BUILD is the build folder (build).
"""

import argparse
import json
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/api"))

import compare
from helpers.postgres import Postgres

BUILD = pathlib.Path(os.environ.get("OKUL_BUILD", ROOT / "build"))
# What differs from response to response: its time, figures of the 30 days before it, and the signatures of links.
VARIES = re.compile(rb'(?<="timestamp":")[^"]*|(?<="generatedAt":")[^"]*|(?<=Last30Days":)\d+|(?<="monthlyGrowthRate":)[-\d.]+'
                    rb'|(?:expires|signature)=[^&"]*')
WORDS = ("a", "ay", "ayşe", "yılmaz", "ışık", "istanbul", "ISPARTA", "straße", "strasse", "müller", "öz", "kurs", "türkçe", "example.com",
         "daisy", "nobody at all", "ğ", "garcía", "100%", "_")
LEVELS = ("A1", "A2", "B1", "B2", "C1", "C2")
CSV = "/proficiency-tests/admin/results?format=csv"


class School(compare.Server):
    """A school whose database may be moved between requests."""

    def __init__(self, args):
        self.data = compare.tempfile.mkdtemp(prefix="okul-moved-")
        with compare.socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.command = [str(BUILD.resolve() / "okulctl"), "-d", self.data]
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("OKUL_")} | {
            "OKUL_ENV": "development", "OKUL_MAIL_TRANSPORT": "file", "OKUL_LIMITS": "off", "OKUL_DELIVERY": "x-accel",
            "OKUL_BASE_URL": self.url, "OKUL_RETIRE_AFTER": "0"}
        self.ctl("migrate")
        self.ctl("demo", "--users", args.users, "--results", args.results, "--courses", args.courses)
        self.process = None

    def ctl(self, *words):
        return subprocess.run(self.command + [str(word) for word in words], env=self.env, check=True, capture_output=True, text=True).stdout

    def start(self):
        self.process = subprocess.Popen(self.command + ["serve", "--port", str(self.port)], env=self.env, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        self.wait(lambda: urllib.request.urlopen(self.url + "/health"))

    def halt(self):
        self.process.send_signal(compare.signal.SIGTERM)
        self.process.wait(60)

    def move(self, to):
        began = time.monotonic()
        print(self.ctl("database", "move", to).strip().splitlines()[-1])
        return time.monotonic() - began

    def people(self, chance):
        """Tokens by name. The superadmin is new, the others are of the demo."""
        self.ctl("user", "add", "head@example.com", "--role", "superadmin")
        rows = self.ctl("sql", "SELECT email, role FROM users WHERE is_active AND registered_at IS NOT NULL AND deletion_status = 'none'"
                               " AND role <> 'superadmin' ORDER BY pk LIMIT 3000").splitlines()
        found = [line.split("\t") for line in rows if "@" in line]
        admins = [email for email, role in found if role == "admin"]
        learners = [email for email, role in found if role == "user"]
        names = ["head@example.com", *admins[:1], *chance.sample(learners, 5)]
        return {email: self.login(email) for email in names}

    def ask(self, path, token):
        """Status, body without what varies, and seconds."""
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {token}", "Accept-Language": "tr"})
        began = time.monotonic()
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                status, body = response.status, response.read()
        except urllib.error.HTTPError as error:
            status, body = error.code, error.read()
        return status, VARIES.sub(b"", body), time.monotonic() - began

    def peak(self, program):
        """The largest VmHWM of the workers of a program, in KiB."""
        peaks = []
        for status in pathlib.Path("/proc").glob("[0-9]*/status"):
            try:
                command = (status.parent / "cmdline").read_bytes()
                if command.startswith(f"{BUILD.resolve()}/{program}.fcgi".encode()) and self.data.encode() in (status.parent / "environ").read_bytes():
                    peaks.append(int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]))
            except (OSError, TypeError):
                continue
        return max(peaks)

    def csv(self, query):
        """Rows, and seconds, of the results as CSV."""
        request = urllib.request.Request(self.url + CSV + query, headers={"Authorization": f"Bearer {self.tokens['head@example.com']}"})
        began, rows = time.monotonic(), -1
        with urllib.request.urlopen(request, timeout=60) as response:
            while block := response.read(1 << 20):
                rows += block.count(b"\n")
        return rows, time.monotonic() - began


def chosen(school, count, chance):
    """(who, path) of requests that read."""
    head = school.tokens["head@example.com"]

    def ids(path, name="items"):
        data = json.loads(school.ask(path, head)[1])["data"]
        return [item["id"] for item in data[name]]

    users = [one for page in (1, 7, 400, 4000) for one in ids(f"/users?limit=20&page={page}")]
    courses, tests, materials = ids("/courses?limit=100"), ids("/proficiency-tests?limit=100"), ids("/education-materials?limit=100")
    results = [one for page in (1, 50, 9000) for one in ids(f"/proficiency-tests/admin/results?limit=20&page={page}")]
    pick = chance.choice

    def a_list(path, sorts, pages, **filters):
        query = {"limit": pick((5, 20, 100))}
        if chance.random() < .5:
            query["page"] = chance.randint(1, pages)
        if sorts and chance.random() < .6:
            query["sort"] = pick(("", "-")) + pick(sorts)
        for name, values in filters.items():
            if chance.random() < .35:
                query[name] = pick(values)
        return f"{path}?{urllib.parse.urlencode(query)}"

    date = [f"2026-{month:02}-{day:02}" for month in (2, 6, 10) for day in (1, 17)]
    office = [
        lambda: a_list("/users", ("createdAt", "email", "name"), 4000, search=WORDS, role=("user", "admin", "superadmin")),
        lambda: a_list("/proficiency-tests/admin/results", ("completedAt", "totalScore"), 9000, search=WORDS, level=LEVELS, testId=tests,
                       targetLanguage=("en", "de"), **{"from": date, "to": date}),
        lambda: a_list("/contact", ("createdAt", "fullName"), 20, search=WORDS, status=("PENDING", "REPLIED")),
        lambda: a_list("/education-materials", ("createdAt", "title"), 3, search=WORDS, locale=("tr", "en", "es", "de")),
        lambda: a_list("/storage/files", (), 3, search=WORDS),
        lambda: a_list("/admin/audit", (), 5, action=("user.", "setting.")),
        lambda: f"/users/{pick(users)}",
        lambda: f"/proficiency-tests/admin/users/{pick(users)}/results",
        lambda: f"/proficiency-tests/admin/results/{pick(results)}",
        lambda: f"/proficiency-tests/{pick(tests)}/statistics",
        lambda: f"/education-materials/assigned/users/{pick(users)}",
        lambda: f"/admin/dashboard/stats?months={pick((1, 6, 24))}",
    ]
    everybody = [
        lambda: a_list("/courses", ("createdAt", "title", "price", "order"), 5, search=WORDS, language=("tr", "en", "es", "de"), level=LEVELS),
        lambda: a_list("/proficiency-tests", ("createdAt", "title"), 2, search=WORDS),
        lambda: f"/courses/{pick(courses)}",
        lambda: f"/proficiency-tests/{pick(tests)}",
        lambda: f"/proficiency-tests/{pick(tests)}/status",
        lambda: "/proficiency-tests/target-languages",
        lambda: a_list("/proficiency-tests/results/me", (), 3),
        lambda: "/education-materials/assigned/me",
        lambda: f"/education-materials/{pick(materials)}",
        lambda: "/me", lambda: "/me/export", lambda: "/auth/registration/status",
    ]
    staff = list(school.tokens)[:2]
    requests = []
    for _ in range(count):
        if chance.random() < .6:
            requests.append((pick(staff), pick(office)()))
        else:
            requests.append((pick(list(school.tokens)), pick(everybody)()))
    return requests


def measure(school, name, requests, before):
    """Sends the requests; returns their responses and how many differ from those before."""
    school.start()
    responses, times, differ = [], [], 0
    for number, (who, path) in enumerate(requests):
        status, body, seconds = school.ask(path, school.tokens[who])
        responses.append((status, body))
        times.append(seconds)
        if before and before[number] != (status, body):
            differ += 1
            old = before[number]
            at = next((i for i, (a, b) in enumerate(zip(old[1], body)) if a != b), min(len(old[1]), len(body)))
            print(f"differs: {who} {path}: {old[0]} {old[1][max(0, at - 80):at + 80]!r}, now {status} {body[max(0, at - 80):at + 80]!r}")
    good = sum(status == 200 for status, _ in responses)
    times.sort()
    print(f"{name}: {len(responses)} requests, {good} of them 200, {differ} differ; median {1000 * statistics.median(times):.1f} ms, "
          f"99 % {1000 * times[len(times) * 99 // 100]:.0f} ms, longest {1000 * times[-1]:.0f} ms", flush=True)
    rows, seconds = school.csv("&level=C2&from=2026-11-01")
    small = school.peak("proficiency")
    all_rows, all_seconds = school.csv("")
    print(f"{name}: CSV of {rows} results {seconds:.1f} s, peak of a worker {small} KiB; of {all_rows} results {all_seconds:.1f} s, "
          f"{school.peak('proficiency')} KiB", flush=True)
    school.halt()
    return responses, differ


def main():
    parser = argparse.ArgumentParser()
    for name, value in (("users", 100_000), ("results", 1_000_000), ("courses", 100), ("requests", 1000), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=value)
    args = parser.parse_args()
    chance = random.Random(args.seed)
    school, server = School(args), Postgres()
    differ = 0
    try:
        school.start()
        school.tokens = school.people(chance)
        requests = chosen(school, args.requests, chance)
        school.halt()
        before, _ = measure(school, "on the file", requests, None)
        print(f"moved to PostgreSQL in {school.move(server.create()):.0f} s")
        _, there = measure(school, "on PostgreSQL", requests, before)
        print(f"moved back in {school.move('folder'):.0f} s")
        _, back = measure(school, "on the file again", requests, before)
        differ = there + back
    finally:
        if school.process and school.process.poll() is None:
            school.halt()
        compare.shutil.rmtree(school.data)
        server.stop()
    sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()
