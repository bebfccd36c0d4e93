//! From specifications to programs.

use super::{
    Arith, Clause, Cmp, Dialect, Gives, HeadOp, MatchAction, Numbers, Op, Program, SpecError, Test,
    variable,
};
use crate::atom::Atom;
use crate::code::export;
use crate::data::map;
use crate::release;
use crate::term::{Kind, Term, list};
use smallvec::{SmallVec, smallvec};

/// Deepest nesting of expressions.
const MAX_DEPTH: usize = 4000;

/// What is wrong with what is no list of clauses.
const NOT_A_LIST: &str = "Match programs are not in a list.";

type Res<T> = Result<T, SpecError>;

/// Bytes that are told of what is wrong.
const MAX_TEXT: usize = 99;

fn fail<T>(text: impl Into<String>) -> Res<T> {
    let mut text = text.into();
    text.truncate(text.floor_char_boundary(MAX_TEXT));
    Err(SpecError(vec![text]))
}

/// An error if there are no clauses.
pub(super) fn check_clauses(spec: Term) -> Res<()> {
    if spec.is_nil() {
        fail(NOT_A_LIST)
    } else {
        Ok(())
    }
}

/// Compiles a whole specification.
pub(super) fn spec(spec: Term, dialect: Dialect) -> Res<Program> {
    let Some(clauses) = list::to_vec(spec) else {
        return fail(if spec.is_list() {
            "Match programs are not in a proper list."
        } else {
            NOT_A_LIST
        });
    };
    let mut program = Program {
        clauses: Vec::new(),
        vars: 0,
        foreign_constants: false,
    };
    let mut errors: Vec<String> = Vec::new();
    for c in clauses {
        let Some(&[head, guards, body]) = c.as_tuple_n::<3>() else {
            return fail("Match program part is not a tuple of arity 3.");
        };
        if dialect == Dialect::Trace && !head.is_list() && !is_open(head) {
            return fail("Match program head is not a list.");
        }
        let mut c = Compiler {
            dialect,
            vars: Variables::default(),
            guard: true,
        };
        let head = c.head(head)?;
        let mut guard_code = Vec::new();
        for g in expressions(guards, &mut errors) {
            if let Err(e) = c.expr(g, false, 0, &mut guard_code) {
                errors.extend(e.0);
            }
            guard_code.push(Op::Check);
        }
        c.guard = false;
        let body = expressions(body, &mut errors);
        if body.is_empty() && dialect == Dialect::Table && errors.is_empty() {
            return fail("Body clause does not return anything.");
        }
        let mut body_code = Vec::new();
        let last = body.len().saturating_sub(1);
        for (i, &b) in body.iter().enumerate() {
            if let Err(e) = c.expr(b, i == last, 0, &mut body_code) {
                errors.extend(e.0);
            }
            if i != last {
                body_code.push(Op::Waste);
            }
        }
        if body.is_empty() {
            body_code.push(Op::Const(Term::bool(true), false));
        }
        program.vars = program.vars.max(c.vars.len());
        program.clauses.push(Clause {
            head,
            guard: guard_code,
            body: body_code,
        });
    }
    if errors.is_empty() {
        Ok(program)
    } else {
        Err(SpecError(errors))
    }
}

/// The expressions of a guard or body.
fn expressions(t: Term, errors: &mut Vec<String>) -> SmallVec<[Term; 4]> {
    if !t.is_list() {
        errors.push("Match expression is not a list.".into());
        return SmallVec::new();
    }
    let mut it = list::iter(t);
    let all = it.by_ref().collect();
    if it.tail().is_nil() {
        return all;
    }
    errors.push("Match expression is not a proper list.".into());
    SmallVec::new()
}

/// Compiles a lone pattern.
pub(super) fn pattern(pattern: Term, gives: Gives) -> Res<Program> {
    let mut c = Compiler {
        dialect: Dialect::Table,
        vars: Variables::default(),
        guard: false,
    };
    let head = c.head(pattern)?;
    let body = vec![match gives {
        Gives::Bindings => c.all(true),
        Gives::Object => Op::Object(true),
        Gives::True => Op::Const(Term::bool(true), false),
    }];
    let vars = c.vars.len();
    Ok(Program {
        clauses: vec![Clause {
            head,
            guard: Vec::new(),
            body,
        }],
        vars,
        foreign_constants: false,
    })
}

/// A variable or `'_'`.
fn is_open(t: Term) -> bool {
    t == Term::from(Atom::UNDERSCORE) || variable(t).is_some()
}

/// The cells, tuples and maps in a pattern that match more than what is equal to them: all maps, and what holds a
/// variable or a map.
fn open_parts(pattern: Term) -> OpenParts {
    if let Some(elements) = pattern.as_tuple()
        && elements
            .iter()
            .all(|e| !(e.is_cons() || e.is_tuple() || e.is_map()))
    {
        let open = elements.iter().any(|&e| is_open(e));
        return OpenParts(open.then(|| pattern.raw()).into_iter().collect());
    }
    enum Todo {
        Visit(Term),
        /// So many parts of this were visited.
        Leave(Term, usize),
    }
    let mut open = SmallVec::new();
    let mut todo = vec![Todo::Visit(pattern)];
    // Of each part that was visited: is it open?
    let mut visited: Vec<bool> = Vec::new();
    while let Some(next) = todo.pop() {
        match next {
            Todo::Visit(t) => {
                if t.is_map() {
                    open.push(t.raw());
                    // What is in the map is looked at as well, as its values are patterns.
                    let values: Vec<Term> = map::iter(t).map(|p| p.1).collect();
                    todo.push(Todo::Leave(t, values.len()));
                    todo.extend(values.into_iter().map(Todo::Visit));
                } else if let Some((head, tail)) = t.as_cons() {
                    todo.push(Todo::Leave(t, 2));
                    todo.extend([head, tail].map(Todo::Visit));
                } else if let Some(elements) = t.as_tuple() {
                    todo.push(Todo::Leave(t, elements.len()));
                    todo.extend(elements.iter().map(|&e| Todo::Visit(e)));
                } else {
                    visited.push(is_open(t));
                }
            }
            Todo::Leave(t, parts) => {
                let first = visited.len() - parts;
                let is_open = t.is_map() || visited[first..].contains(&true);
                visited.truncate(first);
                visited.push(is_open);
                if is_open {
                    open.push(t.raw());
                }
            }
        }
    }
    open.sort_unstable();
    OpenParts(open)
}

/// The words of such parts, in order.
struct OpenParts(SmallVec<[u64; 4]>);

impl OpenParts {
    fn has(&self, t: Term) -> bool {
        self.0.binary_search(&t.raw()).is_ok()
    }
}

/// Slots of variables, in the order of the variables' numbers.
#[derive(Default)]
struct Variables(SmallVec<[(u32, u32); 4]>);

impl Variables {
    fn len(&self) -> usize {
        self.0.len()
    }

    /// The slot of a variable, and where it stands or would stand.
    fn find(&self, n: u32) -> Result<u32, usize> {
        self.0
            .binary_search_by_key(&n, |v| v.0)
            .map(|at| self.0[at].1)
    }

    fn slots(&self) -> impl Iterator<Item = u32> {
        self.0.iter().map(|v| v.1)
    }
}

struct Compiler {
    dialect: Dialect,
    vars: Variables,
    guard: bool,
}

impl Compiler {
    fn head(&mut self, pattern: Term) -> Res<Vec<HeadOp>> {
        let mut ops = Vec::with_capacity(8);
        let open = open_parts(pattern);
        let mut todo: SmallVec<[Term; 8]> = smallvec![pattern];
        while let Some(t) = todo.pop() {
            let op = if t == Term::from(Atom::UNDERSCORE) {
                HeadOp::Any
            } else if let Some(n) = variable(t) {
                let next = self.vars.len() as u32;
                match self.vars.find(n) {
                    Ok(slot) => HeadOp::Same(slot),
                    Err(at) => {
                        self.vars.0.insert(at, (n, next));
                        HeadOp::Bind(next)
                    }
                }
            } else if t.is_immediate() || !open.has(t) {
                if t.is_immediate() && !t.is_flonum() {
                    HeadOp::Word(t)
                } else {
                    HeadOp::Const(t)
                }
            } else if let Some((h, tail)) = t.as_cons() {
                todo.push(tail);
                todo.push(h);
                HeadOp::Cons
            } else if let Some(elements) = t.as_tuple() {
                let size = elements.len() as u32;
                let used: Numbers = (0..size)
                    .filter(|&i| elements[i as usize] != Term::from(Atom::UNDERSCORE))
                    .collect();
                todo.extend(used.iter().rev().map(|&i| elements[i as usize]));
                if used.len() == elements.len() {
                    HeadOp::Tuple(size)
                } else {
                    HeadOp::Elements(size, used)
                }
            } else {
                // Only maps are left.
                let pairs: Vec<(Term, Term)> = map::iter(t).collect();
                if pairs.iter().any(|p| is_open(p.0)) {
                    return fail("Variable found in map key.");
                }
                todo.extend(pairs.iter().rev().map(|p| p.1));
                HeadOp::Map(pairs.iter().map(|p| p.0).collect())
            };
            ops.push(op);
        }
        Ok(ops)
    }

    fn all(&self, result: bool) -> Op {
        Op::All(self.vars.slots().collect(), result)
    }

    /// Code that pushes the value of an expression; `result`: the value becomes part of the result.
    fn expr(&mut self, t: Term, result: bool, depth: usize, code: &mut Vec<Op>) -> Res<()> {
        if depth > MAX_DEPTH {
            return fail(format!("Excessive nesting; system limit reached near: {t}"));
        }
        if t.is_atom() {
            return self.atom(t, result, code);
        }
        if t.is_cons() {
            let mut it = list::iter(t);
            let elements: Vec<Term> = it.by_ref().collect();
            if is_plain(t) {
                code.push(Op::Const(t, result));
                return Ok(());
            }
            for &e in &elements {
                self.expr(e, result, depth + 1, code)?;
            }
            self.expr(it.tail(), result, depth + 1, code)?;
            code.push(Op::List(elements.len() as u32));
            return Ok(());
        }
        if t.is_map() {
            if is_plain(t) {
                code.push(Op::Const(t, result));
                return Ok(());
            }
            let pairs: Vec<(Term, Term)> = map::iter(t).collect();
            for &(k, _) in &pairs {
                self.expr(k, result, depth + 1, code)?;
            }
            for &(_, v) in &pairs {
                self.expr(v, result, depth + 1, code)?;
            }
            code.push(Op::Map(pairs.iter().map(|p| p.0).collect()));
            return Ok(());
        }
        match t.as_tuple() {
            None => {
                code.push(Op::Const(t, result));
                Ok(())
            }
            Some(&[inner]) if inner.is_tuple() => {
                let elements = inner.as_tuple().unwrap_or(&[]);
                for &e in elements {
                    self.expr(e, result, depth + 1, code)?;
                }
                code.push(Op::Tuple(elements.len() as u32));
                Ok(())
            }
            Some(&[name, ref args @ ..]) if name.is_atom() && variable(name).is_none() => {
                self.call(t, name, args, result, depth, code)
            }
            Some(_) => fail(format!(
                "{t} is neither a function call, nor a tuple (tuples are written {{{{ ... }}}})."
            )),
        }
    }

    fn atom(&mut self, t: Term, result: bool, code: &mut Vec<Op>) -> Res<()> {
        code.push(if let Some(n) = variable(t) {
            match self.vars.find(n) {
                Ok(slot) => Op::Var(slot, result),
                Err(_) => return fail(format!("Variable ${n} is unbound.")),
            }
        } else {
            match t.as_atom() {
                Some(Atom::DOLLAR_UNDERSCORE) => Op::Object(result),
                Some(Atom::DOLLAR_DOLLAR) => self.all(result),
                _ => Op::Const(t, result),
            }
        });
        Ok(())
    }

    fn call(
        &mut self,
        t: Term,
        name: Term,
        args: &[Term],
        result: bool,
        depth: usize,
        code: &mut Vec<Op>,
    ) -> Res<()> {
        let text = name.as_atom().map_or("", Atom::text);
        match (text, args) {
            ("const", &[value]) => {
                code.push(Op::Const(value, result));
                return Ok(());
            }
            ("const", _) => {
                return fail(format!(
                    "Special form 'const' called with more than one argument in {t}."
                ));
            }
            ("self", []) => {
                code.push(Op::SelfPid);
                return Ok(());
            }
            ("self", _) => {
                return fail(format!("Special form 'self' called with arguments in {t}."));
            }
            ("and" | "or" | "andalso" | "andthen" | "orelse", []) => {
                return fail(format!(
                    "Special form '{text}' called without arguments in {t}."
                ));
            }
            ("and" | "or", _) => {
                self.args(args, depth, code)?;
                let n = args.len() as u32;
                code.push(if text == "and" { Op::And(n) } else { Op::Or(n) });
                return Ok(());
            }
            ("andalso" | "andthen" | "orelse", _) => {
                return self.short(text == "orelse", args, result, depth, code);
            }
            _ => {}
        }
        if let Some(action) = action(text) {
            self.check_action(action, text, args, t)?;
            self.args(args, depth, code)?;
            code.push(Op::Act(action, args.len() as u32));
            return Ok(());
        }
        let Some(op) = function(text, args.len()) else {
            return fail(unknown(&name, args.len()));
        };
        let may_alias = matches!(op, Op::Call(_));
        self.args(args, depth, code)?;
        code.push(op);
        if may_alias && result {
            code.push(Op::Copy);
        }
        Ok(())
    }

    fn args(&mut self, args: &[Term], depth: usize, code: &mut Vec<Op>) -> Res<()> {
        args.iter()
            .try_for_each(|&a| self.expr(a, false, depth + 1, code))
    }

    fn short(
        &mut self,
        or: bool,
        args: &[Term],
        result: bool,
        depth: usize,
        code: &mut Vec<Op>,
    ) -> Res<()> {
        let mut jumps = Vec::new();
        for (i, &a) in args.iter().enumerate() {
            let last = i + 1 == args.len();
            self.expr(a, result && last, depth + 1, code)?;
            if !last {
                jumps.push(code.len());
                code.push(if or { Op::OrElse(0) } else { Op::AndAlso(0) });
            }
        }
        let end = code.len() as u32;
        for j in jumps {
            code[j] = if or {
                Op::OrElse(end)
            } else {
                Op::AndAlso(end)
            };
        }
        Ok(())
    }

    fn check_action(&self, action: MatchAction, text: &str, args: &[Term], t: Term) -> Res<()> {
        let arities: &[usize] = match action {
            MatchAction::Message
            | MatchAction::Display
            | MatchAction::Silent
            | MatchAction::SetTcw => &[1],
            MatchAction::ReturnTrace
            | MatchAction::ExceptionTrace
            | MatchAction::ProcessDump
            | MatchAction::Caller
            | MatchAction::CallerLine
            | MatchAction::GetSeqToken
            | MatchAction::IsSeqTrace
            | MatchAction::GetTcw => &[0],
            MatchAction::EnableTrace | MatchAction::DisableTrace => &[1, 2],
            MatchAction::Trace => &[2, 3],
            MatchAction::CurrentStacktrace => &[0, 1],
            MatchAction::SetSeqToken => &[2],
        };
        let fits = arities.contains(&args.len());
        let in_trace = self.dialect == Dialect::Trace;
        let in_guard = match action {
            MatchAction::IsSeqTrace | MatchAction::GetTcw => true,
            _ => !self.guard,
        };
        if matches!(action, MatchAction::SetTcw | MatchAction::GetTcw) {
            if !fits {
                return fail(unknown(&text, args.len()));
            }
            if !(in_trace && in_guard) {
                let n = args.len();
                return fail(format!(
                    "Function {text}/{n} cannot be called in this context."
                ));
            }
            return Ok(());
        }
        // BEAM calls it so.
        let known_as = match action {
            MatchAction::SetSeqToken => "set_seq_trace",
            _ => text,
        };
        if !in_trace {
            return fail(format!("Special form '{known_as}' used in wrong dialect."));
        }
        if !in_guard {
            return fail(format!(
                "Special form '{known_as}' called in guard context."
            ));
        }
        if fits {
            return match (action, args) {
                (MatchAction::CurrentStacktrace, [depth]) => match depth.as_small() {
                    None => fail(format!(
                        "Special form '{text}' called with non small argument."
                    )),
                    Some(n) if n < 0 => fail(format!(
                        "Special form '{text}' called with negative integer argument."
                    )),
                    Some(_) => Ok(()),
                },
                _ => Ok(()),
            };
        }
        let with = if arities == [0] {
            "arguments"
        } else {
            "wrong number of arguments"
        };
        fail(format!("Special form '{text}' called with {with} in {t}."))
    }
}

/// No such function may be called.
fn unknown(name: &dyn std::fmt::Display, arity: usize) -> String {
    format!("Function {name}/{arity} does_not_exist.")
}

/// Is an expression its own value: no call, no tuple and no variable in it?
fn is_plain(t: Term) -> bool {
    let mut stack = vec![t];
    while let Some(mut t) = stack.pop() {
        while t.is_cons() {
            stack.push(t.head());
            t = t.tail();
        }
        if let Some(a) = t.as_atom() {
            if variable(t).is_some() || matches!(a, Atom::DOLLAR_DOLLAR | Atom::DOLLAR_UNDERSCORE) {
                return false;
            }
        } else if t.is_map() {
            for (k, v) in map::iter(t) {
                stack.push(k);
                stack.push(v);
            }
        } else if t.is_kind(Kind::Tuple) {
            return false;
        }
    }
    true
}

fn action(name: &str) -> Option<MatchAction> {
    Some(match name {
        "message" => MatchAction::Message,
        "return_trace" => MatchAction::ReturnTrace,
        "exception_trace" => MatchAction::ExceptionTrace,
        "display" => MatchAction::Display,
        "process_dump" => MatchAction::ProcessDump,
        "enable_trace" => MatchAction::EnableTrace,
        "disable_trace" => MatchAction::DisableTrace,
        "trace" => MatchAction::Trace,
        "silent" => MatchAction::Silent,
        "caller" => MatchAction::Caller,
        "caller_line" => MatchAction::CallerLine,
        "current_stacktrace" if release::number() >= 26 => MatchAction::CurrentStacktrace,
        "set_seq_token" => MatchAction::SetSeqToken,
        "get_seq_token" => MatchAction::GetSeqToken,
        "is_seq_trace" => MatchAction::IsSeqTrace,
        "set_tcw" => MatchAction::SetTcw,
        "get_tcw" => MatchAction::GetTcw,
        _ => return None,
    })
}

/// The operation behind a function that guards may call.
fn function(name: &str, arity: usize) -> Option<Op> {
    let old = release::number() < 26;
    let called = || {
        let e = export::lookup(Atom::ERLANG, Atom::new(name), arity as u32)?;
        Some(Op::Call(e.bif()?))
    };
    let test = match name {
        "is_atom" => Some(Test::Atom),
        "is_float" => Some(Test::Float),
        "is_integer" => Some(Test::Integer),
        "is_list" => Some(Test::List),
        "is_number" => Some(Test::Number),
        "is_pid" => Some(Test::Pid),
        "is_port" => Some(Test::Port),
        "is_reference" => Some(Test::Reference),
        "is_tuple" => Some(Test::Tuple),
        "is_map" => Some(Test::Map),
        "is_binary" => Some(Test::Binary),
        "is_bitstring" if !old => Some(Test::Bitstring),
        "is_boolean" if !old => Some(Test::Boolean),
        "is_function" => Some(Test::Function),
        _ => None,
    };
    if arity == 1
        && let Some(t) = test
    {
        return Some(Op::Test(t));
    }
    let op = match (name, arity) {
        (">", 2) => Op::Compare(Cmp::Gt),
        (">=", 2) => Op::Compare(Cmp::Ge),
        ("<", 2) => Op::Compare(Cmp::Lt),
        ("=<", 2) => Op::Compare(Cmp::Le),
        ("==", 2) => Op::Compare(Cmp::Eq),
        ("/=", 2) => Op::Compare(Cmp::Ne),
        ("=:=", 2) => Op::Compare(Cmp::ExactEq),
        ("=/=", 2) => Op::Compare(Cmp::ExactNe),
        ("+", 2) => Op::Arith(Arith::Add),
        ("-", 2) => Op::Arith(Arith::Sub),
        ("*", 2) => Op::Arith(Arith::Mul),
        ("/", 2) => Op::Arith(Arith::Div),
        ("div", 2) => Op::Arith(Arith::IntDiv),
        ("rem", 2) => Op::Arith(Arith::Rem),
        ("band", 2) => Op::Arith(Arith::Band),
        ("bor", 2) => Op::Arith(Arith::Bor),
        ("bxor", 2) => Op::Arith(Arith::Bxor),
        ("bsl", 2) => Op::Arith(Arith::Bsl),
        ("bsr", 2) => Op::Arith(Arith::Bsr),
        ("bnot", 1) => Op::Arith(Arith::Bnot),
        ("-", 1) => Op::Arith(Arith::Neg),
        ("+", 1) => Op::Arith(Arith::Plus),
        ("not", 1) => Op::Not,
        ("xor", 2) => Op::Xor,
        ("max" | "min" | "is_function", 2) if old => return None,
        (
            "abs" | "hd" | "tl" | "length" | "node" | "round" | "size" | "map_size" | "bit_size"
            | "byte_size" | "trunc" | "float",
            1,
        )
        | (
            "element" | "map_get" | "is_map_key" | "binary_part" | "max" | "min" | "is_function",
            2,
        )
        | ("is_record" | "binary_part", 3)
        | ("node", 0) => called()?,
        ("tuple_size" | "ceil" | "floor", 1) if !old => called()?,
        ("is_integer", 3) if release::number() >= 29 => called()?,
        _ => return None,
    };
    Some(op)
}
