"""SDXL's UNet and decoder at 1024x1024 in PyTorch, by ComfyUI's own modules: fp16 (the decoder bf16), channels-last, fused attention,
eager and compiled; and what the card's copies and matrix products reach. COMFY names ComfyUI's folder. Prints JSON."""

import argparse
import json
import os
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("--cpu-trial", action="store_true", help="small sizes on the CPU, to see that everything imports")
parser.add_argument("--modes", default="default,reduce-overhead,max-autotune",
                    help="torch.compile's, by commas, or nothing; a mode takes minutes, and what was measured is printed before each")
arguments = parser.parse_args()

sys.argv = [sys.argv[0]] + (["--cpu"] if arguments.cpu_trial else [])
sys.path.insert(0, os.environ["COMFY"])
import comfy.options  # noqa: E402

comfy.options.enable_args_parsing()
import torch  # noqa: E402
from comfy.ldm.models.autoencoder import AutoencoderKL  # noqa: E402
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel  # noqa: E402

DEVICE = "cpu" if arguments.cpu_trial else "cuda"
HALF = torch.float32 if arguments.cpu_trial else torch.float16
WIDE = torch.float32 if arguments.cpu_trial else torch.bfloat16
SIDE = 16 if arguments.cpu_trial else 128
WIDTH = 64 if arguments.cpu_trial else 320
VAE_WIDTH = 32 if arguments.cpu_trial else 128
MODES = [mode for mode in arguments.modes.split(",") if mode]


class Operations:
    """Plain layers, as ComfyUI uses them where nothing is offloaded; its own ones cast their weights at every call."""

    Linear = torch.nn.Linear
    Conv2d = torch.nn.Conv2d
    Conv3d = torch.nn.Conv3d
    GroupNorm = torch.nn.GroupNorm
    LayerNorm = torch.nn.LayerNorm

    @staticmethod
    def conv_nd(dims, *args, **kwargs):
        return (torch.nn.Conv2d if dims == 2 else torch.nn.Conv3d)(*args, **kwargs)


def unet():
    model = UNetModel(
        image_size=32, in_channels=4, out_channels=4, model_channels=WIDTH, num_res_blocks=[2, 2, 2],
        channel_mult=[1, 2, 4], num_head_channels=64, use_spatial_transformer=True,
        transformer_depth=[0, 0, 2, 2, 10, 10], transformer_depth_middle=10,
        transformer_depth_output=[0, 0, 0, 2, 2, 2, 10, 10, 10], use_linear_in_transformer=True,
        context_dim=2048, num_classes="sequential", adm_in_channels=2816, dtype=HALF, device=DEVICE,
        operations=Operations,
    )
    return model.eval().to(DEVICE, HALF, memory_format=torch.channels_last)


def median_ms(body, times=10):
    for _ in range(3):
        body()
    if DEVICE == "cpu":
        start = time.perf_counter()
        body()
        return 1000 * (time.perf_counter() - start)
    measured = []
    for _ in range(times):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        body()
        end.record()
        end.synchronize()
        measured.append(start.elapsed_time(end))
    return sorted(measured)[len(measured) // 2]


@torch.inference_mode()
def main():
    report = {"torch": torch.__version__, "device": DEVICE if DEVICE == "cpu" else torch.cuda.get_device_name()}
    if DEVICE == "cuda":
        a, b = (torch.randn(8192, 8192, device="cuda", dtype=HALF) for _ in range(2))
        report["product_tflops"] = 2 * 8192**3 / median_ms(lambda: a @ b) / 1e9
        large = torch.empty(1 << 30, dtype=torch.uint8, device="cuda")
        other = torch.empty_like(large)
        report["copy_gb_s"] = 2 * large.numel() / median_ms(lambda: other.copy_(large)) / 1e6
        pinned = torch.empty(1 << 30, dtype=torch.uint8, pin_memory=True)
        report["pinned_gb_s"] = large.numel() / median_ms(lambda: large.copy_(pinned, non_blocking=True)) / 1e6
        del a, b, large, other, pinned
        torch.cuda.empty_cache()
    model = unet()
    x = torch.randn(2, 4, SIDE, SIDE, device=DEVICE, dtype=HALF).to(memory_format=torch.channels_last)
    steps = torch.tensor([500.0, 500.0], device=DEVICE)
    context = torch.randn(2, 77, 2048, device=DEVICE, dtype=HALF)
    labels = torch.randn(2, 2816, device=DEVICE, dtype=HALF)
    report["unet_eager_ms"] = median_ms(lambda: model(x, steps, context=context, y=labels))
    if DEVICE == "cuda":
        report["unet_peak_bytes"] = torch.cuda.max_memory_allocated()
    vae = AutoencoderKL(
        ddconfig=dict(double_z=True, z_channels=4, resolution=256, in_channels=3, out_ch=3, ch=VAE_WIDTH,
                      ch_mult=[1, 2, 4, 4], num_res_blocks=2, attn_resolutions=[], dropout=0.0),
        embed_dim=4,
    )
    vae = vae.eval().to(DEVICE, WIDE, memory_format=torch.channels_last)
    latent = torch.randn(1, 4, SIDE, SIDE, device=DEVICE, dtype=WIDE)
    if DEVICE == "cuda":
        torch.cuda.reset_peak_memory_stats()
    report["decode_eager_ms"] = median_ms(lambda: vae.decode(latent))
    if DEVICE == "cuda":
        report["decode_peak_bytes"] = torch.cuda.max_memory_allocated()
    for mode in MODES:
        print(json.dumps(report), flush=True)
        torch._dynamo.reset()
        compiled = torch.compile(model, mode=None if mode == "default" else mode)
        start = time.perf_counter()
        compiled(x, steps, context=context, y=labels)
        if DEVICE == "cuda":
            torch.cuda.synchronize()
        report[f"unet_compile_seconds_{mode}"] = time.perf_counter() - start
        report[f"unet_compiled_ms_{mode}"] = median_ms(lambda: compiled(x, steps, context=context, y=labels))
    print(json.dumps(report))


main()
