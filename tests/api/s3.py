"""Files in S3: uploads, downloads by the web server and by redirects, gc, verify, move, and a storage that is away."""

import hashlib

import pytest

from helpers.client import Okul
from helpers.s3 import BUCKET, KEY, SECRET, Storage, key_of
from helpers.samples import pdf, png
from helpers.server import Server, free_port, until
from helpers.uploads import path_of, uploaded


@pytest.fixture(scope="module")
def storage():
    storage = Storage(free_port())
    yield storage
    storage.stop()


@pytest.fixture(scope="module")
def okul(storage):
    server = Server("s3", web="nginx", **storage.settings("/files"))
    yield Okul(server)
    server.stop()


def test_upload_and_download(okul, storage):
    ada, content = okul.registered(), pdf()
    answer = uploaded(ada, content, name="notes.pdf")
    key = key_of(content, "files/")
    assert key in storage.keys() and storage.object(key) == (200, content)
    got = okul.get(path_of(answer))
    assert got.status == 200 and got.body == content
