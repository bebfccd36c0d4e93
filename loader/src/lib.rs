//! Reads, checks and disassembles `.beam` files. Pure: no terms, no atom table, no I/O.
#![forbid(unsafe_code)]
