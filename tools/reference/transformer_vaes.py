"""Makes test/fixtures/vae/transformers.safetensors: what ComfyUI's VAE makes of the tiny autoencoders of transformers, and of pictures in prompts.

Usage: python tools/reference/transformer_vaes.py GOLDEN NODES   (in the repository's root)
GOLDEN holds FAMILY-tiny.golden.safetensors with vae.z, vae.decoded, vae.image and vae.encoded (VAE.decode and VAE.encode; for films
vae.video, as bytes, vae.video_encoded, vae.video_z, and vae.video_decoded_every2, every second frame, row and column), and vision.small
(a picture, and the rows of Qwen2.5-VL's tower). NODES holds what ComfyUI's nodes returned for WORKFLOW below, as NODE.CLASS.OUTPUT. Of decoded pictures every second row and column are kept.
"""
import sys

import numpy as np
from safetensors.numpy import load_file, save_file

# A picture as 17 frames, coded in tiles of space and time; a film that begins with a picture.
WORKFLOW = """{
  "3": {"class_type": "VAELoader", "inputs": {"vae_name": "qwen_image_vae-tiny.safetensors"}},
  "5": {"class_type": "LoadImage", "inputs": {"image": "ref-c.png"}},
  "8": {"class_type": "VAELoader", "inputs": {"vae_name": "wan22_vae-tiny.safetensors"}},
  "9": {"class_type": "Wan22ImageToVideoLatent", "inputs": {"vae": ["8", 0], "width": 64, "height": 32, "length": 5, "batch_size": 2, "start_image": ["5", 0]}},
  "10": {"class_type": "VAEDecodeTiled", "inputs": {"vae": ["3", 0], "samples": ["11", 0], "tile_size": 64, "overlap": 16, "temporal_size": 8, "temporal_overlap": 4}},
  "11": {"class_type": "VAEEncodeTiled", "inputs": {"vae": ["3", 0], "pixels": ["12", 0], "tile_size": 64, "overlap": 16, "temporal_size": 9, "temporal_overlap": 5}},
  "12": {"class_type": "ImageScale", "inputs": {"image": ["13", 0], "upscale_method": "bilinear", "width": 112, "height": 80, "crop": "disabled"}},
  "13": {"class_type": "RepeatImageBatch", "inputs": {"image": ["5", 0], "amount": 17}}
}"""
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
nodes = load_file(sys.argv[2])
keep("tiles.frame", nodes["12.ImageScale.0"][:1])
keep("tiles.encoded", nodes["11.VAEEncodeTiled.0"])
keep("tiles.decoded", nodes["10.VAEDecodeTiled.0"][::4, ::2, ::2])
keep("wan22.picture", nodes["5.LoadImage.0"])
keep("wan22.latent", nodes["9.Wan22ImageToVideoLatent.0"][:1])
save_file(kept, "test/fixtures/vae/transformers.safetensors")
