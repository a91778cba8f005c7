"""
Compile the policy files into objects, for a layer that is being built. The layer's Makefile calls this program.

    PYTHONHASHSEED=0 PYTHONPATH=what/the/package/needs:the/layer/python python3.13 compile_policies.py

The objects are written beside the policies of the package that is found. `dunning/compiled_policies.py` reads them.
"""

import pickle

from dunning.compiled_policies import COMPILED_FOLDER, LOADERS

PROTOCOL = 5
"""The newest that Python 3.13 reads."""


def main() -> None:
    """
    Write all objects.

    Raises:
        PolicyError: something in a policy file is wrong.
    """
    COMPILED_FOLDER.mkdir()
    for name, load in LOADERS.items():
        (COMPILED_FOLDER / f"{name}.pickle").write_bytes(pickle.dumps(load(), PROTOCOL))


if __name__ == "__main__":
    main()
