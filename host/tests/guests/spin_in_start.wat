(func $spin (loop $again (br $again)))
(start $spin)
(func $step (result i32) unreachable)
