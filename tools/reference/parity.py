"""Whole workflows through ComfyUI, for `tools/parity.mjs` to compare with.

python parity.py MODELS OUT [PATTERN]: writes OUT/NAME.json (the workflow) and OUT/NAME.safetensors (every tensor that a node
returned). MODELS is a models folder with sd15-tiny.safetensors and sdxl-tiny.safetensors in checkpoints/, their LoRAs in loras/
and an input/ folder. The project's golden data comes from an Intel processor. MKL, and so torch, rounds square roots and
exponentials otherwise on others, by which ComfyUI differs from itself by up to 4e-3 where an ancestral sampler takes two steps:
there, preload a library whose `int mkl_serv_intel_cpu_true(void)` returns 1. Needs COMFY and TORCHSDE (checkouts) in the environment and comfy_env.py, run_workflow.py on PYTHONPATH.
"""
import fnmatch
import json
import os
import sys

import comfy_nodes
import parity_edges
import parity_sampling
import run_workflow as reference
import safetensors.torch
from PIL import Image
import comfy.samplers

POSITIVE = "pixel art character sprite, 16bit game art style, (clean background:1.3), centered"
NEGATIVE = "blurry, low quality"
LONG = ", ".join(["a knight with a gold shield on a hill"] * 12)


class Graph:
    """A workflow under construction: `add` returns the node's id, outputs are (id, slot)."""

    def __init__(self, checkpoint):
        self.nodes = {}
        self.checkpoint = checkpoint
        loader = self.add("CheckpointLoaderSimple", ckpt_name=f"{checkpoint}.safetensors")
        self.model, self.clip, self.vae = [loader, 0], [loader, 1], [loader, 2]

    def add(self, class_type, **inputs):
        name = str(len(self.nodes) + 1)
        self.nodes[name] = {"class_type": class_type, "inputs": inputs}
        return name

    def text(self, text, clip=None):
        return [self.add("CLIPTextEncode", text=text, clip=clip or self.clip), 0]

    def empty(self, width=128, height=64, batch_size=1):
        return [self.add("EmptyLatentImage", width=width, height=height, batch_size=batch_size), 0]

    def image(self, width=96, height=64):
        return [self.add("ImageScale", image=[self.add("LoadImage", image="parity.png"), 0], upscale_method="bicubic",
                         width=width, height=height, crop="center"), 0]

    def encode(self, width=96, height=64):
        return [self.add("VAEEncode", pixels=self.image(width, height), vae=self.vae), 0]

    def sample(self, positive=None, negative=None, latent=None, model=None, **settings):
        values = dict(seed=42, steps=5, cfg=7.0, sampler_name="euler", scheduler="normal", denoise=1.0)
        values.update(settings)
        return [self.add("KSampler", model=model or self.model, positive=positive or self.text(POSITIVE),
                         negative=negative or self.text(NEGATIVE), latent_image=latent or self.empty(), **values), 0]

    def advanced(self, latent, positive, negative, **settings):
        values = dict(add_noise="enable", noise_seed=7, steps=8, cfg=6.0, sampler_name="euler", scheduler="karras",
                      start_at_step=0, end_at_step=10000, return_with_leftover_noise="disable")
        values.update(settings)
        return [self.add("KSamplerAdvanced", model=self.model, positive=positive, negative=negative, latent_image=latent, **values), 0]

    def save(self, *latents, image=False):
        for latent in latents:
            self.add("SaveLatent", samples=latent, filename_prefix="parity")
        if image:
            self.add("SaveImage", images=[self.add("VAEDecode", samples=latents[0], vae=self.vae), 0], filename_prefix="parity")
        return self.nodes


def cases():
    for checkpoint in ("sd15-tiny", "sdxl-tiny"):
        make = lambda: Graph(checkpoint)
        name = lambda case: f"{checkpoint}.{case}"
        g = make(); yield name("image"), g.save(g.sample(), image=True)
        for width, height, batch in ((72, 104, 1), (200, 88, 2), (64, 64, 3), (136, 56, 1)):
            g = make(); yield name(f"size.{width}x{height}x{batch}"), g.save(g.sample(latent=g.empty(width, height, batch)), image=True)
        for scheduler in comfy.samplers.SCHEDULER_NAMES:
            g = make(); yield name(f"scheduler.{scheduler}"), g.save(g.sample(scheduler=scheduler, sampler_name="dpmpp_2m"))
        for sampler in comfy.samplers.SAMPLER_NAMES:
            g = make(); yield name(f"sampler.{sampler}"), g.save(g.sample(sampler_name=sampler, scheduler="karras", steps=6, latent=g.empty(72, 104, 2)))
            g = make(); yield name(f"sampler.{sampler}.denoise"), g.save(
                g.sample(sampler_name=sampler, scheduler="simple", denoise=0.55, steps=6, cfg=4.5, seed=2**63 + 5, latent=g.encode()))
        for cfg in (1.0, 0.0, 15.0):
            g = make(); yield name(f"cfg.{cfg}"), g.save(g.sample(cfg=cfg, sampler_name="euler_ancestral"))
        for steps in (1, 2, 30):
            g = make(); yield name(f"steps.{steps}"), g.save(g.sample(steps=steps, sampler_name="dpmpp_2m", scheduler="karras"))
        for denoise in (0.01, 0.3, 0.999):
            g = make(); yield name(f"img2img.{denoise}"), g.save(g.sample(latent=g.encode(), denoise=denoise), image=True)
        g = make(); yield name("long"), g.save(g.sample(g.text(LONG), g.text("bad")))
        g = make(); yield name("long.negative"), g.save(g.sample(g.text("good"), g.text(LONG)))
        g = make(); yield name("combine"), g.save(g.sample(
            [g.add("ConditioningCombine", conditioning_1=g.text(POSITIVE), conditioning_2=g.text(LONG)), 0]))
        g = make(); yield name("concat"), g.save(g.sample(
            [g.add("ConditioningConcat", conditioning_to=g.text(POSITIVE), conditioning_from=g.text("a red fox")), 0]))
        g = make(); yield name("average"), g.save(g.sample(
            [g.add("ConditioningAverage", conditioning_to=g.text(POSITIVE), conditioning_from=g.text(LONG), conditioning_to_strength=0.35), 0]))
        g = make(); yield name("zero"), g.save(g.sample(negative=[g.add("ConditioningZeroOut", conditioning=g.text(NEGATIVE)), 0]))
        g = make()
        ranges = [[g.add("ConditioningSetTimestepRange", conditioning=g.text(t), start=s, end=e), 0]
                  for t, s, e in ((POSITIVE, 0.0, 0.5), ("a castle", 0.4, 1.0))]
        yield name("timesteps"), g.save(g.sample([g.add("ConditioningCombine", conditioning_1=ranges[0], conditioning_2=ranges[1]), 0], steps=8))
        g = make()
        area = [g.add("ConditioningSetArea", conditioning=g.text("a tree"), width=64, height=64, x=32, y=0, strength=0.8), 0]
        yield name("area"), g.save(g.sample([g.add("ConditioningCombine", conditioning_1=g.text(POSITIVE), conditioning_2=area), 0]))
        g = make()
        mask = [g.add("LoadImageMask", image="parity.png", channel="red"), 0]
        masked = [g.add("ConditioningSetMask", conditioning=g.text("a tree"), mask=mask, strength=0.9, set_cond_area="default"), 0]
        yield name("cond_mask"), g.save(g.sample([g.add("ConditioningCombine", conditioning_1=g.text(POSITIVE), conditioning_2=masked), 0]))
        g = make(); yield name("skip"), g.save(g.sample(g.text(POSITIVE, [g.add("CLIPSetLastLayer", clip=g.clip, stop_at_clip_layer=-3), 0])))
        g = make()
        lora = lambda model, clip, a, b: g.add("LoraLoader", model=model, clip=clip, lora_name=f"{checkpoint}-lora.safetensors",
                                               strength_model=a, strength_clip=b)
        first = lora(g.model, g.clip, 0.7, 0.4)
        second = lora([first, 0], [first, 1], -0.3, 1.1)
        yield name("lora.stacked"), g.save(g.sample(g.text(POSITIVE, [second, 1]), model=[second, 0]))
        g = make()
        only = [g.add("LoraLoaderModelOnly", model=g.model, lora_name=f"{checkpoint}-lora.safetensors", strength_model=1.5), 0]
        yield name("lora.model"), g.save(g.sample(model=only))
        g = make()
        p, n = g.text(POSITIVE), g.text(NEGATIVE)
        base = g.advanced(g.empty(), p, n, end_at_step=5, return_with_leftover_noise="enable")
        yield name("advanced"), g.save(base, g.advanced(base, p, n, add_noise="disable", start_at_step=5))
        g = make()
        p, n = g.text(POSITIVE), g.text(NEGATIVE)
        yield name("advanced.ancestral"), g.save(g.advanced(g.encode(), p, n, sampler_name="euler_ancestral", start_at_step=3, noise_seed=2**64 - 1))
        for method in ("nearest-exact", "bilinear", "area", "bicubic", "bislerp"):
            g = make()
            up = [g.add("LatentUpscale", samples=g.sample(steps=3), upscale_method=method, width=176, height=120, crop="disabled"), 0]
            yield name(f"hires.{method}"), g.save(up, g.sample(latent=up, denoise=0.5, steps=4))
        g = make()
        up = [g.add("LatentUpscaleBy", samples=g.sample(steps=3), upscale_method="bislerp", scale_by=1.4), 0]
        yield name("hires.by"), g.save(up, g.sample(latent=up, denoise=0.6, steps=3))
        g = make()
        rows = [g.add("LatentFromBatch", samples=g.empty(64, 64, 5), batch_index=2, length=2), 0]
        yield name("batch.rows"), g.save(g.sample(latent=rows))
        g = make()
        rows = [g.add("RepeatLatentBatch", samples=g.encode(64, 64), amount=3), 0]
        yield name("batch.repeat"), g.save(g.sample(latent=rows, denoise=0.8, sampler_name="euler_ancestral"))
        g = make()
        mask = [g.add("LoadImageMask", image="parity.png", channel="alpha"), 0]
        masked = [g.add("SetLatentNoiseMask", samples=g.encode(), mask=mask), 0]
        for sampler in ("euler", "ddim", "dpmpp_2m", "uni_pc"):
            h = make(); h.nodes = json.loads(json.dumps(g.nodes))
            yield name(f"inpaint.{sampler}"), h.save(h.sample(latent=masked, denoise=0.8, sampler_name=sampler), image=True)
        g = make()
        mask = [g.add("LoadImageMask", image="parity.png", channel="green"), 0]
        masked = [g.add("VAEEncodeForInpaint", pixels=g.image(100, 76), vae=g.vae, mask=mask, grow_mask_by=6), 0]
        yield name("inpaint.encode"), g.save(g.sample(latent=masked), image=True)
        g = make()
        tiled = g.add("VAEDecodeTiled", samples=g.sample(latent=g.empty(200, 136)), vae=g.vae, tile_size=64, overlap=32, temporal_size=64, temporal_overlap=8)
        g.add("SaveImage", images=[tiled, 0], filename_prefix="parity")
        yield name("vae.tiled"), g.nodes
        yield from parity_sampling.cases(make, name)
        yield from parity_edges.cases(make, name)
        yield from composed(make, name)
    g = Graph("sdxl-tiny")
    sizes = dict(width=1024, height=512, crop_w=32, crop_h=8, target_width=512, target_height=768, clip=g.clip)
    yield "sdxl-tiny.sizes", g.save(g.sample([g.add("CLIPTextEncodeSDXL", text_g="a wizard", text_l=LONG, **sizes), 0]))


def composed(make, name):
    """Masks, areas and latents put together from several."""
    g = make()
    padded = g.add("ImagePadForOutpaint", image=g.image(70, 52), left=16, top=0, right=8, bottom=24, feathering=10)
    latent = [g.add("VAEEncodeForInpaint", pixels=[padded, 0], mask=[padded, 1], vae=g.vae, grow_mask_by=6), 0]
    yield name("outpaint"), g.save(g.sample(latent=latent), image=True)
    g = make()
    area = [g.add("ConditioningSetAreaPercentage", conditioning=g.text("a tree"), width=0.55, height=0.6, x=0.3, y=0.25, strength=0.8), 0]
    area = [g.add("ConditioningSetAreaStrength", conditioning=area, strength=1.3), 0]
    both = [g.add("ConditioningCombine", conditioning_1=g.text(POSITIVE), conditioning_2=area), 0]
    yield name("area.percentage"), g.save(g.sample(both, latent=g.empty(136, 104)))
    g = make()
    mask = [g.add("SolidMask", value=0.0, width=100, height=60), 0]
    spot = [g.add("SolidMask", value=0.9, width=40, height=25), 0]
    mask = [g.add("MaskComposite", destination=mask, source=spot, x=30, y=20, operation="add"), 0]
    mask = [g.add("GrowMask", mask=mask, expand=3, tapered_corners=True), 0]
    mask = [g.add("FeatherMask", mask=mask, left=20, top=10, right=5, bottom=20), 0]
    masked = [g.add("ConditioningSetMask", conditioning=g.text("a tree"), mask=mask, strength=0.7, set_cond_area="mask bounds"), 0]
    both = [g.add("ConditioningCombine", conditioning_1=g.text(POSITIVE), conditioning_2=masked), 0]
    yield name("cond_mask.bounds"), g.save(g.sample(both, latent=g.empty(136, 104)))
    g = make()
    mask = [g.add("LoadImageMask", image="parity.png", channel="blue"), 0]
    shown = g.add("InpaintModelConditioning", positive=g.text(POSITIVE), negative=g.text(NEGATIVE), vae=g.vae,
                  pixels=g.image(99, 67), mask=mask, noise_mask=True)
    yield name("inpaint.model"), g.save(g.sample([shown, 0], [shown, 1], latent=[shown, 2], denoise=0.9), image=True)
    g = make()
    under, over = g.sample(steps=3, latent=g.empty(136, 104)), g.sample(steps=3, seed=5, latent=g.empty(72, 64))
    laid = [g.add("LatentComposite", samples_to=under, samples_from=over, x=32, y=24, feather=24), 0]
    yield name("composite"), g.save(laid, g.sample(latent=laid, denoise=0.5))
    g = make()
    batch = [g.add("LatentBatch", samples1=g.empty(64, 64, 2), samples2=g.encode(96, 64)), 0]
    fixed = [g.add("LatentBatchSeedBehavior", samples=batch, seed_behavior="fixed"), 0]
    yield name("batch.joined"), g.save(g.sample(latent=batch, denoise=0.8), g.sample(latent=fixed, denoise=0.8, sampler_name="euler_ancestral"))
    g = make()
    image = [g.add("VAEDecode", samples=g.sample(steps=3), vae=g.vae), 0]
    image = [g.add("ImageInvert", image=[g.add("ImageScaleBy", image=image, upscale_method="bicubic", scale_by=1.375), 0]), 0]
    yield name("hires.image"), g.save(g.sample(latent=[g.add("VAEEncode", pixels=image, vae=g.vae), 0], denoise=0.6, steps=4), image=True)
    g = make()
    mixed = [g.add("LatentInterpolate", samples1=g.encode(), samples2=g.sample(latent=g.empty(96, 64)), ratio=0.4), 0]
    turned = [g.add("LatentFlip", samples=[g.add("LatentRotate", samples=mixed, rotation="90 degrees"), 0], flip_method="x-axis: vertically"), 0]
    yield name("interpolate"), g.save(turned, g.sample(latent=turned, denoise=0.7))


def classic(node):
    """A node of ComfyUI's newer form, as run_workflow.py calls the older one."""
    class Classic:
        FUNCTION = "run"

        @classmethod
        def INPUT_TYPES(cls):
            return {"required": {entry.id: None for entry in node.GET_SCHEMA().inputs}}

        def run(self, **inputs):
            result = node.execute(**inputs)
            return getattr(result, "result", result)

    return Classic


def picture(path):
    image = Image.new("RGBA", (150, 110))
    image.putdata([((x * 37 + y * 11) % 256, (x * x + y) % 256, (y * 5) % 256, 255 if (x // 20 + y // 30) % 2 else (x * 2) % 200)
                   for y in range(110) for x in range(150)])
    image.save(path)


if __name__ == "__main__":
    models, out = sys.argv[1:3]
    pattern = sys.argv[3] if len(sys.argv) > 3 else "*"
    os.makedirs(out, exist_ok=True)
    os.makedirs(os.path.join(models, "input"), exist_ok=True)
    picture(os.path.join(models, "input", "parity.png"))
    reference.setup(models)
    reference.extra()
    for key, node in comfy_nodes.NODES.items():
        if hasattr(node, "GET_SCHEMA"):
            reference.nodes.NODE_CLASS_MAPPINGS[key] = classic(node)
    # One load of each checkpoint serves all cases.
    loader = reference.nodes.NODE_CLASS_MAPPINGS["CheckpointLoaderSimple"]
    load, loaded = loader.load_checkpoint, {}
    loader.load_checkpoint = lambda self, ckpt_name: loaded.setdefault(ckpt_name, None) or loaded.update({ckpt_name: load(self, ckpt_name)}) or loaded[ckpt_name]
    for name, workflow in cases():
        if not fnmatch.fnmatch(name, pattern):
            continue
        with open(os.path.join(out, f"{name}.json"), "w") as file:
            json.dump(workflow, file)
        try:
            tensors = reference.tensors(reference.run(workflow), workflow)
        except Exception as error:
            print(f"{name}: the reference failed: {error!r}", flush=True)
            os.unlink(os.path.join(out, f"{name}.json"))
            continue
        saved = [node["inputs"].get("samples") or node["inputs"]["images"] for node in workflow.values() if node["class_type"] in ("SaveLatent", "SaveImage")]
        keep = {key: tensors[key].clone() for key in (f"{source}.{workflow[source]['class_type']}.{slot}" for source, slot in saved)}
        safetensors.torch.save_file(keep, os.path.join(out, f"{name}.safetensors"))
        print(name, flush=True)
