"""Makes test/fixtures/transformers/diffusers-layouts.json.gz: diffusers' keys of the tiny transformers beside it, and what of their own tensors each is: a key,
[key, first row, rows], or [key] where the halves are swapped.

Usage: COMFY=... TORCHSDE=... KITCHEN=... PYTHONPATH=folder-of-comfy_env.py python tools/reference/diffusers_layouts.py   (in the repository's root)
"""
import gzip
import json

import comfy_env  # makes ComfyUI importable
import comfy.utils

OUT = "test/fixtures/transformers"


def count(keys, part):
    return len({key.split(".")[1] for key in keys if key.startswith(part + ".")})


def layout(name, build):
    manifest = {key.removeprefix("model.diffusion_model."): value for key, value in json.load(open(f"{OUT}/{name}-tiny.json")).items()}
    entries = {}
    for key, to in build(manifest).items():
        own, rows, *swap = (to, None) if isinstance(to, str) else to
        renamed = own.replace("norm.weight", "norm.scale")
        own = renamed if own not in manifest and renamed in manifest else own
        if own in manifest:
            entries[key] = [own, *rows[1:]] if rows is not None else [own] if swap else own
    return entries


def flux(manifest):
    return comfy.utils.flux_to_diffusers({"depth": count(manifest, "double_blocks"), "depth_single_blocks": count(manifest, "single_blocks"), "hidden_size": manifest["img_in.weight"][1][0]})


def lumina(manifest):
    return comfy.utils.z_image_to_diffusers({"n_layers": count(manifest, "layers"), "dim": manifest["layers.0.attention.out.weight"][1][0]})


def sd3(manifest):
    blocks = count(manifest, "joint_blocks")
    # The last block is found by the width, which is that of a model of full size.
    width = manifest["x_embedder.proj.weight"][1][0]
    made = comfy.utils.mmdit_to_diffusers({"depth": width // 64, "num_blocks": blocks})
    last = comfy.utils.mmdit_to_diffusers({"depth": blocks, "num_blocks": blocks})
    swapped = {key: to for key, to in last.items() if f".{blocks - 1}.norm1_context." in key}
    return {**made, **swapped}


def aura(manifest):
    double = count(manifest, "double_layers")
    return comfy.utils.auraflow_to_diffusers({"n_double_layers": double, "n_layers": double + count(manifest, "single_layers")})


layouts = {name: layout(name, build) for name, build in {"flux-dev": flux, "flux-schnell": flux, "z_image": lumina, "sd35-medium": sd3, "auraflow": aura}.items()}
with open(f"{OUT}/diffusers-layouts.json.gz", "wb") as file:
    file.write(gzip.compress(json.dumps(layouts, separators=(",", ":")).encode(), 9, mtime=0))
print({name: len(entries) for name, entries in layouts.items()})
