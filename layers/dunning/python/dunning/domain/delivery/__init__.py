"""Delivery: the audit record of a text, and the carriers' reports of its delivery."""
