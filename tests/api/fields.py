"""Every field of every request body, with every kind of value that it must accept or reject. The cases come from the
shapes of the contract (helpers/contract.py): a new shape needs only a row in SENDERS, or a valid request in its
group's file (helpers/groups.py)."""

import functools

import pytest

from helpers import contract
from helpers.client import REGISTRATION
from helpers.examples import GOOD_IMPORT, GOOD_MATERIAL, GOOD_TEST
from helpers.groups import good_requests
from helpers.people import superadmin
from helpers.server import fresh

UNKNOWN = "is not a known field"


class Sender:
    """Sends bodies of a shape to the first route that takes it. base: makes a valid body; new: each valid value needs
    a new user; boss: a superadmin sends it, even if others may; about: makes the resource and returns the id for the
    path (by default the user's); accepted: the status for valid fields, if it is not success; but: fields with
    additional rules, which the group tests."""

    def __init__(self, shape, base, new=False, boss=False, about=None, accepted=None, but=()):
        route = next(r for r in contract.routes if r.json and r.request == shape)
        self.shape, self.method, self.path, self.base, self.new = shape, route.method, route.path, base, new
        self.boss, self.accepted = boss or route.role in ("admin", "superadmin"), accepted or route.status
        self.about, self.but = about, but

    def send(self, okul, person, body):
        token = superadmin(okul).token if self.boss else person.token
        path = self.path.replace("{id}", self.about(okul) if self.about else person.id)
        return okul.request(self.method, path, body, token=token)


@functools.cache
def some_course(okul):
    return superadmin(okul).post("/courses", {"title": "Of the fields", "language": "tr"}).data["id"]


QUESTION = {"fullName": "Ada", "email": "ada@example.com", "message": "When?"}


def asked(okul):
    return okul.post("/contact", QUESTION).data["id"]


@functools.cache
def some_test(okul):
    return superadmin(okul).post("/proficiency-tests", GOOD_TEST).data["id"]


@functools.cache
def free_test(okul):
    """A test with unlimited attempts."""
    return superadmin(okul).post("/proficiency-tests", GOOD_TEST | {"maxAttempts": 0}).data


@functools.cache
def some_material(okul):
    return superadmin(okul).post("/education-materials", GOOD_MATERIAL).data["id"]


SENDERS = [
    Sender("RequestOtpUnifiedDto", lambda: {"email": fresh()}),
    # the fields are accepted, but the code does not exist
    Sender("VerifyOtpUnifiedDto", lambda: {"email": fresh(), "code": "123456"}, accepted=400),
    Sender("RefreshTokenDto", lambda: {"refreshToken": "x" * 43}, accepted=401),
    Sender("CompleteRegistrationDto", lambda: dict(REGISTRATION), new=True),
    # there is a superadmin already
    Sender("SetupDto", lambda: {"email": fresh(), "code": "x", "name": "A", "surname": "B", "privacyPolicyAccepted": True, "termsOfUseAccepted": True},
           accepted=409, boss=True),
    Sender("ImportUsersDto", lambda: {"csv": f"email\n{fresh()}\n"}),
    Sender("UpdateMeProfileDto", lambda: {}),
    Sender("RequestOtpDto", lambda: {"email": fresh()}),
    Sender("VerifyOtpDto", lambda: {"email": fresh(), "code": "1234"}, accepted=400),
    Sender("AdminUpdateUserProfileDto", lambda: {}),
    Sender("AdminUpdateUserEmailDto", lambda: {"email": fresh()}),
    Sender("UpsertSettingDto", lambda: {"key": "of-the-fields", "value": 1}),
    Sender("UpdateUserRoleDto", lambda: {"role": "user"}, new=True),
    Sender("CreateCourseDto", lambda: {"title": "A1", "language": "tr"}),
    Sender("UpdateCourseDto", lambda: {}, about=some_course),
    Sender("CreateContactRequestDto", lambda: dict(QUESTION), but=("website", "stamp")),
    Sender("ReplyContactRequestDto", lambda: {"message": "Now."}, about=asked, but=("message",)),
    Sender("UpdateContactStatusRequestDto", lambda: {"status": "REPLIED"}, about=asked),
    Sender("CreateProficiencyTestDto", lambda: dict(GOOD_TEST)),
    Sender("UpdateProficiencyTestDto", lambda: {}, about=some_test),
    Sender("ImportProficiencyTestDto", lambda: dict(GOOD_IMPORT)),
    Sender("SubmitTestDto", lambda: {"answers": [{"questionId": "0" * 24, "optionId": "0" * 24}]}, boss=True,
           about=lambda okul: free_test(okul)["id"]),
    Sender("CreateEducationMaterialDto", lambda: dict(GOOD_MATERIAL), but=("videos",)),
    Sender("UpdateEducationMaterialDto", lambda: {}, about=some_material, but=("videos",)),
    # the fields are accepted, but the user does not exist
    Sender("AssignEducationMaterialDto", lambda: {"userIds": ["0" * 24]}, about=some_material, accepted=404),
]


def senders_of_groups():
    """Senders from the valid requests (GOOD) in the groups' files."""
    good = good_requests()
    for route in contract.routes:
        own = good.get((route.method, route.path), {})
        if route.json and "body" in own and route.request not in {s.shape for s in SENDERS}:
            yield Sender(
                route.request, lambda own=own: dict(own["body"](None, None)),
                about=own.get("id") and (lambda okul, own=own: own["id"](okul, superadmin(okul))), but=own.get("but", ()))


SENDERS = {sender.shape: sender for sender in (*SENDERS, *senders_of_groups())}
CASES = [(shape, field) for shape in SENDERS for field in contract.shapes[shape]]


@pytest.fixture(scope="module")
def ada(okul):
    return okul.login()


def test_every_request_shape_has_a_sender():
    shapes = {r.request: r for r in contract.routes if r.json}
    assert not shapes.keys() - SENDERS.keys(), [f"{shapes[name]} takes {name}: give it a body in GOOD" for name in shapes.keys() - SENDERS.keys()]
    assert not SENDERS.keys() - shapes.keys()


def names(answer):
    """The fields that the errors are about."""
    return [e.partition(":")[0] for e in answer.errors]


@pytest.mark.parametrize("shape, field", CASES, ids=lambda x: getattr(x, "name", x))
def test_field_rejects(okul, ada, shape, field):
    sender = SENDERS[shape]
    for why, value in contract.bad_values(field):
        answer = sender.send(okul, ada, sender.base() | {field.name: value})
        assert answer.status == 400, f"{why}: {answer}"
        assert len(answer.errors) == 1, f"{why}: {answer}"
        assert answer.errors[0].startswith((f"{field.name}: ", f"{field.name}[")), f"{why}: {answer}"
        assert UNKNOWN not in answer.errors[0], f"{why}: {answer}"


@pytest.mark.parametrize("shape, field", [c for c in CASES if not c[1].optional], ids=lambda x: getattr(x, "name", x))
def test_field_is_required(okul, ada, shape, field):
    sender = SENDERS[shape]
    body = sender.base()
    del body[field.name]
    answer = sender.send(okul, ada, body)
    assert answer.status == 400 and answer.errors == [f"{field.name}: is required"]


@pytest.mark.parametrize("shape, field", [c for c in CASES if list(contract.good_values(c[1])) and c[1].name not in SENDERS[c[0]].but],
                         ids=lambda x: getattr(x, "name", x))
def test_field_accepts_boundary_values(okul, ada, shape, field):
    sender = SENDERS[shape]
    for why, value in contract.good_values(field):
        person = okul.login() if sender.new or field.username else ada
        answer = sender.send(okul, person, sender.base() | {field.name: value})
        assert answer.status == sender.accepted and not any(e.startswith(field.name)
                                                            for e in answer.errors), f"{why}: {answer}"
        if answer.status < 400:
            stored = answer.data.get("user", answer.data)
            expected = value.strip(contract.INVISIBLE) if isinstance(value, str) and field.kind != "json" else value
            expected = expected.upper() if field.letters else expected
            assert stored.get(field.name, expected) == expected, f"{why}: {answer}"


@pytest.mark.parametrize("shape", SENDERS)
def test_an_unknown_field(okul, ada, shape):
    sender = SENDERS[shape]
    for extra in ("extra", "Email", "__proto__", "ünknown", "a" * 200, ""):
        answer = sender.send(okul, ada, sender.base() | {extra: 1})
        assert answer.status == 400 and len(answer.errors) == 1 and UNKNOWN in answer.errors[0], answer
    answer = sender.send(okul, ada, sender.base() | {"extra": None})
    assert answer.status == 400 and answer.errors == [f"extra: {UNKNOWN}"]


@pytest.mark.parametrize("shape", SENDERS)
def test_all_errors_in_the_order_of_the_fields(okul, ada, shape):
    sender, fields = SENDERS[shape], contract.shapes[shape]
    bad = {f.name: next(value for why, value in contract.bad_values(f)) for f in fields}
    answer = sender.send(okul, ada, dict(reversed(bad.items())) | {"extra": 1})
    assert answer.status == 400
    assert [n for n in names(answer) if n != "extra"] == [f.name for f in fields]
    assert names(answer).count("extra") == 1


@pytest.mark.parametrize("shape", [s for s in SENDERS if not all(f.optional for f in contract.shapes[s])])
def test_an_empty_object_lacks_all_required_fields(okul, ada, shape):
    answer = SENDERS[shape].send(okul, ada, {})
    assert answer.status == 400
    assert answer.errors == [f"{f.name}: is required" for f in contract.shapes[shape] if not f.optional]


def test_an_error_in_a_list_names_the_element(okul, ada):
    answer = ada.patch("/me", {"interests": ["x", "", 1, "y" * 51]})
    assert answer.status == 400 and names(answer) == ["interests[1]", "interests[2]", "interests[3]"]


def test_the_sentence_of_the_contract(okul):
    assert okul.post("/auth/otp/request", {"email": "user"}).errors == ["email: must be a valid e-mail address"]


@pytest.mark.parametrize("address",
                         ["a@example.com", "a.b+c@example.com", "o'neil@example.co.uk",
                          "!#$%&'*+-/=?^_`{|}~@example.com", "1@1.example.com",
                                     "x" * 64 + "@example.com",
                                     "x" * 64 + "@" + "y" * 63 + "." + "z" * 63 + "." + "v" * 58 + ".de"])
def test_valid_addresses(okul, address):
    answer = okul.post("/auth/otp/request", {"email": address})
    assert answer.status == 200 and answer.data["email"] == address, len(address)


def test_an_address_of_255_characters(okul):
    answer = okul.post("/auth/otp/request",
                       {"email": "x" * 64 + "@" + "y" * 63 + "." + "z" * 63 + "." + "v" * 59 + ".de"})
    assert answer.status == 400
