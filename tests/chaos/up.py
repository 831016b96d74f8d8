"""`manage.py up` with the campaign's entry points: `python -m tests.chaos.up`.

Everything is the product's own supervisor; only the programs of web and worker are named differently.
"""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from supporthub.runtime import plan
from supporthub.runtime.environment import UpConfig
from supporthub.runtime.processes import Command
from supporthub.runtime.up import main

Maker = Callable[[UpConfig, Mapping[str, str]], Command]


def renamed(make: Maker, product: str, ours: str) -> Maker:
    """`make` with the program `ours` in the place of `product`; ValueError when that is not in its arguments."""

    def made(config: UpConfig, environ: Mapping[str, str]) -> Command:
        command = make(config, environ)
        arguments = list(command.argv)
        arguments[arguments.index(product)] = ours
        return replace(command, argv=arguments)

    return made


if __name__ == "__main__":
    product: Any = plan
    product.web = renamed(plan.web, "supporthub.asgi:application", "tests.chaos.entry_asgi:application")
    product.worker = renamed(plan.worker, "supporthub.celery", os.environ["CHAOS_WORKER"])
    sys.exit(main())
