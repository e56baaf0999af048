"""Makes test/fixtures/transformers/families.json.gz and families.safetensors: whole workflows of families that no golden has, and the latents that
ComfyUI saves.

Usage: COMFY=... TORCHSDE=... KITCHEN=... PYTHONPATH=folder-of-comfy_env.py,-synth.py-and-run_workflow.py python tools/reference/family_workflows.py [CASE ...]
(in the repository's root). With cases, only these are made anew. Models are made from the manifests beside the fixtures.
"""
import gzip
import json
import os
import shutil
import sys
import tempfile

import numpy as np
import run_workflow  # makes ComfyUI importable
import tiny_families
import synth
from safetensors.numpy import load_file, save_file

OUT = "test/fixtures/transformers"
MANIFESTS = {"diffusion_models": OUT, "clip_vision": OUT, "style_models": OUT, "text_encoders": "test/fixtures/golden/manifests", "vae": "test/fixtures/golden/manifests"}
PROMPTS = "a red fox in the snow, low angle photograph, soft light", "blurry, low quality"


class Workflow(dict):
    """Nodes by number; `add` gives a node's first output."""

    def add(self, kind, **inputs):
        self[str(len(self) + 1)] = {"class_type": kind, "inputs": inputs}
        return [str(len(self)), 0]


def file(name):
    return f"{name}-tiny.safetensors"


def picture(workflow, name):
    return workflow.add("LoadImage", image=f"{name}.png")


def sampled(workflow, model, positive, negative, latent, **options):
    settings = {"seed": 42, "steps": 3, "cfg": 4.0, "sampler_name": "euler", "scheduler": "simple", "denoise": 1.0, **options}
    samples = workflow.add("KSampler", model=model, positive=positive, negative=negative, latent_image=latent, **settings)
    workflow.add("SaveLatent", samples=samples, filename_prefix="latent")


def wan(model, kind, size=(48, 64, 5), negatives=1, trims=False, sources=lambda workflow: {}, **inputs):
    """A film of Wan whose conditioning `kind` makes."""
    workflow = Workflow()
    unet = workflow.add("UNETLoader", unet_name=file(model), weight_dtype="default")
    vae = workflow.add("VAELoader", vae_name=file("qwen_image_vae"))
    clip = workflow.add("CLIPLoader", clip_name=file("umt5xxl"), type="wan")
    shifted = workflow.add("ModelSamplingSD3", model=unet, shift=8.0)
    positive, negative = (workflow.add("CLIPTextEncode", clip=clip, text=text) for text in PROMPTS)
    width, height, length = size
    links = sources(workflow)
    made = workflow.add(kind, positive=positive, negative=negative, vae=vae, width=width, height=height, length=length, batch_size=1, **links, **inputs)[0]
    sampled(workflow, shifted, [made, 0], [made, negatives], [made, negatives + 1])
    return workflow


def seen(workflow, name, encoder):
    """A picture as an image encoder sees it."""
    loaded = workflow.add("CLIPVisionLoader", clip_name=file(encoder))
    return workflow.add("CLIPVisionEncode", clip_vision=loaded, image=picture(workflow, name), crop="none")


def flux_redux(**options):
    workflow = Workflow()
    unet = workflow.add("UNETLoader", unet_name=file("flux-dev"), weight_dtype="default")
    clip = workflow.add("DualCLIPLoader", clip_name1=file("clip_l"), clip_name2=file("t5xxl"), type="flux")
    positive = workflow.add("FluxGuidance", conditioning=workflow.add("CLIPTextEncode", clip=clip, text=PROMPTS[0]), guidance=3.5)
    style = workflow.add("StyleModelLoader", style_model_name=file("redux"))
    styled = workflow.add("StyleModelApply", conditioning=positive, style_model=style, clip_vision_output=seen(workflow, "ref-a", "siglip"), strength=0.8, strength_type="multiply")
    nothing = workflow.add("ConditioningZeroOut", conditioning=positive)
    latent = workflow.add("EmptySD3LatentImage", width=48, height=64, batch_size=1)
    sampled(workflow, unet, styled, nothing, latent, cfg=1.0, **options)
    return workflow


def hidream(prompts=PROMPTS, apart=False, **options):
    workflow = Workflow()
    unet = workflow.add("UNETLoader", unet_name=file("hidream"), weight_dtype="default")
    clip = workflow.add("QuadrupleCLIPLoader", clip_name1=file("long_clip_l"), clip_name2=file("clip_g"), clip_name3=file("t5xxl"), clip_name4=file("llama3_8b"))
    shifted = workflow.add("ModelSamplingSD3", model=unet, shift=3.0)
    if apart:
        text = lambda prompt: workflow.add("CLIPTextEncodeHiDream", clip=clip, clip_l=prompt, clip_g="a fox", t5xxl=prompt, llama="a red fox")
    else:
        text = lambda prompt: workflow.add("CLIPTextEncode", clip=clip, text=prompt)
    positive, negative = (text(prompt) for prompt in prompts)
    latent = workflow.add("EmptySD3LatentImage", width=48, height=64, batch_size=1)
    sampled(workflow, shifted, positive, negative, latent, **options)
    return workflow


def video(workflow):
    """Three frames."""
    two = workflow.add("ImageBatch", image1=picture(workflow, "ref-a"), image2=picture(workflow, "ref-c"))
    return workflow.add("ImageBatch", image1=two, image2=picture(workflow, "ref-a"))


def mask(workflow):
    return workflow.add("ImageToMask", image=video(workflow), channel="red")


CASES = {
    "wan-vace.plain": lambda: wan("wan-vace", "WanVaceToVideo", strength=1.0),
    "wan-vace.reference": lambda: wan("wan-vace", "WanVaceToVideo", strength=0.7, sources=lambda w: {"control_video": video(w), "control_masks": mask(w), "reference_image": picture(w, "ref-c")}),
    "wan-i2v.first-last": lambda: wan("wan-i2v", "WanFirstLastFrameToVideo", sources=lambda w: {"start_image": picture(w, "ref-a"), "end_image": picture(w, "ref-c")}),
    "wan-i2v.fun-inpaint": lambda: wan("wan-i2v", "WanFunInpaintToVideo", sources=lambda w: {"start_image": picture(w, "ref-a")}),
    "wan-i2v.start": lambda: wan("wan-i2v", "WanImageToVideo", sources=lambda w: {"start_image": picture(w, "ref-a")}),
    "wan-i2v.seen": lambda: wan("wan-i2v", "WanImageToVideo", sources=lambda w: {"start_image": picture(w, "ref-a"), "clip_vision_output": seen(w, "ref-a", "clip_vision_l")}),
    "wan-i2v.both-seen": lambda: wan("wan-i2v", "WanFirstLastFrameToVideo", sources=lambda w: {"start_image": picture(w, "ref-a"), "end_image": picture(w, "ref-c"), "clip_vision_start_image": seen(w, "ref-a", "clip_vision_l"), "clip_vision_end_image": seen(w, "ref-c", "clip_vision_l")}),
    "flux-dev.redux": lambda: flux_redux(),
    "wan-fun.control": lambda: wan("wan-fun", "WanFunControlToVideo", sources=lambda w: {"control_video": video(w), "start_image": picture(w, "ref-c")}),
    "wan-fun22.control": lambda: wan("wan-fun22", "Wan22FunControlToVideo", sources=lambda w: {"control_video": video(w), "ref_image": picture(w, "ref-c")}),
    "wan-camera.pan": lambda: wan("wan-camera", "WanCameraImageToVideo", sources=lambda w: {"start_image": picture(w, "ref-a"), "camera_conditions": w.add("WanCameraEmbedding", camera_pose="Pan Left", width=48, height=64, length=5, speed=1.5, fx=0.5, fy=0.6, cx=0.5, cy=0.4)}),
    "wan-camera.turn": lambda: wan("wan-camera", "WanCameraImageToVideo", sources=lambda w: {"camera_conditions": w.add("WanCameraEmbedding", camera_pose="Anti Clockwise (ACW)", width=48, height=64, length=5)}),
    "hidream.ks": lambda: hidream(),
    "hidream.weights": lambda: hidream(("a (red:1.3) fox in (the snow:0.8)", "blurry")),
    "hidream.apart": lambda: hidream(apart=True, cfg=1.0),
    "wan21.phantom": lambda: wan("wan21", "WanPhantomSubjectToVideo", negatives=2, sources=lambda w: {"images": video(w)}),
}


def models_of(workflow, folder):
    for node in workflow.values():
        for value in node["inputs"].values():
            if not isinstance(value, str) or not value.endswith("-tiny.safetensors"):
                continue
            name = value.removesuffix(".safetensors")
            for kind, manifests in MANIFESTS.items():
                for path in (f"{manifests}/{name}.json", f"{manifests}/{name}.json.gz"):
                    made = f"{folder}/{kind}/{value}"
                    if os.path.exists(path) and not os.path.exists(made):
                        text = (gzip.open(path) if path.endswith(".gz") else open(path, "rb")).read()
                        synth.write(json.loads(text), made, manifests)


def main():
    chosen = sys.argv[1:] or list(CASES)
    paths = f"{OUT}/families.json.gz", f"{OUT}/families.safetensors"
    workflows = json.loads(gzip.open(paths[0]).read()) if os.path.exists(paths[0]) else {}
    latents = load_file(paths[1]) if os.path.exists(paths[1]) else {}
    with tempfile.TemporaryDirectory() as folder:
        for kind in (*MANIFESTS, "loras", "output"):
            os.makedirs(f"{folder}/{kind}")
        shutil.copytree(f"{OUT}/input", f"{folder}/input")
        run_workflow.setup(folder)
        tiny_families.stand_ins("test/fixtures/text")
        run_workflow.extra()
        import asyncio
        import comfy_extras.nodes_camera_trajectory as camera
        import folder_paths
        import nodes
        folder_paths.folder_names_and_paths["style_models"] = ([f"{folder}/style_models"], folder_paths.supported_pt_extensions)
        for node in asyncio.run(asyncio.run(camera.comfy_entrypoint()).get_node_list()):
            nodes.NODE_CLASS_MAPPINGS[node.GET_SCHEMA().node_id] = node
        for case in chosen:
            workflow = json.loads(json.dumps(CASES[case]()))
            models_of(workflow, folder)
            done = run_workflow.run(workflow)
            samples = next(str(number) for number, node in workflow.items() if node["class_type"] == "KSampler" or node["class_type"] == "SamplerCustomAdvanced")
            latent = done[samples][0]["samples"]
            print(case, tuple(latent.shape), float(latent.std()), flush=True)
            workflows[case] = workflow
            latents[case] = np.ascontiguousarray(latent.float().numpy())
    with open(paths[0], "wb") as out:
        out.write(gzip.compress(json.dumps(workflows, separators=(",", ":")).encode(), 9, mtime=0))
    save_file(latents, paths[1])


main()
