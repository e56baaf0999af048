"""Makes test/fixtures/images/deep/: pictures of more than 8 bits a channel, or with a transparent colour, and what ComfyUI 0.29.0's LoadImage makes of them.

Usage: PYTHONPATH=REF COMFY=... TORCHSDE=... python tools/reference/deep_pictures.py FOLDER   (REF holds comfy_env.py)
"""
import json
import os
import struct
import sys
import zlib

import comfy_env  # noqa: F401
import folder_paths
import nodes
import numpy as np
import safetensors.torch

FOLDER = sys.argv[1]
# ComfyUI 0.29.0 fails on pictures whose width is no multiple of 32 and small.
WIDTH, HEIGHT = 32, 4
os.makedirs(FOLDER, exist_ok=True)
folder_paths.set_input_directory(FOLDER)
random = np.random.RandomState(3)


def write(name, data):
    with open(os.path.join(FOLDER, name), "wb") as file:
        file.write(data)


def png(name, bits, color, samples, transparency=None):
    rows = samples.astype(">u2" if bits == 16 else np.uint8)
    body = b"".join(b"\0" + rows[y].tobytes() for y in range(HEIGHT))
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, bits, color, 0, 0, 0))]
    if transparency is not None:
        chunks.append((b"tRNS", struct.pack(f">{len(transparency)}H", *map(int, transparency))))
    chunks += [(b"IDAT", zlib.compress(body)), (b"IEND", b"")]
    write(name, b"\x89PNG\r\n\x1a\n" + b"".join(struct.pack(">I", len(d)) + c + d + struct.pack(">I", zlib.crc32(c + d)) for c, d in chunks))


def tiff(name, samples, photometric, extra=None):
    channels = samples.shape[2] if samples.ndim == 3 else 1
    data = samples.astype("<u2").tobytes()
    tags = [(256, 3, [WIDTH]), (257, 3, [HEIGHT]), (258, 3, [16] * channels), (259, 3, [1]), (262, 3, [photometric]), (273, 4, [8])]
    tags += [(277, 3, [channels]), (278, 3, [HEIGHT]), (279, 4, [len(data)])] + ([(338, 3, [extra])] if extra is not None else [])
    entries, beyond, start = b"", b"", 8 + len(data) + 2 + 12 * len(tags) + 4
    for tag, kind, values in tags:
        packed = struct.pack(f"<{len(values)}{'H' if kind == 3 else 'I'}", *values)
        if len(packed) > 4:
            place = struct.pack("<I", start + len(beyond))
            beyond += packed
        else:
            place = packed.ljust(4, b"\0")
        entries += struct.pack("<HHI", tag, kind, len(values)) + place
    write(name, b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", len(tags)) + entries + bytes(4) + beyond)


grey, rgb = random.randint(0, 65536, (HEIGHT, WIDTH)), random.randint(0, 65536, (HEIGHT, WIDTH, 3))
rgba, grey_alpha = random.randint(0, 65536, (HEIGHT, WIDTH, 4)), random.randint(0, 65536, (HEIGHT, WIDTH, 2))
png("grey16.png", 16, 0, grey)
png("grey16-key.png", 16, 0, grey, [grey[1, 2]])
png("rgb16.png", 16, 2, rgb)
png("rgb16-key.png", 16, 2, rgb, rgb[1, 2])
png("rgba16.png", 16, 6, rgba)
png("grey-alpha16.png", 16, 4, grey_alpha)
png("grey-key.png", 8, 0, grey >> 8, [grey[1, 2] >> 8])
png("rgb-key.png", 8, 2, rgb >> 8, rgb[1, 2] >> 8)
tiff("grey16.tiff", grey, 1)
tiff("white-is-zero16.tiff", grey, 0)
tiff("rgb16.tiff", rgb, 2)
tiff("rgba16.tiff", rgba, 2, 2)
write("grey16.pgm", b"P5\n32 4\n65535\n" + grey.astype(">u2").tobytes())
write("rgb16.ppm", b"P6\n32 4\n65535\n" + rgb.astype(">u2").tobytes())

tensors, names = {}, sorted(name for name in os.listdir(FOLDER) if name != "expected.safetensors")
for name in names:
    image, mask = nodes.LoadImage().load_image(name)
    tensors[f"{name}.image"] = image.contiguous()
    # Without transparency every mask is black and 64 pixels wide.
    if mask.shape[1:] != (64, 64):
        tensors[f"{name}.mask"] = mask.contiguous()
safetensors.torch.save_file(tensors, os.path.join(FOLDER, "expected.safetensors"), metadata={"files": json.dumps(names)})
