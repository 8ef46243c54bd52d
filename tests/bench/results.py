#!/usr/bin/python3
"""The cost of placement tests: the list of 1,000,000 results, submitting 40 answers, and eight parallel submits.

usage: tests/bench/results.py [--seconds N] [--rounds N] [--results N] [--quick]

Compared with GET /me in the same run, as in bench.py: compare the ratios. Every submit is synced to disk before its
response, so the disk matters; the script prints the time of an fsync. Needs wrk; build first: make build
build/bench/echo.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import time
import urllib.request

import bench
from compare import NO_DAILY_LIMIT
from bench import BUILD, ROOT

LEVELS = ("A1", "A2", "B1", "B2", "C1", "C2")
LANGUAGES = ("en", "de", "es", "tr")
WRITERS = 8

# Equal numbers of each kind, except one C2 in Turkish per 50,000, and only A1 in English in the newest hundredth.
FILL = """
INSERT INTO result (id, user_pk, test, version, attempt, total_score, correct_count, question_count, level, target_language,
	completed_at, chosen)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
SELECT printf('%024x', i), 1 + i % {users}, test.pk, test.version, 1 + i / {users}, (i * 7919 % 10001) / 100.0, i % 41, 40,
	CASE WHEN i > {count} - {count} / 100 THEN 'A1' WHEN lang = 3 AND level = 5 AND i % 2000 <> 23 THEN 'C1'
	ELSE substr('A1A2B1B2C1C2', 1 + 2 * level, 2) END,
	test.target_language, {first} + i * {step}, zeroblob(40)
FROM (SELECT i, CASE WHEN i > {count} - {count} / 100 THEN 0 ELSE i % 4 END AS lang, i / 4 % 6 AS level FROM n)
	CROSS JOIN test ON test.title = 'Bench ' || lang
"""

SUBMIT = """
wrk.method = "POST"
wrk.body = [[{body}]]
wrk.headers["Content-Type"] = "application/json"
done = function(s, l, r) io.write(string.format('@ %d %d %d %d %d %d %d\\n', s.requests, s.duration, l:percentile(50),
	l:percentile(99), l:percentile(99.9), l.max, s.errors.status + s.errors.connect + s.errors.read + s.errors.write
	+ s.errors.timeout)) end
"""


# The counts of the triggers that are dropped meanwhile.
TALLIES = """
INSERT INTO result_tally SELECT version, level, test, target_language, count(*), sum(CAST(round(total_score * 100) AS INTEGER))
	FROM result GROUP BY version, level;
INSERT INTO time_tally (span, number, results) SELECT 86400000, completed_at / 86400000, count(*) FROM result WHERE true GROUP BY 2
	ON CONFLICT DO UPDATE SET results = excluded.results;
INSERT INTO time_tally (span, number, results) SELECT 900000, completed_at / 900000, count(*) FROM result WHERE true GROUP BY 2
	ON CONFLICT DO UPDATE SET results = excluded.results;
"""


class Results(bench.Bench):
    """A school with `count` results, one every `step` milliseconds."""

    def __init__(self, users, count, first=1700000000000, step=60000, programs=()):
        super().__init__(users, 100)
        for name in ("proficiency", *programs):
            self.pool(name, [BUILD / f"{name}.fcgi"])
        self.nginx.terminate()
        self.nginx.wait()
        self.nginx = self.web(self.port, bench.WORKERS)
        tests = [self.send("/proficiency-tests", self.test_body(i), self.admin) for i in range(len(LANGUAGES))]
        self.test = tests[0]
        self.fill(users, count, first, step)
        self.ctl("sql", NO_DAILY_LIMIT)
        self.learners = [self.login(f"user{i}@example.com") for i in range(2, 2 + WRITERS)]

    def test_body(self, number):
        options = [{"text": f"An answer that is {o}, at some length", "isCorrect": o == 1} for o in range(4)]
        questions = [{"text": f"Question {q}: which of these is what the sentence before needs?", "points": 0.5 + q % 3,
                      "options": options} for q in range(40)]
        ranges = [{"level": level, "minScore": 100 * i // 6, "maxScore": 100 * (i + 1) // 6} for i, level in enumerate(LEVELS)]
        return {"title": f"Bench {number}", "targetLanguage": LANGUAGES[number], "maxAttempts": 0, "questions": questions,
                "levelRanges": ranges}

    def send(self, path, body, token):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", json.dumps(body).encode(),
                                         {"Content-Type": "application/json", "Authorization": f"Bearer {token}"})
        return json.load(urllib.request.urlopen(request))["data"]

    def fill(self, users, count, first, step):
        """Drops indexes and triggers meanwhile, which takes a third of the time."""
        schema = (ROOT / "schema.sql").read_text()
        made = re.findall(r"(?m)^CREATE (?:UNIQUE )?INDEX result_\w+ ON result [^;]*;", schema)
        made += re.findall(r"(?ms)^CREATE TRIGGER result_\w+ .*?^END;", schema)
        drop = [f"DROP {kind} {name};" for kind, name in re.findall(r"CREATE (?:UNIQUE )?(INDEX|TRIGGER) (\w+)", "\n".join(made))]
        self.ctl("sql", "\n".join([*drop, FILL.format(count=count, users=users, first=first, step=step), ";", TALLIES, *made]))

    def submit(self, connections, seconds, tokens):
        """Runs one wrk per token in parallel; returns for each requests/s, and p50, p99, p99.9 and max in ms."""
        answers = [{"questionId": q["id"], "optionId": q["options"][i % 4]["id"]} for i, q in enumerate(self.test["questions"])]
        script = self.dir / "submit.lua"
        script.write_text(SUBMIT.format(body=json.dumps({"answers": answers})))
        url = f"http://127.0.0.1:{self.port}/proficiency-tests/{self.test['id']}/submit"
        running = [subprocess.Popen(["wrk", "-t1" if connections == 1 else "-t2", f"-c{connections}", f"-d{seconds}s", "-s", script,
                                     "-H", f"Authorization: Bearer {token}", url], stdout=subprocess.PIPE, text=True)
                   for token in tokens]
        found = []
        for process in running:
            out = process.communicate()[0]
            requests, duration, p50, p99, p999, longest, errors = map(int, re.search(r"(?m)^@ (.*)$", out)[1].split())
            assert errors == 0, f"{errors} submits failed"
            found.append({"rps": requests / (duration / 1e6), "p50": p50 / 1e3, "p99": p99 / 1e3, "p999": p999 / 1e3,
                          "max": longest / 1e3})
        return found

    def fsync_ms(self):
        times = []
        with open(self.dir / "fsync", "wb") as file:
            for _ in range(50):
                file.write(b"x" * 4096)
                file.flush()
                start = time.perf_counter()
                os.fdatasync(file.fileno())
                times.append(time.perf_counter() - start)
        return statistics.median(times) * 1e3


LISTS = {
    "GET /me": "/me", "page 1": "", "by level and language": "?level=B1&targetLanguage=de",
    "a kind that is rare": "?level=C2&targetLanguage=tr", "a kind that the newest are not": "?level=B2&targetLanguage=es",
    "by level": "?level=C1", "by language": "?targetLanguage=tr", "by test": "?testId={test}", "highest first": "?sort=-totalScore",
    "level and language, highest first": "?level=B1&targetLanguage=de&sort=-totalScore", "a month": "?from=2024-02-01&to=2024-03-01",
    "a month, level and language": "?from=2024-02-01&to=2024-03-01&level=B1&targetLanguage=de",
    "page 25,000 of 50,000": "?page=25000", "level and language, page 1,000 of 2,000": "?level=B1&targetLanguage=de&page=1000",
    "search, a user": "?search=user4711%40", "search, all users": "?search=example.com", "search, a title": "?search=bench+2",
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--results", type=int, default=1000000)
    parser.add_argument("--users", type=int, default=20000)
    parser.add_argument("--quick", action="store_true", help="one short round")
    options = parser.parse_args()
    if options.quick:
        options.seconds, options.rounds = 1, 1
    here = Results(options.users, options.results)
    try:
        print(f"{options.results} results of {options.users} users, {bench.WORKERS} processes per program, {os.cpu_count()} cores,"
              f" medians of {options.rounds} rounds of {options.seconds} s\n")
        print("| list of results (1 connection) | p50 ms | of GET /me |\n| --- | --- | --- |")
        times = {name: [] for name in LISTS}
        for _ in range(options.rounds):
            for name, path in LISTS.items():
                path = path if path == "/me" else "/proficiency-tests/admin/results" + path.format(test=here.test["id"])
                times[name].append(here.load(path, 1, options.seconds, here.admin)["p50"])
        for name, p50 in times.items():
            ratio = statistics.median(a / b for a, b in zip(p50, times["GET /me"]))
            print(f"| {name} | {statistics.median(p50):.2f} | {ratio:.1f} |")
        start = time.perf_counter()
        size = subprocess.run(["curl", "-sf", "-H", f"Authorization: Bearer {here.admin}", "-o", "/dev/null", "-w", "%{size_download}",
                               f"http://127.0.0.1:{here.port}/proficiency-tests/admin/results?format=csv"],
                              capture_output=True, text=True, check=True).stdout
        print(f"\nall as CSV: {time.perf_counter() - start:.1f} s, {int(size) >> 20} MiB\n")
        print("| connections | what | requests/s | of GET /me | p50 ms | p99 ms |\n| --- | --- | --- | --- | --- | --- |")
        for connections in (1, 16):
            rounds = [(here.load("/me", connections, options.seconds), here.submit(connections, options.seconds, here.learners[:1])[0])
                      for _ in range(options.rounds)]
            for name, at in (("GET /me", 0), ("submit 40 answers", 1)):
                median = {k: statistics.median(r[at][k] for r in rounds) for k in ("rps", "p50", "p99")}
                ratio = statistics.median(r[at]["rps"] / r[0]["rps"] for r in rounds)
                print(f"| {connections} | {name} | {median['rps']:.0f} | {ratio:.2f} | {median['p50']:.2f} | {median['p99']:.2f} |")
        print(f"\nan fdatasync of 4 KiB there takes {here.fsync_ms():.2f} ms\n")
        print(f"| {WRITERS} learners submit at once | requests/s | p50 ms | p99 ms | p99.9 ms | of p50 | slowest of the fastest |")
        print("| --- | --- | --- | --- | --- | --- | --- |")
        for _ in range(options.rounds):
            all_ = here.submit(1, options.seconds, here.learners)
            p50 = statistics.median(r["p50"] for r in all_)
            p999 = max(r["p999"] for r in all_)
            rates = [r["rps"] for r in all_]
            print(f"| | {sum(rates):.0f} | {p50:.2f} | {max(r['p99'] for r in all_):.2f} | {p999:.2f} | {p999 / p50:.1f} |"
                  f" {min(rates) / max(rates):.2f} |")
    finally:
        here.stop()


if __name__ == "__main__":
    main()
