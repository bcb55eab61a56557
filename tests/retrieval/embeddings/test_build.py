from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest
from langchain_core.embeddings import Embeddings

from retrieval.embeddings import build_embeddings
from retrieval.errors import EmbeddingsUnavailable


class Provider(Embeddings):
    """Stands in for the class of a provider's package."""

    vector = [0.5] * 7
    failure: Exception | None = None

    def __init__(self, **settings: Any) -> None:
        if settings["model"] == "no-key":
            raise RuntimeError("no key")

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        if self.failure is not None:
            raise self.failure
        return self.vector


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> type[Provider]:
    package = ModuleType("langchain_ollama")
    package.OllamaEmbeddings = Provider  # type: ignore[attr-defined]  # a module made here
    monkeypatch.setitem(sys.modules, "langchain_ollama", package)
    return Provider


def test_the_local_one() -> None:
    model = build_embeddings()
    assert model.identity == "minilm@53aa5117"
    assert model.dimensions == 384
    assert model.languages == {"en"}
    assert model == build_embeddings("minilm") or model.identity == build_embeddings("minilm").identity


def test_any_provider_is_asked_for_its_dimensions(provider: type[Provider]) -> None:
    model = build_embeddings("ollama:some-model")
    assert isinstance(model.embeddings, provider)
    assert model.identity == "ollama:some-model"
    assert model.dimensions == 7
    assert model.languages == {"en", "ja"}


@pytest.mark.parametrize("name", ["", "minilm2", "ollama:", ":model", "none"])
def test_an_unknown_name_says_what_there_is(name: str) -> None:
    with pytest.raises(EmbeddingsUnavailable, match="no embedder called") as caught:
        build_embeddings(name)
    assert "minilm" in caught.value.todo


def test_an_unknown_provider() -> None:
    with pytest.raises(EmbeddingsUnavailable, match="cannot be built"):
        build_embeddings("nosuchprovider:model")


def test_a_provider_whose_package_is_not_installed() -> None:
    with pytest.raises(EmbeddingsUnavailable) as caught:
        build_embeddings("cohere:embed-v4")
    assert "cohere" in caught.value.todo


def test_a_provider_without_its_key(provider: type[Provider]) -> None:
    with pytest.raises(EmbeddingsUnavailable, match="no key"):
        build_embeddings("ollama:no-key")


def test_a_provider_that_does_not_answer(provider: type[Provider], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "failure", TimeoutError("too slow"))
    with pytest.raises(EmbeddingsUnavailable, match="too slow"):
        build_embeddings("ollama:some-model")
    monkeypatch.setattr(provider, "failure", None)
    monkeypatch.setattr(provider, "vector", [])
    with pytest.raises(EmbeddingsUnavailable, match="empty"):
        build_embeddings("ollama:some-model")
