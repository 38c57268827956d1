"""Reads a DICOM segmentation with highdicom and pydicom, and checks it against the mask and the slide.

    python read_dicom_seg.py RESULTS/slides/ID [SOURCE.dcm]

SOURCE.dcm is the file of the slide at full size, where the slide is DICOM. Needs what requirements.txt names (see test.sh).
Ends with an error where something is not as it must be; else prints how many segments and frames there are.
"""

import json
import sys
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import tifffile
from pydicom.sr.codedict import codes

# Type and region of each organ's segment.
CODES = {
    "kidney": (("68288006", "SCT"), codes.SCT.Kidney),
    "prostate": (("66808", "FMA"), codes.SCT.Prostate),
    "largeintestine": (("118652008", "SCT"), codes.SCT.LargeIntestine),
    "spleen": (("62805", "FMA"), codes.SCT.Spleen),
    "lung": (("113253006", "SCT"), codes.SCT.Lung),
}


def affine(image):
    """From px of the whole slide to mm."""
    return hd.spatial.PixelToReferenceTransformer.for_image(image, for_total_pixel_matrix=True).affine


def check_source(seg, path):
    """The segmentation belongs to the series of its slide, and lies where that lies."""
    source = pydicom.dcmread(path, stop_before_pixels=True)
    for keyword in [
        "SpecificCharacterSet",
        "StudyDate",
        "StudyTime",
        "ContentDate",
        "ContentTime",
        "AccessionNumber",
        "StudyID",
        "ReferringPhysicianName",
        "PatientName",
        "PatientID",
        "PatientBirthDate",
        "PatientSex",
        "PatientAge",
        "StudyInstanceUID",
        "FrameOfReferenceUID",
        "PositionReferenceIndicator",
        "LossyImageCompression",
        "LossyImageCompressionRatio",
        "LossyImageCompressionMethod",
        "ContainerIdentifier",
        "ContainerTypeCodeSequence",
        "SpecimenDescriptionSequence",
        "TotalPixelMatrixColumns",
        "TotalPixelMatrixRows",
        "TotalPixelMatrixOriginSequence",
        "ImageOrientationSlide",
    ]:
        if keyword in source:
            assert seg[keyword].value == source[keyword].value, keyword
    ours, theirs = [
        image.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0] for image in (seg, source)
    ]
    assert all(ours[element.tag] == element for element in theirs)
    assert seg.SeriesInstanceUID != source.SeriesInstanceUID
    (series,) = seg.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == source.SeriesInstanceUID
    (own,) = series.ReferencedInstanceSequence
    (derived,) = seg.SharedFunctionalGroupsSequence[0].DerivationImageSequence[0].SourceImageSequence
    for reference in (own, derived):
        assert reference.ReferencedSOPClassUID == source.SOPClassUID
        assert reference.ReferencedSOPInstanceUID == source.SOPInstanceUID
    if "ImageOrientationSlide" in source:
        assert np.allclose(affine(seg), affine(source), atol=1e-9)
        # The first px of every frame lies where the slide's px lies.
        matrix = affine(source)
        for frame in seg.PerFrameFunctionalGroupsSequence:
            place = frame.PlanePositionSlideSequence[0]
            px = [
                place.ColumnPositionInTotalImagePixelMatrix - 1,
                place.RowPositionInTotalImagePixelMatrix - 1,
                0,
                1,
            ]
            stated = [
                place.XOffsetInSlideCoordinateSystem,
                place.YOffsetInSlideCoordinateSystem,
                place.ZOffsetInSlideCoordinateSystem,
            ]
            assert np.allclose((matrix @ px)[:3], [float(mm) for mm in stated], atol=1e-6)
    # No private element came along.
    assert all(not element.tag.is_private for element in seg.iterall())


def main(folder, source):
    record = json.loads((folder / "slide.json").read_text())
    mask = tifffile.imread(folder / "mask.tif", level=0)
    path = folder / "segmentation.dcm"
    seg = hd.seg.segread(path)
    plain = pydicom.dcmread(path)
    assert plain.DimensionOrganizationType == "TILED_SPARSE" and plain.SegmentsOverlap == "NO"
    height, width = mask.shape
    assert (plain.TotalPixelMatrixRows, plain.TotalPixelMatrixColumns) == (height, width)
    bits = plain.NumberOfFrames * plain.Rows * plain.Columns
    assert len(plain.PixelData) == (bits + 15) // 16 * 2

    organs = {organ["organ"]: organ for organ in record["organs"]}
    found = [name for name, organ in organs.items() if organ["objects"]]
    numbers = list(seg.segment_numbers)
    assert numbers == list(range(1, len(numbers) + 1))
    if found:
        assert len(numbers) == len(found)
    for number in numbers:
        segment = seg.get_segment_description(number)
        target = segment.tracking_id.split()[-1]
        region = segment.get("AnatomicRegionSequence")
        kind = segment.segmented_property_type
        if target in CODES:
            expected, organ = CODES[target]
            assert (kind.value, kind.scheme_designator) == expected
            assert (region[0].CodeValue, region[0].CodingSchemeDesignator) == (organ.value, "SCT")
        else:
            assert (kind.value, kind.scheme_designator, region) == ("FTU", "99FTUSEG", None)
        assert segment.segmented_property_category == codes.SCT.AnatomicalStructure
        algorithm = segment.SegmentationAlgorithmIdentificationSequence[0]
        assert algorithm.AlgorithmFamilyCodeSequence[0].CodeMeaning == "Artificial Intelligence"
        matrix = seg.get_total_pixel_matrix(segment_numbers=[number], combine_segments=False)[..., 0]
        is_asked = target in organs and target != "other"
        expected = mask == organs[target]["label"] if is_asked else np.zeros_like(mask)
        assert matrix.shape == mask.shape and (matrix == expected).all(), target
        if found:
            assert target in found and matrix.any()

    # Frame by frame, as pydicom unpacks them, and none that holds nothing.
    frames = plain.pixel_array.reshape(-1, plain.Rows, plain.Columns)
    assert len(frames) == plain.NumberOfFrames == len(plain.PerFrameFunctionalGroupsSequence)
    total = 0
    for frame, groups in zip(frames, plain.PerFrameFunctionalGroupsSequence):
        total += int(frame.sum())
        assert frame.any() or not found
        segment, _, _ = groups.FrameContentSequence[0].DimensionIndexValues
        assert segment == groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber
    assert total == int((mask > 0).sum())

    if source:
        check_source(plain, source)
    else:
        assert plain.StudyInstanceUID.startswith("2.25.") and not plain.PatientID
        assert plain.ContainerIdentifier == record["id"][:64]
        spacing = plain.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing
        assert np.allclose([float(mm) * 1000 for mm in spacing], [record["mpp"]["down"], record["mpp"]["value"]])
    print(len(numbers), plain.NumberOfFrames)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
