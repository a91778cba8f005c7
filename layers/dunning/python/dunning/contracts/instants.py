"""Instants as this program writes them everywhere."""

from datetime import datetime


def instant(moment: datetime) -> str:
    """Write an instant as this program writes it everywhere: UTC, ISO 8601, `Z`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if moment.microsecond else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
