"""Makes test/fixtures/native/sampler-cases.safetensors: ComfyUI's samplers on the toy denoiser of golden/README.md, with options,
few steps, schedules that end above 0, noise beyond the trained range, and an odd batch.

Usage: COMFY=... TORCHSDE=... PYTHONPATH=folder-of-comfy_env.py python tools/reference/samplers.py [OUT] [all]
To be run as on an Intel processor (see parity.py). Each tensor is a result; its key is JSON: sampler, sigmas' name, seed, options. `sigmas.NAME` are the sigmas. With `all`,
every sampler runs on every schedule.
"""
import json
import sys
import types

import comfy_env  # noqa: F401
import comfy.model_sampling as ms
import comfy.samplers as samplers
import torch
from comfy.k_diffusion import sa_solver
from safetensors.torch import save_file

torch.set_num_threads(1)
everything = len(sys.argv) > 2
out = sys.argv[1] if len(sys.argv) > 1 else "test/fixtures/native/sampler-cases.safetensors"


class ToySampling(ms.ModelSamplingDiscrete, ms.EPS):
    pass


sampling = ToySampling()
zsnr = ToySampling(zsnr=True)


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


def schedule(model, name, steps):
    return samplers.calculate_sigmas(model, name, steps)


SIGMAS = {f"karras.{n}": schedule(sampling, "karras", n) for n in (1, 2, 3, 4, 12)}
SIGMAS["beta.9"] = schedule(sampling, "beta", 9)
SIGMAS["normal.25"] = schedule(sampling, "normal", 25)
SIGMAS["zsnr.6"] = schedule(zsnr, "sgm_uniform", 6)
SIGMAS["high.5"] = schedule(sampling, "normal", 9)[:6]
SIGMAS["low.4"] = schedule(sampling, "karras", 10)[-5:]
SIGMAS["rising.4"] = torch.tensor([0.05, 0.3, 1.0, 4.0, 11.0])
SHAPE = (2, 4, 3, 5)
NOISE = torch.randn(SHAPE, generator=torch.Generator().manual_seed(5))


def er_sde(solver_type, max_stage, eta, s_noise):
    """As SamplerER_SDE prepares it."""
    if solver_type == "ODE" or (solver_type == "Reverse-time SDE" and eta == 0):
        eta, s_noise = 0, 0
    scaler = None if solver_type == "ER-SDE" else lambda x: x ** (eta + 1)
    return {"noise_scaler": scaler, "max_stage": max_stage, "s_noise": s_noise}


def sa(eta=1.0, sde_start_sigma=5.0, sde_end_sigma=0.2, **others):
    return {"tau_func": sa_solver.get_tau_interval_func(sde_start_sigma, sde_end_sigma, eta=eta), **others}


OPTIONS = {
    "euler": [dict(s_churn=3.0, s_tmin=0.1, s_tmax=9.0, s_noise=1.01)],
    "heun": [dict(s_churn=3.0, s_tmin=0.1, s_tmax=9.0, s_noise=1.01)],
    "heunpp2": [dict(s_churn=4.0)],
    "dpm_2": [dict(s_churn=30.0, s_noise=0.9)],
    "euler_ancestral": [dict(eta=0.0), dict(eta=0.6, s_noise=1.2)],
    "euler_ancestral_cfg_pp": [dict(eta=0.0), dict(eta=0.6, s_noise=1.2)],
    "dpm_2_ancestral": [dict(eta=0.6, s_noise=1.2)],
    "dpmpp_2s_ancestral": [dict(eta=0.0), dict(eta=0.6, s_noise=1.2)],
    "dpmpp_2s_ancestral_cfg_pp": [dict(eta=0.6, s_noise=1.2)],
    "dpmpp_sde": [dict(eta=0.0), dict(eta=0.6, s_noise=1.2, r=0.4)],
    "dpmpp_2m_sde": [dict(eta=0.0), dict(eta=0.6, s_noise=1.2, solver_type="heun"), dict(solver_type="midpoint")],
    "dpmpp_2m_sde_heun": [dict(solver_type="midpoint", s_noise=0.0)],
    "dpmpp_3m_sde": [dict(eta=0.0), dict(eta=0.6, s_noise=1.2)],
    "lms": [dict(order=1), dict(order=3), dict(order=7)],
    "dpm_adaptive": [dict(order=2), dict(eta=0.7, s_noise=1.1), dict(rtol=0.01, atol=0.002, h_init=0.2, pcoeff=0.1, icoeff=0.8, dcoeff=0.05, accept_safety=0.9)],
    "res_multistep_ancestral": [dict(eta=0.6, s_noise=1.2)],
    "res_multistep_ancestral_cfg_pp": [dict(eta=0.6, s_noise=1.2)],
    "gradient_estimation": [dict(ge_gamma=2.6)],
    "gradient_estimation_cfg_pp": [dict(ge_gamma=1.5)],
    "er_sde": [dict(solver_type="ER-SDE", max_stage=1, eta=1.0, s_noise=1.0), dict(solver_type="ER-SDE", max_stage=2, eta=1.0, s_noise=0.5), dict(solver_type="Reverse-time SDE", max_stage=3, eta=0.7, s_noise=1.0), dict(solver_type="ODE", max_stage=3, eta=1.0, s_noise=1.0)],
    "lcm": [dict(s_noise=0.9), dict(s_noise=0.8, s_noise_end=1.2, noise_clip_std=1.5)],
    "seeds_2": [dict(eta=0.0), dict(eta=0.6, s_noise=1.2, r=0.3), dict(eta=0.4, r=0.7, solver_type="phi_2")],
    "seeds_3": [dict(eta=0.6, s_noise=1.2, r_1=0.25, r_2=0.7)],
    "sa_solver": [dict(eta=0.0), dict(eta=0.7, sde_start_sigma=8.0, sde_end_sigma=0.1, s_noise=1.1, predictor_order=2, corrector_order=2, simple_order_2=True), dict(predictor_order=5, corrector_order=6, use_pece=True, sde_start_sigma=5.0, sde_end_sigma=0.2), dict(predictor_order=1, corrector_order=0, sde_start_sigma=5.0, sde_end_sigma=0.2)],
}
PREPARE = {"er_sde": er_sde, "sa_solver": sa}
results = {f"sigmas.{name}": sigmas for name, sigmas in SIGMAS.items()}


def case(sampler, name, seed, options):
    sigmas = SIGMAS[name]
    key = json.dumps({"sampler": sampler, "sigmas": name, "seed": seed, "options": options})
    keywords = PREPARE[sampler](**options) if options and sampler in PREPARE else dict(options)
    torch.manual_seed(seed)
    torch.randn(SHAPE)  # the initial noise
    x = NOISE * torch.sqrt(1 + sigmas[0] ** 2)
    function = samplers.sampler_object(sampler).sampler_function
    extra = {"seed": seed, "model_options": {}}
    try:
        results[key] = function(Model(), x, sigmas.clone(), extra_args=extra, callback=None, disable=True, **keywords).contiguous()
    except Exception as error:
        print("skipped", key, repr(error)[:120], file=sys.stderr)


for sampler in samplers.SAMPLER_NAMES:
    few = ["karras.2", "karras.4", "low.4", "zsnr.6", "high.5"] if not sampler.endswith("_gpu") else []
    for name in SIGMAS if everything else few:
        case(sampler, name, 77, {})
    for options in OPTIONS.get(sampler, []):
        for name in SIGMAS if everything else ["beta.9"]:
            case(sampler, name, 2**63 + 3, options)
save_file(results, out)
