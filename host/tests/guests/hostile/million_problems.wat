;; A report with a million problems, all of them empty.
(func $step (result i32)
  (drop (memory.grow (i32.const 620)))
  (call $report (i32.const 1) (i32.const 131072) (i32.const 1000000) (i32.const 0) (i32.const 0)))
