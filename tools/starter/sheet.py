"""Sheets of pictures, as PNG."""

import numpy as np
from PIL import Image, ImageDraw


def sheet(pictures, columns, path, enlarge=1, labels=None, gap=2):
    """Writes uint8 pictures [n, h, w, 3] side by side, with a line of text beneath each where there are `labels`."""
    n, h, w, _ = pictures.shape
    h, w = h * enlarge, w * enlarge
    rows = -(-n // columns)
    text = 24 if labels else 0
    page = Image.new("RGB", (columns * (w + gap), rows * (h + gap + text)), (32, 32, 36))
    pen = ImageDraw.Draw(page)
    for i, picture in enumerate(pictures):
        x, y = i % columns * (w + gap), i // columns * (h + gap + text)
        page.paste(Image.fromarray(np.ascontiguousarray(picture)).resize((w, h), Image.NEAREST), (x, y))
        if labels:
            words = labels[i].split(" ")
            lines = [""]
            for word in words:
                if len(lines[-1]) + len(word) > w // 6 - 1:
                    lines.append("")
                lines[-1] += (" " if lines[-1] else "") + word
            for k, line in enumerate(lines[:2]):
                pen.text((x + 2, y + h + 1 + 11 * k), line, fill=(230, 230, 230))
    page.save(path)
