use super::*;

fn load(file: &str, environment: Environment) -> Result<Config, ConfigError> {
    let dir = tempfile::tempdir().expect("a scratch folder");
    let path = dir.path().join("aiagent.toml");
    std::fs::write(&path, file).expect("the folder is writable");
    Config::load(&environment, Overrides { config: Some(path), ..Overrides::default() })
}

#[test]
fn each_layer_lies_over_the_one_before() {
    let dir = tempfile::tempdir().expect("a scratch folder");
    let path = dir.path().join("aiagent.toml");
    std::fs::write(&path, "log = \"debug\"\nlisten = \"127.0.0.1:1\"\n[worker]\ntasks = 3\n")
        .expect("writable");
    let environment = Environment::from([("AIAGENT_WORKER_TASKS", "4"), ("AIAGENT_LISTEN", "127.0.0.1:2")]);
    let values = vec![("listen", toml::Value::from("127.0.0.1:3"))];
    let config =
        Config::load(&environment, Overrides { config: Some(path.clone()), values, ..Overrides::default() })
            .expect("valid");
    assert_eq!(config.settings.log, "debug");
    assert_eq!(config.settings.worker.tasks, 4);
    assert_eq!(config.settings.listen.0.port(), 3);
    let printed = config.print();
    for (line, origin) in [
        ("log = \"debug\"", path.to_str().expect("UTF-8")),
        ("tasks = 4", "AIAGENT_WORKER_TASKS"),
        ("listen = \"127.0.0.1:3\"", "command line"),
        ("grace_s = 30", "default"),
    ] {
        assert!(
            printed.lines().any(|l| l.starts_with(line) && l.ends_with(origin)),
            "{line} # {origin}\n{printed}"
        );
    }
}

#[test]
fn bad_files_say_what_where_and_what_to_do() {
    for (file, said) in [
        ("lisen = \"127.0.0.1:80\"", "aiagent.toml:1: unknown key `lisen`; did you mean `listen`?"),
        ("\n[worker]\ntask = 1", "aiagent.toml:3: unknown key `task`; did you mean `tasks`?"),
        ("[models.m]\nbase_ur = \"x\"", "aiagent.toml:2: unknown key `base_ur`; did you mean `base_url`?"),
        (
            "listen = \"localhost:80\"",
            "aiagent.toml:1: \"localhost:80\" is not an IP address and a port, such as 127.0.0.1:8080",
        ),
        (
            "store = \"mysql:x\"",
            "store: \"mysql:x\" is no store; use sqlite:PATH, redis://HOST:PORT or memory",
        ),
        ("pipeline = \"quick\"", "pipeline: no pipeline \"quick\"; there are: default"),
        ("[pipelines.p]\nmax_rounds = 0", "pipelines.p.max_rounds: must be at least 1"),
        ("[pipelines.p]\nmodel = \"big\"", "pipelines.p.model: there is no section [models.big]"),
        ("[pipelines.p]\nprotected = [\"a[\"]", "pipelines.p.protected: \"a[\" is not a glob"),
        ("worker = 1", "invalid type"),
        ("[plugins.p]\ncompute_ms = 0", "plugins.p.compute_ms: must be at least 1"),
        ("[plugins.p]\nmemory_mib = 5000", "plugins.p.memory_mib: must be from 1 to 4096"),
        ("[budget]\nwall_s = 0", "budget.wall_s: must be at least 1"),
        ("[workspace]\nmax_mib = 18446744073709551", "workspace.max_mib: must be from 1 to 4096"),
        ("[worker]\nlease_s = 1", "worker.lease_s: must be from 2 to 600"),
        ("[models.m]\nkey_env = \"sk-canary-1\"", "models.m.key_env: is no variable's name"),
        ("log = ", "aiagent.toml:1"),
    ] {
        let error = load(file, Environment::default()).expect_err(file).to_string();
        assert!(error.contains(said), "{file}\n said: {error}\n want: {said}");
        assert!(!error.contains("canary"), "{error}");
    }
    let error = load("", Environment::from([("AIAGENT_WORKER_TASKS", "many")])).expect_err("not a number");
    assert_eq!(error.to_string(), "AIAGENT_WORKER_TASKS: \"many\" is not a number");
    let environment = Environment::from([("AIAGENT_LOG", "debug"), ("AIAGENT_ROLE", "boss")]);
    let error = load("", environment).expect_err("no such role").to_string();
    assert!(error.starts_with("AIAGENT_ROLE: unknown variant `boss`"), "{error}");
}

#[test]
fn a_variable_that_is_no_text_is_named() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;
    let with = |name: &str| {
        let variable = (OsString::from(name), OsString::from_vec(b"a\xffb".to_vec()));
        load("", Environment::from_iter([variable]))
    };
    let error = with("AIAGENT_TOKEN").expect_err("no token that could be sent").to_string();
    assert_eq!(error, "AIAGENT_TOKEN: its value is not UTF-8; set it anew, or unset it");
    with("LESSCHARSET").expect("another program's");
}

#[test]
fn the_quick_start_variables_make_a_model() {
    let environment = Environment::from([
        ("AIAGENT_MODEL_URL", "http://127.0.0.1:8011/v1"),
        ("AIAGENT_MODEL_NAME", "qwen"),
        ("AIAGENT_MODEL_KEY", "sk-canary"),
    ]);
    let config = load("", environment).expect("valid");
    let model = &config.settings.models["default"];
    assert_eq!((model.model.as_str(), model.key_env.as_str()), ("qwen", "AIAGENT_MODEL_KEY"));
    assert_eq!(model.allow, ["127.0.0.0/8", "::1"]);
    assert!(!config.print().contains("canary"));
}

#[test]
fn the_printed_configuration_reads_back_the_same() {
    let environment =
        Environment::from([("AIAGENT_MODEL_URL", "https://models.example/v1"), ("AIAGENT_TOKEN", "t")]);
    let printed = load("[plugins.x]\nexec = true\n[models.\"odd: \\\"name\"]\nmodel = \"m\"", environment)
        .expect("valid")
        .print();
    assert!(printed.contains("token = \"***\""));
    // What a named section leaves out is printed too.
    assert!(printed.contains("retries = 4 "), "{printed}");
    // As it was written, and not as single precision has it.
    assert!(printed.contains("temperatures = [0.0, 0.8]"), "{printed}");
    let again = load(&printed, Environment::default()).expect("what we print, we read").print();
    let values = |text: &str| {
        text.lines().map(|l| l.split(" # ").next().unwrap_or(l).trim().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(values(&printed), values(&again));
}

#[test]
fn a_variable_that_sets_nothing_is_told() {
    let environment = Environment::from([
        ("AIAGENT_LISTN", "127.0.0.1:1"),
        ("AIAGENT_PLUGINS", "/plugins"),
        ("AIAGENT_SECRET", "a key"),
        ("OTHER", "x"),
    ]);
    let config = load("[models.m]\nkey_env = \"AIAGENT_SECRET\"", environment).expect("valid");
    assert_eq!(
        config.warnings,
        ["the variable AIAGENT_LISTN is no setting of this program; did you mean AIAGENT_LISTEN?"]
    );
    assert!(config.print().lines().any(|line| line.ends_with("# AIAGENT_PLUGINS")), "{}", config.print());
}
