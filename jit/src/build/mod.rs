//! From a function's verified BEAM instructions to SSA form.
//!
//! One pass over the instructions that can be reached from the entry without an exception; handlers of exceptions are left
//! to the interpreter. A label is a block whose parameters are the registers that are live there. Y registers stay in
//! the frame on the Erlang stack; what is known of them is remembered inside a block, up to the next call.

mod arith;
mod bits;
mod calls;
mod creation;
mod data;
mod guards;
mod inlinable;
mod liveness;
mod maps;
mod select;
mod tests;

pub use inlinable::Inlinables;

use crate::ir::{Block, ExitRef, Op as Ssa, Repr, SsaExit, SsaFunction, Target, Value};
use enigma_loader::{FunctionCode, Instr, MatchCommand, Op, Operand, Reg};
use enigma_runtime::code::module::{Body, FnInfo, Module};
use enigma_runtime::code::translate;
use enigma_runtime::interp::native;
use enigma_runtime::term::Term;
use liveness::Liveness;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use std::fmt;

/// Why a function has no SSA form.
#[derive(Debug)]
pub enum NotBuilt {
    /// It has no translation to bytecode.
    NoBytecode,
    /// Its code cannot be decoded.
    Malformed(String),
}

impl fmt::Display for NotBuilt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotBuilt::NoBytecode => f.write_str("it has no bytecode"),
            NotBuilt::Malformed(why) => f.write_str(why),
        }
    }
}

/// The SSA form of a function that has been translated to bytecode, or of what goes on at an offset of that.
pub fn function(f: &'static FnInfo, at: Option<u32>) -> Result<SsaFunction, NotBuilt> {
    let module = f.module();
    let body = f.body().filter(|b| !b.places.is_empty());
    let body = body.ok_or(NotBuilt::NoBytecode)?;
    let decoded = module
        .file
        .function_code(f.index as usize)
        .map_err(|e| NotBuilt::Malformed(e.to_string()))?;
    let mut code = BeamCode::new(module, f, &decoded)?;
    if let Some(at) = at {
        code.begin_at(body, at)?;
    }
    let liveness = Liveness::of(&code);
    let arity = match at {
        None => f.arity as usize,
        Some(_) => liveness.registers(code.entry)?,
    };
    let mut out = SsaFunction::new(format!("{}:{}", module.name, f.name), arity);
    out.at = at;
    let mut b = Builder {
        body,
        module,
        liveness,
        out,
        blocks: FxHashMap::default(),
        work: Vec::new(),
        env: Env::default(),
        here: Block(0),
        at: 0,
        me: f,
        code: &code,
    };
    b.run();
    Ok(b.out)
}

/// Words of heap of an allocation list, without those of floats: few floats need any, and a box makes room for itself.
fn heap_words(o: &Operand) -> usize {
    let floats = o.heap_need().map_or(0, |n| n.floats as usize);
    translate::heap_words(o).saturating_sub(2 * floats)
}

/// The instructions of a function, with what is asked about them.
pub struct BeamCode<'a> {
    module: &'static Module,
    decoded: &'a FunctionCode,
    instrs: &'a [Instr],
    /// Index of the first instruction: the first one that a call executes, if it does not begin elsewhere.
    entry: usize,
    labels: FxHashMap<u32, usize>,
    no_return: &'static [u32],
    cleared: &'static [(u32, u16)],
}

impl<'a> BeamCode<'a> {
    fn new(
        module: &'static Module,
        f: &'static FnInfo,
        decoded: &'a FunctionCode,
    ) -> Result<BeamCode<'a>, NotBuilt> {
        let info = &module.file.functions[f.index as usize];
        let labels: FxHashMap<u32, usize> = decoded
            .labels()
            .iter()
            .map(|&(l, i)| (l, i as usize))
            .collect();
        let entry = labels.get(&info.entry_label).copied();
        Ok(BeamCode {
            module,
            decoded,
            instrs: decoded.instrs(),
            entry: entry.ok_or_else(|| NotBuilt::Malformed("it has no entry".to_string()))?,
            labels,
            no_return: &info.no_return,
            cleared: &info.cleared,
        })
    }

    /// It is to begin at an offset in the bytecode, where a continuation is.
    fn begin_at(&mut self, body: &Body, at: u32) -> Result<(), NotBuilt> {
        let mut places = [at, at + native::continuation_words(&body.code, at)].into_iter();
        let instr_at = |place: u32| {
            let instrs = self.instrs.iter();
            let mut offsets = instrs.map(|i| body.place(i.offset));
            offsets.position(|p| p == Some(place))
        };
        let found = places.find_map(instr_at);
        self.entry = found.ok_or_else(|| NotBuilt::Malformed(format!("nothing begins at {at}")))?;
        Ok(())
    }

    fn operands(&self, i: &Instr) -> &'a [Operand] {
        self.decoded.operands(i)
    }

    fn list(&self, o: &Operand) -> &'a [Operand] {
        match o {
            Operand::List(l) => self.decoded.list(*l),
            _ => &[],
        }
    }

    fn index_of(&self, label: u32) -> Option<usize> {
        self.labels.get(&label).copied()
    }

    /// The instructions that instruction `i` may jump to.
    fn targets(&self, i: usize) -> SmallVec<[usize; 2]> {
        use enigma_loader::OperandKind as Kind;
        let instr = &self.instrs[i];
        let o = self.operands(instr);
        let mut found = SmallVec::new();
        for (kind, operand) in instr.op.info().kinds.iter().zip(o) {
            match kind {
                Kind::Jump | Kind::Fail | Kind::FailOrAtom => {
                    let label = operand.label().filter(|&l| l != 0);
                    found.extend(label.and_then(|l| self.index_of(l)));
                }
                Kind::SelectVal | Kind::SelectArity => {
                    let pairs = self.list(operand).chunks_exact(2);
                    let labels = pairs.filter_map(|p| p[1].label());
                    found.extend(labels.filter_map(|l| self.index_of(l)));
                }
                _ => {}
            }
        }
        found
    }

    /// Registers that are to be set to the empty list behind the instruction at this offset.
    fn cleared_after(&self, offset: u32) -> impl Iterator<Item = &'static (u32, u16)> {
        let from = self.cleared.partition_point(|place| place.0 < offset);
        let places = self.cleared[from..].iter();
        places.take_while(move |place| place.0 == offset)
    }

    fn lambda_free(&self, lambda: usize) -> u16 {
        let lambda = self.module.file.lambdas.get(lambda);
        lambda.map_or(0, |l| l.num_free as u16)
    }

    /// The registers that the commands of a `bs_match` write.
    fn command_registers(&self, list: &'a [Operand]) -> Vec<&'a Operand> {
        let commands = self.module.file.commands(list).flatten();
        commands
            .filter_map(|(command, o)| match command {
                MatchCommand::Binary | MatchCommand::Integer | MatchCommand::GetTail => o.last(),
                _ => None,
            })
            .collect()
    }
}

/// What is known about registers at a place.
#[derive(Clone, Debug, Default)]
struct Env {
    x: FxHashMap<u16, Value>,
    floats: FxHashMap<u16, Value>,
    /// Values of Y registers that are known.
    y: FxHashMap<u16, Value>,
}

struct Builder<'a> {
    module: &'static Module,
    me: &'static FnInfo,
    body: &'static Body,
    code: &'a BeamCode<'a>,
    liveness: Liveness,
    out: SsaFunction,
    /// Blocks by the index of the instruction that they begin with.
    blocks: FxHashMap<usize, Block>,
    /// Instructions that blocks begin with, not yet gone through.
    work: Vec<usize>,
    env: Env,
    here: Block,
    /// Index of the instruction.
    at: usize,
}

/// What follows an instruction.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    /// The next one.
    Next,
    /// Something else: the block has ended.
    Ends,
}

impl Builder<'_> {
    fn run(&mut self) {
        let entry = self.out.block();
        self.here = entry;
        for n in 0..self.out.arity as u16 {
            let v = self.out.param(entry, Repr::Term);
            self.env.x.insert(n, v);
        }
        let first = self.target(self.code.entry);
        self.push(Ssa::Jump(first), Vec::new(), &[]);
        while let Some(i) = self.work.pop() {
            self.block_from(i);
        }
    }

    /// Goes through the instructions of the block that begins with instruction `i`.
    fn block_from(&mut self, mut i: usize) {
        self.here = self.blocks[&i];
        self.env = Env::default();
        let params = self.out.blocks[self.here.index()].params.clone();
        let live = self.live_at(i);
        let mut params = params.into_iter();
        for (x, v) in live.0.into_iter().zip(params.by_ref()) {
            self.env.x.insert(x, v);
        }
        for (n, v) in live.1.into_iter().zip(params) {
            self.env.floats.insert(n, v);
        }
        let begins = i;
        self.out.place = None;
        while let Some(instr) = self.code.instrs.get(i) {
            if i != begins && instr.op == Op::Label {
                let to = self.target(i);
                self.push(Ssa::Jump(to), Vec::new(), &[]);
                return;
            }
            self.at = i;
            self.out.place = self.body.place(instr.offset).or(self.out.place);
            if self.instruction(instr) == Flow::Ends {
                return;
            }
            for place in self.code.cleared_after(instr.offset) {
                let nil = self.constant_word(Term::NIL.raw());
                self.env.x.insert(place.1, nil);
            }
            if self.code.no_return.binary_search(&instr.offset).is_ok() {
                let pc = self.next_pc();
                let exit = self.out.exit(SsaExit {
                    pc,
                    ..SsaExit::default()
                });
                self.push(Ssa::Leave(exit), Vec::new(), &[]);
                return;
            }
            i += 1;
        }
        // Verified code does not run over its end.
        let exit = self.exit();
        self.push(Ssa::Leave(exit), Vec::new(), &[]);
    }

    /// The registers that are live in front of instruction `i`, in the order of a block's parameters.
    fn live_at(&self, i: usize) -> (Vec<u16>, Vec<u16>) {
        match self.liveness.before(i) {
            Some(l) => (l.x.iter().collect(), l.floats.iter().collect()),
            None => Default::default(),
        }
    }

    // ---- where to go on ----

    /// The block that begins with instruction `i`.
    fn block_at(&mut self, i: usize) -> Block {
        if let Some(&b) = self.blocks.get(&i) {
            return b;
        }
        let b = self.out.block();
        self.blocks.insert(i, b);
        let (x, floats) = self.live_at(i);
        for _ in x {
            self.out.param(b, Repr::Term);
        }
        for _ in floats {
            self.out.param(b, Repr::Float);
        }
        self.work.push(i);
        b
    }

    /// A jump to instruction `i` with what is in the registers now.
    fn target(&mut self, i: usize) -> Target {
        let block = self.block_at(i);
        let (x, floats) = self.live_at(i);
        let mut args: Vec<Value> = x.into_iter().map(|x| self.x(x)).collect();
        args.extend(floats.into_iter().map(|n| self.float(n)));
        Target { block, args }
    }

    /// A jump to a label.
    fn label(&mut self, o: &Operand) -> Target {
        let label = o.label().unwrap_or(0);
        let i = self.code.index_of(label).unwrap_or(self.code.entry);
        self.target(i)
    }

    /// Goes on in this block if `condition` holds and at the label if not.
    fn or_jump(&mut self, condition: Value, fail: &Operand) {
        let fail = self.label(fail);
        self.here = self.out.or_else(self.here, condition, fail);
    }

    /// Goes on in a fresh block if the answer is yes, and gives the one for no.
    fn fork(&mut self, answer: Value) -> Block {
        let no = self.out.block();
        let to = Target {
            block: no,
            args: Vec::new(),
        };
        self.here = self.out.or_else(self.here, answer, to);
        no
    }

    // ---- places in the bytecode ----

    /// Offset of the bytecode of the instruction.
    fn pc(&self) -> u32 {
        self.place_of(self.at)
    }

    fn place_of(&self, mut i: usize) -> u32 {
        // What was joined with the one before has no place of its own.
        loop {
            if let Some(pc) = self.body.place(self.code.instrs[i].offset) {
                return pc;
            }
            i -= 1;
        }
    }

    /// Offset of the bytecode behind the instruction.
    fn next_pc(&self) -> u32 {
        let pc = self.pc();
        pc + native::length_at(&self.body.code, pc) as u32
    }

    /// The opcode of the instruction's bytecode.
    fn opcode(&self) -> u16 {
        native::opcode_at(&self.body.code, self.pc())
    }

    /// The state in front of the instruction.
    fn exit(&mut self) -> ExitRef {
        let (x, floats) = self.live_at(self.at);
        let x = x.into_iter().map(|n| (n, self.x(n))).collect();
        let floats = floats.into_iter().map(|n| (n, self.float(n))).collect();
        let pc = self.pc();
        self.out.exit(SsaExit {
            pc,
            under: None,
            x,
            floats,
        })
    }

    /// The interpreter goes on at the instruction.
    fn leave(&mut self) -> Flow {
        let exit = self.exit();
        self.push(Ssa::Leave(exit), Vec::new(), &[]);
        Flow::Ends
    }

    // ---- instructions ----

    fn push(&mut self, op: Ssa, args: Vec<Value>, results: &[Repr]) -> Vec<Value> {
        let inst = self.out.push(self.here, op, args, results);
        self.out.insts[inst.index()].results.clone()
    }

    fn one(&mut self, op: Ssa, args: Vec<Value>, result: Repr) -> Value {
        self.out.one(self.here, op, args, result)
    }

    fn constant_word(&mut self, word: u64) -> Value {
        self.one(Ssa::Const(word), Vec::new(), Repr::Term)
    }

    // ---- registers ----

    fn x(&mut self, n: u16) -> Value {
        match self.env.x.get(&n) {
            Some(&v) => v,
            // No path that reads it comes here.
            None => self.constant_word(Term::NIL.raw()),
        }
    }

    fn float(&mut self, n: u16) -> Value {
        match self.env.floats.get(&n) {
            Some(&v) => v,
            None => self.one(Ssa::Float(0.0), Vec::new(), Repr::Float),
        }
    }

    fn y(&mut self, n: u16) -> Value {
        if let Some(&v) = self.env.y.get(&n) {
            return v;
        }
        let v = self.one(Ssa::LoadY(n), Vec::new(), Repr::Term);
        self.env.y.insert(n, v);
        v
    }

    fn set_y(&mut self, n: u16, v: Value) {
        self.push(Ssa::StoreY(n), vec![v], &[]);
        self.env.y.insert(n, v);
    }

    /// The value of an operand.
    fn src(&mut self, o: &Operand) -> Value {
        match o.reg() {
            Some(Reg::X(x)) => self.x(x),
            Some(Reg::Y(y)) => self.y(y),
            None => {
                let word = translate::constant(self.module, o).map_or(0, Term::raw);
                self.constant_word(word)
            }
        }
    }

    fn srcs(&mut self, list: &[Operand]) -> Vec<Value> {
        list.iter().map(|o| self.src(o)).collect()
    }

    /// Sets the register that an operand names.
    fn set(&mut self, o: &Operand, v: Value) {
        match o.reg() {
            Some(Reg::X(x)) => {
                self.env.x.insert(x, v);
            }
            Some(Reg::Y(y)) => self.set_y(y, v),
            None => {}
        }
    }

    /// Everything in registers but Y registers is lost, and what was known of these.
    fn forget(&mut self) {
        self.env = Env::default();
    }

    fn num(o: &Operand) -> usize {
        o.unsigned().unwrap_or(0) as usize
    }

    // ---- single instructions ----

    fn instruction(&mut self, i: &Instr) -> Flow {
        let o = self.code.operands(i);
        match i.op {
            Op::Label
            | Op::Line
            | Op::ExecutableLine
            | Op::DebugLine
            | Op::NifStart
            | Op::OnLoad
            | Op::RecvMark
            | Op::RecvSet
            | Op::Fclearerror
            | Op::Fcheckerror => Flow::Next,
            Op::Jump => {
                let to = self.label(&o[0]);
                self.push(Ssa::Jump(to), Vec::new(), &[]);
                Flow::Ends
            }
            Op::Call | Op::CallLast | Op::CallOnly => self.local_call(i, o),
            Op::CallExt | Op::CallExtLast | Op::CallExtOnly => self.external_call(i, o),
            Op::CallFun => {
                let n = Self::num(&o[0]);
                let fun = self.x(n as u16);
                self.call_fun(n, fun)
            }
            Op::CallFun2 => {
                let fun = self.src(&o[2]);
                self.call_fun(Self::num(&o[1]), fun)
            }
            Op::Apply => self.apply(Self::num(&o[0]), None),
            Op::ApplyLast => self.apply(Self::num(&o[0]), Some(Self::num(&o[1]))),
            Op::Return => {
                let v = self.x(0);
                self.push(Ssa::Return, vec![v], &[]);
                Flow::Ends
            }
            Op::Allocate | Op::AllocateZero => self.allocate(Self::num(&o[0]), 0, &o[1]),
            Op::AllocateHeap | Op::AllocateHeapZero => {
                let words = heap_words(&o[1]);
                self.allocate(Self::num(&o[0]), words, &o[2])
            }
            Op::TestHeap => self.test_heap(heap_words(&o[0]), &o[1]),
            Op::Deallocate | Op::Trim => self.drop_slots(Self::num(&o[0])),
            Op::Init => self.init_y(&o[..1]),
            Op::InitYregs => self.init_y(self.code.list(&o[0])),
            Op::Move => {
                let v = self.src(&o[0]);
                self.set(&o[1], v);
                Flow::Next
            }
            Op::Swap => {
                let (a, b) = (self.src(&o[0]), self.src(&o[1]));
                self.set(&o[0], b);
                self.set(&o[1], a);
                Flow::Next
            }
            Op::GetList | Op::GetHd | Op::GetTl => self.take_list(i.op, o),
            Op::PutList => self.put_list(o),
            Op::PutTuple2 => self.put_tuple(o),
            Op::GetTupleElement => self.get_element(o),
            Op::UpdateRecord => self.update_record(o),
            Op::MakeFun2 | Op::MakeFun3 => self.make_fun(i.op, o),
            Op::Catch | Op::Try => self.catch(o),
            Op::TryEnd | Op::CatchEnd => {
                let nil = self.constant_word(Term::NIL.raw());
                self.set(&o[0], nil);
                Flow::Next
            }
            Op::IsLt | Op::IsGe | Op::IsEq | Op::IsNe | Op::IsEqExact | Op::IsNeExact => {
                self.comparison(i.op, o)
            }
            Op::SelectVal => self.select(o),
            Op::SelectTupleArity => self.select_arity(o),
            Op::HasMapFields | Op::GetMapElements => self.map_fields(i.op, o),
            Op::PutMapAssoc | Op::PutMapExact => self.put_map(i, o),
            Op::Bif0 | Op::Bif1 | Op::Bif2 | Op::Bif3 | Op::GcBif1 | Op::GcBif2 | Op::GcBif3 => {
                self.guard_bif(i.op, o)
            }
            Op::Fmove | Op::Fconv | Op::Fadd | Op::Fsub | Op::Fmul | Op::Fdiv | Op::Fnegate => {
                self.floats(i.op, o)
            }
            _ => {
                let done = self.type_test(i.op, o);
                let done = done.or_else(|| self.matching(i.op, o));
                let done = done.or_else(|| self.creation(i.op, o));
                done.unwrap_or_else(|| self.step(i, o))
            }
        }
    }

    /// Lets the interpreter execute the instruction, and goes on behind it.
    fn step(&mut self, i: &Instr, o: &[Operand]) -> Flow {
        use enigma_loader::OperandKind as Kind;
        if !native::steps(self.opcode()) {
            return self.leave();
        }
        let ends = !liveness::falls_through(self.code, self.at);
        if ends
            && matches!(
                i.op,
                Op::Badmatch | Op::IfEnd | Op::CaseEnd | Op::TryCaseEnd
            )
        {
            // It is an error.
            if self.here != Block(0) {
                self.out.blocks[self.here.index()].cold = true;
            }
            return self.leave();
        }
        let exit = self.exit();
        let (next, kinds) = (self.next_pc(), i.op.info().kinds);
        let (mut fail, mut registers) = (None, Vec::new());
        for (kind, operand) in kinds.iter().zip(o) {
            match kind {
                Kind::Jump | Kind::Fail | Kind::FailOrAtom => {
                    fail = operand.label().filter(|&l| l != 0).map(|_| operand);
                }
                Kind::Dst => registers.push(operand),
                Kind::GetList => {
                    let pairs = self.code.list(operand).chunks_exact(2);
                    registers.extend(pairs.map(|p| &p[1]));
                }
                Kind::Commands => {
                    registers.extend(self.code.command_registers(self.code.list(operand)));
                }
                _ => {}
            }
        }
        // These name no register, but set the first one.
        let sets_first = matches!(
            i.op,
            Op::Send | Op::BuildStacktrace | Op::RawRaise | Op::BsInitWritable
        );
        let mut writes: Vec<u16> = Vec::new();
        for r in registers {
            match r.reg() {
                Some(Reg::X(x)) => writes.push(x),
                Some(Reg::Y(y)) => {
                    self.env.y.remove(&y);
                }
                None => {}
            }
        }
        if sets_first {
            writes.push(0);
        }
        writes.sort_unstable();
        writes.dedup();
        let other = fail.and_then(|l| {
            let to = self.code.index_of(l.label()?)?;
            Some(self.place_of(to))
        });
        let mut reprs = vec![Repr::Bool; usize::from(other.is_some())];
        reprs.extend(writes.iter().map(|_| Repr::Term));
        let op = Ssa::Step {
            at: exit,
            next,
            other,
            writes: writes.clone(),
            float_writes: Vec::new(),
        };
        let results = self.push(op, Vec::new(), &reprs);
        let mut results = results.into_iter();
        if let (Some(fail), Some(_)) = (fail, other) {
            let went_on = results.next().unwrap_or(Value(0));
            if ends {
                // It jumps back or stops; what stands behind it is not its own.
                let to = self.label(fail);
                self.push(Ssa::Jump(to), Vec::new(), &[]);
                return Flow::Ends;
            }
            self.or_jump(went_on, fail);
        } else if ends {
            self.push(Ssa::Leave(exit), Vec::new(), &[]);
            return Flow::Ends;
        }
        for (x, v) in writes.into_iter().zip(results) {
            self.env.x.insert(x, v);
        }
        Flow::Next
    }
}
