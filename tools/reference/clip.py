"""Makes test/fixtures/clip/: prompts, embeddings and encoded text by ComfyUI's own tokenizers and text encoders.

Usage: PYTHONPATH=REF COMFY=... TORCHSDE=... MODELS=... python tools/reference/clip.py   (in the repository's root)
REF holds comfy_env.py and synth.py, MODELS/checkpoints the tiny checkpoints.
"""
import json
import math
import os
import random

import comfy_env  # noqa: F401  makes ComfyUI importable, and narrows its encoders for tiny checkpoints
import comfy.sd
import comfy.supported_models as sm
import safetensors.torch
import synth
import torch
from comfy import sd1_clip
from comfy_extras.nodes_clip_sdxl import CLIPTextEncodeSDXL

OUT = "test/fixtures/clip"
EMBEDDINGS = f"{OUT}/models/embeddings"
os.makedirs(f"{EMBEDDINGS}/style", exist_ok=True)
os.makedirs(f"{OUT}/manifests", exist_ok=True)


def save_json(name, value):
    with open(f"{OUT}/{name}", "w") as file:
        json.dump(value, file, indent=1)


# Embeddings, as their trainers write them.
torch.manual_seed(3)
randn = lambda *shape: torch.randn(*shape) * 0.1
FILES = {
    "two": {"emb_params": randn(2, 128)},
    "one": {"emb_params": randn(128)},
    "style/both": {"clip_g": randn(3, 192), "clip_l": randn(2, 128)},
    "long": {"emb_params": randn(12, 128)},
    "half": {"emb_params": randn(2, 128).half()},
    "bundle": {
        "lora_te_x.lora_up.weight": randn(1, 1),
        "bundle_emb.a.string_to_param.*": randn(1, 128),
        "bundle_emb.b.string_to_param.*": randn(2, 128),
    },
}
for name, tensors in FILES.items():
    safetensors.torch.save_file(tensors, f"{EMBEDDINGS}/{name}.safetensors")

# Text encoders in the layouts that the tiny checkpoints lack.


def hugging_face(prefix, width, layers, dtype):
    keys = {"embeddings.token_embedding.weight": [49408, width], "embeddings.position_embedding.weight": [77, width]}
    for i in range(layers):
        layer = {"layer_norm1": [width], "layer_norm2": [width], "mlp.fc1": [4 * width, width], "mlp.fc2": [width, 4 * width]}
        layer |= {f"self_attn.{p}_proj": [width, width] for p in ("q", "k", "v", "out")}
        for key, shape in layer.items():
            keys[f"encoder.layers.{i}.{key}.weight"] = shape
            keys[f"encoder.layers.{i}.{key}.bias"] = shape[:1]
    keys |= {"final_layer_norm.weight": [width], "final_layer_norm.bias": [width]}
    return {prefix + key: [dtype, shape] for key, shape in keys.items()}


def open_clip(prefix, width, layers, dtype):
    keys = {"positional_embedding": [77, width], "text_projection": [width, width], "logit_scale": []}
    keys["token_embedding.weight"] = [49408, width]
    for i in range(layers):
        layer = {"ln_1": [width], "ln_2": [width], "mlp.c_fc": [4 * width, width], "mlp.c_proj": [width, 4 * width]}
        for key, shape in (layer | {"attn.out_proj": [width, width]}).items():
            keys[f"transformer.resblocks.{i}.{key}.weight"] = shape
            keys[f"transformer.resblocks.{i}.{key}.bias"] = shape[:1]
        keys[f"transformer.resblocks.{i}.attn.in_proj_weight"] = [3 * width, width]
        keys[f"transformer.resblocks.{i}.attn.in_proj_bias"] = [3 * width]
    keys |= {"ln_final.weight": [width], "ln_final.bias": [width]}
    return {prefix + key: [dtype, shape] for key, shape in keys.items()}


MANIFESTS = {
    "sd15-old": (sm.SD15, hugging_face("cond_stage_model.transformer.", 128, 4, "F32")),
    "sd2": (sm.SD20, open_clip("cond_stage_model.model.", 128, 3, "F32")),
    "refiner": (sm.SDXLRefiner, open_clip("conditioner.embedders.0.model.", 192, 4, "F16")),
    "sdxl-hf": (
        sm.SDXL,
        hugging_face("conditioner.embedders.0.transformer.text_model.", 128, 4, "F16")
        | hugging_face("conditioner.embedders.1.model.transformer.text_model.", 192, 4, "F16")
        | {"conditioner.embedders.1.model.text_projection.weight": ["F16", [192, 192]]},
    ),
}
H = dict(hidden_size=128, intermediate_size=512, num_attention_heads=2, num_hidden_layers=3, projection_dim=128)


def build(family, state_dict):
    """A CLIP as load_state_dict_guess_config makes it."""
    weights = family.process_clip_state_dict(None, state_dict)
    target = family.clip_target(None)
    clip = comfy.sd.CLIP(target, embedding_directory=[EMBEDDINGS], tokenizer_data=weights, model_options={"clip_h_model_config": H})
    missing, unexpected = clip.load_sd(weights, full_model=True)
    allowed = (".logit_scale", ".transformer.text_projection.weight")
    assert not [key for key in missing if not key.endswith(allowed)], missing
    return clip


def checkpoint(name):
    return safetensors.torch.load_file(f"{os.environ['MODELS']}/checkpoints/{name}-tiny.safetensors")


clips = {"sd15": build(sm.SD15, checkpoint("sd15")), "sdxl": build(sm.SDXL, checkpoint("sdxl"))}
for name, (family, manifest) in MANIFESTS.items():
    save_json(f"manifests/{name}.json", manifest)
    tensors = {key: torch.from_numpy(synth.fill(key, shape, dtype)) for key, (dtype, shape) in manifest.items()}
    clips[name] = build(family, tensors)

# Prompts: what each part weighs, and the tokens with embeddings in their places.
random.seed(5)
PROMPTS = [
    "(a:1.2)(b:.5)(c: 2 )(d:1_0.5)(e:+3e-1)(f:1,5)(g:)(:1.5)(h:-0)(i:1.)(j:٣.٥)",
    "((((deep))))) stray) (open (again)", "a) (b) c) ((d)", "\\(plain\\) (\\(weighted\\):1.4) \\\\(x\\\\)", "()(())(( ))",
    "(outer (inner:0.5) tail:1.3), (a)(b) (c:1.2", "(time 12:30:1.25)", "(x:inf) (y:nan)", "(x:1.5)y(z)" * 3, "\t (a:1.1)\n\n(b)\u3000c ",
    "embedding:two", "a embedding:two, b", "(embedding:one:1.5) c", "x\nembedding:both y embedding:style/both", "embedding:bundle,embedding:two",
    "embedding:two,, tail words", "embedding:missing, b", "embedding:two.safetensors embedding:../two  z", "noembedding:two", "word, embedding:long " * 7,
    "castle " * 70 + "(embedding:two:1.1) (dragon knight:1.2)", "<|endoftext|> embedding:two more",
]
ALPHABET = ["(", ")", ":1.3", ":", "cat", " ", "\\(", "\\)", ",", "0.5", "((", "))"]
PROMPTS += ["".join(random.choice(ALPHABET) for _ in range(random.randint(4, 24))) for _ in range(60)]


def plain(token):
    return token.flatten()[:2].tolist() if torch.is_tensor(token) else token


def rows(prompt):
    sections = clips["sd15"].tokenize(prompt)["l"]
    return [[[plain(token), str(weight)] for token, weight in section] for section in sections]


def weights(prompt):
    parts = sd1_clip.token_weights(sd1_clip.escape_important(prompt), 1.0)
    return [[sd1_clip.unescape_important(text), str(weight)] for text, weight in parts]


def trimmed(section):
    """Without the padding, which repeats the end token."""
    end = len(section)
    while end > 1 and section[end - 1] == section[end - 2] == [49407, "1.0"]:
        end -= 1
    return section[:end]


save_json("prompts.json", [{"prompt": p, "weights": weights(p), "rows": [trimmed(r) for r in rows(p)]} for p in PROMPTS])

# Encoded text.
KNIGHT = "a (brave:1.3) knight, pixel art"
CASES = [dict(model=name, text=KNIGHT) for name in clips]
CASES += [dict(model="sd15", text=KNIGHT, layer=layer) for layer in (-1, -3, -4, -5)]
CASES += [dict(model="sdxl", text=KNIGHT, layer=layer) for layer in (-1, -3, -4, -24)]
CASES += [dict(model=name, text="embedding:style/both in a (forest:1.4), embedding:two") for name in ("sd15", "sdxl", "refiner")]
CASES += [
    dict(model="sd2", text=KNIGHT, layer=-1),
    dict(model="sd2", text="", layer=-24),
    dict(model="refiner", text="sword " * 80, layer=-1),
    dict(model="sd15", text=""),
    dict(model="sd15", text="(embedding:one:1.4) <|endoftext|> embedding:two more"),
    dict(model="sd15", text="(embedding:long:0.9) word, " * 9),
    dict(model="sd15", text="(nothing:0.0) at (all:-1.5)"),
    dict(model="sdxl", texts={"l": "a short one", "g": "a (longer:1.2) one, " * 30}),
    dict(model="sdxl", texts={"l": "a (longer:1.2) one, " * 30, "g": "a short one"}),
    dict(model="sdxl", texts={"l": "", "g": ""}),
]


def encode(case):
    clip = clips[case["model"]].clone()
    if "layer" in case:
        clip.clip_layer(case["layer"])
    if "texts" in case:
        node = CLIPTextEncodeSDXL.execute(clip, 64, 64, 0, 0, 64, 64, case["texts"]["g"], case["texts"]["l"])
        return node.result[0][0]
    return clip.encode_from_tokens_scheduled(clip.tokenize(case["text"]))[0]


encoded = {}
for index, case in enumerate(CASES):
    with torch.inference_mode():
        cond, extra = encode(case)
    assert math.isfinite(float(cond.sum())), case
    # Every fifth token: all 77 differ where one does, by the layers' mixing.
    encoded[f"{index}.cond"] = cond[:, ::5].contiguous()
    encoded[f"{index}.pooled"] = extra["pooled_output"].contiguous()
save_json("encoded.json", CASES)
safetensors.torch.save_file({key: value.float() for key, value in encoded.items()}, f"{OUT}/encoded.safetensors")
