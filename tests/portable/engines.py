"""A school on SQLite and one on PostgreSQL, written to by `okulctl sql`, and statements in the dialect of each."""

import contextlib
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import psycopg2

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("OKUL_BUILD", "build")
sys.path.insert(0, str(ROOT / "tests/api"))

from helpers import postgres

Postgres = postgres.Postgres
GROUPS = sorted(BUILD.glob("*.fcgi"))
PROGRAMS = [*GROUPS, BUILD / "okulctl", BUILD / "okul-demo"]


def new_database(server, name, *options):
    """The URL of a database without the functions that the API tests add to theirs."""
    server.run("createdb", "-h", server.home, "-U", "okul", "--template=template0", *options, name)
    return server.url(name)


class School:
    """A migrated database: in a file of the folder, or on a server where there is a URL."""

    def __init__(self, folder, url=None, migrate=True):
        self.folder, self.url = folder, url
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("OKUL_")}
        self.environment |= {"OKUL_DATA": str(folder / "data")} | ({"OKUL_DATABASE": url} if url else {})
        if migrate:
            self.run(BUILD / "okulctl", "migrate")

    def as_role(self, role):
        """The same database, by the URL of another role."""
        return School(self.folder, self.url.replace("user=okul", f"user={role}"), migrate=False)

    def try_run(self, program, *arguments, text=None):
        return subprocess.run([str(program), *map(str, arguments)], env=self.environment, input=text, capture_output=True,
                              encoding="utf-8", check=False, cwd=self.folder)

    def run(self, program, *arguments, text=None):
        done = self.try_run(program, *arguments, text=text)
        assert done.returncode == 0, (arguments, done.stderr, done.stdout[-2000:])
        return done.stdout

    def sql(self, statements):
        """Runs statements by `okulctl sql` and returns its output."""
        return self.run(BUILD / "okulctl", "sql", text=statements)

    @contextlib.contextmanager
    def connection(self):
        db = psycopg2.connect(self.url) if self.url else sqlite3.connect(f"file:{self.folder}/data/okul.db?mode=ro", uri=True)
        with contextlib.closing(db):
            yield db

    def rows(self, query):
        """Rows of a statement that both engines take."""
        with self.connection() as db:
            cursor = db.cursor()
            cursor.execute(query)
            return [tuple(bytes(value) if isinstance(value, memoryview) else value for value in row) for row in cursor.fetchall()]


def literal(value):
    """A text, number or NULL for either engine."""
    if value is None or isinstance(value, (bool, int, float)):
        return "NULL" if value is None else str(value).lower()
    return "'" + value.replace("'", "''") + "'"


def statements():
    """{statement: program} of all programs."""
    found = {}
    for program in PROGRAMS:
        text = subprocess.run([program, "--statements"], capture_output=True, encoding="utf-8", check=True).stdout
        for statement in text.split("\0"):
            if statement.strip():
                found.setdefault(statement, program.name)
    return found


def outside_of_strings(text, change):
    return "".join(part if i % 2 else change(part) for i, part in enumerate(re.split(r"""('(?:[^']|'')*'|"[^"]*")""", text)))


def in_postgres(statement):
    """By the rules of lib/store/postgres/dialect.c. Empty for a statement of the other engine alone."""
    statement = re.sub(r"/\*<\*/.*?/\*\|", "", statement, flags=re.DOTALL).replace(">*/", "")
    statement = re.sub(r"/\*.*?\*/", "", statement, flags=re.DOTALL)
    return outside_of_strings(statement, lambda part: re.sub(r"\?(\d+)", r"$\1", part)).strip()
