"""Grading and level ranges of placement tests, compared with an independent model in fractions and decimals, which
was written from the contract, not from the code. Most cases are sent to the grader in bulk, some through the API."""

import json
import math
import random
import re
import subprocess
from decimal import Decimal
from fractions import Fraction

import pytest

from helpers.server import BUILD

LEVELS = ["A1", "A2", "B1", "B2", "C1", "C2"]
STYLES = {"touching": Decimal(0), "one above": Decimal(1)}
HUNDREDTH = Decimal("0.01")
TESTS = 10_000


# ---- the model


def score_of(share):
    """In percent, rounded to 2 decimals, half up."""
    return Decimal(math.floor(share * 10_000 + Fraction(1, 2))) / 100


def level_of(score, ranges):
    """The level of the last range whose minScore is not above the score."""
    return [r["level"] for r in ranges if r["minScore"] <= score][-1]


def first_bad(ranges):
    """The index of the first invalid range, or None: ranges must ascend from 0 to 100, and each must start where the
    one before ends or 1 above that."""
    for i, here in enumerate(ranges):
        low, high = here["minScore"], here["maxScore"]
        before = ranges[i - 1] if i else None
        if low > high or not before and low != 0 or here is ranges[-1] and high != 100:
            return i
        if before and (low not in (before["maxScore"], before["maxScore"] + 1) or low <= before["minScore"]):
            return i
    return None


def points_of(question):
    return question.get("points", Decimal(1))


def share(test, picked):
    """Points scored / points possible; `picked` has the index of the chosen option for each question, None for no
    answer."""
    return Fraction(sum(map(points_of, right_ones(test, picked)))) / Fraction(sum(map(points_of, test["questions"])))


def right_ones(test, picked):
    return [q for q, option in zip(test["questions"], picked)
            if option is not None and q["options"][option]["isCorrect"]]


def grade(test, picked):
    score = score_of(share(test, picked))
    return {"score": score, "correct": len(right_ones(test, picked)), "questions": len(test["questions"]),
            "level": level_of(score, test["levelRanges"])}


# ---- tests and sheets


def ranges_from(starts, style, levels=LEVELS):
    """Ranges that start at these scores, the first of which is 0."""
    ends = [start - STYLES[style] for start in starts[1:]] + [Decimal(100)]
    return [{"level": level, "minScore": low, "maxScore": high} for level, low, high in zip(levels, starts, ends)]


def identity(chance):
    return f"{chance.getrandbits(96):024x}"


def question(chance, points, options):
    right = chance.randrange(options)
    made = {"id": identity(chance), "points": points,
            "options": [{"id": identity(chance), "isCorrect": i == right} for i in range(options)]}
    return made if points is not None else {k: v for k, v in made.items() if k != "points"}


def test_of(chance, points, ranges=None):
    return {"questions": [question(chance, p, chance.choice([2, 3, 4, 4, 5, 10])) for p in points],
            "levelRanges": ranges or ranges_from([Decimal(0)], "touching")}


test_of.__test__ = False    # not a test function


def starts_of(test):
    return [r["minScore"] for r in test["levelRanges"]]


def right_option(question_):
    return next(i for i, option in enumerate(question_["options"]) if option["isCorrect"])


def sheet_with(test, right):
    """Answers to all questions: those with these indexes right, the others wrong."""
    return [(right_option(q) + (i not in right)) % len(q["options"]) for i, q in enumerate(test["questions"])]


def answers(test, picked):
    """The answers as AnswerDto[]."""
    return [{"questionId": q["id"], "optionId": q["options"][option]["id"]}
            for q, option in zip(test["questions"], picked) if option is not None]


def random_points(chance):
    """Points in usual and unusual notation: 3, 0.5, 2.50, 1E+2, 7.1e-5."""
    kind = chance.randrange(10)
    if kind < 3:
        return None if kind == 0 else Decimal(1)
    if kind < 6:
        return chance.choice([Decimal(chance.randint(1, 1000)), Decimal(chance.randint(1, 9)).scaleb(2)])
    if kind < 9:
        return Decimal(chance.randint(1, 9999)).scaleb(-chance.randint(1, 6))
    return Decimal(chance.randint(1, 10 ** 15)).scaleb(-12)


def points_with_halves(chance, count):
    """Points with a sum such that scores end in half a hundredth."""
    total = chance.choice([t for t in (16, 32, 80, 96, 160, 400, 480, 800, 1600, 4000) if t >= count])
    cuts = [0, *sorted(chance.sample(range(1, total), count - 1)), total]
    unit = chance.choice(["1", "0.5", "0.1", "0.01"] if total <= 1000 else ["0.25", "0.1", "0.01"])
    return [(b - a) * Decimal(unit) for a, b in zip(cuts, cuts[1:])]


def random_starts(chance, scores, style):
    """Starts of ranges: at scores that sheets reach, and next to them."""
    near = {score + d for score in scores for d in (-HUNDREDTH, Decimal(0), HUNDREDTH)}
    near.add(Decimal(chance.randint(1, 99)))
    starts = [Decimal(0)]
    for start in sorted(chance.sample(sorted(near), min(len(near), 8)))[:5]:
        if starts[-1] < start <= 100 and start - STYLES[style] >= starts[-1]:
            starts.append(start)
    return starts


def random_case(chance):
    """A test with four sheets; ranges start near their scores."""
    count = chance.choice([1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10, 12, chance.randint(13, 40)])
    test = test_of(chance, points_with_halves(chance, count) if chance.random() < 0.3
                   else [random_points(chance) for _ in range(count)])
    sheets = [[None if chance.random() < 0.15 else right_option(q) if chance.random() < 0.5
               else chance.randrange(len(q["options"])) for q in test["questions"]] for _ in range(2)]
    sheets += [sheet_with(test, {i for i in range(count) if chance.random() < p}) for p in (0.3, 0.7)]
    scores = [score_of(share(test, picked)) for picked in sheets]
    style = chance.choice(sorted(STYLES))
    levels = LEVELS if chance.random() < 0.8 else chance.choices(LEVELS, k=6)     # several ranges may share one
    test["levelRanges"] = ranges_from(random_starts(chance, scores, style), style, levels)
    return test, sheets


# ---- the grader without a web server


def as_json(value):
    """JSON in which decimals keep their notation."""
    return re.sub(r'"@([^"]*)@"', r"\1", json.dumps(value, default=lambda decimal: f"@{decimal}@"))


def run(cases):
    """The output of the grader for (test, lists of AnswerDto)."""
    lines = "\n".join(as_json(test | {"sheets": sheets}) for test, sheets in cases)
    done = subprocess.run([BUILD / "tests" / "grade"], input=lines, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and not done.stderr, done
    read = [json.loads(line, parse_float=Decimal, parse_int=Decimal) for line in done.stdout.splitlines()]
    assert len(read) == len(cases)
    return read


def check_grades(cases, chance=None):
    """Grades all sheets of all tests, with shuffled answers, and compares each with the model."""
    given = [(test, [answers(test, picked) for picked in sheets]) for test, sheets in cases]
    for _, sheets in given if chance else []:
        for sheet in sheets:
            chance.shuffle(sheet)
    for (test, sheets), graded in zip(cases, run(given)):
        assert graded["faults"] == [], f"{graded['faults']}: {as_json(test)}"
        for picked, got in zip(sheets, graded["sheets"], strict=True):
            chosen = bytes(0 if option is None else option + 1 for option in picked).hex()
            expected = {"faults": []} | grade(test, picked) | {"chosen": chosen}
            assert got == expected, f"{got}, not {expected}: {picked} of {as_json(test)}"


def test_random_tests_are_graded_like_the_model():
    chance = random.Random(1951)
    cases = [random_case(chance) for _ in range(TESTS)]
    sample = [(test, picked) for test, sheets in cases[:1000] for picked in sheets]
    assert sum(share(*case) * 20_000 % 2 == 1 for case in sample) > 100, "scores with half a hundredth to round"
    assert sum(grade(*case)["score"] in starts_of(case[0])[1:] for case in sample) > 500, "scores where a range starts"
    check_grades(cases, chance)


@pytest.mark.parametrize("style", STYLES)
def test_every_possible_score(style):
    """Fourteen questions whose points add up to each of 0.00, 0.01, ... 100.00, with fractional starts of ranges."""
    chance = random.Random(1937)
    points = [2 ** i for i in range(13)] + [10_000 - 8191]
    test = test_of(chance, [p * HUNDREDTH for p in points])

    def winning(hundredths):
        last = hundredths > 8191
        rest = hundredths - points[-1] * last
        return sheet_with(test, {i for i in range(13) if rest >> i & 1} | ({13} if last else set()))
    sheets = [winning(score) for score in range(10_001)]
    assert [score_of(share(test, s)) for s in sheets] == [Decimal(n) / 100 for n in range(10_001)]
    starts = {"touching": "0 20 33.33 50.01 66.67 99.99", "one above": "0 21 34.33 57.29 80.3 100"}[style]
    test["levelRanges"] = ranges_from([Decimal(start) for start in starts.split()], style)
    check_grades([(test, sheets)])


def test_rounding_next_to_half_a_hundredth():
    """Two questions with 1,000 points in total and fifteen digits each: exactly half a hundredth, and 1E-12 beside it."""
    chance = random.Random(1905)
    cases = []
    for half in chance.sample(range(1, 20_000, 2), 1000):
        for delta in ("-1E-12", "0", "1E-12"):
            first = half * Decimal("0.05") + Decimal(delta)
            test = test_of(chance, [first, 1000 - first])
            cases.append((test, [sheet_with(test, {0}), sheet_with(test, {1})]))
    check_grades(cases)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("count", [1, 2, 3, 6, 7, 11, 12, 37, 100, 160, 200])
def test_every_number_of_right_answers_with_equal_points(style, count):
    """With several values of the points."""
    chance = random.Random(count)
    starts = {"touching": (0, 20, 40, 60, 80, 95), "one above": (0, 21, 41, 61, 81, 96)}[style]
    ranges = ranges_from([Decimal(start) for start in starts], style)
    cases = []
    for points in (None, Decimal("0.1"), Decimal("0.3333333"), Decimal("1E-9")):
        test = test_of(chance, [points] * count, ranges)
        cases.append((test, [sheet_with(test, set(range(won))) for won in range(count + 1)]))
    check_grades(cases)


def test_unknown_and_duplicate_answers_are_errors():
    chance = random.Random(1968)
    test = test_of(chance, [None, None, None])
    good = answers(test, [0, 1, None])
    first, second = good
    sheets = [
        [first, first], [first, first | {"optionId": test["questions"][0]["options"][1]["id"]}],
        [second, {"questionId": identity(chance), "optionId": first["optionId"]}],
        [first | {"optionId": second["optionId"]}], [first | {"optionId": first["questionId"]}],
        [first, second | {"optionId": identity(chance)}],
    ]
    places = [["answers[1].questionId"], ["answers[1].questionId"], ["answers[1].questionId"], ["answers[0].optionId"],
              ["answers[0].optionId"], ["answers[1].optionId"]]
    graded, = run([(test, [good, *sheets])])
    assert graded["sheets"][0]["faults"] == []
    assert [[f.partition(":")[0] for f in s["faults"]] for s in graded["sheets"][1:]] == places


# ---- level ranges


def modified(chance, ranges):
    """The ranges with random changes, some of which are valid."""
    ranges = [dict(r) for r in ranges]
    for _ in range(chance.choice([1, 1, 1, 2])):
        at, end = chance.choice(ranges), chance.choice(["minScore", "maxScore"])
        change = chance.choice(["0.01", "-0.01", "1", "-1", "0.000001", "2", "-2", "0.99", "10"])
        at[end] = min(max(at[end] + Decimal(change), Decimal(0)), Decimal(100))
    if chance.random() < 0.1:
        chance.shuffle(ranges)
    if chance.random() < 0.1 and len(ranges) > 1:
        ranges.remove(chance.choice(ranges))
    return ranges


def test_ranges_are_validated_like_the_model():
    chance = random.Random(1986)
    cases = []
    for _ in range(TESTS):
        style = chance.choice(sorted(STYLES))
        scores = {Decimal(chance.randint(1, 10_000)) / 100 if chance.random() < 0.5 else Decimal(chance.randint(1, 100))
                  for _ in range(chance.randint(0, 4))}
        ranges = ranges_from(random_starts(chance, scores, style), style)
        cases.append((test_of(chance, [None], ranges if chance.random() < 0.2 else modified(chance, ranges)), []))
    expected = [first_bad(test["levelRanges"]) for test, _ in cases]
    assert 2000 < expected.count(None) < 8000, "valid and invalid ranges"
    for (test, _), graded, bad in zip(cases, run(cases), expected):
        places = [int(re.match(r"levelRanges\[(\d+)\]\.(minScore|maxScore): ", f)[1]) for f in graded["faults"]]
        first = None if not places else places[0]
        assert first == bad, f"{bad} is bad: {graded['faults']}: {as_json(test['levelRanges'])}"


@pytest.mark.parametrize("ranges, bad", [
    ("0-20 20-40 40-100", None), ("0-20 21-40 41-100", None), ("0-20 20-40 41-100", None), ("0-100", None),
    ("0-33.3 34.3-66.6 67.6-100", None), ("0-8.1 9.1-16.2 17.2-33.7 34.7-100", None), ("0-99 100-100", None),
    ("0-20 20.5-100", 1), ("0-20 22-100", 1), ("0-20 19-100", 1), ("0-20 20-40 39.99-100", 2), ("0-20 20.99-100", 1),
    ("0-20 21.01-100", 1), ("1-100", 0), ("0-99", 0), ("0-20 20-99.99", 1), ("0-40 30-100", 1), ("20-100 0-20", 0),
    ("0-60 61-40 40-100", 1), ("0-20 0-20 20-100", 1), ("0.01-100", 0), ("0-20 21.0000000005-100", 1),
    ("0-20 20.999999999999-100", 1),
])
def test_typical_valid_and_invalid_ranges(ranges, bad):
    pairs = [map(Decimal, pair.split("-")) for pair in ranges.split()]
    ranges = [{"level": level, "minScore": low, "maxScore": high} for level, (low, high) in zip(LEVELS, pairs)]
    assert first_bad(ranges) == bad, "the model itself"
    graded, = run([(test_of(random.Random(1), [None], ranges), [])])
    assert [f.partition(".")[0] for f in graded["faults"]][:1] == ([] if bad is None else [f"levelRanges[{bad}]"])


# ---- the same through the API


@pytest.fixture(scope="module")
def boss(okul):
    return okul.staff("admin")


def as_body(test):
    """CreateProficiencyTestDto, with texts instead of ids."""
    questions = [{k: v for k, v in q.items() if k != "id"} | {
        "text": f"Question {i}", "options": [{"text": f"Option {i}.{j}", "isCorrect": o["isCorrect"]} for j, o in
                                             enumerate(q["options"])]} for i, q in enumerate(test["questions"])]
    return as_json({"title": "Of the model", "targetLanguage": "en", "maxAttempts": 0, "questions": questions,
                    "levelRanges": test["levelRanges"]}).encode()


def check_result(data, test, picked):
    expected = grade(test, picked)
    assert (data["totalScore"], data["correctCount"], data["questionCount"], data["level"]) == \
        (float(expected["score"]), expected["correct"], expected["questions"], expected["level"]), (data, picked)
    assert [(a["questionText"], a["optionText"], a["isCorrect"], a["points"]) for a in data["answers"]] == [
        (f"Question {i}", f"Option {i}.{option}", q["options"][option]["isCorrect"],
         float(points_of(q)) if q["options"][option]["isCorrect"] else 0)
        for i, (q, option) in enumerate(zip(test["questions"], picked)) if option is not None]


def test_submitted_tests_are_graded_like_the_model(okul, boss):
    chance = random.Random(2026)
    learner = okul.registered()
    for _ in range(100):
        test, sheets = random_case(chance)
        made = boss.request("POST", "/proficiency-tests", body=as_body(test))
        assert made.status == 201, made
        for picked in filter(any_answer, sheets):
            given = answers(made.data, picked)
            chance.shuffle(given)
            answer = learner.post(f"/proficiency-tests/{made.data['id']}/submit", {"answers": given})
            assert answer.status == 201, answer
            check_result(answer.data, test, picked)
        check_result(learner.get(f"/proficiency-tests/results/{answer.data['id']}").data, test, picked)


def any_answer(picked):
    return any(option is not None for option in picked)


def test_the_api_validates_ranges_like_the_model(boss):
    chance = random.Random(1904)
    for _ in range(200):
        style = chance.choice(sorted(STYLES))
        scores = {Decimal(chance.randint(1, 10_000)) / 100 for _ in range(chance.randint(1, 4))}
        ranges = modified(chance, ranges_from(random_starts(chance, scores, style), style))
        answer = boss.request("POST", "/proficiency-tests", body=as_body(test_of(chance, [None], ranges)))
        bad = first_bad(ranges)
        if bad is None:
            assert answer.status == 201, answer
            assert answer.data["levelRanges"] == json.loads(as_json(ranges))
        else:
            assert answer.status == 400 and answer.errors[0].startswith(f"levelRanges[{bad}]."), answer
