"""The graph of a BERT sentence encoder whose weights stay where they are, in a `.safetensors` file.

The graph is some 30 KB, made in a few milliseconds from the file's own header, and names every weight as
ONNX *external data* (file, offset, length): nothing is converted, copied or kept twice.
Architecture: Devlin et al. 2018; mean pooling and normalisation: Reimers and Gurevych 2019.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from retrieval.embeddings.onnx_writer import FLOAT, INT64, Graph

_MAX_HEADER = 10_000_000


@dataclass(frozen=True, slots=True)
class Weight:
    """One tensor of a safetensors file: shape, and where its bytes lie."""

    shape: tuple[int, ...]
    offset: int
    length: int


def read_header(path: Path) -> dict[str, Weight]:
    """The float32 tensors of a safetensors file (8 bytes length, JSON header, data), by name.

    Raises ValueError when the file is not one, OSError when it cannot be read.
    """
    with path.open("rb") as file:
        prefix = file.read(8)
        size = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else 0
        if not 2 <= size <= _MAX_HEADER:
            raise ValueError(f"{path.name} is not a safetensors file")
        header = json.loads(file.read(size))
    return {
        name: Weight(
            tuple(entry["shape"]),
            8 + size + entry["data_offsets"][0],
            entry["data_offsets"][1] - entry["data_offsets"][0],
        )
        for name, entry in header.items()
        if name != "__metadata__" and entry["dtype"] == "F32"
    }


def build_skeleton(path: Path, *, heads: int = 12, epsilon: float = 1e-12) -> bytes:
    """A serialised ONNX model: `input_ids`, `attention_mask` [batch, length] int64 -> unit vectors float32.

    `path` is the weights file; the session must be told its folder (the model names the file only).
    """
    return bytes(_Encoder(path.name, read_header(path), heads, epsilon).build())


class _Encoder:
    """Builds the graph layer by layer; values are passed on by name."""

    def __init__(self, location: str, weights: Mapping[str, Weight], heads: int, epsilon: float) -> None:
        self._graph = Graph("sentence_encoder")
        self._location = location
        self._weights = weights
        self._heads = heads
        self._epsilon = epsilon
        self._width = weights["embeddings.LayerNorm.weight"].shape[0]
        self._layers = 1 + max(
            int(name.split(".")[2]) for name in weights if name.startswith("encoder.layer.")
        )
        split = [0, 0, heads, self._width // heads]
        self._to_heads = self._graph.integers(split)
        self._from_heads = self._graph.integers([0, 0, self._width])
        self._scale = self._graph.number((self._width // heads) ** -0.5)

    def build(self) -> Graph:
        graph = self._graph
        ids = graph.input("input_ids", INT64, ["batch", "length"])
        mask = graph.input("attention_mask", INT64, ["batch", "length"])
        present = graph.node("Cast", [mask], to=FLOAT)
        hidden = self._embed(ids)
        # 0 where there is a token, a very negative number where there is padding; [batch, 1, 1, length]
        absent = graph.node("Sub", [graph.number(1.0), present])
        bias = graph.node("Mul", [absent, graph.number(-1e9)])
        bias = graph.node("Unsqueeze", [bias, graph.integers([1, 2])])
        for layer in range(self._layers):
            hidden = self._layer(f"encoder.layer.{layer}", hidden, bias)
        graph.output(self._pool(hidden, present), FLOAT, ["batch", self._width])
        return graph

    def _weight(self, name: str) -> str:
        weight = self._weights[name]
        return self._graph.external(name, weight.shape, self._location, weight.offset, weight.length)

    def _norm(self, name: str, value: str) -> str:
        inputs = [value, self._weight(f"{name}.weight"), self._weight(f"{name}.bias")]
        return self._graph.node("LayerNormalization", inputs, axis=-1, epsilon=self._epsilon)

    def _linear(self, name: str, value: str) -> str:
        # The file keeps [out, in]; the runtime folds the transposition into its packed copy at load.
        turned = self._graph.node("Transpose", [self._weight(f"{name}.weight")], perm=[1, 0])
        product = self._graph.node("MatMul", [value, turned])
        return self._graph.node("Add", [product, self._weight(f"{name}.bias")])

    def _embed(self, ids: str) -> str:
        graph = self._graph
        words = graph.node("Gather", [self._weight("embeddings.word_embeddings.weight"), ids])
        # Slice, not Gather(Range): onnxruntime's embedding fusion crashes on the latter.
        shape = graph.node("Shape", [ids])
        length = graph.node("Slice", [shape, graph.integers([1]), graph.integers([2])])
        table = self._weight("embeddings.position_embeddings.weight")
        places = graph.node("Slice", [table, graph.integers([0]), length, graph.integers([0])])
        types = self._weight("embeddings.token_type_embeddings.weight")
        first = graph.node("Slice", [types, graph.integers([0]), graph.integers([1]), graph.integers([0])])
        summed = graph.node("Add", [graph.node("Add", [words, places]), first])
        return self._norm("embeddings.LayerNorm", summed)

    def _layer(self, name: str, hidden: str, bias: str) -> str:
        graph = self._graph
        attended = self._attention(f"{name}.attention.self", hidden, bias)
        projected = self._linear(f"{name}.attention.output.dense", attended)
        hidden = self._norm(f"{name}.attention.output.LayerNorm", graph.node("Add", [projected, hidden]))
        wide = graph.node("Gelu", [self._linear(f"{name}.intermediate.dense", hidden)])
        narrow = self._linear(f"{name}.output.dense", wide)
        return self._norm(f"{name}.output.LayerNorm", graph.node("Add", [narrow, hidden]))

    def _attention(self, name: str, hidden: str, bias: str) -> str:
        """Scaled dot-product attention over all heads; [batch, length, width] in and out."""
        graph = self._graph
        query, key, value = (
            graph.node("Reshape", [self._linear(f"{name}.{part}", hidden), self._to_heads])
            for part in ("query", "key", "value")
        )
        query = graph.node("Transpose", [query], perm=[0, 2, 1, 3])
        key = graph.node("Transpose", [key], perm=[0, 2, 3, 1])
        value = graph.node("Transpose", [value], perm=[0, 2, 1, 3])
        scores = graph.node("Mul", [graph.node("MatMul", [query, key]), self._scale])
        shares = graph.node("Softmax", [graph.node("Add", [scores, bias])], axis=-1)
        mixed = graph.node("Transpose", [graph.node("MatMul", [shares, value])], perm=[0, 2, 1, 3])
        return graph.node("Reshape", [mixed, self._from_heads])

    def _pool(self, hidden: str, present: str) -> str:
        """The mean over tokens that are there, at length 1; [batch, width]."""
        graph = self._graph
        weights = graph.node("Unsqueeze", [present, graph.integers([2])])
        total = graph.node(
            "ReduceSum", [graph.node("Mul", [hidden, weights]), graph.integers([1])], keepdims=0
        )
        count = graph.node("ReduceSum", [weights, graph.integers([1])], keepdims=0)
        return graph.node("LpNormalization", [graph.node("Div", [total, count])], axis=1, p=2)
