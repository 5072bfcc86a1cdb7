(func $step (result i32)
  (if (result i32) (call $wrote)
    (then (call $denied))
    (else (call $ok (i32.const 32) (i32.const 3)))))
