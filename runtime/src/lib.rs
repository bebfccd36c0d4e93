//! Terms, memory, processes, scheduling, code tables and the bytecode interpreter.
