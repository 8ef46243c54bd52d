"""A PostgreSQL server for the tests, where OKUL_TEST_DATABASE is postgres; each server and data folder has its own database."""

import atexit
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

ENABLED = os.environ.get("OKUL_TEST_DATABASE") == "postgres"
numbers = itertools.count(1)


# Functions of SQLite that the tests' own SQL calls.
FUNCTIONS = r"""
CREATE FUNCTION randomblob(n integer) RETURNS bytea LANGUAGE sql AS
    $$ SELECT decode(string_agg(lpad(to_hex(floor(random() * 256)::integer), 2, '0'), ''), 'hex') FROM generate_series(1, n) $$;
CREATE FUNCTION hex(bytes bytea) RETURNS text LANGUAGE sql AS $$ SELECT upper(encode(bytes, 'hex')) $$;
CREATE FUNCTION iif(condition boolean, yes text, no text) RETURNS text LANGUAGE sql AS $$ SELECT CASE WHEN condition THEN yes ELSE no END $$;
CREATE FUNCTION ifnull(a bigint, b bigint) RETURNS bigint LANGUAGE sql AS $$ SELECT coalesce(a, b) $$;
CREATE FUNCTION zeroblob(n bigint) RETURNS bytea LANGUAGE sql AS $$ SELECT decode(repeat('00', n::integer), 'hex') $$;
-- user_text('word') is a full text search
SET check_function_bodies = off;
CREATE FUNCTION user_text(word text) RETURNS SETOF bigint LANGUAGE sql AS $$ SELECT pk FROM users WHERE folded LIKE '%' || word || '%' $$;
CREATE FUNCTION printf(format text, VARIADIC numbers bigint[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    number bigint;
BEGIN
    FOREACH number IN ARRAY numbers LOOP
        format := regexp_replace(format, '%0(\d+)x', lpad(to_hex(number), substring(format FROM '%0(\d+)x')::integer, '0'));
    END LOOP;
    RETURN format;
END $$;
"""


def name_in(url):
    """The name of the database."""
    return url.split("/")[3].split("?")[0]


class Postgres:
    """A private server: a socket in a temporary folder, no TCP, no fsync. It ends with the process that started it."""

    def __init__(self):
        self.binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        self.process = None
        self.home = Path(tempfile.mkdtemp(prefix="okul-postgres-"))
        self.home.chmod(0o711)  # programs may run as another user, and use the socket
        # PostgreSQL refuses to run as root
        self.under = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
        if self.under:
            shutil.chown(self.home, "postgres", "postgres")
        self.run("initdb", "-D", self.home / "data", "-U", "okul", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        atexit.register(self.stop)
        self.launch()

    def launch(self):
        with open(self.home / "log", "ab") as log:
            self.process = subprocess.Popen(
                [*self.under, self.binaries / "postgres", "-D", self.home / "data", "-c", "listen_addresses=", "-c", "fsync=off",
                 "-c", f"unix_socket_directories={self.home}", "-c", "max_connections=800", "-c", "shared_buffers=64MB",
                 "-c", "max_pred_locks_per_transaction=128", *self.settings()],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.run("pg_isready", "-h", self.home, "-t", "30", tries=100)

    def settings(self):
        return []

    def run(self, program, *arguments, tries=1):
        for left in reversed(range(tries)):
            done = subprocess.run([*self.under, self.binaries / program, *map(str, arguments)], cwd="/", stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return done.stdout
            if left:
                self.process.poll()
                subprocess.run(["sleep", "0.1"], check=True)
        raise AssertionError(f"{program}: {done.stdout}{done.stderr}")

    def url(self, database):
        return f"postgresql:///{database}?host={self.home}&user=okul"

    def create(self):
        """The URL of a new, empty database."""
        name = f"okul{next(numbers)}"
        self.run("createdb", "-h", self.home, "-U", "okul", name)
        self.run("psql", "-h", self.home, "-U", "okul", "-d", name, "-qc", FUNCTIONS)
        return self.url(name)

    def copy(self, url):
        """The URL of a copy of a database that nobody uses."""
        name = f"okul{next(numbers)}"
        self.run("createdb", "-h", self.home, "-U", "okul", "--template", name_in(url), name)
        return self.url(name)

    def restored(self, dump):
        """The URL of a new database with the content of a dump."""
        name = f"okul{next(numbers)}"
        self.run("createdb", "-h", self.home, "-U", "okul", "--template=template0", name)
        subprocess.run(["pg_restore", "--no-owner", "--exit-on-error", f"--dbname={self.url(name)}", dump], check=True)
        return self.url(name)

    def drop(self, url):
        self.run("dropdb", "-h", self.home, "-U", "okul", "--force", name_in(url))

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)     # a fast shutdown
            self.process.wait(60)
        if not os.environ.get("OKUL_KEEP"):
            shutil.rmtree(self.home, ignore_errors=True)


def server():
    """The one server of this run, started at the first call."""
    if not hasattr(server, "one"):
        server.one = Postgres()
    return server.one
