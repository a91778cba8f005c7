"""
The local cloud: moto in-process, resources read from `template.yaml`, a virtual clock, AWS's own event shapes.

`python -m tests.local` is the command line; `cloud.LocalCloud` and `runner.run` are for tests.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The top of the project."""

# In Lambda the layer is on the path by itself, in pytest by its configuration; here it is not. Nor is `ops`.
for _place in (ROOT / "layers" / "dunning" / "python", ROOT / "layers" / "dunning", ROOT):
    if str(_place) not in sys.path:
        sys.path.insert(0, str(_place))
