"""Files in S3: uploads, downloads by the web server and by redirects, gc, verify, move, and a storage that is away."""

import collections
import contextlib
import hashlib
import http.client
import os
import random
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest

from helpers.client import Okul, form
from helpers.s3 import BUCKET, SECRET, Storage, key_of
from helpers.samples import pdf, png
from helpers.server import SLOW, Server, free_port, until
from helpers.uploads import path_of, uploaded


@pytest.fixture(scope="module")
def storage():
    storage = Storage(free_port())
    yield storage
    storage.stop()


@pytest.fixture(scope="module")
def okul(storage):
    server = Server("s3", web="nginx", **storage.settings("/files"))
    yield Okul(server)
    server.stop()


def test_upload_and_download(okul, storage):
    ada, content = okul.registered(), pdf()
    answer = uploaded(ada, content, name="notes.pdf")
    key = key_of(content, "files/")
    assert key in storage.keys() and storage.object(key) == (200, content)
    got = okul.get(path_of(answer))
    assert got.status == 200 and got.body == content


def test_the_web_server_sends_it_as_from_a_folder(okul):
    ada, content = okul.registered(), pdf()
    path = path_of(uploaded(ada, content, name="notes.pdf"))
    got = okul.get(path)
    headers = got.headers
    assert headers["Content-Type"] == "application/pdf" and headers["Content-Disposition"] == 'attachment; filename="notes.pdf"'
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox" and headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "private, no-cache" and headers["Referrer-Policy"] == "no-referrer"
    assert headers["Content-Length"] == str(len(content)) and headers["Accept-Ranges"] == "bytes"
    assert not [name for name in headers if name.lower().startswith(("x-amz", "x-trans", "x-openstack", "x-okul"))]
    tag, changed = headers["ETag"], headers["Last-Modified"]
    head = okul.head(path)
    assert head.status == 200 and head.body == b"" and (head.headers["ETag"], head.headers["Last-Modified"]) == (tag, changed)
    assert head.headers["Content-Length"] == str(len(content))
    for condition in ({"If-None-Match": tag}, {"If-Modified-Since": changed}):
        same = okul.get(path, headers=condition)
        assert same.status == 304 and same.body == b"" and same.headers["ETag"] == tag
    assert okul.get(path, headers={"If-None-Match": '"another"'}).status == 200
    assert okul.get(path, headers={"If-Match": '"another"'}).status == 412


def test_ranges(okul):
    ada, content = okul.registered(), pdf() * 50
    path = path_of(uploaded(ada, content))
    whole = okul.get(path)
    size = len(content)
    for asked, first, last in (("0-9", 0, 9), ("5-", 5, size - 1), ("-7", size - 7, size - 1), (f"3-{size * 2}", 3, size - 1)):
        part = okul.get(path, headers={"Range": "bytes=" + asked})
        assert part.status == 206 and part.body == content[first:last + 1], asked
        assert part.headers["Content-Range"] == f"bytes {first}-{last}/{size}" and part.headers["ETag"] == whole.headers["ETag"]
    part = okul.get(path, headers={"Range": "bytes=0-9", "If-Range": whole.headers["ETag"]})
    assert part.status == 206 and part.body == content[:10]
    assert okul.get(path, headers={"Range": "bytes=0-9", "If-Range": '"another"'}).body == content
    beyond = okul.get(path, headers={"Range": f"bytes={size}-"})
    assert beyond.status == 416 and beyond.headers["Content-Range"] == f"bytes */{size}"


def test_rights_are_checked_before(okul):
    ada, ben = okul.registered(), okul.registered()
    path = path_of(uploaded(ada, pdf())).partition("?")[0]
    assert ada.get(path).status == 200 and ben.get(path).status == 404 and okul.get(path).status == 401
    assert okul.get(f"/_s3/{BUCKET}/files/").status == 404  # internal


def test_the_same_bytes_are_sent_once(okul, storage):
    ada, content = okul.registered(), pdf()
    uploaded(ada, content)
    damaged = b"x" * len(content)
    storage.put(key_of(content, "files/"), damaged)     # is overwritten only by a PUT of the same bytes
    uploaded(ada, content)
    assert storage.object(key_of(content, "files/")) == (200, damaged)
    okul.server.clock.advance(31 * 60)
    uploaded(okul.registered(), content)
    assert storage.object(key_of(content, "files/")) == (200, content)


def test_gc_deletes_what_no_row_names(okul, storage):
    ada, kept, gone, stray = okul.registered(), pdf(), pdf(), pdf()
    uploaded(ada, kept)
    answer = uploaded(ada, gone)
    storage.put(key_of(stray, "files/"), stray)
    storage.put("files/readme.txt", b"not okul's")
    assert ada.delete("/storage/files/" + answer.data["key"]).status == 200
    server = okul.server
    server.ctl("files", "gc")
    assert {key_of(x, "files/") for x in (kept, gone, stray)} <= storage.keys()    # too young
    server.clock.advance(3700)
    assert "2 would be deleted" in server.ctl("files", "gc", "--dry-run").stdout
    assert "2 deleted" in server.ctl("files", "gc").stdout
    assert key_of(kept, "files/") in storage.keys() and "files/readme.txt" in storage.keys()
    assert not {key_of(gone, "files/"), key_of(stray, "files/")} & storage.keys()
    # Just swept: whether its deletion is over is not known, so a row is not added yet.
    assert okul.registered().upload(gone).status == 503
    server.clock.advance(150)
    uploaded(okul.registered(), gone)
    assert storage.object(key_of(gone, "files/")) == (200, gone)


def test_verify_names_damaged_and_missing_files(okul, storage):
    ada, damaged, missing, good = okul.registered(), pdf(), pdf(), pdf()
    answers = [uploaded(ada, content) for content in (damaged, missing, good)]
    keys = [answer.data["key"] for answer in answers]
    storage.put(key_of(damaged, "files/"), damaged[:-1] + b"?")
    storage.request("DELETE", f"/{BUCKET}/" + key_of(missing, "files/"))
    done = okul.server.ctl("files", "verify", check=False)
    assert done.returncode == 1
    lines = {line.partition(":")[0]: line for line in done.stdout.splitlines()}
    assert lines[keys[0]] == f"{keys[0]}: s3://{BUCKET}/{key_of(damaged, 'files/')} has other bytes than were uploaded"
    assert lines[keys[1]].endswith(" is missing") and keys[2] not in lines
    assert okul.get(path_of(answers[1])).status == 404
    storage.put(key_of(damaged, "files/"), damaged)
    storage.put(key_of(missing, "files/"), missing)
    assert okul.server.ctl("files", "verify").stdout.endswith(" 0 damaged\n")


def test_a_storage_that_is_away(okul, storage):
    ada, content = okul.registered(), pdf()
    path = path_of(uploaded(ada, content))
    storage.stop()
    try:
        answer = ada.upload(pdf())
        assert answer.status == 503 and answer.headers["Retry-After"]
        assert okul.get(path).status == 503
        assert okul.get("/health").status == 200 and ada.get("/storage/files").status == 200 and okul.head(path).status == 200
        assert "does not answer" in okul.server.ctl("files", "verify", check=False).stdout
    finally:
        storage.start()
    until(lambda: ada.upload(pdf()).status == 201, "an upload")
    assert okul.get(path).body == content


def test_a_storage_that_accepts_and_does_not_answer():
    with socket.create_server(("127.0.0.1", 0), backlog=50) as silent:
        server = Server("s3-silent", web="nginx", OKUL_FILES="s3://school", OKUL_FILES_KEY_ID="id", OKUL_FILES_SECRET="secret",
                        OKUL_FILES_ENDPOINT=f"http://127.0.0.1:{silent.getsockname()[1]}")
        try:
            okul = Okul(server)
            ada, start = okul.registered(), time.monotonic()
            thread = threading.Thread(target=lambda: answers.append(ada.upload(pdf())))
            answers = []
            thread.start()
            time.sleep(1)
            before = time.monotonic()
            assert okul.get("/health").status == 200 and ada.get("/storage/files").status == 200
            assert time.monotonic() - before < 1 * SLOW
            thread.join()
            assert 5 < time.monotonic() - start < 12 * SLOW
            assert answers[0].status == 503 and answers[0].headers["Retry-After"]
            assert server.sql("SELECT count(*) AS n FROM file").split() == ["n", "0"]
        finally:
            server.stop()


class Between(threading.Thread):
    """A TCP server between okul and the storage: `treat` gets what okul sends and returns what goes on, or the answer itself."""

    def __init__(self, storage, treat, certificate=None):
        super().__init__(daemon=True)
        self.storage, self.treat, self.listener = storage, treat, socket.create_server(("127.0.0.1", 0), backlog=50)
        self.port, self.context = self.listener.getsockname()[1], None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate / "server.pem", certificate / "server.key")
        self.start()

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with contextlib.suppress(OSError), client:
            if self.context:
                client = self.context.wrap_socket(client, server_side=True)
            with socket.create_connection(("127.0.0.1", self.storage.port)) as server:
                threading.Thread(target=self.back, args=(server, client), daemon=True).start()
                while block := client.recv(65536):
                    if isinstance(treated := self.treat(block), str):
                        client.sendall(treated.encode())
                        return
                    server.sendall(treated)

    def back(self, server, client):
        with contextlib.suppress(OSError):
            while block := server.recv(65536):
                client.sendall(block)
            client.shutdown(socket.SHUT_RDWR)

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def refuse(line):
    return lambda block: f"HTTP/1.1 {line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def damage(block):
    """One bit of each PDF on its way."""
    return block.replace(b"%PDF-1.", b"%PDF-0.")


@pytest.mark.parametrize("treat, why", [(refuse("500 Internal Error"), " with 500"), (refuse("503 Slow Down"), " with 503"),
                                        (refuse("403 Forbidden"), " with 403"), (damage, "PUT with 400")],
                         ids=["500", "503", "403", "damaged"])
def test_a_storage_that_does_not_take_an_upload(storage, treat, why):
    """Nothing is stored, and everything else works."""
    between = Between(storage, treat)
    server = Server("s3-between", web="nginx", **storage.settings("/between", OKUL_FILES_ENDPOINT=f"http://127.0.0.1:{between.port}"))
    try:
        okul = Okul(server)
        ada = okul.registered()
        answer = ada.upload(content := pdf())
        assert answer.status == 503 and answer.headers["Retry-After"], answer
        assert server.sql("SELECT count(*) AS n FROM file").split() == ["n", "0"] and storage.object(key_of(content, "between/"))[0] == 404
        assert okul.get("/health").status == 200 and ada.get("/storage/files").data["items"] == []
        assert why.encode() in (told := b"".join(server.logs().values())), told[-1000:]
        between.treat = lambda block: block
        assert ada.upload(content).status == 201 and storage.object(key_of(content, "between/")) == (200, content)
    finally:
        server.stop()
        between.stop()


def test_a_certificate_that_nobody_vouches_for(storage, tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout",
                    tmp_path / "server.key", "-out", tmp_path / "server.pem"], check=True, capture_output=True)
    between = Between(storage, lambda block: block, tmp_path)
    server = Server("s3-tls", web="nginx", **storage.settings("/tls", OKUL_FILES_ENDPOINT=f"https://localhost:{between.port}"))
    try:
        ada = Okul(server).registered()
        assert ada.upload(pdf()).status == 503
        assert server.sql("SELECT count(*) AS n FROM file").split() == ["n", "0"]
        told = server.ctl("check", check=False).stdout
        assert re.search(r"FAIL storage: https://localhost:\d+ does not answer GET: .*certificate", told), told
    finally:
        server.stop()
        between.stop()


# ---- redirects


@pytest.mark.parametrize("web, settings", [("nginx", {"OKUL_FILES_DELIVERY": "redirect"}), ("nginx", {"OKUL_DELIVERY": "itself"}),
                                           ("apache", {})])
def test_redirects(storage, web, settings):
    server = Server("s3-redirect", web=web, **storage.settings(), **settings)
    try:
        okul = Okul(server)
        ada, content = okul.registered(), pdf()
        path = path_of(uploaded(ada, content, name="Ders notları.pdf"))
        answer = okul.get(path)
        assert answer.status == 302 and answer.headers["Cache-Control"] == "no-store" and answer.body == b""
        assert ada.get(path.partition("?")[0]).status == 302 and okul.registered().get(path.partition("?")[0]).status == 404
        url = answer.headers["Location"]
        assert url.startswith(f"http://127.0.0.1:{storage.port}/{BUCKET}/{key_of(content)}?")
        with urllib.request.urlopen(url) as got:
            assert got.read() == content and got.headers["Content-Type"] == "application/pdf"
            assert "filename*=UTF-8''Ders%20notlar%C4%B1.pdf" in got.headers["Content-Disposition"]
            assert got.headers["Cache-Control"] == "private, no-cache"
        for broken in (url[:-1] + ("0" if url[-1] != "0" else "1"), url.replace("Expires=60", "Expires=6000"),
                       url.replace(key_of(content), key_of(content + b"x")), url.partition("?")[0]):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(broken)
            assert refused.value.code in (400, 403)
        assert okul.head(path).status == 200
        assert okul.get(path, headers={"If-None-Match": okul.head(path).headers["ETag"]}).status == 304
    finally:
        server.stop()


# ---- workers that are killed


@pytest.mark.kills
def test_no_row_without_its_object_when_workers_are_killed(storage):
    """Uploads run while workers of storage are killed. OKUL_KILL_ROUNDS: how many are killed, 20 unless given."""
    rounds = int(os.environ.get("OKUL_KILL_ROUNDS", "20"))
    server = Server("s3-killed", web="nginx", OKUL_STORAGE_USER_QUOTA="0", **storage.settings("/killed"))
    try:
        okul = Okul(server)
        person = okul.registered()
        ended, answers, lock = threading.Event(), [], threading.Lock()

        def uploads():
            while not ended.is_set():
                content = pdf() + os.urandom(random.randrange(1, 300_000))
                kind, body = form(("file", "file.pdf", content))
                connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
                try:
                    connection.request("POST", "/storage/upload", body, {"Content-Type": kind, "Authorization": "Bearer " + person.token})
                    with lock:
                        answers.append((connection.getresponse().status, content))
                except (OSError, http.client.HTTPException):
                    pass
                finally:
                    connection.close()

        threads = [threading.Thread(target=uploads) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(rounds):
            time.sleep(random.uniform(0.05, 0.4))
            workers = server.workers("storage")
            if workers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(random.choice(list(workers)), signal.SIGKILL)
        time.sleep(1)
        ended.set()
        for thread in threads:
            thread.join()
        named = set(re.findall("[0-9a-f]{64}", server.sql("SELECT sha256 FROM file")))
        stored = {key.rpartition("/")[2] for key in storage.keys() if key.startswith("killed/")}
        acknowledged = {hashlib.sha256(content).hexdigest() for status, content in answers if status == 201}
        statuses = collections.Counter(status for status, _ in answers)
        print(f"{rounds} kills, answers {dict(statuses)}, {len(named)} rows, {len(stored)} objects")
        assert acknowledged and acknowledged <= named <= stored, statuses
        assert set(statuses) <= {201, 502, 503, 504}, statuses
        assert server.ctl("files", "verify").stdout.endswith(" 0 damaged\n")
    finally:
        server.stop()


# ---- move


def test_move_there_and_back(storage, tmp_path):
    server = Server("s3-move", web="nginx", OKUL_STORAGE_USER_QUOTA="0",
                    **{k: v for k, v in storage.settings().items() if k != "OKUL_FILES"})
    try:
        okul = Okul(server)
        ada, contents = okul.registered(), [pdf() for _ in range(12)] + [png()]
        answers = [uploaded(ada, content) for content in contents]
        folder = server.data / "files"
        first = folder / key_of(contents[0])
        first.rename(tmp_path / "aside")
        failed = server.ctl("files", "move", f"s3://{BUCKET}/moved", check=False)
        assert failed.returncode == 1 and "nothing was switched" in failed.stderr and f"{first} is missing" in failed.stdout
        assert okul.get(path_of(answers[1])).body == contents[1]        # the old place serves on
        (tmp_path / "aside").rename(first)
        moved = server.ctl("files", "move", f"s3://{BUCKET}/moved").stdout
        assert f"13 files are in s3://{BUCKET}/moved, 1 of them new there" in moved and f"rm -r {folder}/files" not in moved
        assert {key_of(content, "moved/") for content in contents} <= storage.keys()
        assert f"files = s3://{BUCKET}/moved\n" in (server.data / "okul.conf").read_text()
        assert ada.upload(pdf()).status == 503      # until okul is restarted
        server.restart()
        for content, answer in zip(contents, answers, strict=True):
            assert okul.get(path_of(answer)).body == content
        new = pdf()
        contents.append(new)
        answers.append(uploaded(ada, new))
        assert not (folder / key_of(new)).exists() and key_of(new, "moved/") in storage.keys()
        assert "first `okulctl files move folder`" in server.ctl("files", "move", f"s3://{BUCKET}/other", check=False).stderr
        assert "14 files are in the folder, 1 of them new there" in server.ctl("files", "move", "folder").stdout
        server.restart()
        for content, answer in zip(contents, answers, strict=True):
            assert okul.get(path_of(answer)).body == content and (folder / key_of(content)).read_bytes() == content
        assert server.ctl("files", "verify").stdout.startswith("14 files,")
    finally:
        server.stop()


def test_a_move_that_is_killed_changes_nothing_and_continues(storage):
    server = Server("s3-move-killed", web="nginx", OKUL_STORAGE_USER_QUOTA="0",
                    **{k: v for k, v in storage.settings().items() if k != "OKUL_FILES"})
    try:
        okul = Okul(server)
        ada, contents = okul.registered(), [pdf() + os.urandom(1000) for _ in range(40)]
        answers = [uploaded(ada, content) for content in contents]
        move = subprocess.Popen(server.command("files", "move", f"s3://{BUCKET}/killed-move"), env=server.environment)
        until(lambda: any(key.startswith("killed-move/") for key in storage.keys()), "the first copy")
        move.kill()
        move.wait()
        settings = server.data / "okul.conf"
        assert not settings.exists() or "killed-move" not in settings.read_text()
        copied = len([key for key in storage.keys() if key.startswith("killed-move/")])
        assert 0 < copied < 40
        assert okul.get(path_of(answers[0])).body == contents[0]
        new = pdf()
        answers.append(uploaded(ada, new))
        contents.append(new)
        told = server.ctl("files", "move", f"s3://{BUCKET}/killed-move").stdout
        fresh_copies = int(told.split(", ")[1].split(" ")[0])
        assert 41 - copied - 1 <= fresh_copies <= 41 - copied
        server.restart()
        for content, answer in zip(contents, answers, strict=True):
            assert okul.get(path_of(answer)).body == content
    finally:
        server.stop()


# ---- wrong settings


@pytest.mark.parametrize("changed, why", [
    ({"OKUL_FILES": "school"}, "files = school: must be like s3://bucket, or empty for the folder"),
    ({"OKUL_FILES": "s3://a b"}, "must be s3://bucket or s3://bucket/prefix"),
    ({"OKUL_FILES_ENDPOINT": ""}, "files is set, and files_endpoint is not"),
    ({"OKUL_FILES_ENDPOINT": "storage.example.org"}, "must be the address of the storage, like https://s3.example.org"),
    ({"OKUL_FILES_ENDPOINT": "http://storage.example.org"}, "must begin with https://"),
    ({"OKUL_FILES_KEY_ID": ""}, "files is set, and files_key_id is not"),
    ({"OKUL_FILES_SECRET": ""}, "and files_secret is not set; set it in"),
    ({"OKUL_FILES_REGION": "a b"}, "files_region = a b: must be a word like us-east-1"),
    ({"OKUL_FILES_SECRET": "wrong"}, "files_key_id, files_secret or files_region is wrong"),
    ({"OKUL_FILES_KEY_ID": "okul:nobody"}, "files_key_id, files_secret"),
    ({"OKUL_FILES": "s3://another"}, "the bucket of files does not exist; create it"),
    ({"OKUL_FILES_REGION": "eu-north-9"}, "files_region is wrong"),
    ({"OKUL_FILES_ENDPOINT": "http://127.0.0.1:1"}, "http://127.0.0.1:1 does not answer GET"),
])
def test_wrong_settings_are_told_in_one_line(okul, storage, changed, why):
    environment = okul.server.environment | storage.settings() | changed
    done = subprocess.run(okul.server.command("files", "gc", "--quiet"), env=environment, capture_output=True, text=True, timeout=30)
    assert done.returncode in (1, 78)
    told = [line for line in done.stderr.splitlines() if line.startswith("okulctl: ")]
    assert len(told) == 1 and why in told[0], done.stderr


def test_check_looks_into_the_storage(okul, storage):
    environment = okul.server.environment | {"OKUL_FILES_SECRET": "wrong"}
    assert f"ok   storage: s3://{BUCKET}/files at http://127.0.0.1:{storage.port}" in okul.server.ctl("check", check=False).stdout
    done = subprocess.run(okul.server.command("check"), env=environment, capture_output=True, text=True, timeout=30)
    assert "FAIL storage: http://127.0.0.1" in done.stdout and "files_secret or files_region is wrong" in done.stdout


def test_the_secret_is_only_for_its_owner(okul, storage):
    environment = {k: v for k, v in okul.server.environment.items() if k != "OKUL_FILES_SECRET"}
    settings = okul.server.data / "okul.conf"
    before = settings.read_text() if settings.exists() else None
    settings.write_text((before or "") + f"files_secret = {SECRET}\n")
    try:
        for mode, code in ((0o640, 78), (0o600, 0)):
            settings.chmod(mode)
            done = subprocess.run(okul.server.command("files", "gc"), env=environment, capture_output=True, text=True, timeout=30)
            assert done.returncode == code and (f"chmod 600 {settings}" in done.stderr) == (code != 0), done.stderr
    finally:
        settings.write_text(before) if before is not None else settings.unlink()
