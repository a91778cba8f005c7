"""No input, however hostile, breaks a rule of a parser at the edge: the rules of `make fuzz`, without its fuzzer."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.catalogue import keep_inputs, kept_inputs, parsers
from tests.fuzz.mutation import mutated
from tests.fuzz.parser import TAKEN

PARSERS = parsers()


@pytest.mark.parametrize("name", PARSERS)
def test_each_sample_keeps_the_rules_and_most_are_taken(name: str) -> None:
    outcomes = [PARSERS[name].check(sample) for sample in PARSERS[name].samples()]
    assert 2 * outcomes.count(TAKEN) >= len(outcomes) or name in {"reply_text", "dead_letter"}


@pytest.mark.slow(reason="each input that a run has kept, of all parsers")
@pytest.mark.parametrize("name", PARSERS)
def test_what_was_found_once_keeps_the_rules(name: str) -> None:
    inputs = list(kept_inputs(name))
    assert inputs, f"make fuzz PARSER={name} KEEP=1"
    for data in inputs:
        first = PARSERS[name].check(data)
        assert PARSERS[name].check(data) == first


@pytest.mark.slow(reason="100 hostile inputs a parser, each checked twice by all rules")
@pytest.mark.parametrize("name", PARSERS)
@given(st.integers(0, 2**32 - 1))
def test_no_hostile_input_breaks_a_rule_and_each_has_one_outcome(name: str, seed: int) -> None:
    parser, chance = PARSERS[name], Random(seed)
    data = mutated(chance.choice([*parser.samples(), *kept_inputs(name)]), parser.mutate, chance)
    assert parser.check(data) == parser.check(data)


def test_kept_inputs_are_read_back_whatever_their_bytes(tmp_path: Path) -> None:
    folder = tmp_path
    inputs = [b"", b"a\nb", bytes(range(256)), "長\ud800".encode("utf-8", "surrogatepass"), b"\x1f\x8b\x08"]
    keep_inputs("x", inputs, folder)
    assert sorted(kept_inputs("x", folder)) == sorted(inputs)
