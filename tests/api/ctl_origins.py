"""cors_origins: the setting, the map for the web server, and what `okulctl check` reports."""

import re

import pytest

from helpers.client import Okul
from helpers.server import ORIGIN, Server

BAD = {
    "*": "matches nothing", "https://*.okul.example": "matches nothing", "okul.example": "does not begin with https://",
    "https://okul.example/app": "leave the rest out", "null": "does not begin with https://", "https://örnek.example": "xn--",
    "https://okul.example:99999": "has a port", "https://": "has no host name",
}


@pytest.fixture(name="server", scope="module")
def fixture_server():
    server = Server("origins", OKUL_WORKERS="1", OKUL_CORS_ORIGINS=", ".join(["HTTPS://Okul.Example:443/", *BAD, "https://admin.okul.example"]))
    yield server
    server.stop()


def lines(server):
    return re.findall(r"(?m)^(ok|warn|FAIL) +origins: (.*)$", server.ctl("check", check=False).stdout)


def test_invalid_origins_are_reported_and_ignored(server):
    found = lines(server)
    assert len(found) == len(BAD) and all(verdict == "FAIL" for verdict, _ in found)
    for (_, text), (entry, why) in zip(found, BAD.items()):
        assert text.startswith(f"{entry} of cors_origins ") and why in text, text
    okul = Okul(server)     # okul.check_cors() checks the headers for each origin, of programs and web server
    for path in ("/", "/nothing", "/courses/"):
        for origin in (ORIGIN, "https://admin.okul.example", "null", "*", "https://www.okul.example"):
            okul.options(path, headers={"Origin": origin})


def test_check_reports_an_outdated_map():
    server = Server("unknown", OKUL_WORKERS="1")
    try:
        assert lines(server) == [("ok", "https://okul.example https://admin.okul.example")]
        file = server.data / "origins.map"
        assert file.stat().st_mode & 0o777 == 0o640
        server.environment["OKUL_CORS_ORIGINS"] = "https://new.example"
        (verdict, text), = lines(server)
        assert verdict == "warn" and "okulctl migrate" in text
        assert "written" in server.ctl("migrate").stdout
        assert lines(server) == [("ok", "https://new.example")] and "new.example" in file.read_text()
        assert "written" not in server.ctl("migrate").stdout, "the map was up to date"
        file.unlink()
        assert lines(server)[0][0] == "warn"
        server.environment["OKUL_CORS_ORIGINS"] = ""
        server.ctl("migrate")
        assert lines(server) == [("ok", "none but the site's own")] and "://" not in file.read_text()
    finally:
        server.stop()
