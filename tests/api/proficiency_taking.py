"""Group proficiency, for learners: starting, saving, submitting, the status; and results, for learners and admins."""

import csv
import itertools
import json
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from urllib.parse import quote

import pytest

from helpers.client import Okul, good, ids, rows
from helpers.contract import LANGUAGES
from helpers.parallel import all_at_once, overtaken, statuses, writer_lock
from helpers.people import superadmin
from helpers.placement import RANGES, answers, questions, start
from helpers.sentences import SENTENCES
from helpers.server import Server

NOBODYS = "0" * 24
PATH = "/proficiency-tests"


def made(okul, *points, **fields):
    """A test as an admin sees it."""
    body = {"title": "Placement", "targetLanguage": "en", "questions": questions(*points or (1, 1, 1)), "levelRanges": RANGES}
    answer = superadmin(okul).post(PATH, body | fields)
    assert answer.status == 201, answer
    return answer.data


def save(who, attempt, test, signs):
    return who.patch(f"{PATH}/attempts/{attempt['id']}", answers(test, signs))


def submit(who, test, signs):
    return who.post(f"{PATH}/{test['id']}/submit", answers(test, signs))


def status(who, test):
    answer = who.get(f"{PATH}/{test['id']}/status")
    assert answer.status == 200, answer
    return answer.data


def mine(who, **more):
    answer = who.get(f"{PATH}/results/me", **more)
    assert answer.status == 200, answer
    return answer.data["items"]


def seconds(text):
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc).timestamp()


# ---- scores and results


@pytest.mark.parametrize("points, signs, score, correct, level", [
    ((1, 1, 1), "+++", 100, 3, "C2"), ((1, 1, 1), "++-", 66.67, 2, "B1"), ((1, 1, 1), "+--", 33.33, 1, "A2"),
    ((1, 1, 1), "-- ", 0, 0, "A1"), ((1, 1, 1), "+  ", 33.33, 1, "A2"),
    ((0.1, 0.1, 0.1, 0.3), "+++-", 50, 3, "A2"), ((1.005, 98.995), "+-", 1.01, 1, "A1"), ((1, 799), "+-", 0.13, 1, "A1"),
    ((99.995, 0.005), "+-", 100, 1, "C2"), ((99.994, 0.006), "+-", 99.99, 1, "B1"), ((50.5, 49.5), "+-", 50.5, 1, "A2"),
])
def test_score_and_level(okul, points, signs, score, correct, level):
    ada, test = okul.registered(), made(okul, *points)
    result = good(submit(ada, test, signs))
    assert [result[k] for k in ("totalScore", "correctCount", "questionCount", "level")] == [score, correct, len(points), level]
    assert result == good(ada.get(f"{PATH}/results/{result['id']}"))
    assert status(ada, test)["result"] == {"resultId": result["id"], "totalScore": score, "level": level,
                                           "completedAt": result["completedAt"]}


def test_a_result_has_the_answers(okul):
    ada, test = okul.registered(), made(okul, 2.5, 1, 0.1)
    body = answers(test, "+ -")
    body["answers"].reverse()
    result = good(ada.post(f"{PATH}/{test['id']}/submit", body))
    first, _, last = test["questions"]
    assert result["answers"] == [
        {"questionId": first["id"], "questionText": first["text"], "optionId": first["options"][1]["id"],
         "optionText": first["options"][1]["text"], "isCorrect": True, "points": 2.5},
        {"questionId": last["id"], "questionText": last["text"], "optionId": last["options"][0]["id"],
         "optionText": last["options"][0]["text"], "isCorrect": False, "points": 0}]
    assert result["user"] == {"id": ada.id, "email": ada.email, "name": "Ada", "surname": "Lovelace"}
    assert result["test"] == {"id": test["id"], "title": "Placement", "targetLanguage": "en"} and result["attempt"] == 1
    listed = {k: v for k, v in result.items() if k != "answers"}
    assert mine(ada) == [listed]
    assert superadmin(okul).get(f"{PATH}/admin/results/{result['id']}").data == result
    assert superadmin(okul).get(f"{PATH}/results/{result['id']}").data == result
    assert superadmin(okul).get(f"{PATH}/admin/users/{ada.id}/results").data["items"] == [listed]


@pytest.mark.parametrize("saving", [False, True])
def test_answers_that_do_not_belong_to_the_test(okul, saving):
    ada, test, other = okul.registered(), made(okul), made(okul)
    attempt = good(start(ada, test))
    path = f"{PATH}/attempts/{attempt['id']}" if saving else f"{PATH}/{test['id']}/submit"
    one, two, three = answers(test, "+-+")["answers"]
    cases = [
        ([answers(other, "+")["answers"][0]], ["answers[0].questionId: is not a question of this test"]),
        ([one | {"optionId": two["optionId"]}], ["answers[0].optionId: is not an option of this question"]),
        ([one, two, one], ["answers[2].questionId: has been answered already"]),
        ([one, two | {"optionId": NOBODYS}, one | {"questionId": NOBODYS}, one],
         ["answers[1].optionId: is not an option of this question", "answers[2].questionId: is not a question of this test",
          "answers[3].questionId: has been answered already"]),
    ]
    for body, errors in cases:
        answer = ada.request("PATCH" if saving else "POST", path, {"answers": body})
        assert answer.status == 400 and answer.errors == errors, answer
    assert status(ada, test)["attempts"] == 0 and good(start(ada, test))["answers"] == []


# ---- number of attempts


def test_attempts_are_counted(okul):
    ada, test = okul.registered(), made(okul, maxAttempts=2)
    assert status(ada, test) == {"hasCompleted": False, "attempts": 0, "attemptsLeft": 2, "result": None}
    first = good(submit(ada, test, "+--"))
    assert status(ada, test)["attemptsLeft"] == 1
    second = good(submit(ada, test, "++-"))
    assert [first["attempt"], second["attempt"]] == [1, 2] and first["id"] < second["id"]
    for answer in (submit(ada, test, "+++"), start(ada, test)):
        assert answer.status == 409 and answer.errors == ["You have used all your attempts at this test"]
    found = status(ada, test)
    assert found["hasCompleted"] and found["attempts"] == 2 and found["attemptsLeft"] == 0
    assert found["result"]["resultId"] == second["id"], "the last one"
    assert good(submit(okul.registered(), test, "+++"))["attempt"] == 1
    # deleting a result allows another attempt, with the next number
    assert superadmin(okul).delete(f"{PATH}/admin/results/{first['id']}").data == {"message": "The test result has been deleted",
                                                                                  "id": first["id"]}
    assert status(ada, test)["attemptsLeft"] == 1 and ada.get(f"{PATH}/results/{first['id']}").status == 404
    assert good(submit(ada, test, "+++"))["attempt"] == 3
    assert submit(ada, test, "+++").status == 409


def test_no_limit_of_attempts(okul):
    ada, test = okul.registered(), made(okul, maxAttempts=0)
    assert [good(submit(ada, test, "+--"))["attempt"] for _ in range(4)] == [1, 2, 3, 4]
    assert status(ada, test)["attempts"] == 4 and status(ada, test)["attemptsLeft"] is None
    assert len({item["id"] for item in mine(ada)}) == 4


def test_attempts_left_is_not_negative_after_lowering_the_limit(okul):
    ada, test = okul.registered(), made(okul, maxAttempts=3)
    for _ in range(2):
        good(submit(ada, test, "+++"))
    attempt = good(start(ada, test))
    assert superadmin(okul).patch(f"{PATH}/{test['id']}", {"maxAttempts": 1}).status == 200
    assert status(ada, test)["attemptsLeft"] == 0
    # an open attempt may be submitted
    assert good(submit(ada, test, "+++"))["id"] == attempt["id"] and start(ada, test).status == 409


def test_fifty_submits_make_one_result(okul):
    ada, test = okul.registered(), made(okul)
    assert statuses(all_at_once(50, lambda n: submit(ada, test, "++-"))) == [201] + 49 * [409]
    assert len(mine(ada)) == 1 and status(ada, test)["attempts"] == 1


def test_fifty_submits_of_one_timed_attempt_make_one_result(okul):
    ada, test = okul.registered(), made(okul, maxAttempts=0, durationMinutes=10)
    attempt = good(start(ada, test))
    assert statuses(all_at_once(50, lambda n: submit(ada, test, "++-"))) == [201] + 49 * [409]
    assert ids({"items": mine(ada)}) == [attempt["id"]]


def test_fifty_starts_open_one_attempt(okul):
    ada, test = okul.registered(), made(okul, shuffle=True, durationMinutes=10)
    found = [good(a) for a in all_at_once(50, lambda n: start(ada, test))]
    assert all(f == found[0] for f in found)
    assert rows(okul, f"SELECT count(*) FROM attempt JOIN users ON users.pk = attempt.user_pk WHERE users.id = '{ada.id}'") == [["1"]]


def test_parallel_saves_lose_no_answer(okul):
    ada, test = okul.registered(), made(okul, *[1] * 30)
    attempt = good(start(ada, test))
    found = all_at_once(30, lambda n: save(ada, attempt, test, " " * n + "+"))
    assert statuses(found) == [200] * 30
    assert len(good(start(ada, test))["answers"]) == 30


# ---- open attempts


def test_an_attempt_can_be_continued(okul):
    ada, test = okul.registered(), made(okul, durationMinutes=10, maxAttempts=2)
    attempt = good(start(ada, test))
    assert attempt["testId"] == test["id"] and attempt["answers"] == []
    assert seconds(attempt["deadline"]) - seconds(attempt["startedAt"]) == 600
    asked = [{k: v for k, v in q.items() if k != "options"} | {"options": [{"id": o["id"], "text": o["text"]} for o in q["options"]]}
             for q in test["questions"]]
    assert attempt["questions"] == asked
    saved = good(save(ada, attempt, test, "- +"))
    assert saved == {k: v for k, v in attempt.items() if k != "questions"} | answers(test, "- +")
    assert good(save(ada, attempt, test, "+")) == saved | answers(test, "+ +"), "the new answer replaces the old one"
    again = start(ada, test)
    assert again.status == 201 and again.data == attempt | answers(test, "+ +")
    assert status(ada, test) == {"hasCompleted": False, "attempts": 0, "attemptsLeft": 2, "result": None}
    # submitted answers replace saved ones
    result = good(submit(ada, test, " -"))
    assert result["id"] == attempt["id"] and len(result["answers"]) == 1 and result["totalScore"] == 0
    answer = save(ada, attempt, test, "+++")
    assert answer.status == 409 and answer.errors == ["This attempt is over: it was submitted, or its time has run out"]
    assert good(start(ada, test))["id"] != attempt["id"]


def test_a_test_without_time_limit_may_be_started(okul):
    ada, test = okul.registered(), made(okul)
    attempt = good(start(ada, test))
    assert attempt["deadline"] is None
    good(save(ada, attempt, test, "+++"))
    assert good(submit(ada, test, "+--"))["id"] == attempt["id"] and start(ada, test).status == 409


def test_a_timed_test_must_be_started(okul):
    ada, test = okul.registered(), made(okul, durationMinutes=10)
    answer = submit(ada, test, "+++")
    assert answer.status == 409 and answer.errors == ["This test has a time limit; start it first"]
    assert mine(ada) == []
    good(start(ada, test))
    assert submit(ada, test, "+++").status == 201


def test_attempts_of_others(okul):
    ada, eve, test = okul.registered(), okul.registered(), made(okul)
    attempt = good(start(ada, test))
    for who in (eve, superadmin(okul)):
        assert save(who, attempt, test, "+++").status == 404
    result = good(submit(ada, test, "+++"))
    assert save(eve, attempt, test, "+++").status == 404
    assert eve.get(f"{PATH}/results/{result['id']}").status == 404 and mine(eve) == []
    assert ada.patch(f"{PATH}/attempts/{NOBODYS}", answers(test, "+")).status == 404
    assert ada.patch(f"{PATH}/attempts/x", answers(test, "+")).status == 400


def test_an_attempt_that_ended_while_its_result_was_deleted(okul):
    ada, test = okul.registered(), made(okul)
    attempt = good(start(ada, test))
    good(submit(ada, test, "+++"))
    superadmin(okul).delete(f"{PATH}/admin/results/{attempt['id']}")
    assert save(ada, attempt, test, "+++").status == 404


@pytest.mark.parametrize("shuffle", [False, True])
def test_orders(okul, shuffle):
    test = made(okul, *[1] * 12, shuffle=shuffle, maxAttempts=0)
    ada, orders = okul.registered(), []
    for _ in range(6):
        attempt = good(start(ada, test))
        assert good(start(ada, test)) == attempt, "starting again returns the same attempt"
        assert [q["order"] for q in attempt["questions"]] == list(range(12))
        assert {q["id"]: {o["id"] for o in q["options"]} for q in attempt["questions"]} == {
            q["id"]: {o["id"] for o in q["options"]} for q in test["questions"]}
        orders.append([(q["id"], *(o["id"] for o in q["options"])) for q in attempt["questions"]])
        good(save(ada, attempt, test, "+-" * 6))
        assert [a["questionId"] for a in good(start(ada, test))["answers"]] == [q["id"] for q in attempt["questions"]]
        assert good(submit(ada, test, "+" * 12))["totalScore"] == 100
    as_made = [(q["id"], *(o["id"] for o in q["options"])) for q in test["questions"]]
    if shuffle:
        assert len(set(map(str, orders))) == 6 and as_made not in orders
        assert len({tuple(sorted(o)) for o in orders}) > 1, "options too"
    else:
        assert orders == [as_made] * 6


def place_of_right(test, questions_):
    """The position of the right option of each question."""
    right = {o["id"] for q in test["questions"] for o in q["options"] if o["isCorrect"]}
    return [next(i for i, o in enumerate(q["options"]) if o["id"] in right) for q in questions_]


@pytest.mark.parametrize("shuffle", [False, True])
def test_no_order_reveals_the_right_option(okul, shuffle):
    """Even if the author always puts it at one position. The order of ids does not reveal that position either."""
    test, ada = made(okul, *[1] * 60, shuffle=shuffle), okul.registered()
    assert place_of_right(test, test["questions"]) == [1] * 60
    by_id = [q | {"options": sorted(q["options"], key=lambda o: o["id"])} for q in test["questions"]]
    copied = good(superadmin(okul).post(f"{PATH}/{test['id']}/duplicate"))
    assert set(place_of_right(test, by_id)) == {0, 1, 2, 3}
    assert {0, 1, 2, 3} == set(place_of_right(copied, [q | {"options": sorted(q["options"], key=lambda o: o["id"])}
                                                       for q in copied["questions"]]))
    for who in (okul, ada):
        seen = good(who.get(f"{PATH}/{test['id']}"))
        assert seen == good(who.get(f"{PATH}/{test['id']}")), "the same order each time"
        assert {k: v for k, v in seen.items() if k != "questions"} == {k: v for k, v in test.items() if k != "questions"}
        asked = by_id if shuffle else test["questions"]
        assert seen["questions"] == [q | {"options": [{"id": o["id"], "text": o["text"]} for o in q["options"]]} for q in asked]
    assert good(superadmin(okul).get(f"{PATH}/{test['id']}")) == test, "admins see the author's order"


def test_an_attempt_keeps_the_test_as_it_was(okul):
    ada, eve, bob = (okul.registered() for _ in range(3))
    test = made(okul, shuffle=True, maxAttempts=2)
    attempt, before = good(start(ada, test)), good(submit(eve, test, "++-"))
    boss = superadmin(okul)
    changed = good(boss.patch(f"{PATH}/{test['id']}", {
        "title": "Another", "targetLanguage": "tr", "shuffle": False, "durationMinutes": 5, "questions": questions(1, 5),
        "levelRanges": [{"level": "B2", "minScore": 0, "maxScore": 100}]}))
    assert good(start(ada, test)) == attempt
    good(save(ada, attempt, test, "+"))
    assert submit(ada, changed, "++").status == 400
    result = good(submit(ada, test, "++-"))
    assert result["test"] == {"id": test["id"], "title": "Placement", "targetLanguage": "en"} and result["level"] == "B1"
    assert result["answers"] == before["answers"]
    assert submit(bob, test, "+++").status == 400, "the old questions were replaced"
    assert good(start(bob, test))["questions"][0]["id"] == changed["questions"][0]["id"]
    assert good(submit(bob, changed, "+-"))["level"] == "B2"
    assert boss.delete(f"{PATH}/{test['id']}").status == 200
    for who, one in ((ada, result), (eve, before)):
        assert good(who.get(f"{PATH}/results/{one['id']}")) == one
        assert mine(who) == [{k: v for k, v in one.items() if k != "answers"}]
    for answer in (start(eve, test), submit(eve, test, "+"), eve.get(f"{PATH}/{test['id']}/status")):
        assert answer.status == 404
    # its results can still be found by its id
    listed = good(boss.get(f"{PATH}/admin/results?testId={test['id']}"))
    assert len(listed["items"]) == 3 and listed["pagination"]["total"] == 3


def test_a_test_that_changes_while_submits_wait(okul):
    """Each is graded with the version that it answers, or rejected. All versions have different questions."""
    test = made(okul, 1, 1, 1, 1, maxAttempts=0)
    boss, learners, latest = superadmin(okul), [okul.registered() for _ in range(6)], [test]

    def act(n):
        if n == 0:
            for i in range(12):
                latest.append(good(boss.patch(f"{PATH}/{test['id']}", {"title": f"V{i}", "questions": questions(*[1] * (2 + i % 3))})))
            return []
        found = []
        for _ in range(25):
            version = latest[-1]
            found.append((version, submit(learners[n - 1], version, "+" * len(version["questions"]))))
        return found
    for version, answer in itertools.chain(*all_at_once(7, act)):
        assert answer.status in (201, 400), answer
        if answer.status == 201:
            assert answer.data["totalScore"] == 100 and answer.data["questionCount"] == len(version["questions"])
            assert [a["questionId"] for a in answer.data["answers"]] == [q["id"] for q in version["questions"]]
            assert answer.data["test"]["title"] == version["title"]
            assert good(boss.get(f"{PATH}/results/{answer.data['id']}")) == answer.data


@pytest.mark.parametrize("act", [start, lambda who, test: submit(who, test, "+++")], ids=["start", "submit"])
def test_a_test_that_is_deleted_while_its_learner_waits(okul, act):
    ada, test = okul.registered(), made(okul)
    assert overtaken(okul, f"DELETE FROM test WHERE id = '{test['id']}'", lambda: act(ada, test)).status == 404
    assert mine(ada) == []


def test_drafts_are_for_admins(okul):
    ada, boss, test = okul.registered(), superadmin(okul), made(okul, isPublished=False)
    for answer in (start(ada, test), submit(ada, test, "+++"), ada.get(f"{PATH}/{test['id']}/status")):
        assert answer.status == 404
    attempt = good(start(boss, test))
    good(save(boss, attempt, test, "+"))
    assert all("isCorrect" not in o for q in attempt["questions"] for o in q["options"]), "not even for an admin"
    assert good(submit(boss, test, "+++"))["totalScore"] == 100 and status(boss, test)["attempts"] == 1


def test_an_open_attempt_at_a_withdrawn_test_can_be_finished(okul):
    ada, eve, boss, test = okul.registered(), okul.registered(), superadmin(okul), made(okul, maxAttempts=0)
    attempt = good(start(ada, test))
    good(boss.patch(f"{PATH}/{test['id']}", {"isPublished": False}))
    for answer in (start(eve, test), submit(eve, test, "+++"), save(eve, attempt, test, "+"), eve.get(f"{PATH}/{test['id']}/status"),
                   ada.get(f"{PATH}/{test['id']}"), ada.get(f"{PATH}/{test['id']}/status")):
        assert answer.status == 404, "a draft for others, and for requests without an attempt"
    assert good(start(ada, test)) == attempt, "loaded again"
    assert good(save(ada, attempt, test, "+"))["answers"]
    assert good(submit(ada, test, "+++"))["totalScore"] == 100
    for answer in (start(ada, test), submit(ada, test, "+++")):
        assert answer.status == 404, "no other attempt"


def test_an_attempt_at_a_withdrawn_test_whose_time_runs_out(exam):
    ada, boss, test = exam.registered(), superadmin(exam), made(exam, durationMinutes=1, maxAttempts=0)
    attempt = good(start(ada, test))
    good(save(ada, attempt, test, "+"))
    good(boss.patch(f"{PATH}/{test['id']}", {"isPublished": False}))
    exam.server.clock.advance(120)
    assert save(ada, attempt, test, "-").status == 409
    assert submit(ada, test, "+++").status == start(ada, test).status == 404
    assert [r["id"] for r in mine(ada)] == [attempt["id"]], "graded with the saved answers"


# ---- time


@pytest.fixture(scope="module")
def exam():
    """A server with few results, whose clock this file sets forward."""
    server = Server("exam", OKUL_WORKERS="2", OKUL_ACCESS_LIFE="86400")
    yield Okul(server)
    server.stop()


def test_five_seconds_of_grace(exam):
    ada, eve, test = exam.registered(), exam.registered(), made(exam, durationMinutes=1)
    attempts = [good(start(who, test)) for who in (ada, eve)]
    exam.server.clock.advance(61)
    good(save(ada, attempts[0], test, "++"))
    result = good(submit(ada, test, "+++"))
    assert result["totalScore"] == 100 and seconds(result["completedAt"]) > seconds(attempts[0]["deadline"])
    exam.server.clock.advance(4.5)
    for answer in (save(eve, attempts[1], test, "+++"), submit(eve, test, "+++")):
        assert answer.status == 409
    assert [r["totalScore"] for r in mine(eve)] == [0]


LOOKS = {
    "status": lambda o, who, test: who.get(f"{PATH}/{test['id']}/status"),
    "start": start,
    "submit": lambda o, who, test: submit(who, test, "+++"),
    "mine": lambda o, who, test: who.get(f"{PATH}/results/me"),
    "of the user": lambda o, who, test: superadmin(o).get(f"{PATH}/admin/users/{who.id}/results"),
    "all": lambda o, who, test: superadmin(o).get(f"{PATH}/admin/results"),
    "all as CSV": lambda o, who, test: superadmin(o).get(f"{PATH}/admin/results?format=csv"),
    "result": lambda o, who, test: who.get(f"{PATH}/results/{attempts_of(o, test)[0]}"),
    "result, by an admin": lambda o, who, test: superadmin(o).get(f"{PATH}/admin/results/{attempts_of(o, test)[0]}"),
    "statistics": lambda o, who, test: superadmin(o).get(f"{PATH}/{test['id']}/statistics"),
    "cleanup": lambda o, who, test: o.server.ctl("cleanup"),
}
LOOKS["start"] = lambda o, who, test: start(who, test)


def attempts_of(okul, test):
    """The ids of the open attempts at a test."""
    found = rows(okul, f"SELECT attempt.id FROM attempt JOIN test ON test.pk = attempt.test WHERE test.id = '{test['id']}'")
    return [id_ for id_, in found]


@pytest.mark.parametrize("saved", ["", "++-"])
@pytest.mark.parametrize("look", LOOKS)
def test_an_attempt_whose_time_runs_out_is_graded(exam, look, saved):
    ada, test = exam.registered(), made(exam, durationMinutes=1)
    attempt = good(start(ada, test))
    if saved:
        good(save(ada, attempt, test, saved))
    exam.server.clock.advance(66)
    answer = LOOKS[look](exam, ada, test)
    assert look == "cleanup" or answer.status == {"start": 409, "submit": 409}.get(look, 200), answer
    assert look != "statistics" or answer.data["attempts"] == 1
    columns = "result.id, total_score, correct_count, attempt, level, completed_at"
    [[*found, completed]] = rows(exam, f"SELECT {columns} FROM result JOIN users ON users.pk = result.user_pk WHERE users.id = '{ada.id}'")
    assert found == ([attempt["id"], "66.67", "2", "1", "B1"] if saved else [attempt["id"], "0.0", "0", "1", "A1"])
    assert int(completed) == round(seconds(attempt["deadline"]) * 1000)
    assert rows(exam, "SELECT count(*) FROM attempt") == [["0"]]
    assert status(ada, test)["attemptsLeft"] == 0 and start(ada, test).status == 409
    answer = save(ada, attempt, test, "+++")
    assert answer.status == 409 and "This attempt is over" in answer.errors[0]
    assert [a["isCorrect"] for a in good(ada.get(f"{PATH}/results/{attempt['id']}"))["answers"]] == [s == "+" for s in saved]


def test_parallel_reads_close_an_attempt_once(exam):
    ada, test = exam.registered(), made(exam, durationMinutes=1, maxAttempts=0)
    good(start(ada, test))
    exam.server.clock.advance(66)
    found = all_at_once(20, lambda n: ada.get(f"{PATH}/results/me") if n % 2 else ada.get(f"{PATH}/{test['id']}/status"))
    assert statuses(found) == [200] * 20
    assert all(a.data["pagination"]["total"] == 1 if "pagination" in a.data else a.data["attempts"] == 1 for a in found)


def test_what_is_saved_while_a_look_waits_counts(exam):
    """An attempt that changed since it was graded is graded at the next look."""
    ada, test = exam.registered(), made(exam, durationMinutes=1)
    attempt = good(start(ada, test))
    good(save(ada, attempt, test, "++-"))
    where = f"WHERE id = '{attempt['id']}'"
    [[chosen]] = rows(exam, f"SELECT hex(chosen) FROM attempt {where}")
    exam.server.sql(f"UPDATE attempt SET chosen = NULL {where}")
    exam.server.clock.advance(66)
    assert good(overtaken(exam, f"UPDATE attempt SET chosen = x'{chosen}' {where}", lambda: ada.get(f"{PATH}/{test['id']}/status")))["attempts"] == 0
    assert status(ada, test)["attempts"] == 1
    assert [r["totalScore"] for r in mine(ada)] == [66.67]


def test_a_list_shows_all_that_ran_out(exam):
    """Even if 450 attempts expire together."""
    test = made(exam, durationMinutes=1)
    exam.server.sql(f"""WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 450)
        INSERT INTO users (id, email, timezone, created_at, updated_at) SELECT printf('%024x', i), i || '@year.example', 'UTC', 1, 1 FROM n;
        INSERT INTO attempt (id, user_pk, test, version, started_at, deadline) SELECT printf('%024x', users.pk), users.pk, test.pk, version, 1, 2
        FROM users, test WHERE test.id = '{test['id']}' AND email LIKE '%@year.example'""")
    assert good(superadmin(exam).get(f"{PATH}/admin/results?testId={test['id']}"))["pagination"]["total"] == 450


def test_a_list_is_served_while_the_database_is_locked(exam):
    """Expired attempts are then graded by the next request."""
    ada, test, other = exam.registered(), made(exam), made(exam, durationMinutes=1)
    result = good(submit(ada, test, "+++"))
    good(start(ada, other))
    exam.server.clock.advance(66)
    with writer_lock(exam.server):
        assert ids({"items": mine(ada)}) == [result["id"]]
    assert len(mine(ada)) == 2


def test_deleting_a_test_keeps_attempts_that_expired_before(exam):
    ada, eve, test = exam.registered(), exam.registered(), made(exam, durationMinutes=1)
    attempt = good(start(ada, test))
    good(save(ada, attempt, test, "++-"))
    exam.server.clock.advance(66)
    good(start(eve, test))
    good(superadmin(exam).delete(f"{PATH}/{test['id']}"))
    assert [(r["id"], r["totalScore"]) for r in mine(ada)] == [(attempt["id"], 66.67)] and mine(eve) == []
    assert "attempts whose time ran out: 0 graded" in exam.server.ctl("cleanup").stdout


def test_a_save_too_late_closes_the_attempt(exam):
    ada, test = exam.registered(), made(exam, durationMinutes=1)
    attempt = good(start(ada, test))
    exam.server.clock.advance(66)
    assert save(ada, attempt, test, "+++").status == 409
    assert rows(exam, f"SELECT total_score FROM result WHERE id = '{attempt['id']}'") == [["0.0"]]


def test_an_attempt_keeps_its_deadline(exam):
    """Adding, removing or changing the time limit affects only attempts that start later."""
    ada, eve, boss = exam.registered(), exam.registered(), superadmin(exam)
    test = made(exam, durationMinutes=1, maxAttempts=0)
    free = made(exam, maxAttempts=0)
    good(start(ada, test)), good(start(eve, free))
    good(boss.patch(f"{PATH}/{test['id']}", {"durationMinutes": None}))
    good(boss.patch(f"{PATH}/{free['id']}", {"durationMinutes": 1}))
    exam.server.clock.advance(66)
    assert submit(ada, test, "+++").status == 409 and submit(ada, test, "+++").status == 201
    assert submit(eve, free, "+++").status == 201 and submit(eve, free, "+++").status == 409


def test_cleanup_grades_expired_attempts(exam):
    test = made(exam, durationMinutes=1)
    learners = [exam.registered() for _ in range(3)]
    for who in learners:
        good(start(who, test))
    exam.server.clock.advance(66)
    assert "attempts whose time ran out: 3 would be graded\n" in exam.server.ctl("cleanup", "--dry-run").stdout
    assert "attempts whose time ran out: 3 graded\n" in exam.server.ctl("cleanup").stdout
    assert "attempts whose time ran out: 0 graded\n" in exam.server.ctl("cleanup").stdout
    assert [len(mine(who)) for who in learners] == [1, 1, 1]


def test_cleanup_deletes_unreferenced_versions(exam):
    ada, boss, test = exam.registered(), superadmin(exam), made(exam)
    result = good(submit(ada, test, "+++"))
    good(boss.patch(f"{PATH}/{test['id']}", {"title": "Another"}))
    exam.server.ctl("cleanup")
    of_test = f"SELECT title FROM test_version WHERE test_id = '{test['id']}' ORDER BY pk"
    assert rows(exam, of_test) == [["Placement"], ["Another"]]
    good(boss.delete(f"{PATH}/admin/results/{result['id']}"))
    assert "wordings of tests that nothing needs: 1 would be deleted\n" in exam.server.ctl("cleanup", "--dry-run").stdout
    assert "wordings of tests that nothing needs: 1 deleted\n" in exam.server.ctl("cleanup").stdout
    assert rows(exam, of_test) == [["Another"]]


def test_cleanup_lets_others_write_between_accounts_with_many_results(exam):
    """One transaction for all of them would take seconds, and one longer than two seconds is aborted, in each run."""
    boss, test, count = superadmin(exam), made(exam, maxAttempts=0), 60
    exam.server.sql(f"""WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
        INSERT INTO users (id, email, timezone, created_at, updated_at, deletion_status, deletion_requested_at, deletion_scheduled_for)
        SELECT printf('%024x', 9000 + i), i || '@leaving.example', 'UTC', 1, 1, 'pending', 1, 1 FROM n;
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
        INSERT INTO result (id, user_pk, test, version, attempt, total_score, correct_count, question_count, level, target_language,
        completed_at, chosen) SELECT lower(hex(randomblob(12))), users.pk, test.pk, version, i, 1, 1, 3, 'A1', target_language,
        users.pk + i * 1000, x'010203' FROM n, test, users WHERE test.id = '{test['id']}' AND email LIKE '%@leaving.example'""")
    total = good(boss.get("/users?limit=1"))["pagination"]["total"]
    with ThreadPoolExecutor(1) as pool:
        cleanup, seen = pool.submit(exam.server.ctl, "cleanup"), set()
        while not cleanup.done():
            seen.add(total - good(boss.get("/users?limit=1"))["pagination"]["total"])
    assert f"accounts whose deletion was due: {count} deleted" in cleanup.result().stdout
    assert seen - {0, count}, "deletions became visible one batch at a time"
    assert rows(exam, TALLIES[0]) == rows(exam, TALLIES[1])


# ---- the answer key


def leaks(answer):
    return "isCorrect" in answer.body.decode()


def test_the_answer_key_reaches_no_learner(okul):
    """In any response to a learner, at every stage; the texts of options do not contain the name of the field."""
    ada, eve = okul.registered(), okul.registered()
    plain = [q | {"options": [o | {"text": f"o{i}"} for i, o in enumerate(q["options"])]} for q in questions(1, 2, 3)]
    tests = [made(okul, questions=plain, **f) for f in
             ({}, {"durationMinutes": 5}, {"shuffle": True, "maxAttempts": 0}, {"isPublished": False})]
    opened = {}

    def ask(who):
        for test in tests:
            at = f"{PATH}/{test['id']}"
            yield from (who.get(at), who.get(PATH), who.get(f"{PATH}?search=Placement"), who.get(f"{PATH}/target-languages"),
                        who.get(f"{at}/status"), who.get(f"{PATH}/results/me"), who.get(f"{PATH}/admin/results"),
                        who.get(f"{PATH}/admin/results?format=csv"), who.get(f"{PATH}/admin/users/{ada.id}/results"),
                        who.get(f"{at}/statistics"), who.post(f"{at}/duplicate"), who.patch(at, {"title": "x"}), who.delete(at),
                        who.post(f"{at}/submit", {}), who.post(f"{at}/submit", {"answers": [{"questionId": NOBODYS, "optionId": NOBODYS}]}),
                        who.get(f"{PATH}/results/{NOBODYS}"), who.get(f"{PATH}/results/{test['id']}"), who.get("/me/export"),
                        who.patch(f"{PATH}/attempts/{NOBODYS}", answers(test, "+")))
            attempt = opened.get((who.email, test["id"]))
            if attempt:
                yield from (start(who, test), save(who, attempt, test, "-+"), save(who, attempt, test, "x" * 3),
                            who.get(f"{PATH}/results/{attempt['id']}"))
    for who in (okul, ada, eve):
        if who is okul:
            assert not any(map(leaks, (okul.get(f"{PATH}/{t['id']}") for t in tests))) and not leaks(okul.get(PATH))
            continue
        assert not any(map(leaks, ask(who)))
    for test in tests[:3]:
        answer = start(ada, test)
        assert answer.status == 201 and not leaks(answer)
        opened[ada.email, test["id"]] = answer.data
    assert not any(map(leaks, ask(ada)))
    results = [good(submit(ada, test, "-+-")) for test in tests[:3]]
    for answer in ask(eve):
        assert not leaks(answer)
    for answer in itertools.chain(ask(ada), (eve.get(f"{PATH}/results/{r['id']}") for r in results)):
        # a learner's result shows whether each given answer was right, but nothing about other options
        if leaks(answer) and answer.path == "/me/export":
            assert [r["answers"] for r in answer.data["results"]] == [r["answers"] for r in results]
        elif leaks(answer):
            assert set(answer.data) == set(results[0]) and answer.data["user"]["id"] == ada.id
    for test, result in zip(tests, results):
        chosen = {a["optionId"] for a in result["answers"]}
        others = {o["id"] for q in test["questions"] for o in q["options"]} - chosen
        assert len(chosen) == 3 and not any(o in json.dumps(result) for o in others)


# ---- results of all users


def fill(okul):
    """Inserts 600 results of all kinds, and returns their data, oldest first."""
    chance = random.Random(7)
    tests = [made(okul, title=title, targetLanguage=language) for title, language in
             (("Alpha", "en"), ("Beta", "de"), ("Gamma Şiir", "de"), ("Delta", "tr"))]
    people = [okul.registered() for _ in range(8)]
    good(people[3].patch("/me", {"name": "Şule", "surname": "Yıldız", "username": "sule.y"}))
    good(people[4].patch("/me", {"name": "=1+1"}))
    first = datetime(2026, 1, 1, tzinfo=timezone.utc).timestamp()
    known, statements = [], []
    for i in range(600):
        # levels and languages have very different frequencies, and some times and scores are equal
        test = tests[0] if i > 560 else chance.choices(tests, (60, 30, 9, 1))[0]
        level = "A1" if i > 560 else chance.choices(("A1", "A2", "B1", "C2"), (50, 40, 9, 1))[0]
        who, at = chance.choice(people), first + i // 3 * 7200
        known.append({"id": f"{i:024x}", "userId": who.id, "email": who.email, "test": test, "level": level, "at": at, "pk": i + 1,
                      "score": chance.randrange(0, 10000, 500) / 100})
        statements.append(
            f"INSERT INTO result (pk, id, user_pk, test, version, attempt, total_score, correct_count, question_count, level, target_language,"
            f" completed_at, chosen) SELECT {i + 1}, '{i:024x}', (SELECT pk FROM users WHERE id = '{who.id}'), pk, version, {i + 1},"
            f" {known[-1]['score']}, 1, 3, '{level}', target_language, {int(at * 1000)}, x'010203' FROM test WHERE id = '{test['id']}'")
    for batch in range(0, len(statements), 100):
        okul.server.sql(";".join(statements[batch:batch + 100]))
    okul.known, okul.tests, okul.people = known, tests, people
    return okul


@pytest.fixture(scope="module")
def archive():
    """A server that only these tests use."""
    server = Server("archive", OKUL_WORKERS="2")
    try:
        yield fill(Okul(server))
    finally:
        server.stop()


def found(okul, query="", limit=100):
    """The items of all pages of the list."""
    items, page = [], 1
    while True:
        data = good(superadmin(okul).get(f"{PATH}/admin/results?limit={limit}&page={page}{query}"))
        items += data["items"]
        if page >= data["pagination"]["totalPages"]:
            assert data["pagination"]["total"] == len(items)
            return items
        page += 1


def expected(okul, keep=lambda r: True, sort="-completedAt"):
    by = {"completedAt": lambda r: (r["at"], r["pk"]), "totalScore": lambda r: (r["score"], r["pk"])}[sort.strip("-")]
    return [r["id"] for r in sorted(filter(keep, okul.known), key=by, reverse=sort[0] == "-")]


@pytest.mark.parametrize("sort", ["-completedAt", "completedAt", "-totalScore", "totalScore"])
@pytest.mark.parametrize("limit", [7, 100])
def test_every_filter_in_every_order(archive, sort, limit):
    march = datetime(2026, 2, 1, 10, 30, tzinfo=timezone.utc)
    filters = {
        "": lambda r: True,
        "&level=A1": lambda r: r["level"] == "A1", "&level=C2": lambda r: r["level"] == "C2", "&level=C1": lambda r: False,
        "&targetLanguage=de": lambda r: r["test"]["targetLanguage"] == "de",
        "&targetLanguage=TR": lambda r: r["test"]["targetLanguage"] == "tr", "&targetLanguage=xx": lambda r: False,
        "&level=C2&targetLanguage=en": lambda r: r["level"] == "C2" and r["test"]["targetLanguage"] == "en",
        "&level=A2&targetLanguage=de": lambda r: r["level"] == "A2" and r["test"]["targetLanguage"] == "de",
        f"&testId={archive.tests[0]['id']}": lambda r: r["test"] is archive.tests[0],
        f"&testId={archive.tests[3]['id']}": lambda r: r["test"] is archive.tests[3],
        f"&testId={archive.tests[1]['id']}&level=B1": lambda r: r["test"] is archive.tests[1] and r["level"] == "B1",
        f"&testId={archive.tests[1]['id']}&targetLanguage=en": lambda r: False, f"&testId={NOBODYS}": lambda r: False,
        "&from=2026-02-01T10:30:00.000Z": lambda r: r["at"] >= march.timestamp(),
        "&to=2026-02-01T10:30:00Z&level=A2": lambda r: r["at"] < march.timestamp() and r["level"] == "A2",
        # midnight in Istanbul is 21:00 UTC of the day before
        f"&from=2026-01-10&to=2026-01-12&testId={archive.tests[0]['id']}": lambda r: r["test"] is archive.tests[0] and
        datetime(2026, 1, 9, 21, tzinfo=timezone.utc).timestamp() <= r["at"] < datetime(2026, 1, 11, 21, tzinfo=timezone.utc).timestamp(),
        "&from=2026-02-02&to=2026-02-01": lambda r: False,
    }
    for query, keep in filters.items():
        assert [r["id"] for r in found(archive, query + f"&sort={sort}", limit)] == expected(archive, keep, sort), query


def test_the_default_is_newest_first(archive):
    assert [r["id"] for r in found(archive)] == expected(archive)
    data = good(superadmin(archive).get(f"{PATH}/admin/results"))
    assert data["pagination"] == {"page": 1, "limit": 20, "total": 600, "totalPages": 30} and len(data["items"]) == 20
    assert good(superadmin(archive).get(f"{PATH}/admin/results?page=31"))["items"] == []


@pytest.mark.parametrize("times, first", [("from=2026-01-02T06:00:00.000Z&to=2026-01-02T08:00:00.000Z", "2026-01-02T06:00:00.000Z"),
                                          ("from=2026-01-02T06:00:00.001Z&to=2026-01-02T08:00:00.001Z", "2026-01-02T08:00:00.000Z")])
def test_from_is_inclusive_and_to_is_exclusive(archive, times, first):
    items = found(archive, "&" + times)
    assert len(items) == 3 and {r["completedAt"] for r in items} == {first}


@pytest.mark.parametrize("search, keep", [
    ("sule", lambda r, o: r["userId"] == o.people[3].id), ("YILDIZ", lambda r, o: r["userId"] == o.people[3].id),
    ("ş", lambda r, o: r["userId"] in (o.people[3].id,) or r["test"]["title"] == "Gamma Şiir" or "s" in r["email"]),
    ("şiir", lambda r, o: r["test"]["title"] == "Gamma Şiir"), ("siir gam", lambda r, o: r["test"]["title"] == "Gamma Şiir"),
    ("alpha", lambda r, o: r["test"]["title"] == "Alpha"), ("lovelace", lambda r, o: r["userId"] != o.people[3].id),
    ("ule.y ıld", lambda r, o: r["userId"] == o.people[3].id), ("xyzzy alpha", lambda r, o: False),
    ("sule alpha", lambda r, o: r["userId"] == o.people[3].id and r["test"]["title"] == "Alpha"), ('"', lambda r, o: False),
    ("=1", lambda r, o: r["userId"] == o.people[4].id), ("* OR", lambda r, o: False), ("   ", lambda r, o: True), ("", lambda r, o: True),
])
def test_search(archive, search, keep):
    query = f"&search={quote(search)}"
    for sort in ("-completedAt", "totalScore"):
        assert [r["id"] for r in found(archive, f"{query}&sort={sort}", 50)] == expected(archive, lambda r: keep(r, archive), sort)
    assert [r["id"] for r in found(archive, f"{query}&level=A2&from=2026-01-15")] == expected(
        archive, lambda r: keep(r, archive) and r["level"] == "A2" and r["at"] >= datetime(2026, 1, 14, 21, tzinfo=timezone.utc).timestamp())


def test_search_by_address(archive):
    who = archive.people[0]
    assert [r["id"] for r in found(archive, f"&search={quote(who.email)}")] == expected(archive, lambda r: r["userId"] == who.id)


def table(okul, query="", separator=","):
    answer = superadmin(okul).get(f"{PATH}/admin/results?format=csv{query}")
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="results.csv"'
    return list(csv.DictReader(answer.body.decode("utf-8-sig").splitlines(), delimiter=separator))


@pytest.mark.parametrize("query, keep, sort", [
    ("", lambda r: True, "-completedAt"), ("&sort=totalScore", lambda r: True, "totalScore"),
    ("&level=A2&targetLanguage=de&sort=-totalScore", lambda r: r["level"] == "A2" and r["test"]["targetLanguage"] == "de", "-totalScore"),
    ("&search=alpha&sort=completedAt", lambda r: r["test"]["title"] == "Alpha", "completedAt"),
    ("&search=alpha&sort=-totalScore&from=2026-02-01", lambda r: r["test"]["title"] == "Alpha" and
     r["at"] >= datetime(2026, 1, 31, 21, tzinfo=timezone.utc).timestamp(), "-totalScore"),
    ("&level=C1", lambda r: False, "-completedAt"),
])
def test_the_table(archive, query, keep, sort):
    lines = table(archive, query)
    assert [line["id"] for line in lines] == expected(archive, keep, sort)
    spreadsheet = table(archive, query + "&separator=semicolon", ";")
    assert spreadsheet == [line | {"totalScore": line["totalScore"].replace(".", ",")} for line in lines]
    by_id = {r["id"]: r for r in archive.known}
    for line in lines[:50]:
        known = by_id[line["id"]]
        assert float(line["totalScore"]) == known["score"] and line["email"] == known["email"]
        assert (line["testId"], line["testTitle"]) == (known["test"]["id"], known["test"]["title"])
        assert seconds(line["completedAt"]) == known["at"] and line["level"] == known["level"]


def test_formulas_in_the_table_are_escaped(archive):
    names = {line["name"] for line in table(archive) if line["userId"] == archive.people[4].id}
    assert names == {"'=1+1"}


@pytest.mark.parametrize("query, named", [
    ("from=x", "from"), ("from=2026-02-30", "from"), ("to=2026-01-01T25:00:00Z", "to"), ("to=2026-01-01T10:00", "to"), ("from=", "from"),
    ("level=A3", "level"), ("testId=1", "testId"), ("sort=name", "sort"), ("format=xml", "format"), ("limit=101", "limit"), ("page=0", "page"),
    ("targetLanguage=x", "targetLanguage"), ("search=" + "x" * 101, "search"), ("score=1", "score"), ("level=A1&level=A2", "level"),
])
def test_an_invalid_query(archive, query, named):
    answer = superadmin(archive).get(f"{PATH}/admin/results?{query}")
    assert answer.status == 400 and [e.partition(":")[0] for e in answer.errors] == [named]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_error_for_an_invalid_time_in_every_language(archive, language):
    answer = superadmin(archive).get(f"{PATH}/admin/results?from=yesterday", language=language)
    assert answer.errors == ["from: " + SENTENCES["S_F_TIME_OR_DATE"][language]]


def test_pages_of_a_user(archive):
    for who in archive.people[:2]:
        theirs = expected(archive, lambda r: r["userId"] == who.id)
        for path, asking in ((f"{PATH}/results/me", who), (f"{PATH}/admin/users/{who.id}/results", superadmin(archive))):
            pages = [good(asking.get(f"{path}?limit=9&page={page}")) for page in range(1, len(theirs) // 9 + 3)]
            assert [i for page in pages for i in ids(page)] == theirs
            assert all(page["pagination"]["total"] == len(theirs) for page in pages)
    assert superadmin(archive).get(f"{PATH}/admin/users/{NOBODYS}/results").status == 404
    assert superadmin(archive).get(f"{PATH}/admin/users/x/results").status == 400
    assert archive.people[0].get(f"{PATH}/results/me?sort=completedAt").status == 400


TALLIES = ("SELECT version, level, test, target_language, count(*) FROM result GROUP BY 1, 2, 3, 4 ORDER BY 1, 2",
           "SELECT version, level, test, target_language, n FROM result_tally ORDER BY 1, 2")


def test_counts_stay_exact(okul):
    """After parallel submits and deletions of results and users."""
    tests = [made(okul, maxAttempts=0, targetLanguage=language) for language in ("en", "tr")]
    people = [okul.registered() for _ in range(6)]
    boss = superadmin(okul)

    def act(n):
        for i in range(6):
            one = good(submit(people[n], tests[(n + i) % 2], ["+++", "++-", "---"][i % 3]))
            if i % 3 == 1:
                good(boss.delete(f"{PATH}/admin/results/{one['id']}"))
        if n % 3 == 2:
            good(boss.delete(f"/users/{people[n].id}"))
    all_at_once(6, act)
    left = sum(good(boss.get(f"{PATH}/admin/results?testId={t['id']}"))["pagination"]["total"] for t in tests)
    assert left == 4 * 4
    assert rows(okul, TALLIES[0]) == rows(okul, TALLIES[1])
    assert rows(okul, "SELECT count(*) FROM result WHERE user_pk NOT IN (SELECT pk FROM users)") == [["0"]]


def test_deleting_a_user_takes_results_and_attempts(okul):
    ada, test, other = okul.registered(), made(okul), made(okul)
    result = good(submit(ada, test, "+++"))
    attempt = good(start(ada, other))
    good(superadmin(okul).delete(f"/users/{ada.id}"))
    assert superadmin(okul).get(f"{PATH}/results/{result['id']}").status == 404
    assert rows(okul, f"SELECT count(*) FROM attempt WHERE id = '{attempt['id']}'") == [["0"]]
    assert good(superadmin(okul).get(f"{PATH}/admin/results?testId={test['id']}"))["pagination"]["total"] == 0


def test_deleting_a_result_is_audited(okul):
    ada, test, boss = okul.registered(), made(okul), superadmin(okul)
    result = good(submit(ada, test, "++-"))
    good(boss.delete(f"{PATH}/admin/results/{result['id']}"))
    assert boss.delete(f"{PATH}/admin/results/{result['id']}").status == 404
    assert rows(okul, f"SELECT actor_email, action, subject, before FROM audit WHERE subject_id = '{result['id']}'") == [
        [boss.email, "result.deleted", ada.email, "Placement: 66.67, B1"]]


# ---- 20 a day


@pytest.fixture
def daily():
    """A server whose clock may be set forward by more than a day."""
    server = Server("daily", OKUL_WORKERS="1")
    yield Okul(server)
    server.stop()


def test_a_test_without_limit_of_attempts_is_taken_20_times_a_day(daily):
    ada, bob, test, other = daily.registered(), daily.registered(), made(daily, maxAttempts=0), made(daily, maxAttempts=0)
    for person in (ada, superadmin(daily)):
        for _ in range(20):
            good(submit(person, test, "+"))
        refused = [person.post(f"{PATH}/{test['id']}/submit", answers(test, "+"), language=language) for language in LANGUAGES]
        assert [a.status for a in refused] == [429] * 4 and len({a.errors[0] for a in refused}) == 4
        assert 86000 < int(refused[0].headers["Retry-After"]) <= 86400
        assert start(person, test).status == 429
        assert status(person, test)["attempts"] == 20
    # the limit is per user and test
    good(submit(bob, test, "+"))
    good(submit(ada, other, "+"))
    # deleting results does not reset the limit
    for result in mine(ada):
        if result["test"]["id"] == test["id"]:
            assert superadmin(daily).delete(f"{PATH}/admin/results/{result['id']}").status == 200
    assert submit(ada, test, "+").status == 429
    daily.server.clock.advance(86400 + 60)
    ada = daily.login(ada.email)
    good(submit(ada, test, "+"))


def test_a_started_attempt_may_be_submitted(okul):
    ada, test = okul.registered(), made(okul, maxAttempts=0)
    for _ in range(19):
        good(submit(ada, test, "+"))
    attempt = good(start(ada, test))
    assert submit(okul.registered(), test, "+").status == 201
    good(start(ada, test))      # returns the open attempt, which does not count again
    good(save(ada, attempt, test, "-"))
    assert good(submit(ada, test, "+"))["id"] == attempt["id"]
    assert submit(ada, test, "+").status == start(ada, test).status == 429


def test_expired_attempts_count_too(daily):
    """Each becomes a result, so for a timed test starting counts."""
    ada, test = daily.registered(), made(daily, maxAttempts=0, durationMinutes=1)
    for _ in range(20):
        good(start(ada, test))
        daily.server.clock.advance(70)
    refused = start(ada, test)
    assert refused.status == 429 and status(ada, test)["attempts"] == 20, refused


def test_a_test_with_limited_attempts_has_no_daily_limit(okul):
    ada, test = okul.registered(), made(okul, maxAttempts=22)
    for _ in range(22):
        good(submit(ada, test, "+"))
    assert submit(ada, test, "+").status == 409
