"""GET /me/export: everything that is stored about the caller, and nothing about others."""

import json
import re
import secrets
import urllib.request
from datetime import datetime, timezone
from pathlib import Path

import pytest

from helpers import contract
from helpers.client import Okul, good
from helpers.everything import ADDRESSED, no_mails_sent, of_users, rows, with_everything
from helpers.people import give_email, give_role, profile
from helpers.placement import RANGES
from helpers.sentences import SENTENCES
from helpers.server import BUILD, Server
from helpers.v1 import DELETION, login

# columns that are not data about the person, duplicate another column, or are secret
DERIVED = {
    "users": {"pk", "sort_name", "folded"}, "session": {"pk", "user_pk", "seed", "counter", "rotated_at", "recent"},
    "known_network": {"mac", "user_pk"}, "login_code": {"mac", "network", "digits", "tries", "strange_tries"},
    "event": {"n"}, "outbox": {"pk", "recipient", "language", "sealed", "next_at", "expires_at", "last_error"},
    "attempt": {"pk", "user_pk", "test", "version", "seed", "chosen"}, "result": {"pk", "user_pk", "test", "version", "chosen"},
    "file": {"pk", "owner"}, "assignment": {"pk", "material", "user_pk", "assigned_by"}, "contact": {"pk", "sort_name", "folded"},
}


def export(person):
    answer = person.get("/me/export")
    assert answer.status == 200, answer
    return answer.data


def every(value):
    """All scalar values of a document, as texts."""
    if isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from every(inner)
    else:
        yield {True: "1", False: "0"}.get(value, str(value))


def spellings(column, value):
    """The texts in which a document may represent the value of a column."""
    value = re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m[1], m[1]), value)
    if column.endswith(("_at", "_for")) or column in ("at", "deadline"):
        time = datetime.fromtimestamp(int(value) // 1000, timezone.utc)
        return [time.strftime("%Y-%m-%dT%H:%M:%S") + f".{int(value) % 1000:03d}Z"]
    if re.fullmatch(r"-?\d+\.\d+", value):
        return [str(json.loads(value))]
    return json.loads(value) if column == "interests" else [value]


def test_export_has_profile_account_and_sessions(later):
    ada = later.registered()
    later.server.clock.advance(61)
    here = login(later, ada.email, signupSource="x")
    data = export(here)
    assert list(data) == [f.name for f in contract.shapes["AccountExportDto"]]
    assert data["profile"] == here.get("/me").data and data["account"] == here.user
    sessions = here.get("/auth/sessions").data
    assert len(sessions) == 2 and all(s.pop("isCurrent") in (True, False) for s in sessions)
    assert sorted(data["sessions"], key=str) == sorted(sessions, key=str)


def test_export_has_every_column_about_a_person(later):
    """A new column must be exported or listed in DERIVED. A new table with data of users needs a row in
    with_everything()."""
    server, boss = later.server, later.staff("superadmin")
    with with_everything(later, boss, "m" + secrets.token_hex(6)) as ada:
        good(ada.post(DELETION))
        values = {str(float(text)) if re.fullmatch(r"-?\d+\.\d+", text) else text for text in every(export(ada))}
        values |= {str(float(text)) for text in values if re.fullmatch(r"\d{1,3}", text)}
        pk = rows(server, f"SELECT pk FROM users WHERE id = '{ada.id}'")[0]["pk"]
        places = [("users", "pk", pk), *((t, c, pk) for t, c in of_users(server)), *((t, c, f"'{ada.email}'") for t, c in ADDRESSED)]
        assert {t for t, _, _ in places} == set(DERIVED)
        for table, column, value in places:
            found = rows(server, f"SELECT * FROM {table} WHERE {column} = {value}")
            assert found, f"a row of {table} by {column}"
            for row in found:
                missing = [c for c in row.keys() - DERIVED[table] if not values.issuperset(spellings(c, row[c]))]
                assert not missing, f"{table}: {missing}"


def test_export_of_data_of_other_groups(later):
    boss, mark = later.staff("superadmin"), "m" + secrets.token_hex(6)
    with with_everything(later, boss, mark) as ada:
        data = export(ada)
    result = data["results"][0]
    shown = good(ada.get(f"/proficiency-tests/results/{result['id']}"))
    assert result["answers"] == shown["answers"] and len(result["answers"]) == 2 and result["testId"] == shown["test"]["id"]
    assert {k: result[k] for k in result.keys() & shown.keys()} == {k: shown[k] for k in result.keys() & shown.keys()}
    attempt = data["attempts"][0]
    assert [list(a) for a in attempt["answers"]] == [["questionId", "questionText", "optionId", "optionText"]] * 2, "without the right answers"
    assert [f["fileName"] for f in data["files"]] == [f"{mark}.png", "poster.png"]
    for file in data["files"]:
        assert later.get(file["url"][file["url"].index("/storage/"):]).status == 200
    assert data["materials"][0]["note"] == mark and data["assignments"][0]["users"] == 1
    assert data["contactRequests"][0]["reply"] == "Now." and data["loginCodes"][0]["tries"] == 1
    assert {m["template"] for m in data["waitingMails"]} == {"login-code", "contact-reply"}
    other = export(later.registered())
    assert not any(other[k] for k in ("results", "attempts", "files", "materials", "assignments", "contactRequests"))


def test_export_has_changes_to_and_by_the_caller(later):
    ada, grace, boss = later.registered(), later.staff("admin"), later.staff("superadmin")
    later.server.clock.advance(1)
    assert give_role(boss, ada.id, "admin").status == give_role(boss, ada.id, "user").status == 200
    assert profile(grace, ada.id, name="Ayşe").status == 200
    changes = [c for c in export(ada)["changes"] if c["action"] != "session.login"]
    assert [c["action"] for c in changes] == ["user.role", "user.role", "user.profile"]
    assert [(c["before"], c["after"]) for c in changes[:2]] == [("user", "admin"), ("admin", "user")]
    assert changes[2]["after"] == "name"
    mine = [c for c in export(grace)["changes"] if c["action"] == "user.profile"]
    assert [(c["before"], c["after"]) for c in mine] == [(None, None)], "the caller's action, but not the data of the other user"
    assert [c["action"] for c in export(later.registered())["changes"]] == ["session.login"]


def test_export_identifies_no_other_user(later):
    ada, eve, boss = later.registered(), later.registered(), later.staff("superadmin")
    assert give_role(boss, eve.id, "admin").status == give_email(boss, ada.id, ada.email + "x").status == 200
    later.server.clock.advance(61)
    ada = login(later, ada.email + "x")
    for person, others in ((ada, (eve, boss)), (boss, (ada, eve))):
        text = json.dumps(export(person))
        assert not [o.email for o in others if o.email in text or o.id in text]


def test_export_has_limit_counts_and_the_outbox(later):
    ada = later.login()
    assert export(ada)["waitingMails"] == [] and [e["kind"] for e in export(ada)["events"]] == ["code-email"]
    later.server.clock.advance(61)
    with no_mails_sent(later.server):
        assert later.post("/auth/otp/request", {"email": ada.email}).status == 200
        assert later.verify(ada.email, "000000").status == 400
        data = export(ada)
    assert [mail["template"] for mail in data["waitingMails"]] == ["login-code"]
    assert sorted(e["kind"] for e in data["events"]) == ["code-email", "code-email", "wrong-email"]


def test_export_of_a_user_who_has_asked_for_deletion(later):
    ada = later.registered()
    assert ada.post(DELETION).status == 201
    data = export(ada)
    assert data["account"]["accountDeletionStatus"] == "pending"
    assert [c["action"] for c in data["changes"]] == ["session.login", "user.deletion-requested"]


# ---- memory


@pytest.fixture
def small():
    """A new server, so that the peak memory of its worker is that of the test."""
    server = Server("small", OKUL_WORKERS="1")
    yield Okul(server)
    server.stop()


def peak_memory(okul):
    """The peak resident set size of the worker of users.fcgi in MiB."""
    [pid] = okul.server.workers("users")
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1]) // 1024


def add_results(okul, ada, times):
    """Copies the user's first result `times` times."""
    okul.server.sql(f"""INSERT INTO result (id, user_pk, test, version, attempt, total_score, correct_count, question_count, level,
        target_language, completed_at, chosen) WITH RECURSIVE more (n, top) AS (SELECT 1, max(attempt) FROM result UNION ALL
        SELECT n + 1, top FROM more WHERE n < {times}) SELECT printf('%024x', top + n), user_pk, test, version, top + n,
        total_score, correct_count, question_count, level, target_language, completed_at, chosen FROM result, more
        WHERE attempt = 1""")


def raw_export(okul, ada):
    """Status and size, unchecked, since the checks would take a minute."""
    request = urllib.request.Request(f"http://127.0.0.1:{okul.server.port}/me/export", headers={"Authorization": "Bearer " + ada.token})
    with urllib.request.urlopen(request) as answer:
        return answer.status, len(answer.read())


def test_the_memory_for_an_export_is_limited(small):
    """With unlimited attempts at a test, a user can make the export arbitrarily large."""
    ada, boss = small.registered(), small.staff("admin")
    asked = [{"text": "x" * 400, "options": [{"text": "a", "isCorrect": True}, {"text": "b", "isCorrect": False}]}] * 200
    made = good(boss.post("/proficiency-tests", {"title": "Again", "targetLanguage": "en", "maxAttempts": 0,
                                                 "questions": asked, "levelRanges": RANGES}))
    path = f"/proficiency-tests/{made['id']}/submit"
    good(ada.post(path, {"answers": [{"questionId": q["id"], "optionId": q["options"][0]["id"]} for q in made["questions"]]}))
    add_results(small, ada, 499)
    status, size = raw_export(small, ada)
    assert status == 200 and size > 500 * 100_000
    if "asan" in BUILD.name:    # AddressSanitizer's memory would count too, so that build has no limit
        return
    assert peak_memory(small) < 2.5 * size / (1 << 20), "the response and the buffers that it was built in"
    add_results(small, ada, 3500)
    answer = ada.get("/me/export", language="tr")
    assert answer.status == 503 and answer.errors == [SENTENCES["S_BUSY"]["tr"]]
    assert peak_memory(small) < 300 and ada.get("/me").status == 200


def test_the_format_parameter(okul):
    ada = okul.registered()
    named, plain = ada.get("/me/export?format=json"), ada.get("/me/export")
    assert named.status == 200 and list(named.data) == list(plain.data) and named.data["profile"] == plain.data["profile"]
    for bad in ("xml", "csv", ""):
        assert ada.get(f"/me/export?format={bad}").status == 400
