//! From SSA form to Cranelift's.
//!
//! A native function is `(x0, sp, hp, reductions, x1, x2) -> (value, reductions, hp, sp)` in Cranelift's `tail`
//! convention, so that the threaded values stay in the same registers both ways on x86-64; further arguments are in the
//! X registers in memory. The pinned register holds the address of the `Ctx`. At the entry the word on top of the Erlang
//! stack is the bytecode address to return to; it still is when the function returns, and the caller drops it.
//!
//! `NONVALUE` as the value means that the process goes on elsewhere; the other results mean nothing then.
//!
//! A function that the interpreter is to go on with ends in a call of a helper in its place, which gives what the function would
//! have given. Functions without machine code have the address of such a helper in their records.

mod arith;
mod bits;
mod calls;
mod census;
mod chaos;
mod contexts;
mod creation;
mod data;
mod division;
pub mod glue;
mod intrinsics;
mod lists;
mod maps;
mod numbers;
pub mod places;
mod questions;
mod receive;
mod state;
mod words;

use crate::ir::flow::ControlFlowGraph;
use crate::ir::{self, ExitRef, Inst, Op, Repr, SsaFunction};
use cranelift_codegen::ir::types::{F64, I8, I64};
use cranelift_codegen::ir::{
    AbiParam, Block, BlockArg, ExtFuncData, ExternalName, FuncRef, InstBuilder, MemFlagsData,
    Signature, SourceLoc, UserExternalName, Value,
};
use cranelift_codegen::isa::{CallConv, TargetIsa};
use cranelift_codegen::packed_option::ReservedValue;
use cranelift_codegen::settings::OptLevel;
use cranelift_codegen::{Context, ir as clif};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Switch, Variable};
use enigma_runtime::code::module::{Body, FnInfo};
use enigma_runtime::code::native::ReturnPoint;
use enigma_runtime::interp::native::{Helper, HelperCall, layout};
use enigma_runtime::term::{Header, Kind, Term};
use maps::Places;
use rustc_hash::FxHashMap;

/// Which parameters of native functions are their arguments; further ones are in X registers in memory.
const PLACES: [usize; 3] = [0, 4, 5];

/// How many arguments native functions take in registers.
const IN_REGISTERS: usize = PLACES.len();

/// Set in the source location of code that leaves the function at a bytecode instruction, beside the instruction's offset.
pub const EXIT_PLACE: u32 = 1 << 31;

/// Memory that is there and aligned.
fn trusted() -> MemFlagsData {
    MemFlagsData::trusted()
}

/// What a relocation names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Symbol {
    /// The way from native code to a helper.
    Glue(Helper),
    /// The machine code of a function of the module.
    Function(u32),
    /// The code itself.
    This,
}

impl Symbol {
    fn name(self) -> UserExternalName {
        let (namespace, index) = match self {
            Symbol::Glue(h) => (0, h as u32),
            Symbol::Function(i) => (1, i),
            Symbol::This => (2, 0),
        };
        UserExternalName { namespace, index }
    }

    /// What a name stands for.
    pub fn of(name: &UserExternalName) -> Option<Symbol> {
        Some(match name.namespace {
            0 => Symbol::Glue(*Helper::ALL.get(name.index as usize)?),
            1 => Symbol::Function(name.index),
            2 => Symbol::This,
            _ => return None,
        })
    }
}

/// What native functions take at most.
const MOST_PARAMETERS: usize = 6;

/// The signature of native functions as they are called without knowing how much of it they take.
pub fn signature() -> Signature {
    signature_of(MOST_PARAMETERS)
}

/// The same with so many parameters: who takes or gives fewer arguments has nothing to do with the registers of the others.
fn signature_of(params: usize) -> Signature {
    Signature {
        params: vec![AbiParam::new(I64); params],
        returns: vec![AbiParam::new(I64); 4],
        call_conv: CallConv::Tail,
    }
}

/// How many parameters a function of so many arguments has: what is threaded, and those that are in registers.
fn parameters(arguments: usize) -> usize {
    arguments.clamp(1, IN_REGISTERS) + MOST_PARAMETERS - IN_REGISTERS
}

/// Where a function's calls return to. They stay as long as its code.
#[derive(Default)]
pub struct ReturnPoints {
    #[allow(clippy::vec_box, reason = "the code names their addresses")]
    calls: Vec<Box<ReturnPoint>>,
    list: Option<Box<ReturnPoint>>,
}

/// Fills `cx` with the Cranelift form of a function; gives what its code refers to.
pub fn function(
    source: &SsaFunction,
    f: &'static FnInfo,
    body: &'static Body,
    isa: &dyn TargetIsa,
    cx: &mut Context,
    fbc: &mut FunctionBuilderContext,
) -> ReturnPoints {
    cx.func.signature = signature_of(parameters(source.arity));
    cx.func.name = clif::UserFuncName::user(2, 0);
    let mut b = FunctionBuilder::new(&mut cx.func, fbc);
    let [sp, hp, reds] = [(); 3].map(|()| b.declare_var(I64));
    let keeping_sig = b.import_signature(glue::keeping_signature());
    let helper_sig = b.import_signature(glue::system(4));
    let open = contexts::OpenContext::of(source, &mut b);
    let open_binary = contexts::OpenBinary::of(source, &mut b);
    let mut l = Lowering {
        b,
        source,
        me: f,
        signatures: [None; MOST_PARAMETERS + 1],
        keeping_sig,
        helper_sig,
        sp,
        hp,
        reds,
        nonvalue: None,
        landing: None,
        has_handlers: body.has_handlers(),
        elsewhere: None,
        values: vec![None; source.values.len()],
        constants: vec![None; source.values.len()],
        uses: uses(source),
        blocks: Vec::new(),
        exits: FxHashMap::default(),
        functions: FxHashMap::default(),
        credit: 0,
        places: Places::default(),
        current: None,
        handed: FxHashMap::default(),
        open,
        open_binary,
        graph: ControlFlowGraph::new(source),
        hands_over: isa.flags().opt_level() == OptLevel::None,
        stressed: enigma_runtime::spawn::is_gc_stress(),
        chaotic: enigma_runtime::interp::native::chaos::is_on(),
        at: None,
        return_points: ReturnPoints::default(),
        here: state::Here::default(),
        out_of_reductions: None,
    };
    l.run();
    l.b.seal_all_blocks();
    l.b.finalize(isa.frontend_config());
    l.return_points
}

fn uses(f: &SsaFunction) -> Vec<u32> {
    let mut n = vec![0; f.values.len()];
    let mut count = |v: &ir::Value| n[v.index()] += 1;
    for i in &f.insts {
        i.args.iter().for_each(&mut count);
        for t in i.op.targets() {
            t.args.iter().for_each(&mut count);
        }
    }
    for e in &f.exits {
        e.x.iter().chain(&e.floats).for_each(|p| count(&p.1));
    }
    n
}

/// Where control goes, with what the block's parameters get.
#[derive(Clone)]
struct To {
    block: Block,
    args: Vec<BlockArg>,
}

impl To {
    fn plain(block: Block) -> To {
        To {
            block,
            args: Vec::new(),
        }
    }
}

/// What is known where a block begins.
#[derive(Default)]
struct Handed {
    credit: u32,
    places: Places,
    current: Option<ir::Value>,
}

struct Lowering<'a> {
    b: FunctionBuilder<'a>,
    source: &'a SsaFunction,
    me: &'static FnInfo,
    /// Those of functions of the tail convention, by the number of parameters.
    signatures: [Option<clif::SigRef>; MOST_PARAMETERS + 1],
    keeping_sig: clif::SigRef,
    /// The signature of helpers that are called directly.
    helper_sig: clif::SigRef,
    sp: Variable,
    hp: Variable,
    reds: Variable,
    /// Returns `NONVALUE`: a callee has done so.
    nonvalue: Option<Block>,
    /// The same in a function that has handlers, perhaps one that is meant; takes the depth of the stack in bytes.
    landing: Option<Block>,
    has_handlers: bool,
    /// The process goes on where a helper has said.
    elsewhere: Option<Block>,
    values: Vec<Option<Value>>,
    /// The words of values that are constants.
    constants: Vec<Option<u64>>,
    uses: Vec<u32>,
    blocks: Vec<Block>,
    /// Blocks that leave at an exit.
    exits: FxHashMap<ExitRef, Block>,
    /// What is called, by the name and the number of parameters.
    functions: FxHashMap<(UserExternalName, usize), FuncRef>,
    /// Words of heap that are known to be free.
    credit: u32,
    /// Where keys are in maps, as far as that has been found out.
    places: Places,
    /// The match context that is open here, where that is known.
    current: Option<ir::Value>,
    /// What is known where blocks begin that have one predecessor.
    handed: FxHashMap<ir::Block, Handed>,
    /// The variables of the match context that is open, if the function has such ones.
    open: Option<contexts::OpenContext>,
    /// Those of the binary that is open, likewise.
    open_binary: Option<contexts::OpenBinary>,
    graph: ControlFlowGraph,
    /// Do exits hand X registers over in machine registers? That takes less time to compile, but moves what is in registers around
    /// where nobody leaves.
    hands_over: bool,
    stressed: bool,
    /// Is it left at random?
    chaotic: bool,
    /// Offset of the bytecode instruction that is lowered, where that is known.
    at: Option<u32>,
    return_points: ReturnPoints,
    here: state::Here,
    /// Goes on when there are no reductions left to enter the function with the arguments that it takes.
    out_of_reductions: Option<Block>,
}

impl Lowering<'_> {
    fn run(&mut self) {
        let order = self.graph.order().to_vec();
        // The first block stands where the entry ends.
        self.blocks.push(Block::reserved_value());
        for block in self.source.blocks().map(|(b, _)| b).skip(1) {
            let b = self.make_block(block);
            self.blocks.push(b);
        }
        self.prepare_list();
        self.entry();
        for block in order {
            if block == ir::Block(0) {
                self.block(&self.source.blocks[0].insts);
                continue;
            }
            if self.exit_of(block).is_some() {
                continue;
            }
            let b = self.blocks[block.index()];
            let mut jumps = self.graph.jumps_to(block).iter();
            let is_complete = jumps.all(|j| self.graph.place(j.from) < self.graph.place(block));
            if is_complete {
                self.begin(b);
            } else {
                self.b.switch_to_block(b);
            }
            let handed = self.handed.remove(&block).unwrap_or_default();
            (self.credit, self.places, self.current) =
                (handed.credit, handed.places, handed.current);
            self.block(&self.source.blocks[block.index()].insts);
        }
        self.out_of_reductions();
        self.leave_blocks();
        self.place(None);
        if let Some(block) = self.elsewhere {
            self.begin(block);
            self.go_to(Symbol::Glue(Helper::Resume), &[]);
        }
        if let Some(block) = self.nonvalue {
            self.begin(block);
            let none = self.word(Term::NONVALUE.raw());
            self.b.ins().return_(&[none; 4]);
        }
        if let Some(block) = self.landing {
            self.begin(block);
            let depth = self.b.block_params(block)[0];
            self.go_to(Symbol::Glue(Helper::Land), &[depth]);
        }
    }

    /// Cranelift's block for one of the function's.
    fn make_block(&mut self, block: ir::Block) -> Block {
        if let Some(exit) = self.exit_of(block) {
            return self.exit_block(exit);
        }
        let data = &self.source.blocks[block.index()];
        let b = match data.cold {
            true => self.cold_block(),
            false => self.fresh_block(),
        };
        for &v in &data.params {
            let ty = self.type_of(v);
            self.values[v.index()] = Some(self.b.append_block_param(b, ty));
        }
        b
    }

    /// The exit at which a block leaves that does nothing else.
    fn exit_of(&self, block: ir::Block) -> Option<ExitRef> {
        let data = &self.source.blocks[block.index()];
        let [only] = data.insts[..] else { return None };
        match self.source.insts[only.index()].op {
            Op::Leave(exit) if block != ir::Block(0) && data.params.is_empty() => Some(exit),
            _ => None,
        }
    }

    /// A cold block of which a function has one at most, made when it is first needed.
    fn once_cold(&mut self, place: fn(&mut Self) -> &mut Option<Block>) -> Block {
        if let Some(block) = *place(self) {
            return block;
        }
        let block = self.cold_block();
        *place(self) = Some(block);
        block
    }

    /// The block that returns `NONVALUE`, as a callee has done.
    fn nonvalue(&mut self) -> Block {
        self.once_cold(|l| &mut l.nonvalue)
    }

    /// The block that sees whether a handler of this function is meant.
    fn landing(&mut self) -> Block {
        if let Some(block) = self.landing {
            return block;
        }
        let block = self.once_cold(|l| &mut l.landing);
        self.b.append_block_param(block, I64);
        block
    }

    /// The block that lets the process go on where a helper has said, when that has not given what it should.
    fn elsewhere(&mut self) -> Block {
        self.once_cold(|l| &mut l.elsewhere)
    }

    /// Does something in a cold block if the condition holds, and goes on.
    fn rarely(&mut self, condition: Value, work: impl FnOnce(&mut Self)) {
        let cold = self.unlikely_if(condition);
        let join = self.fresh_block();
        self.go(&To::plain(join));
        self.begin(cold);
        work(self);
        self.go(&To::plain(join));
        self.begin(join);
    }

    fn entry(&mut self) {
        let entry = self.fresh_block();
        self.b.append_block_params_for_function_params(entry);
        self.begin(entry);
        // It comes first, whatever is begun before it has an instruction.
        self.b.ensure_inserted_block();
        let p = self.b.block_params(entry).to_vec();
        self.b.def_var(self.sp, p[1]);
        self.b.def_var(self.hp, p[2]);
        self.b.def_var(self.reds, p[3]);
        self.begin_open();
        let in_registers = PLACES.iter().take(self.source.arity);
        let mut args: Vec<Value> = in_registers.map(|&place| p[place]).collect();
        for n in 3..self.source.arity {
            let v = self.load_x(n);
            args.push(v);
        }
        if self.source.at.is_none() {
            self.count_reduction(&args, |_| ());
        }
        for (&param, v) in self.source.blocks[0].params.iter().zip(args) {
            self.values[param.index()] = Some(v);
        }
    }

    /// Lowers the instructions of a block.
    fn block(&mut self, insts: &[Inst]) {
        let mut i = 0;
        while i < insts.len() {
            let this = &self.source.insts[insts[i].index()];
            self.place(this.place);
            if let Some(exit) = this.op.exit() {
                self.leave_by_chance(exit);
            }
            if let Some(next) = insts.get(i + 1)
                && let Op::Branch(yes, no) = &self.source.insts[next.index()].op
                && let Some(&answer) = this.results.first()
                && self.source.insts[next.index()].args == [answer]
                && self.uses[answer.index()] == 1
                && is_question(&this.op)
            {
                let (to_yes, to_no) = (self.to(yes), self.to(no));
                let before = self.current;
                if is_match(&this.op) {
                    self.matching(this, &to_yes, &to_no);
                } else {
                    self.question(&this.op, &this.args, &to_yes, &to_no);
                }
                // What takes heap on the way makes the credit smaller, also where it does not come by.
                self.hand_on(yes);
                if self.current != before {
                    self.current = None;
                }
                self.hand_on(no);
                return;
            }
            if self.look_up(&insts[i..]) {
                return;
            }
            self.inst(this);
            i += 1;
        }
    }

    /// The code that follows belongs to the bytecode instruction at this offset.
    fn place(&mut self, offset: Option<u32>) {
        self.at = offset;
        let place = offset.map_or_else(SourceLoc::default, SourceLoc::new);
        self.b.set_srcloc(place);
    }

    // ---- values ----

    fn type_of(&self, v: ir::Value) -> clif::Type {
        match self.source.values[v.index()] {
            Repr::Term | Repr::Code | Repr::Word => I64,
            Repr::Float => F64,
            Repr::Bool => I8,
        }
    }

    fn val(&mut self, v: ir::Value) -> Value {
        if let Some(word) = self.constants[v.index()] {
            return self.word(word);
        }
        match self.values[v.index()] {
            Some(v) => v,
            None => enigma_runtime::bug::vm_bug("an SSA value is used before it is defined"),
        }
    }

    fn vals(&mut self, list: &[ir::Value]) -> Vec<Value> {
        list.iter().map(|&v| self.val(v)).collect()
    }

    fn define(&mut self, i: &ir::InstData, v: Value) {
        self.values[i.results[0].index()] = Some(v);
    }

    fn constant(&self, v: ir::Value) -> Option<u64> {
        self.constants[v.index()]
    }

    fn word(&mut self, word: u64) -> Value {
        self.b.ins().iconst(I64, word as i64)
    }

    fn to(&mut self, t: &ir::Target) -> To {
        let args = self.vals(&t.args).into_iter().map(BlockArg::from).collect();
        To {
            block: self.blocks[t.block.index()],
            args,
        }
    }

    fn go(&mut self, to: &To) {
        self.b.ins().jump(to.block, &to.args);
    }

    fn branch(&mut self, condition: Value, yes: &To, no: &To) {
        let (yes, no) = (&self.way_out(yes), &self.way_out(no));
        self.b
            .ins()
            .brif(condition, yes.block, &yes.args, no.block, &no.args);
    }

    /// Goes on at the beginning of a block to which all jumps have been made.
    fn begin(&mut self, block: Block) {
        self.b.seal_block(block);
        self.b.switch_to_block(block);
    }

    /// Goes on in a fresh block if the condition holds, else there.
    fn go_on_if(&mut self, condition: Value, no: &To) {
        let next = self.fresh_block();
        self.branch(condition, &To::plain(next), no);
        self.begin(next);
    }

    /// Goes on in a fresh block if the condition does not hold, else there.
    fn go_on_unless(&mut self, condition: Value, yes: &To) {
        let next = self.fresh_block();
        self.branch(condition, yes, &To::plain(next));
        self.begin(next);
    }

    /// A block, which is cold if the present one is: what follows cold code is as rare.
    fn fresh_block(&mut self) -> Block {
        let block = self.b.create_block();
        let here = self.b.current_block();
        if here.is_some_and(|here| self.b.func.layout.is_cold(here)) {
            self.b.set_cold_block(block);
        }
        block
    }

    fn cold_block(&mut self) -> Block {
        let block = self.b.create_block();
        self.b.set_cold_block(block);
        block
    }

    /// Goes on in a fresh block if `condition` holds, else in a fresh cold one, which is given back.
    fn unlikely_unless(&mut self, condition: Value) -> Block {
        let cold = self.cold_block();
        self.go_on_if(condition, &To::plain(cold));
        cold
    }

    /// The same with the condition that is unlikely.
    fn unlikely_if(&mut self, condition: Value) -> Block {
        let cold = self.cold_block();
        self.go_on_unless(condition, &To::plain(cold));
        cold
    }

    /// The signature of what takes so many parameters.
    fn signature(&mut self, params: usize) -> clif::SigRef {
        if let Some(known) = self.signatures[params] {
            return known;
        }
        let signature = self.b.import_signature(signature_of(params));
        self.signatures[params] = Some(signature);
        signature
    }

    /// What is there under a name, to be called with so many parameters.
    fn symbol(&mut self, s: Symbol, params: usize) -> FuncRef {
        let name = s.name();
        if let Some(&f) = self.functions.get(&(name.clone(), params)) {
            return f;
        }
        let signature = match s {
            Symbol::Glue(h) if h.call() == HelperCall::Keeping => self.keeping_sig,
            _ => self.signature(params),
        };
        let reference = self.b.func.declare_imported_user_function(name.clone());
        let f = self.b.import_function(ExtFuncData {
            name: ExternalName::user(reference),
            signature,
            colocated: true,
            patchable: false,
        });
        self.functions.insert((name, params), f);
        f
    }

    /// Lets what is there under a name take the function's place.
    fn go_to(&mut self, s: Symbol, args: &[Value]) {
        let f = self.symbol(s, args.len());
        self.b.ins().return_call(f, args);
    }

    /// What is known here is known where this jump leads, if no other one leads there.
    fn hand_on(&mut self, t: &ir::Target) {
        if self.graph.jumps_to(t.block).len() == 1 {
            let handed = Handed {
                credit: self.credit,
                places: self.places.clone(),
                current: self.current,
            };
            self.handed.insert(t.block, handed);
        }
    }

    fn inst(&mut self, i: &ir::InstData) {
        match &i.op {
            Op::Const(word) => self.constants[i.results[0].index()] = Some(*word),
            Op::Float(f) => {
                let v = self.b.ins().f64const(*f);
                self.define(i, v);
            }
            Op::LoadY(n) => {
                let sp = self.b.use_var(self.sp);
                let at = 8 * i32::from(*n);
                let v = self.b.ins().load(I64, trusted(), sp, at);
                self.define(i, v);
            }
            Op::StoreY(n) => {
                let v = self.val(i.args[0]);
                let sp = self.b.use_var(self.sp);
                self.b.ins().store(trusted(), v, sp, 8 * i32::from(*n));
            }
            Op::StoreCatch(n, pc) => {
                let word = enigma_runtime::term::stack_word::catch(self.pc_address(*pc));
                let (v, sp) = (self.word(word), self.b.use_var(self.sp));
                self.b.ins().store(trusted(), v, sp, 8 * i32::from(*n));
            }
            op if is_match(op) => self.match_answer(i),
            op if is_question(op) => self.answer(i),
            Op::BoolTerm => {
                let is = self.val(i.args[0]);
                let yes = self.word(Term::bool(true).raw());
                let no = self.word(Term::bool(false).raw());
                let v = self.b.ins().select(is, yes, no);
                self.define(i, v);
            }
            Op::Jump(t) => {
                self.hand_on(t);
                let to = self.to(t);
                self.go(&to);
            }
            Op::Branch(yes, no) => {
                self.hand_on(yes);
                self.hand_on(no);
                let is = self.val(i.args[0]);
                let (yes, no) = (self.to(yes), self.to(no));
                self.branch(is, &yes, &no);
            }
            Op::Switch(cases, other) => self.switch(i, cases, other),
            Op::SwitchArity(cases, other) => self.switch_arity(i, cases, other),
            Op::Leave(e) => {
                let block = self.exit_block(*e);
                self.b.ins().jump(block, &[]);
            }
            _ => self.more(i),
        }
    }

    fn more(&mut self, i: &ir::InstData) {
        match &i.op {
            Op::Head
            | Op::Tail
            | Op::Element(_)
            | Op::ElementAt
            | Op::TupleSize
            | Op::ListLength
            | Op::OwnPid
            | Op::Cons
            | Op::Tuple
            | Op::UpdateTuple(..)
            | Op::OverwriteTuple(..)
            | Op::Fun(_) => self.data(i),
            Op::MapGet | Op::MapSize | Op::NewMap | Op::MapPut(_) | Op::MapUpdate(_) => {
                self.maps(i);
            }
            Op::Arith(..)
            | Op::TryArith(_)
            | Op::Unbox(_)
            | Op::ToFloat(_)
            | Op::Box
            | Op::FloatArith(..)
            | Op::FloatNegate
            | Op::SmallArith(_)
            | Op::SmallToFloat
            | Op::RawFloatArith(_) => self.arithmetic(i),
            Op::WordConst(_) | Op::WordArith(_) | Op::WordTerm(_) => self.words(i),
            Op::Step { .. } if self.message(i) => {}
            Op::GuardBif(bif) => self.guard_bif(i, bif),
            Op::CreateBits(segments, exit) => self.create_bits(i, segments, *exit),
            Op::WritableBits => self.writable_bits(i),
            Op::ByteSize | Op::BitSize => self.size_of_bits(i),
            Op::RestBits | Op::BitsPosition | Op::SetBitsPosition => self.of_context(i),
            _ => self.calls(i),
        }
    }

    // ---- choices ----

    fn switch(&mut self, i: &ir::InstData, cases: &[(u64, ir::Target)], other: &ir::Target) {
        let v = self.val(i.args[0]);
        let other = self.to(other);
        let all_small = cases.iter().all(|c| c.0 & 7 == 0);
        if cases.len() <= 4 {
            return self.one_by_one(v, cases, &other, |key| key);
        }
        let otherwise = self.way_to(&other);
        let mut table = Switch::new();
        let index = if all_small {
            let tag = self.b.ins().band_imm_s(v, 7);
            self.go_on_unless(tag, &otherwise);
            self.b.ins().ushr_imm_u(v, 3)
        } else {
            v
        };
        let from = self.b.current_block();
        for (key, to) in cases {
            let to = self.to(to);
            let block = self.way_to(&to).block;
            let key = if all_small { *key >> 3 } else { *key };
            table.set_entry(u128::from(key), block);
        }
        if let Some(from) = from {
            self.b.switch_to_block(from);
        }
        table.emit(&mut self.b, index, otherwise.block);
    }

    /// Compares a word with that of each case.
    fn one_by_one<K: Copy>(
        &mut self,
        v: Value,
        cases: &[(K, ir::Target)],
        other: &To,
        word: impl Fn(K) -> u64,
    ) {
        let Some(((last, last_to), before)) = cases.split_last() else {
            return self.go(other);
        };
        for (key, to) in before {
            let to = self.to(to);
            let is = self.is_word(v, word(*key));
            self.go_on_unless(is, &to);
        }
        let to = self.to(last_to);
        let is = self.is_word(v, word(*last));
        self.branch(is, &to, other);
    }

    /// The way to a place that is not as rare as the code here, so that what has to be moved on the way is not in the way of
    /// others.
    fn way_out(&mut self, to: &To) -> To {
        let is_cold = |l: &Self, b: Block| l.b.func.layout.is_cold(b);
        let Some(here) = self.b.current_block() else {
            return to.clone();
        };
        if !is_cold(self, here) || is_cold(self, to.block) {
            return to.clone();
        }
        let block = self.cold_block();
        self.begin(block);
        self.go(to);
        self.b.switch_to_block(here);
        To::plain(block)
    }

    /// A block without parameters that goes on there.
    fn way_to(&mut self, to: &To) -> To {
        if to.args.is_empty() {
            return to.clone();
        }
        let back = self.b.current_block();
        let block = self.fresh_block();
        self.begin(block);
        self.go(to);
        if let Some(back) = back {
            self.b.switch_to_block(back);
        }
        To::plain(block)
    }

    fn switch_arity(&mut self, i: &ir::InstData, cases: &[(u32, ir::Target)], other: &ir::Target) {
        let v = self.val(i.args[0]);
        let other = self.to(other);
        let otherwise = self.way_to(&other);
        let header = self.header_or(v, &otherwise);
        let of_size = |n: u32| Header::new(Kind::Tuple, n as usize).raw();
        if cases.len() <= 4 {
            return self.one_by_one(header, cases, &otherwise, of_size);
        }
        let is = self.has_low_byte(header, of_size(0));
        self.go_on_if(is, &otherwise);
        let size = self.b.ins().ushr_imm_u(header, 8);
        let from = self.b.current_block();
        let mut table = Switch::new();
        for (n, to) in cases {
            let to = self.to(to);
            let block = self.way_to(&to).block;
            table.set_entry(u128::from(*n), block);
        }
        if let Some(from) = from {
            self.b.switch_to_block(from);
        }
        table.emit(&mut self.b, size, otherwise.block);
    }
}

/// Is it answered with yes or no, so that a branch on it needs no word for the answer?
fn is_question(op: &Op) -> bool {
    op.results().first() == Some(&Repr::Bool) && !matches!(op, Op::Step { .. })
}

/// Does it match a bitstring, or ask for a number? It gives what it finds beside the answer.
fn is_match(op: &Op) -> bool {
    let bits = matches!(
        op,
        Op::StartMatch | Op::MatchBits(_) | Op::MatchString(..) | Op::GetBits(..) | Op::GetUtf(..)
    );
    bits || matches!(op, Op::TrySmallArith(_) | Op::TryUnbox | Op::TryToFloat)
        || matches!(op, Op::TryWord | Op::TryWordArith(_))
}

/// Where X register `n` is in memory, from the address of the first one.
fn x_offset(n: usize) -> i32 {
    8 * n as i32
}

/// Where float register `n` is.
fn float_offset(n: u16) -> i32 {
    x_offset(layout::FLOATS + usize::from(n))
}
