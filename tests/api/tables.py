"""CSV of many rows: the memory of the worker that sends it, clients that vanish, and how often the statement runs."""

import contextlib
import re
import socket
from pathlib import Path

import psycopg2
import pytest

from helpers import postgres
from helpers.client import Okul, good
from helpers.placement import first_options, made
from helpers.server import BUILD, Server, until

RESULTS = "/proficiency-tests/admin/results?format=csv"


@pytest.fixture
def single():
    """One worker for each program, which has just started."""
    server = Server("tables", OKUL_WORKERS="1")
    yield Okul(server)
    server.stop()


def worker(okul, program):
    [pid] = okul.server.workers(program)
    return pid


def peak(pid):
    """The most memory that a process had so far, in KiB."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1])


def add_results(okul, boss, count):
    """So many more results of one user at one test."""
    if okul.server.sql("SELECT count(*) FROM result").split()[-1] == "0":
        test = made(boss, maxAttempts=0)
        ada = okul.registered()
        good(ada.post(f"/proficiency-tests/{test['id']}/submit", first_options(test)))
    # without the counters, whose one row would have as many versions there as the transaction adds results
    before, after = [f"ALTER TABLE result {what} TRIGGER USER;" if okul.server.database else "" for what in ("DISABLE", "ENABLE")]
    okul.server.sql(f"""{before} INSERT INTO result (id, user_pk, test, version, attempt, total_score, correct_count, question_count, level,
        target_language, completed_at, chosen) WITH RECURSIVE more (n, top) AS (SELECT 1, max(attempt) FROM result UNION ALL
        SELECT n + 1, top FROM more WHERE n < {count}) SELECT printf('%024x', top + n), user_pk, test, version, top + n,
        total_score, correct_count, question_count, level, target_language, completed_at + n, chosen FROM result, more
        WHERE attempt = 1; {after}""")


def lines(person, path):
    answer = person.get(path)
    assert answer.status == 200 and b"# incomplete" not in answer.body, answer
    return answer.body.count(b"\n") - 1


def test_the_memory_is_that_of_few_rows(single):
    boss = single.staff("superadmin")
    add_results(single, boss, 3000)
    pid = worker(single, "proficiency")
    assert lines(boss, RESULTS) == 3001
    few = peak(pid)
    add_results(single, boss, 47000)
    assert lines(boss, RESULTS) == 50001 and worker(single, "proficiency") == pid
    if "asan" not in BUILD.name:    # it keeps freed memory
        assert peak(pid) - few < 1024, "the table has 8 MiB"


def test_a_client_that_vanishes_leaves_the_worker_free(single):
    boss = single.staff("superadmin")
    add_results(single, boss, 50000)
    pid = worker(single, "proficiency")
    request = f"GET {RESULTS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {boss.token}\r\n\r\n".encode()
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", single.server.port)) as client:
            client.sendall(request)
            assert client.recv(12) == b"HTTP/1.1 200"
        assert single.get("/proficiency-tests").status == 200
    assert lines(boss, RESULTS) == 50001 and worker(single, "proficiency") == pid and not single.server.deaths()
    if single.server.database:      # no statement goes on for nobody
        with contextlib.closing(psycopg2.connect(single.server.database)) as db:
            db.autocommit = True

            def running():
                cursor = db.cursor()
                cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'"
                               " AND pid <> pg_backend_pid()")
                return cursor.fetchone()[0]
            until(lambda: running() == 0, "the end of the statements")


@pytest.mark.postgres
def test_a_server_sorts_a_table_once(single):
    """In pieces, each of them would sort all users again."""
    boss = single.staff("superadmin")
    single.server.sql("""WITH RECURSIVE n (i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
        INSERT INTO users (pk, id, email, timezone, created_at, updated_at)
            SELECT i, printf('%024x', i), 'many' || i || '@example.com', 'Europe/Istanbul', i, i FROM n""")
    name = single.server.database.split("/")[3].split("?")[0]
    single.server.sql(f"ALTER DATABASE {name} SET log_statement = 'all'")
    single.server.restart()
    log = postgres.server().home / "log"
    before = log.stat().st_size
    assert lines(boss, "/users?format=csv&sort=-email") == 5002
    found = log.read_bytes()[before:].decode(errors="replace")
    assert len(re.findall(r"execute \w+: SELECT[^\n]*ORDER BY users\.email DESC", found)) == 1
