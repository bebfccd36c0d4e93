//! What a function is at each stage on its way to machine code, as text.

use crate::ir::SsaFunction;
use crate::lower::places::function_at;
use crate::lower::{EXIT_PLACE, Symbol};
use cranelift_codegen::ir::ExternalName;
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::{Context, FinalizedRelocTarget};
use enigma_runtime::code::module::FnInfo;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Which stages are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WantedStages {
    /// SSA form as it is built.
    pub built: bool,
    /// SSA form after the pass of this name; after each if it is `all`.
    pub pass: Option<String>,
    /// Cranelift's form.
    pub clif: bool,
    /// Machine code.
    pub machine: bool,
}

impl WantedStages {
    /// All of them.
    pub fn all() -> WantedStages {
        WantedStages {
            built: true,
            pass: Some("all".to_string()),
            clif: true,
            machine: true,
        }
    }
}

/// Takes the text of a function's stages down while it is compiled.
#[derive(Debug, Default)]
pub struct Stages {
    wanted: WantedStages,
    /// What has been taken down.
    pub text: String,
}

impl Stages {
    /// Nothing yet.
    pub fn new(wanted: WantedStages) -> Stages {
        Stages {
            wanted,
            text: String::new(),
        }
    }

    fn stage(&mut self, title: &str, text: &str) {
        let _ = writeln!(self.text, "; {title}\n{}\n", text.trim_end());
    }

    /// SSA form as it is built.
    pub fn built(&mut self, f: &SsaFunction) {
        if self.wanted.built {
            self.stage("as built", &f.to_string());
        }
    }

    /// SSA form after a pass.
    pub fn after(&mut self, pass: &str, f: &SsaFunction) {
        let wanted = self.wanted.pass.as_deref();
        if wanted.is_some_and(|w| w == "all" || w == pass) {
            self.stage(&format!("after {pass}"), &f.to_string());
        }
    }

    /// Cranelift's form.
    pub fn clif(&mut self, f: &'static FnInfo, cx: &Context) {
        if !self.wanted.clif {
            return;
        }
        let names = symbols(f, cx);
        let mut text = String::new();
        for line in cx.func.display().to_string().lines() {
            text.push_str(line);
            let word = |n: &&(String, String)| line.split_whitespace().any(|w| w == n.0);
            if let Some((_, what)) = names.iter().find(word)
                && !line.starts_with("function")
            {
                let _ = write!(text, "  ; {what}");
            }
            text.push('\n');
        }
        self.stage("Cranelift's form", &text);
    }

    /// Machine code, which Cranelift has made from what is in `cx`.
    pub fn machine(
        &mut self,
        f: &'static FnInfo,
        inlined: &[u32],
        cx: &Context,
        isa: &dyn TargetIsa,
    ) {
        if self.wanted.machine {
            let text = machine_code(f, inlined, cx, isa);
            self.stage("machine code", &text);
        }
    }
}

/// What the names of functions in Cranelift's form stand for.
fn symbols(f: &'static FnInfo, cx: &Context) -> Vec<(String, String)> {
    let names = cx.func.params.user_named_funcs().values();
    let known = names.filter_map(|name| {
        let what = match Symbol::of(name)? {
            Symbol::Glue(helper) => helper.name().to_string(),
            Symbol::This => format!("{f:?}"),
            Symbol::Function(n) => format!("{:?}", f.module().functions[n as usize]),
        };
        Some((format!("u{}:{}", name.namespace, name.index), what))
    });
    known.collect()
}

/// The machine code that Cranelift has made from what is in `cx`: an instruction a line, with its offset. A comment before
/// a part says to which bytecode instruction the part belongs, or that it leaves the function there; one behind a
/// call says what is called.
pub fn machine_code(
    f: &'static FnInfo,
    inlined: &[u32],
    cx: &Context,
    isa: &dyn TargetIsa,
) -> String {
    let (Some(compiled), Ok(disassembler)) = (cx.compiled_code(), isa.to_capstone()) else {
        return "; it cannot be disassembled\n".to_string();
    };
    let places: BTreeMap<u32, CodePlace> = places(cx).map(|p| (p.start, p)).collect();
    let mut places = places.into_values().peekable();
    let names = symbols(f, cx);
    let mut relocations = compiled.buffer.relocs().iter().peekable();
    let code = compiled.code_buffer();
    let mut text = String::new();
    let mut at = 0;
    while at < code.len() {
        let mut place = None;
        while let Some(p) = places.next_if(|p| p.start as usize <= at) {
            place = Some(p);
        }
        if let Some(p) = place {
            let _ = writeln!(text, "; {}", place_name(f, inlined, p));
        }
        let decoded = disassembler.disasm_count(&code[at..], at as u64, 1);
        let decoded = decoded.ok();
        let Some(i) = decoded.as_ref().and_then(|d| d.iter().next()) else {
            let _ = writeln!(text, "{at:6x}  .byte {:#x}", code[at]);
            at += 1;
            continue;
        };
        let (name, operands) = (i.mnemonic().unwrap_or("?"), i.op_str().unwrap_or(""));
        let _ = write!(text, "{at:6x}  {}", format!("{name} {operands}").trim_end());
        at += i.bytes().len().max(1);
        while let Some(r) = relocations.next_if(|r| (r.offset as usize) < at) {
            if let FinalizedRelocTarget::ExternalName(ExternalName::User(name)) = &r.target {
                let name = &cx.func.params.user_named_funcs()[*name];
                let name = format!("u{}:{}", name.namespace, name.index);
                if let Some((_, what)) = names.iter().find(|n| n.0 == name) {
                    let _ = write!(text, "  ; {what}");
                }
            }
        }
        text.push('\n');
    }
    text
}

/// A part of machine code that belongs to a bytecode instruction.
#[derive(Clone, Copy, Debug)]
pub struct CodePlace {
    /// Where it begins, in bytes.
    pub start: u32,
    /// Place of the bytecode instruction.
    pub pc: u32,
    /// Does it leave the function there?
    pub leaves: bool,
}

/// The parts of the machine code in `cx` that belong to bytecode instructions.
pub fn places(cx: &Context) -> impl Iterator<Item = CodePlace> + '_ {
    let compiled = cx.compiled_code().into_iter();
    let all = compiled.flat_map(|c| c.buffer.get_srclocs_sorted());
    let known = all.filter(|s| !s.loc.is_default());
    known.map(|s| CodePlace {
        start: s.start,
        pc: s.loc.bits() & !EXIT_PLACE,
        leaves: s.loc.bits() & EXIT_PLACE != 0,
    })
}

/// A bytecode instruction: its function if that is another one, its offset, its name and its line.
fn place_name(f: &'static FnInfo, inlined: &[u32], place: CodePlace) -> String {
    let CodePlace { pc, leaves, .. } = place;
    let (function, pc) = function_at(f, inlined, pc);
    let what = if leaves {
        "exit to bytecode"
    } else {
        "bytecode"
    };
    let mut text = match std::ptr::eq(function, f) {
        true => format!("{what} {pc}"),
        false => format!("{what} {pc} of {}/{}", function.name, function.arity),
    };
    if let Some(body) = function.body()
        && (pc as usize) < body.code.len()
    {
        let op = enigma_runtime::interp::native::opcode_at(&body.code, pc);
        let _ = write!(
            text,
            " {}",
            enigma_runtime::code::ops::NAMES[usize::from(op)]
        );
    }
    if let Some((file, line)) = function.position(pc as usize + 1) {
        let _ = write!(text, " {}:{line}", file.to_text());
    }
    text
}
