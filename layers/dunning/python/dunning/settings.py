"""Settings: one model a function, read from the environment once, by the wiring."""

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """
    The settings that every function needs. Environment variables have the fields' names in capitals.

    `tally_table`, where a function decides, holds what is known of trials. Without it nothing is left to chance.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)

    customers_table: str = Field(min_length=3)
    due_shards: int = Field(default=4, ge=1, le=100)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the environment variables this function reads."""
        return tuple(name.upper() for name in cls.model_fields)


class SendingSettings(Settings):
    """
    Settings of whatever starts a text. The queues are asked whether news is held up.

    `sms_per_second` is the rate of the account, all senders together.
    """

    queue_url: str = Field(min_length=1)
    sending_parameter: str = Field(min_length=1)
    replies_queue_url: str = Field(min_length=1)
    lender_events_queue_url: str = Field(min_length=1)
    news_failures_queue_url: str = Field(min_length=1)
    sms_per_second: float = Field(default=20, gt=0, le=10_000)


class ScannerSettings(SendingSettings):
    """Settings of the scanner. `sms_per_second` x `tick_seconds` is the most a tick may enqueue."""

    tick_seconds: int = Field(default=60, ge=1)


class SenderSettings(SendingSettings):
    """
    Settings of the sender. Each of `sender_concurrency` instances takes its share of `sms_per_second`.

    The rest is for gateways beside SNS, each empty where there is none: configuration sets, the pool of End User
    Messaging, what the names of secrets begin with, the origin of the address that the button for no more mail calls,
    and the origin of LINE's API, which a played world has on its own machine.
    """

    contacts_table: str = Field(min_length=3)
    bus_name: str = Field(min_length=1)
    dead_letter_url: str = Field(min_length=1)
    sender_concurrency: int = Field(default=2, ge=1)
    max_receive_count: int = Field(default=5, ge=1)
    tally_table: str = ""
    eum_configuration_set: str = ""
    eum_pool: str = ""
    ses_configuration_set: str = ""
    secrets_path: str = ""
    unsubscribe_origin: str = ""
    line_origin: str = Field(default="https://api.line.me", pattern=r"^(https://[^/]+|http://127\.0\.0\.1:\d+)$")


class IntakeSettings(Settings):
    """
    Settings of the intake. `writers` customers are written at the same time.

    `accounts_encoding` is the encoding that files may have besides UTF-8, `most_missing` how large a part of a lender's
    customers a whole list may lack. A file of more than `split_above_bytes` is split into parts of a quarter of that,
    which go over the queue of `queue_url`.
    """

    bus_name: str = Field(min_length=1)
    queue_url: str = Field(min_length=1)
    split_above_bytes: int = Field(default=64 << 20, ge=1)
    writers: int = Field(default=8, ge=1, le=50)
    tally_table: str = ""
    accounts_encoding: str = ""
    most_missing: float = Field(default=0.1, ge=0, le=1)


class LenderEventsSettings(Settings):
    """
    Settings of the lender events. `queue_url` is the function's own queue, `bus_name` the bus for outbound events.

    The other queues belong to replies, delivery receipts and channel events. An erasure searches them for messages to
    delete. It reads the uploaded files, too, in UTF-8 or in `accounts_encoding`. `lender_sources` names the sources
    whose events count, with commas between them; if it is empty, all do. `console_table` holds what colleagues noted of
    customers: an erasure deletes it there. Without a console it is empty. In `tally_table` an erasure marks whose draws
    the nightly run of trials takes away.
    """

    contacts_table: str = Field(min_length=3)
    tally_table: str = Field(min_length=3)
    uploads_bucket: str = Field(min_length=3)
    bus_name: str = Field(min_length=1)
    queue_url: str = Field(min_length=1)
    dead_letter_url: str = Field(min_length=1)
    replies_queue_url: str = Field(min_length=1)
    replies_dead_letter_url: str = Field(min_length=1)
    delivery_receipts_dead_letter_url: str = Field(min_length=1)
    news_failures_queue_url: str = Field(min_length=1)
    channel_events_dead_letter_url: str = ""
    lender_sources: str = ""
    accounts_encoding: str = ""
    console_table: str = ""


class DeliveryReceiptsSettings(Settings):
    """
    Settings of the delivery receipts. Receipts without a record wait in the queue of `queue_url`.

    Events of channels come from the queue of `channel_events_queue_url`, those that cannot be read end among its dead
    letters, and words go on to the queue of the replies. Without channels there is no such queue.
    """

    contacts_table: str = Field(min_length=3)
    bus_name: str = Field(min_length=1)
    queue_url: str = Field(min_length=1)
    tally_table: str = ""
    channel_events_queue_url: str = ""
    channel_events_dead_letter_url: str = ""
    replies_queue_url: str = ""


class RepliesSettings(Settings):
    """
    Settings of the replies.

    `larger_reader_model` is a model or an inference profile of Bedrock in `larger_reader_region`, by default in the
    function's own Region. Without a model there is no larger reader. `eum_opt_out_list` is the list of End User
    Messaging that the numbers of the lender use, if texts go out by it.
    """

    contacts_table: str = Field(min_length=3)
    bus_name: str = Field(min_length=1)
    queue_url: str = Field(min_length=1)
    dead_letter_url: str = Field(min_length=1)
    sending_parameter: str = Field(min_length=1)
    news_failures_queue_url: str = Field(min_length=1)
    tally_table: str = ""
    receives_before_person: int = Field(default=5, ge=1)
    larger_reader_model: str = ""
    larger_reader_region: str = ""
    eum_opt_out_list: str = ""


class HousekeepingSettings(Settings):
    """Settings of the housekeeping. `eum_opt_out_list` is compared every night, if there is one."""

    contacts_table: str = Field(min_length=3)
    bus_name: str = Field(min_length=1)
    tally_table: str = Field(min_length=3)
    eum_opt_out_list: str = ""


class TallySettings(Settings):
    """Settings of the tally."""

    contacts_table: str = Field(min_length=3)
    tally_table: str = Field(min_length=3)


class EffectSettings(Settings):
    """Settings of the nightly run of trials."""

    tally_table: str = Field(min_length=3)
    books_bucket: str = Field(min_length=3)


class ReplanSettings(Settings):
    """Settings of the replan."""

    bus_name: str = Field(min_length=1)
    queue_url: str = Field(min_length=1)
    tally_table: str = ""


class WebhookSettings(Settings):
    """
    Settings of the webhooks.

    `secrets_path` is what the names of the secrets begin with. `line_lenders` are the lenders with an account on LINE,
    with commas between them.
    """

    replies_queue_url: str = Field(min_length=1)
    channel_events_queue_url: str = Field(min_length=1)
    secrets_path: str = Field(pattern=r"^/.+/$")
    line_lenders: str = ""


class ConsoleSettings(Settings):
    """
    Settings of the console.

    `origin` is its own address as browsers name it, without a path. `oidc_groups` gives the role of each group of the
    identity provider, as in `collections-managers=manager,legal=compliance`. `login_origin` is where the provider's own
    pages are, if not where its issuer is: a form may lead there. `read_scope` and `audit_scope` are the scopes of
    programs, by their names in tokens. `is_played` says that the time is not the real one. `bus_name` is the bus on
    which the acts of people go. Without an `uploads_bucket` nobody can look at rejects.
    """

    contacts_table: str = Field(min_length=3)
    console_table: str = Field(min_length=3)
    tally_table: str = Field(min_length=3)
    sending_parameter: str = Field(min_length=1)
    origin: str = Field(pattern=r"^https?://[^/]+$")
    oidc_issuer: str = Field(min_length=8)
    oidc_client_id: str = Field(min_length=1)
    oidc_groups: str = Field(min_length=3)
    oidc_group_claim: str = "groups"
    bus_name: str = ""
    login_origin: str = ""
    read_scope: str = "dunning/read"
    audit_scope: str = "dunning/audit"
    is_played: bool = False
    uploads_bucket: str = ""
