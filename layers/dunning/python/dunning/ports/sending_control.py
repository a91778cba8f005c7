"""The hand on the switch for all sending, and who moved it last."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from dunning.ports.sessions import Viewer


class SendingControl(Protocol):
    """The switch for all sending, to be turned."""

    def turn(self, *, on: bool) -> None:
        """
        Turn sending on or off. It holds everywhere within a minute. A channel that is stopped stays stopped.

        Raises:
            ServiceCallError: the switch stands as it stood, as far as is known.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchTurned:
    """Who turned the switch in the console, when and why."""

    on: bool
    by: Viewer
    at: datetime
    reason: str


class SwitchHistory(Protocol):
    """The last turn of the switch in the console."""

    def keep_turn(self, turned: SwitchTurned) -> None:
        """Keep a turn in the place of the one before."""
        ...

    def last_turn(self) -> SwitchTurned | None:
        """Return the last turn, strongly consistent; `None` if there is none."""
        ...
