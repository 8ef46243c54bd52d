"""Item statistics of placement tests, compared with their textbook formulas in fractions, and with Python's
statistics module."""

import math
import random
import statistics
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest

from helpers import contract
from helpers.database import blob

NOBODYS = "0" * 24
PATH = "/proficiency-tests/{}/statistics"


@pytest.fixture(scope="module")
def boss(okul):
    return okul.staff("admin")


# ---- the model


def sqrt(fraction):
    with localcontext() as context:
        context.prec = 60
        return (Decimal(fraction.numerator) / Decimal(fraction.denominator)).sqrt()


def correlation(xs, ys):
    """Pearson's correlation of exact numbers; None if one of the lists does not vary."""
    n = len(xs)
    x, y = Fraction(sum(xs), n), Fraction(sum(ys), n)
    products = sum((a - x) * (b - y) for a, b in zip(xs, ys))
    squares = sum((a - x) ** 2 for a in xs) * sum((b - y) ** 2 for b in ys)
    return float(math.copysign(sqrt(products ** 2 / squares), products)) if squares else None


class Model:
    """Points are texts; right options and the options in sheets are numbers from 1, 0 in a sheet is no answer."""

    def __init__(self, points, right, sheets):
        self.n, self.k, self.right, self.sheets = len(sheets), len(points), right, sheets
        self.won = [[Fraction(p) if option == r else Fraction(0) for p, option, r in zip(points, sheet, right)]
                    for sheet in sheets]
        self.possible = sum(map(Fraction, points))
        self.totals = [sum(row) for row in self.won]
        self.scores = [total / self.possible * 100 for total in self.totals]

    def column(self, i):
        return [row[i] for row in self.won]

    def mean(self):
        return float(statistics.mean(self.scores)) if self.n else None

    def deviation(self):
        return float(sqrt(statistics.variance(self.scores))) if self.n > 1 else None

    def alpha(self):
        if self.k < 2 or self.n < 2 or not statistics.variance(self.totals):
            return None
        items = sum(statistics.variance(self.column(i)) for i in range(self.k))
        return Fraction(self.k, self.k - 1) * (1 - items / statistics.variance(self.totals))

    def error(self):
        alpha = self.alpha()
        return None if alpha is None else float(sqrt(statistics.variance(self.scores) * (1 - alpha)))

    def difficulty(self, i):
        return sum(sheet[i] == self.right[i] for sheet in self.sheets) / self.n if self.n else None

    def discrimination(self, i):
        return correlation(self.column(i), [t - x for t, x in zip(self.totals, self.column(i))]) if self.n else None


def near(figure, expected):
    if figure is None or expected is None:
        return figure is expected
    return abs(figure - expected) <= 1e-9 * max(1, abs(expected))


def check(data, model):
    """Compares every figure of a response with the model."""
    assert data["attempts"] == model.n and data["isReliable"] is (model.n >= 30)
    for name, expected in (("mean", model.mean()), ("standardDeviation", model.deviation()),
                           ("cronbachAlpha", model.alpha()), ("standardErrorOfMeasurement", model.error())):
        assert near(data[name], expected), f"{name}: {data[name]}, not {expected}"
    assert [q["order"] for q in data["questions"]] == list(range(model.k))
    for i, question in enumerate(data["questions"]):
        for name in ("difficulty", "discrimination"):
            expected = getattr(model, name)(i)
            assert near(question[name], expected), f"{name} of {i}: {question[name]}, not {expected}"
        column = [sheet[i] for sheet in model.sheets]
        assert question["unanswered"] == column.count(0)
        for number, option in enumerate(question["options"], 1):
            assert option["chosen"] == column.count(number) and option["isCorrect"] is (number == model.right[i])


# ---- tests and results


class Quiz:
    """A test with options 1 to 4 for each question, the second of which is right by default."""

    def __init__(self, boss, points, right=None, **more):
        self.boss, self.points, self.right = boss, points, right or [2] * len(points)
        self.sheets, self.attempt = [], 0
        answer = boss.post("/proficiency-tests", {
            "title": "Einstufung", "targetLanguage": "de", "questions": self.asked(), "maxAttempts": 0,
            "levelRanges": [{"level": "A1", "minScore": 0, "maxScore": 100}]} | more)
        assert answer.status == 201, answer
        self.data = answer.data

    @property
    def id(self):
        return self.data["id"]

    def asked(self):
        """QuestionDto[]"""
        return [{"text": f"Frage {i}: \"ğ\" & 'ß'", "points": float(points),
                 "options": [{"text": f"Antwort {i}.{j}", "isCorrect": j == right} for j in range(1, 5)]}
                for i, (points, right) in enumerate(zip(self.points, self.right))]

    def change(self, **fields):
        answer = self.boss.patch(f"/proficiency-tests/{self.id}", fields)
        assert answer.status == 200, answer
        self.data = answer.data

    def submit(self, sheets):
        """Submits sheets through the API, which rejects empty ones."""
        for sheet in sheets:
            answers = [{"questionId": question["id"], "optionId": question["options"][option - 1]["id"]}
                       for question, option in zip(self.data["questions"], sheet) if option]
            answer = self.boss.post(f"/proficiency-tests/{self.id}/submit", {"answers": answers})
            assert answer.status == 201, answer
            self.sheets.append(sheet)
        self.attempt += len(sheets)
        return answer.data

    def fill(self, sheets):
        """Inserts sheets as rows of the database."""
        if not sheets:
            return
        values = ", ".join(f"({self.attempt + i}, {blob(bytes(sheet))})" for i, sheet in enumerate(sheets, 1))
        self.boss.okul.server.sql(f"""WITH sheet (attempt, chosen) AS (VALUES {values})
            INSERT INTO result (id, user_pk, test, version, attempt, total_score, correct_count, question_count, level,
                    target_language, completed_at, chosen)
                SELECT lower(hex(randomblob(12))), (SELECT pk FROM users WHERE id = '{self.boss.id}'), pk, version,
                    sheet.attempt, 0, 0, 1, 'A1', 'de', 1, sheet.chosen
                FROM sheet, test WHERE test.id = '{self.id}'""")
        self.sheets += sheets
        self.attempt += len(sheets)

    def model(self):
        return Model(self.points, self.right, self.sheets)


def figures(boss, quiz):
    answer = boss.get(PATH.format(quiz.id))
    assert answer.status == 200, answer
    assert answer.data["testId"] == quiz.id
    return answer.data


# ---- figures


def latent_trait(chance, learners, questions):
    """
    Sheets of learners with normally distributed ability (logistic model with guessing: A. Birnbaum in
    Lord & Novick 1968): each question has a difficulty, a slope, and four options to guess among.
    """
    right = [chance.randint(1, 4) for _ in range(questions)]
    items = [(chance.gauss(0, 1.2), chance.uniform(0.4, 2.2)) for _ in range(questions)]

    def pick(ability, correct, difficulty, slope):
        if chance.random() < 1 / (1 + math.exp(-1.7 * slope * (ability - difficulty))):
            return correct
        return 0 if chance.random() < 0.1 else chance.randint(1, 4)
    abilities = [chance.gauss(0, 1) for _ in range(learners)]
    return right, [[pick(ability, r, *item) for r, item in zip(right, items)] for ability in abilities]


def test_a_school_of_five_hundred(boss):
    chance = random.Random(1968)
    right, sheets = latent_trait(chance, 500, 40)
    points = [chance.choice(["1", "1", "2", "0.5", "2.75", "0.1", "10"]) for _ in right]
    for sheet in sheets:        # one question all answer right, one all answer wrong, one nobody answers
        sheet[3], sheet[17], sheet[39] = right[3], right[17] % 4 + 1, 0
    quiz = Quiz(boss, points, right)
    quiz.fill(sheets)
    data = figures(boss, quiz)
    assert list(data) == [f.name for f in contract.shapes["ProficiencyTestStatisticsResponseDto"]]
    for question, asked in zip(data["questions"], quiz.data["questions"], strict=True):
        assert list(question) == [f.name for f in contract.shapes["QuestionStatisticsDto"]]
        assert (question["id"], question["text"]) == (asked["id"], asked["text"])
        for option, offered in zip(question["options"], asked["options"], strict=True):
            assert list(option) == [f.name for f in contract.shapes["OptionStatisticsDto"]]
            assert {name: option[name] for name in offered} == offered
    model = quiz.model()
    check(data, model)
    assert data["isReliable"] and 0.5 < data["cronbachAlpha"] < 1
    assert [q["discrimination"] for q in data["questions"]].count(None) == 3
    # the model compared with Python's statistics module
    for i in (0, 20, 38):
        column = [float(x) for x in model.column(i)]
        rest = [float(t) - x for t, x in zip(model.totals, column)]
        assert math.isclose(data["questions"][i]["discrimination"], statistics.correlation(column, rest), abs_tol=1e-9)
    assert math.isclose(data["standardDeviation"], statistics.stdev(map(float, model.scores)), abs_tol=1e-9)


def test_kuder_and_richardson(boss):
    """With equal points alpha is KR-20."""
    right, sheets = latent_trait(random.Random(1937), 60, 12)
    quiz = Quiz(boss, ["3"] * 12, right)
    quiz.fill(sheets)
    data = figures(boss, quiz)
    correct = [sum(a == b for a, b in zip(sheet, right)) for sheet in sheets]
    p = [Fraction(sum(sheet[i] == right[i] for sheet in sheets), 60) for i in range(12)]
    kr20 = Fraction(12, 11) * (1 - sum(x * (1 - x) for x in p) / statistics.pvariance(map(Fraction, correct)))
    assert near(data["cronbachAlpha"], kr20)
    check(data, quiz.model())


@pytest.mark.parametrize("name, points, sheets", [
    ("no attempt", ["1", "1"], []),
    ("one attempt", ["1", "1"], [[2, 1]]),
    ("two that are the same", ["1", "2"], [[2, 1], [2, 1]]),
    ("two that differ in no points", ["1", "2"], [[1, 2], [3, 2]]),
    ("a single question", ["5"], [[2], [1], [2]]),
    ("only one question differs", ["1", "1", "1"], [[2, 1, 2], [2, 2, 2], [2, 0, 2]]),
    ("totals that only their rounding tells apart", ["0.1", "0.2", "0.3"], [[2, 2, 1], [1, 1, 2], [2, 2, 1]]),
    ("questions that contradict each other", ["2", "1"], [[2, 1], [1, 2], [2, 1]]),
    ("a large question and small ones", ["1000", "0.001", "0.002"], [[2, 2, 1], [1, 1, 2], [2, 2, 2], [2, 0, 0]]),
    ("29 attempts", ["1", "2"], [[2, 1], [2, 2]] * 14 + [[0, 0]]),
    ("30 attempts", ["1", "2"], [[2, 1], [2, 2], [0, 0]] * 10),
])
def test_figures_of_edge_cases(boss, name, points, sheets):
    quiz = Quiz(boss, points)
    quiz.fill(sheets)
    check(figures(boss, quiz), quiz.model())


# ---- which results count


def test_a_new_title_keeps_the_figures_and_new_questions_reset_them(boss):
    quiz, other = Quiz(boss, ["1", "1", "2"]), Quiz(boss, ["1", "1", "2"])
    # one user may submit a test 20 times a day
    sheets = [sheet for sheet in latent_trait(random.Random(7), 50, 3)[1] if any(sheet)][:16]
    quiz.submit(sheets[:8])
    other.submit([[2, 2, 2]])
    quiz.change(title="Einstufungstest", targetLanguage="nl")
    check(figures(boss, quiz), quiz.model())
    quiz.submit(sheets[8:12])
    quiz.change(levelRanges=[{"level": "A2", "minScore": 0, "maxScore": 100}])
    quiz.submit(sheets[12:])
    check(figures(boss, quiz), quiz.model())
    versions = f"SELECT count(DISTINCT version) FROM result WHERE test = (SELECT pk FROM test WHERE id = '{quiz.id}')"
    assert boss.okul.server.sql(versions).split()[-1] == "3" and figures(boss, quiz)["attempts"] == 16
    quiz.points, quiz.right, quiz.sheets = ["1", "2"], [4, 1], []
    quiz.change(questions=quiz.asked())
    data = figures(boss, quiz)
    check(data, quiz.model())
    assert data["attempts"] == 0 and [q["id"] for q in data["questions"]] == [q["id"] for q in quiz.data["questions"]]
    quiz.submit([[4, 1], [2, 0], [4, 0]])
    check(figures(boss, quiz), quiz.model())


def test_a_deleted_result_does_not_count(boss):
    quiz = Quiz(boss, ["1", "2"])
    quiz.submit([[2, 1], [0, 2]])
    result = quiz.submit([[2, 2]])
    check(figures(boss, quiz), quiz.model())
    assert boss.delete(f"/proficiency-tests/admin/results/{result['id']}").status == 200
    quiz.sheets.pop()
    check(figures(boss, quiz), quiz.model())


def test_results_outlive_their_test_but_their_figures_do_not(boss):
    quiz = Quiz(boss, ["1", "2"])
    quiz.submit([[2, 1]])
    assert boss.delete(f"/proficiency-tests/{quiz.id}").status == 200
    assert boss.get(PATH.format(quiz.id)).status == 404


# ---- access


def test_a_draft_has_figures_too(boss):
    quiz = Quiz(boss, ["1", "2"], isPublished=False)
    quiz.submit([[2, 1], [2, 2]])
    check(figures(boss, quiz), quiz.model())


def test_figures_of_an_unknown_test(boss):
    assert boss.get(PATH.format(NOBODYS)).status == 404
    answer = boss.get(PATH.format("1"))
    assert answer.status == 400 and answer.errors == ["id: must be 24 hexadecimal digits"]


def test_statistics_are_visible_to_admins_only(okul, boss):
    quiz = Quiz(boss, ["1"])
    assert okul.registered().get(PATH.format(quiz.id)).status == 403
    assert okul.get(PATH.format(quiz.id)).status == 401
