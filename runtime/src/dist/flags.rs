//! What nodes tell each other that they are capable of, when they connect. (*Distribution Flags* in OTP's
//! documentation of the distribution protocol.)

use crate::release;

/// The node is to be told to others: it is not hidden.
pub const PUBLISHED: u64 = 1;
/// Messages have a header with the atoms that they use, which both sides keep.
pub const ATOM_CACHE: u64 = 1 << 13;
/// Reasons of exits come behind the control message, as the message of a send does.
pub const EXIT_PAYLOAD: u64 = 1 << 22;
/// Long messages come in pieces.
pub const FRAGMENTS: u64 = 1 << 23;
/// Messages name their senders.
pub const SEND_SENDER: u64 = 1 << 19;
/// Processes are spawned on request.
pub const SPAWN: u64 = 1 << 32;
/// Messages may be sent to aliases.
pub const ALIAS: u64 = 1 << 35;
/// Signals that ask for special treatment (priority) have a message of their own (from OTP 28 on).
pub const ALTERED_SIGNALS: u64 = 1 << 37;

/// Records of OTP 29 are terms.
pub const NATIVE_RECORDS: u64 = 1 << 38;

/// The sets that `erts_internal:get_dflags/0` tells.
#[derive(Clone, Copy, Debug)]
pub struct FlagSets {
    /// What the node says of itself unless told otherwise.
    pub default: u64,
    /// What the other side must be capable of.
    pub mandatory: u64,
    /// What may be added.
    pub addable: u64,
    /// What may be left out.
    pub rejectable: u64,
    /// What makes the order of messages strict.
    pub strict_order: u64,
}

/// The sets of this release.
pub fn sets() -> FlagSets {
    let mut default = 0xd_07df_7fbc;
    if release::priority_messages() {
        default |= ALTERED_SIGNALS;
    }
    if release::number() >= 29 {
        default |= NATIVE_RECORDS;
    }
    FlagSets {
        default,
        mandatory: if release::number() >= 26 {
            0x4_0307_0f94
        } else {
            0x107_0f94
        },
        addable: default,
        rejectable: 0x80_2042,
        strict_order: ATOM_CACHE,
    }
}
