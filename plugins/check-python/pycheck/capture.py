"""What tests print, bounded."""

import io

# The host cuts a report's output after 64 KiB; a half each for the beginning and the end, with room for marks.
HALF = 30 * 1024


class Text:
    """The first and the last part of a long text."""

    def __init__(self, half=HALF):
        self.half, self.head, self.tail, self.length = half, [], "", 0
        self.free = half

    def add(self, piece):
        self.length += len(piece)
        if self.free:
            taken = piece[: self.free]
            self.head.append(taken)
            self.free -= len(taken)
            piece = piece[len(taken) :]
        if piece:
            self.tail = (self.tail + piece[-self.half :])[-2 * self.half :]

    def text(self):
        head, tail = "".join(self.head), self.tail[-self.half :]
        left = self.length - len(head) - len(tail)
        return f"{head}\n[... {left} characters left out ...]\n{tail}" if left else head + tail


class Bytes(io.RawIOBase):
    """`sys.stdout.buffer`"""

    def __init__(self, stream):
        self.stream = stream

    def writable(self):
        return True

    def write(self, piece):
        self.stream.write(bytes(piece).decode("utf-8", "replace"))
        return len(piece)


class Stream(io.TextIOBase):
    """`sys.stdout`: adds to a Text, and to a second one while `capsys` listens."""

    encoding, errors, mode = "utf-8", "strict", "w"

    def __init__(self, name, output):
        self.name, self.output, self.listener = name, output, None
        self.buffer = Bytes(self)

    def writable(self):
        return True

    def isatty(self):
        return False

    def write(self, piece):
        if not isinstance(piece, str):
            raise TypeError(f"write() argument must be str, not {type(piece).__name__}")
        if self.listener is not None:
            self.listener.append(piece)
        elif piece:
            self.output.write(piece)
        return len(piece)

    def close(self):
        """Closing the captured stream would silence the tests that follow."""


class Output:
    """Both streams in one text, with a line before what each test printed."""

    def __init__(self):
        self.text = Text()
        self.label = self.labelled = None
        self.stdout, self.stderr = Stream("<stdout>", self), Stream("<stderr>", self)

    def write(self, piece):
        if self.label != self.labelled:
            self.labelled = self.label
            self.text.add(f"--- {self.label}\n" if self.text.length == 0 else f"\n--- {self.label}\n")
        self.text.add(piece)
