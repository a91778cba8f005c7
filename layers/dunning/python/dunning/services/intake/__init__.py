"""Intake: a file of accounts becomes facts and wakes, and a list of what was refused and why."""

from dunning.services.intake.intake import IntakeService, IntakeSummary
from dunning.services.intake.settle import IntakeConflictError

__all__ = ["IntakeConflictError", "IntakeService", "IntakeSummary"]
