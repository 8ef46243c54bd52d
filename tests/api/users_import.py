"""POST /users/import: what `okulctl user import` reads (ctl_people.py), in one request, all or nothing."""

import csv
import io

import pytest

from helpers.parallel import all_at_once
from helpers.people import superadmin
from helpers.sentences import SENTENCES
from helpers.server import fresh

PATH = "/users/import"


@pytest.fixture(scope="module")
def boss(okul):
    return okul.staff("admin")


def table(*rows):
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def found(boss, email):
    return boss.get(f"/users?search={email}").data["items"]


def test_users_are_added(okul, boss):
    ada, can, known = fresh(), fresh(), okul.registered()
    text = table(["E-posta", "Ad", "Soyad", "Doğum tarihi", "Dil"], [ada, "Ada", "Şen", "23.04.1998", "Türkçe"], [can, "Can", "", "", ""],
                 [known.email, "Other", "Name", "", ""])
    would = boss.post(PATH, {"csv": text, "dryRun": True})
    assert would.status == 200 and would.data == {"total": 3, "created": 2, "known": 1, "errors": []}, would
    assert not found(boss, ada)
    assert boss.post(PATH, {"csv": text}).data == would.data
    one, = found(boss, ada)
    assert (one["name"], one["surname"], one["birthDate"], one["language"], one["role"]) == ("Ada", "Şen", "1998-04-23", "tr", "user")
    assert not one["isRegistrationComplete"] and found(boss, known.email)[0]["name"] == known.get("/me").data["name"]
    entry = boss.get(f"/admin/audit?subject={one['id']}").data["items"][-1]
    assert (entry["action"], entry["actorId"]) == ("user.added", boss.id)
    assert boss.post(PATH, {"csv": text}).data == {"total": 3, "created": 0, "known": 3, "errors": []}
    assert okul.login(can).get("/me").status == 200


@pytest.mark.parametrize("language", ["tr", "en", "es", "de"])
def test_one_error_prevents_all(boss, language):
    good, twice = fresh(), fresh()
    text = table(["email", "gender", "birthDate"], [good, "", ""], ["nobody", "", ""], [twice, "", "1.1.98"], [twice, "", ""])
    answer = boss.post(PATH, {"csv": text}, language=language)
    assert answer.status == 400 and not found(boss, good)
    expected = [f"csv[3]: email: {SENTENCES['S_F_EMAIL'][language]}", f"csv[4]: birthDate: {SENTENCES['S_TABLE_YEAR'][language]}",
                f"csv[5]: email: {SENTENCES['S_TABLE_TWICE'][language].replace('%s', '4')}"]
    assert answer.errors == expected
    told = boss.post(PATH, {"csv": text, "dryRun": True}, language=language).data
    assert [f"csv[{error['row']}]: {error['message']}" for error in told["errors"]] == expected and told["created"] == 1


@pytest.mark.parametrize("text, told", [
    ("\n", "S_TABLE_EMPTY"), ("name\nAda\n", "S_TABLE_NO_EMAIL"), ("email,colour\n", "S_TABLE_NO_COLUMN"), ("email,Email\n", "S_TABLE_COLUMN_TWICE"),
    ("email,\"name\n", "S_TABLE_OPEN"), ("email,birthDate\na@example.com,04/23/1998\n", "S_TABLE_MONTH"),
])
def test_a_table_that_cannot_be_read(boss, text, told):
    sentence = SENTENCES[told]["en"].replace('\\"', '"').split("%s")
    for dry in (True, False):
        answer = boss.post(PATH, {"csv": text, "dryRun": dry})
        assert answer.status == 400 and len(answer.errors) == 1, answer
        assert answer.errors[0].startswith("csv") and all(part in answer.errors[0] for part in sentence)


def test_an_error_of_cells_has_both_numbers(boss):
    answer = boss.post(PATH, {"csv": "email,name\na@example.com,b,c\n"}, language="de")
    assert answer.errors == ["csv[2]: die Zahlen der Zellen und der Spalten sind verschieden: 3, 2"]


def test_only_a_superadmin_adds_admins(okul, boss):
    text = table(["email", "role"], [fresh(), "admin"])
    answer = boss.post(PATH, {"csv": text})
    assert answer.status == 400 and answer.errors == [f"csv[2]: {SENTENCES['S_TABLE_STAFF']['en']}"]
    assert superadmin(okul).post(PATH, {"csv": text}).data["created"] == 1


def test_the_number_of_rows_has_a_limit(boss):
    mark = fresh().partition("@")[0]
    rows = [[f"{mark}.{n}@example.com"] for n in range(1001)]
    answer = boss.post(PATH, {"csv": table(["email"], *rows)})
    assert answer.status == 400 and answer.errors == [f"csv: {SENTENCES['S_TABLE_ROWS']['en'].replace('%s', '1000')}"]
    assert boss.post(PATH, {"csv": table(["email"], *rows[:1000])}).data["created"] == 1000


def test_the_same_table_twice_at_once(boss):
    text = table(["email"], *[[fresh()] for _ in range(50)])
    answers = all_at_once(4, lambda n: boss.post(PATH, {"csv": text}))
    assert all(answer.status == 200 for answer in answers)
    assert sorted(answer.data["created"] for answer in answers) == [0, 0, 0, 50]


def test_an_exported_list_is_taken(okul, boss):
    exported = boss.get("/users?format=csv").body.decode()
    answer = superadmin(okul).post(PATH, {"csv": exported, "dryRun": True})
    assert answer.status == 400 and "1000" in answer.errors[0] or answer.data["created"] == 0 and not answer.data["errors"]
