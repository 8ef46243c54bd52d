#!/usr/bin/python3
"""The cost of a request: nginx alone, nginx with a bare libfcgi echo, and GET /me with a token, in one run; and the
cost of lists of users and courses.

usage: tests/bench/bench.py [--seconds N] [--rounds N] [--users N] [--courses N] [--quick] [--only cost|users|courses|memory]

Everything runs on 127.0.0.1 with two worker processes per program. The three are measured alternately, round by
round, so that a slowdown of the machine affects all of them. Prints medians of the rounds and their ratios; compare
the ratios. Needs wrk, and valgrind to count instructions; build first: make build bench-tools.
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
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
HZ = os.sysconf("SC_CLK_TCK")
WORKERS = 2

NGINX = """
daemon off; {user} worker_processes {workers}; pid {dir}/nginx.pid; error_log {dir}/error.log warn; {extra}
events {{ worker_connections 4096; }}
http {{
	include {share}/nginx/common.conf;
	access_log {dir}/access.log okul buffer=64k flush=1s;
	client_body_temp_path {dir}/body; fastcgi_temp_path {dir}/fcgi; proxy_temp_path {dir}/proxy;
	uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
	keepalive_requests 10000000;
	server {{
		listen 127.0.0.1:{port} backlog=1024;
		include {dir}/locations.conf;
		location = /bench/static {{ return 200 "ok"; }}
		location = /bench/echo {{ fastcgi_pass unix:{dir}/echo.sock; }}
	}}
}}
"""

USERS = """
INSERT INTO users (pk, id, email, name, surname, timezone, registered_at, created_at, updated_at)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
SELECT i, printf('%024x', i), 'user' || i || '@example.com', CASE i % 5000 WHEN 17 THEN 'Isparta' WHEN 18 THEN 'Straße' ELSE 'Name' || (i % 977) END, 'Surname' || (i % 1009), 'Europe/Istanbul',
	1770000000000, 1700000000000 + i, 1770000000000 FROM n;
INSERT INTO user_text (rowid, folded) SELECT pk, folded FROM users;
DELETE FROM user_reindex;
"""

# Realistic lengths: 300 characters of description. One in ten courses is a draft.
COURSES = """
INSERT INTO course (id, title, description, language, level, price, duration_weeks, image_url, position, is_published, created_at,
	updated_at)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
SELECT printf('%024x', i), CASE i % 500 WHEN 17 THEN 'Konuşma kulübü' ELSE 'Türkçe ' || (i % 977) END || ' ' || i,
	replace(printf('%.*c', 10, 'x'), 'x', 'Haftada iki gün, küçük gruplar' || (i % 89) || '. '), substr('trenesde', i % 4 * 2 + 1, 2),
	substr('A1A2B1B2C1C2', i % 6 * 2 + 1, 2), i % 300 * 25.5, i % 52 + 1, '/storage/files/' || i || '.jpg', i % 40, i % 10 <> 0,
	1700000000000 + i, 1770000000000 FROM n;
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def children(pid):
    return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / HZ


def memory_kib(pid):
    """PSS and private memory."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    value = {k: int(v) for k, v in re.findall(r"^(\w+):\s+(\d+) kB", text, re.M)}
    return value["Pss"], value["Private_Clean"] + value["Private_Dirty"]


class Bench:
    def __init__(self, users, courses):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="okul-bench-"))
        self.data = self.dir / "data"
        self.env = os.environ | {"OKUL_DATA": str(self.data), "OKUL_WORKERS": str(WORKERS), "OKUL_RETIRE_AFTER": "0",
                                 "OKUL_LIMITS": "off", "OKUL_CODE_PAUSE": "0"}
        self.running = []
        # As under systemd or okulctl serve, log lines go through a pipe to a process that writes them to disk.
        self.log = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=open(self.dir / "log", "ab"))
        self.ctl("migrate")
        self.ctl("sql", USERS.format(count=users))
        self.ctl("sql", COURSES.format(count=courses))
        self.pools = {}
        for name in ("auth", "users", "courses"):
            self.pool(name, [BUILD / f"{name}.fcgi"])
        self.pool("echo", [BUILD / "bench" / "echo"])
        self.start(str(BUILD / "okulctl"), "mail", "--keep")
        self.port = free_port()
        self.nginx = self.web(self.port, WORKERS)
        self.token = self.login("user1@example.com")
        self.ctl("user", "add", "admin@example.com", "--role", "admin")
        self.admin = self.login("admin@example.com")

    def ctl(self, *words):
        subprocess.run([BUILD / "okulctl", *words], env=self.env, check=True, stdout=subprocess.DEVNULL)

    def start(self, *words, **more):
        process = subprocess.Popen([str(w) for w in words], env=self.env, stderr=self.log.stdin, **more)
        self.running.append(process)
        return process

    def pool(self, name, command):
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(self.dir / f"{name}.sock"))
        os.chmod(self.dir / f"{name}.sock", 0o666)
        listening.listen(1024)
        self.pools[name] = [self.start(*command, stdin=listening).pid for _ in range(WORKERS)]

    def web(self, port, workers, extra="", wrapper=()):
        here = self.dir
        share = BUILD / "share"
        text = (share / "nginx" / "locations.conf").read_text()
        for name in self.pools:
            text = text.replace(f"unix:/run/okul/{name}.sock", f"unix:{here}/{name}.sock")
        text = text.replace("/usr/local/lib/okul/share", str(share)).replace("/var/lib/okul", str(self.data))
        (here / "locations.conf").write_text(text)
        conf = here / f"nginx-{port}.conf"
        user = "user root;" if os.getuid() == 0 else ""
        conf.write_text(NGINX.format(dir=here, share=share, port=port, workers=workers, user=user, extra=extra))
        process = self.start(*wrapper, shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin"), "-p", here, "-c", conf)
        for _ in range(400):
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                return process
            except OSError:
                time.sleep(0.05)
        sys.exit(f"nginx does not start; see {here}/log and {here}/error.log")

    def post(self, path, body):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        return json.load(urllib.request.urlopen(request))["data"]

    def login(self, email):
        self.post("/auth/otp/request", {"email": email})
        for _ in range(100):
            for mail in (self.data / "mail").glob("*.eml"):
                text = mail.read_text()
                if email in text:
                    code = re.search(r"^(\d{6})\s*$", text, re.M).group(1)
                    return self.post("/auth/otp/verify", {"email": email, "code": code})["accessToken"]
            time.sleep(0.05)
        sys.exit("no mail arrived")

    def tag(self, path):
        """The current ETag of a path."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers={"Authorization": f"Bearer {self.token}"})
        return urllib.request.urlopen(request).headers["ETag"]

    def load(self, path, connections, seconds, token=None, known=None):
        """Returns requests/s, p50 and p99 in ms, and CPU microseconds per request of nginx and of the program.
        `known` is a tag for If-None-Match: with it, every response must be 304, otherwise a success."""
        target = {"/me": "users", "/bench/echo": "echo", "/courses": "courses"}.get(path.partition("?")[0])
        web = children(self.nginx.pid)
        before = cpu_seconds(web), cpu_seconds(self.pools.get(target, []))
        script = self.dir / "report.lua"
        script.write_text("done = function(s, l, r) io.write(string.format('@ %d %d %d %d %d %d\\n', s.requests, s.duration,"
                          " l:percentile(50), l:percentile(99), s.errors.status + s.errors.connect + s.errors.read"
                          " + s.errors.write + s.errors.timeout, s.bytes)) end\n")
        out = subprocess.run(["wrk", "-t2" if connections > 1 else "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script, "-H",
                              f"Authorization: Bearer {token or self.token}", "-H", f"If-None-Match: {known or ''}", f"http://127.0.0.1:{self.port}{path}"],
                             capture_output=True, text=True, check=True).stdout
        requests, duration, p50, p99, errors, size = map(int, re.search(r"^@ (.*)$", out, re.M).group(1).split())
        if errors:
            sys.exit(f"{path}: {errors} requests failed")
        if known and size / requests > 500:
            sys.exit(f"{path}: responses of {size / requests:.0f} bytes are not 304")
        after = cpu_seconds(web), cpu_seconds(self.pools.get(target, []))
        return {"rps": requests / (duration / 1e6), "p50": p50 / 1e3, "p99": p99 / 1e3,
                "web": (after[0] - before[0]) / requests * 1e6, "program": (after[1] - before[1]) / requests * 1e6}

    def instructions(self, path, name, command):
        """User-mode instructions per request of one nginx worker and one program process, counted by callgrind: the
        difference of a long and a short run, so that startup does not count."""
        counts = []
        for requests in (100, 600):
            port, sock = free_port(), self.dir / f"{name}.sock"
            sock.unlink()
            listening = socket.socket(socket.AF_UNIX)
            listening.bind(str(sock))
            listening.listen(1024)
            out = [self.dir / f"callgrind.{kind}.{requests}" for kind in ("program", "web")]
            wrap = [["valgrind", "--tool=callgrind", f"--callgrind-out-file={o}"] for o in out]
            program = self.start(*wrap[0], *command, stdin=listening)
            web = self.web(port, 1, "master_process off;", wrap[1])
            connection = f"http://127.0.0.1:{port}{path}"
            urls = self.dir / "urls"
            urls.write_text("".join(f'url = "{connection}"\noutput = /dev/null\n' for _ in range(requests)))
            subprocess.run(["curl", "-sf", "-H", f"Authorization: Bearer {self.token}", "-K", urls], check=True)
            for process, sign in ((web, signal.SIGQUIT), (program, signal.SIGTERM)):
                process.send_signal(sign)
                process.wait(30)
            counts.append([int(re.search(r"^(?:summary|totals): (\d+)", o.read_text(), re.M).group(1)) for o in out])
        return [(b - a) / 500 for a, b in zip(*counts)]

    def stop(self):
        for process in reversed(self.running):
            if process.poll() is None:
                process.terminate()
        for process in self.running:
            process.wait(30)
        self.log.communicate()
        shutil.rmtree(self.dir)


def cgi_ratio(bench, runs):
    """Median run times, in ms, of an empty program linked against the same C library and of app.fcgi as plain CGI."""
    empty = bench.dir / "empty"
    subprocess.run(["gcc", "-O2", "-x", "c", "-", "-o", empty], input=b"int main(void) { return 0; }", check=True)
    env = bench.env | {"REQUEST_METHOD": "GET", "REQUEST_URI": "/", "REMOTE_ADDR": "127.0.0.1"}
    times = {}
    for _ in range(runs):
        for program in (empty, BUILD / "app.fcgi"):
            start = time.perf_counter()
            subprocess.run([program], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
            times.setdefault(program, []).append(time.perf_counter() - start)
    return [statistics.median(t) * 1e3 for t in times.values()]


def alternate(options, targets, connections, **more):
    """Measures each target (a path and more arguments of load()) alternately, round by round; returns the results by
    name."""
    results = {name: [] for name in targets}
    for _ in range(options.rounds):
        for name, (path, given) in targets.items():
            results[name].append(options.bench.load(path, connections, options.seconds, **more, **given))
    return results


def median_of(results):
    return {k: statistics.median(r[k] for r in results) for k in results[0]}


def ratio(results, base, what):
    return statistics.median(r[what] / b[what] for r, b in zip(results, base))


def plain(paths):
    return {name: (path, {}) for name, path in paths.items()}


def cost(options):
    targets = plain({"nginx return 200": "/bench/static", "bare libfcgi echo": "/bench/echo", "GET /me": "/me"})
    print("| connections | what | requests/s | of the echo | p50 ms | p99 ms | CPU us nginx | CPU us program |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for connections in (1, 16, 64):
        rounds = alternate(options, targets, connections)
        for name, results in rounds.items():
            median = median_of(results)
            print(f"| {connections} | {name} | {median['rps']:.0f} | {ratio(results, rounds['bare libfcgi echo'], 'rps'):.2f} |"
                  f" {median['p50']:.2f} | {median['p99']:.2f} | {median['web']:.0f} | {median['program']:.0f} |")


def lists(options, heading, paths, **more):
    print(f"| {heading} (1 connection) | p50 ms | of GET /me |\n| --- | --- | --- |")
    rounds = alternate(options, plain({"GET /me": "/me"} | paths), 1, **more)
    for name, results in rounds.items():
        print(f"| {name} | {median_of(results)['p50']:.2f} | {ratio(results, rounds['GET /me'], 'p50'):.1f} |")


def users(options):
    lists(options, "list of users", {
        "page 1": "/users", "page 2000": "/users?page=2000", "by name, page 1": "/users?sort=name",
        "by name, page 2000": "/users?sort=name&page=2000", "by address, page 2000": "/users?sort=email&page=2000",
        "search, 20 found": "/users?search=%C4%B1sparta", "search, 20 found, folded": "/users?search=STRASSE",
        "search, 1 found": "/users?search=user4711%40", "search, 1,100 found": "/users?search=name77",
        "search, all found": "/users?search=example.com", "search, two letters": "/users?search=ra"}, token=options.bench.admin)


def courses(options):
    targets = plain({"GET /me": "/me", "GET /courses": "/courses"})
    targets["GET /courses, 304"] = ("/courses", {"known": options.bench.tag("/courses")})
    print("| connections | what | requests/s | of GET /me | p50 ms | p99 ms | CPU us nginx | CPU us program |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for connections in (16, 64):
        rounds = alternate(options, targets, connections)
        for name, results in rounds.items():
            median = median_of(results)
            print(f"| {connections} | {name} | {median['rps']:.0f} | {ratio(results, rounds['GET /me'], 'rps'):.2f} |"
                  f" {median['p50']:.2f} | {median['p99']:.2f} | {median['web']:.0f} | {median['program']:.0f} |")
    print()
    lists(options, "list of courses", {
        "page 1": "/courses", "page 400": "/courses?page=400", "by title, page 400": "/courses?sort=title&page=400",
        "by price, page 400": "/courses?sort=price&page=400", "one language and level": "/courses?language=tr&level=A1",
        "search, 20 found": "/courses?search=KONUSMA", "search, all found": "/courses?search=haftada%20iki",
        "search, none found": "/courses?search=xyzzy",
        # two letters each, none contained in another: the most words that fit into a search of 100 characters
        "search, 33 words": "/courses?search=ha+af+ft+ta+ad+ik+ki+gu+un+ku+uc+cu+uk+gr+ru+up+pl+la+ar+is+an+na+ma+al+li+il+le+er+re+en+ne+es+se"})


def memory(options):
    bench = options.bench
    for name, path, pool in (("bare libfcgi echo", "/bench/echo", "echo"), ("GET /me", "/me", "users")):
        command = [BUILD / "bench" / "echo"] if pool == "echo" else [BUILD / "users.fcgi"]
        after = [memory_kib(pid) for pid in bench.pools[pool]]
        program, web = bench.instructions(path, pool, command)
        print(f"{name}: {program + web:.0f} user instructions per request (program {program:.0f}, nginx {web:.0f});"
              f" after the load PSS {max(a[0] for a in after)} KiB, private {max(a[1] for a in after)} KiB per process")
    print(f"users.fcgi at rest: PSS {max(r[0] for r in options.rest)} KiB, private {max(r[1] for r in options.rest)} KiB per process")
    empty, app = cgi_ratio(bench, 11 if options.quick else 101)
    print(f"app.fcgi as plain CGI: {app:.2f} ms, {app / empty:.1f} x an empty dynamic program ({empty:.2f} ms)")


PARTS = {"cost": cost, "users": users, "courses": courses, "memory": memory}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--users", type=int, default=100000)
    parser.add_argument("--courses", type=int, default=10000)
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--only", choices=PARTS, help="run only this part")
    options = parser.parse_args()
    if options.quick:
        options.seconds, options.rounds = 1, 1
    options.bench = Bench(options.users, options.courses)
    try:
        print(f"{options.users} users, {options.courses} courses, {WORKERS} processes per program, {os.cpu_count()} cores, medians of"
              f" {options.rounds} rounds of {options.seconds} s")
        options.rest = [memory_kib(pid) for pid in options.bench.pools["users"]]
        for name, part in PARTS.items():
            if options.only in (None, name):
                print()
                part(options)
    finally:
        options.bench.stop()


if __name__ == "__main__":
    main()
