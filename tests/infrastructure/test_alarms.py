"""Alarms and dashboard: on metrics that exist, raised when they should be, and explained to whoever is woken."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dunning.ports.telemetry import LogEvent, Metric
from tests.local import ROOT
from tests.local.template import translate
from tests.support.alarm_expressions import Calculator, Series, alarms
from tests.support.aws_metrics import AWS_METRICS

type Resource = Mapping[str, Any]

OURS = "Dunning"
THIS_STACK = {"service": {"Ref": "AWS::StackName"}}
RUNBOOK = "layers/dunning/docs/alarms.md"
"""As the descriptions name it."""

PACKAGE = ROOT / "layers" / "dunning" / "python" / "dunning"
CODE = "".join(path.read_text("utf-8") for path in sorted(PACKAGE.rglob("*.py")))


@pytest.fixture(scope="module")
def template() -> Resource:
    return translate(ROOT / "template.yaml")


@pytest.fixture(scope="module")
def resources(template: Resource) -> Mapping[str, Resource]:
    found: Mapping[str, Resource] = template["Resources"]
    return found


@pytest.fixture(scope="module")
def raised(resources: Mapping[str, Resource]) -> Mapping[str, Resource]:
    """The alarms' properties, by name."""
    return {
        name: resource["Properties"]
        for name, resource in resources.items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }


@pytest.fixture(scope="module")
def dashboard(resources: Mapping[str, Resource]) -> Resource:
    """The dashboard's body; what CloudFormation fills in is text, and the limit a number."""
    return _body(resources, "Dashboard")


@pytest.fixture(scope="module")
def console_dashboard(resources: Mapping[str, Resource]) -> Resource:
    """The body of the console's dashboard."""
    return _body(resources, "ConsoleDashboard")


@pytest.fixture(scope="module")
def dashboards(
    dashboard: Resource, console_dashboard: Resource, resources: Mapping[str, Resource]
) -> tuple[Resource, ...]:
    """All dashboards."""
    return dashboard, console_dashboard, _body(resources, "ChannelsDashboard"), _body(resources, "WebhooksDashboard")


def _body(resources: Mapping[str, Resource], name: str) -> Resource:
    body: str = resources[name]["Properties"]["DashboardBody"]["Fn::Sub"]
    read: Resource = json.loads(body.replace("${SmsMonthlySpendLimitUsd}", "1"))
    return read


def _watched(alarm: Resource) -> Iterator[tuple[str, str, dict[str, Any], str]]:
    """Yield namespace, name, dimensions and statistic of each metric an alarm watches."""
    statistic = alarm.get("Statistic") or alarm.get("ExtendedStatistic")
    for query in alarm.get("Metrics", [{"MetricStat": {"Metric": alarm, "Stat": statistic}}]):
        if "MetricStat" in query:
            metric = query["MetricStat"]["Metric"]
            dimensions = {each["Name"]: each["Value"] for each in metric.get("Dimensions", ())}
            yield metric["Namespace"], metric["MetricName"], dimensions, query["MetricStat"]["Stat"]


def _shown(dashboards: tuple[Resource, ...]) -> Iterator[tuple[str, str, dict[str, Any], str]]:
    """Yield namespace, name, dimensions and statistic of each metric on the dashboards."""
    for widget in (widget for dashboard in dashboards for widget in dashboard["widgets"]):
        for namespace, name, *rest in widget["properties"].get("metrics", ()):
            options = rest.pop() if rest and isinstance(rest[-1], dict) else {}
            dimensions = dict(zip(rest[::2], rest[1::2], strict=True))
            yield namespace, name, dimensions, options.get("stat") or widget["properties"]["stat"]


class TestTheMetrics:
    """What nobody writes can raise no alarm, and would stay green for ever."""

    @pytest.mark.parametrize("name", [*LogEvent, *Metric], ids=repr)
    def test_every_name_of_the_telemetry_is_written_by_the_code(self, name: LogEvent | Metric) -> None:
        if isinstance(name, Metric) and name.startswith(("Wait", "Stop", "Send")):
            return  # counted by kind and reason of each decision
        assert f"{type(name).__name__}.{name.name}" in CODE

    def test_an_alarm_watches_what_is_written(self, raised: Mapping[str, Resource]) -> None:
        for name, alarm in raised.items():
            watched = list(_watched(alarm))
            assert watched, name
            for namespace, metric, dimensions, statistic in watched:
                if namespace == OURS:
                    assert metric in Metric, name
                    assert dimensions == THIS_STACK, name
                else:
                    documented = AWS_METRICS[namespace, metric]
                    assert dimensions.keys() == documented.dimensions, name
                    assert statistic in documented.statistics, name

    def test_the_dashboards_show_what_is_written(self, dashboards: tuple[Resource, ...]) -> None:
        for namespace, metric, dimensions, statistic in _shown(dashboards):
            if namespace == OURS:
                assert metric in Metric
                assert dimensions == {"service": "${AWS::StackName}"}
            else:
                documented = AWS_METRICS[namespace, metric]
                assert dimensions.keys() == documented.dimensions
                assert statistic in documented.statistics

    def test_dimensions_name_the_right_thing(
        self, raised: Mapping[str, Resource], dashboards: tuple[Resource, ...], resources: Mapping[str, Resource]
    ) -> None:
        kinds = {
            "QueueName": "AWS::SQS::Queue",
            "FunctionName": "AWS::Lambda::Function",
            "ApiId": "AWS::ApiGatewayV2::Api",
        }
        named = [
            (*watched[2].items(),) for alarm in raised.values() for watched in _watched(alarm) if watched[0] != OURS
        ]
        named += [(*shown[2].items(),) for shown in _shown(dashboards) if shown[0] != OURS]
        for dimension, value in (pair for pairs in named for pair in pairs):
            text = value if isinstance(value, str) else "${" + ".".join(_path(value)) + "}"
            match = re.fullmatch(r"\$\{(\w+)(\.QueueName)?\}", text)
            assert match is not None
            assert resources[match[1]]["Type"] == kinds[dimension]
            # A queue's Ref is its URL, a function's its name.
            assert bool(match[2]) is (dimension == "QueueName")

    def test_every_metric_of_ours_that_tells_of_trouble_is_watched_or_shown(
        self, raised: Mapping[str, Resource], dashboards: tuple[Resource, ...]
    ) -> None:
        seen = {watched[1] for alarm in raised.values() for watched in _watched(alarm)} | {
            shown[1] for shown in _shown(dashboards)
        }
        decisions = {name for name in Metric if name.startswith(("Wait", "Stop", "Send"))}
        by_hand = {"CustomersErased"}  # counted by a command that somebody runs and reads
        assert set(Metric) - decisions - by_hand <= seen


def _path(reference: Resource) -> list[str]:
    found: list[str] = [reference["Ref"]] if "Ref" in reference else reference["Fn::GetAtt"]
    return found


class TestAnAlarm:
    """Each of them."""

    def test_is_told_and_its_end_too(self, raised: Mapping[str, Resource]) -> None:
        for name, alarm in raised.items():
            assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}], name
            # A working day without a text does not end by itself, it is over.
            assert alarm.get("OKActions") == (None if name == "NothingSentAlarm" else alarm["AlarmActions"]), name
            assert "ActionsEnabled" not in alarm, name

    def test_says_what_missing_data_means(self, raised: Mapping[str, Resource]) -> None:
        means = {name: alarm["TreatMissingData"] for name, alarm in raised.items()}
        for name in ("ScannerSilentAlarm", "TrialNightMissedAlarm"):
            assert means.pop(name) == {"Fn::If": ["Ticking", "breaching", "notBreaching"]}
        # Reported while texts go out: what was spent stays spent.
        assert means.pop("SmsSpendAlarm") == "ignore"
        assert set(means.values()) == {"notBreaching"}

    def test_looks_back_no_longer_than_a_day_which_is_all_cloudwatch_allows(
        self, raised: Mapping[str, Resource]
    ) -> None:
        for name, alarm in raised.items():
            periods = {query["MetricStat"]["Period"] for query in alarm.get("Metrics", ()) if "MetricStat" in query}
            (period,) = periods or {alarm["Period"]}
            assert period * alarm["EvaluationPeriods"] <= 24 * 3600, name

    def test_returns_one_series(self, raised: Mapping[str, Resource]) -> None:
        for name, alarm in raised.items():
            if "Metrics" in alarm:
                assert [query["ReturnData"] for query in alarm["Metrics"]].count(True) == 1, name
                assert alarm["Metrics"][-1]["ReturnData"] is True, name

    def test_fits_into_its_name_and_says_where_to_read_on(self, raised: Mapping[str, Resource]) -> None:
        for name, alarm in raised.items():
            what, _, where = alarm["AlarmDescription"].partition(". ")
            assert len(what.split()) > 2, name
            assert where == f"{RUNBOOK}, {name}.", name


@pytest.mark.parametrize(
    ("trouble", "namespace", "metric", "name"),
    [
        ("a job nobody could work off", "AWS/SQS", "ApproximateNumberOfMessagesVisible", "RemindersDeadLettersAlarm"),
        ("a tick that did not arrive", "AWS/SQS", "ApproximateNumberOfMessagesVisible", "TickDeadLettersAlarm"),
        ("a file that did not load", "AWS/SQS", "ApproximateNumberOfMessagesVisible", "IntakeDeadLettersAlarm"),
        ("a part that did not load", "AWS/SQS", "ApproximateNumberOfMessagesVisible", "FilePartsDeadLettersAlarm"),
        ("parts that nobody loads", "AWS/SQS", "ApproximateAgeOfOldestMessage", "OldestFilePartAlarm"),
        ("a queue that does not move", "AWS/SQS", "ApproximateAgeOfOldestMessage", "OldestJobAlarm"),
        ("a payment nobody reads", "AWS/SQS", "ApproximateAgeOfOldestMessage", "OldestLenderEventAlarm"),
        ("changes that were given up", "AWS/SQS", "ApproximateNumberOfMessagesVisible", "TallyDeadLettersAlarm"),
        ("counters that are old", "AWS/Lambda", "IteratorAge", "TallyBehindAlarm"),
        ("a nightly run of trials that fails", "AWS/Lambda", "Errors", "EffectErrorsAlarm"),
        ("a night of trials that was missed", OURS, "TrialNights", "TrialNightMissedAlarm"),
        ("a silence that was broken", OURS, "TrialLeaks", "TrialLeakAlarm"),
        ("a trial that is broken or does harm", OURS, "TrialSigns", "TrialSignsAlarm"),
        ("changes that are not counted", OURS, "ChangesNotCounted", "ChangesNotCountedAlarm"),
        ("a stop nobody reads", "AWS/SQS", "ApproximateAgeOfOldestMessage", "OldestReplyAlarm"),
        ("receipts that crash", "AWS/Lambda", "Errors", "DeliveryReceiptsErrorsAlarm"),
        ("a night without housekeeping", "AWS/Lambda", "Errors", "HousekeepingErrorsAlarm"),
        ("texts that carriers take for spam", OURS, "SmsTechnicalFailure", "TechnicalFailureAlarm"),
        ("news that holds up sending", OURS, "NewsHeldUp", "NewsHeldUpAlarm"),
        ("replies that fail", OURS, "RepliesFailed", "RepliesFailingAlarm"),
        ("replies that come too late", OURS, "RepliesOutOfTime", "RepliesFailingAlarm"),
        ("a crash while replies are read", "AWS/Lambda", "Errors", "RepliesFailingAlarm"),
        ("events that fail", OURS, "LenderEventsFailed", "LenderEventsFailingAlarm"),
        ("a crash while events are read", "AWS/Lambda", "Errors", "LenderEventsFailingAlarm"),
        ("a customer in distress", OURS, "ReplyDistress", "CustomerInDistressAlarm"),
        ("events that are lost", OURS, "OutboundEventsLost", "OutboundEventsLostAlarm"),
        ("a silent scanner", OURS, "Ticks", "ScannerSilentAlarm"),
        ("a switch that cannot be read", OURS, "SwitchUnreadable", "SwitchUnreadableAlarm"),
        ("trials of which nobody knows what holds", OURS, "TrialControlUnreadable", "TrialControlUnreadableAlarm"),
        ("a sender that crashes", "AWS/Lambda", "Errors", "SenderErrorsAlarm"),
        ("jobs that fail", OURS, "JobsFailed", "JobsFailingAlarm"),
        ("an audit record that was not written", OURS, "RecordsNotWritten", "RecordsNotWrittenAlarm"),
        ("a carrier that refuses for good", OURS, "SmsRefusedForGood", "RefusedTextsAlarm"),
        ("a carrier that refuses for now", OURS, "SmsRefusedForNow", "RefusedTextsAlarm"),
        ("answers that got lost", OURS, "SmsUnknown", "UnknownTextsAlarm"),
        ("customers who say stop", OURS, "OptOuts", "OptOutRateAlarm"),
        ("money running out", "AWS/SNS", "SMSMonthToDateSpentUSD", "SmsSpendAlarm"),
        ("a calendar running out", OURS, "CalendarDaysLeft", "CalendarAlarm"),
        ("a working day without a text", OURS, "SmsAccepted", "NothingSentAlarm"),
        ("a file that was refused", OURS, "FilesRefused", "FileRefusedAlarm"),
        ("a file of which most rows were refused", OURS, "FilesMostlyRefused", "FileMostlyRefusedAlarm"),
        ("ids that no file has", OURS, "LenderEventsOfUnknownCustomer", "UnknownCustomersAlarm"),
        ("accounts that no file has", OURS, "LenderEventsOfUnknownAccount", "UnknownCustomersAlarm"),
        ("words of a carrier that we do not know", OURS, "SmsFailedUnclassified", "UnclassifiedFailureAlarm"),
        ("a console that crashes", "AWS/Lambda", "Errors", "ConsoleErrorsAlarm"),
        ("pages that fail", "AWS/ApiGateway", "5xx", "ConsoleFailingAlarm"),
        ("pages that people wait for", "AWS/ApiGateway", "Latency", "ConsoleSlowAlarm"),
        ("a console without room to run", "AWS/Lambda", "Throttles", "ConsoleThrottledAlarm"),
        (
            "events of channels that were given up",
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            "ChannelEventsDeadLettersAlarm",
        ),
        ("an event of a channel nobody reads", "AWS/SQS", "ApproximateAgeOfOldestMessage", "OldestChannelEventAlarm"),
        ("reports of a kind we do not know", OURS, "ChannelEventsUnreadable", "ChannelEventsUnreadableAlarm"),
        ("a service that refuses for now", OURS, "MessagesRefusedForNow", "RefusedMessagesAlarm"),
        ("a service that refuses for good", OURS, "MessagesRefusedForGood", "RefusedMessagesAlarm"),
        ("answers of other channels that got lost", OURS, "MessagesUnknown", "UnknownMessagesAlarm"),
        ("messages that a service will not deliver", OURS, "MessagesTechnicalFailure", "TechnicalMessageFailureAlarm"),
        ("webhooks that crash", "AWS/Lambda", "Errors", "WebhooksErrorsAlarm"),
        ("webhooks that are lost", OURS, "WebhooksFailed", "WebhooksFailingAlarm"),
        ("webhooks that nobody has signed", OURS, "WebhooksRefused", "WebhooksRefusedAlarm"),
        ("a webhook that takes too long", "AWS/ApiGateway", "Latency", "WebhooksSlowAlarm"),
        ("somebody who wants to see too much", OURS, "RevealsRefused", "TooManyRevealsAlarm"),
    ],
)
def test_there_is_an_alarm_for(
    raised: Mapping[str, Resource], trouble: str, namespace: str, metric: str, name: str
) -> None:
    del trouble
    assert (namespace, metric) in [watched[:2] for watched in _watched(raised[name])]


def test_every_dead_letter_queue_has_its_alarm(
    raised: Mapping[str, Resource], resources: Mapping[str, Resource]
) -> None:
    queues = {name for name, resource in resources.items() if resource["Type"] == "AWS::SQS::Queue"}
    fed = {"Reminders", "LenderEvents", "Replies", "DeliveryReceipts", "Replan", "NewsFailures", "FileParts"}
    fed.add("ChannelEvents")
    for queue in queues - fed:
        alarm = raised[f"{queue}Alarm"]
        assert next(_watched(alarm))[2] == {"QueueName": {"Fn::GetAtt": [queue, "QueueName"]}}
        assert (alarm["Statistic"], alarm["Threshold"]) == ("Maximum", 1)


@pytest.mark.parametrize(
    ("queue", "alarm"),
    [("Reminders", "Job"), ("LenderEvents", "LenderEvent"), ("Replies", "Reply"), ("ChannelEvents", "ChannelEvent")],
)
def test_a_message_is_old_when_it_should_have_been_through_twice(
    raised: Mapping[str, Resource], resources: Mapping[str, Resource], queue: str, alarm: str
) -> None:
    hidden = resources[queue]["Properties"]["VisibilityTimeout"]
    assert raised[f"Oldest{alarm}Alarm"]["Threshold"] >= 60 + 2 * hidden


def test_the_scanner_is_silent_after_three_ticks(raised: Mapping[str, Resource]) -> None:
    alarm = raised["ScannerSilentAlarm"]
    assert (alarm["Statistic"], alarm["Period"], alarm["EvaluationPeriods"]) == ("Sum", 60, 3)
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)


class TestAStackThatIsOff:
    """Before the schedule is enabled, and after it has been disabled."""

    def test_is_not_silent(self, template: Resource) -> None:
        assert template["Conditions"]["Ticking"] == {"Fn::Equals": [{"Ref": "ScheduleState"}, "ENABLED"]}

    def test_has_nothing_to_send(self, raised: Mapping[str, Resource]) -> None:
        nothing: Series = [None] * HOURS
        assert not any(_raised_by(raised["NothingSentAlarm"], {"ticks": nothing, "sent": nothing, "others": nothing}))


MONDAY = datetime(2026, 11, 30, tzinfo=UTC)
HOURS = 24 * 14


def _raised_by(
    alarm: Resource,
    metrics: Mapping[str, Series],
    *,
    begin: datetime = MONDAY,
    offset: float = 8,
    expected: bool = True,
) -> list[bool]:
    """Tell for each period whether an alarm is raised, given the values of its metrics."""
    (period,) = {query["MetricStat"]["Period"] for query in alarm["Metrics"] if "MetricStat" in query}
    length = len(next(iter(metrics.values())))
    calculator = Calculator([int(begin.timestamp()) + period * place for place in range(length)], metrics)
    result: Series = []
    for query in alarm["Metrics"]:
        if "Expression" not in query:
            continue
        expression = query["Expression"]
        if isinstance(expression, dict) and "Fn::If" in expression:
            condition, true, false = expression["Fn::If"]
            assert condition == "ExpectsTexts"
            expression = true if expected else false
        if isinstance(expression, dict):
            expression = expression["Fn::Sub"]
            for name, value in (("UtcOffsetHours", offset), ("SmsMonthlySpendLimitUsd", 200)):
                expression = expression.replace(f"${{{name}}}", str(value))
        result = calculator.add(query["Id"], expression)
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert "DatapointsToAlarm" not in alarm
    return alarms(result, at_least=alarm["Threshold"], periods=alarm["EvaluationPeriods"])


class TestNothingSentOnAWorkingDay:
    """From nine to seven, Monday to Friday, by the customers' clocks."""

    @staticmethod
    def _hours(texts: Mapping[int, set[int]], offset: float = 8) -> dict[str, Series]:
        """Two weeks of ticks, and texts in these local hours of these weekdays (0 is a Monday)."""
        sent: Series = []
        for place in range(HOURS):
            local = MONDAY + timedelta(hours=place + offset)
            sent.append(5.0 if local.hour in texts.get(local.weekday(), set()) else None)
        return {"ticks": [60.0] * HOURS, "sent": sent, "others": [None] * HOURS}

    @pytest.mark.parametrize("hour", [9, 10, 18])
    @pytest.mark.parametrize("offset", [8, 0, -5, -8, 13, 5.5])
    def test_an_hour_of_texts_a_working_day_is_enough(
        self, raised: Mapping[str, Resource], offset: float, hour: int
    ) -> None:
        metrics = self._hours({day: {hour} for day in range(5)}, offset)
        assert not any(_raised_by(raised["NothingSentAlarm"], metrics, offset=offset))

    @pytest.mark.parametrize("offset", [8, 0, -5, -8, 13, 5.5])
    def test_a_silent_wednesday_raises_the_alarm_in_its_last_hour(
        self, raised: Mapping[str, Resource], offset: float
    ) -> None:
        metrics = self._hours({day: {10} for day in (0, 1, 3, 4)}, offset)
        raised_at = _raised_by(raised["NothingSentAlarm"], metrics, offset=offset)
        moments = [MONDAY + timedelta(hours=place + offset) for place, alarm in enumerate(raised_at) if alarm]
        assert [(moment.weekday(), moment.hour) for moment in moments] == [(2, 18), (2, 18)]

    def test_an_early_text_is_none_of_the_working_day(self, raised: Mapping[str, Resource]) -> None:
        metrics = self._hours({day: {7, 8, 19, 20} for day in range(5)})
        assert sum(_raised_by(raised["NothingSentAlarm"], metrics)) == 10

    def test_a_day_of_messages_on_other_channels_is_none_without(self, raised: Mapping[str, Resource]) -> None:
        metrics = self._hours({day: {10} for day in range(5)})
        metrics["sent"], metrics["others"] = metrics["others"], metrics["sent"]
        assert not any(_raised_by(raised["NothingSentAlarm"], metrics))

    def test_a_weekend_is_silent(self, raised: Mapping[str, Resource]) -> None:
        metrics = self._hours({day: {18} for day in range(5)})
        raised_at = _raised_by(raised["NothingSentAlarm"], metrics)
        assert not any(raised_at)

    def test_a_text_on_sunday_is_none_on_monday(self, raised: Mapping[str, Resource]) -> None:
        metrics = self._hours({6: {10, 23}, 1: {10}, 2: {10}, 3: {10}, 4: {10}})
        assert sum(_raised_by(raised["NothingSentAlarm"], metrics)) == 2

    def test_a_scanner_that_stopped_is_another_alarm(self, raised: Mapping[str, Resource]) -> None:
        silence: Series = [None] * HOURS
        assert not any(_raised_by(raised["NothingSentAlarm"], {"ticks": silence, "sent": silence, "others": silence}))

    def test_a_small_portfolio_may_say_that_days_without_texts_are_normal(self, raised: Mapping[str, Resource]) -> None:
        metrics = self._hours({})
        assert any(_raised_by(raised["NothingSentAlarm"], metrics))
        assert not any(_raised_by(raised["NothingSentAlarm"], metrics, expected=False))


class TestShares:
    """Alarms on a part of something."""

    @pytest.mark.parametrize(
        ("good", "now", "accepted", "alarm"),
        [
            (4, None, 4, False),  # a few wrong numbers are nobody's alarm
            (5, None, 100, False),
            (6, 6, 100, True),
            (None, 5, None, True),  # everything is turned away: the limit, or a permission
            (None, None, None, False),
            (None, None, 1000, False),
        ],
    )
    def test_refused_texts(
        self,
        raised: Mapping[str, Resource],
        good: float | None,
        now: float | None,
        accepted: float | None,
        *,
        alarm: bool,
    ) -> None:
        metrics: dict[str, Series] = {"forgood": [good], "fornow": [now], "accepted": [accepted]}
        assert _raised_by(raised["RefusedTextsAlarm"], metrics) == [alarm]

    @pytest.mark.parametrize(
        ("optouts", "accepted", "alarm"),
        [(2, 10, False), (3, 150, True), (3, 151, False), (None, 1000, False), (40, None, False)],
    )
    def test_opt_outs(
        self, raised: Mapping[str, Resource], optouts: float | None, accepted: float | None, *, alarm: bool
    ) -> None:
        metrics: dict[str, Series] = {"optouts": [optouts], "accepted": [accepted]}
        assert _raised_by(raised["OptOutRateAlarm"], metrics) == [alarm]

    @pytest.mark.parametrize(
        ("customers", "accounts", "recorded", "alarm"),
        [
            (9, None, 9, False),
            (10, None, 50, True),
            (5, 5, 50, True),
            (10, None, 51, False),
            (None, None, 10_000, False),
        ],
    )
    def test_events_of_unknown_customers(
        self,
        raised: Mapping[str, Resource],
        customers: float | None,
        accounts: float | None,
        recorded: float,
        *,
        alarm: bool,
    ) -> None:
        metrics: dict[str, Series] = {"customers": [customers], "accounts": [accounts], "recorded": [recorded]}
        assert _raised_by(raised["UnknownCustomersAlarm"], metrics) == [alarm]

    @pytest.mark.parametrize("failing", ["failed", "crashed"])
    def test_an_event_that_keeps_failing_is_told_whenever_it_began(
        self, raised: Mapping[str, Resource], failing: str
    ) -> None:
        for begin in range(0, 900, 60):
            periods: Series = [0.0] * 6
            for second in range(begin, 6 * 900, 361):
                periods[second // 900] = (periods[second // 900] or 0) + 1
            metrics: dict[str, Series] = {"failed": [None] * 6, "late": [None] * 6, "crashed": [None] * 6}
            metrics[failing] = periods
            assert any(_raised_by(raised["RepliesFailingAlarm"], metrics))
            del metrics["late"]
            assert any(_raised_by(raised["LenderEventsFailingAlarm"], metrics))

    @pytest.mark.parametrize("apart", [60, 360], ids=["a crash and its repeat", "a time-out and its repeat"])
    def test_housekeeping_that_always_fails_is_told_whenever_it_begins(
        self, raised: Mapping[str, Resource], apart: int
    ) -> None:
        alarm = raised["HousekeepingErrorsAlarm"]
        for begin in range(0, 3600, 60):  # each hour at the same minute
            errors = [begin + hour * 3600 + late for hour in range(3) for late in (0, apart)]
            counted = Counter(second // alarm["Period"] for second in errors)
            assert max(counted.values()) >= alarm["Threshold"]
        nightly = 19 * 3600 + 30 * 60  # the look at the carrier's list
        assert nightly // alarm["Period"] == (nightly + apart) // alarm["Period"]

    @pytest.mark.parametrize(("spent", "alarm"), [(159.9, False), (160.0, True), (None, False)])
    def test_spend_of_a_limit_of_two_hundred_dollars(
        self, raised: Mapping[str, Resource], spent: float | None, *, alarm: bool
    ) -> None:
        assert _raised_by(raised["SmsSpendAlarm"], {"spent": [spent]}) == [alarm]


class TestTheTopic:
    """Where alarms go."""

    def test_is_encrypted_with_the_key_that_cloudwatch_may_use(self, resources: Mapping[str, Resource]) -> None:
        assert resources["AlarmTopic"]["Properties"]["KmsMasterKeyId"] == {"Fn::GetAtt": ["DataKey", "Arn"]}

    def test_hears_the_alarms_of_this_stack_over_tls_and_nobody_else(self, resources: Mapping[str, Resource]) -> None:
        allowed, denied = resources["AlarmTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
        assert (allowed["Effect"], allowed["Principal"]) == ("Allow", {"Service": "cloudwatch.amazonaws.com"})
        assert allowed["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        assert allowed["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Sub"].endswith(":alarm:${AWS::StackName}-*")
        assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": False}})

    def test_writes_to_an_address_if_there_is_one(self, template: Resource) -> None:
        subscription = template["Resources"]["AlarmSubscription"]
        assert subscription["Condition"] == "HasAlarmEmail"
        assert subscription["Properties"]["Protocol"] == "email"
        assert template["Parameters"]["AlarmEmail"]["Default"] == ""
        pattern = template["Parameters"]["AlarmEmail"]["AllowedPattern"]
        assert all(re.search(pattern, good) for good in ("", "ops@example.com"))
        assert not any(re.search(pattern, bad) for bad in ("ops", "ops@example", "a b@example.com"))


class TestTheDashboard:
    """What is looked at first."""

    def test_shows_every_alarm(self, dashboards: tuple[Resource, ...], resources: Mapping[str, Resource]) -> None:
        conditions = (None, "HasConsole", "HearsChannels", "HasWebhooks")
        alarms_of = {
            condition: {
                f"${{{name}.Arn}}"
                for name, resource in resources.items()
                if resource["Type"] == "AWS::CloudWatch::Alarm" and resource.get("Condition") == condition
            }
            for condition in conditions
        }
        for found, condition in zip(dashboards, conditions, strict=True):
            (widget,) = (panel for panel in found["widgets"] if panel["type"] == "alarm")
            assert set(widget["properties"]["alarms"]) == alarms_of[condition]

    @pytest.mark.parametrize("which", range(4))
    def test_has_no_widget_over_another_or_over_the_edge(self, dashboards: tuple[Resource, ...], which: int) -> None:
        taken: set[tuple[int, int]] = set()
        for widget in dashboards[which]["widgets"]:
            assert widget["x"] + widget["width"] <= 24
            cells = {
                (widget["x"] + across, widget["y"] + down)
                for across in range(widget["width"])
                for down in range(widget["height"])
            }
            assert not cells & taken
            taken |= cells

    def test_lists_events_that_exist_from_all_logs(
        self, dashboard: Resource, resources: Mapping[str, Resource]
    ) -> None:
        (widget,) = (panel for panel in dashboard["widgets"] if panel["type"] == "log")
        query = widget["properties"]["query"]
        listed = set(re.findall(r"'([a-z_]+)'", query))
        assert listed
        assert listed <= set(LogEvent)
        groups = {
            name
            for name, resource in resources.items()
            if resource["Type"] == "AWS::Logs::LogGroup"
            and "Condition" not in resource  # those of SNS hold numbers
            and name != "LooksLogs"  # no function writes there
        }
        assert set(re.findall(r"SOURCE '\$\{(\w+)\}'", query)) == groups

    def test_of_the_console_lists_its_logs_and_no_path_of_a_customer(
        self, console_dashboard: Resource, resources: Mapping[str, Resource]
    ) -> None:
        queries = [panel["properties"]["query"] for panel in console_dashboard["widgets"] if panel["type"] == "log"]
        sources = {name for query in queries for name in re.findall(r"SOURCE '\$\{(\w+)\}'", query)}
        assert sources == {"ConsoleLogs", "ConsoleAccessLogs"}
        (errors,) = (query for query in queries if "ConsoleLogs" in query)
        assert set(re.findall(r"'([a-z_]+)'", errors)) <= set(LogEvent)
        written = json.loads(resources["ConsoleStage"]["Properties"]["AccessLogSettings"]["Format"])
        (requests,) = (query for query in queries if "ConsoleAccessLogs" in query)
        assert set(re.findall(r"\b(route|status|latency)\b", requests)) <= written.keys()


class TestTheRunbook:
    """The page of alarms, for the engineer on call."""

    def test_has_a_heading_for_every_alarm_in_the_order_of_the_template(self, raised: Mapping[str, Resource]) -> None:
        assert [name for name, _ in _headings()] == list(raised)

    def test_says_what_it_means_what_to_look_at_and_what_to_do(self) -> None:
        for name, text in _headings():
            meaning, _, rest = text.partition("**Look:** ")
            look, _, do = rest.partition("**Do:** ")
            assert all(len(part.split()) > 3 for part in (meaning, look, do)), name


def _headings() -> list[tuple[str, str]]:
    """Return each heading of the page with the text below it."""
    page = (ROOT / RUNBOOK).read_text("utf-8")
    _, *sections = re.split(r"^## ", page, flags=re.MULTILINE)
    return [(heading, " ".join(text.split())) for heading, _, text in (section.partition("\n") for section in sections)]
