"""A PostgreSQL of the tests' own, on the loopback and with a superuser: roles, restarts and refusals need one."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
from pathlib import Path
from typing import Any

import psycopg

from retrieval.postgres.account import server_account
from retrieval.postgres.program import bundled, program_for, run

PASSWORD = "p@ss/wörd 1"


class OwnServer:
    """Started when made, in a folder of its own that `close` removes."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="bunmyaku-warehouse-"))
        self.account = server_account(self._folder, self._folder / "none")
        self._program = program_for(self.account, bundled())
        (self._folder / "password").write_text(PASSWORD)
        for path in (self._folder, self._folder / "password"):
            os.chown(path, self.account.uid, self.account.gid)
        self._data = self._folder / "data"
        self._call(
            "initdb", "-D", str(self._data), "--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8",
            "--locale=C", "--no-sync", f"--pwfile={self._folder / 'password'}",
        )  # fmt: skip
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.start()

    def _call(self, program: str, *arguments: str) -> None:
        log = self._folder / "log"
        with log.open("a") as out:
            run([self._program.path(program), *arguments], self.account, check=True, stdout=out, stderr=out)

    def start(self) -> None:
        settings = {
            "port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off",
            "max_connections": 40, "shared_buffers": "32MB", "autovacuum": "off", "dynamic_shared_memory_type": "mmap",
        }  # fmt: skip
        options = " ".join(f"-c {name}={value!r}" for name, value in settings.items())
        self._call("pg_ctl", "start", "-w", "-s", "-D", str(self._data), "-o", options)

    def stop(self) -> None:
        self._call("pg_ctl", "stop", "-w", "-s", "-m", "immediate", "-D", str(self._data))

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, database: str, user: str = "postgres", password: str = PASSWORD, **query: str) -> str:
        from urllib.parse import quote, urlencode

        more = f"?{urlencode(query)}" if query else ""
        return f"postgresql://{user}:{quote(password, safe='')}@127.0.0.1:{self.port}/{quote(database)}{more}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """As the superuser, committing each statement."""
        return psycopg.connect(self.url(database), autocommit=True)

    def fresh(self, name: str, script: str = "") -> str:
        """A new database of that name, filled by a script; its name."""
        with self.connect() as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        with self.connect(name) as connection:
            if script:
                connection.execute(script.encode())
        return name

    def freeze(self, process: int) -> None:
        """Stop a server process from doing anything, a cancel included."""
        os.kill(process, signal.SIGSTOP)

    def thaw(self, process: int) -> None:
        os.kill(process, signal.SIGCONT)
