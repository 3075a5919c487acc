"""A Postgres server of the system's own packages, in a folder of its own, for tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import psycopg2

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def free_port() -> int:
    """Return a port of loopback that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class LocalPostgres:
    """A server with one database and one user, who needs a password. Postgres refuses to run as root."""

    def __init__(self, user: str, password: str, database: str) -> None:
        self.user, self.password, self.database, self.port = user, password, database, free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="finscribe-postgres-", dir="/tmp"))
        self._account = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}

    def __enter__(self) -> LocalPostgres:
        secret = self._folder / "password"
        secret.write_text(self.password)
        if self._account:
            for path in (self._folder, secret):
                shutil.chown(path, "postgres", "postgres")
        data = str(self._folder / "data")
        self._run("initdb", "-D", data, "-U", self.user, f"--pwfile={secret}", "-A", "scram-sha-256", "-E", "UTF8")
        options = f"-p {self.port} -k {self._folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run("pg_ctl", "-D", data, "-l", str(self._folder / "log"), "-o", options, "-w", "start")
        connection = psycopg2.connect(**self.address("postgres"))
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{self.database}"')
        connection.close()
        return self

    def __exit__(self, *_: object) -> None:
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "-w", "stop")
        shutil.rmtree(self._folder)

    def address(self, database: str = "") -> dict[str, object]:
        """Return the arguments of `psycopg2.connect`."""
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "user": self.user,
            "password": self.password,
            "dbname": database or self.database,
        }

    def rows(self, query: str) -> list[tuple]:
        """Return the rows of a query."""
        connection = psycopg2.connect(**self.address())
        with connection, connection.cursor() as cursor:
            cursor.execute(query)
            found = cursor.fetchall()
        connection.close()
        return found

    def _run(self, program: str, *arguments: str) -> None:
        # Output goes to a file: the server inherits a pipe, and reading it to the end would wait for the server.
        with (self._folder / f"{program}.out").open("w") as output:
            subprocess.run(
                [str(PROGRAMS[-1] / program), *arguments],
                check=True,
                cwd=self._folder,
                stdout=output,
                stderr=subprocess.STDOUT,
                **self._account,
            )
