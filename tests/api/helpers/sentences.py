"""The localized sentences from lib/shape/sentences.def."""

import re

from helpers.contract import LANGUAGES
from helpers.server import ROOT


def read_sentences():
    rows = re.findall(r'^SENTENCE\((\w+), "(.*)", "(.*)", "(.*)", "(.*)"\)$', (ROOT / "lib/shape/sentences.def").read_text(),
                      re.M)
    return {name: dict(zip(LANGUAGES, texts)) for name, *texts in rows}


SENTENCES = read_sentences()
