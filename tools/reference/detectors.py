"""Makes test/fixtures/detectors: small YOLO networks as ultralytics saves them, a narrow SAM, an ONNX detector, and what Impact Pack's detectors make of pictures.

Usage: ULTRALYTICS=folder with ultralytics IMPACT=folder with ComfyUI-Impact-Pack, ComfyUI-Impact-Subpack and segment-anything COMFY=... TORCHSDE=... PYTHONPATH=REF python tools/reference/detectors.py [FOLDER]
(REF holds comfy_env.py and synth.py; cv2 and onnx must be there)
"""
import gzip
import importlib.util
import json
import os
import sys
import types

import comfy_env
import numpy as np
import safetensors.torch
import synth
import torch
from torch import nn

FOLDER = sys.argv[1] if len(sys.argv) > 1 else "test/fixtures/detectors"
os.makedirs(FOLDER, exist_ok=True)
absent = ("torchvision", "matplotlib", "requests", "polars", "dill", "server", "spandrel", "seaborn", "thop", "cpuinfo", "piexif", "skimage", "gradio", "mmcv", "mmdet", "onnxruntime")
comfy_env._Finder.names.update(name for name in absent if importlib.util.find_spec(name) is None)
sys.path[:0] = [os.environ["ULTRALYTICS"], os.path.join(os.environ["IMPACT"], "segment-anything")]
os.environ["YOLO_OFFLINE"] = "true"
import ultralytics.nn.tasks as tasks
from ultralytics import YOLO
from ultralytics.nn.modules.conv import Conv
from ultralytics.utils.nms import TorchNMS
from drawn_pictures import picture

if "torchvision" in comfy_env._Finder.names: importlib.import_module("torchvision.ops").nms = importlib.import_module("torchvision").ops.nms = TorchNMS.nms

kept, cases = {}, []


def keep(name, value):
    kept[name] = torch.as_tensor(np.ascontiguousarray(value)).contiguous()
    return name


PICTURES = {"wide": picture(60, 90, 4), "tall": picture(100, 40, 5), "large": picture(150, 160, 6)}
for name, value in PICTURES.items(): keep(f"picture.{name}", value)

# Layers of v8 and 11, then of v9; fewer and narrower than in any model that is in use.
DETECT = {"nc": 3, "backbone": [[-1, 1, "Conv", [8, 3, 2]], [-1, 1, "Conv", [16, 3, 2]], [-1, 2, "C2f", [16, True]], [-1, 1, "Conv", [16, 3, 2]], [-1, 1, "C3k2", [16, True]],
                                [-1, 1, "SCDown", [16, 3, 2]], [-1, 1, "C3k2", [24, False, 0.25]], [-1, 1, "SPPF", [16, 5]], [-1, 1, "Conv", [128, 1, 1]], [-1, 1, "C2PSA", [128]]],
          "head": [[-1, 1, "nn.Upsample", [None, 2, "nearest"]], [[-1, 4], 1, "Concat", [1]], [-1, 1, "C3", [16]], [-1, 1, "Conv", [16, 3, 2]], [[-1, 9], 1, "Concat", [1]], [-1, 1, "C2f", [16]], [[12, 15], 1, "Detect", ["nc"]]]}
SEGMENT = {"nc": 2, "backbone": [[-1, 1, "Conv", [8, 3, 2]], [-1, 1, "Conv", [16, 3, 2]], [-1, 1, "RepNCSPELAN4", [16, 16, 8, 1]], [-1, 1, "ADown", [16]], [-1, 1, "ELAN1", [16, 16, 8]],
                                 [-1, 1, "AConv", [16]], [-1, 1, "SPPELAN", [16, 8]]],
           "head": [[-1, 1, "nn.Upsample", [None, 2, "nearest"]], [[-1, 4], 1, "Concat", [1]], [-1, 1, "C2", [16]], [[9, 6], 1, "Segment", ["nc", 4, 8]]]}


def narrow(head):
    """Heads have 64 channels where they need 8."""
    for level, (box, kind) in enumerate(zip(head.cv2, head.cv3)):
        inputs = box[0].conv.in_channels
        head.cv2[level] = nn.Sequential(Conv(inputs, 8, 3), Conv(8, 8, 3), nn.Conv2d(8, 64, 1))
        if isinstance(kind[0], Conv): head.cv3[level] = nn.Sequential(Conv(inputs, 8, 3), Conv(8, 8, 3), nn.Conv2d(8, head.nc, 1))


def filled(model, seed):
    """Weights of a few levels each, so that the file packs well."""
    random = torch.Generator().manual_seed(seed)
    for name, value in model.state_dict().items():
        if not value.is_floating_point() or "dfl" in name: continue
        draw = torch.randint(-3, 4, value.shape, generator=random).float() / 3
        if "running_var" in name: value.copy_(1 + 0.5 * draw.abs())
        elif name.endswith("bn.weight"): value.copy_(1 + 0.25 * draw)
        elif value.ndim == 4: value.copy_(draw * 2.2 / (value[0].numel() ** 0.5))
        else: value.copy_(draw * 0.5)
    for box in model.model[-1].cv2: box[-1].weight.data.mul_(6)  # boxes of many sizes
    return model


def saved(name, kind, layout, size, seed):
    model = kind(dict(layout, scales={"n": [1.0, 1.0, 1024]}, scale="n"), ch=3, verbose=False)
    narrow(model.model[-1])
    filled(model, seed).eval()
    model.names = {index: text for index, text in enumerate(("face", "hand", "person")[: layout["nc"]])}
    path = os.path.join(FOLDER, name)
    args = {"imgsz": size, "task": "segment" if kind is tasks.SegmentationModel else "detect", "data": "x.yaml", "single_cls": False}
    model.args = args
    torch.save({"epoch": -1, "best_fitness": np.float64(0.5), "model": model.half(), "ema": None, "optimizer": None, "train_args": args, "train_results": {"epoch": [1]}, "date": "2026-01-01", "version": "8.4.56", "license": "AGPL-3.0"}, path)
    with open(path, "rb") as file, gzip.GzipFile(path + ".gz", "wb", mtime=0) as packed: packed.write(file.read())
    print(name, os.path.getsize(path), os.path.getsize(path + ".gz"))
    return path


paths = {"detect": saved("detect.pt", tasks.DetectionModel, DETECT, 96, 1), "segment": saved("segment.pt", tasks.SegmentationModel, SEGMENT, 96, 2)}


# Impact Subpack's detectors of them.
def module(name, file, package=None):
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=[os.path.dirname(file)] if package else None)
    made = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


subpack = os.path.join(os.environ["IMPACT"], "ComfyUI-Impact-Subpack/modules")
package = sys.modules["subpack"] = types.ModuleType("subpack")
package.__path__ = [subpack]
torch_load = torch.load
torch.load = lambda *args, **options: torch_load(*args, **dict(options, weights_only=False))
sys.modules.setdefault("numpy.core.multiarray", np._core.multiarray)
subcore = importlib.import_module("subpack.subcore")
torch.load = lambda *args, **options: torch_load(*args, **dict(options, weights_only=False))


def thinned(mask):
    """Every third pixel of every third row, in bytes."""
    return np.rint(np.asarray(mask, np.float32)[::3, ::3].clip(0, 1) * 255).astype(np.uint8)


def detected(kind, detector, name, image, threshold, dilation, factor, drop):
    picture = torch.from_numpy(PICTURES[image].astype(np.float32) / 255)[None]
    (height, width), items = detector.detect(picture, threshold, dilation, factor, drop)
    combined = detector.detect_combined(picture, threshold, dilation)
    at = len(cases)
    parts = [{"region": list(map(int, item.crop_region)), "box": [float(v) for v in item.bbox], "confidence": float(np.asarray(item.confidence).reshape(-1)[0]), "label": item.label,
              "mask": keep(f"mask.{at}.{index}", thinned(item.cropped_mask))} for index, item in enumerate(items)]
    case = {"model": name, "kind": kind, "image": image, "threshold": threshold, "dilation": dilation, "factor": factor, "drop": drop, "parts": parts,
            "combined": None if combined is None else keep(f"combined.{at}", thinned(combined))}
    cases.append(case)
    print(name, kind, image, [(p["label"], round(p["confidence"], 3), [round(v) for v in p["box"]]) for p in parts][:4], len(parts))


for name, path in paths.items():
    model = YOLO(path)
    with torch.no_grad(): network = model.model.float().eval()
    x = torch.from_numpy(synth.fill(f"{name}.pos_embed", (1, 3, 96, 64), "F32")) * 0.5 + 0.5
    outputs = {}
    head = network.model[-1]
    hooks = [head.cv2[level].register_forward_hook(lambda m, i, o, level=level: outputs.__setitem__(f"box{level}", o)) for level in range(head.nl)]
    hooks += [head.cv3[level].register_forward_hook(lambda m, i, o, level=level: outputs.__setitem__(f"score{level}", o)) for level in range(head.nl)]
    if name == "segment": hooks += [head.proto.register_forward_hook(lambda m, i, o: outputs.__setitem__("protos", o))]
    with torch.no_grad(): network(x)
    for hook in hooks: hook.remove()
    for key, value in outputs.items():
        if key in ("box1", "score0", "protos"): keep(f"{name}.{key}", value.numpy())
    for image in PICTURES:
        pred = model(PICTURES[image][..., ::-1].copy(), conf=0.01, verbose=False)[0]
        scores = np.sort(pred.boxes.conf.numpy())[::-1]
        threshold = round(float(scores[min(4, len(scores) - 1)]) - 0.0005, 3) if len(scores) else 0.5
        detected("boxes", subcore.UltraBBoxDetector(model), name, image, threshold, 4, 2.0, 3)
        if name == "segment": detected("outlines", subcore.UltraSegmDetector(model), name, image, threshold, 3, 1.5, 2)
    detected("boxes", subcore.UltraBBoxDetector(model), name, "wide", 0.99, 0, 3.0, 10)

# SAM, narrow: two layers, one of which looks through windows that don't divide the picture.
from functools import partial
from PIL import Image
from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer
from segment_anything.predictor import SamPredictor
from segment_anything.utils.transforms import ResizeLongestSide


def resized(self, image):
    height, width = self.get_preprocess_shape(*image.shape[:2], self.target_length)
    return np.array(Image.fromarray(image).resize((width, height), Image.BILINEAR))


ResizeLongestSide.apply_image = resized
sam = Sam(ImageEncoderViT(depth=2, embed_dim=32, img_size=128, mlp_ratio=4, norm_layer=partial(nn.LayerNorm, eps=1e-6), num_heads=2, patch_size=16, qkv_bias=True, use_rel_pos=True, global_attn_indexes=[1], window_size=3, out_chans=32),
          PromptEncoder(embed_dim=32, image_embedding_size=(8, 8), input_image_size=(128, 128), mask_in_chans=16),
          MaskDecoder(num_multimask_outputs=3, transformer=TwoWayTransformer(depth=2, embedding_dim=32, mlp_dim=64, num_heads=8), transformer_dim=32, iou_head_depth=3, iou_head_hidden_dim=32))
state, manifest = {}, {}
for key, value in sam.state_dict().items():
    state[key] = torch.from_numpy(synth.fill(key, tuple(value.shape), "F32"))
    manifest[key] = ["F32", list(value.shape)]
sam.load_state_dict(state)
sam.eval()
with gzip.GzipFile(os.path.join(FOLDER, "sam.json.gz"), "wb", mtime=0) as file: file.write(json.dumps(manifest, separators=(",", ":")).encode())
prompts = [("wide", [[20, 30], [70, 10]], [1, 0], [10, 12, 60, 50]), ("tall", [[20.5, 61.25]], [1], None), ("large", None, None, [30, 20, 140, 90])]
outlines = []
for at, (image, points, labels, box) in enumerate(prompts):
    predictor = SamPredictor(sam)
    predictor.set_image(PICTURES[image], "RGB")
    masks, scores, low = predictor.predict(None if points is None else np.array(points), None if labels is None else np.array(labels), None if box is None else np.array([box]))
    keep(f"sam.{at}.features", predictor.features.numpy())
    outlines.append({"image": image, "points": points, "labels": labels, "box": box, "scores": [float(v) for v in scores], "masks": keep(f"sam.{at}.masks", masks.astype(np.uint8)), "features": f"sam.{at}.features"})
    print("sam", image, masks.reshape(3, -1).mean(1), scores)

# A detector with keras-retinanet's outputs.
import onnx
from onnx import helper, TensorProto, numpy_helper

boxes = np.array([[[5, 6, 40, 50], [30.7, 10.2, 34, 40], [60, 20, 85, 55], [-1, -1, -1, -1]]], np.float32)
constant = lambda name, value: helper.make_node("Constant", [], [name], value=numpy_helper.from_array(value))
graph = helper.make_graph([helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1, 2, 3], keepdims=0), helper.make_node("Mul", ["mean", "tiny"], ["small"]), helper.make_node("Add", ["small", "base"], ["scores"]),
                           constant("tiny", np.array([[0.001]], np.float32)), constant("base", np.array([[0.9, 0.8, 0.6, -1]], np.float32)), constant("boxes", boxes), constant("labels", np.array([[2, 0, 7, -1]], np.int32))][::-1],
                          "detector", [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, None, None, 3])],
                          [helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [1, 4, 4]), helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 4]), helper.make_tensor_value_info("labels", TensorProto.INT32, [1, 4])])
nodes = list(graph.node)
del graph.node[:]
graph.node.extend([n for n in nodes if n.op_type == "Constant"] + [n for kind in ("ReduceMean", "Mul", "Add") for n in nodes if n.op_type == kind])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
onnx.checker.check_model(model)
onnx.save(model, os.path.join(FOLDER, "retinanet.onnx"))

for path in paths.values(): os.remove(path)
safetensors.torch.save_file(kept, os.path.join(FOLDER, "found.safetensors"), {"cases": json.dumps(cases), "outlines": json.dumps(outlines)})
