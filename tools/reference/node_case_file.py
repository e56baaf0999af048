"""Cases of node classes for the fixtures of test/nodes: each runs ComfyUI's (or a pack's) own class, and all are kept in one file.

A value is written as JSON: {"tensor": KEY}, {"latent": {...}}, {"audio": {...}}, {"typed": "FLOAT", "value": 5.0} for what a link of that type brings, {"list": [...]} for a list of values;
anything else stands in the workflow itself. Inputs of dynamic ones are named as a workflow names them: "values.a".
"""
import json
import os
import tempfile

from comfy_nodes import NODES, run
import folder_paths
import safetensors.torch
import torch


class Typed:
    """A value that a link of a type brings."""

    def __init__(self, kind, value):
        self.kind, self.value = kind, value


class Listed(list):
    """Several values over one link."""


class CaseFile:
    def __init__(self):
        self.tensors, self.cases = {}, []

    def stored(self, value):
        value = value.detach().float().contiguous()
        for key, known in self.tensors.items():
            if known.shape == value.shape and torch.equal(known, value): return key
        key = str(len(self.tensors))
        self.tensors[key] = value.clone()
        return key

    def described(self, value):
        if isinstance(value, torch.Tensor): return {"tensor": self.stored(value)}
        if isinstance(value, Typed): return {"typed": value.kind, "value": self.described(value.value)}
        if isinstance(value, Listed): return {"list": [self.described(item) for item in value]}
        if isinstance(value, dict) and "waveform" in value: return {"audio": {"waveform": self.stored(value["waveform"]), "sample_rate": value["sample_rate"]}}
        if isinstance(value, dict) and "samples" in value:
            return {"latent": {key: self.stored(part) if isinstance(part, torch.Tensor) else part for key, part in value.items() if not key.startswith("downscale_ratio")}}
        if isinstance(value, (list, tuple)): return {"list": [self.described(item) for item in value]}
        return value

    def case(self, name, /, _outputs=None, **inputs):
        """Runs a class; what is refused is kept as refused. `_outputs` says how many outputs are compared."""
        node = NODES[name]
        given = {}
        for key, value in inputs.items():
            at, *path = key.split(".")
            plain = value.value if isinstance(value, Typed) else list(value) if isinstance(value, Listed) else value
            if getattr(node, "INPUT_IS_LIST", False) and not isinstance(value, Listed): plain = [plain]
            target = given
            for part in path:
                target = target.setdefault(at, {})
                at = part
            target[at] = plain
            # What is chosen lies in its own object.
            if not path and any(other.startswith(key + ".") for other in inputs):
                given[key] = {key: plain}
        written = {key: self.described(value) for key, value in inputs.items()}
        try:
            result = run(name, **given)
        except Exception as error:
            self.cases.append({"node": name, "inputs": written, "error": f"{type(error).__name__}: {error}"[:200]})
            return None
        # Some packs give a list.
        if isinstance(result, list): result = tuple(result)
        if not isinstance(result, tuple): result = (result,)
        self.cases.append({"node": name, "inputs": written, "outputs": [self.described(value) for value in result[:_outputs]]})
        return result

    def saving(self, name, /, **inputs):
        """A class that saves texts: the files in the output folder are kept as well."""
        with tempfile.TemporaryDirectory() as folder:
            folder_paths.set_output_directory(folder)
            self.case(name, **inputs)
            found = {}
            for at, _, names in os.walk(folder):
                for each in names:
                    with open(os.path.join(at, each), encoding="utf-8", newline="") as file: found[os.path.relpath(os.path.join(at, each), folder)] = file.read()
            self.cases[-1]["files"] = found

    def save(self, path):
        empty = {} if self.tensors else {"none": torch.zeros(1)}
        safetensors.torch.save_file({**self.tensors, **empty}, path, metadata={"cases": json.dumps(self.cases)})
        refused = [case for case in self.cases if "error" in case]
        print(f"{len(self.cases)} cases, {len(refused)} of them refused, of {len({case['node'] for case in self.cases})} classes")
        for case in refused:
            # Mistakes of a script rather than refusals of a node.
            if case["error"].startswith(("TypeError", "AttributeError", "KeyError")): print("  refused:", case["node"], json.dumps(case["inputs"])[:150], case["error"])
