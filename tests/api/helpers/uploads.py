"""Uploading files."""

import urllib.parse

from helpers.samples import png


def path_of(answer):
    """The path of the URL of an upload."""
    return urllib.parse.urlsplit(answer.data["url"])._replace(scheme="", netloc="").geturl()


def uploaded(person, content=None, *fields, name="photo.png"):
    answer = person.upload(content or png(), name, *fields)
    assert answer.status == 201, answer
    return answer
