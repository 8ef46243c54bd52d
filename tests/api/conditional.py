"""Conditional requests (RFC 9110 section 13): unmodified data is not sent again, and lost updates are prevented.
helpers/client.py checks ETag, Cache-Control and Vary of every response of every test."""

import re
import secrets
import threading

import pytest

from helpers import contract
from helpers.cgi import cgi
from helpers.client import REGISTRATION, without_signatures
from helpers.parallel import all_at_once, statuses
from helpers.routes import GOOD, path_of
from helpers.server import SLOW

STALE = '"0123456789abcdef"'
DELETION = "/api/v1/users/me/account-deletion"
ROUNDS = 40 // SLOW


@pytest.fixture
def ada(okul):
    return okul.registered()


def tag(answer):
    assert answer.status == 200, answer
    return answer.headers["ETag"]


def unless(*values):
    return {"If-None-Match": ", ".join(values)}


def only(*values):
    return {"If-Match": ", ".join(values)}


# ---- tags


def test_equal_data_has_an_equal_tag(okul, ada):
    assert len({tag(ada.get("/me", language=language)) for language in contract.LANGUAGES * 6}) == 1, "the same from each worker"
    assert len({tag(caller.get("/")) for caller in (okul, ada, okul.login())}) == 1
    assert tag(ada.get("/me")) == tag(okul.head("/me", token=ada.token))


def test_another_process_makes_the_same_tag(okul, ada):
    status, headers, _ = cgi(okul.server, "users", "GET", "/me", {"Authorization": f"Bearer {ada.token}"})
    assert status == 200 and headers["ETag"] == tag(ada.get("/me"))
    status, headers, body = cgi(okul.server, "users", "GET", "/me",
                                {"Authorization": f"Bearer {ada.token}", "If-None-Match": headers["ETag"]})
    assert status == 304 and body == b"" and "Content-Length" not in headers


def test_other_data_has_another_tag(okul, ada):
    seen = {tag(ada.get("/me")), tag(okul.registered().get("/me"))}
    for bio in ("a", "b", "a"):     # the third differs from the first by updatedAt
        assert ada.patch("/me", {"bio": bio}).status == 200
        seen.add(tag(ada.get("/me")))
    assert len(seen) == 5
    assert len({tag(okul.get("/", language=language)) for language in contract.LANGUAGES}) == 4


def test_a_no_store_response_has_no_tag(okul, ada):
    assert okul.get("/health", headers=unless("*")).status == 200
    assert ada.get("/me/export", headers=unless("*")).status == 200


# ---- If-None-Match


@pytest.mark.parametrize("route", [r for r in contract.routes if r.method == "GET" and "/" not in r.response and not r.live], ids=str)
def test_every_get_returns_304_when_nothing_changed(okul, boss, route):
    path = path_of(okul, route, boss)
    had = tag(boss.get(path))
    for method in ("GET", "HEAD"):
        answer = boss.request(method, path, headers=unless(had))
        assert answer.status == 304 and answer.headers["ETag"] == had and "Content-Length" not in answer.headers
    for other in (STALE, "x"):
        assert without_signatures(boss.get(path, headers=unless(other)).data) == without_signatures(boss.get(path).data)


def test_values_of_if_none_match(okul, ada):
    had = tag(ada.get("/me"))
    bare = had.strip('"')
    for value in (had, f"W/{had}", "*", f"{STALE}, {had}", f"{had},{STALE}", f'"a,b" ,\tW/{had} ,,', f'"{bare}-gzip"'):
        assert ada.get("/me", headers={"If-None-Match": value}).status == 304, value
    for value in (STALE, f"W/{STALE}", bare, f'"{bare}', f"{bare}\"", f"w/{had}", f"{had} {had}", f"{had}, *", f"*, {had}", "**",
                  '""', '"*"', f"x, {had}", f'"{bare.upper()}x"', f'"{bare[:-1]}"', ","):
        assert ada.get("/me", headers={"If-None-Match": value}).status == 200, value


def test_a_connection_is_kept_after_a_304(okul, ada):
    """A 304 has no body, so the next response starts right after its head."""
    had = tag(ada.get("/me"))
    for _ in range(3):
        assert ada.get("/me", headers=unless(had)).status == 304
        assert ada.get("/me").data["id"] == ada.id
    request = f"GET /me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ada.token}\r\nIf-None-Match: {had}\r\nConnection: close\r\n\r\n"
    assert okul.raw(request.encode(), "GET", "/me").status == 304


def test_changed_data_is_sent(okul, boss):
    ada = okul.registered()
    mine, theirs = tag(ada.get("/me")), tag(boss.get(f"/users/{ada.id}"))
    assert boss.patch(f"/admin/users/{ada.id}/role", {"role": "admin"}).status == 200
    assert ada.get("/me", headers=unless(mine)).data["role"] == "admin"
    assert boss.get(f"/users/{ada.id}", headers=unless(theirs)).data["role"] == "admin"


def test_a_304_needs_the_same_rights(okul, boss):
    """A caller who has lost the right to the data does not learn that it is unchanged."""
    ada = okul.staff("admin")
    had = tag(ada.get("/users"))
    assert ada.get("/users", headers=unless(had)).status == 304
    assert boss.patch(f"/admin/users/{ada.id}/role", {"role": "user"}).status == 200
    assert ada.get("/users", headers=unless(had, "W/" + had)).status == 403
    mine = tag(ada.get("/auth/registration/status"))
    assert ada.post("/auth/logout").status == 200
    for value in (mine, "*"):
        assert ada.get("/auth/registration/status", headers=unless(value)).status == 401


def test_an_asterisk_needs_an_existing_resource(okul, boss):
    assert boss.get("/users/" + "0" * 24, headers=unless("*")).status == 404
    assert boss.get("/users?x=1", headers=unless("*")).status == 400
    assert okul.get("/nothing", headers=unless("*")).status == 404


def test_a_file_of_all_users_has_no_tag(okul, boss):
    answer = boss.get("/users?format=csv&search=nobody.here", headers=unless("*"))
    assert answer.status == 200 and "ETag" not in answer.headers and answer.headers["Cache-Control"] == "no-store"


# ---- If-Match

# The GET path that shows what a route changes, where that is not its own path; None where no GET shows it.
SHOWN = {"/admin/users/{id}/profile": "/users/{id}", "/admin/users/{id}/email": "/users/{id}", "/admin/users/{id}/role": "/users/{id}"}
PATHS = {r.path for r in contract.routes if r.method == "GET"}
CHANGES = [r for r in contract.routes if r.method == "PATCH"]


@pytest.mark.parametrize("route", CHANGES, ids=str)
def test_every_patch_takes_if_match(okul, boss, route):
    good = GOOD["PATCH", route.path]
    id_ = good["id"](okul, boss) if "id" in good else ""
    path, shown = route.path.replace("{id}", id_), SHOWN.get(route.path, route.path).replace("{id}", id_)

    def change(*values):
        return boss.patch(path, good["body"](okul, boss), headers=only(*values) if values else {})
    for value in (STALE, "x", f'{STALE}, "a"'):
        assert change(value).status == 412, value
    if SHOWN.get(route.path, route.path) not in PATHS:
        assert change("*").status == route.status, "no GET shows it, so there is no tag"
        return
    before = boss.get(shown)
    assert change(STALE).status == 412 and boss.get(shown).data == before.data
    last = change(tag(before))
    assert last.data == boss.get(shown).data and tag(last) == tag(boss.get(shown)), "the tag of the response is valid for the next change"
    for value in (tag(last), f"W/{tag(last)}", "*", f"{STALE}, W/{tag(last)}", tag(last)[:-1] + '-gzip"'):
        now = tag(boss.get(shown))
        assert change(value.replace(tag(last)[:-1], now[:-1])).status == 200, value
    assert change().status == 200


def test_consecutive_changes_with_the_tag_of_the_last_response(ada):
    seen = tag(ada.get("/me"))
    for bio in ("1", "2", "3"):
        answer = ada.patch("/me", {"bio": bio}, headers=only(seen))
        assert answer.data["bio"] == bio
        assert ada.patch("/me", {"bio": "late"}, headers=only(seen)).status == 412
        seen = tag(answer)
    assert ada.get("/me").data["bio"] == "3" and ada.get("/me", headers=unless(seen)).status == 304


@pytest.mark.parametrize("many", [2, 8])
def test_of_concurrent_changes_one_succeeds(ada, many):
    for _ in range(ROUNDS):
        seen = tag(ada.get("/me"))
        bios = [secrets.token_hex(8) for _ in range(many)]
        answers = all_at_once(many, lambda n: ada.patch("/me", {"bio": bios[n]}, headers=only(seen)))
        assert statuses(answers) == [200] + [412] * (many - 1)
        (won,) = [a for a in answers if a.status == 200]
        assert won.data["bio"] in bios and ada.get("/me").data == won.data


def test_an_admin_does_not_overwrite_an_edit_of_the_user(okul, boss, ada):
    """Two routes change one row: a change through one invalidates the tag of the other."""
    for _ in range(ROUNDS // 2):
        mine, theirs = tag(ada.get("/me")), tag(boss.get(f"/users/{ada.id}"))
        acts = [lambda: ada.patch("/me", {"bio": secrets.token_hex(8)}, headers=only(mine)),
                lambda: boss.patch(f"/admin/users/{ada.id}/profile", {"bio": secrets.token_hex(8)}, headers=only(theirs))]
        assert statuses(all_at_once(2, lambda n: acts[n]())) == [200, 412]


def test_without_the_header_the_last_one_wins(ada):
    answers = all_at_once(4, lambda n: ada.patch("/me", {"bio": str(n)}))
    assert statuses(answers) == [200] * 4


def test_other_errors_come_first(okul, boss, ada):
    stale, nobody = only(STALE), "0" * 24
    admin, other = okul.staff("admin"), okul.staff("admin")
    for answer, status in (
            (okul.patch("/me", {"bio": "x"}, headers=stale), 401),
            (ada.patch(f"/admin/users/{admin.id}/profile", {"bio": "x"}, headers=stale), 403),
            (admin.patch(f"/admin/users/{other.id}/profile", {"bio": "x"}, headers=stale), 403),
            (admin.delete(f"/users/{other.id}", headers=stale), 403),
            (ada.request("PATCH", "/me", body=b"bio=x", content_type="text/plain", headers=stale), 415),
            (ada.patch("/me", {"bio": 1}, headers=stale), 400),
            (ada.patch("/me", {}, headers=stale), 400),
            (boss.patch(f"/admin/users/{nobody}/profile", {"bio": "x"}, headers=stale), 404),
            (boss.patch(f"/admin/users/{nobody}/profile", {"bio": "x"}, headers=only("*")), 404),
            (boss.delete(f"/users/{nobody}", headers=only("*")), 404)):
        assert answer.status == status, answer
    assert boss.get(f"/users/{other.id}").data["bio"] is None


def test_a_conflict_is_409_with_the_right_tag(okul, ada):
    """With a stale tag, 412 takes precedence."""
    taken = okul.registered()
    name = f"u{secrets.token_hex(6)}"
    assert taken.patch("/me", {"username": name}).status == 200
    seen = ada.get("/me")
    assert ada.patch("/me", {"username": name}, headers=only(STALE)).status == 412
    assert ada.patch("/me", {"username": name}, headers=only(tag(seen))).status == 409
    assert ada.get("/me", headers=unless(tag(seen))).status == 304, "nothing was changed"


def test_the_role_of_the_caller_is_checked_inside_the_transaction(okul, boss):
    """A caller who loses the role while waiting gets 403, whatever the tag."""
    ada, bob = okul.staff("admin"), okul.registered()
    done = threading.Event()
    answers = []

    def edit():
        while not done.is_set():
            answers.append(ada.patch(f"/admin/users/{bob.id}/profile", {"bio": "x"}, headers=only(STALE)).status)
    thread = threading.Thread(target=edit)
    thread.start()
    try:
        assert boss.patch(f"/admin/users/{ada.id}/role", {"role": "user"}).status == 200
    finally:
        done.set()
        thread.join()
    assert set(answers) <= {412, 403}
    assert ada.patch(f"/admin/users/{bob.id}/profile", {"bio": "x"}, headers=only(STALE)).status == 403


def test_delete_takes_if_match(okul, boss, ada):
    seen = tag(boss.get(f"/users/{ada.id}"))
    assert ada.patch("/me", {"bio": "I stay"}).status == 200
    assert boss.delete(f"/users/{ada.id}", headers=only(seen)).status == 412
    now = tag(boss.get(f"/users/{ada.id}"))
    assert boss.delete(f"/users/{ada.id}", headers=only(seen, now)).status == 200
    assert boss.get(f"/users/{ada.id}").status == 404


def test_changing_a_setting_takes_if_match(okul, boss):
    """A setting is changed with POST /settings."""
    key = "site." + secrets.token_hex(6)

    def put(value, *values, **more):
        return boss.post("/settings", {"key": key, "value": value} | more, headers=only(*values) if values else {})
    for value in ("*", STALE):
        assert put(1, value).status == 412 and boss.get(f"/settings/{key}").status == 404, "there is no representation that could match"
    assert put(1).status == 200
    seen = tag(boss.get(f"/settings/{key}"))
    assert put(2, STALE).status == 412 and boss.get(f"/settings/{key}").data["value"] == 1
    assert put(2, seen, isPublic=False).status == 200
    assert put(3, seen).status == 412 and boss.get(f"/settings/{key}").data["value"] == 2
    assert put(3, tag(boss.get(f"/settings/{key}"))).status == put(4, "*").status == put(5).status == 200
    assert okul.registered().post("/settings", {"key": key, "value": 6}, headers=only("*")).status == 403
    assert boss.post("/settings", {"key": key}, headers=only(STALE)).status == 400, "other errors come first"


def test_a_registration_takes_the_tag_of_the_profile(okul):
    ada = okul.login()
    seen = tag(ada.get("/me"))
    assert ada.patch("/me", {"bio": "x"}).status == 200
    assert ada.post("/auth/registration/complete", REGISTRATION, headers=only(seen)).status == 412
    assert ada.get("/me").data["isRegistrationComplete"] is False
    assert ada.post("/auth/registration/complete", REGISTRATION, headers=only(tag(ada.get("/me")))).status == 200


def test_a_route_without_a_get_accepts_only_an_asterisk(okul, ada):
    assert ada.post(DELETION).status == 201
    assert ada.delete(DELETION, headers=only(STALE)).status == 412
    assert ada.delete(DELETION, headers=only("*")).status == 200


def test_other_requests_ignore_if_match(okul, ada):
    assert ada.get("/me", headers=only(STALE)).status == 200
    assert okul.post("/auth/otp/verify", {"email": ada.email, "code": "0"}, headers=only(STALE)).status == 400
    assert ada.post("/auth/logout", headers=only(STALE)).status == 200


# ---- the reference


def headers_of(okul, node):
    """The names of headers of an operation's parameters, or of a response."""
    resolve = okul.reference.resolver.resolve
    if "headers" in node:
        return set(node["headers"])
    taken = [resolve(p["$ref"])[1] if "$ref" in p else p for p in node.get("parameters", ())]
    return {p["name"] for p in taken if p["in"] == "header"}


@pytest.mark.parametrize("route", [r for r in contract.routes if "/" not in r.response], ids=str)
def test_the_reference_documents_tags(okul, route):
    operation = okul.reference.document["paths"][route.path][route.method.lower()]
    answers, taken = operation["responses"], headers_of(okul, operation)
    tagged = route.method == "GET" and not route.live
    bound = route.method == "PATCH" and SHOWN.get(route.path, route.path) in PATHS
    assert ("304" in answers) == ("If-None-Match" in taken) == tagged
    assert ("ETag" in headers_of(okul, answers[str(route.status)])) == (tagged or bound)
    posted = str(route) in ("POST /settings", "POST /auth/registration/complete")
    assert ("412" in answers) == (route.method in ("PATCH", "DELETE") or posted)
    assert "If-Match" in taken if bound or posted else route.method == "DELETE" or "If-Match" not in taken
    if tagged:
        kept = okul.reference.resolver.resolve(answers["304"]["$ref"])[1]
        assert {"ETag", "X-Request-Id"} <= headers_of(okul, kept) and "content" not in kept


def test_the_docs_page_documents_tags(okul):
    page = okul.get("/api/docs").body.decode()
    article = {name: page.partition(f'<article id="{name}">')[2].partition("</article>")[0] for name in ("getMe", "patchMe", "getHealth")}
    assert "<code>If-None-Match:</code>" in article["getMe"] and "with <code>ETag</code>" in article["getMe"]
    assert "<code>If-Match:</code>" in article["patchMe"] and "#e412" in article["patchMe"]
    assert "ETag" not in article["getHealth"] and "If-" not in article["getHealth"]


# ---- origins


def test_a_page_of_another_origin_can_read_and_send_tags(guarded):
    origin = {"Origin": "https://okul.example"}
    ada = guarded.registered()
    answer = ada.get("/me", headers=origin)
    exposed = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
    assert {"ETag", "Content-Disposition", "Content-Language", "Retry-After", "X-Request-Id"} <= exposed
    assert set(re.split(", *", answer.headers["Vary"])) == {"Authorization", "Accept-Language", "Origin"}
    again = ada.get("/me", headers=origin | unless(tag(answer)))
    assert again.status == 304 and again.headers["Access-Control-Allow-Origin"] == origin["Origin"]
    assert set(re.split(", *", again.headers["Vary"])) == {"Authorization", "Accept-Language", "Origin"}
    assert "Authorization" not in guarded.get("/me", headers=origin).headers["Vary"], "an error"
    allowed = guarded.options("/me", headers=origin | {"Access-Control-Request-Method": "PATCH"}).headers
    assert {"If-Match", "If-None-Match"} <= set(allowed["Access-Control-Allow-Headers"].split(", "))
