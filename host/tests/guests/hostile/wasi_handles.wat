;; Alarms without end, none of them dropped.
(import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func $alarm (param i64) (result i32)))
(func $step (result i32)
  (loop $again (drop (call $alarm (i64.const 1))) (br $again))
  unreachable)
