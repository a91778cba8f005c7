"""Replies: the texts that customers write back, the reading of them, and their effects."""
