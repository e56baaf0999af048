"""The training pictures with their scenes, drawn once and kept beside the state: [n, 32, 32, 3] uint8."""

import os
import random

import numpy as np

from canvas import SIDE
from captions import caption
from scene import Scene, draw

# Seeds of training pictures begin at 0. Those that judge a model begin here, so that none is ever trained on.
UNSEEN = 1_000_000_000


def pictures(count, path):
    """The first `count` training pictures, drawn or continued into the file at `path`."""
    done = np.load(path, mmap_mode="r") if os.path.exists(path) else np.empty((0, SIDE, SIDE, 3), np.uint8)
    if len(done) >= count:
        return done[:count]
    drawn = np.empty((count, SIDE, SIDE, 3), np.uint8)
    drawn[: len(done)] = done
    for seed in range(len(done), count):
        drawn[seed] = draw(Scene(seed))
        if seed % 20000 == 0:
            print(f"drawn {seed}/{count}", flush=True)
    np.save(path + ".part.npy", drawn)
    os.replace(path + ".part.npy", path)
    return drawn


def words(seed, epoch=0):
    """A caption of training picture `seed`; each epoch words it anew."""
    return caption(Scene(seed), random.Random(seed * 1009 + epoch))
