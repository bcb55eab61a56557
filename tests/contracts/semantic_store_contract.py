"""What every semantic store does. An adapter inherits `SemanticStoreContract` and brings the fixture `make_store`."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.embeddings import Embeddings

from retrieval.access import may_read
from retrieval.embeddings import EmbeddingModel
from retrieval.errors import RetrievalError
from retrieval.types import Chunk, Document, Principal, SemanticQuery, SemanticStore, Span

MakeStore = Callable[[EmbeddingModel | None], SemanticStore]
CALLER = Principal("ana", roles=("analyst",))

# One store serves all examples, and every adapter's class runs this same test.
_INHERITED = (HealthCheck.function_scoped_fixture, HealthCheck.differing_executors)
_MEANINGS = (
    {"coffee", "beverage", "drink"},
    {"return", "refund", "back"},
    {"store", "shop"},
    {"price", "cost"},
)


class MeaningEmbeddings(Embeddings):
    """A text's vector says which of four things it speaks of, and a little of nothing in particular."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        words = text.lower().replace(".", " ").replace("?", " ").split()
        counts = [float(sum(word in meaning for word in words)) for meaning in _MEANINGS]
        noise = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:12]
        counts += [0.03 if byte % 2 else -0.03 for byte in noise]
        norm = sum(count * count for count in counts) ** 0.5
        return [count / norm for count in counts]


MODEL = EmbeddingModel(MeaningEmbeddings(), "meaning@1", 16, frozenset({"en"}))


def document(name: str, title: str = "Untitled", **fields: Any) -> Document:
    return Document(id=name, version="v1", uri=f"folder/{name}.md", title=title, **fields)


def chunks_of(about: Document, *texts: str) -> list[Chunk]:
    return [
        Chunk(f"{about.id}#{number}", about, number, text, 0, len(text)) for number, text in enumerate(texts)
    ]


def put(store: SemanticStore, *groups: list[Chunk], model: EmbeddingModel | None = MODEL) -> None:
    chunks = [chunk for group in groups for chunk in group]
    vectors = [] if model is None else model.embeddings.embed_documents([chunk.text for chunk in chunks])
    store.upsert(chunks, vectors)


def ask(
    store: SemanticStore,
    text: str,
    caller: Principal = CALLER,
    *,
    model: EmbeddingModel | None = MODEL,
    **fields: Any,
) -> list[str]:
    """The ids of the chunks found, best first."""
    vector = None if model is None else model.embeddings.embed_query(text)
    result = store.search(SemanticQuery(text, caller, **fields), vector)
    return [passage.chunk.id for passage in result.passages]


def withheld(store: SemanticStore, text: str, caller: Principal = CALLER) -> int:
    return store.search(SemanticQuery(text, caller), MODEL.embeddings.embed_query(text)).withheld


class SemanticStoreContract:
    """Inherit, and bring `make_store(model) -> SemanticStore`: stores over one and the same empty place."""

    @pytest.fixture
    def store(self, make_store: MakeStore) -> SemanticStore:
        return make_store(MODEL)

    # -- finding ------------------------------------------------------------------------------------------------

    def test_an_empty_store_finds_nothing(self, store: SemanticStore) -> None:
        assert ask(store, "coffee") == []
        assert store.stats().documents == 0

    def test_found_by_word(self, store: SemanticStore) -> None:
        put(
            store,
            chunks_of(document("a"), "Kenya beans arrive in May."),
            chunks_of(document("b"), "Opening hours"),
        )
        assert ask(store, "when do the beans arrive?", model=None) == ["a#0"]

    def test_found_by_meaning_without_a_word_in_common(self, store: SemanticStore) -> None:
        put(
            store,
            chunks_of(document("a"), "Refund within 30 days."),
            chunks_of(document("b"), "A drink list."),
        )
        assert ask(store, "beverage")[0] == "b#0"
        assert ask(store, "beverage", model=None) == []

    def test_both_sides_together_beat_one(self, store: SemanticStore) -> None:
        put(
            store,
            chunks_of(document("words"), "Osaka has a castle."),
            chunks_of(document("meaning"), "Our drink list."),
            chunks_of(document("both"), "Coffee in Osaka."),
        )
        assert ask(store, "beverage Osaka")[0] == "both#0"

    @pytest.mark.parametrize(
        ("question", "expected"),
        [
            ("東京の店舗", "tokyo#0"),
            ("コーヒーの売上は?", "coffee#0"),
            ("ｺｰﾋｰ", "coffee#0"),
            ("しょうゆ", "soy#0"),
        ],
    )
    def test_japanese_is_found_without_spaces(
        self, store: SemanticStore, question: str, expected: str
    ) -> None:
        put(
            store,
            chunks_of(document("tokyo", language="ja"), "東京都には店舗が三つあります。"),
            chunks_of(document("coffee", language="ja"), "コーヒーの売上が伸びた。"),
            chunks_of(document("soy", language="ja"), "しょうゆは棚の下にあります。"),
        )
        assert ask(store, question, model=None)[0] == expected

    def test_found_by_title_and_by_heading(self, store: SemanticStore) -> None:
        about = document("a", "Handbook of the roastery")
        put(store, [replace(chunk, heading="Cleaning") for chunk in chunks_of(about, "Use hot water.")])
        assert ask(store, "roastery", model=None) == ["a#0"]
        assert ask(store, "cleaning", model=None) == ["a#0"]

    def test_found_by_a_code(self, store: SemanticStore) -> None:
        put(
            store,
            chunks_of(document("a"), "Order C-00123 is late."),
            chunks_of(document("b"), "Order C-00124."),
        )
        assert ask(store, "what about c-00123?", model=None)[0] == "a#0"

    def test_the_wrong_language_of_the_embedder_does_not_hide_words(self, store: SemanticStore) -> None:
        put(
            store,
            chunks_of(document("ja", language="ja"), "型番XR-7の値段は千円です。"),
            chunks_of(document("en"), "The cost of delivery. The price of wrapping."),
        )
        assert ask(store, "price of XR-7")[0] == "ja#0"

    def test_limit_and_best_first(self, store: SemanticStore) -> None:
        put(store, *(chunks_of(document(f"d{n}"), "coffee " * (n + 1) + "tea " * (9 - n)) for n in range(9)))
        result = store.search(
            SemanticQuery("coffee", CALLER, limit=4), MODEL.embeddings.embed_query("coffee")
        )
        scores = [passage.score for passage in result.passages]
        assert len(scores) == 4
        assert scores == sorted(scores, reverse=True)
        assert ask(store, "coffee", limit=0) == []

    def test_more_than_fifty_can_be_asked_for(self, store: SemanticStore) -> None:
        put(store, *(chunks_of(document(f"d{n:02}"), f"coffee number {n}") for n in range(80)))
        assert len(ask(store, "coffee", limit=70)) == 70

    def test_equal_matches_come_in_the_same_order_every_time(self, store: SemanticStore) -> None:
        put(store, *(chunks_of(document(f"d{n}"), "the same coffee") for n in range(20)))
        first = ask(store, "coffee", limit=7)
        assert all(ask(store, "coffee", limit=7) == first for _ in range(3))

    def test_scores_are_shares(self, store: SemanticStore) -> None:
        put(
            store, chunks_of(document("a"), "coffee coffee coffee price"), chunks_of(document("b"), "A shop.")
        )
        result = store.search(
            SemanticQuery("coffee price", CALLER), MODEL.embeddings.embed_query("coffee price")
        )
        for passage in result.passages:
            assert 0 <= passage.score <= 1
            assert 0 <= passage.lexical <= 1
            assert 0 <= passage.dense <= 1
        assert result.passages[0].lexical > 0.5 > result.passages[1].lexical

    def test_a_question_of_words_nobody_wrote_scores_low(self, store: SemanticStore) -> None:
        put(store, chunks_of(document("a"), "coffee beans"), chunks_of(document("b"), "opening hours"))
        found = store.search(SemanticQuery("coffee zeppelin submarine astrolabe", CALLER))
        assert found.passages[0].lexical < 0.4

    @pytest.mark.parametrize(
        "text", ["", "   ", "the of and", "です", "!?", "\x00", "%s %(x)s {} '; --", "\ud800"]
    )
    def test_odd_questions_find_nothing_and_break_nothing(self, store: SemanticStore, text: str) -> None:
        put(store, chunks_of(document("a"), "coffee beans"))
        assert ask(store, text, model=None) == []

    def test_a_very_long_question(self, store: SemanticStore) -> None:
        put(store, chunks_of(document("a"), "coffee beans"))
        text = " ".join(f"word{number}" for number in range(20_000)) + " beans"
        assert ask(store, text, model=None) == ["a#0"]

    def test_dense_can_be_left_out(self, store: SemanticStore) -> None:
        put(store, chunks_of(document("a"), "A drink list."))
        assert ask(store, "beverage", dense=False) == []

    def test_kinds_and_sources(self, store: SemanticStore) -> None:
        put(
            store,
            chunks_of(document("prose", source="handbook"), "coffee sales"),
            chunks_of(document("metric", kind="metric", source="catalogue"), "coffee sales"),
            chunks_of(document("term", kind="term", source="catalogue"), "coffee sales"),
        )
        assert set(ask(store, "coffee", kinds=("metric", "term"))) == {"metric#0", "term#0"}
        assert ask(store, "coffee", sources=("handbook",)) == ["prose#0"]
        assert ask(store, "coffee", kinds=("term",), sources=("handbook",)) == []
        assert ask(store, "coffee", sources=("\x00",)) == []

    # -- access -------------------------------------------------------------------------------------------------

    def test_labels_and_tenants(self, store: SemanticStore) -> None:
        put(
            store,
            chunks_of(document("all"), "coffee"),
            chunks_of(document("analyst", labels=frozenset({"role:analyst"})), "coffee"),
            chunks_of(document("ana", labels=frozenset({"user:ana", "role:x"})), "coffee"),
            chunks_of(document("manager", labels=frozenset({"role:manager"})), "coffee"),
            chunks_of(document("nobody", labels=frozenset()), "coffee"),
            chunks_of(document("elsewhere", tenant="other"), "coffee"),
        )
        assert set(ask(store, "coffee")) == {"all#0", "analyst#0", "ana#0"}
        assert set(ask(store, "coffee", Principal("kenji", roles=("manager",)))) == {"all#0", "manager#0"}
        assert set(ask(store, "coffee", Principal("ana", tenant="other"))) == {"elsewhere#0"}

    def test_access_is_decided_before_ranking(self, store: SemanticStore) -> None:
        secret = [
            chunks_of(document(f"s{n}", labels=frozenset({"role:x"})), "coffee coffee price")
            for n in range(120)
        ]
        put(
            store, *secret, chunks_of(document("mine"), "Something long about many things and a coffee, too.")
        )
        assert ask(store, "coffee price", limit=3) == ["mine#0"]

    def test_hidden_documents_do_not_move_the_scores_of_others(self, store: SemanticStore) -> None:
        put(
            store,
            chunks_of(document("a"), "coffee in May"),
            chunks_of(document("b"), "coffee and a price list"),
        )
        before = store.search(SemanticQuery("coffee price", CALLER)).passages
        put(store, chunks_of(document("s", labels=frozenset({"role:x"})), "coffee price coffee price"))
        after = store.search(SemanticQuery("coffee price", CALLER)).passages
        assert [passage.chunk.id for passage in before] == [passage.chunk.id for passage in after]
        assert after[0].score == before[0].score

    def test_relabelling_takes_effect_at_once(self, store: SemanticStore) -> None:
        put(store, chunks_of(document("a"), "coffee"))
        put(store, chunks_of(document("a", labels=frozenset({"role:x"})), "coffee"))
        assert ask(store, "coffee") == []
        assert store.get(["a#0"], CALLER) == []

    def test_withheld_counts_what_may_be_known_of_and_matches_well(self, store: SemanticStore) -> None:
        closed = frozenset({"role:x"})
        put(
            store,
            chunks_of(document("open"), "coffee price list"),
            chunks_of(
                document("known", labels=closed, discoverable=True), "coffee price list", "coffee price two"
            ),
            chunks_of(document("weak", labels=closed, discoverable=True), "Holiday calendar of the north"),
            chunks_of(document("secret", labels=closed), "coffee price list"),
            chunks_of(document("theirs", labels=closed, discoverable=True, tenant="o"), "coffee price list"),
            chunks_of(
                document("mine", labels=frozenset({"user:ana"}), discoverable=True), "coffee price list"
            ),
        )
        assert withheld(store, "coffee price") == 1
        assert withheld(store, "coffee price", Principal("x", roles=("x",))) == 1
        assert withheld(store, "submarine") == 0
        assert withheld(store, "coffee price", Principal("ana", tenant="elsewhere")) == 0

    def test_owners_are_told_of_what_may_be_known_of_and_of_nothing_else(self, store: SemanticStore) -> None:
        closed = frozenset({"role:x"})
        put(
            store,
            chunks_of(document("open", owner="open@shop"), "coffee price list"),
            chunks_of(
                document("known", labels=closed, discoverable=True, owner="a@shop"), "coffee price", "coffee"
            ),
            chunks_of(document("also", labels=closed, discoverable=True, owner="a@shop"), "coffee price"),
            chunks_of(document("unowned", labels=closed, discoverable=True), "coffee price"),
            chunks_of(document("weak", labels=closed, discoverable=True, owner="b@shop"), "Holiday calendar"),
            chunks_of(document("secret", labels=closed, owner="c@shop"), "coffee price list"),
        )
        result = store.search(SemanticQuery("coffee price", CALLER))
        assert (result.withheld, result.owners) == (3, ("a@shop",))
        assert store.search(SemanticQuery("submarine", CALLER)).owners == ()

    @settings(max_examples=40, deadline=None, suppress_health_check=_INHERITED)
    @given(data=st.data())
    def test_search_and_get_admit_exactly_whom_may_read_admits(
        self, store: SemanticStore, data: st.DataObject
    ) -> None:
        names = st.sampled_from(["a", "b", "ä", "A", "'", "%", "{x}", 'q"', "a,b", "NULL"])
        labels = st.builds(str.__add__, st.sampled_from(["role:", "user:", ""]), names) | st.just("everyone")
        documents = [
            document(
                f"d{number}",
                tenant=data.draw(st.sampled_from(["t", "T"])),
                labels=data.draw(st.frozensets(labels, max_size=3)),
                discoverable=data.draw(st.booleans()),
            )
            for number in range(6)
        ]
        put(store, *(chunks_of(about, "coffee") for about in documents))
        caller = Principal(
            data.draw(names),
            tenant=data.draw(st.sampled_from(["t", "T", "default"])),
            roles=tuple(data.draw(st.lists(names, max_size=3))),
        )
        expected = {f"{about.id}#0" for about in documents if may_read(caller, about)}
        assert set(ask(store, "coffee", caller)) == expected
        assert {chunk.id for chunk in store.get([f"d{n}#0" for n in range(6)], caller)} == expected

    def test_a_caller_with_unheard_of_characters_reads_what_everyone_reads(
        self, store: SemanticStore
    ) -> None:
        put(store, chunks_of(document("a"), "coffee"))
        assert ask(store, "coffee", Principal("\x00", roles=("\ud800",))) == ["a#0"]
        assert ask(store, "coffee", Principal("a", tenant="\x00")) == []

    # -- keeping ------------------------------------------------------------------------------------------------

    def test_what_is_stored_comes_back_whole(self, store: SemanticStore) -> None:
        about = Document(
            id="a",
            version="sha:1",
            uri="s3://bucket/ファイル.pdf",
            title="価格表",
            kind="document",
            language="ja",
            tenant="default",
            labels=frozenset({"role:analyst", "everyone"}),
            discoverable=True,
            owner="prices@shop",
            as_of=datetime(2026, 4, 1, 12, 30, tzinfo=UTC),
            source="handbook",
            media_type="application/pdf",
            metadata={"pages": 3, "nested": {"a": [1, None, "x"]}},
        )
        chunk = Chunk(
            "a#0", about, 0, "価格は\n百円", 10, 16, 2, "価格", (Span(10, 12, "phone"), Span(12, 13, "email"))
        )
        put(store, [chunk])
        assert store.get(["a#0"], CALLER) == [chunk]
        assert store.search(SemanticQuery("価格", CALLER)).passages[0].chunk == chunk

    def test_get_keeps_the_order_asked_and_skips_what_is_not_there(self, store: SemanticStore) -> None:
        put(store, chunks_of(document("a"), "one", "two", "three"))
        found = store.get(["a#2", "missing", "a#0", "\x00"], CALLER)
        assert [chunk.id for chunk in found] == ["a#2", "a#0"]
        assert store.get([], CALLER) == []

    def test_upsert_replaces_the_whole_document(self, store: SemanticStore) -> None:
        put(store, chunks_of(document("a"), "old coffee", "old price"), chunks_of(document("b"), "coffee"))
        put(store, chunks_of(document("a"), "new drink"))
        assert store.stats().chunks == 2
        assert ask(store, "old price", model=None) == []
        assert [chunk.text for chunk in store.get(["a#0", "a#1"], CALLER)] == ["new drink"]

    def test_doing_it_twice_changes_nothing(self, store: SemanticStore) -> None:
        groups = [chunks_of(document(f"d{n}"), f"coffee {n}", "price") for n in range(5)]
        put(store, *groups)
        once = store.search(SemanticQuery("coffee 3", CALLER)).passages
        put(store, *groups)
        assert store.search(SemanticQuery("coffee 3", CALLER)).passages == once

    def test_delete(self, store: SemanticStore) -> None:
        put(store, chunks_of(document("a"), "coffee", "price"), chunks_of(document("b"), "coffee"))
        assert store.delete(["a", "never there"]) == 1
        assert store.delete(["a"]) == 0
        assert store.delete([]) == 0
        assert ask(store, "coffee") == ["b#0"]
        assert store.stats().chunks == 1

    def test_stats(self, store: SemanticStore) -> None:
        put(store, chunks_of(document("a"), "one", "two"), chunks_of(document("m", kind="metric"), "three"))
        stats = store.stats()
        assert (stats.documents, stats.chunks) == (2, 3)
        assert dict(stats.by_kind) == {"document": 1, "metric": 1}
        assert stats.embedder == "meaning@1"

    def test_text_that_databases_dislike_keeps_its_length(self, store: SemanticStore) -> None:
        put(store, chunks_of(document("a", title="t\x00"), "coffee\x00 \ud800 \U0001f600 end"))
        (chunk,) = store.get(["a#0"], CALLER)
        assert len(chunk.text) == len("coffee\x00 \ud800 \U0001f600 end")
        assert ask(store, "coffee", model=None) == ["a#0"]

    def test_ids_and_labels_are_never_bent(self, store: SemanticStore) -> None:
        for bad in (
            document("a\x00"),
            document("a", labels=frozenset({"role:\ud800"})),
            document("a", tenant="\x00"),
        ):
            with pytest.raises(RetrievalError):
                put(store, chunks_of(bad, "coffee"), model=None)
        assert store.stats().documents == 0

    def test_an_empty_upsert_is_nothing(self, store: SemanticStore) -> None:
        store.upsert([], [])
        assert store.stats().chunks == 0

    @pytest.mark.parametrize("fault", ["two versions", "one id twice", "vectors missing", "vector too short"])
    def test_a_wrong_call_is_refused_and_changes_nothing(self, store: SemanticStore, fault: str) -> None:
        put(store, chunks_of(document("a"), "coffee"))
        good = chunks_of(document("a"), "new one", "new two")
        vectors = MODEL.embeddings.embed_documents([chunk.text for chunk in good])
        if fault == "two versions":
            good[1] = replace(good[1], document=replace(good[1].document, version="v2"))
        elif fault == "one id twice":
            good[1] = good[0]
        elif fault == "vectors missing":
            vectors = vectors[:1]
        else:
            vectors[1] = vectors[1][:3]
        with pytest.raises(RetrievalError):
            store.upsert(good, vectors)
        assert ask(store, "coffee", model=None) == ["a#0"]

    def test_a_question_vector_of_the_wrong_size_is_refused(self, store: SemanticStore) -> None:
        put(store, chunks_of(document("a"), "coffee"))
        with pytest.raises(RetrievalError, match="dimensions"):
            store.search(SemanticQuery("coffee", CALLER), [1.0, 0.0])

    def test_a_chunk_may_go_without_a_vector(self, store: SemanticStore) -> None:
        about = document("a")
        store.upsert(chunks_of(about, "coffee", "tea"), [MODEL.embeddings.embed_query("coffee"), []])
        assert set(ask(store, "coffee tea")) == {"a#0", "a#1"}

    # -- embedders ----------------------------------------------------------------------------------------------

    def test_without_an_embedder_words_do(self, make_store: MakeStore) -> None:
        store = make_store(None)
        put(store, chunks_of(document("a"), "coffee"), model=None)
        assert ask(store, "coffee") == ["a#0"]
        assert store.stats().embedder == "none"
        with pytest.raises(RetrievalError):
            put(store, chunks_of(document("a"), "coffee"), model=MODEL)

    def test_vectors_of_another_embedder_are_not_compared(self, make_store: MakeStore) -> None:
        put(make_store(MODEL), chunks_of(document("a"), "A drink list."), chunks_of(document("b"), "beans"))
        other = EmbeddingModel(MeaningEmbeddings(), "meaning@2", 16, frozenset({"en"}))
        assert ask(make_store(other), "beverage", model=other) == []
        assert ask(make_store(other), "beans", model=other) == ["b#0"]

    @pytest.mark.parametrize("size", [1, 3, 1024, 3072, 4096])
    def test_any_number_of_dimensions(self, make_store: MakeStore, size: int) -> None:
        put(make_store(MODEL), chunks_of(document("five"), "beans"))
        model = EmbeddingModel(MeaningEmbeddings(), f"wide@{size}", size, frozenset({"en"}))
        store = make_store(model)
        near, far = [1.0] * size, [-1.0] * size
        store.upsert([*chunks_of(document("a"), "x1"), *chunks_of(document("b"), "x2")], [far, near])
        result = store.search(SemanticQuery("zzz", CALLER), near)
        assert result.passages[0].chunk.id == "b#0"
        assert result.passages[0].dense == pytest.approx(1.0, abs=1e-3)

    def test_vectors_in_a_language_the_embedder_does_not_know_have_no_say(self, store: SemanticStore) -> None:
        about = document("ja", language="ja")
        store.upsert(chunks_of(about, "飲み物の一覧"), [MODEL.embeddings.embed_query("drink")])
        assert ask(store, "drink") == []

    # -- at the same time -----------------------------------------------------------------------------------------

    def test_a_search_never_sees_half_a_document(self, store: SemanticStore) -> None:
        versions = [
            chunks_of(document("a"), *(f"coffee {word} {n}" for n in range(8))) for word in ("red", "blue")
        ]
        put(store, versions[0])
        stop = threading.Event()
        failures: list[BaseException] = []

        def write() -> None:
            try:
                for number in range(30):
                    put(store, versions[number % 2])
            except BaseException as error:  # noqa: BLE001 - handed to the test's own thread
                failures.append(error)
            finally:
                stop.set()

        writer = threading.Thread(target=write)
        writer.start()
        seen = set()
        while not stop.is_set():
            result = store.search(SemanticQuery("coffee", CALLER, limit=20))
            words = {passage.chunk.text.split()[1] for passage in result.passages}
            assert len(words) == 1
            assert len(result.passages) == 8
            seen |= words
        writer.join()
        assert not failures
        assert seen <= {"red", "blue"}

    def test_many_writers_and_one_truth(self, store: SemanticStore) -> None:
        failures: list[BaseException] = []

        def write(part: int) -> None:
            try:
                for number in range(6):
                    put(store, *(chunks_of(document(f"d{n}"), f"coffee {part} {number}") for n in range(5)))
                    store.delete([f"d{part}"])
            except BaseException as error:  # noqa: BLE001 - handed to the test's own thread
                failures.append(error)

        writers = [threading.Thread(target=write, args=(part,)) for part in range(4)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert not failures
        put(store, *(chunks_of(document(f"d{n}"), "coffee") for n in range(5)))
        assert store.stats().chunks == 5
        assert len(ask(store, "coffee")) == 5
