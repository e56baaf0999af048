"""Draws sprites, trains a text-to-image model of them from scratch and writes it as a checkpoint; see README.md.

    python tools/starter/train.py --out STATE --checkpoint models/checkpoints/starter-sprites.safetensors
"""

import argparse
import os
import socket
import time

import numpy as np
import torch
import torch.distributed as dist

from autoencoder import Autoencoder
from checkpoint import write_checkpoint
from dataset import pictures
from train_autoencoder import polish_decoder, to_pixels, train_autoencoder
from train_denoiser import CONTEXT, LAYERS, sample_sheet, train_denoiser, vocabulary
from train_text import train_text


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="folder of the state: pictures, latents, weights, sheets, loss plot")
    parser.add_argument("--checkpoint", help="where to write the checkpoint; left out, STATE/starter-sprites.safetensors")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--pictures", type=int, default=60_000)
    parser.add_argument("--autoencoder-steps", type=int, default=1000)
    parser.add_argument("--decoder-steps", type=int, default=1500, help="of the decoder alone, on rougher latents")
    parser.add_argument("--steps", type=int, default=7250, help="of the UNet and the text encoder")
    parser.add_argument("--batch", type=int, default=48, help="pictures a step, over all processes")
    parser.add_argument("--processes", type=int, default=1, help="on a CPU, one core each: faster than threads that wait for each other")
    parser.add_argument("--minutes", type=float, help="stop after so long, state saved; the same command goes on")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main():
    options = arguments()
    os.makedirs(options.out, exist_ok=True)
    torch.set_num_threads(max(1, min(options.processes, os.cpu_count() or 1)))
    autoencoder = train_autoencoder(options.out, options.autoencoder_steps, 32, min(options.pictures, 30_000), options.device, seed=options.seed)
    encode_pictures(options, autoencoder)
    polish_decoder(options.out, options.decoder_steps, 32, min(options.pictures, 30_000), options.device, seed=options.seed)
    train_text(options.out, CONTEXT, LAYERS, vocabulary(), seed=options.seed)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    deadline = None if options.minutes is None else time.time() + 60 * options.minutes
    if options.processes == 1:
        work(0, options, port, deadline)
    else:
        torch.multiprocessing.spawn(work, (options, port, deadline), nprocs=options.processes)
    path = options.checkpoint or os.path.join(options.out, "starter-sprites.safetensors")
    write_checkpoint(options.out, path)
    print(f"{path}: {os.path.getsize(path) / 1e6:.1f} MB")


def encode_pictures(options, autoencoder):
    """The latents of all pictures, of mean 0 and deviation 1 a channel, and what they were before."""
    path = os.path.join(options.out, "latents.npy")
    if os.path.exists(path):
        return
    data = pictures(options.pictures, os.path.join(options.out, "pictures.npy"))
    latents = np.empty((len(data), 4, 16, 16), np.float32)
    with torch.no_grad():
        for start in range(0, len(data), 256):
            latents[start : start + 256] = autoencoder.encode(to_pixels(data[start : start + 256], options.device)).cpu().numpy()
    mean, std = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    np.savez(os.path.join(options.out, "latents-scale.npz"), mean=mean, std=std)
    latents -= mean[:, None, None]
    latents /= std[:, None, None]
    np.save(path + ".part.npy", latents.astype(np.float16))
    os.replace(path + ".part.npy", path)


def work(rank, options, port, deadline):
    if options.processes > 1:
        torch.set_num_threads(1)
        dist.init_process_group("gloo", f"tcp://127.0.0.1:{port}", rank=rank, world_size=options.processes)
    decode = decoder(options.out, options.device)
    latents = np.load(os.path.join(options.out, "latents.npy"), mmap_mode="r")
    average, _, step = train_denoiser(
        options.out, decode, latents, options.steps, options.batch // options.processes, options.device,
        seed=options.seed, rank=rank, processes=options.processes, deadline=deadline,
    )
    if rank == 0:
        sample_sheet(average, decode, os.path.join(options.out, f"samples-{step:06d}.png"), options.device)
    if options.processes > 1:
        dist.barrier()
        dist.destroy_process_group()


def decoder(out, device):
    """Pixels of latents of unit size."""
    model = Autoencoder().to(device)
    model.load_state_dict(torch.load(os.path.join(out, "decoder.pt"), map_location=device))
    scale = np.load(os.path.join(out, "latents-scale.npz"))
    mean, std = (torch.from_numpy(scale[key]).to(device).view(1, 4, 1, 1) for key in ("mean", "std"))

    @torch.no_grad()
    def decode(latents):
        return model.decode(latents * std + mean)

    return decode


if __name__ == "__main__":
    main()

