"""
Render: pages of view models and words (jinja2), and the static files by names that change with what is in them.

To read the pages' files would take several times as long as all else that a cold start of the console does. So
`layers/dunning/compile_pages.py` compiles them into modules when the layer is built; `make build` refuses a layer whose
modules are not what the files come to. A working copy has nothing compiled.
"""

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from jinja2 import BaseLoader, Environment, FileSystemLoader, ModuleLoader, StrictUndefined

from dunning.console import charts
from dunning.console.translations import LANGUAGES, Translation

_HERE = Path(__file__).parent
PAGES, COMPILED_PAGES = _HERE / "pages", _HERE / "compiled_pages"

_HASH_DIGITS = 10
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}


class StaticFile(NamedTuple):
    """A file that never changes under its name."""

    content_type: str
    text: str


class StaticFiles(NamedTuple):
    """The static files by the name they are served by, and that name by their own."""

    by_name: Mapping[str, StaticFile]
    names: Mapping[str, str]


@cache
def static_files() -> StaticFiles:
    """Read the static files, once."""
    by_name: dict[str, StaticFile] = {}
    names: dict[str, str] = {}
    for path in sorted((_HERE / "static").iterdir()):
        if path.suffix in _TYPES:
            text = path.read_text("utf-8")
            if path.suffix == ".css":
                text = compact_style(text)
            digest = hashlib.sha256(text.encode()).hexdigest()[:_HASH_DIGITS]
            name = f"{path.stem}.{digest}{path.suffix}"
            by_name[name] = StaticFile(_TYPES[path.suffix], text)
            names[path.name] = name
    return StaticFiles(by_name, names)


def compact_style(css: str) -> str:
    """Return a style sheet without its comments, line breaks, and the blanks that mean nothing."""
    bare = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    tight = re.sub(r"\s*([{};,>])\s*", r"\1", re.sub(r"\s+", " ", bare))
    return re.sub(r":\s", ":", tight).replace(";}", "}").strip()


def new_environment(loader: BaseLoader) -> Environment:
    """Return how pages are read, wherever they are: what is compiled depends on it."""
    return Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


@cache
def _environment() -> Environment:
    is_compiled = COMPILED_PAGES.is_dir()
    environment = new_environment(ModuleLoader(COMPILED_PAGES) if is_compiled else FileSystemLoader(PAGES))
    environment.globals.update(
        spark_line=charts.spark_line,
        stacked_bars=charts.stacked_bars,
        ladder_picture=charts.ladder_picture,
        lift_line=charts.lift_line,
        interval_bars=charts.interval_bars,
        paired_bars=charts.paired_bars,
        LiftAt=charts.LiftAt,
        Rung=charts.Rung,
        Series=charts.Series,
        languages=LANGUAGES,
        static=lambda name: f"/static/{static_files().names[name]}",
    )
    return environment


def render_page(page: str, language: str, zone: ZoneInfo, **values: object) -> str:
    """Return a page of `pages/` as HTML. All values are escaped but the charts of `charts`."""
    words = Translation(language, zone)
    return (
        _environment()
        .get_template(f"{page}.html")
        .render(t=words.say, w=words.write, words=words, language=language, zone=zone, **values)
    )
