//! When functions are compiled, and by whom.

use crate::build;
use crate::ir::flow::ControlFlowGraph;
use crate::ir::{Block, Callee, Op, SsaFunction};
use crate::lower::{self, ReturnPoints, Symbol, glue};
use crate::memory::{self, CodeBlock, perf};
use crate::observe::{Cause, Observation, Phase, Watch};
use crate::passes::{self, inline};
use crate::stages::{Stages, WantedStages, machine_code};
use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::ExternalName;
use cranelift_codegen::isa::{OwnedTargetIsa, TargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_codegen::{CompiledCode, Context, FinalizedRelocTarget};
use cranelift_frontend::FunctionBuilderContext;
use crossbeam_channel::{Receiver, Sender};
use enigma_runtime::code::fun::FunEntry;
use enigma_runtime::code::module::{Body, FnInfo};
use enigma_runtime::code::native::{self, Compiler, NativeMode};
use enigma_runtime::interp::native::{Helper, is_bit_syntax, opcode_at, set_way_in};
use enigma_runtime::quiescence::{self, Role};
use enigma_runtime::sys::sampling;
use parking_lot::Mutex;
use std::cmp::Reverse;
use std::fmt;
use std::time::Duration;

/// Why there is no native code.
#[derive(Debug)]
pub enum CompileFailure {
    /// The function has no SSA form.
    Refused(build::NotBuilt),
    /// Cranelift does not compile it, for this reason.
    Cranelift(String),
    /// There is no room for it.
    Memory(memory::InstallError),
    /// It would be no faster.
    NotFaster,
}

/// Does the interpreter execute instructions of a function's native code that cost no more than the way to it? So it is with
/// those of the bit syntax that only old compilers write.
fn is_stepping(f: &SsaFunction, body: &Body) -> bool {
    f.insts.iter().any(|i| match i.op {
        Op::Step { at, .. } => {
            let pc = f.exits[at.index()].pc;
            is_bit_syntax(opcode_at(&body.code, pc))
        }
        _ => false,
    })
}

impl fmt::Display for CompileFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CompileFailure::Refused(why) => why.fmt(f),
            CompileFailure::Cranelift(why) => f.write_str(why),
            CompileFailure::Memory(why) => why.fmt(f),
            CompileFailure::NotFaster => f.write_str("it would be no faster"),
        }
    }
}

/// Who compiles what is called often.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Where {
    /// A thread of its own.
    InThread,
    /// Whoever has made the last call that was to be counted: where what happens must not depend on how fast threads are.
    InPlace,
}

/// Bytes that are reserved for the way to a helper.
const MOST_OF_GLUE: usize = 512;

/// Switches the native tier on.
pub fn start(
    mode: NativeMode,
    place: Where,
    observation: Observation,
) -> Result<(), CompileFailure> {
    if mode == NativeMode::Off {
        return Ok(());
    }
    let reserved = memory::code()
        .reserve(MOST_OF_GLUE, 64)
        .map_err(CompileFailure::Memory)?;
    let uncompiled = reserved.address() as *const u8;
    if mode == NativeMode::Always || place == Where::InPlace {
        let compiler = NativeCompiler::new(observation, reserved)?;
        native::switch_on(mode, Box::new(AtOnce(compiler)), uncompiled);
        return Ok(());
    }
    let (send, receive) = crossbeam_channel::unbounded();
    let thread = std::thread::Builder::new().name("native_compiler".to_string());
    let started = thread.spawn(move || compile_requests(observation, reserved, &receive));
    if started.is_err() {
        enigma_runtime::bug::limit_reached("Failed to create compiler thread");
    }
    native::switch_on(mode, Box::new(Later(send)), uncompiled);
    Ok(())
}

/// What the compiler's thread does. What it needs is made when the first function is to be compiled: who runs little need not
/// wait for it.
fn compile_requests(observation: Observation, reserved: CodeBlock, requests: &Receiver<Request>) {
    let passage = quiescence::register(Role::Compiler);
    let Ok(first) = requests.recv() else {
        return;
    };
    let machine = match NativeCompiler::new(observation, reserved) {
        Ok(machine) => machine,
        Err(why) => {
            eprintln!("enigma: code is run by the interpreter alone: {why}");
            return;
        }
    };
    let mut queue = CompileQueue::default();
    queue.put(first);
    loop {
        if queue.is_empty() {
            machine.inlinables.forget();
            let Some(next) = await_request(requests) else {
                return;
            };
            queue.put(next);
        }
        requests.try_iter().for_each(|next| queue.put(next));
        passage.enter();
        let next = queue.take();
        if let Some((f, at)) = next.and_then(|next| Some((next.function()?, next.at))) {
            let done = machine.compile(f, at, Cause::Calls);
            if done.is_err() && at.is_none() {
                f.stop_counting();
            }
        }
        passage.leave();
    }
}

/// How long there is nothing to compile before the memory is given back that compiling takes.
const TRIM_AFTER: Duration = Duration::from_millis(200);

fn await_request(requests: &Receiver<Request>) -> Option<Request> {
    match requests.recv_timeout(TRIM_AFTER) {
        Ok(next) => Some(next),
        Err(_) => {
            enigma_runtime::sys::memory::trim();
            requests.recv().ok()
        }
    }
}

/// Requests that wait for the compiler. What is called most since it was asked for is done first: what has been called in another
/// phase of the program's work can wait. Of what is called as often, requests are done in the order in which they have come, but large
/// functions behind smaller ones that come soon after them, because these are done many in the same time.
#[derive(Default)]
struct CompileQueue {
    /// Those that have been put in order, the next one last.
    waiting: Vec<Waiting>,
    /// Those that have come since then.
    fresh: Vec<Waiting>,
    /// How many requests have come.
    count: usize,
    /// How many may be taken until they are put in order again.
    in_order: usize,
}

/// A request that waits.
struct Waiting {
    request: Request,
    /// What is gained by a call since it was made, for the time that it takes.
    gain: u32,
    /// Its place where the gain is the same.
    place: usize,
}

/// Instructions of a function for which it lets one more request go first.
const INSTRUCTIONS_A_PLACE: usize = 4;
/// A call executes about so many of a function's instructions, if it has so many.
const INSTRUCTIONS_A_CALL: usize = 32;
/// To compile a function takes as much time as for so many instructions, and for each of its own.
const INSTRUCTIONS_A_FUNCTION: usize = 16;
/// So many requests are taken as they have been put in order before.
const TAKEN_IN_ORDER: usize = 8;

impl CompileQueue {
    fn put(&mut self, request: Request) {
        self.count += 1;
        let place = self.count + request.instructions / INSTRUCTIONS_A_PLACE;
        self.fresh.push(Waiting {
            request,
            gain: 0,
            place,
        });
    }

    /// The next one. For who is inside a passage.
    fn take(&mut self) -> Option<Request> {
        if self.in_order == 0 || self.waiting.is_empty() {
            self.waiting.append(&mut self.fresh);
            for w in &mut self.waiting {
                w.gain = w.request.gain();
            }
            self.waiting
                .sort_unstable_by_key(|w| (w.gain, Reverse(w.place)));
            self.in_order = TAKEN_IN_ORDER;
        }
        self.in_order -= 1;
        self.waiting.pop().map(|w| w.request)
    }

    fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.fresh.is_empty()
    }
}

/// A function that is to be compiled. Its module may be purged before that.
struct Request {
    /// Address of its record.
    record: usize,
    /// The offset in its bytecode at which the code is to go on, if it is not to begin at the entry.
    at: Option<u32>,
    /// Its number of instructions.
    instructions: usize,
}

impl Request {
    /// The function. For who is inside a passage.
    fn function(&self) -> Option<&'static FnInfo> {
        native::still_there(self.record as *const FnInfo)
    }

    /// What has been called since, by what a call gains and compilation costs.
    fn gain(&self) -> u32 {
        let Some(f) = self.function() else { return 0 };
        let calls = match self.at {
            None => f.calls_since(),
            Some(at) => f.body().map_or(0, |b| b.continuations.passes_since(at)),
        };
        let gained = calls as usize * self.instructions.min(INSTRUCTIONS_A_CALL);
        let cost = self.instructions + INSTRUCTIONS_A_FUNCTION;
        u32::try_from(gained / cost).unwrap_or(u32::MAX)
    }
}

/// Compiles functions where they are asked for.
struct AtOnce(NativeCompiler);

impl Compiler for AtOnce {
    fn compile_now(&self, f: &'static FnInfo) {
        let _ = self.0.compile(f, None, Cause::FirstCall);
    }

    fn request(&self, f: &'static FnInfo, at: Option<u32>) {
        let _ = self.0.compile(f, at, Cause::Calls);
    }
}

/// Lets a thread compile functions that are called often.
struct Later(Sender<Request>);

impl Compiler for Later {
    fn compile_now(&self, f: &'static FnInfo) {
        self.request(f, None);
    }

    fn request(&self, f: &'static FnInfo, at: Option<u32>) {
        let record = std::ptr::from_ref(f) as usize;
        let instructions = f.body().map_or(0, |b| b.places.len());
        let _ = self.0.send(Request {
            record,
            at,
            instructions,
        });
    }
}

/// What compiles: Cranelift for this machine, and the code that all native code uses.
pub struct NativeCompiler {
    isa: OwnedTargetIsa,
    /// The same with fewer optimizations, where they do not pay.
    quick_isa: OwnedTargetIsa,
    /// The ways to helpers, by `Helper`, of those that are not called directly.
    glue: Vec<Option<u64>>,
    contexts: Mutex<Vec<(Context, FunctionBuilderContext)>>,
    inlinables: build::Inlinables,
    observation: Observation,
}

/// Gives a function's code back when the function goes.
struct Installed {
    /// The function's own, and that by which funs call it.
    blocks: Vec<CodeBlock>,
    _points: ReturnPoints,
}

impl Drop for Installed {
    fn drop(&mut self) {
        for block in self.blocks.drain(..) {
            memory::code().free(block);
        }
    }
}

/// The value of a setting.
fn truth(on: bool) -> &'static str {
    if on { "true" } else { "false" }
}

/// Functions of more SSA instructions are compiled without Cranelift's optimizations, and so are those that do nothing over and over. These
/// optimizations take a quarter of the time and more; a call executes a small part of a large function.
const LARGE_FUNCTION: usize = 300;

/// Has the function loops, or does it call itself?
fn repeats(f: &SsaFunction) -> bool {
    let graph = ControlFlowGraph::new(f);
    let is_back = |&block: &Block| {
        let mut next = graph.successors(block).iter();
        next.any(|next| graph.place(*next) <= graph.place(block))
    };
    let calls_itself = |&block: &Block| {
        let mut insts = f.blocks[block.index()].insts.iter();
        insts.any(|i| matches!(f.insts[i.index()].op, Op::Call(Callee::This, _)))
    };
    let mut blocks = graph.order().iter();
    blocks.any(|b| is_back(b) || calls_itself(b))
}

/// This machine, with Cranelift's level of optimization.
fn isa(level: &str) -> Result<OwnedTargetIsa, CompileFailure> {
    let mut b = settings::builder();
    for (name, value) in [
        ("opt_level", level),
        ("enable_pinned_reg", "true"),
        ("is_pic", "false"),
        ("enable_verifier", truth(cfg!(debug_assertions))),
        ("preserve_frame_pointers", "true"),
        ("unwind_info", "false"),
        ("enable_probestack", "false"),
        ("log2_min_function_alignment", "6"),
    ] {
        b.set(name, value)
            .map_err(|e| CompileFailure::Cranelift(e.to_string()))?;
    }
    let builder =
        cranelift_native::builder().map_err(|e| CompileFailure::Cranelift(e.to_string()))?;
    builder
        .finish(settings::Flags::new(b))
        .map_err(|e| CompileFailure::Cranelift(e.to_string()))
}

fn body_of(f: &'static FnInfo) -> Result<&'static Body, CompileFailure> {
    f.body()
        .ok_or(CompileFailure::Refused(build::NotBuilt::NoBytecode))
}

impl NativeCompiler {
    fn bare(observation: Observation) -> Result<NativeCompiler, CompileFailure> {
        Ok(NativeCompiler {
            isa: isa("speed")?,
            quick_isa: isa("none")?,
            glue: Vec::new(),
            contexts: Mutex::default(),
            inlinables: build::Inlinables::default(),
            observation,
        })
    }

    /// `reserved` becomes the way to `Helper::Interpret`, whose address is known before there is any code.
    fn new(
        observation: Observation,
        reserved: CodeBlock,
    ) -> Result<NativeCompiler, CompileFailure> {
        let mut reserved = Some(reserved);
        let mut machine = NativeCompiler::bare(observation)?;
        let (mut cx, mut fbc) = (Context::new(), FunctionBuilderContext::new());
        for &h in Helper::ALL {
            cx.clear();
            let way = match glue::helper(h, &*machine.isa, &mut cx, &mut fbc) {
                Some(()) => {
                    generate(&mut cx, &*machine.isa)?;
                    let place = reserved.take_if(|_| h == Helper::Interpret);
                    let block = match place {
                        Some(block) => machine.fill(&cx, block)?,
                        None => machine.install(&cx, None, None)?,
                    };
                    perf_glue(&block, h.name());
                    Some(block.address())
                }
                None => None,
            };
            machine.glue.push(way);
        }
        cx.clear();
        glue::way_in(&*machine.isa, &mut cx, &mut fbc);
        generate(&mut cx, &*machine.isa)?;
        let block = machine.install(&cx, None, None)?;
        perf_glue(&block, "way_in");
        set_way_in(block.address() as *const u8);
        Ok(machine)
    }

    /// Compiles a function, or what goes on at an offset of its bytecode, and puts the code in place.
    pub fn compile(
        &self,
        f: &'static FnInfo,
        at: Option<u32>,
        cause: Cause,
    ) -> Result<(), CompileFailure> {
        let has_native = match at {
            None => f.has_native(),
            Some(at) => f.body().is_some_and(|b| b.continuations.has_native(at)),
        };
        if has_native || !self.observation.compiles(f) {
            return Ok(());
        }
        let mut watch = self.observation.watch(f, at, cause);
        let kept = self.contexts.lock().pop();
        let (mut cx, mut fbc) =
            kept.unwrap_or_else(|| (Context::new(), FunctionBuilderContext::new()));
        let compile = || self.compile_in(f, &mut cx, &mut fbc, &mut watch);
        let done = sampling::compiling(compile);
        self.contexts.lock().push((cx, fbc));
        watch.end(done.as_ref().err());
        done
    }

    fn compile_in(
        &self,
        f: &'static FnInfo,
        cx: &mut Context,
        fbc: &mut FunctionBuilderContext,
        watch: &mut Watch<'_>,
    ) -> Result<(), CompileFailure> {
        let (at, body) = (watch.at(), body_of(f)?);
        let points = self.machine_code(f, cx, fbc, watch)?;
        let block = self.install(cx, Some(f), None)?;
        watch.installed(cx, &block);
        let address = block.address();
        let enter = match at {
            None => self.fun_enter(f, address, cx, fbc)?,
            Some(_) => None,
        };
        let mut blocks = vec![block];
        let fun_enter = enter.map(|enter| match enter {
            Some(block) => {
                let address = block.address();
                blocks.push(block);
                address as *const u8
            }
            None => address as *const u8,
        });
        let length = blocks.iter().map(CodeBlock::length).sum();
        let keeps = Box::new(Installed {
            blocks,
            _points: points,
        });
        let address = address as *const u8;
        match at {
            None => f.install_native(address, fun_enter, length, keeps),
            Some(at) => body.continuations.install(at, address, length, keeps),
        }
        Ok(())
    }

    /// Makes the code by which funs call a function whose code is at `address`: nothing if no fun does, and no code if
    /// it is the function's own.
    fn fun_enter(
        &self,
        f: &'static FnInfo,
        address: u64,
        cx: &mut Context,
        fbc: &mut FunctionBuilderContext,
    ) -> Result<Option<Option<CodeBlock>>, CompileFailure> {
        let is_of_f = |e: &&&FunEntry| e.target().is_some_and(|t| std::ptr::eq(t, f));
        let Some(fun) = f.module().funs.iter().find(is_of_f) else {
            return Ok(None);
        };
        if fun.num_free == 0 {
            return Ok(Some(None));
        }
        cx.clear();
        let (arity, free) = (fun.arity as usize, fun.num_free as usize);
        glue::fun_enter(arity, free, &*self.isa, cx, fbc);
        generate(cx, &*self.isa)?;
        let block = self.install(cx, None, Some(address))?;
        perf_glue(&block, "fun_enter");
        Ok(Some(Some(block)))
    }

    /// Makes a function's machine code, in `cx`.
    fn machine_code(
        &self,
        f: &'static FnInfo,
        cx: &mut Context,
        fbc: &mut FunctionBuilderContext,
        watch: &mut Watch<'_>,
    ) -> Result<ReturnPoints, CompileFailure> {
        let body = body_of(f)?;
        let mut source = build::function(f, watch.at()).map_err(CompileFailure::Refused)?;
        // Where all functions are compiled, nobody asks whether that serves.
        let only_if_faster = watch.cause() == Cause::Calls;
        if only_if_faster && is_stepping(&source, body) {
            return Err(CompileFailure::NotFaster);
        }
        watch.phase(Phase::Build);
        watch.stages.built(&source);
        let loops = source.at.is_none() && !f.may_be_replaced();
        let find = |n| self.inlinables.find(f.module(), n, n == f.index);
        inline::run(&mut source, f.index, loops, find);
        if !source.inlined.is_empty() {
            watch.stages.after("inline", &source);
        }
        passes::optimize(&mut source, |pass, source| {
            watch.stages.after(pass.name, source)
        });
        watch.optimized(&source);
        cx.clear();
        let quick = source.instructions() > LARGE_FUNCTION || !repeats(&source);
        let isa = match quick {
            true => &*self.quick_isa,
            false => &*self.isa,
        };
        let points = lower::function(&source, f, body, isa, cx, fbc);
        watch.stages.clif(f, cx);
        watch.lowered(cx);
        generate(cx, isa)?;
        watch.phase(Phase::Cranelift);
        watch.stages.machine(f, &source.inlined, cx, isa);
        watch.assembled(|| machine_code(f, &source.inlined, cx, isa));
        Ok(points)
    }

    /// Gives the machine code in `cx` memory. `Symbol::This` is at `this`, if that is said.
    fn install(
        &self,
        cx: &Context,
        f: Option<&'static FnInfo>,
        this: Option<u64>,
    ) -> Result<CodeBlock, CompileFailure> {
        let compiled = compiled(cx)?;
        let align = (compiled.buffer.alignment as usize).max(64);
        memory::code()
            .install_with(compiled.code_buffer().len(), align, |address, bytes| {
                self.write(cx, compiled, f, [address, this.unwrap_or(address)], bytes);
            })
            .map_err(CompileFailure::Memory)
    }

    /// Puts the machine code in `cx` into a block that has been reserved.
    fn fill(&self, cx: &Context, block: CodeBlock) -> Result<CodeBlock, CompileFailure> {
        let compiled = compiled(cx)?;
        let length = compiled.code_buffer().len();
        if length > block.length() {
            return Err(CompileFailure::Memory(memory::InstallError::Full));
        }
        memory::code().fill(&block, |address, bytes| {
            let (code, rest) = bytes.split_at_mut(length);
            self.write(cx, compiled, None, [address; 2], code);
            rest.fill(0);
        });
        Ok(block)
    }

    /// Writes machine code that is to run at an address, where `Symbol::This` is at another.
    fn write(
        &self,
        cx: &Context,
        compiled: &CompiledCode,
        f: Option<&'static FnInfo>,
        [address, this]: [u64; 2],
        bytes: &mut [u8],
    ) {
        bytes.copy_from_slice(compiled.code_buffer());
        let names = &cx.func.params;
        for r in compiled.buffer.relocs() {
            let FinalizedRelocTarget::ExternalName(ExternalName::User(name)) = &r.target else {
                enigma_runtime::bug::vm_bug("native code refers to an unknown place");
            };
            let symbol = Symbol::of(&names.user_named_funcs()[*name]);
            let target = match symbol {
                Some(Symbol::This) => Some(this),
                Some(Symbol::Glue(h)) => self.glue.get(h as usize).copied().flatten(),
                Some(Symbol::Function(n)) => f
                    .and_then(|f| f.module().functions[n as usize].native_address())
                    .map(|p| p as u64),
                None => None,
            };
            let Some(target) = target else {
                enigma_runtime::bug::vm_bug("native code calls what is not there");
            };
            relocate(bytes, address, r.kind, r.offset as usize, target, r.addend);
        }
    }
}

/// What Cranelift has made in `cx`.
fn compiled(cx: &Context) -> Result<&CompiledCode, CompileFailure> {
    cx.compiled_code()
        .ok_or_else(|| CompileFailure::Cranelift("it gives no code".to_string()))
}

/// Lets Cranelift compile what is in `cx`.
fn generate(cx: &mut Context, isa: &dyn TargetIsa) -> Result<(), CompileFailure> {
    match cx.compile(isa, &mut ControlPlane::default()) {
        Ok(_) => Ok(()),
        Err(e) => Err(CompileFailure::Cranelift(format!("{:?}", e.inner))),
    }
}

/// Lets functions be translated as if they were to be compiled, though nobody compiles them.
pub fn start_without_compiler() {
    let nothing = std::ptr::null();
    native::switch_on(NativeMode::Tiered(u32::MAX), Box::new(Nobody), nothing);
}

struct Nobody;

impl Compiler for Nobody {
    fn compile_now(&self, _: &'static FnInfo) {}
    fn request(&self, _: &'static FnInfo, _: Option<u32>) {}
}

/// The stages of a translated function as text; its code is put nowhere.
pub fn stages(f: &'static FnInfo, wanted: WantedStages) -> Result<String, CompileFailure> {
    let machine = NativeCompiler::bare(Observation::default())?;
    let mut watch = machine.observation.watch(f, None, Cause::FirstCall);
    watch.stages = Stages::new(wanted);
    let (mut cx, mut fbc) = (Context::new(), FunctionBuilderContext::new());
    machine.machine_code(f, &mut cx, &mut fbc, &mut watch)?;
    Ok(watch.stages.text)
}

/// Tells `perf` of code that is no function's.
fn perf_glue(block: &CodeBlock, name: &str) {
    if perf::enabled() {
        let code = memory::code().bytes(block);
        perf::installed(block.address(), &code, &format!("global::{name}"), &[]);
    }
}

/// Fills in the place of an address.
fn relocate(bytes: &mut [u8], base: u64, kind: Reloc, at: usize, target: u64, addend: i64) {
    let to = (target as i64).wrapping_add(addend);
    let distance = to.wrapping_sub((base as i64).wrapping_add(at as i64));
    match kind {
        Reloc::X86CallPCRel4 | Reloc::X86PCRel4 => {
            bytes[at..at + 4].copy_from_slice(&(distance as i32).to_le_bytes());
        }
        Reloc::Abs8 => bytes[at..at + 8].copy_from_slice(&to.to_le_bytes()),
        Reloc::Arm64Call => {
            let mut word = [0; 4];
            word.copy_from_slice(&bytes[at..at + 4]);
            let word =
                u32::from_le_bytes(word) & 0xfc00_0000 | (distance >> 2) as u32 & 0x03ff_ffff;
            bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        other => enigma_runtime::bug::vm_bug(&format!("a relocation of an unknown kind: {other}")),
    }
}
