"""A 32x32 canvas on which a sprite is painted part by part, each part shaded as it is painted."""

import numpy as np

SIDE = 32
_pixels = np.arange(SIDE) + 0.5


class Canvas:
    """Subject coordinates: x right and y down, the subject between -1 and 1; `scale` pixels are one unit."""

    def __init__(self, scale, centre, flip=False, tilt=0.0, shading="edge"):
        x = (_pixels[None, :] - centre[0]) / scale
        y = (_pixels[:, None] - centre[1]) / scale
        x, y = np.broadcast_arrays(x, y)
        if tilt:
            c, s = np.cos(tilt), np.sin(tilt)
            x, y = c * x + s * y, c * y - s * x
        self.x = -x if flip else x
        self.y = y
        self.pixel = 1.0 / scale
        self.shading = shading
        self.colour = np.zeros((SIDE, SIDE, 3), np.float32)
        self.covered = np.zeros((SIDE, SIDE), bool)
        self.dark = np.zeros((SIDE, SIDE, 3), np.float32)

    # Shapes: masks of the pixels whose centres lie inside.

    def ellipse(self, cx, cy, rx, ry):
        return ((self.x - cx) / rx) ** 2 + ((self.y - cy) / ry) ** 2 <= 1

    def box(self, left, top, right, bottom):
        return (self.x >= left) & (self.x <= right) & (self.y >= top) & (self.y <= bottom)

    def polygon(self, *points):
        inside = np.zeros((SIDE, SIDE), bool)
        (x0, y0) = points[-1]
        for x1, y1 in points:
            if y0 != y1:
                crosses = (self.y < y0) != (self.y < y1)
                inside ^= crosses & (self.x < (x1 - x0) * (self.y - y0) / (y1 - y0) + x0)
            x0, y0 = x1, y1
        return inside

    def line(self, x0, y0, x1, y1, width):
        """A stroke with round ends, at least about one pixel wide."""
        width = max(width, 1.05 * self.pixel)
        dx, dy = x1 - x0, y1 - y0
        along = np.clip(((self.x - x0) * dx + (self.y - y0) * dy) / (dx * dx + dy * dy + 1e-9), 0, 1)
        return (self.x - x0 - along * dx) ** 2 + (self.y - y0 - along * dy) ** 2 <= width * width / 4

    def dot(self, x, y, radius=0.0):
        return self.ellipse(x, y, *(2 * (max(radius, 0.62 * self.pixel),)))

    # Painting.

    def paint(self, mask, ramp, shading=None):
        """Fills `mask` with the ramp (outline, shadow, base, light), lit from the upper left."""
        outline, shadow, base, light = ramp
        shading = shading or self.shading
        self.colour[mask] = base
        if shading != "flat":
            reach = 2 if shading == "deep" else 1
            below = mask & ~(_shift(mask, -reach, 0) & _shift(mask, -reach, -reach))
            above = mask & ~(_shift(mask, 1, 0) & _shift(mask, 1, 1)) & ~below
            if shading == "dither":
                wide = mask & ~_shift(mask, -3, -3)
                below |= wide & _checker
            self.colour[below] = shadow
            self.colour[above] = light
        self.dark[mask] = outline
        self.covered |= mask

    def spot(self, mask, colour, dark=None):
        """Fills `mask` with one colour, unshaded: eyes, buttons, glints."""
        self.colour[mask] = colour
        self.dark[mask] = colour if dark is None else dark
        self.covered |= mask

    def cut(self, mask):
        self.covered &= ~mask

    def finish(self, background, outline):
        """The picture as uint8: `outline` is a colour, "own" (each part's darkest) or None."""
        picture = background.copy()
        if outline is not None:
            ring = np.zeros_like(self.covered)
            near = np.zeros_like(self.dark)
            for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
                moved = _shift(self.covered, dy, dx)
                new = moved & ~self.covered & ~ring
                near[new] = np.roll(self.dark, (dy, dx), (0, 1))[new]
                ring |= new
            picture[ring] = near[ring] if isinstance(outline, str) else outline
        picture[self.covered] = self.colour[self.covered]
        return np.clip(picture + 0.5, 0, 255).astype(np.uint8)


_checker = np.add.outer(np.arange(SIDE), np.arange(SIDE)) % 2 == 0


def _shift(mask, dy, dx):
    moved = np.zeros_like(mask)
    h, w = mask.shape
    moved[max(dy, 0) : h + min(dy, 0), max(dx, 0) : w + min(dx, 0)] = mask[
        max(-dy, 0) : h + min(-dy, 0), max(-dx, 0) : w + min(-dx, 0)
    ]
    return moved
