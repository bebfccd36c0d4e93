//! The packed number of a pid. That of this node is a count, of which the low bits are what is printed first; other
//! nodes' numbers and serials may have 32 bits each.

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

/// The packed number of another node's pid.
pub fn external(number: u32, serial: u32) -> u64 {
    u64::from(serial) << 32 | u64::from(number)
}

/// Number and serial of another node's pid.
pub fn external_parts(id: u64) -> (u64, u64) {
    (id & u64::from(u32::MAX), id >> 32)
}

/// The packed pid of this node for number and serial as they were read, if a term can hold it.
pub fn as_read(number: u32, serial: u32) -> Option<u64> {
    let (number, serial) = (u64::from(number), u64::from(serial));
    (number < 1 << NUMBER_BITS && serial < 1 << (56 - NUMBER_BITS))
        .then_some(serial << NUMBER_BITS | number)
}

/// May a pid of this node be named by this number, with any serial? It need never have been made.
pub fn may_be_named(number: u32) -> bool {
    u64::from(number) < 1 << NUMBER_BITS
}
