//! What the program says about itself and its configuration.

use crate::test_host::Setup;

#[tokio::test]
async fn every_flag_has_a_variable_and_a_key() {
    for (flag, key, value, printed) in [
        ("--plugins", "plugins_dir", "/p", "plugins_dir = [\"/p\"]"),
        ("--listen", "listen", "127.0.0.1:99", "listen = \"127.0.0.1:99\""),
        ("--store", "store", "memory", "store = \"memory\""),
        ("--role", "role", "worker", "role = \"worker\""),
        ("", "server", "http://h", "server = \"http://h\""),
        ("--state-dir", "state_dir", "/s", "state_dir = \"/s\""),
        ("--record", "record", "/r", "record = \"/r\""),
        ("--replay", "replay", "/r", "replay = \"/r\""),
        ("--log", "log", "debug", "log = \"debug\""),
        ("--log-format", "log_format", "json", "log_format = \"json\""),
        ("", "cache_dir", "/c", "cache_dir = \"/c\""),
        ("", "interpreter", "true", "interpreter = true"),
        ("", "metrics_listen", "127.0.0.1:9", "metrics_listen = \"127.0.0.1:9\""),
        ("", "sqlite.fsync", "everysec", "fsync = \"everysec\""),
        ("", "redis.prefix", "p", "prefix = \"p\""),
        ("", "redis.username", "u", "username = \"u\""),
        ("", "redis.password", "s", "password = \"***\""),
        ("", "redis.sentinel_password", "s", "sentinel_password = \"***\""),
        ("", "redis.ca_file", "/ca", "ca_file = \"/ca\""),
        ("", "redis.wait_replicas", "1", "wait_replicas = 1"),
        ("", "redis.timeout_s", "7", "timeout_s = 7"),
        ("", "token", "t", "token = \"***\""),
        ("", "tokens_file", "/t", "tokens_file = \"/t\""),
        ("", "api.timeout_s", "7", "timeout_s = 7"),
        ("", "pipeline", "default", "pipeline = \"default\""),
        ("", "worker.tasks", "7", "tasks = 7"),
        ("", "worker.lease_s", "7", "lease_s = 7"),
        ("", "worker.grace_s", "7", "grace_s = 7"),
        ("", "worker.name", "w", "name = \"w\""),
        ("", "workspace.max_mib", "7", "max_mib = 7"),
        ("", "workspace.max_files", "7", "max_files = 7"),
        ("", "budget.tokens", "7", "tokens = 7"),
        ("", "budget.cost", "7.5", "cost = 7.5"),
        ("", "budget.wall_s", "7", "wall_s = 7"),
        ("", "budget.compute_s", "7", "compute_s = 7"),
        ("", "exec.timeout_s", "7", "timeout_s = 7"),
        ("", "exec.memory_mib", "7", "memory_mib = 7"),
    ] {
        let variable = format!("AIAGENT_{}", key.to_uppercase().replace('.', "_"));
        let shows = async |setup: Setup, args: &[&str], origin: &str| {
            let said = setup.run(args.iter().copied().chain(["--print-config"])).await;
            assert_eq!((said.code, said.err.as_str()), (0, ""), "{key}");
            let line = said.out.lines().find(|line| line.starts_with(printed));
            let line = line.unwrap_or_else(|| panic!("{printed} is not in\n{}", said.out));
            assert!(line.ends_with(&format!("# {origin}")), "{line}\n want: {origin}");
        };
        if !flag.is_empty() {
            shows(Setup::new(), &[flag, value], "command line").await;
        }
        shows(Setup::new().env(&variable, value), &[], &variable).await;
        let setup = match (key, value.parse::<i64>(), value.parse::<f64>()) {
            ("plugins_dir", ..) => Setup::new().set(key, vec![value.to_owned()]),
            ("interpreter", ..) => Setup::new().set(key, true),
            (_, Ok(number), _) => Setup::new().set(key, number),
            (_, _, Ok(number)) => Setup::new().set(key, number),
            _ => Setup::new().set(key, value),
        };
        let file = setup.path("aiagent.toml").display().to_string();
        shows(setup, &[], &file).await;
    }
}

#[tokio::test]
async fn a_wrong_configuration_says_where_and_what() {
    let setup = Setup::new();
    for (name, file, said) in [
        ("an unknown key", "lisen = \"127.0.0.1:80\"", "1: unknown key `lisen`; did you mean `listen`?"),
        (
            "an unknown key of a model",
            "[models.m]\nbase_ur = \"x\"",
            "2: unknown key `base_ur`; did you mean `base_url`?",
        ),
        ("no TOML", "log = ", "1: "),
        ("a short lease", "[worker]\nlease_s = 1", ""),
    ] {
        let path = setup.file("wrong.toml", file);
        let answer = setup.run(["--config", "wrong.toml", "--print-config"]).await;
        eprintln!("{name}: {}", answer.err);
        assert_eq!((answer.code, answer.out.as_str()), (2, ""), "{name}");
        let origin = if said.is_empty() {
            "error: worker.lease_s: must be from 2 to 600\n".to_owned()
        } else {
            format!("error: {}:{said}", path.file_name().expect("a name").display())
        };
        assert!(answer.err.starts_with(&origin), "{name}: {}\n want: {origin}", answer.err);
    }
    let answer = setup.run(["--config", "nowhere.toml"]).await;
    assert_eq!(
        (answer.code, answer.err.as_str()),
        (2, "error: can't read nowhere.toml: No such file or directory (os error 2)\n")
    );
    let answer = Setup::new().run(["--listen", "localhost:80"]).await;
    let said = "error: command line (listen): \"localhost:80\" is not an IP address and a port, such as 127.0.0.1:8080\n";
    assert_eq!((answer.code, answer.err.as_str()), (2, said));
    let answer = Setup::new().env("AIAGENT_WORKER_TASKS", "many").run(["--print-config"]).await;
    assert_eq!(
        (answer.code, answer.err.as_str()),
        (2, "error: AIAGENT_WORKER_TASKS: \"many\" is not a number\n")
    );
}

#[tokio::test]
async fn the_version_names_commit_and_engine() {
    let said = Setup::new().run(["--version"]).await;
    eprintln!("{}", said.out);
    let words: Vec<&str> = said.out.split_whitespace().collect();
    assert_eq!(&words[..2], ["aiagent-host", env!("CARGO_PKG_VERSION")]);
    assert!(said.out.contains("wasmtime 48."), "{}", said.out);
}

#[tokio::test]
async fn completions_are_for_each_shell() {
    let setup = Setup::new();
    for (shell, part) in [("zsh", "#compdef aiagent-host"), ("fish", "complete -c aiagent-host")] {
        let said = setup.run(["completions", shell]).await;
        assert_eq!((said.code, said.err.as_str()), (0, ""));
        assert!(said.out.contains(part) && said.out.contains("print-config"), "{shell}: {}", said.out);
    }
    let said = setup.run(["completions", "bash"]).await;
    let script = setup.file("completions.bash", &said.out);
    let typed = "COMP_WORDS=(aiagent-host run --app); COMP_CWORD=2; _aiagent__host aiagent-host --app run; echo ${COMPREPLY[*]}";
    let bash = std::process::Command::new("bash")
        .args(["-c", &format!("source {}; {typed}", script.display())])
        .output();
    let bash = bash.expect("bash runs");
    assert_eq!(
        String::from_utf8_lossy(&bash.stdout),
        "--apply\n",
        "{}",
        String::from_utf8_lossy(&bash.stderr)
    );
}

/// `aiagent-host … | head`
#[tokio::test]
async fn a_reader_that_has_read_enough_is_no_error() {
    let setup = Setup::new();
    let mut program = setup.program();
    let mut child = program.args(["completions", "bash"]).spawn().expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().await.expect("it ends");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}
