;; A case that `step-error` does not have.
(func $step (result i32) (call $err (i32.const 77) (i32.const 2048) (i32.const 3)))
