"""Group settings, and `okulctl setting`: any JSON is returned byte by byte, and every version of it is kept."""

import itertools
import json
import os
import subprocess

import pytest

from helpers.contract import LANGUAGES
from helpers.parallel import all_at_once
from helpers.people import superadmin
from helpers.sentences import SENTENCES
from helpers.server import OKULCTL

MAX = 65536
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def boss(okul):
    return okul.staff("admin")


def new_key():
    return f"test.key-{next(numbers)}"


def put(boss, key, value, **more):
    """Sets a value, which is JSON text."""
    head = json.dumps({"key": key} | more)[:-1].encode()
    answer = boss.request("POST", "/settings", body=head + b', "value": ' + value.encode() + b"}")
    assert answer.status == 200, answer
    return answer


def text_in(answer):
    """The raw text of the value in a response body."""
    body = answer.body.decode()
    start = body.index('"value":') + len('"value":')
    ends = [i for i in (body.rfind('},"errors"'), body.rfind(',"description":')) if i >= 0]
    return body[start:min(ends)]


def history(okul, key):
    """The versions of a setting, newest first."""
    rows = [line.split("\t") for line in okul.server.ctl("setting", "history", key).stdout.splitlines()]
    return [dict(zip(rows[0], row)) for row in rows[1:]]


def audit(okul, key):
    rows = [line.split("\t") for line in okul.server.ctl("audit", "--subject", key).stdout.splitlines()]
    return [dict(zip(rows[0], row)) for row in rows[1:]]


# ---- values


@pytest.mark.parametrize("text", [
    "12345678901234567890", "-9007199254740993", "1.10", "1.0", "-0", "-0.0", "1e5", "1E+05", "0.1e-10",
    "123456789012345678901234567890.5", "null", "true", "false", '""', '" white space "', '"\\u0041\\/\\u00e7"', '"\\ud83d\\ude00"', '"ğüşİ😀"', '"\\n\\t\\""',
    "[]", "{}", "[1.10,2.20]", '{ "a" : [ 1 , 2.50 ] ,\n\t"b":null }', '{"b":1,"a":2}', '{"value":1,"key":2}', '[{"value": 12345678901234567890}]',
    "[" * 31 + "]" * 31, '{"<script>":"</script>"}', '{"":0}', '"' + "ğ" * ((MAX - 2) // 2) + '"',
], ids=lambda text: text[:40])
def test_a_value_is_returned_byte_by_byte(okul, boss, text):
    key = new_key()
    answer = put(boss, key, text)
    assert text_in(answer) == text
    assert text_in(okul.get(f"/settings/{key}")) == text
    assert text_in(boss.get(f"/settings/{key}")) == text
    assert okul.server.ctl("setting", "get", key).stdout == text + "\n"


def test_white_space_around_a_value_is_trimmed_and_inside_kept(okul, boss):
    key = new_key()
    assert text_in(put(boss, key, " \t\r\n[ 1 ,\n2 ]\r\n ")) == "[ 1 ,\n2 ]"


def test_the_name_of_the_member_may_be_escaped(okul, boss):
    key = new_key()
    body = '{"\\u0076alue": 1.10, "k\\u0065y": "%s", "description": "\\"value\\": 2"}' % key
    answer = boss.request("POST", "/settings", body=body.encode())
    assert answer.status == 200 and text_in(answer) == "1.10"


def test_64_kib_are_the_limit(okul, boss):
    """For the text as it was sent, escapes and white space included."""
    for text in ('"' + "x" * (MAX - 2) + '"', '"' + "\\u0041" * ((MAX - 2) // 6) + '"', "[" + " " * (MAX - 2) + "]"):
        assert text_in(put(boss, "large", text)) == text
        body = b'{"key":"large","value":' + text[:-1].encode() + b"    " + text[-1:].encode() + b"}"
        answer = boss.request("POST", "/settings", body=body)
        assert answer.status == 400 and answer.errors == ["value: must have at most 65536 bytes as JSON text"], len(text)
    assert text_in(okul.get("/settings/large")) == "[" + " " * (MAX - 2) + "]"


def test_errors_are_in_the_order_of_the_fields(okul, boss):
    answer = boss.post("/settings", {"isPublic": 1, "description": 1, "value": "x" * MAX, "key": "a b"})
    assert answer.status == 400 and [e.partition(":")[0] for e in answer.errors] == ["key", "value", "description", "isPublic"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences(okul, boss, language):
    answer = boss.post("/settings", {"key": "a b", "value": "x" * MAX}, language=language)
    assert answer.errors == ["key: " + SENTENCES["S_F_KEY"][language], "value: " + SENTENCES["S_F_JSON_LONG"][language].replace("%s", str(MAX))]
    assert okul.get("/settings/a+b", language=language).errors == answer.errors[:1]


@pytest.mark.parametrize("value", ["", "nul", "1.", "01", '"\\u0000"', '"\\ud800"', '{"a":1,"a":2}', "[" * 32 + "]" * 32, "1" * 400])
def test_invalid_json(okul, boss, value):
    key = new_key()
    assert boss.request("POST", "/settings", body=f'{{"key":"{key}","value":{value}}}'.encode()).status == 400
    assert okul.get(f"/settings/{key}").status == 404


def test_null_is_a_value_but_a_missing_value_is_an_error(okul, boss):
    key = new_key()
    assert boss.post("/settings", {"key": key, "value": None}).data["value"] is None
    assert okul.get(f"/settings/{key}").data == {"key": key, "value": None}
    answer = boss.post("/settings", {"key": key})
    assert answer.status == 400 and answer.errors == ["value: is required"]


# ---- keys


@pytest.mark.parametrize("key", ["a", "k" * 100, "Home.Title_2-x", "0", "...", "-", "_", "a..b", ".a"])
def test_valid_keys(okul, boss, key):
    put(boss, key, "1")
    assert okul.get(f"/settings/{key}").data == {"key": key, "value": 1}


def test_a_key_may_be_escaped_in_the_path(okul, boss):
    put(boss, "Escaped.key", "1")
    assert okul.get("/settings/%45scaped%2Ekey").data["key"] == "Escaped.key"


def test_keys_are_case_sensitive(okul, boss):
    put(boss, "case", "1")
    put(boss, "Case", "2")
    assert okul.get("/settings/case").data["value"] == 1 and okul.get("/settings/Case").data["value"] == 2
    assert okul.get("/settings/CASE").status == 404


@pytest.mark.parametrize("path, error", [
    ("k" * 101, "key: must have at most 100 characters"), ("a%20b", None), ("a%2Fb", None), ("%C3%A7", None), ("a+b", None),
    ("a:b", None), ("a~", None), ("a@b", None), ("a%0Ab", None), ("%27%22--", None), ("ab%25", None), ("a,b", None), ("a*", None),
])
def test_invalid_keys_in_the_path(okul, boss, path, error):
    error = error or "key: may hold only a-z, A-Z, 0-9, _, - and ., and must not be . or .."
    for caller in (okul, boss):
        answer = caller.get(f"/settings/{path}")
        assert answer.status == 400 and answer.errors == [error]


@pytest.mark.parametrize("path", ["/settings/", "/settings/a/b", "/settings/a/", "/settingsx", "/settings/nothing"])
def test_an_unknown_key(okul, boss, path):
    for caller in (okul, boss):
        assert caller.get(path).status == 404


def test_a_query_parameter_is_an_error(okul, boss):
    put(boss, "query", "1")
    assert okul.get("/settings/query?x=1").status == 400
    assert boss.post("/settings?x=1", {"key": "query", "value": 2}).status == 400
    assert okul.get("/settings/query").data["value"] == 1


# ---- rights


def test_only_admins_see_a_private_setting(okul, boss, ada):
    key = new_key()
    answer = put(boss, key, '"secret"', isPublic=False)
    assert answer.data["isPublic"] is False
    for caller in (okul, ada, okul.login()):
        answer = caller.get(f"/settings/{key}")
        assert answer.status == 404 and answer.errors == okul.get("/settings/nothing").errors
    assert okul.get(f"/settings/{key}", token="bad").status == 404
    for caller in (boss, superadmin(okul)):
        assert caller.get(f"/settings/{key}").data == {"key": key, "value": "secret"}
    put(boss, key, '"secret"', isPublic=True)
    assert okul.get(f"/settings/{key}").status == ada.get(f"/settings/{key}").status == 200


def test_only_admins_set(okul, boss, ada):
    key = new_key()
    put(boss, key, "1")
    assert ada.post("/settings", {"key": key, "value": 2}).status == 403
    assert okul.post("/settings", {"key": key, "value": 2}).status == 401
    assert okul.get(f"/settings/{key}").data["value"] == 1


# ---- changes


def test_a_new_setting_is_public_and_has_no_description(okul, boss):
    key = new_key()
    data = boss.post("/settings", {"key": key, "value": 1}).data
    assert list(data) == ["id", "key", "value", "description", "isPublic", "createdAt", "updatedAt"]
    assert data["isPublic"] is True and data["description"] is None and data["createdAt"] == data["updatedAt"]


def test_omitted_fields_keep_their_values(okul, boss):
    key = new_key()
    first = put(boss, key, "1", description=" what for ", isPublic=False).data
    assert first["description"] == "what for"
    second = put(boss, key, "2").data
    assert second == first | {"value": 2, "updatedAt": second["updatedAt"]} and second["updatedAt"] > first["updatedAt"]
    assert put(boss, key, "2", description=None).data["description"] is None
    assert put(boss, key, "2", description="").data["description"] == ""
    third = put(boss, key, "2", isPublic=True).data
    assert third["isPublic"] is True and third["description"] == "" and third["id"] == first["id"] and third["createdAt"] == first["createdAt"]


def test_every_version_is_kept(okul, boss):
    key, other = new_key(), okul.staff("superadmin")
    put(boss, key, "1.10")
    put(other, key, '{"a": "\\n"}', description="two", isPublic=False)
    okul.server.ctl("setting", "set", key, "[3]", "--public", "--description", "")
    versions = history(okul, key)
    assert [[v[k] for k in ("version", "actor", "public", "description", "value")] for v in versions] == [
        ["3", "operator", "yes", "-", "[3]"], ["2", other.email, "no", "two", '{"a": "\\\\n"}'], ["1", boss.email, "yes", "-", "1.10"]]
    for version, text in (("1", "1.10"), ("2", '{"a": "\\n"}'), ("3", "[3]")):
        assert okul.server.ctl("setting", "get", key, "--version", version).stdout == text + "\n"
    trail = audit(okul, key)
    assert [[t[k] for k in ("actor", "action", "subject", "before", "after")] for t in trail] == [
        ["operator", "setting.changed", key, "-", "value, description, isPublic"],
        [other.email, "setting.changed", key, "-", "value, description, isPublic"], [boss.email, "setting.added", key, "-", "-"]]
    assert {t["subject_id"] for t in trail} == {put(boss, key, "[3]").data["id"]}
    assert okul.server.sql(f"SELECT count(*) FROM setting_version JOIN users ON users.id = actor_id WHERE key = '{key}'").split()[1] == "2"


def test_a_version_outlives_its_author(okul, boss):
    key, other = new_key(), okul.staff("admin")
    put(other, key, "1")
    assert superadmin(okul).delete(f"/users/{other.id}").status == 200
    assert [v["actor"] for v in history(okul, key)] == [other.email]
    assert okul.get(f"/settings/{key}").status == 200


def test_a_post_without_a_change_writes_no_version(okul, boss):
    key = new_key()
    first = put(boss, key, "[1]", description="x", isPublic=False)
    for more in ({}, {"description": "x"}, {"description": " x "}, {"isPublic": False}, {"isPublic": False, "description": "x"}):
        assert put(boss, key, "[1]", **more).data == first.data
    assert len(history(okul, key)) == len(audit(okul, key)) == 1
    put(boss, key, "[1 ]")
    assert len(history(okul, key)) == len(audit(okul, key)) == 2


def test_audit_names_the_changed_fields(okul, boss):
    key = new_key()
    put(boss, key, "1")
    put(boss, key, "2")
    put(boss, key, "2", description="x")
    put(boss, key, "2", isPublic=False)
    put(boss, key, "3", isPublic=True)
    assert [t["after"] for t in audit(okul, key)] == ["value, isPublic", "isPublic", "description", "value", "-"]


def test_parallel_additions_of_one_key(okul, boss):
    for _ in range(3):
        key = new_key()
        answers = all_at_once(20, lambda n: boss.post("/settings", {"key": key, "value": n}))
        assert {a.status for a in answers} == {200}
        assert [a.data["value"] for a in answers] == list(range(20)) and len({a.data["id"] for a in answers}) == 1
        versions = history(okul, key)
        assert [v["version"] for v in versions] == [str(n) for n in range(20, 0, -1)]
        assert sorted(int(v["value"]) for v in versions) == list(range(20))
        assert okul.get(f"/settings/{key}").data["value"] == int(versions[0]["value"])
        assert [t["action"] for t in audit(okul, key)] == ["setting.changed"] * 19 + ["setting.added"]


# ---- okulctl setting


def good(folder, *arguments, **more):
    return folder.good("setting", *arguments, **more)


def bad(folder, code, error, *arguments, **more):
    run = folder.ctl("setting", *arguments, **more)
    assert run.returncode == code and error in run.stderr and run.stdout == "" and run.stderr.count("\n") == 1, run
    assert folder.numbers_of("setting", "setting_version", "audit") == [0, 0, 0]


def test_ctl_set_and_get(folder):
    assert good(folder, "list") == "there is no setting yet; `okulctl setting set` adds one\n"
    assert good(folder, "set", "home.title", '"Hoş geldiniz"') == "home.title: added\n"
    assert good(folder, "set", "home.title", ' "Hoş geldiniz" ') == "home.title: was so already\n"
    assert good(folder, "set", "home.title", '"Merhaba"', "--private", "--description", " Başlık ") == "home.title: changed\n"
    assert good(folder, "get", "home.title") == '"Merhaba"\n'
    assert good(folder, "set", "-", "-1") == "-: added\n" and good(folder, "get", "-") == "-1\n"
    rows = [line.split("\t") for line in good(folder, "list").splitlines()]
    assert rows[0] == ["key", "public", "changed", "description", "value"]
    assert [[r[0], r[1], *r[3:]] for r in rows[1:]] == [["-", "yes", "-", "-1"], ["home.title", "no", "Başlık", '"Merhaba"']]
    assert folder.sql("SELECT actor_id, actor_email, description FROM setting_version ORDER BY pk") == [
        ["NULL", "NULL", "NULL"], ["NULL", "NULL", "Başlık"], ["NULL", "NULL", "NULL"]]
    assert good(folder, "set", "home.title", '"Merhaba"', "--description", "", "--public") == "home.title: changed\n"
    assert folder.sql("SELECT description, is_public FROM setting WHERE key = 'home.title'") == [["NULL", "1"]]


def test_ctl_set_from_file_and_standard_input(folder, tmp_path):
    text = '{ "a": 12345678901234567890,\n\t"b": "\\n" }'
    (tmp_path / "value.json").write_text(f"\n{text}\r\n")
    good(folder, "set", "a", f"@{tmp_path / 'value.json'}")
    assert good(folder, "get", "a") == text + "\n"
    good(folder, "set", "b", "-", input=f"{text}\n".encode())
    assert good(folder, "get", "b") == text + "\n"
    good(folder, "set", "c", "-", input=b" " * MAX + b"[" + b" " * (MAX - 2) + b"]\n")
    assert len(good(folder, "get", "c")) == MAX + 1
    value = good(folder, "list").splitlines()[3].split("\t")[4]
    assert len(value) == 60 and value.startswith("[   ") and value.endswith("…")
    # an old version is restored
    good(folder, "set", "a", "2")
    good(folder, "set", "a", "-", input=good(folder, "get", "a", "--version", 1).encode())
    assert good(folder, "get", "a") == text + "\n"
    assert [line.split("\t")[0] for line in good(folder, "history", "a").splitlines()] == ["version", "3", "2", "1"]


@pytest.mark.parametrize("value, error", [
    ("hello", "hello is not JSON; if a text is meant, put it in quotes: '\"hello\"'"),
    ("Hoş geldiniz", "put it in quotes: '\"Hoş geldiniz\"'"),
    ("", "the value is empty; for an empty text use '\"\"', for no value null"), ("  ", "the value is empty"),
    ("{a:1}", "the value is not JSON, at byte 2; the shell takes quotes away"), ("'a'", "the value is not JSON, at byte 1"),
    ("x" * 61, "the value is not JSON, at byte 1; the shell takes"), ("[1,]", "at byte 4"), ('"\\u0000"', "has a NUL character in a text"),
    ('{"a":1,"a":2}', "names a key twice"), ("[" * 32 + "]" * 32, "is nested too deep"), (b'"\xff"', "is not UTF-8"),
    ('"' + "x" * (MAX - 1) + '"', "has more than 65536 bytes"), ("@nowhere.json", "nowhere.json: No such file"), ("@/", "/: Is a directory"),
    ("@", "No such file"),
], ids=lambda text: repr(text)[:40])
def test_ctl_set_rejects_values(folder, value, error):
    if isinstance(value, bytes):
        run = subprocess.run([OKULCTL, b"-d", os.fsencode(folder.data), b"setting", b"set", b"a", value], env=folder.environment,
                             capture_output=True, timeout=60)
        assert run.returncode == 65 and error in run.stderr.decode()
    else:
        bad(folder, 65, error, "set", "a", value)


@pytest.mark.parametrize("text, error", [(b"", "is empty"), (b"hello", "is not JSON, at byte 1\n"), (b'"a\0b"', "is not JSON"),
                                        (b"1" * (3 * MAX), "has more than 65536 bytes")], ids=range(4))
def test_ctl_set_rejects_values_from_standard_input(folder, tmp_path, text, error):
    (tmp_path / "value.json").write_bytes(text)
    bad(folder, 65, error, "set", "a", f"@{tmp_path / 'value.json'}")


def test_ctl_set_has_the_depth_limit_of_the_api(folder):
    good(folder, "set", "a", "[" * 31 + "]" * 31)


@pytest.mark.parametrize("key", ["", "a b", "ç", "a/b", ".", "..", "k" * 101])
def test_ctl_keys(folder, key):
    for arguments in (("set", key, "1"), ("get", key), ("history", key)):
        bad(folder, 65, "is not a key of a setting: it has 1 to 100 of", *arguments)


@pytest.mark.parametrize("arguments", [
    ("list", "x"), ("get",), ("get", "a", "b"), ("get", "--x"), ("get", "a", "--version"), ("get", "a", "--version", "0"),
    ("get", "a", "--version", "x"), ("get", "a", "--x", "1"), ("history",), ("history", "a", "b"), ("history", "--x"), ("set",), ("set", "a"),
    ("set", "--private", "a", "1"), ("set", "a", "--private", "1"), ("set", "a", "1", "2"), ("set", "a", "1", "--public", "--private"),
    ("set", "a", "1", "--public", "--public"),
])
def test_ctl_usage(folder, arguments):
    bad(folder, 64, "okulctl: ", *arguments)


@pytest.mark.parametrize("option", ["--nonsense", "--description", "-x"])
def test_ctl_set_rejects_options(folder, option):
    run = folder.ctl("setting", "set", "a", "1", option)
    assert run.returncode == 64 and run.stderr.startswith("set: ") and "setting set --help" in run.stderr
    assert folder.numbers_of("setting") == [0]


def test_ctl_description_has_limits(folder):
    good(folder, "set", "a", "1", "--description", "ğ" * 500)
    run = folder.ctl("setting", "set", "a", "1", "--description", "ğ" * 501)
    assert run.returncode == 65 and "--description has more than 500 characters" in run.stderr
    run = folder.ctl("setting", "set", "a", "1", "--description", b"\xff".decode("utf-8", "surrogateescape"))
    assert run.returncode == 65 and "--description is not UTF-8" in run.stderr
    assert folder.numbers_of("setting_version") == [1]


def test_ctl_reports_an_unknown_key(folder):
    bad(folder, 65, "there is no setting a; `okulctl setting list` lists them", "get", "a")
    bad(folder, 65, "there has never been a setting a; `okulctl setting list` lists them", "history", "a")
    good(folder, "set", "a", "1")
    run = folder.ctl("setting", "get", "a", "--version", 2)
    assert run.returncode == 65 and "a has no version 2; `okulctl setting history a` lists them" in run.stderr


def test_admins_list_settings_and_their_history(okul, boss):
    keys = sorted(new_key() for _ in range(3))
    for key in reversed(keys):
        put(boss, key, '"first"', description="greets", isPublic=False)
    put(boss, keys[0], '{"n": 1.10}')
    pages = [boss.get("/settings?limit=100")]
    while len(pages) < pages[0].data["pagination"]["totalPages"]:
        pages.append(boss.get(f"/settings?limit=100&page={len(pages) + 1}"))
    mine = [one for page in pages for one in page.data["items"] if one["key"] in keys]
    assert [one["key"] for one in mine] == keys
    assert mine[1]["value"] == "first" and mine[1]["description"] == "greets" and mine[1]["isPublic"] is False
    assert any(b'{"n": 1.10}' in page.body for page in pages), "values are kept byte by byte"
    seen = boss.get(f"/settings/{keys[0]}/history").data
    assert seen["pagination"]["total"] == 2
    assert [(one["version"], one["actorId"], one["actorEmail"]) for one in seen["items"]] == [(2, boss.id, boss.email), (1, boss.id, boss.email)]
    assert boss.get(f"/settings/{keys[0]}/history?limit=1&page=2").data["items"][0]["value"] == "first"
    okul.server.ctl("setting", "set", keys[0], "3")
    assert boss.get(f"/settings/{keys[0]}/history").data["items"][0] | {"changedAt": None} == {
        "version": 3, "value": 3, "description": "greets", "isPublic": False, "changedAt": None, "actorId": None, "actorEmail": None}
    assert boss.get(f"/settings/{new_key()}/history").status == 404
    assert boss.get("/settings/no!key/history").status == 400


def test_ctl_history_outlives_the_setting(folder):
    good(folder, "set", "a", "1")
    folder.sql("DELETE FROM setting")
    assert folder.ctl("setting", "get", "a").returncode == 65
    assert good(folder, "get", "a", "--version", 1) == "1\n"
    good(folder, "set", "a", "2")
    assert [line.split("\t")[0] for line in good(folder, "history", "a").splitlines()[1:]] == ["2", "1"]


@pytest.mark.parametrize("name", ["setting list", "setting get", "setting set", "setting history"])
def test_ctl_help(folder, name):
    assert f"\n  {name}  " in folder.good("--help").replace("   ", "  ")
    text = folder.good(*name.split(), "--help")
    assert text.startswith(f"usage: okulctl [-d DATA] {name}") and len(text.splitlines()) > 3
    run = folder.ctl(*name.split(), "--nonsense")
    assert run.returncode == 64 and run.stderr and not run.stdout
