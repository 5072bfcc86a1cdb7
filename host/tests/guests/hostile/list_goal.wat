;; Lists by a glob that is the task's goal; hands in the refusal.
(import "aiagent:step/workspace@0.1.0" "list" (func $list (param i32 i32 i32)))
(func $step (result i32)
  (call $list (global.get $goal) (global.get $goal-len) (i32.const 2048))
  (if (result i32) (i32.load8_u (i32.const 2048))
    (then (call $err (i32.const 3) (i32.load (i32.const 2056)) (i32.load (i32.const 2060))))
    (else (call $ok (i32.const 2048) (i32.const 0)))))
