"""Group proficiency, for authors: tests, their versions, drafts, answer keys, import of GIFT text."""

import copy
import itertools
import json
import secrets
from urllib.parse import urlencode

import pytest

from helpers import contract
from helpers.database import reading
from helpers.client import Okul, ids, rows
from helpers.examples import GOOD_IMPORT, GOOD_TEST
from helpers.parallel import all_at_once, overtaken
from helpers.placement import FULL, PATH, asked, level_range, made, question, shown
from helpers.server import ROOT, Server

NOBODYS = "0" * 24


@pytest.fixture(scope="module")
def school():
    """A server that only this file uses, so that the tests know all its placement tests."""
    server = Server("proficiency")
    yield Okul(server)
    server.stop()


def listed(client, **query):
    answer = client.get(PATH + ("?" + urlencode(query) if query else ""))
    assert answer.status == 200, answer
    return answer.data


def summary(test):
    """The fields of a test in the list."""
    return {k: v for k, v in test.items() if k not in ("questions", "levelRanges")}


def all_ids(test):
    return [q["id"] for q in test["questions"]] + [o["id"] for q in test["questions"] for o in q["options"]]


def versions(okul, test):
    """The versions of a test, oldest first: pk, title, language, ids of the questions."""
    with reading(okul.server) as all_of:
        found = all_of("SELECT pk, title, target_language, questions FROM test_version WHERE test_id = ? ORDER BY pk", test["id"])
    return [(str(row["pk"]), row["title"], row["target_language"], [q["id"] for q in json.loads(row["questions"])]) for row in found]


def answered(okul, test, user=None):
    """Adds a result, which refers to the current version of the test."""
    user = user or okul.registered()
    okul.server.sql(f"""INSERT INTO result (id, user_pk, test, version, attempt, total_score, correct_count, question_count, level,
        target_language, completed_at, chosen) SELECT lower(hex(randomblob(12))), users.pk, test.pk, version,
        1 + (SELECT count(*) FROM result WHERE user_pk = users.pk AND test = test.pk), 0, 0, question_count, 'A1', target_language,
        0, zeroblob(question_count) FROM test, users WHERE test.id = '{test['id']}' AND users.id = '{user.id}'""")
    return user


def opened(okul, test):
    """Adds an open attempt."""
    user = okul.registered()
    okul.server.sql(f"""INSERT INTO attempt (id, user_pk, test, version, started_at) SELECT lower(hex(randomblob(12))), users.pk,
        test.pk, version, 0 FROM test, users WHERE test.id = '{test['id']}' AND users.id = '{user.id}'""")
    return user


# ---- one test


def test_defaults(okul, boss):
    answer = boss.post(PATH, GOOD_TEST)
    assert answer.status == 201 and list(answer.data) == [f.name for f in contract.shapes["ProficiencyTestDetailResponseDto"]]
    assert summary(answer.data) == {
        "id": answer.data["id"], "title": GOOD_TEST["title"], "description": "", "targetLanguage": "en",
        "durationMinutes": None, "maxAttempts": 1, "shuffle": False, "isPublished": True, "questionCount": 1,
        "createdAt": answer.data["createdAt"], "updatedAt": answer.data["createdAt"]}
    [one] = answer.data["questions"]
    assert list(one) == [f.name for f in contract.shapes["ProficiencyQuestionResponseDto"]]
    assert asked(answer.data) == [GOOD_TEST["questions"][0] | {"points": 1, "mediaUrl": None}] and one["order"] == 0
    assert answer.data["levelRanges"] == GOOD_TEST["levelRanges"]
    assert shown(boss, answer.data["id"]) == answer.data and listed(okul)["items"][0] == summary(answer.data)


def test_every_field_comes_back(boss):
    test = made(boss, **FULL)
    assert set(FULL) == {f.name for f in contract.shapes["CreateProficiencyTestDto"]}
    assert {k: test[k] for k in FULL if k != "questions"} == {k: FULL[k] for k in FULL if k != "questions"}
    assert asked(test) == [{"points": 1, "mediaUrl": None} | q for q in FULL["questions"]]
    assert [q["order"] for q in test["questions"]] == [0, 1, 2] and test["questionCount"] == 3
    assert shown(boss, test["id"]) == test and listed(boss)["items"][0] == summary(test)


def test_texts_are_trimmed_and_ids_are_new(boss):
    body = GOOD_TEST | {"title": " \tx ", "questions": [question(" \nq\n ", " a ", "\tb\t"), question("q", "a", "b")]}
    tests = [boss.post(PATH, body).data for _ in range(2)]
    assert tests[0]["title"] == "x" and asked(tests[0])[0] == asked(tests[0])[1]
    everything = all_ids(tests[0]) + all_ids(tests[1])
    assert len(set(everything)) == len(everything) == 12
    assert all(contract.re.fullmatch(contract.ID, i) for i in everything)


def test_the_largest_possible_test(boss):
    options = [f"{i} " + "ö" * 100 for i in range(10)]
    test = made(boss, questions=[question(f"{i} " + "ü" * 100, *options, points=1000) for i in range(200)],
                levelRanges=[level_range("A1", i * 10, i * 10 + 10) for i in range(5)] + [level_range("C2", 51, 100)])
    assert len(test["questions"]) == test["questionCount"] == 200 and len(set(all_ids(test))) == 2200
    assert boss.patch(f"{PATH}/{test['id']}", {"questions": [question("x" * 4000, "y" * 1000, "z")]}).status == 200


@pytest.mark.parametrize("points", ["0.1", "1e-7", "999.99", "1000", "33.333333333333336", "5e-324", "2.50"])
def test_points_come_back_as_they_were_sent(okul, boss, points):
    body = json.dumps(GOOD_TEST).replace('"options"', f'"points": {points}, "options"').encode()
    answer = boss.request("POST", PATH, body=body)
    assert answer.status == 201, answer
    assert answer.data["questions"][0]["points"] == float(points) == shown(okul, answer.data["id"])["questions"][0]["points"]


@pytest.mark.parametrize("method, path", [("GET", "/{id}"), ("PATCH", "/{id}"), ("DELETE", "/{id}"), ("POST", "/{id}/duplicate")])
def test_an_unknown_test(boss, method, path):
    body = {"title": "x"} if method == "PATCH" else None
    assert boss.request(method, PATH + path.replace("{id}", NOBODYS), body).status == 404
    for id_ in ("1", "0" * 23, "g" * 24):
        answer = boss.request(method, PATH + path.replace("{id}", id_), body)
        assert answer.status == 400 and answer.errors == ["id: must be 24 hexadecimal digits"], f"{id_}: {answer}"


# ---- invalid tests


NESTED = [(("questions", 1), f) for f in contract.shapes["QuestionDto"]] + \
         [(("questions", 1, "options", 2), f) for f in contract.shapes["OptionDto"]] + \
         [(("levelRanges", 1), f) for f in contract.shapes["LevelRangeDto"]]


def named(place):
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in place).lstrip(".")


@pytest.mark.parametrize("place, field", NESTED, ids=lambda x: getattr(x, "name", None))
def test_every_nested_field_rejects(boss, place, field):
    good = {"questions": [question("a", "b", "c", "d") for _ in range(3)],
            "levelRanges": [level_range("A1", 0, 20), level_range("A2", 20, 40), level_range("B1", 40, 100)]}
    cases = itertools.chain([("missing", KeyError)] if not field.optional else [], [("an unknown field beside it", None)],
                            contract.bad_values(field))
    for why, value in cases:
        body = GOOD_TEST | copy.deepcopy(good)
        target = body
        for step in place:
            target = target[step]
        if value is KeyError:
            del target[field.name]
        elif why == "an unknown field beside it":
            target["extra"] = 1
        else:
            target[field.name] = value
        name = f"{named(place)}.{'extra' if 'extra' in target else field.name}"
        for answer in (boss.post(PATH, body), boss.patch(f"{PATH}/{NOBODYS}", {k: body[k] for k in good})):
            assert answer.status == 400, f"{why}: {answer}"
            assert len(answer.errors) == 1 or isinstance(value, list), f"{why}: {answer}"
            assert all(e.startswith((name + ": ", name + "[", name + ".")) for e in answer.errors), f"{why}: {answer}"


@pytest.mark.parametrize("right", [[], [0, 1], [0, 1, 2], [1, 2]])
def test_exactly_one_option_is_right(boss, right):
    bad = {"text": "q", "options": [{"text": "o", "isCorrect": i in right} for i in range(3)]}
    answer = boss.post(PATH, GOOD_TEST | {"questions": [GOOD_TEST["questions"][0], bad, bad]})
    assert answer.status == 400
    assert answer.errors == [f"questions[{i}].options: must have exactly one correct option" for i in (1, 2)]


@pytest.mark.parametrize("ranges, error", [
    ([(1, 100)], "levelRanges[0].minScore: must be 0 in the first range"),
    ([(0, 99)], "levelRanges[0].maxScore: must be 100 in the last range"),
    ([(0, 20), (22, 100)], "levelRanges[1].minScore: must be where the range before ends (20) or one above it"),
    ([(0, 20), (19, 100)], "levelRanges[1].minScore: must be where the range before ends (20) or one above it"),
    ([(0, 20), (20.5, 100)], "levelRanges[1].minScore: must be where the range before ends (20) or one above it"),
    ([(50, 100), (0, 50)], "levelRanges[0].minScore: must be 0 in the first range"),
    ([(0, 50), (50, 40)], "levelRanges[1].maxScore: must be at least 50"),
])
def test_level_ranges_cover_everything(boss, ranges, error):
    body = {"levelRanges": [level_range("A1", *r) for r in ranges]}
    for answer in (boss.post(PATH, GOOD_TEST | body), boss.patch(f"{PATH}/{NOBODYS}", body),
                   boss.post(PATH + "/import", GOOD_IMPORT | body)):
        assert answer.status == 400 and answer.errors[0] == error, answer


@pytest.mark.parametrize("ranges", [[(0, 100)], [(0, 20), (20, 100)], [(0, 20), (21, 100)], [(0, 33.3), (34.3, 100)],
                                    [(0, 1), (1, 2), (3, 4), (4, 5), (6, 7), (7, 100)]])
def test_valid_level_ranges(boss, ranges):
    assert made(boss, levelRanges=[level_range("B1", *r) for r in ranges])["levelRanges"][-1]["maxScore"] == 100


def test_all_errors_in_the_order_of_the_fields(boss):
    two_right = {"text": "q", "options": [{"text": "o", "isCorrect": True}] * 2}
    body = GOOD_TEST | {
        "levelRanges": [level_range("A1", 5, 50), level_range("A2", 50, 60)], "extra": 1, "title": "",
        "questions": [two_right, question("", "a", "b"), two_right, question("q", "a", "b", points=0) | {"options": []},
                      question("q", "a", "b", points=0)]}
    answer = boss.post(PATH + "?x=1", body)
    assert answer.status == 400 and [e.partition(":")[0] for e in answer.errors] == [
        "x", "title", "questions[0].options", "questions[1].text", "questions[2].options", "questions[3].points",
        "questions[3].options", "questions[4].points", "levelRanges[0].minScore", "levelRanges[1].maxScore", "extra"]
    answer = boss.post(PATH, body | {"questions": [two_right] * 201})
    assert [e for e in answer.errors if e.startswith("questions")] == ["questions: must have at most 200 elements"]


def test_a_rejected_request_creates_nothing(okul, boss):
    before = rows(okul, "SELECT count(*) FROM test UNION ALL SELECT count(*) FROM test_version")
    boss.post(PATH, GOOD_TEST | {"levelRanges": [level_range("A1", 0, 50)]})
    boss.post(PATH + "/import", GOOD_IMPORT | {"gift": "Q{=a ~b}\n\nR{}"})
    boss.post(f"{PATH}/{NOBODYS}/duplicate")
    boss.patch(f"{PATH}/{NOBODYS}", GOOD_TEST)
    assert rows(okul, "SELECT count(*) FROM test UNION ALL SELECT count(*) FROM test_version") == before


# ---- the answer key


def test_right_answers_are_visible_to_admins_only(okul, boss):
    test = made(boss, **FULL | {"isPublished": True, "shuffle": False})
    for stranger in (okul, okul.registered(), okul.login()):
        answer = stranger.get(f"{PATH}/{test['id']}")
        assert answer.status == 200
        assert b'"isCorrect"' not in answer.body.replace(rb'\"', b"")
        for seen, whole in zip(answer.data["questions"], test["questions"], strict=True):
            assert list(seen) == list(whole) and seen["text"] == whole["text"]
            for own, all_of_it in zip(seen["options"], whole["options"], strict=True):
                assert list(own) == ["id", "text"] and own | {"isCorrect": all_of_it["isCorrect"]} == all_of_it
    assert okul.get(f"{PATH}/{test['id']}", token="x").json["data"] == okul.get(f"{PATH}/{test['id']}").data
    assert shown(okul.staff("admin"), test["id"]) == test
    for seen in (okul.get(PATH), okul.registered().get(PATH)):
        assert b"isCorrect" not in seen.body


def test_drafts_are_visible_to_admins_only(okul, boss):
    word, language = "draft" + secrets.token_hex(4), secrets.token_hex(4)
    test = made(boss, title=word, isPublished=False, targetLanguage=language)
    for stranger in (okul, okul.registered()):
        assert stranger.get(f"{PATH}/{test['id']}").status == 404
        assert listed(stranger, search=word)["pagination"]["total"] == 0 and test["id"] not in ids(listed(stranger))
        assert language not in stranger.get(PATH + "/target-languages").data["languages"]
    assert ids(listed(boss, search=word)) == [test["id"]] and shown(boss, test["id"]) == test
    assert language in boss.get(PATH + "/target-languages").data["languages"]
    boss.patch(f"{PATH}/{test['id']}", {"isPublished": True})
    assert okul.get(f"{PATH}/{test['id']}").status == 200 and ids(listed(okul, search=word)) == [test["id"]]


# ---- changes


@pytest.mark.parametrize("field", FULL)
def test_patch_changes_only_the_given_fields(boss, field):
    before = made(boss, description="d", durationMinutes=5, maxAttempts=0)
    answer = boss.patch(f"{PATH}/{before['id']}", {field: FULL[field]})
    assert answer.status == 200, answer
    changed = {k for k in before if answer.data[k] != before[k]} - {"updatedAt"}
    assert changed == ({"questions", "questionCount"} if field == "questions" else {field})
    if field != "questions":
        assert answer.data[field] == FULL[field]
    assert answer.data["updatedAt"] >= before["updatedAt"] and shown(boss, before["id"]) == answer.data
    assert listed(boss, search=answer.data["title"])["pagination"]["total"] >= 1


def test_patch_takes_every_field_at_once(okul, boss):
    before = made(boss)
    answer = boss.patch(f"{PATH}/{before['id']}", FULL)
    assert answer.status == 200 and {k: answer.data[k] for k in FULL if k != "questions"} == \
        {k: FULL[k] for k in FULL if k != "questions"}
    assert asked(answer.data) == [{"points": 1, "mediaUrl": None} | q for q in FULL["questions"]]
    assert not set(all_ids(before)) & set(all_ids(answer.data))
    assert shown(boss, before["id"]) == answer.data and len(versions(okul, before)) == 1


def test_null_removes_the_time_limit(boss):
    test = made(boss, durationMinutes=5)
    assert boss.patch(f"{PATH}/{test['id']}", {"shuffle": True}).data["durationMinutes"] == 5
    assert boss.patch(f"{PATH}/{test['id']}", {"durationMinutes": None}).data["durationMinutes"] is None
    assert boss.patch(f"{PATH}/{test['id']}", {}).errors == ["Name at least one field to change"]


def test_search_follows_a_change(boss):
    old, new = "old" + secrets.token_hex(4), "new" + secrets.token_hex(4)
    test = made(boss, title=old, description="a")
    boss.patch(f"{PATH}/{test['id']}", {"title": new})
    assert ids(listed(boss, search=old)) == [] and ids(listed(boss, search=new)) == [test["id"]]
    boss.patch(f"{PATH}/{test['id']}", {"description": old})
    assert ids(listed(boss, search=old)) == ids(listed(boss, search=f"{new} {old}")) == [test["id"]]


# ---- versions


def test_a_version_without_attempts_is_replaced(okul, boss):
    """By a version with another pk, which is the key of the workers' cache."""
    test = made(boss)
    seen = {versions(okul, test)[0][0]}
    for change in ({"title": "x"}, {"targetLanguage": "de"}, {"levelRanges": FULL["levelRanges"]}, {"questions": FULL["questions"]}):
        boss.patch(f"{PATH}/{test['id']}", change)
        [(now, title, language, questions)] = versions(okul, test)
        assert now not in seen
        seen.add(now)
    assert (title, language) == ("x", "de") and questions == [q["id"] for q in shown(boss, test["id"])["questions"]]


@pytest.mark.parametrize("take", [answered, opened])
@pytest.mark.parametrize("change", [{"title": "New"}, {"targetLanguage": "de"}, {"levelRanges": FULL["levelRanges"]},
                                    {"questions": FULL["questions"]}, FULL], ids=lambda c: "+".join(c))
def test_a_version_with_attempts_is_kept(okul, boss, take, change):
    test = made(boss)
    take(okul, test)
    columns = "level_ranges, hex(answer_key), questions, title, target_language, test, test_id"
    before = rows(okul, f"SELECT {columns} FROM test_version WHERE test_id = '{test['id']}'")
    after = boss.patch(f"{PATH}/{test['id']}", change).data
    old, new = versions(okul, test)
    assert rows(okul, f"SELECT {columns} FROM test_version WHERE pk = {old[0]}") == before
    assert new[1:] == (after["title"], after["targetLanguage"], [q["id"] for q in after["questions"]])
    assert rows(okul, f"SELECT version FROM test WHERE id = '{test['id']}'") == [[new[0]]]
    if "questions" not in change:
        assert after["questions"] == test["questions"], "fields that are not given stay, ids included"


@pytest.mark.parametrize("change", [{"description": "x"}, {"isPublished": False}, {"maxAttempts": 9}, {"durationMinutes": 9},
                                    {"shuffle": True}, {"title": GOOD_TEST["title"]}, {"levelRanges": GOOD_TEST["levelRanges"]},
                                    {"targetLanguage": GOOD_TEST["targetLanguage"]}], ids=lambda c: "+".join(c))
def test_a_change_of_other_fields_makes_no_version(okul, boss, change):
    test = made(boss)
    answered(okul, test)
    assert boss.patch(f"{PATH}/{test['id']}", change).status == 200
    assert len(versions(okul, test)) == 1


SAME = FULL["questions"]
OTHERS = {
    "a text": [SAME[0] | {"text": "Was"}, *SAME[1:]], "an order": [SAME[1], SAME[0], SAME[2]], "one less": SAME[:2],
    "one more": [*SAME, SAME[0]], "points": [*SAME[:2], SAME[2] | {"points": 1.5}], "media": [*SAME[:2], SAME[2] | {"mediaUrl": "/x"}],
    "no media": [SAME[0] | {"mediaUrl": None}, *SAME[1:]],
    "an option": [*SAME[:2], question("Wer?", "ich", "er")], "an option more": [*SAME[:2], question("Wer?", "ich", "du", "er")],
    "the order of options": [*SAME[:2], question("Wer?", "du", "ich")],
    "the right one": [*SAME[:2], SAME[2] | {"options": [o | {"isCorrect": not o["isCorrect"]} for o in SAME[2]["options"]]}],
}


def test_unchanged_questions_keep_their_ids(okul, boss):
    """So a form may send the whole test without affecting statistics or open attempts."""
    test = made(boss, **FULL)
    answered(okul, test)
    path, before = f"{PATH}/{test['id']}", versions(okul, test)
    for own in (SAME, [SAME[0] | {"text": f" {SAME[0]['text']}\n"}, SAME[1], SAME[2] | {"points": 1.0, "mediaUrl": None}]):
        after = boss.patch(path, FULL | {"questions": own})
        assert after.status == 200 and after.data["questions"] == test["questions"] and versions(okul, test) == before
    after = boss.patch(path, {"title": "New", "questions": SAME}).data
    assert after["questions"] == test["questions"] and after["questionCount"] == 3
    assert [v[1:] for v in versions(okul, test)] == [before[0][1:], ("New", *before[0][2:])]
    keys = "SELECT count(DISTINCT answer_key), count(DISTINCT questions) FROM test_version WHERE test_id = '%s'"
    assert rows(okul, keys % test["id"]) == [["1", "1"]]


@pytest.mark.parametrize("other", OTHERS)
def test_changed_questions_get_new_ids(boss, other):
    test = made(boss, **FULL)
    after = boss.patch(f"{PATH}/{test['id']}", {"questions": OTHERS[other]}).data
    assert asked(after) == [{"points": 1, "mediaUrl": None} | q for q in OTHERS[other]]
    assert not set(all_ids(after)) & set(all_ids(test))


def test_questions_that_were_the_same_before_a_concurrent_change(okul, boss):
    """The test has the questions of the request, although they were no change before the request waited for the lock."""
    test, other = made(boss, **FULL), made(boss)
    after = overtaken(okul, f"UPDATE test SET version = (SELECT version FROM test WHERE id = '{other['id']}')"
                            f" WHERE id = '{test['id']}'", lambda: boss.patch(f"{PATH}/{test['id']}", {"questions": SAME}))
    assert after.status == 200 and asked(after.data) == asked(test) and shown(boss, test["id"]) == after.data


def test_unreferenced_versions_are_deleted(okul, boss):
    test = made(boss)
    answered(okul, test)
    for title in "bcd":
        boss.patch(f"{PATH}/{test['id']}", {"title": title})
    assert [v[1] for v in versions(okul, test)] == [GOOD_TEST["title"], "d"], "b and c had no attempts"
    okul.server.sql(f"DELETE FROM result WHERE test = (SELECT pk FROM test WHERE id = '{test['id']}')")
    boss.patch(f"{PATH}/{test['id']}", {"shuffle": True})
    assert [v[1] for v in versions(okul, test)] == ["d"]


def test_delete(okul, boss):
    test = made(boss, title="Goner")
    answer = boss.delete(f"{PATH}/{test['id']}")
    assert answer.status == 200 and answer.data == {"message": "The test has been deleted", "id": test["id"]}
    assert boss.get(f"{PATH}/{test['id']}").status == boss.delete(f"{PATH}/{test['id']}").status == 404
    assert test["id"] not in ids(listed(boss, limit=100)) and versions(okul, test) == []
    audited = rows(okul, f"SELECT actor_email, action, subject FROM audit WHERE subject_id = '{test['id']}'")
    assert audited == [[boss.email, "test.deleted", "Goner"]]


def test_results_outlive_their_test_and_attempts_do_not(okul, boss):
    test = made(boss)
    reader = answered(okul, test)
    boss.patch(f"{PATH}/{test['id']}", {"title": "Second"})
    opened(okul, test)
    boss.patch(f"{PATH}/{test['id']}", {"title": "Third"})
    assert [v[1] for v in versions(okul, test)] == [GOOD_TEST["title"], "Second", "Third"]
    pk = rows(okul, f"SELECT pk FROM test WHERE id = '{test['id']}'")[0][0]
    assert boss.delete(f"{PATH}/{test['id']}").status == 200
    assert rows(okul, f"SELECT count(*) FROM attempt WHERE test = {pk}") == [["0"]]
    assert rows(okul, f"SELECT users.id FROM result JOIN users ON users.pk = user_pk WHERE test = {pk}") == [[reader.id]]
    assert [v[1] for v in versions(okul, test)] == [GOOD_TEST["title"]]
    assert okul.server.database or rows(okul, "SELECT count(*) FROM pragma_foreign_key_check") == [["0"]]
    assert rows(okul, f"SELECT 1 FROM test WHERE pk = {pk}") == [] and made(boss)
    assert rows(okul, f"SELECT 1 FROM test WHERE pk = {pk}") == [], "its pk is not reused"


# ---- duplicates


def test_duplicate(okul, boss):
    title = "Dup " + secrets.token_hex(4)
    test = made(boss, **FULL | {"title": title, "isPublished": True})
    copies = [boss.post(f"{PATH}/{test['id']}/duplicate") for _ in range(2)]
    assert [c.status for c in copies] == [201, 201]
    assert [c.data["title"] for c in copies] == [f"{title} (copy)", f"{title} (copy 2)"]
    for own in (c.data for c in copies):
        assert own | {k: test[k] for k in ("id", "title", "isPublished", "createdAt", "updatedAt", "questions")} == test
        assert own["isPublished"] is False and asked(own) == asked(test)
        assert not set(all_ids(own)) & set(all_ids(test)) and shown(boss, own["id"]) == own
    assert shown(boss, test["id"]) == test
    answer = boss.post(f"{PATH}/{test['id']}/duplicate", language="de")
    assert answer.data["title"] == f"{title} (Kopie 3)"
    boss.patch(f"{PATH}/{answer.data['id']}", {"questions": [question("x", "y", "z")]})
    assert shown(boss, test["id"]) == test, "changing the copy does not change the original"
    longest = made(boss, title=secrets.token_hex(4) + "ü" * 192)
    assert boss.post(f"{PATH}/{longest['id']}/duplicate").data["title"] == longest["title"][:193] + " (copy)"


def test_concurrent_changes_of_a_test_that_is_duplicated(okul, boss):
    """The copy has the state of the test when the request gets the lock."""
    test, other = made(boss), made(boss, **FULL)
    path, of_test = f"{PATH}/{test['id']}/duplicate", f"WHERE id = '{test['id']}'"
    changed = overtaken(okul, f"UPDATE test SET version = (SELECT version FROM test WHERE id = '{other['id']}'), max_attempts = 7,"
                        f" question_count = 3 {of_test}", lambda: boss.post(path))
    assert changed.status == 201 and asked(changed.data) == asked(other) and changed.data["maxAttempts"] == 7
    assert not set(all_ids(changed.data)) & set(all_ids(other))
    title = test["title"] + " (copy"
    before = listed(boss, search=title)["pagination"]["total"]
    assert overtaken(okul, f"DELETE FROM test {of_test}", lambda: boss.post(path)).status == 404
    assert listed(boss, search=title)["pagination"]["total"] == before


def test_a_duplicate_can_be_graded(okul, boss):
    """The answer key of the copy has the ids of the copy."""
    test = made(boss, **FULL)
    copied = boss.post(f"{PATH}/{test['id']}/duplicate").data
    [[key]] = rows(okul, f"SELECT lower(hex(answer_key)) FROM test_version WHERE test_id = '{copied['id']}'")
    assert all(i in key for i in all_ids(copied)) and not any(i in key for i in all_ids(test))


# ---- the list


def test_the_list_counts_pages_and_sorts(school):
    boss = school.staff("admin")
    assert listed(school) == {"items": [], "pagination": {"page": 1, "limit": 20, "total": 0, "totalPages": 0}}
    assert school.get(PATH + "/target-languages").data == {"languages": []}
    titles = ["b", "İzmir", "a", "Ödev", "c", "izmit", "ödül"]
    tests = [made(boss, title=t, targetLanguage=["en", "DE", "de", "pt-BR"][i % 4], isPublished=i != 2) for i, t in enumerate(titles)]
    by_id = [t["id"] for t in tests]
    folded = [titles.index(t) for t in ["a", "b", "c", "İzmir", "izmit", "Ödev", "ödül"]]
    assert ids(listed(boss)) == ids(listed(boss, sort="-createdAt")) == by_id[::-1]
    assert ids(listed(boss, sort="createdAt")) == by_id
    assert ids(listed(boss, sort="title")) == [by_id[i] for i in folded]
    assert ids(listed(boss, sort="-title")) == [by_id[i] for i in folded[::-1]]
    assert listed(school)["pagination"]["total"] == 6 and by_id[2] not in ids(listed(school))
    page = listed(boss, limit=3, page=2)
    assert ids(page) == by_id[::-1][3:6] and page["pagination"] == {"page": 2, "limit": 3, "total": 7, "totalPages": 3}
    assert ids(listed(boss, limit=3, page=4)) == [] and listed(boss, limit=3, page=4)["pagination"]["total"] == 7
    assert ids(listed(boss, targetLanguage="de")) == ids(listed(boss, targetLanguage="DE")) == [by_id[i] for i in (6, 5, 2, 1)]
    assert ids(listed(school, targetLanguage="de")) == [by_id[i] for i in (6, 5, 1)]
    assert listed(school, targetLanguage="de")["pagination"]["total"] == 3
    assert ids(listed(boss, targetLanguage="fr")) == []
    assert school.get(PATH + "/target-languages").data == {"languages": ["DE", "en", "pt-BR"]}
    assert ids(listed(boss, search="IZMI")) == ids(listed(boss, search="ızmi")) == [by_id[5], by_id[1]]
    assert ids(listed(boss, search="öd")) == [by_id[6], by_id[3]] and len(ids(listed(boss, search=""))) == 7
    boss.patch(f"{PATH}/{by_id[0]}", {"description": "Für Fortgeschrittene"})
    assert ids(listed(boss, search="fur b")) == [by_id[0]] and listed(boss, search="fur b")["pagination"]["total"] == 1
    for query in ("sort=price", "targetLanguage=x", "targetLanguage=" + "x" * 9, "level=A1", "search=" + "x" * 101, "limit=101"):
        assert school.get(f"{PATH}?{query}").status == 400, query


def test_the_list_is_current(okul, boss):
    """The response is 304 only if nothing changed."""
    def again(answer, client=okul):
        return client.get(answer.path, headers={"If-None-Match": answer.headers["ETag"]}).status
    test = made(boss)
    for path in (PATH, PATH + "/target-languages", f"{PATH}/{test['id']}"):
        for change in ({"title": secrets.token_hex(4)}, {"questions": FULL["questions"]}, {"targetLanguage": "fr"}, {"targetLanguage": "en"}):
            answer = okul.get(path)
            assert again(answer) == 304, path
            boss.patch(f"{PATH}/{test['id']}", change)
            assert again(answer) == 200 or path.endswith("es"), path
    answer = okul.get(PATH)
    assert boss.get(PATH, headers={"If-None-Match": answer.headers["ETag"]}).status == 200, "responses differ between callers"
    boss.delete(f"{PATH}/{test['id']}")
    assert again(answer) == 200


def test_a_change_with_a_stale_tag(boss):
    test = made(boss)
    path = f"{PATH}/{test['id']}"
    tag = boss.get(path).headers["ETag"]
    first = boss.patch(path, {"title": "First"}, headers={"If-Match": tag})
    assert first.status == 200
    assert boss.patch(path, {"title": "Second"}, headers={"If-Match": tag}).status == 412
    assert boss.delete(path, headers={"If-Match": tag}).status == 412
    assert shown(boss, test["id"])["title"] == "First"
    assert boss.delete(path, headers={"If-Match": first.headers["ETag"]}).status == 200


# ---- import


GIFT = ROOT / "tests/unit/gift"


def test_import(okul, boss):
    answer = boss.post(PATH + "/import", GOOD_IMPORT | {
        "title": "Imported", "description": "d", "durationMinutes": 9, "maxAttempts": 0, "shuffle": True, "isPublished": False,
        "gift": "// okul: points 2.5\n// okul: media /a.mp3\nÜber {=\\{a\\} ~b#no} Wasser.\r\n\r\nSnow is cold.{T}\n"})
    assert answer.status == 201 and list(answer.data) == [f.name for f in contract.shapes["ProficiencyTestDetailResponseDto"]]
    assert asked(answer.data) == [question("Über _____ Wasser.", "{a}", "b", points=2.5, mediaUrl="/a.mp3"),
                                  question("Snow is cold.", "True", "False", points=1, mediaUrl=None)]
    assert (answer.data["title"], answer.data["durationMinutes"], answer.data["maxAttempts"]) == ("Imported", 9, 0)
    assert (answer.data["shuffle"], answer.data["isPublished"]) == (True, False)
    assert shown(boss, answer.data["id"]) == answer.data and okul.get(f"{PATH}/{answer.data['id']}").status == 404


def test_import_of_comments_that_are_never_closed(boss):
    """Searching for the end of each would take longer than the watchdog waits."""
    answer = boss.post(PATH + "/import", GOOD_IMPORT | {"gift": "[html]" + "<!--" * 200_000 + "{=a ~b}"})
    assert answer.status == 400 and answer.errors == ["gift: line 1: the text of a question must have 1 to 4000 characters"]


def test_import_reports_the_line_of_each_error(boss):
    text = (GIFT / "refused.gift").read_text()
    wanted = [f"gift: {line[2:]}" for line in (GIFT / "refused.txt").read_text().splitlines() if line.startswith("! ")]
    answer = boss.post(PATH + "/import", GOOD_IMPORT | {"gift": text})
    assert answer.status == 400 and answer.errors == wanted
    answer = boss.post(PATH + "/import", GOOD_IMPORT | {"gift": text, "title": "", "levelRanges": [level_range("A1", 1, 100)]})
    assert [e.partition(":")[0] for e in answer.errors] == ["title"] + ["gift"] * len(wanted) + ["levelRanges[0].minScore"]
    answer = boss.post(PATH + "/import", GOOD_IMPORT | {"gift": "\nQ{}"}, language="de")
    assert answer.errors == ["gift: Zeile 2: Freitextfragen werden nicht übernommen"]


def test_import_with_skip_omits_invalid_questions(boss):
    text = (GIFT / "refused.gift").read_text()
    answer = boss.post(PATH + "/import", GOOD_IMPORT | {"gift": text, "skip": True})
    assert answer.status == 201 and [q["text"] for q in answer.data["questions"]] == ["Kept?", "Kept too?"]
    for nothing in ("Q{}", "x", " "):
        answer = boss.post(PATH + "/import", GOOD_IMPORT | {"gift": nothing, "skip": True})
        assert answer.status == 400 and answer.errors[0].startswith("gift: "), answer


def test_import_of_very_many_errors_is_fast(boss):
    for text in ("Q{}\n\n" * 100000, "{" * 900000, "Q{=" + "a~" * 400000 + "}", "[html]Q" + "<" * 800000 + "{T}", "\n" * 400000):
        answer = boss.post(PATH + "/import", GOOD_IMPORT | {"gift": text})
        assert answer.status == 400 and 1 <= len(answer.errors) <= 100, len(answer.errors)


# ---- concurrency


def test_parallel_changes_are_atomic(okul, boss):
    test = made(boss)
    answered(okul, test)
    sets = [[question(f"{n} {i}", "a", "b") for i in range(20)] for n in range(4)]
    answers = all_at_once(4, lambda n: boss.patch(f"{PATH}/{test['id']}", {"title": str(n), "questions": sets[n]}))
    assert [a.status for a in answers] == [200] * 4
    after = shown(boss, test["id"])
    assert all(q["text"] == f"{after['title']} {i}" for i, q in enumerate(after["questions"]))
    assert len(versions(okul, test)) == 2
