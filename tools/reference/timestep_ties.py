"""Makes native/schedule/timestep_ties.h: which timestep ComfyUI tells the network where two are equally near, and only the last bit of a
float32 logarithm decides.

Usage: COMFY=... TORCHSDE=... PYTHONPATH=folder-of-comfy_env.py python tools/reference/timestep_ties.py OUT
MKL's logarithm is off by a bit here and there, by which processor it finds; this is to be run on an AMD one with AVX-512. Around every
middle between two timesteps sigmas are looked at whose timestep differs from what correctly rounded logarithms give.
"""
import sys

import comfy_env  # noqa: F401
import comfy.model_sampling as ms
import numpy as np
import torch
from comfy_extras.nodes_model_advanced import ModelSamplingDiscreteDistilled

REACH = 6  # sigmas on either side of a middle
LEVELS = {
    "kDiscrete": ms.ModelSamplingDiscrete(),
    "kDiscreteZeroSnr": ms.ModelSamplingDiscrete(zsnr=True),
    "kDistilled": ModelSamplingDiscreteDistilled(),
    "kDistilledZeroSnr": ModelSamplingDiscreteDistilled(zsnr=True),
}


def log(sigmas):
    return np.log(sigmas.astype(np.float64)).astype(np.float32)


def lines(entries, width=104):
    text, row = [], " "
    for entry in entries:
        if len(row) + len(entry) + 2 > width:
            text.append(row)
            row = " "
        row += f" {entry},"
    return text + [row]


out = []
for name, levels in LEVELS.items():
    table, stride = levels.log_sigmas.numpy(), getattr(levels, "skip_steps", 1)
    if stride > 1:  # made of float32 sigmas; the others are rounded from float64
        off = np.nonzero(table != log(levels.sigmas.numpy()))[0]
        entries = [f"{{{index}, {float(table[index]).hex()}f}}" for index in off]
        out += [f"constexpr LogSigma {name}Logs[] = {{", *lines(entries), "};"]
    ties = []
    for low in range(len(table) - 1):
        middle = np.float32(np.exp((np.float64(table[low]) + np.float64(table[low + 1])) / 2)).view(np.int32)
        for sigma in (middle + np.arange(-REACH, REACH + 1)).astype(np.int32).view(np.float32):
            told = int(levels.timestep(torch.tensor([sigma.item()])).item())
            rounded = int(np.abs(log(sigma) - table).argmin()) * stride + stride - 1
            if told != rounded:
                ties.append(f"{{{float(sigma).hex()}f, {told}}}")
    out += [f"constexpr TimestepTie {name}Ties[] = {{", *lines(ties), "};"]

with open(sys.argv[1], "w") as file:
    file.write("\n".join([
        "// Where the last bit of a float32 logarithm decides, and torch's is off by it (tools/reference/timestep_ties.py).",
        "#pragma once", "", "namespace latentd {", "",
        "/// A noise level about halfway between two timesteps, and the one that ComfyUI takes.",
        "struct TimestepTie {", "  float sigma;", "  int timestep;", "};", "",
        "/// An entry of a table of logarithms that isn't the nearest float32.",
        "struct LogSigma {", "  int index;", "  float value;", "};", "",
        *out, "", "}  // namespace latentd", ""]))
