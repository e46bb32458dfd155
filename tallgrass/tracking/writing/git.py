"""Ask git, where there is one."""

import subprocess
from pathlib import Path


def git(folder: Path, *arguments: str) -> str | None:
    """The output of git in a folder, or None without git or a repository."""
    try:
        process = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            check=False,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return process.stdout.strip() if process.returncode == 0 else None
