"""Makes test/fixtures/diffusion: narrow UNets of every family, and the autoencoder's odd ways, through ComfyUI's own code.

REF (the folder of comfy_env.py and synth.py), COMFY and TORCHSDE name the reference, as comfy_env.py wants them.
python tools/reference/diffusion_variants.py MODELS OUT    (MODELS/checkpoints/sd15-tiny.safetensors; OUT: test/fixtures/diffusion)
"""
import gzip, json, os, sys
sys.path.insert(0, os.environ["REF"])
import comfy_env  # noqa: F401 (teaches ComfyUI the tiny text encoders and autoencoder)
import numpy as np, torch, safetensors.torch
import comfy.supported_models as sm, comfy.model_detection, comfy.diffusers_convert, comfy.sd, comfy.utils
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
import synth

MODELS, OUT = sys.argv[1:3]
PREFIX = "model.diffusion_model."
TOKENS = 11
SD2_BIAS = PREFIX + "output_blocks.11.1.transformer_blocks.0.norm1.bias"


def layout(**changes):
    config = dict(image_size=32, in_channels=4, out_channels=4, model_channels=32, num_res_blocks=[2, 2, 2, 2],
                  channel_mult=[1, 2, 2, 2], transformer_depth=[1, 1, 1, 1, 1, 1, 0, 0],
                  transformer_depth_output=[1] * 9 + [0] * 3, transformer_depth_middle=1, context_dim=96,
                  use_linear_in_transformer=False, use_spatial_transformer=True, legacy=False, num_heads=8, num_head_channels=-1)
    return {**config, **changes}


WIDE_HEADS = dict(num_heads=-1, num_head_channels=64)
# name: (layout, dtypes, the class of ComfyUI's that it is, with this file's widths, values put in place of synthetic ones)
VARIANTS = {
    "sd2": (layout(model_channels=64, use_linear_in_transformer=True, **WIDE_HEADS), ["BF16"], sm.SD20, {}),
    "sd2-v": (layout(model_channels=64, use_linear_in_transformer=True, **WIDE_HEADS), ["F16"], sm.SD20, {SD2_BIAS: 4.0}),
    "sd15-inpaint": (layout(in_channels=9), ["F16", "F32"], sm.SD15, {}),
    "refiner": (layout(channel_mult=[1, 2, 4, 4], transformer_depth=[0, 0, 2, 2, 2, 2, 0, 0],
                       transformer_depth_output=[0, 0, 0, 2, 2, 2, 2, 2, 2, 0, 0, 0], transformer_depth_middle=2,
                       use_linear_in_transformer=True, num_classes="sequential", adm_in_channels=192 + 1280, **WIDE_HEADS),
                ["F32"], sm.SDXLRefiner, {}),
    "koala": (layout(num_res_blocks=[1, 1, 1], channel_mult=[1, 2, 4], transformer_depth=[0, 1, 2],
                     transformer_depth_output=[0, 0, 1, 2, 2, 3], transformer_depth_middle=-1,
                     use_linear_in_transformer=True, num_classes="sequential", adm_in_channels=192 + 1536, **WIDE_HEADS),
              ["F16"], sm.KOALA_1B, {}),
}


def manifest_of(config, dtypes):
    with torch.device("meta"):
        keys = UNetModel(**config).state_dict()
    return {PREFIX + key: [dtypes[index % len(dtypes)], list(value.shape)] for index, (key, value) in enumerate(keys.items())}


def value(key, shape, dtype):
    """synth.fill, and bfloat16 rounded once from float64."""
    if dtype != "BF16":
        return torch.from_numpy(synth.fill(key, shape, dtype))
    exact = fill64(key, shape)
    near = exact.astype(np.float32)
    bits = near.view(np.uint32).copy()
    odd = (near != exact) & (bits % 2 == 0)
    bits[odd] += np.where(np.abs(near[odd]) > np.abs(exact[odd]), np.uint32(0xFFFFFFFF), np.uint32(1))
    bits = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
    return torch.from_numpy(bits.astype(np.int16).reshape(shape)).view(torch.bfloat16)


def fill64(key, shape):
    s = 2.0 * synth.uniform(key, int(np.prod(shape))) - 1.0
    if "embedding" in key:
        return 0.05 * s
    if len(shape) >= 2:
        return s * np.sqrt(3.0 / np.prod(shape[1:]))
    return 1.0 + 0.1 * s if key.endswith("weight") else 0.05 * s


def state_dict(manifest, scaled):
    tensors = {key: value(key, shape, dtype) for key, (dtype, shape) in manifest.items()}
    for key, factor in scaled.items():
        tensors[key] = (tensors[key].float() * factor).to(tensors[key].dtype)
    return tensors


def model_of(config, base, tensors):
    widths = {key: config.get(key) for key in base.unet_config if key in config}
    tiny = type("Tiny" + base.__name__, (base,), {"unet_config": {**base.unet_config, **widths}})
    sm.models.insert(0, tiny)
    try:
        found = comfy.model_detection.model_config_from_unet(tensors, PREFIX)
    finally:
        sm.models.remove(tiny)
    assert type(found) is tiny, type(found)
    found.set_inference_dtype(torch.float32, None)
    model = found.get_model(tensors, PREFIX)
    model.load_model_weights(dict(tensors), PREFIX)
    return model.eval()


@torch.inference_mode()
def evaluate(model, config, generator, shape=(3, 9, 13), noise=True):
    batch, height, width = shape
    x = torch.randn(batch, 4, height, width, generator=generator)
    sigma = torch.tensor([0.4, 3.0, 14.0][:batch])
    if noise: x = x * sigma.view(-1, 1, 1, 1)
    inputs = {"x": x, "sigma": sigma, "context": torch.randn(batch, TOKENS, config["context_dim"], generator=generator)}
    if config.get("adm_in_channels"):
        inputs["adm"] = torch.randn(batch, config["adm_in_channels"], generator=generator)
    if config["in_channels"] > 4:
        inputs["concat"] = torch.randn(batch, config["in_channels"] - 4, height, width, generator=generator)
    denoised = model.apply_model(x, sigma, c_concat=inputs.get("concat"), c_crossattn=inputs["context"],
                                 **({"y": inputs["adm"]} if "adm" in inputs else {}))
    return {**inputs, "timestep": model.model_sampling.timestep(sigma).float(), "denoised": denoised}


def save(tensors, name):
    safetensors.torch.save_file({key: v.contiguous() for key, v in tensors.items()}, os.path.join(OUT, name))


def unets():
    for name, (config, dtypes, base, scaled) in VARIANTS.items():
        manifest = manifest_of(config, dtypes)
        with gzip.GzipFile(os.path.join(OUT, name + ".json.gz"), "wb", 9, mtime=0) as out:
            out.write(json.dumps(manifest, separators=(",", ":")).encode())
        model = model_of(config, base, state_dict(manifest, scaled))
        print(name, model.model_type, type(model.model_sampling).__mro__[1].__name__)
        save(evaluate(model, config, torch.Generator().manual_seed(7)), name + ".golden.safetensors")


def odd_sizes(name):
    """The tiny checkpoint's own UNet, three rows at once on a latent that halves unevenly."""
    tensors = safetensors.torch.load_file(os.path.join(MODELS, "checkpoints", name + "-tiny.safetensors"))
    config = comfy.model_detection.detect_unet_config(tensors, PREFIX)
    found = comfy.model_detection.model_config_from_unet(tensors, PREFIX)
    found.set_inference_dtype(torch.float32, None)
    model = found.get_model(tensors, PREFIX)
    model.load_model_weights(dict(tensors), PREFIX)
    save(evaluate(model.eval(), config, torch.Generator().manual_seed(8)), name + "-odd.golden.safetensors")


@torch.inference_mode()
def controlled(name):
    """The evaluation of odd_sizes with residuals of a control network: 30 times the synthetic values of their names, one skip left out."""
    tensors = safetensors.torch.load_file(os.path.join(MODELS, "checkpoints", name + "-tiny.safetensors"))
    found = comfy.model_detection.model_config_from_unet(tensors, PREFIX)
    found.set_inference_dtype(torch.float32, None)
    model = found.get_model(tensors, PREFIX)
    model.load_model_weights(dict(tensors), PREFIX)
    odd = safetensors.torch.load_file(os.path.join(OUT, name + "-odd.golden.safetensors"))
    model.eval()
    shapes = []
    given = {"c_crossattn": odd["context"], **({"y": odd["adm"]} if "adm" in odd else {})}
    record = {"patches": {"input_block_patch": [lambda h, options: (shapes.append(list(h.shape)), h)[1]]}}
    model.apply_model(odd["x"], odd["sigma"], transformer_options=record, **given)
    residual = lambda place, shape: 30 * torch.from_numpy(synth.fill("control." + place, shape, "F32"))
    # ComfyUI takes each list from its end: input blocks in order, skips from the last.
    blocks = [residual("block.%d" % index, shapes[index]) if index in (2, 5) else None for index in range(len(shapes))]
    skips = [None if index == 3 else residual("skip.%d" % index, shape) for index, shape in enumerate(shapes)]
    control = {"input": blocks[::-1], "middle": [residual("middle", shapes[-1])], "output": skips}
    denoised = model.apply_model(odd["x"], odd["sigma"], control=control, **given)
    save({"denoised": denoised}, name + "-control.golden.safetensors")


@torch.inference_mode()
def autoencoder():
    tensors = safetensors.torch.load_file(os.path.join(MODELS, "checkpoints", "sd15-tiny.safetensors"))
    own = comfy.utils.state_dict_prefix_replace(dict(tensors), {"first_stage_model.": ""}, filter_keys=True)
    vae = comfy.sd.VAE(sd=own)
    generator = torch.Generator().manual_seed(9)
    latent = torch.randn(2, 4, 12, 9, generator=generator)
    image = torch.rand(1, 75, 107, 3, generator=generator).half().float()
    save({
        "latent": latent, "image": image,
        "decoded": vae.decode(latent).half(),
        # VAEDecodeTiled: tile_size 64, overlap 16
        "decoded.tiled": vae.decode_tiled(latent[:1], tile_x=8, tile_y=8, overlap=2).float(),
        "encoded": vae.encode(image),
        # VAEEncodeTiled: tile_size 64, overlap 16
        "encoded.tiled": vae.encode_tiled(image, tile_x=64, tile_y=64, overlap=16),
    }, "vae.golden.safetensors")


def latent_formats():
    import comfy.latent_formats as formats
    latent = torch.randn(2, 4, 3, 5, generator=torch.Generator().manual_seed(10)) * 3
    tensors = {"latent": latent}
    for name, kind in (("sd", formats.SD15), ("sdxl", formats.SDXL), ("playground", formats.SDXL_Playground_2_5)):
        tensors[name + ".in"], tensors[name + ".out"] = kind().process_in(latent), kind().process_out(latent)
    save(tensors, "latent-formats.golden.safetensors")


def diffusers_keys():
    """Every key of a diffusers autoencoder, and the one that ComfyUI makes of it."""
    own = [key[len("first_stage_model."):] for key in json.load(open(os.environ["MANIFEST"])) if key.startswith("first_stage_model.")]
    table = {}
    for key in own:
        theirs = key
        for side in ("encoder", "decoder"):
            for index in (1, 2): theirs = theirs.replace(f"{side}.mid.block_{index}.", f"{side}.mid_block.resnets.{index - 1}.")
        theirs = theirs.replace("mid.attn_1.", "mid_block.attentions.0.").replace("norm_out.", "conv_norm_out.").replace("nin_shortcut", "conv_shortcut")
        for level in range(4):
            for block in range(3):
                theirs = theirs.replace(f"encoder.down.{level}.block.{block}.", f"encoder.down_blocks.{level}.resnets.{block}.")
                theirs = theirs.replace(f"decoder.up.{level}.block.{block}.", f"decoder.up_blocks.{3 - level}.resnets.{block}.")
            theirs = theirs.replace(f"encoder.down.{level}.downsample.", f"encoder.down_blocks.{level}.downsamplers.0.")
            theirs = theirs.replace(f"decoder.up.{level}.upsample.", f"decoder.up_blocks.{3 - level}.upsamplers.0.")
        if "attentions" in theirs:
            for a, b in ((".norm.", ".group_norm."), (".q.", ".to_q."), (".k.", ".to_k."), (".v.", ".to_v."), (".proj_out.", ".to_out.0.")):
                theirs = theirs.replace(a, b)
        table[theirs] = key
    converted = comfy.diffusers_convert.convert_vae_state_dict({theirs: torch.full((1, 1), float(i)) for i, theirs in enumerate(table)})
    for i, (theirs, key) in enumerate(table.items()):
        assert converted[key].flatten()[0] == i, (theirs, key)
    with open(os.path.join(OUT, "diffusers-vae-keys.json"), "w") as out:
        json.dump(table, out, indent=0)


os.makedirs(OUT, exist_ok=True)
unets()
odd_sizes("sd15")
odd_sizes("sdxl")
controlled("sd15")
controlled("sdxl")
autoencoder()
latent_formats()
diffusers_keys()
