"""Makes test/fixtures/native/schedules.json: ComfyUI's schedulers over every kind of model sampling, beyond golden/sigmas.json.

Usage: COMFY=... TORCHSDE=... PYTHONPATH=folder-of-comfy_env.py python tools/reference/schedules.py [OUT] [all]
Logarithms are off by bits that depend on the processor: `between` is an AMD one's with AVX-512, as in timestep_ties.py.
With `all`, every step count up to 120 is kept: too large to commit, good for a thorough comparison.
"""
import json
import sys

import comfy_env  # noqa: F401
import comfy.model_sampling as ms
import comfy.samplers as samplers
import torch
from comfy.k_diffusion import sampling as kd
from comfy_extras.nodes_model_advanced import ModelSamplingDiscreteDistilled

everything = len(sys.argv) > 2
out = sys.argv[1] if len(sys.argv) > 1 else "test/fixtures/native/schedules.json"


def edm(kind, low, high):
    sampling = kind()
    sampling.set_parameters(low, high, 1.0)
    return sampling


def middles(sampling):
    """Timesteps halfway between two where schedules of up to 60 steps come to lie, and the one of the two that their sigma stands for."""
    stride = getattr(sampling, "skip_steps", 1)
    start, end = sampling.timestep(sampling.sigma_max).item(), sampling.timestep(sampling.sigma_min).item()
    visited = {t for steps in range(1, 61) for t in torch.linspace(start, end, steps + 1).tolist()}
    halfway = sorted(t for t in visited if ((t - (stride - 1)) / stride) % 1 == 0.5)
    return [[t, sampling.timestep(sampling.sigma(torch.tensor(t)).reshape(1)).item()] for t in halfway]


MODELS = {
    "discrete": ms.ModelSamplingDiscrete(),
    "discrete.zsnr": ms.ModelSamplingDiscrete(zsnr=True),
    "distilled": ModelSamplingDiscreteDistilled(),
    "distilled.zsnr": ModelSamplingDiscreteDistilled(zsnr=True),
    "continuous_edm": edm(ms.ModelSamplingContinuousEDM, 0.002, 120.0),
    "continuous_v": edm(ms.ModelSamplingContinuousV, 0.03, 500.0),
}
STEPS = range(1, 121) if everything else (1, 2, 3, 7, 25)
result = {"schedules": {}, "beta": {}, "model": {}, "plain": {}}
for model, sampling in MODELS.items():
    for scheduler in samplers.SCHEDULER_NAMES:
        for steps in STEPS:
            sigmas = samplers.calculate_sigmas(sampling, scheduler, steps)
            result["schedules"][f"{model}/{scheduler}/{steps}"] = sigmas.tolist()
    sigmas = [0.0291, 0.1, 0.9, 5.0, 14.0, 100.0]
    timesteps = [0.0, 0.5, 17.25, 500.0, 998.5, 999.0, 1100.0] if model.startswith("dis") else [-1.5, 0.2, 0.9]
    percents = [0.0, 0.05, 0.2, 0.35, 0.8, 0.999, 1.0]
    result["model"][model] = {
        "sigmaToTimestep": [[s, sampling.timestep(torch.tensor(s)).item()] for s in sigmas],
        "timestepToSigma": [[t, sampling.sigma(torch.tensor(t)).item()] for t in timesteps],
        "percentToSigma": [[p, float(sampling.percent_to_sigma(p))] for p in percents],
        "between": middles(sampling) if model.startswith("dis") else [],
        "table": [sampling.sigmas[i].item() for i in (0, 1, 20, -2, -1)],
    }
for alpha, beta in ((0.6, 0.6), (0.5, 0.7), (1.0, 1.0), (2.5, 0.3), (0.05, 0.05), (12.0, 30.0), (50.0, 49.0)):
    for steps in STEPS:
        sigmas = samplers.beta_scheduler(MODELS["discrete"], steps, alpha, beta)
        result["beta"][f"{alpha}/{beta}/{steps}"] = sigmas.tolist()
for steps in (1, 2, 9):
    result["plain"][f"karras/{steps}"] = kd.get_sigmas_karras(steps, 0.0291675, 14.614642, 5.5).tolist()
    result["plain"][f"exponential/{steps}"] = kd.get_sigmas_exponential(steps, 0.0291675, 14.614642).tolist()
    result["plain"][f"polyexponential/{steps}"] = kd.get_sigmas_polyexponential(steps, 0.0291675, 14.614642, 1.7).tolist()
    result["plain"][f"vp/{steps}"] = kd.get_sigmas_vp(steps, 19.9, 0.1, 0.001).tolist()
    result["plain"][f"laplace/{steps}"] = kd.get_sigmas_laplace(steps, 0.0291675, 14.614642, 0.1, 0.5).tolist()

text = json.dumps(result, separators=(",", ":")).replace("NaN", "null").replace("Infinity", "1e999")
with open(out, "w") as file:
    file.write(text)
