"""The measurements: how good the networks are on cores that they have never seen, and what is chosen on these."""
