"""Group contact: questions of visitors, and the school's replies."""

import csv
import io
import re
import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest

from helpers import contract
from helpers.client import Okul
from helpers.server import Server, fresh, until

ASK = {"fullName": "Ayşe Işık", "phoneNumber": "+90 537", "subject": "Akşam kursları", "message": "A1 ne zaman?\n\nSaygılar", "source": "website", "language": "tr"}


def ask(okul, **fields):
    answer = okul.post("/contact", {"fullName": "Ada", "email": fresh(), "message": "When?"} | fields)
    assert answer.status == 201, answer
    return answer.data


def outbox(okul, address):
    return int(okul.server.sql(f"SELECT count(*) FROM outbox WHERE recipient = '{address}'").split()[-1])


def found(boss, query):
    answer = boss.get(f"/contact?{query}")
    assert answer.status == 200, answer
    return [c["id"] for c in answer.data["items"]]


# ---- the form


def test_a_request_is_stored_without_sending_mail(okul):
    address = fresh()
    data = ask(okul, email=address.upper(), **ASK)
    assert list(data) == [f.name for f in contract.shapes["ContactResponseDto"]]
    assert data == ASK | {"id": data["id"], "email": address, "status": "PENDING", "reply": None, "repliedAt": None, "createdAt": data["createdAt"]}
    boss = okul.staff("admin")
    assert boss.get("/contact?limit=1").data["items"][0] == data
    assert outbox(okul, address) == 0 and not okul.server.mailbox.to(address)


@pytest.mark.parametrize("body, header, language", [(None, None, "en"), (None, "de-AT, tr;q=0.5", "de"), ("es", "de", "es")])
def test_language(okul, body, header, language):
    fields = {"fullName": "Ada", "email": fresh(), "message": "x"} | ({"language": body} if body else {})
    assert okul.post("/contact", fields, language=header).data["language"] == language


def test_optional_texts_may_be_empty_missing_or_null(okul):
    data = ask(okul, phoneNumber=None, subject=None, source=None)
    assert data["phoneNumber"] is data["subject"] is data["source"] is None


def test_five_requests_per_hour_and_client(guarded):
    here, there = guarded.at("127.0.0.31"), guarded.at("127.0.0.32")
    for _ in range(5):
        ask(here)
    answer = here.post("/contact", {"fullName": "Ada", "email": fresh(), "message": "x"})
    assert answer.status == 429 and 3590 <= int(answer.headers["Retry-After"]) <= 3600
    ask(there)
    guarded.server.clock.advance(3601)
    ask(here)


def test_an_invalid_request_does_not_count(guarded):
    here = guarded.at("127.0.0.33")
    for _ in range(8):
        assert here.post("/contact", {"fullName": "Ada", "email": "x", "message": "x"}).status == 400
        assert here.post("/contact", {"fullName": "Ada", "email": fresh(), "message": "x", "website": "http://spam"}).status == 400
    ask(here)


def test_the_limit_holds_for_parallel_requests(guarded):
    here = guarded.at("127.0.0.34")
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: here.post("/contact", {"fullName": "Ada", "email": fresh(), "message": "x"}).status, range(12)))
    assert sorted(answers) == [201] * 5 + [429] * 7


# ---- robots


def test_the_honeypot_field(okul):
    boss, address = okul.staff("admin"), fresh()
    answer = okul.post("/contact", {"fullName": "Bot", "email": address, "message": "x", "website": "http://spam.example"})
    assert answer.status == 400 and answer.errors == ["website: must be left empty"]
    assert found(boss, f"search={address}") == []
    ask(okul, website=" ")
    # reported together with all other errors, in the order of the fields
    answer = okul.post("/contact", {"fullName": "", "message": 1, "website": "x", "stamp": "1.2", "email": address, "more": 1})
    assert answer.status == 400
    assert [e.partition(":")[0] for e in answer.errors] == ["fullName", "message", "website", "stamp", "more"], answer


def test_the_stamp_of_a_form(later):
    form = later.get("/contact/form").data
    hurried = later.post("/contact", {"fullName": "Bot", "email": fresh(), "message": "x", "stamp": form["stamp"]})
    assert hurried.status == 400 and hurried.errors == ["stamp: the form was sent too fast; try again in a few seconds"]
    later.server.clock.advance(3)
    ask(later, stamp=form["stamp"])
    ask(later, stamp="")
    later.server.clock.advance(86400)
    old = later.post("/contact", {"fullName": "Ada", "email": fresh(), "message": "x", "stamp": form["stamp"]})
    assert old.status == 400 and old.errors == ["stamp: is not valid or has expired; open the form again"]


def test_a_stamp_from_the_future(wild):
    wild.server.clock.advance(3600)
    try:
        stamp = wild.get("/contact/form").data["stamp"]
    finally:
        wild.server.clock.advance(-3600)
    answer = wild.post("/contact", {"fullName": "Ada", "email": fresh(), "message": "x", "stamp": stamp})
    assert answer.status == 400 and answer.errors == ["stamp: is not valid or has expired; open the form again"]


@pytest.mark.parametrize("forge", [lambda t, m: f"{t}.{m[:-1]}", lambda t, m: f"{t}.{m}0", lambda t, m: f"{t}.{'0' * 64}", lambda t, m: f"{int(t) - 60000}.{m}",
                                  lambda t, m: t, lambda t, m: ".", lambda t, m: f"0{t}.{m}", lambda t, m: f"{t}.{m.upper()}", lambda t, m: "x" * 100])
def test_a_forged_stamp(later, forge):
    stamp = later.get("/contact/form").data["stamp"]
    later.server.clock.advance(3)
    answer = later.post("/contact", {"fullName": "Bot", "email": fresh(), "message": "x", "stamp": forge(*stamp.split("."))})
    assert answer.status == 400 and answer.errors == ["stamp: is not valid or has expired; open the form again"]


# ---- the list


def test_search_filters_and_order(okul):
    boss, mark = okul.staff("admin"), secrets.token_hex(4)
    one = ask(okul, fullName="Işıl Zengin", message=f"ISPARTA {mark}", source=f"web{mark}")["id"]
    two = ask(okul, fullName="andré Bauer", subject=f"Straße {mark}", source=f"app{mark}")["id"]
    assert boss.post(f"/contact/{two}/reply", {"message": "Ja"}).status == 200
    assert found(boss, f"search={mark}") == [two, one]
    assert found(boss, f"search={mark}&sort=createdAt") == [one, two]
    assert found(boss, f"search={mark}&sort=fullName") == [two, one]
    assert found(boss, f"search={mark}&sort=-fullName") == [one, two]
    assert found(boss, f"search={mark}%20%C4%B1sparta") == [one] and found(boss, f"search=STRASSE%20{mark}") == [two]
    assert found(boss, f"search={mark}&status=PENDING") == [one] and found(boss, f"search={mark}&source=app{mark}") == [two]
    assert found(boss, f"source=web{mark}") == [one] and found(boss, f"source=app{mark}&status=PENDING") == []
    assert boss.get(f"/contact?source=app{mark}&status=REPLIED").data["pagination"] == {"page": 1, "limit": 20, "total": 1, "totalPages": 1}
    for query in ("", "status=PENDING&", "status=REPLIED&"):
        first = boss.get(f"/contact?{query}limit=1").data
        total = first["pagination"]["total"]
        assert len(found(boss, f"{query}limit=100")) == min(total, 100)
        assert found(boss, f"{query}limit=1&page={total + 1}") == []


@pytest.mark.parametrize("query", ["status=DONE", "sort=email", "page=0", "limit=101", "language=tr", "status=PENDING&status=REPLIED", "separator=;", "separator=tab"])
def test_a_bad_query(okul, query):
    answer = okul.staff("admin").get(f"/contact?{query}")
    assert answer.status == 400 and len(answer.errors) == 1


def test_csv(okul):
    boss, mark = okul.staff("admin"), secrets.token_hex(4)
    data = ask(okul, fullName="=cmd()", message=f"zwei\nZeilen, \"{mark}\"")
    answer = boss.get(f"/contact?format=csv&search={mark}")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="contact.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig"), newline="")))
    assert len(rows) == 1 and list(rows[0]) == list(data)
    assert rows[0]["fullName"] == "'=cmd()" and rows[0]["message"] == data["message"] and rows[0]["reply"] == ""
    answer = boss.get(f"/contact?format=csv&separator=semicolon&search={mark}")
    assert list(csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig"), newline=""), delimiter=";")) == rows


# ---- the reply


@pytest.mark.parametrize("language, wrote, hello", [("tr", "Bize şöyle yazmıştınız:", "Merhaba"), ("en", "You wrote to us:", "Hello"),
                                                    ("es", "Usted nos escribió:", "Hola"), ("de", "Sie hatten uns geschrieben:", "Guten Tag")])
def test_a_reply_is_mailed_in_the_visitors_language_with_the_question(okul, language, wrote, hello):
    address, boss = fresh(), okul.staff("admin")
    data = ask(okul, **ASK | {"email": address, "language": language, "message": "A1 ne zaman?\n\n<b>Saygılar</b>"})
    answer = boss.post(f"/contact/{data['id']}/reply", {"message": "Pazartesi.\n<Görüşürüz>"})
    assert answer.status == 200 and answer.data["repliedAt"]
    assert answer.data == data | {"status": "REPLIED", "reply": "Pazartesi.\n<Görüşürüz>", "repliedAt": answer.data["repliedAt"]}
    mail = okul.server.mailbox.wait(address)
    assert mail["Subject"] == "Re: Akşam kursları" and len(mail["To"].addresses) == 1
    text = mail.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert text.startswith(hello) and "Ayşe Işık" in text
    assert "\nPazartesi.\n<Görüşürüz>\n" in text and f"\n{wrote}\n\n> A1 ne zaman?\n> \n> <b>Saygılar</b>" in text
    page = mail.get_body(("html",)).get_content()
    assert "&lt;Görüşürüz&gt;" in page and "&lt;b&gt;Saygılar" in page and f'lang="{language}"' in page


def test_sender_and_reply_to_of_a_reply(okul):
    """Reply-To is the admin who wrote the reply; the mail is not marked as automatic."""
    boss = okul.staff("admin")
    for name, shown in (({}, ""), ({"name": "Şule", "surname": "Işık"}, "Şule Işık")):
        if name:
            assert boss.patch("/me", name).status == 200
        address = fresh()
        assert boss.post(f"/contact/{ask(okul, email=address)['id']}/reply", {"message": "x"}).status == 200
        mail = okul.server.mailbox.wait(address)
        reply_to, = mail["Reply-To"].addresses
        assert (reply_to.addr_spec, reply_to.display_name) == (boss.email, shown)
        assert mail["From"].addresses[0].addr_spec == "okul@localhost"
        assert mail["Auto-Submitted"] is mail["Precedence"] is None


def test_reply_to_is_the_configured_mailbox_of_the_school():
    server = Server("answers", OKUL_WORKERS="1", OKUL_REPLY_TO="office@school.example", OKUL_MAIL_NAME="Şehir Dil Okulu")
    try:
        okul, address = Okul(server), fresh()
        boss = okul.staff("admin")
        assert boss.post(f"/contact/{ask(okul, email=address)['id']}/reply", {"message": "x"}).status == 200
        mail = server.mailbox.wait(address)
        assert str(mail["Reply-To"]) == "Şehir Dil Okulu <office@school.example>" and boss.email not in mail.as_string()
    finally:
        server.stop()


def test_a_request_without_subject_gets_one(okul):
    address = fresh()
    data = ask(okul, email=address, language="es")
    assert okul.staff("admin").post(f"/contact/{data['id']}/reply", {"message": "x"}).status == 200
    assert okul.server.mailbox.wait(address)["Subject"] == "Re: Su consulta"


def test_a_second_reply(okul):
    address, boss = fresh(), okul.staff("admin")
    data = ask(okul, email=address)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: boss.post(f"/contact/{data['id']}/reply", {"message": f"reply {n}"}), range(8)))
    assert sorted(a.status for a in answers) == [200] + [409] * 7
    good = next(a for a in answers if a.status == 200)
    assert boss.get(f"/contact?search={address}").data["items"] == [good.data]
    okul.server.mailbox.wait(address)
    until(lambda: outbox(okul, address) == 0, "the outbox to be empty")
    assert len(okul.server.mailbox.to(address)) == 1
    assert [a.errors for a in answers if a.status == 409][0] == ["This request has already been replied to"]


# characters that would end a header line, add a recipient, or end the mail
TRICKS = ["x\r\nBcc: eve@example.com", "x\nTo: eve@example.com", "x\r.\r\n.\r\nMAIL FROM:<eve@example.com>", "\u2028Bcc: eve@example.com", "=?utf-8?q?=0d=0aBcc:_eve@example.com?=", "x\x01\x7f\tİ" * 10]


@pytest.mark.parametrize("trick", TRICKS)
def test_no_header_comes_from_a_visitor(okul, trick):
    address, boss = fresh(), okul.staff("admin")
    line, text = (re.sub(r"[\x00-\x1f\x7f]", " ", trick), re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)", " ", trick))
    if line != trick:
        for field in ("fullName", "subject", "source"):
            answer = okul.post("/contact", {"fullName": "Ada", "email": address, "message": "x"} | {field: trick[:64]})
            assert answer.status == 400 and answer.errors == [f"{field}: must not contain line breaks, tabs or other control characters"], answer
    data = ask(okul, email=address, fullName=line[:200], subject=line[:200], message=text, source=line[:64])
    assert boss.post(f"/contact/{data['id']}/reply", {"message": text}).status == 200
    mail = okul.server.mailbox.wait(address)
    assert set(mail.keys()) <= {"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Content-Language", "Reply-To"}, mail.keys()
    assert mail["Bcc"] is None and [a.addr_spec for a in mail["To"].addresses] == [address]
    assert not any(line.startswith(b".") for line in mail.source.split(b"\r\n"))


# ---- status, deletion


def test_an_admin_sets_the_status(later):
    boss = later.staff("admin")
    data = ask(later)
    path = f"/contact/{data['id']}/status"
    done = boss.patch(path, {"status": "REPLIED"}).data
    assert done["status"] == "REPLIED" and done["repliedAt"] and done["reply"] is None
    later.server.clock.advance(60)
    assert boss.patch(path, {"status": "REPLIED"}).data == done
    assert boss.patch(path, {"status": "PENDING"}).data == data
    replied = boss.post(f"/contact/{data['id']}/reply", {"message": "Now"}).data
    back = boss.patch(path, {"status": "PENDING"}).data
    assert back == replied | {"status": "PENDING", "repliedAt": None} and back["reply"] == "Now"
    assert boss.post(f"/contact/{data['id']}/reply", {"message": "Again"}).status == 409


def test_delete(okul):
    boss = okul.staff("admin")
    data = ask(okul)
    answer = boss.delete(f"/contact/{data['id']}")
    assert answer.status == 200 and answer.data == {"message": "The contact request has been deleted", "id": data["id"]}
    assert boss.delete(f"/contact/{data['id']}").status == 404
    assert boss.post(f"/contact/{data['id']}/reply", {"message": "x"}).status == 404
    assert boss.patch(f"/contact/{data['id']}/status", {"status": "REPLIED"}).status == 404
    assert data["id"] not in found(boss, "limit=100")


def test_requests_stay_when_their_user_is_deleted(okul):
    ada, boss = okul.registered(), okul.staff("admin")
    data = ask(okul, email=ada.email)
    assert boss.delete(f"/users/{ada.id}").status == 200
    assert found(boss, f"search={ada.email}") == [data["id"]]


def test_counters_match_the_rows(okul):
    """The counters that triggers maintain."""
    ask(okul)
    counted = okul.server.sql("SELECT n FROM tally WHERE name LIKE 'contact%' ORDER BY name").split("\n")[1:-1]
    real = okul.server.sql("SELECT count(*) || ' ' || count(*) FILTER (WHERE status = 'PENDING') || ' ' || count(*) FILTER (WHERE status = 'REPLIED') FROM contact").split("\n")[-2]
    assert counted == real.split()
