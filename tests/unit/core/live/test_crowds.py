"""Whatever order answers and events come in, a list ends with what is true; and a topic costs nothing once left."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from supporthub.core.live.crowds import Crowds

NAME = "ticket:1"


class Screen:
    """What a list shows of one topic, by the rule that the newest list counts."""

    def __init__(self) -> None:
        self.looks: set[str] = set()
        self.shown: list[Any] = []

    def offer(self, frame: dict[str, Any]) -> None:
        said = json.loads(frame["text"])
        self.shown = said["people"].get(NAME, []) if said["type"] == "crowd" else said["people"]


def _people(number: int) -> list[dict[str, Any]]:
    return [{"id": number, "name": "Ada", "state": "viewing"}] if number else []


@given(st.lists(st.sampled_from(["come", "go", "ask", "answer", "hear"]), max_size=30), st.booleans())
def test_the_last_truth_is_shown_once_everything_has_arrived(steps: list[str], arrives: bool) -> None:
    crowds, screen = Crowds(), Screen()
    crowds.set_looks(screen, [NAME])  # type: ignore[arg-type]
    true, asked = 0, None
    news: list[int] = []
    for number, step in enumerate([*steps, *["hear"] * len(steps), "answer"], 1):
        if step in {"come", "go"}:
            true = number if step == "come" else 0
            news.append(true)
        elif step == "ask" and asked is None:
            asked = (crowds.begin_reading(), true)
        elif step == "answer" and asked is not None:
            mark, found = asked
            crowds.read({NAME: _people(found)}, mark, [screen] if arrives else [])  # type: ignore[list-item]
            asked = None
        elif step == "hear" and news:
            crowds.tell(NAME, _people(news.pop(0)))
    assert screen.shown == _people(true)


def test_a_topic_that_nobody_looks_at_is_forgotten() -> None:
    crowds, one, other = Crowds(), Screen(), Screen()
    for screen in (one, other):
        crowds.set_looks(screen, [NAME, "ticket:2"])  # type: ignore[arg-type]
    crowds.tell(NAME, _people(1))
    crowds.set_looks(one, ())  # type: ignore[arg-type]
    assert (crowds.peopled, sorted(crowds.topics)) == ([NAME], [NAME, "ticket:2"])
    crowds.set_looks(other, ["ticket:2"])  # type: ignore[arg-type]
    assert (crowds.peopled, crowds.topics) == ([], ["ticket:2"])
