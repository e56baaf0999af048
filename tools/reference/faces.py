"""Makes test/fixtures/faces/reference.safetensors and its manifests: networks and pictures by facerestore_cf and spandrel themselves.

Usage: PYTHONPATH=REF:SPANDREL FACERESTORE=... python tools/reference/faces.py   (REF holds synth.py, SPANDREL the package spandrel,
FACERESTORE is facerestore_cf's folder). Needs torch, torchvision and OpenCV 4; OpenCV 5 warps otherwise.
"""
import gzip
import importlib.util
import json
import os
import sys
import types

import cv2
import numpy as np
import synth
import torch

import torchvision_ops  # noqa: F401

assert cv2.__version__.startswith("4."), "OpenCV 5 rounds places in warps otherwise"
PACK = os.environ["FACERESTORE"]
sys.path.insert(0, PACK)
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../test/fixtures/faces")
stubs = {
    "comfy": {}, "comfy.utils": {}, "comfy.model_management": {"get_torch_device": lambda: torch.device("cpu")},
    "comfy_extras": {}, "comfy_extras.chainner_models": {"model_loading": None}, "lpips": {}, "lmdb": {},
    "folder_paths": {"models_dir": "/nowhere", "supported_pt_extensions": set(), "folder_names_and_paths": {}, "get_filename_list": lambda kind: []},
}
for name, values in stubs.items():
    module = sys.modules[name] = types.ModuleType(name)
    module.__dict__.update(values)
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, module)

from facelib.detection.retinaface.retinaface import RetinaFace  # noqa: E402
from facelib.detection.yolov5face.face_detector import YoloDetector  # noqa: E402
from facelib.parsing.parsenet import ParseNet  # noqa: E402
from facelib.utils.face_restoration_helper import FaceRestoreHelper  # noqa: E402
from spandrel.architectures.GFPGAN import GFPGAN  # noqa: E402
from spandrel.architectures.RestoreFormer import RestoreFormer  # noqa: E402

torch.manual_seed(1)
rng = np.random.default_rng(5)
tensors = {}


def keep(name, value, step=1):
    value = np.asarray(value, dtype=np.float32)
    tensors[name] = np.ascontiguousarray(value[..., ::step, ::step] if step > 1 else value)


def synthetic(name, model):
    """Fills a model by the recipe and writes its manifest."""
    state = model.state_dict()
    for key, value in state.items():
        if value.dtype == torch.float32:
            filled = synth.fill(key, tuple(value.shape), "F32")
            state[key] = torch.from_numpy(1 + np.abs(filled) if key.endswith("running_var") else filled).float()
    model.load_state_dict(state)
    manifest = {key: ["F32" if value.dtype == torch.float32 else "I64", list(value.shape)] for key, value in state.items()}
    with gzip.GzipFile(os.path.join(FOLDER, f"{name}.json.gz"), "wb", mtime=0) as file:
        file.write(json.dumps(manifest, separators=(",", ":")).encode())
    return model.eval()


def smooth(height, width):
    """A picture of soft blobs, H×W×3 in [0, 255], from an 8-bit one of an eighth of its size."""
    small = rng.integers(0, 256, (height // 8, width // 8, 3)).astype(np.float32)
    return small, cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def normalised(picture):
    return torch.from_numpy(picture[..., ::-1].transpose(2, 0, 1).copy())[None] / 127.5 - 1


# Networks, narrower than the real ones.
small, face = smooth(512, 512)
keep("face.small", small)
pixels = normalised(face)


def code_former():
    """CodeFormer fixes its widths in its constructor; here they are a quarter."""
    import basicsr.archs.codeformer_arch as arch
    model = arch.CodeFormer.__new__(arch.CodeFormer)
    arch.VQAutoEncoder.__init__(model, 512, 32, [1, 1, 1, 1, 1, 2], "nearest", 2, [16], 64, emb_dim=32)
    model.connect_list, model.n_layers, model.dim_embd, model.dim_mlp = ["32", "64", "128", "256"], 2, 64, 128
    model.position_emb = torch.nn.Parameter(torch.zeros(256, 64))
    model.feat_emb = torch.nn.Linear(32, 64)
    model.ft_layers = torch.nn.Sequential(*[arch.TransformerSALayer(64, 8, 128) for _ in range(2)])
    model.idx_pred_layer = torch.nn.Sequential(torch.nn.LayerNorm(64), torch.nn.Linear(64, 64, bias=False))
    model.fuse_encoder_block = {"512": 2, "256": 5, "128": 8, "64": 11, "32": 14, "16": 18}
    model.fuse_generator_block = {"16": 6, "32": 9, "64": 12, "128": 15, "256": 18, "512": 21}
    model.fuse_convs_dict = torch.nn.ModuleDict({size: arch.Fuse_sft_block(32, 32) for size in model.connect_list})
    get_feature = model.quantize.get_codebook_feat
    model.quantize.get_codebook_feat = lambda indices, shape: get_feature(indices, [*shape[:3], 32])
    return model


with torch.no_grad():
    former = synthetic("small-codeformer", code_former())
    for weight in (0, 0.4):
        keep(f"small-codeformer.{weight}", former(pixels, w=weight)[0], 16)
    gfpgan = synthetic("small-gfpgan", GFPGAN(num_style_feat=64, narrow=0.125))
    keep("small-gfpgan", gfpgan(pixels, randomize_noise=False)[0], 16)
    whole = synthetic("small-gfpgan-whole", GFPGAN(num_style_feat=64, narrow=0.125, sft_half=False, different_w=False))
    keep("small-gfpgan-whole", whole(pixels, randomize_noise=False)[0], 16)
    restore_former = synthetic(
        "small-restoreformer", RestoreFormer(n_embed=64, embed_dim=32, ch=32, ch_mult=(1, 1, 1, 1, 1, 2), z_channels=32))
    keep("small-restoreformer", restore_former(pixels)[0], 16)
    parse_net = synthetic("small-parsenet", ParseNet(in_size=512, out_size=512, base_ch=32, parsing_ch=19, res_depth=2, ch_range=[32, 32]))
    keep("small-parsenet", parse_net(pixels)[0], 32)

    # Detectors, on a picture of odd size.
    small, photo = smooth(120, 96)
    photo = photo[:117, :83]
    keep("photo.small", small)
    detector = RetinaFace(network_name="mobile0.25")
    synthetic("retinaface-mobile0.25", detector)
    scores = detector(torch.from_numpy(photo.transpose(2, 0, 1).copy())[None] - detector.mean_tensor)[1][0, :, 1]
    threshold = float(scores.sort().values[-30:-28].mean())
    keep("retinaface.threshold", [threshold])
    keep("retinaface.detections", detector.detect_faces(photo, conf_threshold=threshold))
    for name in ("yolov5n", "yolov5l"):
        detector = YoloDetector(os.path.join(PACK, f"facelib/detection/yolov5face/models/{name}.yaml"), min_face=10, device="cpu")
        anchors = {key: value.clone() for key, value in detector.detector.state_dict().items() if "anchor" in key}
        synthetic(name, detector.detector)
        detector.detector.load_state_dict({**detector.detector.state_dict(), **anchors})
        if name == "yolov5n":
            keep("yolo.anchors", next(value for key, value in anchors.items() if key.endswith("anchor_grid")).flatten())
        input = detector._preprocess([cv2.cvtColor(photo, cv2.COLOR_BGR2RGB)])
        levels = detector.detector(input)[1]
        for index, level in enumerate(levels):
            if name == "yolov5n" or index > 0:
                keep(f"{name}.level{index}", level)
        found = detector.detect_faces(photo, conf_thres=0.251)
        keep(f"{name}.detections", np.zeros((0, 15)) if found is None else found)
        print(name, tuple(input.shape), tensors[f"{name}.detections"].shape)

# Whole pictures, with faces where they are said to be.
spec = importlib.util.spec_from_file_location("facerestore_cf", os.path.join(PACK, "__init__.py"), submodule_search_locations=[PACK])
pack = importlib.util.module_from_spec(spec)
real_makedirs, os.makedirs = os.makedirs, lambda *args, **options: None
spec.loader.exec_module(pack)
os.makedirs = real_makedirs


class Detector:
    """Finds the faces that it is told of, in the coordinates of the picture that is searched."""

    def __init__(self, pictures):
        self.pictures = iter(pictures)

    def detect_faces(self, picture):
        return np.asarray(next(self.pictures), dtype=np.float32)


def helper(pictures):
    made = FaceRestoreHelper.__new__(FaceRestoreHelper)
    made.__dict__.update(template_3points=False, upscale_factor=1, crop_ratio=(1, 1), face_size=(512, 512), pad_blur=False,
                         use_parse=True, device="cpu", face_det=Detector(pictures), face_parse=parse_net)
    made.face_template = np.array([[192.98138, 239.94708], [318.90277, 240.1936], [256.63416, 314.01935], [201.26117, 371.41043], [313.08905, 371.15118]])
    made.clean_all()
    return made


def detected(*places):
    """Rows of box, score and points for faces at (x, y), `side` wide and turned by `angle`, with crooked points."""
    rows = []
    for index, (x, y, side, angle) in enumerate(places):
        points = (helper([]).face_template - 256) / 512 * side + rng.normal(0, side * 0.02, (5, 2))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        points = points @ turn.T + (x, y)
        rows.append([x - side / 3, y - side / 3, x + side / 3, y + side / 3, 1 - index / 100, *points.flatten()])
    return np.array(rows, dtype=np.float32).reshape(-1, 15)


class Restorer:
    def to(self, device):
        return self

    def __call__(self, face, w):
        return gfpgan(face, randomize_noise=False)


pictures = {
    # Enlarged; one face leans over the edge. Searched at 640 pixels.
    "small": (304, 408, detected((200, 300, 260, 0.1), (560, 60, 330, -0.3))),
    # Overlapping faces, one so small that its mask has no edge, one beyond the picture, and one with eyes too close.
    "large": (680, 560, detected((220, 330, 300, 0.0), (330, 380, 280, 0.4), (500, 600, 22, 0.2), (30, 650, 200, 2.8), (100, 100, 16, 0.0))),
    "none": (264, 520, detected()),
}
for name, (height, width, faces) in pictures.items():
    small, picture = smooth(height, width)
    keep(f"{name}.small", small)
    keep(f"{name}.faces", faces)
    image = torch.from_numpy(picture[None, ..., ::-1].copy()) / 255
    node = pack.FaceRestoreCFWithModel()
    node.face_helper = helper([faces])
    restored = node.restore_face(Restorer(), image, "", 0.5)[0][0].numpy()
    tensors[f"{name}.restored"] = np.ascontiguousarray(restored[::7, ::7])
    if name != "small":
        continue
    crop = pack.CropFace()
    crop.face_helper = helper([faces, detected(), faces[:1]])
    crops = crop.crop_face(image.repeat(3, 1, 1, 1), "")[0].numpy()
    crops[2] = 0  # The picture without a face: memory that the reference never writes.
    tensors["crops"] = np.ascontiguousarray(crops[:, ::20, ::20])

from safetensors.numpy import save_file  # noqa: E402

tensors = {name: value for name, value in tensors.items() if value.size}
save_file(tensors, os.path.join(FOLDER, "reference.safetensors"))
for name, value in tensors.items():
    print(name, value.shape, float(np.abs(value).mean()))
