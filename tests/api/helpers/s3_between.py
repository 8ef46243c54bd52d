"""A proxy between okul and the tests' storage, which does to requests what networks and overloaded storage do."""

import contextlib
import re
import socket
import ssl
import subprocess
import threading
import time


class Between:
    """Listens on `port`. `fault` holds for requests that come from then on; None: all pass.

        500 and other statuses  the answer, and the storage is not asked
        hang                    the request is read, and never answered
        mute                    the storage gets the request, and its answer is lost
        cut                     the connection ends in the middle of the body
        damage                  a byte of the body is another
        slow                    `rate` bytes of the body a second
    """

    def __init__(self, target, tls=None):
        self.target, self.tls, self.fault, self.methods, self.rate = target, tls, None, (), 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def stop(self):
        self.listener.close()

    @contextlib.contextmanager
    def faulty(self, fault, methods=("GET", "HEAD", "PUT", "DELETE"), rate=0):
        self.fault, self.methods, self.rate = fault, methods, rate
        try:
            yield
        finally:
            self.fault = None

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.serve, args=(self.listener.accept()[0],), daemon=True).start()

    def serve(self, client):
        with contextlib.suppress(OSError), client:
            if self.tls:
                client = self.tls.wrap_socket(client, server_side=True)
            with client, socket.create_connection(("127.0.0.1", self.target)) as storage:
                state = {"mute": False}
                threading.Thread(target=self.answers, args=(storage, client, state), daemon=True).start()
                while self.request(client, storage, state):
                    pass

    @staticmethod
    def answers(storage, client, state):
        with contextlib.suppress(OSError):
            while data := storage.recv(65536):
                if not state["mute"]:
                    client.sendall(data)
            client.shutdown(socket.SHUT_RDWR)

    def request(self, client, storage, state):
        """Passes one request on. False: no further one comes."""
        head = b""
        while b"\r\n\r\n" not in head:
            data = client.recv(65536)
            if not data:
                return False
            head += data
        head, _, body = head.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        left = int(length[1]) if length else 0
        fault = self.fault if head.split(b" ")[0].decode() in self.methods else None
        if isinstance(fault, int):
            client.sendall(b"HTTP/1.1 %d Fault\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % fault)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):       # else it would get a reset instead of the answer
                pass
            return False
        if fault == "hang":
            while client.recv(65536):
                pass
            return False
        state["mute"] = fault == "mute"
        if fault == "mute":     # the client waits for its 100 a second, and sends then
            head = re.sub(rb"(?i)\r\nexpect: [^\r]*", b"", head)
        storage.sendall(head + b"\r\n\r\n")
        whole, damaged = left, False
        while left > 0:
            body = body or client.recv(16384)
            if not body or (fault == "cut" and left <= whole // 2):
                return False
            left -= len(body)
            if fault == "damage" and not damaged:
                body, damaged = bytes([body[0] ^ 1]) + body[1:], True
            if fault == "slow":
                time.sleep(len(body) / self.rate)
            storage.sendall(body)
            body = b""
        return True


def authority(folder, name):
    """A certificate authority of its own; the path of its certificate."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout",
                    folder / f"{name}.key", "-out", folder / f"{name}.pem"], check=True, capture_output=True)
    return folder / f"{name}.pem"


def certified(folder, signer, host):
    """The context of a server for `host` by that authority, for TLS 1.3 only, which some storage demands."""
    pair, more = folder / f"{signer.stem}-{host}", folder / "more"
    more.write_text(f"subjectAltName=DNS:{host}\n")
    for command in (["req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={host}", "-keyout", f"{pair}.key", "-out", f"{pair}.csr"],
                    ["x509", "-req", "-in", f"{pair}.csr", "-CA", signer, "-CAkey", signer.with_suffix(".key"), "-CAcreateserial", "-days",
                     "2", "-extfile", more, "-out", f"{pair}.pem"]):
        subprocess.run(["openssl", *command], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(f"{pair}.pem", f"{pair}.key")
    return context
