"""What an operator meets with a database on a server: errors that say what to do, `okulctl check`, backups, and commands that
run on several machines at once."""

import contextlib
import os
import re
import subprocess
import threading

import psycopg2
import pytest

from helpers import postgres
from helpers.client import Okul
from helpers.postgres import Postgres
from helpers.server import OKULCTL, Server, sender, until

pytestmark = pytest.mark.postgres


class Guarded(Postgres):
    """It wants a password of one role, and TLS of another."""

    def launch(self):
        hba = self.home / "data/pg_hba.conf"
        subprocess.run([*self.under, "tee", hba], input=b"local all okul trust\nlocal all guest scram-sha-256\nlocal all tls reject\n",
                       stdout=subprocess.DEVNULL, check=True)
        super().launch()


@pytest.fixture(scope="module")
def guarded():
    server = Guarded()
    server.create()
    server.run("psql", "-h", server.home, "-U", "okul", "-d", "postgres", "-qc",
               "CREATE ROLE guest LOGIN PASSWORD 'se@cret'; CREATE ROLE tls LOGIN")
    yield server
    server.stop()


def said(tmp_path, url, *command):
    """The error of a command with this database; it must be one line without the password."""
    (tmp_path / "data").mkdir(exist_ok=True)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OKUL_")} | {"OKUL_DATABASE": url}
    subprocess.run([OKULCTL, "-d", tmp_path / "data", "migrate"], env=environment, capture_output=True, check=False)
    done = subprocess.run([OKULCTL, "-d", tmp_path / "data", *(command or ("user", "list"))], env=environment, capture_output=True, text=True,
                          check=False)
    assert done.returncode not in (0, 127) and done.stdout == "", done
    assert done.stderr.count("\n") == 1 and "cret" not in done.stderr, done.stderr
    return done.stderr


@pytest.mark.parametrize("url, remedy", [
    ("postgresql:///none?host=HOME&user=okul", "make it: createdb"),
    ("postgresql:///postgres?host=HOME&user=nobody", "pg_hba.conf"),
    ("postgresql://guest:wrong@/postgres?host=HOME", "correct the password"),
    ("postgresql:///postgres?host=HOME&user=guest", "add the password"),
    ("postgresql://127.0.0.1:9/okul", "start the server"),
    ("postgresql://nohost.invalid/okul", "correct the host"),
    ("postgresql://okul:se%cret@localhost/okul", "no URL that libpq can read"),
    ("postgresql://okul:secret@[::1/okul", "no URL that libpq can read"),
    ("postgresql:///postgres?bogus=1", "no URL that libpq can read"),
    ("mysql://localhost/okul", "must be like postgresql://"),
])
def test_a_wrong_url_is_one_line_that_says_what_to_do(guarded, tmp_path, url, remedy):
    assert re.search(remedy, said(tmp_path, url.replace("HOME", str(guarded.home))))


def test_the_right_password_with_special_characters(guarded, tmp_path):
    assert "permission denied" in said(tmp_path, f"postgresql://guest:se%40cret@/postgres?host={guarded.home}", "migrate")


def test_a_database_without_tables(guarded, tmp_path):
    url = guarded.create()
    with contextlib.closing(psycopg2.connect(url)):
        pass
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OKUL_")} | {"OKUL_DATABASE": url}
    (tmp_path / "data").mkdir()
    subprocess.run([OKULCTL, "-d", tmp_path / "data", "migrate"], env=environment | {"OKUL_DATABASE": ""}, check=True, stdout=subprocess.DEVNULL)
    done = subprocess.run([OKULCTL, "-d", tmp_path / "data", "user", "list"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 78 and "run `okulctl migrate`" in done.stderr


def test_machines_that_migrate_an_empty_database_at_once(guarded, tmp_path):
    """Each has a data folder of its own, so only the server can make them wait for each other."""
    url = guarded.create()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OKUL_")} | {"OKUL_DATABASE": url}
    with contextlib.closing(psycopg2.connect(url)) as db:
        db.cursor().execute("SELECT pg_advisory_lock(1869313388, 1)")    # so that all have begun before the first goes on
        runs = [subprocess.Popen([OKULCTL, "-d", tmp_path / f"data{n}", "migrate"], env=environment, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True) for n in range(4)]
        said = [next(line for line in run.stdout if "okul" in line and "waits for another okulctl" in line) for run in runs]
        assert len(said) == 4 and all(run.poll() is None for run in runs)
    ends = [run.communicate(timeout=120)[0] for run in runs]
    assert [run.returncode for run in runs] == [0] * 4, ends
    assert sum("made, version" in end for end in ends) == 1 and sum("already" in end for end in ends) == 3, ends


@pytest.fixture
def school():
    server = Server("office", OKUL_WORKERS="1", OKUL_CODE_PAUSE="0", OKUL_CODE_HOURLY="1000")
    yield Okul(server)
    server.stop()


def test_the_log_says_what_was_committed_and_once(school):
    """A transaction that another one has prevented runs again; one that fails has done nothing."""
    server = school.server
    server.sql("CREATE SEQUENCE tries; CREATE FUNCTION prevented() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
               " IF nextval('tries') < 3 THEN RAISE EXCEPTION 'not now' USING ERRCODE = '40001'; END IF; RETURN new; END $$;"
               "CREATE TRIGGER prevented BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION prevented()")

    def lines(answer):
        """The first words of what the log has of a request."""
        def found():
            return re.findall(rf"(?m) rid={answer.headers['X-Request-Id']} (\w+)", (server.data / "log/okul.log").read_text())
        return until(lambda: "request" in found() and found(), "the line that ends it")
    address = "ada@example.com"
    answer = school.verify(address, school.code(address))
    assert answer.status == 200 and lines(answer) == ["login", "request"]
    assert int(server.sql("SELECT last_value FROM tries").split()[1]) >= 3
    server.sql("ALTER SEQUENCE tries MINVALUE -1000 RESTART WITH -1000")
    server.clock.advance(61)
    answer = school.verify(address, school.code(address))
    assert answer.status == 503 and "login" not in lines(answer)


def test_a_dump_has_all_and_is_restored(school, tmp_path):
    head = school.staff("superadmin")
    made = [head.post("/courses", {"title": f"Kurs {n} Ğ", "language": "tr"}).data["id"] for n in range(5)]
    assert "SHA-256" in school.server.ctl("backup", f"{tmp_path}/backups/", "--keep", "2").stdout
    dump, = (tmp_path / "backups").glob("okul-*.dump")
    assert dump.stat().st_mode & 0o077 == 0
    url = postgres.server().create()
    subprocess.run(["pg_restore", "--no-owner", f"--dbname={url}", dump], check=False, capture_output=True)   # FUNCTIONS are there already
    with contextlib.closing(psycopg2.connect(url)) as db:
        cursor = db.cursor()
        cursor.execute("SELECT id FROM course ORDER BY pk")
        assert [row[0] for row in cursor.fetchall()] == made
    postgres.server().drop(url)


def test_check_looks_at_the_server(school):
    text = school.server.ctl("check", check=False).stdout
    for line in ("ok   server: PostgreSQL", "ok   encryption:", "ok   extension: pg_trgm", "ok   clock: 0 s", "FAIL durability: fsync"):
        assert line in text, text
    assert "okul.db" not in text


def test_cleanup_runs_once_at_a_time(school):
    with contextlib.closing(psycopg2.connect(school.server.database)) as db:
        db.cursor().execute("SELECT pg_advisory_lock(1869313388, 2)")    # as another machine does
        assert "another cleanup is running" in school.server.ctl("cleanup").stdout
    until(lambda: "another" not in school.server.ctl("cleanup").stdout, "a cleanup")


def test_two_senders_send_each_mail_once(school):
    """Several machines share the outbox: what one claims, the other leaves out."""
    for pid in sender(school.server):
        os.kill(pid, 19)    # SIGSTOP: the sender of the supervisor
    addresses = [f"mail{n}@example.com" for n in range(60)]
    for address in addresses:
        assert school.post("/auth/otp/request", {"email": address}).status == 200
    threads = [threading.Thread(target=school.server.ctl, args=("mail", "--once"), kwargs={"check": False}) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for pid in sender(school.server):
        os.kill(pid, 18)    # SIGCONT
    until(lambda: all(len(school.server.mailbox.to(address)) == 1 for address in addresses), "one mail for each address")
