"""Makes test/fixtures/vae/transformers.safetensors: what ComfyUI's VAE makes of the tiny autoencoders of transformers, and of pictures in prompts.

Usage: python tools/reference/transformer_vaes.py GOLDEN   (in the repository's root)
GOLDEN holds FAMILY-tiny.golden.safetensors with vae.z, vae.decoded, vae.image and vae.encoded (VAE.decode and VAE.encode; for films
vae.video, as bytes, vae.video_encoded, vae.video_z, and vae.video_decoded_every2, every second frame, row and column), and vision.small
(a picture, and the rows of Qwen2.5-VL's tower). Of decoded pictures every second row and column are kept.
"""
import sys

import numpy as np
from safetensors.numpy import load_file, save_file

golden, kept = sys.argv[1], {}
keep = lambda name, value: kept.update({name: np.ascontiguousarray(value)})
for family, name in {"z_image": "ae", "flux2-klein": "flux2_vae", "qwen_image": "qwen_image_vae", "wan22": "wan22_vae"}.items():
    tensors = load_file(f"{golden}/{family}-tiny.golden.safetensors")
    keep(f"{name}.image", tensors["vae.image"])
    decoded = tensors["vae.decoded"]
    keep(f"{name}.z", tensors["vae.z"])
    keep(f"{name}.decoded", decoded.reshape(decoded.shape[-3:])[::2, ::2])
    keep(f"{name}.encoded", tensors["vae.encoded"])
for family, name in {"wan21": "qwen_image_vae", "wan22": "wan22_vae"}.items():
    tensors = load_file(f"{golden}/{family}-tiny.golden.safetensors")
    keep(f"{name}.film", tensors["vae.video"])
    keep(f"{name}.film.z", tensors["vae.video_z"])
    keep(f"{name}.film.decoded", tensors["vae.video_decoded_every2"][0][::2])
    keep(f"{name}.film.encoded", tensors["vae.video_encoded"])
vision = load_file(f"{golden}/qwen_image-tiny.golden.safetensors")
keep("vision.image", vision["vision.small.image"])
keep("vision.rows", vision["vision.small.rows"])
save_file(kept, "test/fixtures/vae/transformers.safetensors")
