"""
Write down what the policy files say, for a layer that is being built: the layer's Makefile calls this.

    python3.13 parse_policies.py /path/to/python/dunning/policy

Reading TOML is a good part of a cold start, and the files of a layer never change. Written is a module, so that its
bytecode is what is loaded. It stands alone: whoever builds need not have what the package needs.
"""

import sys
import tomllib
from pathlib import Path


def written(policy: Path) -> str:
    """
    Return the module.

    Raises:
        SystemExit: a file is not TOML, or not in UTF-8.
    """
    files = {}
    for path in sorted(policy.rglob("*.toml")):
        name = path.relative_to(policy).as_posix()
        try:
            files[name] = tomllib.loads(path.read_text("utf-8-sig"))
        except ValueError as error:
            raise SystemExit(f"{name}: {error}") from None
    entries = "".join(f"    {name!r}: {said!r},\n" for name, said in files.items())
    about = '"""What the policy files say, written by parse_policies.py."""'
    return f"{about}\n\nimport datetime\n\nFILES = {{\n{entries}}}\n"


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (folder / "parsed.py").write_text(written(folder), "utf-8")
