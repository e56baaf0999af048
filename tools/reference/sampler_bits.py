"""Makes test/fixtures/native/sampler-bits.safetensors: ComfyUI's samplers where rounding shows, on a denoiser that every machine
evaluates to the same bits (test/native/samplers/exact-denoiser.ts).

Usage: COMFY=... TORCHSDE=... PYTHONPATH=folder-of-comfy_env.py python tools/reference/sampler_bits.py [OUT]
To be run as on an Intel processor with AVX-512 (see parity.py). Of each case, named by its JSON, row 0 is the start, row 1 the
result and row 2 the prediction that is shown last. `sigmas.NAME` are the sigmas.
"""
import json
import math
import sys
import types

import comfy_env  # noqa: F401
import comfy.k_diffusion.sampling as k_diffusion
import comfy.model_sampling as ms
import comfy.samplers as samplers
import numpy as np
import torch
from safetensors.torch import save_file

torch.set_num_threads(1)
out = sys.argv[1] if len(sys.argv) > 1 else "test/fixtures/native/sampler-bits.safetensors"
SHAPE = (1, 4, 2, 2)


class Discrete(ms.ModelSamplingDiscrete, ms.EPS):
    pass


class Continuous(ms.ModelSamplingContinuousEDM, ms.EDM):
    pass


class Model:
    def __init__(self, sampling):
        self.inner_model = types.SimpleNamespace(
            inner_model=types.SimpleNamespace(model_sampling=sampling),
            model_patcher=types.SimpleNamespace(get_model_object=lambda name: sampling),
        )

    def __call__(self, x, sigma, model_options={}, seed=None):
        sigma = float(sigma.view(-1)[0])
        bent = x * float(np.float32(3 / (1 + sigma)))
        bent = bent / (1 + bent.abs())
        denoised = x * float(np.float32(1 / (1 + sigma * sigma))) + bent * float(np.float32(0.1))
        for function in model_options.get("sampler_post_cfg_function", []):
            function({"denoised": denoised, "uncond_denoised": denoised * float(np.float32(0.9))})
        return denoised


trained, rescaled, edm = Discrete(), Discrete(zsnr=True), Continuous()
edm.set_parameters(0.002, 120.0, 0.5)
SIGMAS = {
    "equal": torch.tensor([8.0, 4.0, 4.0, 4.0 / 3, 0.0]),
    "clamped": k_diffusion.get_sigmas_laplace(9, 0.3, 40.0, 0.0, 0.6),
    "rescaled.2": samplers.calculate_sigmas(rescaled, "normal", 2),
    "rescaled.6": samplers.calculate_sigmas(rescaled, "sgm_uniform", 6),
    "edm.3": samplers.calculate_sigmas(edm, "karras", 3),
    "edm.7": samplers.calculate_sigmas(edm, "exponential", 7),
    "steep": torch.tensor([150.0, 23.0, 0.2, 0.0]),
    "dense": samplers.calculate_sigmas(trained, "karras", 30)[8:20],
    "rising": torch.cat([torch.tensor([0.01]), samplers.calculate_sigmas(trained, "simple", 5).flip(0)[1:]]),
    "one": torch.tensor([130.0, 0.0]),
}
results = {f"sigmas.{name}": sigmas for name, sigmas in SIGMAS.items()}
for sampler in samplers.SAMPLER_NAMES:
    if sampler.endswith("_gpu") or sampler == "ddim":
        continue
    for name, sigmas in SIGMAS.items():
        x = torch.randn(SHAPE, generator=torch.Generator().manual_seed(5)) * math.sqrt(1 + float(sigmas[0]) ** 2)
        torch.manual_seed(77)
        torch.randn(SHAPE)  # the initial noise
        shown = [x]
        try:
            result = samplers.sampler_object(sampler).sampler_function(
                Model(trained), x.clone(), sigmas.clone(), extra_args={"seed": 77, "model_options": {}},
                callback=lambda state: shown.append(state["denoised"].clone()), disable=True)
        except Exception as error:
            print("skipped", sampler, name, repr(error)[:100], file=sys.stderr)
            continue
        key = json.dumps({"sampler": sampler, "sigmas": name})
        results[key] = torch.stack([x.flatten(), result.flatten(), shown[-1].flatten()])
save_file(results, out)
