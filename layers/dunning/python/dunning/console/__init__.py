"""The console: pages on which people see what the system does, find out why, and act."""
