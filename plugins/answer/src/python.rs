//! Repairs to a whole-file answer in Python that are plainly right: without them the file can't work.
//!
//! - a bare body gets the `def` line that the goal or the file gives for it;
//! - a file does not import from itself;
//! - an import or definition the answer uses but left out comes back from the code it was given;
//! - a module of the standard library that is used and not imported is imported;
//! - a definition that others ask for comes back from the file the answer replaces.
/// Top-level statements.
mod chunk;

use crate::source::{Language, definitions, imports, mentions};
use crate::stdlib;
use chunk::{Chunk, Kind, Lexer, chunks, code_of, join, kind};

/// What the answer was given, and what is wanted of it.
pub struct Given<'a> {
    /// The module's own name: `slug` for `src/slug.py`.
    pub module: &'a str,
    /// The code of the goal, and the file as it was before. Later ones are looked at first.
    pub sources: &'a [&'a str],
    /// The names that tests or the goal ask the file for.
    pub symbols: &'a [String],
    /// The file as it was before, if there was one.
    pub before: Option<&'a str>,
}

/// The file the answer means, and one line for the log on each repair.
pub fn repair(answer: &str, given: &Given<'_>) -> (String, Vec<String>) {
    let mut notes = Vec::new();
    let whole = with_signature(answer, given, &mut notes);
    let mut chunks = chunks(&whole);
    drop_self_imports(&mut chunks, given, &mut notes);
    let elided = given.before.is_some() && remove_elisions(&mut chunks);
    put_back(&mut chunks, given, elided, &mut notes);
    let missing = stdlib::missing_imports(&code_of(&join(&chunks)), &|name| is_defined(&chunks, name));
    for import in missing {
        notes.push(format!("put in what the answer uses and does not import: {import}"));
        let at = after(&chunks, |kind| matches!(kind, Kind::Docstring), |text| text.contains("__future__"));
        chunks.insert(at, Chunk { kind: Kind::Other, text: format!("{import}\n") });
    }
    (join(&chunks), notes)
}

/// The first function of `symbols` that the answer leaves without a body: none at all, or the stub it was given.
pub fn hollow<'a>(answer: &str, given: &Given<'a>) -> Option<&'a str> {
    let stub =
        |symbol: &str| given.sources.iter().any(|source| body(source, symbol).is_some_and(|b| idle(&b)));
    given.symbols.iter().map(String::as_str).find(|symbol| match body(answer, symbol) {
        Some(body) => body.trim().is_empty() || (idle(&body) && stub(symbol)),
        None => false,
    })
}

/// The code of a top-level function's body, without strings and comments. `None`: there is no such function, or its
/// body stands on the line of its `def`.
fn body(source: &str, name: &str) -> Option<String> {
    let names = [name.to_owned()];
    let head = signature(source, &names)?;
    let chunks = chunks(source);
    let text = &chunks.iter().rev().find(|chunk| defines(chunk, &names))?.text;
    Some(code_of(&text[text.find(&head)? + head.len()..]))
}

fn idle(body: &str) -> bool {
    let mut lines = body.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.all(|line| matches!(line, "pass" | "...") || line.starts_with("raise NotImplementedError"))
}

fn defines(chunk: &Chunk, symbols: &[String]) -> bool {
    matches!(&chunk.kind, Kind::Definition(names) if symbols.iter().any(|symbol| names.contains(symbol)))
}

/// Whether a line says that code was left out.
pub fn is_elision(line: &str) -> bool {
    const WORDS: &[&str] = &[
        "rest",
        "existing",
        "unchanged",
        "remain",
        "same as",
        "previous",
        "omitted",
        "other functions",
        "as before",
    ];
    let line = line.trim();
    let comment = ["#", "//", "/*", "--", "<!--"].iter().any(|mark| line.starts_with(mark));
    let line = line.to_ascii_lowercase();
    let dots = line.contains("...") || line.contains('…');
    let says = WORDS.iter().any(|word| line.contains(word));
    (comment && dots && says) || (comment && (line.contains("rest of the ") || line.contains("code remains")))
}

fn remove_elisions(chunks: &mut [Chunk]) -> bool {
    let mut found = false;
    for chunk in chunks {
        // Inside a definition the missing part can't be told; there the answer stays as it is.
        let kept: Vec<_> =
            chunk.text.lines().filter(|line| line.starts_with([' ', '\t']) || !is_elision(line)).collect();
        if kept.len() < chunk.text.lines().count() {
            found = true;
            chunk.text = kept.iter().flat_map(|line| [line, "\n"]).collect();
            chunk.kind = kind(&chunk.text);
        }
    }
    found
}

/// The signature of a function named in `symbols`, up to the `:` that ends it.
fn signature(source: &str, symbols: &[String]) -> Option<String> {
    let chunks = chunks(source);
    let text = &chunks.iter().rev().find(|chunk| defines(chunk, symbols))?.text;
    let mut lexer = Lexer::default();
    let mut found = String::new();
    for line in text.lines().skip_while(|line| line.starts_with(['#', '@'])) {
        if found.is_empty() && !(line.starts_with("def ") || line.starts_with("async def ")) {
            return None;
        }
        found.push_str(line);
        found.push('\n');
        lexer.feed(line);
        if !lexer.open() {
            return found.trim_end().ends_with(':').then_some(found);
        }
    }
    None
}

fn with_signature(answer: &str, given: &Given<'_>, notes: &mut Vec<String>) -> String {
    let defined = definitions(answer);
    let first = answer.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    let indented = first.starts_with([' ', '\t']);
    let returns = answer.lines().any(|line| line.starts_with("return ") || line == "return");
    if given.symbols.iter().any(|symbol| defined.contains(symbol)) || !(indented || returns) {
        return answer.to_owned();
    }
    let Some(head) = given.sources.iter().rev().find_map(|source| signature(source, given.symbols)) else {
        return answer.to_owned();
    };
    notes.push(format!("the answer was a bare body: put `{}` in front", head.trim()));
    let body: String = if indented {
        answer.to_owned()
    } else {
        answer
            .lines()
            .map(|line| if line.is_empty() { "\n".into() } else { format!("    {line}\n") })
            .collect()
    };
    format!("{head}{body}")
}

fn drop_self_imports(chunks: &mut Vec<Chunk>, given: &Given<'_>, notes: &mut Vec<String>) {
    let own = |chunk: &Chunk| {
        matches!(chunk.kind, Kind::Import(_))
            && imports(&chunk.text, Language::Python)
                .iter()
                .any(|import| import.module == given.module && !import.names.is_empty())
    };
    let before = chunks.len();
    chunks.retain(|chunk| !own(chunk));
    if chunks.len() < before {
        notes.push(format!("left out an import of {} from itself", given.module));
    }
}

fn is_defined(chunks: &[Chunk], name: &str) -> bool {
    chunks.iter().any(|chunk| match &chunk.kind {
        Kind::Import(names) | Kind::Definition(names) => names.iter().any(|known| known == name),
        Kind::Docstring | Kind::Other => false,
    })
}

fn put_back(chunks: &mut Vec<Chunk>, given: &Given<'_>, elided: bool, notes: &mut Vec<String>) {
    // What comes back may itself need something, so look until nothing is missing. Each turn adds a chunk.
    loop {
        let code = code_of(&join(chunks));
        let has = |name: &String| is_defined(chunks, name);
        let uses = |name: &String| mentions(&code, name);
        let missing = |source: &&str, is_before: bool| {
            chunk::chunks(source).into_iter().find_map(|chunk| match &chunk.kind {
                Kind::Import(names) if names.iter().any(|name| uses(name) && !has(name)) => Some(chunk),
                Kind::Definition(names)
                    if names.iter().any(|name| {
                        !has(name) && (uses(name) || (is_before && (elided || given.symbols.contains(name))))
                    }) =>
                {
                    Some(chunk)
                }
                Kind::Import(_) | Kind::Definition(_) | Kind::Docstring | Kind::Other => None,
            })
        };
        let found =
            given.sources.iter().rev().find_map(|source| missing(source, given.before == Some(source)));
        let Some(chunk) = found else { return };
        let first_line = chunk.text.lines().find(|line| !line.trim().is_empty()).unwrap_or("").to_owned();
        notes.push(format!("put back what the answer needs and left out: {first_line}"));
        let at = match chunk.kind {
            Kind::Import(_) => {
                after(chunks, |kind| matches!(kind, Kind::Docstring), |text| text.contains("__future__"))
            }
            Kind::Definition(_) | Kind::Docstring | Kind::Other => {
                after(chunks, |kind| matches!(kind, Kind::Docstring | Kind::Import(_)), |_| false)
            }
        };
        chunks.insert(at, chunk);
    }
}

fn after(chunks: &[Chunk], kind: impl Fn(&Kind) -> bool, text: impl Fn(&str) -> bool) -> usize {
    chunks.iter().take_while(|chunk| kind(&chunk.kind) || text(&chunk.text)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(answer: &str, goal: &str, before: Option<&str>, symbols: &[&str]) -> String {
        let symbols: Vec<String> = symbols.iter().map(|name| (*name).into()).collect();
        let sources: Vec<&str> = [Some(goal), before].into_iter().flatten().collect();
        repair(answer, &Given { module: "mod", sources: &sources, symbols: &symbols, before }).0
    }

    const STUB: &str = "from typing import List\n\n\ndef total(xs: List[int],\n          start: int = 0) -> int:\n    \"\"\"Sum.\"\"\"\n";

    #[test]
    fn a_right_answer_stays_as_it_is() {
        let answer = "\"\"\"Doc.\"\"\"\nimport os\n\n# why\n@dec\ndef f(a):\n    return \"\"\"\nx = 1\n\"\"\"\n\nif a:\n    b()\nelse:\n    c()\n";
        assert_eq!(repaired(answer, "", None, &["f"]), answer);
        assert_eq!(repaired(answer, "def f(a): ...\n", Some("def f(a):\n    pass\n"), &["f"]), answer);
    }

    #[test]
    fn a_bare_body_gets_its_signature_and_imports() {
        let head =
            "from typing import List\n\n\ndef total(xs: List[int],\n          start: int = 0) -> int:\n";
        let want = format!("{head}    for x in xs:\n        start += x\n    return start\n");
        assert_eq!(
            repaired("    for x in xs:\n        start += x\n    return start\n", STUB, None, &["total"]),
            want
        );
        assert_eq!(
            repaired("for x in xs:\n    start += x\nreturn start\n", "", Some(STUB), &["total"]),
            want
        );
    }

    #[test]
    fn a_function_without_a_body_is_told_from_one_that_does_nothing() {
        let symbols = ["total".to_owned()];
        let hollow = |answer: &str, goal: &str| {
            let sources = [goal];
            let given = Given { module: "mod", sources: &sources, symbols: &symbols, before: None };
            hollow(answer, &given).is_some()
        };
        let passes = "def total(xs):\n    \"\"\"Sum.\"\"\"\n    pass\n";
        for (answer, goal, want) in [
            (STUB, "", true),
            ("def total(xs):\n    # sums\n\nclass A:\n    x = 1\n", "", true),
            (passes, STUB, true),
            (passes, passes, true),
            ("def total(xs):\n    raise NotImplementedError('later')\n", passes, true),
            // Nobody gave it as a stub: it may be meant.
            (passes, "", false),
            ("def total(xs):\n    return 1\n", STUB, false),
            ("def total(xs): return 1\n", STUB, false),
            ("def other(xs):\n    pass\n", STUB, false),
        ] {
            assert_eq!(hollow(answer, goal), want, "{answer}");
        }
    }

    #[test]
    fn a_module_does_not_import_from_itself() {
        let answer = "from mod import f\nimport mod2\n\ndef f():\n    return 1\n";
        assert_eq!(repaired(answer, "", None, &["f"]), "import mod2\n\ndef f():\n    return 1\n");
    }

    #[test]
    fn what_the_answer_uses_comes_back() {
        let given = "import math\nimport os\n\ndef poly(xs, x):\n    return sum(c * math.pow(x, i) for i, c in enumerate(xs))\n\ndef unused():\n    pass\n\ndef zero(xs):\n    \"\"\"Find x.\"\"\"\n";
        let answer = "def zero(xs):\n    return poly(xs, 0)\n";
        let want = "import math\ndef poly(xs, x):\n    return sum(c * math.pow(x, i) for i, c in enumerate(xs))\n\ndef zero(xs):\n    return poly(xs, 0)\n";
        let fixed = repaired(answer, given, None, &["zero"]);
        assert_eq!(fixed.replace("\n\n", "\n"), want.replace("\n\n", "\n"));
    }

    #[test]
    fn prose_that_starts_like_an_import_is_none() {
        let goal = "import the data of a shop\nfrom here on, import what you need\ndef f():\n    pass\n";
        let answer = "def f():\n    return 'the data you need'\n";
        assert_eq!(repaired(answer, goal, None, &["f"]), answer);
    }

    #[test]
    fn what_others_ask_for_and_what_was_elided_comes_back() {
        let before = "def a():\n    return 1\n\ndef b():\n    return 2\n\ndef c():\n    return 3\n";
        let asked = repaired("def b():\n    return 4\n", "", Some(before), &["a", "b"]);
        assert_eq!(asked, "def a():\n    return 1\n\ndef b():\n    return 4\n");
        let elided = repaired("# ... existing code ...\ndef b():\n    return 4\n", "", Some(before), &["b"]);
        assert!(
            elided.contains("return 1") && elided.contains("return 3") && elided.contains("return 4"),
            "{elided}"
        );
        assert!(!elided.contains("existing") && !elided.contains("return 2"), "{elided}");
    }

    #[test]
    fn elisions_are_told_from_code() {
        for line in [
            "# ... rest of the code",
            "// ... existing code ...",
            "# rest of the file",
            "/* … unchanged … */",
        ] {
            assert!(is_elision(line), "{line}");
        }
        for line in ["...", "# other characters", "return [...rest]", "x = y  # same as before"] {
            assert!(!is_elision(line), "{line}");
        }
    }
}
