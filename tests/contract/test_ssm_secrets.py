"""Secrets of the channels, encrypted among the parameters of SSM."""

from datetime import timedelta

import boto3
import pytest

from dunning.adapters.client import LEAN
from dunning.adapters.ssm_secrets import SsmSecrets
from dunning.domain.errors import ServiceCallError
from dunning.ports.secret_store import SecretStore, line_secret, line_token
from tests.local.cloud import LocalCloud
from tests.support.aws_requests import Requests, error
from tests.support.fakes import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def secrets(cloud: LocalCloud, clock: FakeClock) -> SecretStore:
    del cloud
    put("line/demo-tw/channel-secret", " s3cret\n")
    return SsmSecrets(boto3.client("ssm", config=LEAN), "/dunning/secrets/", clock)


def put(name: str, secret: str) -> None:
    boto3.client("ssm", config=LEAN).put_parameter(
        Name=f"/dunning/secrets/{name}", Value=secret, Type="SecureString", Overwrite=True
    )


def test_a_secret_is_read_decrypted_and_without_what_an_editor_puts_around_it(secrets: SecretStore) -> None:
    assert secrets.secret(line_secret("demo-tw")) == "s3cret"


def test_a_secret_is_asked_for_once_in_five_minutes_and_a_new_one_holds_then(
    secrets: SecretStore, clock: FakeClock, requests: Requests
) -> None:
    for _ in range(100):
        secrets.secret("line/demo-tw/channel-secret")
    assert requests.sent["ssm.GetParameter"] == 1
    put("line/demo-tw/channel-secret", "new")
    clock.sleep(301)
    assert secrets.secret("line/demo-tw/channel-secret") == "new"


def test_a_clock_that_was_set_back_keeps_no_old_secret(secrets: SecretStore, clock: FakeClock) -> None:
    secrets.secret("line/demo-tw/channel-secret")
    put("line/demo-tw/channel-secret", "new")
    clock.move_to(clock.now() - timedelta(days=1))
    assert secrets.secret("line/demo-tw/channel-secret") == "new"


def test_a_secret_that_is_not_there_or_cannot_be_read_is_an_error_without_a_secret(
    secrets: SecretStore, requests: Requests
) -> None:
    with pytest.raises(ServiceCallError, match="ParameterNotFound"):
        secrets.secret(line_token("demo-tw"))
    requests.answer("ssm.GetParameter", error("AccessDeniedException"))
    with pytest.raises(ServiceCallError, match="AccessDenied") as caught:
        secrets.secret("unsubscribe")
    assert "s3cret" not in str(caught.value)
