"""Makes test/fixtures/sampling/guiders.safetensors: SamplerCustomAdvanced with every guider, on the tiny SD 1.5 checkpoint.

Usage: REF=... COMFY=... TORCHSDE=... python tools/reference/guiders.py MODELS OUT   (REF holds run_workflow.py)
"""
import json
import os
import sys

sys.path.insert(0, os.environ["REF"])
import run_workflow
import comfy.samplers
import nodes
import safetensors.torch
import torch
from comfy_extras import nodes_custom_sampler as custom
from comfy_extras import nodes_model_advanced, nodes_perpneg

MODELS, OUT = sys.argv[1:3]
run_workflow.setup(MODELS)
model, clip, _ = nodes.CheckpointLoaderSimple().load_checkpoint("sd15-tiny.safetensors")
TEXTS = {"castle": "a castle on a hill, pixel art", "forest": "(dark forest:1.3), mist", "blurry": "blurry, low quality", "empty": ""}
CONDS = {name: nodes.CLIPTextEncode().encode(clip, text)[0] for name, text in TEXTS.items()}
tensors = {}
cases = []


def guider_of(kind, model, options):
    c = CONDS
    if kind == "cfg":
        guider = comfy.samplers.CFGGuider(model)
        guider.set_conds(c["castle"], c["blurry"])
        guider.set_cfg(options["cfg"])
    elif kind == "basic":
        guider = custom.Guider_Basic(model)
        guider.set_conds(c["castle"])
    elif kind == "dual":
        guider = custom.Guider_DualCFG(model)
        guider.set_conds(c["castle"], c["forest"], c["blurry"])
        guider.set_cfg(options["conds"], options["middleToNegative"], nested=options["nested"])
    elif kind == "perp neg":
        guider = nodes_perpneg.Guider_PerpNeg(model)
        guider.set_conds(c["castle"], c["blurry"], c["empty"])
        guider.set_cfg(options["cfg"], options["negativeScale"])
    return guider


def case(name, kind, options, sampler="euler", steps=4, keep=None, rows=1, hook=None, prediction="epsilon"):
    patched = model
    if prediction == "v_prediction":
        patched = nodes_model_advanced.ModelSamplingDiscrete().patch(patched, "v_prediction", False)[0]
    if hook and hook[0] == "rescale":
        patched = nodes_model_advanced.RescaleCFG().patch(patched, hook[1])[0]
    if hook and hook[0] == "perp neg":
        patched = nodes_perpneg.PerpNeg.execute(patched, CONDS["empty"], hook[1]).args[0]
    sigmas = custom.BasicScheduler().get_sigmas(patched, "normal", steps, 1.0)[0]
    if keep: sigmas = sigmas[:keep + 1]
    with torch.inference_mode():
        noise = custom.Noise_RandomNoise(5)
        latent = {"samples": torch.zeros(rows, 4, 8, 12)}
        out, denoised = custom.SamplerCustomAdvanced().sample(noise, guider_of(kind, patched, options), comfy.samplers.sampler_object(sampler), sigmas, latent)
    index = str(len(cases))
    tensors[f"{index}.samples"] = out["samples"].clone()
    tensors[f"{index}.denoised"] = denoised["samples"].clone()
    tensors[f"{index}.sigmas"] = sigmas
    print(name, float(out["samples"].std()))
    cases.append(dict(name=name, kind=kind, options=options, sampler=sampler, rows=rows, hook=hook, prediction=prediction, expected=index))


dual = dict(conds=5.0, middleToNegative=3.0, nested=False)
perp = dict(cfg=7.0, negativeScale=1.5)
case("cfg", "cfg", dict(cfg=6.0))
case("cfg, first two steps", "cfg", dict(cfg=6.0), keep=2)
case("cfg 1 where the unconditional half is needed", "cfg", dict(cfg=1.0), sampler="euler_cfg_pp")
case("basic", "basic", {})
case("basic where the unconditional half is needed", "basic", {}, sampler="euler_cfg_pp")
case("dual", "dual", dual)
case("dual, nested", "dual", {**dual, "nested": True})
case("dual, second at 1", "dual", {**dual, "middleToNegative": 1.0})
case("dual, both at 1", "dual", {**dual, "middleToNegative": 1.0, "conds": 1.0})
case("dual with cfg++", "dual", dual, sampler="euler_cfg_pp")
case("dual, nested, with cfg++", "dual", {**dual, "nested": True}, sampler="euler_cfg_pp")
case("perp neg", "perp neg", perp, rows=2)
case("perp neg at 0", "perp neg", {**perp, "negativeScale": 0.0})
case("perp neg at 0, cfg 1", "perp neg", dict(cfg=1.0, negativeScale=0.0))
case("perp neg with cfg++", "perp neg", perp, sampler="euler_cfg_pp")
case("older perp neg", "cfg", dict(cfg=7.0), hook=["perp neg", 1.5])
case("rescaled cfg", "cfg", dict(cfg=7.0), hook=["rescale", 0.7], rows=2)
case("rescaled cfg, velocity", "cfg", dict(cfg=7.0), hook=["rescale", 0.7], prediction="v_prediction")
case("rescaled cfg of dual", "dual", dual, hook=["rescale", 0.5])
safetensors.torch.save_file({k: v.contiguous() for k, v in tensors.items()}, f"{OUT}/guiders.safetensors", {"cases": json.dumps(cases)})
