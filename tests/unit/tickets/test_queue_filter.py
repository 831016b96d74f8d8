"""The queue's filter and the address bar say the same."""

from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from tickets.choices import Priority, TicketStatus
from tickets.rules import ME, NOBODY, SORTS, VIEWS, QueueFilter, prefix_query

_slugs = st.from_regex(r"[A-Za-z0-9_-]{1,20}", fullmatch=True)
_words = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=30).filter(
    lambda word: word == " ".join(word.split())
)
_filters = st.builds(
    QueueFilter,
    view=st.sampled_from(VIEWS),
    board=st.lists(_slugs, max_size=5, unique=True).map(tuple),
    organisation=st.lists(_slugs, max_size=5, unique=True).map(tuple),
    status=st.lists(st.sampled_from(TicketStatus.values), unique=True).map(tuple),
    priority=st.lists(st.sampled_from(Priority.values), unique=True).map(tuple),
    label=st.lists(_words, max_size=3, unique=True).map(tuple),
    assignee=st.one_of(st.just(""), st.sampled_from([ME, NOBODY]), st.integers(1, 10**9).map(str)),
    requester=st.one_of(st.just(""), _words),
    q=st.one_of(st.just(""), _words),
    sort=st.sampled_from(SORTS),
    before=st.one_of(st.just(""), st.integers(0, 10**15).map(str)),
)


@given(_filters)
def test_a_filter_reads_back_from_its_own_query(wanted: QueueFilter) -> None:
    assert QueueFilter.from_query(parse_qsl(wanted.to_query())) == wanted


@given(st.lists(st.tuples(st.sampled_from([*QueueFilter.__dataclass_fields__, "other"]), st.text(max_size=300))))
def test_any_query_gives_a_filter_and_is_stable_after_that(pairs: list[tuple[str, str]]) -> None:
    wanted = QueueFilter.from_query(pairs)
    assert wanted.view in VIEWS
    assert "\x00" not in wanted.q
    assert QueueFilter.from_query(parse_qsl(wanted.to_query())) == wanted


@given(st.text(max_size=300))
def test_nothing_typed_becomes_an_operator_of_the_search(typed: str) -> None:
    query = prefix_query(typed)
    for part in query.split(" & ") if query else []:
        assert part.startswith("'")
        assert part.endswith("':*")
        assert not set(part[1:-3]) & set("'\\&|!():*<> ")


def test_removing_a_chip_goes_back_to_the_top() -> None:
    wanted = QueueFilter(status=("new", "on_hold"), q="vpn", before="40")
    assert wanted.without("status", "new") == QueueFilter(status=("on_hold",), q="vpn")
    assert wanted.without("q") == QueueFilter(status=("new", "on_hold"))


def test_a_position_of_another_order_is_ignored() -> None:
    assert QueueFilter(sort="priority", before="7").cursor == ()
    assert QueueFilter(sort="newest", before="2.7").cursor == ()
    assert QueueFilter(sort="priority", before="2.7").cursor == (2, 7)
