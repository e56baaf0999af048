"""Makes test/fixtures/nodes/pack-workflows.safetensors: what samplers, detailers and upscalers of node packs make of whole workflows on the tiny checkpoints.
Workflows are kept as texts: their seeds have more digits than JavaScript's numbers.

Usage: REF=... COMFY=... TORCHSDE=... NODE_PACKS=... python tools/reference/pack_workflows.py MODELS OUT [NAME...]   (REF holds run_workflow.py; MODELS the tiny checkpoints)
NODE_PACKS names folders of ComfyUI_UltimateSDUpscale (with Coyote-A's script in repositories/ultimate_sd_upscale) and ComfyUI-Impact-Pack.
"""
import importlib.util
import json
import os
import sys
import types

sys.path.insert(0, os.environ["REF"])
import comfy_env
import numpy
import run_workflow
import nodes
import safetensors.torch
import torch
from PIL import Image

MODELS, OUT = sys.argv[1:3]
ONLY = sys.argv[3:]
comfy_env._Finder.names.update(name for name in ("torchvision", "gradio", "server", "spandrel", "skimage", "piexif", "segment_anything", "matplotlib", "cm_global", "ultralytics", "dill", "mmcv", "mmdet", "onnxruntime") if importlib.util.find_spec(name) is None)
comfy_env._Finder.names.add("server")
run_workflow.NODES += ("controlnet", "align_your_steps", "gits")
run_workflow.setup(MODELS)
run_workflow.extra()
for folder in filter(None, os.environ.get("NODE_PACKS", "").split(":")):
    name = os.path.basename(folder.rstrip("/")).replace("-", "_")
    spec = importlib.util.spec_from_file_location(name, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder])
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    nodes.NODE_CLASS_MAPPINGS.update(module.NODE_CLASS_MAPPINGS)


if "torchvision" in comfy_env._Finder.names:
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import torchvision_blur  # noqa: F401


# ComfyUI's own names have changed since the pack was written.
import comfy_extras.nodes_differential_diffusion as differential

differential.DifferentialDiffusion.apply = classmethod(lambda cls, model: cls.execute(model).result)
import comfy_extras.nodes_upscale_model  # noqa: F401
for name, method in (("AlignYourStepsScheduler", "get_sigmas"), ("GITSScheduler", "get_sigmas"), ("LatentCompositeMasked", "composite")):
    node = nodes.NODE_CLASS_MAPPINGS[name]
    if not hasattr(node, method): setattr(node, method, classmethod(lambda cls, *args, **more: cls.execute(*args, **more).result))


for name in ("ImpactCombineConditionings", "ImpactConcatConditionings"):  # inputs that an editor adds
    nodes.NODE_CLASS_MAPPINGS[name].INPUT_TYPES = classmethod(lambda cls: {"required": {f"conditioning{number}": ("CONDITIONING",) for number in (1, 2)}})


def keeping(kind):
    return type("Keep", (), {
        "INPUT_TYPES": classmethod(lambda cls: {"required": {"samples": (kind,), "filename_prefix": ("STRING",)}}),
        "FUNCTION": "save", "OUTPUT_NODE": True, "RETURN_TYPES": (), "save": lambda self, samples, filename_prefix: ()})


nodes.NODE_CLASS_MAPPINGS["SaveLatent"] = keeping("LATENT")
nodes.NODE_CLASS_MAPPINGS["KeepImage"] = keeping("IMAGE")
picture = os.path.join(MODELS, "input", "parity.png")
if not os.path.exists(picture):  # as test/support/latent-workflows.ts draws it
    os.makedirs(os.path.dirname(picture), exist_ok=True)
    image = Image.new("RGBA", (150, 110))
    image.putdata([((x * 37 + y * 11) % 256, (x * x + y) % 256, y * 5 % 256, 255 if (x // 20 + y // 30) % 2 else x * 2 % 200) for y in range(110) for x in range(150)])
    image.save(picture)


class Workflow:
    def __init__(self, checkpoint):
        self.nodes = {}
        self.model = self.add("CheckpointLoaderSimple", ckpt_name=f"{checkpoint}-tiny.safetensors")
        self.clip, self.vae = [self.model[0], 1], [self.model[0], 2]
        self.positive = self.prompt("a castle on a hill, pixel art")
        self.negative = self.prompt("blurry, low quality")

    def prompt(self, text):
        return self.add("CLIPTextEncode", clip=self.clip, text=text)

    def picture(self, width, height, method="bilinear"):
        return self.add("ImageScale", image=self.add("LoadImage", image="parity.png"), upscale_method=method, width=width, height=height, crop="disabled")

    def add(self, class_type, **inputs):
        node = str(len(self.nodes) + 1)
        self.nodes[node] = {"class_type": class_type, "inputs": inputs}
        return [node, 0]

    def keep(self, value, slot=0, kind="KeepImage"):
        self.add(kind, samples=[value[0], slot], filename_prefix="kept")
        return self.nodes


def tiled_upscales():
    def redraw(checkpoint, width, height, node="UltimateSDUpscaleNoUpscale", image="upscaled_image", batch=1, prepare=lambda w: None, **changes):
        w = Workflow(checkpoint)
        w.custom = {}
        prepare(w)
        source = w.picture(width, height)
        if batch == 2: source = w.add("ImageBatch", image1=source, image2=w.add("ImageInvert", image=source))
        settings = dict(seed=2**63 + 5, steps=2, cfg=4.0, sampler_name="euler", scheduler="normal", denoise=0.5, mode_type="Linear", tile_width=64, tile_height=64, mask_blur=4, tile_padding=16,
                        seam_fix_mode="None", seam_fix_denoise=1.0, seam_fix_mask_blur=3, seam_fix_width=32, seam_fix_padding=16, force_uniform_tiles=True, tiled_decode=False, batch_size=1)
        made = w.add(node, **{image: source}, model=w.model, positive=w.positive, negative=w.negative, vae=w.vae, **{**settings, **changes}, **w.custom)
        return w.keep(made)

    yield "usdu.linear", redraw("sd15", 120, 96, seam_fix_mode="Half Tile + Intersections")
    yield "usdu.chess", redraw("sd15", 120, 120, batch=2, mode_type="Chess", batch_size=2, tiled_decode=True)
    yield "usdu.free", redraw("sd15", 88, 120, force_uniform_tiles=False, tile_padding=8, mask_blur=0, seam_fix_mode="Band Pass")

    def areas(w):
        area = w.add("ConditioningSetArea", conditioning=w.prompt("a red fox"), width=64, height=64, x=40, y=8, strength=0.8)
        mask = w.add("MaskComposite", destination=w.add("SolidMask", value=0.2, width=60, height=60), source=w.add("SolidMask", value=0.9, width=30, height=44), x=20, y=10, operation="add")
        masked = w.add("ConditioningSetMask", conditioning=w.prompt("a moon"), mask=mask, strength=0.7, set_cond_area="default")
        w.positive = w.add("ConditioningCombine", conditioning_1=w.add("ConditioningCombine", conditioning_1=w.positive, conditioning_2=area), conditioning_2=masked)

        w.custom = dict(custom_sampler=w.add("KSamplerSelect", sampler_name="dpmpp_2m"), custom_sigmas=w.add("BasicScheduler", model=w.model, scheduler="karras", steps=2, denoise=0.4))

    yield "usdu.areas", redraw("sd15", 80, 64, node="UltimateSDUpscaleCustomSample", image="image", upscale_by=1.5, prepare=areas, batch=2)


class MaskDetector:
    """A detector that finds the shapes of a mask, in any picture."""
    INPUT_TYPES = classmethod(lambda cls: {"required": {"mask": ("MASK",)}})
    RETURN_TYPES, FUNCTION = ("BBOX_DETECTOR", "SEGM_DETECTOR"), "make"

    def make(self, mask):
        from impact import core
        detector = types.SimpleNamespace(setAux=lambda text: None, detect=lambda image, threshold, dilation, factor, drop, detailer_hook=None: core.dilate_segs(core.mask_to_segs(mask[0], False, factor, True, drop), dilation))
        narrower = types.SimpleNamespace(detect=lambda image, threshold, dilation, factor, drop, detailer_hook=None: core.mask_to_segs(mask[0], False, factor, False, drop))
        return detector, narrower


nodes.NODE_CLASS_MAPPINGS["MaskDetector"] = MaskDetector


def detailers():
    def mask(w):
        """Three shapes: one with a hole, a grey one, and a small one."""
        whole = w.add("SolidMask", value=0.0, width=120, height=96)
        for value, x, y, width, height in ((1.0, 10, 12, 40, 36), (0.0, 22, 20, 8, 10), (0.6, 70, 50, 30, 28), (1.0, 100, 4, 9, 8)):
            whole = w.add("MaskComposite", destination=whole, source=w.add("SolidMask", value=value, width=width, height=height), x=x, y=y, operation="add" if value else "multiply")
        return whole

    settings = dict(guide_size=72.0, guide_size_for=True, max_size=96.0, seed=2**63 + 9, steps=2, cfg=4.0, sampler_name="euler", scheduler="normal", denoise=0.5, feather=4, cycle=1)
    look = dict(bbox_threshold=0.5, bbox_dilation=3, bbox_crop_factor=1.5, sam_detection_hint="center-1", sam_dilation=0, sam_threshold=0.93, sam_bbox_expansion=0, sam_mask_hint_threshold=0.7,
                sam_mask_hint_use_negative="False", drop_size=10)
    pick = {"Select to add LoRA": "Select the LoRA to add to the text", "Select to add Wildcard": "Select the Wildcard to add to the text"}

    def pipe(w):
        return w.add("ToBasicPipe", model=w.model, clip=w.clip, vae=w.vae, positive=w.positive, negative=w.negative)

    w = Workflow("sd15")
    segs = w.add("MaskToSEGS", mask=mask(w), combined=False, crop_factor=1.6, bbox_fill=False, drop_size=7, contour_fill=False)
    made = w.add("DetailerForEachDebugPipe", image=w.picture(120, 96), segs=segs, basic_pipe=pipe(w), wildcard="[ASC-SIZE]a red fox[SEP]a moon[SEP:7]an owl", refiner_ratio=0.5, refiner_basic_pipe_opt=pipe(w),
                 noise_mask=True, force_inpaint=False, noise_mask_feather=0, **{**settings, "sampler_name": "dpmpp_2m_sde", "scheduler": "karras"})
    yield "detailer.segs", w.keep(made)
    w = Workflow("sd15")
    made = w.add("MaskDetailerPipe", image=w.picture(120, 96), mask=mask(w), basic_pipe=pipe(w), mask_mode=False, crop_factor=1.4, drop_size=12, refiner_ratio=0.2, batch_size=2, noise_mask_feather=6, contour_fill=True, bbox_fill=True, inpaint_model=False,
                 **{**settings, "guide_size_for": False, "scheduler": "AYS SD1", "cycle": 2})
    yield "detailer.mask", w.keep(made)
    w = Workflow("sd15")
    found = w.add("MaskDetector", mask=mask(w))
    made = w.add("FaceDetailer", image=w.picture(120, 96), model=w.model, clip=w.clip, vae=w.vae, positive=w.positive, negative=w.negative, bbox_detector=found, segm_detector_opt=[found[0], 1], noise_mask=True, force_inpaint=True,
                 wildcard="[CONCAT][LAB][A]a (golden:1.2) crown", noise_mask_feather=5, **settings, **look)
    w.keep(made)
    w.keep(made, 1)
    yield "detailer.face", w.nodes
    w = Workflow("sd15")
    found = w.add("MaskDetector", mask=mask(w))
    detailer = w.add("BasicPipeToDetailerPipe", basic_pipe=pipe(w), bbox_detector=found, wildcard="", **pick)
    made = w.add("FaceDetailerPipe", image=w.picture(120, 96), detailer_pipe=detailer, noise_mask=True, force_inpaint=True, refiner_ratio=0.2, inpaint_model=True, noise_mask_feather=0, **settings, **look)
    yield "detailer.pipe", w.keep(made)
    w = Workflow("sd15")
    segs = w.add("MaskToSEGS", mask=mask(w), combined=True, crop_factor=1.2, bbox_fill=True, drop_size=7, contour_fill=True)
    w.keep(w.add("MaskToImage", mask=w.add("SegsToCombinedMask", segs=segs)))
    for fill, box in ((True, False), (False, False), (False, True)):
        segs = w.add("MaskToSEGS", mask=mask(w), combined=False, crop_factor=2.5, bbox_fill=box, drop_size=8, contour_fill=fill)
        w.keep(w.add("MaskToImage", mask=w.add("SegsToCombinedMask", segs=w.add("ImpactSegsAndMask", segs=segs, mask=w.add("SolidMask", value=0.9, width=120, height=96)))))
    found = w.add("MaskDetector", mask=mask(w))
    segs = w.add("ImpactSimpleDetectorSEGS", bbox_detector=found, image=w.picture(120, 96), bbox_threshold=0.5, bbox_dilation=4, crop_factor=2.0, drop_size=10, sub_threshold=0.5, sub_dilation=0, sub_bbox_expansion=0, sam_mask_hint_threshold=0.7, post_dilation=-3)
    w.keep(w.add("MaskToImage", mask=w.add("SegsToCombinedMask", segs=segs)))
    yield "segs", w.nodes


def samplers():
    look = dict(steps=3, cfg=4.0, sampler_name="dpmpp_2m", scheduler="normal")

    def pipe(w, positive=None):
        return w.add("ToBasicPipe", model=w.model, clip=w.clip, vae=w.vae, positive=positive or w.positive, negative=w.negative)

    w = Workflow("sd15")
    latent = w.add("VAEEncode", pixels=w.picture(72, 64), vae=w.vae)
    both = w.add("ImpactCombineConditionings", conditioning1=w.positive, conditioning2=w.add("ImpactConcatConditionings", conditioning1=w.prompt("a moon"), conditioning2=w.prompt("a star")))
    made = w.add("ImpactKSamplerBasicPipe", basic_pipe=pipe(w, both), seed=2**63 + 1, latent_image=latent, denoise=0.6, **{**look, "sampler_name": "dpmpp_sde"})
    w.keep(made, 1, "SaveLatent")
    made = w.add("ImpactKSamplerAdvancedBasicPipe", basic_pipe=pipe(w), add_noise=True, noise_seed=4, latent_image=latent, start_at_step=1, end_at_step=4, return_with_leftover_noise=True, **{**look, "steps": 6, "scheduler": "AYS SD1"})
    w.keep(made, 1, "SaveLatent")
    made = w.add("ImpactKSamplerAdvancedBasicPipe", basic_pipe=pipe(w), add_noise=False, noise_seed=4, latent_image=[made[0], 1], start_at_step=4, end_at_step=10000, return_with_leftover_noise=False, **{**look, "steps": 6, "scheduler": "GITS[coeff=1.2]", "sampler_name": "dpm_2"})
    w.keep(made, 1, "SaveLatent")
    mask = w.add("MaskComposite", destination=w.add("SolidMask", value=0.0, width=72, height=64), source=w.add("SolidMask", value=1.0, width=30, height=40), x=20, y=10, operation="add")
    base, inner = (w.add("KSamplerProvider", seed=seed, basic_pipe=pipe(w, prompt), denoise=share, **look) for seed, prompt, share in ((5, w.positive, 1.0), (6, w.prompt("a red fox"), 0.7)))
    made = w.add("TwoSamplersForMask", latent_image=latent, base_sampler=base, mask_sampler=inner, mask=mask)
    w.keep(made, 0, "SaveLatent")
    yield "samplers", w.nodes
    w = Workflow("sd15")
    latent = w.add("VAEEncode", pixels=w.picture(64, 48), vae=w.vae)
    upscaler = w.add("PixelKSampleUpscalerProviderPipe", scale_method="area", seed=8, denoise=0.4, use_tiled_vae=False, basic_pipe=pipe(w), tile_size=512, **look)
    made = w.add("IterativeLatentUpscale", samples=latent, upscale_factor=1.5, steps=2, temp_prefix="", upscaler=upscaler, step_mode="geometric")
    w.keep(made, 0, "SaveLatent")
    upscaler = w.add("PixelKSampleUpscalerProvider", scale_method="bilinear", model=w.model, vae=w.vae, seed=8, positive=w.positive, negative=w.negative, denoise=0.4, use_tiled_vae=False, tile_size=512, **look)
    made = w.add("IterativeImageUpscale", pixels=w.picture(64, 48), upscale_factor=1.4, steps=2, temp_prefix="", upscaler=upscaler, vae=w.vae, step_mode="simple")
    w.keep(made)
    yield "iterative", w.nodes


def all_cases():
    yield from samplers()
    yield from tiled_upscales()
    yield from detailers()


tensors, kept, memo = {}, [], {}
for name, workflow in all_cases():
    if ONLY and not any(part in name for part in ONLY): continue
    done = run_workflow.run(workflow, memo=memo)
    saved = {}
    for node, spec in workflow.items():
        if spec["class_type"] not in ("SaveLatent", "KeepImage"): continue
        source, slot = spec["inputs"]["samples"]
        saved[node] = str(len(tensors))
        value = done[source][slot]
        if isinstance(value, list): value = value[-1]
        if spec["class_type"] == "SaveLatent": value = value["samples"]
        else: value = value[:, ::3, ::3].half()  # a ninth of the pixels says enough
        tensors[saved[node]] = value.contiguous().clone()
    print(name, *[f"{tuple(tensors[key].shape)} {float(tensors[key].float().std()):.5f}" for key in saved.values()], flush=True)
    kept.append({"name": name, "workflow": json.dumps(workflow), "saved": saved})
safetensors.torch.save_file(tensors, OUT, metadata={"cases": json.dumps(kept, separators=(",", ":"))})
