"""Imports the standard library at build time: the sandbox has no files to import it from later."""

import importlib

NAMES = """
__future__ abc array ast asyncio base64 bisect builtins binascii bz2 calendar cmath cmd code codecs codeop collections
collections.abc colorsys compileall concurrent.futures concurrent.futures.thread configparser contextlib contextvars copy copyreg csv dataclasses
datetime decimal difflib dis doctest email email.message email.mime.text email.mime.multipart email.utils encodings.idna encodings.ascii
encodings.latin_1 encodings.utf_16 encodings.utf_32 encodings.utf_8_sig encodings.cp1252 encodings.hex_codec encodings.rot_13
encodings.base64_codec encodings.unicode_escape encodings.raw_unicode_escape encodings.punycode encodings.cp437
enum errno filecmp fileinput fnmatch fractions functools gc getopt getpass gettext glob graphlib gzip hashlib heapq
hmac html html.entities html.parser http http.client http.cookies http.server importlib importlib.abc importlib.machinery
importlib.metadata importlib.resources importlib.util inspect io ipaddress itertools json json.decoder json.encoder json.tool keyword
linecache locale logging logging.config logging.handlers lzma marshal math mimetypes mmap netrc ntpath numbers opcode operator
optparse os os.path pathlib pdb pickle pickletools pkgutil platform plistlib posixpath pprint profile pstats py_compile
pyclbr pydoc queue quopri random re reprlib rlcompleter runpy sched secrets selectors shelve shlex shutil signal site socket
socketserver sqlite3 ssl stat statistics string string.templatelib stringprep struct subprocess symtable sys sysconfig tabnanny tarfile
tempfile textwrap threading time timeit token tokenize tomllib trace traceback tracemalloc tty types typing typing_extensions
unicodedata unittest unittest.async_case unittest.mock urllib urllib.error urllib.parse urllib.request urllib.robotparser
uuid wave warnings weakref wsgiref xml xml.dom xml.dom.minidom xml.etree.ElementTree xml.sax xmlrpc.client zipapp zipfile
zlib zoneinfo
_pydecimal _pyio _strptime _markupbase
annotationlib
""".split()


def modules():
    """Imports what this Python has; the rest (threads, sockets, C libraries) is missing for candidates too."""
    missing = []
    for name in NAMES:
        try:
            importlib.import_module(name)
        except ImportError:
            missing.append(name)
    return missing
