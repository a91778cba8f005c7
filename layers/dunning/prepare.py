"""
Prepare what the policy files come to, for a layer that is being built: the layer's Makefile calls this.

    PYTHONHASHSEED=0 PYTHONPATH=what/the/package/needs:the/layer/python python3.13 prepare.py

It is written beside the policies of the package that is found. See `dunning/compiled_policies.py`, which reads it.
"""

import pickle

from dunning.compiled_policies import COMPILED_FOLDER, LOADERS

PROTOCOL = 5
"""The newest that Python 3.13 reads."""


def main() -> None:
    """
    Write all there is to be prepared.

    Raises:
        PolicyError: something in a policy file is wrong.
    """
    COMPILED_FOLDER.mkdir()
    for what, load in LOADERS.items():
        (COMPILED_FOLDER / f"{what}.pickle").write_bytes(pickle.dumps(load(), PROTOCOL))


if __name__ == "__main__":
    main()
