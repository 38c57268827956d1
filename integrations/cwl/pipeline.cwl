#!/usr/bin/env cwl-runner
cwlVersion: v1.2
class: Workflow
label: Functional tissue units in the slides of one dataset
doc: |
  The inputs are named as in HuBMAP's segmentation pipelines: the dataset's folder, and its organ's code. A code that
  names one of the five organs sends all tissue to that organ's network; any other leaves it to the router.

  With the DOI of a protocol, the masks come as HuBMAP's `segmentation-mask` data sets, too: OME-TIFF and tables.

requirements:
  InlineJavascriptRequirement: {}
  StepInputExpressionRequirement: {}

inputs:
  data_directory:
    type: Directory
    doc: The dataset; all slides in it and below it
  tissue_type:
    type: string?
    doc: HuBMAP's code of the organ, for example LK
  mpp:
    type: double?
    doc: um per full-size px, for slides that do not state it
  protocol:
    type: string?
    doc: DOI of the protocol by which the masks were made; without one there are no data sets
  bundle: Directory?
  runtime: File?

steps:
  segment:
    run: ftuseg-segment.cwl
    in:
      data_directory: data_directory
      slides:
        valueFrom: $([inputs.data_directory])
      route:
        source: tissue_type
        valueFrom: |
          ${
            var organs = {LK: "kidney", RK: "kidney", LI: "largeintestine", LL: "lung", RL: "lung", PR: "prostate", SP: "spleen"};
            return organs.hasOwnProperty(self) ? "organ=" + organs[self] : null;
          }
      mpp: mpp
      bundle: bundle
      runtime: runtime
    out: [results, events]
  export:
    run: ftuseg-export-epic.cwl
    when: $(inputs.protocol !== null)
    in:
      results:
        source: segment/results
        valueFrom: $([self])
      # It is there when the step runs.
      protocol:
        source: protocol
        valueFrom: $(self)
    out: [data_sets, messages]

outputs:
  results:
    type: Directory
    outputSource: segment/results
  events:
    type: File
    outputSource: segment/events
  data_sets:
    type: Directory?
    outputSource: export/data_sets
  export_messages:
    type: File?
    outputSource: export/messages
