"""Makes test/fixtures/model-files/blocks.gguf, a tensor of each of GGUF's types, and blocks.safetensors, what ComfyUI-GGUF reads there:
NAME with its own products (float16), NAME_F32 with dequant_dtype float32.

Usage: GGUF=... python tools/reference/gguf_blocks.py OUT   (GGUF is a checkout of city96/ComfyUI-GGUF; needs gguf and torch)
"""
import importlib.util
import os
import sys

import gguf
import numpy as np
import safetensors.torch
import torch

spec = importlib.util.spec_from_file_location("dequant", os.path.join(os.environ["GGUF"], "dequant.py"))
dequant = importlib.util.module_from_spec(spec)
spec.loader.exec_module(dequant)

G = gguf.GGMLQuantizationType
# Where a block's float16 scales lie; all other bytes may be anything.
HALVES = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2],
          "Q6_K": [208], "IQ4_NL": [0], "IQ4_XS": [0]}
rng = np.random.default_rng(20)
writer = gguf.GGUFWriter(path=None, arch="flux")
writer.add_uint32("latentd.answer", 42)
writer.add_array("comfy.gguf.orig_shape.shaped", [4, 2, 2, 2])
expected = {}
for name, places in HALVES.items():
    values, size = gguf.GGML_QUANT_SIZES[G[name]]
    blocks = rng.integers(0, 256, (6, size), dtype=np.uint8)
    for at in places:
        blocks[:, at:at + 2] = (rng.standard_normal((6, 1)) * 0.01).astype(np.float16).view(np.uint8)
    blocks[5, places[0]:places[0] + 2] = np.array([6e-8], np.float16).view(np.uint8)  # the smallest there is
    rows = blocks.reshape(3, 2 * size)
    writer.add_tensor(name, rows, raw_dtype=G[name])
    for suffix, dtype in (("", None), ("_F32", torch.float32)):
        made = dequant.dequantize(torch.from_numpy(rows.copy()), G[name], (3, 2 * values), dtype=dtype)
        expected[name + suffix] = made.float().contiguous()
plain = rng.standard_normal((2, 4)).astype(np.float32)
writer.add_tensor("F32", plain)
writer.add_tensor("F16", plain.astype(np.float16))
writer.add_tensor("BF16", (plain.view(np.uint32) >> 16).astype(np.uint16).view(np.uint8), raw_dtype=G.BF16)
writer.add_tensor("shaped", rng.standard_normal((8, 4)).astype(np.float32))
out = sys.argv[1]
writer.write_header_to_file(path=f"{out}/blocks.gguf")
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
expected["F32"] = torch.from_numpy(plain)
expected["F16"] = torch.from_numpy(plain).half().float()
expected["BF16"] = torch.from_numpy((plain.view(np.uint32) & 0xffff0000).view(np.float32).copy())
safetensors.torch.save_file(expected, f"{out}/blocks.safetensors")
