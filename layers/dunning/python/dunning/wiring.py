"""
Composition root: builds each function's service from the environment, once, and keeps it.

Clients are made here, never at import. A function's own modules are imported when its service is built, so that no
function imports the modules of another at its cold start. `use` replaces the clock and adds a second telemetry, for the
local run.
"""

from __future__ import annotations

from dunning import cold_start  # before all else: see there

# isort: split
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import cache, wraps
from typing import TYPE_CHECKING

from aws_lambda_powertools import Metrics
from botocore.config import Config
from pydantic import ValidationError

from dunning import compiled_policies
from dunning.adapters.client import LEAN, new_session
from dunning.adapters.dynamodb.customer_table import DynamoCustomers
from dunning.adapters.fan_out_telemetry import FanOutTelemetry
from dunning.adapters.one_request import PUBLISH_ONCE
from dunning.adapters.powertools_telemetry import PowertoolsTelemetry, lean_logger
from dunning.adapters.sns import SnsGateway
from dunning.adapters.sqs import SqsDeadLetters, SqsNews, SqsNewsFailures, SqsQueue
from dunning.adapters.ssm import SsmSwitch
from dunning.adapters.system_clock import SystemClock
from dunning.domain.errors import DunningError, error_location
from dunning.ports.clock import Clock
from dunning.ports.telemetry import LogEvent, Telemetry
from dunning.services.news_first import NewsFirstSwitch
from dunning.settings import (
    ConsoleSettings,
    DeliveryReceiptsSettings,
    EffectSettings,
    HousekeepingSettings,
    IntakeSettings,
    LenderEventsSettings,
    ReplanSettings,
    RepliesSettings,
    ScannerSettings,
    SenderSettings,
    SendingSettings,
    Settings,
    TallySettings,
    WebhookSettings,
)

if TYPE_CHECKING:
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    import boto3
    from mypy_boto3_dynamodb import DynamoDBClient

    from dunning.adapters.bedrock import ConverseClient
    from dunning.adapters.dynamodb.contact_table import DynamoContacts
    from dunning.adapters.eventbridge import EventBridgePublisher
    from dunning.adapters.ssm_secrets import SsmSecrets
    from dunning.console.door import Console
    from dunning.console.visits import ActServices
    from dunning.domain.effect.trials import Trial
    from dunning.policy import PolicyBook
    from dunning.ports.case_book import CaseErasure
    from dunning.ports.gateways import Gateway, OptOutList, ReplyReader
    from dunning.ports.sessions import Role
    from dunning.ports.trial_books import TrialResults
    from dunning.services.carrier_opt_outs import OptOutService
    from dunning.services.close_unknown import CloseUnknownService
    from dunning.services.console.audited import AuditService
    from dunning.services.console.customer_view import CustomerService
    from dunning.services.console.file_history import FilesService
    from dunning.services.console.rates_read import RatesService
    from dunning.services.console.rules_read import RulesService
    from dunning.services.console.trials_read import LenderTrial, TrialsService
    from dunning.services.console.what_ifs_read import WhatIfsService
    from dunning.services.delivery_receipts import DeliveryReceiptService
    from dunning.services.intake import IntakeService
    from dunning.services.intake.split_load import SplitLoadService
    from dunning.services.lender_events import LenderEventService
    from dunning.services.replan import ReplanService
    from dunning.services.replies import ReplyService
    from dunning.services.scan import ScanService
    from dunning.services.seal_days import SealService
    from dunning.services.send.claims import PricedPolicies
    from dunning.services.send.gateways_by_name import GatewaysByName
    from dunning.services.send.messages import UnsubscribeUrl
    from dunning.services.send.sender import SendService
    from dunning.services.settle_trials import TrialNightService
    from dunning.services.take_census import CensusService
    from dunning.services.take_channel_events import ChannelEventService
    from dunning.services.tally import TallyService
    from dunning.services.webhooks import WebhookService

_PATIENT = LEAN.merge(Config(retries={"total_max_attempts": 4, "mode": "standard"}))
"""For calls that are safe to repeat: all calls but a publish."""


class SettingsError(DunningError):
    """The environment lacks a variable, or has a variable with a wrong value."""


_cache_clears: list[Callable[[], None]] = []


def _kept[T](build: Callable[[], T]) -> Callable[[], T]:
    """Build a function's service once and keep it. The first service ends the cold start."""

    @cache
    @wraps(build)
    def built() -> T:
        service = build()
        cold_start.is_over()
        return service

    _cache_clears.append(built.cache_clear)
    return built


class _Environment:
    clock: Clock = SystemClock()
    second_telemetry: Telemetry | None = None


def use(*, clock: Clock | None = None, second_telemetry: Telemetry | None = None) -> None:
    """Replace clock and second telemetry, and drop all services. Without arguments, restore the defaults."""
    _Environment.clock = clock or SystemClock()
    _Environment.second_telemetry = second_telemetry
    telemetry.cache_clear()
    for clear in _cache_clears:
        clear()


def read_settings[S: Settings](model: type[S], environment: Mapping[str, str]) -> S:
    """
    Read a function's settings from its environment.

    Raises:
        SettingsError: variables are missing or wrong; the message names them.
    """
    values = {name.lower(): environment[name] for name in model.names() if name in environment}
    try:
        return model.model_validate(values)
    except ValidationError as error:
        wrong = ", ".join(f"{str(e['loc'][0]).upper()} ({e['msg']})" for e in error.errors())
        raise SettingsError(f"environment: {wrong}") from None


def now() -> datetime:
    """Return the time of the clock that all services use."""
    return _Environment.clock.now()


@cache
def policy_book() -> PolicyBook:
    """Return all policies, for data that are stored in this function's Region. They are loaded once."""
    return compiled_policies.policies().stored_in(os.environ.get("AWS_REGION", ""))


@cache
def telemetry() -> FanOutTelemetry:
    """Build the telemetry of this function."""
    return FanOutTelemetry(PowertoolsTelemetry(lean_logger(), Metrics()), _Environment.second_telemetry)


def _new_id() -> str:
    return uuid.uuid4().hex


def _customers(dynamodb: DynamoDBClient, settings: Settings) -> DynamoCustomers:
    return DynamoCustomers(dynamodb, settings.customers_table, settings.due_shards)


# What not every function has is imported where it is built: no cold start waits for what it does not need.


def _policies_to_decide_by(dynamodb: DynamoDBClient, tally_table: str) -> PricedPolicies:
    """
    Return the policies for who decides or plans: with what holds for trials now, if any lender has an approved one.

    If trials run and no table is named, nobody knows which arms are paused: then nothing is left to chance.
    """
    book = policy_book()
    if not any(trial.approved_by for lender in book.lenders.values() for trial in lender.policy.trials):
        return book
    from dunning.adapters.dynamodb.trial_control_table import DynamoTrialControlReader  # noqa: PLC0415
    from dunning.services.controlled_policies import ControlledPolicies  # noqa: PLC0415

    reader = DynamoTrialControlReader(dynamodb, tally_table, _Environment.clock, telemetry()) if tally_table else None
    return ControlledPolicies(book, reader)


def _publisher(session: boto3.Session, bus_name: str) -> EventBridgePublisher:
    from dunning.adapters.eventbridge import EventBridgePublisher  # noqa: PLC0415

    return EventBridgePublisher(session.client("events", config=_PATIENT), bus_name, telemetry())


def _news_first(session: boto3.Session, settings: SendingSettings) -> NewsFirstSwitch:
    clock, log = _Environment.clock, telemetry()
    queues = [settings.replies_queue_url, settings.lender_events_queue_url]
    return NewsFirstSwitch(
        SsmSwitch(session.client("ssm", config=_PATIENT), settings.sending_parameter, clock, log),
        SqsNews(session.client("sqs", config=_PATIENT), queues, settings.news_failures_queue_url),
        clock,
        log,
    )


@_kept
def scan_service() -> ScanService:
    """Build the scanner's service."""
    from dunning.services.scan import ScanService  # noqa: PLC0415

    settings = read_settings(ScannerSettings, os.environ)
    session = new_session()
    clock, log = _Environment.clock, telemetry()
    return ScanService(
        index=_customers(session.client("dynamodb", config=_PATIENT), settings),
        queue=SqsQueue(session.client("sqs", config=_PATIENT), settings.queue_url),
        switch=_news_first(session, settings),
        clock=clock,
        telemetry=log,
        capacity=int(settings.sms_per_second * settings.tick_seconds),
        calendars_end_on=min(compiled_policies.calendars_needed().values(), default=None),
    )


def _known_contacts(dynamodb: DynamoDBClient, table: str) -> DynamoContacts:
    """Return the audit table for who writes no new records."""
    from dunning.adapters.dynamodb.contact_table import DynamoContacts  # noqa: PLC0415

    return DynamoContacts(dynamodb, table)


def _new_contacts(session: boto3.Session, dynamodb: DynamoDBClient, table: str) -> DynamoContacts:
    """Return the audit table for who writes new records."""
    from dunning.adapters.dynamodb.contact_table import WRITE_ONCE, DynamoContacts  # noqa: PLC0415

    return DynamoContacts(dynamodb, table, once=session.client("dynamodb", config=WRITE_ONCE))


def _gateways(session: boto3.Session, settings: SenderSettings) -> GatewaysByName:
    """Return the gateways that the stack has. All but SNS are built when a message first needs them."""
    makers: dict[str, Callable[[], Gateway]] = {"whatsapp": lambda: _whatsapp(session)}
    if settings.eum_configuration_set:
        makers["eum"] = lambda: _eum(session, settings)
        makers["eum_voice"] = lambda: _eum_voice(session, settings)
    if settings.ses_configuration_set and settings.unsubscribe_origin:
        makers["ses"] = lambda: _ses(session, settings)
    if settings.secrets_path:
        makers["line"] = lambda: _line(session, settings)
        makers["line_notification"] = lambda: _line_notification(session, settings)
    return _sms_gateway(session, makers)


def _sms_gateway(session: boto3.Session, makers: Mapping[str, Callable[[], Gateway]] | None = None) -> GatewaysByName:
    """Return SNS, ready to send, and what builds other gateways."""
    from dunning.services.send.gateways_by_name import GatewaysByName  # noqa: PLC0415

    return GatewaysByName(SnsGateway(session.client("sns", config=PUBLISH_ONCE)), makers=makers or {})


def _eum(session: boto3.Session, settings: SenderSettings) -> Gateway:
    from dunning.adapters.eum_sms import EumSmsGateway  # noqa: PLC0415

    client = session.client("pinpoint-sms-voice-v2", config=PUBLISH_ONCE)
    return EumSmsGateway(client, _Environment.clock, settings.eum_configuration_set, settings.eum_pool)


def _eum_voice(session: boto3.Session, settings: SenderSettings) -> Gateway:
    from dunning.adapters.eum_voice import EumVoiceGateway  # noqa: PLC0415

    client = session.client("pinpoint-sms-voice-v2", config=PUBLISH_ONCE)
    return EumVoiceGateway(client, _Environment.clock, settings.eum_configuration_set)


def _ses(session: boto3.Session, settings: SenderSettings) -> Gateway:
    from dunning.adapters.ses import SesGateway  # noqa: PLC0415

    return SesGateway(session.client("sesv2", config=PUBLISH_ONCE), settings.ses_configuration_set)


def _line(session: boto3.Session, settings: SenderSettings) -> Gateway:
    from dunning.adapters.line import LineApi, LinePushGateway  # noqa: PLC0415

    return LinePushGateway(LineApi(_line_tokens(session, settings), origin=settings.line_origin))


def _line_notification(session: boto3.Session, settings: SenderSettings) -> Gateway:
    from dunning.adapters.line import LineApi, LineNotificationGateway  # noqa: PLC0415

    return LineNotificationGateway(LineApi(_line_tokens(session, settings), origin=settings.line_origin))


def _whatsapp(session: boto3.Session) -> Gateway:
    from dunning.adapters.whatsapp import WhatsAppGateway  # noqa: PLC0415

    return WhatsAppGateway(session.client("socialmessaging", config=PUBLISH_ONCE))


def _line_tokens(session: boto3.Session, settings: SenderSettings) -> Callable[[str], str]:
    """Return what reads the channel access token of a lender's account on LINE."""
    from dunning.ports.secret_store import line_token  # noqa: PLC0415

    secrets = _channel_secrets(session, settings.secrets_path)
    return lambda lender: secrets.secret(line_token(lender))


def _channel_secrets(session: boto3.Session, path: str) -> SsmSecrets:
    from dunning.adapters.ssm_secrets import SsmSecrets  # noqa: PLC0415

    return SsmSecrets(session.client("ssm", config=_PATIENT), path, _Environment.clock)


def _unsubscribe_url(session: boto3.Session, settings: SenderSettings) -> UnsubscribeUrl | None:
    """Return what builds the address behind the button for no more mail; `None` if no mails are sent."""
    if not settings.unsubscribe_origin:
        return None

    secrets = _channel_secrets(session, settings.secrets_path)  # not in a thread: a session makes one client at a time

    def url(customer_id: str, claim_id: str) -> str:
        from dunning.contracts.unsubscribe import unsubscribe_token  # noqa: PLC0415
        from dunning.domain.errors import ServiceCallError  # noqa: PLC0415
        from dunning.ports.secret_store import UNSUBSCRIBE_KEY  # noqa: PLC0415

        try:
            key = secrets.secret(UNSUBSCRIBE_KEY)
        except ServiceCallError:
            return ""  # the gateway takes no mail without it, for now
        return f"{settings.unsubscribe_origin}/unsubscribe/{unsubscribe_token(customer_id, claim_id, key)}"

    return url


@_kept
def send_service() -> SendService:
    """Build the sender's service."""
    from dunning.services.send.sender import SendService  # noqa: PLC0415

    settings = read_settings(SenderSettings, os.environ)
    session = new_session()
    clock, log = _Environment.clock, telemetry()
    dynamodb = session.client("dynamodb", config=_PATIENT)
    book = policy_book()
    book.linter.get_ready()  # not in the first event: Lambda lends a start a whole processor
    return SendService(
        store=_customers(dynamodb, settings),
        contacts=_new_contacts(session, dynamodb, settings.contacts_table),
        queue=SqsQueue(session.client("sqs", config=_PATIENT), settings.queue_url, settings.dead_letter_url),
        gateways=_gateways(session, settings),
        unsubscribe_url=_unsubscribe_url(session, settings),
        switch=_news_first(session, settings),
        publisher=_publisher(session, settings.bus_name),
        policies=_policies_to_decide_by(dynamodb, settings.tally_table),
        clock=clock,
        telemetry=log,
        new_id=_new_id,
        per_second=settings.sms_per_second / settings.sender_concurrency,
        max_receive_count=settings.max_receive_count,
    )


@_kept
def intake_service() -> IntakeService:
    """Build the intake's service."""
    from dunning.adapters.s3 import S3Uploads  # noqa: PLC0415
    from dunning.services.intake import IntakeService  # noqa: PLC0415
    from dunning.services.intake.table import file_form  # noqa: PLC0415
    from dunning.services.intake.whole_list import WholeLists  # noqa: PLC0415

    settings = read_settings(IntakeSettings, os.environ)
    session = new_session()
    book = policy_book()
    dynamodb = session.client("dynamodb", config=_PATIENT)
    customers = _customers(dynamodb, settings)
    policies = _policies_to_decide_by(dynamodb, settings.tally_table)
    return IntakeService(
        store=customers,
        phones=customers,
        loads=customers,
        uploads=S3Uploads(session.client("s3", config=_PATIENT)),
        publisher=_publisher(session, settings.bus_name),
        policies=policies,
        lenders=frozenset(book.lenders),
        clock=_Environment.clock,
        telemetry=telemetry(),
        whole_lists=WholeLists(customers, customers, policies, settings.most_missing),
        writers=settings.writers,
        form=file_form(book.headings, settings.accounts_encoding),
        roc_lenders=book.at_home_in("TW"),
    )


def splits_file(size: int) -> bool:
    """Tell whether a file of so many bytes is split. Nothing is known of a file whose event gives no size."""
    return size > 0 and size > read_settings(IntakeSettings, os.environ).split_above_bytes


@_kept
def split_load_service() -> SplitLoadService:
    """Build the service that loads large files in parts. Other files do not wait for its modules."""
    from dunning.adapters.dynamodb.split_load_table import DynamoSplitLoads  # noqa: PLC0415
    from dunning.adapters.s3 import S3WorkFiles  # noqa: PLC0415
    from dunning.services.intake.split_load import SplitLoadService  # noqa: PLC0415
    from dunning.services.intake.table import file_form  # noqa: PLC0415
    from dunning.services.intake.whole_list import WholeLists  # noqa: PLC0415

    settings = read_settings(IntakeSettings, os.environ)
    session = new_session()
    book = policy_book()
    dynamodb = session.client("dynamodb", config=_PATIENT)
    customers = _customers(dynamodb, settings)
    files = S3WorkFiles(session.client("s3", config=_PATIENT))
    return SplitLoadService(
        intake=intake_service(),
        splits=DynamoSplitLoads(dynamodb, settings.customers_table),
        work=files,
        queue=SqsQueue(session.client("sqs", config=_PATIENT), settings.queue_url),
        loads=customers,
        uploads=files,
        whole_lists=WholeLists(
            customers, customers, _policies_to_decide_by(dynamodb, settings.tally_table), settings.most_missing
        ),
        publisher=_publisher(session, settings.bus_name),
        lenders=frozenset(book.lenders),
        clock=_Environment.clock,
        telemetry=telemetry(),
        form=file_form(book.headings, settings.accounts_encoding),
        part_bytes=-(-settings.split_above_bytes // 4),  # a part fits into an invocation, however slow it is
    )


def _case_erasure(dynamodb: DynamoDBClient, settings: LenderEventsSettings) -> CaseErasure | None:
    """Return what deletes the notes of colleagues; `None` if there is no console."""
    if not settings.console_table:
        return None
    from dunning.adapters.dynamodb.case_table import DynamoCases  # noqa: PLC0415

    return DynamoCases(dynamodb, settings.console_table)


@_kept
def lender_event_service() -> LenderEventService:
    """Build the service that handles the lender's events."""
    from dunning.adapters.dynamodb.drawn_rung_table import DynamoDrawnRungs  # noqa: PLC0415
    from dunning.adapters.s3 import S3UploadErasure  # noqa: PLC0415
    from dunning.services.erasure.erase import EraseService  # noqa: PLC0415
    from dunning.services.erasure.purge import PurgeService  # noqa: PLC0415
    from dunning.services.lender_events import LenderEventService  # noqa: PLC0415

    settings = read_settings(LenderEventsSettings, os.environ)
    session = new_session()
    clock, log = _Environment.clock, telemetry()
    dynamodb = session.client("dynamodb", config=_PATIENT)
    customers = _customers(dynamodb, settings)
    sqs = session.client("sqs", config=_PATIENT)
    queue = SqsQueue(sqs, settings.queue_url, settings.dead_letter_url)
    contacts = _known_contacts(dynamodb, settings.contacts_table)
    erasing = EraseService(
        customers=customers,
        contacts=contacts,
        uploads=S3UploadErasure(session.client("s3", config=_PATIENT), settings.uploads_bucket),
        clock=clock,
        telemetry=log,
        headings=lambda: policy_book().headings,
        encoding=settings.accounts_encoding,
        cases=_case_erasure(dynamodb, settings),
        draws=DynamoDrawnRungs(dynamodb, settings.tally_table),
    )
    return LenderEventService(
        store=customers,
        phones=customers,
        replies=contacts,
        erasing=erasing,
        purging=PurgeService(
            customers=customers,
            erasing=erasing,
            replies=SqsQueue(sqs, settings.replies_queue_url),
            dead_letters=[
                SqsDeadLetters(sqs, settings.replies_dead_letter_url, "replies"),
                SqsDeadLetters(sqs, settings.delivery_receipts_dead_letter_url, "delivery_receipts"),
                SqsDeadLetters(sqs, settings.dead_letter_url, "lender_events"),
                *(
                    [SqsDeadLetters(sqs, settings.channel_events_dead_letter_url, "channel_events")]
                    if settings.channel_events_dead_letter_url
                    else []
                ),
            ],
            clock=clock,
            telemetry=log,
        ),
        dead_letters=queue,
        delay_queue=queue,
        failures=SqsNewsFailures(sqs, settings.news_failures_queue_url),
        publisher=_publisher(session, settings.bus_name),
        policies=_policies_to_decide_by(dynamodb, settings.tally_table),
        clock=clock,
        telemetry=log,
        sources=frozenset(filter(None, map(str.strip, settings.lender_sources.split(",")))),
    )


@_kept
def replan_service() -> ReplanService:
    """Build the service that plans everybody anew."""
    from dunning.services.replan import ReplanService  # noqa: PLC0415

    settings = read_settings(ReplanSettings, os.environ)
    session = new_session()
    dynamodb = session.client("dynamodb", config=_PATIENT)
    customers = _customers(dynamodb, settings)
    return ReplanService(
        store=customers,
        scan=customers,
        queue=SqsQueue(session.client("sqs", config=_PATIENT), settings.queue_url),
        publisher=_publisher(session, settings.bus_name),
        policies=_policies_to_decide_by(dynamodb, settings.tally_table),
        clock=_Environment.clock,
        telemetry=telemetry(),
    )


def _reader_for_replies(session: boto3.Session, settings: RepliesSettings) -> ReplyReader:
    """Return the reader of replies: the local reader, and behind it the larger reader if a model is set."""
    local = compiled_policies.reply_reader()
    if not settings.larger_reader_model:
        return local
    from dunning.adapters.bedrock import CONVERSE_ONCE, BedrockReader  # noqa: PLC0415
    from dunning.services.reader_with_second_opinion import ReaderWithSecondOpinion  # noqa: PLC0415

    def new_client() -> ConverseClient:
        region = settings.larger_reader_region or None
        client: ConverseClient = session.client("bedrock-runtime", region_name=region, config=CONVERSE_ONCE)
        return client

    larger = BedrockReader(new_client, settings.larger_reader_model, telemetry())
    return ReaderWithSecondOpinion(local, larger, _Environment.clock, telemetry())


def _opt_out_list(session: boto3.Session, eum_list: str) -> OptOutList:
    """Return the carrier's list of numbers that want no texts: that of SNS, and a list of End User Messaging."""
    from dunning.adapters.sns_opt_out_list import SnsOptOutList  # noqa: PLC0415

    of_sns = SnsOptOutList(session.client("sns", config=_PATIENT))
    if not eum_list:
        return of_sns
    from dunning.adapters.eum_opt_out_list import EumListClient, EumOptOutList  # noqa: PLC0415
    from dunning.adapters.opt_out_lists import OptOutLists  # noqa: PLC0415

    client: EumListClient = session.client("pinpoint-sms-voice-v2", config=_PATIENT)
    return OptOutLists([of_sns, EumOptOutList(client, eum_list)])


@_kept
def reply_service() -> ReplyService:
    """Build the service that handles replies."""
    from dunning.services.replies import ReplyService  # noqa: PLC0415
    from dunning.services.send.confirmations import OptOutConfirmations  # noqa: PLC0415

    settings = read_settings(RepliesSettings, os.environ)
    session = new_session()
    clock, log = _Environment.clock, telemetry()
    dynamodb = session.client("dynamodb", config=_PATIENT)
    customers = _customers(dynamodb, settings)
    contacts = _new_contacts(session, dynamodb, settings.contacts_table)
    sqs = session.client("sqs", config=_PATIENT)
    policies = _policies_to_decide_by(dynamodb, settings.tally_table)
    confirmations = OptOutConfirmations(
        store=customers,
        contacts=contacts,
        gateways=_sms_gateway(session),
        switch=SsmSwitch(session.client("ssm", config=_PATIENT), settings.sending_parameter, clock, log),
        policies=policies,
        clock=clock,
        telemetry=log,
        new_id=_new_id,
    )
    return ReplyService(
        store=customers,
        phones=customers,
        replies=contacts,
        contacts=contacts,
        reader=_reader_for_replies(session, settings),
        confirmations=confirmations,
        opt_out_list=_opt_out_list(session, settings.eum_opt_out_list),
        publisher=_publisher(session, settings.bus_name),
        policies=policies,
        clock=clock,
        telemetry=log,
        queue=SqsQueue(sqs, settings.queue_url, settings.dead_letter_url),
        failures=SqsNewsFailures(sqs, settings.news_failures_queue_url),
        receives_before_person=settings.receives_before_person,
    )


@_kept
def delivery_receipt_service() -> DeliveryReceiptService:
    """Build the service that brings reports to the audit records."""
    from dunning.services.delivery_receipts import DeliveryReceiptService  # noqa: PLC0415

    settings = read_settings(DeliveryReceiptsSettings, os.environ)
    session = new_session()
    dynamodb = session.client("dynamodb", config=_PATIENT)
    customers = _customers(dynamodb, settings)
    return DeliveryReceiptService(
        store=customers,
        phones=customers,
        contacts=_known_contacts(dynamodb, settings.contacts_table),
        delay_queue=SqsQueue(session.client("sqs", config=_PATIENT), settings.queue_url),
        publisher=_publisher(session, settings.bus_name),
        policies=_policies_to_decide_by(dynamodb, settings.tally_table),
        clock=_Environment.clock,
        telemetry=telemetry(),
    )


def is_channel_events_queue(name: str) -> bool:
    """Tell whether a queue of this name is that of channel events. Without a channel there is none."""
    return bool(name) and os.environ.get("CHANNEL_EVENTS_QUEUE_URL", "").rpartition("/")[2] == name


@_kept
def channel_event_service() -> ChannelEventService:
    """Build the service that takes the events of channels apart. Who only hears of texts imports none of it."""
    from dunning.services.channel_wishes import ChannelWishService  # noqa: PLC0415
    from dunning.services.take_channel_events import ChannelEventService  # noqa: PLC0415

    settings = read_settings(DeliveryReceiptsSettings, os.environ)
    session = new_session()
    dynamodb = session.client("dynamodb", config=_PATIENT)
    customers = _customers(dynamodb, settings)
    sqs = session.client("sqs", config=_PATIENT)
    return ChannelEventService(
        receipts=delivery_receipt_service(),
        wishes=ChannelWishService(
            store=customers,
            addresses=customers,
            publisher=_publisher(session, settings.bus_name),
            policies=_policies_to_decide_by(dynamodb, settings.tally_table),
            clock=_Environment.clock,
            telemetry=telemetry(),
        ),
        replies=SqsQueue(sqs, settings.replies_queue_url),
        queue=SqsQueue(sqs, settings.channel_events_queue_url, settings.channel_events_dead_letter_url),
        telemetry=telemetry(),
    )


@_kept
def webhook_service() -> WebhookService:
    """Build the service that answers calls of LINE and of mail programs."""
    from dunning.adapters.ssm_secrets import SsmSecrets  # noqa: PLC0415
    from dunning.services.webhooks import WebhookService  # noqa: PLC0415

    settings = read_settings(WebhookSettings, os.environ)
    session = new_session()
    sqs = session.client("sqs", config=_PATIENT)
    return WebhookService(
        secrets=SsmSecrets(session.client("ssm", config=_PATIENT), settings.secrets_path, _Environment.clock),
        replies=SqsQueue(sqs, settings.replies_queue_url),
        channel_events=SqsQueue(sqs, settings.channel_events_queue_url),
        line_lenders=frozenset(filter(None, map(str.strip, settings.line_lenders.split(",")))),
        clock=_Environment.clock,
        telemetry=telemetry(),
    )


@_kept
def carrier_opt_out_service() -> OptOutService:
    """Build the service that compares opt-outs with the carrier's list."""
    from dunning.services.carrier_opt_outs import OptOutService  # noqa: PLC0415

    settings = read_settings(HousekeepingSettings, os.environ)
    session = new_session()
    dynamodb = session.client("dynamodb", config=_PATIENT)
    customers = _customers(dynamodb, settings)
    return OptOutService(
        store=customers,
        phones=customers,
        opt_out_list=_opt_out_list(session, settings.eum_opt_out_list),
        publisher=_publisher(session, settings.bus_name),
        policies=_policies_to_decide_by(dynamodb, settings.tally_table),
        clock=_Environment.clock,
        telemetry=telemetry(),
    )


@_kept
def tally_service() -> TallyService:
    """Build the service that counts the changes of both tables."""
    from dunning.adapters.dynamodb.drawn_rung_table import DynamoDrawnRungs  # noqa: PLC0415
    from dunning.adapters.dynamodb.stream_images import DynamoImages  # noqa: PLC0415
    from dunning.adapters.dynamodb.tally_table import DynamoTally  # noqa: PLC0415
    from dunning.services.tally import TallyService  # noqa: PLC0415

    settings = read_settings(TallySettings, os.environ)
    dynamodb = new_session().client("dynamodb", config=_PATIENT)
    with_trials = frozenset(lender for lender in policy_book().lenders if _trials_of(lender))
    return TallyService(
        images=DynamoImages(),
        tally=DynamoTally(dynamodb, settings.tally_table),
        zone_of=policy_book().zone_of,
        telemetry=telemetry(),
        rungs=DynamoDrawnRungs(dynamodb, settings.tally_table),
        has_trials=with_trials.__contains__,
        texts=_known_contacts(dynamodb, settings.contacts_table),
    )


def _trials_of(lender: str) -> Sequence[Trial]:
    """Return the approved trials of a lender's policy, those to come and those that are over too."""
    found = policy_book().lenders.get(lender)
    trials = [each.trial() for each in found.policy.trials] if found else []
    return [trial for trial in trials if trial.approved_by]


@_kept
def trial_night_service() -> TrialNightService:
    """Build the service that settles what trials drew."""
    from dunning.adapters.dynamodb.comparison_table import DynamoComparisons  # noqa: PLC0415
    from dunning.adapters.dynamodb.drawn_rung_table import DynamoDrawnRungs  # noqa: PLC0415
    from dunning.adapters.dynamodb.trial_control_table import DynamoTrialControls  # noqa: PLC0415
    from dunning.adapters.dynamodb.trial_result_table import DynamoTrialResults  # noqa: PLC0415
    from dunning.adapters.s3_trial_books import S3TrialBooks  # noqa: PLC0415
    from dunning.services.settle_trials import Shelf, TrialNightService  # noqa: PLC0415
    from dunning.services.steer_trials import SteerService  # noqa: PLC0415

    settings = read_settings(EffectSettings, os.environ)
    session = new_session()
    dynamodb = session.client("dynamodb", config=_PATIENT)
    rungs = DynamoDrawnRungs(dynamodb, settings.tally_table)
    books = S3TrialBooks(session.client("s3", config=_PATIENT), settings.books_bucket)
    results = DynamoTrialResults(dynamodb, settings.tally_table)
    return TrialNightService(
        shelf=Shelf(
            rungs=rungs,
            removal=rungs,
            books=books,
            known_books=books,
            results=results,
            keeper=results,
            nights=results,
            customers=_customers(dynamodb, settings),
            comparisons=DynamoComparisons(dynamodb, settings.tally_table),
        ),
        steering=SteerService(DynamoTrialControls(dynamodb, settings.tally_table)),
        policies=policy_book(),
        lenders=policy_book().lenders,
        trials_of=_trials_of,
        zone_of=policy_book().zone_of,
        clock=_Environment.clock,
        telemetry=telemetry(),
    )


@_kept
def census_service() -> CensusService:
    """Build the service that counts where all customers stand."""
    from dunning.adapters.dynamodb.tally_table import DynamoTally  # noqa: PLC0415
    from dunning.services.take_census import CensusService  # noqa: PLC0415

    settings = read_settings(HousekeepingSettings, os.environ)
    dynamodb = new_session().client("dynamodb", config=_PATIENT)
    return CensusService(
        scan=_customers(dynamodb, settings),
        tally=DynamoTally(dynamodb, settings.tally_table),
        lenders=policy_book().lenders,
        zone_of=policy_book().zone_of,
        clock=_Environment.clock,
        telemetry=telemetry(),
    )


@_kept
def seal_service() -> SealService:
    """Build the service that puts a sum in place of the counters of a day that is over."""
    from dunning.adapters.dynamodb.tally_table import DynamoTally  # noqa: PLC0415
    from dunning.services.seal_days import SealService  # noqa: PLC0415

    settings = read_settings(HousekeepingSettings, os.environ)
    tally = DynamoTally(new_session().client("dynamodb", config=_PATIENT), settings.tally_table)
    return SealService(tally, policy_book().zone_of, _Environment.clock)


@_kept
def close_unknown_service() -> CloseUnknownService:
    """Build the service that closes texts without a delivery receipt."""
    from dunning.services.close_unknown import CloseUnknownService  # noqa: PLC0415

    settings = read_settings(HousekeepingSettings, os.environ)
    dynamodb = new_session().client("dynamodb", config=_PATIENT)
    return CloseUnknownService(
        contacts=_known_contacts(dynamodb, settings.contacts_table), clock=_Environment.clock, telemetry=telemetry()
    )


def _group_roles(written: str) -> Mapping[str, Role]:
    """
    Read which role each group has.

    Raises:
        SettingsError: there is no such role, or a group stands twice.
    """
    from dunning.ports.sessions import Role  # noqa: PLC0415

    roles: dict[str, Role] = {}
    for pair in filter(None, map(str.strip, written.split(","))):
        group, _, role = pair.rpartition("=")
        if role not in Role or not group or group in roles:
            raise SettingsError(f"environment: OIDC_GROUPS: {pair} is not <group>=<role>, with a role of {[*Role]}")
        roles[group] = Role(role)
    return roles


def _lender_zones() -> Mapping[str, ZoneInfo]:
    """Return the zone of each lender, in which the tally counts its days."""
    book = policy_book()
    return {lender: book.zone_of(lender) for lender in book.lenders}


def _lender_holidays(lender: str) -> frozenset[date]:
    """Return the public holidays of the first country of a lender's policy; none if that is not known."""
    from dunning.domain.decision.rules import Rules  # noqa: PLC0415

    book = policy_book()
    rules = book.rules(lender, book.home_of(lender), at=now()) if lender in book.lenders else None
    return rules.holidays if isinstance(rules, Rules) else frozenset()


def _act_services(
    session: boto3.Session,
    settings: ConsoleSettings,
    customers: DynamoCustomers,
    switch: SsmSwitch,
    audit: AuditService,
    zones: Mapping[str, ZoneInfo],
) -> ActServices:
    """Build what changes something in the console."""
    from dunning.adapters.dynamodb.case_table import DynamoCases  # noqa: PLC0415
    from dunning.adapters.eventbridge import EventBridgeLenderBus  # noqa: PLC0415
    from dunning.console.visits import ActServices  # noqa: PLC0415
    from dunning.contracts.console_event import CONSOLE_SOURCE  # noqa: PLC0415
    from dunning.services.console.case_work import CaseService  # noqa: PLC0415
    from dunning.services.console.erase_by_two import ErasureService  # noqa: PLC0415
    from dunning.services.console.turn_sending import SendingService  # noqa: PLC0415
    from dunning.services.console.waiting_list import WaitingService  # noqa: PLC0415
    from dunning.services.intake.cells import is_id  # noqa: PLC0415

    clock, book = _Environment.clock, policy_book()
    cases = DynamoCases(session.client("dynamodb", config=_PATIENT), settings.console_table)
    bus = EventBridgeLenderBus(session.client("events", config=_PATIENT), settings.bus_name, CONSOLE_SOURCE)
    return ActServices(
        waiting=WaitingService(
            attention=customers,
            customers=customers,
            cases=cases,
            clock=clock,
            zones=lambda: zones,
            holidays=_lender_holidays,
        ),
        cases=CaseService(
            cases=cases,
            customers=customers,
            bus=bus,
            audit=audit,
            clock=clock,
            new_id=_new_id,
            day_of=lambda lender, moment: moment.astimezone(book.zone_of(lender)).date(),
        ),
        sending=SendingService(switch=switch, control=switch, history=cases, audit=audit, clock=clock),
        erasures=ErasureService(requests=cases, customers=customers, bus=bus, audit=audit, clock=clock, is_id=is_id),
    )


def _lender_trials() -> Sequence[LenderTrial]:
    """Return the trials of all policies, approved or not."""
    from dunning.services.console.trials_read import LenderTrial  # noqa: PLC0415

    lenders = policy_book().lenders
    return [LenderTrial(lender, each.trial()) for lender, file in lenders.items() for each in file.policy.trials]


def _trial_results(dynamodb: DynamoDBClient, table: str) -> TrialResults:
    """Return what the nights know of trials."""
    from dunning.adapters.dynamodb.trial_result_table import DynamoTrialResults  # noqa: PLC0415

    return DynamoTrialResults(dynamodb, table)


@_kept
def console() -> Console:
    """Build the console."""
    import secrets  # noqa: PLC0415
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    from dunning.adapters.dynamodb.console_table import DynamoConsole  # noqa: PLC0415
    from dunning.adapters.dynamodb.evidence_tables import DynamoEvidence  # noqa: PLC0415
    from dunning.adapters.dynamodb.tally_table import DynamoTally  # noqa: PLC0415
    from dunning.adapters.oidc import OidcProvider  # noqa: PLC0415
    from dunning.console.door import Console  # noqa: PLC0415
    from dunning.console.visits import ConsoleServices  # noqa: PLC0415
    from dunning.services.console.audited import AuditService  # noqa: PLC0415
    from dunning.services.console.find_customer import FindService  # noqa: PLC0415
    from dunning.services.console.login import LoginService  # noqa: PLC0415
    from dunning.services.console.programs import ProgramScope  # noqa: PLC0415
    from dunning.services.console.today import TodayService  # noqa: PLC0415

    settings = read_settings(ConsoleSettings, os.environ)
    session = new_session()
    clock, log = _Environment.clock, telemetry()
    dynamodb = session.client("dynamodb", config=_PATIENT)
    customers = _customers(dynamodb, settings)
    table = DynamoConsole(dynamodb, settings.console_table)
    switch = SsmSwitch(session.client("ssm", config=_PATIENT), settings.sending_parameter, clock, log)
    audit = AuditService(table, clock, _new_id, log)
    book = policy_book()
    zones = _lender_zones()
    countries = dict.fromkeys(country for lender in book.lenders.values() for country in lender.policy.countries)

    @cache
    def act_services() -> ActServices:
        return _act_services(session, settings, customers, switch, audit, zones)

    @cache
    def customers_service() -> CustomerService:
        from dunning.services.console.customer_view import CustomerService  # noqa: PLC0415

        evidence = DynamoEvidence(dynamodb, settings.customers_table, settings.contacts_table)
        policies = _policies_to_decide_by(dynamodb, settings.tally_table)
        return CustomerService(evidence=evidence, audit=audit, switch=switch, policies=policies, clock=clock)

    @cache
    def files_service() -> FilesService:
        from functools import partial  # noqa: PLC0415

        from dunning.adapters.dynamodb.file_report_table import DynamoFileReports  # noqa: PLC0415
        from dunning.adapters.s3 import S3Uploads  # noqa: PLC0415
        from dunning.services.console.file_history import FilesService  # noqa: PLC0415

        bucket = settings.uploads_bucket
        open_rejects = partial(S3Uploads(session.client("s3", config=_PATIENT)).open, bucket) if bucket else None
        return FilesService(DynamoFileReports(dynamodb, settings.customers_table), audit, clock, open_rejects)

    @cache
    def rules_service() -> RulesService:
        from dunning.policy.rule_shelf import RuleShelf  # noqa: PLC0415
        from dunning.services.console.rules_read import RulesService  # noqa: PLC0415

        return RulesService(RuleShelf(book), clock)

    @cache
    def rates_service() -> RatesService:
        from dunning.services.console.rates_read import RatesService  # noqa: PLC0415

        return RatesService(DynamoTally(dynamodb, settings.tally_table), clock, lambda: zones)

    @cache
    def trials_service() -> TrialsService:
        from dunning.services.console.trials_read import TrialsService  # noqa: PLC0415

        return TrialsService(_trial_results(dynamodb, settings.tally_table), _lender_trials, clock)

    @cache
    def what_ifs_service() -> WhatIfsService:
        from dunning.adapters.dynamodb.comparison_table import DynamoComparisons  # noqa: PLC0415
        from dunning.services.console.what_ifs_read import WhatIfsService  # noqa: PLC0415

        return WhatIfsService(DynamoComparisons(dynamodb, settings.tally_table))

    def unexpected(error: Exception) -> None:
        log.log_event(LogEvent.UNEXPECTED, error=type(error).__name__, where=error_location(error))

    return Console(
        ConsoleServices(
            login=LoginService(
                sessions=table,
                provider=OidcProvider(settings.oidc_issuer, settings.oidc_client_id, f"{settings.origin}/callback"),
                clock=SystemClock(),  # people log in in real time, in a world that is played as well
                groups=_group_roles(settings.oidc_groups),
                group_claim=settings.oidc_group_claim,
                new_secret=lambda: secrets.token_urlsafe(32),
            ),
            today=TodayService(
                tally=DynamoTally(dynamodb, settings.tally_table),
                due=customers,
                standings=customers,
                attention=customers,
                switch=switch,
                clock=clock,
                zones=lambda: zones,
            ),
            find=FindService(customers, customers, customers, [*countries]),
            customers=customers_service,
            acts=act_services,
            audit=audit,
            files=files_service,
            rules=rules_service,
            rates=rates_service,
            trials=trials_service,
            what_ifs=what_ifs_service,
            now=clock.now,
            origin=settings.origin,
            issuer=settings.login_origin or settings.oidc_issuer,
            zone=next(iter(zones.values()), ZoneInfo("UTC")),
            is_played=settings.is_played,
            unexpected=unexpected,
        ),
        {ProgramScope.READ: settings.read_scope, ProgramScope.AUDIT: settings.audit_scope},
    )
