"""okulctl demo: generated data that passes every check of the API and of okulctl."""

import datetime
import re
import subprocess
import time

import pytest

from helpers.client import Okul
from helpers.database import tables, tuples
from helpers.folder import Folder
from helpers.server import BUILD, SLOW, Server

DAY = 86_400_000
UNTIL = "2025-03-01"
END = int(datetime.datetime(2025, 3, 1, tzinfo=datetime.timezone.utc).timestamp()) * 1000
SUPERADMIN = "superadmin@example.com"


@pytest.fixture(scope="module")
def demo():
    server = Server("demo")
    try:
        server.output = server.ctl("demo").stdout
        yield Okul(server)
    finally:
        server.stop()


@pytest.fixture(scope="module")
def boss(demo):
    return demo.login(SUPERADMIN)


class Demo(Folder):
    """A data folder with an empty database, in the real time."""

    def __init__(self, home):
        home.mkdir(mode=0o700, exist_ok=True)
        super().__init__(home)
        self.good("migrate")

    def ask(self, sql):
        return tuples(self, sql)

    def dump(self):
        """All rows of all tables, except what depends on the installation or on the real time of a change."""
        rows = {name: sorted(self.ask(f"SELECT * FROM {name}"), key=repr) for name in tables(self) if not name.endswith("_part")}
        del rows["instance"]
        rows["tally"] = [row for row in self.ask("SELECT name, n FROM tally ORDER BY name") if not row[0].endswith(":version")]
        return rows


@pytest.fixture(scope="module")
def school(tmp_path_factory):
    folder = Demo(tmp_path_factory.mktemp("demo"))
    folder.output = folder.good("demo", "--until", UNTIL)
    yield folder
    folder.drop()


@pytest.fixture
def make(tmp_path):
    """Makes data folders by their names."""
    made = []

    def one(name):
        made.append(Demo(tmp_path / name))
        return made[-1]
    yield one
    for folder in made:
        folder.drop()


def pages(person, path):
    """All items of a list, read page by page."""
    items, page = [], 1
    while True:
        answer = person.get(f"{path}?limit=100&page={page}")
        assert answer.status == 200, answer
        items += answer.data["items"]
        if page >= answer.data["pagination"]["totalPages"]:
            assert len(items) == answer.data["pagination"]["total"]
            return items
        page += 1


def test_it_prints_counts_and_how_to_log_in(demo, boss):
    assert re.search(r"200 users \(8 of them staff\), 24 courses, 2 placement tests,\n600 results, 12 materials with 20 PDFs, "
                     r"\d+ assignments \(\d+ opened\), 80 contact requests\.", demo.server.output)
    assert SUPERADMIN in demo.server.output and f"{demo.server.data}/mail" in demo.server.output
    me = boss.get("/me").data
    assert me["role"] == "superadmin" and me["isRegistrationComplete"]


def test_every_list_is_full(demo, boss):
    """The client checks shapes and limits of each response."""
    users = pages(boss, "/users")
    assert len(users) == 200 and {u["role"] for u in users} == {"user", "admin", "superadmin"}
    assert sum(u["role"] != "user" for u in users) == 8 and {u["language"] for u in users} == {"tr", "en", "es", "de"}
    assert .8 < sum(u["isRegistrationComplete"] for u in users) / 200 < 1
    assert [u["createdAt"] for u in users] == sorted((u["createdAt"] for u in users), reverse=True)
    courses = pages(boss, "/courses")
    assert len(courses) == 24 and {c["language"] for c in courses} == {"tr", "en", "es", "de"}
    assert 0 < sum(not c["isPublished"] for c in courses) < 8 and len(pages(demo, "/courses")) < 24
    questions = pages(boss, "/contact")
    assert len(questions) == 80 and {q["status"] for q in questions} == {"PENDING", "REPLIED"}
    assert all((q["reply"] is None) == (q["repliedAt"] is None) == (q["status"] == "PENDING") for q in questions)
    tests = pages(demo, "/proficiency-tests")
    assert {t["targetLanguage"] for t in tests} == {"en", "de"} and all(t["questionCount"] >= 20 for t in tests)
    assert demo.get("/settings/school.name").data["value"] and demo.get("/settings/office.targets").status == 404
    results = pages(boss, "/proficiency-tests/admin/results")
    assert len(results) == 600 and {r["level"] for r in results} == {"A1", "A2", "B1", "B2", "C1", "C2"}
    assert [r["completedAt"] for r in results] == sorted((r["completedAt"] for r in results), reverse=True)


def test_results_match_their_answers(demo, boss):
    """Grades the results again from the answers and the right options of the test."""
    tests = {t["id"]: boss.get(f"/proficiency-tests/{t['id']}").data for t in pages(boss, "/proficiency-tests")}
    for listed in pages(boss, "/proficiency-tests/admin/results")[::60]:
        result = boss.get(f"/proficiency-tests/admin/results/{listed['id']}").data
        test = tests[result["test"]["id"]]
        right = {q["id"]: (q["points"], next(o["id"] for o in q["options"] if o["isCorrect"])) for q in test["questions"]}
        won = sum(right[a["questionId"]][0] for a in result["answers"] if a["optionId"] == right[a["questionId"]][1])
        score = round(won * 100 / sum(points for points, _ in right.values()) + 1e-9, 2)
        assert result["totalScore"] == pytest.approx(score, abs=.006)
        assert result["level"] == [r["level"] for r in test["levelRanges"] if r["minScore"] <= result["totalScore"]][-1]


def test_right_answers_are_at_all_positions(boss):
    for test in pages(boss, "/proficiency-tests"):
        places = [[o["isCorrect"] for o in q["options"]].index(True)
                  for q in boss.get(f"/proficiency-tests/{test['id']}").data["questions"]]
        assert all(places.count(i) >= 2 for i in range(4)), places


def test_statistics_are_realistic(demo, boss):
    for test in pages(boss, "/proficiency-tests"):
        figures = boss.get(f"/proficiency-tests/{test['id']}/statistics").data
        assert figures["isReliable"] and .75 < figures["cronbachAlpha"] < .95
        easy = [q["difficulty"] for q in figures["questions"]]
        assert sum(easy[:8]) / 8 > .75 > .5 > sum(easy[16:]) / 8 > .2
        weakest = sorted(figures["questions"], key=lambda q: q["discrimination"])
        assert weakest[0]["discrimination"] < .15 < weakest[1]["discrimination"], "one question has no discrimination"


def test_search_finds_people(demo, boss):
    users = pages(boss, "/users")
    for user in [u for u in users if u["surname"]][::20]:
        for words in (user["email"].split("@")[0], user["surname"][:5]):
            found = boss.get("/users?limit=100&search=" + "".join(f"%{b:02X}" for b in words.encode())).data["items"]
            assert user["id"] in {u["id"] for u in found}, words
    assert demo.server.sql("SELECT count(*) FROM user_reindex").split()[-1] == "0"


def test_pdfs_are_valid(demo, boss):
    """Each is downloaded, parsed, and uploaded again."""
    keys = demo.server.sql("SELECT key FROM file ORDER BY pk").split()[1:]
    assert len(keys) == 20
    for key in (keys[0], keys[-1]):
        answer = boss.get(f"/storage/files/{key}")
        assert answer.status == 200 and answer.headers["Content-Type"] == "application/pdf"
        table = int(re.search(rb"startxref\n(\d+)\n%%EOF\n$", answer.body)[1])
        assert answer.body[table:].startswith(b"xref\n0 7\n")
        offsets = [int(line) for line in re.findall(rb"(\d{10}) 00000 n \n", answer.body)]
        assert [re.match(rb"\d+ 0 obj\n", answer.body[at:])[0] for at in offsets] == [b"%d 0 obj\n" % n for n in range(1, 7)]
        length = int(re.search(rb"/Length (\d+)", answer.body)[1])
        assert re.search(rb"stream\n(.*)endstream", answer.body, re.S)[1].__len__() == length
        again = demo.upload(("file", "x.pdf", answer.body), token=boss.token)
        assert again.status == 201 and again.data["mimeType"] == "application/pdf", again
    assert demo.get(f"/storage/files/{keys[0]}").status == 401, "private"


def test_okulctl_check_finds_no_error(demo):
    said = demo.server.ctl("check", check=False).stdout.replace("FAIL durability", "")    # tests run without fsync
    assert "FAIL" not in said, said
    assert demo.server.ctl("files", "verify").stdout.endswith(" 0 damaged\n")
    assert demo.server.ctl("files", "gc").stdout.startswith("files that no row names: 0 ")
    assert "would be" in (due := demo.server.ctl("cleanup", "--dry-run").stdout) and not re.search(r": [1-9]\d* would be graded", due)


def test_counters_match_the_rows(school):
    if not school.database:
        assert school.ask("PRAGMA integrity_check") == [("ok",)] and school.ask("PRAGMA foreign_key_check") == []
    counted = dict(school.ask("SELECT name, n FROM tally"))
    for name, sql in {"user": "users", "user:admin": "users WHERE role = 'admin'", "course": "course", "contact": "contact",
                      "course:published": "course WHERE is_published", "contact:PENDING": "contact WHERE status = 'PENDING'"}.items():
        assert counted[name] == school.ask(f"SELECT count(*) FROM {sql}")[0][0], name
    assert counted["file:bytes"] == school.ask("SELECT sum(size) FROM file")[0][0]
    assert school.ask("SELECT sum(n) FROM result_tally") == school.ask("SELECT count(*) FROM result")
    assert school.ask("SELECT count(*) FROM (SELECT user_pk, test, max(attempt) <> count(*) AS odd FROM result GROUP BY 1, 2) AS counted WHERE odd") == \
        [(0,)]


def test_times_are_within_the_year_and_plausible(school):
    for column in ("users.created_at", "users.last_login_at", "course.updated_at", "result.completed_at", "contact.created_at",
                   "contact.replied_at", "assignment.assigned_at", "assignment.opened_at", "material.created_at"):
        table, name = column.split(".")
        least, most = school.ask(f"SELECT min({name}), max({name}) FROM {table}")[0]
        assert END - 410 * DAY <= least < most < END, column
    assert school.ask("SELECT min(completed_at) FROM result")[0][0] > END - 365 * DAY
    month = "to_char(to_timestamp(completed_at / 1000), 'MM')" if school.database else "strftime('%m', completed_at / 1000, 'unixepoch')"
    months = dict(school.ask(f"SELECT {month}, count(*) FROM result GROUP BY 1"))
    assert len(months) == 12 and months["09"] > 2 * months["07"], "summer is quiet, autumn is not"
    assert school.ask(f"SELECT count(*) FROM result WHERE completed_at > {END - 30 * DAY}")[0][0] > 20
    for what in ("result JOIN users ON users.pk = result.user_pk WHERE completed_at < registered_at OR registered_at IS NULL",
                 "result JOIN users ON users.pk = result.user_pk WHERE completed_at > last_login_at",
                 "assignment JOIN users ON users.pk = user_pk WHERE assigned_at < users.created_at",
                 "assignment JOIN material ON material.pk = material WHERE assigned_at < material.created_at",
                 "assignment JOIN users AS teacher ON teacher.pk = assigned_by WHERE teacher.role = 'user'"):
        assert school.ask(f"SELECT count(*) FROM {what}") == [(0,)], what
    for table in ("users", "course", "result", "contact", "material", "file", "setting"):
        ids = [id_ for id_, in school.ask(f"SELECT id FROM {table} ORDER BY pk")]
        assert len(set(ids)) == len(ids) and [i[:11] for i in ids] == sorted(i[:11] for i in ids), f"{table}: ids grow with time"


def test_the_same_seed_makes_the_same_data(school, make):
    first, again, other = school.dump(), make("again"), make("other")
    time.sleep(.01)
    again.good("demo", "--until", UNTIL, "--seed", "1", "--users", "200", "--results", "600")
    second = again.dump()
    assert {name: second[name] == rows for name, rows in first.items()} == dict.fromkeys(first, True)
    other.good("demo", "--until", UNTIL, "--seed", "2")
    third = other.dump()
    for table in ("users", "result", "contact", "assignment", "test_version", "file"):
        assert third[table] != first[table], table


def test_more_rows_of_one_kind_do_not_change_the_others(school, make):
    more = make("more")
    more.good("demo", "--until", UNTIL, "--results", "900")
    names = "SELECT id, email, name, surname, created_at FROM users ORDER BY pk"
    assert more.ask(names) == school.ask(names)
    for table in ("course", "contact", "setting"):
        assert more.ask(f"SELECT * FROM {table} ORDER BY id") == school.ask(f"SELECT * FROM {table} ORDER BY id"), table


def test_sizes(make):
    small = make("small")
    small.good("demo", "--users", "20", "--results", "0", "--contacts", "0", "--courses", "0")
    assert [small.ask(f"SELECT count(*) FROM {t}")[0][0] for t in ("users", "result", "contact", "course")] == [20, 0, 0, 0]
    large = make("large")
    large.good("demo", "--users", "3000", "--results", "12001", "--contacts", "2500", "--courses", "300")
    assert [large.ask(f"SELECT count(*) FROM {t}")[0][0] for t in ("users", "result", "contact", "course")] == [3000, 12001, 2500, 300]
    assert large.ask("SELECT count(*) FROM user_reindex") == [(0,)]
    assert large.database or large.ask("PRAGMA foreign_key_check") == []
    assert large.ask("SELECT count(DISTINCT title) FROM course") == [(300,)]
    few = make("few")
    few.good("demo", "--users", "20", "--results", "2000")
    assert few.ask("SELECT count(*) FROM result") == [(2000,)]


@pytest.mark.parametrize("what, command", [
    ("users", ["user", "add", "a@example.com"]), ("settings", ["setting", "set", "a.b", "1"]),
    ("courses", ["sql", "INSERT INTO course (id, title, language, created_at, updated_at) VALUES ('x', 'y', 'tr', 1, 1)"]),
    ("placement tests", ["test"]),
])
def test_a_database_in_use_is_refused(make, tmp_path, what, command):
    folder = make("used")
    if command == ["test"]:
        gift = tmp_path / "one.gift"
        gift.write_text("Snow is cold.{T}\n")
        command = ["test", "import", str(gift), "--title", "x", "--language", "en", "--ranges", "A1:0-100"]
    folder.good(*command)
    before = folder.dump()
    done = folder.ctl("demo")
    assert done.returncode == 65 and f"holds {what} already" in done.stderr and "okulctl -d FOLDER demo" in done.stderr and done.stdout == ""
    assert folder.dump() == before


def test_a_second_run_is_refused(school):
    before = school.dump()
    done = school.ctl("demo")
    assert done.returncode == 65 and "holds users already" in done.stderr
    assert school.dump() == before


@pytest.mark.parametrize("arguments, error", [
    (["--users", "19"], "--users takes a number from 20 to 100000"), (["--users", "100001"], "20 to 100000"),
    (["--results", "1000001"], "0 to 1000000"), (["--results", "-1"], "0 to 1000000"), (["--contacts", "50001"], "0 to 50000"),
    (["--courses", "x"], "0 to 10000"), (["--seed", "-1"], "--seed takes"), (["--until", "2026-02-30"], "--until takes a date like"),
    (["--until", "2999-01-01"], "nothing may lie in the future"), (["--until", "1999-12-31"], "from 2000-01-01"), (["x"], 'not take "x"'),
    (["--what"], "okulctl demo --help"),
])
def test_invalid_options(folder, arguments, error):
    done = folder.ctl("demo", *arguments)
    assert done.returncode == 64 and error in done.stderr.splitlines()[-1]
    assert folder.numbers_of("users") == [0]


def test_without_a_database(tmp_path):
    folder = Folder(tmp_path)
    folder.data.mkdir(mode=0o700)
    done = folder.ctl("demo")
    folder.drop()
    assert done.returncode == 78 and "okulctl migrate" in done.stderr


@pytest.mark.parametrize("program", ["okulctl", "okul-demo"])
def test_the_statements_of_both_programs_are_explained(demo, program):
    """The build does it on an empty database; here the statements are checked on one with rows."""
    environment = demo.server.environment | {"OKUL_DATA": str(demo.server.data)}
    done = subprocess.run([BUILD / program, "--check"], env=environment, capture_output=True, text=True, timeout=60 * SLOW)
    assert done.returncode == 0 and done.stdout.endswith(": 0 faults\n"), done
    listed = subprocess.run([BUILD / program, "--statements"], capture_output=True, text=True, timeout=60)
    statements = listed.stdout.split("\0")
    assert listed.returncode == 0 and statements[-1] == "" and len(statements) > 40
    assert all(f"{statement}\n" in done.stdout for statement in statements[:-1])
