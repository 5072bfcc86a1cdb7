;; Returns 2 MiB.
(func $step (result i32)
  (drop (memory.grow (i32.const 64)))
  (call $ok (i32.const 2048) (i32.const 2097152)))
