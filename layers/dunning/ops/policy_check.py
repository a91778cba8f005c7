"""
`make policy-check`: load every policy, print what holds per lender and place and from whom. Sends nothing.

    python -m ops.policy_check [--lender demo-tw] [--place TW] [--brief] [--policies FOLDER] [--region ap-south-1]
    python -m ops.policy_check --in-force FOLDER               refuse a change of a trial that runs under those policies
    python -m ops.policy_check --since 2026-11-01              what has changed since then
    python -m ops.policy_check --counsel page.html [--since]   every limit of every place, as a page to sign

Exits with 0 if all policies load, 1 if one is refused (naming file, line, field and reason), 2 if asked for nonsense.
"""

import argparse
import signal
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from dunning.domain.limits import Effective, Limit
from dunning.domain.sayings import Saying
from dunning.policy import PolicyBook, PolicyError, load_policies
from dunning.policy.effective import SAME, effective_rules, storage_in_words
from dunning.policy.jurisdiction import Place, zones_of_countries
from dunning.policy.lender import check_running_trials
from dunning.policy.text_preview import channels_used, preview
from ops.counsel import changes_since, counsel_page
from ops.english import in_english
from ops.own_policies import over_the_package

_TOPIC, _SAYS, _AT = 10, 58, 30


def rows_of(found: Effective) -> Iterable[str]:
    """Yield the lines that explain one lender in one place."""
    yield f"{found.lender} in {found.place}, {found.name}" + (
        f" (as in {found.country})" if found.country not in found.place else ""
    )
    for limit in found.limits:
        yield f"  {limit.topic:{_TOPIC}} {in_english(limit.effective)}"
        yield from _parts(limit)
    for warning in found.warnings:
        yield f"  ! {in_english(warning)}"
    yield ""


def _parts(limit: Limit) -> Iterable[str]:
    for part in limit.parts:
        says = "" if part.says == SAME else in_english(part.says)
        mark = f"[{part.mark}]" if part.mark else ""
        idle = "" if part.binds else " (idle)"
        yield f"    {part.origin:{_TOPIC - 2}} {says + idle:{_SAYS}} {mark:4} {part.at:{_AT}} {part.source}".rstrip()


def _is_usual(warning: Saying) -> bool:
    """Tell whether a warning appears every day: a person settles it once, and it is no sign of a mistake."""
    return warning.code in {"warn_from_memory", "warn_idle"}


def brief(found: Effective) -> Iterable[str]:
    """Yield one line for a lender in a place, and the warnings that a person has to read."""
    by_topic = {limit.topic: in_english(limit.effective) for limit in found.limits}
    place = found.place if found.country in found.place else f"{found.place} {found.country}"
    yield f"{found.lender:12} {place:10} {by_topic['hours']} | {by_topic['caps']}"
    yield from (f"{'':12} {'':10} ! {in_english(warning)}" for warning in found.warnings if not _is_usual(warning))


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make policy-check", description="Print what holds per lender and place, and from whom. Sends nothing."
    )
    parser.add_argument("--lender", help="only this lender")
    parser.add_argument("--place", help="only this place, such as TW, US-MA, EU or default")
    parser.add_argument("--brief", action="store_true", help="one line for each place")
    parser.add_argument(
        "--region", help="the AWS Region of a stack: refuse a lender whose data may not be stored there"
    )
    parser.add_argument("--since", type=_day, metavar="DAY", help="what has changed since a day")
    parser.add_argument("--counsel", type=Path, metavar="FILE", help="write all limits as a page for counsel to sign")
    parser.add_argument(
        "--in-force", type=Path, metavar="FOLDER", help="the policies in force: a change of a running trial is refused"
    )
    parser.add_argument("--policies", type=Path, metavar="FOLDER", help="a folder of policies, laid over the package's")
    return parser.parse_args(argv)


def _day(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{written} is no day: write it as in SINCE=2026-12-01") from None


def _choice(kind: str, wanted: str | None, choices: Iterable[str]) -> str | None:
    known = sorted(choices)
    if wanted is None or wanted in known:
        return None
    meant = next((name for name in known if name.casefold() == wanted.casefold()), None)
    if meant is not None:
        return f"There is no {kind} {wanted!r}: did you mean {meant}?"
    return f"There is no {kind} {wanted!r}. There are: {', '.join(known)}"


def main(argv: Sequence[str] | None = None, today: date | None = None) -> int:
    """Run the check and return the exit code."""
    arguments = _arguments(argv)
    today = today or datetime.now(UTC).date()
    for variable, folder in (("POLICIES", arguments.policies), ("IN_FORCE", arguments.in_force)):
        if folder and not folder.is_dir():
            sys.stderr.write(f"{variable}={folder}: there is no such folder\n")
            return 2
    try:
        book = load_policies(arguments.policies and over_the_package(arguments.policies))
        for country in zones_of_countries():
            book.calendar_of(country)  # read only when it is needed; here a bad one is to be found
        if arguments.region:
            check_region(book, arguments.region)
        if arguments.in_force:
            check_running_trials(load_policies(over_the_package(arguments.in_force)).lenders, book.lenders, today)
        elif arguments.policies:
            check_running_trials(load_policies().lenders, book.lenders, today)
    except PolicyError as error:
        sys.stderr.write(f"Refused: {error}\n")
        return 1
    wrong = _choice("lender", arguments.lender, book.lenders) or _choice("place", arguments.place, book.places.by_id)
    if wrong:
        sys.stderr.write(f"{wrong}\n")
        return 2
    if arguments.counsel or arguments.since:
        places = [place for name, place in book.places.by_id.items() if arguments.place in (None, name)]
        return _for_counsel(places, arguments, today)
    lenders = [arguments.lender] if arguments.lender else list(book.lenders)
    found = [
        replace(effective, warnings=(*effective.warnings, *_unsendable(book, effective)))
        for lender in lenders
        for effective in effective_rules(book, lender, today)
        if arguments.place in (None, effective.place)
    ]
    for effective in found:
        sys.stdout.writelines(f"{line}\n" for line in (brief(effective) if arguments.brief else rows_of(effective)))
    sys.stdout.write(_summary(book, found))
    if arguments.region:
        sys.stdout.write(f"No law keeps the data of the lenders' people out of {arguments.region}.\n")
    return 0


def check_region(book: PolicyBook, region: str) -> None:
    """
    Check that the data of all people whom the lenders text may be stored in an AWS Region.

    Raises:
        PolicyError: a law wants the data of a country elsewhere.
    """
    for lender in book.lenders.values():
        for code in lender.policy.countries:
            for place in book.places.reached_by(code):
                for day, law in place.law.versions():
                    if law.storage and region not in law.storage.regions:
                        where = place.file.at(*place.law.where("storage", day))
                        where_stored = in_english(storage_in_words(law.storage))
                        raise lender.file.refusal(
                            ("countries", code),
                            f"data of people in {law.name} are stored {where_stored}, {where}, "
                            f"and not in {region}: deploy a stack there for this lender, or take countries.{code} out",
                        )


def _for_counsel(places: Sequence[Place], arguments: argparse.Namespace, today: date) -> int:
    """Print what has changed, or write the page for counsel; return the exit code."""
    if arguments.counsel:
        try:
            arguments.counsel.write_text(counsel_page(places, today, arguments.since), "utf-8")
        except OSError as error:
            sys.stderr.write(f"The page cannot be written to {arguments.counsel}: {error.strerror}\n")
            return 2
        sys.stdout.write(f"Wrote {arguments.counsel}: {_counted(len(places), 'place')}, to print and sign.\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in changes_since(places, arguments.since))
    return 0


def _unsendable(book: PolicyBook, effective: Effective) -> Iterable[Saying]:
    """Yield a warning for each language in which a text would not be sent in a place; the preview tells which."""
    lender = book.lenders[effective.lender]
    region = effective.place.partition("-")[2] if effective.place.startswith(f"{effective.country}-") else ""
    country = f"{effective.country}-{region}" if region else effective.country
    for language in lender.policy.languages:
        used = channels_used(book, lender, effective.country, region)
        messages = [
            message
            for channel in used
            for message in preview(book, lender, language, effective.country, region, channel)
        ]
        if refused := sum(bool(message.refusals) for message in messages):
            yield Saying.of(
                "warn_unsendable",
                refused=refused,
                texts=len(messages),
                language=language,
                command=f"make preview LENDER={effective.lender} LANGUAGE={language} COUNTRY={country}",
            )


def _summary(book: PolicyBook, found: Sequence[Effective]) -> str:
    warnings = sum(len(effective.warnings) for effective in found)
    texts = len(book.texts) + len(book.texts_with_fee)
    by_channel = [words for wording in book.wordings.values() for words in wording.channels.words.values()]
    wordings = sum(map(len, by_channel))
    return (
        f"{_counted(len(book.lenders), 'lender')}, {_counted(len(book.places.by_id), 'place')}, {texts} texts and "
        f"{wordings} wordings of other channels load; "
        f"{_counted(len(found), 'combination')}, {_counted(warnings, 'warning')}. "
        "A policy only ever tightens the law.\n"
    )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `make policy-check | head` ends quietly
    sys.exit(main())
