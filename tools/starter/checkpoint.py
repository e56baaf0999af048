"""Writes what was trained as a checkpoint of the SD 1.x family, in half precision, under ComfyUI's keys."""

import os

import numpy as np
import torch
from safetensors.torch import save_file

from autoencoder import Autoencoder, grow
from train_denoiser import Denoiser, learned


def write_checkpoint(out, path):
    state = torch.load(os.path.join(out, "denoiser.pt"), map_location="cpu")
    text, unet = learned(state)
    tensors = {f"model.diffusion_model.{key}": value for key, value in unet.items()}
    model = Autoencoder()
    model.load_state_dict(torch.load(os.path.join(out, "decoder.pt"), map_location="cpu"))
    scale = np.load(os.path.join(out, "latents-scale.npz"))
    tensors |= grow(model, torch.from_numpy(scale["mean"]), torch.from_numpy(scale["std"]))
    tensors |= Denoiser(state["vocabulary"]).text.checkpoint(text)
    tensors = {key: value.half().contiguous() for key, value in tensors.items()}
    tensors["cond_stage_model.transformer.text_model.embeddings.position_ids"] = torch.arange(77)[None]
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    save_file(tensors, path + ".part", metadata={"licence": "CC0-1.0", "title": "starter-sprites", "samples": str(state["losses"][-1][0] if state["losses"] else 0)})
    os.replace(path + ".part", path)
