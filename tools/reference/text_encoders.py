"""Makes test/fixtures/text/: tokens and encoded text of the transformers' encoders, by ComfyUI's own tokenizers and models.

Usage: COMFY=... python tools/reference/text_encoders.py GOLDEN   (in the repository's root)
GOLDEN holds tokens.json (family -> tokenizer -> prompt -> ids and weights, from ComfyUI's tokenize) and FAMILY-tiny.golden.safetensors
(text.I.cond, text.I.pooled_output and text.I.attention_mask, from CLIPTextEncode on the tiny encoders); their parts are kept here, of long
texts every few rows. vocabularies.json has texts that tokenizers differ in, by transformers, sentencepiece and tokenizers themselves.
"""
import gzip
import json
import os
import sys

import numpy as np
import sentencepiece
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import Qwen2Tokenizer

golden, out, manifests = sys.argv[1], "test/fixtures/text", "test/fixtures/golden/manifests"
os.makedirs(out, exist_ok=True)


def write_json(name, value):
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    with open(f"{out}/{name}.json.gz", "wb") as file:
        file.write(gzip.compress(text.encode(), 9, mtime=0))


write_json("tokens", json.load(open(f"{golden}/tokens.json")))

# Of a text, every so manyth row.
STEPS = {"flux2-klein": 16, "flux2-dev": 4, "flux-dev": 8, "sd35-medium": 4, "wan21": 8}
PROMPTS = {"flux2-klein": [2], "flux2-dev": [2], "sd35-medium": [2]}
encoded = {}
for family in ["z_image", "lumina2", "flux2-klein", "flux2-dev", "qwen_image", "flux-dev", "chroma", "sd35-medium", "wan21"]:
    tensors = load_file(f"{golden}/{family}-tiny.golden.safetensors")
    for prompt in PROMPTS.get(family, [2, 3]):
        for part in ["cond", "pooled_output", "attention_mask"]:
            value = tensors.get(f"text.{prompt}.{part}")
            if value is None:
                continue
            if part == "cond":
                value = value[:, :: STEPS.get(family, 1)]
            encoded[f"{family}.{prompt}.{part}"] = np.ascontiguousarray(value.astype(np.float32))
save_file(encoded, f"{out}/encoded.safetensors")

TEXTS = [
    "", " ", "a  b", "  lead", "tail  ", "a\nb\tc", "ﬁne ½ Å ™ ～ ＡＢＣ", "zero\u200bwidth", "soft\u00adhyphen", "e\u0301 clair", "カﾞ", "\u0001x",
    "emoji 👩‍👩‍👧 ok", "</s>foo", " \u3000x", "①②", "ﷺ", "a\u00a0b", "…", "“quoted”", "ŀ", "한국어 각", "नमस्ते", "x²", "K", "ſ", "\ufeffbom", "\ufffd",
    "a\u0338=", "🇩🇪 flag", "≠", "\u0301", "<unk> y", "<|im_start|>user", "it's WE'RE", "1234567 3.14", "don't <0x41>", "▁▁ low line", "a" * 40,
]
vocabularies = {}
for name, args in {"umt5xxl": {}, "gemma2_2b": {}}.items():
    model = gzip.open(f"{manifests}/{name}-tiny.spiece.gz").read()
    pieces = sentencepiece.SentencePieceProcessor(model_proto=model)
    vocabularies[name] = [[text, pieces.encode(text)] for text in TEXTS]
qwen = Qwen2Tokenizer.from_pretrained(f"{os.environ['COMFY']}/comfy/text_encoders/qwen25_tokenizer")
vocabularies["qwen"] = [[text, qwen(text)["input_ids"]] for text in TEXTS]


def varint(data, at):
    value, shift = 0, 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def charsmap(model):
    """precompiled_charsmap of a SentencePiece model: field 2 of its field 3."""
    def field(data, wanted):
        at = 0
        while at < len(data):
            key, at = varint(data, at)
            if key & 7 == 2:
                size, at = varint(data, at)
                if key >> 3 == wanted:
                    return data[at:at + size]
                at += size
            elif key & 7 == 0:
                _, at = varint(data, at)
            else:
                at += 4 if key & 7 == 5 else 8
    return field(field(model, 3), 2)


# A stand-in for T5's own, which no package ships: its pieces are UMT5's of the tiny checkpoint, and it is cut as transformers' T5Tokenizer does.
model = gzip.open(f"{manifests}/umt5xxl-tiny.spiece.gz").read()
pieces = sentencepiece.SentencePieceProcessor(model_proto=model)
vocabulary = [(pieces.id_to_piece(i), pieces.get_score(i)) for i in range(pieces.get_piece_size()) if not pieces.is_byte(i)]
stand_in = Tokenizer(models.Unigram(vocabulary, unk_id=2, byte_fallback=False))
stand_in.normalizer = normalizers.Precompiled(charsmap(model))
stand_in.add_special_tokens(["<pad>", "</s>", "<unk>"])
stand_in.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
description = json.loads(stand_in.to_str())
stand_in.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), stand_in.pre_tokenizer])
vocabularies["t5"] = [[text, stand_in.encode(text, add_special_tokens=False).ids] for text in TEXTS]
write_json("vocabularies", vocabularies)
write_json("t5-stand-in", description)
