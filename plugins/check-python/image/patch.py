"""Makes the objects that `immortal.names` listed when the image was made immortal, in the built component.

    python3 image/patch.py check-python.wasm

The memory of the Python interpreter is in the data segments of a module inside the component; the
counts are changed there, in place. Whatever does not look like an object any more is left alone.
"""

import bisect
import sys

MAGIC = b"<immortal objects of check-python>\0\0"
CORE_MODULE, COMPONENT, DATA = 1, 4, 11
I32_CONST, END = 0x41, 0x0B
# A block that was freed since holds a pointer here, which is larger.
LARGEST_COUNT = 1 << 16
WORD = 4


def leb(data, at, signed=False):
    """The LEB128 number at `at`, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    if signed and byte & 0x40:
        value -= 1 << shift
    return value, at


def sections(data, at, end):
    while at < end:
        kind = data[at]
        size, at = leb(data, at + 1)
        yield kind, at, at + size
        at += size


def modules(data, at, end):
    """Where the core modules are, in nested components as well."""
    for kind, start, stop in sections(data, at + 8, end):
        if kind == CORE_MODULE:
            yield start, stop
        elif kind == COMPONENT:
            yield from modules(data, start, stop)


def segments(data, start, stop):
    """(address, offset in the file, length) of a module's active data segments."""
    for kind, at, _ in sections(data, start + 8, stop):
        if kind != DATA:
            continue
        count, at = leb(data, at)
        for _ in range(count):
            flags, at = leb(data, at)
            if flags == 2:
                _, at = leb(data, at)
            address = None
            if flags != 1:
                if data[at] == I32_CONST:
                    address, at = leb(data, at + 1, signed=True)
                    if data[at] != END:
                        sys.exit(f"immortal: a segment's address is no constant, at byte {at}")
                    at += 1
                else:
                    at = data.index(END, at) + 1
            size, at = leb(data, at)
            if address is not None:
                yield address & 0xFFFF_FFFF, at, size
            at += size


class Memory:
    def __init__(self, data, found):
        self.data = data
        self.segments = sorted(found)

    def place(self, address):
        """Where the word at that address is in the file, or None where the image has zeros."""
        nearest = bisect.bisect_right(self.segments, (address, len(self.data), 0)) - 1
        start, at, size = self.segments[nearest] if nearest >= 0 else (0, 0, 0)
        return at + address - start if address + WORD <= start + size else None

    def address(self, place):
        return next(start + place - at for start, at, size in self.segments if at <= place < at + size)

    def read(self, address, size):
        """Zeros are left out of the segments, so what lies together in memory may not in the file."""
        read = bytearray(size)
        for start, at, length in self.segments:
            first, end = max(start, address), min(start + length, address + size)
            if first < end:
                read[first - address : end - address] = self.data[at + first - start : at + end - start]
        return bytes(read)

    def word(self, address):
        place = self.place(address)
        word = self.read(address, WORD) if place is None else self.data[place : place + WORD]
        return int.from_bytes(word, "little")


def addresses(bits):
    for at, byte in enumerate(bits):
        for bit in range(8) if byte else ():
            if byte >> bit & 1:
                yield (at * 8 + bit) * WORD


def patch(data):
    where = data.find(MAGIC)
    owner = [(a, b) for a, b in modules(data, 0, len(data)) if a <= where < b]
    if not owner:
        sys.exit("immortal: the component holds no list of objects")
    memory = Memory(data, segments(data, *owner[-1]))
    at = memory.address(where) + len(MAGIC)
    none, size = memory.word(at), memory.word(at + WORD)
    objects = list(addresses(memory.read(at + 2 * WORD, size)))
    # Of an object that lives still, the second word is its type.
    listed = set(objects)
    immortal = memory.word(none).to_bytes(WORD, "little")
    changed = 0
    for address in objects:
        place = memory.place(address)
        if place and 0 < memory.word(address) < LARGEST_COUNT and memory.word(address + WORD) in listed:
            data[place : place + WORD] = immortal
            changed += 1
    return changed, len(objects)


def main():
    path = sys.argv[1]
    with open(path, "rb") as file:
        data = bytearray(file.read())
    changed, count = patch(data)
    if changed < count // 4:
        sys.exit(f"immortal: only {changed} of {count} objects were found in the image")
    with open(path, "wb") as file:
        file.write(data)
    print(f"immortal: {changed} of {count} objects", file=sys.stderr)


main()
