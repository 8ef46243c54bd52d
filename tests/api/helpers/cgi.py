"""A FastCGI and a CGI client: requests that reach a program without a web server in front of it."""

import email
import email.policy
import socket
import struct
import subprocess

from helpers.server import BUILD


def fastcgi(path, parameters, body=b""):
    """Sends one request to a worker's socket (FastCGI 1.0, role responder); with body None, no record of standard
    input. Returns its standard output."""
    def record(kind, content):
        return struct.pack(">BBHHBB", 1, kind, 1, len(content), 0, 0) + content

    def stream(kind, content):
        return b"".join(record(kind, content[i:i + 65528]) for i in range(0, len(content), 65528)) + record(kind, b"")

    def length(n):
        return struct.pack(">B", n) if n < 128 else struct.pack(">I", n | 1 << 31)
    pairs = b"".join(length(len(k)) + length(len(v)) + k + v for k,
                     v in ((k.encode(), v.encode()) for k, v in parameters.items()))
    with socket.socket(socket.AF_UNIX) as wire:
        wire.settimeout(60)
        wire.connect(str(path))
        try:
            wire.sendall(record(1, struct.pack(">HB5x", 1, 0)) + stream(4, pairs) + (b"" if body is None else stream(5, body)))
        except ConnectionError:
            pass
        data = b""
        try:
            while chunk := wire.recv(65536):
                data += chunk
        except ConnectionError:
            pass
    out = b""
    while len(data) >= 8:
        _, kind, _, size, padding, _ = struct.unpack(">BBHHBB", data[:8])
        out += data[8:8 + size] if kind == 6 else b""
        data = data[8 + size + padding:]
    return out


def parse_cgi(output):
    """Parses a CGI response into (status, headers, body)."""
    head, _, body = output.partition(b"\r\n\r\n")
    headers = email.message_from_bytes(head + b"\r\n\r\n")
    return int(headers["Status"].split()[0]), headers, body


def cgi_process(server, program, method, path, headers, length, content_type):
    """Starts a program as a web server without FastCGI would (RFC 3875)."""
    target, _, query = path.partition("?")
    environment = server.environment | {
        "OKUL_DATA": str(server.data), "GATEWAY_INTERFACE": "CGI/1.1", "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "localhost", "SERVER_PORT": "80", "REQUEST_METHOD": method, "SCRIPT_NAME": "",
        "PATH_INFO": target, "REQUEST_URI": path, "QUERY_STRING": query,
        "REMOTE_ADDR": "127.0.0.1",
    } | {"HTTP_" + name.upper().replace("-", "_"): value for name, value in (headers or {}).items()}
    if length > 0:  # without a body, web servers do not set it
        environment |= {"CONTENT_LENGTH": str(length), "CONTENT_TYPE": content_type}
    return subprocess.Popen([BUILD / f"{program}.fcgi"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)


def cgi(server, program, method, path, headers=None, body=b"", content_type="application/json", length=None):
    run = cgi_process(server, program, method, path, headers, length or len(body), content_type)
    out, err = run.communicate(body, timeout=60)
    assert run.returncode == 0, err.decode()
    return parse_cgi(out)
