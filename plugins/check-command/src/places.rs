use std::collections::HashMap;

/// The workspace's files, to recognise the paths that tools print.
#[derive(Debug, Default)]
pub struct Places {
    /// By file name.
    paths: HashMap<String, Vec<String>>,
    /// With a closing slash, or empty.
    cwd: String,
}

impl Places {
    pub fn new(paths: impl IntoIterator<Item = String>, cwd: Option<&str>) -> Self {
        let mut by_name: HashMap<String, Vec<String>> = HashMap::new();
        for path in paths {
            let name = path.rsplit('/').next().unwrap_or(&path).to_string();
            by_name.entry(name).or_default().push(path);
        }
        let cwd = cwd.map(|c| format!("{}/", c.trim_matches('/'))).unwrap_or_default();
        Self { paths: by_name, cwd }
    }

    /// The workspace file that a printed path means: as it stands in the command's folder or in the
    /// root, else the file whose path it ends with, or that ends with it, if there is just one.
    pub fn find(&self, printed: &str) -> Option<String> {
        let printed = printed.strip_prefix("file://").unwrap_or(printed).replace('\\', "/");
        let printed = printed.trim_start_matches("./");
        let known = self.paths.get(printed.rsplit('/').next()?)?;
        let here = format!("{}{printed}", self.cwd);
        if let Some(path) =
            known.iter().find(|p| **p == here).or_else(|| known.iter().find(|p| *p == printed))
        {
            return Some(path.clone());
        }
        let ends = |long: &str, short: &str| long.strip_suffix(short).is_some_and(|rest| rest.ends_with('/'));
        if let Some(path) = known.iter().filter(|p| ends(printed, p)).max_by_key(|p| p.len()) {
            return Some(path.clone());
        }
        // Go prints a file's name without its package's folder.
        let mut inner = known.iter().filter(|p| ends(p, printed));
        match (inner.next(), inner.next()) {
            (Some(path), None) => Some(path.clone()),
            _ => None,
        }
    }

    /// `path:line` or `path:line:column` at the start of a text, if the path is in the workspace.
    pub fn place(&self, text: &str) -> Option<(String, u32)> {
        let text = text.trim();
        let text = text.strip_prefix("file://").unwrap_or(text);
        let (path, rest) = text.split_once(':')?;
        let line = rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
        Some((self.find(path)?, line))
    }
}

#[cfg(test)]
mod tests {
    use super::Places;

    #[test]
    fn printed_paths_lead_to_workspace_files() {
        let all = ["src/lib.rs", "app/src/lib.rs", "app/slug_test.go", "test_a.py"];
        let places = Places::new(all.map(String::from), Some("app"));
        for (printed, path) in [
            ("src/lib.rs", Some("app/src/lib.rs")),
            ("./src/lib.rs", Some("app/src/lib.rs")),
            ("/box/app/src/lib.rs", Some("app/src/lib.rs")),
            ("/box/src/lib.rs", Some("src/lib.rs")),
            ("slug_test.go", Some("app/slug_test.go")),
            ("test_a.py", Some("test_a.py")),
            ("lib.rs", None),
            ("/usr/lib/python3/unittest.py", None),
        ] {
            assert_eq!(places.find(printed).as_deref(), path, "{printed}");
        }
        assert_eq!(places.place("/box/test_a.py:12: in f"), Some(("test_a.py".into(), 12)));
        assert_eq!(places.place("src/lib.rs:5:21:"), Some(("app/src/lib.rs".into(), 5)));
        assert_eq!(places.place("test_a.py: no line"), None);
    }
}
