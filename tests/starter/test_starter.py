"""The Go starter: sound in itself, configured by its environment, and stopped without a loss."""

import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support import golang, starters

Built = Callable[[str], Path]


@pytest.mark.parametrize("profile", starters.PROFILES)
def test_the_starter_is_formatted_vetted_tidy_and_passes_its_own_tests(profile: str, tmp_path: Path) -> None:
    folder = starters.write(tmp_path / "app", profile)
    assert golang.format_differences(folder) == ""
    for arguments in (("vet", "./..."), ("mod", "tidy", "-diff")):
        done = golang.run(folder, *arguments, CGO_ENABLED="0")
        assert done.returncode == 0, done.stdout + done.stderr
    # On a new machine all of Go's library is compiled for the race detector: without inlining that is a third quicker.
    race = ("-race", "-gcflags=all=-l") if golang.has_race_detector() else ()
    done = golang.run(folder, "test", "-vet=off", *race, "./...")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no test files" not in done.stdout.replace(f"{starters.MODULE}\t[no test files]", "")


@pytest.mark.parametrize("profile", ["http", "worker", "cronjob"])
def test_the_starter_needs_the_standard_library_alone(profile: str, tmp_path: Path) -> None:
    folder = starters.write(tmp_path, profile)
    assert "require" not in (folder / "go.mod").read_text()
    assert not (folder / "go.sum").exists()


@pytest.mark.parametrize("profile", starters.PROFILES)
def test_the_image_gets_one_static_program(built: Built, profile: str) -> None:
    program = built(profile)
    # A static ELF program has no interpreter: nothing of the image's is needed to start it.
    assert b"/ld-linux" not in program.read_bytes()
    assert starters.ask(program, "version").stdout == "v9.8.7\n"


@pytest.mark.parametrize("profile", ["http", "grpc", "worker"])
def test_it_takes_work_once_it_is_ready_and_tells_its_state(built: Built, profile: str) -> None:
    with starters.running(built(profile), ENV="prod", DRAIN_DELAY_SECONDS="1") as service:
        assert service.get("/healthz") == (200, "ok\n")
        assert service.get("/ready") == (200, "ok\n")
        status, text = service.get("/metrics", which=1)
        assert (status, 'build_info{version="v9.8.7"} 1\n' in text) == (200, True)
        assert service.get("/metrics")[0] == 404
        service.process.send_signal(signal.SIGTERM)
        service.wait_for("draining")
        assert service.get("/ready") == (503, "not ready\n")
        assert service.get("/healthz") == (200, "ok\n")
        assert service.process.wait(timeout=20) == 0
        assert service.wait_for("stopped")["error"] is None


@pytest.mark.parametrize("profile", ["http", "grpc", "worker"])
def test_healthcheck_asks_a_running_service(built: Built, profile: str) -> None:
    program = built(profile)
    with starters.running(program) as service:
        port = service.port()
        assert starters.ask(program, "healthcheck", f"http://127.0.0.1:{port}/ready").returncode == 0
        assert starters.ask(program, "healthcheck", f"http://127.0.0.1:{port}/nothing").returncode == 1
        if profile == "grpc":
            address = service.wait_for("gRPC listens")["address"].rpartition(":")[2]
            assert starters.ask(program, "healthcheck", GRPC_PORT=address).returncode == 0
        else:
            assert starters.ask(program, "healthcheck", PORT=str(port)).returncode == 0
    gone = starters.ask(program, "healthcheck", PORT=str(port), GRPC_PORT=str(port))
    assert (gone.returncode, gone.stderr.startswith("error: ")) == (1, True)


def test_one_image_is_configured_for_each_environment(built: Built, tmp_path: Path) -> None:
    (tmp_path / "config.env").write_text("UPSTREAM_URL=http://127.0.0.1:1/\nLOG_LEVEL=info\n")
    for environment, upstream, logs_requests in (
        ({"ENV": "dev"}, 501, True),
        ({"ENV": "prod"}, 501, False),
        ({"ENV": "dev", "CONFIG_DIR": str(tmp_path)}, 502, False),
        ({"ENV": "prod", "CONFIG_DIR": str(tmp_path), "UPSTREAM_URL": "", "LOG_LEVEL": "debug"}, 501, True),
    ):
        with starters.running(built("http"), **environment) as service:
            assert service.wait_for("starting")["env"] == environment["ENV"]
            assert service.get("/v1/upstream")[0] == upstream
            service.get("/")
            assert service.end(signal.SIGTERM) == 0
            service.wait_for("(end)")
            fine = [line for line in service.logs if line["msg"] == "request" and line["code"] == 200]
            assert bool(fine) == logs_requests


def test_a_configuration_that_cannot_be_is_told_at_once(built: Built) -> None:
    done = starters.ask(built("http"), PORT="many", MAX_CONCURRENT="0")
    assert done.returncode == 1
    assert "PORT" in done.stderr
    assert "MAX_CONCURRENT" in done.stderr


def test_the_memory_limit_of_the_container_becomes_gos_own(built: Built) -> None:
    with starters.running(built("http"), MEMORY_LIMIT="134217728") as service:
        assert service.wait_for("starting")["memory_limit"] == 120795955
        assert "go_memory_limit_bytes 1.20795955e+08\n" in service.get("/metrics", which=1)[1]


def test_more_requests_than_may_run_are_answered_429_and_probes_are_not(built: Built) -> None:
    with starters.running(built("http"), MAX_CONCURRENT="1") as service, socket.socket() as busy:
        busy.connect(("127.0.0.1", service.port()))
        busy.sendall(b"POST /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 16\r\n\r\n{")
        while service.get("/")[0] != 429:
            pass
        assert service.get("/ready")[0] == 200
        busy.sendall(b'"text":"hello"}')
        assert b"200 OK" in busy.recv(4096)


def test_a_second_signal_kills(built: Built) -> None:
    with starters.running(built("http"), DRAIN_DELAY_SECONDS="20") as service:
        service.port()
        service.process.send_signal(signal.SIGINT)
        service.wait_for("draining")
        assert service.end(signal.SIGINT) == -signal.SIGINT


def test_a_job_runs_once_and_says_by_its_exit_code_how_it_went(built: Built) -> None:
    program = built("cronjob")
    assert starters.ask(program).returncode == 0
    assert starters.ask(program, UPSTREAM_URL="http://127.0.0.1:1/").returncode == 1
    with socket.create_server(("127.0.0.1", 0)) as silent:
        upstream = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with starters.running(program, UPSTREAM_URL=upstream) as job:
            with silent.accept()[0]:
                assert job.end(signal.SIGTERM) == 1
            assert job.wait_for("stopped")["error"] is not None
