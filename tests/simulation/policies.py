"""The policies of the simulation: those of the package, and two lenders who reach people on several channels."""

from functools import cache

from dunning.policy import PolicyBook
from tests.support.builders import policies_with_lender, the_policies

CHANNELS, CALLS = "proof-channels", "proof-calls"

_COMMON = """
id = "{id}"
languages = ["zh-Hant", "en"]
ladder = [-3, 0, 3, 7, 15, 30]
min_days_between_stages = 3
preferred_hour = "10:00"
spread = "0h"
max_segments = 2
hotline = "0800-000-123"
failover_after = "6h"
channels = {channels}

[sender_name]
zh-Hant = "示範分期"
en = "Demo Finance"

[pay]
zh-Hant = "官方APP"
en = "in our app"

[[caps]]
at_most = 1
within = "24h"
scope = "person"

[[caps]]
at_most = 3
within = "7d"
scope = "person"

[countries.TW]
origination_number = "+886900000100"
max_price = "0.20"
gateway = "eum"
"""

_MAIL_AND_LINE = """
[email]
sender_address = "reminders@notice.demo-finance.example"
reply_to = "help@demo-finance.example"

[line]
account = "@demofinance"

[[caps]]
at_most = 2
within = "7d"
scope = "person"
channels = ["line"]
"""

_VOICE = """
[stages."-3"]
channels = ["voice", "sms"]

[stages."0"]
channels = ["voice", "sms"]

[voice]
origination_number = "+886900000200"
voice = "ZHIYU"
accepted_by = "A. Chen, compliance"
accepted_on = 2026-12-01
"""


@cache
def simulated_policies() -> PolicyBook:
    """Return the policies of the package, without the spread, and those of the lenders with several channels."""
    book = the_policies()
    lenders = dict(book.lenders)
    for name, channels, more in (
        (CHANNELS, '["line", "email", "sms"]', _MAIL_AND_LINE),
        (CALLS, '["sms"]', _VOICE),
    ):
        lenders |= policies_with_lender(name, _COMMON.format(id=name, channels=channels) + more).lenders
    return book.with_lenders(lenders)
