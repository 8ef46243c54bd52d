"""The page at /api/docs: it has every group, and every curl command on it can be pasted into a shell unchanged."""

import html
import json
import os
import re
import subprocess
from urllib.parse import urlencode

import pytest

from helpers import contract
from helpers.reference import Articles, OPERATIONS, PAGE
from helpers.routes import path_of
from helpers.samples import pdf, png
from helpers.server import BUILD

# Examples contain ids and codes that do not exist, which causes these statuses; other errors would be reported first.
ANSWERS = {
    "postAuthOtpVerify": 400, "postApiV1AuthVerifyOtpEmail": 400, "postAuthRefresh": 401, "postApiV1AuthRefresh": 401,
    "postApiV1AuthRevokeToken": 404, "postProficiencyTestsIdSubmit": 400, "patchProficiencyTestsAttemptsId": 400,
    "postAuthSetup": 409, "deleteApiV1UsersMeAccountDeletion": 409, "postEducationMaterialsIdAssign": 404,
}


def test_the_page_lists_all_groups_in_their_order():
    groups = [html.unescape(g) for g in re.findall(r'<a class="?group"?[^>]*>([^<]+)<', PAGE)]
    assert groups.pop(0) == "Start here"
    assert groups == sorted(p.stem for p in BUILD.glob("*.fcgi"))
    assert set(groups) == {r.program for r in contract.routes}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("paste")
    (folder / "photo.png").write_bytes(png())
    (folder / "lesson.pdf").write_bytes(pdf())
    return folder


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_curl_can_be_pasted(okul, folder, name):
    method, path, operation = OPERATIONS[name]
    route = next(r for r in contract.routes if (r.method, r.path) == (method.upper(), path))
    boss = okul.staff("superadmin")
    given = re.fullmatch(re.sub(r"{(\w+)}", lambda m: f"(?P<{m[1].upper()}>[^/]+)", path), path_of(okul, route, boss)).groupdict()
    if name == "getStorageFilesKey":    # a public file, which needs no token
        given["KEY"] = boss.upload(png(), "photo.png", ("folder", "public")).data["key"]
    okul.server.sql("DELETE FROM event WHERE subject = 'user@example.com'; DELETE FROM login_code WHERE email = 'user@example.com'")
    lines = Articles(PAGE).of[name][0]
    site = "http://127.0.0.1:8080"
    assert lines.count(site) == 1
    done = subprocess.run(["bash", "-euc", lines.replace(site, f"http://127.0.0.1:{okul.server.port}") + r" -w '\n%{http_code}'"],
                          capture_output=True, timeout=30, cwd=folder, env={"PATH": os.environ["PATH"], "TOKEN": boss.token} | given)
    assert done.returncode == 0 and not done.stderr, done.stderr
    body, _, status = done.stdout.rpartition(b"\n")
    assert int(status) == ANSWERS.get(name, route.status), body[:500]
    if int(status) >= 400 and "requestBody" in operation:
        errors = json.loads(body)["errors"]
        assert len(errors) == 1 and not any(word in errors[0] for word in ("not a known field", "is required", "must be")), errors


@pytest.mark.parametrize("name", [n for n, (_, _, op) in OPERATIONS.items() if any(p.get("in") == "query" for p in op["parameters"])])
def test_examples_of_queries_are_accepted(okul, name):
    """Each parameter by itself, and all together."""
    method, path, operation = OPERATIONS[name]
    route = next(r for r in contract.routes if (r.method, r.path) == (method.upper(), path))
    boss = okul.staff("superadmin")
    given = {p["name"]: p["example"] for p in operation["parameters"] if p.get("in") == "query"}
    assert set(given) == set(route.query)
    for query in (*({k: v} for k, v in given.items()), given):
        answer = boss.request(method.upper(), path_of(okul, route, boss) + "?" + urlencode(query))
        assert answer.status == route.status, (query, answer)


@pytest.mark.parametrize("name", [n for n, (_, _, op) in OPERATIONS.items() if len(op.get("requestBody", {}).get("content", {})) > 1])
def test_examples_of_json_instead_of_a_form_are_accepted(okul, name):
    method, path, operation = OPERATIONS[name]
    route = next(r for r in contract.routes if (r.method, r.path) == (method.upper(), path))
    boss = okul.staff("superadmin")
    body = operation["requestBody"]["content"]["application/json"]["example"]
    assert boss.request(method.upper(), path_of(okul, route, boss), body).status == route.status


def test_every_exception_is_needed():
    later = {name for name in ANSWERS if "Education" in name and not (BUILD / "materials.fcgi").exists()}
    assert ANSWERS.keys() - later <= OPERATIONS.keys()
