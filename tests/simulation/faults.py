"""
The faults: what may happen to a call at each port, and why some kinds are missing at some ports.

Nothing else decides on faults. A kind that makes no difference at a port is left out here, and nowhere else:

- A read that failed before or after its effect is one failure: a read has no effect. A read that is repeated is a later
  read, which is a schedule of its own.
- Death before a call is death after the call before it: in between a program does nothing that others see. So only the
  first call of a program may meet it.
- A table that throttles a plain write past the SDK's patience fails before the effect. Conditional writes and
  transactions have a patience of their own in the adapter, and so have batches: there it is a kind of its own.
- A table refuses for good only what is too large or not permitted. The same write is then refused each time, and a
  person has to act: no schedule changes that. The carrier's refusals do depend on the moment, and are here.
- A torn read is no fault: another program has its turn between two items of a batch, which costs a switch.
- A carrier is asked once, so nothing is repeated there. Both silences are here: the text was taken, or it was not. LINE
  is asked again by our own code: its second call meets the same faults.
- A batch of audit records is asked for once, too. The adapter writes what may be missing record by record.
- An event put twice on the bus is the same event for its readers, who are promised "at least once".
- A queue and the bus may take the entries of a call in part. Of a single entry there is no part. The publisher puts an
  event that the bus refuses a second time: what is lost here has been refused twice.
- The switch and the queues of news that cannot be read count as off. It makes no difference which of their calls fails.
- The control of trials is kept by each program for minutes: what it reads may be what held before the last change. Who
  writes it does so each night anew, and a night that fails is a later night.
- Telemetry cannot fail a program. The metrics of a program that dies are lost with it.
"""

from enum import Enum
from typing import Final


class Fault(Enum):
    """What happens to a call in place of an answer."""

    LOST = "failed before its effect"
    ANSWER_LOST = "took effect, and the answer was lost"
    REPEATED = "took effect, the answer was lost, and the SDK repeats it"
    THROTTLED = "was turned away, or done by half, because the table is busy"
    IN_PART = "only the first of several entries was taken"
    DIES_BEFORE = "the program dies before it"
    DIES_AFTER = "took effect, and the program dies"
    REFUSED_FOR_NOW = "is refused for now"
    REFUSED_FOR_GOOD = "is refused for good"
    OPTED_OUT_THERE = "is refused, because the person opted out at the carrier"
    SILENT_TAKEN = "no answer, and the text was taken"
    SILENT_NOT_TAKEN = "no answer, and the text was not taken"
    UNREADABLE = "cannot be read"
    BEFORE_THE_CHANGE = "is read as it was before it changed"
    DELIVERED_AGAIN = "a message that is done is delivered once more"

    @property
    def word(self) -> str:
        """The name of the fault in a replay command."""
        return self.name.lower().replace("_", "-")


_READ: Final = (Fault.LOST, Fault.DIES_AFTER)
_BATCH_READ: Final = (Fault.LOST, Fault.THROTTLED, Fault.DIES_AFTER)
_WRITE: Final = (Fault.LOST, Fault.ANSWER_LOST, Fault.REPEATED, Fault.DIES_AFTER)
_PATIENT_WRITE: Final = (Fault.LOST, Fault.ANSWER_LOST, Fault.REPEATED, Fault.THROTTLED, Fault.DIES_AFTER)
_PUBLISH: Final = (
    Fault.REFUSED_FOR_NOW, Fault.REFUSED_FOR_GOOD, Fault.SILENT_TAKEN, Fault.SILENT_NOT_TAKEN, Fault.DIES_AFTER,
)  # fmt: skip

KINDS: Final = {
    ("table", "batch_get_item"): _BATCH_READ,
    ("table", "query"): _READ,
    ("table", "scan"): _READ,
    ("table", "put_item"): _PATIENT_WRITE,
    ("table", "update_item"): _WRITE,
    ("table", "delete_item"): _WRITE,
    ("table", "transact_write_items"): _PATIENT_WRITE,
    ("table", "batch_write_item"): (Fault.LOST, Fault.ANSWER_LOST, Fault.THROTTLED, Fault.DIES_AFTER),
    ("carrier", "publish"): _PUBLISH,
    ("carrier", "text"): (
        Fault.REFUSED_FOR_NOW, Fault.REFUSED_FOR_GOOD, Fault.OPTED_OUT_THERE, Fault.SILENT_TAKEN,
        Fault.SILENT_NOT_TAKEN, Fault.DIES_AFTER,
    ),
    ("carrier", "mail"): _PUBLISH,
    ("carrier", "push"): _PUBLISH,
    ("carrier", "call"): _PUBLISH,
    ("carrier", "opted_out"): _READ,
    ("carrier", "opt_in"): (Fault.LOST, Fault.ANSWER_LOST, Fault.DIES_AFTER),
    ("queue", "send"): (Fault.LOST, Fault.ANSWER_LOST, Fault.REPEATED, Fault.IN_PART, Fault.DIES_AFTER),
    ("queue", "note"): (Fault.LOST, Fault.DIES_AFTER),
    ("queue", "depth"): _READ,
    ("queue", "scan"): _READ,
    ("queue", "replace"): (Fault.LOST, Fault.ANSWER_LOST, Fault.DIES_AFTER),
    ("bus", "publish"): (Fault.LOST, Fault.IN_PART, Fault.DIES_AFTER),
    ("switch", "is_on"): (Fault.UNREADABLE, Fault.DIES_AFTER),
    ("switch", "news"): (Fault.UNREADABLE,),
    ("control", "read"): (Fault.UNREADABLE, Fault.BEFORE_THE_CHANGE),
    ("control", "write"): (),
    ("bucket", "list"): _READ,
    ("bucket", "read"): _READ,
    ("bucket", "delete"): _WRITE,
}  # fmt: skip
"""The faults that a call may meet, by port and operation."""

SEEN_BY_OTHERS: Final = frozenset({"table", "carrier"})
"""
The ports whose calls other programs can notice. Only before these another program may have its turn.

A call of another port commutes with all calls of all other programs: a change before it is a change before the next
call that others can notice.
"""
