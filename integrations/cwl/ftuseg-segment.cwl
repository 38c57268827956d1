#!/usr/bin/env cwl-runner
cwlVersion: v1.2
class: CommandLineTool
label: Segments functional tissue units in histology slides
doc: |
  Runs `ftuseg segment` on slides, folders of slides or CSV tables. Nothing is fetched while it runs: models and ONNX
  Runtime are in the image, or are named by `bundle` and `runtime` where there is no container.

hints:
  DockerRequirement:
    dockerPull: ftuseg:0.1.0
  SoftwareRequirement:
    packages:
      ftuseg:
        version: ["0.1.0"]
  ResourceRequirement:
    coresMin: 2
    ramMin: 4096

baseCommand: [ftuseg, segment]
arguments:
  - --offline
  - --json-log
  - prefix: --out
    valueFrom: results
  - prefix: --threads
    valueFrom: $(runtime.cores)

inputs:
  slides:
    type:
      type: array
      items: [File, Directory]
    doc: Slides, folders of slides (for formats of more than one file, too), or CSV tables
    inputBinding:
      position: 2
  route:
    type: string?
    doc: How tissue is matched to models; tile (the default), slide, given, or organ=NAME
    inputBinding:
      prefix: --route
  mpp:
    type: double?
    doc: um per full-size px, for slides that do not state it
    inputBinding:
      prefix: --mpp
  tta:
    type: string?
    doc: Test-time augmentation; none (the default), flips, d4 or scales
    inputBinding:
      prefix: --tta
  write:
    type: string?
    doc: What to write besides the records; rle, mask, geojson, overlay, prob, or all (the default, without prob)
    inputBinding:
      prefix: --write
  bundle:
    type: Directory?
    doc: Another model bundle; without a container, the one to use
    inputBinding:
      prefix: --bundle
  runtime:
    type: File?
    doc: Another ONNX Runtime library; without a container, the one to use
    inputBinding:
      prefix: --runtime
  options:
    type: string[]?
    doc: Further options of `ftuseg segment`, word by word
    inputBinding:
      position: 1

stdout: events.jsonl

outputs:
  results:
    type: Directory
    doc: The folder as `ftuseg segment` writes it
    outputBinding:
      glob: results
  record:
    type: File
    doc: What was done, and each slide's status
    outputBinding:
      glob: results/run.json
  table:
    type: File
    doc: A line per slide
    outputBinding:
      glob: results/slides.csv
  masks:
    type: File[]
    outputBinding:
      glob: results/slides/*/mask.tif
  objects:
    type: File[]
    outputBinding:
      glob: results/slides/*/objects.geojson
  events:
    type: stdout
    doc: What happened, an event per line
