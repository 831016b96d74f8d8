"""``python -m tests.sandbox --data DIR --secret SECRET``: play the outside world on a loopback port."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from tests.sandbox.app import build
from tests.sandbox.options import Options, derived_token, is_loopback
from tests.sandbox.protocol import DroppableProtocol

KEEP_ALIVE_S = 60


def read_options(arguments: Sequence[str]) -> Options:
    """Options from the command line; leaves with status 2 and one line when they make no sense."""
    parser = argparse.ArgumentParser(prog="python -m tests.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address (127.0.0.1)")
    parser.add_argument("--port", type=int, default=8025)
    parser.add_argument("--data", type=Path, required=True, help="folder for the state")
    parser.add_argument("--secret", default=os.environ.get("SANDBOX_SECRET", ""), help="or SANDBOX_SECRET")
    parser.add_argument("--base-url", default="", help="the address that links in answers use")
    parser.add_argument(
        "--jira-token", default="", help="the API token Jira expects; derived from the secret by default"
    )
    parser.add_argument(
        "--entra-secret",
        default=os.environ.get("SANDBOX_ENTRA_SECRET", ""),
        help="the client secret Entra expects; or SANDBOX_ENTRA_SECRET; derived from the secret by default",
    )
    given = parser.parse_args(arguments)
    if not is_loopback(given.host):
        parser.error(f"{given.host} is not a loopback address; the sandbox listens nowhere else")
    if not given.secret:
        parser.error("a secret is needed: --secret or SANDBOX_SECRET")
    host = f"[{given.host}]" if ":" in given.host else given.host
    return Options(
        host=given.host,
        port=given.port,
        data=given.data,
        secret=given.secret,
        base_url=(given.base_url or f"http://{host}:{given.port}").rstrip("/"),
        jira_token=given.jira_token or derived_token(given.secret, "jira"),
        entra_secret=given.entra_secret or derived_token(given.secret, "entra"),
    )


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    options = read_options(sys.argv[1:])
    uvicorn.run(
        build(options),
        host=options.host,
        port=options.port,
        http=DroppableProtocol,
        ws="none",
        log_level="warning",
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
