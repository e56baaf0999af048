"""ComfyUI's node classes by name, those of the extras included; old and new style alike.

Needs COMFY and TORCHSDE (checkouts) in the environment and comfy_env.py on PYTHONPATH. NODE_PACKS may name folders of node packs, separated
by colons, whose classes are added; FOLDER@FILE,FILE takes these files of a pack alone.
"""
import asyncio
import importlib
import importlib.util
import inspect
import os
import re
import sys
import types

import comfy_env  # makes ComfyUI importable
import nodes
import torch

# The image extras import the web server for a progress text; only the declarations of what needs the others are looked at. facerestore_cf imports what its models were trained with,
# and VideoHelperSuite's node classes can be looked at without its decoders.
comfy_env._Finder.names.add("server")
comfy_env._Finder.names.update(name for name in ("spandrel", "moderngl", "glfw", "OpenGL", "comfy_angle", "cv2", "imageio_ffmpeg", "torchvision", "torchaudio", "lpips", "lmdb", "matplotlib", "skimage", "numba",
                                                 "color_matcher", "pilgram", "piexif", "rembg", "cpuinfo", "requests", "segment_anything", "ultralytics", "git", "wget", "deepdiff", "toml", "colour", "kornia_rs", "triton", "mss", "librosa", "skimage", "onnxruntime", "piexif", "sam2", "dill", "onediff", "onediff_quant", "oneflow", "nexfort", "bentoml", "fastsam", "aiohttp_sse", "openai", "boto3", "diffusers", "timm", "transformers", "psutil", "pynvml", "GPUtil", "blend_modes", "pymatting", "sklearn", "scipy", "cachetools", "omegaconf", "accelerate") if importlib.util.find_spec(name) is None)



def gaussian_blur(image, kernel_size, sigma=None):
    """torchvision's, in torch's words, where torchvision isn't there: packs blur masks by it."""
    size = kernel_size[0] if isinstance(kernel_size, (list, tuple)) else kernel_size
    sigma = 0.3 * ((size - 1) * 0.5 - 1) + 0.8 if sigma is None else sigma[0] if isinstance(sigma, (list, tuple)) else sigma
    kind = image.dtype
    image = image if kind.is_floating_point else image.float()
    line = torch.exp(-0.5 * (torch.linspace(-(size - 1) * 0.5, (size - 1) * 0.5, steps=size) / sigma).pow(2))
    line = line / line.sum()
    kernel = torch.mm(line[:, None], line[None, :]).expand(image.shape[-3], 1, size, size)
    squeezed = image.unsqueeze(0) if image.ndim < 4 else image
    blurred = torch.nn.functional.conv2d(torch.nn.functional.pad(squeezed, [size // 2] * 4, mode="reflect"), kernel, groups=kernel.shape[0])
    blurred = blurred.squeeze(0) if image.ndim < 4 else blurred
    return blurred if kind.is_floating_point else blurred.round().to(kind) if kind != torch.bool else blurred.to(kind)


if "torchvision" in comfy_env._Finder.names:
    transforms = importlib.import_module("torchvision.transforms.v2")
    transforms.functional.gaussian_blur = gaussian_blur

NODES = dict(nodes.NODE_CLASS_MAPPINGS)
DISPLAY_NAMES = dict(nodes.NODE_DISPLAY_NAME_MAPPINGS)
ORIGINS = {name: "nodes" for name in NODES}


def add(module, origin):
    names = dict(getattr(module, "NODE_CLASS_MAPPINGS", None) or {})
    DISPLAY_NAMES.update(getattr(module, "NODE_DISPLAY_NAME_MAPPINGS", None) or {})
    if hasattr(module, "comfy_entrypoint"):
        made = module.comfy_entrypoint()
        extension = asyncio.run(made) if inspect.isawaitable(made) else made
        for node in asyncio.run(extension.get_node_list()):
            schema = node.GET_SCHEMA()
            names[schema.node_id] = node
            if schema.display_name is not None:
                DISPLAY_NAMES[schema.node_id] = schema.display_name
    NODES.update(names)
    ORIGINS.update({name: origin for name in names})


with open(os.path.join(os.environ["COMFY"], "nodes.py")) as source:
    EXTRAS = re.findall(r'"(nodes_\w+)\.py"', re.search(r"extras_files = \[(.*?)\]", source.read(), re.S).group(1))
# In 0.29.0 post_processing and latent import each other, which only works from this side.
for extra in ["nodes_post_processing", *EXTRAS]:
    try:
        add(importlib.import_module(f"comfy_extras.{extra}"), extra)
    except Exception as error:
        print(f"without {extra}: {error!r}", file=sys.stderr)
def load_pack(entry):
    """A folder of a pack, or `FOLDER@FILE,FILE`: these files of it alone, where the whole wants what isn't here."""
    folder, _, files = entry.partition("@")
    base = os.path.basename(folder.rstrip("/")).split("+")[-1]
    name = "pack_" + "".join(letter if letter.isalnum() else "_" for letter in base)
    if not files:
        spec = importlib.util.spec_from_file_location(name, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder])
        pack = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(pack)
        return add(pack, base)
    package = sys.modules[name] = types.ModuleType(name)
    package.__path__ = [folder]
    for file in files.split(","): add(importlib.import_module(f"{name}.{file.removesuffix('.py').replace('/', '.')}"), base)


spec = importlib.util.spec_from_file_location("websocket_image_save", os.path.join(os.environ["COMFY"], "custom_nodes", "websocket_image_save.py"))
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
add(module, "nodes: custom_nodes/websocket_image_save")
# Packs look for classes there.
nodes.NODE_CLASS_MAPPINGS.update(NODES)
for entry in filter(None, os.environ.get("NODE_PACKS", "").split(":")): load_pack(entry)


def run(name, **inputs):
    """The results of one node class, as a tuple."""
    node = NODES[name]
    if hasattr(node, "GET_SCHEMA"):
        # What ComfyUI's executor gives a node beside its inputs.
        node.hidden = types.SimpleNamespace(unique_id=None, prompt=None, extra_pnginfo=None)
        defaults = {entry.id: entry.default for entry in node.GET_SCHEMA().inputs if getattr(entry, "default", None) is not None}
        made = node.execute(**{**defaults, **inputs})
        return made if isinstance(made, tuple) else made.result
    result = getattr(node(), node.FUNCTION)(**inputs)
    return result.get("result", ()) if isinstance(result, dict) else result
