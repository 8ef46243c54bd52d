"""What remains of a deleted user: what the contract allows to keep, and nothing else in any table."""

import secrets

import pytest

from helpers.everything import ADDRESSED, of_users, rows, with_everything
from helpers.server import until
from helpers.v1 import DELETION

# The audit log, versions of settings, and contact requests, with a reply that is in the outbox.
STAYS = {"audit.actor_id", "audit.actor_email", "audit.subject_id", "audit.subject", "setting_version.actor_id",
         "setting_version.actor_email", "contact.full_name", "contact.email", "contact.subject", "contact.sort_name", "contact.folded",
         "outbox.recipient"}


def traces(server, pk, *words):
    """The columns, as table.column, that refer to the user or contain one of the words."""
    columns = rows(server, "SELECT table_name AS t, column_name AS c FROM information_schema.columns JOIN pg_tables"
                           " ON tablename = table_name AND schemaname = table_schema WHERE table_schema = 'public'"
                           if server.database else "SELECT m.name AS t, c.name AS c FROM sqlite_schema AS m, pragma_table_info(m.name) AS c"
                           " WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.sql NOT LIKE 'CREATE VIRTUAL%'")
    queries = [f"SELECT '{t}.{c}' AS place WHERE EXISTS (SELECT 1 FROM {t} WHERE {c} = {pk})" for t, c in of_users(server)]
    for column in columns:
        held = " OR ".join(f"strpos(CAST(\"{column['c']}\" AS TEXT), '{word}') > 0" if server.database else
                           f"instr(CAST({column['c']} AS BLOB), CAST('{word}' AS BLOB))" for word in words)
        queries.append(f"SELECT '{column['t']}.{column['c']}' WHERE EXISTS (SELECT 1 FROM \"{column['t']}\" WHERE {held})")
    return {row["place"] for row in rows(server, " UNION ALL ".join(queries))}


def found_by_search(server, word):
    matches = f"folded LIKE '%{word}%'" if server.database else f"user_text MATCH '\"{word}\"'"
    return int(rows(server, f"SELECT count(*) AS n FROM user_text WHERE {matches}")[0]["n"])


@pytest.mark.parametrize("how", ["by an admin", "as asked for"])
def test_nothing_else_remains_of_a_deleted_user(later, how):
    server, boss, mark = later.server, later.staff("superadmin"), "m" + secrets.token_hex(6)
    bystander = later.registered()
    with with_everything(later, boss, mark) as ada:
        assert ada.post("/settings", {"key": mark + "2", "value": 1}).status == 200
        user = rows(server, f"SELECT pk FROM users WHERE id = '{ada.id}'")[0]["pk"]
        before = traces(server, user, ada.id, mark)
        places = {f"{t}.{c}" for t, c in of_users(server) | ADDRESSED}
        assert before > places | {"users.bio", "session.user_agent", "file.name", "assignment.note"}, "the data exists at first"
        assert found_by_search(server, mark) == 1
        if how == "by an admin":
            assert boss.delete(f"/users/{ada.id}").status == 200
        else:
            assert ada.post(DELETION).status == 201
            server.clock.advance(28 * 86400 + 60)
            server.ctl("cleanup")
        left = traces(server, user, ada.id, mark) - {"setting.key", "setting_version.key"}
        assert left - STAYS == set()
        assert left >= {"audit.subject_id", "contact.email"} and found_by_search(server, mark) == 0
        templates = [row["template"] for row in rows(server, f"SELECT template FROM outbox WHERE recipient = '{ada.email}'")]
        assert templates == (["contact-reply"] if how == "by an admin" else [])
    if templates:
        until(lambda: [m for m in server.mailbox.to(ada.email) if m["Subject"].startswith("Re: ")], "the reply")
    assert rows(server, f"SELECT name FROM users WHERE id = '{bystander.id}'") == [{"name": "Ada"}]
    assert rows(server, "SELECT count(*) AS n FROM file WHERE name = 'poster.png' AND owner IS NULL")[0]["n"] != "0"
