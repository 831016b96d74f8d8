"""`manage.py up` with the campaign's entry points: `python -m tests.chaos.up`.

Everything is the product's own supervisor; only the programs of web and worker are named differently.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from supporthub.runtime import plan
from supporthub.runtime.environment import UpConfig
from supporthub.runtime.processes import Command
from supporthub.runtime.up import main

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
Maker = Callable[[UpConfig, Mapping[str, str]], Command]


def renamed(make: Maker, product: str, ours: str) -> Maker:
    """`make` with the program `ours` in the place of `product`; ValueError when that is not in its arguments."""

    def made(config: UpConfig, environ: Mapping[str, str]) -> Command:
        command = make(config, environ)
        arguments = list(command.argv)
        arguments[arguments.index(product)] = ours
        return replace(command, argv=arguments)

    return made


def end_with_parent() -> None:
    """Stop in order when the test run ends, also by kill -9 (Linux only, as in `supporthub.runtime.processes`)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)


if __name__ == "__main__":
    end_with_parent()
    product: Any = plan
    product.web = renamed(plan.web, "supporthub.asgi:application", "tests.chaos.entry_asgi:application")
    product.worker = renamed(plan.worker, "supporthub.celery", os.environ["CHAOS_WORKER"])
    sys.exit(main())
