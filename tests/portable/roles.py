"""conf/postgres/roles.sql: the programs run as okul, which can do nothing but read and write rows."""

import subprocess

import psycopg2
import pytest

import engines

DATABASE = "My School"      # a name that wants quotes


class Roles:
    """A server whose superuser is boss, so that okul is a role like others."""

    def __init__(self, folder):
        self.server = engines.Postgres()
        self.psql("okul", "postgres", "CREATE ROLE boss SUPERUSER LOGIN")
        self.psql("boss", "postgres", "ALTER ROLE okul RENAME TO first; CREATE ROLE okul LOGIN; CREATE ROLE okul_migrate LOGIN;"
                  " CREATE ROLE stranger LOGIN")
        self.server.run("createdb", "-h", self.server.home, "-U", "boss", "--owner=okul_migrate", "--template=template0", DATABASE)
        self.set_rights()
        self.owner = engines.School(folder, self.server.url(DATABASE.replace(" ", "%20")).replace("user=okul", "user=okul_migrate"))
        self.okul = engines.School(folder, self.server.url(DATABASE.replace(" ", "%20")), migrate=False)

    def psql(self, role, database, *arguments):
        done = subprocess.run(["psql", "-h", self.server.home, "-U", role, "-d", database, "-qAt", "-v", "ON_ERROR_STOP=1", "-c", *arguments],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def set_rights(self, database=DATABASE):
        script = (engines.ROOT / "conf/postgres/roles.sql").read_text()
        done = subprocess.run(["psql", "-h", self.server.home, "-U", "boss", "-d", database, "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"],
                              input=script, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def rights(self):
        """What okul may do with each table and view."""
        return {table: privileges for table, privileges in self.owner.rows(
            "SELECT relname, array_to_string(ARRAY(SELECT word FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE',"
            " 'REFERENCES', 'TRIGGER']) AS word WHERE has_table_privilege('okul', oid, word)), ' ') FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')")}


@pytest.fixture(scope="module")
def roles(tmp_path_factory):
    one = Roles(tmp_path_factory.mktemp("roles"))
    yield one
    one.server.stop()


def test_rights(roles):
    rights = roles.rights()
    read_only = {"okul_letter", "schema_version"}
    assert {table for table, words in rights.items() if words == "SELECT"} == read_only
    assert {words for table, words in rights.items() if table not in read_only} == {"SELECT INSERT UPDATE DELETE"}
    assert len(rights) > 25


def test_safe_to_run_again(roles):
    before = roles.rights()
    roles.psql("boss", DATABASE, "GRANT UPDATE ON okul_letter, schema_version TO okul")    # what an older version of it left
    assert roles.rights() != before
    roles.set_rights()
    assert roles.rights() == before


def test_a_dump_is_restored_as_readme_says(roles, tmp_path):
    """By okul_migrate, who can then go on to migrate it."""
    roles.okul.run(engines.BUILD / "okulctl", "backup", tmp_path / "okul.dump")
    roles.server.run("createdb", "-h", roles.server.home, "-U", "boss", "--owner=okul_migrate", "--template=template0", "again")
    url = roles.server.url("again")
    subprocess.run(["pg_restore", "--no-owner", "--exit-on-error", "--dbname=" + url.replace("user=okul", "user=okul_migrate"),
                    tmp_path / "okul.dump"], check=True)
    roles.set_rights("again")
    before, roles.owner = roles.owner, engines.School(tmp_path, url.replace("user=okul", "user=okul_migrate"))     # migrates
    try:
        again = roles.rights()
    finally:
        roles.owner = before
    assert again == roles.rights()
    engines.School(tmp_path, url, migrate=False).run(engines.BUILD / "okulctl", "user", "add", "again@example.com")


@pytest.mark.parametrize("program", engines.PROGRAMS, ids=lambda program: program.name)
def test_check_as_okul(roles, program):
    done = roles.okul.try_run(program, "--check")
    assert done.returncode == 0 and done.stdout.splitlines()[-1].endswith(": 0 faults"), (done.stderr, done.stdout[-2000:])


@pytest.mark.parametrize("change", [
    "CREATE TABLE mine (a int)", "CREATE TEMPORARY TABLE mine (a int)", "CREATE FUNCTION mine() RETURNS int LANGUAGE sql RETURN 1",
    "CREATE SCHEMA mine", "CREATE EXTENSION hstore", "ALTER TABLE users ADD COLUMN mine int", "ALTER TABLE users DISABLE TRIGGER USER",
    "DROP TABLE event", "DROP FUNCTION okul_mailbox", "TRUNCATE event", "CREATE INDEX ON event (n)", "DROP INDEX event_at",
    "CREATE TRIGGER mine AFTER INSERT ON event FOR EACH ROW EXECUTE FUNCTION okul_contact_counted()",
    "UPDATE okul_letter SET folded = 'x'", "DELETE FROM okul_letter", "INSERT INTO okul_letter VALUES (1, 'x')",
    "UPDATE schema_version SET version = 5", "DELETE FROM schema_version", "SET SESSION AUTHORIZATION okul_migrate", "SET ROLE okul_migrate",
    "COPY event TO PROGRAM 'true'", "CREATE ROLE mine"])
def test_okul_may_not(roles, change):
    with roles.okul.connection() as db:
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            db.cursor().execute(change)


def test_okul_may_write_alone(roles):
    """What a transaction takes that others have prevented: lib/store/postgres/transaction.c."""
    with roles.okul.connection() as db:
        db.cursor().execute("LOCK TABLE instance IN EXCLUSIVE MODE")
        db.cursor().execute("LOCK TABLE instance IN ROW SHARE MODE")


def test_nobody_else_connects(roles):
    with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
        psycopg2.connect(roles.okul.url.replace("user=okul", "user=stranger"))


def test_demo_as_okul(roles):
    """Every trigger runs with the rights of okul."""
    roles.okul.run(engines.BUILD / "okulctl", "demo", "--users", "60", "--courses", "5")
    counts = dict(roles.okul.rows("SELECT name, n FROM tally"))
    assert counts["user"] > 50 and counts["course"] == 5 and counts["registration"] > 0
    assert counts["user"] == roles.okul.rows("SELECT count(*) FROM users")[0][0]
    roles.okul.sql("DELETE FROM users WHERE role = 'user'")
    assert roles.okul.rows("SELECT n FROM tally WHERE name = 'user:user'") == [(0,)]


def test_migrate_as_okul_says_why(roles, tmp_path):
    """A role that may not create tables."""
    roles.psql("boss", "postgres", "CREATE DATABASE bare OWNER okul_migrate TEMPLATE template0")
    bare = engines.School(tmp_path, roles.server.url("bare"), migrate=False)
    done = bare.try_run(engines.BUILD / "okulctl", "migrate")
    assert done.returncode != 0 and "permission denied" in done.stderr, done.stderr


def test_search_path(roles):
    """Triggers find their tables, and not those of a schema that the session has first."""
    roles.psql("boss", DATABASE, "CREATE SCHEMA other; CREATE TABLE other.tally_part (LIKE public.tally_part); GRANT ALL ON SCHEMA other TO okul;"
               " GRANT ALL ON other.tally_part TO okul")
    with roles.okul.connection() as db:
        cursor = db.cursor()
        before = dict(roles.okul.rows("SELECT name, n FROM tally"))["user"]
        cursor.execute("SET search_path = other, pg_temp")
        cursor.execute("INSERT INTO public.users (id, email, name, timezone, created_at, updated_at) VALUES ('p', 'p@x.com', 'É', 'UTC', 0, 0)")
        cursor.execute("SELECT sort_name FROM public.users WHERE id = 'p'")
        assert cursor.fetchone() == ("e",)
        cursor.execute("SELECT count(*) FROM other.tally_part")
        assert cursor.fetchone() == (0,)
        db.commit()
    assert dict(roles.okul.rows("SELECT name, n FROM tally"))["user"] == before + 1
