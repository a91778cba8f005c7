"""The tables of a page, read as a browser reads them."""

from html.parser import HTMLParser


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self._caption = ""
        self._rows: list[list[str]] = []
        self._in = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag == "figcaption":
            self._caption, self._in = "", tag
        elif tag == "table":
            self._rows = self.tables[self._caption] = []
        elif tag == "tr":
            self._rows.append([])
        elif tag in {"th", "td"}:
            self._rows[-1].append("")
            self._in = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self._in:
            self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in == "figcaption":
            self._caption += data
        elif self._in:
            self._rows[-1][-1] += data


def tables_of(page: str) -> dict[str, list[list[str]]]:
    """Return the rows of each table, without its heading, by the caption above it."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return {caption: rows[1:] for caption, rows in reader.tables.items()}
