"""
Ports: what the services need of the outside, as protocols.

Adapters implement them on AWS, fakes in the tests in memory; one contract suite a port runs on both.
"""
