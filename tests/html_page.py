"""A parsed HTML page."""

import re
from html.parser import HTMLParser


class Page(HTMLParser):
    """What the tests ask of a page: its tags with their attributes, and its words."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text, self._raw = [], [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._raw = tag if tag in ("script", "style") else self._raw

    def handle_endtag(self, tag):
        self._raw = "" if tag == self._raw else self._raw

    def handle_data(self, data):
        if not self._raw:
            self.text.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]

    @property
    def sections(self):
        return {attrs["id"] for attrs in self.all("section")}

    @property
    def words(self):
        return re.sub(r"[ \n]+", " ", " ".join(self.text))
