"""Makes test/fixtures/preprocessors/pictures.safetensors: hints that comfyui_controlnet_aux makes of a picture by arithmetic.

Usage: NODE_PACKS=folder of comfyui_controlnet_aux COMFY=... TORCHSDE=... PYTHONPATH=REF python tools/reference/preprocessors.py [OUT]   (cv2 and torchvision must be there)
Pictures are kept as bytes, grey ones with one channel; the cases (class, inputs, keys) lie in the metadata.
"""
import json
import sys

from comfy_nodes import NODES, run
import numpy as np
import safetensors.torch
import torch

OUT = sys.argv[1] if len(sys.argv) > 1 else "test/fixtures/preprocessors/pictures.safetensors"
tensors, cases = {}, []


def picture(height, width, seed, channels=3):
    """Shapes, slopes and grain."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    values = np.stack([0.5 + 0.4 * np.sin(9 * x + 3 * c + 5 * y) for c in range(channels)], -1)
    for _ in range(6):
        cy, cx, r = random.uniform(0, 1, 3) * (1, 1, 0.3)
        values[(y - cy) ** 2 + (x - cx) ** 2 < r * r] = random.uniform(0, 1, channels)
    return torch.from_numpy((values + random.normal(0, 0.02, values.shape)).clip(0, 1).astype(np.float32))[None]


def kept(image):
    """As bytes; those that a node gives are whole 255ths."""
    values = (image * 255).round().to(torch.uint8)
    if values.shape[-1] == 3 and torch.equal(values[..., 0], values[..., 1]) and torch.equal(values[..., 0], values[..., 2]): values = values[..., :1]
    key = str(len(tensors))
    tensors[key] = values.contiguous()
    return key


def case(name, image, **inputs):
    result = run(name, image=tensors[image].float() / 255, **inputs)
    cases.append({"node": name, "image": image, "inputs": inputs, "result": kept(result[0])})
    print(name, inputs, tuple(result[0].shape))


wide, tall, clear = (kept(each) for each in (picture(50, 80, 1), picture(150, 70, 2), picture(66, 80, 3, 4)))
both = str(len(tensors))
tensors[both] = torch.cat([tensors[wide], tensors[wide].flip(2)])
for image, resolution in ((wide, 64), (tall, 64)):
    for thresholds in ({}, dict(low_threshold=20, high_threshold=60)): case("CannyEdgePreprocessor", image, resolution=resolution, **thresholds)
    for threshold in (100, 0): case("BinaryPreprocessor", image, bin_threshold=threshold, resolution=resolution)
    case("ScribblePreprocessor", image, resolution=resolution)
    case("Scribble_XDoG_Preprocessor", image, resolution=resolution)
    case("LineartStandardPreprocessor", image, resolution=resolution)
    case("ImageLuminanceDetector", image, resolution=resolution, gamma_correction=0.7)
    case("ImageIntensityDetector", image, resolution=resolution)
    case("ShufflePreprocessor", image, resolution=resolution, seed=7)
    case("TilePreprocessor", image, pyrUp_iters=3)
    case("PyraCannyPreprocessor", image, resolution=resolution)
for name in ("CannyEdgePreprocessor", "ScribblePreprocessor", "ImageLuminanceDetector"): case(name, clear, resolution=64)
case("ColorPreprocessor", tall, resolution=128)
case("TilePreprocessor", tall, pyrUp_iters=1)
case("Scribble_XDoG_Preprocessor", tall, resolution=64, threshold=5)
case("CannyEdgePreprocessor", both, resolution=64)
case("LineartStandardPreprocessor", wide, resolution=64, guassian_sigma=1.5, intensity_threshold=2)
for name in ("none", "CannyEdgePreprocessor", "ScribblePreprocessor"): case("AIO_Preprocessor", tall, preprocessor=name, resolution=64)
safetensors.torch.save_file(tensors, OUT, metadata={"cases": json.dumps(cases)})
