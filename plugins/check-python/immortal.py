"""Names the objects of the finished image, for image/patch.py to make them immortal.

A reference count is written whenever an object is used, and the first write to each page of the
image is a page fault in the host. CPython leaves the count of an immortal object alone.
Measured for one small test: 880 faults per check without, 555 with, and a fifth less time.
"""

import gc
import types

# Backwards, for the patch is not to find this constant.
MAGIC = b"\0\0>nohtyp-kcehc fo stcejbo latrommi<"
# Their counts must go to zero some day, or they are not objects of the image but of this very call.
LIVE = (types.FrameType, types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType)
CODE = ("co_consts", "co_names", "co_filename", "co_name", "co_qualname", "co_linetable", "co_exceptiontable")


def names(*roots):
    """All that is reachable from `roots`, in one object that the patch finds by its magic.

    After the magic come the address of None and the length of the rest, 32 bits each; then a bit for each
    word of memory, set where an object begins.
    """
    top = id(bytes(1 << 20))
    seen = bytearray(top // 32 + 1)
    own, todo = id(seen), list(roots)
    while todo:
        at = todo.pop()
        word = id(at) // 4
        if id(at) >= top or seen[word // 8] >> word % 8 & 1 or id(at) in (own, id(todo)) or isinstance(at, LIVE):
            continue
        seen[word // 8] |= 1 << word % 8
        # A code object does not tell the collector what it holds.
        todo += [getattr(at, name) for name in CODE] if isinstance(at, types.CodeType) else gc.get_referents(at)
    return MAGIC[::-1] + id(None).to_bytes(4, "little") + len(seen).to_bytes(4, "little") + bytes(seen)
