//! The workflow of builders, fixers and checkers, as a pure function.
