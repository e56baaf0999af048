"""Makes test/fixtures/nodes/latents/: a file of ComfyUI's SaveLatent, and files with what LoadLatent makes of them.

Usage: PYTHONPATH=REF COMFY=... TORCHSDE=... python tools/reference/latent_files.py FOLDER   (REF holds comfy_env.py)
"""
import os
import shutil
import sys

from comfy_nodes import NODES, run
import folder_paths
import safetensors.torch
import torch

FOLDER = sys.argv[1]
os.makedirs(FOLDER, exist_ok=True)
folder_paths.set_input_directory(FOLDER)
folder_paths.set_output_directory(FOLDER)
torch.manual_seed(8)
samples = torch.randn(2, 4, 3, 5)
prompt = {"1": {"class_type": "EmptyLatentImage", "inputs": {"text": "caf\u00e9 \U0001f58c"}}}
NODES["SaveLatent"]().save({"samples": samples}, "saved", prompt=prompt)
shutil.move(os.path.join(FOLDER, "saved_00001_.latent"), os.path.join(FOLDER, "saved.latent"))
for name, dtype in (("unversioned", torch.float32), ("half", torch.float16)):
    safetensors.torch.save_file({"latent_tensor": samples.to(dtype)}, os.path.join(FOLDER, f"{name}.latent"))
expected = {name: run("LoadLatent", latent=f"{name}.latent")[0]["samples"].contiguous() for name in ("saved", "unversioned", "half")}
safetensors.torch.save_file(expected, os.path.join(FOLDER, "expected.safetensors"))
