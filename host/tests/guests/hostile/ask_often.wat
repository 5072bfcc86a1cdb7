;; Asks the model until it is refused, and hands in the refusal.
(import "aiagent:step/model@0.1.0" "complete"
  (func $complete (param i32 i32 i32 f32 i32 i32 i32 i32 i32 i64 i32)))
(data (i32.const 16) "\01\00\00\00\20\00\00\00\05\00\00\00")
(data (i32.const 32) "hello")
(func $step (result i32)
  (loop $again
    (call $complete (i32.const 16) (i32.const 1)
      (i32.const 0) (f32.const 0) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0) (i32.const 0) (i64.const 0)
      (i32.const 2048))
    (br_if $again (i32.eqz (i32.load8_u (i32.const 2048)))))
  (call $err (i32.const 4) (i32.load (i32.const 2064)) (i32.load (i32.const 2068))))
