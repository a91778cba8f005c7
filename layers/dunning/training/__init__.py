"""Trains and examines the reader of replies. Nothing of it ships to Lambda."""
