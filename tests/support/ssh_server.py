"""A real SSH server on 127.0.0.1 that serves git repositories to one key."""

import asyncio
import shlex
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncssh

_ALLOWED = ("git-upload-pack", "git-receive-pack")


@contextmanager
def serve(folder: Path) -> Iterator[tuple[int, str]]:
    """Serves the machine's repositories; yields the port and the GIT_SSH_COMMAND that a client needs."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    (folder / "id").write_bytes(key.export_private_key())
    (folder / "id").chmod(0o600)
    (folder / "authorized").write_bytes(key.export_public_key())
    host_key = asyncssh.generate_private_key("ssh-ed25519")
    loop = asyncio.new_event_loop()

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[host_key],
            authorized_client_keys=str(folder / "authorized"),
            process_factory=_serve,
            encoding=None,
        )

    acceptor = loop.run_until_complete(listen())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    options = f"-i {folder / 'id'} -F /dev/null -o IdentitiesOnly=yes"
    options += " -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
    try:
        yield acceptor.get_port(), f"ssh {options}"
    finally:
        loop.call_soon_threadsafe(acceptor.close)
        asyncio.run_coroutine_threadsafe(acceptor.wait_closed(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _serve(process: "asyncssh.SSHServerProcess[bytes]") -> None:
    program, path = shlex.split(process.command or "")
    if program not in _ALLOWED:
        process.exit(1)
        return
    version = process.env.get("GIT_PROTOCOL", "")
    child = await asyncio.create_subprocess_exec(
        program,
        path,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_PROTOCOL": str(version), "HOME": "/nonexistent"},
    )
    assert child.stdin
    assert child.stdout
    sending = asyncio.create_task(_copy(process.stdin, child.stdin))
    await _copy(child.stdout, process.stdout)
    sending.cancel()
    process.exit(await child.wait())


async def _copy(source: Any, target: Any) -> None:
    while data := await source.read(65536):
        target.write(data)
        await target.drain()
    if isinstance(target, asyncio.StreamWriter):
        target.close()
