"""Ids are case-insensitive everywhere, since some tools write hexadecimal digits in upper case."""

import pytest

from helpers import contract
from helpers.client import form
from helpers.examples import GOOD_MATERIAL, GOOD_TEST
from helpers.placement import first_options
from helpers.samples import pdf


def capitals(id_):
    upper = id_.upper()
    assert upper != id_, "the id has no letters"
    return upper


def with_letters(make):
    """Calls make() until the id has a letter."""
    while True:
        made = make()
        if made["id"].upper() != made["id"]:
            return made


def test_in_the_path(okul, boss):
    made = {
        "/courses": with_letters(lambda: boss.post("/courses", {"title": "x", "language": "tr"}).data),
        "/proficiency-tests": with_letters(lambda: boss.post("/proficiency-tests", GOOD_TEST).data),
        "/education-materials": with_letters(lambda: boss.post("/education-materials", GOOD_MATERIAL).data),
    }
    for path, data in made.items():
        upper = f"{path}/{capitals(data['id'])}"
        assert boss.get(upper).data == boss.get(f"{path}/{data['id']}").data
        assert boss.patch(upper, {"title": "y"}).data["id"] == data["id"]
        assert boss.delete(upper).data["id"] == data["id"]
        assert boss.get(f"{path}/{data['id']}").status == 404
    ada = okul.registered()
    upper = ada.id.upper()
    assert boss.get(f"/users/{upper}").data["id"] == ada.id
    assert boss.patch(f"/admin/users/{upper}/profile", {"name": "Eve"}).data["name"] == "Eve"
    assert boss.get(f"/proficiency-tests/admin/users/{upper}/results").status == 200
    assert boss.get(f"/education-materials/assigned/users/{upper}").data["user"]["id"] == ada.id
    sid = ada.claims()["sid"]
    assert ada.delete(f"/auth/sessions/{sid.upper()}").status == 200 and ada.get("/me").status == 401


@pytest.mark.parametrize("route", [r for r in contract.routes if "{id}" in r.path or "{userId}" in r.path], ids=str)
def test_upper_case_is_valid_in_every_path(boss, route):
    more = {"json_": {}} if route.json else {}
    answer = boss.request(route.method, route.path.replace("{id}", "ABCDEF" * 4).replace("{userId}", "ABCDEF" * 4), **more)
    assert not any(e.startswith(("id: ", "userId: ")) for e in answer.errors), answer


def test_in_a_query(okul, boss):
    test = with_letters(lambda: boss.post("/proficiency-tests", GOOD_TEST).data)
    ada = okul.registered()
    assert ada.post(f"/proficiency-tests/{test['id']}/submit", first_options(test)).status == 201
    for id_ in (test["id"], capitals(test["id"]), f"%20{capitals(test['id'])}%E2%80%8B"):
        assert boss.get(f"/proficiency-tests/admin/results?testId={id_}").data["pagination"]["total"] == 1


def test_in_a_body(okul, boss):
    test = boss.post("/proficiency-tests", GOOD_TEST).data
    own = {"answers": [{name: f"\ufeff{id_.upper()} " for name, id_ in answer.items()} for answer in first_options(test)["answers"]]}
    answer = okul.registered().post(f"/proficiency-tests/{test['id']}/submit", own)
    assert answer.status == 201 and answer.data["totalScore"] == 100
    both = {"answers": own["answers"] + first_options(test)["answers"]}
    assert okul.registered().post(f"/proficiency-tests/{test['id']}/submit", both).status == 400, "the same question twice"


def test_in_lists_of_a_body(okul, boss):
    kind, body = form(*(GOOD_MATERIAL.items()), ("pdfs", "a.pdf", pdf()))
    material = boss.request("POST", "/education-materials", body=body, content_type=kind).data
    ada = with_letters(lambda: okul.registered().get("/me").data)
    path = f"/education-materials/{material['id']}"
    answer = boss.post(path + "/assign", {"userIds": [ada["id"], capitals(ada["id"])]})
    assert answer.status == 400 and answer.errors == ["userIds[1]: may be given only once"]
    assert boss.post(path + "/assign", {"userIds": [capitals(ada["id"])]}).status == 200
    assert boss.get(f"/education-materials/assigned/users/{ada['id']}").data["materials"][0]["id"] == material["id"]
    assert boss.patch(path, {"removePdfIds": [material["pdfs"][0]["id"].upper()]}).data["pdfs"] == []
