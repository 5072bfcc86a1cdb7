"""The tree as a file system in memory.

Workspace files are read when first used. Whatever a test writes stays in memory and is gone with the check.
"""

import errno
import io
import os
import stat

ROOT = "/workspace"
# File descriptors of files opened with os.open start far away from real ones.
FIRST_FD = 1 << 20


class Disk:
    """Absolute path -> bytearray, or the workspace path of a file not read yet."""

    def __init__(self):
        self.files = {}
        self.dirs = {"/", "/tmp", ROOT}
        self.cwd = ROOT
        self.descriptors = {}
        self._read = None

    def mount(self, paths, read):
        """Shows the workspace's `paths` under ROOT; `read(path)` gives the bytes of one."""
        self._read = read
        for path in paths:
            full = ROOT + "/" + path
            self.files[full] = path
            folder = full.rpartition("/")[0]
            while folder not in self.dirs:
                self.dirs.add(folder)
                folder = folder.rpartition("/")[0]

    def resolve(self, path):
        """An absolute path without `.` and `..`."""
        path = os.fspath(path)
        if isinstance(path, bytes):
            path = path.decode()
        if "\0" in path:
            raise ValueError("embedded null byte")
        if not path.startswith("/"):
            path = self.cwd + "/" + path
        if "//" not in path and "/." not in path and (path[-1] != "/" or path == "/"):
            return path
        parts = []
        for part in path.split("/"):
            if part == "..":
                if parts:
                    parts.pop()
            elif part not in ("", "."):
                parts.append(part)
        return "/" + "/".join(parts)

    def content(self, full):
        """The bytes of a file, by resolved path. KeyError where there is none."""
        data = self.files[full]
        if isinstance(data, str):
            data = self.files[full] = bytearray(self._read(data))
        return data

    def children(self, full):
        prefix = full.rstrip("/") + "/"
        cut = len(prefix)
        names = {p[cut:].partition("/")[0] for p in self.files if p.startswith(prefix)}
        names.update(p[cut:].partition("/")[0] for p in self.dirs if p.startswith(prefix) and p != full)
        return sorted(names - {""})

    def need_folder(self, full, path):
        folder = full.rpartition("/")[0] or "/"
        if folder not in self.dirs:
            raise error(errno.ENOTDIR if folder in self.files else errno.ENOENT, path)


def error(number, path):
    """The OSError subclass that belongs to an errno."""
    return OSError(number, os.strerror(number), path)


class RawFile(io.RawIOBase):
    """One open file of a Disk."""

    def __init__(self, disk, full, name, mode, readable, writable, append):
        self._data = disk.content(full)
        self._position = 0
        self._readable, self._writable, self._append = readable, writable, append
        self.name, self.mode = name, mode

    def readable(self):
        return self._readable

    def writable(self):
        return self._writable

    def seekable(self):
        return True

    def readinto(self, buffer):
        if not self._readable:
            raise io.UnsupportedOperation("not readable")
        piece = self._data[self._position : self._position + len(buffer)]
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def write(self, piece):
        if not self._writable:
            raise io.UnsupportedOperation("not writable")
        piece = bytes(piece)
        if self._append:
            self._position = len(self._data)
        if self._position > len(self._data):
            self._data.extend(bytes(self._position - len(self._data)))
        self._data[self._position : self._position + len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def seek(self, offset, whence=0):
        start = (0, self._position, len(self._data))[whence]
        if start + offset < 0:
            raise error(errno.EINVAL, self.name)
        self._position = start + offset
        return self._position

    def tell(self):
        return self._position

    def truncate(self, size=None):
        size = self._position if size is None else size
        if size < len(self._data):
            del self._data[size:]
        else:
            self._data.extend(bytes(size - len(self._data)))
        return size


class Entry:
    """What os.scandir yields."""

    def __init__(self, calls, folder, name, given):
        self.name = name
        self.path = os.path.join(given, name)
        self._calls = calls
        self._full = folder.rstrip("/") + "/" + name

    def is_dir(self, *, follow_symlinks=True):
        return self._full in self._calls.disk.dirs

    def is_file(self, *, follow_symlinks=True):
        return self._full in self._calls.disk.files

    def is_symlink(self):
        return False

    def is_junction(self):
        return False

    def stat(self, *, follow_symlinks=True):
        return self._calls.stat(self._full)

    def inode(self):
        return self.stat().st_ino

    def __fspath__(self):
        return self.path

    def __repr__(self):
        return f"<DirEntry {self.name!r}>"


class Entries(list):
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def __next__(self):
        if not self:
            raise StopIteration
        return self.pop(0)

    def close(self):
        self.clear()


class Calls:
    """The functions that take the place of `open` and of those in `os`."""

    def __init__(self, disk):
        self.disk = disk

    def open(self, file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None):
        kind = mode.replace("b", "").replace("t", "")
        if kind.replace("+", "") not in ("r", "w", "a", "x") or ("b" in mode and "t" in mode):
            raise ValueError(f"invalid mode: {mode!r}")
        if "b" in mode and encoding is not None:
            raise ValueError("binary mode doesn't take an encoding argument")
        if opener is not None:
            file = opener(file, os.O_RDWR | (0 if kind[0] == "r" else os.O_CREAT))
        if isinstance(file, int):
            try:
                raw = self.disk.descriptors[file]
            except KeyError:
                raise error(errno.EBADF, file) from None
        else:
            raw = self.raw(file, mode, kind)
        if buffering == 0:
            if "b" not in mode:
                raise ValueError("can't have unbuffered text I/O")
            return raw
        if "+" in mode:
            buffer = io.BufferedRandom(raw)
        elif kind == "r":
            buffer = io.BufferedReader(raw)
        else:
            buffer = io.BufferedWriter(raw)
        if "b" in mode:
            return buffer
        text = io.TextIOWrapper(buffer, encoding or "utf-8", errors, newline, line_buffering=buffering == 1)
        text.mode = mode
        return text

    def raw(self, path, mode, kind):
        disk, full = self.disk, self.disk.resolve(path)
        if full in disk.dirs:
            raise error(errno.EISDIR, path)
        if kind[0] == "r":
            if full not in disk.files:
                raise error(errno.ENOENT, path)
        else:
            disk.need_folder(full, path)
            if kind[0] == "x" and full in disk.files:
                raise error(errno.EEXIST, path)
            if kind[0] != "a" or full not in disk.files:
                disk.files[full] = bytearray()
        plus = "+" in kind
        return RawFile(disk, full, path, mode, kind[0] == "r" or plus, kind[0] != "r" or plus, kind[0] == "a")

    def os_open(self, path, flags, mode=0o777, *, dir_fd=None):
        disk, full = self.disk, self.disk.resolve(path)
        if full in disk.dirs:
            raise error(errno.EISDIR, path)
        if full not in disk.files:
            if not flags & os.O_CREAT:
                raise error(errno.ENOENT, path)
            disk.need_folder(full, path)
            disk.files[full] = bytearray()
        elif flags & os.O_CREAT and flags & os.O_EXCL:
            raise error(errno.EEXIST, path)
        elif flags & os.O_TRUNC:
            disk.files[full] = bytearray()
        access = flags & (os.O_RDONLY | os.O_WRONLY | os.O_RDWR)
        readable, writable = access != os.O_WRONLY, access != os.O_RDONLY
        number = FIRST_FD + len(disk.descriptors)
        disk.descriptors[number] = RawFile(disk, full, number, "rb+", readable, writable, bool(flags & os.O_APPEND))
        return number

    def _descriptor(self, number):
        try:
            return self.disk.descriptors[number]
        except KeyError:
            raise error(errno.EBADF, number) from None

    def read(self, number, size):
        return self._descriptor(number).read(size)

    def write(self, number, data):
        if number in (1, 2):
            import sys

            (sys.stdout if number == 1 else sys.stderr).write(bytes(data).decode("utf-8", "replace"))
            return len(data)
        return self._descriptor(number).write(data)

    def close(self, number):
        self._descriptor(number).close()

    def stat(self, path, *, dir_fd=None, follow_symlinks=True):
        disk = self.disk
        if isinstance(path, int):
            size = len(self._descriptor(path)._data)
            return os.stat_result((stat.S_IFREG | 0o644, path, 1, 1, 0, 0, size, 0, 0, 0))
        full = disk.resolve(path)
        if full in disk.dirs:
            return os.stat_result((stat.S_IFDIR | 0o755, hash(full) & 0xFFFFFFFF, 1, 2, 0, 0, 0, 0, 0, 0))
        if full not in disk.files:
            raise error(errno.ENOENT, path)
        size = len(disk.content(full))
        return os.stat_result((stat.S_IFREG | 0o644, hash(full) & 0xFFFFFFFF, 1, 1, 0, 0, size, 0, 0, 0))

    def access(self, path, mode, **_):
        full = self.disk.resolve(path)
        return full in self.disk.files or full in self.disk.dirs

    def listdir(self, path="."):
        full = self.disk.resolve(path)
        if full not in self.disk.dirs:
            raise error(errno.ENOTDIR if full in self.disk.files else errno.ENOENT, path)
        return self.disk.children(full)

    def scandir(self, path="."):
        full = self.disk.resolve(path)
        return Entries(Entry(self, full, name, os.fspath(path)) for name in self.listdir(path))

    def getcwd(self):
        return self.disk.cwd

    def chdir(self, path):
        full = self.disk.resolve(path)
        if full not in self.disk.dirs:
            raise error(errno.ENOENT, path)
        self.disk.cwd = full

    def mkdir(self, path, mode=0o777, *, dir_fd=None):
        full = self.disk.resolve(path)
        if full in self.disk.dirs or full in self.disk.files:
            raise error(errno.EEXIST, path)
        self.disk.need_folder(full, path)
        self.disk.dirs.add(full)

    def rmdir(self, path, *, dir_fd=None):
        full = self.disk.resolve(path)
        if self.listdir(path):
            raise error(errno.ENOTEMPTY, path)
        self.disk.dirs.discard(full)

    def remove(self, path, *, dir_fd=None):
        full = self.disk.resolve(path)
        if full in self.disk.dirs:
            raise error(errno.EISDIR, path)
        if self.disk.files.pop(full, None) is None:
            raise error(errno.ENOENT, path)

    def rename(self, source, target, *, src_dir_fd=None, dst_dir_fd=None):
        disk = self.disk
        old, new = disk.resolve(source), disk.resolve(target)
        disk.need_folder(new, target)
        if old in disk.files:
            if new in disk.dirs:
                raise error(errno.EISDIR, target)
            disk.files[new] = disk.files.pop(old)
        elif old in disk.dirs:
            moved = [p for p in disk.files if p.startswith(old + "/")]
            for path in moved:
                disk.files[new + path[len(old) :]] = disk.files.pop(path)
            for path in [p for p in disk.dirs if p == old or p.startswith(old + "/")]:
                disk.dirs.discard(path)
                disk.dirs.add(new + path[len(old) :])
        else:
            raise error(errno.ENOENT, source)

    def ignore(self, *_, **__):
        """For permissions and times, which this file system does not keep."""

    def refuse(self, *_, **__):
        raise OSError(errno.ENOTSUP, "not supported by this checker")

    def patches(self):
        """(module, name, value) of every function to replace."""
        import builtins
        import shutil
        import tempfile
        import tokenize

        yield builtins, "open", self.open
        yield io, "open", self.open
        # Both keep their own reference: linecache (and so tracebacks and inspect) reads through the first.
        yield tokenize, "_builtin_open", self.open
        yield tempfile, "tempdir", "/tmp"
        yield shutil, "_use_fd_functions", False
        yield os, "open", self.os_open
        for name in ("read", "write", "close", "stat", "access", "listdir", "scandir", "getcwd", "chdir", "mkdir", "rmdir"):
            yield os, name, getattr(self, name)
        yield os, "lstat", self.stat
        yield os, "fstat", self.stat
        yield os, "remove", self.remove
        yield os, "unlink", self.remove
        yield os, "rename", self.rename
        yield os, "replace", self.rename
        for name in ("chmod", "utime", "fsync"):
            yield os, name, self.ignore
        for name in ("symlink", "link", "readlink", "truncate"):
            yield os, name, self.refuse
