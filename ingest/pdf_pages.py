"""What stands on a PDF page besides its text: filled-in form fields, notes, and what it is made of when silent."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from itertools import islice
from typing import Any

_HIDDEN = 0x2 | 0x20  # hidden, or not to be viewed
_MOST = 2000
"""Notes and objects looked at on one page."""


def page_text(page: Any) -> str:
    """The text pdfium finds, in its order."""
    textpage = page.get_textpage()
    try:
        return str(textpage.get_text_range())
    finally:
        textpage.close()


def form_values(document: Any, page: Any) -> list[str]:
    """Filled-in fields as `name: value`. The document's forms must have been initialised before the page was loaded."""
    from pypdfium2 import raw

    form = document.formenv
    if form is None:
        return []
    found = dict[str, None]()
    for annotation in _annotations(page):
        if raw.FPDFAnnot_GetSubtype(annotation) == raw.FPDF_ANNOT_WIDGET:
            value = _text(raw.FPDFAnnot_GetFormFieldValue, form, annotation)
            name = _text(raw.FPDFAnnot_GetFormFieldName, form, annotation)
            # A box that is not ticked says `Off`.
            if value.strip() and value != "Off":
                found[f"{name}: {value}" if name else value] = None
    return list(found)


def notes(page: Any) -> list[str]:
    """What readers wrote on the page."""
    from pypdfium2 import raw

    found = dict[str, None]()
    for annotation in _annotations(page):
        if raw.FPDFAnnot_GetSubtype(annotation) not in {
            raw.FPDF_ANNOT_WIDGET,
            raw.FPDF_ANNOT_POPUP,
            raw.FPDF_ANNOT_LINK,
        }:
            text = _text(raw.FPDFAnnot_GetStringValue, annotation, b"Contents")
            if text.strip():
                found[text] = None
    return list(found)


def made_of(page: Any, text: str) -> str:
    """Why a page gave no letter: `unmapped` (text in fonts that do not say what they draw), `scanned`, `drawn`, `blank`."""
    from pypdfium2 import raw

    kinds = {item.type for item in islice(page.get_objects(max_depth=4), _MOST)}
    if raw.FPDF_PAGEOBJ_TEXT in kinds and not text:
        return "unmapped"
    kinds.discard(raw.FPDF_PAGEOBJ_TEXT)  # what it wrote was blanks
    if raw.FPDF_PAGEOBJ_IMAGE in kinds:
        return "scanned"
    return "drawn" if kinds else "blank"


def _annotations(page: Any) -> Iterator[Any]:
    from pypdfium2 import raw

    for index in range(min(raw.FPDFPage_GetAnnotCount(page), _MOST)):
        annotation = raw.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        try:
            if not raw.FPDFAnnot_GetFlags(annotation) & _HIDDEN:
                yield annotation
        finally:
            raw.FPDFPage_CloseAnnot(annotation)


def _text(function: Any, *arguments: Any) -> str:
    """pdfium writes UTF-16 into a buffer, once its size is known."""
    length = function(*arguments, None, 0)
    if length <= 2 or length > 2_000_000:
        return ""
    buffer = ctypes.create_string_buffer(length)
    function(*arguments, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), length)
    return buffer.raw[: length - 2].decode("utf-16-le", "replace")
