;; Runs the checker until it is refused, and hands in the refusal.
(import "aiagent:step/check@0.1.0" "run" (func $run (param i32)))
(func $step (result i32)
  (loop $again
    (call $run (i32.const 2048))
    (br_if $again (i32.eqz (i32.load8_u (i32.const 2048)))))
  (call $err (i32.const 3) (i32.load (i32.const 2064)) (i32.load (i32.const 2068))))
