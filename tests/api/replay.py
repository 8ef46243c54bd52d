"""The same requests, sent to a server on SQLite and to one on PostgreSQL, get the same responses: but for ids, times and
tokens. OKUL_REPLAY is the number of requests (`make replay`)."""

import json
import os
import random
import re

import pytest

from helpers import postgres
from helpers.client import Okul, REGISTRATION
from helpers.placement import RANGES
from helpers.samples import png
from helpers.server import Server

pytestmark = pytest.mark.postgres

COUNT = int(os.environ.get("OKUL_REPLAY", "500"))
LANGUAGES = ("tr", "en", "es", "de")
LEVELS = ("A1", "A2", "B1", "B2", "C1", "C2")
WORDS = ("Kurs", "İstanbul", "ışık", "Straße", "Ünite", "Niño", "Москва", "Ödev", "a", "b", "Ele", "mentary", "100%", "under_score", "back\\slash",
         "Ağaç", "Ælf", "naïve", "x' OR 1", '"quoted"')
SEARCHES = ("a", "ku", "kurs", "istanbul", "isik", "strasse", "unite", "100%", "_", "\\", "'", '"', "москва", "nothing at all", "ç ğ", "kurs a",
            "example.com", "ada")
NOBODYS = "0" * 24
VARIES = re.compile(r"\b[0-9a-f]{24}\b|\d{4}-\d\d-\d\dT[\d:.]+Z|eyJ[\w.-]+|(?:expires|signature)=[^&\"]*|\b\d{13}\b")
HEADERS = ("Content-Type", "Cache-Control", "Content-Language", "Content-Disposition", "Allow", "Vary")


class Side:
    """One of the two servers: its people, and the ids of what was made on it, in the order of making."""

    def __init__(self, okul):
        self.okul, self.ids, self.people, self.seen = okul, {}, {}, {}

    def people_of(self, roles):
        for name, role, language in roles:
            address = f"{name}@example.com"
            self.okul.server.ctl("user", "add", address, "--role", role, "--language", language)
            person = self.people[name] = self.okul.login(address)
            if role == "user":
                person.post("/auth/registration/complete", REGISTRATION | {"name": name.title(), "surname": "Şen"})
            self.ids.setdefault("user", []).append(person.id)

    def fill(self, text):
        """Puts ids in the place of {course:3}, the third course from the end or so."""
        def one(match):
            made = self.ids.get(match[1], [])
            return made[int(match[2]) % len(made)] if made else NOBODYS
        return re.sub(r"\{(\w+):(\d+)\}", one, text)

    def send(self, request):
        body = json.loads(self.fill(json.dumps(request["body"]))) if request["body"] is not None else None
        sender = self.people.get(request["who"]) or self.okul
        more = {"language": request["language"]} | ({"body": request["form"][1], "content_type": request["form"][0]} if request["form"] else {})
        answer = sender.request(request["method"], self.fill(request["path"]), body, **more)
        if answer.status == 201 and request["makes"] and answer.data and "id" in answer.data:
            self.ids.setdefault(request["makes"], []).append(answer.data["id"])
            for question in answer.data.get("questions", []):
                self.ids.setdefault("question", []).append(question["id"])
                self.ids.setdefault("option", []).append(question["options"][0]["id"])
        return answer

    def plain(self, answer):
        """A response without what differs from server to server: each id is the number of its first appearance."""
        def one(match):
            return match[0] if match[0] == NOBODYS else f"#{self.seen.setdefault(match[0], len(self.seen))}" if len(match[0]) == 24 and "T" not in match[0] else "~"
        body = answer.body.decode("utf-8", "replace")
        if answer.json:
            body = json.dumps(answer.json, ensure_ascii=False)
        return answer.status, [answer.headers.get(name) for name in HEADERS], VARIES.sub(one, body.replace(f":{self.okul.server.port}", ""))


class Maker:
    """Requests, made of chance."""

    def __init__(self, seed):
        self.chance = random.Random(seed)

    def text(self, most=3):
        return " ".join(self.chance.choice(WORDS) for _ in range(self.chance.randint(1, most)))

    def of(self, kind):
        return f"{{{kind}:{self.chance.randrange(50)}}}" if self.chance.random() < .95 else NOBODYS

    def page(self, sorts):
        parts = []
        if self.chance.random() < .6:
            parts.append(f"page={self.chance.choice((1, 1, 2, 3, 50))}&limit={self.chance.choice((1, 2, 5, 20, 100))}")
        if self.chance.random() < .6:
            parts.append("sort=" + self.chance.choice(("", "-")) + self.chance.choice(sorts))
        if self.chance.random() < .5:
            parts.append("search=" + "".join(f"%{byte:02x}" for byte in self.chance.choice(SEARCHES).encode()))
        return "&".join(parts)

    def bad(self, body):
        """Sometimes one field is wrong."""
        if body and self.chance.random() < .12:
            name = self.chance.choice(list(body))
            body = body | {name: self.chance.choice((None, 7, "", "x" * 3000, [], {}, True, -1))}
        return body

    def course(self):
        return self.bad({"title": self.text(), "language": self.chance.choice(LANGUAGES), "description": self.text(8),
                         "level": self.chance.choice(LEVELS), "price": self.chance.choice((0, 10, 12.5, 99.99, 0.1)),
                         "order": self.chance.randint(0, 5), "isPublished": self.chance.random() < .7})

    def test(self):
        questions = [{"text": self.text(5), "points": self.chance.choice((0.5, 1, 2.25)),
                      "options": [{"text": self.text(), "isCorrect": i == 0} for i in range(self.chance.randint(2, 4))]}
                     for _ in range(self.chance.randint(1, 4))]
        return self.bad({"title": self.text(), "targetLanguage": self.chance.choice(("en", "de", "EN", "sw")), "description": self.text(6),
                         "questions": questions, "levelRanges": RANGES, "maxAttempts": self.chance.choice((0, 1, 3)),
                         "isPublished": self.chance.random() < .8})

    def next(self):
        chance, of = self.chance, self.of
        contact = {"fullName": self.text(2), "email": f"c{chance.randrange(9)}@example.com", "subject": self.text(2), "message": self.text(9),
                   "source": chance.choice(("web", "app", "phone"))}
        profile = {"name": self.text(1), "surname": self.text(1), "bio": self.text(6), "interests": [self.text(1)], "username": f"u{chance.randrange(40)}",
                   "timezone": chance.choice(("Europe/Berlin", "UTC", "Mars/Base"))}
        choices = (
            ("POST", "/courses", self.course(), "course"), ("PATCH", f"/courses/{of('course')}", {k: v for k, v in self.course().items() if chance.random() < .4}, None),
            ("GET", "/courses?" + self.page(("title", "price", "order", "createdAt")), None, None), ("GET", f"/courses/{of('course')}", None, None),
            ("POST", f"/courses/{of('course')}/duplicate", None, "course"), ("DELETE", f"/courses/{of('course')}", None, None),
            ("GET", f"/courses?language={chance.choice(LANGUAGES)}&level={chance.choice(LEVELS)}&" + self.page(("title", "price")), None, None),
            ("GET", "/users?" + self.page(("name", "createdAt", "email")), None, None), ("GET", f"/users/{of('user')}", None, None),
            ("GET", "/users?format=csv", None, None),
            ("PATCH", "/me", self.bad({k: v for k, v in profile.items() if chance.random() < .4}), None), ("GET", "/me", None, None),
            ("PATCH", f"/admin/users/{of('user')}/profile", {k: v for k, v in profile.items() if chance.random() < .4}, None),
            ("GET", "/me/export", None, None), ("GET", "/auth/sessions", None, None), ("GET", "/auth/registration/status", None, None),
            ("POST", "/contact", self.bad(contact), "contact"), ("GET", "/contact?" + self.page(("fullName", "createdAt", "name")), None, None),
            ("GET", f"/contact?status={chance.choice(('PENDING', 'REPLIED', 'X'))}&source=web", None, None),
            ("PATCH", f"/contact/{of('contact')}/status", {"status": chance.choice(("PENDING", "REPLIED"))}, None),
            ("DELETE", f"/contact/{of('contact')}", None, None),
            ("POST", "/settings", self.bad({"key": f"home.{chance.randrange(5)}", "value": chance.choice((1, 1.5, "ğ", [1, None], {"a": 1e20})),
                                            "isPublic": chance.random() < .5}), None), ("GET", f"/settings/home.{chance.randrange(6)}", None, None),
            ("POST", "/proficiency-tests", self.test(), "test"), ("GET", "/proficiency-tests?" + self.page(("title", "createdAt")), None, None),
            ("PATCH", f"/proficiency-tests/{of('test')}", {k: v for k, v in self.test().items() if chance.random() < .3}, None),
            ("GET", f"/proficiency-tests/{of('test')}", None, None), ("POST", f"/proficiency-tests/{of('test')}/duplicate", None, "test"),
            ("POST", f"/proficiency-tests/{of('test')}/submit", {"answers": [{"questionId": of("question"), "optionId": of("option")}]}, "result"),
            ("POST", f"/proficiency-tests/{of('test')}/submit", {"answers": []}, "result"),
            ("POST", f"/proficiency-tests/{of('test')}/start", None, "attempt"), ("GET", f"/proficiency-tests/{of('test')}/status", None, None),
            ("GET", f"/proficiency-tests/{of('test')}/statistics", None, None), ("GET", "/proficiency-tests/target-languages", None, None),
            ("GET", "/proficiency-tests/admin/results?" + self.page(("completedAt", "totalScore")), None, None),
            ("GET", f"/proficiency-tests/admin/results?level={chance.choice(LEVELS)}&targetLanguage=de&format=csv", None, None),
            ("GET", "/proficiency-tests/results/me", None, None), ("GET", f"/proficiency-tests/results/{of('result')}", None, None),
            ("GET", f"/proficiency-tests/admin/users/{of('user')}/results", None, None),
            ("DELETE", f"/proficiency-tests/admin/results/{of('result')}", None, None),
            ("POST", "/education-materials", self.bad({"title": self.text(), "locale": chance.choice(LANGUAGES), "level": chance.choice(LEVELS),
                                                       "description": self.text(5)}), "material"),
            ("GET", "/education-materials?" + self.page(("title", "createdAt")), None, None), ("GET", f"/education-materials/{of('material')}", None, None),
            ("POST", f"/education-materials/{of('material')}/assign", {"userIds": [of("user"), of("user")], "note": self.text(2)}, None),
            ("GET", "/education-materials/assigned/me", None, None), ("GET", f"/education-materials/assigned/users/{of('user')}", None, None),
            ("DELETE", f"/education-materials/{of('material')}/assign/{of('user')}", None, None), ("DELETE", f"/education-materials/{of('material')}", None, None),
            ("GET", "/storage/files?" + self.page(("name", "size", "createdAt")), None, None),
            ("GET", f"/admin/dashboard/stats?months={chance.choice((1, 3, 12, 24, 99))}", None, None), ("GET", "/admin/audit?limit=50", None, None),
            ("GET", "/health", None, None), ("GET", "/nothing", None, None), ("PUT", "/me", None, None),
        )
        method, path, body, makes = chance.choice(choices)
        form = None
        if chance.random() < .02:
            method, path, body, form = "POST", "/storage/upload", None, self.upload()
        return {"who": chance.choice(("boss", "boss", "admin", "ada", "eve", "bob", None)), "method": method, "path": path, "body": body,
                "makes": makes, "form": form, "language": chance.choice(LANGUAGES)}

    def upload(self):
        boundary = "----replay"
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{self.chance.choice("abc")}.png"\r\n\r\n'
        return f"multipart/form-data; boundary={boundary}", head.encode() + png() + f"\r\n--{boundary}--\r\n".encode()


@pytest.fixture(scope="module")
def sides():
    servers = [Server("file", OKUL_DATABASE=None, OKUL_CODE_PAUSE="0"), Server("server", OKUL_CODE_PAUSE="0")]
    made = [Side(Okul(server)) for server in servers]
    for side in made:
        side.people_of((("boss", "superadmin", "en"), ("admin", "admin", "de"), ("ada", "user", "tr"), ("eve", "user", "es"), ("bob", "user", "en")))
    yield made
    for server in servers:
        server.stop()


def test_both_engines_respond_the_same(sides):
    assert sides[0].okul.server.database is None and postgres.ENABLED
    maker, different, statuses = Maker(20261201), [], {}
    for n in range(COUNT):
        request = maker.next()
        answers = [side.send(request) for side in sides]
        plain = [side.plain(answer) for side, answer in zip(sides, answers)]
        statuses[answers[0].status] = statuses.get(answers[0].status, 0) + 1
        if plain[0] != plain[1]:
            different.append((n, request, *plain))
    print(COUNT, "requests:", dict(sorted(statuses.items())))
    assert len(statuses) >= 6 and statuses.get(500, 0) == 0
    assert not different, f"{len(different)} of {COUNT}: " + "\n".join(map(str, different[:8]))
