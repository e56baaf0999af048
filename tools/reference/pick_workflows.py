"""Makes test/fixtures/sampling/workflows.safetensors: some of the cases that parity.py made, with the latents that they save.
Workflows are kept as texts: their seeds have more digits than JavaScript's numbers.

Usage: python tools/reference/pick_workflows.py OUT NAME.json...   (needs safetensors and torch)
"""
import json
import os
import sys

import safetensors.torch

tensors, cases = {}, []
for path in sys.argv[2:]:
    workflow = json.load(open(path))
    made = safetensors.torch.load_file(path.removesuffix(".json") + ".safetensors")
    saved = {}
    for node, spec in workflow.items():
        if spec["class_type"] != "SaveLatent":
            continue
        source, slot = spec["inputs"]["samples"]
        saved[node] = str(len(tensors))
        tensors[saved[node]] = made[f"{source}.{workflow[source]['class_type']}.{slot}"].contiguous()
    cases.append({"name": os.path.basename(path).removesuffix(".json"), "workflow": json.dumps(workflow), "saved": saved})
safetensors.torch.save_file(tensors, sys.argv[1], metadata={"cases": json.dumps(cases, separators=(",", ":"))})
