"""SIGTERM under load: what was accepted is answered.

What is promised: while the service drains it answers every request on every connection that it has accepted, and
tells clients with `Connection: close` to come back elsewhere. A client that obeys loses nothing. Connections that are
refused after that belong to nobody: Kubernetes has taken the pod out of the Service by then.
"""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

from tests.support import starters

ROUNDS = 20
AT_ONCE = 10
STEADY, NEW, SLOW = 8, 2, 4  # clients of each kind
BODY = b'{"text":"hello"}'
HEAD = b"POST /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(BODY)


async def answer(reader: asyncio.StreamReader) -> tuple[bool, bool]:
    """Whether the answer is right, and whether the connection closes after it."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))[15:])
    body = await reader.readexactly(length)
    return head.startswith(b"HTTP/1.1 200") and BODY in body, b"connection: close" in head.lower()


async def one_connection(port: int, under_way: asyncio.Barrier) -> int:
    """A client that keeps its connection until it is told to leave; returns how many answers it got."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers = 0
    while True:
        writer.write(HEAD + BODY)
        right, closing = await answer(reader)
        assert right
        answers += 1
        if closing:
            writer.close()
            return answers
        if answers == 1:
            await under_way.wait()


async def many_connections(port: int, under_way: asyncio.Barrier) -> int:
    """A client that opens a connection for each request, and goes elsewhere when it is told to."""
    answers = 0
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD + BODY)
        right, closing = await answer(reader)
        assert right
        answers += 1
        writer.close()
        if closing:
            return answers
        if answers == 1:
            await under_way.wait()
        await asyncio.sleep(0.001)


async def slow_request(port: int, under_way: asyncio.Barrier, finish: asyncio.Event) -> int:
    """A request that is half sent when the signal comes, and ends after the port was closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD + BODY[:5])
    await under_way.wait()
    await finish.wait()
    writer.write(BODY[5:])
    assert (await answer(reader))[0]
    writer.close()
    return 1


async def closing_of(port: int) -> None:
    """Waits until connections are refused."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            return
        writer.close()
        await asyncio.sleep(0.1)


async def one_round(program: Path) -> tuple[int, int]:
    """Exit code, and how many requests were answered; a request that is lost is an error."""
    with starters.running(program, ENV="prod", DRAIN_DELAY_SECONDS="2", DRAIN_SECONDS="20") as service:
        port = await asyncio.to_thread(service.port)
        under_way, finish = asyncio.Barrier(STEADY + NEW + SLOW + 1), asyncio.Event()
        clients = [
            *(asyncio.create_task(one_connection(port, under_way)) for _ in range(STEADY)),
            *(asyncio.create_task(many_connections(port, under_way)) for _ in range(NEW)),
            *(asyncio.create_task(slow_request(port, under_way, finish)) for _ in range(SLOW)),
        ]
        await asyncio.wait_for(under_way.wait(), 20)
        await asyncio.sleep(0.1)
        service.process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(closing_of(port), 20)
        finish.set()
        answers = sum(await asyncio.wait_for(asyncio.gather(*clients), 20))
        return await asyncio.to_thread(service.process.wait, 20), answers


def test_no_request_is_lost_when_the_service_is_stopped_under_load(built: Callable[[str], Path]) -> None:
    program = built("http")

    async def rounds() -> list[tuple[int, int]]:
        ended: list[tuple[int, int]] = []
        for _ in range(0, ROUNDS, AT_ONCE):
            ended += await asyncio.gather(*(one_round(program) for _ in range(AT_ONCE)))
        return ended

    ended = asyncio.run(rounds())
    assert [code for code, _ in ended] == [0] * ROUNDS
    # Each client that goes on until it is told to leave was answered before the signal, and after it.
    assert min(answers for _, answers in ended) >= 2 * (STEADY + NEW) + SLOW
