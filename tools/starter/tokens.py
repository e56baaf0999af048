"""CLIP's tokens, from the merges that the package ships."""

import gzip
import os
import re

START, END, LENGTH = 49406, 49407, 77
VOCABULARY = 49408
_merges = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "data", "clip-merges.txt.gz")
_pieces = re.compile(r"[a-z]+|[0-9]|[^\sa-z0-9]+")
_ranks = {}
_known = {}


def _load():
    with gzip.open(_merges, "rt", encoding="utf-8") as lines:
        for rank, line in enumerate(lines):
            _ranks[tuple(line.rstrip("\n").split(" "))] = rank


def _byte_order():
    """The vocabulary's first 256 tokens: printable bytes, then the others."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return {byte: i for i, byte in enumerate(printable + [b for b in range(256) if b not in printable])}


_bytes = _byte_order()


def _word(word):
    symbols = list(word[:-1]) + [word[-1] + "</w>"]
    tokens = [_bytes[ord(c)] for c in word]
    tokens[-1] += 256
    while len(symbols) > 1:
        ranks = [_ranks.get(pair, 1 << 30) for pair in zip(symbols, symbols[1:])]
        best = min(ranks)
        if best == 1 << 30:
            break
        i = ranks.index(best)
        symbols[i : i + 2] = [symbols[i] + symbols[i + 1]]
        tokens[i : i + 2] = [512 + best]
    return tokens


def tokenize(text):
    """Tokens of ASCII `text`, with start and end, filled up to 77."""
    if not _ranks:
        _load()
    tokens = [START]
    for piece in _pieces.findall(text.lower()):
        if piece not in _known:
            _known[piece] = _word(piece)
        tokens += _known[piece]
    tokens = tokens[: LENGTH - 1]
    return tokens + [END] * (LENGTH - len(tokens))
