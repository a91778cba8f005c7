"""
What End User Messaging answers, by its own reasons: texts and calls alike.

An error class says too little: an opted-out number and a pool that is not active are both a conflict. So each reason
has a class. A test compares the tables with the enumerations of the SDK, and fails if a reason is new.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, Protocol

from botocore.exceptions import ClientError

from dunning.adapters.aws_call import error_code
from dunning.adapters.one_request import AFTER_REPAIR, SERVER_ERROR, SOON, http_status, not_taken
from dunning.contracts.json_objects import objects_in
from dunning.ports.gateways import Published, PublishOutcome

_SHORTEST_LIFE, _LONGEST_LIFE = timedelta(seconds=5), timedelta(hours=72)
_A_DAY = timedelta(hours=24)


class EumClient(Protocol):
    """The parts of the SDK's client for End User Messaging that are called."""

    def send_text_message(self, **request: Any) -> Mapping[str, Any]:  # noqa: ANN401 - as the SDK declares it
        """Send a text."""
        ...

    def send_voice_message(self, **request: Any) -> Mapping[str, Any]:  # noqa: ANN401 - as the SDK declares it
        """Call a number and speak a text."""
        ...


class ReasonClass(Enum):
    """What a reason means for a message that was refused: it was not taken, in each class."""

    OPTED_OUT = auto()
    """The person wants no messages of ours."""
    NUMBER = auto()
    """The number cannot be, if the answer names the field of the number; else a request of ours is wrong."""
    TOMORROW = auto()
    """No more to this number today."""
    OURS = auto()
    """Our account, our senders, our request: somebody has to repair something, and no number is to blame."""


CONFLICTS: Mapping[str, ReasonClass] = {
    "DESTINATION_PHONE_NUMBER_OPTED_OUT": ReasonClass.OPTED_OUT,
    **dict.fromkeys(
        (
            "CREATE_REGISTRATION_VERSION_NOT_ALLOWED", "DELETION_PROTECTION_ENABLED",
            "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION",
            "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE", "DESTINATION_PHONE_NUMBER_NOT_VERIFIED",
            "DISASSOCIATE_REGISTRATION_NOT_ALLOWED", "DISCARD_REGISTRATION_VERSION_NOT_ALLOWED",
            "EDIT_REGISTRATION_FIELD_VALUES_NOT_ALLOWED", "EVENT_DESTINATION_MISMATCH", "KEYWORD_MISMATCH",
            "LAST_PHONE_NUMBER", "MESSAGE_TYPE_MISMATCH", "NOTIFY_CONFIGURATION_NOT_ACTIVE",
            "NO_ORIGINATION_IDENTITIES_FOUND", "NUMBER_CAPABILITIES_MISMATCH", "OPT_OUT_LIST_MISMATCH",
            "PHONE_NUMBER_ASSOCIATED_TO_POOL", "PHONE_NUMBER_ASSOCIATED_TO_REGISTRATION",
            "PHONE_NUMBER_NOT_ASSOCIATED_TO_POOL", "PHONE_NUMBER_NOT_IN_REGISTRATION_REGION",
            "POOL_ASSOCIATED_TO_NOTIFY_CONFIGURATION", "PROTECT_CONFIGURATION_ASSOCIATED_WITH_CONFIGURATION_SET",
            "PROTECT_CONFIGURATION_IS_ACCOUNT_DEFAULT", "PROTECT_CONFIGURATION_NOT_ASSOCIATED_WITH_CONFIGURATION_SET",
            "RCS_AGENT_ALREADY_ASSOCIATED_TO_REGISTRATION_TYPE", "RCS_AGENT_ASSOCIATED_TO_POOL",
            "REGISTRATION_ALREADY_SUBMITTED", "REGISTRATION_NOT_COMPLETE", "RESOURCE_ALREADY_ASSOCIATED",
            "RESOURCE_ALREADY_EXISTS", "RESOURCE_DELETION_NOT_ALLOWED", "RESOURCE_MODIFICATION_NOT_ALLOWED",
            "RESOURCE_NOT_ACTIVE", "RESOURCE_NOT_EMPTY", "SELF_MANAGED_OPT_OUTS_MISMATCH",
            "SENDER_ID_ASSOCIATED_TO_POOL", "SUBMIT_REGISTRATION_VERSION_NOT_ALLOWED", "TWO_WAY_CONFIG_MISMATCH",
            "VERIFICATION_ALREADY_COMPLETE", "VERIFICATION_CODE_EXPIRED",
        ),
        ReasonClass.OURS,
    ),
}  # fmt: skip

VALIDATIONS: Mapping[str, ReasonClass] = {
    **dict.fromkeys(("CANNOT_PARSE", "FIELD_VALIDATION_FAILED", "INVALID_PARAMETER"), ReasonClass.NUMBER),
    **dict.fromkeys(
        (
            "ATTACHMENT_TYPE_NOT_SUPPORTED", "CANNOT_ADD_OPTED_OUT_NUMBER", "CHANNEL_NOT_ENABLED",
            "COUNTRY_CODE_MISMATCH", "COUNTRY_NOT_ENABLED", "DESTINATION_COUNTRY_BLOCKED",
            "INTERNATIONAL_SENDING_NOT_SUPPORTED", "INVALID_ARN", "INVALID_FILTER_VALUES",
            "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY", "INVALID_NEXT_TOKEN", "INVALID_REGISTRATION_ASSOCIATION",
            "INVALID_REQUEST", "MAXIMUM_SIZE_EXCEEDED", "MEDIA_TYPE_NOT_SUPPORTED", "MISSING_PARAMETER", "OTHER",
            "PARAMETERS_CANNOT_BE_USED_TOGETHER", "PHONE_NUMBER_CANNOT_BE_OPTED_IN",
            "PHONE_NUMBER_CANNOT_BE_RELEASED", "PRICE_OVER_THRESHOLD", "REGISTRATION_FIELD_CANNOT_BE_DELETED",
            "REQUESTED_SPEND_LIMIT_HIGHER_THAN_SERVICE_LIMIT", "RESOURCE_NOT_ACCESSIBLE", "SENDER_ID_NOT_REGISTERED",
            "SENDER_ID_NOT_SUPPORTED", "SENDER_ID_REQUIRES_REGISTRATION", "TWO_WAY_CHANNEL_NOT_PRESENT",
            "TWO_WAY_NOT_ENABLED", "TWO_WAY_NOT_SUPPORTED_IN_COUNTRY", "TWO_WAY_NOT_SUPPORTED_IN_REGION",
            "TWO_WAY_TOPIC_NOT_PRESENT", "UNKNOWN_OPERATION", "UNKNOWN_REGISTRATION_FIELD",
            "UNKNOWN_REGISTRATION_SECTION", "UNKNOWN_REGISTRATION_TYPE", "UNKNOWN_REGISTRATION_VERSION",
            "UNSPECIFIED_PARAMETER_NOT_SUPPORTED", "VERIFICATION_CODE_MISMATCH", "VOICE_CAPABILITY_NOT_AVAILABLE",
        ),
        ReasonClass.OURS,
    ),
}  # fmt: skip

QUOTAS: Mapping[str, ReasonClass] = {
    "DAILY_DESTINATION_CALL_LIMIT": ReasonClass.TOMORROW,
    **dict.fromkeys(
        (
            "ASSOCIATIONS_PER_REGISTRATION", "CONFIGURATION_SETS_PER_ACCOUNT", "DAILY_NOTIFY_TIER_MESSAGE_LIMIT",
            "EVENT_DESTINATIONS_PER_CONFIGURATION_SET", "KEYWORDS_PER_PHONE_NUMBER", "KEYWORDS_PER_POOL",
            "MONTHLY_SPEND_LIMIT_REACHED_FOR_MEDIA", "MONTHLY_SPEND_LIMIT_REACHED_FOR_NOTIFY",
            "MONTHLY_SPEND_LIMIT_REACHED_FOR_RCS", "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT",
            "MONTHLY_SPEND_LIMIT_REACHED_FOR_VOICE", "NOTIFY_CONFIGURATIONS_PER_ACCOUNT", "OPT_OUT_LISTS_PER_ACCOUNT",
            "ORIGINATION_IDENTITIES_PER_POOL", "PHONE_NUMBERS_PER_ACCOUNT", "PHONE_NUMBERS_PER_REGISTRATION",
            "POOLS_PER_ACCOUNT", "PROTECT_CONFIGURATIONS_PER_ACCOUNT", "RCS_AGENTS_PER_ACCOUNT",
            "REGISTRATIONS_PER_ACCOUNT", "REGISTRATION_ATTACHMENTS_CREATED_PER_DAY",
            "REGISTRATION_ATTACHMENTS_PER_ACCOUNT", "REGISTRATION_VERSIONS_CREATED_PER_DAY", "SENDER_IDS_PER_ACCOUNT",
            "TAGS_PER_RESOURCE", "VERIFICATION_ATTEMPTS_PER_DAY", "VERIFIED_DESTINATION_NUMBERS_PER_ACCOUNT",
        ),
        ReasonClass.OURS,
    ),
}  # fmt: skip

ACCESS: Mapping[str, ReasonClass] = {
    "ACCOUNT_DISABLED": ReasonClass.OURS,
    "INSUFFICIENT_ACCOUNT_REPUTATION": ReasonClass.OURS,
}

REASONS: Mapping[str, Mapping[str, ReasonClass]] = {
    "AccessDeniedException": ACCESS,
    "ConflictException": CONFLICTS,
    "ServiceQuotaExceededException": QUOTAS,
    "ValidationException": VALIDATIONS,
}
"""The reasons of each error class that has some."""

_BUSY = "ThrottlingException"
_NUMBER_FIELD = "DestinationPhoneNumber"


def eum_refusal(error: ClientError) -> Published:
    """
    Class an error answer by its reason.

    Whatever 4xx has no known reason is our own fault: the message was not taken, and no number is blamed. A 5xx may
    have sent the message.
    """
    exception = error_code(error)
    if http_status(error) >= SERVER_ERROR or not http_status(error):
        return Published(PublishOutcome.UNKNOWN, code=exception)
    if exception == _BUSY:
        return not_taken(exception, SOON)
    reason = str(error.response.get("Reason", ""))
    known = REASONS.get(exception, {}).get(reason)
    # A reason that is not in the tables is not quoted: nobody has read what it may say.
    code = f"{exception}.{reason}" if known else exception
    match known:
        case ReasonClass.OPTED_OUT:
            return Published(PublishOutcome.REFUSED_FOR_GOOD, code=code, opted_out=True)
        case ReasonClass.NUMBER if _NUMBER_FIELD in _named_fields(error):
            return Published(PublishOutcome.REFUSED_FOR_GOOD, code=code)
        case ReasonClass.TOMORROW:
            return not_taken(code, _A_DAY)
        case _:
            return not_taken(code, AFTER_REPAIR)


def _named_fields(error: ClientError) -> set[str]:
    return {str(field.get("Name")) for field in objects_in(error.response.get("Fields"))}


def seconds_to_live(lapses_at: datetime, now: datetime) -> int:
    """Return the seconds until a message lapses, within what the service takes: 5 seconds to 72 hours."""
    return int(max(_SHORTEST_LIFE, min(lapses_at - now, _LONGEST_LIFE)).total_seconds())


def eum_price(dollars: str) -> str:
    """Return a price as the service wants it: with a point, and a digit behind it."""
    return dollars if "." in dollars else f"{dollars}.0"
