"""Makes test/fixtures/model-files/quantised/FORM.safetensors, two layers in each form that ComfyUI knows, and expected.safetensors, what
comfy-kitchen makes of them in float32.

Usage: REF=... KITCHEN=... python tools/reference/quantised.py OUT   (REF holds quantise.py, KITCHEN is a checkout of Comfy-Org/comfy-kitchen)
"""
import os
import subprocess
import sys

import safetensors.torch
import torch

sys.path.insert(0, os.environ["KITCHEN"])
import comfy_kitchen.tensor as ct

OUT = sys.argv[1]
torch.manual_seed(4)
# Neither rows nor blocks fill the tiles that scales lie in.
plain = {"first.weight": torch.randn(144, 64) * 0.3, "second.weight": torch.randn(48, 96) * torch.logspace(-3, 1, 48)[:, None], "second.bias": torch.randn(48)}
source = f"{OUT}/source.tmp"
safetensors.torch.save_file(plain, source)
LAYOUTS = {"nvfp4": ct.TensorCoreNVFP4Layout, "mxfp8": ct.TensorCoreMXFP8Layout, "int8": ct.TensorWiseINT8Layout}
expected = {}
for form in ("fp8-scaled", "fp8-comfy", "fp8-meta", "mxfp8", "nvfp4", "int8"):
    path = f"{OUT}/{form}.safetensors"
    subprocess.run([sys.executable, f"{os.environ['REF']}/quantise.py", source, path, "--form", form], check=True)
    held = safetensors.torch.load_file(path)
    for layer in ("first", "second"):
        weight = plain[f"{layer}.weight"]
        if form in LAYOUTS:
            q, params = LAYOUTS[form].quantize(weight)
            made = LAYOUTS[form].dequantize(q, params)
        else:
            scale = held.get(f"{layer}.scale_weight", held.get(f"{layer}.weight_scale"))
            made = held[f"{layer}.weight"].float() * scale
        expected[f"{form}.{layer}"] = made.float().contiguous()
# A scale for each row, as some files have it.
scales = plain["second.weight"].abs().amax(1) / 448
rows = {"second.weight": (plain["second.weight"] / scales[:, None]).to(torch.float8_e4m3fn), "second.scale_weight": scales, "scaled_fp8": torch.zeros(2)}
safetensors.torch.save_file(rows, f"{OUT}/fp8-rows.safetensors")
expected["fp8-rows.second"] = rows["second.weight"].float() * scales[:, None]
os.remove(source)
safetensors.torch.save_file(expected, f"{OUT}/expected.safetensors")
