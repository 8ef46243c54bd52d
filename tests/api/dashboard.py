"""Group dashboard: every figure is compared with a recount of the rows, an independent model of the contract in Python."""

import collections
import contextlib
import itertools
import random
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from helpers import contract
from helpers.client import Okul
from helpers.database import blob, reading, table
from helpers.examples import GOOD_TEST
from helpers.server import Server, fresh

PATH = "/admin/dashboard/stats"
ZONES = ("Europe/Istanbul", "UTC", "America/New_York", "Asia/Kathmandu", "America/Havana")
LEVELS = ("A1", "A2", "B1", "B2", "C1", "C2")
DAY = 86400000
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


# ---- the model


def moment(ms, zone="UTC"):
    return (EPOCH + timedelta(milliseconds=ms)).astimezone(ZoneInfo(zone))


def text(ms):
    return None if ms is None else moment(ms).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def milliseconds(time):
    return (datetime.strptime(time, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc) - EPOCH) // timedelta(milliseconds=1)


def ratio(part, whole):
    """To two decimals, half away from zero; 0 if the divisor is 0."""
    if not whole:
        return 0
    exact = abs(Fraction(part) / whole) * 100
    rounded = (exact + Fraction(1, 2)) // 1
    return float(Fraction(int(rounded), 100)) * (-1 if part < 0 else 1)


def percent(part, whole):
    return ratio(Fraction(part) * 100, whole)


def mean(scores):
    return ratio(sum(Fraction(str(s)) for s in scores), len(scores))


class Rows:
    """All rows that the figures depend on, read directly from the database."""

    def __init__(self, server):
        with reading(server) as all_of:
            self.users = all_of("SELECT pk, email, name, surname, role, registered_at, created_at AS at FROM users")
            self.results = all_of("SELECT result.pk, result.id, user_pk, result.test, version, total_score, level, result.target_language,"
                                  " completed_at AS at, title FROM result JOIN test_version ON test_version.pk = version")
            self.contacts = all_of("SELECT pk, id, full_name, email, status, source, replied_at, created_at AS at FROM contact")
            self.assignments = all_of("SELECT user_pk, assigned_at AS at FROM assignment")
            self.courses, self.tests, self.materials = (
                all_of(f"SELECT count(*) AS n FROM {name}")[0]["n"] for name in ("course", "test", "material"))
            # the counters that triggers maintain
            self.tally = {row["name"]: row["n"] for row in all_of("SELECT name, n FROM tally")}
            self.time_tally = {tuple(row.values())[:2]: tuple(row.values())[2:] for row in all_of(
                "SELECT span, number, users, results, contacts, assignments FROM time_tally")}
            self.result_tally = {tuple(row.values())[:4]: tuple(row.values())[4:] for row in all_of(
                "SELECT version, level, test, target_language, n, hundredths FROM result_tally")}

    def kinds(self):
        return {"users": self.users, "testSubmissions": self.results, "contacts": self.contacts,
                "materialAssignments": self.assignments}


def trends(rows, now, months, zone):
    here = moment(now, zone)
    counts = {kind: collections.Counter((moment(r["at"], zone).year, moment(r["at"], zone).month) for r in list_)
              for kind, list_ in rows.kinds().items()}
    result = []
    for back in range(months - 1, -1, -1):
        year, month = divmod(here.year * 12 + here.month - 1 - back, 12)
        first = datetime(year, month + 1, 1)
        result.append({"month": first.strftime("%Y-%m"), "label": first.strftime("%b %Y")} |
                    {kind: count[year, month + 1] for kind, count in counts.items()})
    return result


def languages(results):
    """Languages that differ only in case are one language, listed in its first spelling."""
    by = collections.defaultdict(list)
    for r in results:
        by[r["target_language"].lower()].append(r)
    result = []
    for some in by.values():
        key = min(r["target_language"] for r in some)
        result.append({"key": key, "label": key.upper(), "submissions": len(some),
                     "averageScore": mean([r["total_score"] for r in some])})
    return sorted(result, key=lambda item: (-item["submissions"], item["key"]))


def expected(rows, now, months, zone):
    """AdminDashboardStatsResponseDto, computed from the rows."""
    recent, before = {}, {}
    for kind, list_ in rows.kinds().items():
        recent[kind] = sum(r["at"] >= now - 30 * DAY for r in list_)
        before[kind] = sum(now - 60 * DAY <= r["at"] < now - 30 * DAY for r in list_)
    growth = {kind: percent(recent[kind] - before[kind], before[kind]) for kind in recent}
    roles = collections.Counter(u["role"] for u in rows.users)
    states = collections.Counter(c["status"] for c in rows.contacts)
    registered = sum(u["registered_at"] is not None for u in rows.users)
    learners = {a["user_pk"] for a in rows.assignments}
    scores = {level: [r["total_score"] for r in rows.results if r["level"] == level] for level in LEVELS}
    people = {u["pk"]: u for u in rows.users}

    def share(key, label, count, whole):
        return {"key": key, "label": label, "count": count, "percentage": percent(count, whole)}

    def newest(list_):
        return sorted(list_, key=lambda r: (r["at"], r["pk"]), reverse=True)[:5]
    return {
        "generatedAt": text(now), "months": months,
        "overview": {
            "users": {"total": len(rows.users), "admins": roles["admin"] + roles["superadmin"], "registrationCompleted": registered,
                      "completionRate": percent(registered, len(rows.users)), "newLast30Days": recent["users"],
                      "monthlyGrowthRate": growth["users"]},
            "courses": {"total": rows.courses},
            "tests": {"totalTests": rows.tests, "totalSubmissions": len(rows.results),
                      "averageScore": mean([r["total_score"] for r in rows.results]),
                      "submissionsLast30Days": recent["testSubmissions"], "monthlyGrowthRate": growth["testSubmissions"]},
            "contacts": {"total": len(rows.contacts), "pending": states["PENDING"], "replied": states["REPLIED"],
                         "replyRate": percent(states["REPLIED"], len(rows.contacts)), "newLast30Days": recent["contacts"]},
            "materials": {"total": rows.materials, "assignments": len(rows.assignments), "assignedUsers": len(learners),
                          "avgAssignmentsPerUser": ratio(len(rows.assignments), len(learners)),
                          "assignmentsLast30Days": recent["materialAssignments"]}},
        "trends": trends(rows, now, months, zone),
        "distributions": {
            "roles": [share(r, r.capitalize(), roles[r], len(rows.users)) for r in ("user", "admin", "superadmin")],
            "contactsByStatus": [share(s, s.capitalize(), states[s], len(rows.contacts)) for s in ("PENDING", "REPLIED")],
            "levels": [share(level, level, len(scores[level]), len(rows.results)) | {"averageScore": mean(scores[level])}
                       for level in LEVELS],
            "languages": languages(rows.results)},
        "recentActivity": {
            "contacts": [{"id": c["id"], "fullName": c["full_name"], "email": c["email"], "status": c["status"],
                          "createdAt": text(c["at"]), "repliedAt": text(c["replied_at"]), "source": c["source"]}
                         for c in newest(rows.contacts)],
            "testResults": [{"id": r["id"], "userName": " ".join(filter(None, (people[r["user_pk"]]["name"], people[r["user_pk"]]["surname"]))),
                             "userEmail": people[r["user_pk"]]["email"], "level": r["level"], "totalScore": r["total_score"],
                             "targetLanguage": r["target_language"], "testTitle": r["title"], "completedAt": text(r["at"])}
                            for r in newest(rows.results)]}}


def check_counters(rows):
    """The counters of the triggers match the rows."""
    times = collections.Counter()
    for column, list_ in enumerate(rows.kinds().values()):
        for r in list_:
            for span in (DAY, 900000):
                times[span, r["at"] // span, column] += 1
    assert {(*key, column): n for key, columns in rows.time_tally.items() for column, n in enumerate(columns) if n} == dict(times)
    kinds = collections.defaultdict(list)
    for r in rows.results:
        kinds[r["version"], r["level"], r["test"], r["target_language"]].append(Fraction(str(r["total_score"])) * 100)
    assert rows.result_tally == {kind: (len(scores), sum(scores)) for kind, scores in kinds.items()}
    assert {name: rows.tally[name] for name in ("registration", "test", "material", "assignment", "assignment:user")} == {
        "registration": sum(u["registered_at"] is not None for u in rows.users), "test": rows.tests, "material": rows.materials,
        "assignment": len(rows.assignments), "assignment:user": len({a["user_pk"] for a in rows.assignments})}


# ---- a school


class School(Okul):
    """A new server in a time zone; its methods add rows of all kinds at given times."""

    def __init__(self, zone, **settings):
        super().__init__(Server("dashboard", **{"OKUL_WORKERS": "2", "OKUL_TIME_ZONE": zone} | settings))
        self.zone = zone
        self.boss = self.staff("admin")

    def stats(self, months=None):
        answer = self.boss.get(PATH + (f"?months={months}" if months else ""))
        assert answer.status == 200, answer
        return answer.data

    def recounted(self, *months):
        """Compares the responses for these numbers of months, and the counters, with the rows. Returns the last
        response."""
        for count in months or (None,):
            stats = self.stats(count)
            rows = Rows(self.server)
            model = expected(rows, milliseconds(stats["generatedAt"]), count or 6, self.zone)
            for part in model:
                assert stats[part] == model[part], f"{part} of {count} months in {self.zone}"
            assert list(stats) == list(model)
        check_counters(rows)
        return stats

    def now(self):
        return int(self.server.clock.now() * 1000)

    def fill(self, sql, rows):
        """Runs a statement over all rows: its table ROWS has an id, and the columns c1, c2, ..."""
        rows = [(secrets.token_hex(12), *row) for row in rows]
        for batch in range(0, len(rows), 500):
            self.server.sql(table("ROWS", rows[batch:batch + 500]) + sql)

    def add_users(self, rows):
        """(role, registered or not, created at)"""
        self.fill("INSERT INTO users (id, email, role, registered_at, timezone, name, surname, created_at, updated_at) SELECT"
                  " c0, c0 || '@example.com', c1, CAST(c2 AS BIGINT), 'UTC',"
                  " CASE WHEN key % 3 > 0 THEN 'Şule' END, CASE WHEN key % 5 > 0 THEN 'Işık' END, c3, 0 FROM ROWS", rows)

    def add_results(self, rows):
        """(index of the user, index of the test, score, level, completed at)"""
        rows = [(*row, secrets.randbelow(10 ** 12)) for row in rows]
        self.fill("INSERT INTO result (id, user_pk, test, version, attempt, total_score, correct_count, question_count, level,"
                  " target_language, completed_at, chosen) SELECT c0, person.pk, test.pk, test.version,"
                  f" c6, c3, 0, 1, c4, test.target_language, c5, {blob(bytes(1))}"
                  " FROM ROWS JOIN (SELECT pk, row_number() OVER (ORDER BY pk) - 1 AS place, count(*) OVER () AS size FROM users)"
                  " AS person ON person.place = c1 % person.size JOIN (SELECT pk, version, target_language,"
                  " row_number() OVER (ORDER BY pk) - 1 AS place, count(*) OVER () AS size FROM test) AS test"
                  " ON test.place = c2 % test.size", rows)

    def add_contacts(self, rows):
        """(status, created at)"""
        self.fill("INSERT INTO contact (id, full_name, email, source, language, status, replied_at, created_at, sort_name, folded,"
                  " message) SELECT c0, 'Ada', 'ada@example.com', CASE WHEN key % 2 > 0 THEN 'web' END, 'en',"
                  " c1, CASE WHEN c1 = 'REPLIED' THEN c2 + 1 END, c2, '', '', 'x' FROM ROWS", rows)

    def add_assignments(self, rows):
        """(index of the user, index of the material, assigned at); existing assignments stay"""
        self.fill("INSERT INTO assignment (user_pk, material, assigned_at) SELECT person.pk, material.pk, c3"
                  " FROM ROWS JOIN (SELECT pk, row_number() OVER (ORDER BY pk) - 1 AS place, count(*) OVER () AS size FROM users)"
                  " AS person ON person.place = c1 % person.size JOIN (SELECT pk, row_number() OVER (ORDER BY pk) - 1"
                  " AS place, count(*) OVER () AS size FROM material) AS material ON material.place = c2 % material.size"
                  " WHERE true ON CONFLICT DO NOTHING", rows)

    def add_materials(self, count):
        self.fill("INSERT INTO material (id, title, locale, created_at, updated_at, folded) SELECT c0, 'Film',"
                  " 'de', 0, 0, '' FROM ROWS", [()] * count)

    def add_tests(self, *languages_):
        for n, language in enumerate(languages_):
            answer = self.boss.post("/proficiency-tests", GOOD_TEST | {"title": f"Einstufung {n}", "targetLanguage": language})
            assert answer.status == 201, answer

    def populate(self, chance, times, size):
        """Adds rows of each kind, in proportion to `size`, at random ones of the times."""
        self.add_users([(chance.choices(("user", "admin", "superadmin"), (90, 8, 2))[0], chance.choice((None, 1)), chance.choice(times))
                        for _ in range(size)])
        self.add_results([(chance.randrange(10**6), chance.randrange(10**6), chance.randrange(10001) / 100, chance.choice(LEVELS[:5]),
                           chance.choice(times)) for _ in range(3 * size)])
        self.add_contacts([(chance.choice(("PENDING", "REPLIED", "REPLIED")), chance.choice(times)) for _ in range(size)])
        self.add_assignments([(chance.randrange(10**6), chance.randrange(10**6), chance.choice(times)) for _ in range(2 * size)])


@contextlib.contextmanager
def school(zone, **settings):
    made = School(zone, **settings)
    try:
        yield made
        assert made.server.deaths() == []
    finally:
        made.server.stop()


def edges(now, zone):
    """The starts of the next month, this month and the 26 months before, newest first."""
    here, found = moment(now, zone), []
    for back in range(-1, 27):
        year, month = divmod(here.year * 12 + here.month - 1 - back, 12)
        first = datetime(year, month + 1, 1, tzinfo=ZoneInfo(zone)).astimezone(timezone.utc)
        found.append((first - EPOCH) // timedelta(milliseconds=1))
    return found


# ---- figures


def test_a_new_school():
    with school("Europe/Istanbul") as new:
        stats = new.recounted()
        assert stats["months"] == 6 and len(stats["trends"]) == 6 and stats["trends"][-1]["users"] == stats["overview"]["users"]["total"] == 1
        assert stats["overview"]["users"] == {"total": 1, "admins": 1, "registrationCompleted": 0, "completionRate": 0,
                                             "newLast30Days": 1, "monthlyGrowthRate": 0}
        for part in ("courses", "tests", "contacts", "materials"):
            assert set(stats["overview"][part].values()) == {0}
        assert stats["distributions"]["languages"] == [] and stats["recentActivity"] == {"contacts": [], "testResults": []}
        assert [item["key"] for item in stats["distributions"]["levels"]] == list(LEVELS)
        assert len(new.stats(1)["trends"]) == 1 and len(new.stats(24)["trends"]) == 24
        assert list(stats) == [f.name for f in contract.shapes["AdminDashboardStatsResponseDto"]]


# RANDOM is a number from 0 to 999,982 for each row.
OPERATIONS = (
    "DELETE FROM users WHERE pk IN (SELECT pk FROM users WHERE role = 'user' ORDER BY random() LIMIT 5)",
    "UPDATE users SET role = 'admin' WHERE pk IN (SELECT pk FROM users WHERE role = 'user' ORDER BY random() LIMIT 7)",
    "UPDATE users SET role = 'user' WHERE pk IN (SELECT pk FROM users WHERE role = 'admin' AND created_at < 1e12 ORDER BY random() LIMIT 3)",
    "UPDATE users SET registered_at = CASE WHEN registered_at IS NULL THEN 5 END WHERE RANDOM % 4 = 0",
    "UPDATE users SET registered_at = 7 WHERE registered_at IS NOT NULL AND RANDOM % 4 = 0",
    "UPDATE users SET created_at = abs(created_at + (RANDOM - 500000) * 8000) WHERE RANDOM % 5 = 0",
    "UPDATE users SET name = 'Ayşe' WHERE RANDOM % 5 = 0",
    "DELETE FROM result WHERE RANDOM % 9 = 0",
    "UPDATE result SET total_score = round(total_score * 33) / 100, level = 'C2' WHERE RANDOM % 9 = 0",
    "UPDATE result SET completed_at = abs(completed_at - RANDOM * 4000) WHERE RANDOM % 9 = 0",
    "UPDATE result SET user_pk = (SELECT min(pk) FROM users) WHERE RANDOM % 50 = 0",
    "DELETE FROM contact WHERE RANDOM % 9 = 0",
    "UPDATE contact SET status = CASE status WHEN 'PENDING' THEN 'REPLIED' ELSE 'PENDING' END WHERE RANDOM % 3 = 0",
    "UPDATE contact SET created_at = abs(created_at + (RANDOM - 500000) * 8000) WHERE RANDOM % 5 = 0",
    "DELETE FROM assignment WHERE RANDOM % 6 = 0",
    "DELETE FROM assignment WHERE user_pk IN (SELECT user_pk FROM assignment ORDER BY random() LIMIT 5)",
    "UPDATE assignment SET assigned_at = abs(assigned_at + (RANDOM - 500000) * 8000), note = 'x' WHERE RANDOM % 5 = 0",
    "UPDATE assignment SET user_pk = (SELECT min(pk) FROM users) WHERE pk IN (SELECT min(pk) FROM assignment GROUP BY material)"
    " AND NOT EXISTS (SELECT 1 FROM assignment AS other WHERE other.material = assignment.material AND other.user_pk ="
    " (SELECT min(pk) FROM users))",
    "DELETE FROM material WHERE pk IN (SELECT pk FROM material ORDER BY random() LIMIT 1)",
    "DELETE FROM test WHERE pk = (SELECT max(pk) FROM test)",
)


@pytest.mark.parametrize("zone", ZONES)
def test_every_figure_matches_the_rows(zone):
    chance = random.Random(zone)
    with school(zone) as here:
        here.add_tests("en", "de", "EN", "sw", "tr")
        here.add_materials(12)
        now = here.now()
        # at, before and after each boundary of a month; anywhere; in one millisecond; before everything that is shown
        times = [edge + d for edge in edges(now, zone) for d in (-1, 0, 1, -chance.randrange(DAY), chance.randrange(DAY))]
        times = [t for t in times if t <= now] + [now - chance.randrange(800 * DAY) for _ in range(100)]
        times += [now - 20 * DAY] * 9 + [now - 45 * DAY] * 9 + [0, 1, 899999, 900000, DAY - 1]
        here.populate(chance, times, 400)
        here.recounted(None, 1, 2, 12, 24)
        for _ in range(6):
            for operation in chance.sample(OPERATIONS, 5):
                here.server.sql(operation.replace("RANDOM", f"(pk * {chance.randrange(1, 999983)} % 999983)"))
            here.recounted(24)
        here.populate(chance, times, 100)
        here.recounted(3, 24)
        # just before the end of a month, just after it, and at the end of a year
        for edge in (edges(now, zone)[0], next(t for t in (edges(now + 31 * DAY * n, zone)[0] for n in range(1, 14))
                                               if moment(t, zone).month == 1)):
            here.server.clock.advance((edge - here.now()) / 1000 - 120)
            here.boss = here.staff("superadmin")
            here.recounted(None, 24)
            here.server.clock.advance(125)
            here.server.sql(f"DELETE FROM contact WHERE created_at >= {edge - 1}")
            here.add_contacts([("PENDING", edge + d) for d in (-1, 0, 1)])
            stats = here.recounted(None, 24)
            assert stats["trends"][-1]["month"] == moment(edge, zone).strftime("%Y-%m") and stats["trends"][-1]["contacts"] == 2


def test_thirty_days_are_exact_to_the_millisecond():
    """There is a row at each millisecond that may be the boundary, since the clock advances."""
    with school("UTC") as here:
        here.add_tests("en")
        here.add_materials(1)
        here.recounted()
        span = range(12000)
        start = here.now() + 600000     # when the first of these rows is 30 or 60 days old
        for days in (30, 60):
            begin = start - days * DAY
            here.add_contacts([("PENDING", begin + d) for d in span])
            here.add_results([(0, 0, 1.5, "A1", begin + d) for d in span])
            here.add_users([("user", None, begin + d) for d in span[::24]])
        here.add_users([("user", None, 1)] * 500)
        here.add_assignments([(d, 0, start - 30 * DAY + 24 * d) for d in range(500)])
        here.server.clock.advance((start - here.now()) / 1000)
        for _ in range(8):
            stats = here.stats(1)
            elapsed = milliseconds(stats["generatedAt"]) - start
            assert elapsed in span, "the machine is too slow for this test"
            parts = -(-elapsed // 24)
            overview = stats["overview"]
            assert overview["contacts"]["newLast30Days"] == overview["tests"]["submissionsLast30Days"] == len(span) - elapsed
            assert overview["tests"]["monthlyGrowthRate"] == percent(-elapsed, len(span))
            assert overview["users"]["newLast30Days"] == 500 - parts + 1
            assert overview["users"]["monthlyGrowthRate"] == percent(1 - parts, 500)
            assert overview["materials"]["assignmentsLast30Days"] == 500 - parts
            time.sleep(0.05)


def test_a_half_is_rounded_away_from_zero():
    with school("UTC") as here:
        here.add_tests("en")
        here.add_results([(0, 0, 0.01, "A1", 1), (0, 0, 0.02, "A1", 2), (0, 0, 8.57, "B1", 3), (0, 0, 1.11, "B1", 3),
                          (0, 0, 100, "C1", 4)])
        stats = here.recounted()
        assert [item["averageScore"] for item in stats["distributions"]["levels"]] == [0.02, 0, 4.84, 0, 100, 0]
        now = here.now()
        here.add_contacts([("REPLIED", 1)] + [("PENDING", 1)] * 799)
        assert here.recounted()["overview"]["contacts"]["replyRate"] == 0.13
        here.add_results([(0, 0, 5, "A1", now - 50 * DAY)] * 800 + [(0, 0, 5, "A1", now - 2 * DAY)] * 799)
        assert here.recounted()["overview"]["tests"]["monthlyGrowthRate"] == -0.13


def test_a_row_from_the_future_counts_as_new():
    """As when the clock was set back."""
    with school("Europe/Istanbul") as here:
        here.add_contacts([("PENDING", here.now() + 100 * DAY), ("PENDING", here.now() + 5000)])
        stats = here.recounted(1)
        assert stats["overview"]["contacts"]["newLast30Days"] == stats["overview"]["contacts"]["total"] == 2


# ---- through the API


def test_each_write_is_in_the_next_response():
    with school("Asia/Kathmandu") as here:
        boss = here.boss = here.staff("superadmin")
        people = [here.registered() for _ in range(3)]
        here.login()
        here.recounted()
        done = [boss.post("/courses", {"title": "A1", "language": "tr", "isPublished": published}) for published in (True, False)]
        test = boss.post("/proficiency-tests", GOOD_TEST | {"maxAttempts": 0, "isPublished": True}).data
        assert here.recounted()["overview"]["courses"]["total"] == 2
        answers = {"answers": [{"questionId": q["id"], "optionId": q["options"][0]["id"]} for q in test["questions"]]}
        results = [p.post(f"/proficiency-tests/{test['id']}/submit", answers) for p in people * 2]
        assert {r.status for r in results} == {201} and {d.status for d in done} == {201}
        stats = here.recounted()
        assert stats["overview"]["tests"]["totalSubmissions"] == 6
        newest = stats["recentActivity"]["testResults"][0]
        assert newest["id"] == results[-1].data["id"] and newest["userName"] == "Ada Lovelace"
        asked = [here.post("/contact", {"fullName": "Ada", "email": fresh(), "message": "?", "source": "web"}).data for _ in range(7)]
        assert [c["id"] for c in here.recounted()["recentActivity"]["contacts"]] == [c["id"] for c in asked[:1:-1]]
        here.add_materials(2)
        here.add_assignments([(n, n, here.now()) for n in range(8)])
        steps = (
            lambda: boss.post(f"/contact/{asked[0]['id']}/reply", {"message": "Yes"}),
            lambda: boss.patch(f"/contact/{asked[6]['id']}/status", {"status": "REPLIED"}),
            lambda: boss.patch(f"/contact/{asked[6]['id']}/status", {"status": "PENDING"}),
            lambda: boss.delete(f"/contact/{asked[5]['id']}"),
            lambda: boss.patch(f"/admin/users/{people[0].id}/role", {"role": "admin"}),
            lambda: boss.delete(f"/proficiency-tests/admin/results/{results[0].data['id']}"),
            lambda: boss.delete(f"/courses/{done[0].data['id']}"),
            lambda: boss.delete(f"/proficiency-tests/{test['id']}"),
            lambda: boss.delete(f"/users/{people[1].id}"),
        )
        for step in steps:
            answer = step()
            assert answer.status == 200, answer
            here.recounted()


def test_each_response_is_one_current_snapshot():
    with school("Europe/Istanbul", OKUL_WORKERS="3") as here:
        boss = here.staff("superadmin")
        test = boss.post("/proficiency-tests", GOOD_TEST | {"maxAttempts": 0}).data
        answers = {"answers": [{"questionId": q["id"], "optionId": q["options"][0]["id"]} for q in test["questions"]]}
        acknowledged, lock, busy = collections.Counter(), threading.Lock(), threading.Event()
        busy.set()

        def counted(kind, answer, stays=True):
            assert answer.status == 201, answer
            with lock:
                acknowledged[kind] += stays
            return answer

        def ask(n):
            """Contact requests are only added, but their status changes."""
            while busy.is_set():
                made = counted("contacts", here.post("/contact", {"fullName": "Ada", "email": fresh(), "message": "?"})).data
                if secrets.randbelow(2):
                    assert boss.patch(f"/contact/{made['id']}/status", {"status": "REPLIED"}).status == 200

        def learn(n):
            for taken in itertools.count():
                if not busy.is_set():
                    break
                if taken % 20 == 0:     # the daily limit of a user
                    who = here.registered()
                stays = secrets.randbelow(3) > 0
                made = counted("results", who.post(f"/proficiency-tests/{test['id']}/submit", answers), stays).data
                if not stays:
                    assert boss.delete(f"/proficiency-tests/admin/results/{made['id']}").status == 200

        def sign_up(n):
            while busy.is_set():
                one = here.login()
                assert boss.patch(f"/admin/users/{one.id}/role", {"role": "admin"}).status == 200
                assert boss.delete(f"/users/{one.id}").status == 200

        def look(n):
            for _ in range(120):
                with lock:
                    least = collections.Counter(acknowledged)
                stats = here.stats(24)
                users, tests, contacts = (stats["overview"][part] for part in ("users", "tests", "contacts"))
                shares = {name: sum(item.get("count", item.get("submissions")) for item in list_)
                          for name, list_ in stats["distributions"].items()}
                assert shares == {"roles": users["total"], "contactsByStatus": contacts["total"], "levels": tests["totalSubmissions"],
                                  "languages": tests["totalSubmissions"]}
                assert users["admins"] == sum(item["count"] for item in stats["distributions"]["roles"][1:])
                assert contacts["pending"] + contacts["replied"] == contacts["total"] == contacts["newLast30Days"]
                assert users["total"] == users["newLast30Days"] and tests["totalSubmissions"] == tests["submissionsLast30Days"]
                assert sum(t["users"] for t in stats["trends"]) == users["total"]
                assert sum(t["testSubmissions"] for t in stats["trends"]) == tests["totalSubmissions"]
                assert sum(t["contacts"] for t in stats["trends"]) == contacts["total"]
                assert contacts["total"] >= least["contacts"] and tests["totalSubmissions"] >= least["results"]
        with ThreadPoolExecutor(8) as pool:
            writing = [pool.submit(work, n) for n, work in enumerate((learn, learn, ask, ask, sign_up))]
            try:
                for looked in [pool.submit(look, n) for n in range(2)]:
                    looked.result()
            finally:
                busy.clear()
            for written in writing:
                written.result()
        assert acknowledged["contacts"] > 20 and acknowledged["results"] > 5
        here.recounted()


# ---- the query


@pytest.mark.parametrize("query", ["months=0", "months=25", "months=-1", "months=6.5", "months=x", "months=", "months=6&months=6",
                                   "months=99999999999999999999", "month=6", "months=6&page=1"])
def test_an_invalid_query(okul, query):
    answer = okul.staff("admin").get(f"{PATH}?{query}")
    assert answer.status == 400 and len(answer.errors) == 1, answer


@pytest.mark.parametrize("months", range(1, 25))
def test_number_of_months(okul, months):
    stats = okul.staff("admin").get(f"{PATH}?months={months}").data
    assert stats["months"] == months == len(stats["trends"])
    assert [t["month"] for t in stats["trends"]] == sorted({t["month"] for t in stats["trends"]})
