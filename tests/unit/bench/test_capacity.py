"""The capacity model: its arithmetic by hand, and what it takes for granted against counted calls and played lives."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.bench import capacity as model
from tests.bench.aws_prices import PriceError, load_prices
from tests.bench.capacity import (
    BUSIEST_DAY,
    BY_DESIGN,
    FILE,
    LOG_OF_A_BATCH,
    LOG_OF_A_TEXT,
    MACHINE,
    PAYMENT_LOG_BYTES,
    PAYMENT_READS,
    PAYMENT_WRITES,
    Capacity,
    Portfolio,
    Template,
    load_known,
    load_template,
)
from tests.bench.cost import MILLION, TEXTS_OF_AN_INSTALMENT, Bill, Machine, declared, load_fees, total
from tests.bench.scale import Slice, WithTheCore
from tests.bench.usage import CHANGED, QUEUE, SCANNER, SENDER, Usage, month_of

KNOWN = load_known("ap-northeast-1")
TEMPLATE = Template(50, {20: (2, 256), 200: (4, 512)}, 16, 4)
EXAMPLE = Portfolio(instalments=100_000_000, reminders_a_day=10_000_000)
PAGE = Path(__file__).parents[3] / "layers" / "dunning" / "docs" / "capacity.md"


def _capacity(rate: float, *, portfolio: Portfolio = EXAMPLE, shards: int = 4, machine: Machine = MACHINE) -> Capacity:
    return Capacity(portfolio=portfolio, rate=rate, shards=shards, known=KNOWN, template=TEMPLATE, machine=machine)


# ------------------------------------------------------------------ against counted calls


@pytest.mark.slow(reason="a month of forty customers on the embedded AWS")
def test_texts_and_payments_use_and_cost_what_the_model_takes_for_granted() -> None:
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    counted = month_of(40)
    _check_a_text(counted)
    _check_a_payment(counted)
    _check_a_million_texts(counted)


def _hold(what: str, taken: float, counted: float, *, within: float = 0.0) -> None:
    """Hold what the model takes for granted against what was counted."""
    assert counted == pytest.approx(taken, rel=within), f"{what}: counted {counted:.4g}; capacity.py takes {taken:g}"


def _check_a_text(counted: Usage) -> None:
    sender, each = counted.phases[SENDER], 1 / counted.reminders
    # A claim of somebody who has been texted often is above 1 KB.
    _hold("write units of a text", BY_DESIGN.writes, sender.write_units * each, within=0.02)
    _hold("read units of a text", BY_DESIGN.reads, sender.read_units * each)
    _hold("publishes of a text", BY_DESIGN.publishes, sender.calls["sns.Publish"] * each)
    batches = sender.invocations * each
    _hold("log of a text", LOG_OF_A_TEXT + batches * LOG_OF_A_BATCH, sender.log_size * each, within=0.05)
    assert counted.standing_size <= 1024 * BY_DESIGN.table_writes
    assert counted.record_size <= 1024 * BY_DESIGN.record_writes
    # Batches of so few customers are not full: full ones need fewer calls, never more.
    assert sender.invocations * each >= BY_DESIGN.batches
    sqs = counted.phases[SCANNER].sqs_requests + counted.phases[QUEUE].sqs_requests
    assert sqs * each >= BY_DESIGN.sqs_requests


def _check_a_payment(counted: Usage) -> None:
    changed, each = counted.phases[CHANGED], 1 / counted.loaded[CHANGED]
    _hold("PAYMENT_WRITES", PAYMENT_WRITES, changed.write_units * each, within=0.1)
    # Beside the customer a file reads the list of files: in a small file that is much for each.
    _hold("PAYMENT_READS", PAYMENT_READS, changed.read_units * each, within=0.4)
    _hold("PAYMENT_LOG_BYTES", PAYMENT_LOG_BYTES, changed.log_size * each, within=0.25)


def _check_a_million_texts(counted: Usage) -> None:
    bill = Bill(counted, load_prices("ap-northeast-1"), MACHINE, declared())
    nobody_pays = Portfolio(instalments=0, reminders_a_day=MILLION)
    capacity = replace(_capacity(20, portfolio=nobody_pays), template=load_template())
    ours = total(capacity.on_demand() + capacity.beside_capacity(MILLION))
    _hold("dollars of a million texts", float(ours), float(total(bill.reminders())), within=0.08)


# ------------------------------------------------------------------ against played lives


@pytest.mark.slow(reason="a month of two thousand customers")
def test_a_portfolio_is_spread_over_days_as_the_model_takes_for_granted() -> None:
    played = WithTheCore(Slice(0, 2000, 30, 50.0)).play()
    assert played.texts / played.customers == pytest.approx(TEXTS_OF_AN_INSTALMENT, rel=0.05)
    busiest = max(played.by_day.values())
    assert busiest / (played.texts / 30) == pytest.approx(BUSIEST_DAY, rel=0.15)


def test_a_backlog_takes_the_minutes_that_the_model_says() -> None:
    rate = 1 / 60
    played = WithTheCore(Slice(0, 500, 13, rate)).play()
    longest = max(played.by_day.values())
    assert max(played.late_by) == pytest.approx(_capacity(rate).minutes_to_send(longest), abs=3)


# ------------------------------------------------------------------ by hand


def test_a_tick_makes_the_calls_that_the_real_scanner_makes() -> None:
    """`tick_calls` counts 56 for 500 due customers in 4 shards: the switch and the queue's depth come on top."""
    tick = _capacity(500 / 60).tick()
    assert (tick.jobs, tick.sends, tick.queries) == (500, 50, 4)


def test_the_seconds_of_a_tick_by_hand() -> None:
    machine = Machine(sender_cpu=0, scanner_cpu=0.001, intake_cpu=0, factor=1, dynamodb_answers=0.5, sqs_answers=0.25)
    tick = _capacity(10, machine=machine).tick()
    assert (tick.jobs, tick.sends, tick.queries) == (600, 60, 4)
    answers = 61 * 0.25 + 4 * 0.5
    computing = 600 * 0.001 / (512 / 1769)
    assert tick.seconds == pytest.approx(answers + computing, abs=0.02)


def test_a_full_tick_is_the_highest_rate_that_still_ends_in_time() -> None:
    (limit,) = [limit for limit in _capacity(100).limits() if limit.name.endswith("seconds of a tick")]
    assert _capacity(limit.gives_way_at).tick().seconds <= TEMPLATE.tick_seconds
    assert _capacity(limit.gives_way_at + 2).tick().seconds > TEMPLATE.tick_seconds


def test_units_by_hand() -> None:
    portfolio = Portfolio(instalments=30 * 86_400 * 10, reminders_a_day=1)  # ten payments a second
    units = _capacity(100, portfolio=portfolio).units
    assert units.contacts == 100
    assert units.due_index == 200 + 40
    assert units.customers == pytest.approx(100 + 42)
    assert units.reads == 200 + 20
    assert units.writes == pytest.approx(482)


def test_shards_are_needed_as_the_writes_of_the_index_grow() -> None:
    nobody = Portfolio(instalments=1, reminders_a_day=1)
    assert [_capacity(rate, portfolio=nobody).shards_needed for rate in (20, 399, 401, 3999)] == [1, 1, 2, 10]
    more, fewer = (
        next(limit for limit in _capacity(500, shards=shards).limits() if "shards" in limit.name) for shards in (8, 4)
    )
    assert more.gives_way_at == pytest.approx(2 * fewer.gives_way_at, rel=0.03)


def test_the_busiest_day_is_done_within_its_hours_at_the_rate_that_is_needed() -> None:
    capacity = _capacity(EXAMPLE.rate_needed)
    assert capacity.minutes_to_send(EXAMPLE.busiest_reminders) == pytest.approx(10.5 * 60)
    assert EXAMPLE.rate_needed == pytest.approx(10_000_000 * 2.4 / 37_800)


def test_the_limits_come_in_the_order_in_which_they_give_way() -> None:
    limits = _capacity(635).limits()
    assert [limit.gives_way_at for limit in limits] == sorted(limit.gives_way_at for limit in limits)
    assert limits[0].name == "SNS: texts published a second"
    assert limits[0].remedy == "ask for 800"
    assert [limit.name for limit in limits if limit.share > 1] == [
        "SNS: texts published a second",
        "the stack: texts a second that can be chosen",
        "the stack: seconds of a tick",
    ]


@pytest.mark.parametrize("rate", [7, 150, 2500])
def test_what_is_full_at_a_rate_gives_way_below_it_and_nothing_else(rate: float) -> None:
    for limit in _capacity(rate).limits():
        assert (limit.share > 1) is (limit.gives_way_at < rate), limit


def test_on_demand_follows_the_texts_and_provisioned_capacity_the_rate() -> None:
    slow, fast = _capacity(300), _capacity(3000)
    assert total(slow.on_demand()) == total(fast.on_demand())
    assert total(fast.provisioned()) > 5 * total(slow.provisioned())
    busy = replace(EXAMPLE, reminders_a_day=20_000_000)
    assert total(_capacity(300, portfolio=busy).provisioned()) == total(slow.provisioned())
    assert total(_capacity(300, portfolio=busy).on_demand()) > total(slow.on_demand())


def test_provisioned_capacity_that_is_used_all_day_costs_a_fraction_of_on_demand() -> None:
    """An hour of a unit is 3,600 units: at 80 % of use, and with no night, some 0.36 of the price on demand."""
    all_day = Portfolio(instalments=1, reminders_a_day=37_800_000, busiest_day=1)
    capacity = _capacity(1000, portfolio=all_day)
    assert float(total(capacity.provisioned()) / total(capacity.on_demand())) == pytest.approx(0.36, abs=0.01)


def test_the_carrier_takes_nearly_everything() -> None:
    capacity = _capacity(635)
    aws = total(capacity.on_demand() + capacity.beside_capacity(10_000_000) + capacity.news())
    assert capacity.carrier(load_fees(), "TW") > 1000 * aws


def test_the_template_says_what_the_stack_limits() -> None:
    template = load_template()
    assert template.tick_seconds < 60
    assert template.senders_for(template.highest_rate) == template.senders[template.highest_rate]
    assert template.senders_for(1) == template.senders[min(template.senders)]
    assert template.senders_for(10 * template.highest_rate)[0] >= 10 * template.senders[template.highest_rate][0]
    assert template.others_at_work > 10


# ------------------------------------------------------------------ what is known


def test_every_quota_and_price_has_a_source_and_a_mark() -> None:
    assert all(quota.source for quota in KNOWN.quotas.values())
    assert all(price.source for price in KNOWN.prices.values())
    assert set(KNOWN.marks()) == {"V", "V2", "M"}
    assert KNOWN.checked_on.year >= 2026


def test_a_quota_of_a_region_counts_and_else_the_one_that_holds_everywhere() -> None:
    assert KNOWN.limit("put_events") == 1200
    assert load_known("us-east-1").limit("put_events") == 10_000
    assert KNOWN.quotas["put_events"].in_region("eu-south-1") == 400
    assert KNOWN.limit("in_flight") == load_known().limit("in_flight") == 120_000


def test_a_region_without_prices_is_refused() -> None:
    with pytest.raises(PriceError, match="mars-1"):
        load_known("mars-1")


@pytest.mark.parametrize(
    ("was", "becomes"),
    [("limit = 120_000", "limit = 0"), ('mark = "V2"', 'mark = "X"'), ("adjustable = true", "adjustible = true")],
)
def test_a_quota_that_is_not_as_it_should_be_is_refused(was: str, becomes: str, tmp_path: Path) -> None:
    text = FILE.read_text("utf-8")
    assert was in text
    (tmp_path / "broken.toml").write_text(text.replace(was, becomes, 1), "utf-8")
    with pytest.raises(ValidationError):
        load_known("us-east-1", tmp_path / "broken.toml")


# ------------------------------------------------------------------ the command


def _answer(*argv: str) -> tuple[int, str]:
    lines: list[str] = []
    return model.main(argv, lines.append), "".join(lines)


def test_the_answer_names_what_to_ask_for() -> None:
    code, text = _answer("--reminders", "10000000", "--region", "ap-northeast-1")
    assert code == 0
    for part in ("texts published a second: ask for 800", "a spend limit of $", "provisioned", "seconds of a tick"):
        assert part in text


def test_a_small_portfolio_fits_into_what_a_new_account_has() -> None:
    code, text = _answer("--instalments", "100000", "--rate", "10")
    assert code == 0
    assert "FULL" not in text


def test_a_rate_that_is_too_low_is_said() -> None:
    assert "the rest goes out a day late" in _answer("--rate", "20")[1]


def test_more_texts_than_the_caps_allow_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert _answer("--instalments", "8000000", "--reminders", "10000000")[0] == 1
    assert "The caps allow at most 3,428,571 texts a day" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (("--region", "mars-1"), "no prices of 'mars-1'"),
        (("--country", "XX"), "no carrier fee for 'XX'"),
    ],
)
def test_an_unknown_region_or_country_is_an_error(
    argv: tuple[str, ...], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _answer(*argv)[0] == 2
    assert why in capsys.readouterr().err


@pytest.mark.parametrize("argv", [("--rate", "0"), ("--rate", "fast"), ("--instalments", "0"), ("--reminders", "-1")])
def test_a_number_that_makes_no_sense_is_refused(argv: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        _answer(*argv)
    assert exit_.value.code == 2
    assert argv[0] in capsys.readouterr().err


def test_the_page_tells_the_worked_example_as_the_model_does() -> None:
    page = PAGE.read_text("utf-8")
    capacity = replace(_capacity(EXAMPLE.rate_needed), template=load_template())
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    for limit in (limit for limit in capacity.limits() if limit.share > 1):
        assert any(row.endswith(f"| {limit.gives_way_at:,.0f} |") for row in rows), limit
    listed = page.partition("| limit | allowed | gives way at")[2].partition("\n\n")[0].splitlines()[2:]
    gives_way = {f"{limit.gives_way_at:,.0f}" for limit in capacity.limits()}
    assert len(listed) >= 10
    assert [row for row in listed if row.split("|")[3].strip() not in gives_way] == []
    beside = capacity.beside_capacity(EXAMPLE.reminders_a_day) + capacity.news()
    for figure in (
        f"| {capacity.rate:,.0f} texts a second,",
        f"| {capacity.tick().seconds:,.0f} s: {capacity.tick().jobs:,} jobs",
        f"| {capacity.senders} senders, {capacity.concurrency} functions",
        f"| {capacity.units.writes:,.0f}: customers",
        f"| {total(capacity.on_demand()):,.0f} | {total(capacity.provisioned()):,.0f} |",
        f"| {total(capacity.on_demand() + beside):,.0f} | {total(capacity.provisioned() + beside):,.0f} |",
    ):
        assert any(figure in row for row in rows), figure
