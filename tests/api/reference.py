"""okul-reference: joins the OpenAPI parts of the programs into one document, and makes the docs page."""

import json
import shlex
import subprocess

import jsonschema
import pytest

from helpers.reference import Articles, DOCUMENT, OPERATIONS, PAGE
from helpers.server import BUILD, ROOT

TEMPLATE = ROOT / "conf" / "docs.html"


def operation(name, tag, **more):
    return {"operationId": name, "tags": [tag], "summary": f"The {name}", "x-role": "public", "security": [],
            "parameters": [], "responses": {"200": {"description": "OK"}}} | more


def part(tag, paths, schemas=None, responses=None):
    return {"tags": [{"name": tag, "description": f"All of {tag}"}], "paths": paths,
            "components": {"schemas": schemas or {}, "responses": responses or {}}}


@pytest.fixture
def join(tmp_path):
    def run(*parts, options=()):
        files = []
        for i, content in enumerate(parts):
            files.append(tmp_path / f"{i}.json")
            files[-1].write_text(content if isinstance(content, str) else json.dumps(content))
        command = [BUILD / "okul-reference", *options, tmp_path / "openapi.json", tmp_path / "docs.html", TEMPLATE, *files]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, umask=0o077)
        run.document, run.page = ((tmp_path / name).read_text() if (tmp_path / name).exists() else None
                                  for name in ("openapi.json", "docs.html"))
        return done
    return run


def test_parts_are_joined_in_order(join):
    shared = {"Same": {"type": "object", "required": ["a"]}}
    one = part("zebra", {"/z": {"get": operation("z", "zebra")}}, shared | {"Z": {"type": "string"}}, {"Bad": {"description": "x"}})
    two = part("ant", {"/a": {"get": operation("a", "ant")}}, shared | {"A": {"type": "null"}}, {"Bad": {"description": "x"}})
    assert join(one, two).returncode == 0
    document = json.loads(join.document)
    assert document["openapi"] == "3.1.0" and document["info"]["title"] == "okul"
    assert [tag["name"] for tag in document["tags"]] == ["zebra", "ant"]
    assert list(document["paths"]) == ["/z", "/a"]
    assert document["paths"]["/a"] == two["paths"]["/a"]
    assert document["components"]["schemas"] == shared | {"Z": {"type": "string"}, "A": {"type": "null"}}
    assert document["components"]["responses"] == {"Bad": {"description": "x"}}
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


def test_without_omits_routes_and_their_schemas(join):
    def answer(name):
        return {"responses": {"200": {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}}}
    def field(name):
        return {"type": "object", "properties": {"a": {"$ref": f"#/components/schemas/{name}"}}, "required": ["a"]}
    schemas = {"Old": field("OldPart"), "OldPart": field("OldGrain"), "OldGrain": {"type": "null"}, "New": field("Shared"),
               "Shared": {"type": "null"}, "BaseResponseDto": {"type": "object"}}
    paths = {"/api/v1/a": {"get": operation("old", "a", **answer("Old"))}, "/a": {"get": operation("new", "a", **answer("New"))}}
    assert join(part("a", paths, schemas), options=["--without", "/api/v1"]).returncode == 0
    document = json.loads(join.document)
    assert list(document["paths"]) == ["/a"]
    assert list(document["components"]["schemas"]) == ["New", "Shared", "BaseResponseDto"]


@pytest.mark.parametrize("second, named", [
    (part("b", {"/b": {}}, {"Same": {"type": "string"}}), "Same"),
    (part("b", {"/b": {}}, None, {"Bad": {"description": "y"}}), "Bad"),
    (part("b", {"/a": {}}), "/a"),
    ("{}", "1.json"),
    ("not JSON", "1.json"),
], ids=["shape", "response", "path", "no part", "no JSON"])
def test_conflicting_parts_are_rejected_by_name(join, second, named):
    done = join(part("a", {"/a": {"get": operation("a", "a")}}, {"Same": {"type": "object"}}, {"Bad": {"description": "x"}}), second)
    assert done.returncode == 65 and named in done.stderr
    assert join.document is None and join.page is None


def test_the_web_server_can_read_the_files(join, tmp_path):
    assert join(part("a", {})).returncode == 0
    for name in ("openapi.json", "docs.html"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o644, name


def test_exit_codes_of_missing_files_and_arguments(tmp_path):
    def run(*arguments):
        return subprocess.run([BUILD / "okul-reference", *arguments], capture_output=True, text=True, timeout=30)
    assert run(tmp_path / "a", tmp_path / "b").returncode == 64
    gone = run(tmp_path / "a", tmp_path / "b", TEMPLATE, tmp_path / "gone.json")
    assert gone.returncode == 65 and "gone.json" in gone.stderr
    (tmp_path / "part.json").write_text(json.dumps(part("a", {})))
    unwritable = run(tmp_path / "no" / "a", tmp_path / "b", TEMPLATE, tmp_path / "part.json")
    assert unwritable.returncode == 1 and "no/a" in unwritable.stderr


def test_the_page_escapes_and_the_curl_quotes(join):
    body = {"required": True, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/In"}}}}
    schema = {"type": "object", "properties": {"say": {"type": "string", "examples": ["it's <b>\"$HOME\"</b> & more"],
                                                       "description": "<i>note</i>"}}, "required": ["say"]}
    op = operation("say", "a", summary="<script>alert(1)</script>", requestBody=body)
    assert join(part("a", {"/say/{userId}/{key}": {"put": op}}, {"In": schema})).returncode == 0
    example = json.loads(join.document)["paths"]["/say/{userId}/{key}"]["put"]["requestBody"]["content"]["application/json"]["example"]
    assert example == {"say": "it's <b>\"$HOME\"</b> & more"}
    assert "<script>alert" not in join.page and "&lt;script&gt;alert" in join.page
    assert "<i>note" not in join.page and "&lt;i&gt;note" in join.page
    words = shlex.split(Articles(join.page).of["say"][0].replace("\\\n", " "))
    assert words[:5] == ["curl", "-s", "-X", "PUT", "http://127.0.0.1:8080/say/$USERID/$KEY"]
    assert json.loads(words[words.index("-d") + 1]) == {"say": "it's <b>\"$HOME\"</b> & more"}


# ---- the document that the build makes

SHAPES = DOCUMENT["components"]["schemas"]


def validator(schema):
    return jsonschema.Draft202012Validator(schema, resolver=jsonschema.RefResolver("", DOCUMENT),
                                           format_checker=jsonschema.draft202012_format_checker)


def test_the_document_lists_every_operation_once():
    assert len(OPERATIONS) == sum(len(item) for item in DOCUMENT["paths"].values()) > 5
    assert set(Articles(PAGE).of) == set(OPERATIONS)
    assert len(PAGE) < 300_000 and "{{" not in PAGE
    assert (BUILD / "share" / "openapi.json").stat().st_size < 230_000


def responses():
    """All responses of all operations, as (operation, status, response)."""
    for name, (_, _, op) in OPERATIONS.items():
        for status, response in op["responses"].items():
            yield name, status, resolved(response)


def resolved(node):
    while "$ref" in node:
        kind, name = node["$ref"].split("/")[2:]
        node = DOCUMENT["components"][kind][name]
    return node


def test_every_envelope_is_complete_and_has_a_name():
    """Code generators would make optional fields of properties that are not required, or that come from allOf."""
    for name, status, response in responses():
        schema = response.get("content", {}).get("application/json", {}).get("schema", {})
        if not schema or name == "getSwaggerJson" and status < "400":      # 304, and the document itself
            continue
        assert list(schema) == ["$ref"], f"{name} {status}: an inline schema"
        envelope = resolved(schema)
        assert list(envelope["properties"]) == envelope["required"] == ["isSuccess", "statusCode", "data", "errors", "timestamp"]
        assert envelope["properties"]["isSuccess"] == {"type": "boolean", "const": status < "400"}
        data = envelope["properties"]["data"]
        assert data == {"type": "null"} if status >= "400" else "$ref" in data or "$ref" in data["items"]
        assert envelope["additionalProperties"] is False and "allOf" not in envelope


def test_enums_are_not_repeated():
    """Each enum is a named type, except sort orders and enums with one value."""
    found = []

    def walk(node, path):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
            if key == "enum" and not (len(path) == 3 and path[:2] == ("components", "schemas")):
                found.append((path, value))
            if key not in ("example", "examples"):
                walk(value, (*path, key))
    walk(DOCUMENT, ())
    named = [tuple(s["enum"]) for s in SHAPES.values() if "enum" in s]
    assert len(named) == len(set(named)) >= 10
    for path, words in found:
        assert path[0] == "paths" and "parameters" in path, path
        assert len(words) == 1 or all(w.lstrip("-") in {x.lstrip("-") for x in words if x.startswith("-")} for w in words), words


def test_every_response_documents_its_headers():
    own = {"401": {"WWW-Authenticate"}, "429": {"Retry-After"}, "503": {"Retry-After"}, "206": {"ETag", "Content-Range"}, "304": {"ETag"},
           "416": {"Content-Range"}}
    for name, status, response in responses():
        headers = response["headers"]
        assert "X-Request-Id" in headers and own.get(status, set()) <= set(headers), (name, status)
        enveloped = "$ref" in response.get("content", {}).get("application/json", {}).get("schema", {})
        assert ("Content-Language" in headers) == enveloped, (name, status)
        assert all(list(header) == ["$ref"] for header in headers.values())
    for name, (_, _, op) in OPERATIONS.items():
        assert {"400", "429", "500", "503"} <= set(op["responses"]), name


def test_every_parameter_and_body_has_a_valid_example():
    count = 0
    for name, (_, _, op) in OPERATIONS.items():
        for parameter in map(resolved, op["parameters"]):
            validator(parameter["schema"]).validate(parameter["example"])
            count += 1
        for kind, body in op.get("requestBody", {}).get("content", {}).items():
            validator(body["schema"]).validate(body["example"])
            assert body["example"], name
            count += 1
    assert count > 150


def test_schemas_are_valid_json_schema():
    for schema in SHAPES.values():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert not schema.keys() & {"nullable"}


@pytest.mark.parametrize("name", OPERATIONS)
def test_examples_on_the_page_are_valid(name):
    method, path, op = OPERATIONS[name]
    curl, *answers = Articles(PAGE).of[name]
    words = shlex.split(curl.replace("\\\n", " "))
    assert ("Authorization: Bearer $TOKEN" in words) == bool(op["security"])
    form = "multipart/form-data" in op.get("requestBody", {}).get("content", {})
    assert ("-d" in words) == ("requestBody" in op and not form) and ("-F" in words) == form
    if form:
        given = dict(words[i + 1].split("=", 1) for i, word in enumerate(words) if word == "-F")
        assert set(resolved(op["requestBody"]["content"]["multipart/form-data"]["schema"])["required"]) <= set(given)
    elif "requestBody" in op:
        body = json.loads(words[words.index("-d") + 1])
        assert body
        validator(op["requestBody"]["content"]["application/json"]["schema"]).validate(body)
    status, success = next(iter(op["responses"].items()))
    schema = success["content"].get("application/json", {}).get("schema", {})
    assert len(answers) == ("$ref" in schema)
    for answer in map(json.loads, answers):
        assert answer["statusCode"] == int(status) and answer["errors"] == []
        validator(schema).validate(answer)
