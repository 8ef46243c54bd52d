"""Group users: the caller's profile."""

import time

import pytest

from helpers import contract
from helpers.examples import PROFILE
from helpers.server import fresh


def name():
    """Returns an unused username."""
    return fresh("u").partition("@")[0].replace("-", "_")


def test_profile(okul):
    ada = okul.login()
    answer = ada.get("/me")
    assert answer.status == 200
    assert list(answer.data) == [f.name for f in contract.shapes["UserProfileDto"]]
    assert answer.data == ada.data["user"]


def test_profile_takes_every_field(okul):
    ada = okul.login()
    before = ada.get("/me").data
    change = PROFILE | {"username": name()}
    assert set(change) == {f.name for f in contract.shapes["UpdateMeProfileDto"]}
    answer = ada.patch("/me", change)
    assert answer.status == 200
    assert answer.data == before | change | {"updatedAt": answer.data["updatedAt"]}
    assert answer.data["updatedAt"] > before["updatedAt"]
    assert ada.get("/me").data == answer.data


@pytest.mark.parametrize("field", sorted(PROFILE))
def test_patch_changes_only_the_given_fields(okul, field):
    ada = okul.login()
    before = ada.get("/me").data
    answer = ada.patch("/me", {field: PROFILE[field]})
    assert answer.status == 200
    assert {k: v for k, v in answer.data.items() if v != before[k] and k != "updatedAt"} == {field: PROFILE[field]}
    assert ada.get("/me").data == answer.data


def test_null_clears_a_field(okul):
    ada = okul.login()
    ada.patch("/me", PROFILE)
    names = [f.name for f in contract.shapes["UpdateMeProfileDto"] if f.nullable]
    answer = ada.patch("/me", dict.fromkeys(names))
    assert answer.status == 200 and [answer.data[n] for n in names] == [None] * len(names)
    assert answer.data["name"] == PROFILE["name"] and answer.data["interests"] == PROFILE["interests"]


def test_empty_patch(okul):
    ada = okul.login()
    before = ada.get("/me").data
    answer = ada.patch("/me", {})
    assert answer.status == 400 and answer.errors == ["Name at least one field to change"]
    assert ada.get("/me").data == before


def test_a_rejected_patch_changes_nothing(okul):
    ada = okul.login()
    before = ada.get("/me").data
    assert ada.patch("/me", {"name": "Eve", "gender": "?"}).status == 400
    assert ada.get("/me").data == before


@pytest.mark.parametrize("field, value", [("email", "eve@example.com"), ("role", "admin"), ("isActive", True),
                                          ("pk", 1), ("id", "0" * 24), ("isRegistrationComplete", True),
                                          ("createdAt", "2020-01-01T00:00:00.000Z")])
def test_fields_that_users_may_not_change(okul, field, value):
    ada = okul.login()
    before = ada.get("/me").data
    answer = ada.patch("/me", {field: value, "name": "Ada"})
    assert answer.status == 400 and answer.errors == [f"{field}: is not a known field"]
    assert ada.get("/me").data == before


def test_profiles_are_separate(okul):
    ada, eve = okul.login(), okul.login()
    ada.patch("/me", {"name": "Ada"})
    assert eve.get("/me").data["name"] is None and eve.get("/me").data["email"] == eve.email


@pytest.mark.parametrize("name", ["Europe/Atlantis", "Europe", "leapseconds", "Europe//Berlin", "/Europe/Berlin",
                                  "../localtime", "localtime", "posix/Europe/Berlin", "right/Europe/Berlin"])
def test_invalid_time_zones(okul, name):
    answer = okul.login().patch("/me", {"timezone": name})
    assert answer.status == 400 and answer.errors == ["timezone: must be a time zone like Europe/Istanbul"]


@pytest.mark.parametrize("photo", ["javascript:alert(1)", "JavaScript:alert(1)", " data:image/svg+xml,<svg onload=alert(1)>", "vbscript:x",
                                   "file:///etc/passwd", "blob:https://x", "http:x", "https://", "x:y/z",
                                   "//evil.example/a.jpg", "/\\evil.example", "\\\\evil.example\\a"])
def test_invalid_photos(okul, photo):
    ada, boss = okul.login(), okul.staff("admin")
    for answer in (ada.patch("/me", {"profilePhoto": photo}), boss.patch(f"/admin/users/{ada.id}/profile", {"profilePhoto": photo})):
        assert answer.status == 400 and answer.errors == ["profilePhoto: must be an http or https URL or a path that starts with /"]
    assert ada.get("/me").data["profilePhoto"] is None


@pytest.mark.parametrize("photo", ["a.jpg", "", "/storage/files/x", "img/a:b.png", "a.png?t=1:2", "HTTPS://example.com/a.jpg", "http://[::1]:8080/a", None])
def test_a_photo_may_be_a_name_a_path_or_a_url(okul, photo):
    assert okul.login().patch("/me", {"profilePhoto": photo}).data["profilePhoto"] == photo


def test_white_space_is_trimmed_at_both_ends_only(okul):
    ada = okul.login()
    data = ada.patch("/me", {"name": " \t\r\n\ufeff Ada  King\u00a0 \u200b\n", "bio": " \u3164 ", "interests": ["  music\u2003"]}).data
    assert data["name"] == "Ada  King"
    assert data["bio"] == "" and data["interests"] == ["music"]
    assert ada.patch("/me", {"surname": "Yıl\u00a0maz\u200d.", "expertise": "❤\ufe0f"}).data["surname"] == "Yıl\u00a0maz\u200d."
    assert ada.get("/me").data["expertise"] == "❤\ufe0f", "the variation selector is kept"
    assert ada.patch("/me", {"name": "\u200b\u3164\ufeff"}).errors == ["name: must not be empty"]


def test_username(later):
    ada, eve = later.login(), later.login()
    first, second = name(), name()
    assert ada.patch("/me", {"username": first}).data["username"] == first
    answer = eve.patch("/me", {"username": first, "bio": "not this either"})
    assert answer.status == 409 and answer.errors == ["This username is taken"]
    assert eve.get("/me").data["username"] is None and eve.get("/me").data["bio"] is None
    answer = ada.patch("/me", {"username": second})
    assert answer.status == 409 and answer.errors == ["A username can be changed once in 30 days"]
    for _ in range(30):
        assert ada.renew().status == 200 and eve.renew().status == 200
        assert ada.patch("/me", {"bio": "x"}).status == 200
        later.server.clock.advance(86400 - 2)
    assert ada.renew().status == 200 and eve.renew().status == 200
    assert ada.patch("/me", {"username": second}).status == 409, "too early"
    later.server.clock.advance(61)
    assert ada.patch("/me", {"username": second}).data["username"] == second
    assert ada.patch("/me", {"username": first}).status == 409, "not again for 30 days"
    assert eve.patch("/me", {"username": first}).status == 200, "the former name is free"


def test_the_same_username_again_is_no_change(okul):
    ada, own = okul.login(), name()
    ada.patch("/me", {"username": own})
    answer = ada.patch("/me", {"username": own, "bio": "new"})
    assert answer.status == 200 and answer.data["bio"] == "new"


def test_optional(okul):
    ada = okul.login()
    answer = ada.get("/me/optional")
    assert answer.status == 200 and list(answer.data) == ["isAuthenticated", "message", "user"]
    assert answer.data["isAuthenticated"] is True and answer.data["user"] == ada.get("/me").data
    gone = okul.login()
    gone.post("/auth/logout")
    for answer in (okul.get("/me/optional"), okul.get("/me/optional", token="x"),
                   okul.get("/me/optional", token=ada.token[:-2]),
                   gone.get("/me/optional"), okul.get("/me/optional", headers={"Authorization": "Basic dTpw"})):
        assert answer.status == 200
        assert answer.data["isAuthenticated"] is False and answer.data["user"] is None
    assert answer.data["message"] != ada.get("/me/optional").data["message"]


@pytest.mark.parametrize("role", ["admin", "superadmin"])
def test_staff_have_profiles_too(okul, role):
    boss = okul.staff(role)
    assert boss.get("/me").data["role"] == role
    assert boss.patch("/me", {"name": "Grace"}).data["name"] == "Grace"


def test_a_date_of_birth_is_not_in_the_future(later):
    clock = later.server.clock
    clock.advance(86400 * 1.5 - clock.now() % 86400)    # noon, far from midnight
    day = lambda days: time.strftime("%Y-%m-%d", time.gmtime(clock.now() + days * 86400))
    ada = later.login()
    assert ada.patch("/me", {"birthDate": day(0)}).data["birthDate"] == day(0)
    for date in (day(1), day(366), "1899-12-31"):
        answer = ada.patch("/me", {"birthDate": date})
        assert answer.status == 400 and answer.errors == ["birthDate: must be between 1900-01-01 and today"]
