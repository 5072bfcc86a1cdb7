(func $step (result i32) (loop $again (br $again)) unreachable)
