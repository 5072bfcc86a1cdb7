;; Imports native commands.
(import "aiagent:step/exec@0.1.0" "run"
  (func $run (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64 i32)))
(data (i32.const 16) "done")
(func $step (result i32) (call $ok (i32.const 16) (i32.const 4)))
