"""Makes test/fixtures/lora: what ComfyUI's load_lora and calculate_weight make of every kind of LoRA, and its key maps.

Usage: PYTHONPATH=REF COMFY=... TORCHSDE=... python tools/reference/lora.py MODELS OUT_FOLDER
(REF holds comfy_env.py and run_workflow.py; MODELS/checkpoints the tiny checkpoints)
"""
import gzip
import json
import sys

import run_workflow
import comfy.lora
import nodes
import safetensors.torch
import torch

# torch 2.13's kron refuses the strided result of einsum; older ones took it.
kron = torch.kron
torch.kron = lambda a, b: kron(a.contiguous(), b.contiguous())

torch.manual_seed(3)
LINEAR, CONV = (24, 16), (24, 16, 3, 3)
tensors = {}
cases = []


def case(name, shape, lora, strengths=(0.7, 1.0)):
    """`lora` maps suffixes of the prefix "x" to tensors."""
    weight = torch.randn(shape)
    tensors[f"{name}/weight"] = weight
    file = {"x" + suffix: tensor for suffix, tensor in lora.items()}
    for key, tensor in file.items():
        tensors[f"{name}/lora/{key}"] = tensor.clone().contiguous()
    patches = comfy.lora.load_lora(file, {"x": "layer.weight"}, log_missing=False)
    for strength in strengths:
        out = {}
        for key, patch in patches.items():
            base = weight.clone() if key == "layer.weight" else torch.zeros(shape[0])
            out[key] = comfy.lora.calculate_weight([(strength, patch, 1.0, None, None)], base, key)
            assert not torch.equal(out[key], weight), name
            tensors[f"{name}/{strength}/{key}"] = out[key]
        cases.append(dict(name=name, strength=strength, expected=list(out)))


def r(*shape):
    return torch.randn(shape) * 0.3


alpha = {".alpha": torch.tensor(2.0)}
case("lora linear", LINEAR, {".lora_up.weight": r(24, 4), ".lora_down.weight": r(4, 16), **alpha})
case("lora without alpha", LINEAR, {"_lora.up.weight": r(24, 4), "_lora.down.weight": r(4, 16)})
case("lora half", LINEAR, {".lora_B.weight": r(24, 4).half(), ".lora_A.weight": r(4, 16).half()})
case("lora on 1x1", (24, 16, 1, 1), {".lora.up.weight": r(24, 4), ".lora.down.weight": r(4, 16), **alpha})
case("lora conv", CONV, {".lora_up.weight": r(24, 4, 1, 1), ".lora_down.weight": r(4, 16, 3, 3), **alpha})
case("locon tucker", CONV, {".lora_up.weight": r(24, 4, 1, 1), ".lora_mid.weight": r(4, 4, 3, 3), ".lora_down.weight": r(4, 16, 1, 1), **alpha})
for kind, scale in (("out", torch.rand(24, 1) + 0.5), ("in", torch.rand(1, 16) + 0.5)):
    dora = {".dora_scale": scale, **alpha}
    case(f"dora {kind}", LINEAR, {".lora_up.weight": r(24, 4), ".lora_down.weight": r(4, 16), **dora})
    dora[".dora_scale"] = scale.reshape(*scale.shape, 1, 1)
    case(f"dora conv {kind}", CONV, {".lora_up.weight": r(24, 4, 1, 1), ".lora_down.weight": r(4, 16, 3, 3), **dora})
loha = {".hada_w1_a": r(24, 4), ".hada_w1_b": r(4, 16), ".hada_w2_a": r(24, 4), ".hada_w2_b": r(4, 16), **alpha}
case("loha linear", LINEAR, loha)
case("loha dora", LINEAR, {**loha, ".dora_scale": torch.rand(1, 16) + 0.5})
case("loha conv", CONV, {**loha, ".hada_w1_b": r(4, 144), ".hada_w2_b": r(4, 144)})
case("loha tucker", CONV, {".hada_t1": r(4, 5, 3, 3), ".hada_t2": r(4, 5, 3, 3), ".hada_w1_a": r(4, 24), ".hada_w1_b": r(5, 16), ".hada_w2_a": r(4, 24), ".hada_w2_b": r(5, 16), **alpha})
case("lokr whole", LINEAR, {".lokr_w1": r(4, 2), ".lokr_w2": r(6, 8), **alpha})
case("lokr low rank second", LINEAR, {".lokr_w1": r(4, 2), ".lokr_w2_a": r(6, 3), ".lokr_w2_b": r(3, 8), **alpha})
case("lokr low rank both", LINEAR, {".lokr_w1_a": r(4, 2), ".lokr_w1_b": r(2, 2), ".lokr_w2_a": r(6, 3), ".lokr_w2_b": r(3, 8), **alpha})
case("lokr low rank first", LINEAR, {".lokr_w1_a": r(4, 2), ".lokr_w1_b": r(2, 2), ".lokr_w2": r(6, 8), **alpha})
case("lokr conv", CONV, {".lokr_w1": r(4, 2), ".lokr_w2": r(6, 8, 3, 3), **alpha})
case("lokr conv flat", CONV, {".lokr_w1": r(4, 2), ".lokr_w2_a": r(6, 3), ".lokr_w2_b": r(3, 72), **alpha})
case("lokr tucker", CONV, {".lokr_w1": r(4, 2), ".lokr_t2": r(3, 5, 3, 3), ".lokr_w2_a": r(3, 6), ".lokr_w2_b": r(5, 8), **alpha})
case("lokr dora", LINEAR, {".lokr_w1": r(4, 2), ".lokr_w2": r(6, 8), ".dora_scale": torch.rand(24, 1) + 0.5})
case("glora", LINEAR, {".a1.weight": r(16, 4), ".a2.weight": r(4, 16), ".b1.weight": r(24, 4), ".b2.weight": r(4, 16), **alpha})
case("glora conv", CONV, {".a1.weight": r(16, 4), ".a2.weight": r(4, 16), ".b1.weight": r(24, 4), ".b2.weight": r(4, 144), **alpha})
case("glora old", LINEAR, {".a1.weight": r(4, 16), ".a2.weight": r(16, 4), ".b1.weight": r(4, 16), ".b2.weight": r(24, 4), **alpha})
case("glora old square", (4, 4), {".a1.weight": r(4, 4), ".a2.weight": r(4, 4), ".b1.weight": r(4, 4), ".b2.weight": r(4, 4), **alpha})
case("oft", LINEAR, {".oft_blocks": r(4, 6, 6)})
case("oft constrained conv", CONV, {".oft_blocks": r(4, 6, 6), ".alpha": torch.tensor(0.5)})
case("boft", (32, 16), {".oft_blocks": r(2, 8, 4, 4), ".alpha": torch.tensor(0.5)})
case("boft rescaled", (32, 16), {".oft_blocks": r(3, 4, 8, 8), ".rescale": torch.rand(32, 1) + 0.5, ".alpha": torch.tensor(100.0)})
case("norm", (24,), {".w_norm": r(24), ".b_norm": r(24)})
case("difference", CONV, {".diff": r(*CONV), ".diff_b": r(24)})
case("replacement", LINEAR, {".set_weight": r(*LINEAR)})
case("last wins", LINEAR, {".lora_up.weight": r(24, 4), ".lora_down.weight": r(4, 16), ".diff": r(*LINEAR)})
out = sys.argv[2]
safetensors.torch.save_file(tensors, f"{out}/adapters.safetensors", {"cases": json.dumps(cases)})

run_workflow.setup(sys.argv[1])
for family in ("sd15", "sdxl"):
    model, clip, _ = nodes.CheckpointLoaderSimple().load_checkpoint(f"{family}-tiny.safetensors")
    keys = comfy.lora.model_lora_keys_unet(model.model, {})
    keys = comfy.lora.model_lora_keys_clip(clip.cond_stage_model, keys)
    present = {*model.model.state_dict(), *clip.cond_stage_model.state_dict()}
    keys = {name: target for name, target in keys.items() if target in present}
    with open(f"{out}/{family}-tiny-keys.json.gz", "wb") as file:
        file.write(gzip.compress(json.dumps(keys).encode(), mtime=0))
