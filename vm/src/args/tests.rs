//! Tests of the command line against results recorded from real launchers and emulators.
