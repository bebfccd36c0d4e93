//! Differential tests: Erlang programs run on Enigma and on BEAM.
