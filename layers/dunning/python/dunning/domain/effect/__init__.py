"""Effect: what a reminder does. Chance, what came of it, and what may be concluded. Pure."""
