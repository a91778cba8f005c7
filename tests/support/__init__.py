"""What several tests need: builders, fakes, people, offices that stand on them, and the vectors of known answers."""
