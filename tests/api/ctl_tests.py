"""okulctl test import, export, list: placement tests as files."""

import html
import html.entities
import re
import subprocess

import pytest

from helpers.client import rows
from helpers.placement import FULL, PATH, answers, asked, made, shown, start
from helpers.server import OKULCTL, ROOT

GIFT = ROOT / "tests/unit/gift"
OPTIONS = ["--title", "By the operator", "--language", "en", "--ranges", "A1:0-20,A2:21-40.5,B2:40.5-100"]
QUESTIONS = "// okul: points 2.5\n1 + 1 is {=2 ~3}.\n\nSnow is cold.{T}\n"


def run(okul, *arguments, text=None, check=None):
    """Runs okulctl test with `text` as standard input."""
    text = text.encode() if isinstance(text, str) else text
    done = subprocess.run([OKULCTL, "-d", str(okul.server.data), "test", *arguments], env=okul.server.environment, input=text or b"",
                          capture_output=True, timeout=60)
    if check is not None:
        assert done.returncode == check, done
    return done


def imported(okul, *options, text=QUESTIONS):
    output = run(okul, "import", "-", *OPTIONS, *options, text=text, check=0).stdout.decode()
    return re.fullmatch(r".+: made with \d+ questions, id ([0-9a-f]{24})\n", output)[1]


def count(okul):
    return rows(okul, "SELECT count(*) FROM test")[0][0]


def test_import_makes_a_test(okul, boss):
    test = shown(okul, imported(okul))
    assert (test["title"], test["targetLanguage"], test["description"]) == ("By the operator", "en", "")
    assert (test["durationMinutes"], test["maxAttempts"], test["shuffle"], test["isPublished"]) == (None, 1, False, True)
    assert [(r["level"], r["minScore"], r["maxScore"]) for r in test["levelRanges"]] == \
        [("A1", 0, 20), ("A2", 21, 40.5), ("B2", 40.5, 100)]
    assert [(q["text"], q["points"]) for q in test["questions"]] == [("1 + 1 is _____.", 2.5), ("Snow is cold.", 1)]
    own = shown(boss, imported(okul, "--draft", "--shuffle", "--minutes", "30", "--attempts", "0", "--description", " ğ "))
    assert (own["durationMinutes"], own["maxAttempts"], own["shuffle"], own["isPublished"]) == (30, 0, True, False)
    assert own["description"] == "ğ" and [o["isCorrect"] for o in own["questions"][0]["options"]] == [True, False]


def test_an_export_can_be_imported(okul, boss):
    for test in (made(boss, **FULL), shown(boss, imported(okul, text=(GIFT / "choice.gift").read_text())),
                 shown(boss, imported(okul, text=(GIFT / "truth.gift").read_text()))):
        text = run(okul, "export", test["id"], check=0).stdout
        again = imported(okul, text=text)
        assert asked(shown(boss, again)) == asked(test)
        assert run(okul, "export", again, check=0).stdout.split(b"\n", 1)[1] == text.split(b"\n", 1)[1]
        assert boss.get(f"{PATH}/{test['id']}/export").data == {"title": test["title"], "gift": text.decode()}
        body = {"title": "x", "targetLanguage": "en", "levelRanges": FULL["levelRanges"], "gift": text.decode()}
        assert asked(boss.post(PATH + "/import", body).data) == asked(test)


# Characters with a meaning in JSON or GIFT, and others that are hard to round-trip.
TEXTS = [
    '","isCorrect":true', ',"isCorrect":true', '\\","isCorrect\\":true', '","isCorrect":true}],"x":[{"', '\\u0022,\\u0022isCorrect\\u0022:true',
    'x","isCorrect":false},{"id":"', '"}],"options":[{"id":"x"', "}]", "{", "[", "]", "}", ",", "a,", ',"', '"', 'a\\"', "\\", "\\\\",
    "a\\", "\\n", "{=a ~b}", "=~{}:#\\n", "->", "#", "####x", "%50%x", "%", "// okul: points 3", "//", "$CATEGORY: x", "::n::x", "[html]<b>",
    "[plain]x", "[", "True", "False", "</script>", "tab\there", "line\nbreak", "a\u2028\u2029b", "x\ufeffx",
    "x\u200bx", "x\u00a0x", "😀👩‍👩‍👧", "\U0010ffff",
]


def test_texts_round_trip_unchanged(okul, boss):
    """Stored, shown to author and learner, answered, exported, imported; options reveal nothing but their text."""
    body = []
    for i, text in enumerate(TEXTS):
        options = list(dict.fromkeys([text, TEXTS[(i * 7 + 3) % len(TEXTS)], TEXTS[(i * 5 + 1) % len(TEXTS)], "z"]))
        body.append({"text": text, "points": 0.001 + i * 17.3, "mediaUrl": f"https://example.com/{i}?a=%22,b#c" if i % 2 else None,
                     "options": [{"text": o, "isCorrect": j == i % len(options)} for j, o in enumerate(options)]})
    test, ada = made(boss, questions=body), okul.registered()
    assert asked(test) == body
    public = [q | {"options": [{"id": o["id"], "text": o["text"]} for o in q["options"]]} for q in test["questions"]]
    assert shown(ada, test["id"])["questions"] == start(ada, test).data["questions"] == public
    result = ada.post(f"{PATH}/{test['id']}/submit", answers(test, "+" * len(body))).data
    assert result["totalScore"] == 100 and [a["questionText"] for a in result["answers"]] == TEXTS
    assert [a["points"] for a in result["answers"]] == [q["points"] for q in body]
    again = shown(boss, imported(okul, text=run(okul, "export", test["id"], check=0).stdout))
    assert asked(again) == body
    assert asked(boss.post(f"{PATH}/{again['id']}/duplicate").data) == body
    assert boss.patch(f"{PATH}/{again['id']}", {"questions": body}).data["questions"] == again["questions"]


def test_errors_name_the_line_and_nothing_is_imported(okul, boss):
    before = count(okul)
    wanted = [f"okulctl: {GIFT}/refused.gift: {line[2:]}"
              for line in (GIFT / "refused.txt").read_text().splitlines() if line.startswith("! ")]
    done = run(okul, "import", str(GIFT / "refused.gift"), *OPTIONS, check=65)
    assert done.stderr.decode().splitlines() == [*wanted, "okulctl: nothing was made; --skip leaves out what cannot be taken"]
    assert done.stdout == b"" and count(okul) == before
    done = run(okul, "import", str(GIFT / "refused.gift"), *OPTIONS, "--skip", check=0)
    assert done.stderr.decode().splitlines() == [w.replace(".gift: ", ".gift: left out: ") for w in wanted]
    assert count(okul) == str(int(before) + 1)
    done = run(okul, "import", "-", *OPTIONS, "--skip", text="Q{}\n\n" * 150, check=65)
    assert done.stderr.decode().splitlines()[-2:] == ["okulctl: -: and 50 more", "okulctl: nothing was made"]


def test_a_dry_run_imports_nothing(okul):
    before = count(okul)
    assert run(okul, "import", "-", *OPTIONS, "--dry-run", text=QUESTIONS, check=0).stdout == \
        b"questions to import: 2; nothing was made\n"
    run(okul, "import", "-", *OPTIONS, "--dry-run", text="Q{}", check=65)
    assert count(okul) == before


@pytest.mark.parametrize("options, error", [
    (["--title", "", "--language", "e", "--ranges", "A1:0-20,A2:22-100", "--minutes", "x"],
     ["title: must not be empty", "targetLanguage: must have at least 2 characters", "durationMinutes: must be an integer",
      "levelRanges[1].minScore: must be where the range before ends (20) or one above it"]),
    ([], ["title: is required", "targetLanguage: is required", "levelRanges: is required"]),
    (["--title", "x", "--language", "en", "--ranges", "A1"],
     ["levelRanges[0].minScore: must be at least 0", "levelRanges[0].maxScore: must be at least 0"]),
    (["--title", "x", "--language", "en", "--ranges", "A1:0-100x"], None),
    (["--title", "x", "--language", "en", "--ranges", "A1:0-nan,A1:0-100"], None),
    (["--title", "x", "--language", "en", "--ranges", ""], ["levelRanges: must not be empty"]),
    ([*OPTIONS, "--attempts", "101", "--minutes", "0"],
     ["durationMinutes: must be at least 1", "maxAttempts: must be at most 100"]),
])
def test_invalid_options(okul, options, error):
    before = count(okul)
    done = run(okul, "import", "-", *options, text=QUESTIONS, check=65)
    assert error is None or [line.removeprefix("okulctl: ") for line in done.stderr.decode().splitlines()] == error
    assert count(okul) == before


UTF8 = "use --encoding {0}, or save it as UTF-8"


@pytest.mark.parametrize("text, error", [
    (b"Q{T}\n\nQ\xff{T}", "-: line 3 is not UTF-8 text; it looks like windows-1252: " + UTF8.format("windows-1252")),
    ("Ä{T}\n\nIşık{T}".encode("windows-1254"), "-: line 1 is not UTF-8 text; it looks like windows-1254: " + UTF8.format("windows-1254")),
    (b"Q\0{T}", "-: line 1 is not UTF-8 text; save the file as UTF-8"),
    ("Q{T}".encode("utf-16"), "-: line 1 is not UTF-8 text; it looks like utf-16: " + UTF8.format("utf-16")),
    ("Q{T}".encode("utf-16-le"), "-: line 1 is not UTF-8 text; it looks like utf-16le: " + UTF8.format("utf-16le")),
    ("Q{T}".encode("utf-16-be"), "-: line 1 is not UTF-8 text; it looks like utf-16be: " + UTF8.format("utf-16be")),
    (b"", "-: holds no question"), (b"a" * (2 ** 24 + 1), "- has more than 16 MiB")])
def test_files_that_are_not_text(okul, text, error):
    before = count(okul)
    assert run(okul, "import", "-", *OPTIONS, text=text, check=65).stderr.decode().splitlines()[0] == "okulctl: " + error
    assert count(okul) == before


@pytest.mark.parametrize("encoding, text", [
    ("windows-1254", "Işık açık mı? Öğün “şu” {=İ ~Ğ}"), ("WINDOWS-1252", "¿Qué día… müßig {=ñ ~€}"), ("iso-8859-9", "Ş{=ş ~ğ}"),
    ("utf-16", "\ufeffIşık 😀\r\n{=a\r\n~ğ}\r\n"), ("utf-16le", "Işık{=a ~b}"), ("utf-16be", "Işık{=a ~b}"), ("utf-8", "Işık{=a ~b}"),
])
def test_a_file_is_read_in_the_given_encoding(okul, boss, encoding, text):
    body = text.encode("utf-16-le" if encoding == "utf-16" else encoding)
    question, = shown(boss, imported(okul, "--encoding", encoding, text=body))["questions"]
    assert question["text"] == text.strip("\ufeff").partition("{")[0].strip()
    assert [o["text"] for o in question["options"]] == re.findall(r"[=~](\S)", text)


def test_a_long_file_is_converted_whole(okul, boss):
    """Including surrogate pairs at the boundaries of the blocks in which it is converted."""
    texts = [f"{i} " + "ğ😀" * (i % 97 + 700) for i in range(150)]
    for encoding in ("utf-16-le", "utf-8"):
        body = "\n\n".join(t + "{T}" for t in texts).encode(encoding)
        test = shown(boss, imported(okul, "--encoding", encoding.replace("16-", "16"), text=body))
        assert [q["text"] for q in test["questions"]] == texts


@pytest.mark.parametrize("encoding, text, error", [
    ("windows-1254", "Işık{T}", "- is UTF-8 already; leave out --encoding windows-1254"),
    ("utf-16", "Q{T}", "- is UTF-8 already; leave out --encoding utf-16"),
    ("utf-16", b"\xff\xfeQ\0\n\0\x00\xdc", "-: line 2 is not utf-16 text; nothing was done"),
    ("utf-16le", b"Q\0\n\0\xe4", "-: line 2 is not utf-16le text; nothing was done"),
    ("windows-1254", b"Q\n\n\x81\xe4{T}", "-: line 3 is not windows-1254 text; nothing was done"),
    ("windows-1252", b"\xe4\n\0{T}", "-: line 2 is not windows-1252 text; nothing was done"),
    ("klingon", b"\xe4{T}", 'there is no encoding "klingon"; windows-1254, windows-1252 and utf-16 are some'),
    ("ascii//IGNORE", b"\xe4{T}", 'there is no encoding "ascii//IGNORE"; windows-1254, windows-1252 and utf-16 are some'),
    ("", b"\xe4{T}", 'there is no encoding ""; windows-1254, windows-1252 and utf-16 are some'),
])
def test_a_file_that_is_not_in_the_given_encoding(okul, encoding, text, error):
    before = count(okul)
    assert run(okul, "import", "-", *OPTIONS, "--encoding", encoding, text=text, check=65).stderr.decode() == f"okulctl: {error}\n"
    assert count(okul) == before


def test_usage(okul, tmp_path):
    for arguments in (["import"], ["import", "a", "b"], ["import", "a", "--what"], ["export"], ["export", "a", "b"], ["list", "a"]):
        assert run(okul, *arguments, check=64).stderr.splitlines()[-1].startswith(b"okulctl: "), arguments
    missing = run(okul, "import", str(tmp_path / "none"), *OPTIONS, check=65)
    assert missing.stderr.decode() == f"okulctl: {tmp_path}/none: No such file or directory\n"
    assert b"there is no test" in run(okul, "export", "0" * 24, check=65).stderr
    assert run(okul, "import", str(tmp_path), *OPTIONS, check=65).stderr


def test_list(okul, boss):
    test = made(boss, isPublished=False)
    okul.server.sql(f"UPDATE test SET title = 'Tab' || char(9) || 'bed' WHERE id = '{test['id']}'")    # of an old version
    lines = run(okul, "list", check=0).stdout.decode().splitlines()
    assert lines[0].split("\t") == ["id", "title", "language", "questions", "published", "results", "created"]
    assert lines[-1].split("\t")[:6] == [test["id"], "Tab\\tbed", "en", "1", "no", "0"]


def test_every_character_reference_of_html_is_read(okul):
    """Compared with Python's html.entities, including those without semicolon; white space becomes a space, and
    numbers 128 to 159 are Windows-1252."""
    names = [*html.entities.html5, "#241;", "#XF1;", "#xf1", "#0150;", "#128;"]
    halves = [names[::2], names[1::2]]
    wanted = ["|".join(re.sub(r"\s+", " ", html.unescape("&" + name)) for name in half) for half in halves]
    # references to white space are trimmed at the ends
    text = "\n\n".join("|".join("&" + name for name in half) + ". {T}" for half in halves)
    test = shown(okul, imported(okul, text=text))
    assert [q["text"] for q in test["questions"]] == [w + "." for w in wanted]
