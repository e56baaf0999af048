"""Trains the autoencoder on drawn sprites, then its decoder on latents as rough as the denoiser's; resumable."""

import math
import os
import time

import numpy as np
import torch
from torch.nn import functional as F

from autoencoder import Autoencoder
from dataset import pictures
from sheet import sheet

NOISE = 0.12  # on latents of about unit size, so that the decoder forgives small errors


def to_pixels(batch, device):
    return torch.from_numpy(np.ascontiguousarray(batch)).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1


def to_pictures(pixels):
    return ((pixels.float().clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()


def psnr(model, data, device):
    with torch.no_grad():
        x = to_pixels(data, device)
        error = (model.decode(model.encode(x)).float().clamp(-1, 1) - x).pow(2).mean((1, 2, 3)) / 4
    return (-10 * error.log10()).mean().item(), -10 * math.log10(error.mean().item())


def train_autoencoder(out, steps, batch, count, device, lr=2e-3, seed=0):
    torch.manual_seed(seed)
    data = pictures(count, os.path.join(out, "pictures.npy"))
    train, held = data[512:], data[:512]
    model = Autoencoder().to(device)
    average = Autoencoder().to(device)
    average.load_state_dict(model.state_dict())
    optimiser = torch.optim.AdamW(model.parameters(), lr=lr, betas=(0.9, 0.99), weight_decay=1e-4)
    path = os.path.join(out, "autoencoder.pt")
    step = 0
    if os.path.exists(path):
        state = torch.load(path, map_location=device)
        model.load_state_dict(state["model"]); average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"]); step = state["step"]
    random = np.random.default_rng(seed + step)
    began = time.time()
    first = step
    while step < steps:
        for group in optimiser.param_groups:
            group["lr"] = lr * min(1, (step + 1) / 100) * (0.5 + 0.5 * math.cos(math.pi * step / steps)) + 1e-5
        x = to_pixels(train[np.sort(random.integers(0, len(train), batch))], device)
        with torch.autocast(device, torch.bfloat16):
            latent = model.encode(x)
            back = model.decode(latent + NOISE * torch.randn_like(latent))
        back, latent = back.float(), latent.float()
        error = F.mse_loss(back, x) + 0.1 * F.l1_loss(back, x)
        spread = latent.pow(2).mean()
        loss = error + 2e-3 * (spread - 1).clamp(min=0) + 1e-4 * spread
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        step += 1
        with torch.no_grad():
            keep = min(0.998, (1 + step) / (10 + step))
            for a, p in zip(average.parameters(), model.parameters()):
                a.lerp_(p, 1 - keep)
        if step % 100 == 0:
            rate = (step - first) * batch / (time.time() - began)
            print(f"autoencoder {step}/{steps} loss {loss.item():.4f} spread {spread.item():.2f} psnr {psnr(average, held[:128], device)} {rate:.0f}/s", flush=True)
        if step % 500 == 0 or step == steps:
            torch.save({"model": model.state_dict(), "average": average.state_dict(), "optimiser": optimiser.state_dict(), "step": step}, path + ".part")
            os.replace(path + ".part", path)
            with torch.no_grad():
                x = to_pixels(held[:24], device)
                sheet(np.concatenate([held[:24], to_pictures(average.decode(average.encode(x)))]), 24, os.path.join(out, "autoencoder.png"), enlarge=2)
    return average


ROUGH = 0.4  # most noise on the latents that the decoder is polished with


def polish_decoder(out, steps, batch, count, device, lr=1e-3, seed=0):
    """The autoencoder whose decoder has gone on learning, its encoder as it was: what a denoiser makes of noise is rougher than
    what the encoder makes of pictures, and flat colours should come out flat all the same."""
    model = Autoencoder().to(device)
    model.load_state_dict(torch.load(os.path.join(out, "autoencoder.pt"), map_location=device)["average"])
    path = os.path.join(out, "decoder.pt")
    if os.path.exists(path):
        model.load_state_dict(torch.load(path, map_location=device))
        return model
    torch.manual_seed(seed)
    data = pictures(count, os.path.join(out, "pictures.npy"))
    train, held = data[512:], data[:512]
    own = list(model.decoder.parameters())
    optimiser = torch.optim.AdamW(own, lr=lr, betas=(0.9, 0.99), weight_decay=0.0)
    random = np.random.default_rng(seed)
    began = time.time()
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = lr * min(1, (step + 1) / 50) * (0.5 + 0.5 * math.cos(math.pi * step / steps)) + 1e-6
        x = to_pixels(train[np.sort(random.integers(0, len(train), batch))], device)
        with torch.autocast(device, torch.bfloat16):
            with torch.no_grad():
                latent = model.encode(x)
            rough = ROUGH * torch.rand(batch, 1, 1, 1, device=device) * torch.randn_like(latent)
            back = model.decode(latent + rough).float()
        loss = 0.5 * F.mse_loss(back, x) + F.l1_loss(back, x)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(own, 1.0)
        optimiser.step()
        if (step + 1) % 100 == 0:
            rate = (step + 1) * batch / (time.time() - began)
            print(f"decoder {step + 1}/{steps} loss {loss.item():.4f} psnr {psnr(model, held[:128], device)} {rate:.0f}/s", flush=True)
    torch.save(model.state_dict(), path + ".part")
    os.replace(path + ".part", path)
    return model
