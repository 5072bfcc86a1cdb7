;; 4 GiB of random numbers at once.
(import "wasi:random/random@0.2.0" "get-random-bytes" (func $random (param i64 i32)))
(func $step (result i32)
  (call $random (i64.const 4294967296) (i32.const 2048))
  unreachable)
