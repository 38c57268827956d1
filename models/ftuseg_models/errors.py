"""Errors in a user's files: their messages name the file and say what to do."""

from __future__ import annotations


class ConfigError(ValueError):
    """The configuration file holds something that cannot be used; the message says what and where."""


class DataError(ValueError):
    """A file of the data cannot be used; the message names the file."""
