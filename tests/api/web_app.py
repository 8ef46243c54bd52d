"""The web app's files, as nginx, Apache and an .htaccess serve them: types, headers, and nothing beside them."""

import contextlib
import gzip
import http.client
from pathlib import Path

import pytest

from helpers.server import BUILD, Server

FOLDER = BUILD / "share/app"
POLICY = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".json": "application/json", ".svg": "image/svg+xml"}
FIRST_SCREEN, WHOLE_APP = 60_000, 250_000     # bytes over the wire


@pytest.fixture(scope="module", params=["nginx", "apache"])
def web(request):
    server = Server("web-app", web=request.param, OKUL_WORKERS="1")
    yield server
    server.stop()


def get(server, path, **headers):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.headers, response.read()


def files():
    return sorted(path.relative_to(FOLDER) for path in FOLDER.rglob("*") if path.is_file() and path.suffix in TYPES)


def test_files(web):
    assert len(files()) > 20
    for file in [Path("."), *files()]:
        status, headers, body = get(web, f"/app/{'' if file == Path('.') else file}")
        content = (FOLDER / ("index.html" if file == Path(".") else file)).read_bytes()
        assert status == 200 and body == content, file
        kind = headers["Content-Type"]
        assert kind.split(";")[0] == TYPES[(FOLDER / file).suffix or ".html"], file
        assert headers["Content-Security-Policy"] == POLICY and headers["Cache-Control"] == "no-cache", file
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "no-referrer"
    status, headers, _ = get(web, "/app/app.js")
    assert "charset=utf-8" in headers["Content-Type"]
    assert get(web, "/app/app.js", **{"If-None-Match": headers["ETag"]})[0] == 304


def test_the_folder_itself(web):
    status, headers, _ = get(web, "/app")
    assert status == 301 and headers["Location"].endswith("/app/")
    for path in ("/app/nothing.js", "/app/lib/", "/app/screens", "/app/../nginx/common.conf", "/app/%2e%2e/schema.sql", "/app../schema.sql", "/app/.made",
                 "/application"):
        status, headers, body = get(web, path)
        assert status in (301, 400, 403, 404) and b"CREATE TABLE" not in body and b"map $" not in body, path


@pytest.mark.parametrize("web", ["nginx"], indirect=True)   # Apache compresses where mod_deflate is loaded
def test_what_goes_over_the_wire(web):
    """The first screen is the login with what it imports; the whole is every file in one language."""
    sizes = {}
    for file in files():
        _, headers, body = get(web, f"/app/{file}", **{"Accept-Encoding": "gzip"})
        sizes[str(file)] = len(body) + 300     # and its headers
        if headers["Content-Encoding"] == "gzip":
            gzip.decompress(body)
    first = {"index.html", "style.css", "app.js", "icon.svg", "icons.svg", "screens/login.js", "screens/home.js", "lang/tr.json",
             *(f"lib/{name}.js" for name in ("api", "dialog", "dom", "failure", "route", "session", "text"))}
    languages = sum(size for name, size in sizes.items() if name.startswith("lang/"))
    print(f"first screen {sum(sizes[name] for name in first)} bytes, all {sum(sizes.values()) - languages + sizes['lang/tr.json']} bytes")
    assert sum(sizes[name] for name in first) <= FIRST_SCREEN
    assert sum(sizes.values()) - languages + sizes["lang/tr.json"] <= WHOLE_APP
