"""What every parser does. A parser's test inherits `ParserContract` and brings `name` and `samples`."""

from __future__ import annotations

import inspect
import random
from contextlib import suppress
from typing import ClassVar

import pytest

from ingest import parsers
from ingest.errors import Unreadable
from ingest.limits import Budget, Limits
from ingest.media import sniff
from ingest.types import Parsed, Parser


class ParserContract:
    """Behaviour that does not depend on the format."""

    name: ClassVar[str]
    samples: ClassVar[dict[str, bytes]]
    """File name -> bytes this parser must read."""

    @pytest.fixture
    def parser(self) -> Parser:
        return parsers.build(self.name)

    def test_it_is_found_by_its_name_and_claims_its_types(self, parser: Parser) -> None:
        assert self.name in parsers.names()
        assert parser.media_types
        assert all(parsers.by_media_type()[media_type] == self.name for media_type in parser.media_types)
        assert parsers.identities()[self.name] == f"{self.name}/{parser.version}"

    def test_its_signature_is_the_ports(self, parser: Parser) -> None:
        expected = [p.annotation for p in inspect.signature(Parser.parse).parameters.values()][1:]
        assert [p.annotation for p in inspect.signature(parser.parse).parameters.values()] == expected

    def test_its_samples_are_recognised_by_content_and_read(self, parser: Parser) -> None:
        for file_name, raw in self.samples.items():
            media_type = sniff(raw, file_name)
            assert media_type in parser.media_types, file_name
            parsed = parser.parse(raw, media_type, Budget())
            assert parsed.text or parsed.embedded, file_name

    def test_blocks_cover_the_text_in_order(self, parser: Parser) -> None:
        for parsed in self._read(parser):
            self._check_structure(parsed)

    def test_reading_twice_gives_the_same(self, parser: Parser) -> None:
        for file_name, raw in self.samples.items():
            media_type = sniff(raw, file_name)
            first, second = (parser.parse(raw, media_type, Budget()) for _ in range(2))
            assert first == second

    def test_nothing_that_postgresql_or_json_cannot_hold(self, parser: Parser) -> None:
        for parsed in self._read(parser):
            parsed.text.encode("utf-8")
            assert "\0" not in parsed.text + parsed.title
            assert Parsed.from_json(parsed.to_json()).text == parsed.text

    def test_long_text_is_cut_and_the_cut_is_said(self, parser: Parser) -> None:
        for file_name, raw in self.samples.items():
            parsed = parser.parse(raw, sniff(raw, file_name), Budget(Limits(text_chars=20)))
            assert len(parsed.text) <= 20
            if not parsed.embedded:
                assert any("only the first" in warning for warning in parsed.warnings), file_name

    def test_damage_gives_text_or_a_reason(self, parser: Parser) -> None:
        """Cut and garbled copies; the process that reads stands between and the run, so other errors are let pass
        by `reading`, but a parser should know its own bad input."""
        chance = random.Random(7)
        for file_name, raw in self.samples.items():
            media_type = sniff(raw, file_name)
            for _ in range(25):
                damaged = bytearray(raw[: chance.randrange(1, len(raw) + 1)])
                for _ in range(chance.randrange(12)):
                    damaged[chance.randrange(len(damaged))] = chance.randrange(256)
                with suppress(Unreadable):
                    self._check_structure(parser.parse(bytes(damaged), media_type, Budget()))

    def _read(self, parser: Parser) -> list[Parsed]:
        return [parser.parse(raw, sniff(raw, name), Budget()) for name, raw in self.samples.items()]

    @staticmethod
    def _check_structure(parsed: Parsed) -> None:
        end = 0
        for block in parsed.blocks:
            assert not parsed.text[end : block.start].strip()
            assert block.start < block.end <= len(parsed.text)
            assert parsed.text[block.start : block.end].strip()
            end = block.end
        assert not parsed.text[end:].strip()
        assert list(parsed.pages) == sorted(parsed.pages)
        assert all(0 <= page <= len(parsed.text) for page in parsed.pages)
