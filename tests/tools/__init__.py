"""Tools: what people call by `make` besides the local run."""

import tests.local  # noqa: F401 - it puts the layer on the path
