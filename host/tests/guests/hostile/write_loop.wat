;; Writes one byte after the other, without end.
(import "aiagent:step/workspace@0.1.0" "write" (func $write (param i32 i32 i32 i32 i32)))
(data (i32.const 16) "a.txt")
(func $step (result i32)
  (loop $again
    (call $write (i32.const 16) (i32.const 5) (i32.const 32) (i32.const 1) (i32.const 2048))
    (br $again))
  unreachable)
