;; 20,000 lines of 100 bytes.
(import "aiagent:step/log@0.1.0" "log" (func $log (param i32 i32 i32)))
(func $step (result i32)
  (local $left i32)
  (memory.fill (i32.const 2048) (i32.const 120) (i32.const 100))
  (local.set $left (i32.const 20000))
  (loop $again
    (call $log (i32.const 2) (i32.const 2048) (i32.const 100))
    (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
  (call $ok (i32.const 2048) (i32.const 4)))
