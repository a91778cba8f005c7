"""Erasure: what is held of a customer goes, at once and in later rounds."""
