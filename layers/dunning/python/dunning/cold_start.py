"""
The cold start. The wiring imports this module before all others.

All objects of a cold start live on, so a search for garbage would find none and cost a tenth of the start. In Lambda
the collector is off until the first service is built. The objects alive then are frozen, so that no later collection
walks through them. Other processes build many services and throw them away, and keep the collector on.
"""

import gc
import os

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    gc.disable()


def is_over() -> None:
    """End the cold start: the first service is built, and the collector handles all later objects."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
