(func $step (result i32)
  (if (result i32) (call $wrote)
    (then (call $denied))
    (else (call $report (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 32) (i32.const 3)))))
