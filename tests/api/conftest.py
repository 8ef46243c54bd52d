"""Servers for the tests, and the line that counts them."""

import shutil

import pytest

from helpers.client import Okul
from helpers.folder import Folder
from helpers.server import Server

servers = []    # those that all tests share


@pytest.fixture(autouse=True)
def nothing_breaks(request):
    """A process that dies, or a finding of a sanitizer, fails the test that brought it about, whatever was answered."""
    before = {server: server.deaths() for server in servers}
    yield
    for server in servers:
        server.check_sanitizers()
        if not request.node.get_closest_marker("kills"):
            deaths = server.deaths()
            assert deaths == before.get(server, []), deaths


def served(name, **settings):
    server = Server(name, **settings)
    servers.append(server)
    yield Okul(server)
    servers.remove(server)
    server.stop()


@pytest.fixture(scope="session")
def okul():
    """The server that most tests share. Nobody turns its clock."""
    yield from served("main")


@pytest.fixture(scope="session")
def later():
    """A server whose clock the tests turn: only forward, so log in anew in each test."""
    yield from served("later", OKUL_WORKERS="2")


@pytest.fixture(scope="session")
def guarded():
    """A server with limits by client address. Its clock turns too."""
    yield from served("guarded", OKUL_WORKERS="2", OKUL_LIMITS="on")


@pytest.fixture(scope="session")
def wild():
    """A server whose clock the tests turn back as well; each puts it right again."""
    yield from served("wild", OKUL_WORKERS="2")


@pytest.fixture(scope="module")
def boss(okul):
    """A superadmin of the shared server, another one in each file."""
    return okul.staff("superadmin")


@pytest.fixture(scope="module")
def ada(okul):
    """A user of the shared server whose registration is complete, another one in each file."""
    return okul.registered()


@pytest.fixture(scope="module")
def fresh_folder(tmp_path_factory):
    """A data folder as `okulctl migrate` makes it."""
    folder = Folder(tmp_path_factory.mktemp("new"))
    folder.good("migrate")
    return folder


@pytest.fixture
def folder(fresh_folder, tmp_path):
    """A copy of it for one test."""
    shutil.copytree(fresh_folder.data, tmp_path / "data")
    return Folder(tmp_path)


def pytest_terminal_summary(terminalreporter, exitstatus):
    """The line that tests/count reads. What was skipped or could not be set up did not pass."""
    stats = terminalreporter.stats
    passed = len(stats.get("passed", []))
    failed = sum(len(stats.get(kind, [])) for kind in ("failed", "error", "skipped", "xfailed", "xpassed"))
    terminalreporter.write_line(f"api: {passed} passed, {max(failed, 1 if exitstatus else 0)} failed")
