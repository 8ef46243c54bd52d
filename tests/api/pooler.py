"""okul behind PgBouncer: conf/cluster/pgbouncer.ini, whose pool_mode is session, and why no other mode does."""

import os
import re
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from helpers import postgres
from helpers.client import Okul
from helpers.folder import Folder
from helpers.server import ROOT, Server, until

pytestmark = pytest.mark.postgres


class Pgbouncer:
    """A PgBouncer with the shipped configuration, on the socket of the tests' server."""

    def __init__(self, **changes):
        self.server = postgres.server()
        self.home = Path(f"{self.server.home}/pooler-{len(list(self.server.home.glob('pooler-*')))}")
        self.home.mkdir()
        text = (ROOT / "conf/cluster/pgbouncer.ini").read_text()
        for pattern, new in {
                r"(?m)^okul = .*$": f"* = host={self.server.home} port=5432 user=okul", "auth_type = .*": "auth_type = any",
                "(?m)^(auth_file|server_tls_|unix_socket_group).*$": "", "/run/okul-pgbouncer": str(self.home),
                "/var/log/postgresql": str(self.home), **{f"(?m)^{k} = .*$": f"{k} = {v}" for k, v in changes.items()}}.items():
            assert re.search(pattern, text), pattern
            text = re.sub(pattern, new, text)
        (self.home / "pgbouncer.ini").write_text(text)
        if os.getuid() == 0:    # it does not run as root
            shutil.chown(self.home, "postgres", "postgres")
        self.process = subprocess.Popen([*self.server.under, shutil.which("pgbouncer", path="/usr/sbin:/usr/bin"), "-q", self.home / "pgbouncer.ini"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self.listens, "PgBouncer")

    def listens(self):
        assert self.process.poll() is None, "PgBouncer ended"
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(f"{self.home}/.s.PGSQL.6432") == 0

    def url(self, database):
        return f"postgresql:///{database}?host={self.home}&port=6432&user=okul"

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


@pytest.fixture
def database():
    return postgres.name_in(postgres.server().create())


def test_pool_mode_session(database):
    pooler = Pgbouncer()
    server = Server("pooled", OKUL_WORKERS="3", OKUL_DATABASE=pooler.url(database))
    try:
        boss = Okul(server).staff("superadmin")
        statuses = []

        def work(n):
            for i in range(20):
                statuses.append(boss.post("/courses", {"title": f"Pooled {n}-{i}", "language": "en"}).status)
                statuses.append(boss.get("/courses?limit=5").status)
        threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(set(statuses)) == [200, 201] and len(statuses) == 240
        assert boss.get("/courses").data["pagination"]["total"] == 120
        assert b"level=error" not in b"".join(server.logs().values())
    finally:
        server.stop()
        pooler.stop()


@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_other_pool_modes_are_refused_at_the_start(database, tmp_path, mode):
    """Statements are prepared once a connection, which a client has to itself only in session mode."""
    pooler = Pgbouncer(pool_mode=mode)
    try:
        folder = Folder(tmp_path)
        folder.environment["OKUL_DATABASE"] = pooler.url(database)
        run = folder.ctl("migrate")
        assert run.returncode != 0 and "pool_mode = session" in run.stderr, run.stderr
    finally:
        pooler.stop()
