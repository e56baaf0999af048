"""Makes test/fixtures/nodes/wildcards.json: texts with choices, as ComfyUI-Impact-Pack's modules/impact/wildcards.py makes them.

Usage: IMPACT=folder of ComfyUI-Impact-Pack COMFY=... TORCHSDE=... PYTHONPATH=REF python tools/reference/wildcards.py [OUT]   (REF holds comfy_env.py)
"""
import importlib.util
import json
import os
import sys

import comfy_env

comfy_env._Finder.names.update(name for name in ("torchvision", "cv2", "server", "piexif", "cm_global") if importlib.util.find_spec(name) is None)
sys.path.append(os.path.join(os.environ["IMPACT"], "modules"))
from impact import wildcards

WORDS = {
    "animal": ["cat", "dog", "{red|grey} fox", "owl"],
    "colour/warm": ["red", "orange", "0.5::pale __colour/cold__"],
    "colour/cold": ["blue", "green"],
    "deep/er/flower": ["rose", "tulip", "lily"],
    "place+time": ["a hill", "the sea at night"],
    "loop": ["__loop__ again"],
}
TEXTS = [
    "plain", "a {b|c|d} e", "{a|{b|c}|{d|e|{f|g}}}", "{2$$a|b|c|d}", "{1-3$$, $$a|b|c|d}", "{-2$$x|y|z}", "{0$$a|b}", "{9$$a|b|c}", "{3::a|0.5::b|c}", "{2$$5::a|b|0::c|d}", "{|a}", "{ 2 :: spaced |b}",
    "__animal__", "__animal__ and __animal__", "__ANIMAL__ on __place+time__", "__colour/*__", "__*warm__", "__flower__ in __warm__", "{2$$__animal__}", "{2$$, $$__animal__|__flower__|x}", "{3$$__colour/*__}", "__missing__ {a|b}",
    "3#__animal__", "{2$$ and $$4#__flower__}", "{2#__Animal__|x}", "# out\nfirst\nsecond\n # out\nthird\nfourth", "a\n#b\n\nc", "#only", "<lora:x:{0.5|0.7}>, {a|b}", "{a|b} __nothing/here__ {c|d}", "{unclosed|a", "a}b{c", "{1-2$$a|b|c}$$", "__colour/warm__",
]
wildcards.wildcard_dict.update(WORDS)
cases = []
for text in TEXTS:
    for seed in (0, 7, 123456789012345, 2**64 - 1): cases.append([text, str(seed), wildcards.process(text, seed)])
cases.append(["__loop__", "3", wildcards.process("__loop__", 3)])
out = sys.argv[1] if len(sys.argv) > 1 else "test/fixtures/nodes/wildcards.json"
with open(out, "w") as file: json.dump({"words": WORDS, "cases": cases}, file, separators=(",", ":"))
print(len(cases))
