"""Trains the tiny upscaler on the starter's own sprites, and says how far it comes beside bicubic on unseen ones.

    python tools/starter/train_upscaler.py --out models/upscale_models/starter-x2.safetensors

Real-ESRGAN's compact network (SRVGGNetCompact): 3x3 convolutions with PReLU, a pixel shuffle, and the picture itself on top. Pairs are made as
pictures lose their pixels: a sprite enlarged 3 to 8 times, cut anywhere, halved by averaging, half of them blurred and noisy besides.
"""

import argparse
import time

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from dataset import UNSEEN
from scene import Scene, draw

SCALE, FEATURES, LAYERS, CROP = 2, 16, 5, 64


class Compact(torch.nn.Module):
    def __init__(self):
        super().__init__()
        body = [torch.nn.Conv2d(3, FEATURES, 3, padding=1), torch.nn.PReLU(FEATURES)]
        for _ in range(LAYERS):
            body += [torch.nn.Conv2d(FEATURES, FEATURES, 3, padding=1), torch.nn.PReLU(FEATURES)]
        body.append(torch.nn.Conv2d(FEATURES, 3 * SCALE**2, 3, padding=1))
        # It begins as the picture itself, enlarged.
        torch.nn.init.zeros_(body[-1].weight)
        torch.nn.init.zeros_(body[-1].bias)
        self.body = torch.nn.Sequential(*body)

    def forward(self, x):
        return F.pixel_shuffle(self.body(x), SCALE) + F.interpolate(x, scale_factor=SCALE)


def sprites(first, count):
    drawn = np.stack([draw(Scene(seed)) for seed in range(first, first + count)])
    return torch.from_numpy(drawn).permute(0, 3, 1, 2).float() / 255


def pairs(pictures, random, spoil):
    """(small, large) of a batch: one enlargement and one place for all, whichever `random` draws."""
    enlarged = pictures.repeat_interleave(int(torch.randint(3, 9, (), generator=random)), 2)
    enlarged = enlarged.repeat_interleave(enlarged.shape[2] // pictures.shape[2], 3)
    room = enlarged.shape[2] - CROP + 1
    top, left = torch.randint(0, room, (2,), generator=random).tolist()
    large = enlarged[:, :, top : top + CROP, left : left + CROP]
    small = F.avg_pool2d(large, SCALE)
    if spoil:
        half = len(small) // 2
        sigma = 0.3 + 0.4 * float(torch.rand((), generator=random))
        taps = torch.exp(-(torch.arange(-2, 3) ** 2) / (2 * sigma**2))
        taps = (taps / taps.sum()).repeat(3, 1)
        blurred = F.pad(small[:half], (2, 2, 2, 2), mode="replicate")
        blurred = F.conv2d(F.conv2d(blurred, taps[:, None, None, :], groups=3), taps[:, None, :, None], groups=3)
        noisy = blurred + 0.01 * torch.randn(blurred.shape, generator=random)
        small = torch.cat([noisy, small[half:]])
    return (small.clamp(0, 1) * 255).round() / 255, large


def psnr(got, wanted):
    return float(-10 * torch.log10(((got.clamp(0, 1) - wanted) ** 2).mean((1, 2, 3)) + 1e-10).mean())


def judge(model, count=200):
    """Mean PSNR in dB on sprites that were never trained on: of the model, of bicubic, of nearest."""
    random = torch.Generator().manual_seed(1)
    scores = []
    unseen = sprites(UNSEEN, count)
    with torch.no_grad():
        for batch in unseen.split(8):
            small, large = pairs(batch, random, spoil=False)
            enlarge = lambda mode: F.interpolate(small, scale_factor=SCALE, mode=mode)
            scores.append([psnr(x, large) for x in (model(small), enlarge("bicubic"), enlarge("nearest"))])
    return np.mean(scores, 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--pictures", type=int, default=2000)
    wanted = parser.parse_args()
    torch.manual_seed(0)
    random = torch.Generator().manual_seed(0)
    model = Compact()
    optimiser = torch.optim.Adam(model.parameters(), 2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, wanted.steps, pct_start=0.1)
    drawn = sprites(0, wanted.pictures)
    print(f"drawn {len(drawn)}", flush=True)
    began = time.time()
    for step in range(1, wanted.steps + 1):
        chosen = drawn[torch.randint(0, len(drawn), (wanted.batch,), generator=random)]
        small, large = pairs(chosen, random, spoil=True)
        loss = F.l1_loss(model(small), large)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 100 == 0:
            print(f"step {step}, {time.time() - began:.0f} s, L1 {loss.item():.4f}", flush=True)
    model.eval()
    save_file(model.state_dict(), wanted.out)
    print("unseen sprites, PSNR in dB: upscaler {:.2f}, bicubic {:.2f}, nearest {:.2f}".format(*judge(model)))


if __name__ == "__main__":
    main()
