"""Makes test/fixtures/nodes/model-cases.safetensors: what ComfyUI's nodes return that use a checkpoint's text encoders or VAE.

Usage: PYTHONPATH=REF COMFY=... TORCHSDE=... MODELS=... python tools/reference/model_nodes.py OUT
(REF holds comfy_env.py; MODELS/checkpoints holds sd15-tiny.safetensors and sdxl-tiny.safetensors.)
Values are written as by node_cases.py; {"part": ["sd15", "vae"]} is a part of a tiny checkpoint.
"""
import json
import os
import sys

from comfy_nodes import run
import folder_paths
import safetensors.torch
import torch

folder_paths.folder_names_and_paths["checkpoints"] = ([os.path.join(os.environ["MODELS"], "checkpoints")], {".safetensors"})
torch.manual_seed(6)
tensors, cases, parts = {}, [], {}
for family in ("sd15", "sdxl"):
    for kind, part in zip(("model", "clip", "vae"), run("CheckpointLoaderSimple", ckpt_name=f"{family}-tiny.safetensors")):
        parts[family, kind] = part


def stored(value):
    value = value.detach().float().cpu().contiguous()
    for key, known in tensors.items():
        if known.shape == value.shape and torch.equal(known, value):
            return key
    key = str(len(tensors))
    tensors[key] = value.clone()
    return key


def described(value):
    for name, part in parts.items():
        if part is value:
            return {"part": list(name)}
    if isinstance(value, torch.Tensor):
        return {"tensor": stored(value)}
    if isinstance(value, dict):
        return {"latent": {key: stored(part) if isinstance(part, torch.Tensor) else part for key, part in value.items()}}
    if isinstance(value, list):
        entry = lambda c: {"cond": stored(c[0]), **{key: stored(part) if isinstance(part, torch.Tensor) else part for key, part in c[1].items() if part is not None}}
        return {"conditioning": [entry(c) for c in value]}
    return value


def case(name, **inputs):
    with torch.inference_mode():
        result = run(name, **inputs)
    cases.append({"node": name, "inputs": {key: described(value) for key, value in inputs.items()}, "outputs": [described(value) for value in result]})
    return result


def smooth(height, width, batch=1):
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([0.5 + 0.4 * torch.sin(x / (5.0 + c) + b) * torch.cos(y / (7.0 + c)) for b in range(batch) for c in range(3)], -1).reshape(height, width, batch, 3).permute(2, 0, 1, 3).contiguous()


vae = parts["sd15", "vae"]
odd = smooth(37, 45)
mask = torch.zeros(1, 20, 30)
mask[:, 5:12, 8:20] = 1.0
mask[:, 3:6, 20:25] = 0.6
case("VAEEncode", pixels=odd, vae=vae)
case("VAEEncode", pixels=smooth(24, 32, batch=2), vae=vae)
case("VAEDecode", samples={"samples": torch.randn(2, 4, 3, 5)}, vae=vae)
case("VAEDecodeTiled", samples={"samples": torch.randn(1, 4, 10, 9)}, vae=vae, tile_size=64, overlap=32, temporal_size=64, temporal_overlap=8)
case("VAEEncodeTiled", pixels=smooth(80, 72), vae=vae, tile_size=64, overlap=16, temporal_size=64, temporal_overlap=8)
for grow in (0, 5, 6):
    case("VAEEncodeForInpaint", pixels=odd, vae=vae, mask=mask, grow_mask_by=grow)
case("VAEEncodeForInpaint", pixels=smooth(24, 32, batch=2), vae=vae, mask=torch.rand(2, 24, 32), grow_mask_by=3)
prompt = [[torch.randn(1, 2, 3), {"pooled_output": torch.randn(1, 4), "strength": 0.5}]]
for noise_mask in (True, False):
    case("InpaintModelConditioning", positive=prompt, negative=[], pixels=odd, vae=vae, mask=mask, noise_mask=noise_mask)
clip = parts["sdxl", "clip"]
sizes = dict(width=640, height=512, crop_w=16, crop_h=8, target_width=512, target_height=768)
case("CLIPTextEncodeSDXL", clip=clip, text_g="a (castle:1.2) on a hill", text_l="pixel art", **sizes)
case("CLIPTextEncodeSDXLRefiner", clip=clip, ascore=4.5, width=640, height=512, text="a castle on a hill")
case("CLIPTextEncode", clip=parts["sd15", "clip"], text="a castle on a hill")
safetensors.torch.save_file(tensors, sys.argv[1], metadata={"cases": json.dumps(cases)})
