//! Making a function, an instruction at a time.

use super::{
    Block, BlockData, ExitRef, Inst, InstData, Op, Repr, SsaExit, SsaFunction, Target, Value,
};

impl SsaFunction {
    /// An empty function.
    pub fn new(name: String, arity: usize) -> SsaFunction {
        SsaFunction {
            name,
            arity,
            at: None,
            insts: Vec::new(),
            blocks: Vec::new(),
            values: Vec::new(),
            exits: Vec::new(),
            inlined: Vec::new(),
            place: None,
        }
    }

    /// A fresh value.
    pub fn value(&mut self, repr: Repr) -> Value {
        self.values.push(repr);
        Value(self.values.len() as u32 - 1)
    }

    /// A fresh block.
    pub fn block(&mut self) -> Block {
        self.blocks.push(BlockData::default());
        Block(self.blocks.len() as u32 - 1)
    }

    /// A further parameter of a block.
    pub fn param(&mut self, block: Block, repr: Repr) -> Value {
        let v = self.value(repr);
        self.blocks[block.index()].params.push(v);
        v
    }

    /// An exit: the last one again if it is the same.
    pub fn exit(&mut self, exit: SsaExit) -> ExitRef {
        if self.exits.last() != Some(&exit) {
            self.exits.push(exit);
        }
        ExitRef(self.exits.len() as u32 - 1)
    }

    /// Appends an instruction with results of these representations.
    pub fn push(&mut self, block: Block, op: Op, args: Vec<Value>, results: &[Repr]) -> Inst {
        let results = results.iter().map(|&r| self.value(r)).collect();
        let place = self.place;
        self.insts.push(InstData {
            op,
            args,
            results,
            place,
        });
        let inst = Inst(self.insts.len() as u32 - 1);
        self.blocks[block.index()].insts.push(inst);
        inst
    }

    /// Appends an instruction with one result.
    pub fn one(&mut self, block: Block, op: Op, args: Vec<Value>, result: Repr) -> Value {
        let inst = self.push(block, op, args, &[result]);
        self.insts[inst.index()].results[0]
    }

    /// Ends a block: goes on in a fresh one, which is given, if the answer is yes, else there.
    pub fn or_else(&mut self, from: Block, answer: Value, no: Target) -> Block {
        let next = self.block();
        self.blocks[next.index()].cold = self.blocks[from.index()].cold;
        let on = Target {
            block: next,
            args: Vec::new(),
        };
        self.push(from, Op::Branch(on, no), vec![answer], &[]);
        next
    }

    /// Appends a jump.
    pub fn jump(&mut self, from: Block, to: Block, args: Vec<Value>) {
        let target = Target { block: to, args };
        self.push(from, Op::Jump(target), Vec::new(), &[]);
    }
}
