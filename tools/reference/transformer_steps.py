"""Makes test/fixtures/transformers/cases.safetensors: one evaluation each of transformers, with the tiny checkpoints of the manifests
beside it, as ComfyUI's own networks compute it.

Usage: COMFY=... TORCHSDE=... KITCHEN=... PYTHONPATH=folder-of-comfy_env.py-and-synth.py python tools/reference/transformer_steps.py
Keys are MODEL.CASE.NAME: what the network was given, by ComfyUI's argument names (`ref_latents.0`, …; `method` is the number of a
reference method), and its `result`.
"""
import json
import os
import tempfile

import comfy_env  # noqa: F401
import tiny_families  # noqa: F401
import comfy.sd
import synth
import torch
from safetensors.torch import save_file

FOLDER = os.path.join(os.path.dirname(__file__), "../../test/fixtures/transformers")
METHODS = ["offset", "index", "index_timestep_zero", "uxo", "negative_index"]
generator = torch.Generator().manual_seed(7)


def randn(*shape):
    return torch.randn(shape, generator=generator)


def flux(width, tokens=7, pooled=128, rows=2, **others):
    given = {"context": randn(rows, tokens, width), "timestep": torch.tensor([0.83, 0.31][:rows]), **others}
    if pooled:
        given["y"] = randn(rows, pooled)
    return given


def picture(*sides, rows=2, channels=16):
    return {"x": randn(rows, channels, *sides)}


def references(method, *sizes, rows=2, channels=16):
    return {"method": method, **{f"ref_latents.{i}": randn(rows, channels, *size) for i, size in enumerate(sizes)}}


CASES = {
    "flux-dev": {
        "plain": {**picture(6, 8), **flux(320), "guidance": torch.tensor([3.5, 30.0])},
        "odd": {**picture(5, 7, rows=1), **flux(320, rows=1), "guidance": torch.tensor([3.5])},
        "unguided": {**picture(4, 4, rows=1), **flux(320, pooled=0, rows=1)},
        **{method: {**picture(6, 8, rows=1), **flux(320, rows=1), "guidance": torch.tensor([2.5]),
                    **references(method, (4, 6), (6, 4), (5, 3), rows=1)} for method in ("offset", "index", "uxo")},
    },
    "flux2-klein": {
        "plain": {**picture(3, 4, channels=128), **flux(192, pooled=0)},
        **{method: {**picture(3, 4, rows=1, channels=128), **flux(192, pooled=0, rows=1),
                    **references(method, (2, 3), (3, 2), rows=1, channels=128)} for method in METHODS[:3]},
    },
    "flux2-dev": {"plain": {**picture(3, 4, channels=128), **flux(192, pooled=0), "guidance": torch.tensor([4.0, 2.0])}},
    "chroma": {"plain": {**picture(6, 8), **flux(320, pooled=0), "guidance": torch.tensor([0.0, 4.0])}},
    **{name: {"plain": {**picture(6, 8), **flux(64, pooled=0), "num_tokens": 7},
              "odd": {**picture(5, 7, rows=1), **flux(64, tokens=33, pooled=0, rows=1), "num_tokens": 33}} for name in ("z_image", "lumina2")},
    "qwen_image": {
        "plain": {**picture(1, 6, 8), **flux(64, pooled=0)},
        "odd": {**picture(1, 5, 7, rows=1), **flux(64, pooled=0, rows=1)},
        "masked": {**picture(1, 4, 4), **flux(64, pooled=0), "attention_mask": torch.tensor([[1, 1, 1, 1, 0, 0, 1], [1] * 7])},
        **{method: {**picture(1, 6, 8, rows=1), **flux(64, pooled=0, rows=1),
                    **references(method, (1, 4, 6), (1, 5, 3), rows=1)} for method in METHODS},
    },
    "sd35-medium": {
        "plain": {**picture(6, 8), **flux(320, pooled=256), "timestep": torch.tensor([830.0, 31.0])},
        "odd": {**picture(5, 7, rows=1), **flux(320, pooled=256, rows=1), "timestep": torch.tensor([500.0])},
    },
    "sd35-large": {"plain": {**picture(6, 8), **flux(320, pooled=256), "timestep": torch.tensor([830.0, 31.0])}},
    "wan21": {
        "plain": {**picture(2, 6, 8), **flux(128, pooled=0), "timestep": torch.tensor([830.0, 31.0])},
        "odd": {**picture(1, 5, 7, rows=1), **flux(128, pooled=0, rows=1), "timestep": torch.tensor([500.0])},
    },
    "wan22": {
        "plain": {**picture(2, 4, 6, channels=48), **flux(128, pooled=0), "timestep": torch.tensor([830.0, 31.0])},
        "timed": {**picture(3, 4, 6, channels=48), **flux(128, pooled=0), "timestep": torch.tensor([830.0, 31.0]),
                  "noise_mask": torch.tensor([0.0, 0.25, 1.0]).reshape(1, 1, 3, 1, 1).expand(2, 1, 3, 4, 6)},
    },
    "flux-schnell": {"plain": {**picture(6, 8), **flux(320)}},
    "flux-fill": {"plain": {**picture(6, 8, channels=96), **flux(320), "guidance": torch.tensor([30.0, 3.5])}},
    "wan-i2v": {"picture": {**picture(2, 4, 6, rows=1, channels=36), **flux(128, pooled=0, rows=1), "timestep": torch.tensor([830.0]),
                            "clip_fea": randn(1, 4, 64)}},
    "wan-fun": {"picture": {**picture(1, 4, 4, rows=1, channels=48), **flux(128, pooled=0, rows=1), "timestep": torch.tensor([500.0]),
                            "clip_fea": randn(1, 3, 64)}},
    "auraflow": {
        "plain": {**picture(6, 8, channels=4), **flux(2048, tokens=3, pooled=0)},
        "large": {**picture(5, 14, rows=1, channels=4), **flux(2048, tokens=2, pooled=0, rows=1)},
    },
    "hidream": {
        "plain": {**picture(4, 6), **flux(320, pooled=256), "timestep": torch.tensor([830.0, 31.0]), "encoder_hidden_states_llama3": randn(2, 3, 5, 64)},
        "edit": {**picture(5, 3, rows=1), **flux(320, pooled=256, rows=1), "timestep": torch.tensor([500.0]),
                 "encoder_hidden_states_llama3": randn(1, 3, 4, 64), "image_cond": randn(1, 16, 5, 3)},
    },
}


def evaluate(model, given):
    options = {}
    keywords = {name: value for name, value in given.items() if name not in ("x", "timestep", "context", "method") and "." not in name}
    timestep = given["timestep"].clone()
    mask = keywords.pop("noise_mask", None)
    if mask is not None:  # as comfy/model_base.py, WAN22.process_timestep
        timestep = mask.mean((1, 3, 4)) * timestep[:, None]
    latents = [value for name, value in given.items() if name.startswith("ref_latents.")]
    if latents:
        keywords.update(ref_latents=latents, ref_latents_method=given["method"])
    with torch.inference_mode():
        copies = {name: value.clone() if torch.is_tensor(value) else value for name, value in keywords.items()}
        return model(given["x"].clone(), timestep, context=given["context"].clone(), transformer_options=options, **copies)


results = {}
for name, cases in CASES.items():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.safetensors")
        synth.write(json.load(open(os.path.join(FOLDER, f"{name}-tiny.json"))), path, FOLDER)
        model = comfy.sd.load_diffusion_model(path).model.diffusion_model
    for case, given in cases.items():
        given = {**given, "result": evaluate(model, given)}
        if "method" in given:
            given["method"] = torch.tensor([float(METHODS.index(given["method"]))])
        for key, value in given.items():
            if torch.is_tensor(value):
                results[f"{name}.{case}.{key}"] = (value.float() if key == "attention_mask" else value).contiguous().clone()
save_file(results, os.path.join(FOLDER, "cases.safetensors"))
