"""Makes test/fixtures/transformers/workflows.json.gz and latents.safetensors: whole workflows of transformers, and the latents that ComfyUI saves.

Usage: python tools/reference/transformer_workflows.py GOLDEN   (in the repository's root)
GOLDEN holds workflows/FAMILY.json (case -> API workflow) and FAMILY-tiny.golden.safetensors (case -> final latent). Families whose text is T5's
are left out: no package has its vocabulary.
"""
import gzip
import json
import os
import shutil
import sys

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

golden, out = sys.argv[1], "test/fixtures/transformers"
CASES = {
    "flux2-klein": ["ks.cfg4", "edit.default", "inpaint"],
    "flux2-dev": ["ks.cfg4", "edit.offset"],
    "z_image": ["ks.cfg4", "ks.odd", "img2img"],
    "qwen_image": ["ks.cfg4", "edit-plus"],
    "lumina2": ["ks.cfg4", "lumina2-encode"],
    "wan21": ["ks.cfg4"],
    "wan22": ["ks.cfg4", "i2v"],
}
workflows, latents = {}, {}
for family, cases in CASES.items():
    all_cases = json.load(open(f"{golden}/workflows/{family}.json"))
    workflows[family] = {case: all_cases[case] for case in cases}
    with safe_open(f"{golden}/{family}-tiny.golden.safetensors", "np") as tensors:
        for case in cases:
            latents[f"{family}.{case}"] = np.ascontiguousarray(tensors.get_tensor(case).astype(np.float32))
os.makedirs(f"{out}/input", exist_ok=True)
for name in sorted(os.listdir(f"{golden}/input")):
    shutil.copyfile(f"{golden}/input/{name}", f"{out}/input/{name}")
with open(f"{out}/workflows.json.gz", "wb") as file:
    file.write(gzip.compress(json.dumps(workflows, separators=(",", ":")).encode(), 9, mtime=0))
save_file(latents, f"{out}/latents.safetensors")
