"""Makes test/fixtures/text/llama-stand-in.json.gz, a tokenizer of Llama 3's form with few pieces (no package has its own), and what it makes of the texts
of vocabularies.json.gz there.

Usage: python tools/reference/llama_stand_in.py   (in the repository's root; needs transformers' tokenizers)
"""
import gzip
import json

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

FOLDER = "test/fixtures/text"
PATTERN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
SPECIAL = {"<|begin_of_text|>": 128000, "<|end_of_text|>": 128001, "<|eot_id|>": 128009}


def write(name, value):
    with open(f"{FOLDER}/{name}.json.gz", "wb") as file:
        file.write(gzip.compress(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), 9, mtime=0))


vocabularies = json.loads(gzip.open(f"{FOLDER}/vocabularies.json.gz").read())
texts = [text for text, _ in vocabularies["t5"]]
tokenizer = Tokenizer(models.BPE(ignore_merges=True))
tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(PATTERN), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
tokenizer.decoder = decoders.ByteLevel()
tokenizer.train_from_iterator(texts * 2, trainers.BpeTrainer(vocab_size=700, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
description = json.loads(tokenizer.to_str())
description["model"]["vocab"].update(SPECIAL)
plain = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
description["added_tokens"] = [{"id": number, "content": content, **plain} for content, number in SPECIAL.items()]
description["post_processor"] = {
    "type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "<|begin_of_text|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
    "special_tokens": {"<|begin_of_text|>": {"id": "<|begin_of_text|>", "ids": [128000], "tokens": ["<|begin_of_text|>"]}},
}
write("llama-stand-in", description)
made = Tokenizer.from_str(json.dumps(description))
vocabularies["llama"] = [[text, made.encode(text, add_special_tokens=False).ids] for text in texts]
write("vocabularies", vocabularies)
