"""Trials on the embedded AWS: what the tables tell, the tally keeps, and the night works it out by real handlers."""

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from dunning.adapters.dynamodb.contact_table import DynamoContacts
from dunning.adapters.dynamodb.customer_table import DynamoCustomers
from dunning.adapters.dynamodb.trial_result_table import DynamoTrialResults
from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import LedgerEntry, Standing
from dunning.domain.delivery.contact import ContactState
from dunning.domain.effect.draws import SILENCE, TEXTED, draw_holdout, draws_to_text
from dunning.domain.errors import UnreadableRecordError
from dunning.ports.trial_books import TrialResults
from dunning.services.erasure.erase import ROUND_INTERVAL, SECOND_ROUND
from dunning.services.send.claims import record_of_claim
from tests.local import ROOT, policies
from tests.local.cloud import LenderEvent, LocalCloud
from tests.local.policies import Policies
from tests.local.template import translate
from tests.support.aws_requests import watched
from tests.support.builders import a_customer, an_account, an_instalment, store_customer

pytestmark = pytest.mark.slow(reason="plays some nights on the embedded AWS, with change streams")

BEGIN = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)  # ten in Taipei
DAY, NIGHT = timedelta(days=1), timedelta(hours=18, minutes=40)
PEOPLE = 40
LENDER, SALT = "demo-tw", "a salt for the test"
TRIAL = f"""
[[trials]]
id = "quiet"
layer = "holdout"
arms = {{ text = 0.8, silence = 0.2 }}
stages = [0, 3]
places = ["TW"]
goal_days = 7
starts_on = 2026-12-01
ends_on = 2027-03-31
salt = "{SALT}"
approved_by = "compliance"
approved_on = 2026-11-30
"""


@pytest.fixture
def with_a_trial(tmp_path: Path) -> Policies:
    own = ROOT / "layers/dunning/python/dunning/policy/data/lenders" / f"{LENDER}.toml"
    (tmp_path / "lenders").mkdir()
    (tmp_path / "lenders" / own.name).write_text(own.read_text("utf-8") + TRIAL, "utf-8")
    return policies.load(tmp_path)


class Nights:
    """A stack on which customers have drawn, and its nights."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        self.customers = DynamoCustomers(boto3.client("dynamodb"), cloud.stack.customers_table, 4)
        self.contacts = DynamoContacts(boto3.client("dynamodb"), cloud.stack.contacts_table)
        self.results: TrialResults = DynamoTrialResults(boto3.client("dynamodb"), cloud.stack.tally_table)

    def draw(self, number: int, *, pays: bool) -> str:
        """Let a customer draw at the due date: claim and record, as the sender leaves them."""
        facts = self._facts(number, pays=pays)
        draw = draw_holdout("quiet", SALT, 0.2, facts.customer_id, 0)
        entry = LedgerEntry(
            send_id=f"send-{number}",
            claim_id=f"claim-{number}",
            at=BEGIN,
            stage=0,
            accounts=(f"A{number:04d}",),
            channel="none" if draw.arm == SILENCE else "sms",
            for_wake=None,
            draws=draws_to_text([draw]),
            payer_segment="unknown",
            asked="0.1:325000",
        )
        standing = Standing(customer_id=facts.customer_id, lender_id=LENDER, version=1, ledger=(entry,))
        store_customer(self.customers, facts, standing)
        state = ContactState.HELD_OUT if draw.arm == SILENCE else ContactState.SENT
        record = record_of_claim(facts.customer_id, entry, state, 1_000)
        self.contacts.write([replace(record, lender=LENDER, jurisdiction="TW", parts=2)])
        return draw.arm

    def _facts(self, number: int, *, pays: bool) -> Facts:
        paid_at = BEGIN + 2 * DAY if pays else None
        instalment = replace(an_instalment(paid=325_000 if pays else 0), paid_at=paid_at)
        return a_customer(
            an_account(instalment, account_id=f"A{number:04d}"),
            customer_id=f"C{number:04d}",
            phone=f"+8869{number:08d}",
            as_of=BEGIN + 3 * DAY,
        )

    def night(self, days: int) -> Any:  # noqa: ANN401 - a handler's answer
        """Run the night so many days after the first."""
        self.cloud.clock.move_to(BEGIN + NIGHT + (days - 1) * DAY)
        self.cloud.count_changes()
        return self.cloud.work_out_trials()

    def kept(self) -> str:
        """Return all that is kept of draws: the rungs on record, unpacked, and the books."""
        return repr([item for item in self.cloud.items(self.cloud.stack.tally_table) if _is_of_draws(item)]) + repr(
            [body for _, body in self.books()]
        )

    def books(self) -> Iterator[tuple[str, str]]:
        for stored in self.cloud.s3.list_objects_v2(Bucket=self.cloud.stack.books_bucket).get("Contents", []):
            body = self.cloud.s3.get_object(Bucket=self.cloud.stack.books_bucket, Key=stored["Key"])["Body"].read()
            yield stored["Key"], gzip.decompress(body).decode()


def _is_of_draws(item: dict[str, Any]) -> bool:
    key = str(item["tally"]["S"])
    if key.startswith("draws#"):
        item["draws"] = zlib.decompress(bytes(item["draws"]["B"])).decode()
    return key.startswith(("draws", "trial"))


@pytest.fixture
def nights(with_a_trial: Policies) -> Iterator[Nights]:
    with LocalCloud(BEGIN, streams=True, policies=with_a_trial) as cloud:
        yield Nights(cloud)


def test_what_was_drawn_becomes_a_result_by_the_streams_alone(nights: Nights) -> None:
    arms = [nights.draw(number, pays=number % 3 > 0) for number in range(PEOPLE)]
    assert nights.night(1) == {"is_whole": True}
    (result,) = nights.results.newest(LENDER)
    assert result.night == date(2026, 12, 2)
    assert result.drawn == {arm: arms.count(arm) for arm in (TEXTED, SILENCE)}
    assert result.running == result.drawn
    assert nights.night(8) == {"is_whole": True}
    (result,) = nights.results.newest()
    assert set(result.running.values()) == {0}
    assert result.signs == ()
    whole = result.comparisons[0].estimate
    assert whole.arm.customers + whole.other.customers == PEOPLE
    cured = sum(number % 3 > 0 for number, arm in enumerate(arms) if arm == TEXTED)
    assert whole.arm.cure_rate == cured / arms.count(TEXTED)
    assert [point.night for point in nights.results.line_of(LENDER, "quiet")] == [date(2026, 12, 2), date(2026, 12, 9)]


def test_a_claim_without_a_record_is_seen_from_the_second_night_on(nights: Nights) -> None:
    nights.draw(1, pays=True)
    facts = a_customer(customer_id="C9")
    entry = LedgerEntry(
        send_id="lost", claim_id="lost", at=BEGIN, stage=0, accounts=("A1",), channel="sms", for_wake=None,
        draws="hquiet.text:0.8",
    )  # fmt: skip
    standing = Standing(customer_id="C9", lender_id=LENDER, version=1, ledger=(entry,))
    store_customer(nights.customers, facts, standing)
    nights.night(1)
    assert nights.results.newest(LENDER)[0].signs == ()
    nights.night(2)
    assert [(sign.sign.value, sign.counted) for sign in nights.results.newest(LENDER)[0].signs] == [
        ("draw_without_record", 1)
    ]


def test_after_an_erasure_nothing_of_the_customer_is_left_in_books_or_rungs(nights: Nights) -> None:
    for number in range(6):
        nights.draw(number, pays=True)
    nights.night(1)
    assert "C0003" in nights.kept()
    said_at = nights.cloud.clock.now()
    detail = {"schema_version": 1, "customer_id": "C0003", "at": said_at.isoformat()}
    assert nights.cloud.lender_says(LenderEvent("CustomerErased", detail)) >= 1
    for wait in (SECOND_ROUND, *[ROUND_INTERVAL] * 4):
        nights.cloud.clock.move_to(nights.cloud.clock.now() + wait + timedelta(seconds=1))
        nights.cloud.drain("lender_events")
    nights.night(2)
    assert "C0003" not in nights.kept().replace("'tally': {'S': 'draws_erased'}, 'part': {'S': 'C0003'}", "")
    nights.night(4)
    assert "C0003" not in nights.kept()
    assert "send-3'" not in nights.kept()
    assert "A0003" not in nights.kept()
    nights.night(8)
    (result,) = nights.results.newest(LENDER)
    assert sum(result.drawn.values()) == 6
    assert sum(entry.erased for key, entry in result.sums.items() if key[2:] == (None,) * 4) == 1


def test_nothing_that_the_night_keeps_or_logs_names_anybody_but_by_id(nights: Nights) -> None:
    nights.draw(1, pays=True)
    nights.night(1)
    for person in ("王小明", "+88690", "886900000001"):
        assert person not in nights.kept()


def test_a_night_that_cannot_read_a_book_is_an_error(nights: Nights) -> None:
    nights.draw(1, pays=True)
    nights.night(1)
    ((key, _),) = nights.books()
    nights.cloud.s3.put_object(Bucket=nights.cloud.stack.books_bucket, Key=key, Body=b"?")
    with pytest.raises(UnreadableRecordError, match=key):
        nights.night(2)


def test_the_night_makes_the_calls_that_its_role_allows_and_no_other(nights: Nights) -> None:
    stack = nights.cloud.stack
    names = {
        stack.customers_table: "CustomersTable",
        stack.tally_table: "TallyTable",
        stack.books_bucket: "BooksBucket",
    }
    for number in range(3):
        nights.draw(number, pays=True)
    with watched() as requests:
        nights.night(1)
        detail = {"schema_version": 1, "customer_id": "C0001", "at": nights.cloud.clock.now().isoformat()}
        nights.cloud.lender_says(LenderEvent("CustomerErased", detail))
        nights.cloud.clock.move_to(BEGIN + 7 * DAY + NIGHT)
        nights.cloud.count_changes()
        requests.clear()
        nights.cloud.work_out_trials()
        called = {
            (operation.replace(".", ":").replace("ListObjectsV2", "ListBucket"), names[target])
            for operation, call in requests.calls
            for target in (*call.get("RequestItems", {}), call.get("TableName") or call.get("Bucket"))
            if target
        }
    (policy,) = translate(ROOT / "template.yaml")["Resources"]["EffectRole"]["Properties"]["Policies"]
    allowed = {
        (action, next(name for name in names.values() if name in json.dumps(statement["Resource"])))
        for statement in policy["PolicyDocument"]["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        if not action.startswith(("kms:", "logs:"))
    }
    assert called == allowed
