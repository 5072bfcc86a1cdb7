;; 100,000 edits in one call; hands in the refusal.
(import "aiagent:step/workspace@0.1.0" "apply" (func $apply (param i32 i32 i32)))
(func $step (result i32)
  (drop (memory.grow (i32.const 44)))
  (call $apply (i32.const 131072) (i32.const 100000) (i32.const 2048))
  (call $err (i32.const 3) (i32.load (i32.const 2060)) (i32.load (i32.const 2064))))
