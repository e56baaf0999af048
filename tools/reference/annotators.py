"""Makes test/fixtures/preprocessors/networks.safetensors and NAME.json.gz: narrow networks of comfyui_controlnet_aux with synthetic weights, and the hints of its classes.

Usage: NODE_PACKS=folder of comfyui_controlnet_aux COMFY=... TORCHSDE=... PYTHONPATH=REF python tools/reference/annotators.py [FOLDER]   (REF holds synth.py; cv2 and torchvision must be there)
"""
import functools
import gzip
import inspect
import json
import os
import re
import sys

import comfy_nodes  # the pack, importable
import numpy as np
import safetensors.torch
import synth
import torch
from torch import nn

import cv2
from custom_controlnet_aux import hed, lineart, lineart_anime, pidi, util
from custom_controlnet_aux.depth_anything_v2 import DepthAnythingV2Detector, dinov2, dpt
from custom_controlnet_aux.pidi import model as pidi_model
from drawn_pictures import picture

FOLDER = sys.argv[1] if len(sys.argv) > 1 else "test/fixtures/preprocessors"
kept, cases = {}, []


def narrowed(module, name, widths):
    """A class with other numbers of channels in its source."""
    source = inspect.getsource(getattr(module, name))
    for wide, narrow in widths.items(): source = re.sub(rf"\b{wide}\b", str(narrow), source)
    scope = dict(vars(module))
    exec(source, scope)
    return scope[name]


def filled(name, network):
    state, manifest = {}, {}
    for key, value in network.state_dict().items():
        state[key] = torch.from_numpy(synth.fill(key, tuple(value.shape), "F32"))
        manifest[key] = ["F32", list(value.shape)]
    network.load_state_dict(state)
    with gzip.GzipFile(os.path.join(FOLDER, f"{name}.json.gz"), "wb", mtime=0) as file: file.write(json.dumps(manifest, separators=(",", ":")).encode())
    return network.eval()


wide = picture(60, 80, 4)
kept["picture"] = torch.from_numpy(wide)


def case(kind, file, network, x, node, detect, y=None, **inputs):
    with torch.no_grad(): y = network(x) if y is None else y(network, x)
    hint = detect(wide)
    kept[f"{kind}.y"], kept[f"{kind}.hint.{len(cases)}"] = y.contiguous(), torch.from_numpy(hint[..., :1].copy())
    assert (hint == hint[..., :1]).all()
    cases.append({"kind": kind, "file": file, "node": node, "inputs": inputs, "hint": f"{kind}.hint.{len(cases)}"})
    print(node, inputs, hint.shape, float(hint.mean()), float(hint.std()), tuple(y.shape), float(y.abs().mean()))




def uniform(kind, height, width):
    """The input of a network, from −1 to 1, which a test makes anew."""
    return torch.from_numpy(synth.fill(f"{kind}.pos_embed", (1, 3, height, width), "F32"))


net = filled("hed", narrowed(hed, "ControlNetHED_Apache2", {64: 6, 128: 8, 256: 10, 512: 12})())
detector = hed.HEDdetector(net)
mean = lambda net, x: torch.stack([nn.functional.interpolate(e, x.shape[2:], mode="bilinear") for e in net(x)]).mean(0)
for safe in ("enable", "disable"):
    for node, scribble in (("HEDPreprocessor", False), ("FakeScribblePreprocessor", True)):
        case("hed", "ControlNetHED", net, uniform("hed", 64, 48), node, lambda p: detector(p, detect_resolution=64, safe=safe == "enable", scribble=scribble, output_type="np"), mean, safe=safe, resolution=64)
net = filled("pidinet", pidi_model.PiDiNet(12, pidi_model.config_model("carv4"), dil=8, sa=True))
edges = pidi.PidiNetDetector(net)
for safe in ("enable", "disable"): case("pidinet", "table5_pidinet", net, uniform("pidinet", 64, 48), "PiDiNetPreprocessor", lambda p: edges(p, detect_resolution=64, safe=safe == "enable", output_type="np"), lambda net, x: net(x)[-1], safe=safe, resolution=64)



def scribbled(picture, safe):
    """Scribble_PiDiNet_Preprocessor's model, which loads its file itself."""
    strokes = util.nms(edges(picture, detect_resolution=64, safe=safe, scribble=True, output_type="np"), 127, 3.0)
    strokes = cv2.GaussianBlur(strokes, (0, 0), 3.0)
    strokes[strokes > 4] = 255
    strokes[strokes < 255] = 0
    return strokes


for safe in ("enable", "disable"): case("pidinet", "table5_pidinet", net, uniform("pidinet", 64, 48), "Scribble_PiDiNet_Preprocessor", lambda p: scribbled(p, safe == "enable"), lambda net, x: net(x)[-1], safe=safe, resolution=64)
net = filled("lineart", narrowed(lineart, "Generator", {64: 8})(3, 1, 2))
lines = lineart.LineartDetector(net, net)
case("lineart", "sk_model", net, uniform("lineart", 32, 48), "LineArtPreprocessor", lambda p: lines(p, detect_resolution=64, output_type="np"), resolution=64)
net = filled("lineartAnime", lineart_anime.UnetGenerator(3, 1, 8, 4, norm_layer=functools.partial(nn.InstanceNorm2d, affine=False, track_running_stats=False)))
anime = lineart_anime.LineartAnimeDetector(net)
case("lineartAnime", "netG", net, uniform("lineartAnime", 256, 256), "AnimeLineArtPreprocessor", lambda p: anime(p, detect_resolution=64, output_type="np"), resolution=64)
dinov2.vit_small = functools.partial(dinov2.DinoVisionTransformer, patch_size=14, embed_dim=128, depth=12, num_heads=2, mlp_ratio=2, block_fn=functools.partial(dinov2.Block, attn_class=dinov2.MemEffAttention))
dpt.DINOv2 = lambda model_name: dinov2.vit_small(img_size=70, init_values=1.0, ffn_layer="mlp", block_chunks=0, num_register_tokens=0, interpolate_antialias=False, interpolate_offset=0.1)
net = filled("depthAnything", dpt.DepthAnythingV2("vits", 16, [8, 12, 16, 16]))
# torchvision is left out of the reference's environment.
dpt.Compose = lambda steps: lambda value: functools.reduce(lambda made, step: step(made), steps, value)
depth = DepthAnythingV2Detector(net, "depth_anything_v2_vits.pth")
case("depthAnything", "depth_anything_v2_vits", net, uniform("depthAnything", 70, 98), "DepthAnythingV2Preprocessor", lambda p: depth(p, detect_resolution=64, max_depth=1, output_type="np"), lambda net, x: net(x, 1)[:, None], resolution=64, ckpt_name="depth_anything_v2_vits.pth")
safetensors.torch.save_file(kept, os.path.join(FOLDER, "networks.safetensors"), metadata={"cases": json.dumps(cases)})
