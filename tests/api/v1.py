"""The second surface, /api/v1: 4-digit codes and other field names for the same users, sessions, codes and limits; and
requesting the deletion of an account, which only this surface has."""

import json
import re
import secrets
from datetime import datetime, timezone

import pytest

from helpers import contract
from helpers.client import Okul, REGISTRATION, wrong
from helpers.examples import PROFILE
from helpers.sentences import SENTENCES
from helpers.server import Server, code_in, fresh
from helpers.v1 import DELETION, LOCKED, REFRESH, REVOKE, SEND, VERIFY, code, login, send, verify

WRONG = "The code is wrong or no longer valid; check it or ask for a new one"

# the data of the response in the second example of the contract
SEED = json.loads("""{
  "accessToken": "sample", "refreshToken": "sample", "expiresIn": 3600, "refreshExpiresIn": 2592000,
  "user": {
    "name": "John", "surname": "Doe", "username": "johndoe123", "countryCode": "90", "phoneNumber": "5372505890",
    "signupSource": "instagram_ads", "signupCampaign": "spring_launch_2026", "profilePhoto": "sample.jpg",
    "availabilityStatus": "available", "birthDate": "2026-01-15T10:30:00.000Z", "gender": "male",
    "interests": ["music"], "expertise": "designer", "email": "user@example.com",
    "bio": "Passionate about technology and travel", "instagram": "myinstagram", "x": "mytwitterx",
    "tiktok": "mytiktok", "snapchat": "mysnapchat", "facebook": "myfacebook",
    "privacyPolicyAccepted": true, "privacyPolicyVersion": "1.2.0", "termsOfUseAccepted": true,
    "termsOfUseVersion": "1.1.0", "consentFormAccepted": true, "consentFormVersion": "1.0.0",
    "isRegistrationComplete": false, "roles": ["user"], "followersCount": 128, "followingCount": 256,
    "minutePriceInLiveStream": 1, "creditBalance": 500, "lastLogin": "2026-01-15T10:30:00.000Z",
    "timezone": "Europe/Istanbul", "lastUsernameChangeDate": "2026-01-15T10:30:00.000Z",
    "accountDeletionStatus": "pending", "accountDeletionRequestedAt": "2026-01-15T10:30:00.000Z",
    "accountDeletionScheduledFor": "2026-01-15T10:30:00.000Z", "accountDeletionCancelledAt": "2026-01-15T10:30:00.000Z",
    "accountDeletionFinalizedAt": "2026-01-15T10:30:00.000Z"
  },
  "isRegistrationComplete": true
}""")


@pytest.fixture(scope="module")
def site():
    """A server with OKUL_ENV=production, versions of the legal texts, and a short grace period before deletions."""
    server = Server("site", OKUL_WORKERS="2", OKUL_ENV="production", OKUL_PRIVACY_POLICY_VERSION="2.1.0",
                    OKUL_TERMS_OF_USE_VERSION="3.0", OKUL_CONSENT_FORM_VERSION="2026-01", OKUL_DELETION_GRACE="3")
    yield Okul(server)
    server.stop()


def time_of(text):
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc).timestamp()


def now(okul):
    return time_of(okul.get("/").json["timestamp"])


# ---- codes


@pytest.mark.parametrize("language", contract.LANGUAGES)
def test_a_code_of_four_digits_is_mailed(okul, language):
    address = fresh("Mixed.Case")
    answer = okul.post(SEND, {"email": f" {address} ", "language": language})
    assert answer.status == 201 and list(answer.data) == ["email", "code"] and answer.data["email"] == address.lower()
    mail = okul.server.mailbox.wait(address.lower())
    assert code_in(mail, 4) == answer.data["code"], "with OKUL_ENV=development, the response has the code"
    assert re.match(rf"{code_in(mail, 4)}\b.*okul", mail["Subject"])
    assert f'lang="{language}"' in mail.get_body(("html",)).get_content()
    assert verify(okul, address.upper(), f" {code_in(mail, 4)} ").status == 200


def test_in_production_only_the_mail_has_the_code(site):
    address = fresh()
    answer = send(site, address)
    assert answer.status == 201 and answer.data == {"email": address}
    assert verify(site, address, code_in(site.server.mailbox.wait(address), 4)).status == 200


def test_known_unknown_and_deactivated_addresses_get_the_same_response(site):
    known, gone = login(site), login(site)
    gone.set("is_active = false")
    site.server.clock.advance(61)
    answers = [send(site, address) for address in (known.email, fresh(), gone.email)]
    assert [(a.status, list(a.data)) for a in answers] == [(201, ["email"])] * 3
    assert len({tuple(sorted(k for k, _ in a.headers.items())) for a in answers}) == 1


def test_each_surface_takes_only_codes_of_its_length(okul):
    address = fresh()
    four = code(okul, address)
    for digits in (four + "00", "00" + four):
        assert okul.verify(address, digits).status == 400
        answer = verify(okul, address, digits)
        assert answer.status == 400 and answer.errors == ["code: must have exactly 4 characters"]
    assert okul.verify(address, four).errors == ["code: must have exactly 6 characters"]
    assert verify(okul, address, four).status == 200, "two wrong tries, none of which counted twice"
    assert verify(okul, address, four).errors == [WRONG], "a code works once"


def test_a_new_code_of_one_surface_replaces_that_of_the_other(later):
    address = fresh()
    six = later.code(address)
    later.server.clock.advance(61)
    four = code(later, address)
    answer = later.verify(address, six)
    assert answer.status == 400 and answer.errors == [WRONG]
    later.server.clock.advance(61)
    six = later.code(address)
    answer = verify(later, address, four)
    assert answer.status == 400 and answer.errors == [WRONG]
    assert later.verify(address, six).status == 200


def test_a_minute_between_two_codes_of_either_surface(later):
    address = fresh()
    code(later, address)
    for answer in (send(later, address), later.post("/auth/otp/request", {"email": address})):
        assert answer.status == 429 and 1 <= int(answer.headers["Retry-After"]) <= 60
    later.server.mailbox.wait(address)      # or it might be mistaken for the next one
    later.server.clock.advance(61)
    later.code(address)
    assert send(later, address).status == 429
    for n in range(3):
        later.server.clock.advance(61)
        assert send(later, address).status == 201, f"code {n + 3} of this hour"
    later.server.clock.advance(61)
    for answer in (send(later, address), later.post("/auth/otp/request", {"email": address})):
        assert answer.status == 429 and int(answer.headers["Retry-After"]) > 60, "five per hour for both surfaces together"


def test_thirty_codes_per_hour_and_client_for_both_surfaces_together(guarded):
    client = guarded.at("127.0.0.6")
    for n in range(15):
        assert send(client, fresh()).status == 201
        assert client.post("/auth/otp/request", {"email": fresh()}).status == 200
    for answer in (send(client, fresh()), client.post("/auth/otp/request", {"email": fresh()})):
        assert answer.status == 429 and int(answer.headers["Retry-After"]) > 60
    assert send(guarded.at("127.0.0.7"), fresh()).status == 201


def test_three_wrong_tries_per_day_and_separate_limits_for_each_surface(later):
    address = fresh()
    four = code(later, address)
    for n in range(6):      # six digits are not compared with a four-digit code
        answer = later.verify(address, f"{four}{n:02d}") if n % 2 else verify(later, address, wrong(four))
        assert answer.status == 400 and answer.errors == [WRONG]
    answer = verify(later, address, four)
    assert answer.status == 429 and 86000 < int(answer.headers["Retry-After"]) <= 86400
    assert answer.errors == [LOCKED]
    later.server.clock.advance(61)
    assert verify(later, address, code(later, address)).status == 429, "a new code does not reset the limit"
    later.server.clock.advance(61)
    assert later.verify(address, later.code(address)).status == 200, "six digits have a separate limit"
    later.server.clock.advance(61)
    assert verify(later, address, code(later, address)).status == 200, "the network is known now"


@pytest.mark.parametrize("role", ["admin", "superadmin"])
def test_staff_cannot_log_in_with_four_digits(later, role):
    address = fresh(role)
    later.server.ctl("user", "add", address, "--role", role)
    four = code(later, address)
    answer = verify(later, address, wrong(four))
    assert (answer.status, answer.errors) == (400, [WRONG]), "a wrong code does not reveal the role"
    for language, sentence in (("en", "log in with one of 6 digits"), ("tr", "6 haneli")):
        answer = later.post(VERIFY, {"email": address, "code": four}, language=language)
        assert answer.status == 403 and sentence in answer.errors[0]
        later.server.clock.advance(61)
        four = code(later, address)
    assert later.server.sql(f"SELECT count(*) FROM session JOIN users ON users.pk = session.user_pk WHERE email = '{address}'").split()[-1] == "0"
    later.server.clock.advance(61)
    assert later.verify(address, later.code(address)).status == 200


def test_right_code_of_a_deactivated_user(later):
    ada = login(later)
    later.server.clock.advance(61)
    four = code(later, ada.email)
    ada.set("is_active = false")
    answer = verify(later, ada.email, four)
    assert answer.status == 403 and answer.errors == ["This account has been deactivated; contact the school"]


# ---- the response of the login


def kind(value):
    return float if type(value) is int else type(value)


def compare(ours, seed):
    """Compares names, their order, and JSON types of the values. Returns the names of those that are null."""
    assert list(ours) == list(seed)
    nulls = {name for name in ours if ours[name] is None}
    for name in ours.keys() - nulls:
        assert kind(ours[name]) is kind(seed[name]), f"{name}: {ours[name]!r}"
        if isinstance(seed[name], list):
            assert ours[name] and all(kind(item) is kind(seed[name][0]) for item in ours[name])
        elif isinstance(seed[name], str) and re.fullmatch(contract.TIME, seed[name]):
            assert re.fullmatch(contract.TIME, ours[name]), f"{name}: {ours[name]}"
        elif isinstance(seed[name], dict):
            nulls |= compare(ours[name], seed[name])
    return nulls


def test_the_response_of_the_login_matches_the_example(later):
    ada = login(later, signupSource="instagram_ads", signupCampaign="spring_launch_2026")
    profile = PROFILE | {"username": "u" + secrets.token_hex(6)}
    assert ada.post("/auth/registration/complete", REGISTRATION | {"consentFormAccepted": True}).status == 200
    assert ada.patch("/me", profile).status == 200
    assert ada.post(DELETION).status == 201
    later.server.clock.advance(61)
    pending = login(later, ada.email).data
    assert compare(pending, SEED) == {"accountDeletionCancelledAt", "accountDeletionFinalizedAt"}
    assert ada.delete(DELETION).status == 200
    later.server.clock.advance(61)
    cancelled = login(later, ada.email).data
    assert "accountDeletionCancelledAt" not in compare(cancelled, SEED)
    assert pending["expiresIn"] == 3600 and pending["refreshExpiresIn"] == 2592000
    del profile["language"]     # not on this surface
    profile["birthDate"] += "T00:00:00.000Z"    # dates are midnights on this surface
    assert {name: pending["user"][name] for name in profile} == profile
    assert pending["isRegistrationComplete"] is pending["user"]["isRegistrationComplete"] is True
    assert [data["user"]["accountDeletionStatus"] for data in (pending, cancelled)] == ["pending", "cancelled"]


def test_login_of_a_new_address(okul):
    before = now(okul)
    ada = login(okul)
    assert list(ada.data) == list(SEED) and list(ada.user) == list(SEED["user"])
    assert ada.data["isRegistrationComplete"] is ada.user["isRegistrationComplete"] is False
    assert ada.user["email"] == ada.email and ada.user["roles"] == ["user"] and ada.user["interests"] == []
    assert before - 1 <= time_of(ada.user["lastLogin"]) <= now(okul) + 1 and ada.user["timezone"] == "Europe/Istanbul"
    for name in ("followersCount", "followingCount", "minutePriceInLiveStream", "creditBalance"):
        assert ada.user[name] == 0, "okul has no such feature"
    for text in ("privacyPolicy", "termsOfUse", "consentForm"):
        assert ada.user[text + "Accepted"] is False and ada.user[text + "Version"] is None
    assert ada.user["accountDeletionStatus"] == "none" and ada.user["lastUsernameChangeDate"] is None
    assert ada.get("/me").data["id"] == ada.id


def test_the_signup_source_is_that_of_the_first_login(later):
    ada = login(later, signupSource=" instagram_ads ", signupCampaign="bahar_2026_ğ")
    assert (ada.user["signupSource"], ada.user["signupCampaign"]) == ("instagram_ads", "bahar_2026_ğ")
    later.server.clock.advance(61)
    again = login(later, ada.email, signupSource="tiktok", signupCampaign="x")
    assert (again.user["signupSource"], again.user["signupCampaign"]) == ("instagram_ads", "bahar_2026_ğ")
    without = later.login()
    later.server.clock.advance(61)
    again = login(later, without.email, signupSource="tiktok", signupCampaign="x")
    assert again.id == without.id and again.user["signupSource"] is again.user["signupCampaign"] is None


@pytest.mark.parametrize("roles", [["user"], ["admin", "user"], ["superadmin", "admin", "user"]])
def test_roles_include_lower_ones(okul, roles):
    """Staff cannot log in on this surface, but the export of their data has the same document."""
    assert okul.staff(roles[0]).get("/me/export").data["account"]["roles"] == roles
    assert roles[0] != "user" or login(okul).user["roles"] == roles


def test_a_birth_date_before_1970(later):
    ada = later.login()
    ada.patch("/me", {"birthDate": "1900-01-01"})
    later.server.clock.advance(61)
    assert login(later, ada.email).user["birthDate"] == "1900-01-01T00:00:00.000Z"


def test_the_time_of_the_last_change_of_the_username(later):
    ada = later.login()
    changed = ada.patch("/me", {"username": "u" + secrets.token_hex(6)}).data["updatedAt"]
    later.server.clock.advance(61)
    assert ada.patch("/me", {"bio": "x"}).data["updatedAt"] > changed
    assert login(later, ada.email).user["lastUsernameChangeDate"] == changed


# ---- the same users and sessions


def test_both_surfaces_have_the_same_users(later):
    ada = later.registered()
    later.server.clock.advance(61)
    here = login(later, ada.email)
    assert here.id == ada.id and here.user["name"] == "Ada" and here.data["isRegistrationComplete"] is True
    assert here.get("/me").data == ada.get("/me").data
    sessions = here.get("/api/v1/auth/sessions")
    assert sessions.status == 200 and [s["isCurrent"] for s in sessions.data] == [True, False]
    assert list(sessions.data[0]) == [f.name for f in contract.shapes["SessionResponseDto"]]
    assert {s["id"] for s in sessions.data} == {ada.claims()["sid"], here.claims()["sid"]}
    others = ada.get("/auth/sessions").data
    assert [s | {"isCurrent": 0} for s in others] == [s | {"isCurrent": 0} for s in sessions.data]
    assert [s["isCurrent"] for s in others] == [False, True]
    assert ada.delete(f"/auth/sessions/{here.claims()['sid']}").status == 200
    assert here.get("/api/v1/auth/sessions").status == 401


def test_refresh(okul):
    ada = login(okul)
    answer = okul.post(REFRESH, {"refreshToken": ada.refresh})
    assert answer.status == 200 and list(answer.data) == list(SEED)[:4]
    assert answer.data["expiresIn"] == 3600 and answer.data["refreshExpiresIn"] == 2592000
    assert answer.data["refreshToken"] != ada.refresh and answer.data["accessToken"] != ada.token
    assert okul.get("/me", token=answer.data["accessToken"]).data["id"] == ada.id
    assert okul.post(REFRESH, {"refreshToken": ada.refresh}).data["refreshToken"] == answer.data["refreshToken"]
    for token in ("x" * 43, ada.token[:512]):
        assert okul.post(REFRESH, {"refreshToken": token}).status == 401


def test_a_refresh_token_works_on_both_surfaces(later):
    ada = login(later)
    first = ada.refresh
    assert ada.renew().status == 200, "the first surface's refresh"
    answer = later.post(REFRESH, {"refreshToken": ada.refresh})
    assert answer.status == 200
    later.server.clock.advance(11)
    assert later.post(REFRESH, {"refreshToken": first}).status == 401, "reuse of a token that was replaced long ago"
    assert later.post(REFRESH, {"refreshToken": answer.data["refreshToken"]}).status == ada.get("/me").status == 401


def test_logout_ends_every_session_of_the_caller(later):
    ada, eve = login(later), login(later)
    later.server.clock.advance(61)
    tablet = later.login(ada.email)
    later.server.clock.advance(61)
    phone = login(later, ada.email)
    answer = phone.post("/api/v1/auth/logout")
    assert answer.status == 200 and answer.data == {"message": "All your sessions have been ended"}
    for person in (ada, tablet, phone):
        assert person.get("/me").status == 401
        assert later.post(REFRESH, {"refreshToken": person.refresh}).status == 401 == person.renew().status
    assert phone.post("/api/v1/auth/logout").status == 401
    assert eve.get("/me").status == 200


def revoke(person, token):
    return person.post(REVOKE, {"refreshToken": token})


def test_revoke_token(later):
    ada = login(later)
    later.server.clock.advance(61)
    tablet = later.login(ada.email)
    answer = revoke(ada, tablet.refresh)
    assert answer.status == 200 and list(answer.data) == ["message", "id"]
    assert answer.data["id"] == tablet.claims()["sid"]
    assert tablet.get("/me").status == tablet.renew().status == 401
    assert ada.get("/me").status == 200
    assert revoke(ada, tablet.refresh).status == 404, "a second time"
    assert revoke(ada, ada.refresh).status == 200 and ada.get("/me").status == 401, "the caller's session"


def test_revoke_a_token_that_was_replaced_and_still_works(later):
    """As of a client that lost the response, and of another tab."""
    for renewals, wait in ((1, 3500), (2, 9)):
        ada = login(later)
        first = ada.refresh
        for _ in range(renewals):
            assert ada.renew().status == 200
        later.server.clock.advance(wait)
        assert revoke(ada, first).status == 200 and ada.get("/me").status == 401


def test_revoke_a_token_that_is_not_a_valid_one_of_the_caller(later):
    ada, eve, dead = login(later), login(later), login(later)
    assert dead.post("/auth/logout").status == 200
    first = ada.refresh
    assert ada.renew().status == ada.renew().status == 200
    later.server.clock.advance(11)
    for token in (eve.refresh, dead.refresh, first, "x" * 43, ada.token[:512], ada.refresh[:-1], ada.refresh + "A"):
        assert revoke(ada, token).status == 404
    assert ada.get("/me").status == eve.get("/me").status == 200, "no session is ended"
    assert ada.renew().status == eve.renew().status == 200
    later.server.clock.advance(30 * 86400 + 1)
    again = login(later, ada.email)
    assert revoke(again, ada.refresh).status == 404, "of an expired session"


def test_validate_token(later):
    ada = login(later)
    answer = ada.get("/api/v1/auth/validate-token")
    assert answer.status == 200 and list(answer.data) == ["isValid", "expiresAt"] and answer.data["isValid"] is True
    assert time_of(answer.data["expiresAt"]) == ada.claims()["exp"]
    later.server.clock.advance(3601)
    assert ada.get("/api/v1/auth/validate-token").status == 401
    assert later.get("/api/v1/auth/validate-token", token=ada.token[:-2]).status == 401


# ---- deletion of an account


def check_dates(okul, data, days):
    assert list(data) == ["status", "requestedAt", "scheduledFor", "cancelledAt"]
    assert data["status"] == "pending" and data["cancelledAt"] is None
    assert abs(time_of(data["requestedAt"]) - now(okul)) < 30
    assert time_of(data["scheduledFor"]) - time_of(data["requestedAt"]) == days * 86400


def test_ask_and_cancel(later):
    ada, boss = login(later), later.staff("admin")
    assert ada.delete(DELETION).status == 409, "there is no request to cancel"
    for _ in range(2):
        answer = ada.post(DELETION)
        assert answer.status == 201
        check_dates(later, answer.data, 28)
        asked = answer.data
        later.server.clock.advance(100)
        again = ada.post(DELETION)
        assert again.status == 409 and again.errors == ["The deletion of this account has already been asked for"]
        seen = boss.get(f"/users/{ada.id}").data
        assert seen["accountDeletionStatus"] == "pending" and seen["isActive"] is True
        user = login(later, ada.email).user
        assert [user["accountDeletion" + n] for n in ("RequestedAt", "ScheduledFor", "CancelledAt", "FinalizedAt")] == \
            [asked["requestedAt"], asked["scheduledFor"], None, None], "the second request did not change the dates"
        answer = ada.delete(DELETION)
        assert answer.status == 200 and answer.data["status"] == "cancelled"
        assert answer.data["requestedAt"] == asked["requestedAt"]
        assert abs(time_of(answer.data["cancelledAt"]) - now(later)) < 30
        again = ada.delete(DELETION)
        assert again.status == 409 and again.errors == ["There is no deletion to cancel"]
        assert ada.get("/me").status == 200
        assert boss.get(f"/users/{ada.id}").data["accountDeletionStatus"] == "cancelled"
        later.server.clock.advance(100)


def test_asking_and_cancelling_is_limited(later):
    """Each request adds a row to the audit log, and any user can send it."""
    ada = login(later)
    for _ in range(10):
        assert ada.post(DELETION).status == 201 and ada.delete(DELETION).status == 200
        later.server.clock.advance(60)
    answer = ada.post(DELETION)
    assert answer.status == 429 and 86400 - 660 < int(answer.headers["Retry-After"]) <= 86400 - 600
    counted = f"SELECT count(*) FROM audit WHERE subject_id = '{ada.id}' AND action LIKE 'user.deletion%'"
    assert later.server.sql(counted).split()[-1] == "20"
    later.server.clock.advance(86400 - 600)
    assert login(later, ada.email).post(DELETION).status == 201


def test_requests_from_the_future_do_not_count(wild):
    wild.server.clock.advance(400 * 86400)
    try:
        ada = wild.registered()
        for _ in range(10):
            assert ada.post(DELETION).status == 201 and ada.delete(DELETION).status == 200
        assert ada.post(DELETION).status == 429
    finally:
        wild.server.clock.advance(-400 * 86400)
    assert ada.renew().status == 200 and ada.post(DELETION).status == 201


def test_the_grace_period_is_configurable(site):
    ada = login(site)
    check_dates(site, ada.post(DELETION).data, 3)


def test_what_users_may_do_after_asking_for_deletion(later):
    """Log in, on both surfaces, and cancel, until the grace period ends; nothing else."""
    ada = later.registered()
    assert ada.post(DELETION).status == 201
    for days in (0, 13, 14):
        later.server.clock.advance(days * 86400 + 61)
        for person in (later.login(ada.email), later.server.clock.advance(61) or login(later, ada.email)):
            for language in contract.LANGUAGES:
                answer = person.get("/me", language=language)
                assert answer.status == 403 and answer.errors == [SENTENCES["S_BEING_DELETED"][language]]
            assert person.patch("/me", {"bio": "x"}).status == person.get("/auth/sessions").status == 403
            assert person.post(REVOKE, {"refreshToken": person.refresh}).status == 403
            assert person.renew().status == 200 and later.post(REFRESH, {"refreshToken": person.refresh}).status == 200
            assert person.get("/me/optional").data["isAuthenticated"] is True
            assert person.post("/auth/logout").status == 200 and person.get("/me").status == 401
    later.server.clock.advance(61)
    ada = login(later, ada.email)
    assert ada.delete(DELETION).status == 200 and ada.get("/me").data["name"] == "Ada"


def test_logout_everywhere_after_asking_for_deletion(later):
    ada = login(later)
    assert ada.post(DELETION).status == 201
    later.server.clock.advance(61)
    tablet = login(later, ada.email)
    assert tablet.post("/api/v1/auth/logout").status == 200
    assert ada.delete(DELETION).status == tablet.delete(DELETION).status == 401


def test_staff_who_have_asked_lose_their_rights_until_they_cancel(okul):
    boss, grace, ada = okul.staff("superadmin"), okul.staff("superadmin"), okul.login()
    assert grace.post(DELETION).status == 201
    assert grace.get("/users").status == grace.delete(f"/users/{ada.id}").status == 403
    assert grace.patch(f"/admin/users/{grace.id}/role", {"role": "user"}).status == 403
    assert grace.delete(DELETION).status == 200 and grace.get("/users").status == 200
    assert boss.get(f"/users/{grace.id}").data["accountDeletionStatus"] == "cancelled"


def test_the_last_superadmin_may_not_ask(site):
    grace, admin = site.staff("superadmin"), site.staff("admin")
    answer = grace.post(DELETION)
    assert answer.status == 409 and answer.errors == [SENTENCES["S_LAST_SUPERADMIN"]["en"]]
    assert grace.get("/me").status == 200 and admin.post(DELETION).status == 201
    second = site.staff("superadmin")
    assert grace.post(DELETION).status == 201
    assert second.post(DELETION).status == 409
    assert second.delete(f"/users/{grace.id}").status == 200, "even one who has asked for deletion"


# ---- consents


TEXTS = {"privacyPolicy": "privacy_policy", "termsOfUse": "terms_of_use", "consentForm": "consent_form"}


def consents(user):
    return {text: (user[text + "Accepted"], user[text + "Version"]) for text in TEXTS}


def times(okul, person):
    """The times of consent in milliseconds; NULL for never."""
    columns = ", ".join(column + "_at" for column in TEXTS.values())
    return okul.server.sql(f"SELECT {columns} FROM users WHERE id = '{person.id}'").splitlines()[1].split("\t")


def test_consents_have_the_version_and_the_time_of_acceptance(site):
    ada, eve = login(site), login(site)
    assert set(consents(ada.user).values()) == {(False, None)} and set(times(site, ada)) == {"NULL"}
    site.server.clock.advance(61)
    given = now(site)
    assert ada.post("/auth/registration/complete", REGISTRATION).status == 200
    assert eve.post("/auth/registration/complete", REGISTRATION | {"consentFormAccepted": True}).status == 200
    both = {"privacyPolicy": (True, "2.1.0"), "termsOfUse": (True, "3.0")}
    assert consents(login(site, ada.email).user) == both | {"consentForm": (False, None)}
    site.server.clock.advance(61)
    assert consents(login(site, eve.email).user) == both | {"consentForm": (True, "2026-01")}
    *two, third = times(site, ada)
    assert third == "NULL" and "NULL" not in times(site, eve)
    assert all(abs(int(at) / 1000 - given) < 30 for at in two + times(site, eve))

    site.server.environment |= {"OKUL_PRIVACY_POLICY_VERSION": "4.0", "OKUL_CONSENT_FORM_VERSION": "2027-01"}
    site.server.restart()
    site.server.clock.advance(61)
    assert consents(login(site, eve.email).user) == both | {"consentForm": (True, "2026-01")}, "the accepted version"
    zoe = login(site)
    assert zoe.post("/auth/registration/complete", REGISTRATION | {"consentFormAccepted": True}).status == 200
    site.server.clock.advance(61)
    newer = {"privacyPolicy": (True, "4.0"), "consentForm": (True, "2027-01")}
    assert consents(login(site, zoe.email).user) == both | newer
