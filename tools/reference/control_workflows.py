"""Makes test/fixtures/control/workflows.safetensors: what KSampler makes of prompts that ControlNets and T2I-Adapters steer.

Usage: REF=... COMFY=... TORCHSDE=... python tools/reference/control_workflows.py MODELS OUT [NAME...]
(MODELS: the tiny checkpoints, and what control_files.py wrote)
"""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import control_files  # noqa: F401 (teaches ComfyUI narrow controls)
import run_workflow
import nodes
import safetensors.torch
from PIL import Image

MODELS, OUT = sys.argv[1:3]
ONLY = sys.argv[3:]
run_workflow.NODES += ("controlnet",)
run_workflow.setup(MODELS)
run_workflow.extra()
nodes.NODE_CLASS_MAPPINGS["SaveLatent"] = type("SaveLatent", (), {
    "INPUT_TYPES": classmethod(lambda cls: {"required": {"samples": ("LATENT",), "filename_prefix": ("STRING",)}}),
    "FUNCTION": "save", "OUTPUT_NODE": True, "RETURN_TYPES": (), "save": lambda self, samples, filename_prefix: ()})
picture = os.path.join(MODELS, "input", "parity.png")
if not os.path.exists(picture):  # as test/sampling/workflows.test.ts draws it
    os.makedirs(os.path.dirname(picture), exist_ok=True)
    image = Image.new("RGBA", (150, 110))
    image.putdata([((x * 37 + y * 11) % 256, (x * x + y) % 256, y * 5 % 256, 255 if (x // 20 + y // 30) % 2 else x * 2 % 200) for y in range(110) for x in range(150)])
    image.save(picture)


class Workflow:
    def __init__(self, checkpoint, width=96, height=64, batch=1):
        self.nodes, self.checkpoint = {}, checkpoint
        self.model = self.add("CheckpointLoaderSimple", ckpt_name=f"{checkpoint}-tiny.safetensors")
        clip = [self.model[0], 1]
        self.positive = self.add("CLIPTextEncode", clip=clip, text="a castle on a hill, pixel art")
        self.negative = self.add("CLIPTextEncode", clip=clip, text="blurry, low quality")
        self.latent = self.add("EmptyLatentImage", width=width, height=height, batch_size=batch)
        self.picture = self.add("LoadImage", image="parity.png")

    def add(self, class_type, **inputs):
        node = str(len(self.nodes) + 1)
        self.nodes[node] = {"class_type": class_type, "inputs": inputs}
        return [node, 0]

    def load(self, name):
        return self.add("ControlNetLoader", control_net_name=f"{name}.safetensors")

    def hints(self, count):
        """That many different pictures in a batch."""
        batch = self.picture
        for index in range(1, count):
            turned = self.add("ImageScale", image=self.add("ImageInvert", image=self.picture) if index % 2 else self.picture, upscale_method="bilinear", width=100 + index * 20, height=96, crop="disabled")
            batch = self.add("ImageBatch", image1=batch, image2=turned)
        return batch

    def control(self, network, image=None, strength=1.0, start=0.0, end=1.0, **more):
        network = network if isinstance(network, list) else self.load(network)
        both = self.add("ControlNetApplyAdvanced", positive=self.positive, negative=self.negative, control_net=network, image=image or self.picture,
                        strength=strength, start_percent=start, end_percent=end, **more)
        self.positive, self.negative = both, [both[0], 1]
        return self

    def control_old(self, network, image=None, strength=1.0):
        self.positive = self.add("ControlNetApply", conditioning=self.positive, control_net=self.load(network), image=image or self.picture, strength=strength)
        return self

    def sample(self, **settings):
        values = dict(seed=11, steps=4, cfg=6.0, sampler_name="euler", scheduler="normal", denoise=1.0)
        values.update(settings)
        latent = self.add("KSampler", model=self.model, positive=self.positive, negative=self.negative, latent_image=self.latent, **values)
        self.add("SaveLatent", samples=latent, filename_prefix="control")
        return self.nodes


def half(w):
    """A part of the latent has a prompt of its own."""
    return w.add("ConditioningSetArea", conditioning=w.add("CLIPTextEncode", clip=[w.model[0], 1], text="a dragon"), width=64, height=64, x=0, y=0, strength=0.8)


def cases():
    for checkpoint in ("sd15", "sdxl"):
        W = lambda *size, **more: Workflow(checkpoint, *size, **more)
        plain = f"{checkpoint}-control"
        yield f"{checkpoint}.plain", W().control(plain).sample()
        yield f"{checkpoint}.strength", W().control(plain, strength=0.35, start=0.2, end=0.7).sample(steps=6)
        yield f"{checkpoint}.odd", W(72, 104).control(plain, strength=1.3).sample(sampler_name="dpmpp_2m_sde", scheduler="karras")
        yield f"{checkpoint}.old", W().control_old(plain, strength=0.8).sample()
        yield f"{checkpoint}.chained", W().control(plain, strength=0.6).control(f"{checkpoint}-adapter", strength=0.7, end=0.6).sample()
        yield f"{checkpoint}.twice", W().control(plain, strength=0.6).control(plain, strength=0.3, start=0.5).sample()
        yield f"{checkpoint}.cfg1", W().control(plain).sample(cfg=1.0)
        yield f"{checkpoint}.adapter", W().control(f"{checkpoint}-adapter", strength=0.9).sample()
        yield f"{checkpoint}.adapter.odd", W(72, 104).control(f"{checkpoint}-adapter").sample()
        for count, batch in ((2, 1), (2, 2), (3, 2), (4, 2), (2, 3)):
            w = W(batch=batch)
            yield f"{checkpoint}.batch.{count}.{batch}", w.control(plain, image=w.hints(count), strength=0.8).sample(steps=2)
    W = lambda *size, **more: Workflow("sd15", *size, **more)
    for name in ("sd15-control-diffusers", "sd15-control-lora", "sd15_shuffle", "sd15-control-diff", "sd15-adapter-grey", "sd15-adapter-color"):
        yield f"{name}", W().control(name, strength=0.9).sample()
    yield "sd15-adapter-color.odd", W(72, 104).control("sd15-adapter-color").sample()
    w = W()
    yield "sd15.diff", w.control(w.add("DiffControlNetLoader", model=w.model, control_net_name="sd15-control-diff.safetensors"), strength=0.4).sample(steps=3, cfg=1.5)
    for kind in ("DiffControlNetLoader", "lora"):
        w = W()
        w.model = w.add("LoraLoader", model=w.model, clip=[w.model[0], 1], lora_name="sd15-tiny-lora.safetensors", strength_model=0.8, strength_clip=0.5)
        net = w.load("sd15-control-lora") if kind == "lora" else w.add(kind, model=w.model, control_net_name="sd15-control-diff.safetensors")
        yield f"sd15.{kind}.lora", w.control(net, strength=0.4).sample(steps=3, cfg=1.5)
    w = W()
    w.positive = w.add("ConditioningCombine", conditioning_1=w.positive, conditioning_2=half(w))
    yield "sd15.area", w.control("sd15-control", strength=0.7).sample()
    w = W()
    w.positive = w.add("ConditioningCombine", conditioning_1=w.positive, conditioning_2=w.add("CLIPTextEncode", clip=[w.model[0], 1], text="a dragon"))
    yield "sd15.old.combined", w.control_old("sd15-control", strength=0.7).sample()
    w = W(batch=2)
    yield "sd15.adapter.batch", w.control("sd15-adapter", image=w.hints(2)).sample()
    w = W()
    yield "sd15.alimama", _alimama(w).sample()
    W = lambda *size, **more: Workflow("sdxl", *size, **more)
    yield "sdxl-control-small", W().control("sdxl-control-small").sample()
    yield "sdxl-adapter-diffusers", W(72, 104).control("sdxl-adapter-diffusers").sample()
    for kind in (None, "auto", "depth", "canny/lineart/anime_lineart/mlsd"):
        w = W(batch=2)
        net = w.load("sdxl-control-union")
        yield f"sdxl-control-union.{(kind or 'unset').split('/')[0]}", w.control(w.add("SetUnionControlNetType", control_net=net, type=kind) if kind else net, image=w.hints(2), strength=0.8).sample()


def _alimama(w):
    mask = w.add("SolidMask", value=0.7, width=150, height=110)
    both = w.add("ControlNetInpaintingAliMamaApply", positive=w.positive, negative=w.negative, control_net=w.load("sd15-control"), vae=[w.model[0], 2], image=w.picture, mask=mask,
                 strength=0.8, start_percent=0.0, end_percent=0.9)
    w.positive, w.negative = both, [both[0], 1]
    return w


def keep(all_cases, out):
    tensors, kept, memo = {}, [], {}
    for name, workflow in all_cases:
        if ONLY and not any(part in name for part in ONLY):
            continue
        try:
            done = run_workflow.run(workflow, memo=memo)
        except Exception as error:  # what ComfyUI can't do either is no case
            print(name, "FAILED", repr(error)[:300])
            continue
        saved = {}
        for node, spec in workflow.items():
            if spec["class_type"] == "SaveLatent":
                source, slot = spec["inputs"]["samples"]
                saved[node] = str(len(tensors))
                tensors[saved[node]] = done[source][slot]["samples"].contiguous().clone()
        print(name, *[f"{float(tensors[key].std()):.5f}" for key in saved.values()], flush=True)
        kept.append({"name": name, "workflow": json.dumps(workflow, separators=(",", ":")), "saved": saved})
    safetensors.torch.save_file(tensors, out, metadata={"cases": json.dumps(kept, separators=(",", ":"))})


if __name__ == "__main__":
    keep(cases(), OUT)
