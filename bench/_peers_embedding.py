"""Peers of the embedder, running the same weights from local files: Chroma's built-in MiniLM and fastembed.

Both want an ONNX model that gives one vector a token (they pool themselves). It is written beside a copy of the
weights, which it refers to: no tensor is converted.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from retrieval.embeddings.minilm import DIMENSIONS, MAX_TOKENS
from retrieval.embeddings.onnx_writer import FLOAT, INT64, Graph
from retrieval.embeddings.skeleton import _Encoder, read_header

Embed = Callable[[Sequence[str]], np.ndarray]
"""Texts to an array [texts, 384] of float32."""
LOADED_NAME = "bench/minilm"


class _Tokens(_Encoder):
    """The encoder before pooling, with `token_type_ids` as an input, as usual exports have it."""

    def build(self) -> Graph:
        graph = self._graph
        ids, mask, self._types = (
            graph.input(name, INT64, ["batch", "length"])
            for name in ("input_ids", "attention_mask", "token_type_ids")
        )
        absent = graph.node("Sub", [graph.number(1.0), graph.node("Cast", [mask], to=FLOAT)])
        bias = graph.node("Mul", [absent, graph.number(-1e9)])
        bias = graph.node("Unsqueeze", [bias, graph.integers([1, 2])])
        hidden = self._embed(ids)
        for layer in range(self._layers):
            hidden = self._layer(f"encoder.layer.{layer}", hidden, bias)
        graph.output(hidden, FLOAT, ["batch", "length", self._width])
        return graph

    def _embed(self, ids: str) -> str:
        graph = self._graph
        words = graph.node("Gather", [self._weight("embeddings.word_embeddings.weight"), ids])
        types = graph.node("Gather", [self._weight("embeddings.token_type_embeddings.weight"), self._types])
        shape = graph.node("Shape", [ids])
        length = graph.node("Slice", [shape, graph.integers([1]), graph.integers([2])])
        table = self._weight("embeddings.position_embeddings.weight")
        places = graph.node("Slice", [table, graph.integers([0]), length, graph.integers([0])])
        summed = graph.node("Add", [graph.node("Add", [words, places]), types])
        return self._norm("embeddings.LayerNorm", summed)


def write_model(weights: Path, folder: Path) -> Path:
    """Fill `folder` with what the peers look for; returns it. Copies the weights (90 MB)."""
    folder.mkdir(parents=True)
    for name in (
        "model.safetensors",
        "tokenizer.json",
        "special_tokens_map.json",
        "vocab.txt",
        "config.json",
    ):
        shutil.copyfile(weights / name, folder / name)
    header = read_header(folder / "model.safetensors")
    (folder / "model.onnx").write_bytes(bytes(_Tokens("model.safetensors", header, 12, 1e-12).build()))
    # As many tokens as ours reads: all see the same part of a long text.
    settings = json.loads((weights / "tokenizer_config.json").read_text(encoding="utf-8"))
    settings["model_max_length"] = MAX_TOKENS
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def chroma(folder: Path) -> Embed:
    """Chroma's default embedding function over `folder` (its folder of downloads, already filled)."""
    from chromadb.utils.embedding_functions.onnx_mini_lm_l6_v2 import ONNXMiniLM_L6_V2

    class Local(ONNXMiniLM_L6_V2):
        DOWNLOAD_PATH = folder.parent
        EXTRACTED_FOLDER_NAME = folder.name

    function = Local(preferred_providers=["CPUExecutionProvider"])
    return lambda texts: np.asarray(function(list(texts)), dtype=np.float32)


def fastembed(folder: Path) -> Embed:
    """fastembed with the model as a custom one, mean pooling, two threads as ours."""
    from fastembed import TextEmbedding
    from fastembed.common.model_description import ModelSource, PoolingType

    if LOADED_NAME not in [model["model"] for model in TextEmbedding.list_supported_models()]:
        TextEmbedding.add_custom_model(
            LOADED_NAME, PoolingType.MEAN, True, ModelSource(url="file:"), DIMENSIONS, "model.onnx"
        )
    model = TextEmbedding(LOADED_NAME, specific_model_path=str(folder), threads=2)
    return lambda texts: np.asarray(list(model.embed(list(texts))), dtype=np.float32)


PEERS: dict[str, tuple[tuple[str, ...], Callable[[Path], Embed]]] = {
    "Chroma": (("chromadb", "onnxruntime"), chroma),
    "fastembed": (("fastembed", "onnxruntime"), fastembed),
}
