"""Trains the UNet and the text encoder together on latents of drawn sprites; resumable, on one device or several processes."""

import json
import os
import random
import time

import numpy as np
import torch
import torch.distributed as dist
from torch.nn import functional as F

from captions import NEGATIVES
from dataset import words
from plot import plot_losses
from sampling import alphas_cumprod, sample
from sheet import sheet
from text_encoder import TextEncoder
from tokens import tokenize
from train_autoencoder import to_pictures
from train_text import train_text
from unet import UNet

WIDTHS, ATTENDS, CONTEXT, LAYERS = (64, 128, 128), (False, True, True), 64, 2
AVERAGED = 4  # steps from one averaging of the weights to the next
DROPPED, NEGATIVE, STRANGE = 0.08, 0.04, 0.04
SHEET = (
    "a red knight with a gold shield, pixel art", "small blue slime on grass", "a purple wizard with a gold staff",
    "a white skeleton with a silver sword in a cave", "a green dragon", "a big pink ghost at night", "an orange cat on a white background",
    "a yellow fish", "a blue castle on grass", "a brown chest with a gold lock", "a red mushroom on grass", "a teal potion",
    "a gray robot", "a green tree on snow", "a brown ship with white sails", "a red heart on a black background",
)


def vocabulary():
    """Tokens that captions use, from a few thousand of them."""
    seen = set()
    for seed in range(6000):
        seen.update(tokenize(words(seed)))
    for text in NEGATIVES:
        seen.update(tokenize(text))
    return sorted(seen)


class Denoiser(torch.nn.Module):
    def __init__(self, known):
        super().__init__()
        self.text = TextEncoder(CONTEXT, LAYERS, known)
        self.unet = UNet(WIDTHS, ATTENDS, CONTEXT)

    def forward(self, x, timesteps, tokens):
        return self.unet(x, timesteps, self.text(tokens))


def caption_tokens(seed, r):
    """A picture's caption; now and then none, or what people write into a negative prompt, or a word that says nothing."""
    chance = r.random()
    if chance < DROPPED:
        return tokenize("")
    if chance < DROPPED + NEGATIVE:
        return tokenize(r.choice(NEGATIVES))
    tokens = tokenize(words(seed, r.randrange(1000)))
    if chance > 1 - STRANGE:
        place = r.randrange(1, 8)
        tokens = tokens[:place] + [r.randrange(512, 40000)] + tokens[place:-1]
    return tokens


class Flat:
    """All parameters of a model, and their gradients, as two long vectors that they are views of."""

    def __init__(self, model):
        own = list(model.parameters())
        self.values = torch.nn.Parameter(torch.cat([p.detach().flatten() for p in own]))
        self.values.grad = torch.zeros_like(self.values)
        at = 0
        for p in own:
            end = at + p.numel()
            p.data = self.values.data[at:end].view_as(p)
            p.grad = self.values.grad[at:end].view_as(p)
            at = end


def train_denoiser(out, autoencoder, latents, steps, batch, device, lr=1e-3, seed=0, rank=0, processes=1, deadline=None):
    """`latents` [n, 4, 16, 16] of unit size. Stops after `steps`, or at the `deadline` (seconds since 1970), state saved."""
    torch.manual_seed(seed)  # the same weights in every process
    known = vocabulary()
    model = Denoiser(known)
    model.text.load_state_dict(train_text(out, CONTEXT, LAYERS, known, seed=seed))
    model = model.to(device)
    average = Denoiser(known).to(device)
    average.load_state_dict(model.state_dict())
    path = os.path.join(out, "denoiser.pt")
    state = None
    step, losses, spent = 0, [], 0.0
    if os.path.exists(path):
        state = torch.load(path, map_location=device)
        model.load_state_dict(state["model"]); average.load_state_dict(state["average"])
        step, losses, spent = state["step"], state["losses"], state["seconds"]
    flat, flat_average = Flat(model), Flat(average)
    optimiser = torch.optim.AdamW([flat.values], lr=lr, betas=(0.9, 0.99), weight_decay=0.01, fused=True)
    if state is not None:
        optimiser.load_state_dict(state["optimiser"])
    pick = np.random.default_rng(seed + 7919 * rank + step)
    r = random.Random(seed + 7919 * rank + step)
    torch.manual_seed(seed + 7919 * rank + step)
    alphas = alphas_cumprod().to(device)
    began, first, running = time.time(), step, None

    def save():
        if rank:
            return
        state = {"model": model.state_dict(), "average": average.state_dict(), "optimiser": optimiser.state_dict(), "vocabulary": known,
                 "step": step, "losses": losses, "seconds": spent + time.time() - began}
        torch.save(state, path + ".part")
        os.replace(path + ".part", path)

    while step < steps:
        rate = schedule_file(out, steps)
        for group in optimiser.param_groups:
            group["lr"] = lr * learning_rate(step, rate)
        chosen = np.sort(pick.integers(0, len(latents), batch))
        x = torch.from_numpy(latents[chosen].astype(np.float32)).to(device)
        tokens = torch.tensor([caption_tokens(int(i), r) for i in chosen], device=device)
        noise = torch.randn_like(x)
        t = ((torch.arange(batch) + torch.rand(batch)) * 1000 / batch).long()[torch.randperm(batch)].to(device)
        alpha = alphas[t].view(-1, 1, 1, 1)
        with torch.autocast(device, torch.bfloat16):
            guess = model(alpha.sqrt() * x + (1 - alpha).sqrt() * noise, t, tokens)
        each = F.mse_loss(guess.float(), noise, reduction="none").mean((1, 2, 3))
        snr = (alpha / (1 - alpha)).flatten()
        loss = (each * snr.clamp(max=5) / snr).mean()
        gradient = flat.values.grad
        gradient.zero_()
        loss.backward()
        if processes > 1:
            dist.all_reduce(gradient)
            gradient /= processes
        torch.nn.utils.clip_grad_norm_([flat.values], 1.0)
        optimiser.step()
        step += 1
        if rank == 0 and step % AVERAGED == 0:
            with torch.no_grad():
                flat_average.values.lerp_(flat.values, 1 - min(0.998, (1 + step) / (20 + step)) ** AVERAGED)
        running = loss.item() if running is None else 0.98 * running + 0.02 * loss.item()
        if step % 25 == 0 and rank == 0:
            losses.append((step * batch * processes, running))
            speed = (step - first) * batch * processes / (time.time() - began)
            print(f"denoiser {step}/{rate} loss {running:.4f} lr {optimiser.param_groups[0]['lr']:.2e} {step * batch * processes} seen, {speed:.0f}/s", flush=True)
        if step % 250 == 0 and rank == 0:
            save()
            plot_losses(losses, os.path.join(out, "loss.png"))
        if step % 1000 == 0 and rank == 0:
            sample_sheet(average, autoencoder, os.path.join(out, f"samples-{step:06d}.png"), device)
        if over(deadline, step >= rate, processes):
            break
    save()
    return average, known, step


def schedule_file(out, steps):
    """Steps of the whole training; a number in the file `steps` of the state's folder changes it while it runs."""
    path = os.path.join(out, "steps")
    if os.path.exists(path):
        with open(path) as file:
            return int(json.load(file))
    return steps


def learning_rate(step, steps):
    """Warm-up, then level, then down to a fiftieth over the last 40 %."""
    left = (1 - step / steps) / 0.4
    return min(1, (step + 1) / 200) * max(0.02, min(1, left))


def over(deadline, done, processes):
    done = done or (deadline is not None and time.time() > deadline)
    if processes == 1:
        return done
    votes = torch.tensor([float(done)])
    dist.all_reduce(votes)
    return votes.item() > 0


def sample_sheet(model, autoencoder, path, device, prompts=SHEET, seeds=2, cfg=4.0):
    texts = [text for text in prompts for _ in range(seeds)]
    latents = sample(model, texts, seed=1, steps=16, cfg=cfg, device=device)
    pictures = to_pictures(autoencoder(latents))
    sheet(pictures, 8, path, enlarge=4, labels=texts)
    return pictures


def learned(state):
    """The averaged weights, apart by part."""
    average = state["average"]
    return (
        {key[5:]: value for key, value in average.items() if key.startswith("text.")},
        {key[5:]: value for key, value in average.items() if key.startswith("unet.")},
    )


