"""Makes test/fixtures/native/flow-levels.json and flow-samplers.safetensors: the noise levels and schedules of rectified flows, and every
sampler on the toy denoiser of samplers.py as ComfyUI runs it on a flow (CONST).

Usage: COMFY=... TORCHSDE=... PYTHONPATH=folder-of-comfy_env.py python tools/reference/flow_sampling.py
"""
import json
import types

import comfy_env  # noqa: F401
import comfy.model_sampling as ms
import comfy.samplers as samplers
import torch
from safetensors.torch import save_file

torch.set_num_threads(1)


class Flow(ms.ModelSamplingDiscreteFlow, ms.CONST):
    pass


class Flux(ms.ModelSamplingFlux, ms.CONST):
    pass


def flow(shift, multiplier):
    made = Flow()
    made.set_parameters(shift=shift, multiplier=multiplier)
    return made


def flux(mu):
    made = Flux()
    made.set_parameters(shift=mu)
    return made


MODELS = {"flow 1 1": flow(1.0, 1.0), "flow 3 1": flow(3.0, 1.0), "flow 3 1000": flow(3.0, 1000), "flow 8 1000": flow(8.0, 1000),
          "flux 1.15": flux(1.15), "flux 2.02": flux(2.02), "flux 0.4971354166666667": flux(0.4971354166666667)}
levels = {}
for name, model in MODELS.items():
    table = model.sigmas
    levels[name] = {
        "schedules": {f"{s}.{n}": samplers.calculate_sigmas(model, s, n).tolist() for s in samplers.SCHEDULER_NAMES for n in (1, 4, 9, 20)},
        "timestep": [[sigma, float(model.timestep(torch.tensor(sigma)))] for sigma in (0.0001, 0.3, 0.77, 1.0)],
        "percent": [[percent, float(model.percent_to_sigma(percent))] for percent in (0.0, 0.0001, 0.2, 0.5, 0.8, 1.0)],
        "table": [table[i].item() for i in (0, 1, len(table) // 3, len(table) // 2, len(table) - 2, len(table) - 1)],
    }
json.dump(levels, open("test/fixtures/native/flow-levels.json", "w"))

sampling = MODELS["flow 3 1"]
NOISE = torch.randn((2, 4, 3, 5), generator=torch.Generator().manual_seed(5))


class Model:
    def __init__(self):
        self.inner_model = types.SimpleNamespace(
            inner_model=types.SimpleNamespace(model_sampling=sampling),
            model_patcher=types.SimpleNamespace(get_model_object=lambda name: sampling),
        )

    def __call__(self, x, sigma, model_options={}, seed=None):
        sigma = sigma.view(-1, 1, 1, 1)
        denoised = x / (1 + sigma * sigma) + 0.1 * torch.sin(3 * x / (1 + sigma))
        for function in model_options.get("sampler_post_cfg_function", []):
            function({"denoised": denoised, "uncond_denoised": denoised * 0.9})
        return denoised


SIGMAS = {"simple.6": samplers.calculate_sigmas(sampling, "simple", 6), "beta.9": samplers.calculate_sigmas(sampling, "beta", 9),
          "partial.4": samplers.calculate_sigmas(sampling, "simple", 9)[-5:]}
results = {f"sigmas.{name}": sigmas for name, sigmas in SIGMAS.items()}
skipped = []
for name in samplers.SAMPLER_NAMES:
    for schedule, sigmas in SIGMAS.items():
        sampler = samplers.sampler_object(name)
        torch.manual_seed(11)
        torch.randn(NOISE.shape)
        try:
            x = sampler.sampler_function(Model(), NOISE * sigmas[0], sigmas.clone(), extra_args={"seed": 11}, callback=lambda _: None, disable=True, **sampler.extra_options)
        except Exception as error:
            skipped.append((name, schedule, repr(error)))
            continue
        if torch.isfinite(x).all():
            results[f"{name}.{schedule}"] = x.clone()
        else:
            skipped.append((name, schedule, "not finite"))
print(skipped)
save_file(results, "test/fixtures/native/flow-samplers.safetensors")
