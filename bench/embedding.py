"""How fast texts become vectors.

    python -m bench embedding [--texts 512] [--model minilm]

Prints the load time, the time of one question, and texts a second for several lengths.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time

from retrieval.embeddings import build_embeddings

_WORDS = (
    "store",
    "coffee",
    "order",
    "month",
    "price",
    "region",
    "customer",
    "stock",
    "return",
    "summer",
    "late",
)


def main(arguments: list[str]) -> None:
    """Measure one embedder."""
    parser = argparse.ArgumentParser(prog="bench embedding", description=__doc__)
    parser.add_argument("--texts", type=int, default=512)
    parser.add_argument("--model", default="minilm")
    given = parser.parse_args(arguments)
    embeddings = build_embeddings(given.model).embeddings
    start = time.perf_counter()
    embeddings.embed_query("warm up")
    print(f"first text, with loading: {time.perf_counter() - start:.2f} s")
    times = []
    for number in range(50):
        start = time.perf_counter()
        embeddings.embed_query(f"how much coffee did store {number} sell last month")
        times.append((time.perf_counter() - start) * 1000)
    print(f"one question: p50 {statistics.median(times):.1f} ms, p95 {sorted(times)[47]:.1f} ms")
    for words in (16, 60, 120, 200):
        pick = random.Random(words)
        texts = [" ".join(pick.choices(_WORDS, k=words)) for _ in range(max(16, given.texts * 16 // words))]
        start = time.perf_counter()
        embeddings.embed_documents(texts)
        print(f"{words:4d} words: {len(texts) / (time.perf_counter() - start):7.1f} texts/s")
