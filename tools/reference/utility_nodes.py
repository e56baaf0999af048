"""Makes test/fixtures/nodes/utilities.json: ComfyUI's results of nodes of values, branches and lists, each on a few inputs, and how it declares them.

Usage: COMFY=... TORCHSDE=... PYTHONPATH=folder-of-comfy_env.py python tools/reference/utility_nodes.py [OUT]
"""
import asyncio
import importlib
import json
import sys

import comfy_env  # noqa: F401
import nodes
import torch

found = {}
for extra in ("logic", "primitive", "preview_any", "rebatch"):
    module = importlib.import_module(f"comfy_extras.nodes_{extra}")
    found.update(getattr(module, "NODE_CLASS_MAPPINGS", {}))
    if hasattr(module, "comfy_entrypoint"):
        for node in asyncio.run(asyncio.run(module.comfy_entrypoint()).get_node_list()):
            found[node.GET_SCHEMA().node_id] = node


def run(name, inputs):
    node = found[name]
    result = node.execute(**inputs).result if hasattr(node, "GET_SCHEMA") else node().main(**inputs)["result"]
    return [plain(value) for value in result]


def plain(value):
    if isinstance(value, torch.Tensor): return {"shape": list(value.shape), "data": value.flatten().tolist()}
    if isinstance(value, dict): return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def picture(batch, height, width, start=0): return torch.arange(start, start + batch * height * width * 3, dtype=torch.float32).reshape(batch, height, width, 3)
def latent(batch, height, width, start=0, **more): return {"samples": torch.arange(start, start + batch * 4 * height * width, dtype=torch.float32).reshape(batch, 4, height, width), **more}
half = torch.full((1, 1, 16, 16), 0.5)

cases = {
    "PrimitiveString": [{"value": v} for v in ("", "a cat", "two\nlines")],
    "PrimitiveStringMultiline": [{"value": v} for v in ("", "a\nb", "ü")],
    "PrimitiveInt": [{"value": v} for v in (0, -5, 9007199254740993)],
    "PrimitiveFloat": [{"value": v} for v in (0.0, -1.5, 1e16)],
    "PrimitiveBoolean": [{"value": v} for v in (True, False)],
    "PreviewAny": [{"source": v} for v in ("text", 5, 5.0, 1e-7, True, None, [1, "zwei ü", None, [True]], {"a": {"b": []}})],
    "ComfySwitchNode": [{"switch": True, "on_true": 1, "on_false": 2}, {"switch": False, "on_true": 1, "on_false": 2}, {"switch": True, "on_true": "yes", "on_false": None}],
    "RebatchImages": [{"images": [picture(3, 2, 2)], "batch_size": [2]}, {"images": [picture(1, 2, 2), picture(2, 2, 2, 50)], "batch_size": [1]}, {"images": [picture(1, 2, 2), picture(1, 2, 2, 50)], "batch_size": [4]}],
    "RebatchLatents": [{"latents": [latent(5, 2, 2)], "batch_size": [2]}, {"latents": [latent(1, 2, 2), latent(1, 2, 2, 100), latent(2, 1, 2, 200)], "batch_size": [2]},
                       {"latents": [latent(1, 2, 2), latent(2, 2, 2, 100, noise_mask=half, batch_index=[4, 7])], "batch_size": [2]},
                       {"latents": [latent(3, 2, 2, noise_mask=torch.ones((1, 1, 16, 16)))], "batch_size": [4]}],
}
out = {name: {"input": found[name].INPUT_TYPES(), "output": list(found[name].RETURN_TYPES), "output_is_list": list(getattr(found[name], "OUTPUT_IS_LIST", [False] * len(found[name].RETURN_TYPES))),
              "cases": [{"inputs": plain(inputs), "float": any(isinstance(v, float) for v in inputs.values()), "outputs": run(name, inputs)} for inputs in given]} for name, given in cases.items()}
with open(sys.argv[1] if len(sys.argv) > 1 else "test/fixtures/nodes/utilities.json", "w") as f:
    json.dump(out, f, indent=None, separators=(",", ":"))
    f.write("\n")
