"""The command `ftuseg`, which the wheel brings along."""

import os
import signal
import sys

from ._native import run_command


def main() -> int:
    """Runs the command with the arguments of this process, and returns its exit code."""
    # The command listens to Ctrl-C itself; Python's own way would raise an error once it is over.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # The command asks the active Python for its packages. That is this one, whether or not it was activated.
    if sys.prefix != sys.base_prefix:
        os.environ["VIRTUAL_ENV"] = sys.prefix
    elif sys.executable:
        folder = os.path.dirname(sys.executable)
        os.environ["PATH"] = os.pathsep.join([folder, os.environ.get("PATH", os.defpath)])
    return run_command(["ftuseg", *sys.argv[1:]])
