"""
`python -m tests.local`, which `make run` calls, and `python -m tests.local console`, which `make console` calls.

Half of the start is imports: an interrupt may come there, too.
"""

import sys

INTERRUPTED = 130
"""The exit status of what was ended by Ctrl-C, as shells have it."""

if __name__ == "__main__":
    is_console = sys.argv[1:2] == ["console"]
    try:
        if is_console:
            from tests.local.console import main as serve

            sys.exit(serve(sys.argv[2:]))
        from tests.local.command import main

        sys.exit(main())
    except KeyboardInterrupt:
        left = "nothing is kept" if is_console else "what an earlier run has left is as it was"
        sys.stderr.write(f"Interrupted: {left}.\n")
        sys.exit(INTERRUPTED)
