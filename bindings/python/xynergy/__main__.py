"""The command line: `xynergy`, or `python -m xynergy`."""

from __future__ import annotations

import signal
import sys
from typing import NoReturn

from xynergy import _native


def main() -> NoReturn:
    """Runs the command line and ends the process with its exit code."""
    # Ctrl-C belongs to the command, which ends what it began; Python's own handler would come too late.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.stdout.flush()
    sys.exit(_native.command_line(["xynergy", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
