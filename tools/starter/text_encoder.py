"""CLIP's text transformer in SD 1.x's key layout, narrow."""

import torch
from torch import nn

from tokens import LENGTH, VOCABULARY

HEAD = 64  # channels a head, in every CLIP


class Layer(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.layer_norm1, self.layer_norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.self_attn = nn.ModuleDict({name: nn.Linear(width, width) for name in ("q_proj", "k_proj", "v_proj", "out_proj")})
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, 4 * width), "fc2": nn.Linear(4 * width, width)})

    def forward(self, x):
        n, t, c = x.shape
        a, y = self.self_attn, self.layer_norm1(x)
        q, k, v = (a[name](y).view(n, t, c // HEAD, HEAD).transpose(1, 2) for name in ("q_proj", "k_proj", "v_proj"))
        later = torch.full((t, t), float("-inf"), device=x.device).triu(1)
        y = torch.softmax(q @ k.transpose(2, 3) * HEAD**-0.5 + later, -1).to(v.dtype) @ v
        y = y.transpose(1, 2).reshape(n, t, c)
        x = x + a["out_proj"](y)
        y = self.mlp["fc1"](self.layer_norm2(x))
        return x + self.mlp["fc2"](y * torch.sigmoid(1.702 * y))


class TextEncoder(nn.Module):
    """Tokens N*77 to N*77*width. `vocabulary` lists the tokens that have rows of their own; all others share the last."""

    def __init__(self, width, layers, vocabulary):
        super().__init__()
        self.register_buffer("row", torch.full((VOCABULARY,), len(vocabulary)), persistent=False)
        self.row[torch.tensor(vocabulary)] = torch.arange(len(vocabulary))
        self.embeddings = nn.ModuleDict({
            "token_embedding": nn.Embedding(len(vocabulary) + 1, width),
            "position_embedding": nn.Embedding(LENGTH, width),
        })
        nn.init.normal_(self.embeddings["token_embedding"].weight, std=0.3)
        nn.init.normal_(self.embeddings["position_embedding"].weight, std=0.1)
        self.layers = nn.ModuleList(Layer(width) for _ in range(layers))
        self.final_layer_norm = nn.LayerNorm(width)

    def forward(self, tokens):
        e = self.embeddings
        x = e["token_embedding"](self.row[tokens]) + e["position_embedding"].weight
        for layer in self.layers:
            x = layer(x)
        return self.final_layer_norm(x)

    def checkpoint(self, weights):
        """ComfyUI's keys for `weights`, a state dict of this encoder; the shared row is written out for each token."""
        out = {}
        for key, value in weights.items():
            if key == "embeddings.token_embedding.weight":
                value = value[self.row]
            place = "encoder." if key.startswith("layers.") else ""
            out[f"cond_stage_model.transformer.text_model.{place}{key}"] = value
        return out
