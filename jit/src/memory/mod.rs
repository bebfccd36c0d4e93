//! Memory for machine code.
//!
//! ```text
//!             one unnamed file
//!        +------------------------+
//!        | block | block |  ...   |
//!        +------------------------+
//!         ^ mapped read + write    ^ mapped read + execute
//!         install, free            what runs; `CodeBlock::address`
//! ```
//!
//! Code comes and goes function by function: a block is taken for each, and free blocks are used again. The range of
//! addresses is reserved when the first block is taken, so a VM without the native tier has no executable page of its own.
//!
//! Who frees a block has seen to it that nobody runs it or still has its address: that is what quiescent points are for.
//! Calling code is unsafe and says so where it is done; installing and freeing touch only memory of this module.

mod coherence;
pub mod perf;
mod space;
mod views;

use parking_lot::Mutex;
use space::Space;
use std::fmt;
use views::Views;

/// Bytes of addresses that are reserved.
///
/// All code is in reach of a direct call from all other code: 2 GB on x86-64, 128 MB on aarch64.
pub const RESERVED: usize = if cfg!(target_arch = "aarch64") {
    128 << 20
} else {
    512 << 20
};

/// The bytes that a freed block is filled with in debug builds: instructions that stop the program, on both architectures.
const TRAP: [u8; 4] = if cfg!(target_arch = "aarch64") {
    [0, 0, 0x20, 0xd4]
} else {
    [0xcc; 4]
};

/// Why code cannot be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstallError {
    /// No free part of the range is large enough.
    Full,
    /// The system gives no memory, or none that can be executed.
    System(std::io::ErrorKind),
}

impl fmt::Display for InstallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InstallError::Full => write!(f, "code memory is full"),
            InstallError::System(kind) => write!(f, "no memory for code: {kind}"),
        }
    }
}

impl std::error::Error for InstallError {}

impl From<std::io::Error> for InstallError {
    fn from(error: std::io::Error) -> InstallError {
        InstallError::System(error.kind())
    }
}

/// Machine code that is installed. Its memory is given back by [`CodeMemory::free`] only.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct CodeBlock {
    address: u64,
    length: usize,
}

impl CodeBlock {
    /// Where it is executed.
    pub fn address(&self) -> u64 {
        self.address
    }

    /// Number of its bytes.
    pub fn length(&self) -> usize {
        self.length
    }
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Number of blocks.
    pub blocks: usize,
    /// Bytes that they take, alignment included.
    pub bytes: usize,
}

/// A range of addresses for machine code.
#[derive(Debug)]
pub struct CodeMemory {
    area: Mutex<Option<Area>>,
}

/// What there is once the first block is taken.
#[derive(Debug)]
struct Area {
    views: Views,
    space: Space,
    usage: Usage,
}

/// The memory of this process.
pub fn code() -> &'static CodeMemory {
    static CODE: CodeMemory = CodeMemory::new();
    &CODE
}

impl Default for CodeMemory {
    fn default() -> CodeMemory {
        CodeMemory::new()
    }
}

impl CodeMemory {
    /// A range that is not reserved yet.
    pub const fn new() -> CodeMemory {
        CodeMemory {
            area: Mutex::new(None),
        }
    }

    /// Installs machine code that may stand anywhere.
    pub fn install(&self, code: &[u8], align: usize) -> Result<CodeBlock, InstallError> {
        self.install_with(code.len(), align, |_, bytes| bytes.copy_from_slice(code))
    }

    /// Installs `length` bytes of machine code at a multiple of `align`, a power of two. `write` is given the address at
    /// which they will be executed and the bytes, whose contents are undefined, and must set all of them.
    ///
    /// When this returns, every core sees the instructions that is told of the address now.
    pub fn install_with(
        &self,
        length: usize,
        align: usize,
        write: impl FnOnce(u64, &mut [u8]),
    ) -> Result<CodeBlock, InstallError> {
        self.in_area(|area| {
            let block = area.reserve(length, align)?;
            area.fill(&block, write);
            Ok(block)
        })
    }

    /// Takes `length` bytes that are to be filled with machine code later, at a multiple of `align`, a power of two.
    pub fn reserve(&self, length: usize, align: usize) -> Result<CodeBlock, InstallError> {
        self.in_area(|area| area.reserve(length, align))
    }

    /// Fills a reserved block, which nobody has run yet, as `install_with` does.
    pub fn fill(&self, block: &CodeBlock, write: impl FnOnce(u64, &mut [u8])) {
        if let Some(area) = &mut *self.area.lock() {
            area.fill(block, write);
        }
    }

    /// What is done with the range of addresses, which is reserved first if need be.
    fn in_area<R>(
        &self,
        work: impl FnOnce(&mut Area) -> Result<R, InstallError>,
    ) -> Result<R, InstallError> {
        let mut area = self.area.lock();
        let area = match &mut *area {
            Some(area) => area,
            none => none.insert(Area::new()?),
        };
        work(area)
    }

    /// Gives the memory of a block back. Nobody runs it, and nobody has its address.
    pub fn free(&self, block: CodeBlock) {
        if let Some(area) = &mut *self.area.lock() {
            area.free(block);
        }
    }

    /// The bytes of a block, fixed up as they are executed.
    pub fn bytes(&self, block: &CodeBlock) -> Vec<u8> {
        let area = self.area.lock();
        let Some(area) = &*area else {
            return Vec::new();
        };
        area.views.read(area.offset(block), block.length).to_vec()
    }

    /// The addresses of all code, once there are any.
    pub fn range(&self) -> Option<std::ops::Range<u64>> {
        let area = self.area.lock();
        let start = area.as_ref()?.views.executable();
        Some(start..start + RESERVED as u64)
    }

    /// How much is installed.
    pub fn usage(&self) -> Usage {
        self.area
            .lock()
            .as_ref()
            .map_or_else(Usage::default, |a| a.usage)
    }
}

impl Area {
    fn new() -> Result<Area, InstallError> {
        Ok(Area {
            views: Views::new(RESERVED)?,
            space: Space::new(RESERVED),
            usage: Usage::default(),
        })
    }

    fn reserve(&mut self, length: usize, align: usize) -> Result<CodeBlock, InstallError> {
        let start = self.space.take(length, align).ok_or(InstallError::Full)?;
        if let Err(error) = self.views.back(start + length) {
            self.space.give_back(start, length);
            return Err(error.into());
        }
        let address = self.views.executable() + start as u64;
        self.usage.blocks += 1;
        self.usage.bytes += Space::rounded(length).unwrap_or(length);
        Ok(CodeBlock { address, length })
    }

    fn fill(&mut self, block: &CodeBlock, write: impl FnOnce(u64, &mut [u8])) {
        let start = self.offset(block);
        write(block.address, self.views.write(start, block.length));
        coherence::publish(block.address, block.length);
    }

    fn free(&mut self, block: CodeBlock) {
        let start = self.offset(&block);
        if cfg!(debug_assertions) {
            let bytes = self.views.write(start, block.length);
            for (byte, trap) in bytes.iter_mut().zip(TRAP.iter().cycle()) {
                *byte = *trap;
            }
            coherence::publish(block.address, block.length);
        }
        self.space.give_back(start, block.length);
        self.usage.blocks -= 1;
        self.usage.bytes -= Space::rounded(block.length).unwrap_or(block.length);
    }

    fn offset(&self, block: &CodeBlock) -> usize {
        (block.address - self.views.executable()) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A function that returns `n`.
    fn returns(n: u16) -> Vec<u8> {
        let n = u32::from(n);
        if cfg!(target_arch = "aarch64") {
            // mov w0, #n; ret
            [0x5280_0000 | n << 5, 0xd65f_03c0]
                .iter()
                .flat_map(|w: &u32| w.to_le_bytes())
                .collect()
        } else {
            // mov eax, n; ret
            [&[0xb8][..], &n.to_le_bytes(), &[0xc3]].concat()
        }
    }

    fn call(block: &CodeBlock) -> u32 {
        let start = block.address() as *const ();
        // SAFETY: the block holds a function of this type and is installed.
        let function = unsafe { std::mem::transmute::<*const (), extern "C" fn() -> u32>(start) };
        function()
    }

    #[test]
    fn code_comes_and_goes_and_memory_does_not_grow() {
        let memory = CodeMemory::new();
        assert_eq!(memory.range(), None);
        assert_eq!(memory.usage(), Usage::default());
        let stays = memory.install(&returns(42), 16).expect("it fits");
        let before = memory.usage();
        let first = memory.install(&returns(1), 16).expect("it fits");
        let address = first.address();
        memory.free(first);
        for n in 0..1000 {
            let block = memory.install(&returns(n), 16).expect("it fits");
            assert_eq!(call(&block), u32::from(n));
            assert_eq!(block.address(), address);
            memory.free(block);
            assert_eq!(memory.usage(), before);
        }
        assert_eq!(call(&stays), 42);
        memory.free(stays);
        assert_eq!(memory.usage(), Usage::default());
    }

    #[test]
    fn a_writer_is_told_the_address() {
        let memory = CodeMemory::new();
        let other = memory.install(&returns(3), 32).expect("it fits");
        let mut told = 0;
        let block = memory.install_with(100, 4096, |address, bytes| {
            told = address;
            bytes.fill(0);
            bytes[92..].copy_from_slice(&address.to_le_bytes());
        });
        let block = block.expect("it fits");
        assert_eq!((block.address(), block.address() % 4096), (told, 0));
        assert_eq!(memory.bytes(&block)[92..], told.to_le_bytes());
        let range = memory.range().expect("it is reserved");
        assert!(range.contains(&told) && range.contains(&other.address()));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let memory = CodeMemory::new();
        let much = memory.install_with(RESERVED + 1, 16, |_, _| unreachable!("there is no room"));
        assert_eq!(much, Err(InstallError::Full));
        assert_eq!(memory.usage(), Usage::default());
        let block = memory.install(&returns(7), 16).expect("it fits");
        assert_eq!(call(&block), 7);
    }

    #[test]
    fn threads_install_at_once() {
        let memory = CodeMemory::new();
        std::thread::scope(|scope| {
            for t in 0..4 {
                let memory = &memory;
                scope.spawn(move || {
                    for n in 0..250 {
                        let block = memory.install(&returns(t * 1000 + n), 16).expect("it fits");
                        assert_eq!(call(&block), u32::from(t * 1000 + n));
                        memory.free(block);
                    }
                });
            }
        });
        assert_eq!(memory.usage(), Usage::default());
    }

    /// No mapping of the process can be written and executed, and memory is used where code is.
    #[cfg(target_os = "linux")]
    #[test]
    fn nothing_is_writable_and_executable() {
        let memory = CodeMemory::new();
        let block = memory.install(&returns(9), 16).expect("it fits");
        let maps = std::fs::read_to_string("/proc/self/smaps").expect("it can be read");
        let mut ours = 0;
        let mut inside = false;
        for line in maps.lines() {
            let mut words = line.split_whitespace();
            let (first, second) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
            if let Some((start, end)) = first.split_once('-') {
                assert!(!(second.contains('w') && second.contains('x')), "{line}");
                let number = |text| u64::from_str_radix(text, 16).expect("an address");
                inside = (number(start)..number(end)).contains(&block.address());
            } else if inside && first == "Rss:" {
                ours += 1;
                let kilobytes: usize = second.parse().expect("a number");
                assert!(kilobytes <= 1024, "{line}");
            }
        }
        assert_eq!(ours, 1);
    }
}
