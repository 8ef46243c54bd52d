"""What the front of several machines must do besides passing requests on: seen from a machine that is no front."""

import http.client
import json
import threading

from application import Client


def ask(site, method, path, body=None, **headers):
    """Status, all headers and JSON of one request on a connection of its own."""
    client = Client(site)
    client.open()
    client.connection.request(method, path, body, {"Host": "okul.example.org"} | headers)
    response = client.connection.getresponse()
    return response.status, response.getheaders(), json.loads(response.read())


def without_certificate(site):
    """The status that the application server itself gives to somebody without a certificate of the cluster."""
    client = Client(site)
    wire = client.wire(site.applications[0].machine.address, 8443)
    connection = http.client.HTTPConnection("okul-cluster")
    connection.sock = wire
    connection.request("GET", "/health")
    return connection.getresponse().status


def faults(site, token):
    """What is wrong, one sentence each."""
    status, headers, body = ask(site, "GET", "/health")
    names = [name.lower() for name, _ in headers]
    if status != 200 or names.count("strict-transport-security") != 1 or names.count("x-request-id") != 1:
        yield f"GET /health: {status} {headers}"
    for application in site.applications:
        Client(site).get("/health")
    seen = "".join(a.log() for a in site.applications)
    if site.network.real and f"client={site.network.machines['db1'].address}" not in seen:
        yield "the programs do not see the address of the client"
    for method, path, size, wanted in (("GET", "/nothing", 0, 404), ("POST", "/courses", 2_000_000, 413),
                                       ("POST", "/storage/upload", 10_000_000, 401)):
        more = {"Content-Type": "multipart/form-data; boundary=x"} if "storage" in path else {"Content-Type": "application/json"}
        try:
            status, headers, body = ask(site, method, path, b"x" * size, **more)
        except (BrokenPipeError, ConnectionResetError):
            yield f"{method} {path}: the connection broke off"
            continue
        if status != wanted or body["statusCode"] != wanted or body["isSuccess"] or not body["errors"]:
            yield f"{method} {path}: {status} {body}, not {wanted}"
    _, headers, _ = ask(site, "GET", "/courses", Authorization=f"Bearer {token}", **{"X-Request-Id": "one-id-for-all"})
    if dict(headers).get("X-Request-Id") != "one-id-for-all":
        yield "the request id of the client is lost"
    if without_certificate(site) != 400:
        yield "the application server takes requests without a certificate of the cluster"


def check(site, token):
    """Runs faults() on db1, and returns them."""
    found, broken = [], []

    def run():
        try:
            site.network.machines["db1"].enter()
            found.extend(faults(site, token))
        except Exception as problem:    # in a thread
            broken.append(problem)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join(120)
    if broken:
        raise broken[0]
    return found

