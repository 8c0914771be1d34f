"""Processes of `soak_resume.py`: the command line, run to its end or killed."""

import os
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

from benchmarks.soak_child import Aim, command, read_position

PATIENCE_SECONDS = 900.0


class Processes:
    """Runs the command line in processes.

    Args:
        spawn: start new interpreters; else fork this one.
        log: what they print.
    """

    def __init__(self, spawn: bool, log: Path) -> None:
        self.spawn, self.log = spawn, log
        self.position = log.with_name("position")

    def start(self, words: list[str], aim: Aim | None = None) -> int:
        """Start the command, which kills itself where that is aimed at; return the process's id."""
        self.position.unlink(missing_ok=True)
        if self.spawn:
            where = ":".join(map(str, aim or ("", 0)))
            module = [sys.executable, "-m", "benchmarks.soak_child", str(self.position), where]
            with self.log.open("ab") as file:
                child = subprocess.Popen([*module, *words], stdout=file, stderr=file)
            return child.pid
        child_id = os.fork()
        if child_id:
            return child_id
        code = 1
        try:
            descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(descriptor, 1)
            os.dup2(descriptor, 2)
            code = command(words, self.position, aim)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def finish(self, words: list[str]) -> None:
        """Run the command to its end."""
        _, status = os.waitpid(self.start(words), 0)
        self._require_success(words, status)

    def kill_at(self, words: list[str], aim: Aim) -> bool:
        """Let the command kill itself at a switch of stages; say whether it came there."""
        _, status = os.waitpid(self.start(words, aim), 0)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            return True
        self._require_success(words, status)
        return False

    def kill(self, words: list[str], delay: float, from_start: bool) -> bool:
        """Kill the command so long after its start, or after that of its training.

        Returns:
            Whether it was killed; it may have ended before.
        """
        child, begun = self.start(words), time.monotonic()
        counting = from_start
        while time.monotonic() - begun < (delay if counting else PATIENCE_SECONDS):
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                self._require_success(words, status)
                return False
            if not counting and read_position(self.position)[1]:
                counting, begun = True, time.monotonic()
            time.sleep(0.001)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return True

    def _require_success(self, words: list[str], status: int) -> None:
        if status:
            raise RuntimeError(f"{' '.join(words)} failed; {self.log} says why")
