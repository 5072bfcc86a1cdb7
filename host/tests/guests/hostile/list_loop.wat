;; Lists the tree without end, and forgets what it got.
(import "aiagent:step/workspace@0.1.0" "list" (func $list (param i32 i32 i32)))
(data (i32.const 16) "**")
(func $step (result i32)
  (loop $again
    (call $list (i32.const 16) (i32.const 2) (i32.const 2048))
    (global.set $top (i32.const 65536))
    (br $again))
  unreachable)
