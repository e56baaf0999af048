"""Makes test/fixtures/imaging/pillow.png: a picture with texts as Pillow writes them, saved as ComfyUI's SaveImage saves.

Usage: python tools/reference/png_text.py OUT   (needs numpy and Pillow)
"""
import sys

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

values = np.array([-0.5, 0.0, 0.001, 0.0039215, 0.0039216, 0.3, 0.49999, 0.5, 0.7, 0.999, 1.0, 1.5], dtype=np.float32).reshape(2, 2, 3)
info = PngInfo()
info.add_text("prompt", '{"1": {"class_type": "SaveImage"}}')
info.add_text("workflow", "caf\u00e9 \u00ff")
info.add_text("note", "\u7e4a\u7d30 \u2014 \U0001f58c")
Image.fromarray(np.clip(255.0 * values, 0, 255).astype(np.uint8)).save(sys.argv[1], pnginfo=info, compress_level=4)
