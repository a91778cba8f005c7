"""Erasure: deletes everything held of a customer, at once and in later rounds."""
