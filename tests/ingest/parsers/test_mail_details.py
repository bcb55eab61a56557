"""Mail as it really comes: broken headers, odd encodings, HTML beside text, messages inside messages."""

from __future__ import annotations

import struct
from email.message import EmailMessage

import pytest

from ingest.errors import Unreadable
from ingest.media import EMAIL, MBOX, sniff
from ingest.reading import read
from tests.ingest import samples
from tests.ingest.compound_files import compound, message_file
from tests.ingest.samples import FIRST, SECOND, TITLE

P = "__substg1.0_"


def mail(*lines: str, encoding: str = "utf-8") -> bytes:
    return "\r\n".join(lines).encode(encoding)


class TestHeaders:
    def test_encoded_words_in_any_encoding(self) -> None:
        raw = mail(
            "From: =?ISO-2022-JP?B?GyRCOjRGIxsoQg==?= <sato@shop.example>",
            "Subject: =?Shift_JIS?B?ldSVaQ==?= =?utf-8?q?_policy?=",
            "Message-ID: <1@x>",
            "",
            FIRST,
        )
        parsed = read(raw, "a.eml")
        assert parsed.title == "返品 policy"
        assert "From: 佐藤 <sato@shop.example>" in parsed.text

    def test_eight_bit_headers_without_a_word_about_it(self) -> None:
        raw = mail("Subject: 返品について、お知らせ", "From: a@b", "Message-ID: <1@x>", "", FIRST)
        assert read(raw, "a.eml").title == "返品について、お知らせ"

    @pytest.mark.parametrize(
        "subject", ["=?nonsense?B?////?=", "=?utf-8?B?=broken", "=?utf-8?Q?=ZZ?=", "\x00odd"]
    )
    def test_broken_headers_are_no_crash(self, subject: str) -> None:
        raw = mail(
            f"Subject: {subject}",
            "From: a@b",
            "To: ",
            "Date: yesterday or so",
            "Message-ID: <1@x>",
            "",
            FIRST * 30,
        )
        assert FIRST in read(raw, "a.eml").text

    def test_folded_headers_are_one_line(self) -> None:
        raw = mail("Subject: a very", "\tlong subject", "From: a@b", "Message-ID: <1@x>", "", FIRST)
        assert read(raw, "a.eml").title == "a very long subject"


class TestBodies:
    def test_plain_text_is_preferred_to_the_html_beside_it(self) -> None:
        message = EmailMessage()
        message["Subject"], message["From"] = TITLE, "a@b"
        message.set_content(FIRST)
        message.add_alternative(f"<html><body><p>{FIRST} <b>again</b></p></body></html>", subtype="html")
        text = read(bytes(message), "a.eml").text
        assert text.count(FIRST) == 1
        assert "again" not in text

    def test_html_alone_is_rendered(self) -> None:
        message = EmailMessage()
        message["Subject"], message["From"] = TITLE, "a@b"
        message.set_content(f"<html><body><p>{FIRST}</p><script>x()</script></body></html>", subtype="html")
        text = read(bytes(message), "a.eml").text
        assert FIRST in text
        assert "x()" not in text

    def test_a_saved_web_page_without_its_machinery(self) -> None:
        message = EmailMessage()
        message["Subject"], message["From"], message["MIME-Version"] = TITLE, "<Saved>", "1.0"
        message.set_content(f"<html><body><p>{FIRST}</p></body></html>", subtype="html")
        message.add_related(b"p { color: red }", "text", "css")
        text = read(bytes(message), "a.mhtml").text
        assert FIRST in text
        assert "color" not in text

    def test_transfer_encodings(self) -> None:
        head = ["Subject: x", "From: a@b", "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8"]
        for encoding, body in (
            ("base64", "6YCB5paZ44Gv44GK5a6i5qeY44Gu44GU6LKg5ouF44Go44Gq44KK44G+44GZ44CC"),
            ("quoted-printable", "".join(f"={byte:02X}" for byte in SECOND.encode())),
            ("8bit", SECOND),
            ("no-such-encoding", SECOND),
        ):
            raw = mail(*head, f"Content-Transfer-Encoding: {encoding}", "", body)
            assert SECOND in read(raw, "a.eml").text, encoding

    def test_a_wrong_charset_is_not_believed(self) -> None:
        raw = mail(
            "Subject: x",
            "From: a@b",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=klingon",
            "",
            SECOND,
        )
        assert SECOND in read(raw, "a.eml").text

    def test_a_forwarded_message_and_its_attachment(self) -> None:
        inner = EmailMessage()
        inner["Subject"], inner["From"] = "Inner", "c@d"
        inner.set_content(SECOND)
        outer = EmailMessage()
        outer["Subject"], outer["From"] = "Outer", "a@b"
        outer.set_content(FIRST)
        outer.add_attachment(inner)
        text = read(bytes(outer), "a.eml").text
        assert FIRST in text
        assert SECOND in text

    def test_pictures_are_not_worth_a_warning_but_other_losses_are(self) -> None:
        message = EmailMessage()
        message["Subject"], message["From"] = "x", "a@b"
        message.set_content(FIRST)
        message.add_attachment(b"\x89PNG\r\n\x1a\n", "image", "png", filename="logo.png")
        message.add_attachment(samples.encrypted_pdf(), "application", "pdf", filename="secret.pdf")
        assert read(bytes(message), "a.eml").warnings == ("secret.pdf: encrypted: a password is needed",)

    def test_endless_multiparts_are_bounded(self) -> None:
        raw = mail(
            "Subject: x", "From: a@b", "MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="b"', ""
        )
        raw += b"\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello there" * 3000 + b"\r\n--b--"
        assert "hello there" in read(raw, "a.eml").text

    def test_utf16_mail(self) -> None:
        text = "\r\n".join(["Subject: x", "From: a@b", "Message-ID: <1@x>", "", SECOND])
        assert SECOND in read(text.encode("utf-16"), "a.eml").text


class TestMailboxes:
    def test_quoted_from_lines_and_from_in_running_text(self) -> None:
        message = b"Subject: s\nFrom: a@b\n\nLine.\n\n>From the start.\nFrom here on it is text.\n"
        raw = b"From a@b Mon Jan  1\n" + message + b"\nFrom c@d Tue Jan  2\n" + message
        text = read(raw, "a.mbox").text
        assert text.count("Line.") == 2
        assert text.count("From the start.") == 2
        assert text.count("From here on it is text.") == 2

    def test_told_from_mail_and_text_by_content(self) -> None:
        assert sniff(b"From a@b Mon\nSubject: x\nFrom: a@b\nTo: c@d\n\nbody") == MBOX
        assert sniff(b"Received: x\nSubject: x\nFrom: a@b\n\nbody") == EMAIL
        assert sniff(b"From the beginning we sold umbrellas.\nNote: also hats.\n") == "text/plain"
        assert sniff(b"To: everyone\nWe are open.\n") == "text/plain"


class TestOutlook:
    def test_narrow_text_in_a_code_page(self) -> None:
        raw = compound(
            {
                "__properties_version1.0": bytes(32),
                f"{P}0037001E": "返品について".encode("cp932"),
                f"{P}1000001E": SECOND.encode("cp932"),
            }
        )
        parsed = read(raw, "a.msg")
        assert parsed.title == "返品について"
        assert SECOND in parsed.text

    def test_html_bodies_and_what_is_not_read(self) -> None:
        html = f"<html><body><p>{FIRST}</p></body></html>".encode()
        assert (
            FIRST
            in read(compound({"__properties_version1.0": bytes(32), f"{P}10130102": html}), "a.msg").text
        )
        rich = compound(
            {
                "__properties_version1.0": bytes(32),
                f"{P}0037001F": "Only a subject".encode("utf-16-le"),
                f"{P}10090102": b"x",
            }
        )
        assert read(rich, "a.msg").warnings == ("the body is compressed rich text, which is not read",)

    def test_attachments_by_their_names(self) -> None:
        parsed = read(message_file(), "a.msg")
        assert [parsed.text[b.start : b.end] for b in parsed.blocks if b.kind == "heading"] == [
            TITLE,
            "notes.txt",
        ]

    def test_a_date_beyond_reason_is_left_out(self) -> None:
        properties = bytes(32) + struct.pack("<IIQ", 0x00390040, 6, 2**63)
        raw = compound({"__properties_version1.0": properties, f"{P}0037001F": "Subject".encode("utf-16-le")})
        assert "Date" not in read(raw, "a.msg").text


class TestEmbeddedObjects:
    def test_a_packed_file(self) -> None:
        content = FIRST.encode()
        head = b"notes.txt\0C:\\notes.txt\0" + struct.pack("<HHI", 0, 3, 4) + b"tmp\0"
        native = bytes(4) + b"\x02\0" + head + struct.pack("<I", len(content)) + content
        parsed = read(compound({"\x01Ole10Native": native}), "oleObject1.bin")
        assert FIRST in parsed.text
        assert "notes.txt" in parsed.text

    def test_a_pdf_put_in_as_it_was(self) -> None:
        assert FIRST in read(compound({"CONTENTS": samples.pdf()}), "oleObject1.bin").text

    @pytest.mark.parametrize(
        ("stream", "kind"),
        [
            ("Workbook", "Excel"),
            ("FileHeader", "Hangul"),
            ("VisioDocument", "Visio"),
            ("Other", "old Office file"),
        ],
    )
    def test_other_kinds_are_named(self, stream: str, kind: str) -> None:
        with pytest.raises(Unreadable, match=kind):
            read(compound({stream: b"x" * 100}), "a.bin")
