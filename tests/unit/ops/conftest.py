"""A deployed stack, as its tools see it: outputs and parameters of CloudFormation, tables, an account's SNS."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import boto3
import pytest

from dunning.adapters.dynamodb.contact_table import DynamoContacts
from dunning.adapters.dynamodb.customer_table import DynamoCustomers
from dunning.domain.delivery.contact import Contact, ContactState
from ops.sms_settings import ROLE_OUTPUT
from tests.local.cloud import LocalCloud
from tests.support.builders import store_facts
from tests.support.people import NOW, someone, waking

STACK = "dunning-test"
LOOKS = f"/{STACK}/looks"
ROLE = "arn:aws:iam::123456789012:role/dunning-test-SmsDelivery"


@dataclass
class Deployed:
    """The stack with two customers in it, each of whom has been sent two texts."""

    cloud: LocalCloud
    customers: DynamoCustomers
    contacts: DynamoContacts

    @property
    def table(self) -> str:
        """The table of customers."""
        return self.cloud.stack.customers_table

    def items(self, table: str, customer_id: str) -> list[Any]:
        """Return what is stored of a customer."""
        return [item for item in self.cloud.items(table) if item["customer_id"]["S"] == customer_id]

    def text(self, customer_id: str, number: int) -> None:
        """Leave the record of a text."""
        self.contacts.write(
            [
                Contact(
                    customer_id=customer_id,
                    send_id=f"s{number}",
                    claim_id="c",
                    at=NOW - timedelta(days=7) + timedelta(minutes=number),
                    state=ContactState.SENT,
                    stage=0,
                    account_ids=("A1",),
                    channel="sms",
                    expires_at=NOW + timedelta(days=1827),
                    phone="+886900000001",
                    text="【示範分期】王*明您好",
                    parts=1,
                    price_usd_micros=41_700,
                )
            ]
        )


@pytest.fixture
def stack() -> Iterator[Deployed]:
    with LocalCloud(NOW) as cloud:
        shown = {
            "CustomersTable": cloud.stack.customers_table,
            "ContactsTable": cloud.stack.contacts_table,
            "TallyTable": cloud.stack.tally_table,
            "UploadsBucket": cloud.stack.uploads_bucket,
            "LenderBus": cloud.stack.bus_name,
            "LenderEventsQueue": cloud.queue_urls["lender_events"],
            "LooksLogs": LOOKS,
            ROLE_OUTPUT: ROLE,
        }
        boto3.client("cloudformation").create_stack(
            StackName=STACK,
            TemplateBody=json.dumps(
                {
                    "Parameters": {"DueShards": {"Type": "Number", "Default": 4}},
                    "Resources": {"Handle": {"Type": "AWS::SQS::Queue"}},
                    "Outputs": {name: {"Value": value} for name, value in shown.items()},
                }
            ),
            Parameters=[{"ParameterKey": "DueShards", "ParameterValue": "4"}],
        )
        dynamodb = boto3.client("dynamodb")
        deployed = Deployed(
            cloud,
            DynamoCustomers(dynamodb, cloud.stack.customers_table, 4),
            DynamoContacts(dynamodb, cloud.stack.contacts_table),
        )
        for number in (1, 2):
            store_facts(deployed.customers, someone(number))
            deployed.customers.save_standing(waking(someone(number)), expected_version=0)
            for text in (1, 2):
                deployed.text(f"C{number:04d}", text)
        # The tools make a session of their own: it must not find another region.
        with patch.dict("os.environ", {"AWS_DEFAULT_REGION": cloud.stack.region}):
            yield deployed
