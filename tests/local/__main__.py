"""`python -m tests.local`, which `make run` calls. Half of its start is imports: an interrupt may come there, too."""

import sys

INTERRUPTED = 130
"""The exit status of what was ended by Ctrl-C, as shells have it."""

if __name__ == "__main__":
    try:
        from tests.local.command import main

        sys.exit(main())
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted: what an earlier run has left is as it was.\n")
        sys.exit(INTERRUPTED)
