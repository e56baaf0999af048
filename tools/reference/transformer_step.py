"""Steps ComfyUI's network of a full-size transformer on request, to compare latentd's speed with.

python transformer_step.py FILE THREADS: evaluates a latent of 256×256 pixels and 64 tokens for each line on standard input, in float32; answers with a
line of JSON, {"ms", "cpuMs"}. An empty line first says that it is ready. Needs COMFY and TORCHSDE (checkouts) in the environment, TINY=0, and
comfy_env.py on PYTHONPATH. The weights are widened as ComfyUI does with --force-fp32.
"""
import json
import sys
import time

import comfy_env  # makes ComfyUI importable
import comfy.sd
import torch

path, threads = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(threads)
answers, sys.stdout = sys.stdout, sys.stderr
model = comfy.sd.load_diffusion_model(path).model.diffusion_model.to(torch.float32)
x = torch.randn(1, 16, 32, 32)
context = torch.randn(1, 64, 2560)


def answer(text):
    answers.write(text + "\n")
    answers.flush()


answer("")
for _ in sys.stdin:
    with torch.inference_mode():
        wall, cpu = time.perf_counter(), time.process_time()
        result = model(x, torch.tensor([0.7]), context, num_tokens=64)
        times = {"ms": (time.perf_counter() - wall) * 1000, "cpuMs": (time.process_time() - cpu) * 1000}
    assert result.dtype == torch.float32, result.dtype
    answer(json.dumps(times))
