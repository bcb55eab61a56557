"""Pictures of text: read through the `tesseract` command where it is there, and said to need it where it is not."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest

from ingest import parsers
from ingest.errors import LimitExceeded, Unreadable
from ingest.limits import Limits
from ingest.parsers import image
from ingest.readers import Readers
from ingest.reading import read
from tests.contracts.parser_contract import ParserContract

JAPANESE_FONTS = (
    Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
    Path("/usr/share/fonts/opentype/noto/NotoSerifCJK-Bold.ttc"),
)
needs_ocr = pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")


def picture(*pages: str, form: str = "PNG", font: Path | None = None) -> bytes:
    """Black on white, as large as print at 200 dots an inch."""
    from PIL import Image, ImageDraw, ImageFont

    chosen = ImageFont.truetype(str(font), 32) if font else ImageFont.load_default(32)
    frames = []
    for text in pages:
        frame = Image.new("L", (1100, 220), 255)
        ImageDraw.Draw(frame).text((40, 60), text, fill=0, font=chosen)
        frames.append(frame)
    out = io.BytesIO()
    frames[0].save(out, form, **({"save_all": True, "append_images": frames[1:]} if len(frames) > 1 else {}))
    return out.getvalue()


FIRST, SECOND = "Goods can be returned within seven days.", "The buyer pays for the postage."


@needs_ocr
class TestImage(ParserContract):
    name = "image"
    samples = {"scan.png": picture(FIRST), "scan.tif": picture(FIRST, SECOND, form="TIFF")}  # noqa: RUF012 - as the contract has it


@needs_ocr
@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP"])
def test_each_kind_is_read(form: str) -> None:
    parsed = read(picture(FIRST, form=form), f"scan.{form.lower()}")
    assert parsed.text == FIRST
    assert parsed.parser == "image/2"


@needs_ocr
def test_pages_of_a_fax_are_pages() -> None:
    parsed = read(picture(FIRST, SECOND, form="TIFF"), "fax.tif")
    assert [parsed.page_of(parsed.text.index(said)) for said in (FIRST, SECOND)] == [1, 2]


@needs_ocr
def test_japanese_has_no_blanks_between_its_characters() -> None:
    font = next((path for path in JAPANESE_FONTS if path.is_file()), None)
    if font is None:
        pytest.skip("no Japanese font to draw with")
    parsed = read(picture("事故受付ダイヤルは二十四時間受け付けています。", font=font), "scan.png")
    assert "二十四時間受け付けています" in parsed.text
    assert parsed.language == "ja"


@needs_ocr
def test_it_is_read_in_the_process_of_its_own(tmp_path: Path) -> None:
    """That process has an almost empty environment, and limits that the command inherits."""
    path = tmp_path / "scan.png"
    path.write_bytes(picture(FIRST))
    with Readers(count=1) as readers:
        assert readers.submit(path, "scan.png").result().parsed.text == FIRST


@needs_ocr
def test_the_command_inherits_the_limits(tmp_path: Path) -> None:
    path = tmp_path / "scan.png"
    path.write_bytes(picture(FIRST))
    with (
        Readers(Limits(wall_seconds=0.05), count=1) as readers,
        pytest.raises(LimitExceeded, match="longer than"),
    ):
        readers.submit(path, "scan.png").result()


@needs_ocr
def test_a_picture_of_nothing_says_so() -> None:
    with pytest.raises(Unreadable, match="no text: a picture without writing"):
        read(picture(""), "photo.png")


def test_without_the_command_a_scan_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(Unreadable) as caught:
        read(picture(FIRST), "scan.png")
    assert caught.value.what == "scanned image: install tesseract-ocr and tesseract-ocr-jpn"
    assert parsers.build("image").version == 1


def test_what_was_turned_away_is_tried_again_once_the_command_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parser = parsers.build("image")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    before = parser.version
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/tesseract")
    assert parser.version != before


def test_a_command_without_our_languages_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    command = tmp_path / "tesseract"
    command.write_text("#!/bin/sh\necho deu\n", encoding="utf-8")
    command.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _: str(command))
    with pytest.raises(Unreadable, match="install tesseract-ocr"):
        read(picture(FIRST), "scan.png")


def test_a_command_that_fails_is_a_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    command = tmp_path / "tesseract"
    command.write_text(
        '#!/bin/sh\ncase "$1" in --list-langs) echo eng;; *) exit 3;; esac\n', encoding="utf-8"
    )
    command.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _: str(command))
    with pytest.raises(Unreadable, match=r"tesseract command failed on it \(exit 3\)"):
        read(picture(FIRST), "scan.png")


@pytest.mark.parametrize("raw", [b"\x89PNG\r\n\x1a\n" + bytes(50), picture(FIRST)[:200], b"GIF89a"])
def test_damage_is_told_apart_from_a_missing_command(raw: bytes) -> None:
    with pytest.raises(Unreadable, match="damaged: not an image"):
        read(raw, "scan.png")


def test_a_picture_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image, "_PIXELS", 1000)
    with pytest.raises(LimitExceeded, match="pixels"):
        read(picture(FIRST), "scan.png")
