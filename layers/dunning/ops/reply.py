"""
Reply: shows how a reply would be understood, and why. Nothing is stored or sent.

    make reply TEXT="paid yesterday, stop texting me" COUNTRY=US ON=2026-12-01
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime

from dunning.domain.replies.consequences import CONSEQUENCES, Silence
from dunning.domain.replies.intents import Band, ParsedReply, ReplyIntent
from dunning.policy import PolicyError
from dunning.policy.reply_files import load_reply_reader


def valid_country(written: str) -> str:
    """
    Check a country.

    Raises:
        ArgumentTypeError: it is no code of two letters.
    """
    country = written.upper()
    if len(country) != len("TW") or not country.isalpha() or not country.isascii():
        raise argparse.ArgumentTypeError(f"COUNTRY={written} is not two letters of ISO 3166, such as TW")
    return country


def valid_day(written: str) -> date:
    """
    Check a day.

    Raises:
        ArgumentTypeError: it is no day.
    """
    try:
        return datetime.strptime(written, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise argparse.ArgumentTypeError(f"ON={written} is not a day such as 2026-12-01") from None


def as_lines(parsed: ParsedReply) -> Iterator[str]:
    """Yield what a person wants to know of a reading."""
    yield f"Understood as   {', '.join(parsed.guess) or '-'}"
    for band, intents in (("Sure", parsed.sure), ("Likely", parsed.likely)):
        yield f"{band:16}{', '.join(intents) or '-'}"
    if ReplyIntent.PROMISE in {*parsed.guess, *parsed.sure, *parsed.likely}:
        yield f"Promised day    {parsed.promised_on or 'none that is certain'}"
    if parsed.digits:
        yield f"Account         ...{parsed.digits}"
    yield "What follows"
    for consequence in what_follows(parsed):
        yield f"  {consequence}"
    yield "Why"
    for reason in parsed.why or ("nothing in it is known",):
        yield f"  {reason}"


def what_follows(parsed: ParsedReply) -> Iterator[str]:
    """Yield what is done about a reply, a line for each intent: the words of the table on the page of the design."""
    for band, intents in ((Band.SURE, parsed.sure), (Band.LIKELY, parsed.likely)):
        for intent in intents:
            yield f"{intent} ({band}): {CONSEQUENCES[intent].of(band).words.replace('`', '')}"
    if parsed.is_in_doubt:
        yield f"in doubt: {Silence.DOUBT_DAYS.value.replace('`', '')} at least, and a person may look"


def as_json(parsed: ParsedReply) -> str:
    """Return a reading as one JSON document, for programs."""
    return json.dumps(
        {
            "guess": list(parsed.guess),
            "sure": list(parsed.sure),
            "likely": list(parsed.likely),
            "promised_on": parsed.promised_on.isoformat() if parsed.promised_on else None,
            "digits": parsed.digits,
            "by_fixed_word": parsed.by_fixed_word,
            "why": list(parsed.why),
        },
        ensure_ascii=False,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the reading of one reply, or of each line of standard input as JSON."""
    parser = argparse.ArgumentParser(prog="make reply", description=__doc__)
    parser.add_argument(
        "--text", help="the reply (TEXT=); without it each line of standard input is a reply, answered in JSON"
    )
    parser.add_argument("--country", type=valid_country, default="TW", help="the country of the number (TW)")
    parser.add_argument("--on", type=valid_day, default=datetime.now(UTC).date(), help="the day of the reply (today)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    if options.text is not None and not options.text.strip():
        parser.error("TEXT is empty: give the reply to be read")
    try:
        reader = load_reply_reader()
    except PolicyError as error:
        print(error, file=sys.stderr)
        return 1
    texts = [options.text] if options.text is not None else [line.rstrip("\n") for line in sys.stdin]
    for text in texts:
        parsed = reader.parse(text, said_on=options.on, phone_country=options.country)
        as_document = options.json or options.text is None
        print(as_json(parsed) if as_document else "\n".join(as_lines(parsed)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
