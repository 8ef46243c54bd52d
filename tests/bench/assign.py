#!/usr/bin/python3
"""Assigning a material to 500 users: how long the transaction delays other requests, and whether latency changes
while a slow SMTP server receives the 500 mails.

usage: tests/bench/assign.py [--rounds N] [--mail MILLISECONDS] [--quiet SECONDS]

Starts a server of build/ (make build). Each round lasts from the assignment to the last mail, between two quiet parts
of half the length; in all of them, readers (GET /me) and a writer (PATCH /me) send requests at a fixed rate. Prints
medians over the rounds. The ratio of the two quiet parts shows the noise of the machine: on an idle one it is 1.
"""

import argparse
import http.client
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
os.environ["OKUL_BUILD"] = "build"
sys.path.insert(0, str(ROOT / "tests" / "api"))     # for helpers
from helpers.client import Okul
from helpers.server import Server, until

USERS = """
INSERT INTO users (id, email, name, surname, language, timezone, created_at, updated_at)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
SELECT printf('%024x', i), 'user' || i || '@example.com', 'Name' || i, 'Surname' || i, substr('trenesde', i % 4 * 2 + 1, 2), 'UTC', 1, 1 FROM n
"""
PACE = 0.01


def percentile(times, part):
    return sorted(times)[int(len(times) * part)] * 1000


def lines(path):
    """Yields the number of lines added since the last call; cheap, since it runs during the measurement."""
    with open(path, "rb") as file:
        file.seek(0, os.SEEK_END)
        while True:
            yield file.read().count(b"\n")


def login(client, address):
    code = client.post("/api/v1/auth/send-otp-email", {"email": address}).data["code"]
    answer = client.post("/api/v1/auth/verify-otp-email", {"email": address, "code": code})
    return answer.data["accessToken"]


class Load:
    """Two readers and a writer that send a request every PACE seconds; records latencies by kind."""

    def __init__(self, server, token):
        self.server, self.token, self.times, self.ended = server, token, {"read": [], "write": []}, threading.Event()

    def run(self, kind):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port)
        headers = {"Authorization": "Bearer " + self.token, "Content-Type": "application/json"}
        due = time.monotonic()
        while not self.ended.is_set():
            due += PACE
            time.sleep(max(0, due - time.monotonic()))
            started = time.monotonic()
            if kind == "read":
                connection.request("GET", "/me", headers=headers)
            else:
                connection.request("PATCH", "/me", json.dumps({"bio": "x"}), headers)
            response = connection.getresponse()
            response.read()
            assert response.status == 200, response.status
            self.times[kind].append(time.monotonic() - started)

    def __enter__(self):
        self.threads = [threading.Thread(target=self.run, args=[kind]) for kind in ("read", "read", "write")]
        for thread in self.threads:
            thread.start()
        return self.times

    def __exit__(self, *why):
        self.ended.set()
        for thread in self.threads:
            thread.join()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mail", type=int, default=20, help="milliseconds that the SMTP server needs for a mail (20)")
    parser.add_argument("--quiet", type=float, default=8, help="seconds of each quiet part (8)")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="okul-smtp-"))
    (folder / "mode").write_text(f"slow-{options.mail}")
    (folder / "received").touch()
    # idle priority, since in production it is another machine
    smtp = subprocess.Popen(["chrt", "-i", "0", "/usr/bin/python3", ROOT / "tests/api/helpers/smtp_server.py", folder], stdout=subprocess.PIPE, text=True)
    port = json.loads(smtp.stdout.readline())["plain"]
    server = Server("assign", OKUL_MAIL_TRANSPORT="smtp", OKUL_SMTP_PORT=str(port), OKUL_SMTP_SECURITY="plain",
                        OKUL_WORKERS="4")
    try:
        client = Okul(server)
        server.sql(USERS)
        server.ctl("user", "add", "boss@example.com", "--role", "admin")
        boss, ids = login(client, "boss@example.com"), [f"{i:024x}" for i in range(1, 501)]
        rows = []
        for number in range(options.rounds):
            until(lambda: server.sql("SELECT count(*) FROM outbox").split()[1] == "0", "an empty outbox")
            material = client.post("/education-materials", {"title": f"Unit {number}", "locale": "en"}, token=boss).data["id"]
            received = lines(folder / "received")
            next(received)
            with Load(server, boss) as before:
                time.sleep(options.quiet)
            with Load(server, boss) as busy:
                started = time.monotonic()
                answer = client.post(f"/education-materials/{material}/assign", {"userIds": ids, "note": "x" * 1000}, token=boss)
                request = time.monotonic() - started
                assert answer.data["assigned"] == 500, answer
                sent = 0
                while sent < 500:
                    time.sleep(0.25)
                    sent += next(received)
                delivery = time.monotonic() - started
            assert sent == 500
            with Load(server, boss) as after:
                time.sleep(options.quiet)
            rows.append([request * 1000, delivery])
            for kind in ("read", "write"):
                for part in (0.5, 0.99):
                    quiet = percentile(before[kind] + after[kind], part)
                    rows[-1] += [quiet, percentile(busy[kind], part), percentile(after[kind], part) / percentile(before[kind], part)]
            print(" ".join(f"{x:8.2f}" for x in rows[-1]), flush=True)
        middle = [statistics.median(column) for column in zip(*rows)]
        print(f"assigning 500: {middle[0]:.1f} ms the request; the last mail after {middle[1]:.1f} s")
        for n, name in enumerate(("GET /me p50", "GET /me p99", "PATCH /me p50", "PATCH /me p99")):
            quiet, busy, noise = middle[2 + 3 * n:5 + 3 * n]
            print(f"{name:14} quiet {quiet:6.2f} ms, while mails go out {busy:6.2f} ms: ratio {busy / quiet:.2f} (quiet to quiet {noise:.2f})")
    finally:
        smtp.kill()
        shutil.rmtree(folder)
        server.stop()


if __name__ == "__main__":
    main()
