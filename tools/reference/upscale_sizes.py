"""An upscale model of the size that people use, with spandrel's own random weights.

Usage: PYTHONPATH=SPANDREL python tools/reference/upscale_sizes.py KIND OUT.safetensors   (SPANDREL is libs/spandrel)
"""

import sys

import torch
from safetensors.torch import save_file

# torchvision without its compiled operators declares some of them all the same.
library = torch.library.Library("torchvision", "FRAGMENT")
for operator in ("nms", "qnms"):
    library.define(operator + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from spandrel.architectures.Compact import Compact  # noqa: E402
from spandrel.architectures.DAT import DAT  # noqa: E402
from spandrel.architectures.HAT import HAT  # noqa: E402
from spandrel.architectures.OmniSR import OmniSR  # noqa: E402
from spandrel.architectures.PLKSR import RealPLKSR  # noqa: E402
from spandrel.architectures.SPAN import SPAN  # noqa: E402
from spandrel.architectures.Swin2SR import Swin2SR  # noqa: E402
from spandrel.architectures.SwinIR import SwinIR  # noqa: E402

SIX = dict(depths=[6] * 6, num_heads=[6] * 6)
KINDS = {
    # realesr-general-x4v3
    "compact": lambda: Compact(num_feat=64, num_conv=32, upscale=4),
    "span": lambda: SPAN(num_in_ch=3, num_out_ch=3, feature_channels=48, upscale=4, norm=False),
    "realplksr": lambda: RealPLKSR(dim=64, n_blocks=28, upscaling_factor=4, kernel_size=17, split_ratio=0.25),
    "omnisr": lambda: OmniSR(num_feat=64, block_num=1, res_num=5, up_scale=4, pe=True, window_size=8, bias=True),
    # SwinIR-M, real-world and classical
    "swinir": lambda: SwinIR(img_size=64, embed_dim=180, **SIX, window_size=8, mlp_ratio=2, upscale=4, upsampler="nearest+conv"),
    "swin2sr": lambda: Swin2SR(img_size=64, embed_dim=180, **SIX, window_size=8, mlp_ratio=2, upscale=4, upsampler="pixelshuffle"),
    # HAT_SRx4
    "hat": lambda: HAT(embed_dim=180, **SIX, window_size=16, compress_ratio=3, squeeze_factor=30, overlap_ratio=0.5, mlp_ratio=2, upscale=4),
    # DAT_x4
    "dat": lambda: DAT(embed_dim=180, split_size=[8, 32], depth=[6] * 6, num_heads=[6] * 6, expansion_factor=4, upscale=4),
}

torch.manual_seed(8)
save_file({key: value.contiguous() for key, value in KINDS[sys.argv[1]]().state_dict().items()}, sys.argv[2])
