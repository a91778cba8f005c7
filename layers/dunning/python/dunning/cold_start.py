"""
The cold start. The wiring imports this before all else.

What is imported and built at a cold start is kept, so that looking for garbage meanwhile finds none and costs a tenth
of the start. In Lambda the collector rests until the first service is built. What is alive then is kept out of its
sight for good, or each later look would walk through all of it again. Anywhere else, where a process builds many
services and throws them away, nothing is changed.
"""

import gc
import os

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    gc.disable()


def is_over() -> None:
    """Say that the first service is built: let the collector look at what comes from here on."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
