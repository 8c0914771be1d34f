"""Where a search keeps its files: a folder, or any place that fsspec knows (s3://, gs://, ...)."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import uuid4

from recbole_invariant.errors import InputError
from recbole_invariant.evaluation import records
from recbole_invariant.files import make_folder, write_atomically
from recbole_invariant.tuning import fsspec_files


@dataclass
class Storage:
    """A place for files by name; a name has `/` between its parts.

    Every file is whole or absent. Hidden files (`.name`) are writes under way and never listed. It
    is made of plain fields: sent to another process, it connects anew there.

    Attributes:
        place: absolute path, or URL without a slash at its end.
        option: the option that named it, for messages.
    """

    place: str
    option: str = "storage"
    _pushed: dict[str, tuple[int, int]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def open(cls, place: str | os.PathLike[str], option: str = "storage") -> "Storage":
        """Take a place as the user gave it; nothing is written or made.

        Args:
            place: a local path, relative to the working directory, or a URL `scheme://...`.
            option: the option that named it.

        Raises:
            InputError: nothing given, an unknown scheme, or its library is not installed.
        """
        text = os.fspath(place).strip()
        if not text:
            raise InputError(f"{option}: it is empty; give a folder or a URL such as s3://...")
        if "://" not in text:
            return cls(str(Path(text).expanduser().absolute()), option)
        fsspec_files.open_url(text, option)
        return cls(text.rstrip("/"), option)

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine's file system."""
        return "://" not in self.place

    @property
    def is_shared(self) -> bool:
        """Whether other processes of this machine see it: all but fsspec's memory do."""
        return not self.place.startswith("memory://")

    @property
    def path(self) -> Path:
        """The folder.

        Raises:
            ValueError: it is not local.
        """
        if not self.is_local:
            raise ValueError(f"{self.place} has no local path")
        return Path(self.place)

    def child(self, name: str) -> "Storage":
        """Return the place `name` below this one."""
        return Storage(f"{self.place}/{_checked(name)}", self.option)

    def check_writable(self) -> None:
        """Write a file twice, read it and remove it, and the folders that were made for it.

        Raises:
            InputError: one of these does not work.
        """
        name, token = f"write-check-{uuid4().hex}", uuid4().hex.encode()
        try:
            with self._leaving_no_folder():
                if self.is_local:
                    make_folder(self.path, self.option)
                self.write(name, b"")
                self.write(name, token)
                back = self.read(name)
                self.remove(name)
        except InputError:
            raise
        except Exception as error:  # A file system of fsspec raises what its library raises.
            raise InputError(
                f"{self.option}: {self.place} cannot be written: {type(error).__name__}: {error}"
            ) from error
        if back != token:
            raise InputError(f"{self.option}: {self.place} does not give back what is written.")

    def read(self, name: str) -> bytes | None:
        """Return a file's content, None where there is no such file."""
        if not self.is_local:
            return fsspec_files.read_file(*self._remote(name))
        try:
            return (self.path / _checked(name)).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            problem = f"{self.path / name} cannot be read: {error.strerror}."
            raise InputError(f"{self.option}: {problem}") from error

    def write(self, name: str, content: bytes | str) -> None:
        """Write a whole file, over one that is there; text is written as UTF-8."""
        data = content.encode("utf-8") if isinstance(content, str) else content
        if self.is_local:
            write_atomically(self.path / _checked(name), data)
        else:
            fsspec_files.write_file(*self._remote(name), data)

    def exists(self, name: str) -> bool:
        """Say whether there is a file of this name."""
        if self.is_local:
            return (self.path / _checked(name)).is_file()
        system, path = self._remote(name)
        system.invalidate_cache()
        return bool(system.isfile(path))

    def remove(self, name: str) -> None:
        """Remove a file; that there is none is fine."""
        if self.is_local:
            (self.path / _checked(name)).unlink(missing_ok=True)
        else:
            fsspec_files.remove_file(*self._remote(name))

    def names(self, prefix: str = "") -> list[str]:
        """Return the names of all files below the folder `prefix`, sorted."""
        if self.is_local:
            files = (file for file in (self.path / prefix).rglob("*") if file.is_file())
            found = [file.relative_to(self.path).as_posix() for file in files]
        else:
            system, root = fsspec_files.open_url(self.place, self.option)
            folder = f"{root}/{prefix}".rstrip("/")
            below = fsspec_files.files_below(system, folder)
            found = [path.removeprefix(f"{root}/") for path in below]
        return sorted(name for name in found if not PurePosixPath(name).name.startswith("."))

    def push(self, folder: Path, name: str = "") -> list[str]:
        """Copy a folder's files to below `name` where they changed since this object's last push.

        A file counts as changed by its time or size. What is gone here stays there. The record of a
        run says that it is whole, so it goes last.

        Returns:
            The names, below this place, that were written, in this order.
        """
        written = []
        names = Storage(str(folder)).names()
        for below in sorted(names, key=lambda one: (one == records.RUN_FILE, one)):
            target = str(PurePosixPath(name, below))
            with suppress(FileNotFoundError):  # Replaced or removed since it was listed.
                state = (folder / below).stat()
                stamp = (state.st_mtime_ns, state.st_size)
                if self._pushed.get(target) == stamp:
                    continue
                content = (folder / below).read_bytes()
                self.write(target, content)
                self._pushed[target] = stamp
                written.append(target)
        return written

    def pull(self, name: str, folder: Path) -> list[str]:
        """Copy all files below `name` into a folder, each whole; others there stay.

        Returns:
            Their names below `name`.
        """
        place = self.child(name) if name else self
        pulled = []
        for below in place.names():
            content = place.read(below)
            if content is not None:  # Another process may remove it meanwhile.
                write_atomically(folder / below, content)
                pulled.append(below)
        return pulled

    def _remote(self, name: str) -> tuple[Any, str]:
        """Return fsspec's file system and the path of a file in it."""
        system, root = fsspec_files.open_url(self.place, self.option)
        return system, f"{root}/{_checked(name)}"

    @contextmanager
    def _leaving_no_folder(self) -> Iterator[None]:
        """Remove the folders again that are made meanwhile, if nobody else uses them."""
        if self.is_local:
            remove: Any = os.rmdir
            missing = [str(p) for p in (self.path, *self.path.parents) if not p.exists()]
        else:
            system, root = fsspec_files.open_url(self.place, self.option)
            remove, missing = system.rmdir, fsspec_files.missing_folders(system, root)
        try:
            yield
        finally:
            with suppress(OSError):
                for folder in missing:
                    remove(folder)


def _checked(name: str) -> str:
    """Return a name as it is, if it stays below its place."""
    if not name or name.startswith("/") or ".." in PurePosixPath(name).parts:
        raise ValueError(f"'{name}' is no name of a file below a storage")
    return name
