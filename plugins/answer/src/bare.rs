//! Code in an answer without fences.
use crate::scene::Scene;
use crate::source;

const STARTS: &[&str] = &[
    "def ",
    "async def ",
    "class ",
    "import ",
    "from ",
    "@",
    "#!",
    "\"\"\"",
    "'''",
    "function ",
    "async function ",
    "const ",
    "let ",
    "var ",
    "export ",
    "'use strict'",
    "\"use strict\"",
    "//",
    "/*",
    "fn ",
    "pub ",
    "use ",
    "mod ",
    "struct ",
    "enum ",
    "impl ",
    "#[",
    "package ",
    "func ",
    "type ",
    "<!DOCTYPE",
    "<html",
];

/// The code between the prose around it. `None`: the answer is prose.
pub(crate) fn code(text: &str, scene: &Scene) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let start =
        lines.iter().position(|line| STARTS.iter().any(|start| line.starts_with(start)) && !is_prose(line));
    let start = match start {
        Some(start) => start,
        // The continuation of a signature that the goal gives: an indented body from the first line on.
        None if !scene.goal_code.is_empty() || scene.wanted.len() == 1 => {
            let first = lines.iter().position(|line| !line.trim().is_empty())?;
            lines[first].starts_with([' ', '\t']).then_some(first)?
        }
        None => return None,
    };
    let mut end = lines.len();
    // Prose after the code stands at the margin and ends like a sentence.
    while end > start && (lines[end - 1].trim().is_empty() || is_prose(lines[end - 1])) {
        end -= 1;
    }
    let code: String = lines[start..end].iter().flat_map(|line| [line, "\n"]).collect();
    let body = code.starts_with([' ', '\t']) && code.contains("return");
    (body || !source::definitions(&code).is_empty()).then_some(code)
}

fn is_prose(line: &str) -> bool {
    let words = line.split_whitespace().count();
    let sentence = line.trim_end().ends_with(['.', ':', '!', '?']);
    let starts = line.starts_with(|c: char| c.is_alphabetic() || c == '-' || c == '*' || c.is_ascii_digit());
    let code = [
        "def ",
        "class ",
        "async def ",
        "if ",
        "for ",
        "while ",
        "else:",
        "try:",
        "except",
        "with ",
        "finally:",
    ];
    starts
        && sentence
        && words > 2
        && !line.contains(['=', ';', '{'])
        && !code.iter().any(|start| line.starts_with(start))
}
