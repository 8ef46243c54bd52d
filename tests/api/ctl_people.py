"""okulctl cleanup, audit, user and key. Each test has its own data folder."""

import contextlib
import os
import re
import secrets
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from helpers import contract
from helpers.client import Okul
from helpers.database import refusing, slow_deletion, tuples
from helpers.folder import DAY, HOUR, MINUTE
from helpers.server import ROOT, SLOW, Server, fresh


@pytest.mark.parametrize("name", ["cleanup", "audit", "user import", "user unlock", "key list", "key rotate"])
def test_help(folder, name):
    assert re.search(f"(?m)^  {name}  +[a-z]", folder.good("--help"))
    text = folder.good(*name.split(), "--help")
    assert text.startswith(f"usage: okulctl [-d DATA] {name}") and len(text.splitlines()) > 3
    run = folder.ctl(*name.split(), "--nonsense")
    assert run.returncode == 64 and run.stderr and not run.stdout
    run = folder.ctl(*name.split(), "nonsense", "nonsense")
    assert run.returncode == 64 and run.stderr.count("\n") == 1 and not run.stdout


# ---- cleanup


KINDS = ("expired login codes", "expired sessions", "old limit counts", "expired mails", "accounts whose deletion was due")


def counts_in(output, verb="deleted"):
    """The counts that cleanup prints for KINDS, in this order; other tests check the other lines."""
    lines = [line.split(": ") for line in output.splitlines() if line.split(": ")[0] in KINDS]
    assert [name for name, _ in lines] == list(KINDS)
    counts = [re.fullmatch(rf"(\d+) {verb}", rest) for _, rest in lines]
    return [int(c[1]) for c in counts]


def fill(folder):
    """Adds rows of each kind that are due, and others that are not; returns the numbers of the latter."""
    folder.add("keeper@example.com")
    folder.put(folder.codes(2, -MINUTE), folder.codes(1, MINUTE),
               folder.sessions(3, -MINUTE), folder.sessions(1, MINUTE),
               folder.events(4, -DAY - MINUTE), folder.events(1, -DAY + MINUTE),
               folder.mails(5, -DAY - MINUTE), folder.mails(1, -DAY + MINUTE), folder.mails(1, -DAY - MINUTE, leased=DAY),
               folder.mails(1, -DAY + MINUTE, leased=-DAY),
               folder.users(6, -MINUTE), folder.users(1, MINUTE))
    return [1, 1, 1, 3, 2]


def test_cleanup_deletes_expired_rows(folder):
    left = fill(folder)
    assert counts_in(folder.good("cleanup")) == [2, 3, 4, 5, 6]
    assert folder.numbers_of("login_code", "session", "event", "outbox", "users") == left
    assert counts_in(folder.good("cleanup")) == [0] * 5
    folder.clock.advance(2 * 60)
    assert counts_in(folder.good("cleanup")) == [1, 1, 1, 2, 1]
    folder.clock.advance(86400)
    assert counts_in(folder.good("cleanup")) == [0, 0, 0, 1, 0]
    assert folder.numbers_of("login_code", "session", "event", "outbox") == [0] * 4 and folder.emails() == {"keeper@example.com"}


def test_cleanup_deletes_old_networks_and_logins(folder):
    folder.add()
    folder.put(folder.networks(300, -90 * DAY - MINUTE), folder.networks(1, -90 * DAY + MINUTE),
               folder.traces(300, -365 * DAY - MINUTE), folder.traces(1, -365 * DAY + MINUTE),
               folder.traces(1, -365 * DAY - MINUTE, "session.locked"), folder.traces(1, -365 * DAY - MINUTE, "user.role"))
    output = folder.good("cleanup")
    assert "networks of old logins: 300 deleted" in output and "traces of old logins: 301 deleted" in output
    assert folder.numbers_of("known_network", "audit") == [1, 3]
    folder.environment["OKUL_KNOWN_DAYS"] = "89"
    assert "networks of old logins: 1 deleted" in folder.good("cleanup")


def test_cleanup_deletes_rows_from_the_future(folder):
    folder.add()
    folder.put(folder.codes(3, 400 * DAY), folder.codes(1, DAY - MINUTE), folder.events(4, 400 * DAY), folder.events(1, MINUTE))
    assert counts_in(folder.good("cleanup"))[:3] == [3, 0, 4]
    assert folder.numbers_of("login_code", "event") == [1, 1]


def test_cleanup_dry_run_counts_the_same_and_changes_nothing(folder):
    fill(folder)
    before = folder.content()
    assert counts_in(folder.good("cleanup", "--dry-run"), "would be deleted") == [2, 3, 4, 5, 6]
    assert folder.content() == before


def test_cleanup_is_quiet_for_cron(folder):
    left = fill(folder)
    assert folder.good("cleanup", "--quiet") == ""
    assert folder.numbers_of("login_code", "session", "event", "outbox", "users") == left


def test_the_cleanup_line_of_the_crontab(folder):
    """Runs the command of conf/cron/okul."""
    lines = re.findall(r"(?m)^[\d*]+ [^#]* okul +\$OKUL (cleanup.*)$", (ROOT / "conf/cron/okul").read_text())
    assert len(lines) == 1
    fill(folder)
    assert folder.good(*lines[0].split()) == ""
    assert counts_in(folder.good("cleanup")) == [0] * 5


def test_cleanup_goes_on_after_a_full_batch(folder):
    folder.add()
    folder.put(*(make(400, -2 * DAY) for make in (folder.codes, folder.sessions, folder.events, folder.mails)), folder.users(400, -DAY))
    assert counts_in(folder.good("cleanup")) == [400] * 5
    assert folder.numbers_of("login_code", "session", "event", "outbox", "users") == [0, 0, 0, 0, 1]


@pytest.mark.parametrize("table, make", [("session", "sessions"), ("users", "users")])
def test_cleanup_keeps_the_batches_before_a_failure(folder, table, make):
    """Batches have at most 200 rows; those of users end after 50 ms too. A batch that fails is rolled back as a whole."""
    folder.add()
    make = getattr(folder, make)
    folder.put(make(200, -HOUR), make(100, -2 * MINUTE), make(150, -MINUTE))
    last = folder.number(f"SELECT max(pk) FROM {table} WHERE pk <= 300")
    with refusing(folder, table, f"old.pk = {last}", verb="DELETE"):
        run = folder.ctl("cleanup")
    assert run.returncode == 1 and "stopped: a constraint of the schema forbids it" in run.stderr
    [left], [audit] = folder.numbers_of(table), folder.numbers_of("audit")
    assert (left, audit) == (250, 1) if table == "session" else (151 < left < 451 and audit == 1 + 451 - left)
    assert max(counts_in(folder.good("cleanup"))) == left - (table == "users")


def test_two_parallel_cleanups(folder):
    """Each row is deleted and counted once."""
    folder.add()
    folder.put(*(make(3000, -2 * DAY) for make in (folder.codes, folder.sessions, folder.events, folder.mails)), folder.users(1000, -DAY))
    runs = [folder.start("cleanup") for _ in range(2)]
    outputs = [run.communicate(timeout=60) for run in runs]
    assert [run.returncode for run in runs] == [0, 0] and not "".join(e for _, e in outputs)
    counts = [counts_in(o) for o, _ in outputs if "another cleanup is running" not in o]     # on a server, one at a time
    assert [sum(c) for c in zip(*counts)] == [3000, 3000, 3000, 3000, 1000]
    assert folder.database or all(min(c) < 3000 for c in counts) and len(counts) == 2
    assert folder.numbers_of("login_code", "session", "event", "outbox", "users") == [0, 0, 0, 0, 1]
    assert folder.number("SELECT count(DISTINCT subject_id) FROM audit WHERE action = 'user.deletion-finalized'") == 1000
    assert folder.number("SELECT count(*) FROM audit WHERE action = 'user.deletion-finalized'") == 1000


def test_a_user_whose_deletion_takes_long_is_deleted(folder):
    """And the users after that one."""
    large, small = folder.add("large@example.com"), folder.add("small@example.com")
    folder.ask_for_deletion(large, ago=HOUR)
    folder.ask_for_deletion(small)
    with slow_deletion(folder, large):   # longer than the two seconds of a request
        assert counts_in(folder.good("cleanup"))[4] == 2
    assert folder.emails() == set()


def test_a_finalized_deletion_deletes_everything(folder):
    """Sessions, search index, counters and audit, as when an admin deletes a user."""
    gone, stays = folder.add("gone@example.com", "admin"), folder.add("stays@example.com")
    folder.put(folder.sessions(2, HOUR, "(SELECT pk FROM users WHERE email = 'gone@example.com')"),
               folder.sessions(1, HOUR, "(SELECT pk FROM users WHERE email = 'stays@example.com')"))
    who = folder.sql("SELECT id FROM users WHERE email = 'gone@example.com'")[0][0]
    folder.ask_for_deletion(gone)
    assert counts_in(folder.good("cleanup")) == [0, 0, 0, 0, 1]
    assert folder.emails() == {stays}
    assert folder.numbers_of("session", "user_reindex") == [1, 0]
    assert folder.sql("SELECT name, n FROM tally WHERE name LIKE 'user%' ORDER BY name") == [["user", "1"], ["user:admin", "0"], ["user:superadmin", "0"], ["user:user", "1"]]
    assert folder.numbers_of("user_text('gone')", "user_text('stays')") == [0, 1]
    row = folder.sql("SELECT actor_id, actor_email, action, subject_id, subject, before, after, at FROM audit ORDER BY pk DESC LIMIT 1")[0]
    assert row[:-1] == ["NULL", "NULL", "user.deletion-finalized", who, gone, "admin", "NULL"]
    assert abs(int(row[-1]) - folder.now()) < MINUTE


def test_only_due_deletions_are_finalised(folder):
    due, later, cancelled, plain = (folder.add() for _ in range(4))
    folder.ask_for_deletion(due, cancelled)
    folder.ask_for_deletion(later, ago=-HOUR)
    folder.sql(f"UPDATE users SET deletion_status = 'cancelled' WHERE email = '{cancelled}'")
    folder.good("cleanup")
    assert folder.emails() == {later, cancelled, plain}
    folder.clock.advance(2 * 3600)
    folder.good("cleanup")
    assert folder.emails() == {cancelled, plain}


def test_the_last_superadmin_is_never_finalised(folder):
    boss, admin, user = folder.add(role="superadmin"), folder.add(role="admin"), folder.add()
    folder.ask_for_deletion(boss, ago=HOUR)     # due first
    folder.ask_for_deletion(admin, user)
    assert counts_in(folder.good("cleanup", "--dry-run"), "would be deleted")[4] == 2
    run = folder.ctl("cleanup")
    assert run.returncode == 0 and counts_in(run.stdout)[4] == 2
    assert run.stderr.count("\n") == 1 and f"warning: {boss} " in run.stderr and "make another" in run.stderr
    assert folder.emails() == {boss}
    assert folder.number("SELECT count(*) FROM audit WHERE action LIKE '%finalized' AND subject = '" + boss + "'") == 0
    # also with --quiet, for cron
    run = folder.ctl("cleanup", "--quiet")
    assert run.returncode == 0 and run.stdout == "" and boss in run.stderr
    # an inactive superadmin does not count
    other = folder.add(role="superadmin")
    folder.sql(f"UPDATE users SET is_active = false WHERE email = '{other}'")
    assert boss in folder.ctl("cleanup").stderr and folder.emails() == {boss, other}
    folder.sql("UPDATE users SET is_active = true")
    assert counts_in(folder.good("cleanup"))[4] == 1
    assert folder.emails() == {other}


def test_superadmins_who_all_asked_for_deletion_stay(folder):
    bosses = {folder.add(role="superadmin") for _ in range(3)}
    folder.ask_for_deletion(*bosses)
    run = folder.ctl("cleanup")
    assert counts_in(run.stdout)[4] == 0 and run.stderr.count("warning: ") == 3 and folder.emails() == bosses


@pytest.mark.sqlite
def test_cleanup_empties_the_wal(folder):
    wal = folder.data / "okul.db-wal"
    folder.add()
    assert wal.stat().st_size > 0
    # a reader prevents it, which is no error
    with contextlib.closing(sqlite3.connect(folder.data / "okul.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM users").fetchall()
        folder.put(folder.codes(1, -MINUTE))
        run = folder.ctl("cleanup")
        assert run.returncode == 0 and counts_in(run.stdout)[0] == 1
        assert wal.stat().st_size > 0
        reader.execute("COMMIT")
        folder.good("cleanup")
        assert wal.stat().st_size == 0


def test_a_paused_reader_of_a_list_keeps_no_snapshot(folder):
    folder.put(folder.users(5000, DAY))
    paused = folder.start("user", "list")
    paused.stdout.readline()    # more follows than a pipe takes
    if folder.database:
        assert folder.number("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                             " AND state <> 'idle'") == 0
    else:
        folder.put(folder.codes(1, -MINUTE))
        folder.good("cleanup")
        assert (folder.data / "okul.db-wal").stat().st_size == 0
    assert len(paused.stdout.readlines()) == 5000 and paused.wait() == 0


def test_a_paused_reader_of_sql_keeps_no_lock(folder):
    folder.put(folder.users(5000, DAY))
    paused = folder.start("sql", "UPDATE users SET bio = 'x'; SELECT id, email, created_at FROM users")
    paused.stdout.readline()    # more follows than a pipe takes
    folder.good("user", "add", "b@example.com")
    assert len(paused.stdout.readlines()) == 5000 and paused.wait() == 0
    assert folder.number("SELECT count(*) FROM users WHERE bio = 'x'") == 5000


def test_sql_prints_bytes_that_are_no_text_as_hexadecimal(folder):
    folder.add()
    folder.put(folder.codes(1, HOUR))
    for stored, shown in {"00ff": "x'00ff'", "c3": "x'c3'", "6c6f67": "log", "": "", "5c78": "\\\\x"}.items():
        folder.sql(f"UPDATE login_code SET mac = x'{stored}'")
        assert folder.good("sql", "SELECT mac, email FROM login_code").splitlines()[1].split("\t")[0] == shown


# ---- audit


HEADINGS = ["at", "actor", "action", "subject", "subject_id", "before", "after"]


def audit(folder, *options):
    lines = [line.split("\t") for line in folder.good("audit", *options).splitlines()]
    assert not lines or lines[0] == HEADINGS
    return [dict(zip(HEADINGS, line)) for line in lines[1:]]


def test_user_add_and_role_are_audited(folder):
    ada = folder.add("ada@example.com", "superadmin")
    who = folder.sql("SELECT id FROM users")[0][0]
    folder.add("bob@example.com", "superadmin")
    assert folder.numbers_of("user_text('ada')", "user_reindex") == [1, 0]
    folder.good("user", "role", "Ada@example.com", "admin")
    trace = audit(folder, "--subject", ada)
    assert [[r[k] for k in HEADINGS[1:]] for r in trace] == [
        ["operator", "user.role", ada, who, "superadmin", "admin"], ["operator", "user.added", ada, who, "-", "superadmin"]]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", r["at"]) for r in trace)
    assert folder.number("SELECT max(at) FROM audit") == folder.number("SELECT updated_at FROM users WHERE email = 'ada@example.com'")


def test_commands_without_effect_are_not_audited(folder):
    boss = folder.add(role="superadmin")
    before = folder.content()
    assert folder.ctl("user", "add", boss).returncode == 65
    assert "is superadmin already" in folder.good("user", "role", boss, "superadmin")
    assert "last active superadmin" in folder.ctl("user", "role", boss, "user").stderr
    assert folder.ctl("user", "role", "nobody@example.com", "user").returncode == 65
    assert folder.content() == before


@pytest.mark.parametrize("arguments, error", [
    ("add nobody", "not a mail address"), ("add a@example.com --role boss", "not a role"), ("add a@example.com --language fr", "not a language"),
    ("role nobody admin", "not a mail address"), ("role a@example.com boss", "not a role"),
])
def test_invalid_values_exit_with_data_error(folder, arguments, error):
    run = folder.ctl("user", *arguments.split())
    assert run.returncode == 65 and error in run.stderr and run.stdout == ""


@pytest.mark.sqlite     # a server keeps its index by itself
def test_an_outdated_search_index_is_reported(folder):
    with contextlib.closing(sqlite3.connect(folder.data / "okul.db", isolation_level=None)) as other:
        other.execute("INSERT INTO user_reindex (pk) VALUES (1)")
        other.execute("BEGIN IMMEDIATE")
        run = folder.ctl("sql", "SELECT 1")
        assert run.returncode == 0 and "the search for users is not up to date" in run.stderr
        other.rollback()
    folder.good("sql", "SELECT 1")
    assert folder.numbers_of("user_reindex") == [0]


@pytest.mark.parametrize("command", [("user", "add", "new@example.com"), ("user", "role", "ada@example.com", "admin")])
def test_no_change_without_audit_row(folder, command):
    """They are one transaction: if the audit row cannot be written, nothing is."""
    folder.add("ada@example.com")
    before = folder.content()
    with refusing(folder, "audit"):
        assert folder.ctl(*command).returncode == 1
    assert folder.content() == before


@pytest.fixture
def history(folder):
    """Ada's address changed twice; one action per day at noon, from 2026-01-01 on."""
    folder.put("INSERT INTO users (id, email, timezone, created_at, updated_at) VALUES ('aaaaaaaaaaaaaaaaaaaaaaaa', 'ada@new.example', 'UTC', 0, 0)")
    ada, bob = ("'aaaaaaaaaaaaaaaaaaaaaaaa'", "'bbbbbbbbbbbbbbbbbbbbbbbb'")
    rows = [("NULL", "NULL", "user.added", ada, "ada@old.example", "NULL", "user"),
            (bob, "bob@example.com", "user.email", ada, "ada@old.example", "ada@old.example", "ada@new.example"),
            (bob, "bob@example.com", "user.role", ada, "ada@middle.example", "user", "admin"),
            (ada, "ada@new.example", "user.profile", bob, "bob@example.com", "NULL", '{"bio":"a\tb\nc\\d"}'),
            (ada, "ada@new.example", "user_profile", bob, "bob@example.com", "NULL", "NULL"),
            (ada, "ada@new.example", "setting.changed", "'school'", "school", "a", "b")]
    for day, row in enumerate(rows):
        values = ", ".join(v if v == "NULL" or v.startswith("'") else f"'{v}'" for v in row)
        rows[day] = f"({1767268800000 + day * DAY}, {values})"
    folder.put(f"INSERT INTO audit (at, actor_id, actor_email, action, subject_id, subject, before, after) VALUES {', '.join(rows)}")
    return folder


@pytest.mark.parametrize("options, days", [
    ((), [6, 5, 4, 3, 2, 1]),
    (("--limit", "2"), [6, 5]),
    (("--limit=1", "--actor", "bob@example.com"), [3]),
    # by any address that the user had; case does not matter
    (("--subject", "ada@new.example"), [3, 2, 1]),
    (("--subject", "ADA@old.example"), [3, 2, 1]),
    (("--subject", "aaaaaaaaaaaaaaaaaaaaaaaa"), [3, 2, 1]),
    (("--subject", "school"), [6]),
    (("--subject", "nobody@example.com"), []),
    (("--actor", "Bob@Example.com"), [3, 2]),
    (("--actor", "bbbbbbbbbbbbbbbbbbbbbbbb"), [3, 2]),
    (("--actor", "operator"), [1]),
    (("--action", "user."), [4, 3, 2, 1]),
    (("--action", "user.role"), [3]),
    (("--action", "user%"), []),
    (("--action", "role"), []),
    (("--since", "2026-01-05"), [6, 5]),
    (("--since", "2026-01-06"), [6]),
    (("--since", "2026-01-07"), []),
    (("--subject", "ada@new.example", "--actor", "bob@example.com", "--action", "user.e", "--since", "2026-01-02"), [2]),
    (("--subject", "ada@new.example", "--since", "2026-01-02", "--limit", "1"), [3]),
])
def test_audit_filters(history, options, days):
    assert [r["at"] for r in audit(history, *options)] == [f"2026-01-{d:02} 12:00:00" for d in days]


def test_audit_prints_one_line_per_change(history):
    rows = [[row[k] for k in HEADINGS[1:]] for row in audit(history)]
    assert rows[2] == ["ada@new.example", "user.profile", "bob@example.com", "bbbbbbbbbbbbbbbbbbbbbbbb", "-", r'{"bio":"a\tb\nc\\d"}']
    assert rows[5] == ["operator", "user.added", "ada@old.example", "aaaaaaaaaaaaaaaaaaaaaaaa", "-", "user"]


@pytest.mark.parametrize("options, error", [
    (("--since", "yesterday"), "like 2026-01-31"), (("--since", "2026-02-30"), "like 2026-01-31"), (("--limit", "0"), "from 1"),
    (("--limit", "many"), "from 1"), (("--limit",), "--help"), (("ada@example.com",), "--subject ada@example.com"), (("--colour", "red"), "--help"),
])
def test_audit_reports_wrong_usage(folder, options, error):
    run = folder.ctl("audit", *options)
    assert run.returncode == 64 and error in run.stderr and run.stdout == ""


def test_audit_has_a_default_limit(folder):
    folder.put(folder.rows("INSERT INTO audit (at, action, subject_id, subject) SELECT {at} + i, 'a', 'b', i FROM i", 150, 0))
    last = folder.number("SELECT max(CAST(subject AS INTEGER)) FROM audit")
    assert [int(r["subject"]) for r in audit(folder)] == list(range(last, last - 100, -1))


# ---- user import


def put(folder, text, name="users.csv"):
    path = folder.data.parent / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def imported(folder, text, *options):
    """Imports a table; returns the error lines and (good, bad), the counts of the last line of output."""
    run = folder.ctl("user", "import", put(folder, text), *options)
    counts = re.fullmatch(r"users (?:to import|imported): (\d+), rows with errors: (\d+)(?:; nothing was changed)?\n", run.stdout)
    assert counts, f"{run.returncode} {run.stdout}{run.stderr}"
    assert run.returncode == (1 if int(counts[2]) else 0), run.stderr
    assert ("nothing was changed" in run.stdout) == ("--dry-run" in options)
    return run.stderr.splitlines(), (int(counts[1]), int(counts[2]))


CELLS = {
    "email": "Ayse@Example.com", "name": " Ayşe ", "surname": "Işıklı", "language": "tr", "role": "admin", "countryCode": "90",
    "phoneNumber": "05372505890", "birthDate": "1998-04-23", "username": "Ayse.1", "gender": "female", "timezone": "Europe/Berlin",
    "availabilityStatus": "busy", "profilePhoto": "a.jpg", "interests": '["music","ü, \\"v\\""]',
    "expertise": "math", "bio": 'says "hello", and\nmore', "instagram": "i", "x": "x1", "tiktok": "t", "snapchat": "s", "facebook": "f",
}
COLUMNS = {"countryCode": "country_code", "phoneNumber": "phone_number", "birthDate": "birth_date",
           "availabilityStatus": "availability", "profilePhoto": "profile_photo"}


def quoted(cell):
    return '"' + cell.replace('"', '""') + '"'


@pytest.mark.parametrize("start, separator, end", [("", ",", "\n"), ("\ufeff", ";", "\r\n"), ("", "\t", "\r")])
def test_import_takes_every_column(folder, start, separator, end):
    table = start + end.join([separator.join(CELLS), separator.join(map(quoted, CELLS.values()))])
    assert imported(folder, table) == ([], (1, 0))
    columns = ", ".join(COLUMNS.get(name, name) for name in CELLS)
    wanted = CELLS | {"email": "ayse@example.com", "name": "Ayşe", "username": "ayse.1", "bio": CELLS["bio"].replace("\n", "\\n"),
                      "interests": CELLS["interests"].replace("\\", "\\\\")}
    assert folder.sql(f"SELECT {columns} FROM users") == [list(wanted.values())]


def test_import_has_the_fields_of_the_api(folder):
    """The help names them too."""
    assert set(CELLS) == {f.name for f in contract.shapes["UpdateMeProfileDto"]} | {"email", "role"}
    assert set(CELLS) <= set(re.findall(r"\w+", folder.good("user", "import", "--help")))


def test_import_fills_in_defaults(folder):
    assert imported(folder, "email,name,role,language\nada@example.com,,,\n") == ([], (1, 0))
    assert folder.sql("SELECT length(id), role, language, name, username, username_changed_at, phone_number, availability, timezone, registered_at,"
                      " is_active, interests, deletion_status, created_at = updated_at, created_at FROM users")[0][:-1] == [
        "24", "user", "en", "NULL", "NULL", "NULL", "NULL", "offline", "Europe/Istanbul", "NULL", "1", "[]", "none", "1"]
    assert abs(folder.number("SELECT created_at FROM users") - folder.now()) < MINUTE


def test_import_keeps_search_counters_and_audit(folder):
    assert imported(folder, "email,name,surname,role\nada@example.com,IŞIL,Weiß,\nbob@example.com,Bob,Baumeister,superadmin\n") == ([], (2, 0))
    assert folder.numbers_of("user_text('isil')", "user_text('weiss')", "user_text('baumeister')", "user_reindex") == [1, 1, 1, 0]
    assert folder.sql("SELECT sort_name FROM users ORDER BY pk") == [["isil weiss"], ["bob baumeister"]]
    assert folder.sql("SELECT n FROM tally WHERE name LIKE 'user%' ORDER BY name") == [["2"], ["0"], ["1"], ["1"]]
    assert [[r[k] for k in ("actor", "action", "subject", "before", "after")] for r in audit(folder)] == [
        ["operator", "user.added", "bob@example.com", "-", "superadmin"], ["operator", "user.added", "ada@example.com", "-", "user"]]
    assert folder.number("SELECT count(*) FROM audit JOIN users ON users.id = subject_id") == 2


def test_imported_users_log_in_and_register(okul):
    address = fresh()
    path = okul.server.home / "import.csv"
    path.write_text(f"email,name,surname,phoneNumber,countryCode,birthDate\n{address},Ada,Lovelace,5372505890,90,1915-12-10\n")
    okul.server.ctl("user", "import", str(path))
    ada = okul.login(address)
    me = ada.get("/me").data
    assert [me[k] for k in ("name", "surname", "phoneNumber", "birthDate")] == ["Ada", "Lovelace", "5372505890", "1915-12-10"]
    assert me["isRegistrationComplete"] is False
    answer = ada.post("/auth/registration/complete", {"name": "Ada", "surname": "King", "privacyPolicyAccepted": True, "termsOfUseAccepted": True})
    assert answer.status == 200 and ada.patch("/me", {"username": address.partition("@")[0].replace("-", "_")}).status == 200


@pytest.mark.parametrize("cells, errors", [
    ({"email": ""}, ["email: is required"]),
    ({"email": "nobody"}, ["email: must be a valid e-mail address"]),
    ({"email": "a" * 250 + "@example.com"}, ["email: must be a valid e-mail address"]),
    ({"name": "x" * 101}, ["name: must have at most 100 characters"]),
    ({"role": "king"}, ["role: must be one of: user, admin, superadmin"]),
    ({"language": "fr"}, ["language: must be one of: tr, en, es, de"]),
    ({"countryCode": "Narnia"}, ["countryCode: must have at most 4 characters"]),
    ({"countryCode": "9x"}, ["countryCode: must hold digits only"]),
    ({"phoneNumber": "123"}, ["phoneNumber: must have at least 4 characters"]),
    ({"birthDate": "1899-12-31"}, ["birthDate: must be between 1900-01-01 and today"]),
    ({"name": "a\tb"}, ["name: must not contain line breaks, tabs or other control characters"]),
    ({"birthDate": "31.02.1998"}, ["birthDate: must be a date like 2026-01-15"]),
    ({"birthDate": "23.04.98"}, ["birthDate: the year must have four digits"]),
    ({"birthDate": "23.04/1998"}, ["birthDate: must be a date like 2026-01-15"]),
    ({"phoneNumber": "5.32123E+09"}, ["phoneNumber: must hold digits only"]),
    ({"phoneNumber": "+49 171 1234567", "countryCode": "90"}, ["phoneNumber: does not begin with the code of the column countryCode (+49, 90)"]),
    ({"interests": "music"}, ["interests: must be a list"]),
    ({"isActive": "maybe", "id": "7"}, ["id: must be 24 hexadecimal digits", "isActive: must be true or false"]),
    ({"username": "me!"}, ["username: may hold only a-z, 0-9, _ and ."]),
    ({"timezone": "Europe/Atlantis"}, ["timezone: must be a time zone like Europe/Istanbul"]),
    ({"gender": "x", "email": "@", "bio": "x" * 501},
     ["email: must be a valid e-mail address", "gender: must be one of: female, male, other", "bio: must have at most 500 characters"]),
])
def test_import_reports_each_invalid_row(folder, cells, errors):
    rows = [{"email": "first@example.com"}, {"email": "bad@example.com", "surname": "Bad"} | cells, {"email": "last@example.com"}]
    table = "\n".join([",".join(rows[1]), *(",".join(row.get(name, "") for name in rows[1]) for row in rows)])
    assert imported(folder, table) == ([f"line 3: {e}" for e in errors], (2, 1))
    assert folder.emails() == {"first@example.com", "last@example.com"}


def test_import_refuses_duplicates(folder):
    folder.add("old@example.com")
    folder.sql("UPDATE users SET username = 'old'")
    table = ("email,username\nnew@example.com,new\nOLD@example.com,\nx@example.com,Old\nOld@example.com,old\n"
             "NEW@example.com,\ny@example.com,NEW\nbad,twice\nbad,twice\nz@example.com,twice\n")
    errors = ["line 3: email: belongs to a user already", "line 4: username: belongs to a user already", "line 5: email: stands in line 3 already",
              "line 5: username: stands in line 4 already", "line 6: email: stands in line 2 already", "line 7: username: stands in line 2 already",
              "line 8: email: must be a valid e-mail address", "line 9: email: must be a valid e-mail address",
              "line 10: username: stands in line 8 already"]
    assert imported(folder, table, "--dry-run") == (errors, (1, 8))
    assert imported(folder, table) == (errors, (1, 8))
    assert folder.emails() == {"old@example.com", "new@example.com"}
    assert imported(folder, "email,username\nold@example.com,old\n")[0] == [
        "line 2: email: belongs to a user already", "line 2: username: belongs to a user already"]


@pytest.mark.parametrize("row, error", [
    (b"a@example.com,b,c", "the numbers of cells and of columns differ: 3, 2"), (b"a@example.com,b,,c,", "the numbers of cells and of columns differ: 5, 2"),
    (b'a@example.com,b"c', "a quote stands where none may"), (b'"a@example.com"x,b', "a quote stands where none may"),
    (b"a@example.com," + b"x" * 70000, "has too many cells, or too long ones"),
])
def test_import_reports_malformed_rows(folder, row, error):
    lines, counts = imported(folder, b"email,name\n" + row + b"\nlast@example.com,c\n")
    assert len(lines) == 1 and lines[0].startswith(f"line 2: {error}") and counts == (1, 1)
    assert folder.emails() == {"last@example.com"}


def test_import_reports_an_open_quote(folder):
    lines, counts = imported(folder, 'email,name\na@example.com,b\n"c@example.com,d\ne@example.com,f\n')
    assert lines == ["line 3: a cell begins with a quote, and no quote ends it"] and counts == (1, 1)


def test_import_counts_lines_like_an_editor(folder):
    table = 'email,bio\r\n\r\na@example.com,"1\r\n2\r\n3"\r\n,\r\n  , \r\nbad,x\r\n\r\n'
    assert imported(folder, table) == (["line 8: email: must be a valid e-mail address"], (1, 1))


@pytest.mark.parametrize("table, error", [
    ("", "the file is empty"), ("\n\n", "the file is empty"), ("name,surname\na,b\n", "among them email"),
    ("email,colour\n", 'there is no column "colour"; `okulctl user import --help`'),
    ("email,Email\n", 'two columns "email"'), ("email,E-Posta\n", 'two columns "email"'),
    ("email,name, email \n", 'two columns "email"'), (";;\n;\n", "the file is empty"),
    ("ada@example.com\n", "there is no column"), ("email\n".encode("utf-16"), "it looks like utf-16: use --encoding utf-16"),
    ("email,\"name\n", "no quote ends it"),
])
def test_import_needs_a_header_line(folder, table, error):
    run = folder.ctl("user", "import", put(folder, table))
    assert run.returncode == 65 and error in run.stderr and run.stdout == ""


def test_import_needs_a_file(folder):
    run = folder.ctl("user", "import", "nowhere.csv")
    assert run.returncode == 65 and "nowhere.csv: No such file" in run.stderr
    run = folder.ctl("user", "import", folder.data)
    assert run.returncode == 65 and "Is a directory" in run.stderr
    assert folder.ctl("user", "import").returncode == 64


def test_import_from_standard_input(folder):
    assert folder.good("user", "import", "-", input=b"email\nada@example.com\n") == "users imported: 1, rows with errors: 0\n"
    assert folder.emails() == {"ada@example.com"}


def test_import_dry_run_changes_nothing(folder):
    folder.add("old@example.com")
    before = folder.content()
    table = "email,role\nold@example.com,\na@example.com,admin\nb@example.com,\nbad,\n"
    errors = ["line 2: email: belongs to a user already", "line 5: email: must be a valid e-mail address"]
    assert imported(folder, table, "--dry-run") == (errors, (2, 2))
    assert folder.content() == before
    assert imported(folder, table) == (errors, (2, 2))
    assert folder.emails() == {"old@example.com", "a@example.com", "b@example.com"}


def large(rows, bad=()):
    """A table with this number of rows; those on the lines `bad` are invalid."""
    lines = ["email,name,surname,language,role,countryCode,phoneNumber,birthDate,username"]
    for i in range(2, rows + 2):
        lines.append(f"{'bad' if i in bad else f'student{i}@example.com'},Ayşe {i},Yılmaz,tr,user,90,5{i:09},1998-04-23,ayse.{i}")
    return "\r\n".join(lines) + "\r\n"


def test_import_of_10_000_rows(folder):
    bad = set(range(7, 10_000, 500))
    table = large(10_000, bad)
    errors = [f"line {i}: email: must be a valid e-mail address" for i in sorted(bad)]
    assert len(bad) == 20
    for options in (("--dry-run",), ()):
        start = time.monotonic()
        assert imported(folder, table, *options) == (errors, (9980, 20))
        assert time.monotonic() - start < 60     # 0.6 s on a quiet machine
        assert folder.numbers_of("users") == [0 if options else 9980]
    assert folder.numbers_of("user_reindex", "audit", "user_text('yilmaz')") == [0, 9980, 9980]
    assert folder.number("SELECT n FROM tally WHERE name = 'user'") == 9980
    lines, counts = imported(folder, table)
    assert counts == (0, 10_000) and sum("belongs to a user already" in line for line in lines) == 2 * 9980


def test_other_processes_write_during_an_import(folder):
    """No write waits for more than a batch or two, and none is lost."""
    began = time.monotonic()
    run, waits = folder.start("user", "import", str(put(folder, large(10_000)))), []
    while run.poll() is None:
        start = time.monotonic()
        folder.add(f"other{len(waits)}@example.com")
        waits.append(time.monotonic() - start)
    assert run.communicate()[0] == "users imported: 10000, rows with errors: 0\n"
    # a batch is a twentieth of the import; a writer that waits for the whole import waits for most of this time
    assert len(waits) >= 3 and max(waits) < max(1, (time.monotonic() - began) / 2)
    assert folder.numbers_of("users") == [10_000 + len(waits)]


def test_import_holds_one_batch_in_memory(folder):
    """Rows are stored batch by batch, so that memory does not grow with the table."""
    environment, peak = folder.environment | {"ASAN_OPTIONS": "exitcode=99:quarantine_size_mb=1"}, 0
    run = subprocess.Popen(folder.command("user", "import", str(put(folder, large(40_000)))), env=environment, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, text=True)
    while run.poll() is None:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{run.pid}/status").read_text())
        peak = int(found[1]) if found else peak
        time.sleep(0.01)
    assert run.communicate()[0] == "users imported: 40000, rows with errors: 0\n"
    assert 0 < peak < (24 << 10) * (1 if SLOW == 1 else 3)


def test_import_stops_at_a_batch_boundary(folder):
    """A failure of the database rolls back only its batch of 500 rows, and is reported."""
    with refusing(folder, "users", "new.email = 'student800@example.com'"):
        run = folder.ctl("user", "import", put(folder, large(1200)))
    assert run.returncode == 1 and run.stdout == ""
    found = re.search(r"stopped at line (\d+): a constraint of the schema forbids it; the (\d+) good rows above it are imported", run.stderr)
    line, rows = int(found[1]), int(found[2])
    assert line == rows + 2 and 500 <= rows < 799   # a transaction ends after 50 ms too
    assert folder.numbers_of("users", "audit") == [rows, rows]
    assert imported(folder, large(1200))[1] == (1200 - rows, rows)


@pytest.mark.postgres   # with a file, others wait for the writer lock
def test_no_transaction_of_an_import_takes_long(folder):
    """Whatever the time that a row takes."""
    folder.sql("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.05); RETURN new; END $$;"
               "CREATE TRIGGER slow BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION slow()")
    run, seen = folder.start("user", "import", str(put(folder, large(60)))), set()
    while run.poll() is None:
        seen |= set(tuples(folder, "SELECT count(*) FROM users"))
    assert run.communicate()[0] == "users imported: 60, rows with errors: 0\n"
    assert len(seen) > 4, seen


# ---- files as spreadsheets write them


def people(folder, *columns):
    return folder.sql(f"SELECT {', '.join(columns)} FROM users ORDER BY pk")


WHO = ("email", "name", "surname", "phone_number", "birth_date", "gender", "language")


@pytest.mark.parametrize("heading, row", [
    ("Ad;Soyad;E-posta;Telefon;Doğum Tarihi;Cinsiyet;Dil", "Işıl;Öz;{};+90 (537) 250 58 90;23.04.1998;Kadın;Türkçe"),
    ("ADI;SOYADI;E-POSTA ADRESİ;CEP TELEFONU;DOĞUM TARİHİ;CİNSİYETİ;DİL", "Işıl;Öz;{};0090 537-250-58-90;23.4.1998;KADIN;TR"),
    ("adı;soyadı;e-posta adresi;cep no;doğum tarihi;cinsiyet;dil", "Işıl;Öz;{};+905372505890;23/04/1998;k;türkçe"),
    ("First name;Last Name;E-mail;Phone;Date of birth;Gender;Language", "Işıl;Öz;{};'+90 537 250 58 90;1998-04-23;Female;Turkish"),
    ("Vorname;Name;E-Mail-Adresse;Handy;Geburtsdatum;Geschlecht;Sprache", "Işıl;Öz;{};+90 (0) 537/2505890;23. 04. 1998;weiblich;Türkisch"),
    ("VORNAME;NACHNAME;Mailadresse;Telefonnummer;GEBURTSDATUM;Geschlecht;Sprache", "Işıl;Öz;{};+90 537 250\u00a058\u201190;23-04-1998;w;tr-TR"),
    ("Nombre;Apellidos;Correo electrónico;Teléfono móvil;Fecha de nacimiento;Sexo;Idioma", "Işıl;Öz;{};+90.537.250.58.90;23/4/1998;Mujer;turco"),
    ("NOMBRE;APELLIDO;CORREO;Móvil;Fecha de Nacimiento;Género;Idioma", "Işıl;Öz;{};+90 537 2505890;23/04/1998 00:00:00;femenino;tr"),
])
def test_import_takes_lists_in_four_languages(folder, heading, row):
    assert imported(folder, f"{heading}\r\n{row.format('ada@example.com')}\r\n") == ([], (1, 0))
    assert people(folder, *WHO, "country_code") == [["ada@example.com", "Işıl", "Öz", "5372505890", "1998-04-23", "female", "tr", "90"]]


@pytest.mark.parametrize("table", [
    "sep=;\r\nemail;name\r\na@example.com;A, b\r\nb@example.com;B\r\n",
    "\ufeffsep=,\r\nemail,name\r\na@example.com,\"A, b\"\r\nb@example.com,B\r\n",
    "email\tname\r\na@example.com\tA, b\r\nb@example.com\tB\r\n",
    # empty columns and rows, missing cells, and cells after the last column
    "email;;name;;\r\na@example.com;;A, b;;\r\nb@example.com;;B\r\n;;;;\r\n;;;;\r\n",
    ";;\nemail;name;gender;bio\na@example.com;A, b\nb@example.com;B;;;;;\n;\n ; \n\n",
    'email;name\n"a@example.com";"A, b"\n"b@example.com";"B"\n"";""\n',
    '"e-\nmail";name\n a@example.com ;"A, b"\nB@EXAMPLE.COM;B',
])
def test_import_takes_tables_in_every_format(folder, table):
    assert imported(folder, table) == ([], (2, 0))
    assert people(folder, "email", "name") == [["a@example.com", "A, b"], ["b@example.com", "B"]]


def test_import_reports_text_without_a_heading(folder):
    assert imported(folder, "email;;name\na@example.com;x;A\nb@example.com;;B\n") == (
        ["line 2: cell 2 holds text, and its column has no heading"], (1, 1))


@pytest.mark.parametrize("country, number, wanted", [
    ("", "05372505890", ["NULL", "05372505890"]), ("90", "05372505890", ["90", "05372505890"]),     # like the API
    ("90", "0537 250 58 90", ["90", "5372505890"]), ("TR", "(0537) 250 58 90", ["90", "5372505890"]), ("Türkiye", "", ["90", "NULL"]),
    ("+90", "+90 537 250 58 90", ["90", "5372505890"]), ("0090", "", ["90", "NULL"]), ("", "0537 250 58 90", ["NULL", "05372505890"]),
    ("", "+1 (212) 555-0123", ["1", "2125550123"]), ("", "+49 171 1234567", ["49", "1711234567"]), ("", "+994 50 123 45 67", ["994", "501234567"]),
    ("", "+39 06 1234567", ["39", "061234567"]), ("", "+7 912 345-67-89", ["7", "9123456789"]), ("", "+34 612 345 678", ["34", "612345678"]),
    ("de", "0171 / 123 45 67", ["49", "1711234567"]), ("", "\u202a+90 537 250 58 90\u202c", ["90", "5372505890"]),
])
def test_import_takes_phone_numbers_as_people_write_them(folder, country, number, wanted):
    assert imported(folder, f"email;Ülke;Tel.\na@example.com;{country};{number}\n") == ([], (1, 0))
    assert people(folder, "country_code", "phone_number") == [wanted]


@pytest.mark.parametrize("heading, words", [
    ("gender", {"f": "female", "M": "male", "weiblich": "female", "MÄNNLICH": "male", "divers": "other", "Erkek": "male", "Hombre": "male"}),
    ("Sexo", {"h": "male", "Mujer": "female", "Otro": "other", "femenino": "female"}),
    ("Dil", {"TR": "tr", "İNGİLİZCE": "en", "español": "es", "Almanca": "de", "de-AT": "de", "En": "en"}),
    ("role", {"Admin": "admin", "USER": "user"}), ("availabilitystatus", {"Busy": "busy"}),
    ("isActive", {"true": "1", "WAHR": "1", "DOĞRU": "1", "VERDADERO": "1", "FALSE": "0", "FALSCH": "0", "YANLIŞ": "0"}),
])
def test_import_understands_localized_values(folder, heading, words):
    table = "".join(f"a{i}@example.com;{word}\n" for i, word in enumerate(words))
    column = {"Dil": "language", "Sexo": "gender", "availabilitystatus": "availability", "isActive": "is_active"}.get(heading, heading)
    assert imported(folder, f"email;{heading}\n{table}") == ([], (len(words), 0))
    assert people(folder, column) == [[value] for value in words.values()]


def test_import_rejects_ambiguous_values(folder):
    """M may mean male or mujer (female)."""
    assert imported(folder, "email;Sexo\na@example.com;M\n")[0] == ["line 2: gender: must be one of: female, male, other"]


@pytest.mark.parametrize("date", ["04/23/1998", "4-23-1998"])
def test_import_rejects_a_file_with_the_month_first(folder, date):
    """Its ambiguous dates would be misread silently."""
    run = folder.ctl("user", "import", put(folder, f"email;birthDate\na@example.com;03/04/1998\n\n;\nb@example.com;{date}\n"))
    assert run.returncode == 65 and run.stdout == ""
    assert run.stderr == (f"okulctl: line 5: birthDate: {date} has the month first, and okul reads the day first: nothing was done. "
                          "Let the spreadsheet write dates like 1998-04-23\n")
    assert folder.numbers_of("users") == [0]
    assert imported(folder, "email;birthDate\na@example.com;03/04/1998\n") == ([], (1, 0))
    assert people(folder, "birth_date") == [["1998-04-03"]]


@pytest.mark.parametrize("encoding", ["windows-1254", "utf-16", "utf-16-le"])
def test_import_rejects_a_file_in_another_encoding(folder, encoding):
    """The error suggests --encoding."""
    path = put(folder, "Ad\tE-posta\r\nAda\ta@example.com\r\nIşıl\tb@example.com\r\n".encode(encoding))
    run = folder.ctl("user", "import", path)
    name = {"utf-16-le": "utf-16le"}.get(encoding, encoding)
    assert run.returncode == 65 and run.stdout == "" and folder.numbers_of("users") == [0]
    assert f"is not UTF-8 text; it looks like {name}: use --encoding {name}, or save it as UTF-8" in run.stderr
    assert folder.good("user", "import", path, "--encoding", name) == "users imported: 2, rows with errors: 0\n"
    assert people(folder, "name") == [["Ada"], ["Işıl"]]


KEPT = ("id, email, role, is_active, language, name, surname, username, country_code, phone_number, profile_photo, availability, birth_date,"
        " gender, interests, expertise, bio, instagram, x, tiktok, snapchat, facebook, timezone, deletion_status,"
        " deletion_scheduled_for IS NULL")


@pytest.mark.parametrize("query", ["", "&separator=semicolon"])
def test_the_export_of_users_can_be_imported(later, folder, query):
    """Including texts that look like formulas, a deactivated user, and one whose deletion is pending."""
    server, boss, mark = later.server, later.staff("superadmin"), "m" + secrets.token_hex(6)
    texts = ["=1+1", "+49 30", "'=x", "''", 'a "b", c; d', "a\n\nb", "-", "@x", "ü;\t,", "=cmd|' /C calc'!A0"]
    for i, text in enumerate(texts):
        who, line = later.registered(f"{mark}.{i}@example.com"), re.sub(r"\s+", " ", text)
        assert who.patch("/me", {"bio": text, "name": line, "interests": [line, "x"], "phoneNumber": f"053725059{i:02}", "countryCode": "90",
                                 "birthDate": "1998-04-03", "gender": "other", "instagram": line, "username": f"{mark}.{i}"}).status == 200
    assert boss.patch(f"/admin/users/{who.id}/profile", {"isActive": False}).status == 200
    assert later.registered(mark + ".gone@example.com").post("/api/v1/users/me/account-deletion").status == 201
    answer = boss.get(f"/users?format=csv&sort=createdAt&search={mark}{query}")
    assert imported(folder, answer.body) == ([], (len(texts) + 1, 0))
    before = server.sql(f"SELECT {KEPT} FROM users WHERE email LIKE '{mark}%' ORDER BY pk").splitlines()[1:]
    assert people(folder, KEPT) == [line.split("\t") for line in before]
    assert folder.number("SELECT count(*) FROM users WHERE registered_at IS NOT NULL OR privacy_policy_at IS NOT NULL") == 0
    assert imported(folder, answer.body)[0][:2] == ["line 2: email: belongs to a user already", "line 2: username: belongs to a user already"]


# ---- key


def keys(folder):
    section = re.search(r"(?ms)^\[jwt\]$(.*?)^\[", (folder.data / "keys.conf").read_text())[1]
    return re.findall(r"(?m)^(\w+) = ([0-9a-f]{64})$", section)


def test_key_rotate_puts_a_new_key_first(folder):
    path = folder.data / "keys.conf"
    text = path.read_text()
    old = keys(folder)
    assert [kid for kid, _ in old] == ["k1"]
    output = folder.good("key", "rotate")
    assert output == "k2 signs from the next start on; restart okul now\n"
    new = keys(folder)
    assert new[1:] == old and new[0][0] == "k2" and new[0][1] != old[0][1]
    # nothing else changes, not even comments and other keys
    assert path.read_text().replace(f"k2 = {new[0][1]}\n", "") == text
    assert path.stat().st_mode & 0o7777 == 0o600
    assert sorted(p.name for p in folder.data.iterdir() if "keys" in p.name) == ["keys.conf"]
    assert folder.good("key", "list") == "kid\tuse\nk2\tsigns and verifies\nk1\tverifies\n"


def test_key_rotate_keeps_three(folder):
    folder.good("key", "rotate"), folder.good("key", "rotate")
    before = keys(folder)
    assert [kid for kid, _ in before] == ["k3", "k2", "k1"]
    assert "k1 was removed" in folder.good("key", "rotate")
    assert keys(folder)[1:] == before[:2] and keys(folder)[0][0] == "k4"
    assert folder.good("check", "--settings")


def test_key_rotate_in_a_file_that_was_edited(folder):
    path = folder.data / "keys.conf"
    key = "ab" * 32
    path.write_text(path.read_text().replace("[jwt]\n", f"[jwt]\n# mine\n  main = {key}\n\nk7 = {key}\n; and more\nk07 = {key}\n"))
    assert folder.good("key", "rotate").splitlines()[0].startswith("k8 signs")
    text = path.read_text()
    assert [kid for kid, _ in re.findall(r"(?m)^\s*(\w+) = ([0-9a-f]{64})$", text)] == ["k8", "main", "k7", "code", "refresh", "mail", "link"]
    assert "# mine\n" in text and "; and more\n" in text


def test_key_rotate_keeps_the_owner(folder):
    path = folder.data / "keys.conf"
    owner = (65534, 65534) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    os.chown(path, *owner)
    folder.good("key", "rotate")
    assert (path.stat().st_uid, path.stat().st_gid) == owner


def test_parallel_key_rotate(folder):
    runs = [folder.start("key", "rotate") for _ in range(8)]
    names = {run.communicate(timeout=60)[0].split()[0] for run in runs}
    assert [run.returncode for run in runs] == [0] * 8 and names == {f"k{i}" for i in range(2, 10)}
    assert [kid for kid, _ in keys(folder)] == ["k9", "k8", "k7"] and len({key for _, key in keys(folder)}) == 3


def test_key_rotate_reports_errors(folder):
    path = folder.data / "keys.conf"
    text = "\ufeff[jwt]" + path.read_text().partition("\n[jwt]")[2]
    path.write_text(text)
    run = folder.ctl("key", "rotate")
    assert run.returncode == 78 and "has no line [jwt]; restore it" in run.stderr
    assert path.read_text() == text and [p.name for p in folder.data.iterdir() if "keys.conf." in p.name] == []
    os.unlink(path)
    path.write_text("nonsense")
    path.chmod(0o600)
    assert folder.ctl("key", "rotate").returncode == 78 and folder.ctl("key", "list").returncode == 78


def test_tokens_of_the_old_key_stay_valid():
    server = Server("keys", OKUL_WORKERS="1")
    try:
        okul = Okul(server)
        ada = okul.login()
        old = ada.token
        server.ctl("key", "rotate")
        assert okul.get("/me", token=old).status == 200
        server.restart()
        assert okul.get("/me", token=old).status == 200
        assert ada.renew().status == 200
        assert okul.get("/me", token=ada.token).status == 200
        assert old.split(".")[0] != ada.token.split(".")[0]
        for _ in range(2):
            server.ctl("key", "rotate")
        server.restart()
        assert okul.get("/me", token=old).status == 401
        assert okul.get("/me", token=ada.token).status == 200
    finally:
        server.stop()
