"""Makes test/fixtures/compute/ops.safetensors: every operation of the compute graph on small inputs, by torch in float64.

Usage: python tools/reference/compute_ops.py   (needs torch and safetensors)
"""
import os

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

torch.manual_seed(1)
cases: dict[str, torch.Tensor] = {}


def randn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float32)


def case(name: str, function, **tensors: torch.Tensor) -> None:
    """Keeps a case's float32 inputs and its result computed in float64."""
    wide = {key: value.double() if value.is_floating_point() else value for key, value in tensors.items()}
    for key, value in tensors.items():
        cases[f"{name}.{key}"] = value.contiguous()
    cases[f"{name}.out"] = function(**wide).float().contiguous()


def attention(query, key, value, heads, causal=False):
    split = lambda t: t.unflatten(-1, (heads, -1)).transpose(1, 2)
    out = F.scaled_dot_product_attention(split(query), split(key), split(value), is_causal=causal)
    return out.transpose(1, 2).flatten(2)


def geglu(x):
    a, b = x.chunk(2, dim=-1)
    return a * F.gelu(b)


case("conv3x3", lambda x, weight, bias: F.conv2d(x, weight, bias, padding=1),
     x=randn(2, 32, 9, 7), weight=randn(48, 32, 3, 3) * 0.1, bias=randn(48))
case("conv_narrow", lambda x, weight, bias: F.conv2d(x, weight, bias, padding=1),
     x=randn(2, 4, 6, 5), weight=randn(5, 4, 3, 3), bias=randn(5))
case("conv_stride", lambda x, weight, bias: F.conv2d(x, weight, bias, stride=2, padding=1),
     x=randn(2, 32, 9, 8), weight=randn(32, 32, 3, 3) * 0.1, bias=randn(32))
case("conv_asymmetric", lambda x, weight: F.conv2d(F.pad(x, (0, 1, 0, 1)), weight, stride=2),
     x=randn(1, 16, 8, 7), weight=randn(16, 16, 3, 3) * 0.1)
case("conv1x1", lambda x, weight, bias: F.conv2d(x, weight, bias),
     x=randn(2, 64, 5, 7), weight=randn(32, 64, 1, 1) * 0.1, bias=randn(32))
case("conv14x14", lambda x, weight: F.conv2d(x, weight, stride=14),
     x=randn(1, 3, 28, 42), weight=randn(8, 3, 14, 14) * 0.1)
case("linear", F.linear, x=randn(3, 5, 48), weight=randn(40, 48) * 0.1, bias=randn(40))
case("linear_rows", F.linear, x=randn(3, 48), weight=randn(40, 48) * 0.1)
case("group_norm", lambda x, weight, bias: F.group_norm(x, 4, weight, bias, 1e-5),
     x=randn(2, 32, 5, 7) * 3 + 1, weight=randn(32), bias=randn(32))
case("group_norm_rows", lambda x, weight, bias: F.group_norm(x, 4, weight, bias, 1e-6),
     x=randn(2, 32, 11), weight=randn(32), bias=randn(32))
case("layer_norm", lambda x, weight, bias: F.layer_norm(x, (48,), weight, bias, 1e-5),
     x=randn(2, 5, 48) * 2 - 1, weight=randn(48), bias=randn(48))
activations = {
    "silu": F.silu, "gelu": F.gelu, "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
    "relu": F.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh,
}
for name, function in activations.items():
    case(name, lambda x, function=function: function(x), x=randn(2, 6, 16) * 4)
case("geglu", geglu, x=randn(2, 6, 64) * 2)
case("attention", lambda query, key, value: attention(query, key, value, 4),
     query=randn(2, 9, 32), key=randn(2, 5, 32), value=randn(2, 5, 32))
case("attention_causal", lambda query, key, value: attention(query, key, value, 4, True),
     query=randn(2, 9, 32), key=randn(2, 9, 32), value=randn(2, 9, 32))
case("attention_long", lambda query, key, value: attention(query, key, value, 2),
     query=randn(1, 210, 16), key=randn(1, 300, 16), value=randn(1, 300, 16))
case("add", torch.add, input=randn(2, 3, 4, 5), other=randn(2, 3, 4, 5))
case("scale", lambda x: x * 0.18215, x=randn(2, 3, 4))
case("add_per_channel", lambda x, v: x + v[:, :, None, None], x=randn(2, 3, 4, 5), v=randn(2, 3))
case("add_rows", lambda x, weight: x + weight[:x.shape[1]], x=randn(2, 5, 8), weight=randn(7, 8))
case("concat", lambda a, b: torch.cat([a, b], 1), a=randn(2, 3, 4, 5), b=randn(2, 16, 4, 5))
case("upsample_double", lambda x: F.interpolate(x, scale_factor=2.0, mode="nearest"), x=randn(2, 16, 3, 4))
case("upsample_like", lambda x, like: F.interpolate(x, size=like.shape[2:], mode="nearest"),
     x=randn(2, 16, 5, 4), like=randn(2, 3, 9, 7))
case("spatial_to_tokens", lambda x: x.flatten(2).transpose(1, 2), x=randn(2, 16, 3, 5))
case("tokens_to_spatial", lambda x, like: x.transpose(1, 2).unflatten(2, like.shape[2:]),
     x=randn(2, 15, 16), like=randn(2, 3, 3, 5))
case("select_token", lambda x, index: x[torch.arange(3), index.long()],
     x=randn(3, 5, 8), index=torch.tensor([4, 0, 2], dtype=torch.int32))

folder = os.path.join(os.path.dirname(__file__), "../../test/fixtures/compute")
os.makedirs(folder, exist_ok=True)
save_file(cases, os.path.join(folder, "ops.safetensors"))
