"""Files in a place that is named by a URL, through fsspec: s3://, gs://, sftp://, file://, ..."""

from typing import Any
from uuid import uuid4

from recbole_invariant.errors import InputError, suggest

NEED_FOLDERS = frozenset(
    {"file", "local", "sftp", "ssh", "ftp", "smb", "hdfs", "arrow_hdfs", "webhdfs"}
)
"""Systems where a file's folder is made first and a file shows while it is written.

The others are object stores: an object appears whole, and making its folder could make a bucket.
"""


def open_url(place: str, option: str) -> tuple[Any, str]:
    """Return the file system of a URL and the path of the URL in it, without a slash at its end.

    fsspec keeps one file system a process for equal URLs, so asking again costs nothing.

    Raises:
        InputError: unknown scheme, or its library is missing or refuses the URL.
    """
    scheme = place.partition("://")[0]
    try:
        import fsspec
    except ImportError as error:
        raise InputError(
            f'{option}: {place} needs fsspec: pip install "recbole_invariant[tune]"'
        ) from error
    try:
        fsspec.get_filesystem_class(scheme)
        system, root = fsspec.core.url_to_fs(place)
    except ImportError as error:
        raise InputError(f"{option}: {place} needs a library: {error}") from error
    except ValueError as error:
        near = suggest(scheme, fsspec.available_protocols())
        raise InputError(
            f"{option}: {place} cannot be opened: {error}.{near} It takes a local path, or a URL "
            "of fsspec such as s3://, gs:// or sftp://."
        ) from error
    except Exception as error:  # What a library says to a host, key or region it cannot use.
        raise InputError(
            f"{option}: {place} cannot be opened: {type(error).__name__}: {error}"
        ) from error
    return system, str(root).rstrip("/")


def read_file(system: Any, path: str) -> bytes | None:
    """Return a file's content, None where there is no such file."""
    # A listing that is cached would hide what another process wrote.
    system.invalidate_cache()
    try:
        content: bytes = system.cat_file(path)
    except FileNotFoundError:
        return None
    return content


def write_file(system: Any, path: str, content: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never a part."""
    if not needs_folders(system):
        system.pipe_file(path, content)
        return
    folder, _, name = path.rpartition("/")
    system.makedirs(folder, exist_ok=True)
    temporary = f"{folder}/.{name}.{uuid4().hex}"
    try:
        system.pipe_file(temporary, content)
        system.mv(temporary, path)
    except BaseException:
        remove_file(system, temporary)
        raise


def remove_file(system: Any, path: str) -> None:
    """Remove a file; that there is none is fine."""
    system.invalidate_cache()
    if system.isfile(path):
        system.rm_file(path)


def files_below(system: Any, folder: str) -> list[str]:
    """Return the paths of all files below a folder, none where there is no such folder."""
    system.invalidate_cache()
    try:
        return [path for path in system.find(folder) if path.startswith(f"{folder}/")]
    except FileNotFoundError:
        return []


def missing_folders(system: Any, folder: str) -> list[str]:
    """Return the folders that writing below `folder` would make, the innermost first."""
    if not needs_folders(system):
        return []
    missing = []
    while folder.rpartition("/")[0] and not system.exists(folder):
        missing.append(folder)
        folder = folder.rpartition("/")[0]
    return missing


def needs_folders(system: Any) -> bool:
    """Say whether a file's folder must be there before the file."""
    names = (system.protocol,) if isinstance(system.protocol, str) else system.protocol
    return not NEED_FOLDERS.isdisjoint(names)
