"""Functional tissue units in napari: a widget that segments an image layer with ftuseg."""

__version__ = "0.1.0"
