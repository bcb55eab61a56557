"""Scanned pages and photographs of text, through the `tesseract` command where it is installed.

The command runs inside the process that parses: it inherits its limits on memory and processor time, gets the picture
on its standard input and nothing else, and is killed before the parent's deadline.
"""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from io import BytesIO
from typing import Any

from ingest.building import TextBuilder
from ingest.errors import LimitExceeded, Unreadable
from ingest.flow import paragraphs
from ingest.limits import Budget
from ingest.types import Parsed

MISSING = "scanned image: install tesseract-ocr and tesseract-ocr-jpn"
_LANGUAGES = ("jpn", "eng")
_PIXELS = 60_000_000
"""An A3 page at 400 dots an inch has 31 million; what is larger is a map or a bomb."""
_PAGES = 50
_LONG_SIDE = 1000
"""Smaller pictures are enlarged: letters under ten pixels are not told apart."""
_SECONDS = 5.0
"""Kept back from the document's deadline for everything else."""
# Japanese comes back with blanks between its characters.
_SPLIT_UP = re.compile(
    "(?<=[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]) +(?=[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef])"
)


class ImageParser:
    """Reads PNG, JPEG, TIFF (page by page), BMP, GIF and WebP."""

    media_types = frozenset({"image/png", "image/jpeg", "image/tiff", "image/bmp", "image/gif", "image/webp"})

    @property
    def version(self) -> int:
        """Another number once the command is there, so that what was turned away is tried again."""
        return 2 if shutil.which("tesseract") else 1

    def parse(self, raw: bytes, _media_type: str, budget: Budget) -> Parsed:
        """A page's text a paragraph a block; raises Unreadable for damage, for no text, and without the command."""
        builder = TextBuilder(budget.limits.text_chars)
        pages = _pages(raw)
        command = shutil.which("tesseract")
        for picture in pages:
            if command is None:
                raise Unreadable(MISSING)
            builder.page()
            for paragraph in _recognised(command, picture, budget.limits.wall_seconds):
                builder.paragraph(paragraph)
            if builder.full:
                break
        parsed = builder.build()
        if not any(character.isalnum() for character in parsed.text):
            raise Unreadable("no text: a picture without writing that could be recognised")
        return parsed


def _pages(raw: bytes) -> Iterator[bytes]:
    """Each frame as a grey PNG, upright and large enough. The first is checked before anything is asked of OCR."""
    from PIL import Image, ImageOps, ImageSequence

    # A warning of the library's about size is an error to us; `verify` and `load` raise many kinds for damage.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(raw)) as image:
                for number, frame in enumerate(ImageSequence.Iterator(image)):
                    if number >= _PAGES:
                        raise LimitExceeded(f"holds more than {_PAGES} pictures")
                    if frame.width * frame.height > _PIXELS:
                        raise LimitExceeded(f"has more than {_PIXELS // 1_000_000} million pixels")
                    grey = ImageOps.exif_transpose(frame).convert("L")
                    factor = _LONG_SIDE / max(1, *grey.size)
                    if factor > 1:
                        factor = min(factor, 3.0)
                        size = (round(grey.width * factor), round(grey.height * factor))
                        grey = grey.resize(size, Image.Resampling.LANCZOS)
                    out = BytesIO()
                    grey.save(out, "PNG", dpi=(300, 300))
                    yield out.getvalue()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise LimitExceeded(f"has more than {_PIXELS // 1_000_000} million pixels") from error
    except (
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        IndexError,
        TypeError,
        KeyError,
        OverflowError,
        struct.error,
    ) as error:
        raise Unreadable("damaged: not an image that can be opened") from error


def _recognised(command: str, picture: bytes, seconds: float) -> list[str]:
    """The paragraphs that the command reads off one picture."""
    arguments = [command, "stdin", "stdout", "-l", _languages(command), "--psm", "3"]
    try:
        done = subprocess.run(  # noqa: S603 - a command of the system, no shell, no argument of the document's
            arguments,
            input=picture,
            capture_output=True,
            timeout=max(1.0, seconds - _SECONDS),
            check=False,
            env={"OMP_THREAD_LIMIT": "1"},
        )
    except subprocess.TimeoutExpired as error:
        raise LimitExceeded(f"took longer than {seconds:g} seconds") from error
    except OSError as error:
        raise Unreadable(f"the tesseract command cannot be run: {error.strerror}") from error
    if done.returncode:
        raise Unreadable(f"the tesseract command failed on it (exit {done.returncode})")
    text = done.stdout.decode("utf-8", "replace").replace("\f", "")
    return [_SPLIT_UP.sub("", paragraph) for paragraph in paragraphs(text)]


@cache
def _languages(command: str) -> str:
    """Those of ours that are installed; raises Unreadable where none is."""
    listed = subprocess.run(  # noqa: S603 - the same command
        [command, "--list-langs"], capture_output=True, timeout=10, check=False, env={}
    )
    found = set((listed.stdout + listed.stderr).decode("utf-8", "replace").split())
    there = [language for language in _LANGUAGES if language in found]
    if not there:
        raise Unreadable(MISSING)
    return "+".join(there)


def build(_settings: Mapping[str, Any]) -> ImageParser:
    """There is nothing to set."""
    return ImageParser()
