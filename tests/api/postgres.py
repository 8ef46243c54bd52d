"""What an operator meets with a database on a server: errors that say what to do, `okulctl check`, backups, and commands that
run on several machines at once."""

import contextlib
import os
import re
import socket
import struct
import subprocess
import threading

import psycopg2
import pytest

from helpers import postgres
from helpers.client import Okul
from helpers.placement import GOOD_TEST, answers
from helpers.postgres import Postgres
from helpers.server import OKULCTL, Server, free_port, sender, until

pytestmark = pytest.mark.postgres


HBA = """local all okul trust
local all guest scram-sha-256
host all okul 127.0.0.1/32 trust
hostssl all tls 127.0.0.1/32 trust
"""


class Guarded(Postgres):
    """It wants a password of one role, and TLS of another; its certificate is for another name than 127.0.0.1."""

    def write(self, name, text):
        subprocess.run([*self.under, "tee", self.home / "data" / name], input=text, stdout=subprocess.DEVNULL, check=True)

    def launch(self):
        self.port = free_port()
        self.write("pg_hba.conf", HBA.encode())
        subprocess.run([*self.under, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=db1.example.org", "-keyout", self.home / "data/server.key", "-out", self.home / "data/server.crt"],
                       capture_output=True, check=True)
        self.authority = self.home / "authority.pem"    # that of the certificate: itself
        self.authority.write_bytes(subprocess.run([*self.under, "cat", self.home / "data/server.crt"], capture_output=True, check=True).stdout)
        super().launch()

    def settings(self):
        return ["-c", "listen_addresses=127.0.0.1", "-c", f"port={self.port}", "-c", "ssl=on"]

    def run(self, program, *arguments, tries=1):
        if program != "initdb":
            arguments = ("-p", str(self.port), *arguments)
        return super().run(program, *arguments, tries=tries)

    def url(self, database):
        return f"{super().url(database)}&port={self.port}"


@pytest.fixture(scope="module")
def guarded():
    server = Guarded()
    server.create()
    server.run("psql", "-h", server.home, "-U", "okul", "-d", "postgres", "-qc",
               "CREATE ROLE guest LOGIN PASSWORD 'se@cret'; CREATE ROLE tls LOGIN")
    server.run("createdb", "-h", server.home, "-U", "okul", "--encoding=LATIN1", "--locale=C", "--template=template0", "latin")
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
    ("postgresql:///none?host=HOME&port=PORT&user=okul", "make it: createdb"),
    ("postgresql:///latin?host=HOME&port=PORT&user=okul", "is encoded in LATIN1: create one with"),
    ("postgresql:///postgres?host=HOME&port=PORT&user=nobody", "pg_hba.conf"),
    ("postgresql://guest:wrong@/postgres?host=HOME&port=PORT", "correct the password"),
    ("postgresql:///postgres?host=HOME&port=PORT&user=guest", "add the password"),
    ("postgresql://127.0.0.1:9/okul", "start the server"),
    ("postgresql://okul@127.0.0.1:PORT/postgres?host=/nowhere", "start the server"),
    ("postgresql://nohost.invalid/okul", "correct the host"),
    ("postgresql://okul:se%cret@localhost/okul", "no URL that libpq can read"),
    ("postgresql://okul:se@cret@localhost/okul", "in a password, write @ as %40"),
    ("postgresql://okul:secret/x@localhost/okul", "in a password, write @ as %40"),
    ("postgresql://okul:secret@[::1/okul", "no URL that libpq can read"),
    ("postgresql:///postgres?bogus=1", "no URL that libpq can read"),
    ("mysql://localhost/okul", "must be like postgresql://"),
    ("postgresql://tls@127.0.0.1:PORT/postgres?sslmode=disable", "asks for TLS .hostssl., add sslmode=verify-full"),
    ("postgresql://okul@127.0.0.1:PORT/postgres?sslmode=verify-full", "add sslrootcert="),
    ("postgresql://okul@127.0.0.1:PORT/postgres?sslmode=verify-full&sslrootcert=/nowhere.pem", "add sslrootcert="),
    ("postgresql://okul@127.0.0.1:PORT/postgres?sslmode=verify-full&sslrootcert=OTHER", "was signed by another authority"),
    ("postgresql://okul@127.0.0.1:PORT/postgres?sslmode=verify-full&sslrootcert=AUTHORITY", "names the server as its certificate does"),
    ("postgresql://okul@127.0.0.1:OLD/postgres", "is PostgreSQL 14, and okul needs 15 or later: upgrade it"),
    ("postgresql://okul@127.0.0.1:OLD/postgres?sslmode=require", "turn on ssl on the server"),
])
def test_a_wrong_url_is_one_line_that_says_what_to_do(guarded, old, tmp_path, url, remedy):
    other = tmp_path / "other.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x", "-keyout",
                    tmp_path / "other.key", "-out", other], capture_output=True, check=True)
    for word, meaning in {"HOME": guarded.home, "PORT": guarded.port, "AUTHORITY": guarded.authority, "OTHER": other, "OLD": old}.items():
        url = url.replace(word, str(meaning))
    assert re.search(remedy, said(tmp_path, url))


@pytest.fixture(scope="module")
def old():
    """The port of what begins a connection like PostgreSQL 14, which Debian 12 does not have, without TLS."""
    def answer(connection):
        with connection:
            while True:
                size, kind = struct.unpack("!ii", connection.recv(8, socket.MSG_WAITALL))
                connection.recv(size - 8, socket.MSG_WAITALL)
                if kind == 196608:  # the version of the protocol; else it asks for encryption
                    break
                connection.send(b"N")
            settings = {"server_version": "14.9", "server_encoding": "UTF8", "in_hot_standby": "off", "default_transaction_read_only": "off"}
            texts = [f"{name}\0{value}\0".encode() for name, value in settings.items()]
            connection.send(b"R" + struct.pack("!ii", 8, 0) + b"".join(b"S" + struct.pack("!i", 4 + len(t)) + t for t in texts) +
                            b"Z" + struct.pack("!i", 5) + b"I")
            connection.recv(1000)

    def listen():
        while True:
            try:
                connection, _ = listener.accept()
                answer(connection)
            except (OSError, struct.error):
                if listener.fileno() < 0:
                    return
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_the_right_password_with_special_characters(guarded, tmp_path):
    assert "run this as the owner of the database" in said(tmp_path, f"postgresql://guest:se%40cret@/postgres?host={guarded.home}&port={guarded.port}", "migrate")


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


def test_a_schema_of_another_version(guarded, tmp_path):
    url = guarded.create()
    said(tmp_path, url, "nothing")      # migrates
    for change, remedy in ("1", "install the newer okul"), ("-1", "run `okulctl migrate`"):
        with contextlib.closing(psycopg2.connect(url)) as db:
            db.cursor().execute(f"UPDATE schema_version SET version = version + {change}")
            db.commit()
            environment = {k: v for k, v in os.environ.items() if not k.startswith("OKUL_")} | {"OKUL_DATABASE": url}
            done = subprocess.run([OKULCTL, "-d", tmp_path / "data", "user", "list"], env=environment, capture_output=True, text=True, check=False)
            assert done.returncode == 78 and done.stderr.count("\n") == 1 and remedy in done.stderr, done
            db.cursor().execute(f"UPDATE schema_version SET version = version - {change}")
            db.commit()


def test_an_extension_that_is_not_installed_on_the_server(guarded, tmp_path):
    assert "must first be installed on the system" in said(tmp_path, guarded.create(), "sql", "CREATE EXTENSION nowhere")


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
    school.server.sql("DROP EXTENSION pg_trgm CASCADE")
    assert "FAIL extension: pg_trgm is missing; as its owner run CREATE EXTENSION pg_trgm" in school.server.ctl("check", check=False).stdout
    for seconds, line in (30, "warn clock: [0-9]+ s apart from the server's; run NTP"), (100, "FAIL clock: [0-9]+ s apart"):
        school.server.clock.advance(seconds)
        assert re.search(line, school.server.ctl("check", check=False).stdout)


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
