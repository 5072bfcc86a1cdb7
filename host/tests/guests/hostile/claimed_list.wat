;; A list that is said to be longer than any memory.
(func $step (result i32)
  (call $report (i32.const 1) (i32.const 2048) (i32.const 0x6666666) (i32.const 0) (i32.const 0)))
