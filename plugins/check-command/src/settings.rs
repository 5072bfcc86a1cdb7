use crate::words;

/// The keys of this plugin's settings.
///
/// | key | meaning |
/// |---|---|
/// | `command` | the program and its arguments, as a list or as words; the word `{tests}` stands for the task's tests |
/// | `cwd` | the folder to run it in, relative to the workspace; default: its root |
/// | `timeout_s` | seconds after which it is stopped; default: the operator's limit |
/// | `env.NAME` | an environment variable |
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    pub argv: Vec<String>,
    pub cwd: Option<String>,
    /// In milliseconds.
    pub timeout: Option<u64>,
    pub env: Vec<(String, String)>,
}

/// # Errors
/// Which setting is wrong, and what is allowed.
pub fn parse(pairs: &[(String, String)], tests: &[String]) -> Result<Settings, String> {
    let mut settings = Settings::default();
    for (key, value) in pairs {
        match key.as_str() {
            "command" => {
                let words = words::split(value).map_err(|e| format!("command = {value:?}: {e}"))?;
                for word in words {
                    if word == "{tests}" {
                        settings.argv.extend(tests.iter().cloned());
                    } else {
                        settings.argv.push(word);
                    }
                }
            }
            "cwd" => settings.cwd = (!matches!(value.as_str(), "" | ".")).then(|| value.clone()),
            "timeout_s" => {
                let seconds: f64 = value.parse().unwrap_or(f64::NAN);
                if !(seconds > 0.0 && seconds <= 86_400.0) {
                    return Err(format!("timeout_s = {value:?}: seconds, more than 0 and at most 86400"));
                }
                settings.timeout = Some((seconds * 1000.0).ceil() as u64);
            }
            _ => match key.strip_prefix("env.") {
                Some(name) if !name.is_empty() && !name.contains('=') => {
                    settings.env.push((name.to_string(), value.clone()));
                }
                _ => {
                    return Err(format!(
                        "unknown setting {key:?}: allowed are command, cwd, timeout_s, env.NAME"
                    ));
                }
            },
        }
    }
    if settings.argv.is_empty() {
        return Err("command is missing; example: command = \"cargo test\"".into());
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::{Settings, parse};

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(k, v)| ((*k).to_string(), (*v).to_string())).collect()
    }

    #[test]
    fn all_keys_are_read() {
        let given =
            pairs(&[("command", "pytest -q {tests}"), ("cwd", "sub"), ("timeout_s", "1.5"), ("env.CI", "1")]);
        let expected = Settings {
            argv: ["pytest", "-q", "a.py", "b.py"].map(String::from).to_vec(),
            cwd: Some("sub".into()),
            timeout: Some(1500),
            env: vec![("CI".into(), "1".into())],
        };
        assert_eq!(parse(&given, &["a.py".into(), "b.py".into()]), Ok(expected));
    }

    #[test]
    fn a_wrong_setting_is_named() {
        for (given, part) in [
            (pairs(&[]), "command is missing"),
            (pairs(&[("command", "")]), "command is missing"),
            (pairs(&[("command", "a | b")]), "no shell"),
            (pairs(&[("command", "a"), ("timeout_s", "soon")]), "timeout_s"),
            (pairs(&[("command", "a"), ("timeout_s", "-1")]), "timeout_s"),
            (pairs(&[("comand", "a")]), "unknown setting \"comand\""),
            (pairs(&[("command", "a"), ("env.", "1")]), "unknown setting"),
        ] {
            let error = parse(&given, &[]).expect_err(part);
            assert!(error.contains(part), "{error}");
        }
    }
}
