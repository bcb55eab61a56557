"""Whole runs against a real database: what changes, what goes, what cannot be read, who may see it."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from langchain_core.embeddings import Embeddings

from ingest.errors import IngestBusy, LakeError, SourceUnavailable
from ingest.lake import Lake
from ingest.limits import Limits
from ingest.manifest import Manifest, quarantined
from ingest.parsers import text as text_parser
from ingest.pipeline import document_id
from ingest.sources.folder import FolderSource
from ingest.types import Change, Report
from retrieval.embeddings import EmbeddingModel
from retrieval.postgres.database import Database
from retrieval.stores import build
from retrieval.types import Access, Chunk, Principal, SearchResult, SemanticStore
from tests.ingest import samples
from tests.ingest.conftest import Run

Find = Callable[..., SearchResult]


class LengthEmbeddings(Embeddings):
    """Three numbers a text: enough to see who embedded what."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.texts += texts
        return [[float(len(text)), 1.0, 0.5] for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return [float(len(text)), 1.0, 0.5]


def put(folder: Path, name: str, content: bytes | str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name("beside.part")
    beside.write_bytes(content.encode() if isinstance(content, str) else content)
    beside.replace(path)


def counts(report: Report) -> dict[str, int]:
    return {
        "documents": report.documents,
        "unchanged": report.unchanged,
        "deleted": report.deleted,
        "quarantined": len(report.quarantined),
    }


def test_every_format_is_found_by_what_it_says(run: Run, find: Find, folder: Path) -> None:
    for name, maker in samples.SAMPLES.items():
        put(folder, name, maker())
    report = run()
    assert counts(report) == {
        "documents": len(samples.SAMPLES),
        "unchanged": 0,
        "deleted": 0,
        "quarantined": 0,
    }
    assert report.chunks >= report.documents
    english = {p.chunk.document.uri for p in find("goods returned seven days delivery").passages}
    japanese = {p.chunk.document.uri for p in find("送料は誰の負担ですか").passages}
    assert "file:shop/policy.pdf" in english | japanese
    assert len(english | japanese) >= 10


def test_what_a_document_is_made_of(run: Run, find: Find, folder: Path, lake: Lake) -> None:
    put(folder, "rules/policy.pdf", samples.pdf(pages=2))
    os.utime(folder / "rules/policy.pdf", (1_700_000_000, 1_700_000_000))
    run(tenant="default", labels=lambda uri: {"role:analyst"} if uri.endswith(".pdf") else set())
    passage = next(p for p in find("stands on page 2").passages if p.chunk.page == 2)
    chunk = passage.chunk
    document = chunk.document
    assert document.id == document_id("default", "shop", "rules/policy.pdf")
    assert document.uri == "file:shop/rules/policy.pdf"
    assert document.title == samples.TITLE
    assert document.labels == {"role:analyst"}
    assert document.media_type == "application/pdf"
    assert document.source == "shop"
    assert document.as_of is not None
    assert document.as_of.timestamp() == 1_700_000_000
    # The citation can be read back from the lake.
    assert lake.extracted(document.version).text[chunk.start : chunk.end] == chunk.text
    assert lake.raw(document.version) == (folder / "rules/policy.pdf").read_bytes()


def test_a_title_is_never_empty(run: Run, find: Find, folder: Path) -> None:
    put(folder, "notes/shop hours.txt", "The shop opens at nine.")
    run()
    assert find("shop opens nine").passages[0].chunk.document.title == "shop hours"


def test_a_second_run_does_only_what_changed(run: Run, find: Find, folder: Path) -> None:
    put(folder, "a.txt", "Apples are sold in autumn.")
    put(folder, "b.txt", "Pears are sold in winter.")
    put(folder, "c.txt", "Plums are sold in summer.")
    run()
    assert counts(run()) == {"documents": 0, "unchanged": 3, "deleted": 0, "quarantined": 0}
    put(folder, "a.txt", "Oranges are sold in autumn.")
    (folder / "b.txt").unlink()
    put(folder, "d.txt", "Cherries are sold in June.")
    os.utime(folder / "c.txt", (5, 5))
    assert counts(run()) == {"documents": 2, "unchanged": 1, "deleted": 1, "quarantined": 0}
    assert not find("apples").passages
    assert not find("pears").passages
    assert find("oranges").passages
    assert find("cherries").passages
    assert counts(run()) == {"documents": 0, "unchanged": 3, "deleted": 0, "quarantined": 0}


def test_the_report_is_json(run: Run, folder: Path) -> None:
    put(folder, "a.txt", "Text.")
    put(folder, "b.png", b"\x89PNG\r\n\x1a\n" + bytes(40))
    found = json.loads(json.dumps(run().to_json()))
    assert found["documents"] == 1
    assert found["quarantined"] == [
        {"uri": "file:shop/b.png", "reason": "damaged: not an image that can be opened"}
    ]
    assert {"documents", "chunks", "unchanged", "deleted", "quarantined", "seconds"} <= found.keys()


def test_quarantine_is_entered_stayed_in_and_left(
    run: Run, find: Find, folder: Path, database: Database
) -> None:
    put(folder, "good.txt", "Readable text about umbrellas.")
    put(folder, "bad.pdf", samples.encrypted_pdf())
    first, second = run(), run()
    assert first.quarantined == second.quarantined
    assert counts(second) == {"documents": 0, "unchanged": 1, "deleted": 0, "quarantined": 1}
    assert [q.uri for q in quarantined(database)] == ["file:shop/bad.pdf"]
    put(folder, "bad.pdf", samples.pdf())
    assert counts(run()) == {"documents": 1, "unchanged": 1, "deleted": 0, "quarantined": 0}
    assert quarantined(database) == []
    assert find("goods returned within seven days").passages


def test_a_document_that_turns_unreadable_is_no_longer_answered_from(
    run: Run, find: Find, folder: Path
) -> None:
    put(folder, "policy.pdf", samples.pdf())
    run()
    put(folder, "policy.pdf", samples.encrypted_pdf())
    report = run()
    assert [q.reason for q in report.quarantined] == ["encrypted: a password is needed"]
    assert not find("goods returned within seven days").passages
    (folder / "policy.pdf").unlink()
    # It was counted out when it left the store.
    assert counts(run()) == {"documents": 0, "unchanged": 0, "deleted": 0, "quarantined": 0}


def test_a_refusal_is_asked_again_each_time(run: Run, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("Outside.")
    (folder / "a.txt").symlink_to(tmp_path / "outside.txt")
    assert counts(run())["quarantined"] == 1
    assert counts(run())["quarantined"] == 1
    (folder / "a.txt").unlink()
    put(folder, "a.txt", "Inside.")
    assert counts(run()) == {"documents": 1, "unchanged": 0, "deleted": 0, "quarantined": 0}


def test_files_over_the_size_limit_are_not_even_copied(run: Run, folder: Path, tmp_path: Path) -> None:
    put(folder, "big.txt", b"x" * 30_000)
    report = run(limits=Limits(raw_bytes=20_000))
    assert [q.reason for q in report.quarantined] == ["larger than 20 kB"]
    assert not [path for path in (tmp_path / "lake").rglob("*") if path.is_file()]
    assert counts(run())["documents"] == 1


def test_a_file_that_changes_while_it_is_read(run: Run, folder: Path) -> None:
    put(folder, "log.txt", "Line one.")

    class Restless(FolderSource):
        def settled(self, change: Change) -> bool:
            put(folder, "log.txt", "Line one. Line two.")
            return super().settled(change)

    report = run(source=Restless("shop", folder))
    assert [q.reason for q in report.quarantined] == ["changed while it was read; the next run tries again"]
    assert counts(run()) == {"documents": 1, "unchanged": 0, "deleted": 0, "quarantined": 0}


def test_one_bad_file_never_stops_the_rest(run: Run, folder: Path) -> None:
    for number in range(6):
        put(folder, f"good{number}.txt", f"Good text number {number}.")
    put(folder, "bomb.zip", samples.bomb(60))
    put(folder, "nested.zip", samples.nested(12))
    put(folder, "broken.docx", samples.docx()[:200])
    put(folder, "empty.txt", b"")
    put(folder, "scan.pdf", samples.scanned_pdf())
    report = run(limits=Limits(expanded_bytes=20_000_000))
    assert report.documents == 6
    assert {Path(q.uri).name for q in report.quarantined} == {
        "bomb.zip",
        "nested.zip",
        "broken.docx",
        "empty.txt",
        "scan.pdf",
    }
    assert all(q.reason for q in report.quarantined)


def test_documents_read_in_part_are_said(run: Run, folder: Path) -> None:
    put(folder, "mail.eml", samples.eml(attachment=b"\x7fELF" + bytes(100)))
    report = run()
    assert report.documents == 1
    assert [(q.uri, q.reason) for q in report.partial] == [
        ("file:shop/mail.eml", "添付.docx: unsupported format: program (.docx)")
    ]


def test_empty_and_missing_folders(run: Run, folder: Path, find: Find) -> None:
    report = run()
    assert counts(report) == {"documents": 0, "unchanged": 0, "deleted": 0, "quarantined": 0}
    assert report.notices == ("shop holds no files",)
    put(folder, "a.txt", "Peaches.")
    run()
    source = FolderSource("shop", folder)
    shutil.rmtree(folder)
    with pytest.raises(SourceUnavailable):
        run(source=source)
    assert find("peaches").passages
    folder.mkdir()
    assert counts(run())["deleted"] == 1
    assert not find("peaches").passages


def test_sources_do_not_delete_each_others_documents(
    run: Run, find: Find, folder: Path, tmp_path: Path
) -> None:
    put(folder, "a.txt", "Peaches.")
    put(tmp_path / "other", "a.txt", "Melons.")
    run()
    run(source=FolderSource("other", tmp_path / "other"))
    assert counts(run()) == {"documents": 0, "unchanged": 1, "deleted": 0, "quarantined": 0}
    assert find("peaches").passages
    assert find("melons").passages


def test_tenants_do_not_meet(run: Run, find: Find, folder: Path) -> None:
    put(folder, "a.txt", "Peaches.")
    run(tenant="north")
    run(tenant="south")
    for tenant in ("north", "south"):
        (passage,) = find("peaches", Principal("ana", tenant=tenant)).passages
        assert passage.chunk.document.tenant == tenant
    assert not find("peaches").passages


class TestLabels:
    def test_nobody_by_default_and_it_is_said(self, run: Run, find: Find, folder: Path) -> None:
        put(folder, "a.txt", "Peaches.")
        report = run(labels=frozenset())
        assert not find("peaches").passages
        assert "nobody can find" in report.notices[0]

    def test_changed_labels_hold_without_parsing(
        self, run: Run, find: Find, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(folder, "a.txt", "Peaches.")
        run(labels={"role:analyst", "role:seller"})
        monkeypatch.setattr("ingest.readers._Process", None)  # no process can be started any more
        report = run(labels={"role:seller"})
        assert (report.documents, report.relabelled, report.unchanged) == (0, 1, 1)
        assert not find("peaches").passages
        assert find("peaches", Principal("bo", roles=("seller",))).passages
        assert run(labels={"role:seller"}).relabelled == 0

    def test_a_changed_mark_holds_without_parsing(
        self, run: Run, find: Find, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(folder, "a.txt", "Peaches.")
        seller = frozenset({"role:seller"})
        run(labels=Access(seller))
        assert find("peaches") == SearchResult(())
        monkeypatch.setattr("ingest.readers._Process", None)  # no process can be started any more
        marked = Access(seller, discoverable=True, owner="fruit@shop")
        for wanted, seen in [
            (marked, SearchResult((), 1, ("fruit@shop",))),
            (Access(seller, discoverable=True), SearchResult((), 1)),
            (seller, SearchResult(())),
        ]:
            assert run(labels=lambda _uri, wanted=wanted: wanted).relabelled == 1
            assert find("peaches") == seen
            again = run(labels=wanted)
            assert (again.relabelled, again.unchanged) == (0, 1)

    def test_a_mark_is_stored_with_a_new_document(self, run: Run, find: Find, folder: Path) -> None:
        put(folder, "open.txt", "Pears.")
        put(folder, "closed.txt", "Peaches.")
        closed = Access(frozenset(), discoverable=True, owner="fruit@shop")
        run(labels=lambda uri: closed if "closed" in uri else {"everyone"})
        assert find("peaches") == SearchResult((), 1, ("fruit@shop",))
        (passage,) = find("pears").passages
        assert (passage.chunk.document.discoverable, passage.chunk.document.owner) == (False, "")

    def test_a_mark_without_labels_is_still_said_to_be_nobodys(self, run: Run, folder: Path) -> None:
        put(folder, "a.txt", "Peaches.")
        assert "nobody can find" in run(labels=Access(discoverable=True)).notices[0]

    def test_one_label_given_as_text_is_one_label(self, run: Run, find: Find, folder: Path) -> None:
        put(folder, "a.txt", "Peaches.")
        run(labels="role:analyst")
        assert find("peaches").passages

    def test_a_store_that_cannot_relabel_loses_access_at_once(
        self, run: Run, find: Find, folder: Path, store: SemanticStore
    ) -> None:
        """The order matters: a narrowed access must hold even when embedding them again then fails."""
        put(folder, "a.txt", "Peaches.")
        run(labels={"everyone"})

        class NoRelabel:
            def upsert(self, chunks: list[Chunk], vectors: list[Any]) -> None:
                raise psycopg.OperationalError("down")

            def delete(self, ids: list[str]) -> int:
                return store.delete(ids)

        with pytest.raises(psycopg.OperationalError):
            run(labels={"role:seller"}, store=NoRelabel())
        assert not find("peaches").passages
        report = run(labels={"role:seller"})
        assert report.documents == 1
        assert find("peaches", Principal("bo", roles=("seller",))).passages


class TestModels:
    def test_another_embedder_embeds_again_without_parsing(
        self, run: Run, folder: Path, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(folder, "a.txt", "Peaches are sold in summer.")
        for identity in ("length@1", "length@2"):
            embeddings = LengthEmbeddings()
            model = EmbeddingModel(embeddings, identity, 3, frozenset({"en"}))
            store = build("pgvector", {"database": database, "model": model})
            assert run(model=model, store=store).documents == 1
            assert embeddings.texts == ["Peaches are sold in summer."]
            assert run(model=model, store=store).documents == 0
            monkeypatch.setattr("ingest.readers._Process", None)  # from now on nothing can be parsed

    def test_a_better_parser_reads_again(
        self, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from ingest import parsers

        put(folder, "a.txt", "Peaches.")
        put(folder, "b.png", b"\x89PNG\r\n\x1a\n" + bytes(40))
        run()
        assert text_parser.TextParser.version == 1
        monkeypatch.setattr(text_parser.TextParser, "version", 2)
        for remembered in (parsers.identities, parsers.fingerprint):
            remembered.cache_clear()
        try:
            # The processes that parse know the old version only; what counts here is that both are tried again.
            assert counts(run()) == {"documents": 1, "unchanged": 0, "deleted": 0, "quarantined": 1}
        finally:
            monkeypatch.undo()
            for remembered in (parsers.identities, parsers.fingerprint):
                remembered.cache_clear()

    def test_a_lost_lake_is_read_again(
        self, run: Run, folder: Path, tmp_path: Path, database: Database
    ) -> None:
        put(folder, "a.txt", "Peaches.")
        run()
        shutil.rmtree(tmp_path / "lake" / "extracted")
        (tmp_path / "lake" / "extracted").mkdir()
        model = EmbeddingModel(LengthEmbeddings(), "length@1", 3, frozenset({"en"}))
        store = build("pgvector", {"database": database, "model": model})
        assert run(model=model, store=store).documents == 1


class TestFailures:
    def test_a_store_that_fails_leaves_a_manifest_that_knows(
        self, run: Run, find: Find, folder: Path, store: SemanticStore, database: Database
    ) -> None:
        put(folder, "a.txt", "Peaches.")
        run()
        put(folder, "a.txt", "Melons.")

        class Down:
            def upsert(self, chunks: list[Chunk], vectors: list[Any]) -> None:
                raise psycopg.OperationalError("down")

            def delete(self, ids: list[str]) -> int:
                return store.delete(ids)

        with pytest.raises(psycopg.OperationalError):
            run(store=Down())
        entries = Manifest(database, "default", "shop").entries()
        assert entries["a.txt"].state == "writing"
        assert counts(run()) == {"documents": 1, "unchanged": 0, "deleted": 0, "quarantined": 0}
        assert find("melons").passages
        assert not find("peaches").passages

    def test_what_a_broken_run_stored_is_deleted_with_its_file(
        self, run: Run, find: Find, folder: Path, store: SemanticStore
    ) -> None:
        """The store took it, the run died before the manifest could say so, then the file went."""
        put(folder, "a.txt", "Peaches.")

        class DiesAfter:
            def upsert(self, chunks: list[Chunk], vectors: list[Any]) -> None:
                store.upsert(chunks, vectors)
                raise KeyboardInterrupt

            def delete(self, ids: list[str]) -> int:
                return store.delete(ids)

        with pytest.raises(KeyboardInterrupt):
            run(store=DiesAfter())
        assert find("peaches").passages
        (folder / "a.txt").unlink()
        run()
        assert not find("peaches").passages

    def test_a_document_the_store_cannot_hold_does_not_hurt_the_others(
        self, run: Run, find: Find, folder: Path, store: SemanticStore
    ) -> None:
        put(folder, "a.txt", "Peaches.")
        put(folder, "b.txt", "Poison.")

        class Picky:
            def upsert(self, chunks: list[Chunk], vectors: list[Any]) -> None:
                if any("Poison" in chunk.text for chunk in chunks):
                    raise psycopg.DataError("no")
                store.upsert(chunks, vectors)

            def delete(self, ids: list[str]) -> int:
                return store.delete(ids)

        report = run(store=Picky())
        assert report.documents == 1
        assert [(q.uri, q.reason) for q in report.quarantined] == [
            ("file:shop/b.txt", "cannot be stored (DataError)")
        ]
        assert find("peaches").passages

    def test_two_runs_of_one_source_do_not_meet(self, run: Run, folder: Path) -> None:
        put(folder, "a.txt", "Peaches.")
        inside, go_on = threading.Event(), threading.Event()

        class Slow(FolderSource):
            def settled(self, change: Change) -> bool:
                inside.set()
                go_on.wait(20)
                return super().settled(change)

        reports: list[Report] = []
        thread = threading.Thread(target=lambda: reports.append(run(source=Slow("shop", folder))))
        thread.start()
        try:
            assert inside.wait(20)
            with pytest.raises(IngestBusy, match="another ingest"):
                run()
        finally:
            go_on.set()
            thread.join(30)
        assert reports[0].documents == 1
        assert run().unchanged == 1

    def test_a_lake_that_cannot_be_written_stops_the_run_and_loses_nothing(
        self, run: Run, find: Find, folder: Path, lake: Lake, tmp_path: Path
    ) -> None:
        put(folder, "a.txt", "Peaches.")
        shutil.rmtree(tmp_path / "lake" / "raw")
        (tmp_path / "lake" / "raw").write_text("in the way")
        with pytest.raises(LakeError, match="cannot be written"):
            run()
        (tmp_path / "lake" / "raw").unlink()
        assert run(lake=Lake(tmp_path / "lake")).documents == 1
        assert find("peaches").passages


def test_progress_and_decisions(run: Run, folder: Path, database: Database) -> None:
    put(folder, "a.txt", "Peaches.")
    put(folder, "b.txt", b"")
    told: list[tuple[str, int, int]] = []
    run(progress=lambda *event: told.append(event))
    assert ("read", 2, 2) in told
    assert ("stored", 1, 0) in told
    (folder / "a.txt").unlink()
    run()
    with database.connection() as connection:
        rows = connection.execute(
            "SELECT uri, decision, reason FROM ingest.decisions ORDER BY number"
        ).fetchall()
    assert rows == [
        ("file:shop/b.txt", "quarantined", "no text: the file is empty"),
        ("file:shop/a.txt", "ingested", ""),
        ("file:shop/a.txt", "removed", "gone from the source"),
    ]


def test_reports_add_up() -> None:
    total = Report(1, 2, 3, 0, 4, seconds=1.5) + Report(10, 20, 30, 1, 40, notices=("x",), seconds=0.5)
    assert (total.documents, total.chunks, total.unchanged, total.relabelled, total.deleted) == (
        11,
        22,
        33,
        1,
        44,
    )
    assert total.notices == ("x",)
    assert total.seconds == 2.0
