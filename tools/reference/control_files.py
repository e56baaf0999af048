"""Writes manifests of narrow ControlNets and T2I-Adapters for the tiny checkpoints (test/fixtures/control/*.json.gz), and the files that they describe.

Usage: REF=... COMFY=... TORCHSDE=... python tools/reference/control_files.py FIXTURES MODELS   (REF holds comfy_env.py and synth.py)
"""
import gzip
import inspect
import json
import os
import sys
import textwrap

sys.path.insert(0, os.environ["REF"])
import comfy_env  # noqa: F401 (teaches ComfyUI the tiny checkpoints)
import comfy.cldm.cldm as cldm
import comfy.controlnet
import comfy.model_detection
import comfy.t2i_adapter.adapter as adapter
import comfy.utils
import synth
import torch

SD15 = dict(image_size=32, in_channels=4, model_channels=32, hint_channels=3, num_res_blocks=[2, 2, 2, 2], channel_mult=[1, 2, 4, 4],
            transformer_depth=[1, 1, 1, 1, 1, 1, 0, 0], transformer_depth_middle=1, context_dim=128, use_linear_in_transformer=False,
            use_spatial_transformer=True, legacy=False, num_heads=8, num_head_channels=-1)
SDXL = {**SD15, **dict(num_res_blocks=[2, 2, 2], channel_mult=[1, 2, 4], transformer_depth=[0, 0, 1, 1, 2, 2], transformer_depth_middle=2, context_dim=320,
                       use_linear_in_transformer=True, num_heads=-1, num_head_channels=64, num_classes="sequential", adm_in_channels=192 + 1536)}
SMALL = {**SDXL, "transformer_depth": [0] * 6, "transformer_depth_middle": 0, "context_dim": 1}
OUTPUTS = {"sd15": [1] * 9 + [0] * 3, "sdxl": [0, 0, 0, 1, 1, 1, 2, 2, 2]}


def teach():
    """What ComfyUI fixes for full widths is taken from the file."""
    source = textwrap.dedent(inspect.getsource(cldm.ControlNet.__init__)).replace("= 320", "= model_channels").replace("super().__init__()", "nn.Module.__init__(self)")
    scope = dict(vars(cldm))
    exec(source, scope)
    cldm.ControlNet.__init__ = scope["__init__"]

    def diffusers_config(state_dict, dtype=None):
        narrow = dict(SD15 if "add_embedding.linear_1.weight" not in state_dict else SDXL)
        if "down_blocks.1.attentions.0.norm.weight" not in state_dict:
            narrow = dict(SMALL)
        narrow.pop("hint_channels")
        depths = OUTPUTS["sd15" if len(narrow["channel_mult"]) == 4 else "sdxl"]
        return {**narrow, "out_channels": 4, "transformer_depth_output": list(depths), "transformer_depth": list(narrow["transformer_depth"])}
    comfy.model_detection.unet_config_from_diffusers_unet = diffusers_config

    light = adapter.Adapter_light.__init__
    adapter.Adapter_light.__init__ = lambda self, channels=None, nums_rb=3, cin=64: light(self, channels=[32, 64, 128, 128], nums_rb=nums_rb, cin=cin)


def shapes(build):
    with torch.device("meta"):
        return {key: list(value.shape) for key, value in build().state_dict().items()}


def diffusers_names(config, own):
    family = "sd15" if len(config["channel_mult"]) == 4 else "sdxl"
    table = comfy.utils.unet_to_diffusers({**config, "transformer_depth": list(config["transformer_depth"]), "transformer_depth_output": list(OUTPUTS[family])})
    names = {ours: theirs for theirs, ours in table.items() if not theirs.startswith("class_embedding")}
    out = {}
    for key, shape in own.items():
        path, part = key.rsplit(".", 1) if "." in key else (key, "")
        if key in names: out[names[key]] = shape
        elif path == "middle_block_out.0": out[f"controlnet_mid_block.{part}"] = shape
        elif path.startswith("zero_convs."): out[f"controlnet_down_blocks.{path.split('.')[1]}.{part}"] = shape
        elif path.startswith("input_hint_block."):
            index = int(path.split(".")[1])
            name = "conv_in" if index == 0 else "conv_out" if index == 14 else f"blocks.{index // 2 - 1}"
            out[f"controlnet_cond_embedding.{name}.{part}"] = shape
        elif key.startswith(("control_add", "task_", "transformer_layes", "spatial_")): out[key.replace(".attn.in_proj.", ".attn.in_proj_")] = shape
        else: raise KeyError(key)
    return out


def control_lora(config, rank=4):
    own = shapes(lambda: cldm.ControlNet(**{**config, "transformer_depth": list(config["transformer_depth"])}))
    out = {"lora_controlnet": [1]}
    for key, shape in own.items():
        path, part = key.rsplit(".", 1)
        if path.startswith(("zero_convs", "input_hint_block", "middle_block_out")) or part == "bias" or len(shape) < 2: out[key] = shape
        else:
            kernel = shape[2:]
            out[f"{path}.up"] = [shape[0], rank, *[1] * len(kernel)]
            out[f"{path}.down"] = [rank, *shape[1:]]
    return out


def manifests():
    control = lambda config, **more: shapes(lambda: cldm.ControlNet(**{**config, **more, "transformer_depth": list(config["transformer_depth"])}))
    typed = lambda own, *types: {key: [types[index % len(types)], shape] for index, (key, shape) in enumerate(own.items())}
    sd15, sdxl = control(SD15), control(SDXL)
    yield "sd15-control", typed({f"control_model.{key}": shape for key, shape in sd15.items()}, "F16")
    yield "sd15-control-diffusers", typed(diffusers_names(SD15, sd15), "F16", "F32")
    yield "sd15-control-diff", typed({**{f"control_model.{key}": shape for key, shape in sd15.items()}, "difference": [1]}, "F16", "F32")
    yield "sd15-control-lora", typed(control_lora(SD15), "F16")
    yield "sdxl-control", typed(sdxl, "F16")
    yield "sdxl-control-small", typed(diffusers_names(SMALL, control(SMALL)), "F16")
    yield "sdxl-control-union", typed(diffusers_names(SDXL, control(SDXL, union_controlnet_num_control_type=6)), "F16")
    full = lambda cin, channels=[32, 64, 128, 128], **more: shapes(lambda: adapter.Adapter(cin=cin, channels=channels, nums_rb=2, sk=True, **more))
    yield "sd15-adapter", typed(full(192, ksize=1, use_conv=False, xl=False), "F16")
    yield "sd15-adapter-grey", typed(full(64, ksize=3, use_conv=True, xl=False), "F32")
    yield "sdxl-adapter", typed(full(768, ksize=1, use_conv=False, xl=True), "F16")
    theirs = lambda key: f"adapter.{key}" if not key.startswith("body.") else "adapter.body.{}.resnets.{}.{}".format(*divmod(int(key.split(".")[1]), 2), key.split(".", 2)[2]) \
        if ".block" in key else "adapter.body.{}.{}".format(int(key.split(".")[1]) // 2, key.split(".", 2)[2])
    yield "sdxl-adapter-diffusers", typed({theirs(key): shape for key, shape in full(256, ksize=1, use_conv=False, xl=True).items()}, "F16")
    yield "sd15-adapter-color", typed(shapes(lambda: adapter.Adapter_light(cin=192, nums_rb=4)), "F16")


def write(fixtures, models):
    os.makedirs(os.path.join(models, "controlnet"), exist_ok=True)
    os.makedirs(fixtures, exist_ok=True)
    for name, manifest in manifests():
        with gzip.GzipFile(os.path.join(fixtures, name + ".json.gz"), "wb", 9, mtime=0) as out:
            out.write(json.dumps(manifest, separators=(",", ":")).encode())
        synth.write(manifest, os.path.join(models, "controlnet", name + ".safetensors"))
    shuffled = os.path.join(models, "controlnet", "sd15_shuffle.safetensors")
    if not os.path.exists(shuffled): os.symlink("sd15-control.safetensors", shuffled)


teach()
if __name__ == "__main__":
    write(*sys.argv[1:3])
