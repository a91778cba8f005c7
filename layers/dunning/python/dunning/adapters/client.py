"""What all our clients of AWS have in common."""

from botocore.config import Config

LEAN = Config(max_pool_connections=32, parameter_validation=False, user_agent="dunning")
"""
A quarter of the SDK's CPU goes into checking parameters a second time, which the type checker and the services
themselves do, and into writing a long user agent anew for every request.
"""
