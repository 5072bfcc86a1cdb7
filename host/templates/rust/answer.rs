/// The text of the first Markdown code block; `None` where there is none, or it does not end.
pub fn code(answer: &str) -> Option<String> {
    let mut lines = answer.split('\n');
    lines.find(|line| line.starts_with("```"))?;
    let mut code = String::new();
    for line in lines {
        if line.trim_end() == "```" {
            return Some(code);
        }
        code.push_str(line);
        code.push('\n');
    }
    None
}
