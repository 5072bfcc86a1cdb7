//! What can be told about source text without its compiler: definitions, imports, test files.

/// The language of a file, as far as this crate treats one differently from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Python,
    Script,
    Rust,
    Go,
    Other,
}

fn extension(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

pub fn language(path: &str) -> Language {
    match extension(path) {
        "py" | "pyi" => Language::Python,
        "js" | "mjs" | "cjs" | "jsx" | "ts" | "tsx" | "mts" => Language::Script,
        "rs" => Language::Rust,
        "go" => Language::Go,
        _ => Language::Other,
    }
}

/// Whether a file of this name holds code (and not data, prose or configuration).
pub fn is_code(path: &str) -> bool {
    const CODE: &[&str] = &[
        "c", "cc", "cpp", "cs", "ex", "h", "hpp", "hs", "java", "jl", "kt", "lua", "ml", "php", "pl", "r",
        "rb", "scala", "sh", "sql", "swift", "vue", "svelte", "zig",
    ];
    language(path) != Language::Other || CODE.contains(&extension(path))
}

/// The extension that an info string's language tag stands for. `None`: not a tag known here.
pub fn tagged(info: &str) -> Option<&'static str> {
    let tag =
        info.split(|c: char| !(c.is_alphanumeric() || c == '+' || c == '#')).find(|word| !word.is_empty())?;
    Some(match tag.to_ascii_lowercase().as_str() {
        "python" | "py" | "python3" | "pycon" => "py",
        "javascript" | "js" | "node" | "mjs" | "jsx" => "js",
        "typescript" | "ts" | "tsx" => "ts",
        "rust" | "rs" => "rs",
        "go" | "golang" => "go",
        "java" => "java",
        "c" => "c",
        "cpp" | "c++" => "cpp",
        "ruby" | "rb" => "rb",
        "html" => "html",
        "css" => "css",
        "sql" => "sql",
        "json" => "json",
        "toml" => "toml",
        "yaml" | "yml" => "yml",
        "markdown" | "md" => "md",
        "bash" | "sh" | "shell" | "console" | "zsh" | "powershell" => "sh",
        "text" | "txt" | "plaintext" | "output" => "txt",
        "diff" | "patch" => "diff",
        _ => return None,
    })
}

/// The info string to show a file with.
pub fn tag(path: &str) -> &str {
    match extension(path) {
        "py" => "python",
        "js" | "mjs" | "cjs" => "javascript",
        "ts" => "typescript",
        "rs" => "rust",
        extension => extension,
    }
}

/// Whether a path is a test's by the conventions of the languages known here.
pub fn is_test(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = name.split('.').next().unwrap_or(name);
    let by_name = stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem.ends_with("_tests")
        || name.contains(".test.")
        || name.contains(".spec.")
        || matches!(stem, "test" | "tests" | "conftest");
    let in_folder = folders.split('/').any(|part| matches!(part, "tests" | "test" | "__tests__" | "spec"));
    is_code(path) && (by_name || in_folder)
}

/// The word that starts `text`, if it is an identifier.
pub fn identifier(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(text.len());
    let word = &text[..end];
    word.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$').then_some(word)
}

/// Whether `name` occurs in `text` as a whole word.
pub fn mentions(text: &str, name: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    !name.is_empty()
        && text
            .match_indices(name)
            .any(|(at, _)| !text[..at].ends_with(part) && !text[at + name.len()..].starts_with(part))
}

/// The names a text defines at its top level (for methods of Go, by the method's name).
pub fn definitions(text: &str) -> Vec<String> {
    const BEFORE: &[&str] = &[
        "export", "default", "async", "pub", "static", "public", "private", "abstract", "declare", "unsafe",
        "extern",
    ];
    const KEYWORDS: &[&str] = &[
        "def",
        "class",
        "fn",
        "func",
        "function",
        "function*",
        "struct",
        "enum",
        "trait",
        "type",
        "interface",
        "const",
        "let",
        "var",
        "record",
        "mod",
        "module",
    ];
    let mut found: Vec<String> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with([' ', '\t'])) {
        let mut rest = line;
        let mut name = None;
        while let Some((word, after)) = rest.split_once(' ') {
            rest = after.trim_start();
            if KEYWORDS.contains(&word) {
                // A Go method's receiver stands between the keyword and the name.
                let start = match rest.strip_prefix('(') {
                    Some(receiver) if word == "func" => {
                        receiver.split_once(") ").map_or("", |(_, after)| after)
                    }
                    _ => rest,
                };
                name = identifier(start);
                if name.is_some_and(|name| KEYWORDS.contains(&name)) {
                    continue;
                }
                break;
            }
            if !BEFORE.contains(&word) && !word.starts_with("pub(") {
                break;
            }
        }
        let assigned = || {
            let name = identifier(line)?;
            let after = line[name.len()..].trim_start();
            let plain = after.starts_with('=') && !after.starts_with("==");
            (plain || (after.starts_with(':') && after.contains('='))).then_some(name)
        };
        let exported = || identifier(line.strip_prefix("module.")?.strip_prefix("exports.")?);
        let exported = || exported().or_else(|| identifier(line.strip_prefix("exports.")?));
        if let Some(name) = name.or_else(exported).or_else(assigned)
            && !found.iter().any(|known| known == name)
        {
            found.push(name.to_owned());
        }
    }
    found
}

/// One import of a source text.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// As written: `pkg.mod`, `.sibling`, `../src/a.js`.
    pub module: String,
    /// The names taken from it; empty when the module is taken as a whole.
    pub names: Vec<String>,
}

/// The imports of a Python or JavaScript/TypeScript text, at any indentation; none for other languages.
pub fn imports(text: &str, language: Language) -> Vec<Import> {
    match language {
        Language::Python => python_imports(text),
        Language::Script => script_imports(text),
        Language::Rust | Language::Go | Language::Other => Vec::new(),
    }
}

fn names(list: &str, alias: &str) -> Vec<String> {
    let name = |part: &str| identifier(part.trim().split(alias).next()?.trim()).map(str::to_owned);
    list.split(',').filter_map(name).collect()
}

fn python_imports(text: &str) -> Vec<Import> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        // Doctests import too.
        let line = line.trim().trim_start_matches(">>> ").split(" #").next().unwrap_or("");
        if let Some((module, list)) = line.strip_prefix("from ").and_then(|rest| rest.split_once(" import "))
        {
            let mut list = list.trim().to_owned();
            if list.starts_with('(') {
                while !list.contains(')') {
                    let Some(more) = lines.next() else { break };
                    list.push_str(more.split('#').next().unwrap_or(""));
                }
                list = list.trim_matches(['(', ')', ' ']).to_owned();
            }
            found.push(Import { module: module.trim().to_owned(), names: names(&list, " as ") });
        } else if let Some(modules) = line.strip_prefix("import ") {
            for module in modules.split(',') {
                let module = module.split_whitespace().next().unwrap_or("");
                if identifier(module).is_some() {
                    found.push(Import { module: module.to_owned(), names: Vec::new() });
                }
            }
        }
    }
    found
}

fn script_imports(text: &str) -> Vec<Import> {
    let mut found = Vec::new();
    for statement in text.split(';').flat_map(|part| part.split("\n\n")) {
        for start in ["from ", "require(", "import(", "import "] {
            for (at, _) in statement.match_indices(start) {
                let rest = &statement[at + start.len()..];
                let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'' | '`')) else {
                    continue;
                };
                let Some((module, _)) = rest[1..].split_once(quote) else { continue };
                let line = statement[..at].rfind("import").or_else(|| statement[..at].rfind("const"));
                let head = &statement[line.unwrap_or(at)..at];
                let list = head
                    .split_once('{')
                    .and_then(|(_, rest)| rest.split_once('}'))
                    .map_or("", |(list, _)| list);
                found.push(Import {
                    module: module.to_owned(),
                    names: names(&list.replace(':', " as "), " as "),
                });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_of_many_languages() {
        let text = "import x\n@dec\ndef f(a):\n    def inner(): pass\nasync def g(): pass\nclass C(B):\nLIMIT = 3\n\
            N: int = 4\nexport default function h() {}\nexport const k = () => 1\npub(crate) async fn r() {}\n\
            pub const fn q() {}\nfunc (s *S) Take() {}\nfunc Go() {}\nmodule.exports.m = 1\nif a == b:\nx.y = 2\n";
        let want = ["f", "g", "C", "LIMIT", "N", "h", "k", "r", "q", "Take", "Go", "m"];
        assert_eq!(definitions(text), want);
    }

    #[test]
    fn imports_of_python_and_javascript() {
        let import = |module: &str, names: &[&str]| Import {
            module: module.into(),
            names: names.iter().map(|name| (*name).into()).collect(),
        };
        let python = "import os, a.b as c\nfrom slug import (\n  slugify,  # why\n  other as o,\n)\nfrom . import x\n>>> from d import e\n";
        assert_eq!(
            imports(python, Language::Python),
            [
                import("os", &[]),
                import("a.b", &[]),
                import("slug", &["slugify", "other"]),
                import(".", &["x"]),
                import("d", &["e"])
            ]
        );
        let script = "import test from 'node:test'\n\nimport { a, b as c } from '../src/m.js';\nconst { d } = require(\"./n\");\nconst e = require('./e')\n";
        assert_eq!(
            imports(script, Language::Script),
            [
                import("node:test", &[]),
                import("../src/m.js", &["a", "b"]),
                import("./n", &["d"]),
                import("./e", &[])
            ]
        );
    }

    #[test]
    fn tests_by_their_names() {
        for path in ["test_a.py", "a_test.go", "tests/a.py", "src/a.test.ts", "a.spec.js", "pkg/conftest.py"]
        {
            assert!(is_test(path), "{path}");
        }
        for path in ["a.py", "contest.py", "latest.js", "tests/data.json", "src/testing.rs"] {
            assert!(!is_test(path), "{path}");
        }
    }

    #[test]
    fn mentions_whole_words_only() {
        assert!(mentions("x = poly(a)", "poly") && mentions("poly", "poly"));
        assert!(!mentions("polygon, my_poly", "poly") && !mentions("x", ""));
    }
}
