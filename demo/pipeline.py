"""tap-postgres to target-applied-events, run by Meltano as the project's meltano.yml says."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT = Path(__file__).parents[1]
MELTANO = PROJECT / ".venv-meltano" / "bin" / "meltano"
API_KEY = "AL-demo-key-that-opens-nothing"

# What a user's own projects have in the environment must not steer this one.
_SETTINGS = ("MELTANO_", "TAP_POSTGRES_", "TARGET_APPLIED_EVENTS_")


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One pipeline, with a folder of its own for all that it writes and remembers between two runs.

    Attributes:
        folder: The Meltano project that it runs in, with Meltano's state and the target's ledger.
        database_url: Where the shop is.
        api_url: Where the events go.
        settings: Further settings of Meltano and its plugins, by the names that they have in the environment.
    """

    folder: Path
    database_url: str
    api_url: str
    settings: Mapping[str, str] = field(default_factory=dict)

    def run(self, log: Path) -> int:
        """Run it once; all that Meltano and its plugins say goes to the log.

        Returns:
            Meltano's exit status.
        """
        return self._meltano(log, "run", "tap-postgres", "target-applied-events")

    def environment(self) -> dict[str, str]:
        """Give the environment that Meltano and the plugins take their settings from."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS)}
        return inherited | {
            "NO_COLOR": "1",
            "MELTANO_DATABASE_URI": f"sqlite:///{self.folder}/meltano.db",
            "TAP_POSTGRES_SQLALCHEMY_URL": self.database_url,
            "TARGET_APPLIED_EVENTS_API_KEY": API_KEY,
            "TARGET_APPLIED_EVENTS_API_URL": self.api_url,
            "TARGET_APPLIED_EVENTS_DATA_DIR": str(self.folder / "data"),
            **self.settings,
        }

    def _meltano(self, log: Path, *arguments: str) -> int:
        self._make_project()
        with log.open("w") as file:
            done = subprocess.run(
                [MELTANO, *arguments],
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                check=False,
            )
        return done.returncode

    def _make_project(self) -> None:
        """Lay a project with meltano.yml and the installed plugins: two runs in one project spoil each other."""
        system = self.folder / ".meltano"
        system.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / "meltano.yml", self.folder)
        for kind in ("extractors", "loaders"):
            with contextlib.suppress(FileExistsError):
                (system / kind).symlink_to(PROJECT / ".meltano" / kind)
