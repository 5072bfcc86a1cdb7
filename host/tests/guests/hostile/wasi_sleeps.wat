;; Sleeps an hour, again and again.
(import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func $alarm (param i64) (result i32)))
(import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))
(import "wasi:io/poll@0.2.0" "[resource-drop]pollable" (func $drop (param i32)))
(func $step (result i32)
  (local $alarm i32)
  (loop $again
    (call $block (local.tee $alarm (call $alarm (i64.const 3600000000000))))
    (call $drop (local.get $alarm))
    (br $again))
  unreachable)
