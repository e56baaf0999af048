"""Makes test/fixtures/models/text/weighed-prompts.safetensors: prompts on the tiny checkpoints with words weighed as Easy-Use's loaders weigh them.

Usage: NODE_PACKS=folder of ComfyUI-Easy-Use MODELS=folder with checkpoints/sd15-tiny.safetensors and sdxl-tiny.safetensors COMFY=... TORCHSDE=... PYTHONPATH=REF
       python tools/reference/weighed_prompts.py [OUT]
Of each encoding the first rows, some of the second section's, and what is pooled are kept.
"""
import json
import os
import sys

from comfy_nodes import NODES
import comfy.sd
import safetensors.torch
import torch

encode = sys.modules[NODES["easy a1111Loader"].__module__.rsplit(".", 2)[0] + ".libs.adv_encode"].advanced_encode
TEXTS = ["a small red castle", "a (small:1.4) [red] castle, ((moat)) (old long story:0.6)", "", "a (tower:1.3) of stones, " * 20 + "(night:0.5)"]
ROWS = [0, 2, 12, 76]
tensors, cases = {}, []
for family in ("sd15", "sdxl"):
    path = os.path.join(os.environ["MODELS"], "checkpoints", f"{family}-tiny.safetensors")
    clip = comfy.sd.load_checkpoint_guess_config(path, output_vae=False, output_clip=True)[1].clone()
    clip.clip_layer(-2)
    for text in TEXTS:
        for normalization, interpretation in (("mean", "A1111"), ("none", "A1111"), ("length", "comfy"), ("length+mean", "comfy")):
            (cond, extra), = encode(clip, text, normalization, interpretation, w_max=1.0, apply_to_pooled="enable", a1111_prompt_style=False, steps=1)
            rows = ROWS + [row + 77 for row in ROWS if cond.shape[1] > 77]
            key = str(len(cases))
            tensors[f"{key}.rows"] = cond[:, rows].contiguous().clone()
            tensors[f"{key}.pooled"] = extra["pooled_output"].contiguous().clone()
            cases.append({"family": family, "text": text, "normalization": normalization, "interpretation": interpretation, "rows": rows, "tokens": cond.shape[1]})
safetensors.torch.save_file(tensors, sys.argv[1] if len(sys.argv) > 1 else "test/fixtures/models/text/weighed-prompts.safetensors", metadata={"cases": json.dumps(cases)})
print(len(cases), "cases")
