//! Native code of functions: whether there is any, who makes it, and how it is put in place.
//!
//! A function with native code keeps its bytecode: the interpreter goes on there wherever native code stops. Interpreted
//! calls reach native code through a stub, the instruction `NATIVE` in the function's record, to which the entry record
//! leads; native calls take the address from the entry record.

use super::continuation::Continuation;
use super::entry;
use super::module::FnInfo;
use super::ranges;
use crate::process::Owned;
use crate::term::stack_word;
use parking_lot::Mutex;
use std::any::Any;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};

/// When functions are compiled to native code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NativeMode {
    /// Never.
    Off,
    /// When they have been called so many times, large ones more often (see `calls_to_count`).
    Tiered(u32),
    /// At their first call.
    Always,
}

/// Makes native code.
pub trait Compiler: Send + Sync {
    /// Compiles the function and puts its code in place before it returns, if it can be compiled.
    fn compile_now(&self, f: &'static FnInfo);
    /// Asks for the function to be compiled some time, or code to be made that goes on at an offset of its bytecode. It may be
    /// gone by then: see `still_there`.
    fn request(&self, f: &'static FnInfo, at: Option<u32>);
}

/// The mode and what compiles.
struct Tier {
    mode: NativeMode,
    compiler: Box<dyn Compiler>,
}

static TIER: OnceLock<Tier> = OnceLock::new();

/// Switches native code on, before any function is named. At `uncompiled` there is machine code, or will be before any other,
/// that lets the interpreter run a function that native code calls: `Helper::Interpret`.
pub fn switch_on(mode: NativeMode, compiler: Box<dyn Compiler>, uncompiled: *const u8) {
    if mode != NativeMode::Off && TIER.set(Tier { mode, compiler }).is_err() {
        crate::bug::vm_bug("the native tier is switched on twice");
    }
    entry::set_uncompiled(uncompiled);
}

/// When functions are compiled.
pub fn mode() -> NativeMode {
    TIER.get().map_or(NativeMode::Off, |t| t.mode)
}

/// Instructions of a function that is compiled after as many calls as the mode says.
const SMALL_FUNCTION: usize = 64;

/// How many calls of a function of so many instructions are to be counted, if the mode says `calls`. A larger one takes longer to
/// compile, in proportion, but a call of it does not execute more of it.
pub(super) fn calls_to_count(calls: u32, instructions: usize) -> u32 {
    let times = (instructions / SMALL_FUNCTION).max(1);
    calls.saturating_mul(u32::try_from(times).unwrap_or(u32::MAX))
}

/// Compiles a function now, or lets it be counted, as the mode says; its translation is there.
pub(super) fn translated(f: &'static FnInfo) {
    let Some(tier) = TIER.get() else { return };
    if tier.mode == NativeMode::Always {
        tier.compiler.compile_now(f);
    }
}

/// Asks for a function to be compiled, or for code that goes on at an offset of its bytecode.
pub(super) fn request(f: &'static FnInfo, at: Option<u32>) {
    if let Some(tier) = TIER.get() {
        tier.compiler.request(f, at);
    }
}

/// Is there a function's record at this address? For a compiler, which is inside a passage (see `quiescence`) while it
/// asks and as long as it uses the answer.
pub fn still_there(record: *const FnInfo) -> Option<&'static FnInfo> {
    let (f, _) = ranges::find(record.cast())?;
    std::ptr::eq(f, record).then_some(f)
}

/// Where native code returns to: an instruction, with the address in bytecode that it stands for. The word before it
/// sees to it that the address is not that behind the last word of some function's bytecode.
#[repr(C)]
#[derive(Debug)]
pub struct ReturnPoint {
    before: u64,
    code: [u64; 3],
}

impl ReturnPoint {
    /// The address that calls push.
    pub fn address(&self) -> *const u64 {
        self.code.as_ptr()
    }
}

/// The return point for an address in bytecode, where this continuation is.
pub fn return_point(after: *const u64, continuation: *const Continuation) -> ReturnPoint {
    let op = u64::from(super::ops::NATIVE_RETURN);
    ReturnPoint {
        before: 0,
        code: [op, after as u64, continuation as u64],
    }
}

/// Where a function returns to for which native code keeps a list, that belongs before its value.
pub fn prepend_point(after: *const u64) -> ReturnPoint {
    ReturnPoint {
        before: 0,
        code: [u64::from(super::ops::PREPEND), after as u64, 0],
    }
}

/// What a place is to which code returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReturnKind {
    /// A call in native code.
    Native,
    /// Native code keeps a list.
    Prepend,
    /// Any other.
    Bytecode,
}

/// What the return address in this word of a stack leads to.
pub fn return_kind(word: u64) -> ReturnKind {
    match stack_word::is_point(word) {
        true => kind_at(stack_word::pc(word)),
        false => ReturnKind::Bytecode,
    }
}

/// The continuation at this place in bytecode, if there is one.
pub(crate) fn continuation_at(pc: *const u64) -> Option<&'static Continuation> {
    // SAFETY: where a process goes on there is an instruction, and the second word of this one is a continuation's address. It
    // stays as long as processes are in the function.
    unsafe {
        match super::ops::of(*pc) {
            super::ops::CONTINUE => Some(&*(*pc.add(1) as *const Continuation)),
            _ => None,
        }
    }
}

/// What the place is to which code returns.
pub(crate) fn kind_at(pc: *const u64) -> ReturnKind {
    // SAFETY: places on stacks are in code that is there as long as they are, and behind one there is a word at least.
    match super::ops::of(unsafe { *pc }) {
        super::ops::NATIVE_RETURN => ReturnKind::Native,
        super::ops::PREPEND => ReturnKind::Prepend,
        _ => ReturnKind::Bytecode,
    }
}

/// The address in bytecode of the return point at this address.
///
/// # Safety
///
/// It must be the address of a return point that is there.
#[inline]
pub unsafe fn after(point: *const u64) -> *const u64 {
    // SAFETY: the second word of a return point's code.
    unsafe { *point.wrapping_add(1) as *const u64 }
}

/// The address in bytecode that a place stands for to which code returns.
pub(crate) fn bytecode_address(pc: *const u64) -> *const u64 {
    // What a call that does not return would return to need not be an instruction.
    if kind_at(pc) == ReturnKind::Bytecode || ranges::find(pc.wrapping_sub(1)).is_some() {
        return pc;
    }
    // SAFETY: a return point.
    unsafe { after(pc) }
}

/// Where a process goes on, as an address in bytecode; null where it has not begun.
pub fn place_of(own: &Owned) -> *const u64 {
    if own.pc.is_null() {
        return own.pc;
    }
    bytecode_address(own.pc)
}

/// The bytecode address that a return address on a stack stands for.
pub fn return_address(word: u64) -> *const u64 {
    let pc = stack_word::pc(word);
    match stack_word::is_point(word) {
        // SAFETY: the words that say so hold the addresses of return points, which stay as long as they do.
        true => unsafe { after(pc) },
        false => pc,
    }
}

/// Held by whoever replaces what a function's calls run, so that native code does not take the place of a library's function.
pub(super) static INSTALLING: Mutex<()> = Mutex::new(());

/// The native side of a function's record.
pub struct NativeSide {
    /// What interpreted calls run when there is native code: the instruction and the address.
    stub: [AtomicU64; 2],
    /// What they run while they are counted: the instruction and the record's address.
    count_stub: [AtomicU64; 2],
    /// Calls that are left until the function is to be compiled.
    pub(crate) calls_left: AtomicU32,
    /// What native code calls where a fun calls the function.
    fun_enter: AtomicPtr<u8>,
    /// Keeps the code's memory.
    keeps: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl NativeSide {
    pub(super) fn new() -> NativeSide {
        NativeSide {
            stub: [const { AtomicU64::new(0) }; 2],
            count_stub: [const { AtomicU64::new(0) }; 2],
            calls_left: AtomicU32::new(0),
            fun_enter: AtomicPtr::new(std::ptr::null_mut()),
            keeps: OnceLock::new(),
        }
    }

    /// See `FnInfo::install_native`; null if nothing has been said.
    pub(super) fn fun_enter(&self) -> *mut u8 {
        self.fun_enter.load(Ordering::Acquire)
    }

    /// The stub that counts calls, set up.
    pub(super) fn counting(&self, f: &'static FnInfo, calls: u32) -> *const u64 {
        self.calls_left.store(calls, Ordering::Relaxed);
        self.count_stub[0].store(u64::from(super::ops::COUNT), Ordering::Relaxed);
        self.count_stub[1].store(std::ptr::from_ref(f) as u64, Ordering::Release);
        self.count_stub.as_ptr().cast()
    }
}

impl FnInfo {
    /// Puts native code of so many bytes in place, for all calls from now on, if there is none: two that call a function for the first
    /// time at once both compile it. `keeps` is dropped when the function is gone, or at once.
    ///
    /// `address` must be the entry of code for this function, made for the conventions in `interp::native`. At `fun_enter`, if funs call
    /// the function, is machine code by which native code calls them: it takes the fun behind the arguments, in the place of the
    /// next one or, if that is in memory, as the first of `Handover::arguments`, and calls the function with the fun's environment.
    /// Both must stay as long as `keeps`.
    pub fn install_native(
        &self,
        address: *const u8,
        fun_enter: Option<*const u8>,
        bytes: usize,
        keeps: Box<dyn Any + Send + Sync>,
    ) {
        if self.native.keeps.set(keeps).is_err() {
            return;
        }
        self.module().count(bytes);
        let _one = INSTALLING.lock();
        if self.nif().is_some() {
            return;
        }
        let stub = &self.native.stub;
        stub[0].store(u64::from(super::ops::NATIVE), Ordering::Relaxed);
        stub[1].store(address as u64, Ordering::Release);
        self.entry.set_native(address);
        self.entry.set_code(stub.as_ptr().cast());
        if let Some(enter) = fun_enter {
            self.put_fun_enter(enter);
        }
    }

    /// Lets no funs be called in that way any more; by who replaces the function.
    pub(super) fn clear_fun_enter(&self) {
        self.put_fun_enter(std::ptr::null());
    }

    fn put_fun_enter(&self, address: *const u8) {
        let place = &self.native.fun_enter;
        place.store(address.cast_mut(), Ordering::Release);
        for e in &self.module().funs {
            e.refresh_enter();
        }
    }

    /// How often it has been called by interpreted code since native code was asked for.
    pub fn calls_since(&self) -> u32 {
        u32::MAX - self.native.calls_left.load(Ordering::Relaxed)
    }

    /// There will be no native code: its calls need not be counted any more.
    pub fn stop_counting(&self) {
        if let Some(body) = self.body() {
            let counting = self.native.count_stub.as_ptr().cast();
            self.entry.replace_code(counting, body.entry_address());
        }
    }

    /// The calls that were to be counted have come: asks for native code. Gives the bytecode to run meanwhile. Calls are counted on, so
    /// that whoever makes the code knows what is wanted most.
    pub(crate) fn counted(&'static self) -> *const u64 {
        let Some(body) = self.body() else {
            return self.translate();
        };
        let entry = body.entry_address();
        if let Some(address) = self.native_address()
            && self.nif().is_none()
        {
            self.restore_native(address);
            return entry;
        }
        self.native.calls_left.store(u32::MAX, Ordering::Relaxed);
        request(self, None);
        entry
    }

    /// Takes native code out of use, if there is any, until the function has been called so often (a test mode). Calls that run it
    /// go on in it.
    pub(crate) fn withdraw_native(&'static self, calls: u32) {
        if self.native_address().is_some() && self.nif().is_none() {
            self.entry.clear_native();
            self.entry.set_code(self.native.counting(self, calls));
        }
    }

    /// Puts it into use again.
    fn restore_native(&self, address: *const u8) {
        self.entry.set_native(address);
        self.entry.set_code(self.native_stub());
    }

    /// What interpreted calls will run when there is native code.
    pub fn native_stub(&self) -> *const u64 {
        self.native.stub.as_ptr().cast()
    }

    /// Where its native code is, if it has any, in use or not.
    pub fn native_address(&self) -> Option<*const u8> {
        let address = self.native.stub[1].load(Ordering::Acquire) as *const u8;
        (!address.is_null()).then_some(address)
    }

    /// Has it native code?
    pub fn has_native(&self) -> bool {
        self.native.keeps.get().is_some()
    }
}
