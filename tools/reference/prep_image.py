"""Makes test/fixtures/ip-adapter/prepared.json: what Pillow makes of the picture that tools/reference/parity.py draws, as PrepImageForClipVision
of ComfyUI_IPAdapter_plus has it do. SHA-256 of the bytes, 224×224×3.

Usage: python tools/reference/prep_image.py PICTURE OUT
"""
import hashlib
import json
import sys

from PIL import Image, ImageOps

picture = Image.open(sys.argv[1]).convert("RGB")
width, height = picture.size
side = min(width, height)
boxes = {"top": (20, 0), "left": (0, 0), "right": (width - side, 0), "center": ((width - side) // 2, (height - side) // 2)}
squares = {"pad": ImageOps.expand(picture, (0, (width - height) // 2)), "center": picture.crop((*boxes["center"], boxes["center"][0] + side, boxes["center"][1] + side)),
           "right": picture.crop((*boxes["right"], boxes["right"][0] + side, side))}
out = {}
for position, square in squares.items():
    for name in ("LANCZOS", "BICUBIC", "HAMMING", "BILINEAR", "BOX", "NEAREST"):
        out[f"{position}.{name}"] = hashlib.sha256(square.resize((224, 224), resample=Image.Resampling[name]).tobytes()).hexdigest()
json.dump(out, open(sys.argv[2], "w"), indent=1)
