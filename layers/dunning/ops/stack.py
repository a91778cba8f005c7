"""The outputs and parameters of a deployed stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient


class StackError(Exception):
    """The stack cannot be found, or lacks something; the message says which and what."""


class Deployed(NamedTuple):
    """A stack's outputs and the values of its parameters."""

    name: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]

    def output(self, name: str) -> str:
        """
        Return one output.

        Raises:
            StackError: the stack has none of that name.
        """
        return self._value(self.outputs, "output", name)

    def parameter(self, name: str) -> str:
        """
        Return one parameter's value.

        Raises:
            StackError: the stack has none of that name.
        """
        return self._value(self.parameters, "parameter", name)

    def _value(self, values: Mapping[str, str], kind: str, name: str) -> str:
        if name not in values:
            raise StackError(f"{self.name} has no {kind} {name}: is it a stack of this template, and up to date?")
        return values[name]


def deployed(client: CloudFormationClient, stack: str) -> Deployed:
    """
    Ask for a stack.

    Raises:
        StackError: there is no such stack in this account and region, or it may not be read.
    """
    try:
        (described,) = client.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        raise StackError(f"{stack}: {error.response['Error']['Message']}") from None
    except BotoCoreError as error:
        raise StackError(f"{stack}: {error}") from None
    return Deployed(
        stack,
        {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", ())},
        {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in described.get("Parameters", ())},
    )
