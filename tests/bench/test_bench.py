"""Each benchmark runs on little input without peers, says who is missing, and its figures are true."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bench import __main__ as command
from bench import (
    _peers_ask,
    _peers_embedding,
    _peers_guard,
    _peers_retrieval,
    ask,
    embedding,
    guard,
    retrieval,
)
from bench._rounds import Contender, PeerMissing, Spread, compared, percentile, race, ratios, table, versions
from bench._vectors import prepare
from retrieval.embeddings.minilm import DIMENSIONS, MiniLMEmbeddings, weights_folder

ABSENT = {"Nobody": (("no-such-package-anywhere",), lambda *_: None)}
MISSING = "not measured: Nobody: no-such-package-anywhere is not installed (`make bench` installs it)"


@pytest.fixture(autouse=True)
def without_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (_peers_ask, _peers_embedding, _peers_guard, _peers_retrieval):
        monkeypatch.setattr(module, "PEERS", ABSENT)


def lines(out: str, start: str) -> list[list[str]]:
    return [re.split(r"  +", line) for line in out.splitlines() if line.startswith(start)]


class TestRounds:
    def test_everybody_begins_once_before_anybody_begins_twice(self) -> None:
        order: list[str] = []
        contenders = [Contender(name, lambda n=name: order.append(n)) for name in "abc"]
        times = race(contenders, 3)
        assert order == list("abcbcacab")
        assert {name: len(seconds) for name, seconds in times.items()} == {"a": 3, "b": 3, "c": 3}

    def test_a_ratio_is_theirs_over_ours_of_the_same_round(self) -> None:
        times = {"ours": [1.0, 10.0, 2.0], "theirs": [2.0, 30.0, 2.0]}
        assert ratios(times, "theirs") == Spread(2.0, 1.0, 3.0)
        assert ratios(times, "ours") is None
        assert str(Spread(2.0, 1.0, 3.0)) == "2.00 (1.00–3.00)"

    @pytest.mark.parametrize(("share", "expected"), [(0.0, 1), (0.5, 3), (0.95, 4), (1.0, 4)])
    def test_a_percentile_is_one_of_the_values(self, share: float, expected: float) -> None:
        assert percentile([4, 1, 3, 2], share) == expected

    def test_a_table_lines_up_and_nothing_is_a_dash(self) -> None:
        shown = table(("who", "ms"), [("ours", 1.5), ("somebody else", None)])
        assert shown == "who               ms\nours           1.500\nsomebody else      –"

    def test_who_was_compared_and_who_could_not_be(self) -> None:
        said = compared("a 1", {"Peer": "b 2"}, {"Other": "not installed"}).splitlines()
        assert said[0].startswith("compared: ours (a 1); Peer (b 2); Python 3.")
        assert said[1:] == ["not measured: Other: not installed"]

    def test_a_package_that_is_not_there_is_a_missing_peer(self) -> None:
        assert re.fullmatch(r"numpy \d\S*, pyyaml \d\S*", versions("numpy", "pyyaml"))
        with pytest.raises(PeerMissing, match="no-such-package-anywhere is not installed"):
            versions("numpy", "no-such-package-anywhere")


class TestCommand:
    def test_it_knows_every_benchmark_and_no_helper(self) -> None:
        assert command.names() == ["answers", "ask", "embedding", "guard", "retrieval"]

    def test_an_unknown_name_runs_nothing(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert command.main(["guard", "nothing"]) == 2
        assert "no benchmark called nothing; there are: answers" in capsys.readouterr().err

    def test_options_of_one_are_not_for_all(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert command.main(["--rounds", "1"]) == 2
        assert command.main(["--help"]) == 0
        assert "all of them take --data DIR only" in capsys.readouterr().out

    def test_all_get_the_data_that_take_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        got: dict[str, list[str]] = {}
        for name in command.names():
            module = command.import_module(f"bench.{name}")
            monkeypatch.setattr(module, "main", lambda given, n=name: got.__setitem__(n, given))
        assert command.main(["--data", "DIR"]) == 0
        taking, data = ("answers", "guard", "retrieval"), ["--data", "DIR"]
        assert got == {name: data if name in taking else [] for name in command.names()}


class TestEmbedding:
    def test_it_runs_without_peers_and_says_so(self, capsys: pytest.CaptureFixture[str]) -> None:
        embedding.main(["--texts", "4", "--rounds", "1"])
        out = capsys.readouterr().out
        assert MISSING in out
        assert [row[2] for row in lines(out, "200 words")] == ["8"]
        assert all(row[1] == "ours" and row[-1] == "–" for row in lines(out, "60 words"))
        assert float(lines(out, "one question")[0][3].removesuffix(" ms")) > 0

    def test_the_model_written_for_peers_gives_our_vectors(self, tmp_path: Path) -> None:
        import onnxruntime

        texts = ["How much coffee did we sell?", "late deliveries of the summer, by region and month"]
        ours = MiniLMEmbeddings(weights_folder()).embed(texts)
        folder = _peers_embedding.write_model(weights_folder(), tmp_path / "minilm")
        session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
        for text, vector in zip(texts, ours, strict=True):
            tokenizer = MiniLMEmbeddings(folder)._open_tokenizer()
            ids = np.array([tokenizer.encode(text).ids], dtype=np.int64)
            feed = {
                "input_ids": ids,
                "attention_mask": np.ones_like(ids),
                "token_type_ids": np.zeros_like(ids),
            }
            pooled = session.run(None, feed)[0][0].mean(axis=0)
            assert pooled @ vector / np.linalg.norm(pooled) > 0.9999
        assert json.loads((folder / "tokenizer_config.json").read_text())["model_max_length"] == 256

    def test_a_peer_with_other_vectors_is_told(self, capsys: pytest.CaptureFixture[str]) -> None:
        def wrong(texts: Sequence[str]) -> np.ndarray:
            return np.tile(np.eye(1, DIMENSIONS, dtype=np.float32), (len(texts), 1))

        ours = MiniLMEmbeddings(weights_folder())
        embedding.measure({"ours": lambda: ours.embed, "wrong": lambda: wrong}, 2, 1)
        assert re.search(r"cosine with ours, wrong: -?0\.\d+  NOT THE SAME", capsys.readouterr().out)


class Fixed:
    """An engine that answers every question with the same ids."""

    def __init__(self, ids: list[str]) -> None:
        self._ids = ids
        self.texts: list[str] = []

    def index(self, ids: Sequence[str], texts: Sequence[str], vectors: Sequence[Sequence[float]]) -> None:
        assert len(ids) == len(texts) == len(vectors)
        self.texts = list(texts)

    def search(self, question: str, vector: Sequence[float]) -> list[str]:
        assert len(vector) == DIMENSIONS, question
        return self._ids

    def close(self) -> None:
        self.texts.clear()


class TestRetrieval:
    def test_without_data_it_searches_generated_text(self, capsys: pytest.CaptureFixture[str]) -> None:
        retrieval.main(["--passages", "30", "--queries", "10"])
        out = capsys.readouterr().out
        assert MISSING in out
        ((name, who, rate, asked, first, ten, *_),) = lines(out, "generated")
        assert (name, who, asked) == ("generated", "ours", "10")
        assert int(rate) > 0
        assert float(first) >= 0.8
        assert float(ten) == 1.0

    def test_sets_of_a_folder_and_a_peer_beside_ours(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = tmp_path / "retrieval" / "own"
        folder.mkdir(parents=True)
        texts = {"tea": "Green tea is steeped briefly.", "rail": "The railway opened in the valley."}
        corpus = [json.dumps({"id": name, "title": name, "text": text}) for name, text in texts.items()]
        (folder / "corpus.jsonl").write_text("\n".join(corpus))
        asked = [("How long is green tea steeped?", "tea"), ("When was the railway opened?", "rail")]
        queries = [json.dumps({"question": question, "relevant": [right]}) for question, right in asked]
        (folder / "queries.jsonl").write_text("\n".join(queries))
        peer = Fixed(["tea", "rail"])
        monkeypatch.setattr(_peers_retrieval, "PEERS", {"fixed": (("numpy",), lambda *_: peer)})
        retrieval.main(["--data", str(tmp_path), "--sets", "own", "--cache", str(tmp_path / "kept")])
        ours, fixed = lines(capsys.readouterr().out, "own")
        assert ours[4:7] == ["1.000", "1.000", "1.000"]
        assert fixed[4:7] == ["0.500", "1.000", "0.815"]  # nDCG of places 1 and 2: (1 + 1 / log2(3)) / 2
        assert re.fullmatch(r"\d+\.\d\d \(\d+\.\d\d–\d+\.\d\d\)", fixed[-1])
        assert len(list((tmp_path / "kept").glob("*.npy"))) == 1

    def test_kept_vectors_are_those_that_were_made(self, tmp_path: Path) -> None:
        made = prepare(["green tea", "a railway"], tmp_path).embeddings
        kept = prepare(["a railway", "green tea"], tmp_path).embeddings
        assert made.embed_query("green tea") == kept.embed_query("green tea")
        assert kept.embed_documents(["a railway", "green tea"]) == made.embed_documents(
            ["a railway", "green tea"]
        )
        with pytest.raises(KeyError):
            kept.embed_query("never embedded")

    def test_generated_text_is_always_the_same(self) -> None:
        assert retrieval.generated(20, 5) == retrieval.generated(20, 5)
        assert len(retrieval.generated(20, 5).queries) == 5


class TestGuard:
    def test_nothing_hostile_passes_and_everything_legitimate_does(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        statements = guard.read(guard.STATEMENTS)
        guard.show(statements, {"ours": guard.ours(statements.catalog), "lax": lambda _: True}, 1)
        out = capsys.readouterr().out
        ours, lax = lines(out, "ours ")[0], lines(out, "lax ")[0]
        hostile = sum(map(len, statements.hostile.values()))
        assert ours[1:4] == [
            f"0/{hostile}",
            f"{len(statements.legitimate)}/{len(statements.legitimate)}",
            "0/10",
        ]
        assert lax[1] == f"{hostile}/{hostile}"
        assert lines(out, "locks")[0][1:] == ["3", "0", "3"]
        assert "ours refuses" not in out
        assert "ours passes" not in out

    def test_no_statement_is_there_twice(self) -> None:
        statements = guard.read(guard.STATEMENTS)
        every = [*statements.legitimate, *statements.mistaken]
        every += [sql for kind in statements.hostile.values() for sql in kind]
        assert len(every) == len(set(every)) >= 100

    def test_the_floor_knows_names_but_not_functions(self) -> None:
        passes = _peers_guard.sqlglot_floor(guard.read(guard.STATEMENTS).catalog)
        assert passes("SELECT name FROM customers")
        assert not passes("SELECT nmae FROM customers")
        assert not passes("DELETE FROM customers")
        assert passes("SELECT pg_sleep(3600)")


@pytest.mark.slow  # it builds a company
def test_a_whole_question_is_timed_by_part_and_beside_peers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def build(warehouse: Path, tables: Sequence[str]) -> _peers_ask.Ask:
        assert warehouse.is_file()
        assert tables
        return lambda question, sql: asked.append(sql) or question

    monkeypatch.setattr(_peers_ask, "PEERS", {**ABSENT, "listener": (("numpy",), build)})
    ask.main(["--rounds", "1", "--customers", "40", "--questions", "6", "--home", str(tmp_path / "home")])
    out = capsys.readouterr().out
    assert MISSING in out
    assert {line.split()[0] for line in out.splitlines() if line.strip()} >= {
        "total", "retrieve", "draft", "guard", "run", "route",
    }  # fmt: skip
    (ours, _), (listener,) = lines(out, "ours"), lines(out, "listener")
    assert ours[1] == listener[1]
    assert len(asked) == 2 * int(listener[1])
    assert all(sql.startswith(("SELECT", "WITH")) for sql in asked)
    assert float(listener[4].split()[0]) < 1
