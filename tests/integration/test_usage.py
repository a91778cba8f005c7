"""The meter behind the bill: a small month, counted on the real handlers."""

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders

from tests.bench.usage import CHANGED, IDLE, NEW, QUEUE, SENDER, UNCHANGED, Meter, month_of


@pytest.mark.slow(reason="a month of 20 customers on moto, each phase counted")
def test_a_month_of_twenty_customers_uses_what_the_design_says() -> None:
    usage = month_of(20)
    # All three days before; those not paid by then on the day, three, seven and fifteen days after.
    assert usage.reminders == 20 + 12 + 7 + 4 + 2
    sender = usage.phases[SENDER]
    assert sender.calls["sns.Publish"] == sender.calls["dynamodb.PutItem"] == usage.reminders
    # Facts and standing, each below 4 KB; the claim, its index entry moved, the record.
    assert sender.read_units == 2 * usage.reminders
    # Of the two who never pay, the last claim is above 1 KB: five texts, and what is kept to be shown.
    assert sender.write_units == (1 + 2 + 1) * usage.reminders + 2
    assert usage.record_size <= 1024
    assert usage.standing_size <= 1024
    assert usage.phases[QUEUE].calls["sqs.ReceiveMessage"] == usage.phases[QUEUE].calls["sqs.DeleteMessageBatch"]
    assert usage.loaded == {NEW: 20, CHANGED: 18, UNCHANGED: 20}
    # The list of file loads, when the load begins and when it ends, and the report of the load; of the customers
    # themselves only reads.
    assert usage.phases[UNCHANGED].write_units == 3
    assert usage.phases[UNCHANGED].read_units == 40 + 3
    assert usage.phases[IDLE].write_units == 0
    assert usage.phases[IDLE].read_units == 0.5 * 4  # an empty query a shard
    assert {"SmsAccepted", "JobsEnqueued"} <= usage.metrics


def test_a_call_nobody_has_priced_does_not_go_unnoticed() -> None:
    meter = Meter()
    request = AWSPreparedRequest(
        "POST", "https://kms.ap-northeast-1.amazonaws.com/", HTTPHeaders(), b"{}", stream_output=False
    )
    with meter.during(SENDER):
        meter.send("kms.Encrypt", request, lambda: None)
        meter.send("ssm.GetParameter", request, lambda: None)
    assert meter.unknown == {"kms.Encrypt"}
    assert meter.phases[SENDER].calls == {"kms.Encrypt": 1, "ssm.GetParameter": 1}
