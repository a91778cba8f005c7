"""Sessions of the console: who is logged in, by the hash of an id that only the browser knows."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol


class Role(StrEnum):
    """What a person may do. The values stand in sessions, in the audit trail and in parameters."""

    MANAGER = "manager"
    AGENT = "agent"
    COMPLIANCE = "compliance"
    ENGINEER = "engineer"


class Viewer(NamedTuple):
    """Who uses the console: the identity provider's id of the person, which is no mail address, and a role."""

    subject: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A login. `key` is the hash of the id in the cookie; it ends at `ends_at`, or some time after `seen_at`."""

    key: str
    viewer: Viewer
    began_at: datetime
    seen_at: datetime
    ends_at: datetime


class Sessions(Protocol):
    """All logins that have not ended."""

    def add(self, session: Session) -> None:
        """Keep a new session."""
        ...

    def find(self, key: str) -> Session | None:
        """Return a session, strongly consistent; `None` if there is none that can be read."""
        ...

    def seen(self, key: str, at: datetime) -> None:
        """Write down when a session was used; nothing if it has ended meanwhile."""
        ...

    def remove(self, key: str) -> None:
        """End a session."""
        ...
