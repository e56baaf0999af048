"""Makes test/fixtures/vision: narrow image encoders, style models and an unCLIP checkpoint, what ComfyUI's encoders make of a picture, and
whole workflows with them.

Usage: REF=... COMFY=... TORCHSDE=... python tools/reference/vision.py MODELS FIXTURES   (MODELS: the tiny checkpoints)
"""
import gzip
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.argv, (MODELS, FIXTURES) = [sys.argv[0], sys.argv[1], os.path.join(sys.argv[2], "workflows.safetensors")], sys.argv[1:3]
import control_workflows as workflows
import run_workflow
import synth
import comfy.clip_vision
import comfy.model_base
import comfy.model_detection
import comfy.sd
import comfy.supported_models as sm
import comfy.t2i_adapter.adapter as adapter
import comfy.ldm.flux.redux as redux
import folder_paths
import nodes
import safetensors.torch
import torch
from diffusion_layout import layout  # noqa: E402 (beside this file)

WIDTHS = {"l": (64, 24, "quick_gelu"), "h": (32, 32, "gelu"), "g": (32, 48, "gelu")}
EMBEDS = {"l": 48, "h": 40, "g": 192}
TEXT = 320


def tower(kind, size=56, patch=14):
    width, layers, _ = WIDTHS[kind]
    p = "vision_model."
    out = {p + "embeddings.class_embedding": [width], p + "embeddings.patch_embedding.weight": [width, 3, patch, patch],
           p + "embeddings.position_embedding.weight": [(size // patch) ** 2 + 1, width]}
    for norm in ("pre_layrnorm", "post_layernorm"): out.update({f"{p}{norm}.weight": [width], f"{p}{norm}.bias": [width]})
    out.update(encoder(width, layers))
    out["visual_projection.weight"] = [EMBEDS[kind], width]
    return out


def encoder(width, layers):
    out = {}
    for i in range(layers):
        q = f"vision_model.encoder.layers.{i}."
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"): out.update({f"{q}self_attn.{name}.weight": [width, width], f"{q}self_attn.{name}.bias": [width]})
        for name in ("layer_norm1", "layer_norm2"): out.update({f"{q}{name}.weight": [width], f"{q}{name}.bias": [width]})
        out.update({f"{q}mlp.fc1.weight": [4 * width, width], f"{q}mlp.fc1.bias": [4 * width], f"{q}mlp.fc2.weight": [width, 4 * width], f"{q}mlp.fc2.bias": [width]})
    return out


def siglip(width=48, layers=24, size=56, patch=14):
    p = "vision_model."
    out = {p + "embeddings.patch_embedding.weight": [width, 3, patch, patch], p + "embeddings.patch_embedding.bias": [width],
           p + "embeddings.position_embedding.weight": [(size // patch) ** 2, width], p + "post_layernorm.weight": [width], p + "post_layernorm.bias": [width]}
    out.update(encoder(width, layers))
    return out


def open_clip(own, prefix):
    """transformers' names of a tower as open_clip has them."""
    top = {"vision_model.embeddings.class_embedding": "class_embedding", "vision_model.embeddings.patch_embedding.weight": "conv1.weight",
           "vision_model.embeddings.position_embedding.weight": "positional_embedding", "vision_model.post_layernorm": "ln_post", "vision_model.pre_layrnorm": "ln_pre"}
    parts = {"layer_norm1": "ln_1", "layer_norm2": "ln_2", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj", "self_attn.out_proj": "attn.out_proj"}
    out = {}
    for key, shape in own.items():
        if key == "visual_projection.weight": out[prefix + "proj"] = shape[::-1]
        elif key in top: out[prefix + top[key]] = shape
        elif key.rsplit(".", 1)[0] in top: out[prefix + top[key.rsplit(".", 1)[0]] + "." + key.rsplit(".", 1)[1]] = shape
        else:
            _, _, _, index, rest = key.split(".", 4)
            name, part = rest.rsplit(".", 1)
            block = f"{prefix}transformer.resblocks.{index}."
            if name in parts: out[f"{block}{parts[name]}.{part}"] = shape
            elif name == "self_attn.q_proj": out[f"{block}attn.in_proj_{part}"] = [3 * shape[0], *shape[1:]]
    return out


def manifests():
    typed = lambda own, *types: {key: [types[index % len(types)], shape] for index, (key, shape) in enumerate(own.items())}
    meta = lambda build: {key: list(value.shape) for key, value in build().state_dict().items()}
    yield "clip_vision", "clip-l", typed(tower("l"), "F16", "F32")
    yield "clip_vision", "clip-h", typed(open_clip(tower("h"), "visual."), "F32")
    yield "clip_vision", "clip-g", typed(tower("g"), "F16")
    yield "clip_vision", "siglip", typed(siglip(), "BF16")
    with torch.device("meta"):
        yield "style_models", "style", typed(meta(lambda: adapter.StyleAdapter(width=64, context_dim=128, num_head=8, n_layes=3, num_token=8)), "F32")
        yield "style_models", "redux", typed({"redux_up.weight": [384, 48], "redux_up.bias": [384], "redux_down.weight": [128, 384], "redux_down.bias": [128]}, "F16")
    yield "checkpoints", "unclip", typed(unclip(), "F16")


def unclip():
    out = layout("sd15", MODELS, dict(model_channels=64, use_linear_in_transformer=True, num_heads=-1, num_head_channels=64, num_classes="sequential", adm_in_channels=2 * EMBEDS["h"], context_dim=128))
    out.update(open_clip(tower("h"), "embedder.model.visual."))
    return out


def teach():
    config_of = comfy.clip_vision.ClipVisionModel.__init__
    load = comfy.clip_vision.load_clipvision_from_sd

    def narrow(sd, prefix="", convert_keys=False):
        converted = comfy.clip_vision.convert_to_transformers(sd, prefix) if convert_keys else sd
        w = converted["vision_model.embeddings.patch_embedding.weight"].shape
        layers = 0
        while f"vision_model.encoder.layers.{layers}.layer_norm1.weight" in converted: layers += 1
        is_clip = "vision_model.embeddings.class_embedding" in converted
        positions = converted["vision_model.embeddings.position_embedding.weight"].shape[0]
        config = dict(hidden_size=w[0], num_hidden_layers=layers, num_attention_heads=16, intermediate_size=4 * w[0], num_channels=3, patch_size=w[2],
                      image_size=int((positions - is_clip) ** 0.5) * w[2], hidden_act="gelu_pytorch_tanh" if not is_clip else "gelu" if layers > 30 else "quick_gelu",
                      model_type="clip_vision_model" if is_clip else "siglip_vision_model")
        if is_clip: config["projection_dim"] = converted["visual_projection.weight"].shape[0]
        else: config.update(image_mean=[0.5, 0.5, 0.5], image_std=[0.5, 0.5, 0.5])
        clip = comfy.clip_vision.ClipVisionModel(config)
        print("missing", clip.load_sd(converted)[0])
        return clip
    comfy.clip_vision.load_clipvision_from_sd = narrow

    class TinyUnclip(sm.SD21UnclipH):
        unet_config = {**sm.SD21UnclipH.unet_config, "model_channels": 64, "context_dim": 128, "adm_in_channels": 2 * EMBEDS["h"]}
        noise_aug_config = {**sm.SD21UnclipH.noise_aug_config, "timestep_dim": EMBEDS["h"]}
        clip_target = sm.SD15.clip_target
        process_clip_state_dict = sm.SD15.process_clip_state_dict
    sm.models.insert(0, TinyUnclip)
    pooled = comfy.model_base.sdxl_pooled

    def narrow_pooled(args, augmentor):
        if "unclip_conditioning" not in args: return pooled(args, augmentor)
        small = comfy.model_base.CLIPEmbeddingNoiseAugmentation(noise_schedule_config={"timesteps": 1000, "beta_schedule": "squaredcos_cap_v2"}, timestep_dim=EMBEDS["g"])
        return comfy.model_base.unclip_adm(args["unclip_conditioning"], args["device"], small, seed=args.get("seed", 0) - 10)[:, :EMBEDS["g"]]
    comfy.model_base.sdxl_pooled = narrow_pooled
    style, flux = adapter.StyleAdapter.__init__, redux.ReduxImageEncoder.__init__
    adapter.StyleAdapter.__init__ = lambda self, width=1024, context_dim=768, num_head=8, n_layes=3, num_token=4: style(self, 64, 128, num_head, n_layes, num_token)

    def small_redux(self, *a, **k):
        torch.nn.Module.__init__(self)
        self.redux_up, self.redux_down = torch.nn.Linear(48, 384), torch.nn.Linear(384, 128)
    redux.ReduxImageEncoder.__init__ = small_redux


def cases():
    W = workflows.Workflow

    def encode(w, name, image=None, crop="center"):
        vision = name if isinstance(name, list) else w.add("CLIPVisionLoader", clip_name=f"{name}.safetensors")
        return w.add("CLIPVisionEncode", clip_vision=vision, image=image or w.picture, crop=crop)

    def unclip_workflow(pictures, **settings):
        w = W("sd15")
        w.model = w.add("unCLIPCheckpointLoader", ckpt_name="unclip.safetensors")
        for strength, noise, crop in pictures:
            w.positive = w.add("unCLIPConditioning", conditioning=w.positive, clip_vision_output=encode(w, [w.model[0], 3], crop=crop), strength=strength, noise_augmentation=noise)
        return w.sample(**settings)
    yield "unclip.none", unclip_workflow([])
    yield "unclip.one", unclip_workflow([(0.8, 0.3, "none")])
    yield "unclip.two", unclip_workflow([(0.8, 0.0, "center"), (-0.5, 0.6, "none")], seed=3)
    for noise in (0.0, 0.4):
        w = W("sdxl")
        w.positive = w.add("unCLIPConditioning", conditioning=w.positive, clip_vision_output=encode(w, "clip-g"), strength=0.9, noise_augmentation=noise)
        yield f"sdxl.revision.{noise}", w.sample()
    for style, vision in (("style", "clip-l"), ("redux", "siglip")):
        w = W("sd15")
        w.positive = w.add("StyleModelApply", conditioning=w.positive, style_model=w.add("StyleModelLoader", style_model_name=f"{style}.safetensors"),
                           clip_vision_output=encode(w, vision, image=w.hints(2)), strength=0.7, strength_type="multiply")
        yield f"sd15.{style}", w.sample()


def encodings():
    tensors = {}
    picture = run_workflow.call(nodes.NODE_CLASS_MAPPINGS["LoadImage"], image="parity.png")[0]
    for name in ("clip-l", "clip-h", "clip-g", "siglip"):
        vision = run_workflow.call(nodes.NODE_CLASS_MAPPINGS["CLIPVisionLoader"], clip_name=f"{name}.safetensors")[0]
        for crop in ("center", "none"):
            out = run_workflow.call(nodes.NODE_CLASS_MAPPINGS["CLIPVisionEncode"], clip_vision=vision, image=picture, crop=crop)[0]
            for part, ours in (("last_hidden_state", "lastHidden"), ("penultimate_hidden_states", "penultimate"), ("image_embeds", "embeds")):
                tensors[f"{name}.{crop}.{ours}"] = out[part].float().contiguous().clone()
    for size in (56, 96):
        for crop in (True, False):
            tensors[f"pixels.{size}.{'center' if crop else 'none'}"] = (comfy.clip_vision.clip_preprocess(picture, size=size, mean=[0.0] * 3, std=[1.0] * 3, crop=crop) * 255).round().to(torch.uint8).contiguous()
    return tensors


folder = FIXTURES
os.makedirs(folder, exist_ok=True)
for kind, name, manifest in manifests():
    with gzip.GzipFile(os.path.join(folder, name + ".json.gz"), "wb", 9, mtime=0) as out:
        out.write(json.dumps(manifest, separators=(",", ":")).encode())
    os.makedirs(os.path.join(MODELS, kind), exist_ok=True)
    synth.write(manifest, os.path.join(MODELS, kind, name + ".safetensors"))
for kind in ("clip_vision", "style_models"): folder_paths.folder_names_and_paths[kind] = ([os.path.join(MODELS, kind)], folder_paths.supported_pt_extensions)
teach()
safetensors.torch.save_file(encodings(), os.path.join(folder, "encodings.safetensors"))
workflows.keep(cases(), os.path.join(folder, "workflows.safetensors"))
