"""The sentence encoder again, by hand in numpy and straight from the weights: an oracle that shares no code."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer


def read_tensors(path: Path) -> dict[str, Any]:
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + size])
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(
            raw[8 + size + entry["data_offsets"][0] : 8 + size + entry["data_offsets"][1]], dtype="<f4"
        ).reshape(entry["shape"])
        for name, entry in header.items()
        if entry["dtype"] == "F32"
    }


class NumpyEncoder:
    """One text at a time, in float64, without padding."""

    def __init__(self, folder: Path, heads: int = 12, max_tokens: int = 256) -> None:
        self.weights = {
            name: array.astype(np.float64)
            for name, array in read_tensors(folder / "model.safetensors").items()
        }
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        self.heads = heads
        self.max_tokens = max_tokens

    def encode(self, text: str) -> Any:
        ids = self.tokenizer.encode(text).ids
        if len(ids) > self.max_tokens:
            ids = [*ids[: self.max_tokens - 1], ids[-1]]
        weights = self.weights
        hidden = (
            weights["embeddings.word_embeddings.weight"][ids]
            + weights["embeddings.position_embeddings.weight"][: len(ids)]
            + weights["embeddings.token_type_embeddings.weight"][0]
        )
        hidden = self._norm("embeddings.LayerNorm", hidden)
        layer = 0
        while f"encoder.layer.{layer}.output.dense.weight" in weights:
            hidden = self._layer(f"encoder.layer.{layer}", hidden)
            layer += 1
        mean = hidden.mean(axis=0)
        return mean / np.linalg.norm(mean)

    def _linear(self, name: str, value: Any) -> Any:
        return value @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def _norm(self, name: str, value: Any) -> Any:
        centred = value - value.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-12)
        return centred / spread * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def _layer(self, name: str, hidden: Any) -> Any:
        length, width = hidden.shape
        size = width // self.heads
        query, key, value = (
            self._linear(f"{name}.attention.self.{part}", hidden)
            .reshape(length, self.heads, size)
            .swapaxes(0, 1)
            for part in ("query", "key", "value")
        )
        scores = query @ key.swapaxes(1, 2) / math.sqrt(size)
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        mixed = (shares @ value).swapaxes(0, 1).reshape(length, width)
        attended = self._linear(f"{name}.attention.output.dense", mixed)
        hidden = self._norm(f"{name}.attention.output.LayerNorm", attended + hidden)
        wide = self._linear(f"{name}.intermediate.dense", hidden)
        wide = (
            wide
            * 0.5
            * (1 + np.array([math.erf(x) for x in wide.ravel() / math.sqrt(2)]).reshape(wide.shape))
        )
        return self._norm(f"{name}.output.LayerNorm", self._linear(f"{name}.output.dense", wide) + hidden)
