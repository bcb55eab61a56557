"""Embedding models by name: `minilm` on this machine, or any `provider:model` that LangChain can build."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrieval.errors import EmbeddingsUnavailable

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings


@dataclass(frozen=True, slots=True)
class EmbeddingModel:
    """An embedder with what the store must know about it."""

    embeddings: Embeddings
    identity: str
    """Name and version; vectors of different identities are never compared."""
    dimensions: int
    languages: frozenset[str]
    """Those it understands: elsewhere the dense side of a search has no say."""


def build_embeddings(name: str = "minilm") -> EmbeddingModel:
    """The embedder called `minilm` or `<provider>:<model>` (see `langchain.embeddings.init_embeddings`).

    `minilm` loads nothing yet; a provider is asked for one vector, to learn its dimensions. A provider's model
    is taken to understand every language. Raises EmbeddingsUnavailable.
    """
    if name == "minilm":
        return _minilm()
    provider, _, model = name.partition(":")
    if not provider or not model:
        raise EmbeddingsUnavailable(
            f"There is no embedder called {name!r}", todo="Use `minilm`, or `<provider>:<model>`."
        )
    return _from_provider(name, provider)


def _minilm() -> EmbeddingModel:
    from retrieval.embeddings.minilm import CHECKSUMS, DIMENSIONS, MiniLMEmbeddings, weights_folder

    version = CHECKSUMS["model.safetensors"][:8]
    return EmbeddingModel(
        MiniLMEmbeddings(weights_folder()), f"minilm@{version}", DIMENSIONS, frozenset({"en"})
    )


def _from_provider(name: str, provider: str) -> EmbeddingModel:
    from langchain.embeddings import init_embeddings

    # What a package raises for a missing key, a wrong one, a closed network or an unknown model is its own affair.
    try:
        embeddings = init_embeddings(name)
    except Exception as error:
        raise EmbeddingsUnavailable(
            f"The embedder {name!r} cannot be built: {error}",
            todo=f"Install LangChain's package for {provider} and give it its credentials.",
        ) from error
    try:
        probe = embeddings.embed_query("dimensions")
    except Exception as error:
        raise EmbeddingsUnavailable(
            f"The embedder {name!r} does not answer: {type(error).__name__}: {error}",
            todo="Check its name, its credentials and the network.",
        ) from error
    if not probe:
        raise EmbeddingsUnavailable(f"The embedder {name!r} gave an empty vector")
    return EmbeddingModel(embeddings, name, len(probe), frozenset({"en", "ja"}))
