"""The bill: its arithmetic, on usage made up so that it can be followed by hand."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

import pytest
from pydantic import ValidationError

from dunning.domain.delivery.channels import Channel
from tests.bench.aws_prices import FILE, Price, PriceError, load_prices
from tests.bench.cost import (
    MILLION,
    WAYS,
    Bill,
    Declared,
    Fees,
    Line,
    Machine,
    Senders,
    line_in_taiwan,
    load_fees,
    report,
    total,
    worth_of_a_segment,
)
from tests.bench.usage import CHANGED, IDLE, NEW, QUEUE, SCANNER, SENDER, UNCHANGED, Phase, Usage
from tests.local.template import Function
from tests.support.builders import the_policies

PRICES = load_prices("us-east-1")
DECLARED = Declared(7, {20: Senders(2, 1024), 100: Senders(2, 512), 200: Senders(4, 512)})
MACHINE = Machine(sender_cpu=0.002, scanner_cpu=0.0001, intake_cpu=0.001)


def _function(name: str, memory_mb: int, **environment: str) -> Function:
    return Function(name, name, f"functions.{name}.app.lambda_handler", timedelta(minutes=1), memory_mb, environment)


def _usage() -> Usage:
    idle = Phase(invocations=1, read_units=2, sqs_requests=1, log_bytes=400, log_events=2)
    return Usage(
        reminders=100,
        phases={
            SENDER: Phase(4, Counter({"sns.Publish": 100}), 200, 400, 0, 60_000, 104),
            SCANNER: Phase(2, Counter(), 4, 0, 12, 800, 4),
            QUEUE: Phase(sqs_requests=24),
            IDLE: idle,
            NEW: Phase(1, Counter({"dynamodb.PutItem": 100}), 100, 200, 0, 20_000, 50),
            CHANGED: Phase(1, Counter({"dynamodb.PutItem": 100}), 100, 200, 0, 20_000, 50),
            UNCHANGED: Phase(1, Counter(), 100, 0, 0, 300, 1),
        },
        loaded={NEW: 50, CHANGED: 50, UNCHANGED: 50},
        customer_bytes=1_000,
        record_bytes=900,
        record_size=800,
        standing_size=500,
        metrics=frozenset({"JobsEnqueued", "SmsAccepted"}),
        functions={
            SCANNER: _function(SCANNER, 512),
            SENDER: _function(SENDER, 1024, SMS_PER_SECOND="20", SENDER_CONCURRENCY="2"),
            "intake": _function("intake", 1769),
            "tally": _function("tally", 512),
        },
        file_bytes=50_000,
    )


def _bill(usage: Usage | None = None) -> Bill:
    return Bill(usage or _usage(), PRICES, MACHINE, DECLARED)


def _units(lines: list[Line]) -> dict[str, float]:
    return {line.price.what: line.units for line in lines}


class TestThePrices:
    """Where they are from is as important as what they are."""

    def test_are_read_with_source_mark_and_date(self) -> None:
        assert PRICES.region == "us-east-1"
        assert PRICES.checked_on.year >= 2026
        assert sum(PRICES.marks().values()) == len(PRICES.prices)
        assert all(price.source for price in PRICES.prices.values())

    def test_of_another_region_fall_back_on_the_default_where_nothing_is_written(self) -> None:
        tokyo = load_prices("ap-northeast-1")
        assert tokyo.prices.keys() == PRICES.prices.keys()
        assert tokyo.prices["logs_ingested"].dollars > PRICES.prices["logs_ingested"].dollars
        assert tokyo.prices["kms_key"] == PRICES.prices["kms_key"]

    def test_of_a_region_nobody_has_looked_up_are_refused(self) -> None:
        with pytest.raises(PriceError, match="ap-northeast-1, us-east-1"):
            load_prices("mars-north-1")

    def test_without_a_source_are_refused(self, tmp_path: Path) -> None:
        broken = tmp_path / "prices.toml"
        written = FILE.read_text("utf-8")
        broken.write_text(written.replace('source = "as kms_key; the first 20,000 a month are free"', ""), "utf-8")
        with pytest.raises(ValidationError, match="kms_request"):
            load_prices("us-east-1", broken)

    def test_are_for_so_many_units(self) -> None:
        price = Price(service="KMS", what="requests", dollars=Decimal("0.03"), per=10_000, mark="M", source="memory")
        assert price.of(35_000) == Decimal("0.105")


class TestReminders:
    """A million of them."""

    def test_use_a_million_times_what_one_has_used(self) -> None:
        units = _units(_bill().reminders())
        assert units["write request units"] == 4 * MILLION
        assert units["read request units"] == pytest.approx(2 * MILLION)
        assert units["requests (to publish)"] == MILLION
        assert units["requests"] == 40_000

    def test_pay_for_what_jobs_add_to_ticks_not_for_ticks(self) -> None:
        # Twelve requests of the scanner in two ticks, of which each makes one anyway; 24 of the queue.
        assert _units(_bill().reminders())["requests of up to 64 KB"] == pytest.approx((12 - 2 + 24) * 10_000)

    def test_pay_for_each_byte_of_log_with_what_cloudwatch_and_lambda_add(self) -> None:
        sender = 60_000 + 104 * 26 + 4 * (900 + 3 * 26)
        assert _units(_bill().reminders())["GB taken in"] == pytest.approx(sender * 10_000 / 1e9)

    def test_cost_what_their_lines_add_up_to(self) -> None:
        lines = _bill().reminders()
        assert total(lines) == sum(line.dollars for line in lines)
        assert next(line.dollars for line in lines if line.price.what == "write request units") == Decimal("2.5")


class TestTheSender:
    """What its time costs."""

    def test_is_paid_for_keeping_the_pace_as_long_as_that_is_what_takes_longest(self) -> None:
        pace = MACHINE.pace(memory_mb=1024, per_second=20, senders=2)
        assert pace.seconds == pace.paced == 0.1
        gb_seconds = _units(_bill().reminders())["GB-seconds on arm64"]
        assert gb_seconds == pytest.approx(MILLION * (0.1 + 0.5 * (0.001 + 0.0001 * 1.5 * 1769 / 512)))

    def test_is_paid_for_waiting_or_computing_once_the_pace_is_faster(self) -> None:
        quick = replace(MACHINE, sender_cpu=0.0001)
        waiting = quick.pace(memory_mb=1769, per_second=1000, senders=2)
        assert waiting.seconds == waiting.answers == pytest.approx(0.066 / 32)
        computing = MACHINE.pace(memory_mb=128, per_second=1000, senders=2)
        assert computing.seconds == computing.computing == pytest.approx(0.003 * 1769 / 128)

    def test_costs_half_with_half_the_memory_while_it_keeps_the_pace(self) -> None:
        whole, half = (
            next(line.dollars for line in _bill().reminders(memory_mb=size) if line.price.service == "Lambda")
            for size in (1024, 512)
        )
        assert float(half / whole) == pytest.approx(0.5, abs=0.01)

    def test_has_at_another_rate_the_size_that_the_template_gives_it_there(self) -> None:
        gb_seconds = _units(_bill().reminders(per_second=100))["GB-seconds on arm64"]
        assert gb_seconds == pytest.approx(MILLION * 0.5 * (0.02 + 0.001 + 0.0001 * 1.5 * 1769 / 512))

    def test_has_no_more_than_a_whole_core(self) -> None:
        assert MACHINE.computing(1.0, 1769) == MACHINE.computing(1.0, 10_240) == 1.5


class TestWhatIsBesideThem:
    """Loading, keeping, and what runs anyway."""

    def test_counting_a_million_reminders_costs_at_most_a_fifth_of_a_dollar(self) -> None:
        for region in ("us-east-1", "ap-northeast-1"):
            lines = Bill(_usage(), load_prices(region), MACHINE, DECLARED).tally()
            assert _units(lines)["write request units"] == 2 * 8 * 30 * 10 * 30
            assert total(lines) <= Decimal("0.20")

    def test_an_unchanged_customer_costs_reads_and_no_write(self) -> None:
        units = _units(_bill().loading(UNCHANGED))
        assert units["write request units"] == 0
        assert units["read request units"] == 2 * MILLION

    def test_records_are_kept_at_what_they_and_their_backup_take(self) -> None:
        storage, backup, log = _bill().keeping()["a million audit records, and why"]
        assert storage.units == backup.units == pytest.approx(0.9)
        assert log.units < 0.2

    def test_the_other_table_class_saves_storage_and_costs_writes(self) -> None:
        saved, added = _bill().infrequent_access()
        assert float(saved) == pytest.approx(0.9 * 0.15)
        assert float(added) == pytest.approx(0.155)

    def test_ticks_and_polls_are_paid_whether_anything_is_due_or_not(self) -> None:
        fixed = _bill().fixed()
        of = {line.price.what: line.units for name, line in fixed if name == "ticks"}
        assert of["invocations"] == of["requests of up to 64 KB"] == 43_800
        assert of["read request units"] == 2 * 43_800
        polling = next(line for name, line in fixed if name == "polling an empty queue")
        assert polling.units == 5 * 3 * 43_800
        assert next(line.units for name, line in fixed if name == "alarms") == 7
        assert next(line.units for name, line in fixed if name == "metrics") == 2


class TestTheConsole:
    """It is paid for by who looks, not by who is reminded."""

    DECLARED = Declared(7, DECLARED.senders, 5)

    @pytest.mark.parametrize("region", ["us-east-1", "ap-northeast-1"])
    def test_of_twenty_people_who_poll_costs_some_dollars_a_month(self, region: str) -> None:
        idle, used = Bill(_usage(), load_prices(region), MACHINE, self.DECLARED).console()
        assert {line.price.what: line.units for line in idle} == {"alarms": 5, "custom metrics": 2, "dashboards": 1}
        assert _units(used)["requests to an HTTP API"] == 20 * 8 * 22 * 360
        assert _units(used)["write request units"] == 20 * 8 * 22 * 60
        assert total(used) < 10

    def test_adds_nothing_to_a_reminder_and_nothing_to_what_runs_anyway(self) -> None:
        without, with_console = (Bill(_usage(), PRICES, MACHINE, template) for template in (DECLARED, self.DECLARED))
        assert total(with_console.reminders()) == total(without.reminders())
        assert [line for _, line in with_console.fixed()] == [line for _, line in without.fixed()]


class TestTheCarrierFee:
    """What everything else is small beside."""

    def test_is_the_one_that_records_and_reports_use(self) -> None:
        fees = load_fees()
        assert fees.million("TW") == 41_700
        assert fees.million("TW", 2) == 83_400
        assert fees.million("XX") == fees.million("default")

    def test_of_an_avoided_segment_is_told_in_dollars_and_in_bills(self) -> None:
        sentence = worth_of_a_segment("TW", Decimal(41_700), Decimal("4.17"))
        assert sentence == (
            "One avoided second segment in TW is worth $41,700 for a million texts: 10,000 times the AWS bill."
        )


class TestAChannel:
    """The AWS bill of a million of its messages, and the fee of whoever carries them."""

    def _units_by(self, name: str) -> dict[str, float]:
        (way,) = [way for way in WAYS if way.name == name]
        return _units(_bill().of_channel(way))

    def test_pays_for_requests_to_sns_where_sns_sends_and_where_it_brings_what_comes_back(self) -> None:
        published = "requests (to publish)"
        assert published in self._units_by("SMS by SNS")
        assert self._units_by("e-mail by SES")[published] == MILLION
        assert published not in self._units_by("LINE to friends")
        assert self._units_by("WhatsApp template")[published] == 3 * MILLION

    def test_costs_aws_about_as_much_whatever_the_channel(self) -> None:
        sms, *others = [total(_bill().of_channel(way)) for way in WAYS]
        assert all(sms / 2 < other < 2 * sms for other in others)

    def test_that_is_line_has_a_plan_with_messages_in_it_and_a_price_for_each_further_one(self) -> None:
        assert line_in_taiwan(6_000) == line_in_taiwan(0) == Decimal(1200) / 31
        assert round(line_in_taiwan(210_000)) == 1_355

    def test_is_charged_as_the_policies_estimate_it(self) -> None:
        fees = load_fees()
        assert fees.of_channel("email", "TW", MILLION) == 100
        for way in WAYS:
            estimate = the_policies().price("TW", 1, Channel(way.channel))
            assert fees.of_channel(way.channel, "TW", MILLION) == estimate

    def test_of_every_kind_has_a_gateway_here(self) -> None:
        assert {way.channel for way in WAYS} == set(Channel)


class TestTheReport:
    """What a manager reads."""

    def _text(self, usage: Usage) -> str:
        others = dict.fromkeys(("email", "line", "voice", "whatsapp"), MappingProxyType({"default": Decimal("0.01")}))
        in_taiwan = {"TW": Decimal("0.04"), "default": Decimal("0.05")}
        fees = Fees(in_taiwan, "a list", "M", "2026-11-23", others, {})
        return "\n".join(report(_bill(usage), usage, PRICES, fees, MACHINE))

    def test_says_whether_the_target_is_held_and_by_how_much_it_is_missed(self) -> None:
        usage = _usage()
        assert "missed by" in self._text(usage)
        cheap = replace(usage, reminders=100, phases={**usage.phases, SENDER: Phase(4, Counter(), 200, 100)})
        assert "held" in self._text(cheap)

    def test_names_every_service(self) -> None:
        text = self._text(_usage())
        for service in ("DynamoDB", "Lambda", "SQS", "SNS", "CloudWatch Logs"):
            assert f"  {service} " in text

    def test_marks_prices_from_memory(self) -> None:
        tokyo = load_prices("ap-northeast-1")
        bill = Bill(_usage(), tokyo, MACHINE, DECLARED)
        lines = list(report(bill, _usage(), tokyo, load_fees(), MACHINE))
        assert next(line for line in lines if "write request units" in line).endswith("?")
        assert not next(line for line in lines if "to publish" in line).endswith("?")

    def test_tells_a_price_for_every_country_and_elsewhere(self) -> None:
        text = self._text(_usage())
        assert "40,000" in text
        assert "elsewhere" in text
        assert "avoided second segment in TW" in text
        assert "avoided second segment in default" not in text
