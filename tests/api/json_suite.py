"""The cases of JSONTestSuite (Nicolas Seriot, "Parsing JSON is a Minefield"), each as the value of a setting, which
must come back byte by byte, and as a whole body; long numbers, and byte order marks."""

import itertools
import json

import pytest

from helpers.client import form

MARK = b"\xef\xbb\xbf"
numbers = itertools.count(1)

# every parser must accept these ...
GOOD = [
    b'["\\\\u0000"]',
    b'[[]   ]', b'[""]', b'[]', b'["a"]', b'[false]', b'[null, 1, "1", {}]', b'[null]', b'[1\n]', b' [1]',
    b'[1,null,null,null,2]', b'[2] ', b'[123e65]', b'[0e+1]', b'[0e1]', b'[ 4]',
    b'[-0.000000000000000000000000000000000000000000000000000000000000000000000000000001]\n', b'[20e1]', b'[-0]',
    b'[-123]', b'[-1]', b'[1E22]', b'[1E-2]', b'[1E+2]', b'[123e45]', b'[123.456e78]', b'[1e-2]', b'[1e+2]', b'[123]',
    b'[123.456789]', b'{"asd":"sdf", "dfg":"fgh"}', b'{"asd":"sdf"}', b'{}', b'{"":0}',
    b'{ "min": -1.0e+28, "max": 1.0e+28 }',
    b'{"x":[{"id": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}], "id": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}',
    b'{"a":[]}',
    b'{"title":"\\u041f\\u043e\\u043b\\u0442\\u043e\\u0440\\u0430 \\u0417\\u0435\\u043c\\u043b\\u0435\\u043a\\u043e\\u043f\\u0430" }',
    b'{\n"a": "b"\n}', b'["\\u0060\\u012a\\u12AB"]', b'["\\uD801\\udc37"]', b'["\\ud83d\\ude39\\ud83d\\udc8d"]',
    b'["\\"\\\\\\/\\b\\f\\n\\r\\t"]', b'["\\""]', b'["a/*b*/c/*d//e"]', b'["\\\\a"]', b'["\\\\n"]', b'["\\u0012"]',
    b'["\\uFFFF"]', b'["asd"]', b'[ "asd"]', b'["\\uDBFF\\uDFFF"]', b'["new\\u00A0line"]', b'["\xf4\x8f\xbf\xbf"]',
    b'["\xef\xbf\xbf"]', b'["\\u002c"]', b'["\xcf\x80"]', b'["\xf0\x9b\xbf\xbf"]', b'["asd "]', b'" "',
    b'["\\uD834\\uDd1e"]', b'["\\u0821"]', b'["\\u0123"]', b'["\xe2\x80\xa8"]', b'["\xe2\x80\xa9"]',
    b'["\\u0061\\u30af\\u30EA\\u30b9"]', b'["new\\u000Aline"]', b'["\x7f"]', b'["\\uA66D"]', b'["\\u005C"]',
    b'["\xe2\x8d\x82\xe3\x88\xb4\xe2\x8d\x82"]', b'["\\uDBFF\\uDFFE"]', b'["\\uD83F\\uDFFE"]', b'["\\u200B"]',
    b'["\\u2064"]', b'["\\uFDD0"]', b'["\\uFFFE"]', b'["\\u0022"]', b'["\xe2\x82\xac\xf0\x9d\x84\x9e"]', b'["a\x7fa"]',
    b'false', b'42', b'-0.1', b'null', b'"asd"', b'true', b'""', b'["a"]\n', b'[true]', b' [] ',
]

# ... except what the contract rejects: duplicate keys, and NUL
REFUSED = [
    b'{"foo\\u0000bar": 42}', b'["\\u0000"]', b'{"a":"b","a":"b"}', b'{"a":"b","a":"c"}',
]

# every parser must reject these
BAD = [
    b'[1 true]', b'[a\xe5]', b'["": 1]', b'[""],', b'[,1]', b'[1,,2]', b'["x",,]', b'["x"]]', b'["",]', b'["x"', b'[x',
    b'[3[4]]', b'[\xff]', b'[1:2]', b'[,]', b'[-]', b'[   , ""]', b'["a",\n4\n,1,', b'[1,]', b'[1,,]', b'["\x0ba"\\f]',
    b'[*]', b'[""', b'[1,', b'[1,\n1\n,1', b'[{}', b'[fals]', b'[nul]', b'[tru]', b'123\x00', b'[++1234]', b'[+1]',
    b'[+Inf]', b'[-01]', b'[-1.0.]', b'[-2.]', b'[-NaN]', b'[.-1]', b'[.2e-3]', b'[0.1.2]', b'[0.3e+]', b'[0.3e]',
    b'[0.e1]', b'[0E+]', b'[0E]', b'[0e+]', b'[0e]', b'[1.0e+]', b'[1.0e-]', b'[1.0e]', b'[1 000.0]', b'[1eE2]',
    b'[2.e+3]', b'[2.e-3]', b'[2.e3]', b'[9.e+]', b'[Inf]', b'[NaN]', b'[\xef\xbc\x91]', b'[1+2]', b'[0x1]', b'[0x42]',
    b'[Infinity]', b'[0e+-1]', b'[-123.123foo]', b'[123\xe5]', b'[1e1\xe5]', b'[0\xe5]\n', b'[-Infinity]', b'[-foo]',
    b'[- 1]', b'[-012]', b'[-.123]', b'[-1x]', b'[1ea]', b'[1e\xe5]', b'[1.]', b'[.123]', b'[1.2a-3]',
    b'[1.8011670033376514H-308]', b'[012]', b'["x", truth]', b'{[: "x"}\n', b'{"x", null}', b'{"x"::"b"}',
    b'{\xf0\x9f\x87\xa8\xf0\x9f\x87\xad}', b'{"a":"a" 123}', b"{key: 'value'}", b'{"\xb9":"0",}', b'{"a" b}',
    b'{:"b"}', b'{"a" "b"}', b'{"a":', b'{"a"', b'{1:1}', b'{9999E9999:1}', b'{null:null,null:null}', b'{"id":0,,,,,}',
    b"{'a':0}", b'{"id":0,}', b'{"a":"b"}/**/', b'{"a":"b"}/**//', b'{"a":"b"}//', b'{"a":"b"}/',
    b'{"a":"b",,"c":"d"}', b'{a: "b"}', b'{"a":"a', b'{ "foo" : "bar", "a" }', b'{"a":"b"}#', b' ', b'["\\uD800\\"]',
    b'["\\uD800\\u"]', b'["\\uD800\\u1"]', b'["\\uD800\\u1x"]', b'[\xc3\xa9]', b'["\\\x00"]', b'["\\x00"]',
    b'["\\\\\\"]', b'["\\\t"]', b'["\\\xf0\x9f\x8c\x80"]', b'["\\"]', b'["\\u00A"]', b'["\\uD834\\uDd"]',
    b'["\\uD800\\uD800\\x"]', b'["\\u\xe5"]', b'["\\a"]', b'["\\uqqqq"]', b'["\\\xe5"]', b'[\\u0020"asd"]', b'[\\n]',
    b'"', b"['single quote']", b'abc', b'["\\', b'["a\x00a"]', b'["new\nline"]', b'["\t"]', b'"\\UA66D"', b'""x',
    b'[\xe2\x81\xa0]', b'\xef\xbb\xbf', b'<.>', b'[<null>]', b'[1]x', b'[1]]', b'["asd]', b'a\xc3\xa5', b'[True]',
    b'1]', b'{"x": true,', b'[][]', b']', b'\xef\xbb{}', b'\xe5', b'[', b'', b'[\x00]', b'2@', b'{}}', b'{"":',
    b'{"a":/*comment*/"b"}', b'{"a": true} "x"', b"['", b'[,', b'[{', b'["a', b'["a"', b'{', b'{]', b'{,', b'{[',
    b'{"a', b"{'a'", b'["\\{["\\{["\\{["\\{', b'\xe9', b'*', b'{"a":"b"}#{}', b'[\\u000A""]', b'[1', b'[ false, nul',
    b'[ true, fals', b'[ false, tru', b'{"asd":"asd"', b'\xc3\xa5', b'[\x0c]',
    b"[" * 100000, b'[{"":' * 50000 + b"\n",
]


@pytest.fixture(scope="module")
def boss(okul):
    return okul.staff("admin")


def put(boss, value, mark=b""):
    """Sets a new setting to a value given as JSON text."""
    key = f"suite.{next(numbers)}"
    answer = boss.request("POST", "/settings", body=mark + b'{"key":"%s","value":%s}' % (key.encode(), value))
    return key, answer


def text_in(answer):
    """The text of the value in the body of GET /settings/{key}."""
    start = answer.body.index(b'"value":') + len(b'"value":')
    return answer.body[start:answer.body.rindex(b'},"errors"')]


@pytest.mark.parametrize("text", GOOD, ids=repr)
def test_valid_json_comes_back_unchanged(okul, boss, text):
    key, answer = put(boss, text)
    assert answer.status == 200, answer
    assert text_in(okul.get(f"/settings/{key}")) == text.strip()


@pytest.mark.parametrize("text", BAD + REFUSED, ids=lambda text: repr(text[:60]))
def test_invalid_json_is_rejected(okul, boss, text):
    key, answer = put(boss, text)
    assert answer.status == 400, answer
    assert okul.get(f"/settings/{key}").status == 404
    answer = okul.request("POST", "/auth/otp/request", body=text)
    # an empty body may be rejected for its missing content type
    assert answer.status in ((400, 415) if not text else (400, 413) if len(text) > 65536 else (400,)), answer


@pytest.mark.parametrize("text, number", [
    (b"-0." + b"0" * 77 + b"1", -1e-78), (b"0." + b"3" * 700, 1 / 3), (b"1" + b"0" * 100, 1e100), (b"1" * 308, float("1" * 308)),
    (b"[" + b"9" * 64 + b',"x",0.' + b"0" * 70 + b"7," + b"1." + b"5" * 80 + b"e-3]", None), (b"0." + b"0" * 1197 + b"1", 0),
])
def test_a_long_number(okul, boss, text, number):
    key, answer = put(boss, text)
    assert answer.status == 200 and text_in(okul.get(f"/settings/{key}")) == text
    if number is not None:
        body = b'{"title":"x","language":"tr","price":%s}' % text.lstrip(b"-")
        answer = boss.request("POST", "/courses", body=body)
        assert answer.status == (201 if abs(number) <= 1e9 else 400)
        assert answer.status == 400 or answer.data["price"] == abs(number)


@pytest.mark.parametrize("text", [b"1" * 400, b"0." + b"0" * 1198 + b"1", b"1e400", b"0." + b"1" * 100 + b"e310"])
def test_a_number_that_is_too_large_or_too_long(boss, text):
    assert put(boss, text)[1].status == 400


def test_one_byte_order_mark_is_ignored(okul, boss):
    key, answer = put(boss, b"[1.50]", mark=MARK)
    assert answer.status == 200 and text_in(okul.get(f"/settings/{key}")) == b"[1.50]"
    assert put(boss, b"1", mark=MARK + MARK)[1].status == 400
    assert put(boss, b"1", mark=b" " + MARK)[1].status == 400
    assert put(boss, MARK + b"1")[1].status == 400
    for body in (MARK, MARK + b" ", MARK + b"[]", b"\xef\xbb{}"):
        assert okul.request("POST", "/auth/otp/request", body=body).status == 400
    answer = okul.request("POST", "/auth/otp/request", body=MARK + json.dumps({"email": "mark@example.com"}).encode())
    assert answer.status == 200


def test_a_byte_order_mark_before_json_in_a_form(okul, boss):
    """A field of a form that contains JSON, and a text field."""
    kind, body = form(("title", "\ufeffMarked"), ("locale", "tr"),
                      ("videos", '\ufeff[{"title":"a","url":"https://example.com/a"}]'))
    answer = boss.request("POST", "/education-materials", body=body, content_type=kind)
    assert answer.status == 201, answer
    assert answer.data["title"] == "Marked" and answer.data["videos"][0]["title"] == "a"


def test_the_root_is_the_first_of_32_levels(boss):
    """The object of the request is one level more than those of the value."""
    assert put(boss, b"[" * 31 + b"]" * 31)[1].status == 200
    assert put(boss, b'{"a":' * 30 + b"[]" + b"}" * 30)[1].status == 200
    answer = put(boss, b"[" * 32 + b"]" * 32)[1]
    assert answer.status == 400 and "32" in answer.errors[0]
