"""Steps ComfyUI's UNet of a checkpoint on request, to compare latentd's speed with.

python unet_step.py CHECKPOINT SIDE THREADS: evaluates two rows of SIDE×SIDE latents and 77 tokens for each line on standard input, which
names a dtype (float32, bfloat16); answers with a line of JSON, {"ms", "cpuMs"}. An empty line first says that it is ready. Needs COMFY
and TORCHSDE (checkouts) in the environment, TINY=0 for full-size checkpoints, and comfy_env.py on PYTHONPATH.
"""
import copy
import json
import sys
import time

import comfy_env  # makes ComfyUI importable
import comfy.sd
import torch

checkpoint, side, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(threads)
answers, sys.stdout = sys.stdout, sys.stderr
loaded = comfy.sd.load_checkpoint_guess_config(checkpoint, output_vae=False, output_clip=False)[0].model.diffusion_model
models = {"float32": loaded.to(torch.float32)}
x = torch.randn(2, 4, side, side)
timesteps = torch.tensor([500.0, 500.0])
context = torch.randn(2, 77, models["float32"].input_blocks[1][1].transformer_blocks[0].attn2.to_k.in_features)


def answer(text):
    answers.write(text + "\n")
    answers.flush()


def model_in(name):
    if name not in models:
        models[name] = copy.deepcopy(models["float32"]).to(getattr(torch, name))
        models[name].dtype = getattr(torch, name)
    return models[name]


answer("")
for line in sys.stdin:
    dtype = getattr(torch, line.strip())
    model = model_in(line.strip())
    with torch.inference_mode():
        inputs = x.to(dtype), timesteps, context.to(dtype)
        wall, cpu = time.perf_counter(), time.process_time()
        result = model(inputs[0], inputs[1], context=inputs[2])
        times = {"ms": (time.perf_counter() - wall) * 1000, "cpuMs": (time.process_time() - cpu) * 1000}
    assert result.dtype == dtype, result.dtype
    answer(json.dumps(times))
