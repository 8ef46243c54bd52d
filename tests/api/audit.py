"""GET /admin/audit: the audit log for admins."""

from urllib.parse import urlencode

import pytest

from helpers import contract
from helpers.people import give_email, give_role, profile
from helpers.server import fresh


def audit(boss, **query):
    answer = boss.get("/admin/audit?" + urlencode(query))
    assert answer.status == 200, answer
    return answer.data["items"]


def actions(boss, **query):
    return [entry["action"] for entry in audit(boss, **query)]


@pytest.fixture
def boss(okul):
    return okul.staff("superadmin")


def test_an_entry_names_actor_action_and_subject(okul, boss):
    ada = okul.registered()
    assert give_role(boss, ada.id, "admin").status == 200
    entry = audit(boss, subject=ada.id)[0]
    assert list(entry) == [f.name for f in contract.shapes["AuditEntryResponseDto"]]
    assert {k: v for k, v in entry.items() if k != "at"} == {
        "action": "user.role", "actorId": boss.id, "actorEmail": boss.email, "subjectId": ada.id, "subject": ada.email,
        "before": "user", "after": "admin"}
    assert audit(boss, subject=boss.id)[-1]["actorId"] is None, "created by okulctl"


def test_newest_first_in_pages(okul, boss):
    ada = okul.registered()
    for role in ("admin", "user", "superadmin", "user"):
        assert give_role(boss, ada.id, role).status == 200
    afters = [e["after"] for e in audit(boss, subject=ada.id, action="user.role")]
    assert afters == ["user", "superadmin", "user", "admin"]
    page = boss.get(f"/admin/audit?subject={ada.id}&action=user.role&page=2&limit=3").data
    assert [e["after"] for e in page["items"]] == ["admin"]
    assert page["pagination"] == {"page": 2, "limit": 3, "total": 4, "totalPages": 2}
    everything = boss.get("/admin/audit?limit=1").data
    assert everything["pagination"]["total"] == int(okul.server.sql("SELECT count(*) FROM audit").split()[1])


def test_filters(okul, boss):
    ada, other = okul.registered(), okul.staff("superadmin")
    profile(boss, ada.id, isActive=False)
    profile(other, ada.id, isActive=True)
    give_role(boss, ada.id, "admin")
    assert actions(boss, subject=ada.id, action="user.role") == ["user.role"]
    assert actions(boss, subject=ada.id, action="user.ro") == ["user.role"], "a prefix is enough"
    assert actions(boss, subject=ada.id, action="ser.role") == []
    for actor, count in ((boss.id, 1), (boss.id.upper(), 1), (boss.email, 1), (boss.email.upper(), 1), (ada.id, 0)):
        assert len(audit(boss, subject=ada.id, action="user.active", actor=actor)) == count, actor
    assert {e["actorId"] for e in audit(boss, actor=other.email)} == {other.id}
    assert {e["actorId"] for e in audit(boss, actor="operator")} == {None}
    assert boss.id in {e["subjectId"] for e in audit(boss, actor="operator", subject=boss.email)}
    assert audit(boss, actor="", subject="", action="", limit=5) == audit(boss, limit=5)


def test_a_user_is_found_by_a_former_address(okul, boss):
    ada, new = okul.registered(), fresh()
    assert give_role(boss, ada.id, "admin").status == give_email(boss, ada.id, new).status == 200
    for subject in (ada.id, ada.email, new, new.upper()):
        assert actions(boss, subject=subject, action="user.")[:2] == ["user.email", "user.role"], subject


def test_a_key_with_capital_letters_is_found(okul, boss):
    key = "Audit." + fresh("K").partition("@")[0]
    assert boss.post("/settings", {"key": key, "value": 1}).status == 200
    assert [e["subject"] for e in audit(boss, subject=key)] == [key]


def test_times(okul, boss):
    ada = okul.registered()
    give_role(boss, ada.id, "admin")
    at = audit(boss, subject=ada.id)[0]["at"]
    assert [len(audit(boss, subject=ada.id, action="user.role", **{name: at})) for name in ("from", "to")] == [1, 0]
    okul.server.sql(f"UPDATE audit SET at = at - 3600000 WHERE subject_id = '{ada.id}'")    # so that times and the order of rows differ
    assert audit(boss, to=at)[0]["at"] <= at
    assert ada.id not in {e["subjectId"] for e in audit(boss, **{"from": at}, limit=100)}
    for bad in ("2026-13-01", "now", ""):
        assert boss.get("/admin/audit?from=" + bad).status == 400


def test_an_entry_outlives_actor_and_subject(okul, boss):
    ada, admin = okul.registered(), okul.staff("admin")
    profile(admin, ada.id, isActive=False)
    for gone in (ada, admin):
        assert boss.delete(f"/users/{gone.id}").status == 200
    assert [(e["action"], e["actorEmail"]) for e in audit(boss, subject=ada.email, action="user.") if e["action"] != "user.profile"] == [
        ("user.deleted", boss.email), ("user.active", admin.email)]
