//! The way from Rust into native code, and from native code to helpers.

use super::data::word_at;
use super::{PLACES, Symbol, signature, trusted, x_offset};
use cranelift_codegen::Context;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{
    AbiParam, ExtFuncData, ExternalName, InstBuilder, Signature, UserFuncName, Value,
};
use cranelift_codegen::isa::{CallConv, TargetIsa};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use enigma_runtime::code::export;
use enigma_runtime::interp::native::{Helper, HelperCall, layout};
use enigma_runtime::term::{Header, Kind, TAG_BOXED, Term};

/// The signature of a function of Rust that takes and gives words.
pub(super) fn system(params: usize) -> Signature {
    Signature {
        params: vec![AbiParam::new(I64); params],
        returns: vec![AbiParam::new(I64)],
        call_conv: CallConv::SystemV,
    }
}

/// The signature of the way to helpers that keep all registers. What they are given and give is in memory: registers for it would
/// have to be free where they are called.
pub(super) fn keeping_signature() -> Signature {
    Signature {
        params: Vec::new(),
        returns: Vec::new(),
        call_conv: CallConv::PreserveAll,
    }
}

/// The signature of what is called in place of the rest of a native function: `(address, sp, hp, reductions)`,
/// `(x0, sp, hp, reductions, address, x1)`, `(word)`, or without parameters.
pub(super) fn last_signature(call: HelperCall) -> Signature {
    let params = match call {
        HelperCall::LastAt => 4,
        HelperCall::LastWith => 6,
        HelperCall::Landing => 1,
        _ => 0,
    };
    Signature {
        params: vec![AbiParam::new(I64); params],
        ..signature()
    }
}

/// The way from native code to a helper; nothing if it is called directly.
pub fn helper(
    helper: Helper,
    isa: &dyn TargetIsa,
    cx: &mut Context,
    fbc: &mut FunctionBuilderContext,
) -> Option<()> {
    let (signature, body): (_, fn(&mut FunctionBuilder<'_>, Helper)) = match helper.call() {
        HelperCall::Threaded if helper == Helper::PrepareFun => (signature(), prepare_fun),
        HelperCall::Threaded => (signature(), threaded),
        HelperCall::Again => (signature(), again),
        call @ (HelperCall::LastAt | HelperCall::Last) => (last_signature(call), threaded),
        call @ HelperCall::LastWith => (last_signature(call), last_with),
        call @ HelperCall::Landing => (last_signature(call), landing),
        HelperCall::Keeping => (keeping_signature(), keeping),
        HelperCall::Direct => return None,
    };
    cx.func.signature = signature;
    cx.func.name = UserFuncName::user(0, helper as u32);
    let mut b = FunctionBuilder::new(&mut cx.func, fbc);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    body(&mut b, helper);
    b.seal_all_blocks();
    b.finalize(isa.frontend_config());
    Some(())
}

/// What a function that is being written is called with.
fn params(b: &FunctionBuilder<'_>) -> Vec<Value> {
    let entry = b.current_block();
    entry.map_or_else(Vec::new, |entry| b.block_params(entry).to_vec())
}

/// What is threaded goes to memory before, if it is not there, and comes from there after. Takes and gives what native functions do, but
/// for what is in the place of X registers.
fn threaded(b: &mut FunctionBuilder<'_>, helper: Helper) {
    let params = params(b);
    threaded_with(b, helper, &params);
}

fn threaded_with(b: &mut FunctionBuilder<'_>, helper: Helper, params: &[Value]) {
    let p = b.ins().get_pinned_reg(I64);
    let args = [0, 4, 5].map(|n| params.get(n).copied().unwrap_or(p));
    thread(b, helper, params, args);
}

/// The same, but that a function that an external fun names is found here.
fn prepare_fun(b: &mut FunctionBuilder<'_>, helper: Helper) {
    let params = params(b);
    let [fun, sp, hp, reds, arity, _] = params[..] else {
        enigma_runtime::bug::vm_bug("native functions have six parameters")
    };
    let (other, is_boxed) = (b.create_block(), b.create_block());
    let tag = b.ins().band_imm_s(fun, 7);
    let boxed = b.ins().icmp_imm_s(IntCC::Equal, tag, TAG_BOXED as i64);
    b.ins().brif(boxed, is_boxed, &[], other, &[]);
    b.switch_to_block(is_boxed);
    let header = b.ins().load(I64, trusted(), fun, word_at(0));
    let external = Header::new(Kind::Export, 1).raw() as i64;
    let is = b.ins().icmp_imm_s(IntCC::Equal, header, external);
    let is_external = b.create_block();
    b.ins().brif(is, is_external, &[], other, &[]);
    b.switch_to_block(is_external);
    let export = b.ins().load(I64, trusted(), fun, word_at(1));
    let takes = b.ins().uload32(trusted(), export, export::ARITY_AT as i32);
    let raises = b
        .ins()
        .uload8(I64, trusted(), export, export::RAISES_AT as i32);
    let differs = b.ins().isub(takes, arity);
    let cannot = b.ins().bor(differs, raises);
    let found = b.create_block();
    b.ins().brif(cannot, other, &[], found, &[]);
    b.switch_to_block(found);
    let entry = b
        .ins()
        .load(I64, trusted(), export, export::ENTRY_AT as i32);
    let p = b.ins().get_pinned_reg(I64);
    b.ins().store(trusted(), entry, p, layout::CALLEE as i32);
    let code = b.ins().load(I64, trusted(), entry, layout::NATIVE as i32);
    b.ins().return_(&[code, reds, hp, sp]);
    b.switch_to_block(other);
    threaded_with(b, helper, &params);
}

/// Calls a helper with these arguments where the function has been called with `params`.
fn thread(b: &mut FunctionBuilder<'_>, helper: Helper, params: &[Value], args: [Value; 3]) {
    let p = b.ins().get_pinned_reg(I64);
    if let [_, sp, hp, reds, ..] = params[..] {
        let own = b.ins().load(I64, trusted(), p, layout::OWN as i32);
        b.ins().store(trusted(), sp, p, layout::SP as i32);
        b.ins().store(trusted(), reds, p, layout::REDS as i32);
        b.ins().store(trusted(), hp, own, layout::HP as i32);
    }
    let (v, p) = call(b, helper, args);
    let own = b.ins().load(I64, trusted(), p, layout::OWN as i32);
    let reds = b.ins().load(I64, trusted(), p, layout::REDS as i32);
    let hp = b.ins().load(I64, trusted(), own, layout::HP as i32);
    let sp = b.ins().load(I64, trusted(), p, layout::SP as i32);
    b.ins().return_(&[v, reds, hp, sp]);
}

/// The same, but that what is around the address are X registers, which go to memory.
fn last_with(b: &mut FunctionBuilder<'_>, helper: Helper) {
    let params = params(b);
    let p = b.ins().get_pinned_reg(I64);
    let registers = b.ins().load(I64, trusted(), p, layout::X as i32);
    for (n, at) in [0, 5].into_iter().enumerate() {
        b.ins().store(trusted(), params[at], registers, x_offset(n));
    }
    thread(b, helper, &params, [params[4], p, p]);
}

/// The arguments go to memory, and what the helper gives is run with what is there then.
fn again(b: &mut FunctionBuilder<'_>, helper: Helper) {
    let params = params(b);
    let [x, sp, hp, reds, y, z] = params[..] else {
        enigma_runtime::bug::vm_bug("native functions have six parameters")
    };
    let p = b.ins().get_pinned_reg(I64);
    let own = b.ins().load(I64, trusted(), p, layout::OWN as i32);
    let registers = b.ins().load(I64, trusted(), p, layout::X as i32);
    b.ins().store(trusted(), sp, p, layout::SP as i32);
    b.ins().store(trusted(), reds, p, layout::REDS as i32);
    b.ins().store(trusted(), hp, own, layout::HP as i32);
    for (n, v) in [x, y, z].into_iter().enumerate() {
        b.ins().store(trusted(), v, registers, x_offset(n));
    }
    let (code, p) = call(b, helper, [p; 3]);
    go_on_with(b, code, p);
}

/// The word goes to the helper, and what that gives is run with what is in memory.
fn landing(b: &mut FunctionBuilder<'_>, helper: Helper) {
    let params = params(b);
    let (code, p) = call(b, helper, [params[0]; 3]);
    go_on_with(b, code, p);
}

/// Runs machine code in place of the rest of a function with what is in memory, or gives `NONVALUE` if there is none.
fn go_on_with(b: &mut FunctionBuilder<'_>, code: Value, p: Value) {
    let (on, stop) = (b.create_block(), b.create_block());
    b.ins().brif(code, on, &[], stop, &[]);
    b.switch_to_block(stop);
    let none = b.ins().iconst(I64, Term::NONVALUE.raw() as i64);
    b.ins().return_(&[none; 4]);
    b.switch_to_block(on);
    let args = arguments(b, p);
    let sig = b.import_signature(signature());
    b.ins().return_call_indirect(sig, code, &args);
}

/// What a native function is called with, from memory.
fn arguments(b: &mut FunctionBuilder<'_>, p: Value) -> [Value; 6] {
    let own = b.ins().load(I64, trusted(), p, layout::OWN as i32);
    let sp = b.ins().load(I64, trusted(), p, layout::SP as i32);
    let reds = b.ins().load(I64, trusted(), p, layout::REDS as i32);
    let hp = b.ins().load(I64, trusted(), own, layout::HP as i32);
    let registers = b.ins().load(I64, trusted(), p, layout::X as i32);
    let [x, y, z] = [0, 1, 2].map(|n| b.ins().load(I64, trusted(), registers, x_offset(n)));
    [x, sp, hp, reds, y, z]
}

/// Arguments and answer are in memory.
fn keeping(b: &mut FunctionBuilder<'_>, helper: Helper) {
    let p = b.ins().get_pinned_reg(I64);
    let args = [0, 8, 16].map(|at| {
        let from = layout::ARGUMENTS as i32 + at;
        b.ins().load(I64, trusted(), p, from)
    });
    let (v, p) = call(b, helper, args);
    b.ins().store(trusted(), v, p, layout::ANSWER as i32);
    b.ins().return_(&[]);
}

/// Calls a helper's function: its answer, and the address of the `Ctx`.
fn call(b: &mut FunctionBuilder<'_>, helper: Helper, [x, y, z]: [Value; 3]) -> (Value, Value) {
    let p = b.ins().get_pinned_reg(I64);
    let sig = b.import_signature(system(4));
    let address = b.ins().iconst(I64, helper.address() as i64);
    let call = b.ins().call_indirect(sig, address, &[p, x, y, z]);
    let v = b.inst_results(call)[0];
    (v, b.ins().get_pinned_reg(I64))
}

/// The code by which native code calls funs of a function, of which so many arguments are the fun's and so many values in its
/// environment: see `FnInfo::install_native`. `Symbol::This` is the function's code.
pub fn fun_enter(
    arity: usize,
    free: usize,
    isa: &dyn TargetIsa,
    cx: &mut Context,
    fbc: &mut FunctionBuilderContext,
) {
    cx.func.signature = signature();
    cx.func.name = UserFuncName::user(4, 0);
    let mut b = FunctionBuilder::new(&mut cx.func, fbc);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    let mut args = b.block_params(entry).to_vec();
    let p = b.ins().get_pinned_reg(I64);
    let fun = match PLACES.get(arity) {
        Some(&place) => args[place],
        None => b.ins().load(I64, trusted(), p, layout::ARGUMENTS as i32),
    };
    for n in 0..free {
        let v = b.ins().load(I64, trusted(), fun, word_at(3 + n as u32));
        match PLACES.get(arity + n) {
            Some(&place) => args[place] = v,
            None => {
                let registers = b.ins().load(I64, trusted(), p, layout::X as i32);
                let x = x_offset(arity + n);
                b.ins().store(trusted(), v, registers, x);
            }
        }
    }
    let signature = b.import_signature(signature());
    let name = b.func.declare_imported_user_function(Symbol::This.name());
    let f = b.import_function(ExtFuncData {
        name: ExternalName::user(name),
        signature,
        colocated: true,
        patchable: false,
    });
    b.ins().return_call(f, &args);
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
    let args = arguments(&mut b, p);
    let sig = b.import_signature(signature());
    let call = b.ins().call_indirect(sig, code, &args);
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
