"""Functional tissue units in LazySlide: segments a slide that wsidata has open, and adds the units as shapes."""

from __future__ import annotations

from typing import Any

import ftuseg
import geopandas
import pandas
import shapely
from wsidata import WSIData
from wsidata.io import add_shapes

__version__ = "0.1.0"
__all__ = ["segment", "shapes_of"]


def segment(
    wsi: WSIData,
    engine: ftuseg.Engine | None = None,
    *,
    key_added: str = "ftus",
    **request: Any,
) -> ftuseg.Result:
    """Segments the file of an open slide, and adds its units as `wsi[key_added]`.

    The shapes are polygons in px of level 0, one a unit, with all that was measured; `id` is the number that the unit has
    in every other output. `request` is what `Engine.segment` takes besides the slide: `region`, `progress`, `mpp`, ...
    Where nothing is found, there are no shapes of that name afterwards. Without an engine one is made, which costs as much as a small slide: make one for many slides.
    """
    engine = engine or ftuseg.Engine()
    found = engine.segment(wsi.reader.file, **request)
    if len(found.objects) > 0:
        add_shapes(wsi, key_added, shapes_of(found))
    elif key_added in wsi.shapes:
        # Shapes cannot be empty there, and those of an earlier call must not pass for those of this one.
        del wsi.shapes[key_added]
    return found


def shapes_of(found: ftuseg.Result) -> geopandas.GeoDataFrame:
    """The units of a result as polygons in px of level 0, with their measurements."""
    polygons = [shapely.Polygon(rings[0], rings[1:]) for rings in found.outlines()]
    table = pandas.DataFrame(list(found.objects), columns=found.objects.column_names)
    return geopandas.GeoDataFrame(table, geometry=polygons)
