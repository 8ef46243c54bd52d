"""Compares the server with the files of the contract (tests/contract), as clients have them.

What okul adds to the contract, and what its prose says beyond its schemas, is in ours.json. Each entry there must be
needed, so that neither the contract nor the server can change unnoticed."""

import json

import pytest

from helpers import contract
from helpers.routes import LISTED
from helpers.server import BUILD

DOCUMENT = json.loads((BUILD / "share" / "openapi.json").read_text())
SHAPES = DOCUMENT["components"]["schemas"]
PROMISED = contract.promised_schemas["$defs"]

# Rows of the contract that are not implemented yet. Remove a row when it is.
WAITING = set()
HERE = [p for p in contract.promises if str(p) not in WAITING]


def test_the_contract_is_read():
    assert len(contract.promises) >= 79 and len({(p.method, p.path) for p in contract.promises}) == len(contract.promises)
    assert len(contract.their_defs) >= 93 and len(PROMISED) >= len(contract.their_defs) + 20


def test_ours_does_not_repeat_the_contract():
    """The contract takes precedence, so nothing of it may be in ours.json."""
    assert not contract.OURS["$defs"].keys() & contract.their_defs.keys()
    assert len(contract.promised_of) == len(contract.promises)


def test_waiting_lists_only_missing_routes():
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
    assert [s for s in operation["responses"] if s < "300"] == [row.success] + ["206"] * row.is_file    # partial content
    if "seed" not in row.title and "ours" not in row.title and "guide" not in row.title:
        assert operation["summary"] == row.title


# Query parameters beyond the contract: for CSV export of lists, for fields that are only on the contract's page, and
# in the signed URL of a material.
MORE = contract.OURS["more"]
MORE_QUERY = {row: set(more["query"]) - set(contract.promised_of[tuple(row.split())].query) for row, more in MORE.items() if "query" in more}


@pytest.mark.parametrize("row", HERE, ids=str)
def test_the_reference_has_the_rows_query_parameters(row):
    parameters = DOCUMENT["paths"][row.path][row.method.lower()]["parameters"]
    named = {p["name"] for p in parameters if p.get("in") == "query"}
    assert named - set(row.query) == MORE_QUERY.get(str(row), set()) and set(row.query) <= named
    assert not [p["name"] for p in parameters if p.get("in") == "query" and p.get("required")]


def test_additional_query_parameters_belong_to_rows():
    assert MORE.keys() <= {str(row) for row in contract.promises} and all(MORE_QUERY.values())


def test_the_reference_documents_optional_tokens():
    """With a token, some public routes show drafts, right answers, hidden settings or private files. A client
    generated from the reference sends a token only where it is documented."""
    may = [{}, {"bearer": []}]
    documented = {str(row) for row in HERE if DOCUMENT["paths"][row.path][row.method.lower()]["security"] == may}
    assert documented == {row for row, more in MORE.items() if "token" in more}


@pytest.mark.parametrize("row", HERE, ids=str)
def test_the_reference_has_the_rows_responses(row):
    """A list that takes format=csv can also return CSV; a file may be of any type."""
    documented = DOCUMENT["paths"][row.path][row.method.lower()]["responses"]
    types = ["application/json"] + ["text/csv"] * ("format" in MORE_QUERY.get(str(row), ()))
    kind = {"GET /api/docs": ["text/html"], "GET /storage/files/{key}": ["*/*"]}.get(str(row), types)
    assert list(documented[row.success]["content"]) == kind
    assert not row.is_file or {"206", "304", "412", "416"} <= set(documented)


# media types of bodies beyond the contract
MORE_TYPES = {row: ["application/json"] for row, more in MORE.items() if "json" in more}


@pytest.mark.parametrize("row", HERE, ids=str)
def test_the_reference_has_the_rows_media_types(row):
    documented = DOCUMENT["paths"][row.path][row.method.lower()].get("requestBody", {"content": {}})
    body = not row.request.startswith(("-", "?"))
    form = ["multipart/form-data"] if "multipart" in row.request else []
    json_ = ["application/json"] if body and (not form or row.request.startswith("JSON or")) else []
    assert sorted(documented["content"]) == sorted(form + json_ + MORE_TYPES.get(str(row), []))


# ---- shapes


def within(schema):
    """Names of the shapes that a schema refers to, directly or indirectly."""
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


@pytest.mark.parametrize("name", THERE)
def test_the_reference_has_the_contracts_names(name):
    assert name in SHAPES


def test_every_shape_of_the_contract_belongs_to_a_row():
    assert set(PROMISED) - shapes_of(contract.promises) == {"BaseResponseDto"}


def plain(schema):
    """Normalizes a schema: without annotations, and with null as an additional type."""
    schema = {k: v for k, v in schema.items() if k not in ("description", "examples")}
    named = SHAPES.get(schema.get("$ref", "").rpartition("/")[2], {})
    if "enum" in named:     # the reference names each list of values, which the contract repeats inline
        schema = named
    if "anyOf" in schema:
        inner, null = schema["anyOf"]
        assert null == {"type": "null"} and len(schema) == 1
        return plain(inner) | {"type": sorted([*plain(inner).get("type", []), "null"])}
    if schema.get("format") in ("date", "date-time", "uri-reference", "gift", "table"):
        del schema["format"]    # additional to a pattern, or for a rule that JSON Schema cannot express
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
    """The schemas of a shape's fields; under "" the other keywords of the shape."""
    schema = resolved(schema)
    itself = {k: v for k, v in schema.items() if k not in ("description", "properties", "required")}
    return {"": itself} | {name: plain(field) for name, field in schema["properties"].items()}


def resolved(shape):
    """The shape that a reference refers to."""
    return resolved(SHAPES[shape["$ref"].rpartition("/")[2]]) if "$ref" in shape else shape


# Rules that are only in the prose of the contract: shape, field ("" for the shape itself), keywords that the
# reference adds. And fields beyond the contract, including the files of a form.
PROSE = {(name, field): plain(more) for name, fields in contract.OURS["fields"].items() for field, more in fields.items()
         if not field or field in PROMISED[name]["properties"]}
MORE_FIELDS = {r.request: {r.part} for r in contract.routes if r.request in contract.forms}
for name, fields in contract.OURS["fields"].items():
    MORE_FIELDS.setdefault(name, set()).update(field for field in fields if field and (name, field) not in PROSE)


@pytest.mark.parametrize("name", THERE)
def test_the_reference_has_the_contracts_shape(name):
    ours, theirs = resolved(SHAPES[name]), PROMISED[name]
    more = MORE_FIELDS.get(name, set())
    assert [f for f in ours["properties"] if f not in more] == list(theirs["properties"]), "the same fields in the same order"
    assert [f for f in ours["required"] if f not in more] == theirs["required"]
    documented = parts(ours)
    for field, promised in parts(theirs).items():
        wanted = promised | PROSE.get((name, field), {})
        assert documented[field] == wanted, f"{name} {field or 'itself'}: {documented[field]}, in the contract {wanted}"


def test_every_addition_is_needed():
    for name, fields in MORE_FIELDS.items():
        assert fields <= set(resolved(SHAPES[name])["properties"]) - set(PROMISED[name]["properties"])
    for (name, field), more in PROSE.items():
        assert not more.items() <= parts(PROMISED[name])[field].items()
