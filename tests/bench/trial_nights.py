"""
Measure a night of trials: `python -m tests.bench.trial_nights [DRAWS]`, 100,000 unless said otherwise.

Draws of one day, a customer each, in two steps: the night after the draws, and the night on which all are settled. It
uses the real adapters, as far as the wire: items are read as DynamoDB has them, and books are packed. Not measured are
waiting for the network, and the SDK's own reading of answers.
"""

import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from hashlib import sha256
from time import process_time
from typing import Any

from botocore.exceptions import ClientError

from dunning.adapters.dynamodb.items import lender_record_item, lender_record_of, standing_item, standing_of
from dunning.adapters.s3_trial_books import S3TrialBooks
from dunning.domain.customer.lender_record import project_facts
from dunning.domain.customer.standing import Standing
from dunning.domain.effect.drawn_rungs import DrawnRung
from dunning.domain.effect.draws import Layer, draw_holdout, draws_to_text
from dunning.domain.effect.settling import Asked
from dunning.domain.errors import UnreadableRecordError
from dunning.ports.customers import CustomerLook
from dunning.ports.trial_books import RungsOfDay
from dunning.services.settle_trials import Shelf, TrialNightService
from dunning.services.steer_trials import SteerService
from tests.bench.aws_prices import load_prices
from tests.bench.effect import write
from tests.support.arms import a_trial
from tests.support.builders import a_customer, a_lender_record, an_account, an_instalment, the_policies
from tests.support.fakes import FakeClock, FakeTelemetry, FakeTrialControls
from tests.support.lively_trials import KeptInMemory
from tests.support.trial_fakes import FakeDrawnRungs, FakeTrialResults
from tests.support.trial_nights import FIRST, LENDER, PLENTY, TAIPEI, at_ten, days_after, night_of, the_holdout

SETTLED_AFTER = 15
LOOKS = (("the first night, facts and standing", 1.0), ("the last night that may change it, facts", 0.5),
         ("four weeks later, facts", 0.5))  # fmt: skip
"""Read request units of a customer, eventually consistent: half of one for each item of at most 4 KB."""


class MemoryBucket:
    """As much of S3 as books need."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def get_object(self, **request: Any) -> Mapping[str, Any]:  # noqa: ANN401
        """Return an object, or say as S3 does that there is none."""
        if request["Key"] not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[request["Key"]])}

    def put_object(self, **request: Any) -> None:  # noqa: ANN401
        """Keep an object."""
        self.objects[request["Key"]] = request["Body"].read()


class DayOfRungs(FakeDrawnRungs):
    """The rungs of one day."""

    def __init__(self, day: date, rungs: Sequence[DrawnRung]) -> None:
        super().__init__()
        self._day = day
        self._found = RungsOfDay(frozenset(rung.send_id for rung in rungs), tuple(rungs))

    def rungs_of(self, lender: str, day: date) -> RungsOfDay:
        """Return the rungs."""
        del lender
        return self._found if day == self._day else RungsOfDay(frozenset(), ())


class StoredLooks:
    """Customers as the table has them: each look reads the items."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def look_at(
        self, customer_ids: Sequence[str], *, with_standings: bool
    ) -> Mapping[str, CustomerLook | UnreadableRecordError]:
        """Read both items of each customer, or the facts alone."""
        return {each: self._look(each, with_standings=with_standings) for each in customer_ids}

    def _look(self, customer_id: str, *, with_standings: bool) -> CustomerLook:
        facts_item, written = ITEMS
        record = lender_record_of(facts_item)
        del customer_id
        return CustomerLook(project_facts(record), standing_of(written) if with_standings else None, None)


def _items() -> tuple[Any, Any]:
    paid = replace(an_instalment(paid=325_000), paid_at=at_ten(days_after(FIRST, 3)))
    later = (an_instalment(f"2027-{month:02d}-01", number=month + 1) for month in range(1, 12))
    facts = a_customer(an_account(paid, *later, account_id="A-1"))
    standing = Standing(customer_id="C1", lender_id=LENDER, version=3)
    return lender_record_item(a_lender_record(facts)), standing_item(standing, 4)


ITEMS = _items()


def rungs(number: int) -> Iterator[DrawnRung]:
    """Yield the rungs of a day, with draws of two trials."""
    trial = the_holdout(0.05)
    for index in range(number):
        customer_id = f"C{index:08d}"
        holdout = draw_holdout(trial.trial_id, trial.salt, trial.share_held_out, customer_id, 0)
        yield DrawnRung(
            customer_id=customer_id,
            send_id=sha256(customer_id.encode()).hexdigest()[:32],
            at=at_ten(FIRST),
            stage=(-3, 0, 3, 7)[index % 4],
            place="TW",
            channel="none" if holdout.arm == "silence" else "sms",
            draws=draws_to_text([holdout]),
            payer_segment=("new", "punctual", "often-late", "unknown")[index % 3],
            asked=(Asked("A-1", 1, 325_000),),
            parts=2,
            price_usd_micros=60_000,
        )


def main() -> None:
    """Measure two nights, and reckon what a million draws cost."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    bucket, results, clock = MemoryBucket(), FakeTrialResults(), FakeClock()
    books = S3TrialBooks(bucket, "books")  # type: ignore[arg-type]
    service = TrialNightService(
        shelf=Shelf(
            rungs=(day := DayOfRungs(FIRST, list(rungs(number)))),
            removal=day,
            books=books,
            known_books=books,
            results=results,
            keeper=results,
            nights=results,
            customers=StoredLooks(at_ten(FIRST)),
            comparisons=KeptInMemory(),
        ),
        steering=SteerService(FakeTrialControls()),
        policies=the_policies(),
        lenders=[LENDER],
        trials_of=lambda _: [the_holdout(0.05), a_trial(Layer.TEXT, (("usual", 0.5), ("kind", 0.5)), trial_id="tone")],
        zone_of=lambda _: TAIPEI,
        clock=clock,
        telemetry=FakeTelemetry(),
    )
    seconds: dict[str, float] = {}
    for name, days in (("draws come", 1), ("nothing to do", 2), ("all are settled", SETTLED_AFTER), ("again", 16)):
        clock.move_to(night_of(days_after(FIRST, days)))
        before = process_time()
        service.run_all(PLENTY)
        seconds[name] = process_time() - before
        write(f"{name:16} {seconds[name]:7.1f} s for {number:,}: {seconds[name] / number * 1e6:7.1f} s for a million")
    write(f"books: {sum(map(len, bucket.objects.values())) / number:.0f} bytes a draw, packed")
    cost(seconds["all are settled"] / number * 1e6, seconds["nothing to do"] / number * 1e6)


def cost(settle_seconds: float, other_seconds: float) -> None:
    """Print what a million draws cost to settle, from units and list prices."""
    prices = load_prices().prices

    def dollars(name: str, units: float) -> float:
        return float(prices[name].of(units))

    total = 0.0
    for name, units in LOOKS:
        look = dollars("dynamodb_read", 1e6 * units)
        total += look
        write(f"  {name}: {units} units, ${look:.4f}")
    compute = dollars("lambda_gb_second", settle_seconds * 3008 / 1024)
    objects = dollars("s3_put", 3 * 64) + dollars("s3_get", 3 * 64)
    write(f"  settle and sum up: {settle_seconds:.0f} s of a core at 3,008 MB: ${compute:.4f}")
    write(f"  the parts of a book, read and written on three nights: ${objects:.4f}")
    write(f"a million draws: ${total + compute + objects:.3f}")
    write(f"each further night that sums up a million draws: ${dollars('lambda_gb_second', other_seconds * 3):.4f}")


if __name__ == "__main__":
    main()
