"""Teaches the text encoder to read before the denoiser looks at what it says: from the states behind the end of a caption
alone, which see all of it, one linear layer each tells what the picture shows. That is cheap, and spares the denoiser most of
the pictures that it would need to learn it."""

import os
import random

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from captions import caption
from palettes import COLOURS, MATERIALS, PLAIN
from scene import SCENES, SUBJECTS, Scene
from text_encoder import TextEncoder
from tokens import LENGTH, tokenize

ASPECTS = {
    "subject": tuple(SUBJECTS),
    "colour": COLOURS,
    "background": tuple(PLAIN) + SCENES,
    "size": ("", "small", "big"),
    "accessory": (None, *sorted({name for subject in SUBJECTS.values() for name in subject[1]})),
    "second": (None, *COLOURS, *MATERIALS),
}


def train_text(out, width, layers, known, steps=600, batch=64, seed=0):
    """The encoder's state dict, kept in STATE/text.pt."""
    path = os.path.join(out, "text.pt")
    if os.path.exists(path):
        return torch.load(path)
    torch.manual_seed(seed)
    model = TextEncoder(width, layers, known)
    heads = nn.ModuleDict({name: nn.Linear(width, len(values)) for name, values in ASPECTS.items()})
    own = [*model.parameters(), *heads.parameters()]
    optimiser = torch.optim.AdamW(own, lr=2e-3, betas=(0.9, 0.99), weight_decay=0.01)
    r, pick = random.Random(seed), np.random.default_rng(seed)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * min(1, (step + 1) / 50) * max(0.02, 1 - step / steps)
        scenes = [Scene(r.randrange(60_000)) for _ in range(batch)]
        tokens = torch.tensor([tokenize(caption(scene, r)) for scene in scenes])
        places = torch.from_numpy(pick.integers(40, LENGTH, batch))
        state = model(tokens)[torch.arange(batch), places]
        loss = 0.0
        for name, values in ASPECTS.items():
            named = [None if name == "second" and scene.accessory is None else getattr(scene, name) for scene in scenes]
            loss = loss + F.cross_entropy(heads[name](state), torch.tensor([values.index(value) for value in named]))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(own, 1.0)
        optimiser.step()
        if step % 100 == 0 or step == steps - 1:
            right = {name: f"{(heads[name](state).argmax(1) == torch.tensor([ASPECTS[name].index(getattr(s, name)) for s in scenes])).float().mean().item():.2f}" for name in ("subject", "colour", "background")}
            print(f"text {step}/{steps} loss {loss.item():.3f} right {right}", flush=True)
    torch.save(model.state_dict(), path)
    return model.state_dict()
