"""Checkpoints as torch.save writes them, in both of its layouts, and their tensors as float32.

Usage: torch_files.py FOLDER
"""

import collections
import os
import sys

import numpy
import torch
from safetensors.torch import save_file


def tensors():
    torch.manual_seed(8)
    base = torch.randn(6, 5)
    return {
        "f32": base,
        "f64": torch.randn(3, dtype=torch.float64),
        "f16": torch.randn(2, 3, 2).half(),
        "bf16": torch.randn(7).bfloat16(),
        "i64": torch.arange(-3, 4),
        "i32": torch.arange(5, dtype=torch.int32),
        "u8": torch.tensor([0, 1, 255], dtype=torch.uint8),
        "bool": torch.tensor([True, False, True]),
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 4),
        "transposed": base.t(),
        "rows": base[2:5],
        "columns": base[:, 1:4],
        "every_other": torch.randn(4, 6, 2)[::2, 1::2].permute(2, 0, 1),
        "expanded": torch.randn(3, 1).expand(3, 2),
        "parameter": torch.nn.Parameter(torch.randn(2, 2)),
        "buffer_parameter": torch.nn.Parameter(torch.randn(2), requires_grad=False),
    }


def main(folder):
    plain = tensors()
    ordered = collections.OrderedDict(plain)
    ordered._metadata = collections.OrderedDict({"": {"version": 1}})
    training = {
        "epoch": 3,
        "global_step": numpy.int64(7),
        "loss": numpy.float64(0.25),
        "lr": [0.1, -1e-3],
        "shape": torch.Size([1, 2]),
        "dtype": torch.float32,
        "callbacks": {("a", 1): True, None: False},
        "long": 2**70,
        "state_dict": ordered,
    }
    write = lambda name, value, **options: torch.save(value, os.path.join(folder, name), **options)
    write("zip.pth", training)
    write("zip-protocol4.pt", {"params": {"old": torch.zeros(1)}, "params_ema": plain}, pickle_protocol=4)
    write("legacy.pth", training, _use_new_zipfile_serialization=False)
    write("legacy-protocol4.ckpt", plain, _use_new_zipfile_serialization=False, pickle_protocol=4)
    vectors = {"string_to_token": {"*": 265}, "string_to_param": {"*": torch.randn(2, 4)}, "name": "x", "step": 9}
    write("embedding.pt", vectors)
    expected = {key: value.detach().float().contiguous().clone() for key, value in plain.items()}
    expected["string_to_param.*"] = vectors["string_to_param"]["*"].clone()
    save_file(expected, os.path.join(folder, "expected.safetensors"))


main(sys.argv[1])
