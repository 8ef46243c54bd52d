"""Group storage: what may be uploaded, the responses, and who may download files."""

import contextlib
import hashlib
import json
import os
import re
import resource
import socket
import subprocess
import time
import urllib.parse
from datetime import datetime, timezone

import pytest

from helpers import contract
from helpers.cgi import cgi, parse_cgi
from helpers.client import Closing, Okul, chunked, faults, form, unique_keys
from helpers.parallel import while_it_waits
from helpers.samples import mp4, pdf, png
from helpers.server import BUILD, ROOT, Server, files, fresh, until
from helpers.uploads import path_of, uploaded

MIB = 1 << 20
SAMPLES = {p.name: p.read_bytes() for p in (ROOT / "tests/unit/media").iterdir() if p.is_file()}
URL = re.compile(r"http://127\.0\.0\.1:\d+(/storage/files/[^?]+)(?:\?expires=(\d+)&signature=([0-9a-f]{64}))?")


@pytest.fixture(scope="module")
def small():
    """A server with small limits and quotas, whose clock the tests set forward."""
    server = Server("small", OKUL_WORKERS="1", OKUL_UPLOAD_LIMIT="1", OKUL_UPLOAD_REQUEST_LIMIT="2", OKUL_STORAGE_USER_QUOTA="2",
                    OKUL_STORAGE_TOTAL_QUOTA="8")
    yield Okul(server)
    server.stop()


@pytest.fixture(scope="module")
def itself():
    """A server whose programs send files themselves (OKUL_DELIVERY=itself)."""
    server = Server("itself", OKUL_WORKERS="2", OKUL_DELIVERY="itself")
    yield Okul(server)
    server.stop()


# ---- the response


@pytest.mark.parametrize("make, mime, extension", [(png, "image/png", "png"), (pdf, "application/pdf", "pdf"), (mp4, "video/mp4", "mp4")])
def test_upload(okul, make, mime, extension):
    ada, content, before = okul.registered(), make(), time.time()
    answer = uploaded(ada, content, name="what the client says.txt")
    data = answer.data
    assert list(data) == [f.name for f in contract.shapes["UploadFileResponseDto"]]
    assert data["key"] == f"{data['id']}.{extension}" and data["mimeType"] == mime
    assert data["size"] == len(content) and data["sha256"] == hashlib.sha256(content).hexdigest()
    assert data["fileName"] == f"what the client says.{extension}" and data["isPublic"] is False
    path, expires, signature = URL.fullmatch(data["url"]).groups()
    assert path == f"/storage/files/{data['key']}" and signature
    assert before + 899 <= int(expires) <= time.time() + 900
    assert files(okul.server)[data["sha256"]].read_bytes() == content
    assert okul.get(path_of(answer)).body == content


@pytest.mark.parametrize("given, kept", [
    ("C:\\Users\\ada\\ödev.png", "ödev.png"), ("../../etc/passwd", "passwd.png"), ("", "file.png"), ("..", "file.png"), ("a/", "file.png"),
    ("ğ" * 300 + ".png", "ğ" * 251 + ".png"), ("%22quoted%22.png", '"quoted".png'), ("<script>.html", "<script>.png"),
    ("a;b=c.png", "a;b=c.png"), ("odev.hta", "odev.png"), ("Foto.PNG", "Foto.PNG"), ("a\u202egnp.exe", "agnp.png"),
    (b"\xd6\xf0renci \xfe\xfd\xde.png".decode(errors="surrogateescape"), "Öğrenci şıŞ.png"),
])
def test_the_name_is_the_last_segment_of_the_clients_path(okul, given, kept):
    answer = uploaded(okul.registered(), name=given)
    assert answer.data["fileName"] == kept
    got = okul.get(path_of(answer))
    assert got.status == 200
    header = re.search(r"filename\*=UTF-8''(\S+)|filename=\"(.*?)\"", got.headers["Content-Disposition"])
    whole = re.search(r"filename\*=UTF-8''(\S+)$", got.headers["Content-Disposition"])
    assert urllib.parse.unquote(whole[1]) if whole else header[2] == kept


def test_folders(okul):
    ada, boss = okul.registered(), okul.staff("admin")
    assert uploaded(ada, None, ("folder", "private")).data["isPublic"] is False
    answer = ada.upload(png(), "a.png", ("folder", "public"))
    assert answer.status == 403, answer
    answer = uploaded(boss, None, ("folder", "public"))
    assert answer.data["isPublic"] is True and URL.fullmatch(answer.data["url"])[2] is None
    # the parts may be in any order
    kind, body = form(("folder", "public"), ("file", "a.png", png()))
    assert boss.request("POST", "/storage/upload", body=body, content_type=kind).data["isPublic"] is True


def test_a_forbidden_upload_leaves_nothing(okul):
    ada, content = okul.registered(), png()
    assert ada.upload(content, "a.png", ("folder", "public")).status == 403
    assert hashlib.sha256(content).hexdigest() not in files(okul.server)


def test_the_same_bytes_are_stored_once(okul):
    ada, bob, content = okul.registered(), okul.registered(), png()
    first, second = uploaded(ada, content), uploaded(bob, content, name="other.png")
    assert first.data["key"] != second.data["key"] and first.data["sha256"] == second.data["sha256"]
    assert okul.server.sql(f"SELECT count(*) FROM file WHERE sha256 = '{first.data['sha256']}'").split()[1:] == ["2"]
    assert [n for n in files(okul.server) if n == first.data["sha256"]] == [first.data["sha256"]]
    assert okul.get(path_of(second)).body == content
    assert bob.get(f"/storage/files/{first.data['key']}").status == 404, "equal bytes give no access to the other row"


# ---- invalid uploads


WRONG = {
    "zero bytes": ([("file", "a.png", b"")], 400, ["file"]),
    "no file": ([("folder", "private")], 400, ["file"]),
    "two files": ([("file", "a.png", png()), ("file", "b.png", png())], 400, ["file"]),
    "an unknown field": ([("file", "a.png", png()), ("title", "x")], 400, ["title"]),
    "an unknown file": ([("file", "a.png", png()), ("photo", "b.png", png())], 400, ["photo"]),
    "an unknown folder": ([("file", "a.png", png()), ("folder", "secret")], 400, ["folder"]),
    "an empty folder": ([("file", "a.png", png()), ("folder", "")], 400, ["folder"]),
    "folder twice": ([("file", "a.png", png()), ("folder", "private"), ("folder", "private")], 400, ["folder"]),
    "a field that is too long": ([("file", "a.png", png()), ("folder", "x" * (256 * 1024 + 1))], 400, ["folder"]),
    "several at once": ([("file", "a.png", b""), ("x", "y"), ("folder", "z")], 400, ["file", "x", "folder"]),
    "text": ([("file", "a.png", b"hello")], 415, ["file"]),
    "a page": ([("file", "a.png", b"<!doctype html><script>alert(1)</script>")], 415, ["file"]),
    "a drawing": ([("file", "a.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>')], 415, ["file"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_invalid_forms_are_refused_and_leave_nothing(okul, case):
    parts, status, names = WRONG[case]
    ada, before = okul.registered(), set(files(okul.server))
    answers = [okul.upload(*parts, token=ada.token, language=language) for language in contract.LANGUAGES]
    for answer in answers:
        faults(answer, status, *names)
    assert len({tuple(a.errors) for a in answers}) == 4, "in the caller's language"
    assert set(files(okul.server)) == before
    assert okul.server.sql(f"SELECT count(*) FROM file WHERE owner = (SELECT pk FROM users WHERE id = '{ada.id}')").split()[1] == "0"


def body_cases():
    kind, body = form(("file", "a.png", png()), boundary="xyz")
    yield "no type", None, body, 415
    yield "json", "application/json", b"{}", 415
    yield "another form", "application/x-www-form-urlencoded", b"file=a", 415
    yield "mixed", "multipart/mixed; boundary=xyz", body, 415
    yield "no boundary", "multipart/form-data", body, 400
    yield "an empty boundary", "multipart/form-data; boundary=", body, 400
    yield "another boundary", "multipart/form-data; boundary=zyx", body, 400
    yield "no end", kind, body[:-10], 400
    yield "no body", kind, b"", 400
    yield "a field with a NUL", *form(("file", "a.png", png()), ("folder", b"a\0b")), 400
    yield "a field that is no UTF-8", *form(("file", "a.png", png()), ("folder", b"\xff")), 400


@pytest.mark.parametrize("case", list(body_cases()), ids=lambda c: c[0])
def test_malformed_forms(okul, case):
    _, kind, body, status = case
    before = set(files(okul.server))
    answer = okul.registered().request("POST", "/storage/upload", body=body, content_type=kind)
    assert answer.status == status, answer
    assert len(answer.errors) == 1 and not answer.errors[0].startswith("folder:"), answer
    assert set(files(okul.server)) == before


def test_a_field_is_read_up_to_its_limit(okul):
    ada = okul.registered()
    for length, words in ((262144, "must be one of"), (262145, "must have at most 262144")):
        answer = ada.upload(png(), "a.png", ("folder", "x" * length))
        faults(answer, 400, "folder")
        assert words in answer.errors[0]


def test_limits(small):
    ada = small.registered()
    assert ada.upload(mp4(MIB)).status == 201, "a file of exactly the limit"
    answers = [ada.okul.upload(("file", "a", mp4(MIB + 1)), token=ada.token, language=language) for language in contract.LANGUAGES]
    for answer in answers:
        faults(answer, 413, "file")
        assert "1 MiB" in answer.errors[0]
    assert len({a.errors[0] for a in answers}) == 4
    # over the limit of a request: the web server rejects it, before any program checks the token
    assert small.upload(("file", "a", mp4(3 * MIB))).status == 413
    # far over the limit of a file, within that of a request: the program responds without reading the whole body
    assert ada.upload(mp4(2 * MIB - 4096)).status == 413


def test_the_order_of_the_checks(okul):
    """Token, registration, content type, fields: the first error determines the response."""
    assert okul.upload(("file", "a", b"")).status == 401
    assert okul.request("POST", "/storage/upload", body=b"{}", token="x.y.z").status == 401
    new = okul.login()
    assert new.upload(b"").status == 403
    assert new.request("POST", "/storage/upload", body=b"{}").status == 403
    assert okul.registered().request("POST", "/storage/upload", body=b"{}").status == 415


def test_a_chunked_body(okul):
    """Without Content-Length, as from a pipe: the web server counts the bytes before it forwards the body."""
    ada, content = okul.registered(), mp4(300_000)
    kind, body = form(("file", "a.mp4", content))
    head = (f"POST /storage/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ada.token}\r\nContent-Type: {kind}\r\n"
            "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n").encode()
    answer = okul.raw(head + chunked(body), "POST", "/storage/upload")
    assert answer.status == 201 and answer.data["sha256"] == hashlib.sha256(content).hexdigest()
    assert okul.raw(head + chunked(body[:-30]), "POST", "/storage/upload").status == 400


def test_a_large_anonymous_body_gets_its_response(okul):
    """The worker responds without reading 20 MiB, and the client receives the response."""
    for _ in range(3):
        assert okul.upload(("file", "a", mp4(20 * MIB))).status == 401
        assert okul.get("/storage/files/x").status == 404


def test_no_descriptor_leaks(small):
    """After requests of every outcome, the worker has as many descriptors as before."""
    ada, (worker,) = small.registered(), small.server.workers("storage")

    def count():
        return len(os.listdir(f"/proc/{worker}/fd"))

    def all_outcomes():
        for content, fields in ((png(), ()), (b"", ()), (b"x", ()), (mp4(MIB + 1), ()), (png(), [("folder", "x")]),
                                (png(), [("folder", "public")])):
            ada.upload(content, "a", *fields)
        kind, body = form(("file", "a.png", png()))
        ada.request("POST", "/storage/upload", body=body[:-30], content_type=kind)
        ada.get("/storage/files/x")
        time.sleep(0.2)     # the worker lingers for 100 ms on a connection that nginx does not close immediately
        return count()
    first = min(all_outcomes() for _ in range(3))    # on a busy machine it may linger longer
    all_outcomes()
    until(lambda: count() <= first, f"no more than {first} descriptors")


# ---- accepted files: those that common readers of a type accept


def variants():
    """Files with what phones, cameras, scanners and editors add to them."""
    photo, film, document = SAMPLES["plain.jpg"], SAMPLES["plain.mp4"], pdf("x" * 32)
    cover = b"APIC\0\1\0\0\0\0\0image/jpeg\0\3\0" + photo + bytes(0x10000)
    tag = b"ID3\3\0\0" + bytes(len(cover) >> n & 0x7f for n in (21, 14, 7, 0)) + cover
    yield "a picture with text after it", png() + b"<?php ?>", "png"
    yield "a truncated picture", png()[:-6], "png"
    yield "a photo with padding", photo + bytes(100_000), "jpg"
    yield "a photo with a video after it", photo + film, "jpg"
    yield "a photo with a thumbnail after it", photo + photo, "jpg"
    yield "a photo with the trailer of its phone", photo + b"\0\0\1\x0a\x0e\0\0\0Image_UTC_Data1640995200SEFHk\0\0\0SEFT", "jpg"
    yield "a PDF after a byte order mark", b"\xef\xbb\xbf" + document, "pdf"
    yield "a PDF after line ends", b"\r\n\n" + document, "pdf"
    yield "a PDF with its header at 1,019", bytes(1019) + document, "pdf"
    yield "a PDF after the head of a mail", b"Content-Type: application/pdf\r\n\r\n" + document, "pdf"
    yield "a PDF with text after it", document + b"\n<!-- served in 0.2 s -->\n" * 200, "pdf"
    yield "a truncated PDF", document[:-60], "pdf"
    yield "a video with bytes after it", film + b"junk", "mp4"
    yield "a song with a cover", tag + SAMPLES["bare.mp3"], "mp3"
    yield "a song that starts within a frame", SAMPLES["bare.mp3"][30:], "mp3"
    yield "a song after padding", bytes(5000) + SAMPLES["bare.mp3"], "mp3"
    yield "an image of several types", png()[:33] + b"\0\0\0\x09evIl<script>" + document, "png"


@pytest.mark.parametrize("content, extension", [pytest.param(*rest, id=what) for what, *rest in variants()])
def test_a_file_that_viewers_can_read_is_stored_unchanged(okul, content, extension):
    answer = uploaded(okul.registered(), content, name="ödev.hta")
    assert answer.data["key"].endswith("." + extension) and answer.data["fileName"] == "ödev." + extension
    got = okul.get(path_of(answer))
    assert got.body == content and got.headers["Content-Type"] == answer.data["mimeType"]
    assert got.headers["X-Content-Type-Options"] == "nosniff" and "sandbox" in got.headers["Content-Security-Policy"]


def test_files_of_real_encoders_are_accepted(okul):
    """A selection of those that tests/bench/files.py makes."""
    ada, paths = okul.registered(), sorted((ROOT / "tests/unit/media/real").iterdir())
    for path in paths:
        answer = uploaded(ada, path.read_bytes(), name=path.name)
        assert answer.data["fileName"] == path.name, answer
        assert okul.get(path_of(answer)).body == path.read_bytes()
    assert len(paths) >= 60


@pytest.mark.parametrize("content", [bytes(1020) + pdf(), b"%PDF-1.7\n%%EOF\n", b"<p>A file begins with %PDF-1.4, then 1 0 objects</p>",
                                     b"ID3\3\0\0\0\0\0\0" + bytes(9000), b"Die freeware" * 50, b"\0\0\0\x14ftyp3gp4\0\0\0\0isom"],
                         ids=["header too late", "no object", "speaks of it", "a tag alone", "a word of QuickTime", "3gp"])
def test_a_file_that_no_reader_accepts_is_rejected(okul, content):
    faults(okul.registered().upload(content), 415, "file")


# ---- quotas and the disk


def test_the_quota_of_a_user(small):
    ada, boss = small.registered(), small.staff("admin")
    uploaded(ada, mp4(MIB))
    uploaded(ada, mp4(MIB - 5000))
    content = mp4(5001)
    answers = [small.upload(("file", "a", content), token=ada.token, language=language) for language in contract.LANGUAGES]
    assert [a.status for a in answers] == [409] * 4 and len({a.errors[0] for a in answers}) == 4 and "2 MiB" in answers[0].errors[0]
    assert hashlib.sha256(content).hexdigest() not in files(small.server), "a rejected file is not kept"
    uploaded(ada, mp4(5000))
    assert ada.upload(png()).status == 409
    for _ in range(3):
        uploaded(boss, mp4(MIB))    # admins have no quota
    assert small.registered().upload(png()).status == 201, "the quota is per user"


def test_a_small_file_counts_as_a_whole_block(small):
    """Otherwise half a gigabyte of quota would allow millions of files, each with a block on the disk and a row."""
    ada = small.registered()
    uploaded(ada, mp4(MIB))
    uploaded(ada, mp4(MIB - 2 * 4096))
    for _ in range(2):
        uploaded(ada)
    assert ada.upload(png()).status == 409


def test_the_total_quota_counts_equal_bytes_once():
    with contextlib.closing(Closing(OKUL_STORAGE_TOTAL_QUOTA="3", OKUL_UPLOAD_LIMIT="4")) as okul:
        boss, content = okul.staff("admin"), mp4(2 * MIB)
        for _ in range(3):
            uploaded(boss, content)
        answer = boss.upload(mp4(MIB + 1))
        assert answer.status == 503 and "Retry-After" in answer.headers, answer
        uploaded(boss, mp4(MIB))
        uploaded(boss, content)
        tally = "SELECT n FROM tally WHERE name = 'file:bytes'"
        assert okul.server.sql(tally).split()[1] == str(3 * MIB)
        okul.server.sql(f"DELETE FROM file WHERE sha256 = '{hashlib.sha256(content).hexdigest()}'")
        assert okul.server.sql(tally).split()[1] == str(MIB)


def test_users_may_fill_only_a_share_of_the_disk():
    with contextlib.closing(Closing(OKUL_STORAGE_SHARE="1")) as okul:
        ada, boss = okul.registered(), okul.staff("admin")
        uploaded(ada)
        disk = os.statvfs(okul.server.data / "files")
        share = disk.f_blocks * disk.f_frsize // 100
        okul.server.sql(f"UPDATE tally SET n = {share} WHERE name = 'file:bytes'")
        answer = ada.upload(png())
        assert answer.status == 503 and "Retry-After" in answer.headers, answer
        uploaded(boss)
        okul.server.sql(f"UPDATE tally SET n = {share - 1000} WHERE name = 'file:bytes'")
        uploaded(ada)


def test_uploads_are_rejected_on_a_nearly_full_disk():
    with contextlib.closing(Closing(OKUL_STORAGE_RESERVE="16777216")) as okul:      # keep 16 TiB free
        ada = okul.registered()
        answer = ada.upload(png())
        assert answer.status == 503 and "Retry-After" in answer.headers, answer
        assert ada.get("/me").status == 200


def test_without_o_tmpfile():
    """On file systems that do not support it."""
    with contextlib.closing(Closing(OKUL_NO_TMPFILE="1")) as okul:
        ada, content = okul.registered(), png()
        answer = uploaded(ada, content)
        assert uploaded(ada, content).data["sha256"] == answer.data["sha256"]
        ada.upload(b"no picture")
        assert okul.get(path_of(answer)).body == content
        # files with a name in tmp are deleted after the response is sent
        until(lambda: list(files(okul.server)) == [answer.data["sha256"]], "tmp to be empty")
        okul.server.ctl("files", "verify")


# ---- downloads


def signed(answer, **change):
    """The path of the signed URL with parameters changed, or left out if None."""
    path = urllib.parse.urlsplit(path_of(answer))
    pairs = {k: change.get(k, v) for k, v in urllib.parse.parse_qsl(path.query)}
    was = dict(urllib.parse.parse_qsl(path.query))
    pairs = {k: v and v.format(was[k], upper=was[k].upper()) for k, v in pairs.items()}
    return path.path + "?" + "&".join(f"{k}={v}" for k, v in pairs.items() if v is not None)


def test_a_public_file(okul):
    answer = uploaded(okul.staff("admin"), None, ("folder", "public"))
    path = path_of(answer)
    for caller in (okul, okul.login(), okul.registered(), okul.staff("superadmin")):
        got = caller.get(path)
        assert got.status == 200 and got.headers["Cache-Control"] == "public, max-age=86400"
    assert okul.get(path, token="no.good.token").status == 200
    assert okul.get(path + "?signature=x").status == 200
    assert okul.head(path).status == 200


def test_a_private_file(okul):
    ada, answer = okul.registered(), None
    answer = uploaded(ada)
    bare = f"/storage/files/{answer.data['key']}"
    bad = signed(answer, signature="0" * 64)
    callers = {"nobody": okul, "stranger": okul.registered(), "unregistered": okul.login(), "owner": ada, "admin": okul.staff("admin"),
               "superadmin": okul.staff("superadmin")}
    expected = {
        path_of(answer): dict.fromkeys(callers, 200),
        bare: {"nobody": 401, "stranger": 404, "unregistered": 404, "owner": 200, "admin": 200, "superadmin": 200},
        bad: {"nobody": 403, "stranger": 403, "unregistered": 403, "owner": 200, "admin": 200, "superadmin": 200},
    }
    for path, of in expected.items():
        for name, caller in callers.items():
            for method in ("GET", "HEAD"):
                got = caller.request(method, path)
                assert got.status == of[name], (name, got)
                if got.status == 200:
                    assert got.headers["Cache-Control"] == "private, no-cache"
    assert okul.get(bare, token="no.good.token").status == 401


@pytest.mark.parametrize("change", [
    {"signature": None}, {"expires": None}, {"signature": ""}, {"expires": ""}, {"signature": "x" * 64}, {"signature": "0" * 63},
    {"expires": "99999999999"}, {"expires": "-1"}, {"expires": "1e9"}, {"expires": "9" * 30}, {"expires": "%zz"}, {"signature": "%00"},
    {"expires": "+{}"}, {"expires": "0{}"}, {"expires": "{}%20"}, {"expires": "{}&"}, {"expires": "{}&x=1"}, {"signature": "{upper}"},
    {"signature": "{}&x=1"}, {"signature": "{}&"}, {"signature": "{}&user="}, {"signature": "{}%00"}, {"expires": "%3{}"},
], ids=str)
def test_invalid_signatures(okul, change):
    answer = uploaded(okul.registered())
    path = signed(answer, **change)
    assert path != path_of(answer) and okul.get(path_of(answer)).status == 200
    answers = [okul.get(path, language=language) for language in contract.LANGUAGES]
    assert [a.status for a in answers] == [403] * 4, answers[0]
    assert len({a.errors[0] for a in answers}) == 4


def test_a_signature_is_for_one_key_and_given_once(okul):
    ada = okul.registered()
    one, other = uploaded(ada), uploaded(ada)
    query = path_of(one).partition("?")[2]
    assert okul.get(f"/storage/files/{other.data['key']}?{query}").status == 403
    for again in query.split("&"):
        assert okul.get(f"{path_of(one)}&{again}").status == 403
    expires, signature = query.split("&")
    # only one spelling is valid
    bare = f"/storage/files/{one.data['key']}"
    for spelling in (f"{signature}&{expires}", f"&{expires}&{signature}", f"{expires}&&{signature}", f"{expires}&{signature}&",
                     f"%65{expires[1:]}&{signature}", f"{expires}&s%69gnature={signature[10:]}", f"{expires}&{signature}&x=1"):
        assert okul.get(f"{bare}?{spelling}").status == 403, spelling
    for path in (bare[:-1] + "%67", "/storage/files/%" + f"{ord(bare[15]):02x}" + bare[16:], "/storage/%66iles" + bare[14:]):
        assert okul.get(f"{path}?{expires}&{signature}").status == 403, path
    assert ada.get(bare[:-1] + "%67").status == 200, "the owner's token needs no signature"
    # one bit of the signature changed
    wrong = hex(int(signature[-1], 16) ^ 1)[2:]
    assert okul.get(path_of(one)[:-1] + wrong).status == 403
    faults(okul.get(f"/storage/files/{one.data['key']}?x"), 400, "x")


def test_a_signature_expires_after_15_minutes(small):
    answer = uploaded(small.registered())
    path = path_of(answer)
    assert small.get(path).status == 200
    small.server.clock.advance(15 * 60 - 20)
    assert small.get(path).status == 200
    small.server.clock.advance(21)
    assert small.get(path).status == 403


@pytest.mark.parametrize("key", ["x", "..", "%2e%2e%2fokul.db", "0" * 24 + ".png", "a" * 3000, "%ff", "keys.conf"])
def test_an_unknown_key(okul, key):
    for caller in (okul, okul.registered(), okul.staff("admin")):
        assert caller.get(f"/storage/files/{key}").status == 404
    assert okul.get(f"/storage/files/{key}?expires=1&signature=x").status == 404


def test_a_user_with_a_pending_deletion_keeps_access_to_their_files(okul):
    ada, boss, bob = okul.registered(), okul.staff("admin"), okul.registered()
    own, others = uploaded(ada).data["key"], uploaded(bob).data["key"]
    bosses = uploaded(boss).data["key"]
    for person in (ada, boss):
        assert person.post("/api/v1/users/me/account-deletion").status == 201
        assert person.upload(png()).status == 403
    assert ada.get(f"/storage/files/{own}").status == 200 and boss.get(f"/storage/files/{bosses}").status == 200
    assert boss.get(f"/storage/files/{others}").status == 404


def test_a_deactivated_owner_has_no_access(okul):
    ada = okul.registered()
    key = uploaded(ada).data["key"]
    ada.set("is_active = false")
    assert ada.get(f"/storage/files/{key}").status == 401


def test_a_private_file_without_owner_is_for_admins(okul):
    ada = okul.registered()
    answer = uploaded(ada)
    okul.server.sql(f"UPDATE file SET owner = NULL WHERE key = '{answer.data['key']}'")
    path = f"/storage/files/{answer.data['key']}"
    assert ada.get(path).status == 404 and okul.staff("admin").get(path).status == 200 and okul.get(path_of(answer)).status == 200


# ---- lists


def listed(person, query=""):
    answer = person.get(f"/storage/files{query}")
    assert answer.status == 200, answer
    return answer.data["items"], answer.data["pagination"]


def test_a_list_of_uploads(okul):
    ada, bob, boss = okul.registered(), okul.registered(), okul.staff("admin")
    assert listed(ada) == ([], {"page": 1, "limit": 20, "total": 0, "totalPages": 0})
    one, two = uploaded(ada, png(), name="Ünite 1.png").data, uploaded(ada, mp4(9000), name="ışık.mp4").data
    uploaded(bob)
    items, pages = listed(ada)
    assert [i["key"] for i in items] == [two["key"], one["key"]] and pages["total"] == 2
    assert [{k: v for k, v in i.items() if k != "url"} for i in items] == [{k: v for k, v in d.items() if k != "url"} for d in (two, one)]
    assert all(okul.get(urllib.parse.urlsplit(i["url"])._replace(scheme="", netloc="").geturl()).status == 200 for i in items)
    for query, keys in (("?search=unite", [one]), ("?search=isik", [two]), ("?search=x", []), ("?sort=createdAt", [one, two]),
                        ("?sort=name", [two, one]), ("?sort=-name", [one, two]), ("?sort=size", [one, two]), ("?sort=-size", [two, one]),
                        ("?limit=1", [two]), ("?limit=1&page=2", [one]), ("?limit=1&page=3", []), ("?folder=public", []),
                        ("?folder=private&search=1 unite", [one]), (f"?owner={ada.id}", [two, one])):
        assert [i["key"] for i in listed(ada, query.replace(" ", "%20"))[0]] == [d["key"] for d in keys], query
        if "owner" not in query:
            assert [i["key"] for i in listed(boss, query.replace(" ", "%20") + f"&owner={ada.id}")[0]] == [d["key"] for d in keys], query
    everything, pages = listed(boss, "?limit=100")
    assert {one["key"], two["key"]} < {i["key"] for i in everything} and pages["total"] >= 3
    assert [i["key"] for i in everything[-1:]] == [listed(boss, "?limit=1&sort=createdAt")[0][0]["key"]] or pages["total"] > 100
    public = uploaded(boss, None, ("folder", "public")).data["key"]
    assert public in {i["key"] for i in listed(boss, "?folder=public&limit=100&sort=-createdAt")[0]}
    assert public not in {i["key"] for i in listed(boss, "?folder=private&limit=100&sort=-createdAt")[0]}
    assert ada.get(f"/storage/files?owner={bob.id}").status == 403
    assert listed(boss, "?owner=" + "0" * 24)[0] == []
    for wrong in ("folder=x", "owner=x", "sort=x", "x=1", "search=" + "x" * 101, "limit=101"):
        faults(ada.get(f"/storage/files?{wrong}"), 400, wrong.partition("=")[0])
    tag = ada.get("/storage/files").headers["ETag"]
    assert ada.get("/storage/files", headers={"If-None-Match": tag}).status == 304, "new signatures do not change the tag"


def test_names_in_old_rows_are_sanitized_in_responses(okul):
    ada = okul.registered()
    answer = uploaded(ada)
    okul.server.sql(f"UPDATE file SET name = 'a\u202egnp.hta' WHERE key = '{answer.data['key']}'")
    assert okul.get(path_of(answer)).headers["Content-Disposition"] == 'inline; filename="agnp.png"'
    assert listed(ada)[0][0]["fileName"] == "agnp.png"
    assert [f["fileName"] for f in ada.get("/me/export").data["files"]] == ["agnp.png"]


# ---- deleting


def test_an_upload_is_deleted_by_its_owner_or_an_admin(okul):
    ada, bob, boss = okul.registered(), okul.registered(), okul.staff("admin")
    mine, other, shown = uploaded(ada), uploaded(ada), uploaded(boss, None, ("folder", "public"))
    for caller, answer, status in ((okul, mine, 401), (bob, mine, 404), (bob, shown, 403), (okul.login(), mine, 403), (ada, mine, 200),
                                   (ada, mine, 404), (boss, other, 200), (okul.staff("superadmin"), shown, 200)):
        got = caller.delete(f"/storage/files/{answer.data['key']}")
        assert got.status == status, got
        if status == 200:
            assert got.data["id"] == answer.data["id"] and got.data["message"]
            assert okul.get(path_of(answer)).status == 404
    assert bob.delete(path_of(mine)).status == 400, "a signed URL is for reading only"
    assert listed(ada)[0] == []
    audit = okul.server.sql("SELECT actor_id, subject_id FROM audit WHERE action = 'file.deleted'").split()[2:]
    assert audit[:2] == [boss.id, other.data["id"]] and mine.data["id"] not in audit
    assert len({ada.delete("/storage/files/x", language=language).errors[0] for language in contract.LANGUAGES}) == 4


def test_delete_with_the_tag_of_the_download(okul):
    ada = okul.registered()
    mine = uploaded(ada)
    path = f"/storage/files/{mine.data['key']}"
    etag = ada.get(path).headers["ETag"]
    assert ada.delete(path, headers={"If-Match": '"x"'}).status == 412
    assert ada.get(path).status == 200
    assert ada.delete(path, headers={"If-Match": etag}).status == 200
    assert ada.delete(path, headers={"If-Match": etag}).status == 404


def test_files_of_a_material_cannot_be_deleted(okul):
    boss = okul.staff("admin")
    kind, body = form(("title", "Held"), ("locale", "en"), ("pdfs", "a.pdf", pdf()))
    made = boss.request("POST", "/education-materials", body=body, content_type=kind)
    assert made.status == 201, made
    key = urllib.parse.urlsplit(made.data["pdfs"][0]["url"]).path.rpartition("/")[2]
    answers = [boss.delete(f"/storage/files/{key}", language=language) for language in contract.LANGUAGES]
    assert [a.status for a in answers] == [409] * 4 and len({a.errors[0] for a in answers}) == 4
    assert boss.get(f"/storage/files/{key}").status == 200
    assert boss.delete(f"/education-materials/{made.data['id']}").status == 200
    assert boss.delete(f"/storage/files/{key}").status == 404, "its file is deleted too"


def test_deleted_files_count_until_gc():
    """gc runs each hour: until then deleted files count, or one account could fill the disk in minutes."""
    with contextlib.closing(Closing(OKUL_STORAGE_USER_QUOTA="2", OKUL_STORAGE_SHARE="0")) as okul:
        ada = okul.registered()
        for _ in range(2):
            assert ada.delete(f"/storage/files/{uploaded(ada, mp4(MIB)).data['key']}").status == 200
        assert ada.upload(png()).status == 409
        okul.server.clock.advance(2 * 3600 + 1)
        assert okul.login(ada.email).upload(mp4(MIB)).status == 201


# ---- when a user is deleted


def deleted_by_admin(okul, person):
    assert okul.staff("superadmin").delete(f"/users/{person.id}").status == 200


def deleted_by_cleanup(okul, person):
    assert person.post("/api/v1/users/me/account-deletion").status == 201
    person.set("deletion_scheduled_for = 1")
    okul.server.ctl("cleanup")


@pytest.mark.parametrize("delete", [deleted_by_admin, deleted_by_cleanup])
def test_deleting_a_user_deletes_their_private_files_only(okul, delete):
    boss, bob, shared = okul.staff("admin"), okul.registered(), png()
    private, public = uploaded(boss), uploaded(boss, None, ("folder", "public"))
    own, same = uploaded(boss, shared), uploaded(bob, shared)
    delete(okul, boss)
    assert okul.get(path_of(private)).status == 404 and okul.staff("admin").get(path_of(private)).status == 404
    assert okul.get(path_of(own)).status == 404
    assert okul.get(path_of(public)).status == 200
    assert okul.get(path_of(same)).body == shared
    assert okul.server.sql(f"SELECT owner IS NULL FROM file WHERE key = '{public.data['key']}'").split()[-1] == "1"


# ---- HTTP


@pytest.fixture(params=["okul", "itself"])
def either(request):
    """A server on which the web server sends files, and one on which the program does."""
    return request.getfixturevalue(request.param)


def http_date(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")


def good_headers(got, name="ders notları.png"):
    h = got.headers
    assert h.get_all("Content-Security-Policy") == ["default-src 'none'; sandbox"], got
    assert h["Content-Type"] == "image/png" and (h.get_all("Accept-Ranges") == ["bytes"] or got.status == 206)
    assert h.get_all("Content-Disposition") == [f"inline; filename=\"ders notlar_.png\"; filename*=UTF-8''{urllib.parse.quote(name)}"]
    assert h["Last-Modified"] and h["ETag"]


def in_envelope(got):
    """An error reveals nothing of the file, and is not cacheable."""
    assert got.headers["Content-Type"].startswith("application/json") and got.headers["Cache-Control"] == "no-store", got
    assert "Content-Disposition" not in got.headers


def test_whole_or_in_parts(either):
    content = png()
    n, path = len(content), path_of(uploaded(either.registered(), content, name="ders notları.png"))
    whole = either.get(path)
    assert whole.status == 200 and whole.body == content and whole.headers["Content-Length"] == str(n)
    good_headers(whole)
    head = either.head(path)
    assert head.status == 200 and head.headers["Content-Length"] == str(n)
    good_headers(head)
    etag, changed = whole.headers["ETag"], whole.headers["Last-Modified"]
    for span, first, last in (("0-0", 0, 0), ("0-", 0, n - 1), ("5-9", 5, 9), (f"{n - 1}-", n - 1, n - 1), ("-4", n - 4, n - 1),
                              (f"-{n + 5}", 0, n - 1), (f"3-{n + 9}", 3, n - 1)):
        for condition in ({}, {"If-Range": etag}, {"If-Range": changed}, {"If-Match": etag}):
            part = either.get(path, headers={"Range": f"bytes={span}"} | condition)
            assert part.status == 206 and part.body == content[first:last + 1], (span, condition, part)
            assert part.headers["Content-Range"] == f"bytes {first}-{last}/{n}" and part.headers["ETag"] == etag
            good_headers(part)
    for span in (f"{n}-", f"{n + 5}-{n + 9}"):
        none = either.get(path, headers={"Range": f"bytes={span}"}, language="de")
        assert none.status == 416 and none.errors, none
        assert none.headers.get_all("Content-Range") == [f"bytes */{n}"], "the length, for a retry"
        in_envelope(none)
    for wrong in ("9-5", "x-y", "", "-", "-0", "0-1,x", f"{n}-,{n + 1}-", "9" * 30 + "-"):
        got = either.get(path, headers={"Range": f"bytes={wrong}"})
        assert got.status == 416, (wrong, got)
        in_envelope(got)
    for ignored in ("lines=1-2", "bytes=0-1,3-4"):
        assert either.get(path, headers={"Range": ignored}).body == content
    for span in ("0-0", f"{n}-", "x"):     # a range is for GET (RFC 9110 section 14.2)
        head = either.head(path, headers={"Range": f"bytes={span}"})
        assert head.status == 200 and head.headers["Content-Length"] == str(n) and "Content-Range" not in head.headers
        good_headers(head)
    assert either.get(path, headers={"Range": f"bytes=0-1,{n}-"}).body == content[:2]
    for other in ('"another"', http_date(time.time() - 9999)):
        got = either.get(path, headers={"Range": "bytes=0-0", "If-Range": other})
        assert got.status == 200 and got.body == content


def test_conditions(either):
    path = path_of(uploaded(either.registered(), name="ders notları.png"))
    first = either.get(path)
    etag, changed = first.headers["ETag"], first.headers["Last-Modified"]
    earlier = http_date(time.time() - 9999)
    for headers in ({"If-None-Match": etag}, {"If-None-Match": f'"x", {etag}'}, {"If-None-Match": "*"}, {"If-None-Match": f"W/{etag}"},
                    {"If-Modified-Since": changed}, {"If-None-Match": etag, "If-Modified-Since": earlier}):
        got = either.get(path, headers=headers)
        assert got.status == 304 and got.headers["ETag"] == etag, (headers, got)
        assert got.headers["Cache-Control"] == "private, no-cache"
    for headers in ({"If-None-Match": '"x"'}, {"If-Modified-Since": earlier}, {"If-Match": etag}, {"If-Match": "*"},
                    {"If-Unmodified-Since": changed}, {"If-None-Match": '"x"', "If-Modified-Since": changed},
                    {"If-Modified-Since": "yesterday"}):
        assert either.get(path, headers=headers).status == 200, headers
    for headers in ({"If-Match": '"x"'}, {"If-Match": f"W/{etag}"}, {"If-Unmodified-Since": earlier}):
        got = either.get(path, headers=headers, language="tr")
        assert got.status == 412 and got.errors, got
        in_envelope(got)


def test_a_browser_app_of_a_configured_origin_may_read_files(guarded):
    boss = guarded.staff("admin")
    path = path_of(uploaded(boss, None, ("folder", "public")))
    for method in ("GET", "HEAD"):
        got = guarded.request(method, path, headers={"Origin": "https://okul.example"})
        assert got.status == 200 and got.headers.get_all("Access-Control-Allow-Origin") == ["https://okul.example"]
        assert "Origin" in got.headers["Vary"]
        # needed by PDF viewers and video players for range requests
        exposed = got.headers["Access-Control-Expose-Headers"].split(", ")
        assert {"Accept-Ranges", "Content-Range", "Content-Disposition", "ETag"} <= set(exposed)
    asked = guarded.options(path, headers={"Origin": "https://okul.example", "Access-Control-Request-Headers": "range"}).headers
    assert {"Range", "If-Range"} <= set(asked["Access-Control-Allow-Headers"].split(", "))
    got = guarded.get(path, headers={"Origin": "https://evil.example"})
    assert got.status == 200 and "Access-Control-Allow-Origin" not in got.headers and "Origin" in got.headers["Vary"]


def test_disposition_is_attachment_for_pdfs_and_inline_for_media(either):
    ada = either.registered()
    for content, how in ((pdf(), "attachment"), (mp4(), "inline"), (png(), "inline")):
        answer = uploaded(ada, content, name="ad")
        got = either.get(path_of(answer))
        assert got.headers["Content-Disposition"] == f'{how}; filename="ad.{answer.data["key"].rpartition(".")[2]}"'


def test_a_missing_file_is_an_error_in_the_envelope(either):
    ada = either.registered()
    answer = uploaded(ada)
    files(either.server)[answer.data["sha256"]].unlink()
    got = either.get(path_of(answer))
    assert got.status in (404, 500) and got.errors
    in_envelope(got)
    run = either.server.ctl("files", "verify", check=False)
    assert run.returncode == 1 and answer.data["key"] in run.stdout and "is missing" in run.stdout
    either.server.sql(f"DELETE FROM file WHERE key = '{answer.data['key']}'")


def test_an_error_of_the_web_server_reveals_nothing_of_the_file(okul):
    """The program found a file that nginx cannot send."""
    boss = okul.staff("admin")
    answer = uploaded(boss, None, ("folder", "public"))
    path = files(okul.server)[answer.data["sha256"]]
    path.unlink()
    os.mkfifo(path)
    try:
        got = okul.get(path_of(answer), headers={"X-Request-Id": "mine"})
        assert got.status == 404 and got.headers["X-Request-Id"] == "mine"
        in_envelope(got)
        run = okul.server.ctl("files", "verify", check=False)
        assert run.returncode == 1 and f"{path} is not a file" in run.stdout
    finally:
        path.unlink()
        okul.server.sql(f"DELETE FROM file WHERE key = '{answer.data['key']}'")


def test_permissions_of_stored_files(okul):
    answer = uploaded(okul.registered())
    path = files(okul.server)[answer.data["sha256"]]
    assert path.stat().st_mode & 0o7777 == 0o640
    assert path.parent.stat().st_mode & 0o7777 == path.parent.parent.stat().st_mode & 0o7777 == 0o750
    assert path.parent.name == path.name[:2]
    for private in ("keys.conf",) if okul.server.database else ("okul.db", "keys.conf"):
        assert (okul.server.data / private).stat().st_mode & 0o077 == 0


# ---- plain CGI


def test_plain_cgi_uploads_and_downloads(okul):
    ada, content = okul.registered(), png()
    kind, body = form(("file", "ş.png", content))
    token = {"Authorization": f"Bearer {ada.token}"}
    environment = okul.server.environment
    okul.server.environment = environment | {"OKUL_DELIVERY": "itself"}
    try:
        status, _, answer = cgi(okul.server, "storage", "POST", "/storage/upload", token, body, kind)
        assert status == 201, answer
        data = json.loads(answer, object_pairs_hook=unique_keys)["data"]
        path = f"/storage/files/{data['key']}"
        status, headers, got = cgi(okul.server, "storage", "GET", path, token)
        assert (status, got) == (200, content) and headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        status, headers, got = cgi(okul.server, "storage", "GET", path, token | {"Range": "bytes=2-4"})
        assert (status, got, headers["Content-Range"]) == (206, content[2:5], f"bytes 2-4/{len(content)}")
        assert cgi(okul.server, "storage", "GET", path, token | {"If-Match": '"x"'})[0] == 412
        assert cgi(okul.server, "storage", "GET", path, token | {"Range": "bytes=9999-"})[0] == 416
        # without a web server, the program checks the size itself
        status, _, _ = cgi(okul.server, "storage", "POST", "/storage/upload", token, body, kind, length=101 * MIB)
        assert status == 413
        # fewer bytes than Content-Length
        status, _, _ = cgi(okul.server, "storage", "POST", "/storage/upload", token, body, kind, length=len(body) + 10)
        assert status == 400
    finally:
        okul.server.environment = environment


def test_the_program_sets_the_tag_with_x_sendfile(okul):
    """Apache's module sets the tag "0" for every file, so that a changed one would be 304."""
    ada, content = okul.registered(), png()
    answer = uploaded(ada, content)
    path, environment = path_of(answer), okul.server.environment
    nginx = okul.get(path)
    okul.server.environment = environment | {"OKUL_DELIVERY": "x-sendfile"}
    try:
        status, headers, body = cgi(okul.server, "storage", "GET", path, {"Range": "bytes=2-4"})
        assert (status, body) == (200, b"") and headers["X-Sendfile"] == str(files(okul.server)[answer.data["sha256"]])
        for name in ("ETag", "Last-Modified", "Cache-Control", "Content-Type", "Content-Disposition", "Content-Security-Policy"):
            assert headers.get_all(name) == [nginx.headers[name]], name
        assert "Content-Length" not in headers
        status, headers, body = cgi(okul.server, "storage", "GET", path, {"If-None-Match": nginx.headers["ETag"]})
        assert (status, body) == (304, b"") and "X-Sendfile" not in headers
        status, headers, body = cgi(okul.server, "storage", "HEAD", path)
        assert (status, body, headers["Content-Length"]) == (200, b"", str(len(content))) and "X-Sendfile" not in headers
    finally:
        okul.server.environment = environment


def test_a_failure_of_libmagic_is_an_internal_error(okul):
    """libmagic without its database, or without memory for it, recognizes no file: that must not be 415."""
    ada, environment = okul.registered(), okul.server.environment
    kind, body = form(("file", "a.png", png()))
    okul.server.environment = environment | {"MAGIC": "/etc/magic"}     # on Debian this file has only comments
    try:
        status, _, answer = cgi(okul.server, "storage", "POST", "/storage/upload", {"Authorization": f"Bearer {ada.token}"}, body, kind)
        assert status == 500, answer
    finally:
        okul.server.environment = environment


def test_plain_cgi_accepts_a_body_of_unknown_length(okul):
    """A chunked body ends at EOF; a program reads it only with Transfer-Encoding, since without it there is no body
    (RFC 3875 4.2)."""
    boss, environment, content = okul.registered(), okul.server.environment, png()
    token = {"Authorization": f"Bearer {boss.token}"}
    kind, body = form(("file", "a.png", content))
    json_ = b'{"bio":"' + b"x" * 40000 + b'"}'
    cases = [("storage", "POST", "/storage/upload", kind, body, 201), ("storage", "POST", "/storage/upload", kind, body[:-9], 400),
             ("storage", "POST", "/storage/upload", kind, b"", 400), ("users", "PATCH", "/me", "application/json", b'{"bio":"x"}', 200),
             ("users", "PATCH", "/me", "application/json", json_, 400), ("users", "PATCH", "/me", "application/json", b"", 400),
             ("users", "PATCH", "/me", "application/json", b" " * (MIB + 1), 413), ("users", "PATCH", "/me", "application/json", b" " * MIB, 400),
             ("contact", "POST", "/contact", "application/json", b" " * 65537, 413)]
    try:
        for program, method, path, kind, body, expected in cases:
            okul.server.environment = environment | {"CONTENT_TYPE": kind}
            status, _, answer = cgi(okul.server, program, method, path, token | {"Transfer-Encoding": "chunked"}, body, length=-1)
            assert status == expected and b"did not arrive whole" not in answer, f"{method} {path} {len(body)}: {answer}"
            if body:
                status, _, answer = cgi(okul.server, program, method, path, token, body, length=-1)
                assert status == 400 and b"did not arrive whole" not in answer
    finally:
        okul.server.environment = environment


@pytest.mark.parametrize("length", [MIB, 0])
def test_a_response_of_plain_cgi_arrives_without_reading_the_body(okul, length):
    """
    With Apache's mod_cgid, standard input and output are one socket, and the body is sent before the response is
    read. A program that exits without reading the body resets the connection, and the response is lost.
    """
    here, there = socket.socketpair()
    environment = okul.server.environment | {
        "OKUL_DATA": str(okul.server.data), "REQUEST_METHOD": "POST", "REQUEST_URI": "/storage/upload", "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "multipart/form-data; boundary=x"} | ({"CONTENT_LENGTH": str(length)} if length else {"HTTP_TRANSFER_ENCODING": "chunked"})
    run = subprocess.Popen([BUILD / "storage.fcgi"], env=environment, stdin=there, stdout=there, stderr=subprocess.DEVNULL)
    there.close()
    here.settimeout(30)
    with here:
        here.sendall(b"x" * MIB)
        here.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := here.recv(65536):
            answer += piece
    assert run.wait(10) == 0 and parse_cgi(answer)[0] == 401


def test_a_file_over_the_file_size_limit_of_the_system():
    """A limit (ulimit -f, as on shared hosting) does not kill the worker."""
    with contextlib.closing(Closing(OKUL_WORKERS="1")) as okul:
        ada, (worker,) = okul.registered(), okul.server.workers("storage")
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (4 * MIB, 4 * MIB))
        answer = ada.upload(mp4(6 * MIB))
        assert answer.status == 503 and "Retry-After" in answer.headers, answer
        uploaded(ada)
        assert list(okul.server.workers("storage")) == [worker]


# ---- okulctl files


def test_verify_reports_damaged_files():
    with contextlib.closing(Closing()) as okul:
        ada = okul.registered()
        good, cut, changed, gone = (uploaded(ada, name=fresh()) for _ in range(4))
        run = okul.server.ctl("files", "verify")
        assert run.stdout == "4 files, named by 4 rows, 0 MiB: 0 damaged\n"
        paths = files(okul.server)
        for answer, act in ((cut, lambda p: os.truncate(p, 5)), (changed, lambda p: p.write_bytes(p.read_bytes()[:-1] + b"x")),
                            (gone, lambda p: p.unlink())):
            act(paths[answer.data["sha256"]])
        run = okul.server.ctl("files", "verify", check=False)
        lines = run.stdout.splitlines()
        assert run.returncode == 1 and len(lines) == 4 and lines[-1].endswith("3 damaged")
        for answer, words in ((cut, "has 5 bytes instead of"), (changed, "has other bytes"), (gone, "is missing")):
            (line,) = [x for x in lines if answer.data["key"] in x]
            assert str(paths[answer.data["sha256"]]) in line and words in line
        assert good.data["key"] not in run.stdout


def test_gc_deletes_orphans_that_are_an_hour_old():
    with contextlib.closing(Closing()) as okul:
        ada = okul.registered()
        keep, orphan = uploaded(ada), uploaded(ada)
        okul.server.sql(f"DELETE FROM file WHERE key = '{orphan.data['key']}'")
        (okul.server.data / "files/tmp").mkdir()
        (okul.server.data / "files/tmp/0123").write_bytes(b"half")
        (okul.server.data / "files/README").write_bytes(b"the operator's")

        def gc(*options):
            return [int(n) for n in re.findall(r": (\d+) ", okul.server.ctl("files", "gc", *options).stdout)]
        assert gc() == [0, 0], "new files are kept"
        okul.server.clock.advance(3590)
        assert gc() == [0, 0]
        okul.server.clock.advance(20)
        before = set(files(okul.server))
        assert gc("--dry-run") == [1, 1] and set(files(okul.server)) == before
        assert gc() == [1, 1]
        assert set(files(okul.server)) == {keep.data["sha256"], "README"}
        assert gc() == [0, 0] and okul.server.ctl("files", "gc", "--quiet").stdout == ""
        okul.server.ctl("files", "verify")


def test_gc_follows_a_link_to_another_disk():
    with contextlib.closing(Closing()) as okul:
        orphan = uploaded(okul.registered())
        okul.server.sql(f"DELETE FROM file WHERE key = '{orphan.data['key']}'")
        (okul.server.data / "files").rename(okul.server.data / "disk")
        (okul.server.data / "files").symlink_to("disk")
        okul.server.clock.advance(3610)
        assert okul.server.ctl("files", "gc").stdout.startswith("files that no row names: 1 deleted")


def test_an_upload_of_the_bytes_of_an_orphan_touches_it(okul):
    ada, content = okul.registered(), png()
    first = uploaded(ada, content)
    path = files(okul.server)[first.data["sha256"]]
    okul.server.sql(f"DELETE FROM file WHERE key = '{first.data['key']}'")
    before = path.stat().st_ctime_ns
    time.sleep(0.02)
    uploaded(ada, content)
    assert path.stat().st_ctime_ns > before


@pytest.mark.parametrize("source", ["file", "pdf"])
def test_bytes_that_are_deleted_before_their_row_is_written(okul, source):
    """gc may delete an orphan with the same bytes between blob_keep() and the transaction: they are stored again."""
    boss, content = okul.staff("admin"), pdf()
    kind, body = form(("title", "a"), ("locale", "en"), ("pdfs", "a.pdf", content))
    path = okul.server.data / "files" / hashlib.sha256(content).hexdigest()[:2] / hashlib.sha256(content).hexdigest()

    def act():
        return boss.upload(content) if source == "file" else boss.post("/education-materials", body=body, content_type=kind)

    def rows():
        return okul.server.sql(f"SELECT count(*) FROM file WHERE sha256 = '{path.name}'").split()[1]
    # this request created the only link to the bytes: they are lost, and the client must send them again
    assert while_it_waits(okul, act, path.unlink).status == 503 and rows() == "0"
    uploaded(boss, content)
    okul.server.sql(f"DELETE FROM file WHERE sha256 = '{path.name}'")
    assert while_it_waits(okul, act, path.unlink).status == 201
    assert path.read_bytes() == content and rows() == "1"


def test_check_reports_the_permissions_of_files(okul):
    uploaded(okul.registered())
    assert re.search(r"(?m)^ok +files: .*0750$", okul.server.ctl("check", check=False).stdout)
    folder = okul.server.data / "files"
    folder.chmod(0o700)
    try:
        assert re.search(r"(?m)^FAIL files: .*chmod 750", okul.server.ctl("check", check=False).stdout)
    finally:
        folder.chmod(0o750)
