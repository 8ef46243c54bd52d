#!/usr/bin/python3
"""Compares requests to two builds of okul, measured alternately on one machine.

usage: tests/bench/compare.py OLD NEW [--rounds N] [--seconds N] [--connections N] [--limits on|off] [--users N] [REQUEST...]

REQUEST: me (GET /me), courses (a page of 20 of 2,000 courses), submit (of 40 answers), dashboard (6 months); all
unless given. Submits are by --users in turn (1).

OLD and NEW are build folders (build/ of two checkouts, made by `make build`). Both run with `okulctl serve`, nginx
included, each with data of `okulctl demo`. BUILD=URL is a build on an empty database of PostgreSQL. Each round measures
both, in alternating order. Prints the median of NEW / OLD over the rounds. Needs wrk. Traffic goes to 127.0.0.1.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request


PATHS = {"me": "/me", "courses": "/courses?limit=20&page=3", "dashboard": "/admin/dashboard/stats?months=6"}
REQUESTS = ("me", "courses", "submit", "dashboard")
LEVELS = ("A1", "A2", "B1", "B2", "C1", "C2")

# A test may be started 20 times per day; here it is submitted thousands of times.
NO_DAILY_LIMIT = "CREATE TRIGGER no_daily_limit BEFORE INSERT ON event WHEN NEW.kind = 'submit' BEGIN SELECT RAISE(IGNORE); END"
NO_DAILY_LIMIT_POSTGRES = """CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER no_daily_limit BEFORE INSERT ON event FOR EACH ROW WHEN (new.kind = 'submit') EXECUTE FUNCTION nothing()"""

SUBMIT = """
wrk.method = "POST"
wrk.body = [[{body}]]
wrk.headers["Content-Type"] = "application/json"
local tokens, turn = {{ {tokens} }}, 0
request = function()
	turn = turn % #tokens + 1
	wrk.headers["Authorization"] = "Bearer " .. tokens[turn]
	return wrk.format()
end
"""


def new_test():
    """The body that makes a test of 40 questions with unlimited attempts."""
    options = [{"text": f"An answer that is {o}, at some length", "isCorrect": o == 1} for o in range(4)]
    questions = [{"text": f"Question {q}: which of these is needed?", "points": 1, "options": options} for q in range(40)]
    ranges = [{"level": level, "minScore": 100 * i // 6, "maxScore": 100 * (i + 1) // 6} for i, level in enumerate(LEVELS)]
    return {"title": "Compared", "targetLanguage": "en", "maxAttempts": 0, "isPublished": True, "questions": questions,
            "levelRanges": ranges}


class Target:
    """What is measured: requests to `url` by the user of `token`; submits by those of `tokens` in turn. `prefix` runs wrk elsewhere."""

    def __init__(self):
        self.data = tempfile.mkdtemp(prefix="okul-compare-")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.prefix, self.headers, self.token, self.tokens = [], {}, None, []

    @staticmethod
    def wait(look):
        end = time.monotonic() + 20
        while True:
            try:
                found = look()
                if found:
                    return found
            except OSError:
                pass
            if time.monotonic() > end:
                raise SystemExit("a server does not respond")
            time.sleep(0.05)

    def make_test(self):
        """Makes a test of new_test(), and returns it as POST /proficiency-tests does."""
        raise NotImplementedError

    def rate(self, request, connections, seconds):
        """Requests per second."""
        script = []
        if request == "submit":
            test = self.make_test()
            path, script = f"/proficiency-tests/{test['id']}/submit", ["-s", f"{self.data}/submit.lua"]
            answers = [{"questionId": q["id"], "optionId": q["options"][1]["id"]} for q in test["questions"]]
            pathlib.Path(script[1]).write_text(SUBMIT.format(body=json.dumps({"answers": answers}),
                                                             tokens=", ".join(f'"{token}"' for token in self.tokens)))
        else:
            path = PATHS[request]
        headers = {"Authorization": f"Bearer {self.token}"} | self.headers
        output = subprocess.run([*self.prefix, "wrk", "-t1", f"-c{connections}", f"-d{seconds}", *script,
                                 *(word for name, value in headers.items() for word in ("-H", f"{name}: {value}")), self.url + path],
                                capture_output=True, text=True, check=True).stdout
        if "Non-2xx" in output:
            raise SystemExit(output)
        return float(re.search(r"Requests/sec:\s*([\d.]+)", output)[1])


class Server(Target):
    SCHOOL = ("--courses", "2000", "--results", "5000")     # options of `okulctl demo`
    SETTINGS = {}                                           # of the environment

    def __init__(self, build, limits, users):
        super().__init__()
        build, _, url = build.partition("=")
        self.command = [str(pathlib.Path(build).resolve() / "okulctl"), "-d", self.data]
        self.env = os.environ | {"OKUL_ENV": "development", "OKUL_MAIL_TRANSPORT": "file", "OKUL_LIMITS": limits,
                                 "OKUL_DELIVERY": "x-accel", "OKUL_BASE_URL": self.url, "OKUL_RETIRE_AFTER": "0"} | self.SETTINGS
        if url:
            self.env["OKUL_DATABASE"] = url
        for words in (["migrate"], ["demo", *self.SCHOOL], ["user", "add", "a@example.com", "--role", "superadmin"]):
            subprocess.run(self.command + words, env=self.env, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(self.command + ["sql", NO_DAILY_LIMIT_POSTGRES if url else NO_DAILY_LIMIT], env=self.env, check=True, stdout=subprocess.DEVNULL)
        self.start()
        self.token = self.login("a@example.com")
        self.tokens = [self.token, *(self.learner(f"learner{i}@example.com") for i in range(1, users))]

    def start(self):
        self.process = subprocess.Popen(self.command + ["serve", "--port", str(self.port)], env=self.env,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait(lambda: urllib.request.urlopen(self.url + "/health"))

    def post(self, path, body):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        return json.load(urllib.request.urlopen(request))

    def login(self, address):
        self.post("/auth/otp/request", {"email": address, "language": "en"})
        mail = self.wait(lambda: [mail for mail in pathlib.Path(self.data, "mail").glob("*.eml") if f"To: {address}" in mail.read_text()])[0]
        code = re.search(r"^(\d{6})", mail.read_text(), re.M)[1]
        return self.post("/auth/otp/verify", {"email": address, "code": code})["data"]["accessToken"]

    def learner(self, address):
        subprocess.run([*self.command, "user", "add", address], env=self.env, check=True, stdout=subprocess.DEVNULL)
        subprocess.run([*self.command, "sql", f"UPDATE users SET registered_at = 1 WHERE email = '{address}'"], env=self.env, check=True,
                       stdout=subprocess.DEVNULL)
        return self.login(address)

    def send(self, path, body):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(),
                                         {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"})
        return json.load(urllib.request.urlopen(request))["data"]

    def make_test(self):
        return self.send("/proficiency-tests", new_test())

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def stop(self):
        self.end()
        shutil.rmtree(self.data)


def measure(targets, request, args):
    """Requests per second of each target, one a round, in alternating order."""
    rates = [[] for _ in targets]
    for target in targets:
        target.rate(request, args.connections, 1)
    for turn in range(args.rounds):
        for which in range(len(targets))[::1 if turn % 2 == 0 else -1]:
            rates[which].append(targets[which].rate(request, args.connections, args.seconds))
    return rates


def compare(servers, request, args):
    rates = measure(servers, request, args)
    ratios = [new / old for old, new in zip(*rates)]
    print(f"{request}: old {statistics.median(rates[0]):.0f}/s, new {statistics.median(rates[1]):.0f}/s, "
          f"new/old {statistics.median(ratios):.3f} ({min(ratios):.2f} to {max(ratios):.2f}, {args.rounds} rounds)", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("requests", nargs="*", choices=(*REQUESTS, []), metavar="REQUEST")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--limits", choices=("on", "off"), default="on")
    parser.add_argument("--users", type=int, default=1)
    args = parser.parse_args()
    servers = []
    try:
        for build in (args.old, args.new):
            servers.append(Server(build, args.limits, args.users))
        for request in args.requests or REQUESTS:
            compare(servers, request, args)
    finally:
        for server in servers:
            server.stop()


if __name__ == "__main__":
    main()
