"""What every conversation store does. A member inherits this and brings a fixture `store`."""

from datetime import timedelta

import pytest

from retrieval.types import ConversationStore, Principal, Turn
from tests.conftest import NOW

MEI = Principal("mei", roles=("seller",))
KEN = Principal("ken", roles=("seller",))
MEI_ELSEWHERE = Principal("mei", tenant="other")


def turn(minute, question="How many stores?", answer="12.", who=MEI, conversation="c1"):
    at = NOW + timedelta(minutes=minute)
    return Turn(conversation, who.id, question, answer, f"r{minute}", at, who.tenant)


class ConversationStoreContract:
    @pytest.fixture
    def store(self) -> ConversationStore:
        raise NotImplementedError("a member brings its store")

    def test_what_is_kept_comes_back_whole(self, store):
        kept = turn(1, "売上は？\nlast month's", "1,200万円 [1] 🍣")
        store.append(kept)
        assert store.recent(MEI, "c1", 5) == [kept]

    def test_the_last_turns_come_oldest_first(self, store):
        for minute in (3, 1, 2):
            store.append(turn(minute))
        assert [t.record_id for t in store.recent(MEI, "c1", 2)] == ["r2", "r3"]
        assert store.recent(MEI, "c1", 0) == []

    def test_turns_of_one_moment_keep_their_order(self, store):
        for number in range(3):
            store.append(turn(1, question=f"question {number}"))
        assert [t.question for t in store.recent(MEI, "c1", 3)] == ["question 0", "question 1", "question 2"]

    @pytest.mark.parametrize("stranger", [KEN, MEI_ELSEWHERE])
    def test_a_caller_reads_only_their_own(self, store, stranger):
        store.append(turn(1))
        assert store.recent(stranger, "c1", 5) == []
        assert store.search(stranger, "stores") == []

    def test_a_conversation_id_shared_by_two_callers_stays_apart(self, store):
        store.append(turn(1, question="mine"))
        store.append(turn(2, question="yours", who=KEN))
        assert [t.question for t in store.recent(MEI, "c1", 5)] == ["mine"]

    def test_search_finds_every_word_newest_first(self, store):
        store.append(turn(1, "Revenue of the Umeda store?", "¥1,200."))
        store.append(turn(2, "And its staff?", "Umeda has nine; revenue was as said.", conversation="c2"))
        store.append(turn(3, "Opening hours?", "Nine to five."))
        assert [t.record_id for t in store.search(MEI, "umeda revenue")] == ["r2", "r1"]
        assert [t.record_id for t in store.search(MEI, "umeda revenue", limit=1)] == ["r2"]
        assert store.search(MEI, "umeda helicopter") == []

    def test_search_knows_japanese(self, store):
        store.append(turn(1, "梅田店の売上高は？", "1,200万円です。"))
        store.append(turn(2, "難波店の返品率は？", "3.2%です。"))
        assert [t.record_id for t in store.search(MEI, "売上高")] == ["r1"]
        assert [t.record_id for t in store.search(MEI, "返品率 難波")] == ["r2"]

    @pytest.mark.parametrize("nothing", ["", " ", "？", "the of"])
    def test_a_search_without_words_finds_nothing(self, store, nothing):
        store.append(turn(1))
        assert store.search(MEI, nothing) == []

    def test_text_that_a_database_cannot_hold_is_kept_as_far_as_it_can(self, store):
        store.append(turn(1, "a\x00b'; DROP TABLE turns; --", "x"))
        assert store.recent(MEI, "c1", 1)[0].question.endswith("b'; DROP TABLE turns; --")
        assert store.recent(MEI, "c\x001", 1) == []
