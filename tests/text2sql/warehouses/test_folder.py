from __future__ import annotations

import datetime as dt
import gzip
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.contracts.warehouse_contract import SALES, STORES, Capabilities, WarehouseContract
from tests.text2sql.warehouses.test_duckdb import OUTSIDE
from text2sql.errors import WarehouseUnavailable
from text2sql.types import Limits
from text2sql.warehouses import open_warehouse
from text2sql.warehouses.folder import FolderWarehouse


def write(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    raw = text.encode(encoding)
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return path


def types(folder: Path, table: str) -> dict[str, str]:
    with FolderWarehouse(folder) as warehouse:
        found = warehouse.catalog().table(table)
        assert found is not None
        return {column.name: column.type for column in found.columns}


def rows(folder: Path, sql: str) -> list[dict[str, object]]:
    with FolderWarehouse(folder) as warehouse:
        return warehouse.run(sql, Limits()).rows()


class TestFolder(WarehouseContract):
    capabilities = Capabilities(declares_keys=False, has_views=False, outside=OUTSIDE)

    def make(self, folder: Path) -> Path:
        files = folder / "files"
        stores = ["id,name,region", *(f"{i},{n},{r}" for i, n, r in STORES)]
        write(files, "stores.csv", "\n".join(stores) + "\n")
        sales = [
            "id\tstore_id\tsold_on\tamount",
            *("\t".join("" if v is None else str(v) for v in s) for s in SALES),
        ]
        write(files, "sales.tsv.gz", "\n".join(sales))
        write(files, "README.md", "not a table")
        return files

    def open(self, path: Path) -> FolderWarehouse:
        return FolderWarehouse(path)


class TestTypes:
    def test_codes_keep_their_zeros_and_numbers_are_numbers(self, tmp_path: Path) -> None:
        write(
            tmp_path,
            "t.csv",
            "sku,zip_code,gender_cd,day_ymd,units,price,phone,rate,active,opened,seen\n"
            "00123,1010025,1,20190101,3,1.50,0312345678,1e-3,true,2024/1/5,2024-01-05 10:00\n"
            "12345,1500001,0,20190131,-4,12,0312345679,0.5,FALSE,2023/12/31,2024/02/05 23:59:59.5\n",
        )
        assert types(tmp_path, "t") == {
            "sku": "VARCHAR", "zip_code": "VARCHAR", "gender_cd": "VARCHAR", "day_ymd": "BIGINT", "units": "BIGINT",
            "price": "DOUBLE", "phone": "VARCHAR", "rate": "DOUBLE", "active": "BOOLEAN", "opened": "DATE",
            "seen": "TIMESTAMP",
        }  # fmt: skip
        (first, second) = rows(tmp_path, "SELECT * FROM t ORDER BY units DESC")
        assert (first["sku"], first["phone"], first["zip_code"]) == ("00123", "0312345678", "1010025")
        assert (second["opened"], second["active"]) == (dt.date(2023, 12, 31), False)

    def test_a_type_is_decided_over_every_row(self, tmp_path: Path) -> None:
        body = "".join(f"{i}\n" for i in range(50_000))
        write(tmp_path, "late.csv", f"n\n{body}x1\n")
        write(tmp_path, "zero.csv", f"n\n{body}007\n")
        assert types(tmp_path, "late") == {"n": "VARCHAR"}
        assert types(tmp_path, "zero") == {"n": "VARCHAR"}

    def test_a_code_in_one_file_is_text_in_the_others_so_that_they_join(self, tmp_path: Path) -> None:
        write(tmp_path, "items.csv", "item,name\n007,bond\n123,other\n")
        write(tmp_path, "orders.csv", "order_id,item\n1,123\n2,123\n")
        assert types(tmp_path, "orders") == {"order_id": "BIGINT", "item": "VARCHAR"}
        joined = rows(tmp_path, "SELECT name FROM orders JOIN items USING (item) LIMIT 1")
        assert joined == [{"name": "other"}]

    def test_grouped_thousands_and_missing_marks_are_read(self, tmp_path: Path) -> None:
        write(tmp_path, "t.csv", 'amount,n,note\n"1,234",NA,NA\n12,3,ok\n"12,345.5",,x\n')
        assert types(tmp_path, "t") == {"amount": "DOUBLE", "n": "BIGINT", "note": "VARCHAR"}
        assert [list(r.values()) for r in rows(tmp_path, "SELECT * FROM t ORDER BY amount")] == [
            [12.0, 3, "ok"], [1234.0, None, "NA"], [12345.5, None, "x"],
        ]  # fmt: skip

    @pytest.mark.parametrize(
        "values", [("2024-02-30", "2024-01-01"), ("1,23", "4"), ("12345678901234567890", "1"), ("1 2", "3")]
    )
    def test_what_only_looks_like_a_type_stays_text(self, tmp_path: Path, values: tuple[str, ...]) -> None:
        write(tmp_path, "t.csv", "v\n" + "".join(f'"{value}"\n' for value in values))
        assert types(tmp_path, "t") == {"v": "VARCHAR"}
        assert [row["v"] for row in rows(tmp_path, "SELECT v FROM t")] == list(values)


class TestText:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "euc_jp", "utf-16", "iso2022_jp"])
    @pytest.mark.parametrize("name", ["店舗.csv", "店舗.csv.gz"])
    def test_japanese_encodings(self, tmp_path: Path, encoding: str, name: str) -> None:
        text = "店舗コード,店舗名\r\n001,銀座本店\r\n002,梅田「駅前」店\r\n"
        write(tmp_path, name, text, encoding)
        assert rows(tmp_path, 'SELECT * FROM "店舗" ORDER BY 1') == [
            {"店舗コード": "001", "店舗名": "銀座本店"},
            {"店舗コード": "002", "店舗名": "梅田「駅前」店"},
        ]

    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    def test_delimiters(self, tmp_path: Path, delimiter: str) -> None:
        lines = [("name", "units"), ("a,b" if delimiter != "," else "ab", "3"), ("c", "4")]
        write(tmp_path, "t.csv", "\n".join(delimiter.join(line) for line in lines))
        assert [r["units"] for r in rows(tmp_path, "SELECT * FROM t")] == [3, 4]

    def test_quotes_newlines_and_blank_lines(self, tmp_path: Path) -> None:
        write(tmp_path, "t.csv", '\r\n\r\nid,note\r\n1,"two\r\nlines, ""quoted"""\r\n2,#not a comment\r\n')
        assert [r["note"] for r in rows(tmp_path, "SELECT * FROM t ORDER BY id")] == [
            'two\r\nlines, "quoted"',
            "#not a comment",
        ]

    def test_headers_are_trimmed_filled_and_made_unique(self, tmp_path: Path) -> None:
        write(tmp_path, "t.csv", " id ,,Name,name\n1,2,3,4\n")
        assert list(types(tmp_path, "t")) == ["id", "column_2", "Name", "name_2"]

    def test_a_file_without_a_header_gets_numbered_columns(self, tmp_path: Path) -> None:
        write(tmp_path, "t.csv", "17,Tokyo,3.5\n18,Osaka,4\n")
        write(tmp_path, "years.csv", "region,2023,2024\nKanto,1,2\n")
        assert list(types(tmp_path, "t")) == ["column_1", "column_2", "column_3"]
        assert rows(tmp_path, "SELECT count(*) AS n FROM t") == [{"n": 2}]
        assert list(types(tmp_path, "years")) == ["region", "2023", "2024"]


class TestBadFiles:
    @pytest.mark.parametrize(
        ("content", "line", "what"),
        [
            ("id,name\n1,a\n2\n", 3, "has 1 columns where the header has 2"),
            ("id,name\n1,a,b\n", 2, "has 3 columns where the header has 2"),
            ('id,name\n1,"open\n2,b\n', 2, "never closed"),
        ],
    )
    def test_a_bad_line_is_named(self, tmp_path: Path, content: str, line: int, what: str) -> None:
        write(tmp_path, "bad.csv", content)
        with pytest.raises(WarehouseUnavailable, match=what) as caught:
            FolderWarehouse(tmp_path)
        assert caught.value.where == f"{tmp_path / 'bad.csv'}:{line}"
        assert caught.value.todo

    @pytest.mark.parametrize(
        ("name", "raw"),
        [
            ("empty.csv", b""),
            ("blank.csv", b"\n\n"),
            ("binary.csv", b"a,b\n\0\0,1\n"),
            ("broken.csv.gz", b"not gzip at all"),
            ("short.csv.gz", gzip.compress(b"a,b\n1,2\n" * 1000, mtime=0)[:40]),
            ("broken.parquet", b"PAR1 but not really PAR1"),
        ],
    )
    def test_a_file_that_cannot_be_read_is_named(self, tmp_path: Path, name: str, raw: bytes) -> None:
        (tmp_path / name).write_bytes(raw)
        with pytest.raises(WarehouseUnavailable) as caught:
            FolderWarehouse(tmp_path)
        assert name in caught.value.where

    def test_a_folder_without_tables_says_what_to_put_there(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("hello")
        with pytest.raises(WarehouseUnavailable, match="no file to load") as caught:
            FolderWarehouse(tmp_path)
        assert ".csv" in caught.value.todo


class TestNames:
    def test_table_names_come_from_file_names(self, tmp_path: Path) -> None:
        for name in (
            "Sales 2024-01.csv",
            "売上.csv",
            "2024.csv",
            "a.b.csv",
            "sales_2024_01.tsv",
            "x*[1].csv",
        ):
            write(tmp_path, name, "id\tv\n1\t2\n" if name.endswith("tsv") else "id,v\n1,2\n")
        write(tmp_path, "x1.csv", "other\n9\n")
        with FolderWarehouse(tmp_path) as warehouse:
            tables = {t.name: [c.name for c in t.columns] for t in warehouse.catalog().tables}
        assert tables == {
            "Sales_2024_01": ["id", "v"], "売上": ["id", "v"], "t_2024": ["id", "v"], "a_b": ["id", "v"],
            "sales_2024_01_2": ["id", "v"], "x_1": ["id", "v"], "x1": ["other"],
        }  # fmt: skip

    def test_hidden_and_foreign_files_are_left_alone(self, tmp_path: Path) -> None:
        for name in (".hidden.csv", "~lock.csv", "_tmp.csv", "notes.txt"):
            write(tmp_path, name, "broken\n1,2,3\n")
        write(tmp_path, "good.csv", "id\n1\n")
        assert rows(tmp_path, "SELECT * FROM good") == [{"id": 1}]

    def test_parquet_keeps_its_types(self, tmp_path: Path) -> None:
        table = pa.table(
            {"id": pa.array([1, 2], pa.int32()), "code": ["007", "8"], "day": [dt.date(2024, 1, 1)] * 2}
        )
        pq.write_table(table, tmp_path / "items.parquet")
        write(tmp_path, "lines.csv", "line_id,item_id\n1,1\n2,2\n")
        assert types(tmp_path, "items") == {"id": "INTEGER", "code": "VARCHAR", "day": "DATE"}

    def test_one_file_is_a_folder_of_one(self, tmp_path: Path) -> None:
        write(tmp_path, "other.csv", "id\n1\n")
        path = write(tmp_path, "only.csv", "id\n7\n")
        warehouse = open_warehouse(path)
        assert [t.name for t in warehouse.catalog().tables] == ["only"]
        warehouse.close()


class TestCache:
    def test_a_cached_load_is_used_again_until_a_file_changes(self, tmp_path: Path) -> None:
        files, cache = tmp_path / "files", tmp_path / "cache"
        path = write(files, "t.csv", "id\n1\n")
        with FolderWarehouse(files, cache=cache) as first:
            loaded = first.path
        stamp = loaded.stat().st_mtime_ns
        with FolderWarehouse(files, cache=cache) as again:
            assert again.path == loaded
            assert loaded.stat().st_mtime_ns == stamp
        path.write_text("id\n1\n2\n")
        with FolderWarehouse(files, cache=cache) as changed:
            assert changed.path != loaded
            assert changed.run("SELECT count(*) AS n FROM t", Limits()).rows() == [{"n": 2}]
        assert list(cache.iterdir()) == [changed.path]

    def test_refresh_reads_changed_files(self, tmp_path: Path) -> None:
        path = write(tmp_path, "t.csv", "id\n1\n")
        with FolderWarehouse(tmp_path) as warehouse:
            before = warehouse.catalog()
            same = warehouse.refresh()
            path.write_text("id,name\n1,a\n")
            os.utime(path, ns=(1, 1))
            write(tmp_path, "added.csv", "id\n5\n")
            after = warehouse.refresh()
            assert same.fingerprint == before.fingerprint != after.fingerprint
            assert [t.name for t in after.tables] == ["added", "t"]
            assert warehouse.run("SELECT name FROM t", Limits()).rows() == [{"name": "a"}]

    def test_a_file_that_turns_bad_keeps_the_old_data(self, tmp_path: Path) -> None:
        path = write(tmp_path, "t.csv", "id,v\n1,2\n")
        with FolderWarehouse(tmp_path) as warehouse:
            path.write_text("id,v\n1\n")
            with pytest.raises(WarehouseUnavailable):
                warehouse.refresh()
            assert warehouse.run("SELECT v FROM t", Limits()).rows() == [{"v": 2}]

    def test_nothing_is_left_behind_without_a_cache(self, tmp_path: Path) -> None:
        write(tmp_path, "t.csv", "id\n1\n")
        warehouse = FolderWarehouse(tmp_path)
        loaded = warehouse.path
        assert loaded.is_file()
        warehouse.close()
        assert not loaded.parent.exists()
