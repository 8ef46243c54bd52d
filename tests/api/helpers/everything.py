"""A user with a row in every table that refers to users."""

import contextlib
import os
import secrets
import signal

from helpers.client import REGISTRATION, good
from helpers.examples import PROFILE
from helpers.people import give_role
from helpers.placement import RANGES, answers, questions
from helpers.samples import png
from helpers.server import sender
from helpers.v1 import login

# columns that identify a person by mail address
ADDRESSED = {("login_code", "email"), ("event", "subject"), ("outbox", "recipient"), ("contact", "email")}


def rows(server, statement):
    """The rows of a statement as dicts of texts; columns that are NULL are left out."""
    heading, *lines = server.sql(statement).rstrip("\n").split("\n")
    return [{c: v for c, v in zip(heading.split("\t"), line.split("\t")) if v != "NULL"} for line in lines]


def of_users(server):
    """The foreign keys to users, as (table, column)."""
    found = rows(server, """SELECT relation.relname AS t, attname AS c FROM pg_constraint JOIN pg_class AS relation
            ON relation.oid = conrelid JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)
        WHERE contype = 'f' AND confrelid = 'users'::regclass""" if server.database else """SELECT m.name AS t, f."from" AS c FROM sqlite_schema AS m, pragma_foreign_key_list(m.name) AS f
        WHERE m.type = 'table' AND f."table" = 'users'""")
    return {(row["t"], row["c"]) for row in found}


@contextlib.contextmanager
def no_mails_sent(server):
    pids = sender(server)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def with_everything(later, boss, mark):
    """A user, by now an admin, with a row in every table that refers to users; all their texts contain the word
    `mark`. A login code and the reply to a contact request stay in the outbox until the end of the block."""
    server, address = later.server, f"{mark}@example.com"
    login(later, address, signupSource=mark, signupCampaign=mark)
    server.clock.advance(61)
    ada = later.login(address, headers={"User-Agent": mark})
    good(ada.post("/auth/registration/complete", REGISTRATION | {"surname": mark, "consentFormAccepted": True}))
    server.clock.advance(5)
    good(ada.patch("/me", PROFILE | {"username": mark, "bio": mark}))
    for folder, name in (("private", mark), ("public", "poster")):
        good(give_role(boss, ada.id, "admin"))
        good(ada.upload(png(), f"{name}.png", ("folder", folder)))
    for open_ in (False, True):
        test = good(boss.post("/proficiency-tests", {"title": "Placement", "targetLanguage": "en", "questions": questions(1, 0.5, 2),
                                                     "levelRanges": RANGES, "durationMinutes": 60 if open_ else None}))
        if open_:
            attempt = good(ada.post(f"/proficiency-tests/{test['id']}/start"))
            good(ada.patch(f"/proficiency-tests/attempts/{attempt['id']}", answers(test, "+ -")))
        else:
            good(ada.post(f"/proficiency-tests/{test['id']}/submit", answers(test, "-+ ")))
    material, eve = secrets.token_hex(12), later.registered()
    server.sql(f"""INSERT INTO material (id, title, locale, created_at, updated_at, folded) VALUES ('{material}', 'A', 'en', 1, 1, 'a');
        INSERT INTO assignment (material, user_pk, assigned_at, assigned_by, opened_at, note)
            SELECT m.pk, u.pk, 1700000000123, b.pk, 1700000001456, iif(u.id = '{ada.id}', '{mark}', 'for Eve')
            FROM material AS m, users AS u, users AS b
            WHERE m.id = '{material}' AND (u.id, b.id) IN (VALUES ('{ada.id}', '{boss.id}'), ('{eve.id}', '{ada.id}'))""")
    request = good(later.post("/contact", {"fullName": f"Ada {mark}", "email": address, "phoneNumber": "+90 537", "subject": mark,
                                           "message": "When?", "source": "website"}))
    server.clock.advance(61)
    with no_mails_sent(server):
        good(boss.post(f"/contact/{request['id']}/reply", {"message": "Now."}))
        good(later.post("/auth/otp/request", {"email": address}))
        assert later.verify(address, "000000").status == 400
        yield ada
