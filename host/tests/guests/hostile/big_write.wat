;; A file of 65 MiB; hands in the host's refusal.
(import "aiagent:step/workspace@0.1.0" "write" (func $write (param i32 i32 i32 i32 i32)))
(data (i32.const 16) "a.txt")
(func $step (result i32)
  (drop (memory.grow (i32.const 1100)))
  (call $write (i32.const 16) (i32.const 5) (i32.const 2048) (i32.const 68157440) (i32.const 512))
  (call $err (i32.const 3) (i32.load (i32.const 520)) (i32.load (i32.const 524))))
