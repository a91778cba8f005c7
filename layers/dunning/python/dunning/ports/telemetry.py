"""Telemetry: log lines and metrics, ids only. All their names are in this module, and nowhere else."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from dunning.domain.decision.decisions import Decision
from dunning.domain.delivery.channels import Channel
from dunning.domain.replies.intents import ReplyIntent
from dunning.ports.gateways import PublishOutcome


class LogEvent(StrEnum):
    """The events that are logged, one line each."""

    CARRIER_OPT_IN = "carrier_opt_in"
    CARRIER_OPT_OUT = "carrier_opt_out"
    CARRIER_OPT_OUT_NOT_WRITTEN = "carrier_opt_out_not_written"
    CENSUS_TAKEN = "census_taken"
    CHANGE_NOT_COUNTED = "change_not_counted"
    CHANNEL_EVENT_FAILED = "channel_event_failed"
    CHANNEL_EVENT_NOT_PARKED = "channel_event_not_parked"
    CHANNEL_EVENT_PARKED = "channel_event_parked"
    CHANNEL_EVENTS_UNREADABLE = "channel_events_unreadable"
    CHANNEL_WISH = "channel_wish"
    CLAIM_NOT_RELEASED = "claim_not_released"
    CUSTOMER_ERASED = "customer_erased"
    DEAD_LETTERS_ERASED = "dead_letters_erased"
    DEAD_LETTERS_NOT_ERASED = "dead_letters_not_erased"
    DECISION = "decision"
    DRAWS_ERASED = "draws_erased"
    ERASURE_FAILED = "erasure_failed"
    EVENT_NOT_PARKED = "event_not_parked"
    EVENT_PARKED = "event_parked"
    FILE_PART_FAILED = "file_part_failed"
    FILE_PART_LOADED = "file_part_loaded"
    FILE_SPLIT = "file_split"
    HOLD_NOT_UNDERSTOOD = "hold_not_understood"
    INTAKE_FINISHED = "intake_finished"
    INTAKE_PROGRESS = "intake_progress"
    INTAKE_REFUSED = "intake_refused"
    JOB_FAILED = "job_failed"
    JOB_NOT_PARKED = "job_not_parked"
    JOB_PARKED = "job_parked"
    LARGER_READER_NO_ANSWER = "larger_reader_no_answer"
    LABEL_OF_UNKNOWN_REPLY = "label_of_unknown_reply"
    LENDER_EVENT = "lender_event"
    LENDER_EVENT_FAILED = "lender_event_failed"
    LENDER_EVENT_OF_UNKNOWN_ACCOUNT = "lender_event_of_unknown_account"
    LENDER_EVENT_OF_UNKNOWN_CUSTOMER = "lender_event_of_unknown_customer"
    NEWS_FAILURE_NOT_NOTED = "news_failure_not_noted"
    NEWS_HELD_UP = "news_held_up"
    NOT_QUARANTINED = "not_quarantined"
    OPT_IN_FAILED = "opt_in_failed"
    OPT_OUT_CONFIRMED = "opt_out_confirmed"
    OPT_OUT_NOT_CONFIRMED = "opt_out_not_confirmed"
    OPT_OUT_NOT_SYNCED = "opt_out_not_synced"
    OUTBOUND_EVENT_LOST = "outbound_event_lost"
    PHONES_NOT_KNOWN = "phones_not_known"
    RECEIPT = "receipt"
    RECEIPT_NOT_FOLLOWED = "receipt_not_followed"
    RECEIPT_UNREADABLE = "receipt_unreadable"
    RECEIPT_WITHOUT_CONTACT = "receipt_without_contact"
    RECEIPTS_FAILED = "receipts_failed"
    RECEIPTS_UNREADABLE = "receipts_unreadable"
    RECORD_NOT_WRITTEN = "record_not_written"
    RECORDS_NOT_WRITTEN = "records_not_written"
    REPLAN_FAILED = "replan_failed"
    REPLAN_STARTED = "replan_started"
    REPLANNED = "replanned"
    REPLY = "reply"
    REPLY_FAILED = "reply_failed"
    REPLY_LABELLED = "reply_labelled"
    REPLY_NOT_PARKED = "reply_not_parked"
    REPLY_PARKED = "reply_parked"
    SMS_UNKNOWN = "sms_unknown"
    SWITCH_UNREADABLE = "switch_unreadable"
    TICK = "tick"
    TICK_SKIPPED = "tick_skipped"
    TRIAL_CONTROL_UNREADABLE = "trial_control_unreadable"
    TRIAL_NIGHT = "trial_night"
    TRIAL_NIGHT_FAILED = "trial_night_failed"
    TRIAL_NIGHT_UNFINISHED = "trial_night_unfinished"
    TRIAL_SIGN = "trial_sign"
    UNEXPECTED = "unexpected"
    UPLOADS_ERASED = "uploads_erased"
    WEBHOOK_FAILED = "webhook_failed"
    WEBHOOK_REFUSED = "webhook_refused"


class Metric(StrEnum):
    """
    The metrics, in the namespace `Dunning`.

    The last group counts decisions, one metric for each kind and reason that `decide` can give.
    """

    ADDRESSES_SUSPENDED = "AddressesSuspended"
    CALENDAR_DAYS_LEFT = "CalendarDaysLeft"
    CARRIER_OPT_INS = "CarrierOptIns"
    CARRIER_OPT_INS_FAILED = "CarrierOptInsFailed"
    CARRIER_OPT_INS_REFUSED = "CarrierOptInsRefused"
    CARRIER_OPT_OUTS = "CarrierOptOuts"
    CARRIER_OPT_OUTS_FAILED = "CarrierOptOutsFailed"
    CHANNEL_EVENTS_FAILED = "ChannelEventsFailed"
    CHANNEL_EVENTS_UNREADABLE = "ChannelEventsUnreadable"
    CHANGES_NOT_COUNTED = "ChangesNotCounted"
    CUSTOMERS_ERASED = "CustomersErased"
    CUSTOMERS_LOADED = "CustomersLoaded"
    CUSTOMERS_QUARANTINED = "CustomersQuarantined"
    CUSTOMERS_REPLANNED = "CustomersReplanned"
    ERASED_CUSTOMERS_REFUSED = "ErasedCustomersRefused"
    CUSTOMERS_NOT_IN_LIST = "CustomersNotInList"
    EVENTS_REFUSED = "EventsRefused"
    FILE_PARTS_FAILED = "FilePartsFailed"
    FILES_MOSTLY_REFUSED = "FilesMostlyRefused"
    FILES_REFUSED = "FilesRefused"
    HOLDS_NOT_UNDERSTOOD = "HoldsNotUnderstood"
    JOBS_ENQUEUED = "JobsEnqueued"
    JOBS_FAILED = "JobsFailed"
    JOBS_OUT_OF_TIME = "JobsOutOfTime"
    JOBS_PARKED = "JobsParked"
    LARGER_READER_ASKED = "LargerReaderAsked"
    LARGER_READER_INPUT_TOKENS = "LargerReaderInputTokens"
    LARGER_READER_NO_ANSWER = "LargerReaderNoAnswer"
    LARGER_READER_OUTPUT_TOKENS = "LargerReaderOutputTokens"
    LABELS_OF_UNKNOWN_REPLY = "LabelsOfUnknownReply"
    LENDER_EVENTS_FAILED = "LenderEventsFailed"
    LENDER_EVENTS_OF_UNKNOWN_ACCOUNT = "LenderEventsOfUnknownAccount"
    LENDER_EVENTS_OF_UNKNOWN_CUSTOMER = "LenderEventsOfUnknownCustomer"
    LENDER_EVENTS_RECORDED = "LenderEventsRecorded"
    MESSAGES_ACCEPTED = "MessagesAccepted"
    MESSAGES_DELIVERED = "MessagesDelivered"
    MESSAGES_FAILED = "MessagesFailed"
    MESSAGES_FAILED_UNCLASSIFIED = "MessagesFailedUnclassified"
    MESSAGES_REFUSED_FOR_GOOD = "MessagesRefusedForGood"
    MESSAGES_REFUSED_FOR_NOW = "MessagesRefusedForNow"
    MESSAGES_TECHNICAL_FAILURE = "MessagesTechnicalFailure"
    MESSAGES_UNCONFIRMED = "MessagesUnconfirmed"
    MESSAGES_UNKNOWN = "MessagesUnknown"
    NEWS_HELD_UP = "NewsHeldUp"
    NUMBERS_SUSPENDED = "NumbersSuspended"
    OPT_OUTS = "OptOuts"
    OPT_OUTS_NOT_SYNCED = "OptOutsNotSynced"
    OUTBOUND_EVENTS_LOST = "OutboundEventsLost"
    PHONES_SHARED = "PhonesShared"
    QUEUE_DEPTH = "QueueDepth"
    RECEIPTS_UNREADABLE = "ReceiptsUnreadable"
    RECEIPTS_WITHOUT_CONTACT = "ReceiptsWithoutContact"
    RECORDS_NOT_WRITTEN = "RecordsNotWritten"
    REPLAN_FAILED = "ReplanFailed"
    REPLIES = "Replies"
    REPLIES_FAILED = "RepliesFailed"
    REPLIES_FROM_NOBODY = "RepliesFromNobody"
    REPLIES_IN_DOUBT = "RepliesInDoubt"
    REPLIES_LABELLED = "RepliesLabelled"
    REPLIES_LIKELY = "RepliesLikely"
    REPLIES_NOT_UNDERSTOOD = "RepliesNotUnderstood"
    REPLIES_OUT_OF_TIME = "RepliesOutOfTime"
    REPLIES_SURE = "RepliesSure"
    REPLIES_UNREADABLE = "RepliesUnreadable"
    REPLY_ACKNOWLEDGED = "ReplyAcknowledged"
    REPLY_AUTO_REPLY = "ReplyAutoReply"
    REPLY_CHAT = "ReplyChat"
    REPLY_COMPLAINT = "ReplyComplaint"
    REPLY_DECEASED = "ReplyDeceased"
    REPLY_DISPUTE = "ReplyDispute"
    REPLY_DISTRESS = "ReplyDistress"
    REPLY_HARDSHIP = "ReplyHardship"
    REPLY_QUESTION = "ReplyQuestion"
    REPLY_OPT_IN = "ReplyOptIn"
    REPLY_OPT_OUT = "ReplyOptOut"
    REPLY_PAID = "ReplyPaid"
    REPLY_PROMISE = "ReplyPromise"
    REPLY_REFUSAL = "ReplyRefusal"
    REPLY_REPRESENTED = "ReplyRepresented"
    REPLY_SUSPICION = "ReplySuspicion"
    REPLY_WRONG_PERSON = "ReplyWrongPerson"
    REVEALS = "Reveals"
    REVEALS_REFUSED = "RevealsRefused"
    ROWS_REFUSED = "RowsRefused"
    SEGMENTS_BILLED = "SegmentsBilled"
    SEGMENTS_ESTIMATED = "SegmentsEstimated"
    SEGMENTS_UNEXPECTED = "SegmentsUnexpected"
    SMS_ACCEPTED = "SmsAccepted"
    SMS_DELIVERED = "SmsDelivered"
    SMS_FAILED = "SmsFailed"
    SMS_FAILED_UNCLASSIFIED = "SmsFailedUnclassified"
    SMS_REFUSED_FOR_GOOD = "SmsRefusedForGood"
    SMS_REFUSED_FOR_NOW = "SmsRefusedForNow"
    SMS_TECHNICAL_FAILURE = "SmsTechnicalFailure"
    SMS_UNCONFIRMED = "SmsUnconfirmed"
    SMS_UNKNOWN = "SmsUnknown"
    SWITCH_UNREADABLE = "SwitchUnreadable"
    TICKS = "Ticks"
    TRIAL_CONTROL_UNREADABLE = "TrialControlUnreadable"
    TRIAL_LEAKS = "TrialLeaks"
    TRIAL_NIGHTS = "TrialNights"
    TRIAL_SIGNS = "TrialSigns"
    WAKES_MOVED = "WakesMoved"
    WEBHOOKS_FAILED = "WebhooksFailed"
    WEBHOOKS_REFUSED = "WebhooksRefused"

    SEND_DUE = "SendDue"
    SEND_HELD_OUT = "SendHeldOut"
    WAIT_SENDING_OFF = "WaitSendingOff"
    WAIT_ON_HOLD = "WaitOnHold"
    WAIT_NEXT_STAGE = "WaitNextStage"
    WAIT_QUIET_HOURS = "WaitQuietHours"
    WAIT_CLOSED_DAY = "WaitClosedDay"
    WAIT_PERSON_CAP = "WaitPersonCap"
    WAIT_ACCOUNT_CAP = "WaitAccountCap"
    WAIT_CHANNEL_SHUT = "WaitChannelShut"
    WAIT_NO_WRITTEN_NOTICE = "WaitNoWrittenNotice"
    STOP_NOTHING_OPEN = "StopNothingOpen"
    STOP_OPTED_OUT = "StopOptedOut"
    STOP_NO_CONSENT = "StopNoConsent"
    STOP_NOT_IN_LIST = "StopNotInList"
    STOP_NUMBER_REFUSED = "StopNumberRefused"
    STOP_SHARED_PHONE = "StopSharedPhone"
    STOP_NO_CHANNEL = "StopNoChannel"
    STOP_DECEASED = "StopDeceased"
    STOP_BANKRUPT = "StopBankrupt"
    STOP_REPRESENTED = "StopRepresented"
    STOP_WRONG_PERSON = "StopWrongPerson"
    STOP_CEASED = "StopCeased"
    STOP_LADDER_FINISHED = "StopLadderFinished"
    STOP_UNANSWERED = "StopUnanswered"
    STOP_UNKNOWN_LENDER = "StopUnknownLender"
    STOP_UNKNOWN_JURISDICTION = "StopUnknownJurisdiction"
    STOP_COUNTRY_NOT_ALLOWED = "StopCountryNotAllowed"
    STOP_STORED_ELSEWHERE = "StopStoredElsewhere"
    STOP_UNKNOWN_TIME_ZONE = "StopUnknownTimeZone"
    STOP_UNKNOWN_CURRENCY = "StopUnknownCurrency"
    STOP_CALENDAR_NOT_COVERED = "StopCalendarNotCovered"
    STOP_NO_LAWFUL_MOMENT = "StopNoLawfulMoment"
    STOP_NO_TEXT = "StopNoText"
    STOP_TEXT_REFUSED = "StopTextRefused"
    STOP_TEXT_TOO_LONG = "StopTextTooLong"
    STOP_TEMPLATE_NOT_REGISTERED = "StopTemplateNotRegistered"
    STOP_UNREADABLE_RECORD = "StopUnreadableRecord"
    STOP_ON_HOLD = "StopOnHold"
    STOP_NO_WRITTEN_NOTICE = "StopNoWrittenNotice"


class MessageMetrics(NamedTuple):
    """The metrics that count the messages of a channel by what became of them."""

    accepted: Metric
    refused_for_good: Metric
    refused_for_now: Metric
    unknown: Metric
    delivered: Metric
    failed: Metric
    failed_unclassified: Metric
    technical_failure: Metric
    unconfirmed: Metric


_TEXTS = MessageMetrics(
    accepted=Metric.SMS_ACCEPTED,
    refused_for_good=Metric.SMS_REFUSED_FOR_GOOD,
    refused_for_now=Metric.SMS_REFUSED_FOR_NOW,
    unknown=Metric.SMS_UNKNOWN,
    delivered=Metric.SMS_DELIVERED,
    failed=Metric.SMS_FAILED,
    failed_unclassified=Metric.SMS_FAILED_UNCLASSIFIED,
    technical_failure=Metric.SMS_TECHNICAL_FAILURE,
    unconfirmed=Metric.SMS_UNCONFIRMED,
)
_OTHER_MESSAGES = MessageMetrics(
    accepted=Metric.MESSAGES_ACCEPTED,
    refused_for_good=Metric.MESSAGES_REFUSED_FOR_GOOD,
    refused_for_now=Metric.MESSAGES_REFUSED_FOR_NOW,
    unknown=Metric.MESSAGES_UNKNOWN,
    delivered=Metric.MESSAGES_DELIVERED,
    failed=Metric.MESSAGES_FAILED,
    failed_unclassified=Metric.MESSAGES_FAILED_UNCLASSIFIED,
    technical_failure=Metric.MESSAGES_TECHNICAL_FAILURE,
    unconfirmed=Metric.MESSAGES_UNCONFIRMED,
)

_METRIC_OF_INTENT = {
    ReplyIntent.OPT_OUT: Metric.REPLY_OPT_OUT,
    ReplyIntent.OPT_IN: Metric.REPLY_OPT_IN,
    ReplyIntent.PAID: Metric.REPLY_PAID,
    ReplyIntent.PROMISE: Metric.REPLY_PROMISE,
    ReplyIntent.HARDSHIP: Metric.REPLY_HARDSHIP,
    ReplyIntent.DISPUTE: Metric.REPLY_DISPUTE,
    ReplyIntent.REFUSAL: Metric.REPLY_REFUSAL,
    ReplyIntent.WRONG_PERSON: Metric.REPLY_WRONG_PERSON,
    ReplyIntent.DECEASED: Metric.REPLY_DECEASED,
    ReplyIntent.REPRESENTED: Metric.REPLY_REPRESENTED,
    ReplyIntent.COMPLAINT: Metric.REPLY_COMPLAINT,
    ReplyIntent.DISTRESS: Metric.REPLY_DISTRESS,
    ReplyIntent.SUSPICION: Metric.REPLY_SUSPICION,
    ReplyIntent.QUESTION: Metric.REPLY_QUESTION,
    ReplyIntent.ACKNOWLEDGED: Metric.REPLY_ACKNOWLEDGED,
    ReplyIntent.AUTO_REPLY: Metric.REPLY_AUTO_REPLY,
    ReplyIntent.CHAT: Metric.REPLY_CHAT,
}


def message_metrics(channel: Channel) -> MessageMetrics:
    """Return the metrics of a channel: texts have their own, and all other channels share theirs."""
    return _TEXTS if channel is Channel.SMS else _OTHER_MESSAGES


def metric_of_outcome(outcome: PublishOutcome, channel: Channel = Channel.SMS) -> Metric:
    """Return the metric that counts an answer to a publish on a channel."""
    metrics = message_metrics(channel)
    match outcome:
        case PublishOutcome.ACCEPTED:
            return metrics.accepted
        case PublishOutcome.REFUSED_FOR_GOOD:
            return metrics.refused_for_good
        case PublishOutcome.REFUSED_FOR_NOW:
            return metrics.refused_for_now
        case PublishOutcome.UNKNOWN:
            return metrics.unknown


def metric_of_intent(intent: ReplyIntent) -> Metric:
    """Return the metric that counts replies with an intent."""
    return _METRIC_OF_INTENT[intent]


def metric_of_decision(decision: Decision) -> Metric:
    """
    Return the metric that counts decisions of a kind and reason.

    Raises:
        ValueError: `decide` does not give this reason with this kind.
    """
    return Metric(f"{decision.kind}_{decision.reason.value}".title().replace("_", ""))


class Telemetry(Protocol):
    """Where decisions and events are logged and counted."""

    def log_decision(
        self, customer_id: str, decision: Decision, at: datetime, *, recorded: bool = False, **outcome: str
    ) -> None:
        """
        Log and count one decision.

        Its trace is logged unless an audit record holds it (`recorded`). `outcome` holds the outcome of a publish.
        """
        ...

    def log_event(self, event: LogEvent, **fields: str | float | None) -> None:
        """Log an event, with ids and counts."""
        ...

    def count(self, metric: Metric, value: float = 1) -> None:
        """Add to a metric."""
        ...

    def gauge(self, metric: Metric, value: float) -> None:
        """Set a metric to a value."""
        ...
