"""A loss curve as PNG, drawn with PIL so that nothing more is needed."""

import math

from PIL import Image, ImageDraw


def plot_losses(points, path, size=(720, 360)):
    """`points`: (samples seen, loss); the loss on a logarithmic scale."""
    if len(points) < 2:
        return
    w, h = size
    page = Image.new("RGB", size, (255, 255, 255))
    pen = ImageDraw.Draw(page)
    left, right, top, bottom = 60, w - 16, 16, h - 36
    seen = points[-1][0]
    lows = [math.log(max(loss, 1e-6)) for _, loss in points]
    low, high = min(lows), max(lows)
    span = max(high - low, 1e-6)
    for i in range(5):
        y = top + (bottom - top) * i / 4
        pen.line((left, y, right, y), fill=(220, 220, 224))
        pen.text((6, y - 6), f"{math.exp(high - span * i / 4):.4f}", fill=(60, 60, 70))
        x = left + (right - left) * i / 4
        pen.text((x - 16, bottom + 8), f"{seen * i / 4 / 1000:.0f}k", fill=(60, 60, 70))
    line = [(left + (right - left) * s / seen, top + (high - v) / span * (bottom - top)) for (s, _), v in zip(points, lows)]
    pen.line(line, fill=(40, 90, 200), width=2)
    pen.text((left + 8, top), "loss by pictures seen", fill=(60, 60, 70))
    page.save(path)
