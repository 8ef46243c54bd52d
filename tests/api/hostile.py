"""Malicious uploads: polyglot files, truncated files, files with a wrong type, and names that are paths, headers or
scripts. Each goes through the web server, is rejected unless a common reader of an allowed type can read it, is
stored only below DATA/files under its hash, and is served such that no browser interprets it as anything else."""

import hashlib
import io
import os
import re
import secrets
import struct
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import pytest

from helpers.client import Okul
from helpers.samples import png
from helpers.server import ROOT, Server

MIMES = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp", "gif": "image/gif", "pdf": "application/pdf",
         "avif": "image/avif", "heic": "image/heic", "mp4": "video/mp4", "mov": "video/quicktime", "webm": "video/webm",
         "mp3": "audio/mpeg", "m4a": "audio/mp4"}
SAMPLES = {p.name: p.read_bytes() for p in sorted((ROOT / "tests/unit/media").iterdir()) if p.is_file()}
OWN = ("png", "jpg", "webp", "gif", "pdf", "mp4", "webm", "mp3")    # types whose structure this file knows
PLAIN = {kind: SAMPLES.get(f"plain.{kind}") or SAMPLES["lossless.webp"] for kind in OWN}
BOUNDARY = b"----okulHostile7MA4YWxkTrZu0gW"


# ---- the corpus


@dataclass
class Case:
    what: str                               # id of the test
    content: bytes
    expected: object                        # a kind of MIMES, or a status
    name: bytes = b"photo.png"              # the filename parameter, between the quotes
    claim: bytes = b"image/png"             # the part's Content-Type
    stored: str | None = None               # the expected name in the response; None: any harmless name
    disposition: bytes | None = None        # replaces everything after form-data


def archive(name="x.class", comment=b""):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr(zipfile.ZipInfo(name), b"\xca\xfe\xba\xbe evil")
        made.comment = comment
    return out.getvalue()


HTML = b"<!DOCTYPE html><html><body><script>alert(document.domain)</script></body></html>"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
EXE = b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff\0\0\xb8" + bytes(43) + b"\x80\0\0\0" + bytes(64) + b"PE\0\0\x4c\1" + bytes(100)
ELF = b"\x7fELF\2\1\1" + bytes(9) + b"\3\0\x3e\0\1\0\0\0" + bytes(40)
SHELL = b"#!/bin/sh\nrm -rf /\n"
PHP = b"<?php system($_GET['c']); ?>"
RIFF = struct.Struct("<4sI4s")


def box(kind, content):
    return struct.pack(">I", 8 + len(content)) + kind + content


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def foreign():
    """Files of other types, named and labelled as an allowed type."""
    mp4 = PLAIN["mp4"]
    tar = b"x.png".ljust(257, b"\0") + b"ustar\x0000" + bytes(1024)
    return {
        "html": HTML, "html-bom": b"\xef\xbb\xbf" + HTML, "html-utf16": ("\ufeff" + HTML.decode()).encode("utf-16-le"),
        "html-after-spaces": b" " * 600 + HTML, "html-comment": b"<!-- x -->" + HTML, "svg": SVG,
        "svg-gzip": zlib.compress(SVG, wbits=31),
        "xhtml": b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>',
        "xml": b'<?xml version="1.0"?><a/>',
        "xml-entities": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "javascript": b"alert(1)",
        "json": b'{"a":1}', "css": b"body{background:url(javascript:alert(1))}", "text": b"hello", "nul": b"\0",
        "spaces": b"  \n ",
        "zip": archive(), "docx": archive("word/document.xml"), "jar": archive("META-INF/MANIFEST.MF"), "exe": EXE,
        "elf": ELF,
        "shell": SHELL, "php": PHP, "python": b"#!/usr/bin/env python3\nimport os\n",
        "batch": b"@echo off\r\ndel *\r\n",
        "tar": tar, "gzip": zlib.compress(b"x", wbits=31), "7z": b"7z\xbc\xaf\x27\x1c\0\4" + bytes(24),
        "rar": b"Rar!\x1a\7\1\0" + bytes(20),
        "cab": b"MSCF" + bytes(40), "class": b"\xca\xfe\xba\xbe\0\0\0\x34", "wasm": b"\0asm\1\0\0\0",
        "swf": b"FWS\x09" + bytes(30),
        "sqlite": b"SQLite format 3\0" + bytes(84), "bmp": b"BM\x3a\0\0\0" + bytes(52),
        "tiff": b"II*\0\x08\0\0\0" + bytes(20),
        "ico": b"\0\0\1\0\1\0\x10\x10" + bytes(14), "psd": b"8BPS\0\1" + bytes(24),
        "wav": RIFF.pack(b"RIFF", 36, b"WAVE") + bytes(32),
        "avi": RIFF.pack(b"RIFF", 36, b"AVI ") + bytes(32), "ogg": b"OggS\0\2" + bytes(40),
        "flac": b"fLaC\0\0\0\x22" + bytes(34),
        "midi": b"MThd\0\0\0\6\0\0\0\1\0\x60", "postscript": b"%!PS-Adobe-3.0\n%%EOF\n", "rtf": b"{\\rtf1 x}",
        "eml": b"From: a@b\r\n\r\nx",
        "playlist": b"#EXTM3U\nfile:///etc/passwd\n",
        "imagemagick": b"push graphic-context\nimage over 0,0 0,0 'https://x'\n",
        "matroska": SAMPLES["plain.webm"].replace(b"\x42\x82\x84webm", b"\x42\x82\x84webx"),
        "jpeg-xl": mp4.replace(b"isom", b"jxl ", 1), "jpeg-2000": mp4.replace(b"isom", b"jp2 ", 1),
        "3gp": mp4.replace(b"isom", b"3gp4", 1),
        "raw-photo": mp4.replace(b"isom", b"crx ", 1), "iso": bytes(32769) + b"CD001\1" + bytes(100),
    }


def inside(kind):
    """Valid files of a kind with a foreign payload where the format permits arbitrary data: they keep their type."""
    one, payload = PLAIN[kind], HTML + archive()
    if kind == "png":
        def with_chunk(name, data):
            return one[:33] + chunk(name, data) + one[33:]
        return {"text": with_chunk(b"tEXt", b"Comment\0" + payload), "php": with_chunk(b"tEXt", b"C\0" + PHP),
                "own-chunk": with_chunk(b"evIl", payload), "pixels": with_chunk(b"IDAT", payload)}
    if kind == "jpg":
        def segment(marker, data):
            return one[:2] + b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data + one[2:]
        return {"comment": segment(0xfe, payload), "exif": segment(0xe1, b"Exif\0\0" + payload),
                "script": segment(0xfe, b"*/=alert(1);/*")}
    if kind == "gif":
        # GIF89a/*...*/=alert(1): the width is the two bytes of a comment's begin
        script = b"GIF89a/*" + one[8:-1] + b"\x21\xfe\x0e*/=alert(1);//\0;"
        return {"comment": one[:-1] + b"\x21\xfe" + b"".join(bytes([len(p)]) + p for p in (HTML, SVG)) + b"\0;",
                "script": script}
    if kind == "webp":
        def riff(content):
            return RIFF.pack(b"RIFF", 4 + len(content), b"WEBP") + content
        data = payload + b"\0" * (len(payload) % 2)
        return {"xmp": riff(b"VP8X\x0a\0\0\0\4\0\0\0\x0f\0\0\x0f\0\0" + one[12:] + b"XMP "
                            + struct.pack("<I", len(payload)) + data)}
    if kind == "pdf":
        made = one.replace(b"/Catalog", b"/Catalog /OpenAction <</S/JavaScript/JS(app.alert(1))>>")
        at = made.index(b"xref\n0 4")
        moved = made.replace(b"startxref\n%d" % one.index(b"xref\n0 4"), b"startxref\n%d" % at)
        comment = one.replace(b"1 0 obj", b"%" + HTML + b"\n1 0 obj", 1)
        return {"script": moved, "comment": comment.replace(b"startxref\n%d" % one.index(b"xref\n0 4"),
                                                            b"startxref\n%d" % comment.index(b"xref\n0 4"))}
    if kind == "mp4":
        return {"free": one + box(b"free", payload), "uuid": one + box(b"uuid", bytes(16) + HTML)}
    if kind == "webm":
        live = SAMPLES["live.webm"]
        return {"void": live + b"\xec\x40" + bytes([len(HTML)]) + HTML}
    size = len(payload) + 20
    safe = bytes([0, 0, size >> 7, size & 0x7f])
    frame = b"COMM" + bytes([0, 0, size - 10 >> 7, size - 10 & 0x7f]) + b"\0\0" + bytes(10) + payload
    return {"comment": b"ID3\4\0\0" + safe + frame + SAMPLES["bare.mp3"]}


def corpus():
    every = []

    def add(what, content, expected, **more):
        every.append(Case(what, content, expected, **more))

    for what, content in foreign().items():
        add(f"foreign-{what}", content, 415)
    add("empty", b"", 400)

    # right bytes, wrong label: the type is detected from the bytes
    labels = [(b"evil.html", b"text/html"), (b"evil.svg", b"image/svg+xml"), (b"shell.php", b"application/x-httpd-php"),
              (b"a.png.exe", b"application/x-msdownload"), (b"none", b""),
              (b".htaccess", b"text/plain; charset=utf-7"), (b"x.gif", b"image/gif")]
    for kind in OWN:
        for name, claim in labels:
            stored = {"evil.html": "evil", "evil.svg": "evil", "shell.php": "shell", "a.png.exe": "a.png", "none": "none",
                      ".htaccess": "htaccess", "x.gif": "x"}[name.decode()]
            add(f"{kind}-as-{name.decode()}", PLAIN[kind], kind, name=name, claim=claim,
                stored=stored if stored.endswith("." + kind) else f"{stored}.{kind}")
    for name, content in SAMPLES.items():
        add(f"whole-{name}", content, name.rpartition(".")[2], name=name.encode(), stored=name)

    # truncated: readers show what is there if the signature is complete
    for name, content in SAMPLES.items():
        kind = name.rpartition(".")[2]
        for length in (len(content) - 3, len(content) // 2, 12):
            least = {"jpg": 3, "gif": 6, "webp": 12}.get(kind, 13)
            add(f"cut-{name}-{length}", content[:length], kind if length >= least else 415, name=name.encode())

    # polyglots
    for kind, one in PLAIN.items():
        for what, other in (("html", HTML), ("zip", archive()), ("php", PHP), ("exe", EXE)):
            add(f"{kind}-then-{what}", one + other, kind)
            # PDF readers search the header in the first KiB, MP3 readers skip unknown data before the first frame
            reads = kind == "pdf" or (kind == "mp3" and what in ("html", "php"))
            add(f"{what}-then-{kind}", other + one, kind if reads else 415)
        other = "png" if kind == "jpg" else "jpg"
        add(f"{kind}-then-{other}", one + PLAIN[other], kind)
        add(f"{kind}-in-zip-comment", archive(comment=one), "pdf" if kind == "pdf" else 415)
        for what, content in inside(kind).items():
            add(f"{kind}-with-{what}", content, kind, name=b"x.html", claim=b"text/html")
    add("pdf-behind-lines", b"\n" * 100 + PLAIN["pdf"], "pdf")
    add("pdf-late", b"\n" * 1020 + PLAIN["pdf"], 415)
    add("pdf-header-in-html", b"<!--%PDF-1.4-->" + HTML, 415)
    add("mp3-that-is-dicom", SAMPLES["bare.mp3"][:128] + b"DICM" + SAMPLES["bare.mp3"][132:], "mp3")
    add("tag-of-4-gib", b"ID3\4\0\0\x7f\x7f\x7f\x7f" + HTML, 415)
    add("boxes-without-end", box(b"free", b"") * 1000 + HTML, 415)
    return every


def names():
    """Names: (id, filename as bytes, the expected name in the response, or 400)."""
    mark, saved = "okul-was-here", "okul-was-here.png"
    long = "ş" * 300 + ".png"
    table = [
        ("up", b"../../../" + mark.encode(), saved), ("up-windows", b"..\\..\\" + mark.encode(), saved),
        ("up-mixed", b"..\\../" + mark.encode(), saved), ("up-twice", b"....//....//" + mark.encode(), saved),
        ("up-only", b"../..", "file.png"), ("dot", b".", "file.png"), ("dots", b"..", "file.png"),
        ("slash", b"/", "file.png"),
        ("three-dots", b"...", "file.png"), ("passwd", b"../../../../etc/passwd", "passwd.png"),
        ("absolute", b"/tmp/" + mark.encode(), saved),
        ("drive", b"C:\\Windows\\win.ini", "win.png"), ("drive-relative", b"C:x.png", None),
        ("share", b"\\\\server\\share\\x.png", "x.png"),
        ("url", b"file:///etc/passwd", "passwd.png"), ("stream", b"x.png::$DATA", None),
        ("device", b"\\\\.\\PhysicalDrive0", None),
        ("encoded", b"..%2f..%2f" + mark.encode(), None), ("encoded-twice", b"..%252f..%252f" + mark.encode(), None),
        ("encoded-windows", b"..%5c" + mark.encode(), None), ("overlong-encoded", b"..%c0%af" + mark.encode(), None),
        ("overlong", b"..\xc0\xaf" + mark.encode(), "À¯" + saved), ("wide", "．．／x.png".encode(), "．．／x.png"),
        ("fraction-slash", "..∕x.png".encode(), "∕x.png"), ("semicolon", b"..;/x.png", "x.png"),
        ("nul", b"x.png\0.html", 400), ("nul-encoded", b"x%00.png", None), ("control", b"x\x01.png", "x.png"),
        ("escape", b"\x1b[2Jx.png", "[2Jx.png"),
        ("delete", b"x\x7f.png", "x.png"), ("next-line", "x\u0085.png".encode(), "x.png"),
        ("separator", "x\u2028y.png".encode(), "xy.png"),
        ("tab", b"a\tb.png", "ab.png"),
        ("cr", b"x\rX-Evil: 1.png", 400), ("lf", b"x\nX-Evil: 1.png", 400), ("crlf", b"x\r\nX-Evil: 1\r\n.png", 400),
        ("crlf-encoded", b"x%0d%0aX-Evil:%201.png", None), ("crlf-wide", "x嘊嘍X-Evil: 1.png".encode(), None),
        ("quotes", b"x%22; filename=%22evil.exe", 'x"; filename="evil.png'),
        ("quotes-escaped", b'x\\"; y.png', 'x"; y.png'),
        ("parameter", b"x.png; filename*=UTF-8''evil.exe", "x.png; filename*=UTF-8''evil.png"),
        ("comma", b"a,b.png", "a,b.png"),
        ("percent", b"100%.png", "100%.png"), ("format", b"%s%s%n%x.png", "%s%s%n%x.png"),
        ("dollar", b"${jndi:ldap:x}.png", None),
        ("template", b"{{7*7}}.png", "{{7*7}}.png"), ("script", b"<script>alert(1)<%2fscript>.png", None),
        ("image", b"<img src=x onerror=alert(1)>.png", None),
        ("sql", b"'; DROP TABLE file;--.png", "'; DROP TABLE file;--.png"),
        ("command", b"$(touch okul-was-here).png", None),
        ("backticks", b"`touch okul-was-here`.png", None), ("pipe", b"|touch okul-was-here", None),
        ("option", b"-rf", "-rf.png"), ("star", b"*.png", "*.png"),
        ("htaccess", b".htaccess", "htaccess.png"), ("database", b"okul.db", "okul.png"),
        ("keys", b"keys.conf", "keys.png"), ("reserved", b"CON", "CON.png"),
        ("reserved-2", b"nul.png", "nul.png"), ("spaces", b"  x.png  ", "x.png"), ("only-spaces", b"   ", "file.png"),
        ("empty", b"", "file.png"),
        ("turkish", "Ders notları ğüşiöçİI.png".encode(), "Ders notları ğüşiöçİI.png"),
        ("decomposed", "u\u0308.png".encode(), "u\u0308.png"),
        ("emoji", "👩‍🏫.png".encode(), "👩‍🏫.png"), ("right-to-left", "x\u202egpj.exe".encode(), "xgpj.png"),
        ("isolate", "\u2066x\u2069.png".encode(), "x.png"),
        ("mark", "\ufeffx.png".encode(), "x.png"), ("not-a-character", "x\ufffe.png".encode(), "x.png"),
        ("latin1", b"\xe7\xf6.png", "çö.png"),
        ("surrogate", b"\xed\xa0\x80.png", "í\u00a0€.png"), ("cut-utf8", b"x\xc5", "xÅ.png"),
        ("above-unicode", b"\xf4\x90\x80\x80.png", "ô_€€.png"),
        ("long", long.encode(), long[:251] + ".png"), ("longest", b"a" * 255, "a" * 251 + ".png"),
        ("too-long-for-a-head", b"a" * 9000, 400),
        ("combining", ("x" + "\u0301" * 200 + ".png").encode(), None),
    ]
    every = [Case(f"name-{what}", png(b"n%d" % number), 400 if stored == 400 else "png", name=name, stored=None
                  if stored == 400 else stored)
             for number, (what, name, stored) in enumerate(table)]

    dispositions = [
        ("extended", b'name="file"; filename*=UTF-8\'\'..%2F..%2F' + mark.encode(), saved),
        ("extended-crlf", b'name="file"; filename*=UTF-8\'\'x%0D%0AX-Evil%3A%201', "xX-Evil: 1.png"),
        ("extended-nul", b'name="file"; filename*=UTF-8\'\'x%00.png', 400),
        ("extended-overlong", b'name="file"; filename*=UTF-8\'\'..%C0%AFx', 400),
        ("extended-latin1", b'name="file"; filename*=ISO-8859-1\'\'%e7.png', 400),
        ("extended-broken", b'name="file"; filename*=UTF-8\'\'%zz', 400),
        ("both", b'name="file"; filename="a.png"; filename*=UTF-8\'\'%2e%2e%5cb.png', "b.png"),
        ("filename-twice", b'name="file"; filename="a.png"; filename="b.png"', 400),
        ("name-twice", b'name="file"; name="folder"; filename="a.png"', 400),
        ("no-name", b'filename="a.png"', 400), ("empty-name", b'name=""; filename="a.png"', 400),
        ("other-name", b'name="avatar"; filename="a.png"', 400),
        ("name-of-a-path", b'name="../file"; filename="a.png"', 400),
        ("name-with-line", b'name="file\n"; filename="a.png"', 400),
        ("open-quote", b'name="file"; filename="a.png', 400), ("token", b"name=file; filename=../a.png", "a.png"),
        ("capitals", b'NAME="file"; FileName="a.png"', "a.png"),
        ("field-with-bytes", b'name="folder"; filename="public"', 400),
    ]
    every += [Case(f"disposition-{what}", png(b"d%d" % number), 400 if stored == 400 else "png", disposition=b"; "
                   + text,
                   stored=None if stored == 400 else stored) for number,
                   (what, text, stored) in enumerate(dispositions)]
    every += [Case(f"claim-{what}", png(b"c%d" % number), expected, claim=claim) for number,
              (what, claim, expected) in enumerate([
        ("crlf", b"image/png\r\nX-Evil: 1", "png"), ("lf", b"image/png\nX-Evil: 1", 400), ("nul", b"image/png\0", 400),
        ("long", b"a/" + b"b" * 9000, 400),
        ("wild", b"*/*", "png"), ("utf7", b"text/html; charset=utf-7", "png"), ("latin1", b"\xe7/\xe7", 400)])]
    return every


CORPUS = corpus() + names()


def test_the_corpus_is_large_and_deterministic():
    assert len(CORPUS) >= 300
    assert len({c.what for c in CORPUS}) == len(CORPUS)
    assert len({(c.content, c.name, c.claim, c.disposition) for c in CORPUS}) == len(CORPUS)


# ---- the server, and its invariants


@pytest.fixture(scope="module")
def school():
    """A server that only this file uses, so that no other test makes files there."""
    server = Server("hostile", OKUL_WORKERS="2")
    yield Okul(server)
    deaths = server.deaths()
    server.stop()
    assert deaths == []


@pytest.fixture(scope="module")
def attacker(school):
    person = school.registered()
    person.upload(png())      # the first upload makes folders
    return person


def tree(server):
    """All paths below the server's home, except temporary files of nginx, SQLite and the log."""
    found = set()
    for folder, folders, files in os.walk(server.home):
        inside = os.path.relpath(folder, server.home)
        if inside in ("data/run", "data/log"):
            folders.clear()
            continue
        found |= {os.path.normpath(os.path.join(inside, name)) for name in folders + files
                  if not name.startswith("okul.db")}
    return found


def form_of(case):
    disposition = case.disposition or b'; name="file"; filename="' + case.name + b'"'
    kind = b"Content-Type: " + case.claim + b"\r\n" if case.claim else b""
    return (b"--" + BOUNDARY + b"\r\nContent-Disposition: form-data" + disposition + b"\r\n" + kind + b"\r\n"
            + case.content
            + b"\r\n--" + BOUNDARY + b"--\r\n")


def send(attacker, case):
    return attacker.post("/storage/upload", body=form_of(case), content_type="multipart/form-data; boundary="
                         + BOUNDARY.decode())


ALLOWED = {"server", "date", "content-type", "content-length", "connection", "keep-alive", "last-modified", "etag",
           "accept-ranges", "cache-control",
           "content-disposition", "content-security-policy", "x-content-type-options", "x-request-id",
           "x-frame-options", "referrer-policy",
           "cross-origin-resource-policy", "vary", "access-control-allow-origin",
           "access-control-expose-headers"}
DISPOSITION = re.compile(r"""(inline|attachment); filename="([ !#$&-\[\]-~]*)"(?:; """
                         r"""filename\*=UTF-8''((?:[\w!#$&+\-.^`|~]|%[0-9A-F]{2})+))?""", re.ASCII)


def check_name(name):
    assert 1 <= len(name) <= 255 and name not in (".", ".."), repr(name)
    assert not re.search("[\0-\x1f\x7f-\x9f/\\\\\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]", name), repr(name)
    assert name[0] not in " ." and name[-1] not in " ."


def check_download(school, data, case):
    """The download has the detected type, forbids sniffing and scripts, and has a harmless name."""
    mime = MIMES[case.expected]
    address = urlsplit(data["url"])
    answer = school.get(f"{address.path}?{address.query}" if address.query else address.path)
    assert answer.status == 200 and answer.body == case.content, answer
    assert {name.lower() for name in answer.headers.keys()} <= ALLOWED, answer.headers
    assert all(len(answer.headers.get_all(name)) == 1 for name in answer.headers.keys()), answer.headers
    assert answer.headers["Content-Type"] == mime
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    policy = [part.strip() for part in answer.headers["Content-Security-Policy"].split(";")]
    assert "sandbox" in policy and "default-src 'none'" in policy, policy
    found = DISPOSITION.fullmatch(answer.headers["Content-Disposition"])
    assert found, answer.headers["Content-Disposition"]
    assert found[1] == ("attachment" if mime == "application/pdf" else "inline")
    assert (unquote(found[3], errors="strict") if found[3] else found[2]) == data["fileName"]


def check_taken(school, case, answer, before, after):
    data, hashed = answer.data, hashlib.sha256(case.content).hexdigest()
    assert data["mimeType"] == MIMES[case.expected], answer
    assert re.fullmatch(r"[0-9a-f]{24}\." + re.escape(case.expected), data["key"]), data["key"]
    assert data["sha256"] == hashed and data["size"] == len(case.content) and data["isPublic"] is False, answer
    check_name(data["fileName"])
    assert re.search(rf"\.({case.expected}{'|jpeg' if case.expected == 'jpg' else ''})$", data["fileName"], re.I), data["fileName"]
    if case.stored is not None:
        assert data["fileName"] == case.stored, answer
    place = f"data/files/{hashed[:2]}"
    assert after - before <= {place, f"{place}/{hashed}"} and f"{place}/{hashed}" in after, after - before
    path = school.server.home / place / hashed
    assert path.read_bytes() == case.content and path.stat().st_mode & 0o7777 == 0o640
    check_download(school, data, case)


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.what)
def test_a_file_is_stored_with_its_detected_type(school, attacker, case):
    before = tree(school.server)
    answer = send(attacker, case)
    after = tree(school.server)
    assert before <= after
    if isinstance(case.expected, int):
        assert answer.status == case.expected, answer
        assert after == before
    else:
        assert answer.status == 201, answer
        check_taken(school, case, answer, before, after)


def test_no_file_is_written_outside_the_store(school, attacker):
    for case in CORPUS:
        if b"okul-was-here" in case.name + (case.disposition or b""):
            send(attacker, case)
    server = school.server
    places = {Path("/"), Path("/etc"), Path("/tmp"), Path(tempfile.gettempdir()), Path.cwd(), ROOT, server.home,
              server.data, server.data / "files"}
    assert [p for place in places for p in place.glob("*okul-was-here*")] == []
    assert [p for p in (server.data / "files").rglob("*") if p.is_file()
            and not re.fullmatch(r"[0-9a-f]{64}", p.name)] == []


@pytest.mark.parametrize("folder", ["../public", "private/../public", "/etc", "PUBLIC", "public\0", "public ", "",
                                    "%2e%2e", "private;public"])
def test_only_two_folder_names_are_valid(attacker, folder):
    answer = attacker.upload(png(b"folder"), "a.png", ("folder", folder))
    assert answer.status in (400, 403), answer


def test_only_an_admin_makes_a_file_public(school, attacker):
    before = tree(school.server)
    assert attacker.upload(png(), "a.png", ("folder", "public")).status == 403
    assert tree(school.server) == before


@pytest.mark.parametrize("key", [
    "../okul.db", "..%2fokul.db", "..%2F..%2Fkeys.conf", "%2e%2e%2fokul.db", "..%5cokul.db", "%252e%252e%252fokul.db",
    "..%c0%afokul.db", "....//okul.db",
    "%00", "a%00.png", "%0d%0aX-Evil:%201", "/etc/passwd", "%2fetc%2fpasswd", "..", ".", "%2e%2e", "_data%2ffiles",
    "*", "%25", "'%20OR%201=1--", "a" * 300,
    "x.png%0d%0aX-Accel-Redirect:%20/_data/files/..", quote("../" * 20 + "etc/passwd", safe=""), "%E2%80%AEgnp.x"])
def test_a_key_is_not_interpreted_as_a_path(school, attacker, key):
    for caller in (school, attacker):
        answer = caller.get("/storage/files/" + key)
        assert answer.status in (400, 404), answer
        assert b"SQLite" not in answer.body and b"root:" not in answer.body and "X-Evil" not in answer.headers


@pytest.mark.parametrize("path", ["/_data/files/", "/_data/files/../okul.db", "/_data/okul.db", "/_share/schema.sql",
                                  "/files/", "/data/okul.db"])
def test_the_folder_is_not_served_directly(school, attacker, path):
    stored = attacker.upload(png()).data["sha256"]
    for address in (path, path + stored[:2] + "/" + stored):
        assert attacker.get(address).status in (400, 404)


def test_the_extension_in_the_url_does_not_change_the_type(school, attacker):
    """Keys are compared as a whole: with another extension it is an unknown key."""
    key = attacker.upload(PLAIN["png"], "x.png").data["key"]
    assert attacker.get(f"/storage/files/{key}").status == 200
    for other in (key.replace(".png", ".html"), key.removesuffix(".png"), key + ".html", key + "/x.html", key.upper(),
                  key + ";x.html"):
        assert attacker.get("/storage/files/" + other).status in (400, 404), other


def test_two_files_in_one_form_are_rejected(school, attacker):
    before = tree(school.server)
    answer = attacker.okul.upload(("file", "a.png", png()), ("file", "b.png", png()), token=attacker.token)
    assert answer.status == 400, answer
    assert tree(school.server) == before


def test_a_similar_boundary_inside_a_file_does_not_end_it(school, attacker):
    """A picture may contain bytes that look like a form: only the exact boundary ends it."""
    inner = b'\r\n------okul\r\nContent-Disposition: form-data; name="folder"\r\n\r\npublic\r\n------okul--\r\n'
    made = png(b"")[:33] + chunk(b"tEXt", b"C\0" + inner) + png(b"")[33:]
    answer = attacker.upload(made, "a.png")
    assert answer.status == 201 and answer.data["isPublic"] is False and answer.data["size"] == len(made), answer


def test_the_same_bytes_of_two_users_are_two_files(school, attacker):
    """Uploading the bytes of another user's file reveals nothing about that file and gives no access to it."""
    other, content = school.registered(), png(secrets.token_bytes(16))
    mine, theirs = attacker.upload(content, "mine.png").data, other.upload(content, "theirs.png").data
    assert mine["sha256"] == theirs["sha256"] and mine["key"] != theirs["key"] and theirs["fileName"] == "theirs.png"
    assert attacker.get("/storage/files/" + theirs["key"]).status == 404
