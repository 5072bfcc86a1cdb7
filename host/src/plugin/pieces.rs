//! Bulk operations in pieces.
//!
//! A guest is interrupted at its loops and calls. `memory.fill`, `memory.copy` and `memory.init` are neither:
//! one of them may write all of a memory, which takes a fresh machine a quarter of a second for 128 MiB. So
//! each becomes a call of a function that is added to its module and does the same in a loop.

mod bulk;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use wasm_encoder::{ComponentSectionId, Encode as _, SectionId};
use wasmparser::{
    BinaryReader, Chunk, CodeSectionReader, FunctionBody, ImportSectionReader, Operator, Parser, Payload,
    TypeRef, TypeSectionReader,
};

use bulk::Bulk;

/// `0xFC` leads all bulk operations, and then their number, in one byte or with a bit that says more follows.
const LEAD: u8 = 0xfc;
const NUMBERS: [u8; 3] = [8, 10, 11];
const MORE: u8 = 0x80;

/// `(i32, i32, i32) -> ()`, as the type section spells it.
const SIGNATURE: [u8; 6] = [0x60, 3, 0x7f, 0x7f, 0x7f, 0];
const CALL: u8 = 0x10;

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

fn encoded(number: &u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    number.encode(&mut bytes);
    bytes
}

fn unreadable(error: wasmparser::BinaryReaderError) -> String {
    format!("{error:#}")
}
