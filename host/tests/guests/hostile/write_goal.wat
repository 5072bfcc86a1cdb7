;; Writes a file whose path is the task's goal; hands in the refusal, or the path.
(import "aiagent:step/workspace@0.1.0" "write" (func $write (param i32 i32 i32 i32 i32)))
(func $step (result i32)
  (call $write (global.get $goal) (global.get $goal-len) (i32.const 32) (i32.const 1) (i32.const 2048))
  (if (result i32) (i32.load8_u (i32.const 2048))
    (then (call $err (i32.const 3) (i32.load (i32.const 2056)) (i32.load (i32.const 2060))))
    (else (call $ok (global.get $goal) (global.get $goal-len)))))
