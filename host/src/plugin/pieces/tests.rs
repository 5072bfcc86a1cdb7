//! Rewritten modules against what they were.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use wasmtime::{Caller, Config, Engine, Instance, Module, Store, UpdateDeadline};

use super::*;

const MIB: i32 = 1 << 20;

/// Two memories of 8 MiB, the first with a pattern in it, and a passive segment of 3 MiB.
fn guest() -> Vec<u8> {
    let data: String = (0..3 * MIB).map(|n| char::from(b'a' + (n % 23) as u8)).collect();
    wat::parse_str(format!(
        r#"(module
            (import "test" "note" (func $note))
            (memory (export "one") 128) (memory (export "two") 128)
            (data $text "{data}")
            (func (export "fill") (param i32 i32 i32)
                (call $note) (memory.fill 0 (local.get 0) (local.get 1) (local.get 2)))
            (func (export "fill-two") (param i32 i32 i32)
                (memory.fill 1 (local.get 0) (local.get 1) (local.get 2)))
            (func (export "copy") (param i32 i32 i32)
                (memory.copy 0 0 (local.get 0) (local.get 1) (local.get 2)))
            (func (export "copy-across") (param i32 i32 i32)
                (memory.copy 1 0 (local.get 0) (local.get 1) (local.get 2)))
            (func (export "init") (param i32 i32 i32)
                (memory.init 0 $text (local.get 0) (local.get 1) (local.get 2))))"#
    ))
    .expect("it parses")
}

/// Whether it trapped, and what it left in the memories.
fn run(engine: &Engine, wasm: &[u8], name: &str, arguments: (i32, i32, i32)) -> (bool, Vec<u8>) {
    let module = Module::from_binary(engine, wasm).expect("it is valid");
    let mut store = Store::new(engine, ());
    let note = wasmtime::Func::wrap(&mut store, |_: Caller<'_, ()>| ());
    let instance = Instance::new(&mut store, &module, &[note.into()]).expect("it starts");
    let [one, two] = ["one", "two"].map(|name| instance.get_memory(&mut store, name).expect("exported"));
    for (index, byte) in one.data_mut(&mut store).iter_mut().enumerate() {
        *byte = (index % 251) as u8;
    }
    let function = instance.get_typed_func::<(i32, i32, i32), ()>(&mut store, name).expect("exported");
    let trapped = function.call(&mut store, arguments).is_err();
    (trapped, [one.data(&store), two.data(&store)].concat())
}

#[test]
fn pieces_do_what_the_whole_instruction_does() {
    let engine = Engine::default();
    let whole = guest();
    let steady = module(&whole).expect("it can be read");
    assert_ne!(*steady, whole);
    let end = 8 * MIB;
    let cases = [
        ("fill", (0, 7, end)),
        ("fill", (3, 7, 1)),
        ("fill", (MIB, 7, MIB)),
        ("fill", (5, 7, 3 * MIB + 11)),
        ("fill", (end, 7, 0)),
        ("fill", (end - 3 * MIB, 7, 3 * MIB + 1)),
        ("fill", (-1, 7, -1)),
        ("fill-two", (9, 7, 2 * MIB)),
        ("copy", (0, 100, 5 * MIB)),
        ("copy", (100, 0, 5 * MIB)),
        ("copy", (100, 0, MIB + 1)),
        ("copy", (2 * MIB, 0, 3 * MIB)),
        ("copy", (0, 4 * MIB, 4 * MIB + 1)),
        ("copy", (4 * MIB, 0, 4 * MIB + 1)),
        ("copy-across", (3, 1, 6 * MIB)),
        ("init", (3, 1, 2 * MIB + 5)),
        ("init", (0, 0, 3 * MIB)),
    ];
    for (name, arguments) in cases {
        let whole = run(&engine, &whole, name, arguments);
        let steady = run(&engine, &steady, name, arguments);
        assert_eq!(steady.0, whole.0, "{name} {arguments:?} traps");
        assert!(steady.1 == whole.1, "{name} {arguments:?} leaves something else");
    }
}

#[test]
fn a_guest_is_looked_at_once_a_piece() {
    let engine = Engine::new(Config::new().epoch_interruption(true)).expect("an engine");
    let steady = module(&guest()).expect("it can be read").into_owned();
    let module = Module::from_binary(&engine, &steady).expect("it is valid");
    let mut store = Store::new(&engine, ());
    let looks = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&looks);
    store.set_epoch_deadline(0);
    store.epoch_deadline_callback(move |_| {
        counted.fetch_add(1, Relaxed);
        Ok(UpdateDeadline::Continue(0))
    });
    let note = wasmtime::Func::wrap(&mut store, |_: Caller<'_, ()>| ());
    let instance = Instance::new(&mut store, &module, &[note.into()]).expect("it starts");
    for name in ["fill", "copy"] {
        looks.store(0, Relaxed);
        let function = instance.get_typed_func::<(i32, i32, i32), ()>(&mut store, name).expect("exported");
        function.call(&mut store, (100, 0, 7 * MIB)).expect("it is in bounds");
        assert!(looks.load(Relaxed) >= 7, "{name}: {looks:?}");
    }
}

/// A number may be spelled with more bytes than it needs, and is the same operation.
#[test]
fn no_spelling_is_overlooked() {
    let plain = wat::parse_str(
        r#"(module (memory 1) (func (param i32 i32 i32)
            (memory.fill (local.get 0) (local.get 1) (local.get 2))))"#,
    )
    .expect("it parses");
    let at = plain.windows(3).position(|bytes| bytes == [LEAD, 11, 0]).expect("the instruction");
    let mut longwinded = plain.clone();
    longwinded.splice(at..at + 3, [LEAD, 11 | MORE, 0, 0]);
    // The body, and the section around it, are one byte longer.
    let body = plain.windows(2).position(|bytes| bytes == [1, 11]).expect("the code section's head");
    longwinded[body + 1] += 1;
    longwinded[body - 1] += 1;
    let engine = Engine::default();
    for wasm in [plain, longwinded] {
        Module::validate(&engine, &wasm).expect("it is valid");
        let steady = module(&wasm).expect("it can be read");
        Module::validate(&engine, &steady).expect("it stays valid");
        assert!(steady.windows(2).any(|bytes| bytes == [CALL, 1]), "{steady:x?}");
    }
}
