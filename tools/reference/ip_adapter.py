"""Makes test/fixtures/ip-adapter: narrow IP-Adapters and an image encoder, and what KSampler makes of models that see pictures through them
with ComfyUI_IPAdapter_plus (github cubiq/ComfyUI_IPAdapter_plus, its checkout in IPADAPTER).

Usage: REF=... COMFY=... TORCHSDE=... IPADAPTER=... python tools/reference/ip_adapter.py MODELS FIXTURES [NAME...]   (MODELS: the tiny checkpoints)
"""
import gzip
import importlib
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
MODELS, FIXTURES = sys.argv[1:3]
sys.argv = [sys.argv[0], MODELS, os.path.join(FIXTURES, "workflows.safetensors"), *sys.argv[3:]]
import control_workflows as workflows
import comfy.clip_vision
import folder_paths
import nodes
import synth

NARROW = [  # what the pack fixes for full widths
    ("is_sdxl = output_cross_attention_dim == 2048", "is_sdxl = output_cross_attention_dim == 320"),
    ("range(2) if id in [4, 5] else range(10)", "range(1) if id in [4, 5] else range(2)"),
    ("range(2) if id in [3, 4, 5] else range(10)", "range(1) if id in [3, 4, 5] else range(2)"),
    ("for index in range(10):", "for index in range(2):"),
    ("layers = 11 if '101_to_k_ip' in ipadapter.ip_layers.to_kvs else 16", "layers = 11 if len(ipadapter.ip_layers.to_kvs) > 33 else 16"),
    ("self.clip_embeddings_dim = clip_embeddings_dim", "self.clip_embeddings_dim = clip_embeddings_dim; self._sd = ipadapter_model['image_proj']"),
    ("dim=self.cross_attention_dim,\n            depth=4", "dim=self._sd['proj_in.weight'].shape[0],\n            depth=4"),
    ("heads=20 if self.is_sdxl and not self.is_kwai_kolors else 12", "heads=self._sd['layers.0.0.to_q.weight'].shape[0] // 64"),
]


def load_pack():
    folder = os.path.join(tempfile.mkdtemp(), "ipadapter_plus")
    os.makedirs(folder)
    open(os.path.join(folder, "__init__.py"), "w").close()
    for name in ("IPAdapterPlus", "CrossAttentionPatch", "image_proj_models", "utils"):
        source = open(os.path.join(os.environ["IPADAPTER"], name + ".py")).read()
        for old, new in NARROW: source = source.replace(old, new)
        open(os.path.join(folder, name + ".py"), "w").write(source)
    sys.path.insert(0, os.path.dirname(folder))
    pack = importlib.import_module("ipadapter_plus.IPAdapterPlus")
    nodes.NODE_CLASS_MAPPINGS.update(pack.NODE_CLASS_MAPPINGS)


MODULES = {"sd15": [32, 32, 64, 64, 128, 128, 128, 128, 128, 64, 64, 64, 32, 32, 32, 128], "sdxl": [64, 64, *[128] * 4, *[128] * 6, 64, 64, 64, 128, 128]}
TEXT = {"sd15": 128, "sdxl": 320}
WIDTH, EMBED = 32, 40


def adapter(family, kind):
    text = TEXT[family]
    p = "image_proj."
    if kind == "plain": out = {p + "proj.weight": [4 * text, EMBED], p + "proj.bias": [4 * text], p + "norm.weight": [text], p + "norm.bias": [text]}
    elif kind == "full": out = {p + "proj.0.weight": [WIDTH, WIDTH], p + "proj.0.bias": [WIDTH], p + "proj.2.weight": [text, WIDTH], p + "proj.2.bias": [text], p + "proj.3.weight": [text], p + "proj.3.bias": [text]}
    else:
        dim = 128
        out = {p + "latents": [1, 16, dim], p + "proj_in.weight": [dim, WIDTH], p + "proj_in.bias": [dim], p + "proj_out.weight": [text, dim], p + "proj_out.bias": [text], p + "norm_out.weight": [text], p + "norm_out.bias": [text]}
        for i in range(4):
            q = f"{p}layers.{i}."
            out.update({q + "0.norm1.weight": [dim], q + "0.norm1.bias": [dim], q + "0.norm2.weight": [dim], q + "0.norm2.bias": [dim], q + "0.to_q.weight": [dim, dim], q + "0.to_kv.weight": [2 * dim, dim],
                        q + "0.to_out.weight": [dim, dim], q + "1.0.weight": [dim], q + "1.0.bias": [dim], q + "1.1.weight": [4 * dim, dim], q + "1.3.weight": [dim, 4 * dim]})
    for index, channels in enumerate(MODULES[family]):
        for layer in ("to_k_ip", "to_v_ip"): out[f"ip_adapter.{2 * index + 1}.{layer}.weight"] = [channels, text]
    return out


def encoder_keys(layers=32, patch=56):
    p = "vision_model."
    out = {p + "embeddings.class_embedding": [WIDTH], p + "embeddings.patch_embedding.weight": [WIDTH, 3, patch, patch], p + "embeddings.position_embedding.weight": [17, WIDTH]}
    for norm in ("pre_layrnorm", "post_layernorm"): out.update({f"{p}{norm}.weight": [WIDTH], f"{p}{norm}.bias": [WIDTH]})
    for i in range(layers):
        q = f"{p}encoder.layers.{i}."
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"): out.update({f"{q}self_attn.{name}.weight": [WIDTH, WIDTH], f"{q}self_attn.{name}.bias": [WIDTH]})
        for name in ("layer_norm1", "layer_norm2"): out.update({f"{q}{name}.weight": [WIDTH], f"{q}{name}.bias": [WIDTH]})
        out.update({f"{q}mlp.fc1.weight": [4 * WIDTH, WIDTH], f"{q}mlp.fc1.bias": [4 * WIDTH], f"{q}mlp.fc2.weight": [WIDTH, 4 * WIDTH], f"{q}mlp.fc2.bias": [WIDTH]})
    return {**out, "visual_projection.weight": [EMBED, WIDTH]}


def manifests():
    typed = lambda own, kind: {key: [kind, shape] for key, shape in own.items()}
    yield "clip_vision", "CLIP-ViT-H-14-laion2B-s32B-b79K", typed(encoder_keys(), "F16")
    yield "ipadapter", "ip-adapter_sd15", typed(adapter("sd15", "plain"), "F16")
    yield "ipadapter", "ip-adapter-plus_sd15", typed(adapter("sd15", "plus"), "F16")
    yield "ipadapter", "ip-adapter-full-face_sd15", typed(adapter("sd15", "full"), "F32")
    yield "ipadapter", "ip-adapter_sdxl_vit-h", typed(adapter("sdxl", "plain"), "F16")
    yield "ipadapter", "ip-adapter-plus_sdxl_vit-h", typed(adapter("sdxl", "plus"), "F16")


def narrow_encoder(sd, prefix="", convert_keys=False):
    config = dict(hidden_size=WIDTH, num_hidden_layers=32, num_attention_heads=16, intermediate_size=4 * WIDTH, num_channels=3, patch_size=56, image_size=224, hidden_act="gelu",
                  model_type="clip_vision_model", projection_dim=EMBED)
    clip = comfy.clip_vision.ClipVisionModel(config)
    assert clip.load_sd(sd)[0] == []
    return clip


TYPES = ["linear", "ease in", "ease out", "ease in-out", "reverse in-out", "weak input", "weak output", "weak middle", "strong middle", "style transfer", "composition",
         "strong style transfer", "style and composition", "style transfer precise", "composition precise"]


class Shown(workflows.Workflow):
    def hints(self, count):
        """Different pictures of one size, without interpolation: a rounding there would be a whole step of 1/255 in what CLIP sees."""
        size = dict(upscale_method="nearest-exact", crop="disabled")
        coarse = self.add("ImageScale", image=self.add("ImageScale", image=self.picture, width=30, height=22, **size), width=150, height=110, **size)
        batch = self.add("ImageBatch", image1=self.picture, image2=self.add("ImageInvert", image=self.picture))
        return batch if count == 2 else self.add("ImageBatch", image1=batch, image2=coarse)

    def pair(self, name):
        return self.add("IPAdapterModelLoader", ipadapter_file=f"{name}.safetensors"), self.add("CLIPVisionLoader", clip_name="CLIP-ViT-H-14-laion2B-s32B-b79K.safetensors")

    def unified(self, preset):
        both = self.add("IPAdapterUnifiedLoader", model=self.model, preset=preset)
        self.model = both
        return [both[0], 1]

    def advanced(self, name, node="IPAdapterAdvanced", image=None, **more):
        loaded, vision = self.pair(name)
        values = dict(weight=0.8, weight_type="linear", combine_embeds="concat", start_at=0.0, end_at=1.0, embeds_scaling="V only")
        values.update(more)
        self.model = self.add(node, model=self.model, ipadapter=loaded, clip_vision=vision, image=image or self.picture, **values)
        return self


def cases():
    for family in ("sd15", "sdxl"):
        plain, plus = ("ip-adapter_sd15", "ip-adapter-plus_sd15") if family == "sd15" else ("ip-adapter_sdxl_vit-h", "ip-adapter-plus_sdxl_vit-h")
        W = lambda *size, **more: Shown(family, *size, **more)
        for kind in TYPES:
            yield f"{family}.{kind}", W().advanced(plain, weight_type=kind).sample(steps=2)
        for scaling in ("K+V", "K+V w/ C penalty", "K+mean(V) w/ C penalty"):
            yield f"{family}.{scaling}", W().advanced(plus, embeds_scaling=scaling).sample(steps=2)
        for combination in ("concat", "add", "subtract", "average", "norm average"):
            w = W(batch=2)
            yield f"{family}.{combination}", w.advanced(plus if combination == "concat" else plain, image=w.hints(3), combine_embeds=combination, weight=0.5).sample(steps=2)
        for preset in ("STANDARD (medium strength)", "PLUS (high strength)"):
            w = W()
            loaded = w.unified(preset)
            w.model = w.add("IPAdapter", model=w.model, ipadapter=loaded, image=w.picture, weight=0.9, start_at=0.0, end_at=0.7, weight_type="prompt is more important")
            yield f"{family}.unified.{preset}", w.sample(steps=4)
        w = W(72, 104, batch=2)
        mask = w.add("LoadImageMask", image="parity.png", channel="green")
        yield f"{family}.masked", w.advanced(plus, attn_mask=mask, image_negative=w.add("ImageInvert", image=w.picture)).sample(steps=2)
        w = W(batch=3)
        loaded, vision = w.pair(plus)
        w.model = w.add("IPAdapterBatch", model=w.model, ipadapter=loaded, clip_vision=vision, image=w.hints(2), weight=0.7, weight_type="linear", start_at=0.0, end_at=1.0, embeds_scaling="V only", encode_batch_size=0)
        yield f"{family}.batch", w.sample(steps=2)
        w = W().advanced(plain, start_at=0.3).advanced(plus, end_at=0.6, weight=0.4)
        yield f"{family}.two", w.sample(steps=4, sampler_name="dpmpp_2m")
        yield f"{family}.cfg1", W().advanced(plain).sample(steps=2, cfg=1.0)
        w = W()
        loaded, vision = w.pair(plus)
        encoded = w.add("IPAdapterEncoder", ipadapter=loaded, clip_vision=vision, image=w.picture, weight=0.9)
        second = w.add("IPAdapterEncoder", ipadapter=loaded, clip_vision=vision, image=w.add("ImageInvert", image=w.picture), weight=1.0)
        both = w.add("IPAdapterCombineEmbeds", embed1=encoded, embed2=second, method="average")
        w.model = w.add("IPAdapterEmbeds", model=w.model, ipadapter=loaded, pos_embed=both, neg_embed=[encoded[0], 1], weight=0.8, weight_type="linear", start_at=0.0, end_at=1.0, embeds_scaling="V only")
        yield f"{family}.embeds", w.sample(steps=2)
        w = W().advanced(plain, node="IPAdapterMS", layer_weights="0:0.5, 3:1.2,6:0.7,10:1", weight_faceidv2=1.0)
        yield f"{family}.layers", w.sample(steps=2)
        yield f"{family}.control", W().control(f"{family}-control", strength=0.5).advanced(plus).sample(steps=2)
    yield "sd15.full", Shown("sd15").advanced("ip-adapter-full-face_sd15").sample(steps=2)
    for expand in (False, True):
        w = Shown("sdxl")
        loaded, vision = w.pair("ip-adapter-plus_sdxl_vit-h")
        w.model = w.add("IPAdapterStyleComposition", model=w.model, ipadapter=loaded, clip_vision=vision, image_style=w.picture, image_composition=w.add("ImageInvert", image=w.picture), weight_style=0.9,
                        weight_composition=0.6, expand_style=expand, combine_embeds="average", start_at=0.0, end_at=1.0, embeds_scaling="V only")
        yield f"sdxl.composition.{expand}", w.sample(steps=2)


os.makedirs(FIXTURES, exist_ok=True)
for kind, name, manifest in manifests():
    with gzip.GzipFile(os.path.join(FIXTURES, name + ".json.gz"), "wb", 9, mtime=0) as out:
        out.write(json.dumps(manifest, separators=(",", ":")).encode())
    os.makedirs(os.path.join(MODELS, kind), exist_ok=True)
    synth.write(manifest, os.path.join(MODELS, kind, name + ".safetensors"))
for kind in ("clip_vision", "ipadapter"): folder_paths.folder_names_and_paths[kind] = ([os.path.join(MODELS, kind)], folder_paths.supported_pt_extensions)
comfy.clip_vision.load_clipvision_from_sd = narrow_encoder
load_pack()
workflows.keep(cases(), os.path.join(FIXTURES, "workflows.safetensors"))
