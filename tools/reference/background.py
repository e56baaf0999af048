"""Makes test/fixtures/onnx: small models in ONNX's format, good and bad, and what rembg takes away with one (rembg.safetensors).

Usage: REMBG=checkout of rembg python tools/reference/background.py [FOLDER]   (numpy, onnx, onnxruntime, Pillow, torch and safetensors must be there)
"""
import importlib
import os
import sys
from unittest import mock

import numpy as np
import onnx
import onnxruntime
import safetensors.torch
import torch
from PIL import Image
from onnx import TensorProto, helper, numpy_helper

FOLDER = sys.argv[1] if len(sys.argv) > 1 else "test/fixtures/onnx"
for name in ("pooch", "pymatting", "pymatting.alpha", "pymatting.alpha.estimate_alpha_cf", "pymatting.foreground", "pymatting.foreground.estimate_foreground_ml", "pymatting.util", "pymatting.util.util", "jsonschema", "tqdm"):
    sys.modules[name] = mock.MagicMock()
sys.path.insert(0, os.environ["REMBG"])
random = np.random.default_rng(2)


def save(name, nodes, inputs, outputs, initializers, opsets=(("", 17),), **more):
    graph = helper.make_graph(nodes, name, inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid(*each) for each in opsets], ir_version=8)
    onnx.save(model, os.path.join(FOLDER, f"{name}.onnx"))


f32 = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
for side, name in ((320, "u2net"),):
    first = numpy_helper.from_array((random.normal(0, 0.4, (4, 3, 5, 5))).astype(np.float32), "first")
    last = numpy_helper.from_array(random.normal(0, 0.4, (1, 4, 3, 3)).astype(np.float32), "last")
    nodes = [helper.make_node("Conv", ["input.1", "first"], ["a"], pads=[2, 2, 2, 2]), helper.make_node("Tanh", ["a"], ["b"]),
             helper.make_node("Conv", ["b", "last"], ["c"], pads=[1, 1, 1, 1]), helper.make_node("Sigmoid", ["c"], ["d0"]), helper.make_node("Neg", ["c"], ["d1"])]
    save(name, nodes, [f32("input.1", [1, 3, side, side])], [f32("d0", None), f32("d1", None)], [first, last])
x = f32("x", [1, 3, 4, 4])
save("whole-numbers", [helper.make_node("Cast", ["x"], ["y"], to=TensorProto.INT64)], [x], [helper.make_tensor_value_info("y", TensorProto.INT64, None)], [])
save("foreign-operator", [helper.make_node("Convolution", ["x"], ["y"], domain="latentd")], [x], [f32("y", None)], [], (("", 17), ("latentd", 1)))
outside = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
outside.external_data.add(key="location", value="../../../etc/passwd")
save("outside", [helper.make_node("Mul", ["x", "w"], ["y"])], [x], [f32("y", None)], [outside])
# Goes on for hours.
body = helper.make_graph([helper.make_node("Identity", ["more"], ["on"]), helper.make_node("Sin", ["v"], ["w"])], "body",
                         [helper.make_tensor_value_info("i", TensorProto.INT64, []), helper.make_tensor_value_info("more", TensorProto.BOOL, []), f32("v", [1, 3, 4, 4])],
                         [helper.make_tensor_value_info("on", TensorProto.BOOL, []), f32("w", [1, 3, 4, 4])])
save("endless", [helper.make_node("Loop", ["most", "yes", "x"], ["y"], body=body)], [x], [f32("y", None)],
     [numpy_helper.from_array(np.array(10 ** 12), "most"), numpy_helper.from_array(np.array(True), "yes")])

bg = importlib.import_module("rembg.bg")
kept = {}
for name, module, cls in (("u2net", "u2net", "U2netSession"),):
    session = getattr(importlib.import_module(f"rembg.sessions.{module}"), cls)
    made = session.__new__(session)
    made.inner_session = onnxruntime.InferenceSession(os.path.join(FOLDER, f"{name}.onnx"), providers=["CPUExecutionProvider"])
    y, x = np.mgrid[0:50, 0:70] / 70
    picture = ((np.stack([0.5 + 0.5 * np.sin(7 * x + c), 0.4 + 0.4 * np.cos(9 * y * x + c), x * 0.8], -1) if (c := 1.0) else None) * 255).astype(np.uint8)
    cut = np.asarray(bg.remove(Image.fromarray(picture), session=made))
    white = np.asarray(bg.remove(Image.fromarray(picture), session=made, bgcolor=(0, 177, 64, 255)).convert("RGB"))
    kept["picture"], kept[f"{name}.cut"], kept[f"{name}.green"] = torch.from_numpy(picture.copy()), torch.from_numpy(cut.copy()), torch.from_numpy(white.copy())
    print(name, cut.shape, cut[..., 3].mean(), cut[..., 3].std())
safetensors.torch.save_file(kept, os.path.join(FOLDER, "rembg.safetensors"))
