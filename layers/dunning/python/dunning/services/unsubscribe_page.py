"""
Unsubscribe page: what people see who open the address of the button for no more mail.

Programs that look through mails for danger open every address. So opening it does nothing: the page has a button.
Nothing on it says whose mail it was, or what about, and it loads nothing.
"""

import base64
from hashlib import sha256

from dunning.contracts.http_call import HttpAnswer

_STYLE = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:4rem auto;padding:0 1rem}"
    "button{font:inherit;padding:.6rem 1.2rem}"
)
_HASH = base64.b64encode(sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex",
}


def _answer(status: int, body: str) -> HttpAnswer:
    page = (
        '<!doctype html><html lang="zh-Hant"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>取消通知 · Unsubscribe</title><style>{_STYLE}</style></head><body><main>{body}</main></body></html>"
    )
    return HttpAnswer(status, page, _HEADERS)


ASK = _answer(
    200,
    "<h1>不再接收通知</h1><p>按下按鈕後,我們不會再傳送任何通知給您。</p>"
    '<p lang="en">Press the button, and we send you no more messages.</p>'
    '<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click">'
    '<button type="submit">不再接收 · <span lang="en">No more messages</span></button></form>',
)
"""The page with the button."""

TAKEN_DOWN = _answer(
    200,
    '<h1>已為您取消</h1><p>我們不會再傳送通知給您。</p><p lang="en">You will get no more messages from us.</p>',
)
"""The page after the button was pressed."""

NOT_OURS = _answer(
    404,
    "<h1>這個連結無法使用</h1><p>請使用郵件中的完整連結,或來電與我們聯絡。</p>"
    '<p lang="en">This address does not work. Use the whole address in the mail, or call us.</p>',
)
"""The page of an address that we have not written."""

NOT_NOW = _answer(
    503,
    "<h1>請稍後再試</h1><p>系統暫時無法處理,您的要求尚未完成。</p>"
    '<p lang="en">We cannot take this down at the moment. Please try again in a few minutes.</p>',
)
"""The page if the wish could not be taken down."""
