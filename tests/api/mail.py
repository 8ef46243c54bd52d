"""okulctl mail: sending the outbox to a real SMTP server, to a sendmail program and to files."""

import email
import email.policy
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from helpers import postgres, smtp_server
from helpers.database import reading
from helpers.parallel import writer_lock
from helpers.relay import Relay, parse
from helpers.server import BUILD, Clock, ROOT, SLOW, shows_code, until

MINUTE, HOUR, DAY = 60, 3600, 86400
TIMED_OUT = 20  # upper bound in seconds for a timeout of one second on a busy machine
SUBJECTS = {
    "tr": " - Şehir Dil Okulu giriş kodunuz",
    "en": " is your login code for Şehir Dil Okulu",
    "es": " es su código de acceso a Şehir Dil Okulu",
    "de": " ist Ihr Anmeldecode für Şehir Dil Okulu",
}


def lease(timeout):
    """The seconds for which a sender leases a row."""
    return 2 * timeout + 60


# ---- the mail server


@pytest.fixture(scope="module")
def shared_relay():
    home = Path(tempfile.mkdtemp(prefix="okul-relay-"))
    relay = Relay(home)
    yield relay
    relay.stop()
    shutil.rmtree(home)


@pytest.fixture
def relay(shared_relay):
    shared_relay.mode("accept")
    shared_relay.forget()
    return shared_relay


# ---- a data folder and its senders


class School:
    def __init__(self):
        self.home = Path(tempfile.mkdtemp(prefix="okul-mail-"))
        self.data = self.home / "data"
        self.data.mkdir(mode=0o700)
        self.clock = Clock(self.home / "clock")
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("OKUL_")} | {
            "OKUL_CLOCK": str(self.clock.path), "OKUL_MAIL_NAME": "Şehir Dil Okulu",
            "OKUL_MAIL_FROM": "school@example.org", "OKUL_SMTP_TIMEOUT": "30",
        }
        self.database = postgres.server().create() if postgres.ENABLED else None
        if self.database:
            self.environment["OKUL_DATABASE"] = self.database
        self.codes, self.log, self.kept = [], "", []
        self.ctl("migrate")

    def use(self, relay, port="plain", security="plain", **settings):
        self.environment |= {
            "OKUL_MAIL_TRANSPORT": "smtp", "OKUL_SMTP_HOST": "127.0.0.1", "OKUL_SMTP_PORT": str(relay.ports[port]),
            "OKUL_SMTP_SECURITY": security,
        } | settings
        return self

    def advance(self, seconds):
        self.clock.advance(seconds)

    def now(self):
        return self.clock.now() * 1000

    def ctl(self, *arguments):
        return subprocess.run([BUILD / "okulctl", "-d", self.data, *arguments], env=self.environment, text=True,
                              capture_output=True, timeout=60, check=False)

    def queue(self, *to, language="en", life=600):
        """Queues a mail to each address; returns their codes."""
        codes = [f"{482913 + 7919 * (len(self.codes) + i) % 500000:06}" for i in range(len(to))]
        self.codes += codes
        pairs = [word for pair in zip(to, codes) for word in pair]
        subprocess.run([BUILD / "tests/queue_mail", self.data, language, str(life), *pairs], env=self.environment,
                       check=True)
        return codes

    def once(self):
        done = self.ctl("mail", "--once")
        self.log += done.stderr
        assert done.stdout == ""
        return done

    def start(self, *arguments):
        path = self.home / f"log{len(self.kept)}"
        with open(path, "w") as log:
            process = subprocess.Popen([BUILD / "okulctl", "-d", self.data, "mail", *arguments], env=self.environment,
                                       stderr=log)
        process.log = path.read_text
        self.kept.append(process)
        return process

    def keep(self):
        process = self.start("--keep")
        until(lambda: (self.data / "run/mail.sock").exists() or process.poll() is not None, "the sender's socket")
        return process

    def rows(self):
        with reading(self) as all_of:
            return all_of("SELECT * FROM outbox ORDER BY pk")

    def killed(self, sender, left=0):
        """Kills a sender, so that the next one takes over what it had claimed; others hold `left` mails."""
        sender.kill()
        sender.wait()
        if self.database:
            with reading(self) as all_of:
                until(lambda: all_of("SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid"
                                     " FROM pg_database WHERE datname = current_database())")[0]["n"] == left, "the end of its session")
            self.advance(11)    # longer than a sender may be without a connection

    def end(self):
        for process in self.kept:
            process.kill()
            process.wait()
            self.log += process.log()
        if self.database:
            postgres.server().drop(self.database)
        shutil.rmtree(self.home)
        for code in self.codes:
            assert not shows_code(self.log, code), "a code in the log"


@pytest.fixture
def school():
    school = School()
    yield school
    school.end()


def check_message(message, to, language, code):
    assert message.defects == []
    assert message["To"] == to
    assert message["From"].addresses[0].addr_spec == "school@example.org"
    assert message["From"].addresses[0].display_name == "Şehir Dil Okulu"
    assert message["Subject"] == code + SUBJECTS[language]
    assert message["Content-Language"] == language
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@example.org>")
    assert message.get_content_type() == "multipart/alternative"
    plain, html = message.iter_parts()
    assert plain.get_content_type() == "text/plain" and html.get_content_type() == "text/html"
    assert plain.defects == html.defects == []
    assert plain.get_content().splitlines().count(code) == 1
    assert f">{code}<" in html.get_content()
    assert f'lang="{language}"' in html.get_content()
    assert "10" in plain.get_content() and "Şehir Dil Okulu" in plain.get_content()


# ---- SMTP


def test_each_mail_once_in_its_language(school, relay):
    school.use(relay)
    codes = {language: school.queue(f"{language}@example.com", language=language)[0] for language in SUBJECTS}
    done = school.once()
    assert done.returncode == 0, done.stderr
    mails = relay.received()
    assert relay.recipients() == ["de@example.com", "en@example.com", "es@example.com", "tr@example.com"]
    for mail in mails:
        language = mail["to"][0][:2]
        assert (mail["from"], mail["hello"], mail["tls"]) == ("school@example.org", "example.org", False)
        message = parse(mail)
        check_message(message, f"{language}@example.com", language, codes[language])
        assert abs(parsedate_to_datetime(message["Date"]).timestamp() - time.time()) < 60
        lines = mail["content"].split("\r\n")
        assert not any(line.startswith(".") or len(line) > 76 or "\n" in line for line in lines)
    assert len({parse(mail)["Message-ID"] for mail in mails}) == 4
    assert len({mail["connection"] for mail in mails}) == 1, "one connection serves all mails that are due"
    assert school.rows() == []
    assert done.stderr.count("mail_sent") == 4
    assert school.once().returncode == 0
    assert len(relay.received()) == 4


def test_a_kept_sender_sends_immediately_and_can_be_stopped(school, relay):
    sender = school.use(relay).keep()
    for n in (1, 2):
        school.queue(f"user{n}@example.com")
        until(lambda: len(relay.received()) == n, "the mail", 3)    # much less than its longest sleep
    until(lambda: school.rows() == [], "an empty outbox")
    path = school.data / "run/mail.sock"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    second = school.ctl("mail", "--keep")
    assert second.returncode == 69 and "another" in second.stderr
    school.queue("user3@example.com")
    until(lambda: len(relay.received()) == 3, "the mail after the second sender was rejected", 3)
    sender.send_signal(signal.SIGTERM)
    assert sender.wait(60) == 0
    assert not path.exists()
    # the socket of a killed sender is replaced
    school.keep().kill()
    assert path.exists()
    school.kept[-1].wait()
    sender = school.start("--keep")
    until(lambda: "mail_start" in sender.log(), "the next sender")
    school.queue("user4@example.com")
    until(lambda: len(relay.received()) == 4, "the mail to the next sender")
    sender.send_signal(signal.SIGINT)
    assert sender.wait(60) == 0


def test_no_mail_is_lost_while_the_server_is_down(school, relay):
    relay.stop()
    try:
        sender = school.use(relay).keep()
        school.queue("one@example.com", "two@example.com")
        until(lambda: "mail_failed" in sender.log(), "the first try")
        time.sleep(0.1)
        assert sender.log().count("mail_failed") == 1, "no second try while the server is down"
    finally:
        relay.start()
    first, second = school.rows()
    assert first["last_error"] and second["last_error"] is None
    assert (first["attempts"], second["attempts"]) == (1, 0)
    school.advance(11)
    school.queue("three@example.com")
    until(lambda: len(relay.received()) == 3, "the mails")
    until(lambda: school.rows() == [], "an empty outbox")
    assert relay.recipients() == ["one@example.com", "three@example.com", "two@example.com"]


def test_a_clock_that_is_set_back_delays_nothing(school, relay):
    """Not the pause after a failure, nor retries, nor mails that were queued meanwhile."""
    school.advance(3 * DAY)
    relay.stop()
    try:
        sender = school.use(relay).keep()
        school.queue("one@example.com", life=0)
        until(lambda: "mail_failed" in sender.log(), "the first try")
        school.queue("two@example.com", life=0)
        school.queue("code@example.com", life=600)
    finally:
        relay.start()
    assert [row["attempts"] for row in school.rows()] == [1, 0, 0]
    school.advance(-3 * DAY)
    school.queue("three@example.com", life=0)   # wakes the sender
    until(lambda: school.rows() == [], "an empty outbox")
    assert relay.recipients() == ["code@example.com", "one@example.com", "three@example.com", "two@example.com"]
    dates = [parsedate_to_datetime(parse(mail)["Date"]).timestamp() for mail in relay.received()]
    assert all(date < time.time() + 60 for date in dates), "no date in the future"


def test_a_mail_from_the_future_is_tried_for_a_day(school, relay):
    school.use(relay, OKUL_SMTP_PORT="1")
    school.advance(10 * DAY)
    school.queue("someone@example.com", life=0)
    school.advance(-10 * DAY)
    assert school.once().returncode == 69
    row, = school.rows()
    assert row["attempts"] == 1 and row["expires_at"] <= school.now() + DAY * 1000
    assert row["next_at"] <= school.now() + 10_000, "the retry is as for any other mail"
    school.advance(DAY + 1)
    assert "mail_expired" in school.once().stderr and school.rows() == []


def test_the_longest_retry_intervals_are_not_mistaken_for_the_future(school, relay):
    school.use(relay, OKUL_SMTP_PORT="1")
    school.queue("someone@example.com", life=0)
    for wait in (10, 30, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR):
        assert school.once().returncode == 69
        before = [row["next_at"] for row in school.rows()]
        assert school.once().returncode == 0 and [row["next_at"] for row in school.rows()] == before
        school.advance(wait + 1)


def test_retry_intervals_grow_until_the_mail_expires(school, relay):
    school.use(relay, OKUL_SMTP_PORT="1")
    school.queue("someone@example.com", life=0)
    start = school.now()
    for attempt, wait in enumerate((10, 30, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, HOUR, HOUR), 1):
        before = school.now()
        assert school.once().returncode == 69
        row, = school.rows()
        assert row["attempts"] == attempt
        assert before - 1 <= row["next_at"] - wait * 1000 <= school.now() + 1
        school.advance((row["next_at"] - school.now()) / 1000 - wait / 2)
        assert school.once().returncode == 0
        assert school.rows()[0]["attempts"] == attempt, "no retry before it is due"
        school.advance((row["next_at"] - school.now()) / 1000 + 0.01)
    school.advance((start - school.now()) / 1000 + DAY - 60)
    assert school.once().returncode == 69
    assert school.rows()[0]["next_at"] == school.rows()[0]["expires_at"]
    school.advance(61)
    done = school.once()
    assert (done.returncode, school.rows()) == (0, [])
    assert "level=warn" in done.stderr and "mail_expired" in done.stderr and f"attempts={attempt + 1}" in done.stderr


def test_an_expired_code_is_not_sent(school, relay):
    school.use(relay)
    school.queue("late@example.com", life=600)
    school.advance(599 - 2 * SLOW)
    school.queue("early@example.com", life=600)
    school.advance(1 + 2 * SLOW)
    done = school.once()
    assert done.returncode == 0
    assert relay.recipients() == ["early@example.com"]
    assert done.stderr.count("mail_expired") == 1
    assert school.rows() == []


def test_other_mails_are_sent_within_a_day(school, relay):
    school.use(relay)
    school.queue("news@example.com", life=0)
    school.advance(DAY - 60)
    assert school.once().returncode == 0
    assert relay.recipients() == ["news@example.com"]


def test_once_sends_mails_that_did_not_fit_into_a_batch(school, relay):
    """Also when the outbox has no other mails. Batches have 1, 2, 4 mails while the server is fast."""
    addresses = ["one@example.com", "two@example.com", "three@example.com", "slow@example.com", "5@example.com", "6@example.com",
                 "7@example.com"]
    school.use(relay)
    relay.mode("doze")
    school.queue(*addresses)
    assert school.once().returncode == 0
    assert relay.recipients() == sorted(addresses) and school.rows() == []


def test_a_server_that_hangs(school, relay):
    relay.mode("hang")
    school.use(relay, OKUL_SMTP_TIMEOUT="1")
    school.queue("someone@example.com", "other@example.com")
    start = time.monotonic()
    assert school.once().returncode == 69
    assert 0.9 < time.monotonic() - start < TIMED_OUT, "exits after the timeout without trying the next mail"
    assert [row["attempts"] for row in school.rows()] == [1, 0]
    relay.mode("accept")
    school.advance(10)
    assert school.once().returncode == 0
    assert relay.recipients() == ["other@example.com", "someone@example.com"]


def test_a_server_that_hangs_after_the_mail(school, relay):
    relay.mode("hang-at-end")
    sender = school.use(relay).keep()
    for n in (1, 2):
        school.queue(f"user{n}@example.com")
        until(lambda: len(relay.received()) == n, "the mail")
    sender.send_signal(signal.SIGTERM)
    assert sender.wait(60) == 0


def test_a_server_that_hangs_after_a_rejection(school, relay):
    relay.mode("refuse-and-hang")
    school.use(relay, OKUL_SMTP_TIMEOUT="1")
    school.queue("refused@example.com", "good@example.com")
    start = time.monotonic()
    assert school.once().returncode == 0
    assert time.monotonic() - start < TIMED_OUT
    assert relay.recipients() == ["good@example.com"]
    assert school.rows() == []


@pytest.mark.parametrize("keeps", (False, True), ids=("once", "keep"))
def test_the_batch_of_a_killed_sender_is_sent_immediately(school, relay, keeps):
    relay.mode("hang")
    school.use(relay, OKUL_SMTP_TIMEOUT="30")
    school.queue("assigned@example.com", life=0)
    school.queue("someone@example.com")
    sender = school.keep() if keeps else school.start()
    until(lambda: sum(row["attempts"] for row in school.rows()) == 1, "the first try")
    school.killed(sender)
    relay.mode("accept")
    if keeps:
        school.keep()
        until(lambda: school.rows() == [], "an empty outbox")
    else:
        assert school.once().returncode == 0
    assert [mail["to"][0] for mail in relay.received()] == ["someone@example.com", "assigned@example.com"]
    assert school.rows() == []


def test_a_running_sender_keeps_its_lease(school, relay):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        school.use(relay, OKUL_SMTP_TIMEOUT="30", OKUL_SMTP_PORT=str(silent.getsockname()[1]))
        school.queue("someone@example.com")
        school.start()
        until(lambda: school.rows()[0]["attempts"] == 1, "the first try")
        school.use(relay)
        assert school.once().returncode == 0
        assert relay.received() == []
        school.advance(lease(30) - 5 * SLOW)
        assert school.once().returncode == 0
        assert relay.received() == [], "not before the lease ends"
        school.advance(5 * SLOW)
        assert school.once().returncode == 0
        assert relay.recipients() == ["someone@example.com"]
        assert school.rows() == []


def test_a_sender_whose_lease_ended_does_not_change_the_row(school, relay):
    relay.mode("hang")
    school.use(relay, OKUL_SMTP_TIMEOUT="2")
    school.queue("someone@example.com")
    late = school.start()
    until(lambda: school.rows()[0]["attempts"] == 1, "the first try")
    school.advance(lease(2))
    school.use(relay, OKUL_SMTP_TIMEOUT="30")
    school.start()
    until(lambda: school.rows()[0]["attempts"] == 2, "the second sender")
    leased = school.rows()[0]["next_at"]
    assert late.wait(8) == 69
    row, = school.rows()
    assert (row["next_at"], row["attempts"], row["last_error"]) == (leased, 2, None)


def test_a_sender_that_hangs_can_be_stopped(school, relay):
    relay.mode("hang")
    school.use(relay, OKUL_SMTP_TIMEOUT="30")
    school.queue("someone@example.com")
    sender = school.keep()
    until(lambda: school.rows()[0]["attempts"] == 1, "the first try")
    sender.send_signal(signal.SIGTERM)
    assert sender.wait(4) == 0
    relay.mode("accept")
    assert school.once().returncode == 0    # no need to wait: the stopped sender released its lease
    assert relay.recipients() == ["someone@example.com"]


def test_a_sender_killed_before_it_deleted_the_row(school, relay):
    relay.mode("slow")
    school.use(relay, OKUL_SMTP_TIMEOUT="5")
    school.queue("someone@example.com")
    sender = school.start()
    until(relay.received, "the mail")
    school.killed(sender)
    relay.mode("accept")
    assert school.once().returncode == 0
    first, second = relay.received()
    assert parse(first)["Message-ID"] == parse(second)["Message-ID"], "both have the same id"


@pytest.mark.postgres   # with a file, a sender that runs may have all leases
def test_a_running_sender_delays_no_mail_of_a_killed_one(school, relay):
    relay.mode("hang")
    school.use(relay)
    for n, name in enumerate(("running", "killed"), 1):
        school.queue(f"{name}@example.com")
        sender = school.start()
        until(lambda: sum(row["attempts"] for row in school.rows()) == n, "the first try")
    school.killed(sender, left=1)
    relay.mode("accept")
    assert school.once().returncode == 0
    assert relay.recipients() == ["killed@example.com"]
    assert [row["recipient"] for row in school.rows()] == ["running@example.com"]


@pytest.mark.postgres
def test_a_sender_whose_connection_to_the_database_breaks_keeps_its_mail(school, relay):
    relay.mode("slow-2000")
    school.use(relay)
    school.queue("someone@example.com")
    sender = school.start()
    until(relay.received, "the mail")
    with reading(school) as all_of:
        assert all_of("SELECT pg_terminate_backend(pid, 10000) AS ended FROM pg_stat_activity WHERE datname = current_database()"
                      " AND pid <> pg_backend_pid()") == [{"ended": True}]
    assert school.once().returncode == 0
    assert sender.wait(60) == 0 and school.rows() == []
    assert relay.recipients() == ["someone@example.com"]


def start_large_delivery(school, relay, start):
    """Starts a sender and waits until it has sent some of 300 mails and leased others; the rest takes seconds."""
    addresses = [f"user{n:03}@example.com" for n in range(300)]
    relay.mode("slow-20")
    school.use(relay)
    school.queue(*addresses)
    sender = start()
    until(lambda: len(relay.received()) > 30, "some of the mails")
    return addresses, sender


def test_a_killed_sender_sends_no_more_than_a_batch_twice(school, relay):
    addresses, sender = start_large_delivery(school, relay, school.start)
    school.killed(sender)
    relay.wait_for_earlier_mails()
    left = {row["recipient"] for row in school.rows()}
    out = relay.recipients()
    twice = left & set(out)
    assert len(left) > 20 and len(twice) <= 16
    relay.mode("accept")
    held = [row["attempts"] for row in school.rows() if row["attempts"]]
    assert set(held) == {1} and len(held) <= 16, "only the batch is leased"
    assert school.once().returncode == 0
    assert sorted(set(relay.recipients())) == addresses
    assert len(relay.received()) == len(addresses) + len(twice)
    assert len({parse(mail)["Message-ID"] for mail in relay.received()}) == len(addresses)


def untried(school):
    """The addresses of the rows without attempts, which must be due."""
    rows = [row for row in school.rows() if row["attempts"] == 0]
    assert all(row["next_at"] <= school.now() and row["last_error"] is None for row in rows)
    return {row["recipient"] for row in rows}


def test_a_stopped_sender_releases_its_leases(school, relay):
    addresses, sender = start_large_delivery(school, relay, school.keep)
    sender.send_signal(signal.SIGTERM)
    assert sender.wait(60) == 0
    left = untried(school)
    assert len(left) == len(school.rows()) > 0
    assert sorted([*left, *relay.recipients()]) == addresses, "each mail is sent or in the outbox"


def test_after_a_lost_connection_the_rest_of_the_batch_is_not_tried(school, relay):
    addresses, sender = start_large_delivery(school, relay, school.start)
    relay.mode("closing")
    assert sender.wait(60) == 69
    tried = [row for row in school.rows() if row["attempts"] > 0]
    assert [row["attempts"] for row in tried] == [1] and "421" in tried[0]["last_error"]
    assert len(untried(school)) + 1 + len(relay.received()) == len(addresses)


def test_a_code_does_not_wait_for_other_mails(school, relay):
    school.use(relay)
    school.queue(*[f"user{n:02}@example.com" for n in range(80)], life=0)
    school.queue("waiting@example.com", life=600)
    relay.mode("slow-20")
    sender = school.keep()
    until(lambda: len(relay.received()) > 10, "some mails")
    school.queue("also@example.com", life=600)
    until(lambda: school.rows() == [], "an empty outbox")
    sender.send_signal(signal.SIGTERM)
    order = [mail["to"][0] for mail in relay.received()]
    assert order[0] == "waiting@example.com"
    assert len(order) == 82 and order.index("also@example.com") < 50


def test_a_code_is_sent_first_in_its_batch(school, relay):
    school.use(relay)
    school.queue("first@example.com", life=300)     # alone: the first batch has one mail
    school.queue("other@example.com", life=0)
    school.queue("waiting@example.com", life=600)
    assert school.once().returncode == 0
    order = [mail["to"][0] for mail in relay.received()]
    assert order == ["first@example.com", "waiting@example.com", "other@example.com"]


def test_a_row_is_deleted_once_the_database_is_unlocked(school, relay):
    relay.mode("slow")
    school.use(relay)
    school.queue("someone@example.com")
    sender = school.start()
    until(relay.received, "the mail")
    with writer_lock(school):
        until(lambda: "mail_database" in sender.log(), "a delete that failed", 6)
        assert sender.poll() is None
    sender.wait(5)
    assert school.rows() == []
    assert len(relay.received()) == 1


def test_a_rejected_recipient_is_dropped_and_logged(school, relay):
    relay.mode("refuse")
    school.use(relay)
    school.queue("refused@example.com", "good@example.com")
    identity = school.rows()[0]["id"]
    done = school.once()
    assert done.returncode == 0
    assert relay.recipients() == ["good@example.com"]
    assert school.rows() == []
    warning, = [line for line in done.stderr.splitlines() if "mail_refused" in line]
    assert "level=warn" in warning and f"id={identity}" in warning and "to=refused@example.com" in warning
    assert "550 5.1.1 no such mailbox" in warning


def test_a_rejected_message_is_dropped(school, relay):
    relay.mode("refuse-data")
    school.use(relay)
    school.queue("someone@example.com")
    done = school.once()
    assert "mail_refused" in done.stderr and "554 5.6.0" in done.stderr
    assert school.rows() == []


@pytest.mark.parametrize("mode, words", [
    ("refuse-sender", "after MAIL the server said: 550 5.7.1"), ("closing", "421 4.3.2"), ("close", "mail_failed"),
])
def test_other_failures_are_retried(school, relay, mode, words):
    relay.mode(mode)
    school.use(relay)
    school.queue("someone@example.com", "other@example.com")
    done = school.once()
    assert done.returncode == 69
    assert words in done.stderr
    assert [row["attempts"] for row in school.rows()] == [1, 0], "the other mail is not tried"
    relay.mode("accept")
    school.advance(10)
    assert school.once().returncode == 0
    assert len(relay.received()) == 2


def test_a_deferred_recipient(school, relay):
    relay.mode("later")
    school.use(relay)
    school.queue("later@example.com", "good@example.com")
    done = school.once()
    assert done.returncode == 69
    assert relay.recipients() == ["good@example.com"], "other mails are not delayed"
    row, = school.rows()
    assert "451 4.7.1" in row["last_error"]
    relay.mode("accept")
    school.advance(10)
    assert school.once().returncode == 0
    assert relay.recipients() == ["good@example.com", "later@example.com"]


def test_parallel_senders(school, relay):
    school.use(relay)
    addresses = [f"user{n:02}@example.com" for n in range(60)]
    school.queue(*addresses)
    senders = [school.start() for _ in range(3)]
    assert [sender.wait(60) for sender in senders] == [0, 0, 0]
    assert relay.recipients() == addresses
    assert len({mail["connection"] for mail in relay.received()}) > 1, "both senders delivered mails"


# ---- TLS and login


@pytest.fixture(scope="module")
def certificates():
    """A new CA with a certificate for 127.0.0.1, and another CA."""
    home = Path(tempfile.mkdtemp(prefix="okul-ca-"))

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=home, check=True, capture_output=True)

    new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    openssl(*new, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test CA")
    openssl(*new, "-keyout", "other.key", "-out", "other.pem", "-subj", "/CN=Other CA")
    openssl(*new, "-keyout", "server.key", "-out", "server.pem", "-subj", "/CN=relay", "-CA", "ca.pem",
            "-CAkey", "ca.key", "-addext", "subjectAltName=IP:127.0.0.1",
            "-addext", "basicConstraints=critical,CA:FALSE")
    yield home
    shutil.rmtree(home)


@pytest.fixture(scope="module")
def tls_relay(certificates):
    home = Path(tempfile.mkdtemp(prefix="okul-relay-"))
    relay = Relay(home, certificates)
    yield relay
    relay.stop()
    shutil.rmtree(home)


@pytest.fixture
def safe(school, tls_relay, certificates):
    tls_relay.forget()
    school.use(tls_relay, "starttls", "starttls", OKUL_SMTP_CA=str(certificates / "ca.pem"),
               OKUL_SMTP_USER=smtp_server.USER.decode(), OKUL_SMTP_PASSWORD=smtp_server.PASSWORD.decode())
    return school


def check_kept(school, relay, words):
    done = school.once()
    assert done.returncode == 69
    assert relay.received() == []
    row, = school.rows()
    assert words in row["last_error"] and words in done.stderr
    return done.stderr + row["last_error"]


def test_starttls_and_login(safe, tls_relay):
    code, = safe.queue("someone@example.com")
    assert safe.once().returncode == 0
    mail, = tls_relay.received()
    assert mail["tls"] and mail["login"]
    check_message(parse(mail), "someone@example.com", "en", code)


def test_tls_from_the_start(safe, tls_relay):
    safe.use(tls_relay, "tls", "tls", OKUL_SMTP_USER="")
    safe.queue("someone@example.com")
    assert safe.once().returncode == 0
    assert [mail["tls"] for mail in tls_relay.received()] == [True]


@pytest.mark.parametrize("port", ["starttls", "tls"])
@pytest.mark.parametrize("authority", ["", "other.pem"])
def test_an_untrusted_certificate(safe, tls_relay, certificates, authority, port):
    safe.use(tls_relay, port, port, OKUL_SMTP_CA=str(certificates / authority) if authority else "")
    safe.queue("someone@example.com")
    check_kept(safe, tls_relay, "certificate")


def test_a_certificate_for_another_name(safe, tls_relay):
    safe.use(tls_relay, "starttls", "starttls", OKUL_SMTP_HOST="localhost")
    safe.queue("someone@example.com")
    check_kept(safe, tls_relay, "certificate")


def test_no_mail_is_sent_without_starttls(safe, tls_relay):
    safe.use(tls_relay, "plain", "starttls")
    safe.queue("someone@example.com")
    check_kept(safe, tls_relay, "STARTTLS")


def test_a_wrong_password(safe, tls_relay):
    safe.use(tls_relay, "starttls", "starttls", OKUL_SMTP_PASSWORD="hunter-2-hunter")
    safe.queue("someone@example.com")
    error = check_kept(safe, tls_relay, "535")
    assert "hunter" not in error and "aHVudGVy" not in error


# ---- sendmail

SENDMAIL = """#!/bin/sh
printf '%s\\n' "$@" >{home}/arguments
cat >{home}/message
read code <{home}/exit
[ "$code" = hang ] && sleep 30
[ "$code" = die ] && kill -9 $$
exit "$code"
"""


@pytest.fixture
def sendmail(school):
    program = school.home / "sendmail"
    program.write_text(SENDMAIL.format(home=school.home))
    program.chmod(0o755)
    (school.home / "exit").write_text("0\n")
    school.environment |= {"OKUL_MAIL_TRANSPORT": "sendmail", "OKUL_SENDMAIL": str(program)}
    return school


def test_sendmail(sendmail):
    code, = sendmail.queue("-oQ/tmp@example.com", language="tr")
    assert sendmail.once().returncode == 0
    assert sendmail.rows() == []
    arguments = (sendmail.home / "arguments").read_text().splitlines()
    assert arguments == ["-i", "-f", "school@example.org", "--", "-oQ/tmp@example.com"]
    message = (sendmail.home / "message").read_bytes()
    assert b"\r" not in message
    check_message(email.message_from_bytes(message, policy=email.policy.default), "-oQ/tmp@example.com", "tr", code)


@pytest.mark.parametrize("code, kept, words", [
    ("75", True, "ended with 75"), ("78", True, "ended with 78"), ("die", True, "signal 9"),
    ("67", False, "ended with 67"), ("68", False, "ended with 68"), ("65", False, "ended with 65"),
])
def test_sendmail_that_fails(sendmail, code, kept, words):
    (sendmail.home / "exit").write_text(code + "\n")
    sendmail.queue("someone@example.com")
    done = sendmail.once()
    assert words in done.stderr
    assert ("mail_failed" if kept else "mail_refused") in done.stderr
    assert [words in row["last_error"] for row in sendmail.rows()] == [True] * kept


def test_sendmail_that_hangs(sendmail):
    (sendmail.home / "exit").write_text("hang\n")
    sendmail.environment["OKUL_SMTP_TIMEOUT"] = "1"
    sendmail.queue("someone@example.com")
    start = time.monotonic()
    assert sendmail.once().returncode == 69
    assert time.monotonic() - start < TIMED_OUT
    assert "in time" in sendmail.rows()[0]["last_error"]


def test_missing_sendmail(sendmail):
    sendmail.environment["OKUL_SENDMAIL"] = "/nowhere/sendmail"
    sendmail.queue("someone@example.com")
    assert sendmail.once().returncode == 69
    assert "/nowhere/sendmail: No such file" in sendmail.rows()[0]["last_error"]


# ---- files


def test_file(school):
    code, = school.queue("someone@example.com", language="de")
    identity = school.rows()[0]["id"]
    assert school.once().returncode == 0
    assert school.rows() == []
    folder = school.data / "mail"
    assert [path.name for path in folder.iterdir()] == [f"{identity}.eml"]
    path = folder / f"{identity}.eml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(folder.stat().st_mode) == 0o700
    content = path.read_bytes()
    check_message(email.message_from_bytes(content, policy=email.policy.default), "someone@example.com", "de", code)
    found = subprocess.run(["grep", "-ohE", "^[0-9]{6}", path], capture_output=True, text=True, check=True)
    assert found.stdout.split() == [code]


def test_file_that_cannot_be_written(school):
    (school.data / "mail").write_text("in the way")
    school.queue("someone@example.com")
    assert school.once().returncode == 69
    assert "mail" in school.rows()[0]["last_error"]
    (school.data / "mail").unlink()
    school.advance(10)
    assert school.once().returncode == 0
    assert len(list((school.data / "mail").iterdir())) == 1


# ---- errors while composing a mail


def test_a_broken_custom_template(school):
    folder = school.data / "mail-templates"
    folder.mkdir()
    (folder / "login-code.en.txt").write_text("Subject: x\n\n{{cdoe}}\n")
    school.queue("someone@example.com", "other@example.com")
    done = school.once()
    assert done.returncode == 69
    assert "{{cdoe}}" in done.stderr
    assert len(school.rows()) == 2
    (folder / "login-code.en.txt").write_text("Subject: x\n\n{{code}}\n")
    school.advance(10)
    assert school.once().returncode == 0
    assert len(list((school.data / "mail").iterdir())) == 2


def test_a_mail_sealed_with_another_key(school):
    school.queue("someone@example.com")
    keys = school.data / "keys.conf"
    right = keys.read_text()
    wrong = "\n".join("mail = " + "1f" * 32 if line.startswith("mail") else line for line in right.split("\n"))
    assert wrong != right
    keys.write_text(wrong)
    done = school.once()
    assert done.returncode == 69 and "mail_sealed" in done.stderr
    keys.write_text(right)
    school.advance(10)
    assert school.once().returncode == 0
    assert len(list((school.data / "mail").iterdir())) == 1


def test_the_mail_line_of_the_crontab_prints_only_failures(school, relay):
    line, = re.findall(r"(?m)^#\* [^#]* okul +(.*\$OKUL mail)$", (ROOT / "conf/cron/okul").read_text())
    school.use(relay)
    environment = school.environment | {"OKUL": f"{BUILD / 'okulctl'} -d {school.data}"}

    def minute():
        done = subprocess.run(["sh", "-c", line], env=environment, text=True, capture_output=True, timeout=60, check=False)
        return done.stdout + done.stderr

    school.queue("someone@example.com")
    assert minute() == "" and relay.recipients() == ["someone@example.com"]
    relay.mode("refuse")
    school.queue("refused@example.com")
    assert "mail_refused" in minute()


def test_usage(school):
    for arguments in (["--twice"], ["--once", "--keep"], ["now"]):
        done = school.ctl("mail", *arguments)
        assert done.returncode == 64 and "--help" in done.stderr
    assert "mail_refused" in school.ctl("mail", "--help").stdout
