"""SD 1.x's noise schedule, and DPM-Solver++(2M) on it, for sheets and measurements during training."""

import torch

from tokens import tokenize


def alphas_cumprod():
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    return (1 - betas).cumprod(0).float()


def karras(steps, low, high, rho=7.0):
    ramp = torch.linspace(0, 1, steps)
    sigmas = (high ** (1 / rho) + ramp * (low ** (1 / rho) - high ** (1 / rho))) ** rho
    return torch.cat((sigmas, torch.zeros(1)))


@torch.no_grad()
def sample(model, texts, seed, steps, cfg, device, negative="", noise=None):
    """Latents for `texts`, by dpmpp_2m and the Karras schedule as ComfyUI has them."""
    alphas = alphas_cumprod()
    table = ((1 - alphas) / alphas).sqrt()
    sigmas = karras(steps, table[0].item(), table[-1].item())
    if noise is None:
        noise = torch.randn((len(texts), 4, 16, 16), generator=torch.Generator().manual_seed(seed))
    x = (noise * (1 + sigmas[0] ** 2).sqrt()).to(device)
    known = model.text(torch.tensor([tokenize(text) for text in texts], device=device))
    empty = model.text(torch.tensor([tokenize(negative)], device=device)).expand_as(known)
    context = torch.cat((known, empty))

    def denoise(x, sigma):
        t = torch.searchsorted(table, sigma).clamp(0, 999).float()
        low = (t - 1).clamp(min=0).long()
        between = ((sigma.log() - table[low].log()) / (table[t.long()].log() - table[low].log()).clamp(min=1e-6)).clamp(0, 1)
        t = low + between
        scaled = x / (sigma**2 + 1).sqrt()
        guess = model.unet(torch.cat((scaled, scaled)), t.expand(2 * len(x)).to(x.device), context)
        cond, uncond = guess.float().chunk(2)
        return x - sigma * (uncond + cfg * (cond - uncond))

    before = None
    for i in range(steps):
        now, after = sigmas[i], sigmas[i + 1]
        denoised = denoise(x, now)
        if before is None or after == 0:
            blend = denoised
        else:
            r = (sigmas[i - 1] / now).log() / (now / after).log()
            blend = (1 + 1 / (2 * r)) * denoised - before / (2 * r)
        x = (after / now) * x + (1 - after / now) * blend
        before = denoised
    return x
