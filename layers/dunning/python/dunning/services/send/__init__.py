"""Sending: claims a contact, publishes it once, and keeps its record."""
