"""A logger as a whole process sends events on to another one."""

import json

from tests.support.agent import Event, pair, post
from tests.support.ports import free_port
from tests.support.processes import Driftgauge, get
from tests.support.scrape import Samples

REQUEST = b'{"instances": [[9.4, 3.51]]}'
RESPONSE = b'{"predictions": [1]}'
SENT = "driftgauge_forwarded_events_total"


def sent(samples: Samples, number: int) -> bool:
    """Whether so many events were sent on."""
    return samples.total(SENT, outcome="sent") == number


def test_the_second_logger_accepts_the_same_events() -> None:
    """It counts and pairs what the first one received, with the same latency."""
    with Driftgauge("logger") as second, Driftgauge("logger", f"--forward-url={second.url}") as first:
        events = [event for number in range(5) for event in pair(REQUEST, RESPONSE, f"e{number}", number)]
        assert [200] * 10 == post(first.port, *events)
        first.wait_for(lambda samples: sent(samples, 10), "ten events that were sent on")
        found = second.wait_for(lambda s: s.total("request_latency_seconds_count") == 5, "five pairs")
        assert 5 == found.total("request_count")


def test_what_waits_is_sent_at_the_end() -> None:
    """After SIGTERM the events reach the target that listens; those of one that is away are counted in the log."""
    with Driftgauge("logger") as second:
        urls = f"{second.url},http://127.0.0.1:{free_port()}"
        with Driftgauge("logger", f"--forward-url={urls}", "--drain-timeout-seconds=1") as first:
            assert [200] * 200 == post(first.port, *[Event("request", REQUEST, f"e{number}") for number in range(200)])
            assert 0 == first.terminate()
            assert "(shutdown): the process ends" in first.stderr
        second.wait_for(lambda s: s.total("request_count") == 200, "all events")


def test_status_hides_secrets() -> None:
    """`/status` names the flag without its value if the value may hold a secret."""
    with Driftgauge("logger", "--forward-url=http://user@127.0.0.1:9/?tenant=a") as logger:
        status = json.loads(get(f"{logger.admin_url}/status"))
    assert ["forward_url"] == status["flags_hidden"]
    assert "forward_url" not in status["flags"]
