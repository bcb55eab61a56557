from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from retrieval.embeddings.minilm import weights_folder
from retrieval.embeddings.onnx_writer import FLOAT, INT64, Graph
from retrieval.embeddings.skeleton import build_skeleton, read_header


def test_a_small_graph_runs() -> None:
    graph = Graph("affine")
    value = graph.input("x", FLOAT, ["n", 2])
    shifted = graph.node("Add", [value, graph.number(-1.5)])
    total = graph.node("ReduceSum", [shifted, graph.integers([-1])], keepdims=0)
    graph.output(total, FLOAT, ["n"])
    session = onnxruntime.InferenceSession(bytes(graph), providers=["CPUExecutionProvider"])
    (result,) = session.run(None, {"x": np.array([[1, 2], [300, -4]], dtype=np.float32)})
    np.testing.assert_allclose(result, [0.0, 293.0])


def test_lists_and_floats_as_attributes() -> None:
    graph = Graph("attributes")
    value = graph.input("x", FLOAT, [2, 3])
    turned = graph.node("Transpose", [value], perm=[1, 0])
    graph.output(graph.node("LeakyRelu", [turned], alpha=0.5), FLOAT, [3, 2])
    session = onnxruntime.InferenceSession(bytes(graph), providers=["CPUExecutionProvider"])
    (result,) = session.run(None, {"x": np.array([[1, -2, 3], [4, 5, -6]], dtype=np.float32)})
    np.testing.assert_allclose(result, [[1, 4], [-1, 5], [3, -3]])


def test_weights_are_read_where_they_lie(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(b"skip" + struct.pack("<2f", 10, 20))
    graph = Graph("external")
    ids = graph.input("ids", INT64, ["n"])
    table = graph.external("table", [2], "weights.bin", 4, 8)
    graph.output(graph.node("Gather", [table, ids]), FLOAT, ["n"])
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(tmp_path))
    session = onnxruntime.InferenceSession(bytes(graph), options, providers=["CPUExecutionProvider"])
    (result,) = session.run(None, {"ids": np.array([1, 0, 1], dtype=np.int64)})
    np.testing.assert_allclose(result, [20, 10, 20])


def test_the_skeleton_is_small_and_names_every_weight_but_the_poolers() -> None:
    path = weights_folder() / "model.safetensors"
    skeleton = build_skeleton(path)
    assert len(skeleton) < 64_000
    for name in read_header(path):
        assert (name.encode() in skeleton) != name.startswith("pooler")


def test_the_header_gives_shape_and_place(tmp_path: Path) -> None:
    header = json.dumps({
        "__metadata__": {"format": "pt"},
        "a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [8, 24]},
        "ids": {"dtype": "I64", "shape": [1], "data_offsets": [0, 8]},
    }).encode()  # fmt: skip
    path = tmp_path / "x.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(24))
    (weight,) = read_header(path).values()
    assert (weight.shape, weight.offset, weight.length) == ((2, 2), 8 + len(header) + 8, 16)


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 16, struct.pack("<Q", 4) + b"nope"])
def test_what_is_not_a_weights_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"safetensors|Expecting"):
        read_header(path)
