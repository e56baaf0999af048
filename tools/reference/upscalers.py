"""Small upscale models of every family and variant through spandrel: manifests, inputs and outputs.

Weights follow the recipe of the synthetic checkpoints; buffers that a network derives for itself are kept beside the
outputs (NAME.buffer.KEY) where they hold fractions.

Usage: PYTHONPATH=REF:SPANDREL python tools/reference/upscalers.py FOLDER   (REF holds synth.py, SPANDREL libs/spandrel)
"""

import gzip
import json
import os
import re
import sys

import torch
from safetensors.torch import save_file

# torchvision without its compiled operators declares some of them all the same.
library = torch.library.Library("torchvision", "FRAGMENT")
for operator in ("nms", "qnms"):
    library.define(operator + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import synth  # noqa: E402
from spandrel import ModelLoader  # noqa: E402
from spandrel.architectures.Compact import Compact  # noqa: E402
from spandrel.architectures.DAT import DAT  # noqa: E402
from spandrel.architectures.ESRGAN import ESRGAN  # noqa: E402
from spandrel.architectures.HAT import HAT  # noqa: E402
from spandrel.architectures.OmniSR import OmniSR  # noqa: E402
from spandrel.architectures.PLKSR import PLKSR, RealPLKSR  # noqa: E402
from spandrel.architectures.SPAN import SPAN  # noqa: E402
from spandrel.architectures.Swin2SR import Swin2SR  # noqa: E402
from spandrel.architectures.SwinIR import SwinIR  # noqa: E402

torch.manual_seed(8)


def renamed(rules, upsamplings):
    """Old ESRGAN keys under a newer layout's."""

    def rename(key):
        key = re.sub(r"^model\.0\.", "conv_first.", key)
        key = re.sub(r"^model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\.", rules["block"], key)
        key = re.sub(r"^model\.1\.sub\.\d+\.", rules["trunk"] + ".", key)
        last = 3 * upsamplings + 2
        key = re.sub(rf"^model\.{last}\.", rules["hr"] + ".", key)
        key = re.sub(rf"^model\.{last + 2}\.", "conv_last.", key)
        return re.sub(r"^model\.(\d+)\.", lambda m: f"{rules['up']}{int(m[1]) // 3}.", key)

    return rename


NEW = {"block": r"RRDB_trunk.\1.RDB\2.conv\3.", "trunk": "trunk_conv", "hr": "HRconv", "up": "upconv"}
REAL = {"block": r"body.\1.rdb\2.conv\3.", "trunk": "conv_body", "hr": "conv_hr", "up": "conv_up"}
SWIN = dict(img_size=32, embed_dim=24, depths=[2, 2], num_heads=[3, 2], window_size=8, mlp_ratio=2.0)
SWIN2 = dict(img_size=32, embed_dim=24, depths=[2, 2], num_heads=[3, 2], window_size=8, mlp_ratio=2.0)
DATS = dict(img_size=16, embed_dim=32, split_size=[2, 4], depth=[4, 2], num_heads=[4, 2], expansion_factor=2.0)
HATS = dict(embed_dim=24, depths=(2, 2), num_heads=(2, 3), compress_ratio=3, squeeze_factor=6, mlp_ratio=2.0)

same = lambda key: key
CASES = {
    "esrgan-new-x2": (ESRGAN(num_filters=16, num_blocks=2, scale=2), renamed(NEW, 1)),
    "esrgan-real-x8": (ESRGAN(num_filters=16, num_blocks=1, scale=8), renamed(REAL, 3)),
    "esrgan-x1-grey": (ESRGAN(in_nc=1, out_nc=1, num_filters=16, num_blocks=1, scale=1), same),
    "esrgan-x1-shuffle": (ESRGAN(in_nc=48, num_filters=16, num_blocks=1, scale=4, shuffle_factor=4), renamed(REAL, 2)),
    "compact-x1": (Compact(num_feat=16, num_conv=2, upscale=1), same),
    "compact-x3": (Compact(num_feat=24, num_conv=1, upscale=3), same),
    "span-x4-plain": (SPAN(num_in_ch=3, num_out_ch=3, feature_channels=16, upscale=4, norm=False), same),
    "plksr-ccm-x2": (PLKSR(dim=16, n_blocks=2, upscaling_factor=2, ccm_type="CCM", kernel_size=9), same),
    "plksr-iccm-rect-x3": (
        PLKSR(dim=16, n_blocks=1, upscaling_factor=3, ccm_type="ICCM", kernel_size=9, lk_type="RectSparsePLK", use_ea=False),
        same,
    ),
    "plksr-dccm-x4": (PLKSR(dim=16, n_blocks=1, upscaling_factor=4, ccm_type="DCCM", kernel_size=13, split_ratio=0.5), same),
    "realplksr-norm-x2": (RealPLKSR(dim=16, n_blocks=2, upscaling_factor=2, kernel_size=9, layer_norm=True), same),
    "realplksr-dysample-x4": (RealPLKSR(dim=16, n_blocks=1, upscaling_factor=4, kernel_size=17, dysample=True), same),
    "realplksr-dysample-x3": (
        RealPLKSR(dim=16, n_blocks=1, upscaling_factor=3, kernel_size=5, dysample=True, use_ea=False),
        same,
    ),
    "swinir-shuffle-3conv-x4": (SwinIR(**SWIN, upscale=4, upsampler="pixelshuffle", resi_connection="3conv"), same),
    "swinir-direct-x3": (SwinIR(**SWIN, upscale=3, upsampler="pixelshuffledirect"), same),
    "swinir-nearest-x4": (SwinIR(**SWIN, upscale=4, upsampler="nearest+conv"), same),
    "swinir-jpeg-grey": (SwinIR(**{**SWIN, "window_size": 7, "img_size": 28}, in_chans=1, img_range=255.0, upsampler=""), same),
    "swin2sr-shuffle-x2": (Swin2SR(**SWIN2, upscale=2, upsampler="pixelshuffle"), same),
    "swin2sr-direct-x2": (Swin2SR(**SWIN2, upscale=2, upsampler="pixelshuffledirect", resi_connection="3conv"), same),
    "swin2sr-nearest-x4": (Swin2SR(**SWIN2, upscale=4, upsampler="nearest+conv"), same),
    "swin2sr-aux-x2": (Swin2SR(**SWIN2, upscale=2, upsampler="pixelshuffle_aux"), same),
    "swin2sr-jpeg": (Swin2SR(**{**SWIN2, "window_size": 7, "img_size": 28}, img_range=255.0, upsampler=""), same),
    "omnisr-plain-x3": (OmniSR(num_feat=16, block_num=1, pe=False, res_num=2, up_scale=3), same),
    "omnisr-w4-x4": (OmniSR(num_feat=16, block_num=2, pe=True, window_size=4, up_scale=4, bias=True), same),
    "dat-shuffle-x2": (DAT(**DATS, upscale=2), same),
    "dat-direct-3conv-x3": (
        DAT(**{**DATS, "split_size": [4, 8]}, upscale=3, upsampler="pixelshuffledirect", resi_connection="1conv", qkv_bias=False),
        same,
    ),
    "hat-x2": (HAT(**HATS, window_size=8, upscale=2, upsampler="pixelshuffle"), same),
    "hat-x4": (HAT(**HATS, window_size=4, overlap_ratio=0.5, upscale=4, upsampler="pixelshuffle"), same),
}


# Made in their turn, so that the inputs of those above stay what they are. Padded, the input has 24×24 pixels.
LATER = {
    "plksr-sparse-x2": lambda: (PLKSR(dim=16, n_blocks=2, upscaling_factor=2, lk_type="SparsePLK"), same),
    "compact-grey-to-rgb-x2": lambda: (Compact(num_in_ch=1, num_feat=16, num_conv=1, upscale=2), same),
    "swin2sr-positions-x2": lambda: (Swin2SR(**{**SWIN2, "img_size": 24}, upscale=2, upsampler="pixelshuffledirect", ape=True), same),
    "swin2sr-half-x2": lambda: (Swin2SR(**SWIN2, upscale=2, upsampler="pixelshuffledirect"), same),
    "hat-positions-x2": lambda: (HAT(**HATS, img_size=24, window_size=8, upscale=2, upsampler="pixelshuffle", ape=True), same),
    "omnisr-no-bias-x1": lambda: (OmniSR(num_feat=16, block_num=1, pe=True, res_num=1, up_scale=1, bias=False), same),
}


def fill(key, shape):
    values = torch.from_numpy(synth.fill(key, shape, "F32"))
    return 1 + values.abs() if key.endswith("running_var") else values


def main(folder):
    kept = {}
    for name, case in {**CASES, **LATER}.items():
        model, rename = case() if callable(case) else case
        parameters = set(dict(model.named_parameters()))
        state, manifest = {}, {}
        for key, value in model.state_dict().items():
            own = rename(key)
            recipe = key in parameters or key.endswith(("running_mean", "running_var"))
            if name == "swin2sr-half-x2" and value.is_floating_point():
                value = value.half().float()
            state[own] = fill(own, tuple(value.shape)) if recipe else value
            if name in LATER and key.endswith("logit_scale"):
                # The recipe's 100 is the most that there may be; training begins at 10.
                state[own] = torch.full(value.shape, 10.0).log()
                kept[f"{name}.buffer.{own}"] = state[own].clone()
            manifest[own] = ["F32" if value.is_floating_point() else "I64", list(value.shape)]
            if not recipe and value.is_floating_point() and not key.endswith("attn_mask"):
                kept[f"{name}.buffer.{own}"] = value.float().contiguous().clone()
        described = ModelLoader().load_from_state_dict(dict(state)).eval()
        x = torch.rand(1, described.input_channels, 19, 22)
        with torch.inference_mode():
            y = described(x.clone())
            raw = described.model(x.clone()) if described.size_requirements.check(22, 19) else y
        inside = float(((raw > 0) & (raw < 1)).float().mean())
        print(f"{name}: {described.architecture.id} x{described.scale}, {tuple(y.shape)}, {inside:.2f} within [0, 1]")
        kept[f"{name}.in"], kept[f"{name}.out"] = x, y.contiguous().clone()
        with gzip.GzipFile(os.path.join(folder, f"{name}.json.gz"), "wb", mtime=0) as file:
            file.write(json.dumps(manifest, separators=(",", ":")).encode())
    save_file(kept, os.path.join(folder, "variants.safetensors"))


main(sys.argv[1])
