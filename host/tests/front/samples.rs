//! The sample tasks, answered from their recordings as `make run` does and with the settings of
//! `host/samples/aiagent.toml`.

use crate::test_host::Setup;

/// Each sample with the plugins it goes through, and its exit code.
const SAMPLES: [(&str, &str, i32); 7] = [
    ("bank", "builder check-python", 0),
    ("fizz", "builder check-python fixer check-python", 0),
    ("luhn", "builder check-python fixer check-python", 0),
    ("search", "builder check-python fixer check-python", 0),
    ("slug", "builder check-python", 0),
    ("stats", "builder check-python", 0),
    ("thirds", "builder check-python fixer check-python fixer check-python fixer check-python", 1),
];

#[tokio::test]
async fn every_sample_ends_as_it_was_recorded() {
    let samples = std::path::absolute("samples").expect("a working folder");
    let folders = std::fs::read_dir(&samples).expect("host/samples").flatten();
    let mut named: Vec<String> = folders
        .filter(|entry| entry.path().join("goal.txt").exists())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    named.sort();
    assert_eq!(named, SAMPLES.map(|(name, ..)| name));
    for (name, steps, code) in SAMPLES {
        let folder = samples.join(name);
        let goal = std::fs::read_to_string(folder.join("goal.txt")).expect("a goal");
        let files = folder.join("files").display().to_string();
        let recording = samples.join("recordings").join(format!("{name}.jsonl")).display().to_string();
        let test = format!("test_{name}.py");
        let args = ["--replay", &recording, "run", goal.trim_end(), "--dir", &files, "--tests", &test];
        let fixer = toml::Table::from_iter([("approach".to_owned(), "afresh".into())]);
        let setup = Setup::new()
            .set("models.default.model", "qwen2.5-coder-1.5b-instruct")
            .set("pipelines.default.fixer_settings", fixer);
        let said = setup.run(args).await;
        let taken = said.err.lines().filter_map(|line| line.strip_prefix("▶ ")?.split_whitespace().nth(1));
        assert_eq!(
            (taken.collect::<Vec<_>>().join(" ").as_str(), said.code),
            (steps, code),
            "{name}: {}",
            said.err
        );
    }
}
