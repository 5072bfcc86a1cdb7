//! Bulk operations in pieces.
//!
//! A guest is interrupted at its loops and calls. `memory.fill`, `memory.copy` and `memory.init` are neither:
//! one of them may write all of a memory, which takes a fresh machine a quarter of a second for 128 MiB. So
//! each becomes a call of a function that is added to its module and does the same in a loop.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use wasm_encoder::{BlockType, ComponentSectionId, Encode as _, Function, InstructionSink, SectionId};
use wasmparser::{
    BinaryReader, Chunk, CodeSectionReader, FunctionBody, ImportSectionReader, Operator, Parser, Payload,
    TypeRef, TypeSectionReader,
};

/// A millisecond or two where the kernel has to find memory for it, and thousands of times the cost of the
/// call.
const PIECE: i32 = 1 << 20;

/// `0xFC` leads all bulk operations, and then their number, in one byte or with a bit that says more follows.
const LEAD: u8 = 0xfc;
const NUMBERS: [u8; 3] = [8, 10, 11];
const MORE: u8 = 0x80;

/// `(i32, i32, i32) -> ()`, as the type section spells it.
const SIGNATURE: [u8; 6] = [0x60, 3, 0x7f, 0x7f, 0x7f, 0];
const CALL: u8 = 0x10;

/// By which memories and data they are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Bulk {
    Fill { memory: u32 },
    Copy { to: u32, from: u32 },
    Init { memory: u32, data: u32 },
}

/// A function's locals and instructions, and where in them its bulk operations are.
struct Body<'a> {
    bytes: &'a [u8],
    found: Vec<(Range<usize>, Bulk)>,
}

/// The component with all bulk operations of its modules in pieces. An error says why it can't be read.
pub(super) fn component(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let sections = sections(bytes)?;
    let mut steady = like(bytes);
    for (id, content) in sections {
        let data = if id == ComponentSectionId::CoreModule as u8 {
            module(content)?
        } else if id == ComponentSectionId::Component as u8 {
            Cow::Owned(component(content)?)
        } else {
            Cow::Borrowed(content)
        };
        steady.push(id);
        data.encode(&mut steady);
    }
    Ok(steady)
}

/// The head of a file, with room for the rest of it: CPython's is 30 MB, which nobody wants to move around.
fn like(bytes: &[u8]) -> Vec<u8> {
    const HEAD: usize = 8;
    const ADDED: usize = 4 << 10;
    let mut steady = Vec::with_capacity(bytes.len() + ADDED);
    steady.extend_from_slice(&bytes[..HEAD]);
    steady
}

fn module(bytes: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    let sections = sections(bytes)?;
    let code = sections.iter().find(|(id, _)| *id == SectionId::Code as u8);
    let mut bodies = Vec::new();
    if let Some((_, content)) = code {
        for body in CodeSectionReader::new(BinaryReader::new(content, 0)).map_err(unreadable)? {
            bodies.push(Body::read(&body.map_err(unreadable)?)?);
        }
    }
    let mut helpers: BTreeMap<Bulk, u32> =
        bodies.iter().flat_map(|body| &body.found).map(|(_, bulk)| (*bulk, 0)).collect();
    if helpers.is_empty() {
        return Ok(Cow::Borrowed(bytes));
    }
    let (mut types, mut functions) = (0, bodies.len() as u32);
    for (id, content) in &sections {
        let reader = BinaryReader::new(content, 0);
        if *id == SectionId::Type as u8 {
            for group in TypeSectionReader::new(reader).map_err(unreadable)? {
                types += group.map_err(unreadable)?.types().len() as u32;
            }
        } else if *id == SectionId::Import as u8 {
            for import in ImportSectionReader::new(reader).map_err(unreadable)?.into_imports() {
                let function =
                    matches!(import.map_err(unreadable)?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_));
                functions += u32::from(function);
            }
        }
    }
    for (index, helper) in helpers.values_mut().enumerate() {
        *helper = functions + index as u32;
    }
    let mut steady = like(bytes);
    for (id, content) in &sections {
        let id = *id;
        let data = if id == SectionId::Type as u8 {
            Cow::Owned(longer(content, &[SIGNATURE.to_vec()])?)
        } else if id == SectionId::Function as u8 {
            Cow::Owned(longer(content, &vec![encoded(&types); helpers.len()])?)
        } else if id == SectionId::Code as u8 {
            Cow::Owned(code_section(&bodies, &helpers))
        } else {
            Cow::Borrowed(*content)
        };
        steady.push(id);
        data.encode(&mut steady);
    }
    Ok(Cow::Owned(steady))
}

/// Each section's number and content.
fn sections(bytes: &[u8]) -> Result<Vec<(u8, &[u8])>, String> {
    let mut parser = Parser::new(0);
    let (mut sections, mut at) = (Vec::new(), 0);
    loop {
        let rest = bytes.get(at..).ok_or("a section is longer than its file")?;
        let (payload, consumed) = match parser.parse(rest, true).map_err(unreadable)? {
            Chunk::Parsed { payload, consumed } => (payload, consumed),
            Chunk::NeedMoreData(_) => return Err("it ends early".to_owned()),
        };
        at += consumed;
        match &payload {
            Payload::CodeSectionStart { range, .. } => {
                parser.skip_section();
                at = range.end;
            }
            Payload::ModuleSection { unchecked_range, .. }
            | Payload::ComponentSection { unchecked_range, .. } => {
                at = unchecked_range.end;
            }
            Payload::End(_) => return Ok(sections),
            _ => {}
        }
        if let Some((id, range)) = payload.as_section() {
            sections.push((id, bytes.get(range).ok_or("a section is longer than its file")?));
        }
    }
}

impl<'a> Body<'a> {
    fn read(body: &FunctionBody<'a>) -> Result<Self, String> {
        let (bytes, mut found) = (body.as_bytes(), Vec::new());
        // Most bodies hold none, and to read them all would take as long as the rest of loading.
        let maybe = |at| bytes.get(at + 1).is_some_and(|number| NUMBERS.contains(&(number & !MORE)));
        if !memchr::memchr_iter(LEAD, bytes).any(maybe) {
            return Ok(Self { bytes, found });
        }
        let begin = body.range().start;
        let mut operators = body.get_operators_reader().map_err(unreadable)?;
        while !operators.eof() {
            let (operator, at) = operators.read_with_offset().map_err(unreadable)?;
            let bulk = match operator {
                Operator::MemoryFill { mem } => Bulk::Fill { memory: mem },
                Operator::MemoryCopy { dst_mem, src_mem } => Bulk::Copy { to: dst_mem, from: src_mem },
                Operator::MemoryInit { data_index, mem } => Bulk::Init { memory: mem, data: data_index },
                _ => continue,
            };
            found.push((at - begin..operators.original_position() - begin, bulk));
        }
        Ok(Self { bytes, found })
    }
}

/// The bodies with calls in the places of their bulk operations, and then what they call.
fn code_section(bodies: &[Body<'_>], helpers: &BTreeMap<Bulk, u32>) -> Vec<u8> {
    let mut section = encoded(&((bodies.len() + helpers.len()) as u32));
    let mut steady = Vec::new();
    for Body { bytes, found } in bodies {
        steady.clear();
        let mut copied = 0;
        for (place, bulk) in found {
            steady.extend_from_slice(&bytes[copied..place.start]);
            steady.push(CALL);
            helpers[bulk].encode(&mut steady);
            copied = place.end;
        }
        steady.extend_from_slice(&bytes[copied..]);
        steady.encode(&mut section);
    }
    for bulk in helpers.keys() {
        bulk.helper().encode(&mut section);
    }
    section
}

/// A section that is a list, with more at its end.
fn longer(section: &[u8], more: &[Vec<u8>]) -> Result<Vec<u8>, String> {
    let mut reader = BinaryReader::new(section, 0);
    let count = reader.read_var_u32().map_err(unreadable)?;
    let mut longer = encoded(&(count + more.len() as u32));
    longer.extend_from_slice(&section[reader.original_position()..]);
    longer.extend(more.iter().flatten());
    Ok(longer)
}

/// The parameters of a helper: where to, where from or the byte to write, and how many bytes are left.
const TO: u32 = 0;
const FROM: u32 = 1;
const LEFT: u32 = 2;

impl Bulk {
    fn helper(self) -> Function {
        let mut function = Function::new([]);
        let mut code = function.instructions();
        code.local_get(LEFT).i32_const(PIECE).i32_gt_u();
        // What reaches out of bounds traps before it writes anything, and so is left to the instruction itself.
        match self {
            Self::Fill { memory } | Self::Init { memory, .. } => within(&mut code, TO, memory),
            Self::Copy { to, from } => {
                within(&mut code, TO, to);
                within(&mut code, FROM, from);
            }
        }
        code.if_(BlockType::Empty);
        match self {
            // What overlaps is copied from the end that is not overwritten first.
            Self::Copy { to, from } if to == from => {
                code.local_get(TO).local_get(FROM).i32_le_u().if_(BlockType::Empty);
                self.forward(&mut code);
                code.else_();
                self.backward(&mut code);
                code.end();
            }
            _ => self.forward(&mut code),
        }
        code.end();
        code.local_get(TO).local_get(FROM).local_get(LEFT);
        self.instruction(&mut code);
        code.end();
        function
    }

    fn forward(self, code: &mut InstructionSink<'_>) {
        code.loop_(BlockType::Empty).local_get(TO).local_get(FROM).i32_const(PIECE);
        self.instruction(code);
        add(code, TO, PIECE);
        if !matches!(self, Self::Fill { .. }) {
            add(code, FROM, PIECE);
        }
        add(code, LEFT, -PIECE);
        again(code);
    }

    fn backward(self, code: &mut InstructionSink<'_>) {
        code.loop_(BlockType::Empty);
        add(code, LEFT, -PIECE);
        code.local_get(TO).local_get(LEFT).i32_add();
        code.local_get(FROM).local_get(LEFT).i32_add();
        code.i32_const(PIECE);
        self.instruction(code);
        again(code);
    }

    fn instruction(self, code: &mut InstructionSink<'_>) {
        match self {
            Self::Fill { memory } => code.memory_fill(memory),
            Self::Copy { to, from } => code.memory_copy(to, from),
            Self::Init { memory, data } => code.memory_init(memory, data),
        };
    }
}

/// And that the bytes from `address` on are in `memory`.
fn within(code: &mut InstructionSink<'_>, address: u32, memory: u32) {
    code.local_get(address).i64_extend_i32_u().local_get(LEFT).i64_extend_i32_u().i64_add();
    code.memory_size(memory).i64_extend_i32_u().i64_const(16).i64_shl();
    code.i64_le_u().i32_and();
}

fn add(code: &mut InstructionSink<'_>, local: u32, number: i32) {
    code.local_get(local).i32_const(number).i32_add().local_set(local);
}

/// The end of a loop that goes on for as long as more than a piece is left.
fn again(code: &mut InstructionSink<'_>) {
    code.local_get(LEFT).i32_const(PIECE).i32_gt_u().br_if(0).end();
}

fn encoded(number: &u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    number.encode(&mut bytes);
    bytes
}

fn unreadable(error: wasmparser::BinaryReaderError) -> String {
    format!("{error:#}")
}

#[cfg(test)]
mod tests {
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
            let function =
                instance.get_typed_func::<(i32, i32, i32), ()>(&mut store, name).expect("exported");
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
}
