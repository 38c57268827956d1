"""The measurements: what the networks are worth on cores that they never saw, and what is decided by it."""
