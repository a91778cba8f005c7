"""Replies: what customers write back, how it is read, and what follows from it."""
