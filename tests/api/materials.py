"""Group materials: creating and changing them, assigning them to users, and when these first opened them."""

import hashlib
import json
import re
import secrets
import time
import urllib.parse
from datetime import datetime, timezone

import pytest

from helpers import contract
from helpers.client import Okul, faults, form, without_signatures
from helpers.contract import LANGUAGES
from helpers.parallel import all_at_once, statuses, writer_lock
from helpers.people import profile
from helpers.samples import pdf, png
from helpers.server import Server, files, until

MATERIALS = "/education-materials"
NOBODYS = "0" * 24
STALE = '"0123456789abcdef"'
VIDEO = {"title": "Selamlaşma", "url": "https://example.com/selam.mp4"}


@pytest.fixture(scope="module")
def boss(okul):
    return okul.staff("admin")


def send(boss, method, path, *parts, **more):
    kind, body = form(*parts)
    return boss.request(method, path, body=body, content_type=kind, **more)


def make(boss, *pdfs, **fields):
    """Creates a material with PDFs of these names."""
    fields = {"title": "İlk sözcükler", "locale": "tr"} | fields
    answer = send(boss, "POST", MATERIALS, *((k, v if isinstance(v, str) else json.dumps(v)) for k, v in fields.items()),
                  *(("pdfs", name, pdf()) for name in pdfs))
    assert answer.status == 201, answer
    return answer.data


def assign(boss, material, *people, **fields):
    return boss.post(f"{MATERIALS}/{material['id']}/assign", {"userIds": [getattr(p, "id", p) for p in people]} | fields)


def one(okul, sql):
    """The single value that a query returns."""
    return okul.server.sql(sql).splitlines()[1]


def bare(url):
    """The path of a URL."""
    return urllib.parse.urlsplit(url)._replace(scheme="", netloc="").geturl()


def key_of(url):
    return urllib.parse.urlsplit(url).path.rpartition("/")[2]


# ---- creating


def test_a_material_with_pdfs_and_videos(okul, boss):
    one, two = pdf(), pdf()
    answer = send(boss, "POST", MATERIALS, ("title", " İlk sözcükler "), ("locale", "tr"), ("level", "A1"), ("pdfs", "Ünite 1.PDF", one),
                  ("description", "Derse gelmeden önce"), ("videos", json.dumps([VIDEO, VIDEO | {"url": "/v/2"}])), ("pdfs", "b.pdf", two))
    assert answer.status == 201, answer
    data = answer.data
    assert list(data) == [f.name for f in contract.shapes["EducationMaterialResponseDto"]]
    assert data | {"title": "İlk sözcükler", "locale": "tr", "level": "A1", "description": "Derse gelmeden önce"} == data
    assert [(p["title"], p["fileName"], p["size"]) for p in data["pdfs"]] == [("Ünite 1", "Ünite 1.PDF", len(one)), ("b", "b.pdf", len(two))]
    assert [(v["title"], v["url"]) for v in data["videos"]] == [(VIDEO["title"], VIDEO["url"]), (VIDEO["title"], "/v/2")]
    assert len({i["id"] for i in data["pdfs"] + data["videos"]}) == 4
    assert data["createdAt"] == data["updatedAt"]
    for shown, content in zip(data["pdfs"], (one, two)):
        got = okul.get(bare(shown["url"]))
        assert got.body == content and got.headers["Content-Type"] == "application/pdf"
        assert urllib.parse.quote(shown["fileName"]) in got.headers["Content-Disposition"]
    assert without_signatures(boss.get(f"{MATERIALS}/{data['id']}").data) == without_signatures(data)
    assert without_signatures(boss.get(f"{MATERIALS}?limit=1").data["items"]) == [without_signatures(data)]


def test_a_material_without_any_pdf(boss):
    made = make(boss)
    assert made["pdfs"] == made["videos"] == [] and made["level"] is None and made["description"] == ""
    assert make(boss, level="", videos="[]")["level"] is None
    kind, body = form(("title", "x"), ("locale", "en"), ("pdfs", "", b""))
    answer = boss.request("POST", MATERIALS, body=body, content_type=kind)
    assert answer.status == 201 and answer.data["pdfs"] == [], "a field that a browser leaves empty"


def test_json_without_files(boss):
    answer = boss.post(MATERIALS, {"title": "x", "locale": "de", "videos": [VIDEO]})
    assert answer.status == 201 and [v["title"] for v in answer.data["videos"]] == [VIDEO["title"]] and answer.data["pdfs"] == []


@pytest.mark.parametrize("name, title", [
    ("a.pdf", "a"), ("a.PdF", "a"), (".pdf", "pdf"), (" .pdf", "pdf"), ("a b .pdf", "a b"), ("a.pdf.pdf", "a.pdf"), ("notes", "notes"), ("a.hta", "a"),
    ("C:\\x\\ğ.pdf", "ğ"), ("ğ" * 240 + ".pdf", "ğ" * 200), ("", "file"),
])
def test_the_title_of_a_pdf_is_its_name(boss, name, title):
    assert make(boss, name)["pdfs"][0]["title"].strip() == title.strip()


def wrong_forms():
    good = [("title", "x"), ("locale", "en")]
    yield "a picture", [*good, ("pdfs", "a.pdf", png())], 415, ["pdfs"]
    yield "text", [*good, ("pdfs", "a.pdf", b"hello")], 415, ["pdfs"]
    yield "a PDF without anything", [*good, ("pdfs", "a.pdf", pdf()), ("pdfs", "b.pdf", b"%PDF-1.4\n%%EOF\n")], 415, ["pdfs"]
    yield "an empty PDF", [*good, ("pdfs", "a.pdf", b"")], 400, ["pdfs"]
    yield "too many", [*good, *(("pdfs", "a.pdf", pdf()) for _ in range(21))], 400, ["pdfs"]
    yield "another field of files", [*good, ("file", "a.pdf", pdf())], 400, ["file"]
    yield "no title", [("locale", "en"), ("pdfs", "a.pdf", pdf())], 400, ["title"]
    yield "nothing but a file", [("pdfs", "a.pdf", pdf())], 400, ["title", "locale"]
    yield "everything", [("title", " "), ("locale", "xx"), ("level", "A0"), ("videos", "{}"), ("x", "y")], 400, [
        "x", "title", "locale", "level", "videos"]
    for text in ("", "x", "{}", "[", "null", '"[]"', "[1]", '[{"title":"x"}]', '[{"title":"x","url":"ftp://x"}]', '[{"title":"x","title":"y","url":"/"}]',
                 '[{"title":"","url":"/"}]', '[{"title":"x","url":"/","id":"1"}]', json.dumps([VIDEO] * 51)):
        yield f"videos {text[:30]}", [*good, ("videos", text)], 400, None
    yield "two empty PDFs", [*good, ("pdfs", "a.pdf", b""), ("pdfs", "b.pdf", b"")], 400, ["pdfs"]
    yield "locale twice", [*good, ("locale", "de")], 400, ["locale"]
    yield "twice and three times, wrong as well", [*good, ("locale", "xx"), ("locale", ""), ("title", "y")], 400, ["title", "locale"]
    yield "a list twice, the first not even one", [*good, ("videos", "x"), ("videos", "[]")], 400, ["videos"]
    yield "ids to be removed, of what is only made", [*good, ("removePdfIds", "[]")], 400, ["removePdfIds"]
    yield "a list that is too long", [*good, ("videos", "[" + " " * 262144 + "]")], 400, ["videos"]


@pytest.mark.parametrize("case", list(wrong_forms()), ids=lambda c: c[0])
def test_invalid_forms_are_refused_and_leave_nothing(okul, boss, case):
    _, parts, status, names = case
    count = "SELECT (SELECT count(*) FROM material) || ' ' || (SELECT count(*) FROM file)"
    before = one(okul, count), set(files(okul.server))
    answers = [send(boss, "POST", MATERIALS, *parts, language=language) for language in LANGUAGES]
    for answer in answers:
        if names:
            faults(answer, status, *names)
        else:
            assert answer.status == 400 and len(answer.errors) == 1 and answer.errors[0].startswith(("videos: ", "videos[0]")), answer
    assert len({tuple(a.errors) for a in answers}) == 4, "in the caller's language"
    assert (one(okul, count), set(files(okul.server))) == before


def test_the_longest_material(boss):
    videos = [{"title": "😀" * 200, "url": "https://example.com/".ljust(2048, "a")}] * 50
    kind, body = form(("title", "😀" * 200), ("locale", "en"), ("description", "ğ" * 5000), ("videos", json.dumps(videos)),
                      *(("pdfs", f"{i}.pdf", pdf()) for i in range(20)))
    answer = boss.request("POST", MATERIALS, body=body, content_type=kind)
    assert answer.status == 201, answer
    assert [p["title"] for p in answer.data["pdfs"]] == [str(i) for i in range(20)]
    assert [{k: v[k] for k in VIDEO} for v in answer.data["videos"]] == videos
    assert boss.patch(f"{MATERIALS}/{answer.data['id']}", {"videos": videos}).status == 200


def test_another_content_type(boss):
    for type_ in ("text/plain", "application/x-www-form-urlencoded", None):
        answer = boss.request("POST", MATERIALS, body=b"title=x", content_type=type_)
        assert answer.status == 415 and "multipart/form-data" in answer.errors[0] and "application/json" in answer.errors[0]


def test_the_total_quota():
    server = Server("full", OKUL_WORKERS="1", OKUL_STORAGE_TOTAL_QUOTA="1")
    try:
        boss = Okul(server).staff("admin")
        large = pdf(own="x" * 700_000)
        assert send(boss, "POST", MATERIALS, ("title", "x"), ("locale", "en"), ("pdfs", "a.pdf", large)).status == 201
        before = set(files(server))
        answer = send(boss, "POST", MATERIALS, ("title", "x"), ("locale", "en"), ("pdfs", "a.pdf", pdf()), ("pdfs", "a.pdf", pdf(own="y" * 700_000)))
        assert answer.status == 503 and boss.get(MATERIALS).data["pagination"]["total"] == 1 and set(files(server)) == before
        assert boss.patch(f"{MATERIALS}/{boss.get(MATERIALS).data['items'][0]['id']}", {"level": "B1"}).status == 200
    finally:
        server.stop()


# ---- changes


def test_a_change_in_json(boss):
    made = make(boss, "a.pdf", level="A1", description="x", videos=[VIDEO])
    path = f"{MATERIALS}/{made['id']}"
    time.sleep(0.002)
    for change in ({"title": "Yeni"}, {"description": ""}, {"locale": "de"}, {"level": "C2"}, {"level": None}, {"removePdfIds": []}):
        answer = boss.patch(path, change)
        assert answer.status == 200, answer
        made |= {k: v for k, v in change.items() if k in made} | {"updatedAt": answer.data["updatedAt"]}
        assert without_signatures(answer.data) == without_signatures(made) == without_signatures(boss.get(path).data)
    assert made["updatedAt"] > made["createdAt"]


def test_videos_are_replaced_as_a_list(boss):
    made = make(boss, videos=[VIDEO, VIDEO])
    answer = boss.patch(f"{MATERIALS}/{made['id']}", {"videos": [VIDEO]})
    assert len(answer.data["videos"]) == 1 and answer.data["videos"][0]["id"] not in [v["id"] for v in made["videos"]]
    assert boss.patch(f"{MATERIALS}/{made['id']}", {"title": "y"}).data["videos"] == answer.data["videos"]
    assert boss.patch(f"{MATERIALS}/{made['id']}", {"videos": []}).data["videos"] == []


def test_pdfs_are_added_and_removed(okul, boss):
    made = make(boss, "a.pdf", "b.pdf", "c.pdf")
    a, b, c = made["pdfs"]
    path = f"{MATERIALS}/{made['id']}"
    answer = send(boss, "PATCH", path, ("pdfs", "d.pdf", pdf()))
    assert answer.status == 200 and [p["title"] for p in answer.data["pdfs"]] == ["a", "b", "c", "d"], "adding files is a change"
    answer = send(boss, "PATCH", path, ("removePdfIds", json.dumps([b["id"], a["id"]])), ("title", "z"), ("level", ""), ("pdfs", "e.pdf", pdf()))
    assert answer.status == 200 and [p["title"] for p in answer.data["pdfs"]] == ["c", "d", "e"] and answer.data["title"] == "z"
    assert okul.get(bare(a["url"])).status == okul.get(bare(b["url"])).status == 404
    assert okul.get(bare(c["url"])).status == 200
    assert one(okul, f"SELECT count(*) FROM file WHERE key IN ('{key_of(a['url'])}', '{key_of(b['url'])}')") == "0"
    assert boss.patch(path, {"removePdfIds": [p["id"] for p in answer.data["pdfs"]]}).data["pdfs"] == []


def test_removing_an_unknown_pdf(okul, boss):
    made, other = make(boss, "a.pdf"), make(boss, "b.pdf")
    path, before = f"{MATERIALS}/{made['id']}", set(files(okul.server))
    for strange in (NOBODYS, other["pdfs"][0]["id"], made["id"]):
        answer = boss.patch(path, {"title": "never", "removePdfIds": [made["pdfs"][0]["id"], strange]})
        assert answer.status == 404, answer
        assert send(boss, "PATCH", path, ("removePdfIds", json.dumps([strange])), ("pdfs", "c.pdf", pdf())).status == 404
        assert without_signatures(boss.get(path).data) == without_signatures(made), "nothing is changed"
    assert without_signatures(boss.get(f"{MATERIALS}/{other['id']}").data) == without_signatures(other)
    answer = boss.patch(path, {"removePdfIds": [made["pdfs"][0]["id"]] * 2})
    faults(answer, 400, "removePdfIds[1]")
    assert int(one(okul, "SELECT count(*) FROM file WHERE owner IS NULL AND NOT is_public")) >= 2 and before <= set(files(okul.server))


@pytest.mark.parametrize("body", [{}, None])
def test_an_empty_change(boss, body):
    path = f"{MATERIALS}/{make(boss)['id']}"
    answer = boss.patch(path, {}) if body is not None else send(boss, "PATCH", path, ("pdfs", "", b""))
    assert answer.status == 400 and answer.errors == ["Name at least one field to change"]


def test_an_unknown_material(okul, boss):
    before = set(files(okul.server))
    for id_, status in ((NOBODYS, 404), ("x", 400)):
        path = f"{MATERIALS}/{id_}"
        answers = [boss.get(path), boss.patch(path, {"title": "x"}), boss.delete(path), send(boss, "PATCH", path, ("pdfs", "a.pdf", pdf())),
                   boss.post(f"{path}/assign", {"userIds": [boss.id]}), boss.get(f"{MATERIALS}/assigned/users/{id_}")]
        assert {a.status for a in answers} == {status}, answers
    assert set(files(okul.server)) == before, "files of a rejected change are not kept"


def test_parallel_changes(boss):
    """Each adds a PDF and removes the same old one: one request succeeds, and no PDF is lost."""
    made = make(boss, "old.pdf")
    path, old = f"{MATERIALS}/{made['id']}", made["pdfs"][0]["id"]
    answers = all_at_once(6, lambda n: send(boss, "PATCH", path, ("removePdfIds", json.dumps([old])), ("pdfs", f"{n}.pdf", pdf())))
    assert statuses(answers) == [200] + [404] * 5
    assert len(boss.get(path).data["pdfs"]) == 1


def test_deleting(okul, boss):
    ada, made, other = okul.registered(), make(boss, "a.pdf", "b.pdf"), make(boss, "c.pdf")
    assert assign(boss, made, ada).status == assign(boss, other, ada).status == 200
    answer = boss.delete(f"{MATERIALS}/{made['id']}")
    assert answer.status == 200 and answer.data == {"message": "The education material has been deleted", "id": made["id"]}
    assert boss.get(f"{MATERIALS}/{made['id']}").status == 404 and boss.delete(f"{MATERIALS}/{made['id']}").status == 404
    assert [m["id"] for m in ada.get(f"{MATERIALS}/assigned/me").data["materials"]] == [other["id"]]
    for gone in made["pdfs"]:
        assert okul.get(bare(gone["url"])).status == 404
        assert one(okul, f"SELECT count(*) FROM file WHERE key = '{key_of(gone['url'])}'") == "0"
    assert okul.get(bare(other["pdfs"][0]["url"])).status == 200
    assert one(okul, f"SELECT actor_email || ' ' || action FROM audit WHERE subject_id = '{made['id']}'") == f"{boss.email} material.deleted"


def test_gc_deletes_the_bytes_of_deleted_pdfs():
    server = Server("gone", OKUL_WORKERS="1")
    try:
        boss, content = Okul(server).staff("admin"), pdf()
        made = send(boss, "POST", MATERIALS, ("title", "x"), ("locale", "en"), ("pdfs", "a.pdf", content), ("pdfs", "b.pdf", pdf())).data
        assert boss.patch(f"{MATERIALS}/{made['id']}", {"removePdfIds": [made["pdfs"][0]["id"]]}).status == 200
        server.clock.advance(4000)
        server.ctl("files", "gc")
        assert len(files(server)) == 1 and hashlib.sha256(content).hexdigest() not in files(server)
        assert one(boss.okul, "SELECT n FROM tally WHERE name = 'file:bytes'") == str(made["pdfs"][1]["size"])
    finally:
        server.stop()


def test_a_pdf_outlives_the_account_of_its_admin(okul, boss):
    gone = okul.staff("admin")
    made, ada = make(gone, "a.pdf"), okul.registered()
    assert assign(gone, made, ada, note="x").data["assigned"] == 1
    assert ada.get(f"{MATERIALS}/assigned/me").data["materials"][0]["assignedBy"] == {"id": gone.id, "name": ""}
    assert okul.staff("superadmin").delete(f"/users/{gone.id}").status == 200
    mine = ada.get(f"{MATERIALS}/assigned/me").data["materials"][0]
    assert mine["assignedBy"] is None and mine["note"] == "x"
    assert okul.get(bare(mine["pdfs"][0]["url"])).status == 200
    assert without_signatures(boss.get(f"{MATERIALS}/{made['id']}").data) == without_signatures(made)


# ---- lists


def test_search_filter_and_order(boss):
    mark = secrets.token_hex(4)
    one = make(boss, title=f"Çalışma {mark}", description="ISPARTA")["id"]
    two = make(boss, "a.pdf", title=f"andré {mark}", locale="de", description="Straße")["id"]
    three = make(boss, title=f"B {mark}", locale="de")["id"]

    def found(query):
        data = boss.get(f"{MATERIALS}?{query}").data
        assert data["pagination"]["total"] >= len(data["items"])
        return [m["id"] for m in data["items"]]
    assert found(f"search={mark}") == found(f"search={mark}&sort=-createdAt") == [three, two, one]
    assert found(f"search={mark}&sort=createdAt") == [one, two, three]
    assert found(f"search={mark}&sort=title") == [two, three, one] and found(f"search={mark}&sort=-title") == [one, three, two]
    assert found(f"search={mark}&locale=de") == [three, two] and found(f"search={mark}&locale=es") == []
    assert found(f"search={mark}%20%C4%B1sparta") == [one] and found(f"search=STRASSE%20{mark}") == [two]
    assert found("locale=de&limit=2") == [three, two] and found("search=&limit=3") == [three, two, one]
    page = boss.get(f"{MATERIALS}?search={mark}&limit=2&page=2").data
    assert [m["id"] for m in page["items"]] == [one] and page["pagination"] == {"page": 2, "limit": 2, "total": 3, "totalPages": 2}
    assert found(f"search={mark}&page=9") == []


@pytest.mark.parametrize("query", ["locale=xx", "locale=", "sort=level", "sort=-updatedAt", "page=0", "limit=101", "level=A1", "locale=de&locale=en"])
def test_an_invalid_query(boss, query):
    answer = boss.get(f"{MATERIALS}?{query}")
    assert answer.status == 400 and len(answer.errors) == 1


# ---- tags of responses with signed URLs


def test_signing_again_does_not_change_the_tag(later):
    boss = later.staff("admin")
    made, ada = make(boss, "a.pdf", "b.pdf"), later.registered()
    assert assign(boss, made, ada).status == 200
    for who, path in ((boss, f"{MATERIALS}/{made['id']}"), (boss, f"{MATERIALS}?limit=1"), (ada, f"{MATERIALS}/{made['id']}"),
                      (ada, f"{MATERIALS}/assigned/me"), (boss, f"{MATERIALS}/assigned/users/{ada.id}")):
        later.server.clock.advance(301 - later.server.clock.now() % 300)     # to the start of a five-minute interval
        first = who.get(path)
        later.server.clock.advance(200)
        second = who.get(path)
        assert first.body.count(b"signature=") == 2 and without_signatures(first.data) == without_signatures(second.data) and first.data != second.data
        assert first.headers["ETag"] == second.headers["ETag"]
        assert who.get(path, headers={"If-None-Match": first.headers["ETag"]}).status == 304
        later.server.clock.advance(101)
        third = who.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert third.status == 200 and without_signatures(third.data) == without_signatures(first.data), "before the URLs expire"


def test_if_match_ignores_the_time_of_signatures(later):
    boss = later.staff("admin")
    made = make(boss, "a.pdf")
    path = f"{MATERIALS}/{made['id']}"
    seen = boss.get(path).headers["ETag"]
    later.server.clock.advance(3000)
    answer = boss.patch(path, {"title": "Late"}, headers={"If-Match": seen})
    assert answer.status == 200 and boss.patch(path, {"title": "Later"}, headers={"If-Match": seen}).status == 412
    later.server.clock.advance(301)
    assert boss.patch(path, {"title": "Last"}, headers={"If-Match": f'{STALE}, W/{answer.headers["ETag"]}'}).status == 200
    seen = boss.get(path).headers["ETag"]
    assert send(boss, "PATCH", path, ("pdfs", "b.pdf", pdf()), headers={"If-Match": seen}).status == 200
    assert send(boss, "PATCH", path, ("pdfs", "c.pdf", pdf()), headers={"If-Match": seen}).status == 412
    for value in (STALE, seen[:-5] + '0000"', '"' + "0" * 12 + seen[13:]):
        assert boss.delete(path, headers={"If-Match": value}).status == 412, value
    assert len(boss.get(path).data["pdfs"]) == 2
    now = boss.get(path).headers["ETag"]
    assert boss.delete(path, headers={"If-Match": now}).status == 200


def test_a_text_that_looks_like_a_signed_address_counts_in_the_tag(boss):
    texts = [f"http://127.0.0.1/storage/files/a.pdf?expires=1&signature={n}" for n in "12"]
    made = make(boss, "a.pdf", description=texts[0])
    path = f"{MATERIALS}/{made['id']}"
    seen = boss.get(path).headers["ETag"]
    changed = boss.patch(path, {"description": texts[1]})
    one(boss.okul, f"UPDATE material SET updated_at = created_at WHERE id = '{made['id']}' RETURNING 1")
    assert boss.get(path).data["updatedAt"] == made["updatedAt"]
    assert boss.get(path).headers["ETag"][:13] != seen[:13] and changed.status == 200


def test_a_tag_depends_on_the_user_that_addresses_name(okul, boss):
    made, ada, bob = make(boss, "a.pdf"), okul.registered(), okul.registered()
    assert assign(boss, made, ada, bob).data["assigned"] == 2
    tags = {who.get(f"{MATERIALS}/{made['id']}").headers["ETag"][:13] for who in (ada, bob, boss)}
    assert len(tags) == 3, "otherwise a browser would show the URLs of another user"


# ---- assigning


def test_assigning(okul, boss):
    made, ada, bob = make(boss, "a.pdf", level="A2", videos=[VIDEO]), okul.registered(), okul.registered()
    grace = okul.staff("admin")
    grace.patch("/me", {"name": "Grace", "surname": "Hopper"})
    answer = assign(grace, made, ada, bob, note=" Pazartesiye kadar ")
    assert answer.status == 200 and answer.data == {"materialId": made["id"], "requested": 2, "assigned": 2, "alreadyAssigned": 0}
    answer = ada.get(f"{MATERIALS}/assigned/me")
    assert list(answer.data) == ["materials", "total"] and answer.data["total"] == 1
    mine = answer.data["materials"][0]
    assert list(mine) == [f.name for f in contract.shapes["AssignedEducationMaterialResponseDto"]]
    assert mine["note"] == "Pazartesiye kadar" and mine["openedAt"] is None and mine["assignedBy"] == {"id": grace.id, "name": "Grace Hopper"}
    assert {k: v for k, v in mine.items() if k in made and k != "pdfs"} == {k: v for k, v in made.items() if k != "pdfs"}
    assert f"user={ada.id}&" in mine["pdfs"][0]["url"]
    seen = boss.get(f"{MATERIALS}/assigned/users/{ada.id}").data
    assert list(seen) == ["user", "materials", "total"] and seen["total"] == 1
    assert seen["user"] == {"id": ada.id, "email": ada.email, "name": "Ada", "surname": "Lovelace"}
    assert "user=" not in seen["materials"][0]["pdfs"][0]["url"]
    assert without_signatures(seen["materials"][0] | {"pdfs": []}) == without_signatures(mine | {"pdfs": []})
    assert without_signatures(ada.get(f"{MATERIALS}/{made['id']}").data) == without_signatures({k: v for k, v in mine.items() if k in made})
    assert boss.get(f"{MATERIALS}/assigned/users/{okul.login().id}").data["materials"] == []


def test_a_material_is_visible_to_assigned_users(okul, boss):
    made, ada, eve = make(boss, "a.pdf"), okul.registered(), okul.registered()
    path = f"{MATERIALS}/{made['id']}"
    assert ada.get(path).status == 404
    assert assign(boss, made, ada).status == 200
    assert ada.get(path).status == 200 and eve.get(path).status == 404 and boss.get(path).status == 200
    assert eve.get(f"{MATERIALS}/assigned/me").data == {"materials": [], "total": 0}
    key = f"/storage/files/{key_of(made['pdfs'][0]['url'])}"
    assert [who.get(key).status for who in (okul, ada, eve, boss)] == [401, 404, 404, 200], "without a signature"


def test_removing_an_assignment(okul, boss):
    made, other, ada, bob = make(boss, "a.pdf"), make(boss), okul.registered(), okul.registered()
    assert assign(boss, made, ada, bob).status == assign(boss, other, ada).status == 200
    path = f"{MATERIALS}/{made['id']}/assign/{ada.id}"
    answer = boss.delete(path)
    assert answer.status == 200 and answer.data["id"] == ada.id
    assert ada.get(f"{MATERIALS}/{made['id']}").status == 404 and bob.get(f"{MATERIALS}/{made['id']}").status == 200
    assert [m["id"] for m in ada.get(f"{MATERIALS}/assigned/me").data["materials"]] == [other["id"]]
    for gone in (path, f"{MATERIALS}/{made['id']}/assign/{NOBODYS}", f"{MATERIALS}/{NOBODYS}/assign/{bob.id}"):
        assert boss.delete(gone).status == 404
    faults(boss.delete(f"{MATERIALS}/x/assign/y"), 400, "id", "userId")
    entry = boss.get(f"/admin/audit?subject={ada.id}&action=material.").data["items"][0]
    assert (entry["action"], entry["actorId"], entry["subject"], entry["before"]) == (
        "material.unassigned", boss.id, ada.email, made["title"])
    assert assign(boss, made, ada).data["assigned"] == 1, "and can be assigned again"


def test_deleting_an_assignment_takes_if_match(okul, boss):
    made, ada = make(boss), okul.registered()
    assert assign(boss, made, ada).status == 200
    path, seen = f"{MATERIALS}/{made['id']}/assign/{ada.id}", boss.get(f"{MATERIALS}/assigned/users/{ada.id}")
    assert assign(boss, make(boss), ada).status == 200
    assert boss.delete(path, headers={"If-Match": seen.headers["ETag"]}).status == 412
    seen = boss.get(f"{MATERIALS}/assigned/users/{ada.id}")
    assert boss.delete(path, headers={"If-Match": seen.headers["ETag"]}).status == 200


def test_last_assigned_first(okul, boss):
    ada, made = okul.registered(), [make(boss) for _ in range(4)]
    order = [made[2], made[0], made[3], made[1]]
    for material in order:
        assert assign(boss, material, ada).status == 200
    assert [m["id"] for m in ada.get(f"{MATERIALS}/assigned/me").data["materials"]] == [m["id"] for m in reversed(order)]
    assert ada.get(f"{MATERIALS}/assigned/me").data["total"] == 4


def test_who_has_a_material(okul, boss):
    made, ada, eve = make(boss, "a.pdf"), okul.registered(), okul.registered()
    path = f"{MATERIALS}/{made['id']}/assignments"
    assert boss.get(path).data == {"items": [], "pagination": {"page": 1, "limit": 20, "total": 0, "totalPages": 0}}
    assert assign(boss, made, ada).status == assign(boss, made, eve).status == 200
    seen = boss.get(path).data
    assert [one["user"]["id"] for one in seen["items"]] == [eve.id, ada.id], "last assigned first"
    assert seen["items"][1]["user"] == {"id": ada.id, "email": ada.email, "name": "Ada", "surname": "Lovelace"}
    assert seen["items"][1]["assignedBy"]["id"] == boss.id and seen["items"][1]["openedAt"] is None
    mine = ada.get(f"{MATERIALS}/assigned/me").data["materials"][0]
    assert okul.get(own_url(ada, made)).status == 200
    one = boss.get(path + "?limit=1&page=2").data["items"][0]
    assert one["openedAt"] is not None and one["assignedAt"] == mine["assignedAt"]
    assert boss.get(f"{MATERIALS}/{NOBODYS}/assignments").status == 404


def test_an_unknown_user_prevents_all_assignments(okul, boss):
    made, ada, bob = make(boss), okul.registered(), okul.registered()
    for ids in ([ada, NOBODYS], [NOBODYS, ada], [ada, bob, NOBODYS]):
        assert assign(boss, made, *ids).status == 404
    faults(assign(boss, made, ada, bob, ada.id), 400, "userIds[2]")
    assert assign(boss, made).errors == ["userIds: must not be empty"]
    faults(assign(boss, made, ada, " " + ada.id), 400, "userIds[1]")
    faults(assign(boss, made, ada, "x", ada, 7, "x", note="y" * 1001), 400, "userIds[1]", "userIds[2]", "userIds[3]", "userIds[4]", "note")
    assert ada.get(f"{MATERIALS}/assigned/me").data["total"] == 0
    assert one(okul, f"SELECT count(*) FROM outbox WHERE recipient IN ('{ada.email}', '{bob.email}')") == "0"
    assert len(okul.server.mailbox.to(ada.email)) == 1, "the login code"


def test_only_active_users_are_assigned_a_material(okul, boss):
    """Not deactivated users, nor those with a pending deletion; they keep existing assignments. Both states are
    reversible."""
    made, later, ada, bob, eve = make(boss), make(boss), okul.registered(), okul.registered(), okul.registered()
    assert assign(boss, made, bob, eve).status == 200
    assert profile(boss, bob.id, isActive=False).status == 200
    assert eve.post("/api/v1/users/me/account-deletion").status == 201
    for ids in ([bob], [eve], [ada, bob], [ada, eve]):
        for material in (made, later):
            assert assign(boss, material, *ids).status == 404
    assert ada.get(f"{MATERIALS}/assigned/me").data["total"] == 0
    assert [m["id"] for m in boss.get(f"{MATERIALS}/assigned/users/{bob.id}").data["materials"]] == [made["id"]]
    assert profile(boss, bob.id, isActive=True).status == eve.delete("/api/v1/users/me/account-deletion").status == 200
    assert assign(boss, later, ada, bob, eve).data["assigned"] == 3


def test_too_many_ids_are_not_compared(okul, boss):
    """Comparing each pair of 110,000 ids would take minutes, and the watchdog would kill the worker."""
    made, many = make(boss), [f"{n:x}" for n in range(110_000)]
    faults(boss.post(f"{MATERIALS}/{made['id']}/assign", {"userIds": many}), 400, "userIds")
    faults(boss.patch(f"{MATERIALS}/{made['id']}", {"removePdfIds": many}), 400, "removePdfIds")


WORDS = {"tr": ("Merhaba Ada Lovelace,", "size yeni bir eğitim materyali atadı"), "en": ("Hello Ada Lovelace,", "has assigned you new education material"),
         "es": ("Hola, Ada Lovelace:", "le ha asignado un nuevo material educativo"), "de": ("Guten Tag Ada Lovelace,", "hat Ihnen neues Lernmaterial zugewiesen")}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_mail(okul, boss, language):
    ada, hello = okul.registered(), WORDS[language]
    assert ada.patch("/me", {"language": language}).status == 200
    plain = make(boss, title="Ä")
    okul.server.sql("UPDATE material SET title = 'Ä' || char(13, 10) || 'Bcc: eve@example.com' || char(9) || '<b>'"
                    f" WHERE id = '{plain['id']}'")     # requests with such a title are rejected, but old databases may have one
    assert assign(boss, plain, ada, note="İlk satır\n<ikinci> {{title}}").status == 200
    mail = okul.server.mailbox.wait(ada.email, 2)
    assert mail["Subject"].endswith(": Ä  Bcc: eve@example.com <b>") and len(mail["To"].addresses) == 1 and mail["Bcc"] is None
    text = mail.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert text.startswith(hello[0]) and hello[1] in text and "\n\nİlk satır\n<ikinci> {{title}}\n\n" in text
    assert re.search(r"\nhttp://127\.0\.0\.1:\d+\n", text), "where to log in"
    page = mail.get_body(("html",)).get_content()
    assert f'lang="{language}"' in page and "&lt;ikinci&gt;" in page and "&lt;b&gt;" in page and hello[1] in page
    other = make(boss, title="Yalın")
    assert assign(boss, other, ada).status == 200
    text = okul.server.mailbox.wait(ada.email, 3).get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert ": Yalın\n\n" in text and "\n\n\n" not in text and "{" not in text


def test_a_user_without_a_name_is_greeted_by_address(okul, boss):
    new = okul.login()
    assert assign(boss, make(boss), new).status == 200
    assert okul.server.mailbox.wait(new.email, 2).get_body(("plain",)).get_content().startswith(f"Hello {new.email},")


def test_assigning_again_sends_no_mail_and_changes_nothing(okul, boss):
    made, ada, bob = make(boss), okul.registered(), okul.registered()
    assert assign(boss, made, ada, note="one").data["assigned"] == 1
    okul.server.mailbox.wait(ada.email, 2)
    before = ada.get(f"{MATERIALS}/assigned/me").data
    answer = assign(okul.staff("admin"), made, bob, ada, note="two")
    assert answer.data == {"materialId": made["id"], "requested": 2, "assigned": 1, "alreadyAssigned": 1}
    assert ada.get(f"{MATERIALS}/assigned/me").data["materials"] == before["materials"]
    okul.server.mailbox.wait(bob.email, 2)
    assert assign(boss, made, ada, bob).data["assigned"] == 0
    until(lambda: one(okul, f"SELECT count(*) FROM outbox WHERE recipient = '{bob.email}'") == "0", "an empty outbox")
    assert len(okul.server.mailbox.to(ada.email)) == len(okul.server.mailbox.to(bob.email)) == 2


def test_parallel_assignments_send_one_mail_per_user(okul, boss):
    made, people = make(boss), [okul.registered() for _ in range(3)]
    answers = all_at_once(8, lambda n: assign(boss, made, *people[n % 3:], *people[:n % 3]))
    assert {a.status for a in answers} == {200} and sum(a.data["assigned"] for a in answers) == 3
    for person in people:
        okul.server.mailbox.wait(person.email, 2)
    until(lambda: one(okul, f"SELECT count(*) FROM outbox WHERE recipient = '{people[0].email}'") == "0", "an empty outbox")
    assert [len(okul.server.mailbox.to(p.email)) for p in people] == [2, 2, 2]


def test_five_hundred_users_in_one_request(okul, boss):
    """One transaction: all of them are assigned and mailed, or, with one unknown, none."""
    mark = secrets.token_hex(4)
    okul.server.sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO users (id, email, timezone, language,"
                    f" created_at, updated_at) SELECT printf('{mark}%016x', i), 'p' || i || '.{mark}@example.com', 'UTC',"
                    " substr('trenesde', i % 4 * 2 + 1, 2), 1, 1 FROM n")
    ids, made = [f"{mark}{i:016x}" for i in range(1, 501)], make(boss)
    assert assign(boss, made, *ids[:499], NOBODYS).status == 404
    answer = assign(boss, made, *ids, note="x" * 1000)
    assert answer.data == {"materialId": made["id"], "requested": 500, "assigned": 500, "alreadyAssigned": 0}
    # the unsent mails are deleted, to save time
    waiting = okul.server.sql(f"DELETE FROM outbox WHERE recipient LIKE '%.{mark}@example.com' RETURNING recipient, language").splitlines()[1:]
    mailed = {tuple(line.split("\t")) for line in waiting}
    okul.server.mailbox.scan()
    sent = {a: mails for a, mails in okul.server.mailbox.mails.items() if a.endswith(f".{mark}@example.com")}
    mailed |= {(address, mails[0]["Content-Language"]) for address, mails in sent.items()}
    assert mailed == {(f"p{i}.{mark}@example.com", LANGUAGES[i % 4]) for i in range(1, 501)}
    assert {len(mails) for mails in sent.values()} <= {1}, "each mail once"
    assert len(waiting) + len(sent) <= 500 + 16, "a batch may have been in delivery"
    assert assign(boss, made, *ids).data["alreadyAssigned"] == 500
    okul.server.sql(f"DELETE FROM users WHERE email LIKE '%.{mark}@example.com'")
    assert one(okul, f"SELECT count(*) FROM assignment WHERE material = (SELECT pk FROM material WHERE id = '{made['id']}')") == "0"


# ---- the first opening


def opened(boss, person, material):
    shown = boss.get(f"{MATERIALS}/assigned/users/{person.id}").data["materials"]
    return next(m["openedAt"] for m in shown if m["id"] == material["id"])


def own_url(person, material, n=0):
    return bare(person.get(f"{MATERIALS}/{material['id']}").data["pdfs"][n]["url"])


def test_the_time_of_the_first_opening_is_kept(later):
    boss, ada, bob = later.staff("admin"), later.registered(), later.registered()
    made, other = make(boss, "a.pdf", "b.pdf"), make(boss, "c.pdf")
    for material in (made, other):
        assert assign(boss, material, ada, bob).status == 200
    assert later.get(own_url(ada, made)).status == 200, "a browser sends no token"
    first = opened(boss, ada, made)
    time_ = datetime.strptime(first, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc).timestamp()
    assert -1 < later.server.clock.now() - time_ < 30
    assert opened(boss, bob, made) is opened(boss, ada, other) is None, "only this user, and only this material"
    assert ada.get(f"{MATERIALS}/assigned/me").data["materials"][1]["openedAt"] == first
    later.server.clock.advance(60)
    for n in (0, 1):
        assert later.get(own_url(ada, made, n)).status == 200
    assert opened(boss, ada, made) == first
    mine = ada.get(f"{MATERIALS}/assigned/me").data["materials"]
    assert later.get(bare(mine[0]["pdfs"][0]["url"]), token=ada.token).status == 200
    assert opened(boss, ada, other) > first


def test_requests_that_do_not_count_as_opening(okul, boss):
    made, ada = make(boss, "a.pdf"), okul.registered()
    assert assign(boss, made, ada).status == 200
    url = own_url(ada, made)
    plain = bare(boss.get(f"{MATERIALS}/assigned/users/{ada.id}").data["materials"][0]["pdfs"][0]["url"])
    listed = bare(next(m for m in boss.get(MATERIALS).data["items"] if m["id"] == made["id"])["pdfs"][0]["url"])
    key = plain.partition("?")[0]
    for answer, status in ((okul.head(url), 200), (okul.get(plain), 200), (boss.get(plain), 200), (boss.get(key), 200), (okul.get(bare(made["pdfs"][0]["url"])), 200),
                           (okul.get(listed), 200), (boss.get(url), 200), (okul.registered().get(url), 200), (okul.get(key), 401), (ada.get(key), 404),
                           (okul.get(re.sub("signature=....", "signature=0000", url)), 403), (ada.get(f"{MATERIALS}/{made['id']}"), 200)):
        assert answer.status == status, answer
    assert opened(boss, ada, made) is None
    assert okul.get(url, headers={"Range": "bytes=0-9"}).status == 206
    assert opened(boss, ada, made), "a range request counts"


def test_a_signed_url_is_bound_to_its_user(okul, boss):
    made, ada, bob = make(boss, "a.pdf"), okul.registered(), okul.registered()
    assert assign(boss, made, ada, bob).status == 200
    url = own_url(ada, made)
    parts = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
    path = url.partition("?")[0]

    def get(*pairs):
        return okul.get(path + "?" + "&".join(f"{k}={v}" for k, v in pairs)).status
    expires, user, signature = (("expires", parts["expires"]), ("user", parts["user"]), ("signature", parts["signature"]))
    for pairs in ((expires, signature), (expires, ("user", bob.id), signature), (expires, ("user", ""), signature), (user,), (user, expires), (user, signature),
                  (expires, user, user, signature), (expires, user, ("user", bob.id), signature), (("expires", int(parts["expires"]) + 1), user, signature)):
        assert get(*pairs) == 403, pairs
    plain = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(made["pdfs"][0]["url"]).query))
    assert get(("user", ada.id), *plain.items()) == 403, "no user can be added to a URL without one"
    for pairs in ((signature, user, expires), (expires, user, signature), (user, signature, expires)):
        assert get(*pairs) == 403, "only one order of parameters is valid"
    assert get(user, expires, signature) == 200 and opened(boss, bob, made) is None and opened(boss, ada, made)
    assert okul.get(path + "?users=1").status == 400


def test_an_assigned_admin_opens_a_material_as_any_user(okul, boss):
    made, admin = make(boss, "a.pdf"), okul.staff("admin")
    assert assign(boss, made, admin).status == 200
    assert okul.get(own_url(admin, made)).status == 200
    assert opened(boss, admin, made)


def test_an_expired_url(later):
    boss, ada = later.staff("admin"), later.registered()
    made = make(boss, "a.pdf")
    assert assign(boss, made, ada).status == 200
    url = own_url(ada, made)
    later.server.clock.advance(901)
    assert later.get(url).status == 403 and opened(boss, ada, made) is None
    url = own_url(ada, made)
    later.server.clock.advance(890)
    assert later.get(url).status == 200


def test_parallel_openings_are_recorded_once(okul, boss):
    made, ada = make(boss, "a.pdf"), okul.registered()
    assert assign(boss, made, ada).status == 200
    url = own_url(ada, made)
    assert statuses(all_at_once(8, lambda n: okul.get(url))) == [200] * 8
    first = opened(boss, ada, made)
    assert first and okul.get(url).status == 200 and opened(boss, ada, made) == first


def test_files_are_served_while_the_database_is_writer_lock():
    """The opening is not recorded then."""
    server = Server("busy", OKUL_WORKERS="1")
    try:
        okul = Okul(server)
        boss, ada = okul.staff("admin"), okul.registered()
        made = make(boss, "a.pdf")
        assert assign(boss, made, ada).status == 200
        url = own_url(ada, made)
        with writer_lock(server):
            assert okul.get(url, token=ada.token).status == 200
        assert opened(boss, ada, made) is None
        assert okul.get(url).status == 200 and opened(boss, ada, made)
    finally:
        server.stop()


def test_rows_of_a_deleted_user(okul, boss):
    made, ada = make(boss, "a.pdf"), okul.registered()
    assert assign(boss, made, ada).status == 200
    url = own_url(ada, made)
    assert okul.staff("superadmin").delete(f"/users/{ada.id}").status == 200
    assert one(okul, f"SELECT count(*) FROM assignment JOIN material ON material.pk = material WHERE id = '{made['id']}'") == "0"
    assert okul.get(url).status == 200, "a signed URL stays valid for 15 minutes"
    assert boss.get(f"{MATERIALS}/{made['id']}").status == 200
