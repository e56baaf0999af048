"""spandrel as a peer in a benchmark: loads a model, then enlarges a picture for each line on standard input.

Answers each line with one of JSON: milliseconds, and the process's peak memory in bytes so far.

Usage: PYTHONPATH=SPANDREL python tools/reference/upscale_peer.py MODEL SIDE THREADS   (SPANDREL is libs/spandrel)
"""

import json
import resource
import sys
import time

import torch

# torchvision without its compiled operators declares some of them all the same.
library = torch.library.Library("torchvision", "FRAGMENT")
for operator in ("nms", "qnms"):
    library.define(operator + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from spandrel import ModelLoader  # noqa: E402

path, side, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(threads)
model = ModelLoader().load_from_file(path).eval()
picture = torch.rand(1, 3, side, side)
for _ in sys.stdin:
    with torch.inference_mode():
        started = time.perf_counter()
        model(picture)
        ms = (time.perf_counter() - started) * 1000
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"ms": ms, "peak": peak}), flush=True)
