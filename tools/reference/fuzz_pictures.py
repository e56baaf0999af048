"""Makes damaged pictures of five formats, with what Pillow makes of each as ComfyUI calls it.

Usage: python tools/reference/fuzz_pictures.py OUT.json.gz COUNT [SEED]   (COUNT of each format; Pillow 12.3)
FUZZED_PICTURES=OUT.json.gz npx vitest run test/imaging/pictures/fuzzed.test.ts compares them.
"""
import base64
import gzip
import hashlib
import io
import json
import os
import random
import signal
import struct
import sys
import tempfile
import warnings
import zlib

import numpy as np
from PIL import Image, ImageFile, ImageOps, ImageSequence

warnings.simplefilter("ignore")
OUT, COUNT, SEED = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1
R = random.Random(SEED)
N = np.random.RandomState(SEED)


def rnd(h, w, c=None, smooth=None):
    if smooth is None: smooth = R.random() < .5
    shape = (h, w) if c is None else (h, w, c)
    if smooth:
        y, x = np.mgrid[0:h, 0:w]
        a = np.stack([128 + 100 * np.sin(x / 3 + k) * np.cos(y / (4 + k)) for k in range(c or 1)], -1).astype(np.uint8)
        return a.reshape(shape)
    return N.randint(0, 256, shape).astype(np.uint8)
def image(modes):
    mode = R.choice(modes); w, h = R.randint(1, 40), R.randint(1, 30)
    channels = {"RGB": 3, "RGBA": 4, "LA": 2, "CMYK": 4}.get(mode)
    if mode in ("1",): return Image.fromarray(rnd(h, w)).convert("1")
    if mode == "P":
        n = R.choice([2, 4, 16, 200, 256]); im = Image.fromarray((rnd(h, w) % n).astype(np.uint8), "P"); im.putpalette(N.randint(0, 256, n * 3).astype(np.uint8).tobytes()); return im
    if mode == "I;16": return Image.fromarray(N.randint(0, 65536, (h, w)).astype(np.uint16))
    if mode == "I": return Image.fromarray(N.randint(-1000, 70000, (h, w)).astype(np.int32))
    if mode == "F": return Image.fromarray((N.rand(h, w) * 300 - 20).astype(np.float32))
    a = rnd(h, w, channels); return Image.fromarray(a, mode)
def save(im, **kw):
    b = io.BytesIO(); im.save(b, **kw); return b.getvalue()
def seed_gif():
    im = image(["P", "L", "1"]); kw = {}
    if R.random() < .5: kw["transparency"] = R.randint(0, 3)
    if R.random() < .5: kw["interlace"] = R.randint(0, 1)
    if R.random() < .5:
        w, h = im.size; frames = []
        for _ in range(R.randint(1, 3)):
            f = im.copy(); 
            x, y = R.randint(0, w - 1), R.randint(0, h - 1); f.paste(R.randint(0, 1), (x, y, min(w, x + 5), min(h, y + 5))); frames.append(f)
            if R.random() < .3: frames[-1] = Image.fromarray(rnd(h, w, 3))
        kw.update(save_all=True, append_images=frames, disposal=R.choice([0, 1, 2, 3]), optimize=R.random() < .5)
    return save(im, format="GIF", **kw)
def seed_png():
    if R.random() < .35: return raw_png()
    im = image(["1", "L", "LA", "RGB", "RGBA", "P", "I;16"]); kw = {}
    if R.random() < .3: kw["transparency"] = {"RGB": (1, 2, 3), "P": R.choice([1, bytes(range(0, 200, 10))])}.get(im.mode, 3) if im.mode in ("RGB", "P", "L", "1") else None
    if kw.get("transparency") is None: kw.pop("transparency", None)
    if R.random() < .3:
        w, h = im.size; fr = [im.copy() for _ in range(R.randint(1, 3))]
        for f in fr:
            if f.mode in ("RGB", "RGBA", "L", "P"): f.paste(Image.new(f.mode, (3, 3)), (R.randint(0, w), R.randint(0, h)))
        kw.update(save_all=True, append_images=fr, disposal=R.randint(0, 2), blend=R.randint(0, 1), default_image=R.random() < .3)
    return save(im, format="PNG", **kw)
def raw_png():
    bits, color = R.choice([(1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (8, 2), (16, 2), (1, 3), (2, 3), (4, 3), (8, 3), (8, 4), (16, 4), (8, 6), (16, 6)])
    w, h = R.randint(1, 24), R.randint(1, 20); ch = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]; bpp = bits * ch; inter = R.random() < .4
    def rows(w, h):
        n = (w * bpp + 7) // 8
        return b"".join(bytes([R.randint(0, 4)]) + (rnd(1, n).tobytes() if R.random() < .7 else bytes(n)) for _ in range(h)) if w and h else b""
    if inter: body = b"".join(rows(-(-(w - x) // dx) if w > x else 0, -(-(h - y) // dy) if h > y else 0) for x, y, dx, dy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)))
    else: body = rows(w, h)
    z = zlib.compress(body, R.choice([0, 1, 6, 9])); chunks = [(b"IHDR", struct.pack(">IIBBBBB", w, h, bits, color, 0, 0, inter))]
    if color == 3: chunks.append((b"PLTE", rnd(1, 3 * R.randint(1, 1 << bits)).tobytes()))
    if R.random() < .4: chunks.append((b"tRNS", {0: struct.pack(">H", R.randint(0, (1 << bits) - 1)), 2: struct.pack(">HHH", 1, 2, 3), 3: rnd(1, R.randint(1, 1 << bits)).tobytes()}.get(color, b"\0\1")))
    if R.random() < .3: chunks.append(R.choice([(b"gAMA", struct.pack(">I", 45455)), (b"tEXt", b"a\0bc"), (b"pHYs", bytes(9)), (b"sRGB", b"\0"), (b"quXy", b"123")]))
    k = R.randint(1, 4); cuts = sorted(R.randint(0, len(z)) for _ in range(k - 1)); parts = [z[a:b] for a, b in zip([0] + cuts, cuts + [len(z)])]
    chunks += [(b"IDAT", p) for p in parts]
    if R.random() < .2: chunks.append((b"tEXt", b"end\0text"))
    chunks.append((b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(c, d) for c, d in chunks)
def chunk(c, d): return struct.pack(">I", len(d)) + c + d + struct.pack(">I", zlib.crc32(c + d))
def fix_png(data):
    """Checksums right again, so that what was changed is read."""
    out = data[:8]; at = 8
    while at + 8 <= len(data):
        n = struct.unpack(">I", data[at:at + 4])[0]
        if at + 12 + n > len(data): return out + data[at:]
        out += chunk(data[at + 4:at + 8], data[at + 8:at + 8 + n]); at += 12 + n
    return out + data[at:]
def seed_bmp():
    if R.random() < .4: return raw_bmp()
    return save(image(["1", "L", "RGB", "RGBA", "P"]), format="BMP")
def raw_bmp():
    w, h = R.randint(1, 24), R.randint(1, 20); kind = R.choice(["rle8", "rle4", "16", "565", "32", "4", "os2", "td", "v5"])
    pal = rnd(16 if kind in ("rle4", "4") else 256, 4).tobytes(); masks = b""; bits = 8; comp = 0; hh = h
    if kind == "rle8" or kind == "rle4":
        bits = 8 if kind == "rle8" else 4; comp = 1 if bits == 8 else 2; body = b""
        for _ in range(h):
            left = w
            while left > 0:
                n = R.randint(1, min(left, 255))
                if R.random() < .3 and n >= 3:
                    nb = n if bits == 8 else n // 2 + n % 2
                    body += bytes([0, n]) + rnd(1, nb).tobytes() + (b"\0" if nb % 2 else b"")
                else: body += bytes([n, R.randint(0, 255)])
                left -= n
            body += R.choice([b"\0\0", b"\0\0", b""])
        body += b"\0\1"
    else:
        bits = {"16": 16, "565": 16, "32": 32, "4": 4, "os2": 8, "td": 24, "v5": 32}[kind]
        if kind == "565": comp, masks = 3, struct.pack("<III", 0xF800, 0x7E0, 0x1F)
        if kind == "v5": comp = 3
        if kind == "td": hh = -h
        body = rnd(h, ((w * bits + 31) // 32) * 4).tobytes()
    if bits > 8: pal = b""
    if kind == "os2":
        head = struct.pack("<IHHHH", 12, w, h, 1, bits); pal = rnd(256, 3).tobytes()
    elif kind == "v5":
        head = struct.pack("<IiiHHIIiiII", 124, w, hh, 1, bits, comp, 0, 0, 0, 0, 0) + struct.pack("<IIII", *R.choice([(0xff0000, 0xff00, 0xff, 0xff000000), (0xff, 0xff00, 0xff0000, 0xff000000), (0xff0000, 0xff00, 0xff, 0)])) + bytes(68)
    else: head = struct.pack("<IiiHHIIiiII", 40, w, hh, 1, bits, comp, len(body), 0, 0, len(pal) // 4 if R.random() < .5 else 0, 0)
    start = 14 + len(head) + len(masks) + len(pal)
    return b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + head + masks + pal + body
def seed_tiff():
    im = image(["1", "L", "LA", "RGB", "RGBA", "P", "I;16", "I", "F", "CMYK"]); kw = {}
    comps = [None, None, "tiff_lzw", "tiff_adobe_deflate", "packbits"]
    if im.mode == "1": comps += ["group3", "group4", "tiff_ccitt"]
    if im.mode in ("L", "RGB", "CMYK"): comps.append("jpeg")
    c = R.choice(comps)
    if c: kw["compression"] = c
    if R.random() < .3 and c not in ("jpeg","group3","group4","tiff_ccitt"): kw["tiffinfo"] = {278: R.randint(1, 8)}
    if c in ("tiff_lzw", "tiff_adobe_deflate") and R.random() < .4 and im.mode in ("L", "RGB", "RGBA", "I;16"): kw.setdefault("tiffinfo", {})[317] = 2
    if R.random() < .2: kw.setdefault("tiffinfo", {})[274] = R.randint(1, 8)
    if R.random() < .2: kw.update(save_all=True, append_images=[im.copy(), image([im.mode])])
    if R.random() < .1: kw["big_tiff"] = True
    return save(im, format="TIFF", **kw)
def seed_webp():
    im = image(["RGB", "RGBA", "L"]); kw = dict(lossless=R.random() < .5, quality=R.randint(1, 100))
    if R.random() < .3: kw.update(save_all=True, append_images=[Image.fromarray(rnd(im.size[1], im.size[0], 4)) for _ in range(R.randint(1, 3))], allow_mixed=R.random() < .3)
    if R.random() < .3: kw["exact"] = True
    return save(im, format="WEBP", **kw)
def mutate(d):
    d = bytearray(d); kind = R.random()
    if kind < .12: return bytes(d)
    if kind < .27: return bytes(d[:R.randint(1, len(d))])
    if kind < .35:
        at = R.randint(0, len(d)); n = R.randint(1, 8); return bytes(d[:at] + d[at + n:])
    if kind < .43:
        at = R.randint(0, len(d)); return bytes(d[:at] + bytes(R.randint(0, 255) for _ in range(R.randint(1, 8))) + d[at:])
    if kind < .5 and len(d) > 20:
        a, b, n = R.randint(0, len(d) - 1), R.randint(0, len(d) - 1), R.randint(1, 30); d[b:b + n] = d[a:a + n]; return bytes(d)
    head = R.random() < .5
    for _ in range(R.choice([1, 1, 1, 2, 3, 8])):
        at = R.randint(0, min(len(d), 120) - 1 if head else len(d) - 1)
        d[at] = R.choice([R.randint(0, 255), d[at] ^ (1 << R.randint(0, 7)), 0, 255, (d[at] + 1) & 255])
    return bytes(d)


def twice(function, argument):
    """ComfyUI's node_helpers.pillow: a second try takes what there is of a file that is cut off."""
    try:
        return function(argument)
    except (OSError, ValueError):
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        return function(argument)
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


def load(path):
    """Frames of the first one's size as bytes, their shape, and Pillow's mode (ComfyUI nodes.py, LoadImage)."""
    frames, mode = [], None
    for frame in ImageSequence.Iterator(twice(Image.open, path)):
        frame = twice(ImageOps.exif_transpose, frame)
        mode = mode or frame.mode
        if frame.mode == "I":
            frame = frame.point(lambda value: value * (1 / 255))
        rgb = np.asarray(frame.convert("RGB"))
        if not frames or rgb.shape == frames[0].shape:
            frames.append(rgb)
    return np.stack(frames), mode


def apart(function, *arguments):
    """In a process of its own: encoders crash on some of what they are asked for."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        try:
            answer = function(*arguments)
        except Exception:
            answer = b""
        with os.fdopen(write, "wb") as pipe:
            pipe.write(answer)
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return answer


def described(path):
    frames, mode = load(path)
    return json.dumps({"shape": frames.shape[:3], "mode": mode, "sha256": hashlib.sha256(frames.tobytes()).hexdigest()}).encode()


os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
files = []
for kind, make in (("gif", seed_gif), ("png", seed_png), ("bmp", seed_bmp), ("tiff", seed_tiff), ("webp", seed_webp)):
    made = 0
    while made < COUNT:
        R.seed(f"{SEED} {kind} {made}")
        N.seed(R.randint(0, 2**31))
        seed = apart(make)
        for _ in range(4 if seed else 0):
            data = mutate(seed)
            if kind == "png" and R.random() < 0.6:
                data = fix_png(data)
            with tempfile.NamedTemporaryFile(suffix="." + kind) as file:
                file.write(data)
                file.flush()
                answer = apart(described, file.name)
            files.append({"name": f"{made:05d}.{kind}", "data": base64.b64encode(data).decode(), **(json.loads(answer) if answer else {})})
            made += 1
            if made == COUNT:
                break
        else:
            SEED += 1
with gzip.GzipFile(OUT, "wb", mtime=0) as file:
    file.write(json.dumps(files).encode())
