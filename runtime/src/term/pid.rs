//! The packed number of a pid of this node: a count, of which the low bits are what is printed first.

/// Bits of a pid's number.
const NUMBER_BITS: u32 = 28;
/// Bits of its serial.
const SERIAL_BITS: u32 = 13;

/// The bits that a packed pid may have.
pub const ID_MASK: u64 = (1 << (NUMBER_BITS + SERIAL_BITS)) - 1;

/// Number and serial of a packed pid, as a pid is printed: `<0.Number.Serial>`.
pub fn parts(id: u64) -> (u64, u64) {
    (id & ((1 << NUMBER_BITS) - 1), id >> NUMBER_BITS)
}

/// The packed pid of number and serial.
pub fn from_parts(number: u64, serial: u64) -> Option<u64> {
    (number < 1 << NUMBER_BITS && serial < 1 << SERIAL_BITS)
        .then_some(serial << NUMBER_BITS | number)
}
