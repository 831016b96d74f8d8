"""Gives messages that a killed worker had taken, and not confirmed, back to the queue."""

from typing import Any

from kombu import Connection
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

_SECONDS = 2.0
# kombu's Redis transport keeps what was delivered and not acknowledged in this hash, by delivery tag.
_UNACKED = "unacked"


def restore_unacknowledged(redis_url: str) -> int:
    """Return taken messages to their queues; the result counts them. Only valid while no worker runs.

    Without it they come back after the visibility time-out, an hour. A Redis that does not answer is no fault here:
    the rows' sweep does the work anyway.
    """
    options = {"socket_connect_timeout": _SECONDS, "socket_timeout": _SECONDS}
    broker = redis_url.replace("unix://", "redis+socket://", 1)
    try:
        with Connection(broker, transport_options=options) as connection:
            channel: Any = connection.channel()  # the Redis transport's own: its base class lacks `qos`
            tags = [tag.decode() for tag in channel.client.hkeys(_UNACKED)]
            for tag in tags:
                channel.qos.restore_by_tag(tag)
            return len(tags)
    except (OperationalError, RedisError, OSError):
        return 0
