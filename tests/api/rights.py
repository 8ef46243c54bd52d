"""The rights matrix: every route of every program, as listed by the programs themselves, for every kind of caller."""

import json
import re
import secrets
import subprocess
import time

import pytest

import contract
from fields import GOOD_IMPORT, GOOD_MATERIAL, GOOD_TEST, superadmin
from groups import file_of, good_requests
from okul import BUILD, REGISTRATION, form, fresh, sign, unbase64
from samples import png

HEADING = "program method path role status flags in out title".split()


def listed():
    """The rows of all programs."""
    for program in sorted(BUILD.glob("*.fcgi")):
        lines = subprocess.run([program, "--routes"], capture_output=True, text=True, check=True).stdout.splitlines()
        for line in lines[1:]:
            yield dict(zip(HEADING, line.split("\t")))


LISTED = list(listed())
RANK = {"public": 0, "optional": 0, "user": 1, "admin": 2, "superadmin": 3}


# ---- callers: each is made anew for each cell, so that no cell lives on what another left


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
    person.set("is_active = 0")
    return person


def deleted(okul):
    person = okul.registered()
    okul.server.sql(f"DELETE FROM user WHERE id = '{person.id}'")
    return person


def leaving(person):
    """Somebody who has asked to be deleted, and has not been yet. The last superadmin may not."""
    superadmin(person.okul)
    assert person.post("/api/v1/users/me/account-deletion").status == 201
    return person


def complete(person):
    """Staff with a registration as users have it."""
    assert person.post("/auth/registration/complete", REGISTRATION).status == 200
    return person


class Nobody:
    token = None


CALLERS = {
    "none": (lambda okul: Nobody, None), "forged": (forged, None), "expired": (expired, None), "revoked": (revoked, None), "deactivated": (lambda okul: deactivated(okul.registered()), None),
    "deactivated admin": (lambda okul: deactivated(okul.staff("admin")), None),
    "deleted": (deleted, None), "unregistered": (lambda okul: okul.login(), "user"), "user": (lambda okul: okul.registered(), "user"),
    "other user": (lambda okul: okul.registered(), "user"), "being deleted": (lambda okul: leaving(okul.registered()), "user"),
    "admin being deleted": (lambda okul: leaving(okul.staff("admin")), "admin"),
    "superadmin being deleted": (lambda okul: leaving(okul.staff("superadmin")), "superadmin"),
    "registered admin": (lambda okul: complete(okul.staff("admin")), "admin"), "admin": (lambda okul: okul.staff("admin"), "admin"), "superadmin": (lambda okul: okul.staff("superadmin"), "superadmin"),
}


# ---- a good request for each route: what to send, and as what it comes back where that is not the row's success. What has
# an owner is the caller's own, but for the "other user", who tries it with somebody else's.


def code_for_new(okul, caller):
    address = fresh()
    return {"email": address, "code": okul.code(address)}


def code_of_four(okul, caller):
    """A server in development tells the code of this surface in its answer."""
    address = fresh()
    return {"email": address, "code": okul.post("/api/v1/auth/send-otp-email", {"email": address}).data["code"]}


def somebody(okul, caller):
    return okul.login().id


def own_session(okul, owner):
    """Where nobody calls, anybody's."""
    return (okul.login() if owner is Nobody else owner).claims()["sid"]


def own_refresh_token(okul, owner):
    return {"refreshToken": (okul.login() if owner is Nobody else owner).refresh}


def some_course(okul, owner):
    return superadmin(okul).post("/courses", {"title": "Of the rights", "language": "en"}).data["id"]


def some_setting(okul, caller):
    key = f"of.the-rights.{secrets.token_hex(4)}"
    okul.server.ctl("setting", "set", key, "1")
    return key


def question(okul, caller):
    return {"fullName": "Ada", "email": fresh(), "message": "When?"}


def asked(okul, caller):
    """The id of a contact request."""
    return okul.post("/contact", question(okul, caller)).data["id"]


def an_upload(okul, caller):
    return form(("file", "photo.png", png()))


def own_file(okul, owner):
    """The key of a private file; where nobody calls, of somebody's."""
    owner = okul.registered() if owner is Nobody else owner
    answer = owner.upload(png())
    if answer.status == 201:
        return answer.data["key"]
    # one who may not upload has nothing of their own
    return okul.registered().upload(png()).data["key"]


def some_test(okul, owner):
    return superadmin(okul).post("/proficiency-tests", GOOD_TEST).data["id"]


def first_options(test):
    return {"answers": [{"questionId": q["id"], "optionId": q["options"][0]["id"]} for q in test["questions"]]}


def attempts_of(okul):
    """One server's tests of this file: of a person, the test that was last looked at."""
    return vars(okul.server).setdefault("tests_of_rights", {})


def taken_test(okul, owner):
    attempts_of(okul)[owner] = superadmin(okul).post("/proficiency-tests", GOOD_TEST).data
    return attempts_of(okul)[owner]["id"]


def own_attempt(okul, owner):
    """Of whoever may not have one, a superadmin's."""
    test = taken_test(okul, owner)
    for who in (owner, superadmin(okul)):
        answer = okul.post(f"/proficiency-tests/{test}/start", token=who.token)
        if answer.status == 201:
            return answer.data["id"]


def own_result(okul, owner):
    test = taken_test(okul, owner)
    for who in (owner, superadmin(okul)):
        answer = okul.post(f"/proficiency-tests/{test}/submit", first_options(attempts_of(okul)[owner]), token=who.token)
        if answer.status == 201:
            return answer.data["id"]


def own_answers(okul, owner):
    return first_options(attempts_of(okul)[owner])


def some_material(okul, owner):
    return superadmin(okul).post("/education-materials", GOOD_MATERIAL).data["id"]


def given_last(okul, owner):
    """The id of somebody who has the newest material."""
    newest = superadmin(okul).get("/education-materials?limit=1").data["items"][0]["id"]
    person = okul.login().id
    assert superadmin(okul).post(f"/education-materials/{newest}/assign", {"userIds": [person]}).status == 200
    return person


def own_material(okul, owner):
    """The id of a material that is assigned to the owner, where there is one."""
    boss, id_ = superadmin(okul), some_material(okul, owner)
    if owner is not Nobody:
        boss.post(f"/education-materials/{id_}/assign", {"userIds": [owner.id]})
    return id_


GOOD = good_requests() | {
    ("POST", "/education-materials"): {"body": lambda okul, caller: GOOD_MATERIAL}, ("GET", "/education-materials"): {},
    ("POST", "/education-materials/{id}/assign"): {"id": some_material, "body": lambda okul, caller: {"userIds": [okul.login().id]}},
    ("DELETE", "/education-materials/{id}/assign/{userId}"): {"id": some_material, "userId": given_last},
    ("GET", "/education-materials/assigned/me"): {}, ("GET", "/education-materials/assigned/users/{userId}"): {"userId": somebody},
    ("GET", "/education-materials/{id}"): {"id": own_material, "other user": 404},
    ("PATCH", "/education-materials/{id}"): {"id": some_material, "body": lambda okul, caller: {"level": "A1"}},
    ("DELETE", "/education-materials/{id}"): {"id": some_material},
    ("POST", "/contact"): {"body": question}, ("GET", "/contact/form"): {}, ("GET", "/contact"): {},
    ("POST", "/contact/{id}/reply"): {"id": asked, "body": lambda okul, caller: {"message": "Now."}},
    ("DELETE", "/contact/{id}"): {"id": asked},
    ("PATCH", "/contact/{id}/status"): {"id": asked, "body": lambda okul, caller: {"status": "REPLIED"}},
    ("GET", "/"): {}, ("GET", "/health"): {}, ("GET", "/swagger/json"): {}, ("GET", "/api/docs"): {},
    ("GET", "/me"): {}, ("GET", "/me/export"): {}, ("PATCH", "/me"): {"body": lambda okul, caller: {"bio": "x"}}, ("GET", "/me/optional"): {},
    ("POST", "/auth/refresh"): {"body": lambda okul, caller: {"refreshToken": okul.login().refresh}},
    ("POST", "/auth/logout"): {},
    ("POST", "/auth/otp/request"): {"body": lambda okul, caller: {"email": fresh()}},
    ("POST", "/auth/otp/verify"): {"body": code_for_new},
    ("POST", "/auth/registration/complete"): {"body": lambda okul, caller: REGISTRATION, "user": 409, "registered admin": 409, "other user": 409},
    ("GET", "/auth/registration/status"): {}, ("GET", "/auth/sessions"): {},
    ("DELETE", "/auth/sessions/{id}"): {"id": own_session, "other user": 404},
    ("POST", "/api/v1/auth/send-otp-email"): {"body": lambda okul, caller: {"email": fresh()}},
    ("POST", "/api/v1/auth/verify-otp-email"): {"body": code_of_four},
    ("POST", "/api/v1/auth/refresh"): {"body": lambda okul, caller: {"refreshToken": okul.login().refresh}},
    ("POST", "/api/v1/auth/logout"): {},
    ("POST", "/api/v1/auth/revoke-token"): {"body": own_refresh_token, "other user": 404},
    ("GET", "/api/v1/auth/sessions"): {}, ("GET", "/api/v1/auth/validate-token"): {},
    ("POST", "/api/v1/users/me/account-deletion"): {"being deleted": 409, "admin being deleted": 409},
    ("DELETE", "/api/v1/users/me/account-deletion"): {"before": lambda okul, caller: okul.post("/api/v1/users/me/account-deletion", token=caller.token)},
    ("GET", "/settings/{key}"): {"key": some_setting}, ("POST", "/settings"): {"body": lambda okul, caller: {"key": "of.the-rights", "value": 1}},
    ("POST", "/storage/upload"): {"form": an_upload}, ("GET", "/storage/files"): {},
    ("DELETE", "/storage/files/{key}"): {"key": own_file, "other user": 404},
    ("GET", "/storage/files/{key}"): {"key": own_file, "anonymous": 401, "unregistered": 404, "other user": 404, "being deleted": 404,
                                      "admin being deleted": 404},
    ("GET", "/admin/audit"): {}, ("GET", "/users"): {}, ("GET", "/users/{id}"): {"id": somebody}, ("DELETE", "/users/{id}"): {"id": somebody},
    ("PATCH", "/admin/users/{id}/profile"): {"id": somebody, "body": lambda okul, caller: {"name": "Ada"}},
    ("PATCH", "/admin/users/{id}/email"): {"id": somebody, "body": lambda okul, caller: {"email": fresh()}},
    ("PATCH", "/admin/users/{id}/role"): {"id": somebody, "body": lambda okul, caller: {"role": "admin"}},
    ("GET", "/courses"): {}, ("GET", "/courses/{id}"): {"id": some_course}, ("DELETE", "/courses/{id}"): {"id": some_course},
    ("POST", "/courses"): {"body": lambda okul, caller: {"title": "Of the rights", "language": "tr"}},
    ("PATCH", "/courses/{id}"): {"id": some_course, "body": lambda okul, caller: {"price": 0.1}},
    ("POST", "/courses/{id}/duplicate"): {"id": some_course},
    ("GET", "/proficiency-tests"): {}, ("GET", "/proficiency-tests/target-languages"): {},
    ("GET", "/proficiency-tests/{id}"): {"id": some_test}, ("DELETE", "/proficiency-tests/{id}"): {"id": some_test},
    ("POST", "/proficiency-tests"): {"body": lambda okul, caller: GOOD_TEST},
    ("POST", "/proficiency-tests/import"): {"body": lambda okul, caller: GOOD_IMPORT},
    ("POST", "/proficiency-tests/{id}/duplicate"): {"id": some_test},
    ("PATCH", "/proficiency-tests/{id}"): {"id": some_test, "body": lambda okul, caller: {"shuffle": True}},
    ("GET", "/proficiency-tests/{id}/statistics"): {"id": some_test},
    ("POST", "/proficiency-tests/{id}/start"): {"id": some_test}, ("GET", "/proficiency-tests/{id}/status"): {"id": some_test},
    ("POST", "/proficiency-tests/{id}/submit"): {"id": taken_test, "body": own_answers},
    ("PATCH", "/proficiency-tests/attempts/{id}"): {"id": own_attempt, "body": own_answers, "other user": 404},
    ("GET", "/proficiency-tests/results/me"): {}, ("GET", "/proficiency-tests/results/{id}"): {"id": own_result, "other user": 404},
    ("GET", "/proficiency-tests/admin/results"): {}, ("GET", "/proficiency-tests/admin/results/{id}"): {"id": own_result},
    ("DELETE", "/proficiency-tests/admin/results/{id}"): {"id": own_result},
    ("GET", "/proficiency-tests/admin/users/{userId}/results"): {"userId": somebody},
    ("GET", "/admin/dashboard/stats"): {},
}


def path_of(okul, route, owner):
    """The route's path with something of the owner's in it."""
    good = GOOD[route.method, route.path]
    return re.sub(r"{(\w+)}", lambda m: good[m[1]](okul, owner), route.path)


def expected(route, kind, good):
    """The status that the contract gives a good request of this caller."""
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


@pytest.mark.parametrize("kind", CALLERS)
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
        assert okul.get("/me", token=owner.token).status == 200, "nothing happened to the owner"


def test_the_matrix_covers_the_contract():
    program_of = {(r["method"], r["path"]): r["program"] for r in LISTED}
    promised = {(r.method, r.path): r.program for r in contract.routes}
    told = [f"{method} {path}: not in tests/contract/ours.json, and not in the contract" for method, path in program_of.keys() - promised.keys()]
    told += [f"{method} {path}: no program has this route" for method, path in promised.keys() - program_of.keys()]
    told += [f"{method} {path}: no good request, add it to GOOD in {file_of(program)}" for (method, path), program in program_of.items()
             if (method, path) not in GOOD]
    told += [f"{method} {path}: a good request for a route that is not there" for method, path in GOOD.keys() - program_of.keys()]
    assert not told, "\n".join(told)


# ---- what only admins see on routes that are open to others


def sights(okul, see):
    """What one sees, as see(path) gives the data of an answer or None: by name, whether it is what is for admins alone."""
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
def test_what_is_for_admins_alone(okul, kind):
    caller = CALLERS[kind][0](okul)

    def see(path):
        answer = okul.get(path, token=caller.token)
        return (answer.json or {"data": True})["data"] if answer.status == 200 else None
    assert set(sights(okul, see).values()) == {kind in ("admin", "registered admin", "superadmin")}


def test_who_cancels_the_deletion_is_an_admin_again(okul):
    boss = leaving(okul.staff("admin"))
    draft = superadmin(okul).post("/courses", {"title": "A draft", "language": "en", "isPublished": False}).data["id"]
    assert boss.get(f"/courses/{draft}").status == 404
    assert boss.delete("/api/v1/users/me/account-deletion").status == 200
    assert boss.get(f"/courses/{draft}").status == 200


# ---- the role is read at each request


def test_a_change_of_role_holds_from_the_next_request_on(okul):
    boss = okul.staff("admin")
    assert boss.get("/me").data["role"] == "admin"
    for role in ("superadmin", "user", "admin"):
        okul.server.ctl("user", "role", boss.email, role)
        for _ in range(8):
            answer = boss.get("/me")
            assert answer.status == 200 and answer.data["role"] == role


def test_a_token_says_nothing_of_the_role(okul):
    claims = okul.staff("superadmin").claims()
    assert "superadmin" not in json.dumps(claims) and "role" not in claims
