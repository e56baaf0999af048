"""Makes test/fixtures/control/advanced.safetensors: what KSampler makes where ComfyUI-Advanced-ControlNet says when, where and how much a ControlNet counts.

Usage: ACN=folder of the pack REF=... COMFY=... TORCHSDE=... python tools/reference/advanced_control_workflows.py MODELS OUT [NAME...]
(MODELS: the tiny checkpoints, and what control_files.py wrote)
"""
import asyncio
import importlib
import os
import sys
import types

from control_workflows import OUT, Workflow, keep
import nodes

package = sys.modules["acn"] = types.ModuleType("acn")
package.__path__ = [os.environ["ACN"]]
module = importlib.import_module("acn.adv_control.nodes")
for name, value in vars(module).items():
    if isinstance(value, type) and hasattr(value, "get_node_list") and name != "ComfyExtension":
        for node in asyncio.run(value().get_node_list()): nodes.NODE_CLASS_MAPPINGS[node.GET_SCHEMA().node_id] = node


def apply(w, network, kind="ACN_AdvancedControlNetApply", image=None, strength=1.0, start=0.0, end=1.0, **more):
    both = w.add(kind, positive=w.positive, negative=w.negative, control_net=network, image=image or w.picture, strength=strength, start_percent=start, end_percent=end, **more)
    w.positive, w.negative = both, [both[0], 1]
    return w


def cases():
    for checkpoint in ("sd15", "sdxl"):
        file = f"{checkpoint}-control.safetensors"
        w = Workflow(checkpoint)
        yield f"{checkpoint}.loaded", w.control(w.add("ControlNetLoaderAdvanced", control_net_name=file), strength=0.7, end=0.8).sample()
        for negative in (1.0, 0.3):
            w = Workflow(checkpoint)
            soft = w.add("ScaledSoftControlNetWeights", base_multiplier=0.7, flip_weights=False, uncond_multiplier=negative)
            yield f"{checkpoint}.soft.{negative}", apply(w, w.add("ControlNetLoaderAdvanced", control_net_name=file), weights_override=soft, strength=0.9).sample()
    W = lambda **more: Workflow("sd15", **more)
    file = "sd15-control.safetensors"
    w = W()
    soft = [w.add("ACN_ScaledSoftControlNetWeights", base_multiplier=0.6)[0], 1]
    yield "shortcut", w.control(w.add("ACN_ControlNetLoaderAdvanced", cnet=file, _tk_opt=soft)).sample()
    w = W(batch=2)
    mask = w.add("ImageToMask", image=w.add("ImageScale", image=w.picture, upscale_method="bilinear", width=50, height=70, crop="disabled"), channel="red")
    yield "mask", apply(w, w.add("ControlNetLoader", control_net_name=file), "ACN_AdvancedControlNetApply_v2", mask_optional=mask).sample()
    w = W(batch=3)
    latents = w.add("LatentKeyframe", batch_index=-1, strength=0.4, prev_latent_kf=w.add("LatentKeyframe", batch_index=0, strength=1.5))
    yield "latents", apply(w, w.add("ControlNetLoader", control_net_name=file), latent_kf_override=latents).sample(steps=2)
    for inherits in (True, False):
        w = W()
        soft = w.add("ACN_ScaledSoftControlNetWeights", base_multiplier=0.5)
        mask = w.add("SolidMask", value=0.5, width=64, height=64)
        first = w.add("TimestepKeyframe", start_percent=0.0, strength=0.8, cn_weights=soft)
        second = w.add("TimestepKeyframe", start_percent=0.3, strength=1.2, inherit_missing=inherits, prev_timestep_kf=first, mask_optional=mask)
        third = w.add("TimestepKeyframe", start_percent=0.35, strength=0.3, guarantee_steps=2, inherit_missing=inherits, prev_timestep_kf=second)
        last = w.add("TimestepKeyframe", start_percent=0.6, strength=0.0 if inherits else 1.0, prev_timestep_kf=third)
        yield f"keyframes.{inherits}", apply(w, w.add("ControlNetLoader", control_net_name=file), timestep_kf=last).sample(steps=6)
    w = W()
    one = w.add("ACN_AdvancedControlNetApplySingle", conditioning=w.positive, control_net=w.add("ControlNetLoader", control_net_name=file), image=w.picture, strength=0.8, start_percent=0.0, end_percent=1.0)
    w.positive = one
    yield "single", w.sample()
    w = W()
    soft = w.add("ACN_ScaledSoftControlNetWeights", base_multiplier=0.5, uncond_multiplier=0.5)
    yield "lora", apply(w, w.add("ControlNetLoaderAdvanced", control_net_name="sd15-control-lora.safetensors"), weights_override=soft).sample()


if __name__ == "__main__":
    keep(cases(), OUT)
