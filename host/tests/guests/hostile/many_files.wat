;; A million files, each in a folder of its own; hands in the refusal that ends it.
(import "aiagent:step/workspace@0.1.0" "write" (func $write (param i32 i32 i32 i32 i32)))
(data (i32.const 16) "aaaa/f")
(func $step (result i32)
  (local $n i32)
  (loop $again
    (local.set $n (i32.add (local.get $n) (i32.const 1)))
    ;; Five letters a to p for the number's five lowest half-bytes.
    (i32.store8 (i32.const 16) (i32.add (i32.const 97) (i32.and (local.get $n) (i32.const 15))))
    (i32.store8 (i32.const 17) (i32.add (i32.const 97) (i32.and (i32.shr_u (local.get $n) (i32.const 4)) (i32.const 15))))
    (i32.store8 (i32.const 18) (i32.add (i32.const 97) (i32.and (i32.shr_u (local.get $n) (i32.const 8)) (i32.const 15))))
    (i32.store8 (i32.const 19) (i32.add (i32.const 97) (i32.and (i32.shr_u (local.get $n) (i32.const 12)) (i32.const 15))))
    (i32.store8 (i32.const 21) (i32.add (i32.const 97) (i32.and (i32.shr_u (local.get $n) (i32.const 16)) (i32.const 15))))
    (call $write (i32.const 16) (i32.const 6) (i32.const 32) (i32.const 1) (i32.const 2048))
    (br_if $again (i32.and (i32.eqz (i32.load8_u (i32.const 2048))) (i32.lt_u (local.get $n) (i32.const 1000000)))))
  (call $err (i32.const 3) (i32.load (i32.const 2056)) (i32.load (i32.const 2060))))
