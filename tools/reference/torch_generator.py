"""Makes test/fixtures/native/torch-generator.json: SHA-256 of what torch's CPU generator yields for sequences of calls.

Usage: python tools/reference/torch_generator.py   (needs torch on an x86 CPU with AVX2)
Each case is one generator; its results are widened to float64 and hashed in the order of the calls.
"""
import hashlib
import json

import torch

DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
CALLS = [("randn", n) for n in (3, 5, 16, 1, 17, 40, 1, 2, 4096, 15)]
CALLS += [("rand", 7), ("rand", 100_000), ("randn", 2), ("randn", 65_536)]

cases = []
for seed in (0, 42, 2**63 + 5, 1_234_567_890_123, -3):
    for name, dtype in DTYPES.items():
        generator = torch.Generator().manual_seed(seed)
        digest = hashlib.sha256()
        for call, count in CALLS:
            values = getattr(torch, call)(count, generator=generator, dtype=dtype)
            digest.update(values.double().numpy().tobytes())
        cases.append({"seed": str(seed), "dtype": name, "sha256": digest.hexdigest()})

with open("test/fixtures/native/torch-generator.json", "w") as file:
    json.dump({"calls": CALLS, "cases": cases}, file, indent=1)
