"""The training runs: from the configuration to checkpoints of averaged weights."""
