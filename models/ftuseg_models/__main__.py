"""Lets the package be run as `python -m ftuseg_models`."""

from .cli import main

if __name__ == "__main__":
    raise SystemExit(main())
