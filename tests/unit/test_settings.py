"""Settings: what cannot be is refused when a function starts, by the name of the variable."""

import pytest

from dunning.adapters.line import LINE_API
from dunning.settings import ScannerSettings, SenderSettings
from dunning.wiring import SettingsError, read_settings

ENVIRONMENT = {
    "CUSTOMERS_TABLE": "customers",
    "QUEUE_URL": "jobs",
    "SENDING_PARAMETER": "/x/sending",
    "REPLIES_QUEUE_URL": "replies",
    "LENDER_EVENTS_QUEUE_URL": "events",
    "NEWS_FAILURES_QUEUE_URL": "failures",
}


@pytest.mark.parametrize("rate", ["inf", "-inf", "nan", "0", "-1", "1e400", "10001", "many", ""])
def test_a_rate_at_which_nothing_can_be_sent_is_refused_by_name(rate: str) -> None:
    with pytest.raises(SettingsError, match=r"^environment: SMS_PER_SECOND \("):
        read_settings(ScannerSettings, {**ENVIRONMENT, "SMS_PER_SECOND": rate})


@pytest.mark.parametrize("rate", ["0.02", "20", "200"])
def test_a_rate_that_can_be_is_taken(rate: str) -> None:
    assert read_settings(ScannerSettings, {**ENVIRONMENT, "SMS_PER_SECOND": rate}).sms_per_second == float(rate)


SENDER = {**ENVIRONMENT, "CONTACTS_TABLE": "contacts", "BUS_NAME": "bus", "DEAD_LETTER_URL": "dead"}


def test_messages_on_line_go_to_line_unless_the_environment_says_otherwise() -> None:
    assert read_settings(SenderSettings, SENDER).line_origin == LINE_API
    played = read_settings(SenderSettings, {**SENDER, "LINE_ORIGIN": "http://127.0.0.1:8080"})
    assert played.line_origin == "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "http://api.line.me",
        "http://127.0.0.1.example:80",
        "http://127.0.0.1:80@x.example",
        "https://x.example/path",
    ],
)
def test_a_token_of_line_leaves_over_tls_or_stays_on_the_machine(origin: str) -> None:
    with pytest.raises(SettingsError, match=r"^environment: LINE_ORIGIN \("):
        read_settings(SenderSettings, {**SENDER, "LINE_ORIGIN": origin})
