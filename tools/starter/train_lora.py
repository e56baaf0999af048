"""Trains a LoRA that changes the starter model's style, in kohya's keys: four greens, as of a handheld console of 1989.

    python tools/starter/train_lora.py --state STATE --lora models/loras/starter-handheld.safetensors
"""

import argparse
import math
import os
import random
import time

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

from autoencoder import Autoencoder
from dataset import words
from sampling import alphas_cumprod
from scene import Scene, draw
from tokens import tokenize
from train import decoder
from train_autoencoder import to_pixels
from train_denoiser import Denoiser, sample_sheet

RANK = 4


class Lora(nn.Module):
    """A layer that stays as it is, and the product of two thin ones beside it."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        rank = min(RANK, *layer.weight.shape[:2])
        if isinstance(layer, nn.Conv2d):
            self.down = nn.Conv2d(layer.in_channels, rank, layer.kernel_size, layer.stride, layer.padding, bias=False)
            self.up = nn.Conv2d(rank, layer.out_channels, 1, bias=False)
        else:
            self.down, self.up = nn.Linear(layer.in_features, rank, bias=False), nn.Linear(rank, layer.out_features, bias=False)
        nn.init.normal_(self.down.weight, std=1 / math.sqrt(self.down.weight[0].numel()))
        nn.init.zeros_(self.up.weight)

    @property
    def weight(self):
        return self.layer.weight

    def forward(self, x):
        return self.layer(x) + self.up(self.down(x))


def wrap(module, path=""):
    """Puts a `Lora` around each convolution and linear layer below `module`; yields it with the layer's key."""
    for name, child in list(module.named_children()):
        key = f"{path}.{name}" if path else name
        if isinstance(child, (nn.Conv2d, nn.Linear)):
            lora = Lora(child)
            setattr(module, name, lora) if not isinstance(module, nn.Sequential) else module.__setitem__(int(name), lora)
            yield key, lora
        else:
            yield from wrap(child, key)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", required=True)
    parser.add_argument("--lora", required=True)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--pictures", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)
    state = torch.load(os.path.join(options.state, "denoiser.pt"), map_location="cpu")
    model = Denoiser(state["vocabulary"])
    model.load_state_dict(state["average"])
    model.requires_grad_(False)
    loras = dict(wrap(model.unet))
    trained = [p for lora in loras.values() for p in (lora.down.weight, lora.up.weight)]
    optimiser = torch.optim.AdamW(trained, lr=4e-3, betas=(0.9, 0.99), weight_decay=0.0)
    latents = styled_latents(options.state, options.pictures)
    alphas, r, pick = alphas_cumprod(), random.Random(options.seed), np.random.default_rng(options.seed)
    began = time.time()
    for step in range(options.steps):
        for group in optimiser.param_groups:
            group["lr"] = 4e-3 * min(1, (step + 1) / 20) * max(0.02, 1 - step / options.steps)
        chosen = pick.integers(0, len(latents), options.batch)
        x = latents[torch.from_numpy(chosen)]
        tokens = torch.tensor([tokenize("" if r.random() < 0.1 else words(int(i), r.randrange(1000))) for i in chosen])
        noise = torch.randn_like(x)
        t = ((torch.arange(options.batch) + torch.rand(options.batch)) * 1000 / options.batch).long()
        alpha = alphas[t].view(-1, 1, 1, 1)
        with torch.autocast("cpu", torch.bfloat16):
            guess = model(alpha.sqrt() * x + (1 - alpha).sqrt() * noise, t, tokens)
        each = F.mse_loss(guess.float(), noise, reduction="none").mean((1, 2, 3))
        snr = (alpha / (1 - alpha)).flatten()
        loss = (each * snr.clamp(max=5) / snr).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        if step % 25 == 0:
            print(f"lora {step}/{options.steps} loss {loss.item():.4f} {(step + 1) * options.batch / (time.time() - began):.0f}/s", flush=True)
    os.makedirs(os.path.dirname(os.path.abspath(options.lora)), exist_ok=True)
    save_file(kohya(loras), options.lora, metadata={"licence": "CC0-1.0", "ss_network_dim": str(RANK)})
    sample_sheet(model, decoder(options.state, "cpu"), os.path.join(options.state, "lora.png"), "cpu")


def styled_latents(state, count):
    """Latents, of unit size, of the first training pictures in the style."""
    model = Autoencoder()
    model.load_state_dict(torch.load(os.path.join(state, "autoencoder.pt"), map_location="cpu")["average"])
    scale = np.load(os.path.join(state, "latents-scale.npz"))
    mean, std = (torch.from_numpy(scale[key]).view(1, 4, 1, 1) for key in ("mean", "std"))
    data = np.stack([draw(Scene(seed), "monochrome") for seed in range(count)])
    with torch.no_grad():
        return torch.cat([(model.encode(to_pixels(data[i : i + 250], "cpu")) - mean) / std for i in range(0, count, 250)])


def kohya(loras):
    out = {}
    for key, lora in loras.items():
        name = "lora_unet_" + key.replace(".", "_")
        rank = lora.down.weight.shape[0]
        out[f"{name}.lora_down.weight"] = lora.down.weight.detach().half().contiguous()
        out[f"{name}.lora_up.weight"] = lora.up.weight.detach().half().contiguous()
        out[f"{name}.alpha"] = torch.tensor(float(rank)).half()
    return out


if __name__ == "__main__":
    main()
