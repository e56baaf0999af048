"""Makes test/fixtures/imaging/resampling.safetensors: ComfyUI's common_upscale on small latents and images.

Usage: PYTHONPATH=REF COMFY=... TORCHSDE=... python tools/reference/resampling.py OUT   (REF holds comfy_env.py)
"""
import json
import sys

import comfy_env  # noqa: F401  makes ComfyUI importable
import comfy.utils
import safetensors.torch
import torch

torch.manual_seed(7)
LATENTS = {
    "odd": torch.randn(2, 4, 7, 5),
    "wide": torch.randn(1, 1, 3, 70),
    "zeros": torch.zeros(1, 4, 3, 4),
    "pixel": torch.randn(1, 4, 1, 1),
    "polar": torch.tensor([1.0, -1.0]).repeat(1, 4, 4, 2) * torch.randn(1, 4, 1, 1),
}
IMAGES = {"rgb": torch.rand(2, 9, 11, 3) * 1.2 - 0.1, "rgba": torch.rand(1, 12, 9, 4), "line": torch.rand(1, 1, 30, 3)}
LONG = torch.randn(1, 1, 1, 300)
tensors = {}
cases = []


def case(kind, name, source, method, width, height, crop):
    tensors[f"{kind}.{name}"] = source
    samples = source if kind == "latent" else source.movedim(-1, 1)
    out = comfy.utils.common_upscale(samples, width, height, method, crop)
    key = str(len(cases))
    tensors[key] = (out if kind == "latent" else out.movedim(1, -1)).contiguous()
    cases.append(dict(kind=kind, source=f"{kind}.{name}", method=method, width=width, height=height, crop=crop, expected=key))


for name, source in LATENTS.items():
    height, width = source.shape[2:]
    for method in ("nearest-exact", "bilinear", "area", "bicubic", "bislerp"):
        for target in ((9, 12, "disabled"), (4, 3, "center"), (width, 10, "center"), (width, height, "disabled")):
            case("latent", name, source, method, *target)
for name, source in IMAGES.items():
    height, width = source.shape[1:3]
    crop = "center" if name != "line" else "disabled"
    for method in ("nearest-exact", "bilinear", "area", "bicubic", "lanczos"):
        for target in ((14, 13, "disabled"), (5, 7, crop), (width, 8, crop), (width, height, "disabled")):
            case("image", name, source, method, *target)
# Far from the edge, where a position's float32 rounding shows.
for method in ("bilinear", "bicubic"):
    case("latent", "long", LONG, method, 517, 2, "disabled")
# Positions on a pixel's boundary, where float32 rounding decides.
for length, to in ((2, 41), (2, 141), (4, 83), (4, 166), (6, 201), (64, 96), (3, 100), (100, 150)):
    ramp = torch.arange(length, dtype=torch.float32).reshape(1, 1, 1, -1).contiguous()
    case("latent", f"ramp{length}", ramp, "nearest-exact", to, 1, "disabled")
safetensors.torch.save_file(tensors, sys.argv[1], metadata={"cases": json.dumps(cases)})
