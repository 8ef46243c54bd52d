"""Fixtures: one server of PostgreSQL, and a school on each engine."""

import pytest

import engines


@pytest.fixture(scope="session")
def server():
    one = engines.Postgres()
    yield one
    one.stop()


@pytest.fixture(scope="session")
def file(tmp_path_factory):
    """A school in a file, which no test changes."""
    return engines.School(tmp_path_factory.mktemp("file"))


@pytest.fixture(scope="session")
def hosted(server, tmp_path_factory):
    """A school on the server, which no test changes."""
    return engines.School(tmp_path_factory.mktemp("hosted"), engines.new_database(server, "hosted"))


def pytest_terminal_summary(terminalreporter, exitstatus):
    """Prints the line that tests/count reads. Skipped tests and errors in fixtures do not count as passed."""
    stats = terminalreporter.stats
    passed = len(stats.get("passed", []))
    failed = sum(len(stats.get(kind, [])) for kind in ("failed", "error", "skipped", "xfailed", "xpassed"))
    terminalreporter.write_line(f"portable: {passed} passed, {max(failed, 1 if exitstatus else 0)} failed")
