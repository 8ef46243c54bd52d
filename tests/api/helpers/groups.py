"""What the file of a group says of its routes: a group that is not of the contract needs no line in the files that test all
groups. They read, and this file gathers, its GOOD:

    GOOD = {
        ("POST", "/announcements"): {"body": lambda okul, caller: {"title": "New"}},
        ("GET", "/announcements"): {"search": ("title", "text")},
        ("GET", "/announcements/{id}"): {"id": some_announcement},
    }

For each route what a good request has: "body" or "form", and for each {parameter} of the path what to put there; each as a
function of the server and the caller, and "search", the fields in which a list's search looks. helpers/routes.py says the rest. Such a
file does not import that."""

import ast
import importlib
from pathlib import Path

from helpers.server import BUILD

HERE = Path(__file__).parents[1]
PROGRAMS = sorted(program.stem for program in BUILD.glob("*.fcgi"))


def file_of(program):
    return f"tests/api/{program}.py"


class Good(dict):
    """Good requests by method and path."""

    def __missing__(self, key):
        raise AssertionError(f"{key[0]} {key[1]} is not tested: GOOD in the group's file of tests/api has no good request for it")


def says_good(path):
    names = (target.id for node in ast.parse(path.read_text()).body if isinstance(node, ast.Assign)
             for target in node.targets if isinstance(target, ast.Name))
    return "GOOD" in names


def good_requests():
    found = Good()
    for program in PROGRAMS:
        path = HERE / f"{program}.py"
        if path.exists() and says_good(path):
            found |= importlib.import_module(program).GOOD
    return found
