"""Makes test/fixtures/vae/tiny*: ComfyUI's tiny autoencoders (TAESD), their keys, and what its nodes make with them.

Usage: PYTHONPATH=REF COMFY=... TORCHSDE=... MODELS=... python tools/reference/tiny_vae.py FOLDER
(REF holds comfy_env.py and synth.py; MODELS/checkpoints holds sd15-tiny.safetensors.)
"""
import json
import os
import sys
import tempfile

from comfy_nodes import run
import comfy.taesd.taesd
import folder_paths
import latent_preview
import nodes
import numpy
import safetensors.torch
import synth
import torch

out = sys.argv[1]
approx = tempfile.mkdtemp()
folder_paths.folder_names_and_paths["checkpoints"] = ([os.path.join(os.environ["MODELS"], "checkpoints")], {".safetensors"})
folder_paths.folder_names_and_paths["vae_approx"] = ([approx], folder_paths.supported_pt_extensions)
folder_paths.folder_names_and_paths["vae"] = ([], folder_paths.supported_pt_extensions)
torch.manual_seed(13)

for channels, kinds in ((4, ("taesd", "taesdxl")), (16, ("taef1",))):
    module = comfy.taesd.taesd.TAESD(latent_channels=channels)
    for part in ("encoder", "decoder"):
        state = getattr(module, f"taesd_{part}").state_dict()
        manifest = {key: ["F32", list(value.shape)] for key, value in state.items()}
        name = f"{kinds[0]}_{part}"
        with open(os.path.join(out, f"{name}.json"), "w") as file:
            json.dump(manifest, file, separators=(",", ":"))
        for kind in kinds:
            synth.write(manifest, os.path.join(approx, f"{kind}_{part}.safetensors"))

tensors = {}


def keep(name, value):
    tensors[name] = value.detach().float().cpu().contiguous().clone()
    return value


with torch.inference_mode():
    latent = keep("latent", torch.randn(2, 4, 4, 6) * 6)
    wide = keep("latent.wide", torch.randn(1, 4, 10, 9) * 6)
    flux = keep("latent.flux", torch.randn(1, 16, 5, 4) * 2)
    image = keep("image", torch.rand(2, 37, 51, 3))
    large = keep("image.large", torch.rand(1, 80, 96, 3))
    for kind in ("taesd", "taesdxl"):
        vae = run("VAELoader", vae_name=kind)[0]
        keep(f"{kind}.decoded", run("VAEDecode", vae=vae, samples={"samples": latent})[0])
        keep(f"{kind}.encoded", run("VAEEncode", vae=vae, pixels=image)[0]["samples"])
    vae = run("VAELoader", vae_name="taesd")[0]
    keep("raw", vae.first_stage_model.decode(latent[:1]))
    keep("tiled.decoded", run("VAEDecodeTiled", vae=vae, samples={"samples": wide}, tile_size=64, overlap=16)[0])
    keep("tiled.encoded", run("VAEEncodeTiled", vae=vae, pixels=large, tile_size=64, overlap=16)[0]["samples"])
    vae = run("VAELoader", vae_name="taef1")[0]
    keep("taef1.decoded", run("VAEDecode", vae=vae, samples={"samples": flux})[0])
    keep("taef1.encoded", run("VAEEncode", vae=vae, pixels=image[:1])[0]["samples"])

    # A whole workflow.
    model, clip, _ = run("CheckpointLoaderSimple", ckpt_name="sd15-tiny.safetensors")
    vae = run("VAELoader", vae_name="taesd")[0]
    positive = run("CLIPTextEncode", clip=clip, text="a small castle")[0]
    negative = run("CLIPTextEncode", clip=clip, text="")[0]
    keep("workflow.image", torch.rand(1, 64, 64, 3))
    start = run("VAEEncode", vae=vae, pixels=tensors["workflow.image"])[0]
    sampled = run("KSampler", model=model, positive=positive, negative=negative, latent_image=start, seed=7, steps=4, cfg=5.0, sampler_name="euler", scheduler="normal", denoise=0.8)[0]
    keep("workflow.sampled", sampled["samples"])
    keep("workflow.decoded", run("VAEDecode", vae=vae, samples=sampled)[0])

    # A live preview of a latent as the denoiser sees it.
    decoder = comfy.taesd.taesd.TAESD(None, os.path.join(approx, "taesd_decoder.safetensors"), latent_channels=4)
    picture = latent_preview.TAESDPreviewerImpl(decoder).decode_latent_to_preview(latent * 0.18215)
    keep("preview", torch.from_numpy(numpy.array(picture)))
safetensors.torch.save_file(tensors, os.path.join(out, "tiny.safetensors"))

LISTINGS = [
    [],
    ["taesd_decoder.safetensors"],
    ["taesd_decoder.safetensors", "taesd_encoder.pth"],
    ["taesd_encoder.safetensors", "taesd_decoder.txt"],
    ["taesdxl_decoder.safetensors", "taesdxl_encoder.safetensors", "taesd_encoder.safetensors"],
    ["taesd_decoder_v2.safetensors", "taesd_encoder_v2.safetensors"],
    ["sub/taesd_decoder.safetensors", "sub/taesd_encoder.safetensors"],
    ["TAESD_decoder.safetensors", "TAESD_encoder.safetensors"],
    ["taesd3_decoder.pt", "taesd3_encoder.bin", "taef1_encoder.safetensors", "taef1_decoder.ckpt"],
]
listed = []
for names in LISTINGS:
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
            open(os.path.join(folder, name), "w").close()
        folder_paths.folder_names_and_paths["vae_approx"] = ([folder], folder_paths.supported_pt_extensions)
        folder_paths.filename_list_cache.clear()
        listed.append({"files": names, "names": sorted(set(nodes.VAELoader.vae_list(nodes.VAELoader)) - {"pixel_space"})})
with open(os.path.join(out, "tiny-listings.json"), "w") as file:
    json.dump(listed, file, indent=1)
