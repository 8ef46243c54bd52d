"""All routes, as the programs list them (--routes), and a valid request for each."""

import re
import secrets
import subprocess

from helpers.client import REGISTRATION, form
from helpers.examples import GOOD_IMPORT, GOOD_MATERIAL, GOOD_TEST
from helpers.groups import good_requests
from helpers.people import superadmin
from helpers.placement import first_options
from helpers.samples import png
from helpers.server import BUILD, fresh

HEADING = "program method path role status flags in out title".split()


def listed():
    """The routes of all programs."""
    for program in sorted(BUILD.glob("*.fcgi")):
        lines = subprocess.run([program, "--routes"], capture_output=True, text=True, check=True).stdout.splitlines()
        for line in lines[1:]:
            yield dict(zip(HEADING, line.split("\t")))


LISTED = list(listed())


class Nobody:
    """The caller without a token."""
    token = None


def code_for_new(okul, caller):
    address = fresh()
    return {"email": address, "code": okul.code(address)}


def code_of_four(okul, caller):
    """With OKUL_ENV=development, the response of /api/v1 contains the code."""
    address = fresh()
    return {"email": address, "code": okul.post("/api/v1/auth/send-otp-email", {"email": address}).data["code"]}


def somebody(okul, caller):
    return okul.login().id


def own_session(okul, owner):
    """The session of the owner; of a new user if there is none."""
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
    """Creates a contact request and returns its id."""
    return okul.post("/contact", question(okul, caller)).data["id"]


def an_upload(okul, caller):
    return form(("file", "photo.png", png()))


def own_file(okul, owner):
    """The key of a private file of the owner; of a new user if there is none."""
    owner = okul.registered() if owner is Nobody else owner
    answer = owner.upload(png())
    if answer.status == 201:
        return answer.data["key"]
    # a caller who may not upload has no files
    return okul.registered().upload(png()).data["key"]


def some_test(okul, owner):
    return superadmin(okul).post("/proficiency-tests", GOOD_TEST).data["id"]


def attempts_of(okul):
    """For one server: the last test that taken_test() made for a caller."""
    return vars(okul.server).setdefault("tests_of_rights", {})


def taken_test(okul, owner):
    attempts_of(okul)[owner] = superadmin(okul).post("/proficiency-tests", GOOD_TEST).data
    return attempts_of(okul)[owner]["id"]


def own_attempt(okul, owner):
    """An attempt of the owner; of a superadmin if the owner may not start one."""
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


def last_assigned(okul, owner):
    """Assigns the newest material to a new user and returns the user's id."""
    newest = superadmin(okul).get("/education-materials?limit=1").data["items"][0]["id"]
    person = okul.login().id
    assert superadmin(okul).post(f"/education-materials/{newest}/assign", {"userIds": [person]}).status == 200
    return person


def own_material(okul, owner):
    """The id of a material that is assigned to the owner, if there is an owner."""
    boss, id_ = superadmin(okul), some_material(okul, owner)
    if owner is not Nobody:
        boss.post(f"/education-materials/{id_}/assign", {"userIds": [owner.id]})
    return id_


def no_superadmin(okul, caller):
    okul.server.sql("UPDATE users SET role = 'admin' WHERE role = 'superadmin'")
    superadmin.cache_clear()


def setup_of(okul, caller):
    """The body with which the first superadmin of a school registers."""
    code = okul.server.ctl("user", "setup-code").stdout.strip().partition("code=")[2]
    return {"email": fresh(), "code": code, "name": "Deniz", "surname": "Okul", "privacyPolicyAccepted": True, "termsOfUseAccepted": True}


GOOD = good_requests() | {
    ("POST", "/education-materials"): {"body": lambda okul, caller: GOOD_MATERIAL}, ("GET", "/education-materials"): {},
    ("POST", "/education-materials/{id}/assign"): {"id": some_material, "body": lambda okul, caller: {"userIds": [okul.login().id]}},
    ("DELETE", "/education-materials/{id}/assign/{userId}"): {"id": some_material, "userId": last_assigned},
    ("GET", "/education-materials/assigned/me"): {}, ("GET", "/education-materials/assigned/users/{userId}"): {"userId": somebody},
    ("GET", "/education-materials/{id}"): {"id": own_material, "other user": 404},
    ("PATCH", "/education-materials/{id}"): {"id": some_material, "body": lambda okul, caller: {"level": "A1"}},
    ("DELETE", "/education-materials/{id}"): {"id": some_material}, ("GET", "/education-materials/{id}/assignments"): {"id": some_material},
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
    ("GET", "/auth/setup"): {}, ("POST", "/auth/setup"): {"before": no_superadmin, "body": setup_of},
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
    ("GET", "/settings"): {}, ("GET", "/settings/{key}/history"): {"key": some_setting},
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
    ("GET", "/proficiency-tests/{id}/statistics"): {"id": some_test}, ("GET", "/proficiency-tests/{id}/export"): {"id": some_test},
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
    """The path of a route, filled in with ids of the owner."""
    good = GOOD[route.method, route.path]
    return re.sub(r"{(\w+)}", lambda m: good[m[1]](okul, owner), route.path)
