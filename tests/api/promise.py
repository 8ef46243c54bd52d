"""The server against the contract's own files (tests/contract): what clients were promised, in the words that they have.

What okul has on top of the contract, and what its prose says beyond its schemas, stands here in lists, each entry of which
must be needed: neither the contract nor the server can change unseen."""

import json
import re

import pytest

from helpers import contract
from helpers.routes import LISTED
from helpers.server import BUILD, ROOT

DOCUMENT = json.loads((BUILD / "share" / "openapi.json").read_text())
SHAPES = DOCUMENT["components"]["schemas"]
PROMISED = contract.promised_schemas["$defs"]
NAMES = (ROOT / "tests" / "contract" / "names.txt").read_text().split()     # those that the seed's own site lists

# Rows of the contract that are not served yet. Whoever brings one takes it away.
WAITING = set()
HERE = [p for p in contract.promises if str(p) not in WAITING]


def test_the_contract_is_read():
    assert len(contract.promises) >= 79 and len({(p.method, p.path) for p in contract.promises}) == len(contract.promises)
    assert len(contract.their_defs) >= 93 and len(PROMISED) >= len(contract.their_defs) + 20


def test_our_shapes_are_read_as_the_contracts_own_are():
    """What is made of dtos.txt, of which ours.txt is a part in all but its place, is what schemas.json says."""
    made = contract.promised(contract.read_shapes(contract.promised_dtos))
    assert made == contract.their_defs
    assert not made.keys() & set(re.findall(r"(?m)^\w+$", contract.OURS))


def test_nobody_waits_for_what_is_there():
    assert WAITING <= {str(p) for p in contract.promises}
    assert not WAITING & {f"{r['method']} {r['path']}" for r in LISTED}


# ---- routes


@pytest.mark.parametrize("row", HERE, ids=str)
def test_the_programs_serve_the_row(row):
    served = [r for r in LISTED if (r["method"], r["path"]) == (row.method, row.path)]
    assert len(served) == 1, "no program has this route"
    role = {"public or signed": "public"}.get(row.role, row.role)
    assert (served[0]["program"], served[0]["role"], served[0]["status"]) == (row.program, role, row.success)
    if row.takes:
        assert served[0]["in"].partition("+")[0] == row.takes
    if row.data and "Dto" in row.response:
        assert served[0]["out"] == row.response.replace(", pagination: PaginationDto}", ", pagination}")


@pytest.mark.parametrize("row", HERE, ids=str)
def test_the_reference_has_the_row(row):
    operation = DOCUMENT["paths"][row.path][row.method.lower()]
    assert operation["tags"] == [row.program]
    assert operation["x-role"] == {"public or signed": "public"}.get(row.role, row.role)
    assert [s for s in operation["responses"] if s < "300"] == [row.success] + ["206"] * row.is_file    # in parts
    if "seed" not in row.title and "ours" not in row.title and "guide" not in row.title:
        assert operation["summary"] == row.title


# query parameters on top of the contract
MORE_QUERY = {
    "GET /users": {"format", "separator"}, "GET /contact": {"format", "separator"},
    "GET /proficiency-tests/admin/results": {"format", "separator"},
    # the contract's page names their fields, the rows forget it
    "GET /proficiency-tests": {"sort"}, "GET /education-materials": {"sort"},
    "GET /storage/files/{key}": {"user"},   # of the signed address of a material
}


@pytest.mark.parametrize("row", HERE, ids=str)
def test_the_reference_has_the_rows_query_parameters(row):
    parameters = DOCUMENT["paths"][row.path][row.method.lower()]["parameters"]
    named = {p["name"] for p in parameters if p.get("in") == "query"}
    assert named - set(row.query) == MORE_QUERY.get(str(row), set()) and set(row.query) <= named
    assert not [p["name"] for p in parameters if p.get("in") == "query" and p.get("required")]


def test_query_parameters_on_top_are_those_of_rows():
    assert MORE_QUERY.keys() | MORE_TYPES.keys() <= {str(row) for row in contract.promises}


def test_the_reference_says_where_a_token_shows_more():
    """Drafts, right answers, hidden settings, private files: a client made from the reference sends none where it may not."""
    may = [{}, {"bearer": []}]
    told = {str(row) for row in HERE if DOCUMENT["paths"][row.path][row.method.lower()]["security"] == may}
    assert told == {"GET /me/optional", "GET /courses", "GET /courses/{id}", "GET /proficiency-tests",
                    "GET /proficiency-tests/{id}", "GET /proficiency-tests/target-languages", "GET /settings/{key}",
                    "GET /storage/files/{key}"}


@pytest.mark.parametrize("row", HERE, ids=str)
def test_the_reference_has_the_rows_answers(row):
    """A list that takes format=csv gives that too; the bytes of a file are of any type."""
    said = DOCUMENT["paths"][row.path][row.method.lower()]["responses"]
    types = ["application/json"] + ["text/csv"] * ("format" in MORE_QUERY.get(str(row), ()))
    kind = {"GET /api/docs": ["text/html"], "GET /storage/files/{key}": ["*/*"]}.get(str(row), types)
    assert list(said[row.success]["content"]) == kind
    assert not row.is_file or {"206", "304", "412", "416"} <= set(said)


# media types of bodies on top of the contract
MORE_TYPES = {"POST /education-materials": ["application/json"]}    # a material without files


@pytest.mark.parametrize("row", HERE, ids=str)
def test_the_reference_has_the_rows_media_types(row):
    said, body = DOCUMENT["paths"][row.path][row.method.lower()].get("requestBody", {"content": {}}), not row.request.startswith(("-", "?"))
    form = ["multipart/form-data"] if "multipart" in row.request else []
    json_ = ["application/json"] if body and (not form or row.request.startswith("JSON or")) else []
    assert sorted(said["content"]) == sorted(form + json_ + MORE_TYPES.get(str(row), []))


# ---- shapes


def within(schema):
    """Names of the shapes that a schema holds, and that those hold."""
    found = set()

    def walk(node):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
            name = value.rpartition("/")[2] if key == "$ref" else None
            if name and name not in found:
                found.add(name)
                walk(PROMISED[name])
            walk(value)
    walk(schema)
    return found


def shapes_of(rows):
    return set().union(*(within([row.data, {"$ref": f"/{row.takes}"} if row.takes else None]) for row in rows))


LATER = shapes_of(p for p in contract.promises if str(p) in WAITING) - shapes_of(HERE)
THERE = [name for name in PROMISED if name not in LATER]


@pytest.mark.parametrize("name", [n for n in NAMES if n not in LATER])
def test_a_name_that_clients_know_stands_in_the_reference(name):
    assert name in SHAPES


def test_every_shape_of_the_contract_belongs_to_a_row():
    assert set(PROMISED) - shapes_of(contract.promises) == {"BaseResponseDto"}


# Fields on top of the contract's.
MORE_FIELDS = {"CreateContactRequestDto": {"website", "stamp"}, "UploadFileDto": {"file"}}

# What the contract says in prose and its schemas cannot: shape, field ("" for the shape itself), what the reference adds.
LETTERS, USERNAME = {"pattern": "^[A-Za-z]+$"}, {"pattern": "^[a-z0-9_.]+$"}
KEY = {"pattern": r"^(?!\.{1,2}$)[A-Za-z0-9._-]+$"}
PRICE, SCORE, INTERESTS = {"minimum": 0, "maximum": 10**9}, {"minimum": 0, "maximum": 100}, {"items": {"type": ["string"], "minLength": 1, "maxLength": 50}}
NOT_EMPTY = {"minProperties": 1}
PROSE = {
    ("UpdateMeProfileDto", ""): NOT_EMPTY, ("AdminUpdateUserProfileDto", ""): NOT_EMPTY, ("UpdateCourseDto", ""): NOT_EMPTY,
    ("UpdateProficiencyTestDto", ""): NOT_EMPTY, ("UpdateEducationMaterialDto", ""): NOT_EMPTY,
    ("CompleteRegistrationDto", "privacyPolicyAccepted"): {"const": True},
    ("CompleteRegistrationDto", "termsOfUseAccepted"): {"const": True},
    ("UpdateMeProfileDto", "username"): USERNAME, ("AdminUpdateUserProfileDto", "username"): USERNAME,
    ("UpdateMeProfileDto", "interests"): INTERESTS, ("AdminUpdateUserProfileDto", "interests"): INTERESTS,
    ("CreateCourseDto", "price"): PRICE, ("UpdateCourseDto", "price"): PRICE, ("CourseResponseDto", "price"): PRICE,
    ("CreateCourseDto", "currency"): LETTERS, ("UpdateCourseDto", "currency"): LETTERS, ("CourseResponseDto", "currency"): LETTERS,
    ("QuestionDto", "points"): {"exclusiveMinimum": 0, "maximum": 1000},
    ("LevelRangeDto", "minScore"): SCORE, ("LevelRangeDto", "maxScore"): SCORE,
    ("UpsertSettingDto", "key"): KEY, ("SettingValueResponseDto", "key"): KEY, ("SettingResponseDto", "key"): KEY,
}


def plain(schema):
    """A schema in one spelling: without what judges nothing, and with null as one more type."""
    schema = {k: v for k, v in schema.items() if k not in ("description", "examples")}
    named = SHAPES.get(schema.get("$ref", "").rpartition("/")[2], {})
    if "enum" in named:     # one name for the words, which the contract writes out each time
        schema = named
    if "anyOf" in schema:
        inner, null = schema["anyOf"]
        assert null == {"type": "null"} and len(schema) == 1
        return plain(inner) | {"type": sorted([*plain(inner).get("type", []), "null"])}
    if schema.get("format") in ("date", "date-time", "uri-reference"):
        del schema["format"]    # beside a pattern, or a rule that no word of JSON Schema says
    for least in ("minLength", "minItems"):
        if schema.get(least) == 0:
            del schema[least]
    if "$ref" in schema:
        schema["$ref"] = schema["$ref"].rpartition("/")[2]
    if "type" in schema:
        schema["type"] = sorted(schema["type"] if isinstance(schema["type"], list) else [schema["type"]])
    if "enum" in schema:
        schema["enum"] = [word for word in schema["enum"] if word is not None]
    if "items" in schema:
        schema["items"] = plain(schema["items"])
    return schema


def parts(schema):
    """A shape's fields, each as a schema; under "" what it says of itself."""
    schema = itself_of(schema)
    itself = {k: v for k, v in schema.items() if k not in ("description", "properties", "required")}
    return {"": itself} | {name: plain(field) for name, field in schema["properties"].items()}


def itself_of(shape):
    """The shape itself where it is another one by another name."""
    return itself_of(SHAPES[shape["$ref"].rpartition("/")[2]]) if "$ref" in shape else shape


@pytest.mark.parametrize("name", THERE)
def test_the_reference_says_the_contracts_shape(name):
    ours, theirs = itself_of(SHAPES[name]), PROMISED[name]
    more = MORE_FIELDS.get(name, set())
    assert [f for f in ours["properties"] if f not in more] == list(theirs["properties"]), "the fields in their order"
    assert [f for f in ours["required"] if f not in more] == theirs["required"]
    said = parts(ours)
    for field, promised in parts(theirs).items():
        assert said[field] == promised | PROSE.get((name, field), {}), field


def test_what_is_on_top_is_needed():
    for name, fields in MORE_FIELDS.items():
        assert fields <= set(itself_of(SHAPES[name])["properties"]) - set(PROMISED[name]["properties"])
    for (name, field), more in PROSE.items():
        assert not more.items() <= parts(PROMISED[name])[field].items()
