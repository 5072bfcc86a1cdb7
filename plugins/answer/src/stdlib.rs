//! Names of Python's standard library: what nobody is asked to write, and imports that answers forget.
/// Whether a Python module is the standard library's or a test tool's, so that nobody is asked to write it.
pub(crate) fn is_foreign(module: &str) -> bool {
    // sys.stdlib_module_names of 3.13 without the private ones, plus what tests commonly install.
    const NAMES: &str = " __future__ abc argparse array ast asyncio atexit base64 bdb binascii bisect builtins bz2 \
        cProfile calendar cmath cmd code codecs codeop collections colorsys compileall concurrent configparser \
        contextlib contextvars copy copyreg csv ctypes curses dataclasses datetime dbm decimal difflib dis doctest \
        email encodings enum errno faulthandler fcntl filecmp fileinput fnmatch fractions ftplib functools gc getopt \
        getpass gettext glob graphlib grp gzip hashlib heapq hmac html http idlelib imaplib importlib inspect io \
        ipaddress itertools json keyword linecache locale logging lzma mailbox marshal math mimetypes mmap \
        modulefinder multiprocessing netrc numbers opcode operator optparse os pathlib pdb pickle pickletools pkgutil \
        platform plistlib poplib posix posixpath pprint profile pstats pty pwd py_compile pyclbr pydoc queue quopri \
        random re readline reprlib resource rlcompleter runpy sched secrets select selectors shelve shlex shutil \
        signal site smtplib socket socketserver sqlite3 ssl stat statistics string stringprep struct subprocess \
        symtable sys sysconfig syslog tabnanny tarfile tempfile termios test textwrap this threading time timeit \
        tkinter token tokenize tomllib trace traceback tracemalloc tty turtle types typing unicodedata unittest \
        urllib uuid venv warnings wave weakref webbrowser wsgiref xml xmlrpc zipapp zipfile zipimport zlib zoneinfo \
        pytest hypothesis numpy pandas mock parameterized ";
    let top = module.split('.').next().unwrap_or(module);
    NAMES.split_whitespace().any(|name| name == top)
}

/// Modules that answers use as `module.name` and forget to import.
const MODULES: &[&str] = &[
    "bisect",
    "collections",
    "copy",
    "datetime",
    "decimal",
    "fractions",
    "functools",
    "hashlib",
    "heapq",
    "itertools",
    "json",
    "math",
    "operator",
    "os",
    "random",
    "re",
    "statistics",
    "string",
    "sys",
    "time",
    "unicodedata",
];
/// Names that stand for themselves.
const NAMES: &[(&str, &[&str])] = &[
    (
        "typing",
        &[
            "Any", "Callable", "Dict", "Iterable", "Iterator", "List", "Optional", "Sequence", "Set",
            "Tuple", "Union",
        ],
    ),
    ("abc", &["ABC", "abstractmethod"]),
    ("collections", &["Counter", "OrderedDict", "defaultdict", "deque", "namedtuple"]),
    ("dataclasses", &["dataclass"]),
    ("decimal", &["Decimal"]),
    ("enum", &["Enum"]),
    ("fractions", &["Fraction"]),
    ("functools", &["cmp_to_key", "lru_cache", "reduce", "wraps"]),
    ("itertools", &["accumulate", "combinations", "groupby", "permutations", "zip_longest"]),
];

/// The imports that `code` (without strings and comments) needs and lacks.
pub(crate) fn missing_imports(code: &str, is_defined: &dyn Fn(&str) -> bool) -> Vec<String> {
    let star = code.contains("import *");
    let mut found = Vec::new();
    for module in MODULES {
        // Any other use than `module.name` is a variable's.
        if !star && !is_defined(module) && only(code, module, |rest| rest.starts_with('.')) {
            found.push(format!("import {module}"));
        }
    }
    for (module, names) in NAMES {
        let lacks = |name: &&&str| {
            let free =
                |rest: &str| !rest.trim_start().starts_with('=') || rest.trim_start().starts_with("==");
            !star && !is_defined(name) && only(code, name, free)
        };
        let names: Vec<&str> = names.iter().filter(lacks).copied().collect();
        if !names.is_empty() {
            found.push(format!("from {module} import {}", names.join(", ")));
        }
    }
    found
}

/// Whether `name` is used, and every use of its own (no attribute, definition or import) is one that `follows` accepts.
fn only(code: &str, name: &str, follows: impl Fn(&str) -> bool) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let mut used = false;
    for (at, _) in code.match_indices(name) {
        let (ahead, rest) = (&code[..at], &code[at + name.len()..]);
        if ahead.ends_with(part) || rest.starts_with(part) || ahead.ends_with('.') {
            continue;
        }
        let line = ahead.rsplit('\n').next().unwrap_or("").trim_start();
        let defined = ["def ", "class ", "for ", "global ", "lambda "].contains(&line);
        let imported = line.starts_with("import ") || line.starts_with("from ");
        if defined || imported || ahead.ends_with(" as ") || !follows(rest) {
            return false;
        }
        used = true;
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgotten_imports_and_nothing_else() {
        for (code, want) in [
            ("x = math.gcd(a, b)\n", vec!["import math"]),
            (
                "def f(xs: List[int]) -> Optional[int]:\n    return reduce(f, Counter(xs))\n",
                vec![
                    "from typing import List, Optional",
                    "from collections import Counter",
                    "from functools import reduce",
                ],
            ),
            ("def f(string):\n    return string.upper()\n", vec![]),
            ("    import math\n    return math.pi\n", vec![]),
            ("import os.path as os\nos.x\n", vec![]),
            ("for time in times:\n    time.x\n", vec![]),
            ("Counter = 1\nprint(Counter)\n", vec![]),
            ("class Set:\n    pass\nSet()\n", vec![]),
            ("from math import *\nmath.pi\n", vec![]),
            ("self.re.x + aftermath.y\n", vec![]),
        ] {
            assert_eq!(missing_imports(code, &|_| false), want, "{code}");
        }
        assert!(missing_imports("math.pi\n", &|name| name == "math").is_empty());
    }
}
