"""Placement tests: creating, showing and answering them."""

from helpers.examples import GOOD_TEST

PATH = "/proficiency-tests"


def question(text, *options, **more):
    """A question whose first option is right."""
    return {"text": text, "options": [{"text": o, "isCorrect": i == 0} for i, o in enumerate(options)]} | more


def level_range(level, low, high):
    return {"level": level, "minScore": low, "maxScore": high}


FULL = {
    "title": "Einstufung Deutsch", "description": "Zeile 1\n\n  \"2\"\t'<>&\\ \u2028 😀", "targetLanguage": "pt-BR",
    "durationMinutes": 45, "maxAttempts": 3, "shuffle": True, "isPublished": False,
    "questions": [question("Was? \"\\ \n ,\"isCorrect\":true", "das", "dies,\"isCorrect\":false", "ğ", points=2.5,
                           mediaUrl="https://example.com/a.mp3?x=1"),
                  question("Wo?", "hier", "dort", points=0.1, mediaUrl=None), question("Wer?", "ich", "du")],
    "levelRanges": [level_range("A1", 0, 20), level_range("A1", 21, 33.5), level_range("B2", 33.5, 100)],
}


def made(boss, **fields):
    answer = boss.post(PATH, GOOD_TEST | fields)
    assert answer.status == 201, answer
    return answer.data


def shown(client, id_):
    answer = client.get(f"{PATH}/{id_}")
    assert answer.status == 200, answer
    return answer.data


def asked(test):
    """The questions without what the server adds, as for a request."""
    return [{"text": q["text"], "points": q["points"], "mediaUrl": q["mediaUrl"],
             "options": [{"text": o["text"], "isCorrect": o["isCorrect"]} for o in q["options"]]} for q in test["questions"]]


RANGES = [{"level": "A1", "minScore": 0, "maxScore": 33.33}, {"level": "A2", "minScore": 33.33, "maxScore": 50},
          {"level": "B1", "minScore": 51, "maxScore": 99}, {"level": "C2", "minScore": 100, "maxScore": 100}]


def questions(*points, options=4):
    """Questions with these points; the second option of each is right."""
    return [{"text": f"Q{i} \"\\ ğ", "points": p, "options": [{"text": f"o{i}{o} \"isCorrect\":true", "isCorrect": o == 1}
                                                             for o in range(options)]} for i, p in enumerate(points)]


def answers(test, signs):
    """A sheet for a test, one sign per question: '+' right, '-' wrong, anything else unanswered."""
    return {"answers": [{"questionId": q["id"], "optionId": next(o["id"] for o in q["options"] if o["isCorrect"] == (sign == "+"))}
                        for q, sign in zip(test["questions"], signs) if sign in "+-"]}


def start(who, test):
    return who.post(f"{PATH}/{test['id']}/start")


def first_options(test):
    return {"answers": [{"questionId": q["id"], "optionId": q["options"][0]["id"]} for q in test["questions"]]}
