"""The session and the settings that all clients of AWS share."""

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader

LEAN = Config(max_pool_connections=32, parameter_validation=False, user_agent="dunning")
"""
The settings of all clients.

A quarter of the SDK's CPU goes into checking parameters, which the type checker and the services check already, and
into writing a long user agent for every request. 32 connections are as many as a sender has threads (`workers_for`).
"""

SERVICES = (
    "bedrock-runtime", "dynamodb", "events", "pinpoint-sms-voice-v2", "s3", "sesv2", "sns", "socialmessaging", "sqs",
    "ssm",
)  # fmt: skip
"""All services that the adapters call."""


class _Loader(Loader):
    """
    Reads the SDK's descriptions of services, from a fixed list.

    The SDK's own loader looks twice into each of its 400 folders to find out whether a service exists. That search
    takes a sixteenth of a cold start.
    """

    def list_available_services(self, *_: object, **__: object) -> list[str]:
        return list(SERVICES)


def new_session() -> boto3.Session:
    """Return a session for clients of `SERVICES`."""
    session = botocore.session.get_session()
    session.register_component("data_loader", _Loader())
    return boto3.Session(botocore_session=session)
