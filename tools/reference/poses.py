"""Makes test/fixtures/poses: poses as comfyui_controlnet_aux draws them, and what its DWPose makes of pictures by small stand-ins of YOLOX and DWPose.

Usage: AUX=folder of comfyui_controlnet_aux PYTHONPATH=REF COMFY=... TORCHSDE=... python tools/reference/poses.py [FOLDER]   (cv2, onnx and onnxruntime must be there)
"""
import colorsys
import importlib
import json
import os
import sys
import types

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

FOLDER = sys.argv[1] if len(sys.argv) > 1 else "test/fixtures/poses"
os.makedirs(FOLDER, exist_ok=True)
matplotlib = sys.modules["matplotlib"] = types.ModuleType("matplotlib")
matplotlib.colors = types.SimpleNamespace(hsv_to_rgb=lambda hsv: np.array(colorsys.hsv_to_rgb(*hsv)))
base = os.path.join(os.environ["AUX"], "src/custom_controlnet_aux")
for name, path in (("custom_controlnet_aux", base), ("custom_controlnet_aux.dwpose", base + "/dwpose")):
    module = sys.modules[name] = types.ModuleType(name)
    module.__path__ = [path]
for name, names in (("body", ("Body",)), ("hand", ("Hand",)), ("face", ("Face",))):
    module = sys.modules[f"custom_controlnet_aux.dwpose.{name}"] = types.ModuleType(name)
    for each in names: setattr(module, each, object)
body = sys.modules["custom_controlnet_aux.dwpose.body"]
kinds = importlib.import_module("custom_controlnet_aux.dwpose.types")
body.BodyResult, body.Keypoint = kinds.BodyResult, kinds.Keypoint
util = importlib.import_module("custom_controlnet_aux.dwpose.util")
util.get_model_type, util.get_ort_providers = lambda kind, name: name and "ort", lambda: ["CPUExecutionProvider"]
wholebody = importlib.import_module("custom_controlnet_aux.dwpose.wholebody")
kept, cases = {}, []


def draw(poses, height, width, stick):
    canvas = np.zeros((height, width, 3), np.uint8)
    for pose in poses:
        canvas = util.draw_bodypose(canvas, pose.body.keypoints, stick)
        canvas = util.draw_handpose(canvas, pose.left_hand)
        canvas = util.draw_handpose(canvas, pose.right_hand)
        canvas = util.draw_facepose(canvas, pose.face)
    return canvas


# Poses of every kind: partly outside, with points that aren't seen, tiny, and as shares of the picture.
random = np.random.default_rng(3)
drawn = []
for at, (height, width, low, high, stick) in enumerate([(90, 120, 0, 1, False), (120, 70, -0.2, 1.2, False), (64, 64, 0.4, 0.5, False), (60, 520, 0.1, 0.9, True)]):
    points = lambda count: [None if random.random() < 0.15 else kinds.Keypoint(*(random.uniform(low, high, 2) * (width, height))) for _ in range(count)]
    poses = [kinds.PoseResult(kinds.BodyResult(points(18)), points(21), points(21), points(70)) for _ in range(2)]
    listed = [{"body": p.body.keypoints, "leftHand": p.left_hand, "rightHand": p.right_hand, "face": p.face} for p in poses]
    colours, which = np.unique(draw(poses, height, width, stick).reshape(-1, 3), axis=0, return_inverse=True)
    kept[f"drawn.{at}.colours"], kept[f"drawn.{at}"] = torch.from_numpy(colours), torch.from_numpy(which.reshape(height, width).astype(np.uint8))
    drawn.append({"height": height, "width": width, "stick": stick, "picture": f"drawn.{at}", "poses": [{part: [k and [k.x, k.y] for k in listed_] for part, listed_ in p.items()} for p in listed]})

# Stand-ins: a YOLOX that finds three people whatever it sees, and a DWPose whose points lean on how bright the picture is.
constant = lambda name, value: helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.ascontiguousarray(value)))
places, rows = [85, 1240, 6480, 6500], np.full((4, 85), -8, np.float32)
rows[:, :6] = [[0.3, 0.6, 3.2, 3.9, 0.9, 0.8], [0.5, 0.2, 3.3, 3.9, 0.95, 0.7], [0.4, 0.1, 2.4, 3.0, 0.9, 0.9], [0.4, 0.1, 2.2, 3.0, 0.4, 0.6]]
rows[:, 6:] = 0
nodes = [constant("rows", rows[None]), constant("places", np.array([[[0, p] for p in places]], np.int64)), constant("shape", np.array([1, 8400, 85], np.int64)),
         helper.make_node("ConstantOfShape", ["shape"], ["zeros"]), helper.make_node("ReduceMean", ["images"], ["mean"], axes=[1, 2, 3], keepdims=0), constant("none", np.array([0], np.float32)), helper.make_node("Mul", ["mean", "none"], ["nothing"]),
         helper.make_node("Add", ["zeros", "nothing"], ["empty"]), helper.make_node("ScatterND", ["empty", "places", "rows"], ["output"])]
graph = helper.make_graph(nodes, "yolox", [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 640, 640])], [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 8400, 85])])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), os.path.join(FOLDER, "yolox_l.onnx"))

x0, y0, height0 = random.integers(60, 500, (133, 1)), random.integers(60, 700, (133, 1)), random.uniform(0.1, 1.2, (133, 1))
nodes = [constant("x0", x0.astype(np.float32)), constant("y0", y0.astype(np.float32)), constant("h", height0.astype(np.float32)), constant("xs", np.arange(576, dtype=np.float32)[None]), constant("ys", np.arange(768, dtype=np.float32)[None]), constant("slope", np.array([0.013], np.float32)), constant("lean", np.array([9.0], np.float32)),
         helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1, 2, 3], keepdims=0), helper.make_node("Mul", ["mean", "lean"], ["far"]), helper.make_node("Round", ["far"], ["shift"])]
for axis, start in (("x", "xs"), ("y", "ys")):
    nodes += [helper.make_node("Add", [f"{axis}0", "shift"], [f"{axis}1"]), helper.make_node("Sub", [start, f"{axis}1"], [f"{axis}2"]), helper.make_node("Abs", [f"{axis}2"], [f"{axis}3"]), helper.make_node("Mul", [f"{axis}3", "slope"], [f"{axis}4"]), helper.make_node("Sub", ["h", f"{axis}4"], [f"{axis}5"]),
              constant(f"{axis}axes", np.array([0], np.int64)), helper.make_node("Unsqueeze", [f"{axis}5", f"{axis}axes"], [f"simcc_{axis}"])]
graph = helper.make_graph(nodes, "dwpose", [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, 384, 288])], [helper.make_tensor_value_info("simcc_x", TensorProto.FLOAT, [1, 133, 576]), helper.make_tensor_value_info("simcc_y", TensorProto.FLOAT, [1, 133, 768])])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), os.path.join(FOLDER, "dw-ll_ucoco_384.onnx"))

sys.modules["huggingface_hub"] = types.SimpleNamespace(hf_hub_download=None, constants=None)
hint = importlib.import_module("custom_controlnet_aux.util")
pose_module = importlib.import_module("custom_controlnet_aux.dwpose.dw_onnx.cv_ox_pose")
infer = pose_module.inference
pose_module.inference = lambda session, images, dtype=np.float32: [infer(session, [image], dtype)[0] for image in images]
for at, (height, width, detector, resolution) in enumerate([(150, 200, "yolox_l.onnx", 128), (90, 60, None, 64)]):
    small = (random.uniform(0, 1, (height // 10, width // 10, 3)) * 255).astype(np.uint8)
    picture = small.repeat(10, 0).repeat(10, 1)
    model = wholebody.Wholebody(detector and os.path.join(FOLDER, detector), os.path.join(FOLDER, "dw-ll_ucoco_384.onnx"))
    poses = wholebody.Wholebody.format_result(model(picture.copy()))
    canvas, remove = hint.resize_image_with_pad(draw(poses, height, width, False), resolution, "INTER_CUBIC")
    kept[f"picture.{at}"], kept[f"hint.{at}"] = torch.from_numpy(small), torch.from_numpy(np.ascontiguousarray(hint.HWC3(remove(canvas))[::2, ::2]))
    points = lambda keypoints: keypoints and [v for k in keypoints for v in ([float(k.x), float(k.y), 1.0] if k is not None else [0.0, 0.0, 0.0])]
    cases.append({"picture": f"picture.{at}", "hint": f"hint.{at}", "detector": detector or "None", "resolution": resolution, "people": [{"body": points(p.body.keypoints), "face": points(p.face), "left": points(p.left_hand), "right": points(p.right_hand)} for p in poses]})
    print(height, width, detector, len(poses), [sum(k is not None for k in p.body.keypoints) for p in poses])

import safetensors.torch
safetensors.torch.save_file(kept, os.path.join(FOLDER, "poses.safetensors"), {"cases": json.dumps(cases), "drawn": json.dumps(drawn)})
