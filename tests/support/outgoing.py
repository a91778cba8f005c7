"""Outgoing messages as a sender makes them, with what a test wants to be different."""

from datetime import UTC, datetime

from dunning.domain.delivery.channels import Channel
from dunning.ports.outgoing import Body, LineBody, LineButton, MailBody, Outgoing, SmsBody, SpokenBody, WhatsAppBody

CLAIMED_AT = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
LAPSES_AT = datetime(2026, 12, 1, 12, 50, tzinfo=UTC)
SEND_ID, CLAIM_ID = "5e" * 16, "c1" * 16


def outgoing_to(channel: Channel, address: str, body: Body) -> Outgoing:
    """Return a claimed message."""
    return Outgoing(
        channel=channel,
        address=address,
        body=body,
        customer_id="C0001",
        send_id=SEND_ID,
        claim_id=CLAIM_ID,
        claimed_at=CLAIMED_AT,
        lapses_at=LAPSES_AT,
    )


def outgoing_sms(phone: str, text: str, *, max_price: str = "", template: str = "", **sender: str) -> Outgoing:
    """Return a text to a number; `sender` are fields of its body."""
    outgoing = outgoing_to(Channel.SMS, phone, SmsBody(text, **sender))
    return outgoing._replace(max_price=max_price, registered_template=template)


MAIL = MailBody(
    subject="示範分期：您的帳單提醒",
    text="王*明您好，末碼5678分期款NT$3,250將於12/4到期。",
    html="<p>王*明您好，末碼5678分期款NT$3,250將於12/4到期。</p>",
    sender_name="示範分期",
    sender_address="notice@mail.lender.example",
    unsubscribe_url="https://contact.lender.example/unsubscribe/tok_en-1",
)


def outgoing_mail(address: str = "wang@example.com", **changes: str) -> Outgoing:
    """Return a mail; `changes` are fields of its body."""
    return outgoing_to(Channel.EMAIL, address, MAIL._replace(**changes))


LINE_USER = "U" + "a1" * 16
LINE_BODY = LineBody(
    "王*明您好，末碼5678分期款NT$3,250將於12/4到期", (LineButton("已繳", "paid"), LineButton("不要再傳", "opt_out"))
)


def outgoing_line(user_id: str = LINE_USER, body: LineBody = LINE_BODY) -> Outgoing:
    """Return a message to a friend on LINE."""
    return outgoing_to(Channel.LINE, user_id, body)


def outgoing_notice(phone: str = "+886900000001", text: str = LINE_BODY.text) -> Outgoing:
    """Return a notification message of LINE to a number."""
    return outgoing_to(Channel.LINE, phone, LineBody(text))


SPEECH = SpokenBody("這是示範分期。王先生，請撥打我們的客服電話。", "ZHIYU", "+18005550100")


def outgoing_call(phone: str = "+886900000001", body: SpokenBody = SPEECH) -> Outgoing:
    """Return a call to a number."""
    return outgoing_to(Channel.VOICE, phone, body)


WHATSAPP = WhatsAppBody(
    text="王*明您好，末碼5678分期款NT$3,250將於12/4到期",
    language="zh_TW",
    parameters=("王*明", "5678", "NT$3,250", "12/4"),
    sender="phone-number-id-976c72a700aac43eaf573ae050example",
)


def outgoing_whatsapp(phone: str = "+886900000001", body: WhatsAppBody = WHATSAPP) -> Outgoing:
    """Return a message on WhatsApp, of the template `before_3`."""
    return outgoing_to(Channel.WHATSAPP, phone, body)._replace(registered_template="before_3")
