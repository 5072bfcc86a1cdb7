#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| aiagent_fuzz::archive::archive(data));
