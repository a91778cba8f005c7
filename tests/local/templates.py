"""The templates of pages that belong to runs on this machine and not to the console. All values are escaped."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

_PAGES = Path(__file__).parent / "pages"


@cache
def page_template(name: str) -> Template:
    """Return the template of a page of `pages/`."""
    environment = Environment(
        loader=FileSystemLoader(_PAGES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(f"{name}.html")
