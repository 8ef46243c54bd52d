"""The SMTP server that mails are sent to, and the mails that it accepted."""

import email
import email.policy
import json
import smtplib
import subprocess
import sys

from helpers.server import ROOT, free_port


class Relay:
    def __init__(self, home, certificate=None):
        self.folder = home / "relay"
        self.folder.mkdir()
        self.certificate = certificate
        self.mode("accept")
        self.port = free_port()     # the same after a restart
        self.start()

    def start(self):
        command = [sys.executable, str(ROOT / "tests/api/helpers/smtp_server.py"), str(self.folder), "--port", str(self.port)]
        if self.certificate:
            command += ["--cert", str(self.certificate / "server.pem"), "--key", str(self.certificate / "server.key")]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        self.ports = json.loads(self.process.stdout.readline())
        self.port = self.ports["plain"]

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def wait_for_earlier_mails(self):
        """The server handles connections in order: once it responds to NOOP, everything that was sent before has been
        handled."""
        with smtplib.SMTP("127.0.0.1", self.port) as client:
            client.noop()

    def mode(self, mode):
        aside = self.folder / "mode.new"
        aside.write_text(mode)
        aside.rename(self.folder / "mode")

    def received(self):
        path = self.folder / "received"
        # a line without its end is still being written
        return [json.loads(line) for line in path.read_text().splitlines(True) if line.endswith("\n")] if path.exists() else []

    def recipients(self):
        return sorted(address for mail in self.received() for address in mail["to"])

    def forget(self):
        (self.folder / "received").unlink(missing_ok=True)


def parse(mail):
    return email.message_from_bytes(mail["content"].encode("latin-1"), policy=email.policy.default)
