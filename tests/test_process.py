"""Other programs: what is left of one that does not do as it is asked."""

import sys

from gitops_tk import process


def test_a_program_that_has_ended_answers_nothing() -> None:
    ended = process.start(["true"], reads=True)
    ended.wait(10)
    assert process.ask(ended, b"anybody there?") is None


def test_one_that_will_not_end_is_ended_all_the_same() -> None:
    deaf = process.start(["sh", "-c", "trap '' TERM; echo ready; exec sleep 60"], reads=True)
    assert process.ask(deaf, b"") == b"ready\n"
    process.stop(deaf)
    assert deaf.returncode < 0


def test_a_program_has_the_memory_that_it_is_given() -> None:
    greedy = [sys.executable, "-c", "x = bytearray(3 << 30)"]
    assert process.run(greedy, timeout=60, memory=1 << 30).status != 0
