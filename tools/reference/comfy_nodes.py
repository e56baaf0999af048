"""ComfyUI's node classes by name, those of the extras included; old and new style alike.

Needs COMFY and TORCHSDE (checkouts) in the environment and comfy_env.py on PYTHONPATH. NODE_PACKS may name folders of node packs, separated
by colons, whose classes are added.
"""
import asyncio
import importlib
import importlib.util
import os
import sys
import types

import comfy_env  # makes ComfyUI importable
import nodes

# The image extras import the web server for a progress text.
comfy_env._Finder.names.add("server")
# Only the declarations of the upscale nodes are needed here.
comfy_env._Finder.names.add("spandrel")
# facerestore_cf imports what its models were trained with.
comfy_env._Finder.names.update(("lpips", "lmdb"))

# VideoHelperSuite's node classes can be looked at without its decoders.
comfy_env._Finder.names.update(name for name in ("cv2", "imageio_ffmpeg") if importlib.util.find_spec(name) is None)

# In 0.29.0 post_processing and latent import each other, which only works from this side.
EXTRAS = ("logic", "primitive", "preview_any", "rebatch", "post_processing", "align_your_steps", "clip_sdxl", "compositing", "custom_sampler", "freelunch", "hypertile", "images", "latent", "mask",
          "model_advanced", "advanced_samplers", "perpneg", "sag", "tomesd", "ip2p", "upscale_model")
NODES = dict(nodes.NODE_CLASS_MAPPINGS)
DISPLAY_NAMES = dict(nodes.NODE_DISPLAY_NAME_MAPPINGS)
for extra in EXTRAS:
    module = importlib.import_module(f"comfy_extras.nodes_{extra}")
    NODES.update(getattr(module, "NODE_CLASS_MAPPINGS", {}))
    DISPLAY_NAMES.update(getattr(module, "NODE_DISPLAY_NAME_MAPPINGS", {}))
    if hasattr(module, "comfy_entrypoint"):
        extension = asyncio.run(module.comfy_entrypoint())
        for node in asyncio.run(extension.get_node_list()):
            schema = node.GET_SCHEMA()
            NODES[schema.node_id] = node
            if schema.display_name is not None:
                DISPLAY_NAMES[schema.node_id] = schema.display_name
for folder in filter(None, os.environ.get("NODE_PACKS", "").split(":")):
    name = "pack_" + "".join(letter if letter.isalnum() else "_" for letter in os.path.basename(folder.rstrip("/")))
    spec = importlib.util.spec_from_file_location(name, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder])
    pack = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pack)
    NODES.update(pack.NODE_CLASS_MAPPINGS)
    DISPLAY_NAMES.update(getattr(pack, "NODE_DISPLAY_NAME_MAPPINGS", {}))


def run(name, **inputs):
    """The results of one node class, as a tuple."""
    node = NODES[name]
    if hasattr(node, "GET_SCHEMA"):
        # What ComfyUI's executor gives a node beside its inputs.
        node.hidden = types.SimpleNamespace(unique_id=None, prompt=None, extra_pnginfo=None)
        defaults = {entry.id: entry.default for entry in node.GET_SCHEMA().inputs if getattr(entry, "default", None) is not None}
        return node.execute(**{**defaults, **inputs}).result
    result = getattr(node(), node.FUNCTION)(**inputs)
    return result.get("result", ()) if isinstance(result, dict) else result
