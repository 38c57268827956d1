"""The table of objects in the libraries that know the Arrow C interface."""

import math

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest


def test_every_library_reads_the_same_table(found):
    objects = found["two-organs"].objects
    arrow = pa.table(objects)
    assert pa.record_batch(objects).num_rows == len(objects) > 0
    assert pa.schema(objects) == arrow.schema
    assert pl.DataFrame(objects).to_dicts() == arrow.to_pylist()
    frame = pd.DataFrame.from_arrow(objects)
    assert list(frame.columns) == objects.column_names
    assert frame["area_px"].tolist() == arrow["area_px"].to_pylist()
    assert frame["organ"].tolist() == arrow["organ"].to_pylist()
    # Lent as often as is wanted.
    assert pa.table(objects).equals(arrow)


def test_the_table_outlives_its_result(engine, slides):
    table = pa.table(engine.segment(slides["kidney-1"]).objects)
    assert table.num_rows > 0 and all(area > 0 for area in table["area_px"].to_pylist())


def test_objects_are_a_sequence_of_dictionaries(found):
    objects = found["two-organs"].objects
    rows = list(objects)
    assert rows == pa.table(objects).to_pylist()
    assert objects[0] == rows[0] and objects[-1] == rows[-1]
    assert rows[0]["id"] == 1 and isinstance(rows[0]["touches_slide_edge"], bool)
    for beyond in (len(objects), -len(objects) - 1):
        with pytest.raises(IndexError):
            objects[beyond]


def test_what_is_not_known_is_none(engine, pixels):
    result = engine.segment(pixels, mpp=2.0)
    assert math.isfinite(result.objects[0]["area_um2"])
    assert result.objects[0]["slide"] == "pixels"
