"""Our sessions look for no services, and still make the clients that the SDK's own would make."""

import boto3
import pytest
from botocore.exceptions import UnknownServiceError

from dunning.adapters.client import SERVICES, new_session


@pytest.mark.parametrize("service", SERVICES)
def test_a_client_is_the_one_that_the_sdk_would_make(service: str) -> None:
    client, usual = new_session().client(service), boto3.client(service)  # type: ignore[call-overload]
    for model in (client.meta.service_model, usual.meta.service_model):
        assert model.service_name == service
    assert client.meta.service_model.api_version == usual.meta.service_model.api_version
    assert client.meta.service_model.operation_names == usual.meta.service_model.operation_names
    assert client.meta.endpoint_url == usual.meta.endpoint_url
    assert client.meta.region_name == usual.meta.region_name


def test_a_service_that_we_do_not_call_is_not_found() -> None:
    with pytest.raises(UnknownServiceError):
        new_session().client("ec2")
