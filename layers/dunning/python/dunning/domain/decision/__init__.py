"""The decision: the gates a reminder passes, and what they ask: ladder, hours, caps, rules."""
