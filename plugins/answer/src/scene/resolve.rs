//! From an import to a file of the tree, by the rules of Python and JavaScript.
use super::Scene;
use crate::source::{self, Import, Language};
use crate::stdlib;

/// Where an import leads.
pub(super) enum Target {
    Existing(String),
    /// A module nobody has written yet.
    Missing(String),
}

impl Scene {
    /// The files of the tree, or the one to be written, that `import` in the file `from` stands for.
    pub(super) fn resolve(&self, from: &str, import: &Import) -> Vec<Target> {
        match source::language(from) {
            Language::Python => self.resolve_python(from, import),
            Language::Script => self.resolve_script(from, &import.module).into_iter().collect(),
            Language::Rust | Language::Go | Language::Other => Vec::new(),
        }
    }

    fn resolve_python(&self, from: &str, import: &Import) -> Vec<Target> {
        let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
        let dots = import.module.len() - import.module.trim_start_matches('.').len();
        let steps = import.module.trim_start_matches('.').replace('.', "/");
        let mut bases = Vec::new();
        let mut base = Some(folder);
        while let Some(folder) = base {
            bases.push(folder.to_owned());
            base = folder.rsplit_once('/').map(|(parent, _)| parent).or((!folder.is_empty()).then_some(""));
        }
        if dots > 0 {
            bases = bases.into_iter().skip(dots - 1).take(1).collect();
        } else {
            bases.push("src".into());
        }
        let join = |parts: [&str; 2]| {
            parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("/")
        };
        for base in &bases {
            let place = join([base, &steps]);
            let mut found = Vec::new();
            for path in [format!("{place}.py"), join([&place, "__init__.py"])] {
                if self.entry(&path).is_some() {
                    found.push(Target::Existing(path));
                }
            }
            let inner = import.names.iter().map(|name| format!("{}.py", join([&place, name])));
            found.extend(inner.filter(|path| self.entry(path).is_some()).map(Target::Existing));
            if !found.is_empty() {
                return found;
            }
        }
        if dots > 0 || steps.is_empty() || stdlib::is_foreign(&import.module) {
            return Vec::new();
        }
        // A module nobody has written yet: where its package is, else where the tests' project starts.
        let top = steps.split('/').next().unwrap_or("");
        let holds = |base: &&String| {
            let package = format!("{}/", join([base, top]));
            self.entries.iter().any(|entry| entry.path.starts_with(&package))
        };
        let in_tests = |base: &&String| {
            let last = base.rsplit('/').next().unwrap_or("");
            !matches!(last, "tests" | "test") && base.as_str() != "src"
        };
        let home = bases.iter().find(holds).or_else(|| bases.iter().find(in_tests));
        home.map(|base| Target::Missing(format!("{}.py", join([base, &steps])))).into_iter().collect()
    }

    fn resolve_script(&self, from: &str, module: &str) -> Option<Target> {
        if !module.starts_with('.') {
            return None;
        }
        let mut parts: Vec<&str> = from.split('/').collect();
        parts.pop();
        for part in module.split('/') {
            match part {
                "." | "" => {}
                ".." => {
                    parts.pop()?;
                }
                part => parts.push(part),
            }
        }
        let place = parts.join("/");
        let endings = ["", ".js", ".ts", ".mjs", ".cjs", ".tsx", ".jsx", "/index.js", "/index.ts"];
        let mut candidates = endings.iter().map(|ending| format!("{place}{ending}"));
        if let Some(path) = candidates.find(|path| self.entry(path).is_some()) {
            return Some(Target::Existing(path));
        }
        let typed = from.ends_with(".ts") || from.ends_with(".tsx");
        let named = source::language(&place) == Language::Script || place.ends_with(".json");
        let ending = if named {
            ""
        } else if typed {
            ".ts"
        } else {
            ".js"
        };
        Some(Target::Missing(format!("{place}{ending}")))
    }
}
