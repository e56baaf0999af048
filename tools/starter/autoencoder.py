"""SD 1.x's AutoencoderKL (8 pixels to one latent, 4 channels), narrow, and grown from one on 32x32 pixels.

The pictures are 32x32 pixels, enlarged four times. So only the two coarse levels learn, at 32x32 and 16x16. The two fine
levels halve by averaging and double by repeating, exactly: their residual blocks add nothing. `grow` writes all four.
"""

import torch
from torch import nn
from torch.nn import functional as F

CHANNELS, LATENT = 64, 4
SCALE = 0.18215  # SD 1.x's latent scale


def norm(channels):
    return nn.GroupNorm(32, channels, eps=1e-6)


class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.norm1, self.conv1 = norm(inputs), nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm2, self.conv2 = norm(outputs), nn.Conv2d(outputs, outputs, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)
        if inputs != outputs:
            self.nin_shortcut = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x):
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.conv2(F.silu(self.norm2(h)))
        return h + (self.nin_shortcut(x) if hasattr(self, "nin_shortcut") else x)


class Middle(nn.Module):
    """The two blocks at the bottom; the attention between them adds nothing (see `silent_attention`)."""

    def __init__(self, channels):
        super().__init__()
        self.block_1, self.block_2 = Block(channels, channels), Block(channels, channels)

    def forward(self, x):
        return self.block_2(self.block_1(x))


class Autoencoder(nn.Module):
    """The coarse levels: pixels N*3*32*32 in [-1, 1], latents N*4*16*16."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.ModuleDict({
            "conv_in": nn.Conv2d(3, CHANNELS, 1),
            "halve": nn.Conv2d(CHANNELS, CHANNELS, 3, stride=2),
            "block": Block(CHANNELS, CHANNELS),
            "norm_out": norm(CHANNELS),
            "conv_out": nn.Conv2d(CHANNELS, LATENT, 3, padding=1),
        })
        self.decoder = nn.ModuleDict({
            "conv_in": nn.Conv2d(LATENT, CHANNELS, 3, padding=1),
            "mid": Middle(CHANNELS),
            "first": Block(CHANNELS, CHANNELS),
            "enlarge": nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1),
            "norm_out": norm(CHANNELS),
            "conv_out": nn.Conv2d(CHANNELS, 3, 1),
        })

    def encode(self, pixels):
        e = self.encoder
        x = e.halve(F.pad(e.conv_in(pixels), (0, 1, 0, 1)))
        x = e.block(x)
        return e.conv_out(F.silu(e.norm_out(x)))

    def decode(self, latent):
        d = self.decoder
        x = d.first(d.mid(d.conv_in(latent)))
        x = d.enlarge(F.interpolate(x, scale_factor=2.0))
        return d.conv_out(F.silu(d.norm_out(x)))


def grow(model, mean, std):
    """State dict of the four-level autoencoder under ComfyUI's keys, its latents of mean 0 and deviation 1 / SCALE."""
    own = model.state_dict()
    out = {}

    def copy(source, target):
        for key, value in own.items():
            if key.startswith(source + "."):
                out[target + key[len(source):]] = value.clone()

    def passing(path, channels):
        block = Block(channels, channels)
        for key, value in block.state_dict().items():
            out[f"{path}.{key}"] = torch.zeros_like(value) if "conv" in key else value

    def centred(path, weight, bias):
        """A 1x1 convolution as one of 3x3."""
        out[f"{path}.weight"] = F.pad(weight, (1, 1, 1, 1))
        out[f"{path}.bias"] = bias

    def silent_attention(path):
        out[f"{path}.norm.weight"], out[f"{path}.norm.bias"] = torch.ones(CHANNELS), torch.zeros(CHANNELS)
        for part in ("q", "k", "v", "proj_out"):
            out[f"{path}.{part}.weight"] = torch.zeros(CHANNELS, CHANNELS, 1, 1)
            out[f"{path}.{part}.bias"] = torch.zeros(CHANNELS)

    for half in ("encoder", "decoder"):
        silent_attention(f"{half}.mid.attn_1")
    centred("encoder.conv_in", own["encoder.conv_in.weight"], own["encoder.conv_in.bias"])
    for level in (0, 1, 2):
        passing(f"encoder.down.{level}.block.0", CHANNELS)
    for level in (0, 1):
        weight = torch.zeros(CHANNELS, CHANNELS, 3, 3)
        weight[range(CHANNELS), range(CHANNELS), :2, :2] = 0.25
        out[f"encoder.down.{level}.downsample.conv.weight"] = weight
        out[f"encoder.down.{level}.downsample.conv.bias"] = torch.zeros(CHANNELS)
    copy("encoder.halve", "encoder.down.2.downsample.conv")
    passing("encoder.down.3.block.0", CHANNELS)
    copy("encoder.block", "encoder.mid.block_1")
    passing("encoder.mid.block_2", CHANNELS)
    copy("encoder.norm_out", "encoder.norm_out")
    zeros = torch.zeros_like(own["encoder.conv_out.weight"])
    out["encoder.conv_out.weight"] = torch.cat((own["encoder.conv_out.weight"], zeros))
    # The spread of a latent is the same small one everywhere.
    out["encoder.conv_out.bias"] = torch.cat((own["encoder.conv_out.bias"], torch.zeros(LATENT)))
    scale = 1 / (std * SCALE)
    out["quant_conv.weight"] = torch.diag(torch.cat((scale, torch.zeros(LATENT)))).reshape(8, 8, 1, 1)
    out["quant_conv.bias"] = torch.cat((-mean * scale, torch.full((LATENT,), -8.0)))
    out["post_quant_conv.weight"] = torch.diag(1 / scale).reshape(4, 4, 1, 1)
    out["post_quant_conv.bias"] = mean.clone()

    copy("decoder.conv_in", "decoder.conv_in")
    copy("decoder.mid", "decoder.mid")
    copy("decoder.first", "decoder.up.3.block.0")
    passing("decoder.up.3.block.1", CHANNELS)
    copy("decoder.enlarge", "decoder.up.3.upsample.conv")
    for level in (1, 2):
        centred(f"decoder.up.{level}.upsample.conv", torch.eye(CHANNELS).reshape(CHANNELS, CHANNELS, 1, 1), torch.zeros(CHANNELS))
    for level in (0, 1, 2):
        for block in (0, 1):
            passing(f"decoder.up.{level}.block.{block}", CHANNELS)
    copy("decoder.norm_out", "decoder.norm_out")
    centred("decoder.conv_out", own["decoder.conv_out.weight"], own["decoder.conv_out.bias"])
    return {f"first_stage_model.{key}": value.contiguous() for key, value in out.items()}
