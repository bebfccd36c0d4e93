//! The way from Rust into native code, and from native code to helpers.

use super::{Symbol, signature, trusted, x_offset};
use cranelift_codegen::Context;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{AbiParam, InstBuilder, Signature, UserFuncName};
use cranelift_codegen::isa::{CallConv, TargetIsa};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use enigma_runtime::interp::native::{HELPERS, Helper, layout};
use enigma_runtime::term::Term;

/// The signature of a function of Rust that takes and gives words.
pub(super) fn system(params: usize) -> Signature {
    Signature {
        params: vec![AbiParam::new(I64); params],
        returns: vec![AbiParam::new(I64)],
        call_conv: CallConv::SystemV,
    }
}

/// Calls a helper from native code: what is threaded goes to memory before and comes from there after. Takes and gives what
/// native functions do, but for what is in the place of X registers.
pub fn helper(
    helper: Helper,
    isa: &dyn TargetIsa,
    cx: &mut Context,
    fbc: &mut FunctionBuilderContext,
) {
    cx.func.signature = signature();
    cx.func.name = UserFuncName::user(0, helper as u32);
    let mut b = FunctionBuilder::new(&mut cx.func, fbc);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    let [x, sp, hp, reds, y, z] = b.block_params(entry)[..] else {
        enigma_runtime::bug::vm_bug("native functions have six parameters")
    };
    let p = b.ins().get_pinned_reg(I64);
    let own = b.ins().load(I64, trusted(), p, layout::OWN as i32);
    if helper != Helper::Resume {
        b.ins().store(trusted(), sp, p, layout::SP as i32);
        b.ins().store(trusted(), reds, p, layout::REDS as i32);
        b.ins().store(trusted(), hp, own, layout::HP as i32);
    }
    let sig = b.import_signature(system(4));
    let address = b
        .ins()
        .iconst(I64, HELPERS[helper as usize] as usize as i64);
    let call = b.ins().call_indirect(sig, address, &[p, x, y, z]);
    let v = b.inst_results(call)[0];
    let p = b.ins().get_pinned_reg(I64);
    let own = b.ins().load(I64, trusted(), p, layout::OWN as i32);
    let reds = b.ins().load(I64, trusted(), p, layout::REDS as i32);
    let hp = b.ins().load(I64, trusted(), own, layout::HP as i32);
    let sp = b.ins().load(I64, trusted(), p, layout::SP as i32);
    b.ins().return_(&[v, reds, hp, sp]);
    b.seal_all_blocks();
    b.finalize(isa.frontend_config());
}

/// The signature of the way to helpers that keep all registers. What they are given and give is in memory: registers for it would
/// have to be free where they are called.
pub fn keeping_signature() -> Signature {
    Signature {
        params: Vec::new(),
        returns: Vec::new(),
        call_conv: CallConv::PreserveAll,
    }
}

/// Calls a helper that keeps all registers from native code.
pub fn keeping_helper(
    helper: Helper,
    isa: &dyn TargetIsa,
    cx: &mut Context,
    fbc: &mut FunctionBuilderContext,
) {
    cx.func.signature = keeping_signature();
    cx.func.name = UserFuncName::user(0, helper as u32);
    let mut b = FunctionBuilder::new(&mut cx.func, fbc);
    let entry = b.create_block();
    b.switch_to_block(entry);
    let p = b.ins().get_pinned_reg(I64);
    let [x, y, z] = [0, 8, 16].map(|at| {
        let from = layout::ARGUMENTS as i32 + at;
        b.ins().load(I64, trusted(), p, from)
    });
    let sig = b.import_signature(system(4));
    let address = b
        .ins()
        .iconst(I64, HELPERS[helper as usize] as usize as i64);
    let call = b.ins().call_indirect(sig, address, &[p, x, y, z]);
    let v = b.inst_results(call)[0];
    let p = b.ins().get_pinned_reg(I64);
    b.ins().store(trusted(), v, p, layout::ANSWER as i32);
    b.ins().return_(&[]);
    b.seal_all_blocks();
    b.finalize(isa.frontend_config());
}

/// The way in: `interp::native::WayIn`.
pub fn way_in(isa: &dyn TargetIsa, cx: &mut Context, fbc: &mut FunctionBuilderContext) {
    cx.func.signature = system(2);
    cx.func.name = UserFuncName::user(3, 0);
    let mut b = FunctionBuilder::new(&mut cx.func, fbc);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    let (p, code) = (b.block_params(entry)[0], b.block_params(entry)[1]);
    let before = b.ins().get_pinned_reg(I64);
    b.ins().set_pinned_reg(p);
    let own = b.ins().load(I64, trusted(), p, layout::OWN as i32);
    let sp = b.ins().load(I64, trusted(), p, layout::SP as i32);
    let reds = b.ins().load(I64, trusted(), p, layout::REDS as i32);
    let hp = b.ins().load(I64, trusted(), own, layout::HP as i32);
    let registers = b.ins().load(I64, trusted(), p, layout::X as i32);
    let [x, y, z] = [0, 1, 2].map(|n| b.ins().load(I64, trusted(), registers, x_offset(n)));
    let sig = b.import_signature(signature());
    let call = b.ins().call_indirect(sig, code, &[x, sp, hp, reds, y, z]);
    let r = b.inst_results(call).to_vec();
    let p = b.ins().get_pinned_reg(I64);
    let none = b
        .ins()
        .icmp_imm_s(IntCC::Equal, r[0], Term::NONVALUE.raw() as i64);
    let (back, value) = (b.create_block(), b.create_block());
    b.ins().brif(none, back, &[], value, &[]);
    b.switch_to_block(value);
    let own = b.ins().load(I64, trusted(), p, layout::OWN as i32);
    b.ins().store(trusted(), r[1], p, layout::REDS as i32);
    b.ins().store(trusted(), r[2], own, layout::HP as i32);
    b.ins().store(trusted(), r[3], p, layout::SP as i32);
    b.ins().jump(back, &[]);
    b.switch_to_block(back);
    b.ins().set_pinned_reg(before);
    b.ins().return_(&[r[0]]);
    b.seal_all_blocks();
    b.finalize(isa.frontend_config());
}

/// All helpers' names.
pub fn symbols() -> impl Iterator<Item = Symbol> {
    Helper::ALL.iter().map(|&h| Symbol::Glue(h))
}
