"""Files in S3 where the storage fails: errors, silence, a slow or damaging way to it, a wrong certificate, gc on two machines."""

import os
import re
import subprocess
import threading
import time

import pytest

from helpers.client import Okul
from helpers.s3 import BUCKET, Storage, key_of
from helpers.s3_between import Between, authority, certified
from helpers.samples import pdf
from helpers.server import ROOT, SLOW, Server, free_port
from helpers.uploads import path_of, uploaded

MIB = 1 << 20


@pytest.fixture(scope="module")
def storage():
    storage = Storage(free_port())
    yield storage
    storage.stop()


@pytest.fixture(scope="module")
def between(storage):
    between = Between(storage.port)
    yield between
    between.stop()


@pytest.fixture(scope="module")
def okul(storage, between):
    server = Server("s3-faults", web="nginx", OKUL_STORAGE_USER_QUOTA="0", OKUL_UPLOAD_LIMIT="100",
                    **storage.settings("/faults", OKUL_FILES_ENDPOINT=f"http://127.0.0.1:{between.port}"))
    yield Okul(server)
    server.stop()


def rows(okul, content):
    return okul.server.sql("SELECT sha256 FROM file").count(key_of(content)[3:])


def log(okul):
    return (okul.server.data / "log/okul.log").read_text()


def check(server, **changed):
    return subprocess.run(server.command("check"), env=server.environment | changed, capture_output=True, text=True, timeout=60).stdout


@pytest.mark.parametrize("fault, methods", [(500, None), (503, None), (403, None), (429, None), ("hang", None), (500, ["PUT"]),
                                            (403, ["PUT"]), ("hang", ["PUT"]), ("mute", ["PUT"]), ("cut", ["PUT"]), ("damage", ["PUT"])])
def test_an_upload_fails_whole_and_the_rest_works(okul, storage, between, fault, methods):
    ada, kept, content = okul.registered(), pdf(), pdf() + os.urandom(2 * MIB)
    path, deaths = path_of(uploaded(ada, kept)), len(okul.server.deaths())
    with between.faulty(fault, *([methods] if methods else [])):
        answers, start = [], time.monotonic()
        thread = threading.Thread(target=lambda: answers.append(ada.upload(content, "notes.pdf")))
        thread.start()
        assert okul.get("/health").status == 200 and ada.get("/storage/files").status == 200
        if not methods:
            assert "FAIL storage: http://127.0.0.1" in check(okul.server)
        thread.join()
        assert time.monotonic() - start < 18 * SLOW
        assert answers[0].status == 503 and answers[0].headers["Retry-After"] and answers[0].errors
        if not methods and fault != "hang":
            assert okul.get(path).status == 503
    assert rows(okul, content) == 0 and len(okul.server.deaths()) == deaths
    stored = key_of(content, "faults/") in storage.keys()
    assert stored == (fault == "mute")      # its answer was lost: gc deletes it, or the next upload uses it
    answer = uploaded(ada, content, name="notes.pdf")
    assert rows(okul, content) == 1 and okul.get(path_of(answer)).body == content and okul.get(path).body == kept
    if fault == "damage":
        assert "the bytes were damaged on the way" in log(okul)


def test_a_slow_storage_is_waited_for_or_the_upload_fails_in_time(okul, storage, between):
    """The web server gives up after 20 s; the upload must not be stored behind its back."""
    ada, large, small = okul.registered(), pdf() + os.urandom(95 * MIB), pdf() + os.urandom(10 * MIB)
    deaths = len(okul.server.deaths())
    with between.faulty("slow", ["PUT"], rate=3 * MIB):
        start = time.monotonic()
        answer = ada.upload(large, "large.pdf")
        assert answer.status == 503 and answer.headers["Retry-After"] and answer.errors
        assert 13 < time.monotonic() - start < 20 * SLOW
        uploaded(ada, small, name="small.pdf")
    time.sleep(1)
    assert rows(okul, large) == 0 and key_of(large, "faults/") not in storage.keys()
    assert storage.object(key_of(small, "faults/")) == (200, small) and rows(okul, small) == 1
    assert len(okul.server.deaths()) == deaths
    uploaded(ada, large, name="large.pdf")


# ---- TLS


@pytest.fixture(scope="module")
def secure(storage, tmp_path_factory):
    """A server whose storage is behind TLS, with a certificate by an authority of its own; and the contexts it may have."""
    folder = tmp_path_factory.mktemp("tls")
    ours, other = authority(folder, "ours"), authority(folder, "other")
    contexts = {"good": certified(folder, ours, "localhost"), "signer": certified(folder, other, "localhost"),
                "name": certified(folder, ours, "another.example.org")}
    between = Between(storage.port, contexts["good"])
    server = Server("s3-tls", web="nginx", OKUL_FILES_CA=str(ours),
                    **storage.settings("/tls", OKUL_FILES_ENDPOINT=f"https://localhost:{between.port}"))
    yield Okul(server), between, contexts
    server.stop()
    between.stop()


def test_the_certificate_of_an_own_authority(secure, storage):
    okul, between, _ = secure
    content = pdf()
    answer = uploaded(okul.registered(), content)
    assert storage.object(key_of(content, "tls/")) == (200, content) and okul.get(path_of(answer)).body == content
    assert f"ok   storage: s3://{BUCKET}/tls at https://localhost:{between.port}" in check(okul.server)


@pytest.mark.parametrize("wrong, why", [("signer", "unable to get local issuer certificate"), ("name", "matches target host name")])
def test_a_wrong_certificate(secure, wrong, why):
    okul, between, contexts = secure
    ada, content = okul.registered(), pdf()
    path = path_of(uploaded(ada, pdf()))
    between.tls = contexts[wrong]
    try:
        okul.server.restart()       # programs and nginx must not go on with the connection that they have
        lines = [line for line in check(okul.server).splitlines() if "FAIL storage:" in line]
        assert len(lines) == 1 and why in lines[0] and "is not trusted" in lines[0] and "files_ca" in lines[0], lines
        answer = ada.upload(content)
        assert answer.status == 503 and answer.headers["Retry-After"] and rows(okul, content) == 0
        assert okul.get(path).status == 503
        assert re.search(f"file_storage_failed .*{why}", log(okul))
    finally:
        between.tls = contexts["good"]
    assert ada.upload(content).status == 201 and okul.get(path).status == 200


@pytest.mark.parametrize("authorities, why", [("", "is not trusted"), ("/no/such/file", "/no/such/file"),
                                              ("ours.pem", "files_ca = ours.pem: must be the path of a file")])
def test_wrong_authorities_are_told_in_one_line(secure, authorities, why):
    okul, _, _ = secure
    lines = [line for line in check(okul.server, OKUL_FILES_CA=authorities).splitlines()
             if line.startswith(("FAIL storage", "FAIL configuration"))]
    assert len(lines) == 1 and why in lines[0], lines


# ---- gc


def test_two_gcs_and_uploads_of_the_same_bytes(storage):
    """Objects an hour old that no row names are deleted while the same bytes come again: no row may name a deleted one."""
    server = Server("s3-gc", web="nginx", OKUL_STORAGE_USER_QUOTA="0", **storage.settings("/gc"))
    try:
        okul, statuses, deleted = Okul(server), [], 0
        contents = [pdf() for _ in range(12)]
        for turn in range(int(os.environ.get("OKUL_GC_ROUNDS", "8"))):
            for content in contents:
                storage.put(key_of(content, "gc/"), content)
            server.clock.advance(2 * 3600)
            person = okul.registered()
            threads = [threading.Thread(target=lambda content=content: statuses.append(person.upload(content).status))
                       for content in contents]
            gcs, first = [], turn % 4 * 2       # so many uploads begin before gc does
            for i, thread in enumerate(threads):
                if i in (first, first + 1):
                    gcs.append(subprocess.Popen(server.command("files", "gc"), env=server.environment, stdout=subprocess.PIPE, text=True))
                thread.start()
                time.sleep(0.02)
            for thread in threads:
                thread.join()
            for gc in gcs:
                told = gc.communicate(timeout=60)[0]
                assert gc.returncode == 0, told
                deleted += int(re.search(r"(\d+) deleted", told)[1])
            named = set(re.findall("[0-9a-f]{64}", server.sql("SELECT sha256 FROM file")))
            stored = {key.rpartition("/")[2] for key in storage.keys() if key.startswith("gc/")}
            assert named <= stored, (turn, statuses)
            server.sql("DELETE FROM file")
        print(f"{statuses.count(201)} stored, {statuses.count(503)} refused, {deleted} deleted")
        assert set(statuses) <= {201, 503} and deleted and 201 in statuses, (statuses, deleted)
    finally:
        server.stop()


# ---- the network under systemd


def test_check_tells_that_systemd_gives_no_network(okul, tmp_path):
    assert " network: " not in check(okul.server, OKUL_UNITS=str(tmp_path))     # not run by systemd
    (tmp_path / "okul@.service").write_text((ROOT / "conf/systemd/okul@.service").read_text())
    assert "FAIL network: systemd keeps the programs off it, and http://127.0.0.1" in check(okul.server, OKUL_UNITS=str(tmp_path))
    more = tmp_path / "okul@.service.d"
    more.mkdir()
    (more / "database.conf").write_text((ROOT / "conf/cluster/okul@.service.d/database.conf").read_text())
    assert "ok   network: " in check(okul.server, OKUL_UNITS=str(tmp_path))
    (more / "database.conf").unlink()
    assert " network: " not in check(okul.server, OKUL_UNITS=str(tmp_path), OKUL_FILES="") or okul.server.database
