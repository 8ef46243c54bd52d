"""The contract as tables: routes and shapes. The tests take their expectations from here, never from the server. It
consists of three files in tests/contract: endpoints.tsv and schemas.json, unchanged from the client team, and
ours.json with what okul serves in addition. A route that is in none of them fails the suite (rights.py)."""

import itertools
import json
import os
import re
from dataclasses import dataclass, field as member
from pathlib import Path

OWN_FOLDER = Path(__file__).resolve().parents[2] / "contract"
FOLDER = Path(os.environ.get("OKUL_CONTRACT") or OWN_FOLDER)
OURS = json.loads((OWN_FOLDER / "ours.json").read_text())

names = itertools.count()

LANGUAGES = ["tr", "en", "es", "de"]
ENVELOPE = ["isSuccess", "statusCode", "data", "errors", "timestamp"]
TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"
DATE = r"^\d{4}-\d\d-\d\d$"
ID = r"^[0-9a-f]{24}$"
JSON_MAX = 65536            # bytes of a field that takes any JSON


# ---- the rows as they are in the files


@dataclass(frozen=True)
class Promise:
    """An unchanged row of endpoints.tsv or ours.json."""
    program: str
    method: str
    path: str
    role: str
    success: str
    request: str
    response: str
    title: str

    def __str__(self):
        return f"{self.method} {self.path}"

    @property
    def is_file(self):
        """Whether the response is a file, outside the envelope."""
        return self.response.startswith("(") and self.response != "(a JSON document)"

    @property
    def least_role(self):
        return "public" if self.role == "public or signed" else self.role

    @property
    def query(self):
        """Names of query parameters, from ?page&limit; a name may be followed by notes in brackets."""
        return re.findall(r"[?&](\w+)", self.request) if self.request.startswith("?") else []

    @property
    def takes(self):
        """The name of the body's DTO, or None; a form has files and single fields beside it."""
        if self.request == "multipart: file, folder?":
            return "UploadFileDto"
        return next(iter(re.findall(r"\w+Dto\b", self.request)), None)

    @property
    def data(self):
        """JSON Schema of the data of a success; None outside the envelope."""
        if self.is_file:
            return None
        if self.response == "(a JSON document)":    # in the envelope: the contract does not say otherwise
            return {"$ref": "#/$defs/AccountExportDto"}
        name = re.search(r"\w+Dto\b", self.response)[0]
        one = {"$ref": f"#/$defs/{name}"}
        if self.response == name:
            return one
        many = {"type": "array", "items": one}
        if self.response == f"{name}[]":
            return many
        assert re.fullmatch(rf"{{items: {name}\[\], pagination(: PaginationDto)?}}", self.response), self.response
        page = {"items": many, "pagination": {"$ref": "#/$defs/PaginationDto"}}
        return {"type": "object", "properties": page, "required": list(page), "additionalProperties": False}


promises = [Promise(*line.split("\t")) for line in (FOLDER / "endpoints.tsv").read_text().splitlines()[1:]]
promises += [Promise(*row) for row in OURS["endpoints"]]
promised_of = {(p.method, p.path): p for p in promises}
their_defs = json.loads((FOLDER / "schemas.json").read_text())["$defs"]
promised_schemas = {"$defs": OURS["$defs"] | their_defs}
named = set(re.findall(r"#/\$defs/(\w+)", json.dumps([promised_schemas, [p.data for p in promises]]))) | {p.takes for p in promises if p.takes}
lacking = named - promised_schemas["$defs"].keys()
assert not lacking, f"tests/contract/ours.json lacks under $defs: {lacking}"


# ---- routes


@dataclass(frozen=True)
class Route:
    """A row of the contract, parsed."""
    program: str
    method: str
    path: str
    role: str
    status: int
    request: str | None     # name of a shape
    part: str | None        # the field of a form that holds files
    json: bool              # the body may be JSON
    query: tuple            # names of query parameters
    response: str
    early: bool
    leaving: bool
    live: bool

    def __str__(self):
        return f"{self.method} {self.path}"


# Routes besides the public ones that a user may call before the registration is complete (the contract's page,
# "Login").
EARLY = re.compile(r"/me\b|/auth/|/api/v1/auth/|/api/v1/users/me/account-deletion$")


def route_from(row):
    more = OURS["more"].get(str(row), {})
    outside = {"(raw OpenAPI 3.1, no envelope)": "application/json", "(HTML)": "text/html", "(a JSON document)": "AccountExportDto"}
    page = re.fullmatch(r"{items: (\w+)\[\], pagination(: PaginationDto)?}", row.response)
    files = re.search(r"multipart: (file|\w+Dto \+ (\w+)\[\])", row.request)
    return Route(
        row.program, row.method, row.path, row.least_role, int(row.success), row.takes,
        files and (files[2] or files[1]), bool(row.takes) and (not files or row.request.startswith("JSON or") or more.get("json", False)),
        tuple(more.get("query", row.query)),
        "{%s}" % page[1] if page else "*/*" if row.response.startswith("(the bytes") else outside.get(row.response, row.response),
        row.least_role == "user" and bool(EARLY.match(row.path)), more.get("leaving", False), more.get("live", False))


routes = [route_from(row) for row in promises]
forms = {r.request for r in routes if r.part and not r.json}    # shapes that are sent only as forms


def route_of(method, path):
    """The route of a request, or None. A literal segment takes precedence over a parameter, whatever methods it has.
    HEAD is routed as GET."""
    method = "GET" if method == "HEAD" else method
    path = path.partition("?")[0]
    found = [r for r in routes if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", r.path), path)]
    best = min(found, key=lambda r: r.path.count("{"), default=None)
    return next((r for r in found if r.method == method and r.path == best.path), None)


# ---- shapes: as JSON Schema, and as lists of fields with the rules of the contract's page


@dataclass
class Field:
    name: str
    kind: str               # string int number bool time date id email url enum list object json gift table
    optional: bool = False
    nullable: bool = False
    min: int | None = None  # code points, value or number of elements
    max: int | None = None
    words: list = member(default_factory=list)
    digits: bool = False
    letters: bool = False
    username: bool = False
    key: bool = False       # fits into a path without escaping
    must_be_true: bool = False
    above_min: bool = False  # exclusive minimum
    item: str | None = None  # of a list: "string", "id" or the name of a shape
    item_min: int | None = None
    item_max: int | None = None
    of: str | None = None    # of an object: the name of a shape


def kind_of(schema):
    """The kind of a field that is neither a list nor an object."""
    kind = schema.get("type")
    if "enum" in schema:
        return "enum"
    if kind != "string":
        return {"boolean": "bool", "integer": "int", "number": "number", None: "json"}[kind]
    if (schema.get("minLength"), schema.get("maxLength")) == (1, 2048):
        return "url"        # the schemas have no format for it
    return {TIME: "time", DATE: "date", ID: "id"}.get(schema.get("pattern")) or {"email": "email", "gift": "gift", "table": "table"}.get(schema.get("format"), "string")


def name_in(schema):
    return schema["$ref"].rpartition("/")[2] if "$ref" in schema else None


def read_field(name, schema, required):
    nullable = {"type": "null"} in schema.get("anyOf", ())
    if nullable:
        schema = schema["anyOf"][0]
    if isinstance(schema.get("type"), list):
        (kind,) = set(schema["type"]) - {"null"}
        schema, nullable = schema | {"type": kind}, True
    field = Field(name, "", optional=not required, nullable=nullable, of=name_in(schema), words=schema.get("enum", []))
    pattern = schema.get("pattern", "")
    field.digits, field.letters = pattern.startswith("^[0-9]") and pattern != ID, pattern == "^[A-Za-z]+$"
    field.username, field.key = pattern == "^[a-z0-9_.]+$", "A-Za-z0-9._-" in pattern
    field.must_be_true, field.above_min = schema.get("const") is True, "exclusiveMinimum" in schema
    if field.of:
        field.kind = "object"
    elif schema.get("type") == "array":
        items = schema["items"]
        field.kind, field.min, field.max = "list", schema.get("minItems"), schema.get("maxItems")
        field.item = name_in(items) or kind_of(items)
        field.item_min, field.item_max = items.get("minLength"), items.get("maxLength")
    else:
        field.kind = kind_of(schema)
    if field.kind == "string":
        field.min, field.max = schema.get("minLength", 0), schema.get("maxLength")
    elif field.kind in ("int", "number"):
        field.min, field.max = schema.get("exclusiveMinimum", schema.get("minimum")), schema.get("maximum")
    return field


def whole(name):
    """The schema of a shape, including what ours.json adds."""
    schema, more = promised_schemas["$defs"][name], OURS["fields"].get(name, {})
    properties = {f: s | more.get(f, {}) for f, s in schema["properties"].items()}
    return schema | {"properties": properties | {f: s for f, s in more.items() if f and f not in properties}}


shapes = {name: [read_field(f, schema, f in whole(name).get("required", [])) for f, schema in whole(name)["properties"].items()]
          for name in promised_schemas["$defs"]}


def schema_for(name):
    """The JSON Schema of a shape with all references inlined."""
    def inline(node):
        if isinstance(node, list):
            return [inline(n) for n in node]
        if not isinstance(node, dict):
            return node
        return schema_for(name_in(node)) if "$ref" in node else {key: inline(value) for key, value in node.items()}
    return inline(whole(name))


# ---- values


# White_Space of Unicode and invisible characters: trimmed at both ends.
INVISIBLE = ("\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
             "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\xad\u202a\u2066\u3164")
# Fields that may have several lines; all other texts have one.
LINES = {"description", "message", "note", "bio", "text"}


def good_values(field):
    """Boundary values that the field accepts; for a time zone just a valid name."""
    if field.nullable:
        yield "null", None
    if field.name == "timezone":
        yield "a zone", "Europe/Berlin"
    elif field.username:
        own = f"{next(names):02x}"      # user names are unique
        yield "longest", own.ljust(field.max - 4, "z") + "_.09"
        yield "shortest", own + "a"
    elif field.letters:
        yield "upper case", "EUR".ljust(field.max, "X")
        yield "lower case with white space around it", " " + "try".ljust(field.max, "x") + "\t"
    elif field.key:
        for text in ("k", "k" * field.max, " k\t", "Home.title_2-x", "...", "-", "__proto__"):
            yield repr(text), text
    elif field.kind == "json":
        for value in (None, True, False, 0, -1.5, "", " not trimmed ", "ğ😀", [], {}, [None, [{}]], {"": {"value": 1}}):
            yield repr(value), value
        yield "longest", "x" * (JSON_MAX - 2)
    elif field.kind == "string":
        letter = "7" if field.digits else "ğ"   # one code point, two bytes
        yield "shortest", letter * field.min
        yield "longest", letter * field.max
        yield "longest with white space around it", INVISIBLE + letter * field.max + INVISIBLE
        if not field.digits:
            yield "longest of four bytes each", "😀" * field.max
        if field.name in LINES:
            yield "lines", "a\tb\n\nc"
    elif field.kind == "enum":
        for word in field.words:
            yield word, word
    elif field.kind == "bool":
        yield "true", True
    elif field.kind == "date":
        yield "leap day", "2000-02-29"
        yield "first", "1900-01-01"
    elif field.kind in ("int", "number"):
        yield "smallest", field.min + (1e-6 if field.above_min else 0)
        yield "largest", field.max
        if field.kind == "number":
            yield "a fraction", 0.1
    elif field.kind == "url":
        yield "shortest", "/"
        for text in ("http://example.com", "https://example.com:8080/a%20b.jpg?x=1&y=2#z", "/storage/files/a.png", " /a "):
            yield repr(text), text
        yield "longest", "https://example.com/".ljust(2048, "a")
    elif field.kind == "table":
        yield "a user", "email\nof-the-fields@example.com\n"
        yield "with a byte order mark and semicolons", "\ufeffE-posta;Ad\r\nof-the-fields@example.com;Ada\r\n"
    elif field.kind == "gift":
        yield "a question", "1 + 1 is {=2 ~3}."
        yield "with white space around it", "\r\n 1 + 1 is {=2 ~3}. \r\n\r\n"
    elif field.kind == "list" and field.item == "MaterialVideoDto":
        yield "empty", []
        yield "full", [{"title": "😀" * 200, "url": "https://example.com/".ljust(2048, "a")}] * field.max
    elif field.kind == "list" and field.item == "string":
        yield "empty", []
        yield "full", ["ü" * field.item_max] * field.max


def bad_values(field):
    """Values that the field must reject."""
    wrong_types = {"a number": 7, "a fraction": 1.5, "true": True, "a string": "yes", "a list": ["x"],
                   "an object": {"a": "b"}}
    if field.kind == "json":
        yield "too long", "x" * (JSON_MAX - 1)
        yield "too long in bytes", "ğ" * (JSON_MAX // 2)
        return
    own = {"string": ["a string"], "email": ["a string"], "date": ["a string"], "enum": ["a string"], "bool": ["true"],
           "url": ["a string"], "gift": ["a string"], "table": ["a string"], "int": ["a number"], "number": ["a number", "a fraction"], "list": ["a list"]}[field.kind]
    yield from ((why, value) for why, value in wrong_types.items() if why not in own)
    if not field.nullable:
        yield "null", None
    if field.kind == "string":
        letter = "1" if field.digits else "a" if field.username or field.letters or field.key else "ğ"
        yield "too long", letter * (field.max + 1)
        if field.min:
            yield "empty", ""
            yield "white space only", INVISIBLE
        if field.max > 2:
            for control in ("\r", "\x01", "\x1b", "\x7f", "\x80", "\x85", "\x9b") + (() if field.name in LINES else ("\n", "\t", "\r\n")):
                yield f"control character {control!r}", letter + control + letter * max(field.min - 2, 1)
        if field.min and field.min > 1:
            yield "too short", letter * (field.min - 1)
            yield "too short without its white space", " " + letter * (field.min - 1) + " "
        if field.digits:
            yield "a letter", "1" * (field.min - 1) + "a"
            yield "a sign", "-" + "1" * max(field.min - 1, 1)
            yield "digits of another script", "٣" * field.min
        if field.letters:
            for text in ("12$", "T Y", "T\tY", "ğğğ", "€€€", "İÇŞ", "TR1", "T-Y"):
                yield repr(text), text
        if field.username:
            for name in ("a b", "a-b", "çiçek", "a/b", "a@b", "a\tb"):
                yield repr(name), name
        if field.key:
            for text in ("a b", "a/b", "ç", "a\tb", "a%20b", "a:b", "a\n.b", ".", " .. "):
                yield repr(text), text
    elif field.kind in ("int", "number"):
        for number in (field.min - 1, field.max + 1, -1e300, 1e300):
            yield repr(number), number
        yield "a number in quotes", str(field.min + 1)
        if field.above_min:
            yield "the limit", field.min
            yield "just below it", -1e-300
    elif field.kind == "url":
        for text in ("", " ", "x", "a.jpg", "./a.jpg", "//example.com/a.jpg", "ftp://example.com/", "http://", "https:///a",
                     "javascript:alert(1)", "data:image/png;base64,AA==", "https://ada@example.com/", "https://exa mple.com",
                     "/a b", "/ä", "/a\nb", "/<script>", "https://example.com/".ljust(2049, "a"), "/".ljust(2049, "ü")):
            yield repr(text[:40]), text
    elif field.kind == "enum":
        yield "another word", "klingon"
        yield "two words", "|".join(field.words[:2])
        yield "empty", ""
    elif field.kind == "date":
        for text in ("2001-02-29", "2001-13-01", "2001-00-10", "2001-01-00", "2001-1-1", "20010101", "01.01.2001",
                     "2001-01-01T00:00:00.000Z", "2001-01-01x", "", "1899-12-31", "0001-01-01", "9999-12-31"):
            yield repr(text), text
    elif field.kind == "bool":
        yield "0", 0
        yield "1", 1
        yield "the word true", "true"
        if field.must_be_true:
            yield "false", False
    elif field.kind == "email":
        for text in ("", "somebody", "@example.com", "somebody@", "some body@example.com", "a@b@example.com",
                     "a@example..com", ".a@example.com", "a.@example.com", "a..b@example.com", "a@.example.com",
                     "a@example.com.", "a@-example.com", "a,b@example.com", "Ada <a@example.com>",
                     "a@example.com\r\nBcc: b@example.com", "a@exam\tple.com", "a\x01@example.com",
                     "x" * 65 + "@example.com", "a@" + "x" * 64 + ".com", "a@" + ".".join(["x" * 60] * 5)):
            yield repr(text[:40]), text
    elif field.kind == "table":
        for text in ("", "\n", "nobody@example.com\n", "name\nAda\n", "email\nnobody\n"):
            yield repr(text), text
    elif field.kind == "gift":
        for text in ("", " ", "no question", "1 + 1 is {=2}."):
            yield repr(text), text
    elif field.kind == "list" and field.item == "id":
        good = [f"{i:024x}" for i in range(field.max + 1)]
        if field.min:
            yield "too few", good[:field.min - 1]
        yield "too many", good
        yield "one twice", [good[0], good[1], good[0]]
        yield "one twice, but for white space", [good[0], " " + good[0]]
        for text in ("", "0" * 23, "0" * 25, "g" * 24, "-" + "0" * 23):
            yield repr(text), [good[0], text]
        yield "a null element", [None]
        yield "an element of another type", [good[0], 1]
    elif field.kind == "list" and field.item != "string":
        if field.min:
            yield "too few", [{}] * (field.min - 1)
        yield "too many", [{}] * (field.max + 1)
        yield "elements of another type", ["x"] * (field.min or 1)
    elif field.kind == "list":
        yield "too many", ["x"] * (field.max + 1)
        yield "an empty element", ["x", ""]
        yield "a long element", ["ü" * (field.item_max + 1)]
        yield "an element of another type", ["x", 1]
        yield "a null element", [None]
