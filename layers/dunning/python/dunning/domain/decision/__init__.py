"""The decision: the gates a reminder passes, and the rules they ask for: ladder, hours, caps."""
