"""The proof: every schedule of the real services over simulated ports, within bounds of faults and switches."""
