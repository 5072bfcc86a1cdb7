;; Writes `a.txt`; when denied, passes the host's words on.
(import "aiagent:step/workspace@0.1.0" "write" (func $write (param i32 i32 i32 i32 i32)))
(data (i32.const 16) "a.txt")
(data (i32.const 32) "new")
(func $wrote (result i32)
  (call $write (i32.const 16) (i32.const 5) (i32.const 32) (i32.const 3) (i32.const 2048))
  (i32.load8_u (i32.const 2048)))
(func $denied (result i32)
  (call $err (i32.const 3) (i32.load (i32.const 2056)) (i32.load (i32.const 2060))))
