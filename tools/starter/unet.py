"""SD 1.x's UNet in narrow channels; the state dict's keys are ComfyUI's below `model.diffusion_model.`."""

import math

import torch
from torch import nn
from torch.nn import functional as F


class Sequence(nn.Sequential):
    def forward(self, x, embedding, context):
        for part in self:
            if isinstance(part, Residual):
                x = part(x, embedding)
            elif isinstance(part, Transformer):
                x = part(x, context)
            else:
                x = part(x)
        return x


class Residual(nn.Module):
    def __init__(self, inputs, outputs, embedding):
        super().__init__()
        self.in_layers = nn.Sequential(nn.GroupNorm(32, inputs), nn.SiLU(), nn.Conv2d(inputs, outputs, 3, padding=1))
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(embedding, outputs))
        # Dropout has no weights; it keeps the last layer at SD's index, 3.
        self.out_layers = nn.Sequential(nn.GroupNorm(32, outputs), nn.SiLU(), nn.Identity(), nn.Conv2d(outputs, outputs, 3, padding=1))
        nn.init.zeros_(self.out_layers[3].weight)
        nn.init.zeros_(self.out_layers[3].bias)
        if inputs != outputs:
            self.skip_connection = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x, embedding):
        h = self.in_layers(x) + self.emb_layers(embedding)[:, :, None, None]
        h = self.out_layers(h)
        return h + (self.skip_connection(x) if hasattr(self, "skip_connection") else x)


class Attention(nn.Module):
    def __init__(self, width, context, heads=8):
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(context, width, bias=False)
        self.to_v = nn.Linear(context, width, bias=False)
        self.to_out = nn.Sequential(nn.Linear(width, width), nn.Identity())

    def forward(self, x, context):
        def split(y):
            return y.view(len(y), y.shape[1], self.heads, -1).transpose(1, 2)

        # Written out: for maps as small as these, the fused kernel is several times slower backwards on a CPU.
        q, k, v = split(self.to_q(x)), split(self.to_k(context)), split(self.to_v(context))
        y = torch.softmax(q @ k.transpose(2, 3) * q.shape[-1] ** -0.5, -1) @ v
        return self.to_out(y.transpose(1, 2).reshape(x.shape))


class Gated(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.proj = nn.Linear(width, 8 * width)

    def forward(self, x):
        x, gate = self.proj(x).chunk(2, -1)
        return x * F.gelu(gate)


class TransformerBlock(nn.Module):
    def __init__(self, width, context):
        super().__init__()
        self.attn1, self.attn2 = Attention(width, width), Attention(width, context)
        self.ff = nn.ModuleDict({"net": nn.Sequential(Gated(width), nn.Identity(), nn.Linear(4 * width, width))})
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))

    def forward(self, x, context):
        y = self.norm1(x)
        x = x + self.attn1(y, y)
        x = x + self.attn2(self.norm2(x), context)
        return x + self.ff["net"](self.norm3(x))


class Transformer(nn.Module):
    def __init__(self, width, context):
        super().__init__()
        self.norm = nn.GroupNorm(32, width, eps=1e-6)
        self.proj_in, self.proj_out = nn.Conv2d(width, width, 1), nn.Conv2d(width, width, 1)
        self.transformer_blocks = nn.ModuleList([TransformerBlock(width, context)])
        nn.init.zeros_(self.proj_out.weight)
        nn.init.zeros_(self.proj_out.bias)

    def forward(self, x, context):
        n, c, h, w = x.shape
        y = self.proj_in(self.norm(x)).flatten(2).transpose(1, 2)
        for block in self.transformer_blocks:
            y = block(y, context)
        return x + self.proj_out(y.transpose(1, 2).reshape(n, c, h, w))


class Down(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.op = nn.Conv2d(width, width, 3, stride=2, padding=1)

    def forward(self, x):
        return self.op(x)


class Up(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2.0))


class UNet(nn.Module):
    """`widths` from the finest level; `attends` says which levels have transformers; one residual block a level."""

    def __init__(self, widths, attends, context):
        super().__init__()
        self.width = first = widths[0]
        embedding = 4 * first
        self.time_embed = nn.Sequential(nn.Linear(first, embedding), nn.SiLU(), nn.Linear(embedding, embedding))

        def block(inputs, outputs, level, *more):
            transformer = [Transformer(outputs, context)] if attends[level] else []
            return Sequence(Residual(inputs, outputs, embedding), *transformer, *more)

        self.input_blocks = nn.ModuleList([Sequence(nn.Conv2d(4, first, 3, padding=1))])
        skips, width = [first], first
        for level, wide in enumerate(widths):
            self.input_blocks.append(block(width, wide, level))
            width = wide
            skips.append(width)
            if level < len(widths) - 1:
                self.input_blocks.append(Sequence(Down(width)))
                skips.append(width)
        self.middle_block = Sequence(Residual(width, width, embedding), Transformer(width, context), Residual(width, width, embedding))
        self.output_blocks = nn.ModuleList()
        for level in reversed(range(len(widths))):
            for index in range(2):
                more = [Up(widths[level])] if level and index == 1 else []
                self.output_blocks.append(block(width + skips.pop(), widths[level], level, *more))
                width = widths[level]
        self.out = nn.Sequential(nn.GroupNorm(32, first), nn.SiLU(), nn.Conv2d(first, 4, 3, padding=1))
        nn.init.zeros_(self.out[2].weight)
        nn.init.zeros_(self.out[2].bias)

    def forward(self, x, timesteps, context):
        half = self.width // 2
        frequencies = torch.exp(-math.log(10000) * torch.arange(half, device=x.device) / half)
        angles = timesteps[:, None].float() * frequencies
        embedding = self.time_embed(torch.cat((angles.cos(), angles.sin()), 1))
        skips = []
        for block in self.input_blocks:
            x = block(x, embedding, context)
            skips.append(x)
        x = self.middle_block(x, embedding, context)
        for block in self.output_blocks:
            x = block(torch.cat((x, skips.pop()), 1), embedding, context)
        return self.out(x)
