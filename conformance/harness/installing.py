"""Installs the SDKs into the work folder, once for each state of the requirement files."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

STAMP = ".installed"


def install_python(sources: Path, work: Path) -> Path:
    """A virtual environment with the Python SDKs; returns its interpreter."""
    requirements = sources / "requirements.txt"
    venv = work / "venv"
    python = venv / "bin" / "python"
    fingerprint = _fingerprint([requirements], sys.version)
    if _is_current(venv, fingerprint):
        return python
    _announce("Python", venv, _pins(requirements))
    _run([sys.executable, "-m", "venv", "--clear", str(venv)])
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet"]
    _run([*pip, "install", "--no-deps", "--requirement", str(requirements)])
    _run([*pip, "check"], stdout=subprocess.DEVNULL)
    _mark_current(venv, fingerprint)
    return python


def install_node(sources: Path, work: Path) -> Path:
    """A folder with the Node client beside its packages; returns that folder.

    ECMAScript modules look for packages beside themselves and nowhere else, so the client is
    copied to where the packages are instead of the packages into the source tree.
    """
    folder = work / "node"
    folder.mkdir(parents=True, exist_ok=True)
    manifests = [sources / "package.json", sources / "package-lock.json"]
    fingerprint = _fingerprint(manifests, "")
    for file in [*manifests, *sources.glob("*.mjs")]:
        shutil.copy(file, folder)
    if _is_current(folder, fingerprint):
        return folder
    packages = json.loads(manifests[0].read_text())["dependencies"]
    _announce("Node", folder, [f"{name}@{version}" for name, version in packages.items()])
    npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    _run(npm, cwd=folder, stdout=subprocess.DEVNULL)
    _mark_current(folder, fingerprint)
    return folder


def _pins(requirements: Path) -> list[str]:
    lines = (line.strip() for line in requirements.read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _fingerprint(files: list[Path], salt: str) -> str:
    digest = hashlib.sha256(salt.encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _is_current(folder: Path, fingerprint: str) -> bool:
    stamp = folder / STAMP
    return stamp.is_file() and stamp.read_text() == fingerprint


def _mark_current(folder: Path, fingerprint: str) -> None:
    (folder / STAMP).write_text(fingerprint)


def _announce(language: str, folder: Path, packages: list[str]) -> None:
    print(f"installing for {language} into {folder}:")
    for package in packages:
        print(f"  {package}")
    sys.stdout.flush()


def _run(command: list[str], **options: object) -> None:
    subprocess.run(command, check=True, **options)
