"""Judges of pictures: a classifier of subjects, trained on freshly drawn sprites only, and the main colour by pixels."""

import os

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from canvas import SIDE
from dataset import UNSEEN
from palettes import COLOURS, RAMPS
from scene import SUBJECTS, Scene, draw

NAMES = tuple(SUBJECTS)


class Classifier(nn.Sequential):
    def __init__(self):
        layers, width = [], 3
        for wide, stride in ((32, 1), (48, 2), (96, 2), (128, 2)):
            layers += [nn.Conv2d(width, wide, 3, stride, 1), nn.BatchNorm2d(wide), nn.ReLU(), nn.Conv2d(wide, wide, 3, 1, 1), nn.BatchNorm2d(wide), nn.ReLU()]
            width = wide
        super().__init__(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(0.2), nn.Linear(4 * width, len(NAMES)))


def prepare(pictures):
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


def train_classifier(path, count=40_000, steps=1500, batch=64, seed=0):
    """Trains on `count` sprites of seeds that the model never saw, and reports its own accuracy on others."""
    torch.manual_seed(seed)
    scenes = [Scene(UNSEEN + 500_000 + i) for i in range(count + 2000)]
    pictures = np.stack([draw(scene) for scene in scenes])
    labels = torch.tensor([NAMES.index(scene.subject) for scene in scenes])
    model = Classifier()
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.02)
    pick = np.random.default_rng(seed)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * (1 - step / steps) + 1e-5
        chosen = pick.integers(0, count, batch)
        x = prepare(pictures[chosen])
        # A generated picture is never as clean as a drawn one.
        x = x + torch.randn_like(x) * 0.2 * torch.rand(batch, 1, 1, 1)
        x = torch.roll(x, tuple(pick.integers(-2, 3, 2)), (2, 3))
        if pick.random() < 0.3:
            x = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, 1) * 0.5 + x * 0.5
        loss = F.cross_entropy(model(x), labels[torch.from_numpy(chosen)], label_smoothing=0.05)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 250 == 0:
            print(f"classifier {step}/{steps} loss {loss.item():.3f}", flush=True)
    model.eval()
    right = classify(model, pictures[count:]) == labels[count:].numpy()
    torch.save(model.state_dict(), path)
    print(f"classifier: right on {right.mean():.2%} of {len(right)} other drawn sprites", flush=True)
    return model


def classifier(out):
    path = os.path.join(out, "classifier.pt")
    if not os.path.exists(path):
        return train_classifier(path)
    model = Classifier()
    model.load_state_dict(torch.load(path))
    return model.eval()


@torch.no_grad()
def classify(model, pictures):
    return np.concatenate([model(prepare(pictures[i : i + 256])).argmax(1).numpy() for i in range(0, len(pictures), 256)])


# The main colour: what the subject's pixels, those that no path of similar colours joins to the border, are nearest to.

_samples = np.array([colour for name in COLOURS for colour in RAMPS[name][1:]], np.float32)
_named = np.repeat(np.arange(len(COLOURS)), 3)


def _lab(rgb):
    """CIE L*a*b* of sRGB 0..255."""
    c = rgb / 255
    c = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    xyz = c @ np.array([[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]]) / (0.9505, 1, 1.089)
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack((116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])), -1)


_lab_samples = _lab(_samples)


def subject_pixels(picture, tolerance=14.0):
    """The mask of the pixels that are not background."""
    lab = _lab(picture.astype(np.float32))
    h, w, _ = lab.shape
    outside = np.zeros((h, w), bool)
    outside[0, :] = outside[-1, :] = outside[:, 0] = outside[:, -1] = True
    near_x = np.sqrt(((lab[:, 1:] - lab[:, :-1]) ** 2).sum(-1)) < tolerance
    near_y = np.sqrt(((lab[1:] - lab[:-1]) ** 2).sum(-1)) < tolerance
    while True:
        grown = outside.copy()
        grown[:, 1:] |= outside[:, :-1] & near_x
        grown[:, :-1] |= outside[:, 1:] & near_x
        grown[1:] |= outside[:-1] & near_y
        grown[:-1] |= outside[1:] & near_y
        if (grown == outside).all():
            return ~outside
        outside = grown


def main_colour(picture):
    """The name of the colour that most of the subject's pixels have; outlines, nearly black, don't count."""
    lab = _lab(picture.astype(np.float32))
    inside = lab[subject_pixels(picture)]
    inside = inside[inside[:, 0] > 24]
    if len(inside) < 8:
        return None
    distance = ((inside[:, None] - _lab_samples) ** 2 * (0.4, 1, 1)).sum(-1)
    return COLOURS[np.bincount(_named[distance.argmin(1)], minlength=len(COLOURS)).argmax()]


def shrink(picture):
    """A picture of 128x128 as the 32x32 that it was drawn on."""
    side = picture.shape[0] // SIDE
    return picture.reshape(SIDE, side, SIDE, side, 3).mean((1, 3)).round().astype(np.uint8)
