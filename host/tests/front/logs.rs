//! Where the log goes.

use std::os::unix::net::UnixDatagram;

use crate::test_host::Setup;

/// Something to log, and then the end.
const ASK: [&str; 3] = ["healthcheck", "--server", "http://127.0.0.1:1"];

#[tokio::test]
async fn the_journal_gets_fields_of_its_own() {
    let setup = Setup::new().set("log_format", "journald").env("AIAGENT_LISTN", "x");
    let folder = setup.path("journal");
    std::fs::create_dir(&folder).expect("ours");
    let journal = UnixDatagram::bind(folder.join("socket")).expect("a socket");
    let folder = folder.display().to_string();
    let with_journal =
        ["bwrap", "--dev-bind", "/", "/", "--tmpfs", "/run", "--bind", &folder, "/run/systemd/journal"];
    let said = setup.run_in(&with_journal, ASK).await;
    assert!(said.code == 1 && !said.err.contains("AIAGENT_LISTN"), "{}", said.err);
    journal.set_nonblocking(true).expect("ours");
    let (mut entries, mut entry) = (Vec::new(), vec![0; 1 << 16]);
    while let Ok(length) = journal.recv(&mut entry) {
        entries.extend_from_slice(&entry[..length]);
    }
    let entries = String::from_utf8_lossy(&entries);
    for part in ["PRIORITY", "MESSAGE", "did you mean AIAGENT_LISTEN?"] {
        assert!(entries.contains(part), "{entries:?}\n want: {part}");
    }

    let said = setup.run_in(&["bwrap", "--dev-bind", "/", "/", "--tmpfs", "/run"], ASK).await;
    assert!(said.code == 2 && said.err.contains("systemd's journal can't be reached"), "{}", said.err);
}
