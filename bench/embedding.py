"""How fast texts become vectors, beside others that run the same weights.

    python -m bench embedding [--texts 64] [--rounds 5]

Ours, Chroma's built-in MiniLM and fastembed embed the same texts in turns: of one length, of mixed lengths, and one
question at a time; loading includes the first text. Ratios are time of theirs over time of ours, round by round.
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from bench import _peers_embedding as peers
from bench._rounds import OURS, Contender, compared, installed, race, ratios, table, versions
from retrieval.embeddings.minilm import MiniLMEmbeddings, weights_folder

LENGTHS = (16, 60, 128, 200)
_WORDS = re.findall(
    r"\w+",
    """store coffee order month price region customer stock return summer late how many sold between first
warehouse delivered supplier contract because every weekday morning the a of in with and to was reported amount
refund branch manager forecast grew by percent compared year before complaint packaging discount campaign""",
)


def main(arguments: list[str]) -> None:
    """Measure, check that all give the same vectors, print the table."""
    parser = argparse.ArgumentParser(prog="bench embedding", description=__doc__)
    parser.add_argument(
        "--texts", type=int, default=64, help="texts a round of 60 words; fewer of longer ones"
    )
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args(arguments)
    here, missing = installed(peers.PEERS)
    with tempfile.TemporaryDirectory() as scratch:
        builders: dict[str, Callable[[], peers.Embed]] = {
            OURS: lambda: MiniLMEmbeddings(weights_folder()).embed
        }
        if here:
            folder = peers.write_model(weights_folder(), Path(scratch) / "minilm")
            for name in here:
                builders[name] = lambda build=peers.PEERS[name][1]: build(folder)
        print(compared(versions("onnxruntime"), here, missing))
        measure(builders, given.texts, given.rounds)


def measure(builders: dict[str, Callable[[], peers.Embed]], texts: int, rounds: int) -> None:
    """Race the embedders over every load and print a line a load and embedder."""
    rows: list[Sequence[object]] = []
    loading = [Contender(name, lambda b=build: b()(["warm up"])) for name, build in builders.items()]
    _report(rows, "load and first text", 1, race(loading, min(rounds, 3)))
    embedders = {name: build() for name, build in builders.items()}
    same = _agreement(embedders, sample(60, 32) + sample(200, 4))
    for label, batch in loads(texts).items():
        racing = [Contender(name, lambda e=embed, b=batch: e(b)) for name, embed in embedders.items()]
        race(racing, 1)  # not counted: the arenas grow to the shapes of this load
        _report(rows, label, len(batch), race(racing, rounds))
    questions = [f"how much coffee did store {number} sell last month" for number in range(10)]
    racing = [
        Contender(name, lambda e=embed: [e([question]) for question in questions])
        for name, embed in embedders.items()
    ]
    _report(rows, "one question", len(questions), race(racing, max(rounds, 10)), each=True)
    print(table(("load", "who", "texts", "median", "best", "ratio (range)"), rows))
    for name, cosine in same.items():
        print(
            f"smallest cosine with ours, {name}: {cosine:.7f}{'' if cosine >= 0.9999 else '  NOT THE SAME'}"
        )


def loads(texts: int) -> dict[str, list[str]]:
    """What is embedded in one go: texts of one length in words, and of lengths as they come."""
    found = {f"{words} words": sample(words, max(8, texts * 60 // max(words, 60))) for words in LENGTHS}
    pick = random.Random(5)
    found["mixed 5–200 words"] = [sample(pick.randint(5, 200), 1, seed)[0] for seed in range(texts)]
    return found


def sample(words: int, count: int, seed: int = 0) -> list[str]:
    """Texts of so many words, always the same."""
    pick = random.Random(words * 1000 + seed)
    return [" ".join(pick.choices(_WORDS, k=words)) for _ in range(count)]


def _agreement(embedders: dict[str, peers.Embed], texts: list[str]) -> dict[str, float]:
    """The smallest cosine between our vector of a text and theirs."""
    ours = embedders[OURS](texts)
    return {
        name: float(np.min(np.sum(ours * embed(texts), axis=1)))
        for name, embed in embedders.items()
        if name != OURS
    }


def _report(
    rows: list[Sequence[object]], label: str, count: int, times: dict[str, list[float]], *, each: bool = False
) -> None:
    for name, seconds in times.items():
        middle, best = sorted(seconds)[len(seconds) // 2], min(seconds)
        if label.startswith("load"):
            shown = [f"{value:.2f} s" for value in (middle, best)]
        elif each:
            shown = [f"{value / count * 1000:.1f} ms" for value in (middle, best)]
        else:
            shown = [f"{count / value:.0f}/s" for value in (middle, best)]
        rows.append((label, name, count, *shown, ratios(times, name)))
