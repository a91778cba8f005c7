"""
A browser in front of the console of this machine: who visits, what is watched meanwhile, and how its pages are walked.

Playwright stands in an environment of its own (`make browser`), so it is imported where it is used. It never brings a
browser: the machine's own is found, or named by `CHROMIUM=`.
"""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch
from urllib.parse import urljoin, urlsplit

import dunning.policy
from dunning import wiring
from dunning.adapters.dynamodb import items
from dunning.console.routes import ROUTES, Route
from dunning.console.translations import Translation
from dunning.domain.customer.facts import Facts
from dunning.ports.sessions import Role
from tests.local.console import LocalConsole
from tests.local.issuer import GROUPS, LOGINS
from tests.local.sample import sample_file
from tests.local.what_if import ChangedPolicy, changed_policy
from tests.local.world import is_facts
from tests.support.lively_trials import lively, planned_trials

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Request, Response, StorageState

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""The names that browsers of the kind we test with have on a PATH."""

LENDERS = Path(dunning.policy.__file__).parent / "data" / "lenders"

LOCALES: Mapping[str, str] = {"en": "en-GB", "zh-Hant": "zh-TW", "zh-Hans": "zh-CN"}
"""What a browser asks for, by the language in which the console then answers."""

NARROW, USUAL, BROAD = 360, 1280, 1600
"""Widths of windows, in CSS pixels."""

_EVERY = 4
"""The share of the sample that is played: one customer of so many."""
_DAYS = 14
_OF_A_ROUTE = 4
"""How many addresses of a route are walked."""
_STATUS_SAID_TWICE = "Failed to load resource: the server responded with a status of"
_NO_PAGES = frozenset({"home", "begin_login", "callback", "static"})
"""Views that answer with no page of their own."""


class NoBrowserError(Exception):
    """There is no browser on this machine."""


def browser_program() -> str:
    """
    Return the browser of this machine.

    Raises:
        NoBrowserError: there is none; the message says what to install.
    """
    named = os.environ.get("CHROMIUM", "")
    found = named or next(filter(None, map(shutil.which, PROGRAMS)), "")
    if not found or not Path(found).exists():
        wanted = f"CHROMIUM={named} does not exist" if named else f"none of {', '.join(PROGRAMS)} is on the PATH"
        raise NoBrowserError(f"{wanted}: install one (Debian: apt-get install chromium fonts-noto-cjk)")
    return found


def small_sample(start: date) -> bytes:
    """Return a part of the sample: every fourth customer, of all places and languages."""
    header, *rows = csv.reader(io.StringIO(sample_file(start).decode("utf-8-sig")))
    customers = list(dict.fromkeys(row[0] for row in rows))[::_EVERY]
    text = io.StringIO()
    csv.writer(text).writerows([header, *(row for row in rows if row[0] in customers)])
    return text.getvalue().encode()


@contextmanager
def played_console() -> Iterator[LocalConsole]:
    """Serve the console over a small world that was played for two weeks, with trials as of half a year."""
    with (
        patch("tests.local.console.sample_file", small_sample),
        patch.object(wiring, "_trial_results", lambda *_: lively()),
        patch.object(wiring, "_lender_trials", planned_trials),
        TemporaryDirectory() as folder,
        LocalConsole(days=_DAYS, what_if=later_in_the_day(Path(folder))) as console,
    ):
        yield console


def later_in_the_day(folder: Path) -> ChangedPolicy:
    """Return the sample's policy with another preferred hour."""
    policy = (LENDERS / "demo-tw.toml").read_text("utf-8")
    (folder / "lenders").mkdir()
    changed = re.sub(r"(?m)^preferred_hour = .*$", 'preferred_hour = "14:00"', policy)
    (folder / "lenders" / "demo-tw.toml").write_text(changed, "utf-8")
    return changed_policy(folder, None)


def customers_of(console: LocalConsole) -> list[Facts]:
    """Return the customers of the world, by id."""
    stored = console.cloud.items(console.cloud.stack.customers_table)
    known = filter(None, (items.read_facts(item) for item in stored if is_facts(item)))
    return sorted(known, key=lambda facts: facts.customer_id)


def busiest(console: LocalConsole, most: int = 2) -> list[str]:
    """Return the ids of the customers with the most texts and replies, the busiest first."""
    written = Counter(item["customer_id"]["S"] for item in console.cloud.items(console.cloud.stack.contacts_table))
    known = {facts.customer_id for facts in customers_of(console)}
    return [customer_id for customer_id, _ in written.most_common() if customer_id in known][:most]


def login_of(role: Role) -> str:
    """Return the demo login that has a role."""
    roles = dict(pair.split("=") for pair in GROUPS.split(","))
    return next(login for login, group in LOGINS.items() if roles[group] == role.value)


class Watch:
    """What a page must not do: ask another machine, break its own policy, or fail in its script."""

    def __init__(self, hosts: frozenset[str]) -> None:
        self._hosts = hosts
        self.foreign: list[str] = []
        self.complaints: list[str] = []

    def over(self, context: BrowserContext) -> None:
        """Watch every page of a context."""
        context.add_init_script(
            "addEventListener('securitypolicyviolation', event => console.error("
            "`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`))"
        )
        context.on("request", self._ask)
        context.on("console", lambda message: self._hear(message.type, message.text))
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))

    def _ask(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme != "data" and parts.netloc not in self._hosts:
            self.foreign.append(request.url)

    def _hear(self, kind: str, text: str) -> None:
        # The browser says the status of a page that is an error in its console, too: tests look at statuses.
        if kind in {"error", "warning"} and not text.startswith(_STATUS_SAID_TWICE):
            self.complaints.append(text)


_OUTSIDE = """() => [...document.querySelectorAll("html, body *")].filter(each => {
    const box = each.getBoundingClientRect();
    if (each.tagName === "HTML") return each.scrollWidth > innerWidth;
    return box.width && (box.right > innerWidth + 1 || box.left < -1)
        && !each.closest(".wide, .skip, .out, select, svg");
}).map(each => `${each.tagName}.${each.className} ${each.textContent.trim().slice(0, 40)}`)"""


class Visitor:
    """Somebody in front of a page of the console, who speaks one language."""

    def __init__(self, page: Page, console: LocalConsole, language: str, pictures: Pictures) -> None:
        self.page = page
        self.language = language
        self._console = console
        self._words = Translation(language, console._zone)  # noqa: SLF001 - of the world
        self._pictures = pictures

    def words(self, key: str, **values: object) -> str:
        """Return the words of a key in the visitor's language."""
        return self._words.say(key, **values)

    def open(self, address: str) -> Response:
        """Open an address of the console and wait until it is there."""
        response = self.page.goto(self._console.origin + address)
        assert response is not None, address
        return response

    def press(self, words: str) -> None:
        """Press what says this, in the content before the frame of the page, and wait for the page that follows."""
        says = re.compile(rf"^\s*{re.escape(words)}\s*$")
        for part in (self.page.locator("main"), self.page.locator("header")):
            found = part.locator("button:visible, a:visible, summary:visible").filter(has_text=says)
            if found.count():
                found.first.click()
                self.page.wait_for_load_state()
                return
        raise AssertionError(f"nothing on {self.page.url} says {words}")

    def log_in(self, role: Role) -> None:
        """Log in by the pages, as people do."""
        self.open("/login")
        self.press(self.words("page.log_in"))
        self.page.get_by_text(login_of(role)).click()
        self.page.wait_for_url(self._console.origin + "/**")

    def open_customer(self, customer_id: str) -> None:
        """Find a customer by the page that finds, and wait for the customer's own."""
        self.open("/find")
        self.page.locator("#sought").fill(customer_id)
        self.press(self.words("find.button"))
        self.page.wait_for_url(f"**/customers/{customer_id}")

    def on_the_clock(self, fill: Callable[[Page], None] = lambda _: None, *, act: str) -> None:
        """Do something on the page that moves the clock: `act` is what its form does, `fill` fills that form."""
        self.open("/local")
        fill(self.page)
        holder = self.page.locator(f'button[name=act][value={act}], form:has(input[name=act][value="{act}"]) button')
        holder.first.click()
        self.page.wait_for_load_state()

    def text(self) -> str:
        """Return the words that can be read on the page."""
        words: str = self.page.locator("body").inner_text()
        return words

    def path(self) -> str:
        """Return the address without the machine."""
        path: str = urlsplit(self.page.url).path
        return path

    def outside_of_the_window(self) -> list[str]:
        """Name what reaches over the edge of the window, apart from tables that scroll by themselves."""
        found: list[str] = self.page.evaluate(_OUTSIDE)
        return found

    def picture(self, name: str) -> None:
        """Take a picture of the whole page, if anybody wants pictures."""
        self._pictures.take(self.page, name)


class Pictures(NamedTuple):
    """Where pictures go, if anybody wants some (`SHOTS=`)."""

    folder: Path | None

    def take(self, page: Page, name: str) -> None:
        """Write a picture of the whole page."""
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=self.folder / f"{name}.png", full_page=True)


class Reception:
    """Lets visitors in, remembers who has logged in, and looks at the end that no page did what it must not."""

    def __init__(self, browser: Browser, console: LocalConsole) -> None:
        folder = os.environ.get("SHOTS", "")
        self.pictures = Pictures(Path(folder) if folder else None)
        self.console = console
        self._browser = browser
        self._logged_in: dict[Role, StorageState] = {}
        self._contexts: list[BrowserContext] = []
        issuer = console._function.environment["OIDC_ISSUER"]  # noqa: SLF001 - of the world
        self._watch = Watch(frozenset(urlsplit(each).netloc for each in (console.origin, issuer)))

    def visit(
        self,
        role: Role | None = None,
        *,
        language: str = "en",
        width: int = USUAL,
        scheme: str = "light",
        script: bool = True,
    ) -> Visitor:
        """Let somebody in; with a role, already logged in."""
        options: dict[str, Any] = {
            "locale": LOCALES[language],
            "viewport": {"width": width, "height": 800},
            "color_scheme": scheme,
            "java_script_enabled": script,
        }
        if role is not None and role not in self._logged_in:
            first = self._open(options)
            first.log_in(role)
            self._logged_in[role] = first.page.context.storage_state()
        if role is not None:
            options["storage_state"] = self._logged_in[role]
        return self._open(options)

    def _open(self, options: Mapping[str, Any]) -> Visitor:
        context = self._browser.new_context(**options)
        context.set_default_timeout(15_000)
        self._contexts.append(context)
        self._watch.over(context)
        language = next(language for language, locale in LOCALES.items() if locale == options["locale"])
        return Visitor(context.new_page(), self.console, language, self.pictures)

    def part(self) -> None:
        """See all visitors off, and name what their pages did that they must not."""
        for context in self._contexts:
            context.close()
        foreign, complaints = list(self._watch.foreign), list(self._watch.complaints)
        for kept in (self._contexts, self._watch.foreign, self._watch.complaints):
            kept.clear()
        assert foreign == [], f"asked of other machines: {foreign}"
        assert complaints == [], f"said in the console: {complaints}"


# ---------------------------------------------------------------- walking


class Place(NamedTuple):
    """A page that a role can come to by links."""

    role: Role
    address: str


def page_routes() -> list[Route]:
    """Return the routes that answer with a page to look at."""
    return [route for route in ROUTES if route.method == "GET" and route.view not in _NO_PAGES]


def route_of(path: str) -> Route | None:
    """Return the route that a path belongs to; the plain ones come first."""
    for route in sorted(ROUTES, key=lambda route: route.path.count("<")):
        if route.method == "GET" and re.fullmatch(re.sub(r"<\w+>", "[^/]+", route.path), path):
            return route
    return None


_FETCH = """async address => {
    const answer = await fetch(address);
    const type = answer.headers.get("content-type") || "";
    if (!type.startsWith("text/html")) return [answer.status, []];
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const asked = [...page.querySelectorAll("form[method=get]")].flatMap(form => {
        const fields = new FormData(form);
        return [...form.querySelectorAll("option")].map(option => {
            fields.set(option.parentElement.name, option.value);
            return form.getAttribute("action") + "?" + new URLSearchParams(fields);
        });
    });
    const links = [...page.querySelectorAll("a[href]")].map(link => link.getAttribute("href"));
    return [answer.status, [...asked, ...links]];
}"""


def walk(visitor: Visitor, role: Role, starts: Sequence[str] = ()) -> Mapping[str, list[Place]]:
    """
    Follow links, and forms that ask, from the first page; return where they lead, some of each route, by its path.

    No link may lead nowhere, and none to what the role may not do.
    """
    visitor.open("/")
    found: dict[str, list[Place]] = {}
    ahead = deque([visitor.path(), "/login", *starts])
    seen: set[str] = set()
    while ahead:
        address = ahead.popleft()
        parts = urlsplit(address)
        route = route_of(parts.path) if not parts.netloc else None
        if address in seen or route is None or route.view in _NO_PAGES:
            is_known = route or parts.netloc or not parts.path or parts.path.startswith("/local")
            assert is_known, f"a link leads to {address}"
            continue
        seen.add(address)
        places = found.setdefault(route.path, [])
        if len(places) == _OF_A_ROUTE:
            continue
        status, links = visitor.page.evaluate(_FETCH, address)
        assert status == 200, f"{role.value}: a link leads to {address}, which answers {status}"
        places.append(Place(role, address))
        ahead.extend(urljoin(address, link).partition("#")[0] for link in links if not link.startswith("#"))
    return found
