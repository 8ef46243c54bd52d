"""Errors, messages and mails in tr, en, es and de. The texts are in lib/shape/sentences.def."""


import pytest

from helpers.client import REGISTRATION
from helpers.contract import LANGUAGES
from helpers.examples import GOOD_MATERIAL, GOOD_TEST
from helpers.people import superadmin
from helpers.placement import first_options
from helpers.sentences import SENTENCES
from helpers.server import fresh

DELETION = "/api/v1/users/me/account-deletion"


# sentence, its argument, the request
ERRORS = [
    ("S_NO_PATH", None, lambda o, a, **l: o.get("/auth/nothing", **l)),
    ("S_NO_METHOD", None, lambda o, a, **l: o.delete("/me", **l)),
    ("S_NO_TOKEN", None, lambda o, a, **l: o.get("/me", **l)),
    ("S_BAD_TOKEN", None, lambda o, a, **l: o.get("/me", token="x", **l)),
    ("S_WRONG_TYPE", "application/json", lambda o, a,
     **l: o.post("/auth/otp/verify", {}, content_type="text/plain", **l)),
    ("S_BAD_JSON", None, lambda o, a, **l: o.request("POST", "/auth/otp/verify", body=b"{", **l)),
    ("S_BAD_OBJECT", None, lambda o, a, **l: o.request("POST", "/auth/otp/verify", body=b"[]", **l)),
    ("S_PRECONDITION_FAILED", None, lambda o, a, **l: a.patch("/me", {"bio": "x"}, headers={"If-Match": '"0"'}, **l)),
    ("S_EMPTY_CHANGE", None, lambda o, a, **l: a.patch("/me", {}, **l)),
    ("S_WRONG_CODE", None, lambda o, a, **l: o.verify(fresh(), "123456", **l)),
    ("S_BAD_REFRESH", None, lambda o, a, **l: o.post("/auth/refresh", {"refreshToken": "x" * 43}, **l)),
    ("S_NOT_FOUND", None, lambda o, a, **l: a.delete("/auth/sessions/" + "0" * 24, **l)),
    ("S_ALREADY_REGISTERED", None, lambda o, a, **l: a.post("/auth/registration/complete", REGISTRATION, **l)),
    ("S_TOO_SOON", None, lambda o, a, **l: o.post("/auth/otp/request", {"email": "hasty@example.com"}, **l)),
    ("S_HELLO", None, lambda o, a, **l: o.get("/", **l)),
    ("S_AUTHENTICATED", None, lambda o, a, **l: a.get("/me/optional", **l)),
    ("S_NOT_AUTHENTICATED", None, lambda o, a, **l: o.get("/me/optional", **l)),
    ("S_CODE_SENT", None, lambda o, a, **l: o.post("/auth/otp/request", {"email": fresh()}, **l)),
    ("S_LOGGED_OUT", None, lambda o, a, **l: o.login().post("/auth/logout", **l)),
    ("S_REGISTERED", None, lambda o, a, **l: o.login().post("/auth/registration/complete", REGISTRATION, **l)),
    ("S_ROLE_TOO_LOW", None, lambda o, a, **l: a.get("/users", **l)),
    ("S_EMAIL_TAKEN", None, lambda o, a, **l: superadmin(o).patch(f"/admin/users/{a.id}/email",
                                                                  {"email": superadmin(o).email}, **l)),
    ("S_NOT_YOURSELF", None, lambda o, a, **l: superadmin(o).delete(f"/users/{superadmin(o).id}", **l)),
    ("S_USER_DELETED", None, lambda o, a, **l: superadmin(o).delete(f"/users/{o.login().id}", **l)),
    ("S_NO_DELETION", None, lambda o, a, **l: a.delete(DELETION, **l)),
    ("S_DELETION_PENDING", None, lambda o, a, **l: asked(o).post(DELETION, **l)),
    ("S_BEING_DELETED", None, lambda o, a, **l: asked(o).get("/me", **l)),
    ("S_SESSION_ENDED", None, lambda o, a, **l: (p := o.login()).delete(f"/auth/sessions/{p.claims()['sid']}", **l)),
    ("S_COURSE_DELETED", None, lambda o, a, **l: superadmin(o).delete("/courses/" + course(o), **l)),
    ("S_MATERIAL_DELETED", None, lambda o, a, **l: (b := superadmin(o)).delete(
        f"/education-materials/{b.post('/education-materials', GOOD_MATERIAL).data['id']}", **l)),
    ("S_RESULT_DELETED", None, lambda o, a, **l: superadmin(o).delete(f"/proficiency-tests/admin/results/{submitted(o)[1]}", **l)),
    ("S_ATTEMPTS_USED", None, lambda o, a, **l: (t := submitted(o))[2].post(f"/proficiency-tests/{t[0]}/start", **l)),
    ("S_ATTEMPT_OVER", None, lambda o, a, **l: (t := submitted(o))[2].patch(f"/proficiency-tests/attempts/{t[1]}", t[3], **l)),
    ("S_NOT_STARTED", None, lambda o, a, **l: (t := submitted(o, durationMinutes=5, maxAttempts=0))[2].post(
        f"/proficiency-tests/{t[0]}/submit", t[3], **l)),
    ("S_LOGGED_OUT_EVERYWHERE", None, lambda o, a, **l: o.login().post("/api/v1/auth/logout", **l)),
]


def asked(okul):
    """A user who has asked for deletion."""
    person = okul.login()
    assert person.post(DELETION).status == 201
    return person


def submitted(okul, **fields):
    """Submits an attempt at a new test; returns the ids of test and result, the user and the answers."""
    test = superadmin(okul).post("/proficiency-tests", GOOD_TEST | fields).data
    who, answers = okul.registered(), first_options(test)
    attempt = who.post(f"/proficiency-tests/{test['id']}/start").data["id"]
    assert who.post(f"/proficiency-tests/{test['id']}/submit", answers).status == 201
    return test["id"], attempt, who, answers


def course(okul):
    return superadmin(okul).post("/courses", {"title": "Of the languages", "language": "de"}).data["id"]


FIELD_ERRORS = [
    ("name", "S_F_TEXT", None, {"name": 1}), ("name", "S_F_NOT_NULL", None, {"name": None}),
    ("name", "S_F_LONG", "100", {"name": "x" * 101}), ("name", "S_F_CONTROL", None, {"name": "a\nb"}),
    ("bio", "S_F_CONTROL_LINES", None, {"bio": "a\x1bb"}),
    ("name", "S_F_EMPTY", None, {"name": " "}), ("phoneNumber", "S_F_SHORT", "4", {"phoneNumber": "123"}),
    ("phoneNumber", "S_F_DIGITS", None, {"phoneNumber": "12a45"}),
    ("gender", "S_F_ONE_OF", "female, male, other", {"gender": "x"}),
    ("birthDate", "S_F_DATE", None, {"birthDate": "x"}), ("birthDate", "S_F_BIRTH", "1900-01-01", {"birthDate": "1899-12-31"}),
    ("interests", "S_F_LIST", None, {"interests": "x"}), ("interests", "S_F_MANY", "20", {"interests": ["x"] * 21}),
    ("username", "S_F_USERNAME", None, {"username": "a b c"}), ("unknown", "S_F_UNKNOWN", None, {"unknown": 1}),
]


@pytest.fixture(scope="module")
def ada(okul):
    okul.post("/auth/otp/request", {"email": "hasty@example.com"})
    return okul.registered()


def message_of(answer):
    return answer.data["message"] if answer.status < 400 else answer.errors[0]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name, argument, ask", ERRORS, ids=[e[0] for e in ERRORS])
def test_sentence(okul, ada, name, argument, ask, language):
    answer = ask(okul, ada, language=language)
    assert message_of(answer) == SENTENCES[name][language].replace("%s", argument or "")
    assert answer.headers["Content-Language"] == language


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("field, name, argument, body", FIELD_ERRORS, ids=[f[1] for f in FIELD_ERRORS])
def test_sentence_of_a_field(okul, ada, field, name, argument, body, language):
    """The name of the field is not translated."""
    answer = ada.patch("/me", body, language=language)
    assert answer.status == 400 and answer.errors == [f"{field}: "
                                                      + SENTENCES[name][language].replace("%s", argument or "")]


def test_the_four_texts_of_a_sentence_differ():
    assert len(SENTENCES) > 60
    for name, texts in SENTENCES.items():
        assert len(set(texts.values())) == 4 or name == "S_OK", name


@pytest.mark.parametrize("header, language", [
    (None, "en"), ("", "en"), ("tr", "tr"), ("TR", "tr"), ("de-AT", "de"), ("de-at,en;q=0.5", "de"), ("es-419", "es"),
    ("tr-TR,tr;q=0.9,en;q=0.8", "tr"),
    ("fr", "en"), ("fr,de;q=0.5", "de"), ("en;q=0.1,tr;q=0.9", "tr"), ("tr;q=0.1, de;q=0.2, es;q=0.3", "es"),
    ("tr ; q=0.5 , de ; q=0.6", "de"),
    ("tr;q=0", "en"), ("tr;q=0,de;q=0.001", "de"), ("*", "en"), ("fr,*;q=0.1", "en"), ("de;q=0.5,*", "en"),
    ("de;q=1.0,en;q=0.999", "de"),
    ("de,tr", "de"), ("english", "en"), ("dexx", "en"), ("x-de", "en"), (";;,,;q=", "en"), ("de;q=abc", None),
    ("," * 3000 + "de", None), ("t" * 3000, "en"),
])
def test_accept_language(okul, header, language):
    answer = okul.get("/me", language=header)
    assert answer.status == 401
    if language:
        assert answer.headers["Content-Language"] == language and answer.errors == [SENTENCES["S_NO_TOKEN"][language]]


def test_sentences_ignore_the_language_of_the_profile(okul):
    ada = okul.login()
    ada.patch("/me", {"language": "tr"})
    assert ada.patch("/me", {}).errors == [SENTENCES["S_EMPTY_CHANGE"]["en"]]


# ---- mails


BODY_WORDS = {"tr": "dakika", "en": "minutes", "es": "minutos", "de": "Minuten"}


def mail_language(mail):
    text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    found = [language for language in LANGUAGES if BODY_WORDS[language] in text and BODY_WORDS[language] in html]
    assert len(found) == 1, f"one language, not {found}: {text}"
    return found[0]


def language_of_mail(okul, address, body=None, header=None):
    before = len(okul.server.mailbox.to(address))
    answer = okul.post("/auth/otp/request", {"email": address} | ({"language": body} if body else {}), language=header)
    assert answer.status == 200
    return mail_language(okul.server.mailbox.wait(address, before + 1))


@pytest.mark.parametrize("language", LANGUAGES)
def test_mail_in_the_language_of_the_body(okul, language):
    assert language_of_mail(okul, fresh(), body=language, header="es" if language != "es" else "tr") == language


@pytest.mark.parametrize("language", LANGUAGES)
def test_mail_in_the_language_of_the_header(okul, language):
    assert language_of_mail(okul, fresh(), header=f"fr, {language}-XX;q=0.8") == language


@pytest.mark.parametrize("header", [None, "", "fr"])
def test_mail_without_a_supported_language_is_english(okul, header):
    assert language_of_mail(okul, fresh(), header=header) == "en"


def test_mail_in_the_language_of_the_profile(later):
    ada = later.login()
    assert ada.patch("/me", {"language": "de"}).status == 200
    for body, header, language in ((None, None, "de"), (None, "", "de"), (None, "fr", "de"), (None, "tr", "tr"),
                                   ("es", "tr", "es")):
        later.server.clock.advance(721)
        assert language_of_mail(later, ada.email, body, header) == language, (body, header)
