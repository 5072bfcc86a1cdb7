(func $inner unreachable)
(func $step (result i32) (call $inner) (i32.const 0))
