//! What people are told of the compilation of functions, and which functions they let be compiled.

use crate::ir::SsaFunction;
use crate::lower::places::function_at;
use crate::memory::{self, CodeBlock, perf};
use crate::pattern::FunctionChoice;
use crate::stages::{self, Stages, WantedStages};
use crate::tier::CompileFailure;
use cranelift_codegen::Context;
use enigma_runtime::code::module::FnInfo;
use parking_lot::Mutex;
use rustc_hash::FxHashSet;
use std::fmt;
use std::fs::File;
use std::io::Write;
use std::time::{Duration, Instant};

/// Where a line for each compilation goes.
pub struct CompileLog(Mutex<Box<dyn Write + Send>>);

impl CompileLog {
    /// To this file, or to standard error if it is called `-`.
    pub fn to(path: &std::path::Path) -> std::io::Result<CompileLog> {
        let out: Box<dyn Write + Send> = if path.as_os_str() == "-" {
            Box::new(std::io::stderr())
        } else {
            Box::new(File::create(path)?)
        };
        Ok(CompileLog(Mutex::new(out)))
    }

    fn line(&self, text: &str) {
        // One call for one line. What cannot be written is lost.
        let _ = self.0.lock().write_all(format!("{text}\n").as_bytes());
    }
}

impl fmt::Debug for CompileLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CompileLog")
    }
}

/// What is wanted.
#[derive(Debug, Default)]
pub struct Observation {
    /// Functions that are compiled; all if nothing is said.
    pub only: Option<FunctionChoice>,
    /// Functions whose stages go to standard error.
    pub dump: Option<FunctionChoice>,
    /// Where a line for each compilation goes.
    pub log: Option<CompileLog>,
    /// Machine code goes to the files `MODULE.asm` in the working directory.
    pub assembly: Option<AssemblyFiles>,
}

/// The files with assembly, a module each: written anew at the first function of each.
#[derive(Debug, Default)]
pub struct AssemblyFiles(Mutex<FxHashSet<String>>);

impl AssemblyFiles {
    fn write(&self, module: &str, text: &str) {
        let mut begun = self.0.lock();
        let first = begun.insert(module.to_string());
        let path = format!("{}.asm", module.replace('/', "_"));
        let mut how = File::options();
        how.create(true).write(true).truncate(first).append(!first);
        if let Ok(mut file) = how.open(path) {
            let _ = file.write_all(text.as_bytes());
        }
    }
}

/// Why a function is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It has been called so often.
    Calls,
    /// All functions are, when they are called.
    FirstCall,
}

/// A part of the way to machine code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// From BEAM instructions to SSA form.
    Build,
    /// All passes.
    Passes,
    /// To Cranelift's form.
    Lowering,
    /// To machine code.
    Cranelift,
    /// Into code memory.
    Install,
}

const PHASES: usize = 5;

impl Observation {
    /// Is this function to be compiled, when its time comes?
    pub fn compiles(&self, f: &FnInfo) -> bool {
        self.only.as_ref().is_none_or(|c| c.has(f))
    }

    /// Begins to look at the compilation of a function, or of what goes on at an offset of its bytecode.
    pub fn watch(&self, f: &'static FnInfo, at: Option<u32>, cause: Cause) -> Watch<'_> {
        let dump = self.dump.as_ref().is_some_and(|c| c.has(f));
        let stages = match dump {
            true => Stages::new(WantedStages::all()),
            false => Stages::default(),
        };
        Watch {
            observation: self,
            f,
            at,
            cause,
            since: Instant::now(),
            times: [Duration::ZERO; PHASES],
            ssa: 0,
            clif: [0; 2],
            inlined: Vec::new(),
            bytes: 0,
            stages,
            assembly: self.assembly.is_some(),
        }
    }
}

/// What is noted of one compilation.
#[derive(Debug)]
pub struct Watch<'a> {
    observation: &'a Observation,
    f: &'static FnInfo,
    at: Option<u32>,
    cause: Cause,
    since: Instant,
    times: [Duration; PHASES],
    ssa: usize,
    /// Instructions and blocks of Cranelift's form.
    clif: [usize; 2],
    /// What stands in the place of calls (`SsaFunction::inlined`).
    inlined: Vec<u32>,
    bytes: usize,
    /// Text of the stages.
    pub stages: Stages,
    assembly: bool,
}

impl Watch<'_> {
    /// Why the function is compiled.
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// Where the code begins, if that is not the function's entry.
    pub fn at(&self) -> Option<u32> {
        self.at
    }

    /// What is compiled, for people.
    fn name(&self) -> String {
        match self.at {
            None => format!("{:?}", self.f),
            Some(at) => format!("{:?}@{at}", self.f),
        }
    }

    /// A part has been done, since the one before.
    pub fn phase(&mut self, phase: Phase) {
        let now = Instant::now();
        self.times[phase as usize] += now - self.since;
        self.since = now;
    }

    /// The passes have been run.
    pub fn optimized(&mut self, f: &SsaFunction) {
        self.phase(Phase::Passes);
        self.ssa = f.instructions();
        self.inlined.clone_from(&f.inlined);
    }

    /// There is Cranelift's form in `cx`.
    pub fn lowered(&mut self, cx: &Context) {
        self.phase(Phase::Lowering);
        if self.observation.log.is_some() {
            let layout = &cx.func.layout;
            let insts = layout.blocks().map(|b| layout.block_insts(b).count());
            self.clif = [insts.sum(), layout.blocks().count()];
        }
    }

    /// The machine code in `cx` has been installed, and is not run yet.
    pub fn installed(&mut self, cx: &Context, block: &CodeBlock) {
        self.phase(Phase::Install);
        self.bytes = block.length();
        if perf::enabled() {
            tell_perf(self.f, &self.inlined, &self.name(), cx, block);
        }
    }

    /// The machine code, as text, if it is to be written down.
    pub fn assembled(&self, text: impl FnOnce() -> String) {
        if let (true, Some(files)) = (self.assembly, &self.observation.assembly) {
            let text = format!("# {}\n{}\n", self.name(), text());
            files.write(self.f.module().name.text(), &text);
        }
    }

    /// The compilation has ended, for this reason if there is no code.
    pub fn end(self, failure: Option<&CompileFailure>) {
        if !self.stages.text.is_empty() {
            let _ = std::io::stderr().write_all(self.stages.text.as_bytes());
        }
        if let Some(log) = &self.observation.log {
            log.line(&self.line(failure));
        }
    }

    fn line(&self, failure: Option<&CompileFailure>) -> String {
        let cause = match self.cause {
            Cause::Calls => "called often",
            Cause::FirstCall => "first call",
        };
        let (f, name) = (self.f, self.name());
        let decoded = f.module().file.function_code(f.index as usize);
        let beam = decoded.map_or(0, |d| d.instrs().len());
        if let Some(why) = failure {
            return format!("{name} ({cause}): {beam} BEAM instructions, no code: {why}");
        }
        let [build, passes, lowering, cranelift, install] = self.times.map(|t| t.as_micros());
        format!(
            "{name} ({cause}): {beam} BEAM instructions, {} SSA instructions, {} of Cranelift's in {} blocks, {} bytes; us: build \
             {build}, passes {passes}, lowering {lowering}, Cranelift {cranelift}, installation {install}",
            self.ssa, self.clif[0], self.clif[1], self.bytes
        )
    }
}

/// Tells `perf` of a function's machine code, which is that in `cx`.
fn tell_perf(f: &'static FnInfo, inlined: &[u32], name: &str, cx: &Context, block: &CodeBlock) {
    let mut lines: Vec<(u32, String, u32)> = Vec::new();
    for place in stages::places(cx) {
        let (function, pc) = function_at(f, inlined, place.pc);
        if let Some((file, line)) = function.position(pc as usize + 1) {
            let file = file.to_text();
            if lines.last().is_none_or(|l| l.1 != file || l.2 != line) {
                lines.push((place.start, file, line));
            }
        }
    }
    let lines: Vec<perf::SourceLine<'_>> = lines
        .iter()
        .map(|(offset, file, line)| perf::SourceLine {
            offset: *offset,
            file,
            line: *line,
        })
        .collect();
    let code = memory::code().bytes(block);
    perf::installed(block.address(), &code, &format!("${name}"), &lines);
}
