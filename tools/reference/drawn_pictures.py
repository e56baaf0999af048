"""A picture of waves and discs, for networks that look at pictures."""

import numpy as np


def picture(height, width, seed):
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    values = np.stack([0.5 + 0.4 * np.sin(9 * x + 3 * c + 5 * y) for c in range(3)], -1)
    for _ in range(6):
        cy, cx, r = random.uniform(0, 1, 3) * (1, 1, 0.3)
        values[(y - cy) ** 2 + (x - cx) ** 2 < r * r] = random.uniform(0, 1, 3)
    return (values * 255).clip(0, 255).astype(np.uint8)
