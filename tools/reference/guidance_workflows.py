"""Makes test/fixtures/sampling/guidance-workflows.safetensors: what KSampler makes of models whose guidance, weights or blocks nodes changed.
Workflows are kept as texts: their seeds have more digits than JavaScript's numbers.

Usage: REF=... COMFY=... TORCHSDE=... python tools/reference/guidance_workflows.py MODELS OUT [NAME...]   (REF holds run_workflow.py)
"""
import json
import os
import sys

sys.path.insert(0, os.environ["REF"])
import run_workflow
import folder_paths
import nodes
import numpy as np
import safetensors.torch
import torch

MODELS, OUT = sys.argv[1:3]
ONLY = sys.argv[3:]
run_workflow.NODES += ("tcfg", "fresca", "pag", "mahiro", "nag", "model_downscale", "attention_multiply", "gits", "model_merging_model_specific", "latent", "video_model", "easycache", "hypernetwork", "lora_debug", "hooks")
run_workflow.setup(MODELS)
for folder in ("gligen", "hypernetworks"): folder_paths.folder_names_and_paths[folder] = ([os.path.join(MODELS, folder)], folder_paths.supported_pt_extensions)
run_workflow.extra()
nodes.NODE_CLASS_MAPPINGS["SaveLatent"] = type("SaveLatent", (), {
    "INPUT_TYPES": classmethod(lambda cls: {"required": {"samples": ("LATENT",), "filename_prefix": ("STRING",)}}),
    "FUNCTION": "save", "OUTPUT_NODE": True, "RETURN_TYPES": (), "save": lambda self, samples, filename_prefix: ()})


class Workflow:
    def __init__(self, checkpoint, width=96, height=64, batch=1):
        self.nodes = {}
        loaded = self.add("CheckpointLoaderSimple", ckpt_name=f"{checkpoint}-tiny.safetensors")
        self.checkpoint, self.model, self.clip = loaded[0], loaded, [loaded[0], 1]
        self.positive = self.add("CLIPTextEncode", clip=self.clip, text="a castle on a hill, pixel art")
        self.negative = self.add("CLIPTextEncode", clip=self.clip, text="blurry, low quality")
        self.latent = self.add("EmptyLatentImage", width=width, height=height, batch_size=batch)

    def add(self, class_type, **inputs):
        node = str(len(self.nodes) + 1)
        self.nodes[node] = {"class_type": class_type, "inputs": inputs}
        return [node, 0]

    def patch(self, class_type, **inputs):
        self.model = self.add(class_type, model=self.model, **inputs)
        return self

    def sample(self, **settings):
        values = dict(seed=2**63 + 11, steps=4, cfg=6.0, sampler_name="euler", scheduler="normal", denoise=1.0)
        values.update(settings)
        latent = self.add("KSampler", model=self.model, positive=self.positive, negative=self.negative, latent_image=self.latent, **values)
        self.add("SaveLatent", samples=latent, filename_prefix="guidance")
        return self.nodes


GUIDANCE = {
    "apg": ("APG", dict(eta=0.4, norm_threshold=5.0, momentum=0.0)),
    "apg.momentum": ("APG", dict(eta=1.0, norm_threshold=0.0, momentum=-0.5)),
    "apg.bounded": ("APG", dict(eta=-1.0, norm_threshold=2.0, momentum=0.3)),
    "tcfg": ("TCFG", {}),
    "fresca": ("FreSca", dict(scale_low=1.0, scale_high=1.25, freq_cutoff=3)),
    "fresca.low": ("FreSca", dict(scale_low=0.3, scale_high=1.1, freq_cutoff=2)),
    "fresca.whole": ("FreSca", dict(scale_low=0.8, scale_high=1.5, freq_cutoff=20)),
    "zero": ("CFGZeroStar", {}),
    "norm": ("CFGNorm", dict(strength=1.0)),
    "norm.half": ("CFGNorm", dict(strength=0.9, pre_cfg=False)),
    "norm.before": ("CFGNorm", dict(strength=0.6, pre_cfg=True)),
    "renorm": ("RenormCFG", dict(cfg_trunc=100.0, renorm_cfg=1.0)),
    "renorm.trunc": ("RenormCFG", dict(cfg_trunc=5.0, renorm_cfg=0.0)),
    "renorm.loose": ("RenormCFG", dict(cfg_trunc=12.0, renorm_cfg=1.2)),
    "mahiro": ("Mahiro", {}),
    "pag": ("PerturbedAttentionGuidance", dict(scale=3.0)),
    "pag.zero": ("PerturbedAttentionGuidance", dict(scale=0.0)),
    "epsilon": ("Epsilon Scaling", dict(scaling_factor=1.005)),
    "epsilon.low": ("Epsilon Scaling", dict(scaling_factor=0.9)),
    "tsr": ("TemporalScoreRescaling", dict(tsr_k=0.95, tsr_sigma=1.0)),
    "tsr.smooth": ("TemporalScoreRescaling", dict(tsr_k=3.0, tsr_sigma=2.5)),
    "tsr.one": ("TemporalScoreRescaling", dict(tsr_k=1.0, tsr_sigma=2.5)),
}
# ComfyUI compares a whole batch's numbers at once in these, which fails for more than one picture.
SINGLE = ("RenormCFG", "TemporalScoreRescaling")


def masked(checkpoint, strength, sampler="euler"):
    w = Workflow(checkpoint)
    grey = [w.add("SolidMask", value=value, width=32, height=64) for value in (0.1, 0.55, 0.9)]
    mask = w.add("SolidMask", value=0.3, width=96, height=64)
    for place, part in enumerate(grey):
        mask = w.add("MaskComposite", destination=mask, source=part, x=32 * place, y=8, operation="add")
    w.latent = w.add("SetLatentNoiseMask", samples=w.latent, mask=mask)
    inputs = {} if strength is None else {"strength": strength}
    return w.patch("DifferentialDiffusion", **inputs).sample(steps=6, sampler_name=sampler)


def cases():
    for checkpoint in ("sd15", "sdxl"):
        for name, (node, inputs) in GUIDANCE.items():
            batch = 1 if node in SINGLE or checkpoint == "sdxl" else 2
            yield f"{checkpoint}.{name}", Workflow(checkpoint, batch=batch).patch(node, **inputs).sample()
        for name in ("tcfg", "fresca", "apg", "pag", "zero"):
            node, inputs = GUIDANCE[name]
            yield f"{checkpoint}.{name}.cfg1", Workflow(checkpoint).patch(node, **inputs).sample(cfg=1.0)
        yield f"{checkpoint}.several", Workflow(checkpoint, 72, 104).patch("RescaleCFG", multiplier=0.5).patch("APG", eta=0.5, norm_threshold=4.0, momentum=0.0) \
            .patch("PerturbedAttentionGuidance", scale=1.5).patch("Mahiro").sample(sampler_name="dpmpp_2m_sde")
        yield f"{checkpoint}.freeu.pag", Workflow(checkpoint).patch("FreeU", b1=1.1, b2=1.2, s1=0.9, s2=0.2).patch("PerturbedAttentionGuidance", scale=2.0).sample()
        yield f"{checkpoint}.differential", masked(checkpoint, None)
        yield f"{checkpoint}.differential.half", masked(checkpoint, 0.5)
        yield f"{checkpoint}.differential.ancestral", masked(checkpoint, 0.0, "euler_ancestral")


def merges(checkpoint):
    factors = dict(q=1.1, k=0.9, v=1.05, out=0.95)
    for name, node, inputs in (
        ("self", "UNetSelfAttentionMultiply", factors), ("cross", "UNetCrossAttentionMultiply", factors),
        ("temporal", "UNetTemporalAttentionMultiply", dict(self_structural=0.9, self_temporal=2.0, cross_structural=1.1, cross_temporal=3.0))):
        yield f"{checkpoint}.multiply.{name}", Workflow(checkpoint).patch(node, **inputs).sample()

    def lora(w):
        return w.add("LoraLoader", model=w.model, clip=w.clip, lora_name=f"{checkpoint}-tiny-lora.safetensors", strength_model=1.5, strength_clip=1.2)[0]

    specific = "SD1" if checkpoint == "sd15" else "SDXL"
    prefixes = nodes.NODE_CLASS_MAPPINGS[f"ModelMerge{specific}"].INPUT_TYPES()["required"]
    shares = {prefix: round(0.1 + 0.03 * place, 2) for place, prefix in enumerate(list(prefixes)[2:])}
    for name, node, inputs in (
        ("simple", "ModelMergeSimple", dict(ratio=0.3)), ("subtract", "ModelMergeSubtract", dict(multiplier=-0.4)), ("add", "ModelMergeAdd", {}),
        ("blocks", "ModelMergeBlocks", dict(input=0.2, middle=0.9, out=0.5)), ("specific", f"ModelMerge{specific}", shares)):
        w = Workflow(checkpoint)
        other = w.add("ModelSamplingDiscrete", model=[lora(w), 0], sampling="eps", zsnr=False)
        if name == "add":  # what is usual: a difference on top
            other = w.add("ModelMergeSubtract", model1=other, model2=w.model, multiplier=0.7)
        w.model = w.add(node, model1=w.model, model2=other, **inputs)
        yield f"{checkpoint}.merge.{name}", w.sample()
    for name, node, inputs in (
        ("simple", "CLIPMergeSimple", dict(ratio=0.3)), ("subtract", "CLIPMergeSubtract", dict(multiplier=1.3)), ("add", "CLIPMergeAdd", {}),
        ("multiply", "CLIPAttentionMultiply", factors)):
        w = Workflow(checkpoint)
        other = [lora(w), 1]
        if name == "add":
            other = w.add("CLIPMergeSubtract", clip1=other, clip2=w.clip, multiplier=0.7)
        given = dict(clip=other) if name == "multiply" else dict(clip1=w.clip, clip2=other)
        w.clip = w.add(node, **given, **inputs)
        w.positive = w.add("CLIPTextEncode", clip=w.clip, text="a (castle:1.3) on a hill")
        yield f"{checkpoint}.clip.{name}", w.sample()


def all_cases():
    yield from cases()
    for checkpoint in ("sd15", "sdxl"):
        yield from merges(checkpoint)
    yield from sampled("sd15")


SCHEDULES = {
    "gits": ("GITSScheduler", dict(coeff=1.2, steps=5, denoise=1.0)),
    "gits.many": ("GITSScheduler", dict(coeff=0.8, steps=23, denoise=0.2)),
    "gits.part": ("GITSScheduler", dict(coeff=1.5, steps=20, denoise=0.3)),
    "optimal": ("OptimalStepsScheduler", dict(model_type="FLUX", steps=4, denoise=1.0)),
    "optimal.wan": ("OptimalStepsScheduler", dict(model_type="Wan", steps=20, denoise=0.25)),
    "optimal.chroma": ("OptimalStepsScheduler", dict(model_type="Chroma", steps=51, denoise=0.1)),
}


def sampled(checkpoint):
    def custom(w, sigmas, sampler, guider=None):
        guider = guider or w.add("CFGGuider", model=w.model, positive=w.positive, negative=w.negative, cfg=5.0)
        latent = w.add("SamplerCustomAdvanced", noise=w.add("RandomNoise", noise_seed=4), guider=guider, sampler=sampler, sigmas=sigmas, latent_image=w.latent)
        w.add("SaveLatent", samples=latent, filename_prefix="guidance")
        return w.nodes

    def basic(w):
        return w.add("BasicScheduler", model=w.model, scheduler="karras", steps=5, denoise=1.0)

    for name, (node, inputs) in SCHEDULES.items():
        w = Workflow(checkpoint)
        yield f"{checkpoint}.{name}", custom(w, w.add(node, **inputs), w.add("KSamplerSelect", sampler_name="euler"))
    for config in ("anything_v3", "v2-inference-v"):
        w = Workflow(checkpoint)
        loaded = w.add("CheckpointLoader", config_name=f"{config}.yaml", ckpt_name=f"{checkpoint}-tiny.safetensors")
        w.model = loaded
        w.positive = w.add("ConditioningMultiply", conditioning=w.add("CLIPTextEncode", clip=[loaded[0], 1], text="a (red:1.2) fox"), multiplier=1.1)
        yield f"{checkpoint}.config.{config}", w.sample()
    for version in ("regular", "alternative"):
        w = Workflow(checkpoint)
        yield f"{checkpoint}.cfgpp.{version}", custom(w, basic(w), w.add("SamplerEulerCFGpp", version=version))
    override = lambda w: w.patch("CFGOverride", cfg=1.0, start_percent=0.5, end_percent=1.0).patch("CFGOverride", cfg=9.0, start_percent=0.3, end_percent=0.6)
    w = override(Workflow(checkpoint))
    yield f"{checkpoint}.override", custom(w, basic(w), w.add("KSamplerSelect", sampler_name="dpmpp_2m"))
    w = override(Workflow(checkpoint))
    yield f"{checkpoint}.override.basic", custom(w, basic(w), w.add("KSamplerSelect", sampler_name="euler"), w.add("BasicGuider", model=w.model, conditioning=w.positive))
    w = override(Workflow(checkpoint))
    empty = w.add("CLIPTextEncode", clip=w.clip, text="")
    guider = w.add("PerpNegGuider", model=w.model, positive=w.positive, negative=w.negative, empty_conditioning=empty, cfg=6.0, neg_scale=1.0)
    yield f"{checkpoint}.override.perp", custom(w, basic(w), w.add("KSamplerSelect", sampler_name="euler"), guider)


def core(checkpoint):
    """Kept in a file of their own, core-workflows.safetensors."""
    for name, node, inputs in (("linear", "VideoLinearCFGGuidance", dict(min_cfg=2.0)), ("triangle", "VideoTriangleCFGGuidance", dict(min_cfg=1.5))):
        yield f"{checkpoint}.core.{name}", Workflow(checkpoint, batch=3).patch(node, **inputs).sample(steps=3)
    for name, node, inputs in (("reinhard", "LatentOperationTonemapReinhard", dict(multiplier=0.6)), ("sharpen", "LatentOperationSharpen", dict(sharpen_radius=3, sigma=0.8, alpha=0.3))):
        w = Workflow(checkpoint)
        operation = w.add(node, **inputs)
        w.patch("LatentApplyOperationCFG", operation=operation).sample(steps=3)
        made = str(len(w.nodes) - 1)
        w.add("SaveLatent", samples=w.add("LatentApplyOperation", samples=[made, 0], operation=operation), filename_prefix="guidance")
        yield f"{checkpoint}.core.{name}", w.nodes
    for name, node, inputs, settings in (
        ("easy", "EasyCache", dict(reuse_threshold=1.2, start_percent=0.1, end_percent=0.9, verbose=False), {}), ("easy.low", "EasyCache", dict(reuse_threshold=0.3, start_percent=0.0, end_percent=1.0, verbose=False), dict(cfg=1.0)),
        ("lazy", "LazyCache", dict(reuse_threshold=0.8, start_percent=0.1, end_percent=0.9, verbose=False), {}), ("lazy.pp", "LazyCache", dict(reuse_threshold=0.5, start_percent=0.0, end_percent=1.0, verbose=False), dict(sampler_name="dpmpp_2m"))):
        yield f"{checkpoint}.core.{name}", Workflow(checkpoint).patch(node, **inputs).sample(**{"steps": 10, **settings})
    yield f"{checkpoint}.core.bypass", Workflow(checkpoint).patch("LoraLoaderBypassModelOnly", lora_name=f"{checkpoint}-tiny-lora.safetensors", strength_model=1.3).sample(steps=3)
    w = Workflow(checkpoint)
    mask = w.add("SolidMask", value=0.7, width=48, height=64)
    times = w.add("ConditioningTimestepsRange", start_percent=0.2, end_percent=0.6)
    other = w.add("CLIPTextEncode", clip=w.clip, text="a red fox")
    set_pair = w.add("PairConditioningSetProperties", positive_NEW=other, negative_NEW=w.negative, strength=0.8, set_cond_area="default", mask=mask, timesteps=[times[0], 1])
    combined = w.add("PairConditioningCombine", positive_A=w.positive, negative_A=w.negative, positive_B=set_pair, negative_B=[set_pair[0], 1])
    again = w.add("PairConditioningSetPropertiesAndCombine", positive=combined, negative=[combined[0], 1], positive_NEW=other, negative_NEW=w.negative, strength=1.3, set_cond_area="mask bounds", mask=mask, timesteps=times)
    single = w.add("ConditioningSetProperties", cond_NEW=w.positive, strength=1.0, set_cond_area="default", timesteps=[times[0], 2])
    w.positive = w.add("ConditioningSetPropertiesAndCombine", cond=again, cond_NEW=single, strength=0.6, set_cond_area="default", mask=mask)
    w.negative = [again[0], 1]
    yield f"{checkpoint}.core.properties", w.sample()
    for cfg in (4.0, 1.0):
        w = Workflow(checkpoint)
        # Loaded once more: of two that share their weights, ComfyUI takes the first one's for both.
        again = w.add("CheckpointLoaderSimple", ckpt_name=f"{checkpoint}-tiny.safetensors")
        other = w.add("LoraLoaderModelOnly", model=again, lora_name=f"{checkpoint}-tiny-lora.safetensors", strength_model=1.5)
        w.patch("RescaleCFG", multiplier=0.4)
        guider = w.add("DualModelGuider", model=w.model, model_negative=other, positive=w.positive, negative=w.negative, cfg=cfg)
        sigmas = w.add("BasicScheduler", model=w.model, scheduler="karras", steps=3, denoise=1.0)
        latent = w.add("SamplerCustomAdvanced", noise=w.add("RandomNoise", noise_seed=4), guider=guider, sampler=w.add("KSamplerSelect", sampler_name="euler"), sigmas=sigmas, latent_image=w.latent)
        w.add("SaveLatent", samples=latent, filename_prefix="guidance")
        yield f"{checkpoint}.core.dual.{cfg}", w.nodes


def hooked(checkpoint):
    """Kept in a file of their own, patch-workflows.safetensors, with the changes of networks below."""
    def lora(w, **more):
        return w.add("CreateHookLora", lora_name=f"{checkpoint}-tiny-lora.safetensors", strength_model=1.4, strength_clip=1.2, **more)

    def encoded(w, text, **inputs):
        clip = w.add("SetClipHooks", clip=w.clip, **inputs)
        return w.add("CLIPTextEncode", clip=clip, text=text)

    name = f"{checkpoint}.patch.hooks"
    w = Workflow(checkpoint)
    w.positive = encoded(w, "a castle on a hill", apply_to_conds=True, schedule_clip=False, hooks=lora(w))
    yield f"{name}.clip", w.sample()
    w = Workflow(checkpoint)
    first = w.add("CreateHookKeyframe", strength_mult=0.2, start_percent=0.0)
    second = w.add("CreateHookKeyframe", strength_mult=1.0, start_percent=0.3, prev_hook_kf=first)
    third = w.add("CreateHookKeyframe", strength_mult=0.5, start_percent=0.5, prev_hook_kf=second)
    w.positive = encoded(w, "a castle on a hill", apply_to_conds=True, schedule_clip=True, hooks=w.add("SetHookKeyframes", hooks=lora(w), hook_kf=third))
    yield f"{name}.scheduled", w.sample(steps=6)
    w = Workflow(checkpoint)
    frames = w.add("CreateHookKeyframesInterpolated", strength_start=1.5, strength_end=0.1, interpolation="ease_in_out", start_percent=0.1, end_percent=0.9, keyframes_count=4, print_keyframes=False)
    hooks = w.add("SetHookKeyframes", hooks=w.add("CreateHookLoraModelOnly", lora_name=f"{checkpoint}-tiny-lora.safetensors", strength_model=1.3), hook_kf=frames)
    mask = w.add("SolidMask", value=0.7, width=48, height=64)
    pair = w.add("PairConditioningSetProperties", positive_NEW=w.positive, negative_NEW=w.negative, strength=1.0, set_cond_area="default", mask=mask, hooks=hooks)
    other = w.add("CLIPTextEncode", clip=w.clip, text="a red fox")
    default = w.add("PairConditioningSetDefaultCombine", positive=pair, negative=[pair[0], 1], positive_DEFAULT=other, negative_DEFAULT=w.negative)
    w.positive, w.negative = default, [default[0], 1]
    yield f"{name}.default", w.sample(steps=5, sampler_name="heun")
    w = Workflow(checkpoint)
    w.model = w.add("LoraLoaderModelOnly", model=w.model, lora_name=f"{checkpoint}-tiny-lora.safetensors", strength_model=0.4)
    model = w.add("CreateHookModelAsLora", ckpt_name=f"{checkpoint}-tiny-other.safetensors", strength_model=0.6, strength_clip=0.5)
    both = w.add("CombineHooks2", hooks_A=lora(w), hooks_B=model)
    w.positive = encoded(w, "a castle on a hill", apply_to_conds=False, schedule_clip=False, hooks=both)
    w.positive = w.add("ConditioningSetProperties", cond_NEW=w.positive, strength=1.0, set_cond_area="default", hooks=both)
    again = w.add("ConditioningSetPropertiesAndCombine", cond=w.positive, cond_NEW=w.negative, strength=1.0, set_cond_area="default", hooks=model)
    w.positive = w.add("ConditioningSetDefaultCombine", cond=again, cond_DEFAULT=w.negative)
    yield f"{name}.model", w.sample()


def waved(key, shape, scale):
    """Values that anyone can make again: test/support/waved.ts does."""
    count = int(np.prod(shape))
    start = sum(key.encode())
    return torch.from_numpy((scale * np.sin(np.arange(count, dtype=np.float64) * 0.7 + start)).astype(np.float32).reshape(shape))


def gligen_file(path):
    """For the tiny SD 1.5: what GLIGEN has beside each of its transformer blocks."""
    weights = {}
    widths = {"input_blocks": {1: 32, 2: 32, 4: 64, 5: 64, 7: 128, 8: 128}, "middle_block": {1: 128}, "output_blocks": {3: 128, 4: 128, 5: 128, 6: 64, 7: 64, 8: 64, 9: 32, 10: 32, 11: 32}}
    for part, blocks in widths.items():
        for block, width in blocks.items():
            at = f"{part}.{block}." + ("" if part == "middle_block" else "1.") + "transformer_blocks.0.fuser"
            shapes = {"linear.weight": (width, 768), "linear.bias": (width,), "attn.to_q.weight": (width, width), "attn.to_k.weight": (width, width), "attn.to_v.weight": (width, width), "attn.to_out.0.weight": (width, width), "attn.to_out.0.bias": (width,),
                      "ff.net.0.proj.weight": (8 * width, width), "ff.net.0.proj.bias": (8 * width,), "ff.net.2.weight": (width, 4 * width), "ff.net.2.bias": (width,), "norm1.weight": (width,), "norm1.bias": (width,), "norm2.weight": (width,), "norm2.bias": (width,)}
            for name, shape in shapes.items(): weights[f"{at}.{name}"] = waved(f"{at}.{name}", shape, 1.0 if name.startswith("norm") else 0.2)
            weights[f"{at}.alpha_attn"], weights[f"{at}.alpha_dense"] = torch.tensor(0.7), torch.tensor(-0.4)
    weights["position_net.null_positive_feature"], weights["position_net.null_position_feature"] = waved("a", (768,), 1.0), waved("b", (64,), 1.0)
    for layer, shape in {0: (512, 832), 2: (512, 512), 4: (768, 512)}.items():
        weights[f"position_net.linears.{layer}.weight"], weights[f"position_net.linears.{layer}.bias"] = waved(f"{layer}w", shape, 0.1), waved(f"{layer}b", shape[:1], 0.1)
    safetensors.torch.save_file(weights, path)


def hypernetwork_file(path, activation, norms, output):
    networks = {"activation_func": activation, "is_layer_norm": norms, "activate_output": output, "name": "tiny", "layer_structure": [1, 0.1, 1]}
    for width in (32, 128):
        networks[width] = tuple({key: waved(f"{width}{part}{key}", shape, 0.3) for key, shape in (
            ("linear.0.weight", (4, width)), ("linear.0.bias", (4,)), *((("linear.1.weight", (4,)), ("linear.1.bias", (4,))) if norms else ()),
            (f"linear.{2 if norms else 1}.weight", (width, 4)), (f"linear.{2 if norms else 1}.bias", (width,)),
            *((("linear.3.weight", (width,)), ("linear.3.bias", (width,))) if norms else ()))} for part in (0, 1))
    torch.save(networks, path)


HYPERNETWORKS = {"relu": ("relu", True, False), "elu": ("elu", False, True), "swish": ("swish", False, False), "softsign": ("softsign", True, True)}


class WideText:
    """A text encoder as wide as SD 1.5's: GLIGEN takes no other."""
    tokenize = staticmethod(lambda text: text)
    encode_from_tokens = staticmethod(lambda text, return_pooled: (None, waved(text, (1, 768), 1.0)))


def patched(checkpoint):
    yield from hooked(checkpoint)
    shrink = dict(block_number=3, downscale_factor=2.0, start_percent=0.0, end_percent=0.35, downscale_after_skip=True, downscale_method="bicubic", upscale_method="bicubic")
    for name, changed in (("deep", {}), ("early", dict(block_number=1, downscale_factor=1.4, downscale_after_skip=False, downscale_method="area", upscale_method="nearest-exact", end_percent=0.8)),
                          ("last", dict(block_number=8 if checkpoint == "sd15" else 5, downscale_method="bilinear", start_percent=0.3, end_percent=1.0))):
        yield f"{checkpoint}.patch.shrink.{name}", Workflow(checkpoint, 104, 88).patch("PatchModelAddDownscale", **{**shrink, **changed}).sample()
    w = Workflow(checkpoint, 136, 120).patch("PatchModelAddDownscale", **{**shrink, "block_number": 2, "upscale_method": "bilinear"}).patch("PatchModelAddDownscale", **{**shrink, "block_number": 4, "end_percent": 0.7})
    yield f"{checkpoint}.patch.shrink.twice", w.sample()
    for name, inputs, settings in (("plain", dict(nag_scale=5.0, nag_alpha=0.5, nag_tau=1.5), {}), ("one", dict(nag_scale=8.0, nag_alpha=0.9, nag_tau=1.2), dict(cfg=1.0)), ("many", dict(nag_scale=2.0, nag_alpha=0.3, nag_tau=4.0), {})):
        yield f"{checkpoint}.patch.nag.{name}", Workflow(checkpoint, batch=3 if name == "many" else 1).patch("NAGuidance", **inputs).sample(**settings)
    for name, ratio, steps, method in (("whole", 1.5, -1, "bislerp"), ("soon", 2.0, 2, "bicubic"), ("many", 1.2, 30, "nearest-exact")):
        w = Workflow(checkpoint)
        sampler = w.add("SamplerLCMUpscale", scale_ratio=ratio, scale_steps=steps, upscale_method=method)
        sigmas = w.add("BasicScheduler", model=w.model, scheduler="karras", steps=4, denoise=1.0)
        latent = w.add("SamplerCustom", model=w.model, add_noise=True, noise_seed=7, cfg=2.0, positive=w.positive, negative=w.negative, sampler=sampler, sigmas=sigmas, latent_image=w.latent)
        w.add("SaveLatent", samples=latent, filename_prefix="guidance")
        yield f"{checkpoint}.patch.lcm.{name}", w.nodes
    if checkpoint != "sd15": return
    for name, settings in HYPERNETWORKS.items():
        hypernetwork_file(os.path.join(MODELS, "hypernetworks", f"{name}.pt"), *settings)
        yield f"{checkpoint}.patch.hypernetwork.{name}", Workflow(checkpoint).patch("HypernetworkLoader", hypernetwork_name=f"{name}.pt", strength=0.8).sample()
    gligen_file(os.path.join(MODELS, "gligen", "tiny.safetensors"))
    nodes.NODE_CLASS_MAPPINGS["WideText"] = type("WideText", (), {"INPUT_TYPES": classmethod(lambda cls: {"required": {}}), "FUNCTION": "give", "RETURN_TYPES": ("CLIP",), "give": lambda self: (WideText,)})
    for name in ("one", "two", "area"):
        w = Workflow(checkpoint)
        model, clip = w.add("GLIGENLoader", gligen_name="tiny.safetensors"), w.add("WideText")
        w.positive = w.add("GLIGENTextBoxApply", conditioning_to=w.positive, clip=clip, gligen_textbox_model=model, text="a dog", width=48, height=40, x=8, y=16)
        if name != "one": w.positive = w.add("GLIGENTextBoxApply", conditioning_to=w.positive, clip=clip, gligen_textbox_model=model, text="a tree", width=64, height=64, x=40, y=0)
        if name == "area": w.positive = w.add("ConditioningCombine", conditioning_1=w.positive, conditioning_2=w.add("ConditioningSetArea", conditioning=w.add("CLIPTextEncode", clip=w.clip, text="a fox"), width=64, height=64, x=8, y=0, strength=0.7))
        yield f"{checkpoint}.patch.gligen.{name}", w.sample()


def everything():
    yield from all_cases()
    if ONLY:
        for checkpoint in ("sd15", "sdxl"):
            yield from core(checkpoint)
            yield from patched(checkpoint)


tensors, kept, memo = {}, [], {}
for name, workflow in everything():
    if ONLY and not any(part in name for part in ONLY):
        continue
    # Keys of what is kept nest, and grow with each node of a chain.
    done = run_workflow.run(workflow, memo=None if len(workflow) > 11 else memo)
    saved = {}
    for node, spec in workflow.items():
        if spec["class_type"] == "SaveLatent":
            source, slot = spec["inputs"]["samples"]
            saved[node] = str(len(tensors))
            tensors[saved[node]] = done[source][slot]["samples"].contiguous().clone()
    print(name, *[f"{float(tensors[key].std()):.5f}" for key in saved.values()])
    kept.append({"name": name, "workflow": json.dumps(workflow), "saved": saved})
safetensors.torch.save_file(tensors, OUT, metadata={"cases": json.dumps(kept, separators=(",", ":"))})
