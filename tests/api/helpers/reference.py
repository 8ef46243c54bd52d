"""The OpenAPI document that the build makes, and its HTML page."""

import html.parser
import json

from helpers.server import BUILD


class Articles(html.parser.HTMLParser):
    """The texts of the <pre> elements of each <article>, by its id; the first is the curl command."""

    def __init__(self, source):
        super().__init__()
        self.of, self.article, self.inside = {}, None, False
        self.feed(source)

    def handle_starttag(self, tag, attributes):
        if tag == "article":
            self.article = self.of.setdefault(dict(attributes)["id"], [])
        if tag == "pre" and self.article is not None:
            self.article.append("")
        self.inside = tag == "pre"

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "pre"
        self.article = None if tag == "article" else self.article

    def handle_data(self, data):
        if self.inside and self.article:
            self.article[-1] += data


DOCUMENT = json.loads((BUILD / "share" / "openapi.json").read_text())
PAGE = (BUILD / "share" / "docs.html").read_text()
OPERATIONS = {o["operationId"]: (method, path, o) for path, item in DOCUMENT["paths"].items() for method, o in item.items()}
