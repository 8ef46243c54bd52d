"""The first superadmin of a school, by the code of the operator."""

import re

import pytest

from helpers.client import Okul
from helpers.parallel import all_at_once
from helpers.routes import setup_of
from helpers.sentences import SENTENCES
from helpers.server import Server


@pytest.fixture
def school():
    server = Server("setup", OKUL_WORKERS="4", OKUL_LIMITS="on")
    yield Okul(server)
    server.stop()


def superadmins(okul):
    return okul.server.sql("SELECT count(*) AS n FROM users WHERE role = 'superadmin'").split()[1]


def test_the_first_superadmin(school):
    assert school.get("/auth/setup").data == {"isNeeded": True}
    body = setup_of(school, None)
    assert re.fullmatch(r"([2-9A-HJKMNP-Z]{4}-){3}[2-9A-HJKMNP-Z]{4}", body["code"])
    assert body["code"] not in school.server.sql("SELECT * FROM users"), "the code is in no table"
    typed = body | {"code": body["code"].replace("-", " ").lower(), "language": "de"}
    answer = school.post("/auth/setup", typed)
    assert answer.status == 201 and answer.data["isNewUser"] and answer.data["isRegistrationComplete"], answer
    user = answer.data["user"]
    assert (user["role"], user["name"], user["surname"], user["language"], user["email"]) == ("superadmin", "Deniz", "Okul", "de", body["email"])
    token = answer.data["accessToken"]
    assert school.request("GET", "/admin/dashboard/stats", token=token).status == 200
    entry = school.request("GET", f"/admin/audit?subject={user['id']}", token=token).data["items"][-1]
    assert (entry["action"], entry["after"], entry["actorId"]) == ("user.added", "superadmin", None)
    assert school.get("/auth/setup").data == {"isNeeded": False}
    again = school.post("/auth/setup", body | {"email": "second@example.com"}, language="tr")
    assert again.status == 409 and again.errors == [SENTENCES["S_SET_UP"]["tr"]] and superadmins(school) == "1"
    told = school.server.ctl("user", "setup-code", check=False)
    assert told.returncode == 1 and "there is a superadmin already" in told.stderr


def test_wrong_codes(school):
    body = setup_of(school, None)
    for code in ("AAAA-BBBB-CCCC-DDDD", "x", body["code"][:-1], body["code"] + "2"):
        answer = school.post("/auth/setup", body | {"code": code})
        assert answer.status == 400 and answer.errors == [SENTENCES["S_WRONG_CODE"]["en"]], code
    assert school.post("/auth/setup", body | {"termsOfUseAccepted": False}).status == 400
    for _ in range(6):
        assert school.post("/auth/setup", body | {"code": "wrong"}).status == 400
    answer = school.post("/auth/setup", body)
    assert answer.status == 429 and int(answer.headers["Retry-After"]) > 3000 and superadmins(school) == "0"
    school.server.clock.advance(3601)
    assert school.post("/auth/setup", body).status == 201


def test_of_twenty_at_once_one_becomes_superadmin(school):
    body = setup_of(school, None)
    answers = all_at_once(20, lambda n: school.post("/auth/setup", body | {"email": f"first{n}@example.com"}))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 19 and superadmins(school) == "1"


def test_the_address_of_a_user_is_taken(school):
    body = setup_of(school, None)
    ada = school.registered(body["email"])
    assert school.post("/auth/setup", body).status == 409 and ada.get("/me").data["role"] == "user" and superadmins(school) == "0"
