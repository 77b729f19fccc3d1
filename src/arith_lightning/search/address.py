"""Whether a Ray cluster runs at an address and lets this command in: Ray itself takes many minutes to say that not."""

import re

import grpc

QUESTION = "/ray.rpc.NodeInfoGcsService/CheckAlive"
"""What every head of a cluster answers, if it likes the token."""
SECONDS = 10.0
"""How long a head may take to answer."""


def admitted(address: str) -> None:
    """Return if a cluster lets this process in.

    Args:
        address: host and port of its head, or `auto` for the one that this machine is part of.

    Raises:
        ValueError: nothing runs there, or it asks for another token.
    """
    from ray._private.authentication.authentication_token_setup import (
        ensure_token_if_auth_enabled,
        maybe_enable_token_auth_if_token_available,
    )
    from ray._private.grpc_utils import init_grpc_channel
    from ray._private.services import canonicalize_bootstrap_address
    from ray.exceptions import AuthenticationError

    if address != "auto" and not re.fullmatch(r"[^:/]+:\d+|\[[^\]]+\]:\d+", address):
        raise ValueError(f"--ray must be local, auto, or HOST:PORT of a cluster's head; got {address}")
    try:
        if address == "auto":
            maybe_enable_token_auth_if_token_available(warn_if_disabled=False)
        ensure_token_if_auth_enabled(create_token_if_missing=False)
        if (head := canonicalize_bootstrap_address(address)) is None:
            raise ConnectionError("RAY_ADDRESS is local")
        with init_grpc_channel(head, [("grpc.enable_http_proxy", 0)]) as channel:
            channel.unary_unary(QUESTION)(b"", timeout=SECONDS)
    except (AuthenticationError, grpc.RpcError, ConnectionError) as error:
        raise ValueError(refusal(address, error)) from error


def refusal(address: str, error: Exception) -> str:
    """Say why a cluster cannot be used, and what to do."""
    code = error.code() if isinstance(error, grpc.Call) else None
    if isinstance(error, ConnectionError):
        reason = "but this machine runs no part of a cluster"
    elif code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
        reason = "where nothing answers"
    elif code not in (None, grpc.StatusCode.UNAUTHENTICATED):
        reason = "where something else than the head of a cluster answers"
    else:
        return (
            f"--ray must come with the cluster's token; got {address}, whose token this command does not have; "
            "`ray get-auth-token` prints it there; export RAY_AUTH_MODE=token RAY_AUTH_TOKEN=... here"
        )
    return (
        f"--ray must be the address of a running cluster; got {address}, {reason}; "
        "`ray start --head` starts one, --ray alone needs none"
    )
