"""Strangers who upload, and clients that send slowly: what they take of the disk and of others' time, behind nginx and Apache."""

import contextlib
import http.client
import json
import os
import select
import socket
import stat
import statistics
import subprocess
import sys
import threading
import time

import pytest

from helpers.cgi import fastcgi
from helpers.client import Answer, Okul, form
from helpers.samples import mp4, pdf, png
from helpers.server import ORIGIN, SLOW, Server, fresh, until

MIB = 1 << 20
LONG = bool(os.environ.get("OKUL_LONG"))
LARGE = (95 if LONG else 8) * MIB   # OKUL_LONG=1: as large as the bar says; the figures of the normal run show the same
SLOW_CLIENTS = 50
TEMPORARY = 1 * MIB                 # the largest temporary file of a web server: a JSON body


@pytest.fixture(scope="module", params=["nginx", "apache"])
def crowded(request):
    """Two workers a program; without limits of connections, since all clients here are one."""
    server = Server("crowd", web=request.param, OKUL_WORKERS="2")
    yield Okul(server)
    server.stop()


# ---- clients that do not end


@contextlib.contextmanager
def closing(wires):
    try:
        yield wires
    finally:
        for wire in wires:
            wire.close()


def begin(okul, path, length, token=None, kind="multipart/form-data; boundary=x", method="POST", body=b""):
    """Sends a head, and so much of the body."""
    wire = socket.create_connection(("127.0.0.1", okul.server.port), 30 * SLOW, (okul.source, 0))
    head = [f"{method} {path} HTTP/1.1", "Host: x", f"Content-Type: {kind}", f"Content-Length: {length}", f"Origin: {ORIGIN}"]
    head += [f"Authorization: Bearer {token}"] if token else []
    wire.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)
    return wire


def answer_to(okul, wire, method, path):
    response = http.client.HTTPResponse(wire, method=method)
    response.begin()
    return okul.check(Answer(method, path, response.status, response.headers, response.read(), ORIGIN))


def trickle(wires, over):
    """A byte on each, now and then, as long as somebody takes them."""
    while not over.wait(0.2):
        for wire in wires:
            with contextlib.suppress(OSError):
                wire.send(b"x")


# ---- what they take


def web_processes(server):
    if not server.apache:
        return [pid for pid, name in server.processes().items() if "nginx" in name]
    mine = str(server.apache.process.pid)
    return [int(p) for p in os.listdir("/proc") if p.isdigit() and mine in (p, parent(p))]


def temporary_files(pids):
    """The sizes of files that these processes hold open and nobody else can see, or that lie in a web server's folder for that."""
    found = {}
    for pid in pids:
        for entry in os.scandir(f"/proc/{pid}/fd") if os.path.isdir(f"/proc/{pid}/fd") else ():
            with contextlib.suppress(OSError):
                what, target = os.stat(entry.path), os.readlink(entry.path)
                if stat.S_ISREG(what.st_mode) and ("(deleted)" in target or "nginx-body" in target):
                    found[what.st_dev, what.st_ino] = what.st_size
    return list(found.values())


def parent(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[1]


class Watch:
    """The largest temporary file while a block runs."""

    def __init__(self, server):
        self.pids, self.most, self.over = web_processes(server), 0, threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while True:
            self.most = max([self.most, *temporary_files(self.pids)])
            if self.over.wait(0.1):
                return

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def median(person, rounds=3):
    """Of the seconds that GET /me takes, in the best of the rounds: others use this machine too."""
    found = []
    for _ in range(rounds):
        taken = []
        for _ in range(60):
            start = time.monotonic()
            assert person.get("/me").status == 200
            taken.append(time.monotonic() - start)
        found.append(statistics.median(taken))
    return min(found)


def bearable(during, before):
    """Twice as long, and what a machine that is busy otherwise may add. Who has to wait for one that is slow waits much longer."""
    return during <= 2 * before + (0 if LONG else 1)


# ---- the bar

# In a process of its own: sends all of a body, whatever comes back, and prints the answer.
UPLOAD = """
import socket, sys, time
port, path, length, token = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
wire = socket.create_connection(("127.0.0.1", port), timeout=60)
wire.sendall((f"POST {path} HTTP/1.1\\r\\nHost: x\\r\\nContent-Type: multipart/form-data; boundary=x\\r\\nContent-Length: {length}\\r\\n"
              + (f"Authorization: Bearer {token}\\r\\n" if token else "") + "\\r\\n").encode())
try:
    for _ in range(length // 65536):
        wire.sendall(bytes(65536))
        time.sleep(0.005)   # 10 MB/s: what is measured is the server, not two processors
except OSError:
    pass    # the server has heard enough; its answer is there to be read
print(wire.recv(65536).decode())
"""


@pytest.mark.parametrize("path", ["/storage/upload", "/education-materials"])
def test_uploads_of_strangers_take_no_disk_and_nobodys_time(crowded, path):
    ada = crowded.registered()
    before = median(ada)
    over = threading.Event()
    with Watch(crowded.server) as watch, closing([begin(crowded, path, LARGE, body=b"--x\r\n" + b"\0" * 70000)
                                                  for _ in range(SLOW_CLIENTS)]) as wires:
        sender = threading.Thread(target=trickle, args=(wires, over))
        sender.start()
        # a token that is none counts as little as no token
        uploads = [subprocess.Popen([sys.executable, "-c", UPLOAD, str(crowded.server.port), path, str(LARGE), "x.y.z" if number % 2 else ""],
                                    stdout=subprocess.PIPE, text=True) for number in range(6)]
        during = median(ada)
        told = [upload.communicate(timeout=60 * SLOW)[0] for upload in uploads]
        slow = median(ada)
        over.set()
        sender.join()
    print(f"{crowded.server.web} {path}: 6 x {LARGE // MIB} MiB and {SLOW_CLIENTS} slow: largest temporary file {watch.most} bytes, "
          f"GET /me {before * 1000:.2f} ms before, {during * 1000:.2f} during, {slow * 1000:.2f} with the slow ones alone")
    assert watch.most <= TEMPORARY
    assert all(text.startswith("HTTP/1.1 401 ") and '"statusCode":401' in text for text in told), told
    assert bearable(during, before) and bearable(slow, before)


def test_slow_bodies_hold_no_program(crowded):
    """Of routes that anybody may call: nobody can be refused before the body is there."""
    ada = crowded.registered()
    before = median(ada)
    with closing([begin(crowded, path, 200, kind="application/json", body=b'{"email":')
                  for path in ("/auth/otp/request", "/auth/otp/verify", "/auth/refresh", "/contact") for _ in range(6)]):
        start = time.monotonic()
        bob = crowded.login(fresh())
        assert time.monotonic() - start < 20 * SLOW
        assert bearable(median(ada), before) and bearable(median(bob), before)


def test_slow_bodies_of_those_who_may_not_hold_no_program(crowded):
    """Each way to be refused by the head of a request, four times what there are workers."""
    ada = crowded.registered()
    wires = [begin(crowded, path, 1000, token, "application/json", method, b"{")
             for method, path, token in (("PATCH", "/me", None), ("POST", "/courses", ada.token), ("POST", "/users", "x"))
             for _ in range(8)]
    with closing(wires):
        start = time.monotonic()
        assert ada.patch("/me", {"name": "Ada"}).status == 200 and crowded.get("/courses").status == 200
        assert time.monotonic() - start < 20 * SLOW


# ---- the order: what the head of a request decides comes before its body


def heads(ada, admin):
    """Heads that are refused whatever follows: method, path, content type, length, token, status."""
    form_, json_ = "multipart/form-data; boundary=x", "application/json"
    far = 101 * MIB
    return [
        ("POST", "/storage/upload", form_, LARGE, None, 401), ("POST", "/storage/upload", form_, LARGE, "x.y.z", 401),
        ("POST", "/storage/upload", json_, 90000, ada.token, 415), ("POST", "/storage/upload", form_, far, ada.token, 413),
        ("POST", "/storage/upload", "multipart/form-data", 90000, ada.token, 400), ("PATCH", "/storage/upload", form_, LARGE, ada.token, 405),
        ("POST", "/education-materials", form_, LARGE, None, 401), ("POST", "/education-materials", form_, LARGE, ada.token, 403),
        ("POST", "/education-materials", json_, 2 * MIB, admin.token, 413), ("POST", "/education-materials", form_, far, admin.token, 413),
        ("POST", "/education-materials/x/y/z", form_, LARGE, admin.token, 404), ("PUT", "/education-materials", form_, LARGE, None, 405),
        ("POST", "/education-materials", "text/plain", 90000, admin.token, 415),
    ]


def test_uploads_are_refused_by_their_head(crowded):
    """As the program would, in its words and the caller's language, while most of the body is still to come."""
    ada, admin = crowded.registered(), crowded.staff("admin")
    for method, path, kind, length, token, status in heads(ada, admin):
        with begin(crowded, path, length, token, kind, method, body=b"\0" * 70000) as wire:
            over = threading.Event()    # Apache looks for an answer whenever it has handed on what came
            sender = threading.Thread(target=trickle, args=([wire], over))
            sender.start()
            try:
                answer = answer_to(crowded, wire, method, path)
            finally:
                over.set()
                sender.join()
        assert answer.status == status, answer
        if status in (401, 403, 415):
            assert len(answer.headers["X-Request-Id"]) == 24, f"not the program's: {answer}"


def test_a_program_asks_for_no_body_that_it_will_not_take(crowded):
    """At its socket: an answer comes although nothing of the body ever does."""
    ada, admin = crowded.registered(), crowded.staff("admin")
    cases = [("storage" if "storage" in path else "materials", method, path, kind, length, token, status)
             for method, path, kind, length, token, status in heads(ada, admin)]
    cases += [("users", "PATCH", "/me", "application/json", 100, None, 401), ("users", "PATCH", "/me", "text/plain", 100, ada.token, 415),
              ("users", "PATCH", "/me", "application/json", 2 * MIB, None, 413), ("courses", "POST", "/courses", "text/plain", 9, ada.token, 403)]
    for program, method, path, kind, length, token, status in cases:
        told = {"REQUEST_METHOD": method, "REQUEST_URI": path, "REMOTE_ADDR": "127.0.0.1", "CONTENT_TYPE": kind, "CONTENT_LENGTH": str(length)}
        told |= {"HTTP_AUTHORIZATION": f"Bearer {token}"} if token else {}
        for how, expected in ((None, status), ("withheld", status), ("asked", 403)):
            got = fastcgi(crowded.server.data / f"run/{program}.sock", told | ({"OKUL_BODY": how} if how else {}), None)
            assert got.startswith(b"Status: %d " % expected), f"{how} {method} {path}: {got[:100]}"
    may = {"REQUEST_METHOD": "POST", "REQUEST_URI": "/storage/upload", "REMOTE_ADDR": "127.0.0.1", "CONTENT_LENGTH": str(LARGE),
           "CONTENT_TYPE": "multipart/form-data; boundary=x", "HTTP_AUTHORIZATION": f"Bearer {ada.token}"}
    socket_ = crowded.server.data / "run/storage.sock"
    assert fastcgi(socket_, may | {"OKUL_BODY": "asked"}, None).startswith(b"Status: 204 ")
    assert fastcgi(socket_, may | {"OKUL_BODY": "withheld"}, None).startswith(b"Status: 503 "), "it was refused a moment ago"


# ---- those who may


def test_uploads_of_those_who_may_arrive(crowded):
    ada, admin = crowded.registered(), crowded.staff("admin")
    content = mp4(3 * MIB)
    answer = ada.upload(content)
    assert answer.status == 201 and answer.data["size"] == len(content), answer
    kind, body = form(("title", "A"), ("pdfs", "a.pdf", pdf()))
    assert admin.post("/education-materials", body=body, content_type=kind).status in (201, 400)
    assert admin.get("/education-materials").status == 200


def test_an_upload_without_a_length_arrives(crowded):
    """Chunked, as programs send what they make while they send it."""
    ada = crowded.registered()
    kind, body = form(("file", "a.mp4", mp4(3 * MIB)))
    pieces = [body[i:i + 9000] for i in range(0, len(body), 9000)]
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    for token, status in ((ada.token, 201), (None, 401)):
        head = f"POST /storage/upload HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n"
        head += f"Authorization: Bearer {token}\r\n" if token else ""
        answer = crowded.raw(head.encode() + b"\r\n" + chunked, "POST", "/storage/upload")
        assert answer.status == status, answer


def test_json_without_a_length(crowded):
    """Apache knows no bound for it, and wants the length."""
    body = json.dumps({"email": fresh()}).encode()
    answer = crowded.raw(b"POST /auth/otp/request HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                         b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body), "POST", "/auth/otp/request")
    assert answer.status == (200 if crowded.server.web == "nginx" else 411), answer


# ---- limits of connections


def test_one_client_has_50_requests_under_way():
    """With the limits on, as they are shipped: those beyond get 429, others are served."""
    server = Server("many", web="nginx", OKUL_WORKERS="2", OKUL_LIMITS="on")
    okul = Okul(server)
    other = okul.at("127.0.0.9")
    try:
        ada = other.registered()
        wires = [begin(okul, "/contact", 1000, kind="application/json", body=b"{") for _ in range(60)]
        with closing(wires):
            until(lambda: len(select.select(wires, [], [], 0)[0]) == 10, "those who are refused")
            answer = okul.get("/health")
            assert answer.status == 429 and answer.headers["Retry-After"] == "1"
            assert ada.get("/me").status == 200
        until(lambda: okul.get("/health").status == 200, "the end of the limit")
        # with one token, 8 uploads
        wires = [begin(other, "/storage/upload", LARGE, token=ada.token, body=b"--x\r\n") for _ in range(12)]
        with closing(wires):
            until(lambda: len(select.select(wires, [], [], 0)[0]) == 4, "those who are refused")
            assert other.upload(("file", "a.png", png()), token=ada.token).status == 429
            assert other.registered().upload(png()).status == 201
            assert ada.get("/me").status == 200
    finally:
        server.stop()
