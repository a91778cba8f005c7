"""What all our clients of AWS have in common."""

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader

LEAN = Config(max_pool_connections=32, parameter_validation=False, user_agent="dunning")
"""
A quarter of the SDK's CPU goes into checking parameters a second time, which the type checker and the services
themselves do, and into writing a long user agent anew for every request.
"""

SERVICES = ("dynamodb", "events", "s3", "sns", "sqs", "ssm")
"""All that we call."""


class _Loader(Loader):
    """
    Reads the SDK's descriptions of services, and knows which there are.

    The SDK's own looks twice into each of its 400 folders, to find out whether there is a service of a client's name:
    that is a sixteenth of a cold start.
    """

    def list_available_services(self, *_: object, **__: object) -> list[str]:
        return list(SERVICES)


def new_session() -> boto3.Session:
    """Return a session for clients of `SERVICES`."""
    session = botocore.session.get_session()
    session.register_component("data_loader", _Loader())
    return boto3.Session(botocore_session=session)
