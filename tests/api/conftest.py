"""Fixtures of servers, and the summary line with the number of tests."""

import pytest

from helpers import postgres
from helpers.client import Okul
from helpers.folder import Folder
from helpers.server import Server

servers = []    # shared by all tests


def pytest_collection_modifyitems(config, items):
    """Leaves out what is about the other engine."""
    other = "sqlite" if postgres.ENABLED else "postgres"
    left = [item for item in items if item.get_closest_marker(other)]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in left]


@pytest.fixture(autouse=True)
def nothing_breaks(request):
    """Fails a test during which a process dies or a sanitizer reports an error, whatever the responses were."""
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
    """The server that most tests share. No test changes its clock."""
    yield from served("main")


@pytest.fixture(scope="session")
def later():
    """A server whose clock the tests set forward, so that sessions expire: each test logs in again."""
    yield from served("later", OKUL_WORKERS="2")


@pytest.fixture(scope="session")
def guarded():
    """A server with limits per client address. Tests set its clock forward too."""
    yield from served("guarded", OKUL_WORKERS="2", OKUL_LIMITS="on")


@pytest.fixture(scope="session")
def wild():
    """A server whose clock the tests also set back; each test restores it."""
    yield from served("wild", OKUL_WORKERS="2")


@pytest.fixture(scope="module")
def boss(okul):
    """A superadmin of the shared server, one per file."""
    return okul.staff("superadmin")


@pytest.fixture(scope="module")
def ada(okul):
    """A user of the shared server with a complete registration, one per file."""
    return okul.registered()


@pytest.fixture(scope="module")
def fresh_folder(tmp_path_factory):
    """A data folder after `okulctl migrate`."""
    folder = Folder(tmp_path_factory.mktemp("new"))
    folder.good("migrate")
    yield folder
    folder.drop()


@pytest.fixture
def folder(fresh_folder, tmp_path):
    """A copy of fresh_folder for one test."""
    folder = Folder(tmp_path, fresh_folder)
    yield folder
    folder.drop()


def pytest_terminal_summary(terminalreporter, exitstatus):
    """Prints the line that tests/count reads. Skipped tests and errors in fixtures do not count as passed."""
    stats = terminalreporter.stats
    passed = len(stats.get("passed", []))
    failed = sum(len(stats.get(kind, [])) for kind in ("failed", "error", "skipped", "xfailed", "xpassed"))
    terminalreporter.write_line(f"api: {passed} passed, {max(failed, 1 if exitstatus else 0)} failed")
