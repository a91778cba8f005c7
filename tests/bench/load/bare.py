"""What the bare loop writes: items of the size of ours, made beforehand. Its customers have no wake that comes."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dunning.adapters.dynamodb.keys import wake_key
from dunning.contracts.job import job_body
from dunning.domain.customer.standing import Wake
from dunning.ports.queues import Job
from tests.bench.cpu import Bench
from tests.bench.load.portfolio import Due, id_of
from tests.bench.portfolio import NOW

if TYPE_CHECKING:
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef

_NEXT_YEAR = wake_key(Wake(NOW + timedelta(days=365), 0))


def bare_job(due: Due) -> str:
    """Write a job of the reference."""
    return job_body(Job(due.customer_id, due.wake))


class BareItems:
    """The items of `tests.bench.cpu`, in turns, with the customer's id put in."""

    def __init__(self) -> None:
        self._bench = Bench()
        self.text = self._bench.text
        self.attributes: Mapping[str, MessageAttributeValueTypeDef] = {
            "AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"},
            "AWS.SNS.SMS.MaxPrice": {"DataType": "Number", "StringValue": "0.20"},
            "AWS.SNS.SMS.SenderID": {"DataType": "String", "StringValue": "DEMOFIN"},
        }

    @staticmethod
    def number_of(body: str) -> int:
        """Return which customer a job is about."""
        return int(json.loads(body)["customer_id"][1:])

    @staticmethod
    def phone(number: int) -> str:
        """Return the customer's number."""
        return f"+8869{number:08d}"

    @staticmethod
    def keys(number: int) -> list[dict[str, Any]]:
        """Return the keys of the customer's items."""
        return [{"customer_id": {"S": id_of(number)}, "item": {"S": item}} for item in ("facts", "standing")]

    def claim(self, number: int, version: int) -> dict[str, Any]:
        """Return a standing with a claim."""
        claims = self._bench.claims
        return {
            **claims[number % len(claims)],
            "customer_id": {"S": id_of(number)},
            "version": {"N": str(version)},
            "wake_key": {"S": _NEXT_YEAR},
        }

    def contact(self, number: int) -> dict[str, Any]:
        """Return an audit record."""
        contacts = self._bench.contacts
        return {**contacts[number % len(contacts)], "customer_id": {"S": id_of(number)}}

    @staticmethod
    def event(numbers: Sequence[int]) -> "PutEventsRequestEntryTypeDef":
        """Return the event of a batch."""
        reminders = [{"customer_id": id_of(number), "filled": "x" * 180} for number in numbers]
        detail = json.dumps({"schema_version": 1, "reminders": reminders})
        return {"EventBusName": "lender", "Source": "dunning", "DetailType": "ReminderSent", "Detail": detail}
