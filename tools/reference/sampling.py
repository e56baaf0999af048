"""Makes test/fixtures/sampling: KSampler runs of the tiny checkpoints through ComfyUI's own code, one JSON case each.

Usage: REF=... COMFY=... TORCHSDE=... python tools/reference/sampling.py MODELS OUT
(REF holds run_workflow.py and synth.py; MODELS/checkpoints the tiny checkpoints; MANIFESTS the folder of their manifests)
"""
import gzip
import json
import os
import sys
import tempfile

sys.path.insert(0, os.environ["REF"])
import run_workflow
import synth
import comfy.model_base
import comfy.sd
import node_helpers
import nodes
import safetensors.torch
import torch
from comfy_extras import nodes_model_advanced

MODELS, OUT = sys.argv[1:3]
run_workflow.setup(MODELS)
TEXTS = {
    "castle": "a castle on a hill, pixel art",
    "forest": "(dark forest:1.3), mist",
    "blurry": "blurry, low quality",
    "long": ", ".join(["a winding river between old stone bridges"] * 14),
    "longer": ", ".join(["a winding river between old stone bridges"] * 40),
}
tensors = {}
cases = []
g = torch.Generator().manual_seed(21)
LATENTS = {
    "empty": torch.zeros(1, 4, 8, 12),
    "odd": torch.zeros(1, 4, 9, 13),
    "two": torch.zeros(2, 4, 8, 12),
    "picture": torch.randn(1, 4, 8, 12, generator=g) * 4,
    "pictures": torch.randn(2, 4, 8, 12, generator=g) * 4,
}
MASKS = {
    "left": torch.cat([torch.ones(1, 64, 40), torch.zeros(1, 64, 56)], 2),
    "soft": torch.rand(1, 8, 12, generator=g),
    "spot": torch.nn.functional.pad(torch.ones(1, 3, 4), (5, 3, 2, 3)),
    "both": torch.stack([torch.ones(32, 48), torch.tril(torch.ones(32, 48))]),
    "none": torch.zeros(1, 64, 96),
}
for kind, group in (("latent", LATENTS), ("mask", MASKS)):
    for name, value in group.items():
        tensors[f"{kind}.{name}"] = value


def inpaint_checkpoint(folder):
    manifest = json.load(open(f"{os.environ['MANIFESTS']}/sd15-tiny.json"))
    manifest["model.diffusion_model.input_blocks.0.0.weight"][1][1] = 9
    with gzip.GzipFile(f"{OUT}/sd15-inpaint.json.gz", "wb", 9, mtime=0) as out:
        out.write(json.dumps(manifest, separators=(",", ":")).encode())
    path = f"{folder}/sd15-tiny-inpaint.safetensors"
    synth.write(manifest, path)
    return comfy.sd.load_checkpoint_guess_config(path)


COMFY_KEYS = {
    "startPercent": "start_percent", "endPercent": "end_percent", "strength": "strength", "maskStrength": "mask_strength",
    "setAreaToBounds": "set_area_to_bounds", "width": "width", "height": "height", "cropWidth": "crop_w", "cropHeight": "crop_h",
    "targetWidth": "target_width", "targetHeight": "target_height",
}


class Family:
    def __init__(self, name, model, clip):
        self.name, self.model, self.clip, self.encoded = name, model, clip, {}

    def entry(self, text, **options):
        if text not in self.encoded:
            self.encoded[text] = nodes.CLIPTextEncode().encode(self.clip, TEXTS[text])[0]
        values = {COMFY_KEYS[k]: v for k, v in options.items() if k in COMFY_KEYS}
        if "area" in options:
            a = options["area"]
            box = (a["height"], a["width"], a["y"], a["x"])
            values["area"] = ("percentage", *box) if a["unit"] == "fraction" else box
        if "mask" in options: values["mask"] = MASKS[options["mask"]]
        if "concatMask" in options: values["concat_mask"] = MASKS[options["concatMask"]]
        if "concatLatentImage" in options: values["concat_latent_image"] = LATENTS[options["concatLatentImage"]]
        return node_helpers.conditioning_set_values(self.encoded[text], values)

    def run(self, label, positive=(dict(text="castle"),), negative=(dict(text="blurry"),), latent="empty", noise_mask=None,
            batch_index=None, sampling=None, seed=5, steps=4, cfg=7.0, sampler="euler", scheduler="normal", denoise=1.0,
            add_noise=True, start=None, end=None, force_full_denoise=False):
        model = self.model
        if sampling:
            kind, options = sampling
            patch = nodes_model_advanced.ModelSamplingDiscrete().patch if "zsnr" in options else nodes_model_advanced.ModelSamplingContinuousEDM().patch
            model = patch(model, kind, **options)[0]
        samples = {"samples": LATENTS[latent] if latent in LATENTS else tensors[latent]}
        if noise_mask: samples["noise_mask"] = MASKS[noise_mask].reshape(-1, 1, *MASKS[noise_mask].shape[-2:])
        if batch_index: samples["batch_index"] = batch_index
        conds = [sum((self.entry(**e) for e in side), []) for side in (positive, negative)]
        with torch.inference_mode():
            out = nodes.common_ksampler(model, seed, steps, cfg, sampler, scheduler, *conds, samples, denoise=denoise,
                                        disable_noise=not add_noise, start_step=start, last_step=end, force_full_denoise=force_full_denoise)[0]["samples"]
        key = f"{self.name}/{label}"
        tensors[key] = out.float().clone()
        print(key, float(out.std()), bool(out.isnan().any()))
        cases.append(dict(family=self.name, name=label, expected=key, positive=positive, negative=negative,
                          latent=f"latent.{latent}" if latent in LATENTS else latent, noiseMask=noise_mask, batchIndex=batch_index,
                          sampling=sampling, seed=seed, steps=steps, cfg=cfg, sampler=sampler, scheduler=scheduler, denoise=denoise,
                          addNoise=add_noise, start=start, end=end, forceFullDenoise=force_full_denoise))
        return key


def area(height, width, y, x, unit="pixel"):
    return dict(unit=unit, height=height, width=width, y=y, x=x)


def common(f):
    half = f.run("first half with leftover noise", steps=8, end=4)
    f.run("second half without noise", steps=8, latent=half, start=4, end=10000, add_noise=False, force_full_denoise=True)
    f.run("first half, fully denoised", steps=8, end=4, force_full_denoise=True, sampler="dpmpp_2m", scheduler="karras")
    f.run("no steps left", steps=8, start=8, latent="picture")
    f.run("timestep ranges", steps=6, positive=[dict(text="castle", startPercent=0.0, endPercent=0.5), dict(text="forest", startPercent=0.5, endPercent=1.0)])
    f.run("nothing at first", positive=[dict(text="castle", startPercent=0.3, endPercent=1.0)])
    f.run("combined with strengths", positive=[dict(text="castle", strength=0.3), dict(text="forest", strength=1.7)])
    f.run("one strength", positive=[dict(text="castle", strength=0.3)])
    f.run("longer prompt", positive=[dict(text="long")])
    f.run("much longer prompt", positive=[dict(text="longer")], latent="two")
    f.run("areas", positive=[dict(text="castle"), dict(text="forest", area=area(8, 6, 0, 4), strength=0.8)])
    f.run("area beyond the edge", positive=[dict(text="castle", area=area(6, 40, 2, 4)), dict(text="forest")], latent="odd")
    f.run("area in fractions", positive=[dict(text="castle"), dict(text="forest", area=area(0.5, 0.4, 0.25, 0.3, "fraction"))])
    f.run("areas in both", positive=[dict(text="castle", area=area(8, 8, 0, 0)), dict(text="forest", area=area(4, 4, 2, 2))],
          negative=[dict(text="blurry", area=area(6, 10, 1, 1)), dict(text="forest", area=area(8, 12, 0, 0))])
    f.run("masks", positive=[dict(text="castle", mask="left", maskStrength=0.7), dict(text="forest", mask="soft")])
    f.run("mask with bounds", positive=[dict(text="castle"), dict(text="forest", mask="spot", setAreaToBounds=True, maskStrength=1.0)])
    f.run("empty mask with bounds", positive=[dict(text="castle"), dict(text="forest", mask="none", setAreaToBounds=True)])
    f.run("a mask for each row", latent="two", positive=[dict(text="castle", mask="both"), dict(text="forest")])
    f.run("cfg 1", cfg=1.0, latent="odd")
    f.run("cfg 0", cfg=0.0)
    f.run("batch of two", latent="two", scheduler="simple")
    f.run("batch indices", latent="two", batch_index=[3, 1])
    f.run("batch indices repeated", latent="two", batch_index=[2, 2], sampler="euler_ancestral")
    f.run("odd size", latent="odd", sampler="dpmpp_2m", scheduler="karras")
    f.run("picture", latent="pictures", denoise=0.55)
    f.run("no denoise", latent="picture", denoise=0.0)
    f.run("noise mask", latent="picture", noise_mask="left", denoise=0.8)
    f.run("noise masks of a batch", latent="pictures", noise_mask="both")
    f.run("noise mask, ddim", latent="picture", noise_mask="soft", sampler="ddim")
    f.run("noise mask, ancestral", latent="picture", noise_mask="spot", sampler="euler_ancestral")
    f.run("v-prediction", sampling=("v_prediction", dict(zsnr=False)), cfg=2.0)
    f.run("v-prediction, zero terminal snr", sampling=("v_prediction", dict(zsnr=True)), cfg=2.0)
    f.run("x0", sampling=("x0", dict(zsnr=False)), cfg=2.0)
    f.run("edm", sampling=("edm", dict(sigma_max=80.0, sigma_min=0.002)), cfg=2.0, scheduler="karras")
    f.run("v-prediction, edm", sampling=("v_prediction", dict(sigma_max=120.0, sigma_min=0.01)), cfg=2.0, scheduler="exponential")


loaded = {}
for family in ("sd15", "sdxl"):
    model, clip, _ = nodes.CheckpointLoaderSimple().load_checkpoint(f"{family}-tiny.safetensors")
    common(Family(family, model, clip))
    if family == "sdxl":
        sizes = dict(width=1024, height=768, cropWidth=16, cropHeight=8, targetWidth=512, targetHeight=640)
        Family(family, model, clip).run("sizes", positive=[dict(text="castle", **sizes)])
with tempfile.TemporaryDirectory() as folder:
    model, clip, _, _ = inpaint_checkpoint(folder)
f = Family("sd15-inpaint", model, clip)
f.run("without mask")
f.run("without mask, of a picture", latent="picture", denoise=0.7)
f.run("noise mask", latent="picture", noise_mask="left")
f.run("noise masks of a batch", latent="pictures", noise_mask="both")
concat = dict(concatMask="left", concatLatentImage="picture")
f.run("own picture and mask", latent="picture", positive=[dict(text="castle", **concat)], negative=[dict(text="blurry", **concat)])
concat = dict(concatMask="soft", concatLatentImage="pictures")
f.run("own pictures, another size", latent="odd", positive=[dict(text="castle", **concat)], negative=[dict(text="blurry", **concat)])
f.run("own picture in an area", latent="two", positive=[dict(text="castle", area=area(6, 6, 1, 3), **concat)], negative=[dict(text="blurry", **concat)])


def refiner_vectors():
    """SDXLRefiner.encode_adm needs no weights."""
    embedder = type("Embedder", (), {"embedder": comfy.model_base.Timestep(256), "noise_augmentor": None})()
    pooled = torch.randn(2, 192, generator=g)
    tensors["adm.pooled"] = pooled
    for role, options in (("positive", {}), ("negative", {}), ("positive", dict(aesthetic_score=4.25, width=900, height=700, crop_w=4, crop_h=12))):
        vector = comfy.model_base.SDXLRefiner.encode_adm(embedder, pooled_output=pooled, prompt_type=role, **{"width": 96, "height": 64, **options})
        tensors[f"adm.{role}{'.sizes' if options else ''}"] = vector


refiner_vectors()
safetensors.torch.save_file({k: v.clone().contiguous() for k, v in tensors.items()}, f"{OUT}/cases.safetensors",
                            {"cases": json.dumps(cases), "texts": json.dumps(TEXTS)})
