"""Serve a storage to other machines: `python search/proxy.py --storage logs/parity/journal.log`.

They take part with `--storage grpc://<this machine>:13000`. Whoever reaches the port can write, so keep it inside your
own network.
"""

import argparse
from collections.abc import Sequence

from optuna.storages import run_grpc_proxy_server

from arith_lightning.search import command, studies


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--storage", required=True, help="journal file or database URL")
    parser.add_argument("--host", default="localhost", help="address to listen on (default: this machine alone)")
    parser.add_argument("--port", type=command.positive, default=13000)
    options = parser.parse_args(arguments)

    def serve() -> None:
        run_grpc_proxy_server(studies.connect(options.storage), host=options.host, port=options.port)

    return command.answer(serve)
