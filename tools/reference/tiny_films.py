"""Makes test/fixtures/vae/tiny-films*: ComfyUI's tiny autoencoders of films (TAEHV) and of Flux.2, their keys, and what its classes make with them.

Usage: PYTHONPATH=REF COMFY=... TORCHSDE=... KITCHEN=... python tools/reference/tiny_films.py   (in the repository's root)
(REF holds comfy_env.py and synth.py.)
"""
import json
import tempfile

import comfy_env  # makes ComfyUI importable
import comfy.sd
import comfy.taesd.taehv
import comfy.taesd.taesd
import comfy.utils
import latent_preview
import numpy
import safetensors.torch
import synth
import torch

OUT = "test/fixtures/vae"
folder = tempfile.mkdtemp()
tensors = {}
torch.manual_seed(17)


def model(name, state, dtype="F32"):
    manifest = {key: [dtype, list(value.shape)] for key, value in state.items()}
    with open(f"{OUT}/{name}.json", "w") as file:
        json.dump(manifest, file, separators=(",", ":"))
    path = f"{folder}/{name}.safetensors"
    synth.write(manifest, path)
    return path


def keep(name, value):
    tensors[name] = value.detach().float().cpu().contiguous().clone()
    return value


def numbers_of(picture):
    return torch.from_numpy(numpy.array(picture))


with torch.inference_mode():
    for name, channels, dtype in (("lighttaew2_1", 16, "BF16"), ("taew2_1", 16, "F16"), ("lighttaew2_2", 48, "BF16")):
        path = model(name, comfy.taesd.taehv.TAEHV(latent_channels=channels).state_dict(), dtype)
        vae = comfy.sd.VAE(sd=comfy.utils.load_torch_file(path), dtype=torch.float32)
        latent = keep(f"{name}.latent", torch.randn(1, channels, 2, 3, 4))
        keep(f"{name}.decoded", vae.decode(latent)[0])
        if dtype == "F16":
            continue
        pixels = keep(f"{name}.pixels", torch.rand(5, 32, 48, 3))
        keep(f"{name}.encoded", vae.encode(pixels))
        keep(f"{name}.preview", numbers_of(latent_preview.TAEHVPreviewerImpl(vae).decode_latent_to_preview(latent)))
    module = comfy.taesd.taesd.TAESD(latent_channels=128)
    files = [model(f"taef2_{part}", getattr(module, f"taesd_{part}").state_dict()) for part in ("encoder", "decoder")]
    vae = comfy.taesd.taesd.TAESD(*files, latent_channels=128)
    latent = keep("taef2.latent", torch.randn(1, 128, 3, 2))
    keep("taef2.decoded", ((vae.decode(latent) + 1) / 2).clamp(0, 1).movedim(1, -1))
    pixels = keep("taef2.pixels", torch.rand(1, 32, 48, 3))
    keep("taef2.encoded", vae.encode(pixels.movedim(-1, 1) * 2 - 1))
    keep("taef2.preview", numbers_of(latent_preview.TAESDPreviewerImpl(vae).decode_latent_to_preview(latent)))
safetensors.torch.save_file(tensors, f"{OUT}/tiny-films.safetensors")
