"""The console without AWS: fakes of what it needs, a portfolio, and a browser that knows cookies."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from dunning.console.door import Console
from dunning.console.http_messages import PageAnswer, PageRequest
from dunning.console.router import route_of
from dunning.console.routes import ProgramRoute
from dunning.console.views.entrance import SESSION_COOKIE
from dunning.console.visits import ActServices, ConsoleServices
from dunning.domain.customer.facts import Facts
from dunning.domain.customer.lender_record import LenderRecord, record_snapshot
from dunning.domain.customer.standing import Standing
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.errors import ServiceCallError
from dunning.domain.replies.reply import InboundSms, Reply
from dunning.evidence.customer_evidence import OLDER_REPLIES, OLDER_TEXTS, Evidence
from dunning.policy.rule_shelf import RuleShelf
from dunning.ports.audit_trail import AuditEntry, AuditPage
from dunning.ports.file_loads import FileReport
from dunning.ports.file_reports import LoadUnderWay, ReportPage
from dunning.ports.identity_provider import IdentityError
from dunning.ports.sessions import Role, Session
from dunning.ports.tallies import CountedChanges
from dunning.services.console.audited import AuditService
from dunning.services.console.case_work import CaseService
from dunning.services.console.customer_view import CustomerService
from dunning.services.console.erase_by_two import ErasureService
from dunning.services.console.file_history import FilesService
from dunning.services.console.find_customer import FindService
from dunning.services.console.login import LoginService, form_token
from dunning.services.console.programs import ProgramScope
from dunning.services.console.rates_read import RatesService
from dunning.services.console.rules_read import RulesService
from dunning.services.console.today import TodayService
from dunning.services.console.trials_read import LenderTrial, TrialsService
from dunning.services.console.turn_sending import SendingService
from dunning.services.console.waiting_list import WaitingService
from dunning.services.console.what_ifs_read import WhatIfsService
from dunning.services.intake.cells import is_id
from tests.support.builders import the_policies
from tests.support.cases import FakeCases, FakeLenderBus
from tests.support.fakes import FakeClock, FakeCustomers, FakeTally, FakeUploads
from tests.support.lively_trials import KeptInMemory, LivelyTrials
from tests.support.people import NOW, someone, waking

ORIGIN = "https://console.example"
ISSUER = "https://login.example"
CLIENT = "console"
GROUPS = {f"group-{role.value}": role for role in Role}
TAIPEI = ZoneInfo("Asia/Taipei")
REJECTS = (
    "line,customer_id,field,reason,explanation\r\n"
    '3,C0003,phone,phone_invalid,"Not one valid number, for the country."\r\n'
    "7,'-C7,due_on,not_a_date,Write the date.\r\n"
)
"""A reject file as the intake writes it."""
SCOPES = {ProgramScope.READ: "dunning/read", ProgramScope.AUDIT: "dunning/audit"}


class FakeConsoleTable:
    """Sessions and audit trail in memory."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}
        self.entries: list[AuditEntry] = []
        self.broken = False

    def add(self, session: Session) -> None:
        if session.key in self.sessions:
            raise ServiceCallError("PutItem", "SessionExists")
        self.sessions[session.key] = session

    def find(self, key: str) -> Session | None:
        return self.sessions.get(key)

    def seen(self, key: str, at: datetime) -> None:
        if key in self.sessions:
            self.sessions[key] = replace(self.sessions[key], seen_at=at)

    def remove(self, key: str) -> None:
        self.sessions.pop(key, None)

    def write(self, entry: AuditEntry) -> None:
        if self.broken:
            raise ServiceCallError("TransactWriteItems", "Throttled")
        if any((each.at, each.entry_id) == (entry.at, entry.entry_id) for each in self.entries):
            raise ServiceCallError("TransactWriteItems", "EntryExists")
        self.entries.append(entry)

    def of_day(self, day: date, limit: int, page: str = "", subject: str = "") -> AuditPage:
        of_day = [entry for entry in self.entries if entry.at.astimezone(UTC).date() == day]
        return self._page([entry for entry in of_day if subject in {"", entry.viewer.subject}], limit, page)

    def between(self, first: datetime, last: datetime) -> Iterator[AuditEntry]:
        yield from (entry for entry in self._newest(self.entries)[::-1] if first <= entry.at < last)

    def page_of_customer(self, customer_id: str, limit: int, page: str = "") -> AuditPage:
        return self._page([entry for entry in self.entries if entry.customer_id == customer_id], limit, page)

    def of_customer(
        self, customer_id: str, limit: int | None = None, before: datetime | None = None
    ) -> Sequence[AuditEntry]:
        found = self.page_of_customer(customer_id, len(self.entries)).entries
        return [entry for entry in found if before is None or entry.at < before][:limit]

    def _page(self, entries: Sequence[AuditEntry], limit: int, page: str) -> AuditPage:
        first = int(page) if page.isdecimal() and len(page) < 10 else 0  # a place in the list: of others it begins anew
        found = self._newest(entries)[first:]
        return AuditPage(tuple(found[:limit]), str(first + limit) if len(found) > limit else "")

    def count(self, subject: str, act: str, since: datetime, now: datetime) -> int:
        if now - since > timedelta(days=1):
            raise ValueError("since and now are more than two days apart")
        return sum(
            entry.viewer.subject == subject and entry.act == act and since <= entry.at <= now for entry in self.entries
        )

    @staticmethod
    def _newest(entries: Any) -> list[AuditEntry]:  # noqa: ANN401 - any entries
        return sorted(entries, key=lambda entry: (entry.at, entry.entry_id), reverse=True)


class FakeFileReports:
    """Reports and loads under way in memory."""

    def __init__(self) -> None:
        self.kept: list[FileReport] = []
        self.loading: list[LoadUnderWay] = []

    def keep_report(self, report: FileReport) -> None:
        self.kept.append(report)

    def newest(self, limit: int, page: str = "") -> ReportPage:
        found = sorted(self.kept, key=lambda report: report.report_id, reverse=True)
        found = [report for report in found if not page or report.report_id <= page]
        return ReportPage(tuple(found[:limit]), found[limit].report_id if len(found) > limit else "")

    def since(self, report_id: str) -> Sequence[FileReport]:
        found = sorted((each for each in self.kept if each.report_id >= report_id), key=lambda each: each.report_id)
        return found if found and found[0].report_id == report_id else []

    def under_way(self) -> Sequence[LoadUnderWay]:
        return self.loading


class FakeProvider:
    """An identity provider whose next claims a test may change."""

    issuer = ISSUER
    client_id = CLIENT

    def __init__(self, clock: FakeClock) -> None:
        self.subject, self.groups = "mei.chen", ["group-manager"]
        self.changes: dict[str, Any] = {}
        self.asked: dict[str, str] = {}
        self.down = False
        self._clock = clock

    def login_address(self, state: str, nonce: str, challenge: str) -> str:
        if self.down:
            raise IdentityError("asked: TimeoutError")
        self.asked = {"state": state, "nonce": nonce, "challenge": challenge}
        return f"{ISSUER}/authorize?state={state}"

    def claims(self, code: str, verifier: str) -> Mapping[str, Any]:
        if self.down or code != "good-code":
            raise IdentityError("token: refused")
        self.asked["verifier"] = verifier
        claims = {
            "iss": ISSUER,
            "aud": CLIENT,
            "sub": self.subject,
            "groups": self.groups,
            "nonce": self.asked["nonce"],
            "iat": self._clock.now().timestamp(),
            "exp": (self._clock.now() + timedelta(minutes=5)).timestamp(),
        }
        return claims | self.changes

    def logout_address(self) -> str:
        return f"{ISSUER}/logout"


class FakeEvidence:
    """All that is stored, by customer."""

    def __init__(self) -> None:
        self.stored: dict[str, Evidence] = {}
        self.reads: list[str] = []

    def read(self, customer_id: str, newest: int | None = None, before: datetime | None = None) -> Evidence | None:
        self.reads.append(customer_id)
        evidence = self.stored.get(customer_id)
        if evidence is None:
            return None
        contacts = [each for each in evidence.contacts if before is None or each.at < before]
        replies = [each for each in evidence.replies if before is None or each.inbound.at < before]
        contacts.sort(key=lambda each: each.at, reverse=True)
        replies.sort(key=lambda each: each.inbound.at, reverse=True)
        missing = ((OLDER_TEXTS, len(contacts)), (OLDER_REPLIES, len(replies)))
        return replace(
            evidence,
            contacts=tuple(contacts[:newest]),
            replies=tuple(replies[:newest]),
            gaps=tuple(gap for gap, count in missing if newest is not None and count > newest),
        )


class FakeSwitch:
    """The switch, and the hand on it."""

    def __init__(self) -> None:
        self.on = True
        self.stuck = False
        self.stopped: frozenset[Channel] = frozenset()

    def is_on(self) -> bool:
        return self.on

    def stopped_channels(self) -> frozenset[Channel]:
        return self.stopped if self.on else frozenset(Channel)

    def turn(self, *, on: bool) -> None:
        if self.stuck:
            raise ServiceCallError("PutParameter", "Throttled")
        self.on = on


class Office:
    """A console with all that it stands on, and a browser in front of it."""

    def __init__(self, now: datetime = NOW) -> None:
        self.clock = FakeClock(now)
        self.table = FakeConsoleTable()
        self.provider = FakeProvider(self.clock)
        self.tally = FakeTally()
        self.evidence = FakeEvidence()
        self.customers = FakeCustomers()
        self.switch = FakeSwitch()
        self.reports = FakeFileReports()
        self.uploads = FakeUploads()
        self.cases = FakeCases()
        self.bus = FakeLenderBus()
        self.holidays: set[date] = set()
        self.trials = LivelyTrials()
        self.planned_trials: Sequence[LenderTrial] = ()
        self.comparisons = KeptInMemory()
        self.zones = {"demo-tw": TAIPEI}
        self.errors: list[Exception] = []
        self.cookies: dict[str, str] = {}
        self._ids = count(1)
        audit = self.audit = AuditService(self.table, self.clock, lambda: f"entry-{next(self._ids):04d}")
        self.acts = ActServices(
            waiting=WaitingService(
                attention=self.customers,
                customers=self.customers,
                cases=self.cases,
                clock=self.clock,
                zones=lambda: {"demo-tw": TAIPEI},
                holidays=lambda _: self.holidays,
            ),
            cases=CaseService(
                cases=self.cases,
                customers=self.customers,
                bus=self.bus,
                audit=audit,
                clock=self.clock,
                new_id=lambda: f"note-{next(self._ids):04d}",
                day_of=lambda _, moment: moment.astimezone(TAIPEI).date(),
            ),
            sending=SendingService(
                switch=self.switch, control=self.switch, history=self.cases, audit=audit, clock=self.clock
            ),
            erasures=ErasureService(
                requests=self.cases,
                customers=self.customers,
                bus=self.bus,
                audit=audit,
                clock=self.clock,
                is_id=is_id,
            ),
        )
        self.files = FilesService(self.reports, audit, self.clock, partial(self.uploads.open, "bucket"))
        customers = CustomerService(
            evidence=self.evidence, audit=audit, switch=self.switch, policies=the_policies(), clock=self.clock
        )
        self.login = LoginService(
            sessions=self.table,
            provider=self.provider,
            clock=self.clock,
            groups=GROUPS,
            group_claim="groups",
            new_secret=lambda: f"secret-{next(self._ids):04d}",
        )
        self.console = Console(
            ConsoleServices(
                login=self.login,
                today=TodayService(
                    tally=self.tally,
                    due=self.customers,
                    standings=self.customers,
                    attention=self.customers,
                    switch=self.switch,
                    clock=self.clock,
                    zones=lambda: self.zones,
                ),
                find=FindService(self.customers, self.customers, self.customers, ["TW", "HK", "CN", "US"]),
                customers=lambda: customers,
                acts=lambda: self.acts,
                audit=audit,
                files=lambda: self.files,
                rules=lambda: RulesService(RuleShelf(the_policies()), self.clock),
                rates=lambda: RatesService(self.tally, self.clock, lambda: self.zones),
                trials=lambda: TrialsService(self.trials, lambda: self.planned_trials, self.clock),
                what_ifs=lambda: WhatIfsService(self.comparisons),
                now=self.clock.now,
                origin=ORIGIN,
                issuer=ISSUER,
                zone=TAIPEI,
                unexpected=self.errors.append,
            ),
            SCOPES,
        )

    # -------------------------------------------------------------- the browser

    def log_in(self, role: Role, subject: str = "mei.chen") -> PageAnswer:
        """Log in as a browser does, with a code that the provider knows."""
        self.provider.subject, self.provider.groups = subject, [f"group-{role.value}"]
        begun = self.get("/login/begin")
        (state,) = parse_qs(urlsplit(begun.headers["Location"]).query)["state"]
        return self.get("/callback", code="good-code", state=state)

    def get(self, path: str, **query: str) -> PageAnswer:
        """Ask for a page."""
        return self.send(PageRequest(method="GET", path=path, query=query))

    def post(self, path: str, *, headers: Mapping[str, str] | None = None, **form: str) -> PageAnswer:
        """Send a form as a page of ours does, with its token."""
        token = {"token": form_token(self.cookies.get(SESSION_COOKIE, ""))}
        sent = {"sec-fetch-site": "same-origin"} if headers is None else headers
        return self.send(PageRequest(method="POST", path=path, headers=sent, form=token | form))

    def send(self, request: PageRequest) -> PageAnswer:
        """Send a request with the cookies there are, and keep those that come back."""
        headers = {"accept-language": "en"} | dict(request.headers)
        request = replace(request, cookies={**self.cookies, **request.cookies}, headers=headers)
        route, parts = route_of(request)
        assert not isinstance(route, ProgramRoute)
        answer = self.console.answer(route, request, parts) if route else self.console.not_found(request)
        for cookie in answer.cookies:
            if cookie.max_age:
                self.cookies[cookie.name] = cookie.value
            else:
                self.cookies.pop(cookie.name, None)
        return answer

    # -------------------------------------------------------------- what is counted

    def count(
        self,
        counters: Mapping[str, int],
        day: date,
        lender: str = "demo-tw",
        customers: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Count changes of a day, as of now, with the customers behind them."""
        number = len(self.tally.changes) + 1
        self.tally.add(
            CountedChanges(
                lender=lender,
                day=day,
                shard="shard",
                first=number,
                last=number,
                as_of=self.clock.now(),
                counters=counters,
                customers=customers or {},
            )
        )

    # -------------------------------------------------------------- who is stored

    def keep_report(self, name: str = "accounts/a.csv", **changes: Any) -> FileReport:  # noqa: ANN401 - fields
        """Keep the report of a file, with a reject file of two lines if it has rejects."""
        report = FileReport(**{
            "file_id": "f" * 32, "uploaded_at": self.clock.now(), "ended_at": self.clock.now(),
            "expires_at": self.clock.now() + timedelta(days=35), "name": name, "rejects_key": "rejects/a.csv",
            "rows": 12, "rows_refused": 2, "customers_loaded": 9, **changes,
        })  # fmt: skip
        self.reports.keep_report(report)
        if report.rejects_key:
            self.uploads.files[report.rejects_key] = REJECTS.encode("utf-8-sig")
        return report

    def keep(
        self,
        facts: Facts,
        standing: Standing | None = None,
        contacts: Sequence[Contact] = (),
        replies: Sequence[Reply] = (),
    ) -> None:
        """Store a customer."""
        record = record_snapshot(LenderRecord(customer_id=facts.customer_id), facts)
        self.evidence.stored[facts.customer_id] = Evidence(
            customer_id=facts.customer_id,
            lender_record=record,
            standing=standing or waking(facts),
            contacts=contacts,
            replies=replies,
        )
        self.customers.lender_records[facts.customer_id] = replace(record, revision=1)
        self.customers.phones[facts.phone] = frozenset({facts.customer_id})
        self.customers.standings[facts.customer_id] = standing or waking(facts)


def a_contact(facts: Facts, text: str, at: datetime = NOW) -> Contact:
    """Describe a text that arrived."""
    return Contact(
        customer_id=facts.customer_id,
        send_id="send",
        claim_id="claim",
        at=at,
        state=ContactState.DELIVERED,
        stage=3,
        account_ids=(facts.accounts[0].account_id,),
        channel="sms",
        expires_at=at + timedelta(days=365),
        phone=facts.phone,
        text=text,
        parts=1,
        template="zh-Hant/overdue-3@3",
        reasons=("a trace",),
        reported_at=at + timedelta(seconds=5),
        delivery_status="delivered",
    )


def a_reply(facts: Facts, text: str, at: datetime = NOW) -> Reply:
    """Describe a reply that asks something."""
    return Reply(
        customer_id=facts.customer_id,
        inbound=InboundSms(inbound_id="reply-1", phone=facts.phone, text=text, at=at),
        intents=("question",),
        promised_on=None,
        expires_at=at + timedelta(days=365),
        sure=("question",),
        why=("a word",),
    )


def an_office_with(number: int = 1, **changes: Any) -> tuple[Office, Facts]:  # noqa: ANN401 - fields of the facts
    """Return a console that knows one customer, with a text and a reply."""
    office, facts = Office(), someone(number, **changes)
    office.keep(facts, contacts=[a_contact(facts, "【示範分期】請繳款")], replies=[a_reply(facts, "請打給我")])
    return office, facts
