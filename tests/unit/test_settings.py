"""Settings: what cannot be is refused when a function starts, by the name of the variable."""

import pytest

from dunning.settings import ScannerSettings
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
