"""Runs one workflow through ComfyUI several times in one process, to compare latentd's speed with.

python end_to_end.py MODELS WORKFLOW.json OUT.json RUNS: writes {"runs": [{"ms", "nodes": [[class, ms]]}], "cpuMs", "peakBytes"}. The
checkpoint is loaded once; every other node runs anew each time. Needs COMFY and TORCHSDE (checkouts) in the environment, THREADS for
the CPU's, TINY=0 for full-size checkpoints, and comfy_env.py on PYTHONPATH.
"""
import json
import os
import resource
import sys
import tempfile
import time

import comfy_env  # makes ComfyUI importable
import folder_paths
import nodes
import torch

models, workflow_file, out_file, count = sys.argv[1:5]
folder_paths.folder_names_and_paths["checkpoints"] = (
    [os.path.join(models, "checkpoints")], folder_paths.supported_pt_extensions)
workflow = json.load(open(workflow_file))
kept = {}


def run():
    """Every node's class and milliseconds, in the order in which they ran."""
    done, times = dict(kept), []

    def result(name):
        if name in done:
            return done[name]
        node = workflow[name]
        cls = nodes.NODE_CLASS_MAPPINGS[node["class_type"]]
        inputs = {key: result(value[0])[value[1]] if isinstance(value, list) else value for key, value in node["inputs"].items()}
        started = time.perf_counter()
        with torch.inference_mode():
            returned = getattr(cls(), cls.FUNCTION)(**inputs)
        times.append([node["class_type"], (time.perf_counter() - started) * 1000])
        done[name] = returned["result"] if isinstance(returned, dict) and "result" in returned else returned
        if node["class_type"] == "CheckpointLoaderSimple":
            kept[name] = done[name]
        return done[name]

    started = time.perf_counter()
    for name, node in workflow.items():
        if getattr(nodes.NODE_CLASS_MAPPINGS[node["class_type"]], "OUTPUT_NODE", False):
            result(name)
    return {"ms": (time.perf_counter() - started) * 1000, "nodes": times}


with tempfile.TemporaryDirectory() as folder:
    folder_paths.set_output_directory(folder)
    runs = [run() for _ in range(int(count))]
usage = resource.getrusage(resource.RUSAGE_SELF)
with open(out_file, "w") as out:
    json.dump({"runs": runs, "cpuMs": (usage.ru_utime + usage.ru_stime) * 1000, "peakBytes": usage.ru_maxrss * 1024}, out)
