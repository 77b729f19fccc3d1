"""Serve a storage to other machines: `python search/proxy.py --storage logs/parity/journal.log`.

They take part with `--storage grpc://<this machine>:13000`. There is neither password nor encryption: whoever reaches
the port can read and write the studies, so keep it inside your own network. Optuna's CMA-ES would even run code that is
written there, which is why `--sampler cmaes` takes no storage of this kind.
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
