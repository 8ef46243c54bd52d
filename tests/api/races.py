"""Concurrency: what may happen only once happens once, and what has ended has ended for all workers."""

import os
import re
import secrets
import signal
import threading
import time

import pytest

from helpers.client import REGISTRATION, rows
from helpers.parallel import all_at_once, overtaken, statuses
from helpers.server import fresh, until

MANY = 50


def test_one_right_code_verified_many_times(okul):
    for _ in range(3):
        address = fresh()
        code = okul.code(address)
        answers = all_at_once(MANY, lambda n: okul.verify(address, code))
        assert statuses(answers) == [200] + [400] * (MANY - 1)


def test_parallel_wrong_codes_are_counted(okul):
    """Of 50 parallel wrong tries five are checked; the rest, and the right code after them, get 429."""
    address = fresh()
    code = okul.code(address)
    tries = [f"{(int(code) + 1 + n) % 1000000:06d}" for n in range(MANY)]
    answers = all_at_once(MANY, lambda n: okul.verify(address, tries[n]))
    assert statuses(answers) == [400] * 5 + [429] * (MANY - 5)
    assert okul.verify(address, code).status == 429


def test_parallel_code_requests_for_one_address(okul):
    address = fresh()
    answers = all_at_once(MANY, lambda n: okul.post("/auth/otp/request", {"email": address}))
    assert statuses(answers) == [200] + [429] * (MANY - 1)
    okul.server.mailbox.wait(address)
    okul.login()        # its mail is sent after all of those
    assert len(okul.server.mailbox.to(address)) == 1


def test_one_refresh_token_used_many_times(okul):
    ada = okul.login()
    for _ in range(3):
        answers = all_at_once(MANY, lambda n: okul.post("/auth/refresh", {"refreshToken": ada.refresh}))
        assert statuses(answers) == [200] * MANY
        successors = {a.data["refreshToken"] for a in answers}
        assert len(successors) == 1 and ada.refresh not in successors
        assert okul.get("/me", token=answers[-1].data["accessToken"]).status == 200
        ada.refresh = successors.pop()
    assert ada.renew().status == 200


def test_tabs_that_refresh_at_the_same_time(okul):
    """With three successive tokens: no reuse is detected, and all responses have valid tokens."""
    ada = okul.login()
    tokens = [ada.refresh]
    for _ in range(2):
        assert ada.renew().status == 200
        tokens.append(ada.refresh)
    for _ in range(3):
        answers = all_at_once(MANY, lambda n: okul.post("/auth/refresh", {"refreshToken": tokens[-1 - n % 3]}))
        assert statuses(answers) == [200] * MANY
        tokens.append(okul.post("/auth/refresh", {"refreshToken": tokens[-2]}).data["refreshToken"])
    assert len(set(tokens)) == 6 and ada.get("/me").status == 200


def test_one_replaced_token_used_many_times(later):
    ada = later.login()
    first = ada.refresh
    assert ada.renew().status == ada.renew().status == 200
    later.server.clock.advance(11)
    answers = all_at_once(MANY, lambda n: later.post("/auth/refresh", {"refreshToken": first}))
    assert statuses(answers) == [401] * MANY
    count = later.server.sql(f"SELECT count(*) FROM audit WHERE action = 'session.reuse' AND subject_id = '{ada.id}'")
    assert count.split()[-1] == "1", "the session ends once"


def test_one_registration_completed_many_times(okul):
    ada = okul.login()
    answers = all_at_once(20, lambda n: ada.post("/auth/registration/complete", REGISTRATION | {"name": f"Ada {n}"}))
    assert statuses(answers) == [200] + [409] * 19
    winner = next(a for a in answers if a.status == 200)
    assert ada.get("/me").data["name"] == winner.data["user"]["name"]


def test_parallel_changes_to_the_same_username(okul):
    people = [okul.login() for _ in range(10)]
    wanted = fresh("u").partition("@")[0]
    answers = all_at_once(10, lambda n: people[n].patch("/me", {"username": wanted}))
    assert statuses(answers) == [200] + [409] * 9


def test_one_session_ended_many_times(okul):
    ada = okul.login()
    answers = all_at_once(20, lambda n: ada.post("/auth/logout"))
    assert 200 in statuses(answers) and set(statuses(answers)) <= {200, 401}
    assert ada.get("/me").status == 401


ENDINGS = {
    "logout": (lambda okul, ada: okul.post("/auth/logout", token=ada.token), 401),
    "end of the session": (lambda okul, ada: okul.delete(f"/auth/sessions/{ada.claims()['sid']}", token=ada.token),
                           401),
    "deactivation": (lambda okul, ada: ada.set("is_active = false"), 401),
    "deletion": (lambda okul, ada: okul.server.sql(f"DELETE FROM users WHERE id = '{ada.id}'"), 401),
    "demotion": (lambda okul, ada: okul.server.ctl("user", "role", ada.email, "user"), "user"),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_ended_has_ended_for_every_worker(okul, ending):
    """Eight clients send requests without a pause meanwhile: no request sent afterwards is served with stale data."""
    act, after = ENDINGS[ending]
    ada = okul.staff("admin") if ending == "demotion" else okul.registered()
    ended, stop = threading.Event(), threading.Event()
    stale, before, behind = [], [0] * 8, [0] * 8

    def ask(n):
        while not stop.is_set():
            over = ended.is_set()       # checked before the request is sent
            answer = ada.get("/me")
            if over:
                behind[n] += 1
                if (answer.data["role"] if answer.status == 200 else answer.status) != after:
                    stale.append(answer)
            else:
                before[n] += answer.status == 200
    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    try:
        until(lambda: all(before), "a response to each client before the change")
        act(okul, ada)
        ended.set()
        until(lambda: min(behind) >= 10 or stale, "ten responses to each client after the change")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not stale, f"{len(stale)} stale responses, the first: {stale[0]}"


# ---- changes while a request waits for the writer lock

def test_a_logout_while_a_request_waits(okul):
    ada = okul.registered()
    answer = overtaken(okul, f"DELETE FROM session WHERE id = '{ada.claims()['sid']}'",
                       lambda: ada.patch("/me", {"bio": "too late"}))
    assert answer.status == 401
    assert "too late" not in okul.server.sql(f"SELECT bio FROM users WHERE id = '{ada.id}'")


def test_a_refresh_while_another_refresh_waits(okul):
    """The token of the waiting request is replaced twice meanwhile, at times after the request arrived."""
    ada = okul.login()
    now = int(okul.server.clock.now() * 1000)
    answer = overtaken(okul, f"UPDATE session SET counter = counter + 2, rotated_at = {now}, recent = '[{now},{now}]'"
                             f" WHERE id = '{ada.claims()['sid']}'", lambda: okul.post("/auth/refresh", {"refreshToken": ada.refresh}))
    assert answer.status == 200 and ada.get("/me").status == 200


def test_a_demotion_while_a_request_waits(okul):
    admin, ada = okul.staff("admin"), okul.registered()
    admin.set("registered_at = 1")
    answer = overtaken(okul, f"UPDATE users SET role = 'user' WHERE id = '{admin.id}'",
                       lambda: admin.patch(f"/admin/users/{ada.id}/profile", {"bio": "too late"}))
    assert answer.status == 403
    assert ada.get("/me").data["bio"] is None


def test_a_logout_that_waits_does_not_end_a_newer_session(okul):
    """The pk of a deleted session is reused: without a second check, the logout would end the session with the same pk."""
    bob, ada = okul.registered(), okul.registered()
    sid = "f" * 24
    newer = (f"DELETE FROM session WHERE id = '{ada.claims()['sid']}'; INSERT INTO session (id, user_pk, seed, rotated_at,"
             f" created_at, last_used_at, expires_at) SELECT '{sid}', pk, x'00', 0, 0, 0, 1 << 50 FROM users"
             f" WHERE id = '{bob.id}'")
    answer = overtaken(okul, newer, lambda: ada.post("/auth/logout"))
    assert answer.status == 401
    assert sid in okul.server.sql(f"SELECT id FROM session WHERE id = '{sid}'")


# ---- what a request prepares before its transaction, and what that finds

def add_user(address, id_):
    return ("INSERT INTO users (id, email, language, timezone, created_at, updated_at)"
            f" VALUES ('{id_}', '{address}', 'de', 'UTC', 0, 0)")


def sent(okul):
    """Waits until the sender of mails has nothing to write: it would take the turn of whoever overtakes."""
    until(lambda: not rows(okul, "SELECT pk FROM outbox"), "an empty outbox")


def test_a_code_is_mailed_in_the_language_of_a_user_who_was_created_meanwhile(okul):
    address = fresh()
    answer = overtaken(okul, add_user(address, secrets.token_hex(12)), lambda: okul.post("/auth/otp/request", {"email": address}))
    assert answer.status == 200
    assert "Anmeldecode" in okul.server.mailbox.wait(address)["Subject"]
    assert rows(okul, f"SELECT language FROM login_code WHERE email = '{address}'") == [["de"]]


def test_a_login_of_a_user_who_was_created_meanwhile(okul):
    address, id_ = fresh(), secrets.token_hex(12)
    code = okul.code(address)
    sent(okul)
    answer = overtaken(okul, add_user(address, id_), lambda: okul.verify(address, code))
    assert answer.status == 200 and not answer.data["isNewUser"] and answer.data["user"]["id"] == id_
    assert okul.get("/me/optional", token=answer.data["accessToken"]).data["user"]["id"] == id_


def test_a_refresh_of_a_session_that_ended_meanwhile(okul):
    ada = okul.login()
    answer = overtaken(okul, f"DELETE FROM session WHERE id = '{ada.claims()['sid']}'",
                       lambda: okul.post("/auth/refresh", {"refreshToken": ada.refresh}))
    assert answer.status == 401


def test_mails_to_a_user_whose_language_changed_meanwhile(okul):
    boss, ada = okul.staff("admin"), okul.registered()
    ada.set("language = 'tr'")
    sent(okul)
    id_ = secrets.token_hex(12)
    okul.server.sql("INSERT INTO material (id, title, folded, locale, created_at, updated_at)"
                    f" VALUES ('{id_}', 'A1', 'a1', 'en', 0, 0)")
    answer = overtaken(okul, f"UPDATE users SET language = 'de' WHERE id = '{ada.id}'",
                       lambda: boss.post(f"/education-materials/{id_}/assign", {"userIds": [ada.id]}))
    assert answer.status == 200 and answer.data["assigned"] == 1
    sent(okul)
    answer = overtaken(okul, f"UPDATE users SET language = 'es' WHERE id = '{ada.id}'",
                       lambda: boss.patch(f"/admin/users/{ada.id}/email", {"email": fresh()}))
    assert answer.status == 200
    okul.server.mailbox.wait(ada.email, 3)
    languages = [re.search(r'<html lang="(..)"', mail.get_body(("html",)).get_content())[1]
                 for mail in okul.server.mailbox.to(ada.email)]
    assert sorted(languages[1:]) == ["de", "es"]


# ---- workers that die


def load(ada, act):
    """Four clients send requests without a pause while act(results) runs. Returns all statuses or exceptions, and its
    result."""
    over, results = threading.Event(), []

    def ask(n):
        while not over.is_set():
            try:
                results.append(ada.get("/me").status)
            except Exception as fault:
                results.append(fault)
    threads = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    try:
        done = act(results)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    return results, done


def signal_workers(server, number, times, results):
    """Sends signals to workers, at intervals of at least a quarter of a second and 60 results. Returns the number of
    signals."""
    sent = 0
    for _ in range(times):
        pids = list(server.workers("users"))
        if pids:
            os.kill(pids[sent % len(pids)], number)
            sent += 1
        time.sleep(0.25)
        wanted = len(results) + 60
        until(lambda: len(results) >= wanted, "60 more responses")
    return sent


@pytest.mark.kills
def test_a_killed_worker_fails_at_most_its_own_request(okul):
    ada = okul.registered()
    results, kills = load(ada, lambda results: signal_workers(okul.server, signal.SIGKILL, 6, results))
    failed = [r for r in results if r != 200]
    assert kills >= 5 and len(results) > 50 * kills
    assert len(failed) <= kills, failed
    until(lambda: len(okul.server.workers("users")) == 3, "the workers' replacements")


@pytest.mark.kills
def test_a_worker_that_is_terminated_fails_no_request(okul):
    ada = okul.registered()
    before = set(okul.server.workers("users"))
    results, ended = load(ada, lambda results: signal_workers(okul.server, signal.SIGTERM, 6, results))
    assert ended >= 5 and set(results) == {200}, [r for r in results if r != 200]
    until(lambda: len(okul.server.workers("users")) == 3, "the workers' replacements")
    assert not before & set(okul.server.workers("users"))
