"""GET /me/export: everything that is stored about the caller, and nothing of others."""

import json
import os
import re
import secrets
import signal
from datetime import datetime, timezone

import contract
from auth import sender
from okul import REGISTRATION
from people import give_email, give_role, profile
from users import PROFILE
from v1 import DELETION, login

# columns of a user that are no fact about the person, or are one that another column holds too
DERIVED = {"pk", "sort_name"}


def export(person):
    answer = person.get("/me/export")
    assert answer.status == 200, answer
    return answer.data


def every(value):
    """All plain values of a document, as texts."""
    if isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from every(inner)
    else:
        yield {True: "1", False: "0"}.get(value, str(value))


def spellings(column, value):
    """The texts by which a document may tell what a column holds."""
    value = re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m[1], m[1]), value)
    if column.endswith(("_at", "_for")):
        time = datetime.fromtimestamp(int(value) // 1000, timezone.utc)
        return [time.strftime("%Y-%m-%dT%H:%M:%S") + f".{int(value) % 1000:03d}Z"]
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


def test_export_has_every_column_that_is_stored_of_a_person(later):
    """Also of those that a later version adds: who adds one exports it, or says in DERIVED that it is nothing new."""
    ada = login(later, signupSource="tiktok", signupCampaign="bahar")
    assert ada.post("/auth/registration/complete", REGISTRATION | {"consentFormAccepted": True}).status == 200
    later.server.clock.advance(5)
    assert ada.patch("/me", PROFILE | {"username": "u" + secrets.token_hex(6)}).status == 200
    later.server.clock.advance(5)
    assert ada.post(DELETION).status == 201
    heading, line = later.server.sql(f"SELECT * FROM user WHERE id = '{ada.id}'").strip("\n").split("\n")
    row = {column: value for column, value in zip(heading.split("\t"), line.split("\t")) if value != "NULL"}
    assert len(row) > 35
    told = set(every(export(ada)))
    missing = [column for column in row.keys() - DERIVED if not told.issuperset(spellings(column, row[column]))]
    assert not missing


def test_export_has_the_changes_on_the_caller_and_by_the_caller(later):
    ada, grace, boss = later.registered(), later.staff("admin"), later.staff("superadmin")
    later.server.clock.advance(1)
    assert give_role(boss, ada.id, "admin").status == give_role(boss, ada.id, "user").status == 200
    assert profile(grace, ada.id, name="Ayşe").status == 200
    changes = export(ada)["changes"]
    assert [c["action"] for c in changes] == ["user.role", "user.role", "user.profile"]
    assert [(c["before"], c["after"]) for c in changes[:2]] == [("user", "admin"), ("admin", "user")]
    assert changes[2]["after"] == "name"
    mine = [c for c in export(grace)["changes"] if c["action"] == "user.profile"]
    assert [(c["before"], c["after"]) for c in mine] == [(None, None)], "what I did, but not what it did to others"
    assert not export(later.registered())["changes"]


def test_export_names_nobody_else(later):
    ada, eve, boss = later.registered(), later.registered(), later.staff("superadmin")
    assert give_role(boss, eve.id, "admin").status == give_email(boss, ada.id, ada.email + "x").status == 200
    later.server.clock.advance(61)
    ada = login(later, ada.email + "x")
    for person, others in ((ada, (eve, boss)), (boss, (ada, eve))):
        text = json.dumps(export(person))
        assert not [o.email for o in others if o.email in text or o.id in text]


def test_export_has_what_was_counted_and_the_mails_that_wait(later):
    ada = later.login()
    assert export(ada)["waitingMails"] == [] and [e["kind"] for e in export(ada)["events"]] == ["code-email"]
    later.server.clock.advance(61)
    pids = sender(later.server)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        assert later.post("/auth/otp/request", {"email": ada.email}).status == 200
        assert later.verify(ada.email, "000000").status == 400
        data = export(ada)
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    assert [mail["template"] for mail in data["waitingMails"]] == ["login-code"]
    assert sorted(e["kind"] for e in data["events"]) == ["code-email", "code-email", "wrong-email"]


def test_export_of_one_who_has_asked_to_be_deleted(later):
    ada = later.registered()
    assert ada.post(DELETION).status == 201
    data = export(ada)
    assert data["account"]["accountDeletionStatus"] == "pending"
    assert [c["action"] for c in data["changes"]] == ["user.deletion-requested"]
