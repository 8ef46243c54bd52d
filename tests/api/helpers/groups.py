"""Collects what each group's test file declares about its routes, so that a group outside the contract needs no change
in the files that test all groups. The declaration is the dict GOOD of that file:

    GOOD = {
        ("POST", "/announcements"): {"body": lambda okul, caller: {"title": "New"}},
        ("GET", "/announcements"): {"search": ("title", "text")},
        ("GET", "/announcements/{id}"): {"id": some_announcement},
    }

It has an entry for each route, with what a valid request contains: "body" or "form", and a value for each {parameter}
of the path, each as a function of the server and the caller; and "search", the fields that the search of a list covers.
helpers/routes.py has the other groups; a file with GOOD does not import it."""

import ast
import importlib
from pathlib import Path

from helpers.server import BUILD

HERE = Path(__file__).parents[1]
PROGRAMS = sorted(program.stem for program in BUILD.glob("*.fcgi"))


def file_of(program):
    return f"tests/api/{program}.py"


class Good(dict):
    """Valid requests by method and path."""

    def __missing__(self, key):
        raise AssertionError(f"{key[0]} {key[1]} is not tested: GOOD in the group's file of tests/api has no good request for it")


def declares_good(path):
    names = (target.id for node in ast.parse(path.read_text()).body if isinstance(node, ast.Assign)
             for target in node.targets if isinstance(target, ast.Name))
    return "GOOD" in names


def good_requests():
    found = Good()
    for program in PROGRAMS:
        path = HERE / f"{program}.py"
        if path.exists() and declares_good(path):
            found |= importlib.import_module(program).GOOD
    return found
