"""Makes test/fixtures/workflow/validation.json: ComfyUI's answers to workflows of a few simple node classes, and what Python
makes of JSON values. The same node classes in TypeScript are in test/workflow/reference-nodes.ts.

Usage: COMFY=... TORCHSDE=... PYTHONPATH=folder-of-comfy_env.py PYTHONHASHSEED=0 python tools/reference/validation.py [OUT]
"""
import asyncio
import json
import os
import sys

import comfy_env  # noqa: F401
import execution
import nodes


class Number:
    @classmethod
    def INPUT_TYPES(s):
        return {"required": {"value": ("INT", {"default": 1, "min": 0, "max": 100})}}
    RETURN_TYPES, FUNCTION = ("INT",), "run"


class Paint:
    @classmethod
    def INPUT_TYPES(s):
        return {"required": {"shade": ("FLOAT", {"default": 1.0, "min": 0.0, "max": 10.0, "step": 0.1}),
                             "mode": (["fast", "exact", "slow"], {}),
                             "smooth": ("BOOLEAN", {"default": True}),
                             "caption": ("STRING", {"default": ""})},
                "optional": {"offset": ("INT", {"default": 0, "min": -5, "max": 5}), "under": ("IMAGE", {})}}
    RETURN_TYPES, FUNCTION = ("IMAGE", "MASK"), "run"


class Dice:
    @classmethod
    def INPUT_TYPES(s):
        return {"required": {"seed": ("INT", {"default": 0, "min": 0, "max": 0xffffffffffffffff, "control_after_generate": True})}}
    RETURN_TYPES, FUNCTION = ("IMAGE",), "run"


class Pick:
    @classmethod
    def INPUT_TYPES(s):
        return {"required": {"name": ([f"file{i}.png" for i in range(25)], {})}}
    RETURN_TYPES, FUNCTION = ("IMAGE",), "run"


class Open:
    @classmethod
    def INPUT_TYPES(s):
        return {"required": {"file": (["a.png"], {})}}
    RETURN_TYPES, FUNCTION = ("IMAGE",), "run"

    @classmethod
    def VALIDATE_INPUTS(s, file):
        return True if file.endswith(".png") else f"Invalid image file: {file}"


class Either:
    @classmethod
    def INPUT_TYPES(s):
        return {"required": {"value": ("INT,STRING", {})}}
    RETURN_TYPES, FUNCTION = ("IMAGE", "STRING,MASK"), "run"


class Anything:
    @classmethod
    def INPUT_TYPES(s):
        return {"required": {"value": ("*", {})}}
    RETURN_TYPES, FUNCTION = ("IMAGE", "*"), "run"


class Save:
    @classmethod
    def INPUT_TYPES(s):
        return {"required": {"images": ("IMAGE", {})}}
    RETURN_TYPES, FUNCTION, OUTPUT_NODE = (), "run", True


nodes.NODE_CLASS_MAPPINGS.clear()
nodes.NODE_CLASS_MAPPINGS.update({c.__name__: c for c in (Number, Paint, Dice, Pick, Open, Either, Anything, Save)})


def node(class_type, **inputs): return {"class_type": class_type, "inputs": inputs}
def paint(**inputs): return node("Paint", **{"shade": 1.0, "mode": "fast", "smooth": True, "caption": "", **inputs})
def saved(**more): return {**more, "9": node("Save", images=["1", 0])}


cases = {
    "sound": saved(**{"1": paint()}),
    "no outputs": {"1": paint()},
    "required input missing": saved(**{"1": node("Paint", shade=1.0, mode="fast", caption="x")}),
    "every fault of a node at once": saved(**{"1": paint(shade=11, mode="fat", offset=-6, under=["2", 1]), "2": paint()}),
    "too small": saved(**{"1": paint(shade=-0.5)}),
    "a whole float": saved(**{"1": paint(shade=11)}),
    "an integer too big": saved(**{"1": paint(offset=6)}),
    "a seed too big": saved(**{"1": node("Dice", seed=2**64)}),
    "a negative seed": saved(**{"1": node("Dice", seed=-1)}),
    "the highest seed": saved(**{"1": node("Dice", seed=2**64 - 1)}),
    "text for an integer": saved(**{"1": paint(offset="two")}),
    "a fraction in text for an integer": saved(**{"1": paint(offset="2.0")}),
    "null for an integer": saved(**{"1": paint(offset=None)}),
    "an object for an integer": saved(**{"1": paint(offset={"a": 1})}),
    "text for a float": saved(**{"1": paint(shade="it's")}),
    "null for a float": saved(**{"1": paint(shade=None)}),
    "infinity in text": saved(**{"1": paint(shade="inf")}),
    "a number for a list": saved(**{"1": paint(mode=1.0)}),
    "not in a long list": saved(**{"1": node("Pick", name="file99.png")}),
    "custom validation": saved(**{"1": node("Open", file="b.gif")}),
    "custom validation excuses from the list": saved(**{"1": node("Open", file="b.png")}),
    "wrong type over a link": saved(**{"1": paint(under=["2", 0]), "2": node("Number", value=3)}),
    "an integer over a link to a float": saved(**{"1": paint(shade=["2", 0]), "2": node("Number", value=3)}),
    "a link to a list": saved(**{"1": paint(mode=["2", 0]), "2": node("Number", value=3)}),
    "a list that is no link": saved(**{"1": paint(under=["2", 0, 1])}),
    "an empty list": saved(**{"1": paint(caption=[])}),
    "a wrapped value": saved(**{"1": paint(offset={"__value__": 7})}),
    "a fault upstream": saved(**{"1": paint(under=["2", 0]), "2": paint(under=["3", 0]), "3": paint(offset=9)}),
    "two outputs, one fault": {"1": paint(offset=9), "2": paint(), "8": node("Save", images=["1", 0]), "9": node("Save", images=["2", 0])},
    "two outputs share a fault": {"1": paint(offset=9), "8": node("Save", images=["1", 0]), "9": node("Save", images=["1", 0])},
    "a fault that no output needs": saved(**{"1": paint(), "2": paint(offset=9)}),
    "a cycle": saved(**{"1": paint(under=["2", 0]), "2": paint(under=["3", 0]), "3": paint(under=["1", 0])}),
    "a node that feeds itself, beside a sound output": {"1": paint(under=["1", 0]), "2": paint(), "8": node("Save", images=["1", 0]), "9": node("Save", images=["2", 0])},
    "an unknown class": {**saved(**{"1": paint()}), "4": node("Missing")},
    "an unknown class with a title": {**saved(**{"1": paint()}), "4": {**node("Missing"), "_meta": {"title": "My node"}}},
    "two types, one of which fits": saved(**{"1": node("Either", value=["2", 0]), "2": node("Number", value=3)}),
    "two types, neither of which fits": saved(**{"1": node("Either", value=["2", 0]), "2": paint()}),
    "two types that overlap": saved(**{"1": node("Either", value=["2", 1]), "2": node("Either", value=["3", 0]), "3": node("Number", value=3)}),
    "any type, linked": saved(**{"1": node("Anything", value=["2", 1]), "2": paint()}),
    "any type, written": saved(**{"1": node("Anything", value=5)}),
    "any type, a wrapped list": saved(**{"1": node("Anything", value={"__value__": [1, 2.5, "x"]})}),
    "any type to a list": saved(**{"1": paint(mode=["2", 1]), "2": node("Anything", value=5)}),
    "any type to a number": saved(**{"1": paint(shade=["2", 1]), "2": node("Anything", value=5)}),
    "an input that the class lacks": saved(**{"1": paint(extra=5)}),
}


def answer(prompt, targets=None):
    valid, error, outputs, node_errors = asyncio.run(execution.validate_prompt("id", prompt, targets))
    for entry in node_errors.values():
        entry["errors"].sort(key=lambda e: e["extra_info"].get("input_name", ""))
        entry["dependent_outputs"].sort()
    return {"valid": valid, "error": error, "outputs": sorted(outputs), "node_errors": node_errors}


values = [0, 1, -7, 5.0, 5.7, -5.7, -0.0, 2**53 + 1, 2**64 - 1, 1e-4, 1e-5, 1.5e-7, 1e15, 1e16, 123456789012345680.0, 0.1, 1 / 3, 1e22, 1e300,
          True, False, None, "", "5", " 5 ", "+5", "-5", "1_000", "1__0", "5.0", "5e0", ".5", "5.", "1e5", "1_0.5", "inf", "-Infinity", "false", "abc",
          "it's", 'say "it\'s"', 'a "b"', "line\nbreak\ttab\\", "\x01\x7f", "ünïcödé 🎨", "<\u2028>", {}, {"a": [1, 2.0, None], "b": {"c": "d"}}]

two = {"1": paint(offset=9), "2": paint(), "8": node("Save", images=["1", 0]), "9": node("Save", images=["2", 0])}
targeted = [("one output", ["9"], two), ("the faulty one", ["8"], two), ("none", [], two), ("both", ["9", "8"], two), ("no output", ["2"], two),
            ("one that isn't there", ["77"], two)]


def attempt(function, value):
    try: return {"value": function(value)}
    except Exception as e: return {"error": str(e)}


def conversions(value):
    result = {name: attempt(f, value) for name, f in (("int", int), ("float", float), ("str", str), ("bool", bool))}
    return {"given": value, "repr": repr(value), "json": json.dumps(value), **result}


def metadata(prompt):
    prompt = json.loads(json.dumps(prompt))
    given = json.loads(json.dumps(prompt))
    assert asyncio.run(execution.validate_prompt("id", prompt, None))[0]
    return {"prompt": given, "text": json.dumps(prompt)}


def finite(value):
    """JSON has no infinity: its Python text instead."""
    if isinstance(value, dict): return {k: finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)): return [finite(v) for v in value]
    return str(value) if value in (float("inf"), float("-inf")) else value


out = {
    "cases": [{"name": name, "prompt": json.loads(json.dumps(prompt)), **answer(prompt)} for name, prompt in cases.items()],
    "targets": [{"name": name, "prompt": json.loads(json.dumps(prompt)), "targets": targets, **answer(prompt, targets)} for name, targets, prompt in targeted],
    "conversions": [conversions(v) for v in values],
    "metadata": [metadata(saved(**{"1": {**paint(shade=8, smooth=1, caption=7.0, offset="3", extra=5, under=["2", 0]), "_meta": {"title": "Größe \u2603"}},
                                   "2": node("Dice", seed=2**64 - 1), "3": paint(offset="9")}))],
}
path = sys.argv[1] if len(sys.argv) > 1 else "test/fixtures/workflow/validation.json"
os.makedirs(os.path.dirname(path), exist_ok=True)
with open(path, "w") as f:
    json.dump(finite(out), f, indent=1, ensure_ascii=True)
    f.write("\n")
