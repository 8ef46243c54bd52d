"""Search works the same in every list and for words of any length: each list gets a row with the same text in one of
its fields, and another row, and must find it by the same words."""

import secrets
from urllib.parse import quote

import pytest

from helpers import contract
from helpers.examples import GOOD_TEST
from helpers.groups import good_requests
from helpers.people import profile
from helpers.placement import first_options
from helpers.samples import png

TEXT = "Nguyễn Łódź Əliyev Οδυσσέας ҚАСЫМ Şırnak İSTANBUL Straße O’Neil 50% a_b"
OTHER = "Nothing like that"

# searches that find TEXT ...
FOUND = """
nguyen / NGUYỄN / Nguyễn / guye / uy / ễ / e / E / ng / lodz / Łódź / ŁÓDŹ / ód / ł / əliyev / ƏLİYEV / Əliyev / ə / Ə / lıy / οδυσσεας / ΟΔΥΣΣΕΑΣ /
Οδυσσέας / σ / ς / Σ / έα / қасым / Қасым / ҚАС / ас / sirnak / ŞIRNAK / şırnak / Sırnak / Ş / ş / ır / IR / istanbul / ISTANBUL / ıstanbul / İstanbul /
strasse / STRASSE / straße / STRAẞE / ß / ss / o'neil / O’NEIL / ' / ’n / 50% / % / 0% / a_b / _ / _b /
straße nguyen / nguyen straße / NGUYEN nguyễn Nguyễn nguyen NGUYEN / e e e e e e e e e e e e e e e e e e e e e / n ng ngu nguy nguye nguyen /
lodz ə ҚАСЫМ / o d u s
""".split("/")
# ... and that do not
MISSED = """
nguyenx / xyzzy / 51% / %% / __ / a%b / a_c / "nguyen" / "a / * / nguyen* / ngu%en / ngu_en / nguyen xyzzy / lodz - / istanbul -x / (nguyen) / \\ /
nguyen OR xyzzy / NOT xyzzy / əliyevə
""".split("/")


class SearchedList:
    """A list: its path, a function that adds a row with a text and returns the row's id, and whether it is public or
    has CSV."""

    def __init__(self, path, add, public=False, csv=False):
        self.path, self.add, self.public, self.csv = path, add, public, csv


def add_user(boss, text, mark):
    ada = boss.okul.login()
    assert profile(boss, ada.id, name=text, surname=mark).status == 200
    return ada.id


def add_result(boss, text, mark):
    """With the text in the name of the user."""
    test = boss.post("/proficiency-tests", GOOD_TEST).data
    ada = boss.okul.registered()
    assert profile(boss, ada.id, name=text, surname=mark).status == 200
    return ada.post(f"/proficiency-tests/{test['id']}/submit", first_options(test)).data["id"]


def add_result_by_test(boss, text, mark):
    test = boss.post("/proficiency-tests", GOOD_TEST | {"title": f"{text} {mark}"}).data
    return boss.okul.registered().post(f"/proficiency-tests/{test['id']}/submit", first_options(test)).data["id"]


def add_file(boss, text, mark):
    answer = boss.upload(png(), f"{text} {mark}.png")
    assert answer.status == 201, answer
    return answer.data["id"]


def posted(path, text_field, mark_field, **fields):
    def add(boss, text, mark):
        texts = {text_field: text, mark_field: mark} if mark_field != text_field else {text_field: f"{text} {mark}"}
        answer = boss.post(path, fields | texts)
        assert answer.status == 201, answer
        return answer.data["id"]
    return add


ASK = {"fullName": "Ada", "email": "ada@example.com", "message": "When?"}
LISTS = {
    "users": SearchedList("/users", add_user, csv=True),
    "courses": SearchedList("/courses", posted("/courses", "title", "description", language="tr"), public=True),
    "courses, description": SearchedList("/courses", posted("/courses", "description", "title", language="tr"), public=True),
    "tests": SearchedList("/proficiency-tests", posted("/proficiency-tests", "title", "description", **GOOD_TEST), public=True),
    "tests, description": SearchedList("/proficiency-tests", posted("/proficiency-tests", "description", "title", **GOOD_TEST), public=True),
    "results": SearchedList("/proficiency-tests/admin/results", add_result, csv=True),
    "results, test": SearchedList("/proficiency-tests/admin/results", add_result_by_test, csv=True),
    "materials": SearchedList("/education-materials", posted("/education-materials", "title", "description", locale="en")),
    "materials, description": SearchedList("/education-materials", posted("/education-materials", "description", "title", locale="en")),
    "files": SearchedList("/storage/files", add_file),
    "contact": SearchedList("/contact", posted("/contact", "fullName", "subject", **ASK), csv=True),
    "contact, message": SearchedList("/contact", posted("/contact", "message", "fullName", **ASK), csv=True),
    "contact, subject": SearchedList("/contact", posted("/contact", "subject", "message", **ASK), csv=True),
}


for route in (r for r in contract.routes if r.method == "GET"):
    fields = good_requests().get(("GET", route.path), {}).get("search", ())
    for searched in fields:
        (other,) = [name for name in fields if name != searched][:1] or [searched]
        body = good_requests()["POST", route.path]["body"](None, None)
        LISTS[f"{route.path}, {searched}"] = SearchedList(route.path, posted(route.path, searched, other, **body), public=route.role == "public")


def test_every_list_with_a_search_is_tested():
    searched = {r.path for r in contract.routes if r.method == "GET" and "search" in (r.query or ())}
    tested = {of.path for of in LISTS.values()}
    assert searched == tested, f'add the searched fields to GOOD, {{"search": (FIELD, ...)}}, of GET {" ".join(searched - tested)}'


@pytest.fixture(scope="module", params=LISTS)
def rows(request, boss):
    """A list, the id of a row with TEXT, and a word that only this row and one with OTHER contain."""
    of, mark = LISTS[request.param], "m" + secrets.token_hex(5)
    of.add(boss, OTHER, mark)
    return of, of.add(boss, TEXT, mark), mark


def ids(boss, path, search, **more):
    query = "".join(f"&{name}={value}" for name, value in more.items())
    answer = boss.get(f"{path}?search={quote(search)}&limit=100{query}")
    assert answer.status == 200, answer
    assert answer.data["pagination"]["total"] == len(answer.data["items"])
    return [item["id"] for item in answer.data["items"]]


@pytest.mark.parametrize("words", [words.strip() for words in FOUND])
def test_found(boss, rows, words):
    """Together with the word of the row, before and after it, so that a short and a long word are combined."""
    of, id_, mark = rows
    for search in (f"{mark} {words}", f"{words} {mark}"):
        assert id_ in ids(boss, of.path, search), search
    if max(map(len, words.split())) > 2:
        assert ids(boss, of.path, f"{mark} {words}") == [id_], "the other row is not found"


@pytest.mark.parametrize("words", [words.strip() for words in MISSED])
def test_missed(boss, rows, words):
    of, id_, mark = rows
    assert ids(boss, of.path, f"{mark} {words}") == []


def test_the_word_alone_finds_both_rows(boss, rows):
    of, id_, mark = rows
    for search in (mark, mark.upper(), mark[1:], mark[:4] + "  " + mark[3:], f"\u3000{mark}\u00a0", f"\u200b{mark}\ufeff", f"\t{mark}\n"):
        assert ids(boss, of.path, search)[0] == id_ and len(ids(boss, of.path, search)) == 2, ascii(search)


def test_an_empty_search_is_ignored(boss, rows):
    of, id_, mark = rows
    everything = boss.get(of.path).data
    for search in ("", "%20", "%09%0a", "%E2%80%8B", "%EF%BB%BF", "%CC%81"):
        data = boss.get(f"{of.path}?search={search}").data
        assert data["pagination"] == everything["pagination"]
        assert [item["id"] for item in data["items"]] == [item["id"] for item in everything["items"]]


def test_at_most_100_characters(boss, rows):
    of, id_, mark = rows
    for search, status in (("x" * 100, 200), ("x" * 101, 400), ("😀" * 100, 200), ("😀" * 101, 400), (" " * 10 + "x" * 100, 200),
                           ("a\x1bb", 400), ("a\x7f", 400)):
        answer = boss.get(f"{of.path}?search={quote(search)}")
        assert answer.status == status and (status == 200 or answer.errors[0].startswith("search: ")), ascii(search)


def test_csv_of_a_search(boss, rows):
    of, id_, mark = rows
    if of.csv:
        for search in (f"{mark} nguyen", f"{mark} e uy"):
            lines = boss.get(f"{of.path}?format=csv&search={quote(search)}").body.decode("utf-8-sig").splitlines()
            assert len(lines) == 2 and "Nguyễn" in lines[1]


def test_search_in_public_lists(okul, boss, rows):
    of, id_, mark = rows
    if of.public:
        assert ids(okul, of.path, f"{mark} NGUYEN ə") == [id_]


def test_a_change_is_found_immediately(boss):
    """By the new words and no longer by the old. Words of one letter are searched in another way than longer ones."""
    mark = "m" + secrets.token_hex(5)
    ada = add_user(boss, "Żółć", mark)
    assert profile(boss, ada, name="Þór").status == 200
    for words, found in (("zolc", []), ("thor", [ada]), ("þ", [ada]), ("ż", [])):
        assert ids(boss, "/users", f"{mark} {words}") == found
    course = boss.post("/courses", {"title": f"Żółć {mark}", "language": "tr"}).data["id"]
    assert boss.patch(f"/courses/{course}", {"title": f"Þór {mark}"}).status == 200
    for words, found in (("zolc", []), ("thor", [course]), ("þ", [course]), ("ż", [])):
        assert ids(boss, "/courses", f"{mark} {words}") == found


def test_words_may_be_in_different_fields(boss):
    """For a result in its user and its test, for others in any columns."""
    mark = "m" + secrets.token_hex(5)
    user, test = boss.okul.registered(), boss.post("/proficiency-tests", GOOD_TEST | {"title": f"Żółć {mark}"}).data
    assert profile(boss, user.id, name="Nguyễn", surname="Đặng").status == 200
    result = user.post(f"/proficiency-tests/{test['id']}/submit", first_options(test)).data["id"]
    boss.okul.registered().post(f"/proficiency-tests/{test['id']}/submit", first_options(test))
    path = "/proficiency-tests/admin/results"
    for search in (f"{mark} nguyen", f"nguyen {mark} dang", f"zolc dang {mark}", f"{user.email} {mark}", f"d {mark} z ng", f"dang ż {mark} ł"):
        assert ids(boss, path, search) == ids(boss, path, search, sort="totalScore") == [result], search
        assert len(boss.get(f"{path}?format=csv&search={quote(search)}").body.splitlines()) == 2
    for search in (f"{mark} nguyen xyzzy", f"nguyen {mark} zolcx", f"{mark} q{mark}"):
        assert ids(boss, path, search) == [] and len(boss.get(f"{path}?format=csv&search={quote(search)}").body.splitlines()) == 1
    assert len(ids(boss, path, mark)) == len(ids(boss, path, f"{mark} zolc")) == 2
    ask = posted("/contact", "fullName", "subject", **ASK | {"message": "Wann?"})(boss, "Nguyễn", mark)
    assert ids(boss, "/contact", f"wann {mark} nguyen ada@example") == [ask]
    course = boss.post("/courses", {"title": "Nguyễn", "description": mark, "language": "tr"}).data["id"]
    assert ids(boss, "/courses", f"{mark} nguyen") == [course]


SORTS = {
    "/users": "createdAt email name", "/courses": "createdAt title price order", "/proficiency-tests": "createdAt title",
    "/proficiency-tests/admin/results": "completedAt totalScore", "/contact": "createdAt fullName",
    "/education-materials": "createdAt title", "/storage/files": "createdAt name size",
}


@pytest.mark.parametrize("path", SORTS)
def test_sort_takes_what_the_contract_lists(boss, path):
    """In both directions, and nothing else."""
    good = SORTS[path].split()
    for field in good:
        for sort in (field, "-" + field):
            assert boss.get(f"{path}?sort={sort}").status == 200, sort
    others = {"createdAt", "completedAt", "email", "name", "title", "price", "order", "fullName", "totalScore", "size", "updatedAt"} - set(good)
    for sort in (*others, "", "-", "--" + good[0], good[0].upper(), f"{good[0]},{good[1]}", "%2B" + good[0], "pk", good[0] + "%20desc"):
        answer = boss.get(f"{path}?sort={sort}")
        assert answer.status == 400 and answer.errors[0].startswith("sort: "), sort


@pytest.mark.parametrize("path", SORTS)
def test_the_default_is_newest_first_and_20_per_page(boss, path):
    by = "completedAt" if path.endswith("results") else "createdAt"
    data, explicit = boss.get(path).data, boss.get(f"{path}?page=1&limit=20&sort=-{by}").data
    # signatures of URLs differ between responses
    assert [i["id"] for i in data["items"]] == [i["id"] for i in explicit["items"]] and data["pagination"] == explicit["pagination"]
    assert data["pagination"]["limit"] == 20
    for query in ("page=0", "page=-1", "page=x", "page=1.5", "page=", "limit=0", "limit=101", "limit=1e1", "page=1&page=1", "limit=%31%30x"):
        assert boss.get(f"{path}?{query}").status == 400, query
    beyond = boss.get(f"{path}?page=1000000").data
    assert beyond["items"] == [] and beyond["pagination"]["total"] == data["pagination"]["total"]
