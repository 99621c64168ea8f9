"""A `git` that writes down its arguments and its environment, and then is the real one."""

import shutil
from pathlib import Path


class Witness:
    """What the programs that were started could see.

    Args:
        folder: where the program and its notes are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "witness"
        self.folder.mkdir()
        program = self.folder / "git"
        notes = 'printf \'%s\\n\' "$@" >>"$here/arguments"; env >>"$here/environment"'
        program.write_text(f"#!/bin/sh\nhere='{self.folder}'\n{notes}\nexec '{shutil.which('git')}' \"$@\"\n")
        program.chmod(0o755)

    @property
    def arguments(self) -> str:
        """All arguments of all of them, a line each."""
        return (self.folder / "arguments").read_text()

    @property
    def environment(self) -> list[str]:
        """All variables of all of them."""
        return (self.folder / "environment").read_text().splitlines()
