"""Makes test/fixtures/imaging/a1111-inpaint.safetensors: what AUTOMATIC1111 makes of pictures and masks before and after it draws.

Usage: A1111=… python tools/reference/a1111_inpaint.py OUT   (A1111: a checkout of stable-diffusion-webui; needs numpy, Pillow, cv2, safetensors)

`modules/masking.py` runs as it is and `resize_image` of `modules/images.py` without the rest of it; the order of the steps is that of
modules/processing.py (StableDiffusionProcessingImg2Img.init, apply_overlay).
"""
import ast
import importlib.util
import json
import os
import sys
import types

import cv2
import numpy as np
from PIL import Image, ImageOps
from safetensors.numpy import save_file

ROOT = os.environ["A1111"]
spec = importlib.util.spec_from_file_location("masking", ROOT + "/modules/masking.py")
masking = importlib.util.module_from_spec(spec)
spec.loader.exec_module(masking)
source = ast.parse(open(ROOT + "/modules/images.py").read())
names = {"Image": Image, "LANCZOS": Image.Resampling.LANCZOS, "opts": types.SimpleNamespace(upscaler_for_img2img=None)}
function = [node for node in source.body if isinstance(node, ast.FunctionDef) and node.name == "resize_image"]
exec(compile(ast.Module(function, []), "images.py", "exec"), names)
resize_image = names["resize_image"]

rng = np.random.default_rng(5)


def smooth(width, height):
    small = rng.integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def blob(width, height, left, top, right, bottom):
    mask = np.zeros((height, width), np.uint8)
    mask[top:bottom, left:right] = 255
    return Image.fromarray(mask)


def blurred(mask, x, y):
    array = np.array(mask)
    for sigma, axis in ((x, 0), (y, 1)):
        if sigma > 0:
            size = 2 * int(2.5 * sigma + 0.5) + 1
            array = cv2.GaussianBlur(array, (size, 1) if axis == 0 else (1, size), sigma, sigma)
    return Image.fromarray(array)


tensors = {}
cases = []


def keep(value):
    key = str(len(tensors))
    # Whole numbers up to 255, which float16 holds.
    array = np.asarray(value).astype(np.float16)
    tensors[key] = np.ascontiguousarray(array)
    return key


def draw(image, mask, width, height, mode, blur, fill, full, padding, invert):
    """init() of img2img as far as pictures go, and the overlay over a picture that stands for what was drawn."""
    image_mask = ImageOps.invert(mask) if invert else mask
    image_mask = blurred(image_mask, *blur)
    paste_to = crop_region = None
    if full:
        overlay_mask = image_mask
        crop_region = masking.get_crop_region(np.array(image_mask), padding)
        crop_region = masking.expand_crop_region(crop_region, width, height, image_mask.width, image_mask.height)
        x1, y1, x2, y2 = crop_region
        image_mask = resize_image(2, image_mask.crop(crop_region), width, height).convert("L")
        paste_to = (x1, y1, x2 - x1, y2 - y1)
        picture = image
    else:
        image_mask = resize_image(mode, image_mask, width, height).convert("L")
        overlay_mask = Image.fromarray(np.clip(np.array(image_mask, np.float32) * 2, 0, 255).astype(np.uint8))
        picture = resize_image(mode, image, width, height)
    masked = Image.new("RGBa", picture.size)
    masked.paste(picture.convert("RGBA").convert("RGBa"), mask=ImageOps.invert(overlay_mask))
    overlay = masked.convert("RGBA")
    if crop_region is not None:
        picture = resize_image(2, picture.crop(crop_region), width, height)
    if fill:
        picture = masking.fill(picture, image_mask)
    drawn = smooth(width, height)
    result = drawn
    if paste_to is not None:
        x, y, w, h = paste_to
        base = Image.new("RGBA", overlay.size)
        base.paste(resize_image(1, drawn, w, h), (x, y))
        result = base
    result = result.convert("RGBA")
    result.alpha_composite(overlay)
    cases.append(
        dict(
            width=width, height=height, fit=("stretch", "crop", "fill")[mode], blurX=blur[0], blurY=blur[1], fills=fill,
            padding=padding if full else None, invert=invert, image=keep(image), mask=keep(mask), prepared=keep(picture),
            preparedMask=keep(image_mask), drawn=keep(drawn), result=keep(result.convert("RGB")),
        )
    )


WIDE, TALL = smooth(60, 40), smooth(33, 71)
draw(WIDE, blob(60, 40, 20, 10, 35, 25), 48, 48, 0, (2, 2), False, False, 0, False)
draw(WIDE, blob(60, 40, 20, 10, 35, 25), 48, 48, 1, (0, 3), True, False, 0, False)
draw(TALL, blob(33, 71, 5, 40, 20, 66), 64, 32, 2, (4, 4), False, False, 0, False)
draw(TALL, blob(33, 71, 5, 40, 20, 66), 64, 32, 1, (1, 0), False, False, 0, True)
draw(WIDE, blob(60, 40, 44, 25, 58, 33), 48, 48, 0, (1, 2), True, True, 4, False)
draw(TALL, blob(33, 71, 2, 30, 12, 36), 64, 48, 1, (0, 0), True, True, 0, False)
draw(WIDE, blob(60, 40, 0, 0, 60, 38), 32, 64, 0, (3, 3), False, True, 8, True)
save_file(tensors, sys.argv[1], {"cases": json.dumps(cases)})
