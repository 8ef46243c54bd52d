"""An S3 server for the tests: OpenStack Swift of Debian (s3_swift.py), and requests to it that do not go through okul."""

import datetime
import hashlib
import hmac
import http.client
import re
import subprocess
import tempfile
from pathlib import Path

from helpers.server import until

KEY, SECRET, BUCKET = "okul:files", "a-secret-of-the-tests", "school"


class Storage:
    """One storage with the bucket BUCKET, on four ports from `port` on."""

    def __init__(self, port):
        self.port, self.process = port, None
        self.home = Path(tempfile.mkdtemp(prefix="okul-s3-"))
        self.start()

    def start(self):
        with open(self.home / "log", "ab") as log:
            self.process = subprocess.Popen(["/usr/bin/python3", Path(__file__).with_name("s3_swift.py"), self.home, str(self.port), KEY,
                                             SECRET], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            until(self.answers, "the S3 server", 60)
        except BaseException:
            self.stop()
            raise

    def stop(self):
        self.process.terminate()
        self.process.wait(20)

    def answers(self):
        assert self.process.poll() is None, (self.home / "log").read_text()
        try:
            return self.request("PUT", f"/{BUCKET}")[0] in (200, 409)
        except OSError:
            return False

    def settings(self, prefix="", **more):
        return {"OKUL_FILES": f"s3://{BUCKET}{prefix}", "OKUL_FILES_ENDPOINT": f"http://127.0.0.1:{self.port}", "OKUL_FILES_KEY_ID": KEY,
                "OKUL_FILES_SECRET": SECRET} | more

    def request(self, method, path, body=b"", query=""):
        """Sends a request signed by this code, and returns status and body."""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        host, scope, digest = f"127.0.0.1:{self.port}", f"{now[:8]}/us-east-1/s3/aws4_request", hashlib.sha256(body).hexdigest()
        headers = {"host": host, "x-amz-content-sha256": digest, "x-amz-date": now}
        names = ";".join(headers)
        canonical = "\n".join([method, path, query, *(f"{k}:{v}" for k, v in headers.items()), "", names, digest])
        text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + SECRET).encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.new(key, text.encode(), "sha256").hexdigest()
        headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={KEY}/{scope},SignedHeaders={names},Signature={signature}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path + ("?" + query if query else ""), body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def keys(self):
        status, body = self.request("GET", f"/{BUCKET}", query="list-type=2")
        assert status == 200, body
        return set(re.findall("<Key>([^<]*)</Key>", body.decode()))

    def object(self, key):
        return self.request("GET", f"/{BUCKET}/{key}")

    def put(self, key, content):
        assert self.request("PUT", f"/{BUCKET}/{key}", content)[0] == 200


def key_of(content, prefix=""):
    digest = hashlib.sha256(content).hexdigest()
    return f"{prefix}{digest[:2]}/{digest}"
