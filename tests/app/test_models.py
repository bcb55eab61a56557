"""Opening the chat model that the settings name: what is missing is said, and no secret with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.errors import SettingsError
from app.models import open_model
from app.settings import ModelSettings, load
from prompts.replaying import ReplayedChatModel

SECRET = "sk-this-is-a-secret-0123456789"


def settings(tmp_path: Path, model: str, **environment: str) -> ModelSettings:
    (tmp_path / "config.yaml").write_text(f"model: {model}\n", encoding="utf-8")
    return load(tmp_path, environment).model


def test_none_is_no_model(tmp_path: Path) -> None:
    for written in ("none", "null", "false", "''", "{}"):
        found = settings(tmp_path, written)
        assert found.name == "none"
        assert open_model(found) is None


def test_a_text_and_a_mapping_are_the_same(tmp_path: Path) -> None:
    assert settings(tmp_path, "openai:gpt-4o") == settings(tmp_path, "{name: 'openai:gpt-4o'}")
    found = settings(
        tmp_path, "{name: 'openai:x', options: {base_url: u}, seconds: 5, rounds: 2, tokens: 900}"
    )
    assert (found.seconds, found.rounds, found.tokens, found.options) == (5, 2, 900, {"base_url": "u"})


@pytest.mark.parametrize(
    "written", ["{rounds: 0}", "{seconds: 0}", "{tokens: 3}", "{nme: x}", "[a]", "{name: {a: 1}}"]
)
def test_what_cannot_be_used_is_refused_with_its_place(tmp_path: Path, written: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(tmp_path, written)
    assert "model" in caught.value.where


def test_the_variable_names_another_model(tmp_path: Path) -> None:
    written = f"{{name: 'openai:a', options: {{api_key: {SECRET}}}, rounds: 2}}"
    same = settings(tmp_path, written, BUNMYAKU_MODEL="openai:b")
    other = settings(tmp_path, written, BUNMYAKU_MODEL="bedrock:c")
    assert (same.name, same.rounds, same.options) == ("openai:b", 2, {"api_key": SECRET})
    assert (other.name, other.rounds, other.options) == ("bedrock:c", 2, {}), (
        "a key goes to its own provider only"
    )


def test_a_printed_setting_holds_no_secret(tmp_path: Path) -> None:
    found = settings(tmp_path, f"{{name: 'openai:a', options: {{api_key: {SECRET}}}}}")
    assert SECRET not in repr(found) + str(found) + repr(load(tmp_path, {}))


@pytest.mark.parametrize(
    ("name", "options", "what", "todo"),
    [
        ("gpt-4o", {}, "does not name a chat model", "provider:name"),
        ("openai:", {}, "does not name a chat model", "provider:name"),
        ("nobody:x", {}, "no provider nobody", "bedrock"),
        ("openai:gpt-4o", {}, "cannot be opened", "OPENAI_API_KEY"),
        ("bedrock:some.model", {}, "cannot be opened", "region_name"),
        ("openai:gpt-4o", {"api_key": SECRET, "temperature": SECRET}, "temperature", "OPENAI_API_KEY"),
        ("openai:gpt-4o", {"api_key": SECRET, "temprature": SECRET}, "temprature", "OPENAI_API_KEY"),
        ("replay:nowhere.jsonl", {}, "no recording", "Record"),
    ],
)
def test_what_is_missing_is_said(name: str, options: dict[str, object], what: str, todo: str) -> None:
    with pytest.raises(SettingsError) as caught:
        open_model(ModelSettings(name=name, options=options))
    assert what in caught.value.what
    assert todo in caught.value.todo
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None or name.startswith("replay")


@pytest.mark.parametrize(
    ("name", "extra"),
    [("bedrock:x", "bunmyaku[bedrock]"), ("openai:x", "bunmyaku[openai]"), ("groq:x", "langchain-groq")],
)
def test_a_provider_that_is_not_installed(monkeypatch: pytest.MonkeyPatch, name: str, extra: str) -> None:
    import sys

    from langchain.chat_models import base

    for package in ("langchain_aws", "langchain_openai", "langchain_groq"):
        for module in [one for one in sys.modules if one.partition(".")[0] == package]:
            monkeypatch.delitem(sys.modules, module)
        monkeypatch.setitem(sys.modules, package, None)
    cached = [getattr(base, part) for part in dir(base) if hasattr(getattr(base, part), "cache_clear")]
    for function in cached:
        function.cache_clear()
    with pytest.raises(SettingsError) as caught:
        open_model(name)
    assert extra in caught.value.todo
    for function in cached:
        function.cache_clear()


def test_bedrock_is_the_converse_api_with_our_deadline() -> None:
    options = {
        "region_name": "us-east-1",
        "aws_access_key_id": "AKIAIOSFODNN7EXAMPLE",
        "aws_secret_access_key": "x" * 20,
    }
    opened = open_model(ModelSettings(name="bedrock:anthropic.claude-3-haiku", options=options, seconds=7))
    assert type(opened).__name__ == "ChatBedrockConverse"
    assert opened.client.meta.config.read_timeout == 7  # type: ignore[union-attr]
    assert opened.client.meta.config.retries["total_max_attempts"] == 1  # type: ignore[union-attr]


def test_openai_keeps_what_the_options_say() -> None:
    opened = open_model(ModelSettings(name="openai:gpt-4o", options={"api_key": SECRET, "max_retries": 4}))
    assert opened is not None
    assert (opened.max_retries, opened.request_timeout) == (4, 60.0)  # type: ignore[attr-defined]


def test_a_recording_lies_in_the_home(tmp_path: Path) -> None:
    line = {"request": "0" * 64, "model": "m", "prompt_version": "v", "reply": "r"}
    (tmp_path / "r.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    assert isinstance(open_model("replay:r.jsonl", tmp_path), ReplayedChatModel)
    (tmp_path / "r.jsonl").write_text("broken\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="line 1"):
        open_model("replay:r.jsonl", tmp_path)


def test_a_key_in_the_place_of_the_name_is_not_repeated() -> None:
    with pytest.raises(SettingsError) as raised:
        open_model("sk-secret1234567890abcdef")
    assert "secret" not in f"{raised.value.what} {raised.value.where} {raised.value.todo}"
