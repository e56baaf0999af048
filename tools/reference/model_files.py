"""Cases of model files as people have them: what ComfyUI makes of fp8 checkpoints, parts of checkpoints, LoRAs and embeddings of odd
forms (those with PART in their names, beside what OUT has already). `python model_files.py MODELS OUT [PART]` writes the model files into a models folder (with checkpoints/sd15-tiny.safetensors and
sdxl-tiny.safetensors in it) and OUT/cases.json, OUT/expected.safetensors, OUT/loras and OUT/embeddings, the test's fixtures.
ComfyUI's checkout is named by COMFY; `run_workflow` runs one workflow through its node classes.
"""
import json, os, sys
import numpy, torch, safetensors.torch as st
import run_workflow as reference

MODELS, OUT = sys.argv[1:3]
PART = (sys.argv[3:] or [""])[0]
for folder in ("checkpoints", "loras", "embeddings"): os.makedirs(f"{MODELS}/{folder}", exist_ok=True)
for folder in ("loras", "embeddings"): os.makedirs(f"{OUT}/{folder}", exist_ok=True)
UNET = "model.diffusion_model."
E4, E5 = torch.float8_e4m3fn, torch.float8_e5m2
sd15, sdxl = (st.load_file(f"{MODELS}/checkpoints/{name}-tiny.safetensors") for name in ("sd15", "sdxl"))
generator = torch.Generator().manual_seed(5)
def random(*shape): return torch.randn(*shape, generator=generator) * 0.1
def checkpoint(name, tensors): st.save_file({k: v.contiguous().clone() for k, v in tensors.items()}, f"{MODELS}/checkpoints/{name}.safetensors")
def narrowed(tensors, dtype): return {k: v.to(dtype) if v.is_floating_point() else v for k, v in tensors.items()}
def unet(tensors): return {k[len(UNET):]: v for k, v in tensors.items() if k.startswith(UNET)}
def others(tensors): return {k: v for k, v in tensors.items() if not k.startswith(UNET)}
def lora(name, tensors):
    for folder in (MODELS, OUT): st.save_file({k: v.contiguous() for k, v in tensors.items()}, f"{folder}/loras/{name}.safetensors")
def embedding(name, value):
    for folder in (MODELS, OUT): torch.save(value, f"{folder}/embeddings/{name}.pt")

checkpoint("fp8-e4m3", narrowed(sd15, E4))
checkpoint("fp8-e5m2", narrowed(sd15, E5))
checkpoint("fp8-unet", narrowed(unet(sd15), E4))
checkpoint("fp8-encoder", {k: v.to(E5) if k.startswith("cond_stage_model.") and v.is_floating_point() else v for k, v in sd15.items()})
checkpoint("model-prefix", {**{"model." + k: v for k, v in unet(sd15).items()}, **others(sd15)})
checkpoint("prefixed-unet", {k: v for k, v in sd15.items() if k.startswith(UNET)})
def eight(tensors):
    key = UNET + "input_blocks.0.0.weight"; return {**tensors, key: torch.cat([tensors[key], tensors[key].flip(1) * 0.5], 1)}
checkpoint("pix2pix", eight(sd15))
checkpoint("cosxl-edit", {**eight(sdxl), "edm_vpred.sigma_max": torch.tensor([120.0]), "edm_vpred.sigma_min": torch.tensor([0.002])})

GEGLU = "lora_unet_input_blocks_1_1_transformer_blocks_0_ff_net_0_proj"   # 256 x 32
QUERY = "lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q"      # 32 x 32
CONV = "lora_unet_input_blocks_1_0_in_layers_2"                           # 32 x 32 x 3 x 3
def factors(prefix, out, inner, kernel=()):
    return {f"{prefix}.lora_up.weight": random(out, 4, *[1 for _ in kernel]) * 3, f"{prefix}.lora_down.weight": random(4, inner, *kernel) * 3, f"{prefix}.alpha": torch.tensor(2.0)}
shape = {k: tuple(sd15[UNET + k].shape) for k in ("input_blocks.1.1.transformer_blocks.0.ff.net.0.proj.weight", "input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight", "input_blocks.1.0.in_layers.2.weight")}
(go, gi), (qo, qi), (co, ci, *ck) = shape.values()
def dora(*shape): return random(*shape).abs() + 0.5
lora("dora-inputs", {**factors(GEGLU, go, gi), f"{GEGLU}.dora_scale": dora(gi)})
lora("dora-square", {**factors(QUERY, qo, qi), f"{QUERY}.dora_scale": dora(qo)})
lora("dora-outputs", {**factors(GEGLU, go, gi), f"{GEGLU}.dora_scale": dora(go), **factors(QUERY, qo, qi)})
lora("dora-full", {**factors(GEGLU, go, gi), f"{GEGLU}.dora_scale": dora(go, gi)})
lora("dora-convolution", {**factors(CONV, co, ci, ck), f"{CONV}.dora_scale": dora(co, ci, *ck)})
lora("dora-kernel", {**factors(CONV, co, ci, ck), f"{CONV}.dora_scale": dora(1, ck[-1])})
lora("dora-one", {**factors(GEGLU, go, gi), f"{GEGLU}.dora_scale": dora(1)})
lora("fp8", {k: v.to(E4) for k, v in factors(QUERY, qo, qi).items()})
lora("fp8-e5m2", {k: v.to(E5) for k, v in factors(GEGLU, go, gi).items()})
lora("reshape", {**factors(GEGLU, go, gi), f"{GEGLU}.reshape_weight": torch.tensor([go, gi])})
PEFT = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
lora("diffusers", {f"unet.{PEFT}.lora.up.weight": random(qo, 4), f"unet.{PEFT}.lora.down.weight": random(4, qi)})
lora("peft", {f"unet.{PEFT}.lora_B.weight": random(qo, 4), f"unet.{PEFT}.lora_A.weight": random(4, qi)})
lora("processor", {f"unet.{PEFT.replace('.to_', '.processor.to_')}_lora.up.weight": random(qo, 4), f"unet.{PEFT.replace('.to_', '.processor.to_')}_lora.down.weight": random(4, qi)})
BIG = "lora_te2_text_model_encoder_layers_"
width = 192
def both(key, out, inner): return factors(f"{BIG}{key}", out, inner)
lora("bigg", {**both("0_self_attn_q_proj", width, width), **both("1_self_attn_out_proj", width, width), **both("1_self_attn_k_proj", width, width)})
NAN = factors(QUERY, qo, qi); NAN[f"{QUERY}.lora_up.weight"][3, 1] = float("nan")
lora("nan-query", NAN)
SELF = QUERY.replace("to_q", "to_k"); INF = factors(SELF, qo, qi); INF[f"{SELF}.lora_down.weight"][0, 0] = float("inf")
lora("infinite-key", INF)

width = 128
embedding("token-tensor", {"string_to_token": {"*": torch.tensor(265)}, "string_to_param": {"*": random(3, width)}, "name": "x"})
embedding("fp8-vectors", {"<x>": random(2, width).to(E4)})

def node(kind, **inputs): return {"class_type": kind, "inputs": inputs}
def workflow(ckpt, clip=None, lora=None, text="pixel art knight with a (golden:1.2) sword", edit=None, strength=0.8):
    flow = {"1": node("CheckpointLoaderSimple", ckpt_name=ckpt + ".safetensors"),
            "2": node("CheckpointLoaderSimple", ckpt_name=(clip or ckpt) + ".safetensors")}
    model, text_model = ["1", 0], ["2", 1]
    if lora:
        flow["3"] = node("LoraLoader", model=model, clip=text_model, lora_name=lora + ".safetensors", strength_model=strength, strength_clip=0.9)
        model, text_model = ["3", 0], ["3", 1]
    flow["4"] = node("CLIPTextEncode", text=text, clip=text_model)
    flow["5"] = node("CLIPTextEncode", text="blurry", clip=text_model)
    flow["6"] = node("EmptyLatentImage", width=64, height=64, batch_size=1)
    positive, negative, latent = ["4", 0], ["5", 0], ["6", 0]
    if edit:
        # Of a plain picture, norms would amplify the last bits.
        flow["11"] = node("CheckpointLoaderSimple", ckpt_name="sd15-tiny.safetensors")
        flow["12"] = node("CLIPTextEncode", text="knight", clip=["11", 1])
        flow["13"] = node("KSampler", model=["11", 0], positive=["12", 0], negative=["12", 0], latent_image=["6", 0], seed=7, steps=1, cfg=1.0,
                          sampler_name="euler", scheduler="normal", denoise=1.0)
        flow["14"] = node("VAEDecode", samples=["13", 0], vae=["11", 2])
        flow["7"] = node("ImageScale", image=["14", 0], upscale_method="nearest-exact", width=edit[0], height=edit[1], crop="disabled")
        flow["8"] = node("InstructPixToPixConditioning", positive=positive, negative=negative, vae=["2", 2], pixels=["7", 0])
        positive, negative, latent = ["8", 0], ["8", 1], (["8", 2] if edit[2] else latent)
    flow["9"] = node("KSampler", model=model, positive=positive, negative=negative, latent_image=latent, seed=42, steps=2, cfg=4.0,
                     sampler_name="euler", scheduler="normal", denoise=1.0)
    flow["10"] = node("SaveLatent", samples=["9", 0], filename_prefix="x")
    return flow

cases = {name: workflow(name) for name in ("fp8-e4m3", "fp8-e5m2", "fp8-encoder", "model-prefix", "pix2pix")}
cases |= {name: workflow(name, "sd15-tiny") for name in ("fp8-unet", "prefixed-unet")}
cases |= {"pix2pix picture": workflow("pix2pix", edit=(67, 70, True)), "pix2pix other size": workflow("pix2pix", edit=(96, 64, False)),
          "cosxl-edit picture": workflow("cosxl-edit", edit=(64, 64, True))}
cases |= {f"lora {name}": workflow("sd15-tiny", lora=name) for name in (
    "dora-inputs", "dora-square", "dora-outputs", "dora-full", "dora-convolution", "dora-kernel", "dora-one", "fp8", "fp8-e5m2", "reshape", "diffusers", "peft",
    "processor", "nan-query", "infinite-key")}
cases |= {"lora dora-full whole": workflow("sd15-tiny", lora="dora-full", strength=1.0), "lora bigg": workflow("sdxl-tiny", lora="bigg"),
          "lora on fp8": workflow("fp8-e4m3", lora="dora-full")}
cases |= {f"embedding {name}": workflow("sd15-tiny", text=f"a embedding:{name} cat") for name in ("token-tensor", "fp8-vectors")}

reference.setup(MODELS); reference.extra()
import nodes, comfy_extras.nodes_ip2p as edits
import comfy.supported_models as families
class TinyEdit(families.SD15_instructpix2pix): unet_config = {**families.SD15_instructpix2pix.unet_config, "model_channels": 32, "context_dim": 128}
class TinyEditXL(families.SDXL_instructpix2pix):
    unet_config = {**families.SDXL_instructpix2pix.unet_config, "model_channels": 32, "context_dim": 320, "adm_in_channels": 192 + 1536, "transformer_depth": [0, 0, 1, 1, 2, 2]}
families.models[:0] = [TinyEdit, TinyEditXL]
nodes.NODE_CLASS_MAPPINGS["InstructPixToPixConditioning"] = edits.InstructPixToPixConditioning
expected, memo = {}, {}
if PART: expected = st.load_file(f"{OUT}/expected.safetensors")
for name, flow in cases.items():
    if PART not in name: continue
    try:
        done = reference.run(flow, memo=memo)
        expected[name] = done["9"][0]["samples"].contiguous().clone()
        print(name, expected[name].std().item(), flush=True)
    except Exception as error: print(name, "FAILS", repr(error)[:200], flush=True)
json.dump({k: v for k, v in cases.items() if k in expected}, open(f"{OUT}/cases.json", "w"), indent=1)
st.save_file(expected, f"{OUT}/expected.safetensors")
