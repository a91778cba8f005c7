"""A policy chooses channels where the law of a place opens them; what is not known, or not accepted, is closed."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import pytest

from dunning.domain.decision.rules import Cap, ChannelRules, Rules, Windows
from dunning.domain.delivery.channels import Channel
from dunning.policy import PolicyBook, PolicyError, load_policies
from tests.support.builders import policies_with_lender, the_policies
from tests.support.people import NOW

DAY = timedelta(days=1)
TEXT = (files("dunning.policy") / "data" / "lenders/demo-tw.toml").read_text("utf-8")
PLACES = {name: place.law for name, place in the_policies().places.by_id.items()}

EMAIL = '[email]\nsender_address = "reminders@notice.demo.example"\nreply_to = "help@demo.example"\n'
LINE = '[line]\naccount = "@demofinance"\n'
VOICE = """
[voice]
origination_number = "+886900000200"
voice = "ZHIYU"
accepted_by = "A. Chen, head of compliance"
accepted_on = 2026-11-30
"""
WHATSAPP = """
[whatsapp]
sender = "phone-number-id-0123"
accepted_by = "A. Chen, head of compliance"
accepted_on = 2026-11-30
[whatsapp.registered]
"whatsapp/zh-Hant/before@1" = "due_soon"
"whatsapp/zh-Hant/before-several@1" = "due_soon_several"
"whatsapp/en/before@1" = "due_soon"
"whatsapp/en/before-several@1" = "due_soon_several"
"""

BEFORE_BY_WHATSAPP = '[stages."-3"]\nchannels = ["whatsapp"]\n'

# Written by hand: o open, - closed for everybody or not known, c closed until a lender accepts the condition.
CHANNELS = """
place    email line voice whatsapp
CN       -     -    -     -
TW       o     o    c     c
HK       o     -    c     c
US       o     -    c     c
US-MA    o     -    c     c
US-DC    o     -    c     c
US-NY    o     -    c     c
GB       o     -    c     c
EU       o     -    c     c
GR       o     -    c     c
IN       -     -    c     c
SG       -     -    c     c
MY       -     -    c     c
ID       -     -    c     c
PH       -     -    c     c
AU       o     -    c     c
TH       -     o    c     c
VN       -     -    c     c
KR       o     -    c     c
JP       -     o    c     c
BR       -     -    c     c
BR-AL    -     -    c     c
BR-AM    -     -    c     c
BR-ES    -     -    c     c
BR-RJ    -     -    c     c
BR-SP    -     -    c     c
default  -     -    -     -
"""


def taiwan(*top: str, country: str = "", tables: str = "") -> str:
    """Return demo-tw for Taiwan alone, with lines more at its top and in its country, and tables more."""
    text = TEXT[: TEXT.index("[countries.HK]")] + country + "\n" + tables
    return text.replace("[sender_name]", "\n".join((*top, "[sender_name]")), 1)


def book_of(text: str) -> PolicyBook:
    return policies_with_lender("demo-tw", text)


def rules_in(text: str, country: str = "TW", phone_country: str = "") -> Rules:
    found = book_of(text).rules("demo-tw", country, "", phone_country, at=NOW)
    assert isinstance(found, Rules)
    return found


def orders(rules: Rules) -> Mapping[int, list[str]]:
    return {stage: [channel.channel.value for channel in order] for stage, order in rules.channels.items()}


def used_rules(rules: Rules, channel: Channel) -> ChannelRules:
    """Return the rules of a channel, which are the same at each stage that uses it."""
    (found,) = {found for order in rules.channels.values() for found in order if found.channel is channel}
    return found


def refusal(text: str) -> str:
    with pytest.raises(PolicyError) as refused:
        book_of(text)
    return str(refused.value)


def test_each_place_opens_the_channels_that_are_known_there_and_no_others() -> None:
    found = {}
    for name, law in PLACES.items():
        entries = [
            law.channels.of(channel) for channel in (Channel.EMAIL, Channel.LINE, Channel.VOICE, Channel.WHATSAPP)
        ]
        found[name] = [
            "-" if each is None else "o" if each.allowed else "c" if each.condition else "-" for each in entries
        ]
    expected = {place: marks for place, *marks in map(str.split, CHANNELS.strip().splitlines()[1:])}
    assert found == expected


def test_every_file_says_of_voice_and_whatsapp_that_they_are_off() -> None:
    for law in PLACES.values():
        for channel in (Channel.VOICE, Channel.WHATSAPP):
            entry = law.channels.of(channel)
            assert entry is not None
            assert not entry.allowed


def test_a_lender_who_says_nothing_of_channels_sends_texts_by_sns_at_every_stage() -> None:
    for name, lender in the_policies().lenders.items():
        if "channels" in lender.policy.model_fields_set:
            continue
        for country in lender.policy.countries:
            rules = the_policies().rules(name, country if len(country) == 2 and country != "EU" else "FR", at=NOW)
            if not isinstance(rules, Rules):
                continue
            (sms,) = {channel for order in rules.channels.values() for channel in order}
            assert set(rules.channels) == set(rules.ladder)
            assert (sms.channel, sms.gateway, sms.caps, sms.consent_required) == (Channel.SMS, "sns", (), False)
            assert (sms.hours, sms.overdue_hours) == (None, None)


def test_a_stage_has_its_own_order_and_a_country_keeps_what_it_names() -> None:
    general = 'channels = ["line", "email", "sms"]'
    of_stage = '[stages."-3"]\nchannels = ["email", "line"]\n'
    everywhere = orders(rules_in(taiwan(general, tables=EMAIL + LINE)))
    assert list(everywhere) == [-3, 0, 3, 7, 15, 30]
    assert all(order == ["line", "email", "sms"] for order in everywhere.values())
    found = orders(rules_in(taiwan(general, tables=EMAIL + LINE + of_stage)))
    assert (found[-3], found[0]) == (["email", "line"], ["line", "email", "sms"])
    only = taiwan(general, country='channels = ["line", "sms"]', tables=EMAIL + LINE + of_stage)
    assert (orders(rules_in(only))[-3], orders(rules_in(only))[0]) == (["line"], ["line", "sms"])
    wider = taiwan(country='channels = ["line", "sms"]', tables=LINE)
    assert orders(rules_in(wider))[0] == ["line", "sms"], "a country may have more than the general order"


def test_the_rules_of_a_channel_say_who_sends_and_by_which_gateway() -> None:
    found = rules_in(taiwan('channels = ["line", "email", "sms"]', country='gateway = "eum"', tables=EMAIL + LINE))
    email, line, sms = (used_rules(found, channel) for channel in (Channel.EMAIL, Channel.LINE, Channel.SMS))
    assert (email.gateway, email.sender, email.reply_to) == (
        "ses",
        "reminders@notice.demo.example",
        "help@demo.example",
    )
    assert (line.gateway, line.sender) == ("line", "@demofinance")
    assert sms.gateway == "eum"
    notices = rules_in(taiwan('channels = ["line"]', tables=LINE + 'gateway = "line_notification"\n'))
    assert used_rules(notices, Channel.LINE).gateway == "line_notification"


def test_voice_has_its_own_hours_and_caps_and_needs_a_consent() -> None:
    found = rules_in(taiwan(tables=VOICE + '[stages."7"]\nchannels = ["sms", "voice"]\n'))
    assert {stage for stage, order in orders(found).items() if "voice" in order} == {7}
    voice = used_rules(found, Channel.VOICE)
    assert (voice.gateway, voice.sender, voice.voice) == ("eum_voice", "+886900000200", "ZHIYU")
    assert set(voice.caps) == {Cap(1, DAY), Cap(3, 7 * DAY)}
    assert voice.consent_required
    assert set(voice.hours_for(found, 0).week) == {((600, 1140),)}
    assert voice.hours_for(found, 1).special[date(2027, 1, 1)] == (), "overdue calls rest on holidays as texts do"
    assert set(found.person_caps) == {Cap(1, DAY), Cap(3, 7 * DAY), Cap(8, 30 * DAY)}, "a channel's caps count no text"


def test_whatsapp_goes_up_to_the_due_date_with_the_templates_that_meta_has_approved() -> None:
    found = rules_in(taiwan(tables=WHATSAPP + '[stages."-3"]\nchannels = ["whatsapp", "sms"]\n'))
    whatsapp = used_rules(found, Channel.WHATSAPP)
    assert (whatsapp.gateway, whatsapp.sender, whatsapp.consent_required) == ("whatsapp", "phone-number-id-0123", True)
    assert whatsapp.registered
    assert whatsapp.registered["whatsapp/en/before@1"] == "due_soon"
    assert orders(found)[0] == ["sms"]


@pytest.mark.parametrize(
    ("tables", "stage"),
    [
        pytest.param(VOICE, '[stages."7"]\nchannels = ["voice"]\n', id="voice"),
        pytest.param(WHATSAPP, '[stages."-3"]\nchannels = ["whatsapp"]\n', id="whatsapp"),
    ],
)
def test_what_has_to_be_accepted_is_off_until_it_is_and_when_it_was_accepted_as_it_read_before(
    tables: str, stage: str
) -> None:
    channel = re.findall(r'"(voice|whatsapp)"', stage)[0]
    assert orders(rules_in(taiwan(tables=tables + stage)))
    silent = "".join(line + "\n" for line in (tables + stage).splitlines() if not line.startswith("accepted_"))
    says = refusal(taiwan(tables=silent))
    assert re.match(r"lenders/demo-tw\.toml:\d+: stages\.-?\d\.channels: ", says)
    assert f"{channel} is closed in Taiwan until the lender accepts the condition beside it" in says
    assert re.search(r"jurisdictions/TW\.toml:\d+; write accepted_by and accepted_on in \[" + channel, says)
    earlier = refusal(taiwan(tables=(tables + stage).replace("accepted_on = 2026-11-30", "accepted_on = 2026-11-29")))
    assert f"{channel} was accepted on 2026-11-29" in earlier
    assert "reads as it does since 2026-11-30" in earlier
    half = (tables + stage).replace("accepted_on = 2026-11-30\n", "")
    assert "accepted_by and accepted_on come together" in refusal(taiwan(tables=half))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(
            taiwan(tables='[stages."5"]\nchannels = ["sms"]\n'), "stages.5: is not one of the ladder's", id="no stage"
        ),
        pytest.param(
            taiwan(tables='[stages."+3"]\nchannels = ["sms"]\n'), "'+3' is no stage such as", id="a stage with a plus"
        ),
        pytest.param(taiwan('channels = ["fax"]'), "channels.0", id="no channel"),
        pytest.param(taiwan("channels = []"), "channels", id="an order of nothing"),
        pytest.param(taiwan('channels = ["sms", "sms"]'), "channels: sms is there twice", id="twice"),
        pytest.param(taiwan('channels = ["line"]'), "channels: line has no sender; add [line]", id="no account"),
        pytest.param(
            taiwan('channels = ["voice"]', tables=VOICE), "channels: voice is used by the stages that", id="calls"
        ),
        pytest.param(
            taiwan(tables=WHATSAPP + '[stages."7"]\nchannels = ["whatsapp"]\n'),
            "stages.7.channels: whatsapp is for stages up to the due date only",
            id="whatsapp of what is overdue",
        ),
        pytest.param(
            taiwan(tables=WHATSAPP + '[stages."0"]\nchannels = ["whatsapp"]\n'),
            "whatsapp.registered: no template for whatsapp/zh-Hant/today@1",
            id="a stage without templates",
        ),
        pytest.param(
            taiwan(tables=WHATSAPP.replace('"whatsapp/en/before@1" = "due_soon"\n', "") + BEFORE_BY_WHATSAPP),
            "whatsapp.registered: no template for whatsapp/en/before@1",
            id="a language without templates",
        ),
        pytest.param(
            taiwan(tables=WHATSAPP + '"whatsapp/en/before@0" = "old"\n'),
            "whatsapp.registered: no such text",
            id="old words",
        ),
        pytest.param(
            taiwan(country='channels = ["line", "sms"]', tables=LINE + '[stages."0"]\nchannels = ["email"]\n' + EMAIL),
            "countries.TW.channels: leaves no channel for stage +0",
            id="a stage with nothing left",
        ),
        pytest.param(
            taiwan(country='channels = ["sms", "whatsapp"]', tables=WHATSAPP),
            "countries.TW.channels: no stage uses whatsapp there",
            id="a channel of no stage",
        ),
        pytest.param(
            taiwan('channels = ["email"]', tables=EMAIL.replace("notice.demo.example", "demo.example")),
            "email.sender_address: is of no sub-domain",
            id="the lender's own domain",
        ),
        pytest.param(
            taiwan('channels = ["email"]', tables=EMAIL.replace("help@demo.example", "Help <help@demo.example>")),
            "email.reply_to",
            id="an address with a name",
        ),
        pytest.param(
            taiwan('channels = ["line"]', tables=LINE + 'gateway = "notify"\n'), "line.gateway", id="no gateway of LINE"
        ),
        pytest.param(taiwan(country='gateway = "pinpoint"'), "countries.TW.gateway", id="no gateway of SMS"),
        pytest.param(
            taiwan('[[caps]]\nat_most = 1\nwithin = "24h"\nscope = "account"\nchannels = ["voice"]\n'),
            "a cap of a channel counts the person",
            id="a channel's cap of an account",
        ),
        pytest.param(
            taiwan('[[caps]]\nat_most = 1\nwithin = "24h"\nscope = "person"\nchannels = ["voice", "line"]\n'),
            "caps.0.channels",
            id="a cap that seems to count two channels together",
        ),
    ],
)  # fmt: skip
def test_a_choice_that_cannot_be_is_refused_by_file_field_and_fix(text: str, says: str) -> None:
    message = refusal(text)
    assert message.startswith("lenders/demo-tw.toml:")
    assert says in message


@pytest.mark.parametrize(
    ("country", "channel", "says"),
    [
        pytest.param("HK", "line", r"nothing is known of line in Hong Kong.*TW\.toml|HK\.toml", id="not known"),
        pytest.param("US", "line", "nothing is known of line in United States", id="not known in any state"),
    ],
)
def test_a_channel_that_a_place_does_not_open_is_refused_with_the_way_out(
    country: str, channel: str, says: str
) -> None:
    text = TEXT.replace("[sender_name]", 'channels = ["line", "sms"]\n\n[sender_name]', 1) + "\n" + LINE
    if country == "US":
        text = text.replace("[countries.HK]", '[countries.HK]\nchannels = ["sms"]')
    message = refusal(text)
    assert re.search(says, message)
    assert f"jurisdictions/{country}" in message
    assert message.endswith(f"give countries.{country} channels without {channel}")
    assert book_of(
        re.sub(r"(\[countries\.(HK|US)\])", r'\1\nchannels = ["sms"]', text.replace('\nchannels = ["sms"]', ""))
    )


def test_china_has_neither_voice_nor_whatsapp_nor_another_gateway_than_sns() -> None:
    chinese = (files("dunning.policy") / "data" / "lenders/demo-cn.toml").read_text("utf-8")
    by_eum = chinese.replace("[countries.CN]", '[countries.CN]\ngateway = "eum"')
    with pytest.raises(PolicyError, match=r"countries\.CN\.gateway: End User Messaging has no field for a registered"):
        policies_with_lender("demo-cn", by_eum)
    called = chinese + VOICE + '[stages."7"]\nchannels = ["voice"]\n'
    with pytest.raises(PolicyError, match="voice is closed in Mainland China for everybody"):
        policies_with_lender("demo-cn", called)
    caps = [cap for cap in PLACES["CN"].caps if cap.channels]
    assert [(cap.at_most, cap.within, cap.channels, cap.mark) for cap in caps] == [(3, DAY, (Channel.VOICE,), "V2")]


def test_the_united_states_count_calls_for_a_week_and_ask_for_a_consent_to_mail() -> None:
    for place in ("US", "US-MA", "US-NY", "US-DC"):
        caps = {(cap.at_most, cap.within.days, cap.is_law) for cap in PLACES[place].caps if cap.channels}
        assert caps == {(1, 1, False), (1, 7, False), (7, 7, True)}
        email = PLACES[place].channels.email
        assert email
        assert email.consent
        assert email.consent.required


def test_a_notice_by_line_goes_to_japan_thailand_and_taiwan_only() -> None:
    text = taiwan('channels = ["line", "sms"]', tables=LINE + 'gateway = "line_notification"\n')
    message = refusal(text + '[countries.HK]\nsender_id = "DEMOFIN"\nmax_price = "0.20"\n')
    assert "line.gateway: LINE's notices go to numbers of JP, TH, TW only" in message
    both = text + '[countries.HK]\nsender_id = "DEMOFIN"\nmax_price = "0.20"\nchannels = ["sms"]\n'
    assert orders(rules_in(both, "TW", "HK"))[0] == ["sms"], "the number is of Hong Kong"


def test_the_law_of_the_number_closes_a_channel_too() -> None:
    text = (
        TEXT.replace("[sender_name]", 'channels = ["line", "email", "sms"]\n\n[sender_name]', 1) + "\n" + EMAIL + LINE
    )
    text = re.sub(r"(\[countries\.(HK|US)\])", r'\1\nchannels = ["email", "sms"]', text)
    assert orders(rules_in(text))[0] == ["line", "email", "sms"]
    abroad = rules_in(text, "TW", "US")
    assert orders(abroad)[0] == ["email", "sms"]
    assert used_rules(abroad, Channel.EMAIL).consent_required, "the law of the United States asks for one"
    assert not used_rules(rules_in(text), Channel.EMAIL).consent_required
    only_here = taiwan(country='channels = ["line", "sms"]', tables=LINE)
    only_here += '[countries.HK]\nsender_id = "DEMOFIN"\nmax_price = "0.20"\n'
    assert orders(rules_in(only_here, "TW", "HK"))[0] == ["sms"], "nothing is known of LINE in Hong Kong"


def test_a_lenders_cap_of_a_channel_may_not_be_looser_than_the_laws_of_that_channel() -> None:
    american = TEXT.replace(
        "[sender_name]",
        '[[caps]]\nat_most = 8\nwithin = "7d"\nscope = "person"\nchannels = ["voice"]\n\n[sender_name]',
        1,
    )
    message = refusal(american)
    assert re.search(
        r"caps\.0: at most 8 is looser than the law of United States, at most 7, jurisdictions/US\.toml:", message
    )
    assert book_of(american.replace("at_most = 8", "at_most = 6"))


def test_a_lenders_cap_of_a_channel_holds_beside_the_laws_and_takes_the_place_of_no_monthly_cap() -> None:
    cap = '[[caps]]\nat_most = 4\nwithin = "60d"\nscope = "person"\nchannels = ["voice"]\n'
    found = rules_in(taiwan(cap, tables=VOICE + '[stages."7"]\nchannels = ["sms", "voice"]\n'))
    assert Cap(4, 60 * DAY) in used_rules(found, Channel.VOICE).caps
    assert not used_rules(found, Channel.SMS).caps
    assert Cap(8, 30 * DAY) in found.person_caps
    assert found.longest_window == 60 * DAY, "the ledger keeps what will be counted"


def test_a_file_may_not_open_voice_or_whatsapp_without_a_condition(folder: Path) -> None:
    file = folder / "jurisdictions/TW.toml"
    text = file.read_text("utf-8")
    start = text.index("[channels.voice]")
    voice = text[start : text.index("[channels.voice.hours]")]
    opened = '[channels.voice]\nallowed = true\nsource = "somebody said so"\nmark = "V2"\nchecked_on = 2026-11-30\n\n'
    file.write_text(text.replace(voice, opened), "utf-8")
    with pytest.raises(PolicyError, match=r"jurisdictions/TW\.toml:\d+: channels.*voice: allowed = true"):
        load_policies(folder)


def test_an_amendment_replaces_the_channels_it_names_and_no_others_from_its_day_on(folder: Path) -> None:
    file = folder / "jurisdictions/TW.toml"
    closed = (
        "\n[[amendments]]\nin_force_from = 2027-01-01\n[amendments.channels.line]\nallowed = false\n"
        'source = "a law of next year"\nmark = "V"\nchecked_on = 2026-11-30\n'
    )
    file.write_text(file.read_text("utf-8") + closed, "utf-8")
    (folder / "lenders/demo-channels.toml").unlink()
    law = load_policies(folder).places.by_id["TW"].law
    before, after = law.on(date(2026, 12, 31)).channels, law.on(date(2027, 1, 1)).channels
    assert (before.line and before.line.allowed, after.line and after.line.allowed) == (True, False)
    assert after.email == before.email
    assert law.where_channel(Channel.LINE, date(2027, 1, 1)) == ("amendments", 0, "channels", "line")
    lender = folder / "lenders/demo-channels.toml"
    lender.write_text(
        taiwan('channels = ["line", "sms"]', tables=LINE).replace('"demo-tw"', '"demo-channels"'), "utf-8"
    )
    with pytest.raises(PolicyError, match=r"line is closed in Taiwan for everybody.*TW\.toml:\d+ \(from 2027-01-01\)"):
        load_policies(folder)


def inside(narrow: Windows, wide: Windows) -> bool:
    return all(any(a <= start and end <= b for a, b in wide) for start, end in narrow)


def test_hours_of_a_channel_are_never_wider_than_the_customers() -> None:
    text = taiwan(
        'hours = { mon-fri = "09:00-12:00, 18:00-20:00", sat = "09:00-11:00", sun = "", holiday = "" }',
        tables=VOICE + '[stages."-3"]\nchannels = ["voice"]\n',
    )
    found = rules_in(text)
    voice = used_rules(found, Channel.VOICE)
    assert voice.hours_for(found, 0).week[0] == ((600, 720), (1080, 1140))
    for narrow, wide in (
        (voice.hours_for(found, stage), wide) for stage, wide in ((0, found.hours), (1, found.overdue_hours))
    ):
        assert all(inside(a, b) for a, b in zip(narrow.week, wide.week, strict=True))
        for day in {*narrow.special, *wide.special}:
            assert inside(
                narrow.special.get(day, narrow.week[day.weekday()]), wide.special.get(day, wide.week[day.weekday()])
            )
        assert narrow.covered_until == wide.covered_until


def test_a_message_has_a_price_on_every_channel_and_only_an_sms_is_counted_in_segments() -> None:
    book = the_policies()
    assert book.price("TW", 2) == book.price("TW", 2, Channel.SMS) == 83_400
    assert book.price("TW", 2, Channel.EMAIL) == 100
    dearest = [book.price("TW", 1, channel) for channel in (Channel.EMAIL, Channel.LINE, Channel.SMS, Channel.VOICE)]
    assert all(a < b for a, b in pairwise(dearest))
    for channel in Channel:
        assert book.price("ZZ", 1, channel) > 0
