"""Common to all requests: envelope, order of the checks, methods, JSON, sizes, headers, origins."""

import json
import re
import socket

import pytest

from helpers import contract
from helpers.client import Okul, REGISTRATION, chunked, form
from helpers.contract import LANGUAGES
from helpers.samples import pdf, png
from helpers.sentences import SENTENCES
from helpers.server import ORIGIN, ORIGINS, ROOT, Server, fresh

REQUEST = "/auth/otp/request"
COMPLETE = "/auth/registration/complete"
MIB = 1 << 20
KIB64 = 1 << 16
SOME_ID = "0123456789abcdef01234567"


def path_of(route):
    return route.path.replace("{id}", SOME_ID).replace("{userId}", SOME_ID)


# ---- paths and methods


@pytest.mark.parametrize("path", ["/nothing", "/m", "/mee", "/me/", "/me/nothing", "/auth", "/auth/", "/auth/otp",
                                  "/auth/otp/requests", "/Me", "/ME", "/users.fcgi", "/app.fcgi", "/api/v2",
                                  "/auth/sessions/" + SOME_ID + "/x", "/favicon.ico", "/.git/config", "/okul.db",
                                  "/me%00", "/me%2Foptional", "/%ff", "/me/%GG", "/index.html", "/health/x", "/docs"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_unknown_paths(okul, method, path):
    answer = okul.request(method, path)
    # a malformed URL may be rejected by the web server
    assert answer.status == 404 or "%" in path and answer.status == 400, answer


@pytest.mark.parametrize("target", ["//me", "/./me", "/auth/../me", "/%6de", "/me?", "/me#x", "/me;x=1", "/me%20",
                                    "/a/../../etc/passwd", "*", "me"])
def test_odd_targets_get_a_valid_response(okul, target):
    answer = okul.raw(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode(),
                      path="/" if target == "*" else target)
    assert answer.status in (400, 401, 404) and answer.json


@pytest.mark.parametrize("path", sorted({r.path for r in contract.routes}))
def test_methods(okul, ada, path):
    """A method that the path does not have is 405; Allow lists the methods of the path; OPTIONS is 204."""
    has = {r.method for r in contract.routes if r.path == path}
    has |= {"HEAD"} if "GET" in has else set()
    target = path.replace("{id}", SOME_ID).replace("{userId}", SOME_ID)
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"} - has:
        answer = okul.request(method, target, token=ada.token)
        assert answer.status == 405, answer
        assert set(re.split(r",\s*", answer.headers["Allow"])) - {"OPTIONS"} == has, answer.headers["Allow"]
    answer = okul.options(target)
    assert answer.status == 204 and set(re.split(r",\s*", answer.headers["Allow"])) - {"OPTIONS"} == has


@pytest.mark.parametrize("method", ["TRACE", "CONNECT"])
def test_methods_that_the_web_server_rejects(okul, method):
    answer = okul.raw(f"{method} /me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode(), method, "/me")
    assert answer.status in (400, 405)


@pytest.mark.parametrize("route", [r for r in contract.routes if r.method == "GET"], ids=str)
def test_head_is_get_without_body(okul, boss, route):
    for token in (boss.token, None):
        got, head = okul.get(path_of(route), token=token), okul.head(path_of(route), token=token)
        assert head.status == got.status and head.body == b""
        for name in ("Content-Type", "Content-Language", "Content-Length", "Cache-Control", "WWW-Authenticate", "ETag"):
            assert head.headers[name] == got.headers[name], name


def test_head_of_an_unknown_path(okul):
    assert okul.head("/me/nothing").status == 404


# ---- query parameters


@pytest.mark.parametrize("route", contract.routes, ids=str)
def test_an_unknown_query_parameter(okul, boss, route):
    more = {"token": boss.token}
    if route.part:
        more["content_type"], more["body"] = form((route.part, "a", pdf() if route.part == "pdfs" else png()))
    elif route.request:
        more["json_"] = {}
    for query in ("x=1", "x", "=1", "X%20Y=%C3%BC", "x=1&x=2", *(() if "page" in route.query else ("page=1",))):
        answer = okul.request(route.method, f"{path_of(route)}?{query}", **more)
        assert answer.status == 400, f"{query}: {answer}"
    answer = okul.request(route.method, f"{path_of(route)}?extra=1", **more)
    assert any(e == "extra: is not a known query parameter" for e in answer.errors), answer


@pytest.mark.parametrize("query", ["%", "%zz=1", "x=%ff", "x=%00", "x=%C3"])
def test_malformed_encoding_of_a_query(okul, query):
    assert okul.get("/?" + query).status == 400


@pytest.mark.parametrize("query", ["", "&", "&&"])
def test_a_query_without_parameters(okul, query):
    assert okul.get("/?" + query).status == 200


# ---- the order of the checks: the first error determines the response


def test_path_before_method_and_all_else(okul):
    answer = okul.request("PATCH", "/auth/nothing?x=1", body=b"{", token="bad", content_type="text/plain")
    assert answer.status == 404


def test_method_before_token_and_all_else(okul):
    answer = okul.request("PUT", COMPLETE + "?x=1", body=b"{", token="bad", content_type="text/plain")
    assert answer.status == 405


def test_size_before_token_and_all_else(okul):
    answer = okul.request("POST", COMPLETE + "?x=1", body=b"{" * (MIB + 1), token="bad", content_type="text/plain")
    assert answer.status == 413


def test_token_before_content_type_and_all_else(okul):
    for token in (None, "bad"):
        assert okul.request("POST", COMPLETE + "?x=1", body=b"{", token=token, content_type="text/plain").status == 401
        assert okul.request("DELETE", "/auth/sessions/no-id?x=1", token=token).status == 401
        assert okul.request("GET", "/me?x=1", token=token).status == 401


def test_content_type_before_json_and_fields(okul, ada):
    assert ada.request("POST", COMPLETE + "?x=1", body=b"{", content_type="text/plain").status == 415
    assert ada.request("PATCH", "/me", body=b"{}", content_type="text/plain").status == 415


def test_json_before_fields_and_state(okul, ada):
    answer = ada.request("POST", COMPLETE + "?x=1", body=b'{"name":1,}')
    assert answer.status == 400 and answer.errors == ["The request body is not valid JSON"]


def test_fields_before_state(okul, ada):
    assert ada.post(COMPLETE, REGISTRATION | {"name": 1}).status == 400
    assert ada.post(COMPLETE, REGISTRATION).status == 409


def test_fields_before_existence(okul, ada):
    assert ada.delete(f"/auth/sessions/{SOME_ID}?x=1").status == 400
    assert ada.delete(f"/auth/sessions/{SOME_ID}").status == 404


def test_errors_of_query_and_body_are_reported_together(okul, ada):
    answer = ada.patch("/me?y=1", {"name": 1, "gender": 2})
    assert answer.status == 400
    assert sorted(e.partition(":")[0] for e in answer.errors) == ["gender", "name", "y"]


# ---- content type


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON",
                                          "application/json;charset=UTF-8", "application/json ; charset=utf-8"])
def test_accepted_content_types(okul, content_type):
    assert okul.post(REQUEST, {"email": fresh()}, content_type=content_type).status == 200


@pytest.mark.parametrize("content_type", [None, "", "text/plain", "text/json", "application/jsonp", "application/json5",
                                          "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                                          "json", "application/xml", "application/merge-patch+json"])
def test_rejected_content_types(okul, ada, content_type):
    answer = okul.post(REQUEST, {"email": fresh()}, content_type=content_type)
    assert answer.status == 415 and answer.errors == ["The content type must be application/json"]
    assert ada.patch("/me", {"name": "Ada"}, content_type=content_type).status == 415


# ---- JSON


def nested(depth, inside="1"):
    """An object nested this deep, including the root."""
    return '{"email":"a@example.com","x":' + "[" * (depth - 1) + inside + "]" * (depth - 1) + "}"


BAD_JSON = {
    "nothing": b"", "white space": b" \n", "half": b'{"email":', "a comma too many": b'{"email":"a@b.de",}',
    "two values": b'{"email":"a@b.de"} {}',
    "a word behind": b'{"email":"a@b.de"}x', "single quotes": b"{'email':'a@b.de'}", "no quotes": b'{email:"a@b.de"}',
    "a comment": b'{/**/"email":"a@b.de"}',
    "a missing colon": b'{"email" "a@b.de"}', "a bad escape": rb'{"email":"\x61"}',
    "half an escape": rb'{"email":"\u00"}', "a raw newline": b'{"email":"a\n"}',
    "a raw tab": b'{"email":"a\t"}', "an open string": b'{"email":"a}', "01": b'{"email":01}', "+1": b'{"email":+1}',
    "1.": b'{"email":1.}', ".5": b'{"email":.5}',
    "NaN": b'{"email":NaN}', "Infinity": b'{"email":-Infinity}', "hex": b'{"email":0x1}', "True": b'{"email":True}',
    "a NUL behind": b'{"email":"a@b.de"}\0',
    "a NUL between": b'{"email"\0:"a@b.de"}', "a missing brace": b'{"email":"a@b.de"',
    "the wrong bracket": b'{"email":["a@b.de"}', "a form feed": b'\f{"email":1}',
    "form data": b"email=a%40b.de",
}
OTHER_FAULTS = {
    "UTF-16": ('{"email":"a@b.de"}'.encode("utf-16"), "The request body is not valid UTF-8"),
    "list": (b'["email"]', "The request body must be a JSON object"),
    "string": (b'"email"', "The request body must be a JSON object"),
    "number": (b"1", "The request body must be a JSON object"),
    "null": (b"null", "The request body must be a JSON object"),
    "an escaped NUL": (rb'{"email":"a\u0000@b.de"}', "A string in the request body holds a NUL character"),
    "an escaped NUL in a name": (rb'{"em\u0000ail":"a@b.de"}', "A string in the request body holds a NUL character"),
    "a key twice": (b'{"email":"a@b.de","email":"c@d.de"}', "The request body has a key twice"),
    "a key twice, once escaped": (rb'{"email":"a@b.de","\u0065mail":"c@d.de"}', "The request body has a key twice"),
    "an inner key twice": (b'{"email":"a@b.de","x":{"y":1,"y":2}}', "The request body has a key twice"),
    "a lone byte": (b'{"email":"\xff@b.de"}', "The request body is not valid UTF-8"),
    "latin-1": (b'{"email":"\xfc@b.de"}', "The request body is not valid UTF-8"),
    "overlong": (b'{"email":"\xc0\xaf@b.de"}', "The request body is not valid UTF-8"),
    "a surrogate": (b'{"email":"\xed\xa0\x80"}', "The request body is not valid UTF-8"),
    "over U+10FFFF": (b'{"email":"\xf4\x90\x80\x80"}', "The request body is not valid UTF-8"),
    "cut off": (b'{"email":"\xe2\x82"}', "The request body is not valid UTF-8"),
    "half a surrogate pair": (rb'{"email":"\ud83d"}', "The request body is not valid UTF-8"),
    "depth 33": (nested(33).encode(), "The request body is nested deeper than 32 levels"),
    "depth 60000": (b'{"x":' + b"[" * 60000, "The request body is nested deeper than 32 levels"),
    "depth 33 of objects": (b'{"x":' * 33 + b"1" + b"}" * 33, "The request body is nested deeper than 32 levels"),
}


@pytest.mark.parametrize("why", BAD_JSON)
def test_malformed_json(okul, why):
    answer = okul.request("POST", REQUEST, body=BAD_JSON[why])
    assert answer.status == 400 and answer.errors == ["The request body is not valid JSON"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_json_in_another_encoding(okul, encoding):
    assert okul.request("POST", REQUEST, body='{"email":"a@b.de"}'.encode(encoding)).status == 400


@pytest.mark.parametrize("why", OTHER_FAULTS)
def test_other_rejected_json(okul, why):
    body, sentence = OTHER_FAULTS[why]
    answer = okul.request("POST", REQUEST, body=body)
    assert answer.status == 400 and answer.errors == [sentence]


def test_depth_32_is_valid(okul):
    """The JSON is valid; the error is about the unknown field."""
    for body in (nested(32), '{"x":' * 32 + "1" + "}" * 32):
        answer = okul.request("POST", REQUEST, body=body.encode())
        assert answer.status == 400 and "x: is not a known field" in answer.errors


def test_unusual_but_valid_json(okul, ada):
    assert okul.request("POST", REQUEST, body=b' \t\r\n{"\\u0065mail" : "' + fresh().encode() + b'"}\r\n').status == 200
    answer = ada.request("PATCH", "/me", body=rb'{"bio":"\u00fc\ud83d\ude00\/\n\r\n\t\"\\x"}')
    assert answer.status == 200 and answer.data["bio"] == "ü😀/\n\n\t\"\\x"
    for escape in (rb"\b", rb"\f", rb"\r", rb"\u0001", rb"\u007f", rb"\u0085"):
        answer = ada.request("PATCH", "/me", body=b'{"bio":"a%sb"}' % escape)
        assert answer.status == 400 and answer.errors == ["bio: " + SENTENCES["S_F_CONTROL_LINES"]["en"]]
        answer = ada.request("PATCH", "/me", body=b'{"name":"a%sb"}' % escape)
        assert answer.status == 400 and answer.errors == ["name: " + SENTENCES["S_F_CONTROL"]["en"]]


def test_texts_come_back_unchanged(okul, ada):
    text = "".join(map(chr, [9, *range(33, 127), 10, 0xa0, 0xad, 0x200b, 0x202e, 0x2028, 0x2029, 0xfeff, 0xfffd, 0xffff, 0x10ffff,
                             0x1f600])).strip() + "."
    assert ada.patch("/me", {"bio": text}).data["bio"] == text
    assert ada.get("/me").data["bio"] == text


def test_direction_overrides_are_removed_from_a_text_of_one_line(ada):
    """Right-to-left text does not need them, and an override makes "gpj.exe" look like "exe.jpg"."""
    assert ada.patch("/me", {"expertise": "a\u202egpj.exe\u202c \u2068b\u2069"}).data["expertise"] == "agpj.exe b"
    assert ada.patch("/me", {"expertise": "שלום\u200f!"}).data["expertise"] == "שלום\u200f!"


# ---- sizes


def padded(size):
    body = json.dumps({"email": fresh()}).encode()
    return body + b" " * (size - len(body))


def test_a_body_of_one_mebibyte(okul, ada):
    body = b'{"bio":"x"}'
    assert ada.request("PATCH", "/me", body=body.ljust(MIB)).status == 200
    answer = ada.request("PATCH", "/me", body=body.ljust(MIB + 1))
    assert answer.status == 413 and answer.errors == ["The request body is too large"]


@pytest.mark.parametrize("path", [r.path for r in contract.routes if r.json and r.role == "public" and "{" not in r.path])
def test_bodies_of_public_routes_are_limited_to_64_kib(okul, path):
    """With or without a token."""
    for token in (None, "bad"):
        assert okul.request("POST", path, body=b"{}".ljust(KIB64), token=token).status == 400
        answer = okul.request("POST", path, body=b"{}".ljust(KIB64 + 1), token=token)
        assert answer.status == 413 and answer.errors == ["The request body is too large"]


def test_at_most_fifty_errors_are_reported(okul, ada):
    """And a note that there are more. Further errors add nothing to the response."""
    for count, reported in ((49, 49), (50, 50), (51, 51), (5000, 51)):
        body = {"email": fresh()} | {f"k{i:04}": 0 for i in range(count)}
        answer = okul.post(REQUEST, body)
        assert answer.status == 400 and len(answer.errors) == reported
        assert answer.errors[:50] == [f"k{i:04}: is not a known field" for i in range(min(count, 50))]
        if count > 50:
            for language in LANGUAGES:
                assert okul.post(REQUEST, body, language=language).errors[50] == SENTENCES["S_MORE_FAULTS"][language]
    answer = ada.request("PATCH", "/me", body=json.dumps({f"{i:x}": 0 for i in range(90000)}, separators=(",", ":")).encode())
    assert answer.status == 400 and len(answer.errors) == 51 and len(answer.body) < 10000


def test_errors_of_fields_come_before_unknown_fields_and_count_together(boss):
    answer = boss.post("/proficiency-tests", {"title": "", "questions": [{"text": "x", "options": [{}] * 10}] * 60, "zz": 1})
    assert answer.status == 400 and len(answer.errors) == 51
    assert answer.errors[0].startswith("title: ") and answer.errors[1].startswith("targetLanguage: ")
    assert answer.errors[2].startswith("questions[0].options[0].text: ")
    assert answer.errors[50] == SENTENCES["S_MORE_FAULTS"]["en"]


@pytest.mark.parametrize("path, body", [("/contact", {"website": "x"}), ("/auth/otp/request", {"x": 1})])
def test_many_errors_of_the_query_and_some_of_the_body(okul, path, body):
    """The first route has checks beyond its shape, the second has not."""
    answer = okul.post(path + "?" + "&".join(f"k{i}=1" for i in range(200)), body)
    assert answer.status == 400 and len(answer.errors) == 51
    assert answer.errors[0] == "k0: is not a known query parameter" and answer.errors[50] == SENTENCES["S_MORE_FAULTS"]["en"]


def test_a_form_with_many_unknown_fields(boss):
    kind, body = form(*((f"k{i}", "x") for i in range(200)))
    answer = boss.request("POST", "/education-materials", body=body, content_type=kind)
    assert answer.status == 400 and len(answer.errors) == 51


HEAD = f"POST {REQUEST} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n".encode()


def test_a_chunked_body(okul):
    head = HEAD + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    assert okul.raw(head + chunked(padded(9000)), "POST", REQUEST).status == 200
    assert okul.raw(head + chunked(padded(KIB64 + 1)), "POST", REQUEST).status == 413
    assert okul.raw(head + chunked(padded(MIB + 1)), "POST", REQUEST).status == 413


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "99999999999999999999", "1, 2"])
def test_a_malformed_length(okul, length):
    head = HEAD + f"Content-Length: {length}\r\nConnection: close\r\n\r\n".encode()
    answer = okul.raw(head + b"{}", "POST", REQUEST)
    assert answer.status in (400, 413)


def test_incomplete_bodies_do_not_block_other_requests(okul):
    workers = okul.server.workers()
    waiting = []
    for _ in range(12):
        wire = socket.create_connection(("127.0.0.1", okul.server.port))
        wire.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
        waiting.append(wire)
    assert okul.post(REQUEST, {"email": fresh()}).status == 200
    for wire in waiting:
        wire.close()
    assert okul.post(REQUEST, {"email": fresh()}).status == 200
    assert okul.server.workers() == workers


@pytest.mark.parametrize("request_", [
    b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 100000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"x" * 1000) for n in range(200)) + b"\r\n",
    b"GET /" + b"x" * 100000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /?" + b"x" * 100000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
], ids=["one header", "many headers", "path", "query"])
def test_a_request_head_that_is_too_large(okul, request_):
    answer = okul.raw(request_, path="(too large)")
    assert answer.status in (400, 431) and answer.json


@pytest.mark.parametrize("request_",
                         [b"GET / HTTP/1.1\r\n\r\n", b"GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
                          b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n"],
                         ids=["no host", "control character", "bad host"])
def test_malformed_http(okul, request_):
    answer = okul.raw(request_)
    assert answer.status == 400 and answer.json


# ---- headers of every response, as far as okul.check_headers() cannot check them


@pytest.mark.parametrize("path", ["/", "/me", "/auth/nothing", "/nothing", "/swagger/json"])
def test_a_valid_request_id_is_returned(okul, path):
    for id_ in ("abc-123_X.y", "0", "f" * 32, "3f0e7a52-6f4b-4a4b-8c1e-6b7d1b3f9a10"):
        assert okul.get(path, headers={"X-Request-Id": id_}).headers["X-Request-Id"] == id_


@pytest.mark.parametrize("path", ["/", "/me", "/nothing", "/swagger/json"])
def test_an_invalid_request_id_is_replaced(okul, path):
    for id_ in ("", "x" * 1000, '"><script>', "a b", "a\tb", "ü", "a=b status=200"):
        assert okul.get(path, headers={"X-Request-Id": id_.encode()}).headers["X-Request-Id"] != id_
    assert okul.get(path).headers["X-Request-Id"] != okul.get(path).headers["X-Request-Id"], "each request has a different id"


def test_personal_responses_are_not_cached(okul, ada):
    for answer in (ada.get("/me"), ada.get("/me/optional"), ada.get("/auth/sessions"), okul.get("/me"),
                   okul.login().renew()):
        assert re.search("no-store|private", answer.headers["Cache-Control"]), answer.headers["Cache-Control"]


# ---- origins (okul.check_cors() checks the headers of each response, of programs and web server)


PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
UNKNOWN = ["/nothing", "/courses/", "/auth/nothing", "/me/", "/storage/x", "/education-materials/x/y/z", "/health/", "/_error",
           "/_upload", "/_judge", "/admin/dashboard/", "/%zz", "/users/%ff"]


@pytest.mark.parametrize("path", sorted({path_of(r) for r in contract.routes}))
def test_preflight(okul, path):
    for origin in ORIGINS:
        answer = okul.options(path, headers=PREFLIGHT | {"Origin": origin})
        assert answer.status == 204 and "OPTIONS" in answer.headers["Access-Control-Allow-Methods"]
        allowed = {h.strip().lower() for h in answer.headers["Access-Control-Allow-Headers"].split(",")}
        assert {"authorization", "content-type", "accept-language", "if-match", "if-none-match"} <= allowed
        assert "*" not in allowed and int(answer.headers["Access-Control-Max-Age"]) > 0


@pytest.mark.parametrize("path", UNKNOWN)
def test_preflight_of_an_unknown_path(okul, path):
    """The response is an error that the web app can read."""
    for method in ("OPTIONS", "GET", "POST", "PATCH", "DELETE"):
        answer = okul.request(method, path, headers=PREFLIGHT)
        assert answer.status == 404 or "%" in path and answer.status == 400, answer


def test_no_origin_may_call_by_default():
    server = Server("alone", OKUL_WORKERS="1", OKUL_CORS_ORIGINS="")
    okul = Okul(server)
    try:
        ada = okul.login()
        for origin in (ORIGIN, "null", "*"):
            for answer in (okul.get("/", headers={"Origin": origin}), ada.get("/me", headers={"Origin": origin}),
                           okul.options(REQUEST, headers=PREFLIGHT | {"Origin": origin}),
                           okul.get("/nothing", headers={"Origin": origin}),
                           okul.options("/courses/", headers={"Origin": origin})):
                assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
    finally:
        server.stop()


@pytest.mark.parametrize("origin", ["https://evil.example", "http://okul.example", "https://okul.example.evil.example",
                                    "https://xokul.example", "https://okul.exampl", "https://okul.example:8443", "null",
                                    "*", "", "https://okul.example https://admin.okul.example", "HTTPS://okul.example",
                                    "https://admin.okul.example:443", "https://okul.example/", "https://okulxexample"])
def test_other_origins(okul, origin):
    """okul.check_cors() checks that they get no CORS headers."""
    assert okul.get("/me", headers={"Origin": origin}).status == 401
    assert okul.options("/me", headers=PREFLIGHT | {"Origin": origin}).status == 204
    assert okul.get("/nothing", headers={"Origin": origin}).status == 404
    assert okul.upload(("file", "a", png()), headers={"Origin": origin}).status == 401


def test_the_web_server_exposes_what_the_programs_expose():
    headers = re.search(r'"Access-Control-Expose-Headers",\s*"([^"]*)"', (ROOT / "lib/web/send.c").read_text())[1]
    assert headers in (ROOT / "conf/nginx/common.conf").read_text() and headers in (ROOT / "conf/apache/locations.conf").read_text()
