"""The functions of SQL that both engines have: folding, words and mailboxes."""

import random

import pytest

import engines
from engines import literal

CHUNK = 4000
SURROGATES = range(0xd800, 0xe000)
POINTS = [point for point in range(1, 0x110000) if point not in SURROGATES]
SCRIPTS = ((0x20, 0x7f), (0x20, 0x7f), (0xa0, 0x250), (0x300, 0x370), (0x370, 0x400), (0x400, 0x530), (0x590, 0x700), (0x900, 0xe80),
           (0x10a0, 0x1100), (0x13a0, 0x1400), (0x1e00, 0x2000), (0x2000, 0x2200), (0x3040, 0x3100), (0xac00, 0xad00), (0xfb00, 0xfe00),
           (0xff00, 0xfff0), (0x10400, 0x10450), (0x1d400, 0x1d800), (0x1f600, 0x1f650))


@pytest.fixture(scope="module")
def turkish(server, tmp_path_factory):
    """A database whose locale has İ as the capital i, as that of a Turkish host may be."""
    url = engines.new_database(server, "turkish", "--locale-provider=icu", "--icu-locale=tr-TR", "--locale=C.UTF-8")
    return engines.School(tmp_path_factory.mktemp("turkish"), url)


def texts_of(school, query, values):
    """The results of a statement with ? for each value, by `okulctl sql`."""
    lines = " UNION ALL ".join("SELECT " + str(at) + " AS place, " + query.replace("?", literal(value)) + " AS result"
                               for at, value in enumerate(values))
    out = school.sql(f"SELECT result FROM ({lines}) AS every ORDER BY place").splitlines()
    assert len(out) == len(values) + 1
    return out[1:]


def differing(file, others, query, postgres, values, at_once=400):
    """Values for which a server answers otherwise than the file."""
    wrong = []
    for start in range(0, len(values), at_once):
        chunk = values[start:start + at_once]
        ours = texts_of(file, query, chunk)
        for other in others:
            wrong += [(value, a, b) for value, a, b in zip(chunk, ours, texts_of(other, postgres, chunk)) if a != b]
    return wrong


def random_texts(seed, count, most):
    chance = random.Random(seed)
    return ["".join(chr(chance.randrange(*chance.choice(SCRIPTS))) for _ in range(chance.randint(0, most))) for _ in range(count)]


def test_fold_every_code_point(file, hosted):
    """In texts of many code points, each between two that are no letters; fold_text() folds each by itself."""
    wrong = []
    for start in range(0, len(POINTS), 250 * CHUNK):
        texts = ["\x01".join(map(chr, POINTS[at:at + CHUNK])) for at in range(start, min(len(POINTS), start + 250 * CHUNK), CHUNK)]
        chunk = 10      # of these texts in one statement
        wrong += differing(file, [hosted], "okul_fold(?)", "okul_fold(?)", texts, chunk)
    assert not wrong, [(a[:200], b[:200]) for _, a, b in wrong[:3]]
    assert len(POINTS) == 0x10ffff - len(SURROGATES)


def test_fold_changes_letters(file):
    """The test above is about something."""
    assert texts_of(file, "okul_fold(?)", ["İSTANBUL Straße ﷺ Æ", "a\u0301\u200b"]) == ["istanbul strasse صلى الله عليه وسلم ae", "a"]


def test_fold_texts(file, hosted, turkish):
    texts = random_texts(5, 3000, 30) + ["I", "İIıi", "DIŞ", "A\tB\nC", "\x7f\x01", "'", "\\", " "]
    assert not differing(file, [hosted, turkish], "okul_fold(?)", "okul_fold(?)", texts)
    assert not differing(file, [hosted, turkish], "okul_fold(?, NULL, 'É', '')", "okul_fold(?, NULL, 'É', '')", texts[:300])


def test_mailboxes(file, hosted, turkish):
    chance = random.Random(7)
    names = ["".join(chance.choice("ab.+i0-_") for _ in range(chance.randint(1, 10))) for _ in range(2000)]
    addresses = [f"{name}@{chance.choice(('gmail.com', 'googlemail.com', 'okul.com.tr', 'xgmail.com', 'mail.gmail.com'))}" for name in names]
    assert not differing(file, [hosted, turkish], "okul_mailbox(?)", "okul_mailbox(?)", addresses)
    assert texts_of(hosted, "okul_mailbox(?)", ["a.b+c@googlemail.com", "+a@x.com"]) == ["ab@gmail.com", "+a@x.com"]


def pairs_of_words(seed, count):
    """Pairs of a folded text and words as fold_words() makes them, half of which are in the text."""
    chance = random.Random(seed)
    for _ in range(count):
        letters = chance.choice(("ab", "ab%_\\'\"", "ışé好\U0001d538ab."))
        text = "".join(chance.choice(letters + " ") for _ in range(chance.randint(0, 20)))
        words = set()
        for _ in range(chance.randint(1, 4)):
            start = chance.randrange(len(text) + 1)
            word = text[start:start + chance.randint(1, 4)] if chance.random() < 0.7 else "".join(chance.choices(letters, k=2))
            words |= set(word.split(" ")) - {""}
        yield text, " ".join(sorted(words))


def test_words(file, hosted, turkish):
    pairs = list(pairs_of_words(11, 2000))
    held = {"yes": 0, "no": 0}
    for start in range(0, len(pairs), 400):
        chunk = pairs[start:start + 400]
        query = " UNION ALL ".join(
            f"SELECT {at} AS place, CASE WHEN okul_has_words({literal(text)}, {literal(words)}) THEN 'yes' ELSE 'no' END AS held,"
            f" okul_words_left({literal(text)}, {literal(words)}) AS remaining" for at, (text, words) in enumerate(chunk))
        ours = file.sql(f"SELECT held, remaining FROM ({query}) AS every ORDER BY place").splitlines()[1:]
        like = " UNION ALL ".join(
            f"SELECT {at} AS place, CASE WHEN {literal(text)} LIKE ALL (okul_patterns({literal(words)})) THEN 'yes' ELSE 'no' END AS held,"
            f" okul_words_left({literal(text)}, {literal(words)}) AS remaining" for at, (text, words) in enumerate(chunk))
        for other in hosted, turkish:
            theirs = other.sql(f"SELECT held, remaining FROM ({like}) AS every ORDER BY place").splitlines()[1:]
            assert [(pair, a, b) for pair, a, b in zip(chunk, ours, theirs) if a != b] == []
            assert len(ours) == len(theirs) == len(chunk)
        for line in ours:
            held[line.split("\t")[0]] += 1
    assert min(held.values()) > 400, held


def test_words_of_a_match(hosted):
    """okul_match_words() undoes fold_match(): each word in quotes, a quote inside of it doubled."""
    words = sorted({words for _, words in pairs_of_words(17, 600) if words})
    matches = [" ".join('"' + word.replace('"', '""') + '"' for word in line.split(" ")) for line in words]
    found = hosted.rows("SELECT okul_match_words(match) FROM unnest(ARRAY[" + ", ".join(map(literal, matches)) +
                        "]) WITH ORDINALITY AS m (match, place) ORDER BY place")
    assert [text for (text,) in found] == words
    assert len(words) > 300 and any('"' in line for line in words)


