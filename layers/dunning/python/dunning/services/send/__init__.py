"""Sending: claim a contact, publish it once, keep its record."""
