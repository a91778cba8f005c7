"""A sender that uses one gateway imports nothing of another, and nothing of what other services report."""

import subprocess
import sys

import pytest

from tests.bench import gateways
from tests.local import ROOT

OF_OTHERS = {
    "dunning.adapters.eum_answers", "dunning.adapters.eum_opt_out_list", "dunning.adapters.eum_sms",
    "dunning.adapters.eum_voice", "dunning.adapters.line",
    "dunning.adapters.ses", "dunning.adapters.whatsapp", "dunning.contracts.eum_event", "dunning.contracts.line_event",
    "dunning.contracts.ses_event", "dunning.contracts.whatsapp_event",
}  # fmt: skip


def imported_by(program: str) -> set[str]:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", f"import sys\n{program}\nprint(*sys.modules)"],
        env={
            "PYTHONPATH": str(ROOT / "layers" / "dunning" / "python"),
            "POWERTOOLS_DEV": "0",
            "AWS_DEFAULT_REGION": "xx",
        },
        check=True,
        capture_output=True,
        text=True,
    )
    return set(done.stdout.split())


@pytest.mark.slow(reason="imports a sender in a process of its own, as a cold start does")
def test_a_sender_with_sns_knows_no_other_gateway() -> None:
    found = imported_by("import dunning.wiring, dunning.services.send.sender, dunning.adapters.sns")
    assert not found & OF_OTHERS
    assert "dunning.adapters.sns" in found


@pytest.mark.slow(reason="imports a sender in a process of its own, as a cold start does")
def test_a_sender_that_could_use_every_gateway_knows_none_before_its_first_message() -> None:
    program = "import dunning.wiring, dunning.services.send.sender\nfrom dunning.adapters.client import new_session"
    found = imported_by(f"{program}\nsession = new_session(){gateways.SETTINGS}{gateways.CONNECTED}")
    assert not found & OF_OTHERS
    assert {"dunning.adapters.sns", "dunning.adapters.ssm_secrets"} <= found


def test_the_way_to_line_needs_no_sdk() -> None:
    found = imported_by("import dunning.adapters.line")
    assert not {name for name in found if name.startswith(("boto3", "botocore"))}
    assert not found & (OF_OTHERS - {"dunning.adapters.line"})


def test_every_gateway_has_its_place_in_the_list() -> None:
    adapters = ROOT / "layers" / "dunning" / "python" / "dunning" / "adapters"
    with_gateway = {path.stem for path in adapters.glob("*.py") if "repeatable = " in path.read_text("utf-8")}
    assert {f"dunning.adapters.{name}" for name in with_gateway} - {"dunning.adapters.sns"} <= OF_OTHERS
