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
from helpers.placement import GOOD_TEST, answers
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


@pytest.fixture
def school():
    server = Server("office", OKUL_WORKERS="1", OKUL_CODE_PAUSE="0", OKUL_CODE_HOURLY="1000")
    yield Okul(server)
    server.stop()


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


# ---- db_send(): statements whose failure shows later


@contextlib.contextmanager
def failing(server, sqlstate, times):
    """The first statements that note a submit fail: so many of them, in the middle of what was sent together."""
    name = f"failing_{sqlstate}"
    server.sql(f"""CREATE SEQUENCE {name}; CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('{name}') <= {times} THEN RAISE EXCEPTION 'not now' USING ERRCODE = '{sqlstate}'; END IF; RETURN new; END $$;
        CREATE TRIGGER {name} BEFORE INSERT ON event FOR EACH ROW WHEN (new.kind = 'submit') EXECUTE FUNCTION {name}()""")
    yield
    server.sql(f"DROP TRIGGER {name} ON event; DROP SEQUENCE {name}; DROP FUNCTION {name}()")


def counts(server):
    """Results, and notes of submits."""
    with contextlib.closing(psycopg2.connect(server.database)) as db:
        cursor = db.cursor()
        cursor.execute("SELECT (SELECT count(*) FROM result), (SELECT count(*) FROM event WHERE kind = 'submit')")
        return cursor.fetchone()


@pytest.mark.parametrize("sqlstate, times, status", [
    ("40001", 1, 201),      # serialization failure: the request runs again
    ("40001", 4, 201),      # and at last alone
    ("40P01", 2, 201),      # deadlock
    ("23505", 2, 201),      # unique violation
    ("40001", 1000, 503),
    ("23505", 1000, 503),
    ("55P03", 1, 503),      # lock timeout
    ("23514", 1, 500),      # what may not be in the table
])
def test_a_failure_of_what_nobody_waited_for(school, sqlstate, times, status):
    test = school.staff("superadmin").post("/proficiency-tests", GOOD_TEST | {"maxAttempts": 0}).data
    learner = school.staff("admin")
    path, sheet = f"/proficiency-tests/{test['id']}/submit", answers(test, "+++")
    assert learner.post(path, sheet).status == 201     # the statements are prepared
    with failing(school.server, sqlstate, times):
        assert learner.post(path, sheet).status == status
        done = 2 if status == 201 else 1
        assert counts(school.server) == (done, done)
    if status == 500:
        assert any(b"INSERT INTO event" in text for text in school.server.logs().values())
    assert learner.post(path, sheet).status == 201
    assert counts(school.server) == (done + 1, done + 1)
    assert learner.get("/me").status == 200
