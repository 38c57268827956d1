"""Trains the router and the segmentation models of ftuseg and exports them as one bundle."""

__version__ = "0.1.0"

ORGANS = ("kidney", "prostate", "largeintestine", "spleen", "lung")
"""The organs in Kaggle's spelling; their order is the order of the router's outputs and of mask values 1..5."""

UNKNOWN_ORGAN = len(ORGANS)
"""The row that stands for an organ that is not known, where the others stand in the organs' order."""
