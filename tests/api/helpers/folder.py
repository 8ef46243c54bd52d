"""A data folder without a web server, for tests of okulctl."""

import itertools
import os
import shutil
import subprocess

from helpers import postgres
from helpers.server import Clock, OKULCTL, dialect, fresh

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
TABLES = ("users", "user_reindex", "tally", "audit", "session", "login_code", "known_network", "event", "outbox", "instance")


class Folder:
    """A data folder with its database, which is empty or a copy of another folder's."""

    def __init__(self, home, like=None):
        self.data, self.clock = home / "data", Clock(home / "clock")
        self.database = None    # its URL; None: the file DATA/okul.db
        if postgres.ENABLED:
            server = postgres.server()
            self.database = server.copy(like.database) if like else server.create()
        if like:
            shutil.copytree(like.data, self.data)
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("OKUL_")} | {
            "OKUL_CLOCK": str(self.clock.path), "ASAN_OPTIONS": "exitcode=99", "UBSAN_OPTIONS": "print_stacktrace=1"}
        if self.database:
            self.environment["OKUL_DATABASE"] = self.database
        self.numbers = itertools.count(1)

    def drop(self):
        """Drops the database on a server."""
        if self.database:
            postgres.server().drop(self.database)

    def command(self, *arguments):
        if self.database and arguments[0] == "sql":
            arguments = [dialect(argument) for argument in arguments]
        return [OKULCTL, "-d", str(self.data), *map(str, arguments)]

    def ctl(self, *arguments, input=None):
        run = subprocess.run(self.command(*arguments), env=self.environment, input=input, stdin=None if input else subprocess.DEVNULL,
                             capture_output=True, timeout=60)
        run.stdout, run.stderr = run.stdout.decode(), run.stderr.decode()
        assert 0 <= run.returncode < 99 and "runtime error" not in run.stderr, f"{arguments}: {run.returncode}\n{run.stderr}"
        return run

    def good(self, *arguments, **more):
        """The output of a command that must succeed without errors or warnings."""
        run = self.ctl(*arguments, **more)
        assert (run.returncode, run.stderr) == (0, ""), f"okulctl {arguments}: {run.returncode}\n{run.stdout}{run.stderr}"
        return run.stdout

    def start(self, *arguments):
        return subprocess.Popen(self.command(*arguments), env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def sql(self, text):
        """The rows of a statement, as texts."""
        return [line.split("\t") for line in self.good("sql", text).splitlines()[1:]]

    def number(self, text):
        return int(self.sql(text)[0][0])

    def numbers_of(self, *tables):
        return [int(n) for n in self.sql("SELECT " + ", ".join(f"(SELECT count(*) FROM {table})" for table in tables))[0]]

    def content(self):
        return self.good("sql", ";".join(f"SELECT '{table}', * FROM {table} ORDER BY 2, 3" for table in TABLES))

    def now(self):
        return int(self.clock.now() * 1000)

    def add(self, email=None, role="user"):
        email = email or fresh()
        self.good("user", "add", email, "--role", role)
        return email

    def ask_for_deletion(self, *emails, ago=MINUTE):
        """Marks users as having requested deletion, with the grace period over since `ago` milliseconds."""
        when = self.now() - ago
        self.sql(f"UPDATE users SET deletion_status = 'pending', deletion_requested_at = {when - 28 * DAY}, "
                 f"deletion_scheduled_for = {when} WHERE email IN ({', '.join(map(repr, emails))})")

    def emails(self):
        return {row[0] for row in self.sql("SELECT email FROM users")}

    # -- rows for cleanup, as SQL for put(); `at` in milliseconds from now

    def put(self, *statements):
        self.good("sql", ";".join(statements))

    def rows(self, insert, count, at):
        first = next(self.numbers) * 100_000
        return (f"WITH RECURSIVE i(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM i WHERE i < {first + count - 1}) "
                + insert.format(at=self.now() + at))

    def codes(self, count, at):
        return self.rows("INSERT INTO login_code (email, network, digits, mac, language, created_at, expires_at) "
                  "SELECT (i / 2) || '@example.com', i, 6, x'00', 'en', 0, {at} FROM i", count, at)

    def networks(self, count, at, user="(SELECT min(pk) FROM users)"):
        return self.rows(f"INSERT INTO known_network (mac, user_pk, seen_at) SELECT randomblob(8), {user}, {{at}} FROM i", count, at)

    def traces(self, count, at, action="session.login"):
        return self.rows("INSERT INTO audit (at, action, subject_id, subject) "
                  f"SELECT {{at}}, '{action}', 'x', 'x' FROM i", count, at)

    def sessions(self, count, at, user="(SELECT min(pk) FROM users)"):
        return self.rows("INSERT INTO session (id, user_pk, seed, rotated_at, created_at, last_used_at, expires_at) "
                  f"SELECT printf('%024x', i), {user}, x'00', 0, 0, 0, {{at}} FROM i", count, at)

    def events(self, count, at):
        return self.rows("INSERT INTO event (kind, subject, at, n) SELECT 'code-email', i || '@example.com', {at}, 1 FROM i", count, at)

    def mails(self, count, at, leased=0):
        return self.rows("INSERT INTO outbox (id, recipient, language, template, sealed, created_at, expires_at, next_at) "
                  f"SELECT printf('%024x', i), 'a@example.com', 'en', 'login-code', x'00', 0, {{at}}, {{at}} + {leased} FROM i", count, at)

    def users(self, count, at):
        """Users who asked for their deletion."""
        return self.rows("INSERT INTO users (id, email, timezone, deletion_status, deletion_requested_at, deletion_scheduled_for, created_at, "
                  "updated_at) SELECT printf('%024x', i), i || '@example.com', 'UTC', 'pending', 0, {at}, 0, 0 FROM i", count, at)
