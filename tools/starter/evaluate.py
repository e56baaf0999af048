"""Judges a checkpoint on prompts that it was never trained on, its pictures drawn by latentd itself.

    python tools/starter/evaluate.py --state STATE --models models
"""

import argparse
import collections
import glob
import json
import os
import random
import shutil
import subprocess

import numpy as np
from PIL import Image

from captions import caption
from dataset import UNSEEN
from judge import NAMES, classifier, classify, main_colour, shrink
from scene import Scene
from sheet import sheet


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", required=True)
    parser.add_argument("--models", default="models")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--cfg", type=float, default=4.0)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--trained", type=int, default=60_000, help="pictures of the state that the model was trained on")
    options = parser.parse_args()
    scenes = [Scene(UNSEEN + i) for i in range(options.count)]
    prompts = [caption(scene, random.Random(scene.seed)) for scene in scenes]
    pictures = drawn(options, [{"prompt": text, "seed": i} for i, text in enumerate(prompts)], "prompts")
    small = np.stack([shrink(picture) for picture in pictures])

    judged = classify(classifier(options.state), small)
    subjects = np.array([NAMES[guess] == scene.subject for guess, scene in zip(judged, scenes)])
    colours = np.array([main_colour(picture) == scene.colour for picture, scene in zip(small, scenes)])
    print(f"right subject: {subjects.mean():.1%} of {len(scenes)}; right main colour: {colours.mean():.1%}; both: {(subjects & colours).mean():.1%}")
    for kind, right in (("subject", subjects), ("colour", colours)):
        wrong = collections.Counter(getattr(scene, kind) for scene, good in zip(scenes, right) if not good)
        print(f"most often wrong, by {kind}: {wrong.most_common(8)}")

    training = np.load(os.path.join(options.state, "pictures.npy"), mmap_mode="r")[: options.trained]
    nearest = nearest_distances(small, training)
    fresh = nearest_distances(np.stack([draw_scene(UNSEEN + 2_000_000 + i) for i in range(options.count)]), training)
    print(f"nearest training picture, RMS of 255: least {nearest.min():.1f}, 5 % below {np.quantile(nearest, 0.05):.1f}, median {np.median(nearest):.1f}"
          f" (freshly drawn sprites: least {fresh.min():.1f}, median {np.median(fresh):.1f})")

    again = drawn(options, [{"prompt": text, "seed": 10_000 + s} for text in prompts[:20] for s in range(4)], "seeds").reshape(20, 4, -1).astype(np.float32)
    apart = [np.sqrt(((group[a] - group[b]) ** 2).mean()) for group in again for a in range(4) for b in range(a)]
    print(f"mean distance between two seeds of a prompt, RMS of 255: {np.mean(apart):.1f}, least {np.min(apart):.1f}")
    sheet(pictures[:64], 8, os.path.join(options.state, "evaluation.png"), labels=prompts[:64])


def draw_scene(seed):
    from scene import draw

    return draw(Scene(seed))


def drawn(options, jobs, name):
    """The pictures of `jobs`, [n, 128, 128, 3], by tools/starter/draw.mjs."""
    folder = os.path.abspath(os.path.join(options.state, f"drawn-{name}"))
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    path = os.path.join(folder, "jobs.json")
    with open(path, "w") as file:
        json.dump([{**job, "cfg": options.cfg, "steps": options.steps} for job in jobs], file)
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "draw.mjs")
    subprocess.run(["node", script, path, options.models, folder], check=True)
    return np.stack([np.asarray(Image.open(each).convert("RGB")) for each in sorted(glob.glob(os.path.join(folder, "*.png")))])


def nearest_distances(pictures, training):
    """RMS distance of each picture to the nearest of `training`."""
    flat = pictures.reshape(len(pictures), -1).astype(np.float32)
    best = np.full(len(flat), np.inf, np.float32)
    for start in range(0, len(training), 4096):
        other = training[start : start + 4096].reshape(-1, flat.shape[1]).astype(np.float32)
        squares = (flat**2).sum(1)[:, None] + (other**2).sum(1) - 2 * flat @ other.T
        best = np.minimum(best, squares.min(1))
    return np.sqrt(np.maximum(best, 0) / flat.shape[1])


if __name__ == "__main__":
    main()
