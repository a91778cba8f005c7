"""LINE: a push is asked again under one key, a notice carries its tag, and no answer is believed that is not LINE's."""

import hashlib
import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest

from dunning.adapters.line import LineApi, LineNotificationGateway, LinePushGateway
from dunning.contracts.claim_marks import claim_of_tag
from dunning.domain.delivery.receipt import ClaimKey
from dunning.domain.errors import ServiceCallError
from dunning.ports.gateways import Published, PublishOutcome
from dunning.ports.outgoing import LineBody, LineButton, Outgoing
from tests.local.channels import line
from tests.local.channels.line import LinePlatform
from tests.local.channels.wire import Refusal, WireFault
from tests.support.outgoing import CLAIM_ID, LINE_BODY, LINE_USER, outgoing_line, outgoing_notice, outgoing_sms

SOON, AFTER_REPAIR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def platform() -> Iterator[LinePlatform]:
    platform = LinePlatform()
    yield platform
    platform.close()


def api(platform: LinePlatform, token: str = line.ACCESS_TOKEN) -> LineApi:
    return LineApi(lambda _: token, origin=platform.origin, read_seconds=0.7)


@pytest.fixture
def push(platform: LinePlatform) -> LinePushGateway:
    return LinePushGateway(api(platform))


@pytest.fixture
def notice(platform: LinePlatform) -> LineNotificationGateway:
    return LineNotificationGateway(api(platform))


class TestPush:
    """Messages to friends."""

    def test_a_push_is_one_bubble_with_its_buttons(self, push: LinePushGateway, platform: LinePlatform) -> None:
        answer = push.publish(outgoing_line())
        (bubble,) = platform.bubbles
        assert answer == Published(PublishOutcome.ACCEPTED, message_id=bubble.message_id)
        assert bubble[:3] == (LINE_USER, LINE_BODY.text, (("已繳", "paid"), ("不要再傳", "opt_out")))
        ((path, headers, document),) = platform.asked
        assert path == "/v2/bot/message/push"
        assert uuid.UUID(headers["x-line-retry-key"]).hex == CLAIM_ID
        assert document.keys() == {"to", "messages"}, "never sent without a notification"

    @pytest.mark.parametrize(
        "fault", [WireFault.LOST_ANSWER, WireFault.RESET_AFTER, WireFault.SERVER_ERROR, WireFault.NONSENSE]
    )
    def test_asked_again_after_silence_line_says_that_it_has_the_message_and_shows_it_once(
        self, push: LinePushGateway, platform: LinePlatform, fault: WireFault
    ) -> None:
        platform.will(fault)
        assert push.publish(outgoing_line()).outcome is PublishOutcome.UNKNOWN
        again = push.publish(outgoing_line())
        (bubble,) = platform.bubbles
        assert again == Published(PublishOutcome.ACCEPTED, message_id=bubble.message_id)
        assert platform.requests == 2

    def test_asked_again_after_a_break_before_the_request_line_takes_it_now(
        self, push: LinePushGateway, platform: LinePlatform
    ) -> None:
        platform.will(WireFault.RESET_BEFORE)
        assert push.publish(outgoing_line()).outcome is PublishOutcome.UNKNOWN
        assert push.publish(outgoing_line()).outcome is PublishOutcome.ACCEPTED
        assert (platform.requests, len(platform.bubbles)) == (2, 1)

    def test_another_claim_is_another_message(self, push: LinePushGateway, platform: LinePlatform) -> None:
        push.publish(outgoing_line())
        push.publish(outgoing_line()._replace(claim_id="d2" * 16))
        assert len(platform.bubbles) == 2

    def test_whom_the_account_cannot_reach_is_refused_for_good(
        self, push: LinePushGateway, platform: LinePlatform
    ) -> None:
        platform.strangers.add(LINE_USER)
        assert push.publish(outgoing_line()) == Published(PublishOutcome.REFUSED_FOR_GOOD, code="400")

    @pytest.mark.parametrize("user_id", ["", "wang", "U" + "A1" * 16, "U" + "a1" * 15, "C" + "a1" * 16])
    def test_what_is_no_user_id_is_refused_for_good_without_a_request(
        self, push: LinePushGateway, platform: LinePlatform, user_id: str
    ) -> None:
        answer = push.publish(outgoing_line(user_id))
        assert answer == Published(PublishOutcome.REFUSED_FOR_GOOD, code="NotAUserId")
        assert platform.requests == 0

    @pytest.mark.parametrize(
        ("refusal", "outcome", "wait"),
        [
            (line.RATE_LIMITED, PublishOutcome.REFUSED_FOR_NOW, SOON),
            (line.MONTH_USED_UP, PublishOutcome.REFUSED_FOR_NOW, AFTER_REPAIR),
            (line.BAD_TOKEN, PublishOutcome.REFUSED_FOR_NOW, AFTER_REPAIR),
            (line.NOT_ALLOWED, PublishOutcome.REFUSED_FOR_NOW, AFTER_REPAIR),
            (Refusal("Not found", 404), PublishOutcome.REFUSED_FOR_NOW, AFTER_REPAIR),
            (Refusal("Payload too large", 413), PublishOutcome.REFUSED_FOR_NOW, AFTER_REPAIR),
            (Refusal("The request body has 1 error(s)"), PublishOutcome.REFUSED_FOR_NOW, AFTER_REPAIR),
            (Refusal("No list", 400, {"details": 1}), PublishOutcome.REFUSED_FOR_NOW, AFTER_REPAIR),
            (
                Refusal("The request body has 1 error(s)", 400, {"details": [{"property": "messages/0/text"}]}),
                PublishOutcome.REFUSED_FOR_NOW,
                AFTER_REPAIR,
            ),
            (
                Refusal(
                    "The request body has 2 error(s)",
                    400,
                    {"details": [{"property": "messages/0/text"}, {"property": "to"}]},
                ),
                PublishOutcome.REFUSED_FOR_NOW,
                AFTER_REPAIR,
            ),
            (
                Refusal("The request body has 1 error(s)", 400, {"details": [{"property": "to"}]}),
                PublishOutcome.REFUSED_FOR_GOOD,
                SOON,
            ),
            (
                Refusal("The property, 'to', in the request body is invalid (line: -, column: -)"),
                PublishOutcome.REFUSED_FOR_GOOD,
                SOON,
            ),
            (line.NO_SUCH_USER, PublishOutcome.REFUSED_FOR_GOOD, SOON),
            (Refusal("Conflict", 409), PublishOutcome.UNKNOWN, SOON),
            (Refusal("Moved", 302), PublishOutcome.UNKNOWN, SOON),
            (Refusal("Bad gateway", 502), PublishOutcome.UNKNOWN, SOON),
            (Refusal("Unavailable", 503), PublishOutcome.UNKNOWN, SOON),
        ],
    )
    def test_each_answer_has_its_class_after_one_request(
        self,
        push: LinePushGateway,
        platform: LinePlatform,
        refusal: Refusal,
        outcome: PublishOutcome,
        wait: timedelta,
    ) -> None:
        platform.will(refusal)
        answer = push.publish(outgoing_line())
        assert (answer.outcome, answer.retry_after) == (outcome, wait)
        assert answer.code.startswith(str(refusal.status))
        assert platform.requests == 1

    @pytest.mark.parametrize(
        ("outgoing", "code"),
        [
            (outgoing_sms("+886900000001", "您好"), "NotForLinePush"),
            (outgoing_line()._replace(claim_id="claim-1"), "NotForLinePush"),
            (outgoing_line(body=LineBody("")), "TextEmptyOrTooLong"),
            (outgoing_line(body=LineBody(" \n")), "TextEmptyOrTooLong"),
            (outgoing_line(body=LineBody("😀" * 2501)), "TextEmptyOrTooLong"),
            (outgoing_line(body=LineBody("x", (LineButton("", "paid"),))), "ButtonsOfWrongSize"),
            (outgoing_line(body=LineBody("x", (LineButton("x" * 21, "paid"),))), "ButtonsOfWrongSize"),
            (outgoing_line(body=LineBody("x", (LineButton("x", "paid"),) * 14)), "ButtonsOfWrongSize"),
            (outgoing_line(body=LineBody("x", (LineButton("x", "已繳"),))), "ButtonsWithoutCode"),
        ],
    )
    def test_a_message_that_line_cannot_take_is_ours_to_repair(
        self, push: LinePushGateway, platform: LinePlatform, outgoing: Outgoing, code: str
    ) -> None:
        answer = push.publish(outgoing)
        assert answer == Published(PublishOutcome.REFUSED_FOR_NOW, code=code, retry_after=AFTER_REPAIR)
        assert platform.requests == 0

    def test_a_yes_without_a_message_id_is_known_by_its_request(
        self, push: LinePushGateway, platform: LinePlatform
    ) -> None:
        platform.will(Refusal("a yes of another version", 200))
        answer = push.publish(outgoing_line())
        assert (answer.outcome, answer.message_id) == (PublishOutcome.ACCEPTED, "6f3b9a30-0000-4000-8000-000000000001")

    def test_the_longest_text_is_taken(self, push: LinePushGateway, platform: LinePlatform) -> None:
        assert push.publish(outgoing_line(body=LineBody("😀" * 2500))).outcome is PublishOutcome.ACCEPTED
        assert platform.bubbles[0].buttons == ()

    def test_a_wrong_token_is_ours_to_repair_and_in_no_answer(self, platform: LinePlatform) -> None:
        gateway = LinePushGateway(api(platform, "stale-token"))
        answer = gateway.publish(outgoing_line())
        assert (answer.outcome, answer.retry_after) == (PublishOutcome.REFUSED_FOR_NOW, AFTER_REPAIR)
        assert "stale-token" not in repr((answer, gateway, vars(gateway)))

    @pytest.mark.parametrize("token", ["", " ", "two\nlines", "鑰匙"])
    def test_what_is_no_token_is_ours_to_repair_and_in_no_error(self, platform: LinePlatform, token: str) -> None:
        answer = LinePushGateway(api(platform, token)).publish(outgoing_line())
        assert answer == Published(PublishOutcome.REFUSED_FOR_NOW, "", "NoAccessToken", AFTER_REPAIR)
        assert platform.requests == 0

    def test_a_token_with_a_line_end_behind_it_is_taken(self, platform: LinePlatform) -> None:
        gateway = LinePushGateway(api(platform, f"{line.ACCESS_TOKEN}\n"))
        assert gateway.publish(outgoing_line()).outcome is PublishOutcome.ACCEPTED

    def test_without_its_token_a_message_is_not_sent_and_asked_for_again_soon(self, platform: LinePlatform) -> None:
        def no_token(_: str) -> str:
            raise ServiceCallError("GetParameter", "ThrottlingException")

        answer = LinePushGateway(LineApi(no_token, origin=platform.origin)).publish(outgoing_line())
        assert answer == Published(PublishOutcome.REFUSED_FOR_NOW, "", "ThrottlingException", SOON)
        assert platform.requests == 0

    def test_half_a_character_in_a_name_breaks_nothing_and_is_in_no_error(
        self, push: LinePushGateway, platform: LinePlatform
    ) -> None:
        assert push.publish(outgoing_line(body=LineBody("王\ud83d您好"))).outcome is PublishOutcome.ACCEPTED
        assert platform.bubbles[0].text == "王\ud83d您好"

    def test_the_token_is_asked_for_each_time(self, platform: LinePlatform) -> None:
        tokens = iter(["stale-token", line.ACCESS_TOKEN])
        gateway = LinePushGateway(LineApi(lambda _: next(tokens), origin=platform.origin))
        outcomes = [gateway.publish(outgoing_line()).outcome for _ in range(2)]
        assert outcomes == [PublishOutcome.REFUSED_FOR_NOW, PublishOutcome.ACCEPTED]

    @pytest.mark.parametrize("length", [64 * 1024, 64 * 1024 + 1, 1024 * 1024])
    def test_an_endless_answer_is_not_read_to_its_end(
        self, push: LinePushGateway, platform: LinePlatform, length: int
    ) -> None:
        platform.will(Refusal("x" * length, 429))
        assert push.publish(outgoing_line()).outcome is PublishOutcome.REFUSED_FOR_NOW
        assert push.publish(outgoing_line()).outcome is PublishOutcome.ACCEPTED


class TestNotifications:
    """Messages to numbers."""

    def test_the_number_leaves_as_a_hash_and_the_claim_as_a_tag(
        self, notice: LineNotificationGateway, platform: LinePlatform
    ) -> None:
        answer = notice.publish(outgoing_notice("+886900000001"))
        assert (answer.outcome, bool(answer.message_id)) == (PublishOutcome.ACCEPTED, True)
        (bubble,) = platform.bubbles
        assert bubble.to == hashlib.sha256(b"+886900000001").hexdigest()
        assert claim_of_tag(bubble.tag) == ClaimKey("C0001", CLAIM_ID)
        ((path, headers, document),) = platform.asked
        assert path == "/bot/pnp/push"
        assert "x-line-retry-key" not in headers
        assert "900000001" not in repr((headers, document))

    def test_a_number_without_line_is_refused_for_good(
        self, notice: LineNotificationGateway, platform: LinePlatform
    ) -> None:
        platform.numbers_without_line.add("+886900000001")
        answer = notice.publish(outgoing_notice("+886900000001"))
        assert answer == Published(PublishOutcome.REFUSED_FOR_GOOD, code="422")

    def test_accepted_later_is_accepted(self, notice: LineNotificationGateway, platform: LinePlatform) -> None:
        platform.will(Refusal("Accepted", 202))
        assert notice.publish(outgoing_notice()).outcome is PublishOutcome.ACCEPTED

    def test_there_is_no_key_so_that_a_conflict_says_nothing(
        self, notice: LineNotificationGateway, platform: LinePlatform
    ) -> None:
        platform.will(Refusal("Conflict", 409))
        assert notice.publish(outgoing_notice()).outcome is PublishOutcome.UNKNOWN

    @pytest.mark.parametrize("phone", ["+819000000001", "+66812345678", "+886900000001"])
    def test_there_are_notifications_in_japan_thailand_and_taiwan(
        self, notice: LineNotificationGateway, phone: str
    ) -> None:
        assert notice.publish(outgoing_notice(phone)).outcome is PublishOutcome.ACCEPTED

    @pytest.mark.parametrize(
        ("outgoing", "outcome", "code"),
        [
            (outgoing_notice("+8613800000000"), PublishOutcome.REFUSED_FOR_NOW, "CountryWithoutNotifications"),
            (outgoing_notice("0912345678"), PublishOutcome.REFUSED_FOR_NOW, "CountryWithoutNotifications"),
            (outgoing_notice("+886 900000001"), PublishOutcome.REFUSED_FOR_GOOD, "NotANumber"),
            (outgoing_notice(text=""), PublishOutcome.REFUSED_FOR_NOW, "TextEmptyOrTooLong"),
            (outgoing_line("+886900000001"), PublishOutcome.REFUSED_FOR_NOW, "NotForLineNotification"),
            (outgoing_sms("+886900000001", "您好"), PublishOutcome.REFUSED_FOR_NOW, "NotForLineNotification"),
        ],
    )
    def test_what_cannot_be_sent_is_refused_without_a_request(
        self,
        notice: LineNotificationGateway,
        platform: LinePlatform,
        outgoing: Outgoing,
        outcome: PublishOutcome,
        code: str,
    ) -> None:
        answer = notice.publish(outgoing)
        assert (answer.outcome, answer.code) == (outcome, code)
        assert platform.requests == 0
