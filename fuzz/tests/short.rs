//! Every body on damaged samples, briefly. `PROPTEST_CASES=1000000 cargo test --release -p aiagent-fuzz`
//! takes its time.

use std::io::Write as _;

use aiagent_fuzz::{answer, archive, config, cursor, decoder, edits};
use proptest::prelude::*;

/// One damage: where (as a share of the length), what, and with which byte.
type Damage = (f64, u8, u8);

/// A sample with a few damages, or bytes from nowhere.
fn damaged(samples: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let damage =
        (0.0..1.0_f64, any::<u8>(), prop_oneof![any::<u8>(), prop::sample::select(TELLING.to_vec())]);
    let samples = prop::sample::select(samples);
    let from_sample = (samples.clone(), samples, prop::collection::vec(damage, 0..6))
        .prop_map(|(sample, other, damages)| apply(sample, &other, &damages));
    prop_oneof![9 => from_sample, 1 => prop::collection::vec(any::<u8>(), 0..600)]
}

/// Bytes that mean something to a parser.
const TELLING: [u8; 24] = *b"\0\n\r\t \"'\\/.:-+={}[]#`*\x1e09";

fn apply(mut bytes: Vec<u8>, other: &[u8], damages: &[Damage]) -> Vec<u8> {
    for (share, kind, byte) in damages {
        let at = (bytes.len() as f64 * share) as usize;
        match kind % 8 {
            0 | 1 if at < bytes.len() => bytes[at] = *byte,
            2 => bytes.insert(at, *byte),
            3 => bytes.truncate(at),
            4 => drop(bytes.drain(at..bytes.len().min(at + usize::from(*byte)))),
            5 => bytes.splice(at..at, vec![*byte; 300]).for_each(drop),
            6 => {
                let from = (other.len() as f64 * share) as usize;
                bytes.splice(at.., other[from..].iter().copied()).for_each(drop);
            }
            _ => {
                let again = bytes[at.saturating_sub(usize::from(*byte))..at].to_vec();
                bytes.splice(at..at, again).for_each(drop);
            }
        }
    }
    bytes
}

fn prefixed(prefixes: &[&[u8]], samples: &[&[u8]]) -> Vec<Vec<u8>> {
    prefixes.iter().flat_map(|prefix| samples.iter().map(move |sample| [*prefix, sample].concat())).collect()
}

fn responses() -> Vec<Vec<u8>> {
    let bodies: [&[u8]; 8] = [
        include_bytes!("../../plugins/adapter-openai/tests/fixtures/llama-cpp-python-whole.json"),
        include_bytes!("../../plugins/adapter-openai/tests/fixtures/llama-cpp-python-too-long.json"),
        include_bytes!("../../plugins/adapter-openai/tests/fixtures/llama-cpp-python-bad-request.json"),
        include_bytes!("../../plugins/adapter-anthropic/tests/fixtures/whole.json"),
        include_bytes!("../../plugins/adapter-anthropic/tests/fixtures/thinking.sse"),
        include_bytes!("../../plugins/adapter-anthropic/tests/fixtures/tool-use.sse"),
        b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\xc3\xa9\"}}]}\n\ndata: [DONE]\n\n",
        b"\xef\xbb\xbf: note\r\nevent: x\r\ndata: {\"choices\":[{\"index\":0,\"message\":{\"content\":\"a\"},\r\ndata: \"finish_reason\":\"stop\"}]}\r\n\r\n",
    ];
    prefixed(&[b"\0\x03", b"\x03\x20", b"\x06\x01"], &bodies)
}

fn answers() -> Vec<Vec<u8>> {
    let texts: [&[u8]; 9] = [
        include_bytes!("../../plugins/answer/tests/answers/one-file-name-in-comment.md"),
        include_bytes!("../../plugins/answer/tests/answers/prose-around.md"),
        include_bytes!("../../plugins/answer/tests/answers/two-files-names-in-fences.md"),
        include_bytes!("../../plugins/answer/tests/answers/whole-file-for-search-replace.md"),
        b"lib/words.js\n<<<<<<< SEARCH\n  return text.split(' ');\n=======\n  return text.trim().split(/ +/);\n>>>>>>> REPLACE\n",
        b"```diff\n--- a/lib/words.js\n+++ b/lib/words.js\n@@ -1,3 +1,3 @@\n-  return text.split(' ');\n+  return [];\n```\n",
        b"```diff\n--- a/tests/test_slug.py\n+++ b/tests/test_slug.py\n@@ -1 +1 @@\n-    assert slugify('A') == 'a'\n+    pass\n```\n",
        b"### tests/test_slug.py\n```python\ndef test_nothing():\n    pass\n```\n~~~~ `../tests/test_slug.py`\nx\n~~~~",
        b"def slugify(text):\n    return text.lower()\n",
    ];
    prefixed(&[b"\0", b"\x01"], &texts)
}

fn archives() -> Vec<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, kind, content) in [
        ("top/a.txt", tar::EntryType::Regular, "hello\n"),
        ("top/dir/", tar::EntryType::Directory, ""),
        ("top/dir/run", tar::EntryType::Regular, "#!/bin/sh\n"),
        ("top/dir/link", tar::EntryType::Symlink, "../a.txt"),
        ("top/.git/config", tar::EntryType::Regular, "x"),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(if name.ends_with("run") { 0o755 } else { 0o644 });
        let link = kind == tar::EntryType::Symlink;
        header.set_size(if link { 0 } else { content.len() as u64 });
        if link {
            tar.append_link(&mut header, name, content).expect("memory takes all");
        } else {
            tar.append_data(&mut header, name, content.as_bytes()).expect("memory takes all");
        }
    }
    let mut long = tar::Header::new_gnu();
    long.set_size(1);
    long.set_mode(0o644);
    tar.append_data(&mut long, "long/".repeat(60) + "name", &b"x"[..]).expect("memory takes all");
    let records: [(&str, &[u8]); 2] = [("path", b"pax/\xc3\xa9"), ("mtime", b"1.5")];
    tar.append_pax_extensions(records).expect("memory takes all");
    let mut short = tar::Header::new_ustar();
    short.set_size(3);
    short.set_mode(0o644);
    tar.append_data(&mut short, "short", &b"pax"[..]).expect("memory takes all");
    let tar = tar.into_inner().expect("memory takes all");

    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, method) in
        [("top/a.txt", zip::CompressionMethod::Stored), ("top/dir/b", zip::CompressionMethod::Deflated)]
    {
        let options =
            zip::write::SimpleFileOptions::default().compression_method(method).unix_permissions(0o755);
        zip.start_file(name, options).expect("memory takes all");
        zip.write_all(b"hello hello hello\n").expect("memory takes all");
    }
    zip.add_symlink("top/link", "a.txt", zip::write::SimpleFileOptions::default()).expect("memory takes all");
    let zip = zip.finish().expect("memory takes all").into_inner();
    let empty = zip::ZipWriter::new(std::io::Cursor::new(Vec::new())).finish().expect("memory takes all");
    vec![tar, zip, empty.into_inner()]
}

fn configurations() -> Vec<Vec<u8>> {
    let lines: [&[u8]; 5] = [
        b"",
        b"AIAGENT_WORKER_TASKS=7",
        b"AIAGENT_LISTEN=[::1]:0",
        b"AIAGENT_TOKEN=\"t\" # x",
        b"AIAGENT_MODEL_URL=http://127.0.0.1/v1",
    ];
    let files: [&[u8]; 3] = [
        b"\n",
        b"\nlisten = \"127.0.0.1:1\"\nplugins_dir = [\"a\", 'b']\n[models.\"odd name\"]\nbase_url = \"https://m.example/v1\"\nkey_env = \"KEY\"\nprice_input = 0.15\nextra = { top_p = \"0.9\" }\n",
        b"\n[pipelines.quick]\nbuilder = \"builder\"\nprotected = [\"a/**\"]\ntemperatures = [0.0, 1.5]\nmodel = \"\"\n[plugins.check-command]\nexec = true\nmemory_mib = 512\n[budget]\ncost = 1.5\n[exec.env]\nA = \"b\\\"c\"\n",
    ];
    prefixed(&lines, &files)
}

fn cursors() -> Vec<Vec<u8>> {
    let numbers: [&[u8]; 10] = [
        b"0",
        b"1",
        b"2",
        b"3",
        b"007",
        b" 2 ",
        b"+1",
        b"-1",
        b"18446744073709551615",
        b"9223372036854775808",
    ];
    prefixed(&[b"\0", b"\x01"], &numbers)
}

fn edit_lists() -> Vec<Vec<u8>> {
    let lists: [&[u8]; 6] = [
        b"a\nb\nc\n\x1ea\x1eb\n\x1ex\n\x1ed/b\x1etwo\x1e2",
        b"  a\r\n\tb\r\n\x1ea\x1eb\x1ec\x1elink\x1e\x1enew/file\x1e*\x1etext",
        b"a\na\n\x1ea\x1ea\x1eb\x1ea\x1e\x1eappended",
        b"x\x1etests/t.py\x1eassert\x1epass\x1e../x\x1e*\x1ey\x1ebinary\x1e\x1ez",
        b"\xef\xbb\xbfone\n\x1ea\x1eone\x1etwo\x1ed\x1e*\x1ea file now",
        b"x\n\x1ea/b\x1e*\x1ec\x1ea\x1e.git/hooks/x\x1e*\x1ey",
    ];
    lists.map(<[u8]>::to_vec).to_vec()
}

proptest! {
    // Together a few seconds.
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decoders_read_the_same_however_it_is_cut(data in damaged(responses())) {
        decoder::decoder(&data);
    }

    #[test]
    fn answers_leave_protected_files_alone(data in damaged(answers())) {
        answer::answer(&data);
    }

    #[test]
    fn archives_stay_inside_and_within_their_limits(data in damaged(archives())) {
        archive::archive(&data);
    }

    #[test]
    fn configurations_print_as_they_read(data in damaged(configurations())) {
        config::config(&data);
    }

    #[test]
    fn cursors_give_what_comes_after(data in damaged(cursors())) {
        cursor::cursor(&data);
    }

    #[test]
    fn edits_apply_all_or_none(data in damaged(edit_lists())) {
        edits::edits(&data);
    }
}

fn cases() -> u32 {
    ProptestConfig::default().cases.max(1_500)
}

/// What cargo-fuzz starts from.
#[test]
#[ignore = "writes the samples into targets/corpus"]
fn write_the_corpus() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("targets/corpus");
    for (target, samples) in [
        ("decoder", responses()),
        ("answer", answers()),
        ("archive", archives()),
        ("config", configurations()),
        ("cursor", cursors()),
        ("edits", edit_lists()),
    ] {
        std::fs::create_dir_all(corpus.join(target)).expect("writable");
        for (number, sample) in samples.iter().enumerate() {
            std::fs::write(corpus.join(target).join(format!("sample-{number}")), sample).expect("writable");
        }
    }
}
