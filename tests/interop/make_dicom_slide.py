"""Makes a DICOM slide of two levels out of the picture in a TIFF, as a scanner's archive would hold it.

    python make_dicom_slide.py PICTURE.tif FOLDER

Writes FOLDER/level-0.dcm and FOLDER/level-1.dcm: turned on the glass as scanners turn them, with a patient whose name is not
ASCII, a specimen, and a private element. Tiles have an odd number of pixels.
"""

import sys
from pathlib import Path

import numpy as np
import tifffile
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, VLWholeSlideMicroscopyImageStorage

# Width and height of a tile, px.
TILE = (75, 67)
# mm from one row to the next, and from one column to the next, of the full size.
SPACING = (0.002, 0.00201)


def code(value, scheme, meaning):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def tiles(rgb):
    """The tiles of a picture, row by row; what lies beyond it is white."""
    height, width = rgb.shape[:2]
    for y in range(0, height, TILE[1]):
        for x in range(0, width, TILE[0]):
            tile = np.full((TILE[1], TILE[0], 3), 255, np.uint8)
            part = rgb[y : y + TILE[1], x : x + TILE[0]]
            tile[: part.shape[0], : part.shape[1]] = part
            yield tile


def instance(rgb, level):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = VLWholeSlideMicroscopyImageStorage
    meta.MediaStorageSOPInstanceUID = f"1.2.276.0.99.4.{level + 1}"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = "1.2.276.0.99.1"
    ds = Dataset()
    ds.file_meta = meta
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.ImageType = ["ORIGINAL" if level == 0 else "DERIVED", "PRIMARY", "VOLUME", "RESAMPLED" if level else "NONE"]
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    ds.StudyDate, ds.StudyTime, ds.ContentDate, ds.ContentTime = "20240229", "101500", "20240229", "111500.25"
    ds.AccessionNumber, ds.StudyID, ds.Modality = "A-17", "S24-17", "SM"
    ds.Manufacturer, ds.ManufacturerModelName = "Drawn", "Drawn"
    ds.DeviceSerialNumber, ds.SoftwareVersions = "1", "1"
    ds.ReferringPhysicianName, ds.PatientName, ds.PatientID = "Ärztin^Erste", "Müller^Änne", "P-0017"
    ds.PatientBirthDate, ds.PatientSex, ds.PatientAge = "19500101", "F", "074Y"
    # What only the vendor knows stays with the slide.
    ds.private_block(0x0011, "DRAWN", create=True).add_new(0x01, "LO", "PRIVATE-SECRET")
    ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.276.0.99.2", "1.2.276.0.99.3"
    ds.SeriesNumber, ds.InstanceNumber = 1, level + 1
    ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = "1.2.276.0.99.5", "SLIDE_CORNER"
    height, width = rgb.shape[:2]
    ds.SamplesPerPixel, ds.PlanarConfiguration, ds.PhotometricInterpretation = 3, 0, "RGB"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    ds.Columns, ds.Rows = TILE
    ds.LossyImageCompression, ds.LossyImageCompressionRatio = "01", 12.5
    ds.LossyImageCompressionMethod = "ISO_10918_1"
    ds.ContainerIdentifier, ds.IssuerOfTheContainerIdentifierSequence = "S24-17-A-1", Sequence()
    ds.ContainerTypeCodeSequence = Sequence([code("433466003", "SCT", "Microscope slide")])
    specimen = Dataset()
    specimen.SpecimenIdentifier, specimen.SpecimenUID = "S24-17-A", "1.2.276.0.99.6"
    specimen.IssuerOfTheSpecimenIdentifierSequence = Sequence()
    specimen.SpecimenPreparationSequence = Sequence()
    ds.SpecimenDescriptionSequence = Sequence([specimen])
    spacing = [mm * 2**level for mm in SPACING]
    ds.ImagedVolumeWidth, ds.ImagedVolumeHeight, ds.ImagedVolumeDepth = width * spacing[1], height * spacing[0], 0.004
    ds.TotalPixelMatrixColumns, ds.TotalPixelMatrixRows, ds.TotalPixelMatrixFocalPlanes = width, height, 1
    origin = Dataset()
    origin.XOffsetInSlideCoordinateSystem, origin.YOffsetInSlideCoordinateSystem = 20.5, 41.25
    ds.TotalPixelMatrixOriginSequence = Sequence([origin])
    ds.ImageOrientationSlide = [0, -1, 0, -1, 0, 0]
    ds.DimensionOrganizationType = "TILED_FULL"
    optics = Dataset()
    optics.OpticalPathIdentifier = "0"
    ds.OpticalPathSequence, ds.NumberOfOpticalPaths = Sequence([optics]), 1
    measures, groups = Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = spacing, 0.004
    groups.PixelMeasuresSequence = Sequence([measures])
    ds.SharedFunctionalGroupsSequence = Sequence([groups])
    frames = list(tiles(rgb))
    ds.NumberOfFrames = len(frames)
    ds.PixelData = b"".join(frame.tobytes() for frame in frames)
    ds["PixelData"].VR = "OB"
    return ds


def main(picture, folder):
    rgb = tifffile.imread(picture, level=0)
    folder.mkdir(parents=True, exist_ok=True)
    for level in range(2):
        small = np.ascontiguousarray(rgb[:: 2**level, :: 2**level])
        instance(small, level).save_as(folder / f"level-{level}.dcm", enforce_file_format=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
