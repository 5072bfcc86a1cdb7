;; Prints two lines, sleeps an hour, and returns eight printable characters each of the clock and of
;; a random number.
(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
(import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush"
  (func $print (param i32 i32 i32 i32)))
(import "wasi:clocks/monotonic-clock@0.2.0" "now" (func $now (result i64)))
(import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func $alarm (param i64) (result i32)))
(import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))
(import "wasi:random/random@0.2.0" "get-random-u64" (func $random (result i64)))
(data (i32.const 16) "first\nsecond, without an end")
(func $printable (param $number i64) (result i64)
  (i64.add (i64.const 0x2020202020202020) (i64.and (local.get $number) (i64.const 0x3f3f3f3f3f3f3f3f))))
(func $step (result i32)
  (call $print (call $stdout) (i32.const 16) (i32.const 28) (i32.const 2048))
  (call $block (call $alarm (i64.const 3600000000000)))
  (i64.store (i32.const 4096) (call $printable (i64.div_u (call $now) (i64.const 3600000000000))))
  (i64.store (i32.const 4104) (call $printable (call $random)))
  (call $ok (i32.const 4096) (i32.const 16)))
