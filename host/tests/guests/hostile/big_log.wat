;; A log line of 100 MiB.
(import "aiagent:step/log@0.1.0" "log" (func $log (param i32 i32 i32)))
(func $step (result i32)
  (drop (memory.grow (i32.const 1700)))
  (call $log (i32.const 2) (i32.const 2048) (i32.const 104857600))
  (call $ok (i32.const 2048) (i32.const 4)))
