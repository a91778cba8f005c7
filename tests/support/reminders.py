"""Reminders to lint: a good message to spoil, good ones to be silent on, bad ones to catch."""

# ruff: noqa: E501 - texts are written in one line, as they are sent

from typing import Any

from dunning.domain.texts.lint import ArrivingText, Linter
from tests.support.builders import the_policies


def the_linter() -> Linter:
    """Return the linter of the package."""
    return the_policies().linter


_VALUES = {
    "zh-Hant": {"sender": "示範分期", "name": "王*明", "tail": "5678", "amount": "NT$3,250", "date": "12/5",
                "pay": "官方APP", "hotline": "0800-000-123"},
    "zh-Hans": {"sender": "示范分期", "name": "王*明", "tail": "5678", "amount": "3,250.00元", "date": "12月5日",
                "pay": "官方APP", "hotline": "400-000-1234"},
    "en": {"sender": "Demo Finance", "tail": "5678", "amount": "USD 325.00", "date": "Dec 5",
           "pay": "in our app", "hotline": "0800-000-123"},
}  # fmt: skip

_TEXTS = {
    "zh-Hant": "【示範分期】王*明您好，分期5678的NT$3,250將於12/5到期，請用官方APP繳款，已繳請忽略，有困難請電0800-000-123",
    "zh-Hans": "【示范分期】王*明您好，分期5678的3,250.00元将于12月5日到期，请用官方APP还款，已还请忽略，有困难请电400-000-1234",
    "en": "Demo Finance: USD 325.00 (plan ending 5678) is due on Dec 5. Pay in our app. Ignore if paid. Trouble? 0800-000-123.",
}
_ONCE_OVERDUE = (
    ("將於12/5到期", "於12/5到期未入帳"),
    ("将于12月5日到期", "于12月5日到期未到账"),
    ("is due on Dec 5", "due Dec 5 is overdue"),
)


def a_message(language: str = "zh-Hant", text: str | None = None, **changes: Any) -> ArrivingText:  # noqa: ANN401 - fields
    """
    Return a good message of a language, with only what a test is about changed.

    `text` replaces the text, `values` are merged into the values, everything else is a field. With `overdue` and without
    a text it speaks of a payment that is overdue.
    """
    if text is None and changes.get("overdue"):
        text = overdue_form(_TEXTS[language])
    values = _VALUES[language] | changes.pop("values", {})
    message = ArrivingText(text or _TEXTS[language], language, values, False, "", False, frozenset())  # noqa: FBT003 - fields
    return message._replace(**changes)


def overdue_form(text: str) -> str:
    """Return a good message as it speaks of the same payment once it is overdue."""
    for before, after in _ONCE_OVERDUE:
        text = text.replace(before, after)
    return text


def with_words(words: str, language: str) -> ArrivingText:
    """Return a good message that says something more at its end."""
    stop = ". " if language == "en" else "。"
    return a_message(language, f"{_TEXTS[language].rstrip('.')}{stop}{words}")


def rules_broken(message: ArrivingText) -> set[str]:
    """Return the ids of the rules that stop a message."""
    return {finding.rule for finding in the_linter().faults(message)}


def rules_met_by(wording: str) -> set[str]:
    """Return the ids of all rules, warnings included, that a wording without values breaks."""
    return {finding.rule for finding in the_linter().wording(wording, "en" if wording.isascii() else "zh-Hant")}


_TEMPLATES = {
    ("zh-Hant", -3): "【{s}】{n}您好，分期（末四碼{l}）本期NT${a}，{d}到期，請至官方APP繳款。已繳請忽略，洽{p}",
    ("zh-Hans", -3): "【{s}】{n}您好，分期（尾号{l}）本期{a}元，还款日{d}，请在APP还款。已还请忽略，客服{p}",
    ("en", -3): "{s}: {c}{a} (plan ending {l}) is due {d}. Pay in our app or call {p}. Ignore if paid. Reply STOP to opt out.",
    ("zh-Hant", -1): "【{s}】{n}您好，分期（末四碼{l}）NT${a}明日{d}到期，需調整請電{p}。已繳請忽略。",
    ("zh-Hans", -1): "【{s}】{n}您好，分期（尾号{l}）{a}元明日{d}到期，请确保余额充足。已还请忽略，客服{p}",
    ("en", -1): "{s}: {c}{a} (plan ending {l}) is due tomorrow, {d}. Need more time? Call {p}. Ignore if paid. "
    "Reply STOP to opt out.",
    ("zh-Hant", 0): "【{s}】{n}您好，分期（末四碼{l}）NT${a}今日到期，請於官方APP繳款。已繳請忽略，洽{p}。",
    ("zh-Hans", 0): "【{s}】{n}您好，您的分期（尾号{l}）今日为还款日，应还{a}元。如已还款请忽略，客服{p}。",
    ("en", 0): "{s}: {c}{a} (plan ending {l}) is due today. If paid, ignore this: it may take 1 business day to post. Help: {p}. "
    "Reply STOP to opt out.",
    ("zh-Hant", 1): "【{s}】{n}您好，未收到分期（末四碼{l}）{d}應繳NT${a}。已繳請忽略，有困難請電{p}。",
    ("zh-Hans", 1): "【{s}】{n}您好，未收到您分期（尾号{l}）{d}应还{a}元。已还请忽略，如有困难请致电{p}。",
    ("en", 1): "{s}: We have not received {c}{a} due {d} (plan ending {l}). Ignore if paid. Trouble paying? {p}. "
    "Reply STOP to opt out.",
    ("zh-Hant", 3): "【{s}】{n}您好，分期（末四碼{l}）逾期{k}天，應繳NT${a}。請繳款或電{p}洽協助方案，已繳請忽略。",
    ("zh-Hans", 3): "【{s}】{n}您好，您的分期（尾号{l}）已逾期{k}天，应还{a}元。请还款或致电{p}了解协商方案，已还请忽略。",
    ("en", 3): "{s}: {c}{a} (plan ending {l}) is {k} days past due. Please pay or call {p} to discuss options. Ignore if paid. "
    "Reply STOP to opt out.",
    ("zh-Hant", 7): "【{s}】{n}您好，分期（末四碼{l}）逾期{k}天，應繳NT${a}（含違約金{f}）。疑義或協商請電{p}，已繳請忽略。",
    ("zh-Hans", 7): "【{s}】{n}您好，分期（尾号{l}）逾期{k}天，应还{a}元（含罚息{f}元）。异议或协商请致电{p}，已还请忽略",
    ("en", 7): "{s}: {c}{a} (plan ending {l}) is {k} days past due, incl. {c}{f} late fee. Questions or hardship: {p}. Ignore if paid. "
    "Reply STOP to opt out.",
    ("zh-Hant", 15): "【{s}】{n}您好，分期（末四碼{l}）逾期{k}天，應繳NT${a}，請於{e}前繳款或電{p}洽還款方案，已繳請忽略。",
    ("zh-Hans", 15): "【{s}】{n}您好，您的分期（尾号{l}）逾期{k}天，应还{a}元，请于{e}前还款或致电{p}协商方案，已还请忽略。",
    ("en", 15): "{s}: {c}{a} (plan ending {l}) is {k} days past due. Please pay by {e} or call {p} for a plan. Ignore if paid. "
    "Reply STOP to opt out.",
    ("zh-Hant", 30): "【{s}】{n}您好，分期（末四碼{l}）逾期{k}天，應繳NT${a}。詳情已另寄書面，請電{p}由專人協助，已繳請忽略。",
    ("zh-Hans", 30): "【{s}】{n}您好，您的分期（尾号{l}）逾期{k}天，应还{a}元。详情已另行书面告知，请致电{p}专员，已还请忽略。",
    ("en", 30): "{s}: {c}{a} (plan ending {l}) is {k} days past due. We mailed your options. Please call {p}. Ignore if paid. "
    "Reply STOP to opt out.",
}  # fmt: skip

_IN_TEMPLATES = {
    "zh-Hant": {"s": "安心分期", "n": "歐陽*明", "a": "13,250", "d": "12/5", "e": "12/20", "p": "0800-000-123"},
    "zh-Hans": {"s": "安心分期", "n": "欧阳*明", "a": "3,250.00", "d": "12月5日", "e": "12月20日", "p": "400-000-1234"},
    "en": {"s": "Sure Pay", "a": "325.00", "d": "Dec 5", "e": "Dec 20", "p": "800-555-0100"},
}


def staged_reminders() -> dict[str, ArrivingText]:
    """Return the reminders of eight stages in three languages, filled with typical values."""
    messages = {}
    for (language, stage), template in _TEMPLATES.items():
        short = _IN_TEMPLATES[language] | {"l": "0042", "c": "USD", "k": str(stage), "f": "100"}
        text = template.format(**short)
        money = {"zh-Hant": f"NT${short['a']}", "zh-Hans": f"{short['a']}元", "en": f"USD{short['a']}"}[language]
        # Where a text names no app, the hotline is the way to pay.
        app = next((way for way in ("官方APP", "APP", "our app") if way in text), short["p"])
        values = {"sender": short["s"], "tail": "0042", "amount": money, "date": short["d"], "pay": app,
                  "hotline": short["p"], "days": str(stage)}  # fmt: skip
        if "n" in short:
            values["name"] = short["n"]
        if "{f}" in template:
            values["fee"] = "100"
        opt_out = " Reply STOP to opt out." if language == "en" else ""
        messages[f"{language} {stage:+d}"] = ArrivingText(
            text, language, values, stage > 0, opt_out, links_allowed=False, link_domains=frozenset()
        )
    return messages


GOOD = (
    "如您已委任律師請告知",
    "本行不會寄送任何連結，請勿點擊",
    "您好，本公司為合法融資公司，將依合約提供服務",
    "您的分期已结清，结清证明可在APP下载",
    "如您已離職或收入減少，請與我們聯繫討論還款方案",
    "Your card ending 1234 was declined. Please update your payment method in our app.",
    "You have the right to dispute this amount within 30 days.",
    "Lost your job? We can pause your plan.",
    "您的账单2000元即将到期，请及时还款，如已还款请忽略",
    "您好，您的借款今天到期，请您在中午前还款，如已还款请忽略，谢谢。回T退订",
    "您此前约定的还款安排即将到期，如需调整方案，请及时联系客服",
    "尊敬的客户，您尾号1234的信用卡本期账单应还3,000.00元，最低还款300.00元，到期还款日12月5日",
    "本期帳單已出帳，繳款期限12/5，超商、ATM或網路銀行皆可繳款",
    "親愛的客戶您好，提醒您本期分期款將於明日自動扣款，請確認帳戶餘額",
    "感謝您的付款，您的帳戶已更新",
    "因系統維護，今晚10點至12點暫停服務，不便之處敬請見諒",
    "如遇天災影響，可來電申請延期繳款",
    "若對金額有疑問，請於上班時間來電，將由專人為您說明",
    "您的還款計畫已成立，案件編號A123",
    "已為您建立案件，專員將與您聯絡",
    "我司不會要求您提供密碼",
    "我司不會以任何方式向您索取密碼、驗證碼或卡號",
    "謹防詐騙！本公司僅有0800-000-123一支專線",
    "本公司絕不會派員上門收款，亦不會要求轉帳至個人帳戶",
    "请勿向任何人透露验证码、密码，谨防诈骗",
    "请勿相信自称公安、法院的来电",
    "嚴禁人員以暴力、恐嚇或上門方式催收，申訴請電0800-000-123",
    "我们不会联系您的家人、同事或邻居",
    "遺失信用卡請撥客服專線",
    "至線上門市或商家人員處皆可繳款",
    "額度滾動更新，不同事項請分別來電",
    "預警方案已通知，請查公司法務部公告",
    "回覆STOP退訂",
    "Your payment of USD 120.00 is scheduled for tomorrow. No action needed.",
    "Thanks for your payment. Your next instalment is due on 5 Jan.",
    "Courtesy reminder: your plan is due on Tuesday. Any issue? Call us.",
    "If you've already paid, please ignore this message.",
    "We'd like to help: call us to set up a payment plan that works for you.",
    "We can offer a plan. Pay off the balance whenever you like.",
    "We will never ask for your password, PIN or one-time code by text.",
    "Do not share your PIN with anyone.",
    "Never give your card number to callers who claim to be the police.",
    "Beware of fraud: our only number is 0800-000-123.",
    "We do not and will not contact your family or your employer.",
    "Visit our branch at 12 Court Street, Mon-Fri 9-5.",
    "Can't pay in full? Don't worry, we can help.",
    "It's due today. Paid already? Then ignore this.",
    "Please review your plan; the warranty team is at 0800-000-123.",
    "Opting out? Reply STOP. Msg&data rates may apply.",
    "Your autopay date is 5/12. Ensure funds are available, incl. any bank charge.",
)
"""Wordings of real and ordinary reminders, service messages and notices against fraud."""

BAD = {
    "请尽快还款，否则会有高额的罚款,及意料之外的生活困扰": "last-notice",
    "今日需还3000元，否则将联系您的亲属及单位": "third-parties",
    "再不還款將移送法院、查封薪資": "threat-to-seize",
    "您已涉嫌诈骗，公安将立案": "false-authority",
    "将列入失信名单": "shame",
    "將列入黑名單": "shame",
    "已通知您紧急联系人": "third-parties",
    "已通知您的公司": "third-parties",
    "今日18:00前不处理上门": "visits",
    "Final notice before legal action": "last-notice",
    "【X】您的借款已逾期7天。现可申请分期减免（最高20%），请于今日18:00前联系": "false-urgency",
    "您的借款 ¥2000 已逾期": "refused-character",
    "請勿拖延否則起訴": "threat-of-suit",
    "勿逾期起訴": "threat-of-suit",
    "我們不會不起訴": "threat-of-suit",
    "不要以為我們不會起訴": "threat-of-suit",
    "不得不將您起訴": "threat-of-suit",
    "不得已只好起訴": "threat-of-suit",
    "不排除起訴": "threat-of-suit",
    "不會放棄起訴": "threat-of-suit",
    "只要今日繳款就不會起訴": "threat-of-suit",
    "若您今日繳款，我們不會起訴": "threat-of-suit",
    "我們不想打擾您，起訴在即": "threat-of-suit",
    "請勿忽視法院通知": "false-authority",
    "不要等到法院上門": "false-authority",
    "勿讓家人擔心": "third-parties",
    "不會另行通知直接上門": "visits",
    "會不會上門由您決定": "visits",
    "我們不會打擾您. 起訴見": "threat-of-suit",
    "嚴禁拖欠 法院見": "false-authority",
    "Do not ignore this or we will sue": "threat-of-suit",
    "Not paying means a lawsuit": "threat-of-suit",
    "No payment, arrest follows": "threat-of-arrest",
    "Without payment we will call the police": "false-authority",
    "We will not hesitate to sue": "threat-of-suit",
    "We have no choice but to sue": "threat-of-suit",
    "You cannot avoid jail": "threat-of-arrest",
    "You can't escape a lawsuit": "threat-of-suit",
    "Don't think we won't sue": "threat-of-suit",
    "Don't make us call your employer": "third-parties",
    "Don't end up in jail": "threat-of-arrest",
    "Don't go to jail over this": "threat-of-arrest",
    "Never mind the cost, we sue": "threat-of-suit",
    "This is not a joke: you will be arrested": "threat-of-arrest",
    "We will not sue if you pay today": "threat-of-suit",
    "If you pay today we will not sue": "threat-of-suit",
    "You have not been sued yet": "threat-of-suit",
    "No lawsuit for now": "threat-of-suit",
    "Nobody can stop the lawsuit": "threat-of-suit",
    "Why not avoid court?": "false-authority",
    "We did not want to involve your family": "third-parties",
    "Reply with your password": "asks-for-secrets",
    "请回复验证码": "asks-for-secrets",
    "Pay now and get 20% off": "marketing",
    "现在还款享优惠": "marketing",
    "You deadbeat idiot": "abuse",
    "請點 bit.ly/abc": "short-link",
    "再不还钱就去你家找你": "visits",
    "我們會讓全公司都知道你欠錢": "third-parties",
    "您的行为已构成犯罪": "threat-of-arrest",
    "I would not like to see you arrested": "threat-of-arrest",
    "Pay or else": "last-notice",
}
"""Wordings seen in the wild or made up to slip through, each with a rule that has to catch it."""
