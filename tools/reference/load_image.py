"""Makes test/fixtures/images/: picture files in every form that Pillow reads, and what ComfyUI's LoadImage and LoadImageMask make of them.

Usage: PYTHONPATH=REF COMFY=... TORCHSDE=... python tools/reference/load_image.py FOLDER   (REF holds comfy_env.py)
"""
import json
import os
import struct
import sys
import zlib

from comfy_nodes import run
import folder_paths
import numpy as np
import safetensors.torch
import torch
from PIL import Image, ImageCms, PngImagePlugin

FOLDER = sys.argv[1]
os.makedirs(FOLDER, exist_ok=True)
folder_paths.set_input_directory(FOLDER)
random = np.random.RandomState(5)


def noise(height, width, channels=None, smooth=False):
    if smooth:
        y, x = np.mgrid[0:height, 0:width]
        base = np.stack([128 + 100 * np.sin(x / 3 + c) * np.cos(y / (4 + c)) for c in range(channels or 1)], -1)
        return base.astype(np.uint8).reshape((height, width, channels) if channels else (height, width))
    return random.randint(0, 256, (height, width, channels) if channels else (height, width)).astype(np.uint8)


def save(name, image, **options):
    image.save(os.path.join(FOLDER, name), **options)


def raw_png(name, bits, color, rows, extra=(), width=None):
    """A PNG written chunk by chunk, for depths that Pillow doesn't write. Rows are bytes or big-endian samples."""
    height, width = rows.shape[0], width or rows.shape[1]
    body = b"".join(b"\0" + rows[y].tobytes() for y in range(height))
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, 0)), *extra, (b"IDAT", zlib.compress(body)), (b"IEND", b"")]
    with open(os.path.join(FOLDER, name), "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for kind, data in chunks:
            file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))


def raw_bmp(name, width, height, bits, rows, palette=b"", masks=b"", os2=False):
    """A BMP of a form that Pillow doesn't write; a negative height is top-down."""
    if os2:
        header = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, 3 if masks else 0, 0, 0, 0, len(palette) // 4, 0)
    start = 14 + len(header) + len(masks) + len(palette)
    with open(os.path.join(FOLDER, name), "wb") as file:
        file.write(b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + header + masks + palette + rows)


rgb, rgba, grey = Image.fromarray(noise(5, 7, 3)), Image.fromarray(noise(5, 7, 4)), Image.fromarray(noise(5, 7))
palette = Image.fromarray(noise(5, 7) % 16, "P")
palette.putpalette(noise(1, 48).tobytes())

save("rgb.png", rgb)
save("rgba.png", rgba)
save("grey.png", grey)
save("grey-alpha.png", Image.fromarray(noise(5, 7, 2), "LA"))
save("one-bit.png", grey.convert("1"))
save("palette.png", palette)
save("palette-alpha.png", palette, transparency=bytes(range(0, 160, 10)))
save("palette-key.png", palette, transparency=3)
save("grey-key.png", grey, transparency=int(np.asarray(grey)[2, 3]))
save("rgb-key.png", rgb, transparency=tuple(int(v) for v in np.asarray(rgb)[1, 2]))
raw_png("grey4.png", 4, 0, noise(5, 4), width=7)
raw_png("grey2.png", 2, 0, noise(5, 2), width=7)
raw_png("gamma.png", 8, 2, noise(5, 7, 3), [(b"gAMA", struct.pack(">I", 100000))])
exif = Image.Exif()
for orientation in (3, 6):
    exif[0x0112] = orientation
    save(f"orientation{orientation}.png", rgba, exif=exif)
lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
save("profile.png", rgb, icc_profile=lab)

wide = Image.fromarray(noise(19, 33, 3, smooth=True))
save("photo.jpg", wide, quality=85)
save("subsampled.jpg", wide, quality=60, subsampling=2)
save("progressive.jpg", wide, quality=75, progressive=True)
save("grey.jpg", wide.convert("L"), quality=80)
save("cmyk.jpg", wide.convert("CMYK"), quality=90)
for orientation in range(1, 9):
    exif[0x0112] = orientation
    save(f"orientation{orientation}.jpg", wide.crop((0, 0, 16, 11)), quality=80, exif=exif)

save("lossless.webp", rgb, lossless=True)
save("lossless-alpha.webp", rgba, lossless=True, exact=True)
save("lossy.webp", wide, quality=80)
save("lossy-alpha.webp", Image.fromarray(noise(19, 33, 4, smooth=True)), quality=80)
frames = [Image.fromarray(noise(5, 7, 3)) for _ in range(3)]
save("animated.webp", frames[0], save_all=True, append_images=frames[1:], lossless=True)
clear = [Image.fromarray(noise(5, 7, 4)) for _ in range(2)]
save("animated-alpha.webp", clear[0], save_all=True, append_images=clear[1:], lossless=True, exact=True)

save("palette.gif", palette)
save("palette-key.gif", palette, transparency=3)
save("grey.gif", grey)
save("animated.gif", frames[0], save_all=True, append_images=frames[1:])
boxes = []
for step in range(3):
    box = Image.new("RGBA", (8, 6), (200, 30, 60, 255) if step == 0 else (0, 0, 0, 0))
    box.paste((20 * step, 200, 90, 255), (step, step, step + 3, step + 2))
    boxes.append(box)
for disposal in (0, 1, 2):
    save(f"disposal{disposal}.gif", boxes[1], save_all=True, append_images=boxes[2:] + boxes[:1], disposal=disposal, duration=40)
partial = [Image.new("P", (8, 6), 1) for _ in range(3)]
for step, image in enumerate(partial):
    image.putpalette([10, 20, 30, 200, 100, 50, 0, 250, 120, 9, 9, 90])
    image.paste(2 + step % 2, (step, 1, step + 4, 4))
save("partial.gif", partial[0], save_all=True, append_images=partial[1:], duration=40)

save("rgb.bmp", rgb)
save("grey.bmp", grey)
save("palette.bmp", palette)
save("one-bit.bmp", grey.convert("1"))
save("rgba.bmp", rgba)

raw_bmp("top-down4.bmp", 7, -5, 4, noise(5, 4).tobytes(), noise(16, 4).tobytes())
raw_bmp("os2.bmp", 7, 5, 8, (noise(5, 8) % 16).tobytes(), noise(16, 3).tobytes().ljust(768, b"\0"), os2=True)
raw_bmp("rgb555.bmp", 7, 5, 16, noise(5, 16).tobytes())
raw_bmp("rgb565.bmp", 7, 5, 16, noise(5, 16).tobytes(), masks=struct.pack("<III", 0xF800, 0x7E0, 0x1F))
raw_bmp("rgbx.bmp", 7, 5, 32, noise(5, 28).tobytes())

save("rgb.tiff", rgb)
save("rgba.tiff", rgba, compression="tiff_lzw")
save("grey.tiff", grey, compression="tiff_adobe_deflate")
save("pages.tiff", rgb, save_all=True, append_images=[Image.fromarray(noise(5, 7, 3)), Image.fromarray(noise(3, 3, 3))])
with open(os.path.join(FOLDER, "photo.jpg"), "rb") as file:
    whole = file.read()

tensors, cases = {}, []


def stored(key, value):
    """The values as bytes; they are all byte / 255."""
    as_bytes = (value * 255).round().to(torch.uint8)
    assert torch.allclose(as_bytes.float() / 255, value, rtol=0, atol=1e-7)
    tensors[key] = as_bytes.contiguous()
    return key


for name in sorted(name for name in os.listdir(FOLDER) if name != "expected.safetensors"):
    image, mask = run("LoadImage", image=name)
    entry = {"file": name, "image": stored(f"{name}.image", image)}
    # Without transparency every mask is black and 64 pixels wide.
    if mask.shape[1:] != (64, 64) or mask.any():
        entry["mask"] = stored(f"{name}.mask", mask)
    for channel in ("alpha", "red", "blue"):
        # Of an animated picture ComfyUI 0.3.64 takes the first frame, 0.29.0 each.
        entry[channel] = stored(f"{name}.{channel}", run("LoadImageMask", image=name, channel=channel)[0])
    if name in ("grey-key.png", "rgb-key.png"):
        # 0.29.0's LoadImage knows a transparent colour, 0.3.64's LoadImageMask alone.
        entry["mask"] = entry["alpha"]
    cases.append(entry)
safetensors.torch.save_file(tensors, os.path.join(FOLDER, "expected.safetensors"), metadata={"cases": json.dumps(cases)})
