//! Finds the code blocks of a model's answer: CommonMark's fences, and the ways models get them wrong.

/// One code block.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// What follows the opening fence, trimmed: `python`, `js title="a.js"`. Often empty.
    pub info: String,
    /// The content without the fence's own indentation; ends with a line break unless empty.
    pub content: String,
    /// The text between the block before (or the start) and this one.
    pub before: String,
    /// Whether a closing fence was found.
    pub closed: bool,
}

struct Fence<'a> {
    mark: char,
    length: usize,
    indent: usize,
    info: &'a str,
}

fn fence(line: &str) -> Option<Fence<'_>> {
    // Quoted and list-item fences: models put blocks in both.
    let bare = line.trim_start_matches([' ', '\t']);
    let indent = line.len() - bare.len();
    let mark = bare.chars().next().filter(|c| *c == '`' || *c == '~')?;
    let length = bare.chars().take_while(|c| *c == mark).count();
    let info = bare[length..].trim();
    (length >= 3 && !(mark == '`' && info.contains('`'))).then_some(Fence { mark, length, indent, info })
}

fn dedent(line: &str, indent: usize) -> &str {
    let blanks = line.len() - line.trim_start_matches([' ', '\t']).len();
    &line[blanks.min(indent)..]
}

/// All blocks of `text`, in order. Line ends become `\n`.
///
/// A fence inside a block opens a nested one when it carries an info string (Markdown files and
/// docstrings hold such). If then the last block never closes, somebody forgot a closing fence, and each
/// opening fence is taken to end the block before it.
pub fn blocks(text: &str) -> Vec<Block> {
    let text = text.replace("\r\n", "\n");
    let nested = scan(&text, true);
    if nested.last().is_none_or(|block| block.closed) {
        return nested;
    }
    let flat = scan(&text, false);
    if flat.last().is_some_and(|block| block.closed) { flat } else { nested }
}

fn scan(text: &str, nesting: bool) -> Vec<Block> {
    let mut found = Vec::new();
    let mut before = String::new();
    let mut lines = text.lines();
    let mut next = None;
    loop {
        let Some(mut open) = next.take().or_else(|| {
            lines.by_ref().find_map(|line| {
                let open = fence(line);
                if open.is_none() {
                    before.push_str(line);
                    before.push('\n');
                }
                open
            })
        }) else {
            return found;
        };
        let mut content = String::new();
        let mut depth = 0;
        let mut closed = false;
        for line in lines.by_ref() {
            let inner = fence(line)
                .filter(|f| f.mark == open.mark && f.length >= open.length && f.indent <= open.indent + 3);
            match inner {
                Some(inner) if inner.info.is_empty() && depth == 0 => closed = true,
                Some(inner) if inner.info.is_empty() => depth -= 1,
                Some(inner) if depth == 0 && open.info.is_empty() && lone_line(&content) => {
                    // "```", a file name, "```python": the first fence was only decoration.
                    before.push_str(&content);
                    content.clear();
                    open = inner;
                    continue;
                }
                Some(_) if nesting => depth += 1,
                Some(inner) => {
                    next = Some(inner);
                    closed = true;
                }
                None => {}
            }
            if closed {
                break;
            }
            content.push_str(dedent(line, open.indent));
            content.push('\n');
        }
        if !closed {
            closed = close_glued(&mut content, open.mark);
        }
        found.push(Block {
            info: open.info.to_owned(),
            content,
            before: std::mem::take(&mut before),
            closed,
        });
    }
}

fn lone_line(content: &str) -> bool {
    content.lines().filter(|line| !line.trim().is_empty()).count() <= 1
}

/// A closing fence at the end of the last line of code.
fn close_glued(content: &mut String, mark: char) -> bool {
    let fence: String = std::iter::repeat_n(mark, 3).collect();
    let Some(rest) = content.trim_end().strip_suffix(&fence).filter(|rest| !rest.ends_with('\n')) else {
        return false;
    };
    *content = format!("{}\n", rest.trim_end());
    true
}

/// The shortest fence of backticks that can hold `content`.
pub fn around(content: &str) -> String {
    let longest = content.lines().filter_map(fence).filter(|f| f.mark == '`').map(|f| f.length).max();
    "`".repeat(longest.map_or(3, |length| length + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(text: &str) -> Vec<(String, String, bool)> {
        blocks(text).into_iter().map(|b| (b.info, b.content, b.closed)).collect()
    }

    fn one(info: &str, content: &str, closed: bool) -> Vec<(String, String, bool)> {
        vec![(info.into(), content.into(), closed)]
    }

    #[test]
    fn reads_fences_as_models_write_them() {
        for (text, want) in [
            ("Sure:\n```python\nx = 1\n```\nDone.", one("python", "x = 1\n", true)),
            ("~~~\nx\n~~~", one("", "x\n", true)),
            ("```py\r\nx\r\n```\r\n", one("py", "x\n", true)),
            ("1. First\n\n   ```js\n   f(\n     1)\n   ```\n", one("js", "f(\n  1)\n", true)),
            ("````md\n```sh\nls\n```\n````", one("md", "```sh\nls\n```\n", true)),
            ("```md\n# A\n```sh\nls\n```\nend\n```", one("md", "# A\n```sh\nls\n```\nend\n", true)),
            ("```python\nx = 1", one("python", "x = 1\n", false)),
            ("```python\nreturn x```", one("python", "return x\n", true)),
            (
                "```python\ndef f():\n    \"\"\"\n    ```\n    f()\n    ```\n    \"\"\"\n```",
                one("python", "def f():\n    \"\"\"\n    ```\n    f()\n    ```\n    \"\"\"\n", true),
            ),
            ("no code, only `inline` and ```inline``` marks", vec![]),
        ] {
            assert_eq!(contents(text), want, "{text}");
        }
    }

    #[test]
    fn a_fence_around_a_file_name_is_decoration() {
        let found = blocks("```\nstore.py\n```python\nx\n```\n\n```\nreport.py\n```python\ny\n```");
        let seen: Vec<_> = found.iter().map(|b| (b.before.trim(), b.content.as_str())).collect();
        assert_eq!(seen, [("store.py", "x\n"), ("report.py", "y\n")]);
    }

    #[test]
    fn a_forgotten_closing_fence_does_not_swallow_the_next_block() {
        let found = contents("```python\nx\n```python\ny\n```");
        assert_eq!(found, [("python".into(), "x\n".into(), true), ("python".into(), "y\n".into(), true)]);
    }

    #[test]
    fn a_shown_file_gets_a_fence_longer_than_any_in_it() {
        assert_eq!(around("plain"), "```");
        assert_eq!(around("a\n````\nb"), "`````");
    }
}
