#!/usr/bin/env cwl-runner
cwlVersion: v1.2
class: CommandLineTool
label: Writes finished runs as HuBMAP's segmentation-mask data sets
doc: |
  Runs `ftuseg export epic` on results of `ftuseg segment`: for each slide an OME-TIFF with a channel for each kind of
  object, and a table of objects for each. It needs neither models nor the slides.

  A slide in which nothing was found, or whose um/px is not known, makes no data set. The job succeeds all the same, for
  the other slides' sake, and `messages` says which were left out and why.

hints:
  DockerRequirement:
    dockerPull: ftuseg:0.1.0
  SoftwareRequirement:
    packages:
      ftuseg:
        version: ["0.1.0"]
  ResourceRequirement:
    coresMin: 1
    ramMin: 2048

baseCommand: [ftuseg, export, epic]
arguments:
  - prefix: --out
    valueFrom: epic
# 1: some slides were left out. What ends it altogether has another code.
successCodes: [0, 1]

inputs:
  results:
    type: Directory[]
    doc: Folders as `ftuseg segment` writes them, with objects.csv and objects.geojson
    inputBinding:
      position: 1
  protocol:
    type: string
    doc: DOI of the protocol by which the masks were made, such as 10.17504/protocols.io.NAME/v1
    inputBinding:
      prefix: --protocol
  tool:
    type: string?
    doc: Who annotated the objects, as HuBMAP calls it; In-house (the default), Azimuth, STELLAR, FUSION, Manual, ...
    inputBinding:
      prefix: --tool

stderr: export.log

outputs:
  data_sets:
    type: Directory
    doc: A folder for each slide, laid out as HuBMAP's directory schema wants it
    outputBinding:
      glob: epic
  masks:
    type: File[]
    doc: OME-TIFF, 32-bit labels, pyramidal, a channel for each kind of object
    outputBinding:
      glob: epic/*/derived/segmentation_masks/*.segmentations.ome.tiff
  tables:
    type: File[]
    doc: A table for each channel, a line per object
    outputBinding:
      glob: epic/*/derived/segmentation_masks/*-objects.tsv
  messages:
    type: stderr
    doc: How many objects were written, and what was left out
