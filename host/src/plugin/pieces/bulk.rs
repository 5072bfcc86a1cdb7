//! What a bulk operation becomes: a function that does the same in a loop.

use wasm_encoder::{BlockType, Function, InstructionSink};

/// A millisecond or two where the kernel has to find memory for it, and thousands of times the cost of the
/// call.
const PIECE: i32 = 1 << 20;

/// By which memories and data they are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Bulk {
    Fill { memory: u32 },
    Copy { to: u32, from: u32 },
    Init { memory: u32, data: u32 },
}

/// The parameters of a helper: where to, where from or the byte to write, and how many bytes are left.
const TO: u32 = 0;
const FROM: u32 = 1;
const LEFT: u32 = 2;

impl Bulk {
    pub(super) fn helper(self) -> Function {
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
