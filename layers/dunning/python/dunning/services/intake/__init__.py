"""Intake: turns a file of accounts into facts and wakes, and a list of refused rows with their reasons."""

from dunning.services.intake.intake import IntakeService, IntakeSummary

__all__ = ["IntakeService", "IntakeSummary"]
