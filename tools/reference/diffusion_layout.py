"""The keys and shapes of a tiny checkpoint whose UNet has another layout."""
import json
import struct

import torch
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel

PREFIX = "model.diffusion_model."


def layout(base, models, changes):
    with open(f"{models}/checkpoints/{base}-tiny.safetensors", "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    out = {key: entry["shape"] for key, entry in header.items() if not key.startswith(PREFIX) and key != "__metadata__"}
    config = dict(image_size=32, in_channels=4, out_channels=4, model_channels=32, num_res_blocks=[2, 2, 2, 2], channel_mult=[1, 2, 4, 4],
                  transformer_depth=[1, 1, 1, 1, 1, 1, 0, 0], transformer_depth_output=[1] * 9 + [0] * 3, transformer_depth_middle=1, context_dim=128,
                  use_linear_in_transformer=False, use_spatial_transformer=True, legacy=False, num_heads=8, num_head_channels=-1, **{})
    with torch.device("meta"):
        unet = UNetModel(**{**config, **changes}).state_dict()
    return {**{PREFIX + key: list(value.shape) for key, value in unet.items()}, **out}
