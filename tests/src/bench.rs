//! Parts of the benchmark command.
