/// Splits a command into its words: a JSON (or TOML) list of strings as it is, anything else at
/// blanks, with shell-like quotes and backslashes. No variables, globs or operators.
///
/// # Errors
/// An open quote, a malformed list, or an operator that only a shell understands; in words.
pub fn split(command: &str) -> Result<Vec<String>, String> {
    let command = command.trim();
    if command.starts_with('[') {
        return list(command);
    }
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = command.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\n' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('\'') => break,
                        Some(c) => word.push(c),
                        None => return Err("a ' is not closed".into()),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('"') => break,
                        Some('\\') => word.extend(chars.next()),
                        Some(c) => word.push(c),
                        None => return Err("a \" is not closed".into()),
                    }
                }
            }
            '\\' => word.get_or_insert_default().extend(chars.next()),
            '|' | '&' | ';' | '<' | '>' | '`' | '$' => {
                return Err(format!(
                    "there is no shell, so {c} has no meaning: quote it, or run [\"sh\", \"-c\", \"…\"]"
                ));
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

fn list(text: &str) -> Result<Vec<String>, String> {
    serde_json::from_str(text).map_err(|e| format!("not a list of strings: {e}"))
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn commands_are_split_like_in_a_shell_without_being_run_by_one() {
        let cases: &[(&str, &[&str])] = &[
            ("cargo test", &["cargo", "test"]),
            ("  a\t b\n", &["a", "b"]),
            ("python3 -c 'print(1)'", &["python3", "-c", "print(1)"]),
            (r#"a "b c" 'd "e"' f\ g"#, &["a", "b c", "d \"e\"", "f g"]),
            (r#"a "" "b\"c""#, &["a", "", "b\"c"]),
            (r#"["sh", "-c", "a | b"]"#, &["sh", "-c", "a | b"]),
            ("", &[]),
        ];
        for (command, words) in cases {
            assert_eq!(split(command).as_deref(), Ok(&words.map_strings()[..]), "{command}");
        }
    }

    #[test]
    fn what_needs_a_shell_is_refused() {
        for command in ["a | b", "a && b", "a > f", "echo $HOME", "a 'b", "a \"b", "[1, 2]", "[\"a\""] {
            assert!(split(command).is_err(), "{command}");
        }
    }

    trait MapStrings {
        fn map_strings(&self) -> Vec<String>;
    }

    impl MapStrings for &[&str] {
        fn map_strings(&self) -> Vec<String> {
            self.iter().map(ToString::to_string).collect()
        }
    }
}
