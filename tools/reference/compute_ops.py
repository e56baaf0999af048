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


def tiled_attention(query, key, value, tiles):
    """As comfy_extras/nodes_hypertile.py cuts queries, and attention then reads keys and values."""
    down, across, height, width = tiles.tolist()
    count = down * across
    cut = query.unflatten(1, (down, height // down, across, width // across)).transpose(2, 3)
    runs = lambda t: t.reshape(t.shape[0] * count, -1, t.shape[2])
    out = attention(cut.reshape(query.shape[0] * count, -1, query.shape[2]), runs(key), runs(value), 4)
    out = out.unflatten(0, (-1, down, across)).unflatten(3, (height // down, width // across))
    return out.transpose(2, 3).reshape(query.shape)


def attention_received(query, key):
    split = lambda t: t.unflatten(-1, (4, -1)).transpose(1, 2)
    scores = split(query) @ split(key).transpose(-1, -2) * (query.shape[-1] // 4) ** -0.5
    return scores.softmax(-1).mean(1).sum(1)


def merged(x, order, counts):
    """As comfy_extras/nodes_tomesd.py matches tokens: the merged ones, and which of them each token is."""
    count, destinations = counts.tolist()
    sources = len(order) - destinations
    direction = x / x.norm(dim=-1, keepdim=True)
    best, nearest = (direction[:, order[:sources]] @ direction[:, order[sources:]].transpose(1, 2)).max(-1)
    ranking = best.argsort(dim=-1, descending=True)
    groups = torch.zeros(x.shape[:2], dtype=torch.int64)
    for row in range(x.shape[0]):
        groups[row, order[sources:]] = torch.arange(destinations) + sources - count
        for rank, source in enumerate(ranking[row].tolist()):
            groups[row, order[source]] = rank - count if rank >= count else nearest[row, source] + sources - count
    means = torch.stack([torch.stack([x[row, groups[row] == group].mean(0) for group in range(x.shape[1] - count)]) for row in range(x.shape[0])])
    return means, groups


def unmerged(x, order, counts):
    means, groups = merged(x, order, counts)
    return torch.stack([means[row, groups[row]] for row in range(x.shape[0])])


def mean_map(x):
    mean = x.mean(1, keepdim=True)
    low, high = mean.amin((2, 3), keepdim=True), mean.amax((2, 3), keepdim=True)
    return (mean - low) / (high - low)


def scale_low_frequencies(x, factor=0.3):
    """As comfy_extras/nodes_freelunch.py, Fourier_filter with threshold 1."""
    modes = torch.fft.fftshift(torch.fft.fftn(x, dim=(-2, -1)), dim=(-2, -1))
    row, column = x.shape[-2] // 2, x.shape[-1] // 2
    modes[..., row - 1:row + 1, column - 1:column + 1] *= factor
    return torch.fft.ifftn(torch.fft.ifftshift(modes, dim=(-2, -1)), dim=(-2, -1)).real


def whole(*numbers):
    return torch.tensor(numbers, dtype=torch.int32)


case("tiled_attention", tiled_attention, query=randn(2, 24, 32), key=randn(2, 24, 32), value=randn(2, 24, 32), tiles=whole(2, 3, 4, 6))
case("tiled_attention_whole", tiled_attention, query=randn(2, 15, 32), key=randn(2, 15, 32), value=randn(2, 15, 32), tiles=whole(1, 1, 15, 1))
case("attention_received", attention_received, query=randn(2, 9, 32), key=randn(2, 5, 32))
for name, counts in (("few", (3, 4)), ("none", (0, 4)), ("all", (11, 4))):
    case(f"merge_{name}", lambda x, order, counts: merged(x, order, counts)[0], x=randn(2, 15, 8), order=torch.randperm(15).int(), counts=whole(*counts))
    case(f"unmerge_{name}", unmerged, x=randn(2, 15, 8), order=torch.randperm(15).int(), counts=whole(*counts))
case("scale_channels", lambda x: torch.cat([x[:, :2] * 1.3, x[:, 2:]], 1), x=randn(2, 4, 3, 5))
case("scale_channels_map", lambda x, map: torch.cat([x[:, :2] * (1 + 0.3 * map), x[:, 2:]], 1), x=randn(2, 4, 3, 5), map=torch.rand(2, 1, 3, 5))
case("mean_map", mean_map, x=randn(2, 4, 3, 5))
case("low_frequencies", scale_low_frequencies, x=randn(2, 3, 7, 6) + 1)
case("low_frequencies_small", scale_low_frequencies, x=randn(2, 3, 2, 3))
case("grouped_conv", lambda x, weight, bias: F.conv2d(x, weight, bias, stride=2, padding=1, groups=6), x=randn(2, 12, 7, 6), weight=randn(18, 2, 3, 3), bias=randn(18))
case("leaky_relu", lambda x: F.leaky_relu(x, 0.2), x=randn(2, 3, 4, 5))
case("rsqrt", torch.rsqrt, x=torch.rand(2, 3, 4, 5) + 0.1)
case("max_pool", lambda x: F.max_pool2d(x, 3, 2, 1), x=randn(2, 3, 7, 6))
case("max_pool_same", lambda x: F.max_pool2d(x, 5, 1, 2), x=randn(2, 3, 7, 6))
case("bilinear_double", lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False), x=randn(2, 3, 5, 4))
case("bilinear_half", lambda x: F.interpolate(x, scale_factor=0.5, mode="bilinear", align_corners=False), x=randn(2, 3, 6, 4))
case("pad_reflect", lambda x: F.pad(x, (2, 0, 1, 3), mode="reflect"), x=randn(2, 3, 5, 4))
case("multiply", torch.mul, input=randn(2, 3, 4, 5), other=randn(2, 3, 4, 5))
case("add_constant", lambda input, weight: input + weight, input=randn(2, 3, 1, 1), weight=randn(1, 3, 4, 5))
case("select_rows", lambda x, weight: weight[x.argmax(-1)], x=randn(2, 5, 7), weight=randn(7, 8))
case("slice_channels", lambda x: x[:, 1:3], x=randn(2, 4, 3, 5))
case("shuffle_channels", lambda x: x.unflatten(1, (3, 2)).transpose(1, 2).flatten(1, 2), x=randn(2, 6, 3, 5))
case("max_pool_partial", lambda x: F.max_pool2d(x, 2, 2, 0, ceil_mode=True), x=randn(2, 3, 7, 6))



def attention_received_in_tiles(query, key, tiles):
    """As comfy_extras/nodes_sag.py sees what comfy_extras/nodes_hypertile.py has cut: the mean over a picture's tiles."""
    down, across, height, width = tiles.tolist()
    cut = query.unflatten(1, (down, height // down, across, width // across)).transpose(2, 3)
    runs = key.reshape(key.shape[0] * down * across, -1, key.shape[2])
    received = attention_received(cut.reshape(runs.shape[0], -1, query.shape[2]), runs)
    return received.unflatten(0, (-1, down * across)).mean(1)


case("attention_received_tiled", attention_received_in_tiles, query=randn(2, 24, 32), key=randn(2, 24, 32), tiles=whole(2, 3, 4, 6))


def biased_attention(query, key, value, scores, heads=4, key_heads=4):
    split = lambda t, count: t.unflatten(-1, (count, -1)).transpose(1, 2)
    out = F.scaled_dot_product_attention(split(query, heads), split(key, key_heads), split(value, key_heads), attn_mask=scores, enable_gqa=heads != key_heads)
    return out.transpose(1, 2).flatten(2)


case("attention_bias", biased_attention, query=randn(2, 35, 32), key=randn(2, 21, 32), value=randn(2, 21, 32), scores=randn(1, 4, 35, 21))
case("attention_mask", biased_attention, query=randn(2, 35, 32), key=randn(2, 21, 32), value=randn(2, 21, 32), scores=(torch.rand(2, 1, 1, 21) > 0.6).float() * -1e30)
case("attention_shared", lambda query, key, value, scores: biased_attention(query, key, value, scores, 8, 2), query=randn(2, 9, 64), key=randn(2, 9, 16), value=randn(2, 9, 16), scores=torch.full((9, 9), -1e30).triu(1)[None, None])
case("relative_bias", lambda kinds, weight: weight[kinds.long()].permute(2, 0, 1)[None], kinds=torch.randint(7, (9, 5), dtype=torch.int32), weight=randn(7, 4))


def rms_norm(x, weight, heads):
    return F.rms_norm(x.unflatten(-1, (heads, -1)), (x.shape[-1] // heads,), weight, 1e-6).flatten(-2)


def turned(a, b, cosines, sines):
    """Pairs of N×T×heads×(d/2) by angles of N×T×(d/2)."""
    cosines, sines = cosines[:, :, None], sines[:, :, None]
    return a * cosines - b * sines, a * sines + b * cosines


def rotary_neighbours(x, a, b, heads=2):
    pairs = x.unflatten(-1, (heads, -1, 2))
    return torch.stack(turned(pairs[..., 0], pairs[..., 1], a, b), -1).flatten(-3)


def rotary_halves(x, a, b, heads=2):
    pairs = x.unflatten(-1, (heads, 2, -1))
    return torch.stack(turned(pairs[..., 0, :], pairs[..., 1, :], a, b), -2).flatten(-3)


# Appended, so that the draws of what is above stay.
case("rms_norm", lambda x, weight: rms_norm(x, weight, 1), x=randn(2, 5, 12), weight=randn(12))
case("rms_norm_heads", lambda x, weight: rms_norm(x, weight, 3), x=randn(2, 5, 12), weight=randn(4))
case("rms_norm_plain", lambda x: rms_norm(x, None, 3), x=randn(2, 150, 12))
for name, rows in (("shared", 1), ("rows", 2)):
    angles = {"a": torch.cos(randn(rows, 5, 3) * 3), "b": torch.sin(randn(rows, 5, 3) * 3)}
    case(f"rotary_neighbours_{name}", rotary_neighbours, x=randn(2, 5, 12), **angles)
    case(f"rotary_halves_{name}", rotary_halves, x=randn(2, 5, 12), **{part: values.clone() for part, values in angles.items()})
case("modulate", lambda x, a, b: x * (1 + a[:, None]) + b[:, None], x=randn(2, 5, 12), a=randn(2, 12), b=randn(2, 12))
case("modulate_scale", lambda x, a: x * (1 + a), x=randn(2, 5, 12), a=randn(2, 1, 12))
case("modulate_tokens", lambda x, a, b: x * (1 + a) + b, x=randn(2, 5, 12), a=randn(2, 5, 12), b=randn(2, 5, 12))
case("gate", lambda x, v: x * v[:, None], x=randn(2, 5, 12), v=randn(2, 12))
case("take_first", lambda x, like: x[:, :like.shape[1]], x=randn(2, 5, 12), like=randn(2, 3, 4))
case("take_last", lambda x, like: x[:, -like.shape[1]:], x=randn(2, 5, 12), like=randn(2, 3, 4))
case("gelu_tanh", lambda x: F.gelu(x, approximate="tanh"), x=randn(2, 5, 12) * 3)
case("dilated_conv", lambda x, weight: F.conv2d(x, weight, padding=3, dilation=3), x=randn(2, 4, 9, 8), weight=randn(5, 4, 3, 3))
case("resize_corners", lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True), x=randn(2, 3, 5, 4))


def top_shares(x):
    shares = x.softmax(-1)
    return torch.zeros_like(shares).scatter(-1, shares.topk(2, -1).indices, shares.topk(2, -1).values)


case("top_shares", top_shares, x=randn(2, 5, 4))
case("centre_heads", lambda x: (x.unflatten(-1, (3, -1)) - x.unflatten(-1, (3, -1)).mean(-1, keepdim=True)).flatten(-2), x=randn(2, 5, 12))

folder = os.path.join(os.path.dirname(__file__), "../../test/fixtures/compute")
os.makedirs(folder, exist_ok=True)
save_file(cases, os.path.join(folder, "ops.safetensors"))
