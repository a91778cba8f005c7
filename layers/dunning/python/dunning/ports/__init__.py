"""
Ports: the outside world as the services need it, as protocols.

Adapters implement the ports on AWS, and fakes in the tests implement them in memory. One contract suite a port runs on
both.
"""
