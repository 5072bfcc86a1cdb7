;; A list of records that begins at an odd place.
(func $step (result i32)
  (call $report (i32.const 1) (i32.const 2049) (i32.const 2) (i32.const 0) (i32.const 0)))
