"""Group courses: the public list, drafts, changes by admins, duplicates, exact counts."""

import itertools
import random
import re
import secrets
import time
from urllib.parse import urlencode

import pytest

from helpers import contract
from helpers.client import Okul, ids, rows
from helpers.fold import fold
from helpers.parallel import all_at_once
from helpers.server import SLOW, Server

NOBODYS = "0" * 24
MINIMAL = {"title": "Türkçe A1", "language": "tr"}
FULL = {
    "title": "Deutsch für Anfänger", "description": "Zeile 1\n\n  Zeile \"2\"\t'<>&\\ \u2028 😀", "language": "de", "level": "B2",
    "price": 1999.99, "currency": "EUR", "durationWeeks": 12, "imageUrl": "https://example.com/a.jpg?x=1#y", "order": 7,
    "isPublished": False,
}
NULLABLE = ["level", "durationWeeks", "imageUrl"]


@pytest.fixture(scope="module")
def school():
    """A server that only this file uses, so that the tests know all its courses."""
    server = Server("courses", OKUL_WORKERS="4")
    yield Okul(server)
    server.stop()


@pytest.fixture(scope="module")
def head(school):
    return school.staff("admin")


def made(boss, **fields):
    answer = boss.post("/courses", MINIMAL | fields)
    assert answer.status == 201, answer
    return answer.data


def shown(client, id_):
    answer = client.get(f"/courses/{id_}")
    assert answer.status == 200, answer
    return answer.data


def listed(client, **query):
    answer = client.get("/courses" + ("?" + urlencode(query) if query else ""))
    assert answer.status == 200, answer
    return answer.data


def tallies(okul):
    return {name: int(n) for name, n in rows(okul, "SELECT name, n FROM tally WHERE name LIKE 'course%'")}


# ---- one course


def test_defaults(okul, boss):
    answer = boss.post("/courses", MINIMAL)
    assert answer.status == 201 and list(answer.data) == [f.name for f in contract.shapes["CourseResponseDto"]]
    times = {"createdAt": answer.data["createdAt"], "updatedAt": answer.data["createdAt"]}
    assert answer.data == MINIMAL | times | {
        "id": answer.data["id"], "description": "", "level": None, "price": 0, "currency": "TRY", "durationWeeks": None,
        "imageUrl": None, "order": 0, "isPublished": True}
    assert re.fullmatch(contract.ID, answer.data["id"])
    assert shown(okul, answer.data["id"]) == answer.data == listed(okul)["items"][0]


def test_every_field_is_returned(boss):
    course = made(boss, **FULL)
    assert {k: course[k] for k in FULL} == FULL
    assert set(FULL) == {f.name for f in contract.shapes["CreateCourseDto"]}
    assert shown(boss, course["id"]) == course == listed(boss)["items"][0]


@pytest.mark.parametrize("price", ["0", "0.1", "0.3", "1999.99", "1e9", "1000000000", "999999999.99", "0.30000000000000004", "1e-7",
                                   "33.333333333333336", "123456789.12345679", "5e-324", "2.50", "-0"])
def test_a_price_is_returned_as_it_was_sent(okul, boss, price):
    def course(method, path, title):
        body = f'{{"title": "{title}", "language": "en", "price": {price}}}'.encode()
        answer = boss.request(method, path, body=body)
        assert answer.status in (200, 201), answer
        return answer
    answer = course("POST", "/courses", "Priced")
    again = course("PATCH", f"/courses/{answer.data['id']}", "Priced again")
    for seen in (answer.data, again.data, shown(okul, answer.data["id"]), listed(okul)["items"][0]):
        assert seen["price"] == float(price), seen
    text = re.search(rb'"price":([^,]+),', again.body)[1].decode()
    assert len(text) <= max(len(price), 10), "no additional digits"


@pytest.mark.parametrize("price", ["-0.01", "-1", "1000000000.01", "1e10", "1e400", "-1e400"])
def test_invalid_prices(boss, price):
    answer = boss.request("POST", "/courses", body=f'{{"title": "x", "language": "en", "price": {price}}}'.encode())
    assert answer.status == 400 and len(answer.errors) == 1, answer


def test_currency_is_three_letters_in_upper_case(boss):
    assert made(boss, currency=" eUr ")["currency"] == "EUR"
    answer = boss.post("/courses", MINIMAL | {"currency": "€12"})
    assert answer.status == 400 and answer.errors == ["currency: must hold the letters A to Z only"]
    answer = boss.post("/courses", MINIMAL | {"currency": "EURO"})
    assert answer.errors == ["currency: must have exactly 3 characters"]


def test_white_space_inside_a_description_is_kept(boss):
    course = made(boss, description=" \n a  b\n\n\tc\u00a0 \n")
    assert course["description"] == "a  b\n\n\tc"
    assert made(boss, description="😀" * 20000)["description"] == "😀" * 20000
    assert boss.post("/courses", MINIMAL | {"description": "x" * 20001}).status == 400


@pytest.mark.parametrize("method, path", [("GET", "/courses/{id}"), ("PATCH", "/courses/{id}"), ("DELETE", "/courses/{id}"),
                                          ("POST", "/courses/{id}/duplicate")])
def test_an_unknown_course(boss, method, path):
    body = {"title": "x"} if method == "PATCH" else None
    assert boss.request(method, path.replace("{id}", NOBODYS), body).status == 404
    for id_ in ("1", "0" * 23, "0" * 25, "g" * 24):
        answer = boss.request(method, path.replace("{id}", id_), body)
        assert answer.status == 400 and answer.errors == ["id: must be 24 hexadecimal digits"], f"{id_}: {answer}"


# ---- changes


@pytest.mark.parametrize("field", FULL)
def test_patch_changes_only_the_given_fields(boss, field):
    before = made(boss, price=0.1, level="A1", durationWeeks=3, imageUrl="/a.png", order=1, description="d")
    answer = boss.patch(f"/courses/{before['id']}", {field: FULL[field]})
    assert answer.status == 200 and answer.data == before | {field: FULL[field], "updatedAt": answer.data["updatedAt"]}
    assert answer.data["updatedAt"] >= before["updatedAt"]
    assert shown(boss, before["id"]) == answer.data


def test_patch_takes_every_field_at_once(boss):
    before = made(boss)
    answer = boss.patch(f"/courses/{before['id']}", FULL)
    assert answer.data == before | FULL | {"updatedAt": answer.data["updatedAt"]} == shown(boss, before["id"])


def test_null_clears_nullable_fields(boss):
    before = made(boss, **FULL)
    for name in NULLABLE:
        assert boss.patch(f"/courses/{before['id']}", {name: None}).data[name] is None
    after = shown(boss, before["id"])
    assert after == before | dict.fromkeys(NULLABLE) | {"updatedAt": after["updatedAt"]}
    assert set(NULLABLE) == {f.name for f in contract.shapes["UpdateCourseDto"] if f.nullable}
    for name in set(FULL) - set(NULLABLE):
        answer = boss.patch(f"/courses/{before['id']}", {name: None})
        assert answer.status == 400 and answer.errors == [f"{name}: must not be null"]
    assert shown(boss, before["id"]) == after


def test_invalid_patches(boss):
    before = made(boss)
    answer = boss.patch(f"/courses/{before['id']}", {})
    assert answer.status == 400 and answer.errors == ["Name at least one field to change"]
    for field, value in (("id", NOBODYS), ("createdAt", before["createdAt"]), ("folded", "x"), ("position", 1)):
        answer = boss.patch(f"/courses/{before['id']}", {"title": "x", field: value})
        assert answer.status == 400 and answer.errors == [f"{field}: is not a known field"]
    assert shown(boss, before["id"]) == before


def test_delete(okul, boss):
    course = made(boss, title="Goner")
    answer = boss.delete(f"/courses/{course['id']}")
    assert answer.status == 200 and answer.data == {"message": "The course has been deleted", "id": course["id"]}
    assert boss.get(f"/courses/{course['id']}").status == boss.delete(f"/courses/{course['id']}").status == 404
    assert course["id"] not in ids(listed(boss, limit=100))
    audited = rows(okul, f"SELECT actor_email, action, subject FROM audit WHERE subject_id = '{course['id']}'")
    assert audited == [[boss.email, "course.deleted", "Goner"]]


# ---- drafts


def test_only_admins_see_a_draft(okul, boss):
    word = "draft" + secrets.token_hex(4)
    course = made(boss, title=word, isPublished=False)
    path, ada = f"/courses/{course['id']}", okul.registered()
    for stranger in (okul, ada):
        assert stranger.get(path).status == 404
        assert listed(stranger, search=word)["pagination"]["total"] == 0
        assert course["id"] not in ids(listed(stranger))
    assert okul.get(path, token="x").status == 404, "an invalid token is ignored"
    admin = okul.staff("admin")
    for staff in (boss, admin):
        assert shown(staff, course["id"]) == course == listed(staff)["items"][0]
        assert ids(listed(staff, search=word)) == [course["id"]]
    assert boss.patch(path, {"isPublished": True}).status == 200
    assert ids(listed(ada, search=word)) == ids(listed(okul, search=word)) == [course["id"]] and okul.get(path).status == 200
    assert boss.patch(path, {"isPublished": False}).status == 200
    assert okul.get(path).status == 404 and listed(okul, search=word)["items"] == []
    okul.server.ctl("user", "role", admin.email, "user")
    assert admin.get(path).status == 404, "the role is that of the moment"


# ---- the list


@pytest.mark.parametrize("query", [f"{n}={v}" for n, values in {
    "page": ["0", "-1", "1000001", "x", "", "1.5"], "limit": ["0", "101", "x", ""], "language": ["", "fr", "TR", "tr,en"],
    "level": ["", "a1", "A3", "null"], "sort": ["", "id", "name", "--price", "price,title", "createdat", "position"],
    "search": ["x" * 101, "%C3%BC" * 101, "%ff"],
    "page=1&page": ["1"], "language=tr&language": ["en"], "search=&search": ["x"], "sort=price&sort": ["price"],
    "isPublished": ["true"], "format": ["csv"], "title": ["x"], "order": ["1"],
}.items() for v in values], ids=lambda q: q[:30])
def test_invalid_query_parameters(okul, query):
    answer = okul.get("/courses?" + query)
    assert answer.status == 400 and len(answer.errors) == 1, answer
    assert answer.errors[0].startswith(re.search(r"([^&]+)=[^=]*$", query)[1] + ": "), answer


@pytest.mark.parametrize("path", ["/courses/" + NOBODYS + "?page=1", "/courses/" + NOBODYS + "?x"])
def test_one_course_takes_no_parameters(okul, path):
    assert okul.get(path).status == 400


TITLES = """Şarkılarla Türkçe / sarkilarla turkce / ISPARTA / ısparta / İspanyolca / Çince / cince / Öykü / oyku / Straße / STRASSE /
Grammatik / grammatık / ΜΑΘΗΜΑ / Русский / 日本語 / 😀 Spaß / 50% _off_ / d"Arc / back\\slash / AND OR NOT / naïve Café /
A1 / A1 / A1 / A2 / Zzz / Ünlü / Ağaç""".replace("\n", " ").split(" / ")


@pytest.fixture(scope="module")
def shelf(school, head):
    """Creates courses with many equal titles, prices and orders, every third a draft, and returns them as listed."""
    chance = random.Random(7)
    for i, title in enumerate(TITLES):
        answer = head.post("/courses", {
            "title": title, "language": chance.choice(contract.LANGUAGES), "price": chance.choice([0, 0.1, 99.5, 1999.99]),
            "level": chance.choice([None, "A1", "C2"]), "order": chance.choice([0, 0, 1, 5]), "isPublished": i % 3 != 1,
            "description": chance.choice(["", "Küçük gruplar", "kleine GRUPPEN\nfür alle", "yoğun çalışma"])})
        assert answer.status == 201, answer
    assert len(TITLES) == listed(head)["pagination"]["total"]
    return listed(head, limit=100)["items"]


KEYS = {"createdAt": lambda c: c["id"], "title": lambda c: (fold(c["title"]), c["id"]), "price": lambda c: (c["price"], c["id"]),
        "order": lambda c: (c["order"], c["id"])}
SORTS = [sign + key for key in KEYS for sign in ("", "-")]


def expected(shelf, admin, sort=None, search="", language=None, level=None):
    """The expected list, from an independent model."""
    key, words = KEYS[(sort or "-createdAt").lstrip("-")], fold(search).split()
    found = [c for c in shelf if (admin or c["isPublished"]) and (not language or c["language"] == language)
             and (not level or c["level"] == level)
             and all(word in fold(c["title"]) + " " + fold(c["description"]) for word in words)]
    return sorted(found, key=key, reverse=(sort or "-").startswith("-"))


def check_list(client, shelf, admin, **query):
    wanted, data = expected(shelf, admin, **query), listed(client, limit=100, **query)
    assert data["items"] == wanted, query
    assert data["pagination"] == {"page": 1, "limit": 100, "total": len(wanted), "totalPages": 1 if wanted else 0}
    return wanted


@pytest.mark.parametrize("admin", [False, True], ids=["public", "admin"])
@pytest.mark.parametrize("sort", [None, *SORTS])
def test_sort_and_filter(school, head, shelf, sort, admin):
    """Every order with every filter, for admins, who see drafts, and for the public."""
    found = 0
    for search, language, level in itertools.product(["", "gruppen", "a", "cince"], [None, "tr", "de"], [None, "A1", "B1"]):
        query = {k: v for k, v in (("sort", sort), ("search", search), ("language", language), ("level", level)) if v}
        found += len(check_list(head if admin else school, shelf, admin, **query))
    assert found > 50


@pytest.mark.parametrize("search", [s.strip() for s in """
ISPARTA / ısparta / isparta / İSPARTA / spart / I / ı / strasse / straße / STRAẞE / SS / öykü / OYKU / ÇİNCE / cınce / agac / AĞAÇ /
grammatik / türkçe şarkı / sarki turkce / kucuk / KÜÇÜK gruplar / für alle gruppen / fur grup / yogun / çalışma A1 /
μαθημα / РУССКИЙ / 日本 / 語 / 😀 / spass / 50% / % / _ / _off_ / d"Arc / " / ' / \\ / k\\sl / and or not / * / naive cafe /
zzz a1 / xyzzy / a1 xyzzy / title: / NULL / ; --
""".replace("\n", " ").split(" / ")] + ["\u0301", "x" * 100, "ğ" * 100, " a1\t A1  a1 "])
def test_search(school, head, shelf, search):
    """Parts of words, which must all be in title or description; case and accents are ignored, also of Turkish and
    German letters."""
    check_list(school, shelf, False, search=search)
    check_list(head, shelf, True, search=search)


def test_the_model_finds_what_the_searches_are_meant_to(shelf):
    """Otherwise test_search would pass with a model that finds nothing."""
    def titles(search):
        return {c["title"] for c in expected(shelf, True, search=search)}
    assert titles("ISPARTA") == titles("ısparta") == titles("isparta") == titles("İSPARTA") == {"ISPARTA", "ısparta"}
    assert titles("strasse") == titles("straße") == titles("STRAẞE") == {"Straße", "STRASSE"}
    assert titles("sarki turkce") == titles("türkçe şarkı") == {"Şarkılarla Türkçe", "sarkilarla turkce"}
    assert titles("ÇİNCE") == titles("cınce") == {"Çince", "cince"} and titles("50%") == {"50% _off_"}
    assert titles("für alle gruppen") and not titles("xyzzy") and not titles("a1 xyzzy")


@pytest.mark.parametrize("query", ["search=", "search=%20", "search=+%09", ""])
def test_an_empty_search_is_ignored(school, shelf, query):
    assert school.get("/courses?limit=100&" + query).data == listed(school, limit=100)


@pytest.mark.parametrize("more", [{}, {"search": "a"}, {"language": "tr"}], ids=str)
@pytest.mark.parametrize("sort", SORTS)
def test_pages_do_not_overlap(school, shelf, sort, more):
    """Most courses share their price and order with others: equal rows keep their order across pages."""
    whole = expected(shelf, False, sort=sort, **more)
    for limit in (1, 4, 20, len(whole)):
        pages = -(-len(whole) // limit)
        seen = []
        for page in range(1, pages + 2):
            data = listed(school, sort=sort, limit=limit, page=page, **more)
            assert data["pagination"] == {"page": page, "limit": limit, "total": len(whole), "totalPages": pages}
            seen += data["items"]
        assert seen == whole


def test_pagination(school, shelf):
    total = sum(c["isPublished"] for c in shelf)
    data = listed(school)
    assert list(data) == ["items", "pagination"] and len(data["items"]) == min(20, total)
    assert data["pagination"] == {"page": 1, "limit": 20, "total": total, "totalPages": -(-total // 20)}
    past = listed(school, page=1000000)
    assert past["items"] == [] and past["pagination"]["total"] == total


def test_the_search_index_follows_changes(boss):
    one, two, three = ("w" + secrets.token_hex(4) for _ in range(3))
    course = made(boss, title="Öğren " + one, description="Ünlü " + two)
    assert ids(listed(boss, search=f"ogren {one} unlu {two}")) == [course["id"]]
    boss.patch(f"/courses/{course['id']}", {"title": "Ş " + three})
    assert not ids(listed(boss, search=one)) and ids(listed(boss, search=f"s {two} {three}")) == [course["id"]]
    boss.patch(f"/courses/{course['id']}", {"description": one})
    assert not ids(listed(boss, search=two)) and ids(listed(boss, search=f"{three} {one}")) == [course["id"]]
    boss.patch(f"/courses/{course['id']}", {"price": 5})
    assert ids(listed(boss, search=one)) == [course["id"]]
    boss.delete(f"/courses/{course['id']}")
    assert not ids(listed(boss, search=one))


# ---- duplicates


def duplicate(boss, course, language="en"):
    answer = boss.post(f"/courses/{course['id']}/duplicate", language=language)
    assert answer.status == 201, answer
    return answer.data


def test_a_duplicate_is_a_draft_with_a_new_title(okul, boss):
    course = made(boss, **FULL | {"isPublished": True, "title": "T" + secrets.token_hex(4), "price": 0.1})
    copy = duplicate(boss, course)
    own = {"id": copy["id"], "createdAt": copy["createdAt"], "updatedAt": copy["createdAt"]}
    assert copy == course | own | {"title": course["title"] + " (copy)", "isPublished": False}
    assert copy["id"] > course["id"] and copy["createdAt"] >= course["createdAt"]
    assert okul.get(f"/courses/{copy['id']}").status == 404, "a draft"
    assert shown(boss, course["id"]) == course, "the original does not change"
    assert shown(boss, copy["id"]) == copy == listed(boss)["items"][0] == listed(boss, search=course["title"])["items"][0]
    boss.patch(f"/courses/{copy['id']}", {"description": "another"})
    assert shown(boss, course["id"]) == course
    boss.delete(f"/courses/{course['id']}")
    assert shown(boss, copy["id"])["description"] == "another"


@pytest.mark.parametrize("language, word", [("tr", "kopya"), ("en", "copy"), ("es", "copia"), ("de", "Kopie"), ("fr", "copy")])
def test_a_duplicates_title_is_in_the_callers_language(boss, language, word):
    course = made(boss, title="T" + secrets.token_hex(4))
    first = duplicate(boss, course, language)
    assert first["title"] == f"{course['title']} ({word})"
    assert duplicate(boss, first, language)["title"] == f"{course['title']} ({word} 2)"


def test_duplicates_are_numbered(boss):
    course = made(boss, title="T" + secrets.token_hex(4))
    one = duplicate(boss, course)
    two = duplicate(boss, one, "tr")
    three = duplicate(boss, two, "de")
    assert [c["title"].removeprefix(course["title"]) for c in (one, two, three)] == [" (copy)", " (kopya 2)", " (Kopie 3)"]
    assert duplicate(boss, course, "es")["title"] == course["title"] + " (copia 4)", "numbers are unique across languages"
    assert duplicate(boss, two)["title"] == course["title"] + " (copy 5)"
    boss.delete(f"/courses/{one['id']}")
    assert duplicate(boss, course)["title"] == course["title"] + " (copy)", "the first free number"


def test_a_long_title_is_cut_before_the_suffix(boss):
    title = secrets.token_hex(4) + "😀" * 192
    course = made(boss, title=title)
    copies = [duplicate(boss, course) for _ in range(11)]
    assert copies[0]["title"] == title[:193] + " (copy)" and copies[10]["title"] == title[:190] + " (copy 11)"
    assert all(len(c["title"]) == 200 for c in copies) and len({c["title"] for c in copies}) == 11
    assert duplicate(boss, copies[10], "de")["title"] == title[:189] + " (Kopie 12)"


def test_parallel_duplicates_have_different_titles(school, head, shelf):
    course = head.post("/courses", MINIMAL | {"title": "Many"}).data
    made_ = all_at_once(12, lambda n: duplicate(head, course, contract.LANGUAGES[n % 4]))
    numbers = sorted(int((re.search(r"\d+", c["title"]) or ["1"])[0]) for c in made_)
    assert numbers == list(range(1, 13))
    for c in [course, *made_]:
        assert head.delete(f"/courses/{c['id']}").status == 200


# ---- exact counts, and the version of the list


def check_tallies(okul):
    [[total, published]] = rows(okul, "SELECT count(*), count(*) FILTER (WHERE is_published) FROM course")
    have = tallies(okul)
    assert (have["course"], have["course:published"]) == (int(total), int(published))
    return have["course:version"]


def test_totals_are_exact_after_parallel_writes(school, head, shelf):
    def act(n):
        chance, own = random.Random(n), []
        for _ in range(12 // SLOW + 1):
            what = chance.choice(["add", "add", "flip", "copy", "delete"])
            if what == "add" or not own:
                own.append(made(head, title=f"Race {n}", isPublished=chance.random() < .5)["id"])
            elif what == "flip":
                head.patch(f"/courses/{chance.choice(own)}", {"isPublished": chance.random() < .5})
            elif what == "copy":
                own.append(head.post(f"/courses/{chance.choice(own)}/duplicate").data["id"])
            else:
                assert head.delete(f"/courses/{own.pop()}").status == 200
        return own
    left = list(itertools.chain(*all_at_once(8, act)))
    check_tallies(school)
    for client, where in ((head, "true"), (school, "is_published")):
        total = int(rows(school, f"SELECT count(*) FROM course WHERE {where}")[0][0])
        assert listed(client)["pagination"]["total"] == total == len(ids(listed(client, limit=100)))
    for id_ in left:
        assert head.delete(f"/courses/{id_}").status == 200
    assert listed(head, limit=100)["items"] == shelf
    check_tallies(school)


def test_every_change_increments_the_version_of_the_list(school, head, shelf):
    seen = [tallies(school)["course:version"]]

    def grown():
        seen.append(check_tallies(school))
        return seen[-1] > seen[-2]
    course = made(head, title="Version")
    assert grown() and seen[-1] >= (time.time() - 60) * 1000, "at least the time, so that a backup does not repeat it"
    for change in ({"title": "x"}, {"price": 1}, {"isPublished": False}, {"order": 3}, {"level": "A1"}, {"level": "A1"}):
        assert head.patch(f"/courses/{course['id']}", change).status == 200
        assert grown(), change
    copy = duplicate(head, course)
    assert grown()
    for id_ in (course["id"], copy["id"]):
        assert head.delete(f"/courses/{id_}").status == 200
        assert grown()
    school.server.sql("UPDATE tally SET n = n + 1000000000 WHERE name = 'course:version'")
    seen.append(tallies(school)["course:version"])
    course = made(head, title="Ahead")
    assert grown(), "also when the counter is ahead of the time"
    head.delete(f"/courses/{course['id']}")
    assert grown()
    for refused in (head.patch(f"/courses/{NOBODYS}", {"title": "x"}), head.delete(f"/courses/{NOBODYS}"), head.post("/courses", {}),
                    head.post(f"/courses/{NOBODYS}/duplicate")):
        assert refused.status in (400, 404) and not grown()


# ---- conditional requests


def conditional_get(client, path="/courses", tag=None):
    answer = client.get(path, headers={"If-None-Match": tag} if tag else None)
    assert answer.headers["ETag"], answer
    return answer.status, answer.headers["ETag"]


@pytest.mark.parametrize("query", ["", "?sort=price&limit=5", "?search=a", "?language=tr&page=2"])
def test_a_changed_list_is_sent_again(school, head, shelf, query):
    path, tags = "/courses" + query, {}
    for client in (school, head):
        tags[client] = [conditional_get(client, path)[1]]
        assert conditional_get(client, path, tags[client][0]) == (304, tags[client][0])
        assert conditional_get(client, path, '"other", W/' + tags[client][0])[0] == 304
    assert tags[school] != tags[head], "the list for admins includes drafts"

    def changed(answer):
        """After a change, the last tag is stale: the list is sent with a new tag, and this one returns 304 again."""
        assert answer.status in (200, 201), answer
        for client, seen in tags.items():
            status, tag = conditional_get(client, path, seen[-1])
            assert status == 200 and tag not in seen
            assert conditional_get(client, path, tag) == (304, tag) and conditional_get(client, path, ", ".join(seen))[0] == 200
            seen.append(tag)
        return answer.data
    course = changed(head.post("/courses", MINIMAL))
    for change in ({"title": "Tagged"}, {"price": 0.1}, {"isPublished": False}, {"isPublished": True}, {"order": 2}):
        changed(head.patch(f"/courses/{course['id']}", change))
    copy = changed(head.post(f"/courses/{course['id']}/duplicate"))
    for id_ in (course["id"], copy["id"]):
        changed(head.delete(f"/courses/{id_}"))
    assert listed(head, limit=100)["items"] == shelf


def test_rejected_changes_keep_the_tag(school, head, shelf):
    tags = [conditional_get(client)[1] for client in (school, head)]
    course = f"/courses/{shelf[0]['id']}"
    for refused in (head.patch(course, {"title": ""}), head.patch(course, {}), head.post("/courses", {}), head.delete("/courses/x"),
                    head.patch(course, {"title": "x"}, headers={"If-Match": '"0"'}), school.post("/courses", MINIMAL)):
        assert refused.status in (400, 401, 412), refused
    assert [conditional_get(client, tag=tag) for client, tag in zip((school, head), tags)] == [(304, tag) for tag in tags]


def test_every_page_and_order_has_its_own_tag(school, shelf):
    queries = ["", "?page=2", "?limit=5", "?sort=title", "?sort=-title", "?search=a", "?search=b", "?language=tr", "?level=A1"]
    tags = [conditional_get(school, "/courses" + query)[1] for query in queries]
    assert len(set(tags)) == len(tags)


def test_patch_and_delete_with_if_match(boss):
    course = made(boss)
    path = f"/courses/{course['id']}"
    first = conditional_get(boss, path)[1]
    assert conditional_get(boss, path, first)[0] == 304
    answer = boss.patch(path, {"price": 1}, headers={"If-Match": first})
    assert answer.status == 200 and answer.headers["ETag"] == conditional_get(boss, path)[1] != first
    for late in (boss.patch(path, {"price": 2}, headers={"If-Match": first}), boss.delete(path, headers={"If-Match": first})):
        assert late.status == 412 and late.data is None
    assert shown(boss, course["id"]) == answer.data
    assert boss.patch(f"/courses/{NOBODYS}", {"price": 2}, headers={"If-Match": first}).status == 404
    again = boss.patch(path, {"price": 2}, headers={"If-Match": answer.headers["ETag"]})
    assert again.status == 200 and boss.delete(path, headers={"If-Match": again.headers["ETag"]}).status == 200


def test_of_concurrent_changes_with_if_match_one_succeeds(boss):
    """One gets 200, and its price is stored; the other gets 412."""
    course = made(boss)
    path = f"/courses/{course['id']}"
    tag = conditional_get(boss, path)[1]
    for n in range(100 // SLOW):
        answers = all_at_once(2, lambda i: boss.patch(path, {"price": 2 * n + i + 1}, headers={"If-Match": tag}))
        assert sorted(a.status for a in answers) == [200, 412], answers
        won = next(i for i, a in enumerate(answers) if a.status == 200)
        assert shown(boss, course["id"])["price"] == 2 * n + won + 1
        tag = answers[won].headers["ETag"]
