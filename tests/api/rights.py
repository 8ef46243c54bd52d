"""The rights matrix: every route, as listed by the programs, for every kind of caller."""

import json
import secrets
import time

import pytest

from helpers import contract
from helpers.client import REGISTRATION
from helpers.examples import GOOD_TEST
from helpers.groups import file_of
from helpers.people import superadmin
from helpers.routes import GOOD, LISTED, Nobody, path_of, some_material, some_setting
from helpers.samples import png
from helpers.tokens import sign, unbase64

RANK = {"public": 0, "optional": 0, "user": 1, "admin": 2, "superadmin": 3}


# ---- callers: each cell makes a new one, so that cells are independent


def expired(okul):
    person = okul.registered()
    header, payload, _ = person.token.split(".")
    now = int(time.time())
    claims = person.claims() | {"iat": now - 3700, "exp": now - 100}
    person.token = sign(unbase64(header).decode(), claims, okul.server.keys()[0][1])
    return person


def forged(okul):
    person = okul.registered()
    header, payload, _ = person.token.split(".")
    person.token = sign(unbase64(header).decode(), person.claims(), secrets.token_bytes(32))
    return person


def revoked(okul):
    person = okul.registered()
    assert okul.request("POST", "/auth/logout", token=person.token).status == 200
    return person


def deactivated(person):
    person.set("is_active = false")
    return person


def deleted(okul):
    person = okul.registered()
    okul.server.sql(f"DELETE FROM users WHERE id = '{person.id}'")
    return person


def leaving(person):
    """A user who has asked for deletion and is not deleted yet. The last superadmin may not do so."""
    superadmin(person.okul)
    assert person.post("/api/v1/users/me/account-deletion").status == 201
    return person


def complete(person):
    """Completes the registration of a staff member."""
    assert person.post("/auth/registration/complete", REGISTRATION).status == 200
    return person


CALLERS = {
    "none": (lambda okul: Nobody, None), "forged": (forged, None), "expired": (expired, None), "revoked": (revoked, None), "deactivated": (lambda okul: deactivated(okul.registered()), None),
    "deactivated admin": (lambda okul: deactivated(okul.staff("admin")), None),
    "deleted": (deleted, None), "unregistered": (lambda okul: okul.login(), "user"), "user": (lambda okul: okul.registered(), "user"),
    "other user": (lambda okul: okul.registered(), "user"), "being deleted": (lambda okul: leaving(okul.registered()), "user"),
    "admin being deleted": (lambda okul: leaving(okul.staff("admin")), "admin"),
    "superadmin being deleted": (lambda okul: leaving(okul.staff("superadmin")), "superadmin"),
    "registered admin": (lambda okul: complete(okul.staff("admin")), "admin"), "admin": (lambda okul: okul.staff("admin"), "admin"), "superadmin": (lambda okul: okul.staff("superadmin"), "superadmin"),
}


# ---- GOOD has a valid request for each route, and the expected status where it is not that of the route. Resources belong to the
# caller, except for "other user", who uses those of somebody else.


def expected(route, kind, good):
    """The status of a valid request of this caller, according to the contract."""
    role = CALLERS[kind][1]
    if kind == "superadmin being deleted":
        good = good | {kind: good[like] for like in ("admin being deleted",) if like in good}
    if RANK[route.role] == 0:
        return good.get(kind, route.status) if role else good.get("anonymous", route.status)
    if role is None:
        return 401
    if RANK[role] < RANK[route.role] or kind == "unregistered" and not route.early or "being deleted" in kind and not route.leaving:
        return 403
    return good.get(kind, route.status)


# `make check` tests only these callers.
QUICK = ("none", "superadmin")


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=[pytest.mark.quick] * (kind in QUICK)) for kind in CALLERS])
@pytest.mark.parametrize("row", LISTED, ids=lambda r: f"{r['method']} {r['path']}")
def test_cell(okul, row, kind):
    route = next((r for r in contract.routes if (r.method, r.path) == (row["method"], row["path"])), None)
    assert route, f"{row['method']} {row['path']} is a route that neither endpoints.tsv nor ours.json has"
    good = GOOD[route.method, route.path]
    caller = CALLERS[kind][0](okul)
    owner = okul.registered() if kind == "other user" else caller
    path = path_of(okul, route, owner)
    if "before" in good:
        good["before"](okul, caller)
    body = good["body"](okul, owner) if "body" in good else None
    if "form" in good:
        kind_of_body, content = good["form"](okul, owner)
        answer = okul.request(route.method, path, body=content, content_type=kind_of_body, token=caller.token)
    else:
        answer = okul.request(route.method, path, body, token=caller.token)
    assert answer.status == expected(route, kind, good), answer
    if route.role == "optional":
        assert answer.data["isAuthenticated"] is (CALLERS[kind][1] is not None)
    if owner is not caller:
        assert okul.get("/me", token=owner.token).status == 200, "the owner's session is not affected"


@pytest.mark.quick
def test_the_quick_callers_test_success_and_rejection_of_each_route():
    for route in contract.routes:
        statuses = {expected(route, kind, GOOD[route.method, route.path]) for kind in QUICK}
        assert statuses == ({route.status, 401} if RANK[route.role] else {route.status}) | (statuses & {401}), route


@pytest.mark.quick
def test_the_matrix_covers_the_contract():
    program_of = {(r["method"], r["path"]): r["program"] for r in LISTED}
    promised = {(r.method, r.path): r.program for r in contract.routes}
    problems = [f"{method} {path}: not in tests/contract/ours.json, and not in the contract"
                for method, path in program_of.keys() - promised.keys()]
    problems += [f"{method} {path}: no program has this route" for method, path in promised.keys() - program_of.keys()]
    problems += [f"{method} {path}: no valid request, add it to GOOD in {file_of(program)}"
                 for (method, path), program in program_of.items() if (method, path) not in GOOD]
    problems += [f"{method} {path}: a request for an unknown route" for method, path in GOOD.keys() - program_of.keys()]
    assert not problems, "\n".join(problems)


# ---- what only admins see on routes that others may call


def admin_views(okul, see):
    """see(path) returns the data of a response, or None. Returns {name: whether the caller sees this data, which is
    for admins only}."""
    boss = superadmin(okul)
    words = secrets.token_hex(6)
    course = boss.post("/courses", {"title": words, "language": "en", "isPublished": False}).data["id"]
    draft = boss.post("/proficiency-tests", GOOD_TEST | {"title": words, "isPublished": False}).data["id"]
    test = boss.post("/proficiency-tests", GOOD_TEST).data["id"]
    material = some_material(okul, boss)
    file = boss.upload(png()).data["key"]
    key = some_setting(okul, None)
    okul.server.ctl("setting", "set", key, "1", "--private")
    listed = [see(f"/courses?search={words}"), see(f"/proficiency-tests?search={words}")]
    seen = see(f"/proficiency-tests/{test}")
    return {
        "a course that is a draft": see(f"/courses/{course}") is not None, "it in the list": bool(listed[0]["items"]),
        "a test that is a draft": see(f"/proficiency-tests/{draft}") is not None, "it in their list": bool(listed[1]["items"]),
        "right answers": "isCorrect" in json.dumps(seen), "a private setting": see(f"/settings/{key}") is not None,
        "a material of nobody's": see(f"/education-materials/{material}") is not None,
        "a private file of another's": see(f"/storage/files/{file}") is not None,
    }


@pytest.mark.parametrize("kind", CALLERS)
def test_data_for_admins_only(okul, kind):
    caller = CALLERS[kind][0](okul)

    def see(path):
        answer = okul.get(path, token=caller.token)
        return (answer.json or {"data": True})["data"] if answer.status == 200 else None
    assert set(admin_views(okul, see).values()) == {kind in ("admin", "registered admin", "superadmin")}


def test_cancelling_the_deletion_restores_the_role(okul):
    boss = leaving(okul.staff("admin"))
    draft = superadmin(okul).post("/courses", {"title": "A draft", "language": "en", "isPublished": False}).data["id"]
    assert boss.get(f"/courses/{draft}").status == 404
    assert boss.delete("/api/v1/users/me/account-deletion").status == 200
    assert boss.get(f"/courses/{draft}").status == 200


# ---- the role is read at each request


def test_a_new_role_applies_from_the_next_request(okul):
    boss = okul.staff("admin")
    assert boss.get("/me").data["role"] == "admin"
    for role in ("superadmin", "user", "admin"):
        okul.server.ctl("user", "role", boss.email, role)
        for _ in range(8):
            answer = boss.get("/me")
            assert answer.status == 200 and answer.data["role"] == role


def test_a_token_does_not_contain_the_role(okul):
    claims = okul.staff("superadmin").claims()
    assert "superadmin" not in json.dumps(claims) and "role" not in claims
