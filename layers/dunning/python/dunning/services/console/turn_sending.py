"""Sending: whether it is on, who turned it and why, and the hand on the switch."""

from dataclasses import dataclass
from datetime import datetime

from dunning.domain.errors import ServiceCallError
from dunning.ports.clock import Clock
from dunning.ports.gateways import SendingSwitch
from dunning.ports.sending_control import SendingControl, SwitchHistory, SwitchTurned
from dunning.ports.sessions import Viewer
from dunning.services.console.audited import AuditService, DeedAct
from dunning.services.console.outcomes import CONFIRMATION, LONGEST_REASON, SHORTEST_REASON, ActRefusedError
from dunning.services.console.shown import CodeShown, SentenceShown


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingView:
    """
    The switch, and who turned it last in the console.

    Without `turned_at` it was turned elsewhere, or never. `stopped` are the channels that are stopped by name while all
    others go on.
    """

    on: bool
    turned_at: datetime | None
    turned_by: str
    role: CodeShown | None
    reason: str
    stopped: tuple[CodeShown, ...] = ()


class SendingService:
    """Pauses and resumes all sending."""

    def __init__(
        self,
        *,
        switch: SendingSwitch,
        control: SendingControl,
        history: SwitchHistory,
        audit: AuditService,
        clock: Clock,
    ) -> None:
        self._switch = switch
        self._control = control
        self._history = history
        self._audit = audit
        self._clock = clock

    def view(self) -> SendingView:
        """Return where the switch stands. What was said of a turn counts only while the switch stands so."""
        on, turned = self._switch.is_on(), self._history.last_turn()
        stopped = tuple(CodeShown("channel", each) for each in sorted(self._switch.stopped_channels())) if on else ()
        if turned is None or turned.on is not on:
            return SendingView(on=on, turned_at=None, turned_by="", role=None, reason="", stopped=stopped)
        return SendingView(
            on=on,
            turned_at=turned.at,
            turned_by=turned.by.subject,
            role=CodeShown("role", turned.by.role.value),
            reason=turned.reason,
            stopped=stopped,
        )

    def pause(self, viewer: Viewer, reason: str) -> None:
        """
        Stop all sending within a minute.

        Raises:
            ActRefusedError: there is no reason, or the switch did not turn.
            ServiceCallError: it is not written down, so nothing was done.
        """
        self._turn(viewer, DeedAct.PAUSED, reason, on=False)

    def resume(self, viewer: Viewer, reason: str, typed: str) -> None:
        """
        Let texts go out again.

        Raises:
            ActRefusedError: the word was not typed, there is no reason, or the switch did not turn.
            ServiceCallError: it is not written down, so nothing was done.
        """
        if typed.strip().upper() != CONFIRMATION:
            raise ActRefusedError(SentenceShown("refused.confirmation", {"word": CONFIRMATION}))
        self._turn(viewer, DeedAct.RESUMED, reason, on=True)

    def _turn(self, viewer: Viewer, deed: DeedAct, reason: str, *, on: bool) -> None:
        reason = " ".join(reason.split())
        if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
            raise ActRefusedError(SentenceShown("refused.reason", {"least": SHORTEST_REASON, "most": LONGEST_REASON}))
        with self._audit.doing(viewer, deed, purpose=reason):
            self._history.keep_turn(SwitchTurned(on=on, by=viewer, at=self._clock.now(), reason=reason))
            try:
                self._control.turn(on=on)
            except ServiceCallError as error:
                raise ActRefusedError(SentenceShown("refused.switch")) from error
