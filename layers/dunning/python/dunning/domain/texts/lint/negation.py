"""
Negation: when a forbidden word is denied rather than said, as in "we will never ask for your password".

A negator counts only in the clause of the word, shortly before it, and with nothing between that turns it into a
threat: "do not ignore this or we will sue", 請勿拖延否則起訴, 不會不起訴. What is doubtful is not denied.
"""

import re
from itertools import pairwise

_LONGEST_LOOK_BACK = 90
_SHORT_ZH = 14
_SHORT_EN = 60

_CLAUSE_END = re.compile(
    r"[。，；：！？,;:!?【】()=>\n]|\.(?=\s|$)|(?<=[\u3400-\u9fff])\s+(?=[\u3400-\u9fff]|$)|\s[-/]\s|—|→"
)
_SENTENCE_END = re.compile(r"[。；！？;!?\n]|\.(?=\s|$)")

ZH_NEGATOR = re.compile(
    "绝不会|决不会|从不会|(?<!会)不会|绝不|决不|从不|不得(?!不|已)|不可|不能|不需|不须|不必|不用|无需|无须|毋需|毋须|"
    "严禁|禁止|并非|恕不|(?<!是)不是|不含|不收(?!到)|不另收|不涉|不属|谨防|慎防|提防|严防|杜绝|(?P<command>请勿|切勿|勿|不要|千万别|请别|(?<![特个分级区类性])别(?!的|人|处|名|于))"
)
ZH_TURN = re.compile(
    "否则|不然|要不|则|就|即将|将(?=被|会|由|面临|遭|移|依|对)|(?<=.)将$|会|而|导致|造成|引发|引起|引来|惹|"
    "等(?=到|待|着|法|警|公|律|上)|直到|除非|免|后果|逾|拖|欠|延|迟|忽|无视|漠视|视若|忘|错过|逃|躲|避|"
    "放弃|放过|放任|停止|取消|撤|犹豫|手软|留情|客气|姑息|宽容|宽贷|宽限|只|仅|以为|认为|觉得|侥幸|抗拒|对抗|拒绝|拒不|"
    "挑战|试探|不|未(?!经)|无不|再(?=通知|提醒|另|给|行)|排除|小看|轻视|低估|逼|迫|让|令|使(?!用)|害|连累|牵累|牵连|"
    "另行|事先|提前|预先|先行|直接|径|随时|怕|担心|奇怪|意外|保证|罢|惊动|麻烦"
)
ZH_WARNED = re.compile(
    "相信|轻信|听信|信|理会|点|提供|透露|告诉|告知|泄|转|汇|回复|接听|输入|分享|交|给|假|冒|自称|填|说|出示|借|将|把|向|回拨"
)
"""What one is told not to do by a notice against fraud. Any other 請勿 … before a threat may well be a part of it."""
ZH_CONDITION = re.compile(
    "只要|如期|按时|按期|准时|付清|缴清|结清|还清|(?:还款|缴款|付款)(?:后|即|就|则)|(?:若|如果?)(?!.{0,3}已).{0,8}[还缴付]"
)
_ZH_APART = re.compile("[、/或及和与且亦也并]")

_EN_NEGATOR = re.compile(r"\b(?:not|never|no|nor|neither|cannot|without|[a-z]+n't|wont|dont|cant)\b")
_EN_TURN = re.compile(
    r"\bor (?:we|you|i|they|else|face|risk|be|expect|the|our|there|it|go|get)\b|\b(?:else|otherwise|unless|until|till|"
    r"will|shall|would|may|might|could|can|must|ignor\w+|delay\w*|late|miss\w*|fail\w*|pay\w*|paid|non\w+|avoid\w*|wait\w*|"
    r"forc\w+|make|makes|only|just|merely|but|lest|think|thinking|believ\w+|assum\w+|doubt\w*|hesitat\w+|because|mean|means|"
    r"lead\w*|result\w*|before|if|when|then|so|forget|underestimate|refus\w+|stop\w*|let|want|wish|like|hate|see|excus\w+|longer|yet|"
    r"alternative|choice|option|guarantee|rule|exclud\w+|preclud\w+|prevent\w*|escap\w+|hid\w+|run|evad\w+|dodg\w+|protect\w*|"
    r"save|help|keep|spare|joke|joking|kidding|bluff\w*|afraid|free|exempt|immune|safe|anything|not|never|no|cannot|"
    r"without|[a-z]+n't)\b"
)
_EN_COMMAND = re.compile(r"(?:^|\b(?:please|so|and|but|also|then)\s)\s*(?:do\s)?\s*$")
_EN_WARNED = re.compile(
    r"\b(?:shar\w+|giv\w+|tell\w*|send\w*|reply\w*|provid\w+|disclos\w+|reveal\w*|trust\w*|respond\w*|answer\w*|enter\w*|"
    r"click\w*|forward\w*|show\w*|hand|type|text|email|say|transfer\w*|fall)\b"
)
_EN_APART = re.compile(r"\b(?:and|or|nor)\b|/|&")
_EN_SAME_TWICE = re.compile(r"\b(not|never)( and| or|,)*( will| do| does| would| shall)* (?:not|never)\b")
_EN_CONDITION = re.compile(
    r"\b(?:if|once|when|as long as|provided|after|unless)\b.{0,30}\b(?:pay|paid|payment|settle|repay|act|call)|"
    r"\bfor now\b|\byet\b"
)

_GLUE = re.compile(
    r"(?:[\s,、/&\"'「」]|\b(?:or|and|nor|your|the|an?|any|full|even|bank|card|account|sms|text)\b|或者?|以及|及|和|与|您的|等|"
    "任何|银行|卡片?|短信|简讯|手机)*"
)


def is_denied(folded: str, start: int, end: int, *, even_if_conditional: bool) -> bool:
    """
    Tell whether the word at `start` to `end` of a folded text is denied.

    Unless `even_if_conditional`, a denial that hangs on payment ("no lawsuit if you pay today") is none.
    """
    earliest = max(0, start - _LONGEST_LOOK_BACK)
    clause = _after_last(_CLAUSE_END, folded[earliest:start])
    if not (_denied_in_chinese(clause) or _denied_in_english(clause)):
        return False
    if even_if_conditional:
        return True
    ahead = _SENTENCE_END.search(folded, end)
    sentence = _after_last(_SENTENCE_END, folded[:start]) + folded[end : ahead.start() if ahead else None]
    return not (ZH_CONDITION.search(sentence) or _EN_CONDITION.search(sentence))


def continues_list(between: str) -> bool:
    """Tell whether a text between a denied word and the next is only what joins a list: "password, PIN or OTP"."""
    return _GLUE.fullmatch(between) is not None


def _after_last(mark: re.Pattern[str], text: str) -> str:
    end = 0
    for match in mark.finditer(text):
        end = match.end()
    return text[end:]


def _denied_in_chinese(clause: str) -> bool:
    negators = list(ZH_NEGATOR.finditer(clause))
    if not negators:
        return False
    last = negators[-1]
    gap = clause[last.end() :]
    if len(gap) > _SHORT_ZH or ZH_TURN.search(gap):
        return False
    if last["command"] and gap and not ZH_WARNED.search(gap):
        return False
    # 不要以為我們不會起訴: two negators make a threat, unless they stand side by side, 不得暴力、不得上門.
    return all(_ZH_APART.search(clause, negator.end(), following.start()) for negator, following in pairwise(negators))


def _denied_in_english(clause: str) -> bool:
    clause = _EN_SAME_TWICE.sub(r"\1", clause)
    negators = list(_EN_NEGATOR.finditer(clause))
    if not negators:
        return False
    last = negators[-1]
    gap = clause[last.end() :]
    if len(gap) > _SHORT_EN or _EN_TURN.search(gap):
        return False
    if gap.strip() and _EN_COMMAND.search(clause[: last.start()]) and last[0] != "no" and not _EN_WARNED.search(gap):
        return False
    return all(_EN_APART.search(clause, negator.end(), following.start()) for negator, following in pairwise(negators))
