"""Delivery: the audit record of a text, and what carriers report of it."""
