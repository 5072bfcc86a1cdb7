(data (i32.const 2048) "\ff\fe\fd")
(func $step (result i32) (call $ok (i32.const 2048) (i32.const 3)))
