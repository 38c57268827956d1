"""The Dockerfile is linted, and finds what it needs. Building it takes a container engine and long."""

from __future__ import annotations

import re

from conftest import INTEGRATIONS, ROOT

DOCKERFILE = INTEGRATIONS / "docker/Dockerfile"


def test_lint(bench):
    assert bench.run("hadolint", "--failure-threshold", "info", DOCKERFILE).stdout == ""


def test_runs_as_nobody_in_particular():
    """The last stage ends as a user who is not root, with no entry point that would stand in CWL's way."""
    last = DOCKERFILE.read_text().split("\nFROM ")[-1]
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", last, re.MULTILINE)
    assert not re.search(r"^(ENTRYPOINT|RUN apt-get|ADD)", last, re.MULTILINE)


def test_context_has_what_is_built():
    """Nothing that Cargo or the Dockerfile wants is kept out of the image's context."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    ignored = [line.rstrip("/") for line in lines if line and line[0] != "#"]
    sources = ["Cargo.toml", "Cargo.lock", "src", "cli", "router", "crates", "benches", "examples"]
    for wanted in [*sources, "models/bundle/bundle.toml", "LICENSE-MIT", "LICENSE-APACHE"]:
        assert (ROOT / wanted).exists(), wanted
        assert not any(wanted == entry or wanted.startswith(entry + "/") for entry in ignored), wanted
