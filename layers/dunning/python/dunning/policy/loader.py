"""
Load jurisdictions, lenders, texts and calendars, and combine them into the rules for a customer.

Whatever is wrong with a file is refused here, at start, naming file, field and reason; never at send time.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError

from dunning.domain.decision import Reason
from dunning.domain.errors import DunningError, TextError
from dunning.domain.facts import Facts
from dunning.domain.rules import Cap, ContactHours, Rules, Scope
from dunning.domain.text import Text, compile_text
from dunning.policy.schema import (
    CalendarFile,
    ClosedDays,
    ForbiddenFile,
    JurisdictionFile,
    LenderFile,
    PricesFile,
    SnsFile,
    Week,
    Windows,
    WordingFile,
)
from dunning.policy.wording import Wordings

_DATA = files("dunning.policy")
_SUNDAY = 6
_REQUIRED_PLACEHOLDERS = frozenset({"name", "tail", "amount", "date", "pay", "hotline"})
"""A reminder says for whom, which account, how much, due when, how to pay and whom to ask (rules.md 1.19)."""


class PolicyError(DunningError):
    """A data file is refused. The message names the file, the field and the reason."""


def _parse(name: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{name}: not TOML: {error}") from error


def _validate[M: BaseModel](model: type[M], name: str, raw: object, *under: str) -> M:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join((*under, *map(str, first["loc"])))
        raise PolicyError(f"{name}: {where}: {first['msg']}") from error


def _read[M: BaseModel](model: type[M], name: str, text: str) -> M:
    return _validate(model, name, _parse(name, text))


def _toml_files(folder: Traversable) -> dict[str, str]:
    return {
        entry.name.removesuffix(".toml"): entry.read_text("utf-8")
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".toml")
    }


def _intersect(one: Windows, other: Windows) -> Windows:
    both = ((max(a, c), min(b, d)) for a, b in one for c, d in other)
    return tuple((start, end) for start, end in both if start < end)


def narrow(*weeks: Week | None) -> Week:
    """Return the hours that all of several weeks allow; `None` allows all."""
    narrowest: Week = tuple(((0, 24 * 60),) for _ in range(7))
    for week in weeks:
        if week is not None:
            narrowest = tuple(_intersect(a, b) for a, b in zip(narrowest, week, strict=True))
    return narrowest


def default_urgency(ladder: Iterable[int]) -> tuple[int, ...]:
    """Order stages by urgency: due today, then before due, then overdue by age."""
    return tuple(sorted(ladder, key=lambda stage: (stage != 0, stage > 0, stage if stage > 0 else -stage)))


@cache
def zones_of_countries() -> Mapping[str, tuple[str, ...]]:
    """Return the time zones of every country, from the IANA table zone.tab."""
    zones: dict[str, tuple[str, ...]] = {}
    for line in (files("tzdata") / "zoneinfo" / "zone.tab").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            country, _, name, *_ = line.split("\t")
            zones[country] = (*zones.get(country, ()), name)
    return zones


def load_texts(language: str, name: str, source: str) -> tuple[dict[tuple[str, int, bool], Text], dict[str, str]]:
    """
    Read the texts of one language and its phrases: the opt-out line, and what stands for further accounts.

    Raises:
        PolicyError: the file is not as it should be, or a text lacks a placeholder it must have.
    """
    raw = _parse(name, source)
    if raw.pop("language", None) != language:
        raise PolicyError(f"{name}: language: is not {language!r}, as the file's name says")
    phrases: dict[str, str] = {}
    for phrase in ("opt_out_line", "and_others"):
        phrases[phrase] = raw.pop(phrase, "")
        if not isinstance(phrases[phrase], str) or not phrases[phrase]:
            raise PolicyError(f"{name}: {phrase}: missing")
    texts: dict[tuple[str, int, bool], Text] = {}
    for key, table in raw.items():
        wording = _validate(WordingFile, name, table, key)
        for several, suffix, pattern in ((False, "", wording.single), (True, "-several", wording.several)):
            if (language, wording.stage, several) in texts:
                raise PolicyError(f"{name}: {key}.stage: {wording.stage} is there twice")
            try:
                text = compile_text(f"{language}/{key}{suffix}@{wording.version}", pattern)
            except TextError as error:
                raise PolicyError(f"{name}: {error}") from error
            required = _REQUIRED_PLACEHOLDERS | ({"count"} if several else set())
            if missing := sorted(required - set(text.placeholders)):
                raise PolicyError(f"{name}: {key}{suffix}: lacks {{{'}, {'.join(missing)}}}")
            texts[language, wording.stage, several] = text
    return texts, phrases


class PolicyBook:
    """All policies, loaded and checked. Rules are combined once for each kind of customer and then kept."""

    def __init__(
        self,
        jurisdictions: Mapping[str, JurisdictionFile],
        lenders: Mapping[str, LenderFile],
        texts: Mapping[tuple[str, int, bool], Text],
        phrases: Mapping[str, Mapping[str, str]],
        prices: PricesFile,
        calendar_of: Callable[[str], CalendarFile | None],
    ) -> None:
        self.jurisdictions = jurisdictions
        self.lenders = lenders
        self.texts = texts
        self.opt_out_lines = {language: of["opt_out_line"] for language, of in phrases.items()}
        self.and_others = {language: of["and_others"] for language, of in phrases.items()}
        self._calendar_of = calendar_of
        self._rules: dict[tuple[str, str, str, str], Rules | Reason] = {}
        self._prices = {country: int(price * 1_000_000) for country, price in prices.per_segment.items()}

    def rules_for(self, facts: Facts) -> Rules | Reason:
        """Return the rules for a customer, or why there are none."""
        key = (facts.lender, facts.country, facts.region, facts.phone_country)
        rules = self._rules.get(key)
        if rules is None:
            rules = self._rules[key] = self._combine(*key)
        return rules

    def price(self, country: str, parts: int) -> int:
        """Estimate the carrier fee of a text in millionths of a US dollar."""
        return self._prices.get(country, self._prices["default"]) * parts

    def _combine(self, lender_id: str, country: str, region: str, phone_country: str) -> Rules | Reason:
        lender = self.lenders.get(lender_id)
        if lender is None:
            return Reason.UNKNOWN_LENDER
        place = self._place(country, region)
        carrier_place = self._place(phone_country, "")
        if place is None or carrier_place is None:
            return Reason.UNKNOWN_JURISDICTION
        zones = self._zones(country, region)
        if phone_country != country:
            zones = tuple(dict.fromkeys((*zones, *self._zones(phone_country, ""))))
        sns = lender.sns.get(phone_country) or lender.sns.get("default") or SnsFile(max_price="0.00")
        caps = {Cap(cap.at_most, cap.within, cap.scope): None for cap in (*place.caps, *lender.caps)}
        week = narrow(place.hours.ours.week, place.hours.law.week if place.hours.law else None, lender.hours)
        opt_out_line = self.opt_out_lines if place.opt_out_line.required else {}
        return Rules(
            lender=lender.id,
            jurisdiction=place.id,
            zones=tuple(ZoneInfo(name) for name in zones),
            ladder=lender.ladder,
            urgency=lender.urgency or default_urgency(lender.ladder),
            min_days_between_stages=lender.min_days_between_stages,
            preferred_minute=lender.preferred_hour,
            hours=self._hours(country, week, [c for c in place.closed_days if c.stages == "all"]),
            overdue_hours=self._hours(country, week, place.closed_days),
            person_caps=tuple(cap for cap in caps if cap.scope is Scope.PERSON),
            account_caps=tuple(cap for cap in caps if cap.scope is Scope.ACCOUNT),
            longest_window=max((cap.window for cap in caps), default=timedelta()),
            consent_required=place.consent.required,
            languages=lender.languages,
            texts=self.texts,
            sender_name=lender.sender_name,
            pay=lender.pay,
            hotline=lender.hotline,
            opt_out_line=opt_out_line,
            and_others=self.and_others,
            signature_by_carrier=carrier_place.carrier.signature_by_carrier,
            max_parts=lender.max_segments,
            registered=sns.registered if carrier_place.carrier.registered_template else None,
            sender_id=sns.sender_id if carrier_place.carrier.sender_id else "",
            origination_number=sns.origination_number,
            entity_id=sns.entity_id,
            max_price=sns.max_price,
            retention_days=place.retention.days,
        )

    def _place(self, country: str, region: str) -> JurisdictionFile | None:
        if country not in zones_of_countries():
            return None
        return (
            self.jurisdictions.get(f"{country}-{region}")
            or self.jurisdictions.get(country)
            or self.jurisdictions["default"]
        )

    def _zones(self, country: str, region: str) -> tuple[str, ...]:
        place = self.jurisdictions.get(country)
        if place is None:
            return zones_of_countries()[country]
        return place.regions.get(region, place.time_zones)

    def _hours(self, country: str, week: Week, closed: Iterable[ClosedDays]) -> ContactHours:
        days = {entry.day for entry in closed}
        if "sunday" in days:
            week = tuple(() if day == _SUNDAY else windows for day, windows in enumerate(week))
        if "public_holiday" not in days:
            return ContactHours(week)
        calendar = self._calendar_of(country)
        if calendar is None:
            return ContactHours(week, covered_until=date.min)
        return ContactHours(week, frozenset(calendar.holidays), calendar.valid_until)


def check_lender(name: str, lender: LenderFile, texts: Mapping[tuple[str, int, bool], Text]) -> None:
    """
    Check what one field of a policy demands of another.

    Raises:
        PolicyError: for example a stage without a text, or stages closer together than they may be.
    """
    if list(lender.ladder) != sorted(set(lender.ladder)):
        raise PolicyError(f"{name}: ladder: not ascending, or a stage is there twice")
    gaps = [later - earlier for earlier, later in zip(lender.ladder, lender.ladder[1:], strict=False)]
    if gaps and min(gaps) < lender.min_days_between_stages:
        raise PolicyError(
            f"{name}: min_days_between_stages: {lender.min_days_between_stages} is more than the "
            f"{min(gaps)} days between two stages of the ladder; the later one would always be late"
        )
    if lender.urgency and sorted(lender.urgency) != sorted(lender.ladder):
        raise PolicyError(f"{name}: urgency: is not the ladder's stages in another order")
    for language in lender.languages:
        for field, values in (("sender_name", lender.sender_name), ("pay", lender.pay)):
            if not values.get(language):
                raise PolicyError(f"{name}: {field}: nothing for {language}")
        for stage in lender.ladder:
            for several in (False, True):
                if (language, stage, several) not in texts:
                    raise PolicyError(f"{name}: ladder: no text for stage {stage:+d} in {language}")
    templates = {text.template for text in texts.values()}
    for country, sns in lender.sns.items():
        if unknown := sorted(set(sns.registered) - templates):
            raise PolicyError(f"{name}: sns.{country}.registered: no such text: {', '.join(unknown)}")


def check_wordings(
    texts: Mapping[tuple[str, int, bool], Text],
    phrases: Mapping[str, Mapping[str, str]],
    lenders: Mapping[str, LenderFile],
    wordings: Wordings,
) -> None:
    """
    Check everything a text can be made of.

    Raises:
        PolicyError: a text, a phrase or a lender's own words say what no text may say.
    """
    spoken = [
        (f"texts/{language}.toml", text.template, text.pattern.replace("%s", " "), language)
        for (language, _, _), text in texts.items()
    ]
    spoken += [
        (f"texts/{language}.toml", phrase, wording, language)
        for language, of_language in phrases.items()
        for phrase, wording in of_language.items()
    ]
    spoken += [
        (f"lenders/{name}.toml", f"{field}.{language}", wording, language)
        for name, lender in lenders.items()
        for field, words in (("sender_name", lender.sender_name), ("pay", lender.pay))
        for language, wording in words.items()
    ]
    for file, field, wording, language in spoken:
        for fault in wordings.faults(wording, language):
            raise PolicyError(f"{file}: {field}: {fault}")


def load_policies(folder: Path | None = None) -> PolicyBook:
    """
    Load the policies of the package, or of a folder of the same shape.

    Raises:
        PolicyError: something in a file is wrong.
    """
    data = folder or _DATA
    jurisdictions = {
        name: _read(JurisdictionFile, f"jurisdictions/{name}.toml", text)
        for name, text in _toml_files(data / "jurisdictions").items()
    }
    for name, place in jurisdictions.items():
        if place.id != name:
            raise PolicyError(f"jurisdictions/{name}.toml: id: {place.id!r} is not the file's name")
    if "default" not in jurisdictions:
        raise PolicyError("jurisdictions/default.toml: missing")
    texts: dict[tuple[str, int, bool], Text] = {}
    phrases: dict[str, dict[str, str]] = {}
    for language, text in _toml_files(data / "texts").items():
        of_language, phrases[language] = load_texts(language, f"texts/{language}.toml", text)
        texts |= of_language
    lenders = {
        name: _read(LenderFile, f"lenders/{name}.toml", text) for name, text in _toml_files(data / "lenders").items()
    }
    for name, lender in lenders.items():
        if lender.id != name:
            raise PolicyError(f"lenders/{name}.toml: id: {lender.id!r} is not the file's name")
        check_lender(f"lenders/{name}.toml", lender, texts)
    forbidden = _read(ForbiddenFile, "forbidden.toml", (data / "forbidden.toml").read_text("utf-8"))
    check_wordings(texts, phrases, lenders, Wordings(forbidden))
    prices = _read(PricesFile, "prices.toml", (data / "prices.toml").read_text("utf-8"))
    if "default" not in prices.per_segment:
        raise PolicyError("prices.toml: per_segment.default: missing")

    def calendar_of(country: str) -> CalendarFile | None:
        entry = data / "calendars" / f"{country}.toml"
        if not entry.is_file():
            return None
        return _read(CalendarFile, f"calendars/{country}.toml", entry.read_text("utf-8"))

    return PolicyBook(jurisdictions, lenders, texts, phrases, prices, calendar_of)
