"""Pages of HTML, checked while they are read."""

import re
from html.parser import HTMLParser


class Checker(HTMLParser):
    """Every tag that opens closes, in order; what is loaded and named on the way."""

    VOID = ("meta", "br", "wbr", "hr")

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.ids, self.addresses, self.words = [], set(), [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.ids += [value for key, value in attrs if key == "id"]
        self.addresses += [
            (tag, value) for key, value in attrs if key in ("src", "href", "xlink:href", "action", "data")
        ]
        assert not [key for key, _ in attrs if key.startswith("on")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.words))


def checked(html):
    checker = Checker()
    checker.feed(html)
    checker.close()
    assert checker.open == []
    return checker
