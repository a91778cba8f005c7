"""Texts: the words of a reminder, its money and names, its segments, and the linter."""
