"""Intake: a file of accounts becomes facts and wakes, and a list of what was refused and why."""

from dunning.services.intake.intake import IntakeService, IntakeSummary

__all__ = ["IntakeService", "IntakeSummary"]
