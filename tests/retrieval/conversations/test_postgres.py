import pytest

from retrieval.conversations import build, names
from retrieval.errors import RetrievalError
from tests.contracts.conversation_store_contract import ConversationStoreContract


class TestPostgresConversations(ConversationStoreContract):
    @pytest.fixture
    def store(self, database):
        return build("postgres", {"database": database})


def test_the_stores_there_are():
    assert names() == ["postgres"]


def test_one_that_there_is_not_names_those_there_are():
    with pytest.raises(RetrievalError, match="postgres"):
        build("papyrus", {})


def test_without_a_database_it_says_so():
    with pytest.raises(RetrievalError, match="database"):
        build("postgres", {})
