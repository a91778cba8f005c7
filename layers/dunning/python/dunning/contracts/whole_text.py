"""Whole characters: JSON can hold halves of them, which no table takes."""


def whole_characters(text: str) -> str:
    """Join the halves of characters in a text, and replace those without their other half."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
