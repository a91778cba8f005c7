"""The button for no more mail: a POST with our own token, and nothing else, unsubscribes."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.adapters.ses import SesGateway
from dunning.contracts.unsubscribe import parse_unsubscribe, unsubscribe_token
from dunning.domain.delivery.channel_events import ChannelWish, Wish
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.receipt import ClaimKey
from dunning.domain.errors import UnreadableRecordError
from tests.support.outgoing import CLAIM_ID, outgoing_mail

SECRET = "a secret"
AT = datetime(2026, 12, 1, 3, 0, tzinfo=UTC)
ONE_CLICK = b"List-Unsubscribe=One-Click"
TOKEN = unsubscribe_token("C0001", CLAIM_ID, SECRET)
IN_PARTS = b'------x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n------x--\r\n'


@pytest.mark.parametrize("body", [ONE_CLICK, ONE_CLICK + b"&x=1", b"a=b&" + ONE_CLICK, IN_PARTS])
def test_the_button_unsubscribes_the_customer_of_the_mail(body: bytes) -> None:
    assert parse_unsubscribe(TOKEN, body, SECRET, AT) == ChannelWish(
        Channel.EMAIL, Wish.UNSUBSCRIBED, f"unsubscribe:{CLAIM_ID}", AT, claim=ClaimKey("C0001", CLAIM_ID)
    )


@pytest.mark.parametrize(
    "body",
    [b"", b"List-Unsubscribe=", b"List-Unsubscribe=one-click", b"One-Click", b"x" * 5000, b"&" * 100, b"\xff\xfe"],
)
def test_a_call_that_is_not_the_button_s_unsubscribes_nobody(body: bytes) -> None:
    """A program that looks through mails may call the address, and a person may only have looked."""
    with pytest.raises(UnreadableRecordError, match=r"^not the button for no more mail: body$"):
        parse_unsubscribe(TOKEN, body, SECRET, AT)


@given(st.data())
def test_a_token_with_another_character_names_nobody(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(TOKEN) - 2))  # the last one has bits that nothing reads
    other = data.draw(st.characters().filter(lambda character: character != TOKEN[place]))
    with pytest.raises(UnreadableRecordError, match=r"^not the button for no more mail: token$"):
        parse_unsubscribe(TOKEN[:place] + other + TOKEN[place + 1 :], ONE_CLICK, SECRET, AT)


@given(st.text())
def test_no_other_token_names_anybody(token: str) -> None:
    with pytest.raises(UnreadableRecordError):
        parse_unsubscribe(token, ONE_CLICK, SECRET, AT)


def test_a_token_longer_than_ours_is_not_even_unpacked() -> None:
    with pytest.raises(UnreadableRecordError, match=r"token$"):
        parse_unsubscribe(TOKEN + "A" * 400, ONE_CLICK, SECRET, AT)


def test_another_secret_signs_nothing_and_neither_does_none() -> None:
    for secret, why in (("another", "token"), ("", "no secret is set")):
        with pytest.raises(UnreadableRecordError, match=why):
            parse_unsubscribe(TOKEN, ONE_CLICK, secret, AT)
    with pytest.raises(UnreadableRecordError, match="no secret is set"):
        parse_unsubscribe(unsubscribe_token("C0001", CLAIM_ID, ""), ONE_CLICK, "", AT)


@given(st.text("Cabz09._:-", min_size=1, max_size=64))
def test_the_token_of_any_customer_comes_back_and_fits_into_the_address_of_a_mail(customer_id: str) -> None:
    token = unsubscribe_token(customer_id, CLAIM_ID, SECRET)
    assert parse_unsubscribe(token, ONE_CLICK, SECRET, AT).claim == ClaimKey(customer_id, CLAIM_ID)
    url = f"https://contact.lender.example/unsubscribe/{token}"

    class Client:
        def send_email(self, **request: object) -> dict[str, str]:
            assert url in repr(request)
            return {"MessageId": "m"}

    assert SesGateway(Client(), "c").publish(outgoing_mail(unsubscribe_url=url)).message_id == "m"
