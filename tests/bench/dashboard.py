#!/usr/bin/python3
"""The cost of the dashboard: with 1,000,000 results, 100,000 users and 50,000 contact requests, compared with a tenth
of them, and with GET /me; and the cost of its counters for a submit.

usage: tests/bench/dashboard.py [--seconds N] [--rounds N] [--results N] [--quick]

Measured alternately in one run: compare the ratios. Needs wrk; build first: make build build/bench/echo.
"""

import argparse
import os
import re
import statistics
import time

import bench
import results
from bench import ROOT

YEARS = 2 * 365 * 86400000      # rows are spread over this time, up to now
INSERTS = 20000

FILL = """
UPDATE users SET created_at = {first} + pk * ({years} / {users}) WHERE pk <= {users};
INSERT INTO contact (id, full_name, email, language, status, created_at, sort_name, folded, message)
	WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {contacts})
	SELECT printf('%024x', i), 'Ayşe Işık', 'user' || i || '@example.com', 'tr', iif(i % 3, 'REPLIED', 'PENDING'),
	{first} + i * ({years} / {contacts}), 'ayse isik', 'ayse isik', 'A1 ne zaman?' FROM n;
INSERT INTO material (id, title, locale, created_at, updated_at, folded)
	WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
	SELECT printf('%024x', i), 'Film ' || i, 'tr', 0, 0, '' FROM n;
INSERT INTO assignment (user_pk, material, assigned_at) SELECT users.pk, 1 + users.pk % 100, users.created_at FROM users;
"""

# Rows as a submit makes them, all in one transaction, so that no fsync hides the cost of counting.
INSERT = """
INSERT INTO result (id, user_pk, test, version, attempt, total_score, correct_count, question_count, level, target_language,
	completed_at, chosen)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
SELECT lower(hex(randomblob(12))), 1 + i % 1000, test.pk, version, (SELECT max(completed_at) FROM result) + i, 61.4, 20, 40, 'B1',
	test.target_language, (SELECT max(completed_at) FROM result) + i * 1000, zeroblob(40) FROM n CROSS JOIN test ON test.title = 'Bench 0'
"""


def school(users, count, contacts):
    first = int(time.time() * 1000) - YEARS
    made = results.Results(users, count, first, YEARS // count, ["dashboard"])
    made.ctl("sql", FILL.format(first=first, years=YEARS, users=users, contacts=contacts))
    return made


def counters():
    """The statements that drop and create the triggers on results that only the dashboard needs."""
    made = re.findall(r"(?ms)^CREATE TRIGGER result_\w*timed .*?^END;", (ROOT / "schema.sql").read_text())
    assert len(made) == 3, made
    return [f"DROP TRIGGER {m.split()[2]};" for m in made], made


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--results", type=int, default=1000000)
    parser.add_argument("--users", type=int, default=100000)
    parser.add_argument("--contacts", type=int, default=50000)
    parser.add_argument("--quick", action="store_true", help="one short round")
    options = parser.parse_args()
    if options.quick:
        options.seconds, options.rounds = 1, 1
    schools = []
    try:
        for part in (10, 1):
            schools.append(school(options.users // part, options.results // part, options.contacts // part))
        print(f"{options.results} results, {options.users} users, {options.contacts} contact requests, spread over two years;"
              f" {bench.WORKERS} processes per program, {os.cpu_count()} cores, medians of {options.rounds} rounds of {options.seconds} s\n")
        dashboards(options, *schools)
        submits(options, schools[1])
    finally:
        for one in schools:
            one.stop()


def dashboards(options, tenth, whole):
    print("| dashboard (1 connection) | p50 ms | of GET /me | of a tenth of the rows |\n| --- | --- | --- | --- |")
    paths = {"GET /me": "/me"} | {f"{months} months": f"/admin/dashboard/stats?months={months}" for months in (1, 6, 24)}
    times = {}
    for _ in range(options.rounds):
        for name, path in paths.items():
            for place, one in enumerate((tenth, whole)):
                times.setdefault((name, place), []).append(one.load(path, 1, options.seconds, one.admin)["p50"])
    for name in paths:
        of_me, of_tenth = (statistics.median(a / b for a, b in zip(times[name, 1], times[base])) for base in (("GET /me", 1), (name, 0)))
        print(f"| {name} | {statistics.median(times[name, 1]):.2f} | {of_me:.1f} | {of_tenth:.2f} |")


def submits(options, whole):
    drop, make = counters()
    times = {"counters": [], "without": []}
    inserts = {"counters": [], "without": []}
    for _ in range(options.rounds):
        for name in times:
            if name == "without":
                whole.ctl("sql", "\n".join(drop))
            times[name].append(whole.submit(1, options.seconds, whole.learners[:1])[0]["p50"])
            start = time.perf_counter()
            whole.ctl("sql", INSERT.format(count=INSERTS))
            inserts[name].append((time.perf_counter() - start) / INSERTS * 1e6)
        whole.ctl("sql", "\n".join(make))
    slower = statistics.median(a / b for a, b in zip(times["counters"], times["without"]))
    print(f"\nsubmit of 40 answers, 1 connection: p50 {statistics.median(times['counters']):.3f} ms with the dashboard's counters,"
          f" {statistics.median(times['without']):.3f} ms without: {slower:.2f} x;"
          f" an fdatasync of 4 KiB there takes {whole.fsync_ms():.2f} ms")
    print(f"{INSERTS} results in one transaction: {statistics.median(inserts['counters']):.1f} us each with them,"
          f" {statistics.median(inserts['without']):.1f} us without")


if __name__ == "__main__":
    main()
