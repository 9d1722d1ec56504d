"""The server under test as a child process."""

import http.client
import json
import os
import queue
import subprocess
import threading
import time
from pathlib import Path

START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 15
QUIET_LEVELS = {"INFO", "DEBUG", "TRACE"}


class ServerFailed(Exception):
    """The server did not come up."""


class Server:
    """A running `tidegate serve`, its two addresses and its log."""

    def __init__(self, binary: Path, config: Path, secrets: dict[str, str]):
        command = [str(binary), "serve", "--config", str(config)]
        self.log: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._process = subprocess.Popen(
            command, env=_environment(secrets), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        try:
            serving = self._await_serving()
            self.listen = serving["server.listen"]
            self.admin_listen = serving["server.admin_listen"]
            self._await_ready()
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise

    def _read_log(self) -> None:
        """Empties the pipe as long as the server lives, since a full pipe would block it."""
        for line in self._process.stderr:
            self.log.append(line.rstrip("\n"))
            self._lines.put(line)
        self._lines.put(None)

    def _await_serving(self) -> dict[str, str]:
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                line = self._lines.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                raise ServerFailed(f"it did not say `serving` within {START_TIMEOUT_S} s") from None
            if line is None:
                raise ServerFailed(f"it ended with exit code {self._process.wait()}:\n" + "\n".join(self.log))
            entry = _json_object(line)
            if entry.get("body") == "serving":
                return entry

    def _await_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if _probe(self.admin_listen) == 200:
                return
        raise ServerFailed(f"/readyz was not 200 within {START_TIMEOUT_S} s")

    def complaints(self) -> list[str]:
        """What the server logged above the level of information, and what is no log line at all."""
        return [line for line in self.log if _json_object(line).get("severity_text") not in QUIET_LEVELS]

    def stop(self) -> str | None:
        """Ends the server as an operator would; returns what was wrong with its end, if anything."""
        self._process.terminate()
        try:
            code = self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return f"still running {STOP_TIMEOUT_S} s after SIGTERM"
        self._reader.join()
        return None if code == 0 else f"exit code {code} after SIGTERM"


def _environment(secrets: dict[str, str]) -> dict[str, str]:
    """This process's environment without TIDEGATE_ variables, which would override the configuration."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
    return kept | secrets


def _json_object(line: str) -> dict:
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _probe(address: str) -> int | None:
    connection = http.client.HTTPConnection(address, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()
