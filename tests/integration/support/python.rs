//! Runs the Python clients of `tests/clients`.
