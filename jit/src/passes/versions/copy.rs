//! What becomes of an instruction in the fast version.

use super::fast::Fast;
use super::number::Number;
use super::table::{Answer, Consequences};
use crate::ir::{Arith, Comparison, ExitRef, FloatArith, InstData, Op, Repr, Test, Value};
use enigma_runtime::term::{MAX_SMALL, Term};

/// Small integers up to this one are floats without a loss.
const EXACT: i64 = 1 << 53;

impl Fast<'_> {
    /// An instruction that does not end its block.
    pub(super) fn inst(&mut self, what: InstData) {
        let result = what.results.first().copied();
        match what.op {
            Op::Const(word) => {
                let Some(v) = result else { return };
                let term = self.one(Op::Const(word), Vec::new(), Repr::Term);
                self.table.set_term(v, term);
                self.table.learn(v, Number::of_constant(word));
                if let Some(t) = Term::immediate(word).filter(|t| t.is_flonum()) {
                    let float = Op::Float(t.flonum_value());
                    let float = self.one(float, Vec::new(), Repr::Float);
                    self.table.set_float(v, float);
                }
            }
            Op::Box => {
                let float = self.float(what.args[0]);
                self.is_float(what.results[0], float);
            }
            Op::Unbox(_) | Op::ToFloat(_) => self.unbox(what),
            Op::FloatArith(how, _) if self.repeatable => {
                let (a, b) = (self.float(what.args[0]), self.float(what.args[1]));
                let r = self.finite(how, a, b);
                self.table.set_float(what.results[0], r);
            }
            Op::Arith(how, exit) => self.arith(what, how, Some(exit)),
            Op::TryArith(how) => self.arith(what, how, None),
            Op::Compare(how) => self.compare(what, how),
            Op::Test(test) => self.test(what, test),
            Op::IsValue => {
                let v = what.args[0];
                if self.table.number(v).may_be(Number::NONE) {
                    let consequences = Consequences {
                        yes: vec![(v, Number::ANY.but(Number::NONE))],
                        no: vec![(v, Number::of(Number::NONE))],
                    };
                    self.table
                        .consequences
                        .insert(what.results[0], consequences);
                    self.copy(what);
                } else {
                    let yes = Answer::Known(true);
                    self.table.answers.insert(what.results[0], yes);
                }
            }
            Op::TupleSize | Op::MapSize => {
                let v = what.results[0];
                self.copy(what);
                self.table.learn(v, Number::small(0, i64::MAX));
            }
            Op::WordTerm(most) => {
                let v = what.results[0];
                self.copy(what);
                let most = i64::try_from(most).ok().filter(|n| *n <= MAX_SMALL);
                let large = Number::of(Number::SMALL | Number::BIG);
                let number = most.map_or(large, |n| Number::small(0, n));
                self.table.learn(v, number);
            }
            _ => self.copy(what),
        }
    }

    /// The same instruction.
    pub(super) fn copy(&mut self, what: InstData) {
        let InstData {
            mut op,
            args,
            results,
            ..
        } = what;
        let mut operands = Vec::new();
        for v in args {
            operands.push(match self.f.repr(v) {
                Repr::Term => self.term(v),
                Repr::Float => self.float(v),
                Repr::Bool => self.answer(v),
                Repr::Word => self.word(v),
                Repr::Code => v,
            });
        }
        if let Some(exit) = op.exit() {
            let exit = self.exit(exit);
            if let Some(place) = op.exit_mut() {
                *place = exit;
            }
        }
        let reprs: Vec<Repr> = results.iter().map(|r| self.f.repr(*r)).collect();
        let copies = self.push(op, operands, &reprs);
        for ((v, repr), copy) in results.into_iter().zip(reprs).zip(copies) {
            match repr {
                Repr::Term => self.table.set_term(v, copy),
                Repr::Float => self.table.set_float(v, copy),
                Repr::Bool => {
                    self.table.answers.insert(v, Answer::Open(copy));
                }
                Repr::Word => {
                    self.table.words.insert(v, copy);
                }
                Repr::Code => enigma_runtime::bug::vm_bug("a loop of two versions looks for code"),
            }
        }
    }

    /// The word that a word of the loop is.
    fn word(&mut self, v: Value) -> Value {
        match self.table.words.get(&v) {
            Some(&word) => word,
            None => enigma_runtime::bug::vm_bug("a word of the fast version is not there"),
        }
    }

    /// An answer as a value.
    fn answer(&mut self, v: Value) -> Value {
        match self.table.answers.get(&v) {
            Some(&Answer::Open(answer)) => answer,
            Some(&Answer::Known(answer)) => {
                let zero = self.small(0);
                let op = match answer {
                    true => Comparison::ExactEq,
                    false => Comparison::ExactNe,
                };
                self.one(Op::CompareSmall(op), vec![zero, zero], Repr::Bool)
            }
            None => enigma_runtime::bug::vm_bug("an answer of the fast version is not there"),
        }
    }

    fn small(&mut self, n: i64) -> Value {
        let word = Term::try_small(n).unwrap_or(Term::NIL).raw();
        self.one(Op::Const(word), Vec::new(), Repr::Term)
    }

    /// A term of the loop is this float.
    fn is_float(&mut self, v: Value, float: Value) {
        self.table.set_float(v, float);
        self.table.learn(v, Number::of(Number::FLOAT));
    }

    // ---- floats ----

    fn finite(&mut self, how: FloatArith, a: Value, b: Value) -> Value {
        let r = self.one(Op::RawFloatArith(how), vec![a, b], Repr::Float);
        let is = self.one(Op::IsFinite, vec![r], Repr::Bool);
        self.or_slow(is);
        r
    }

    fn unbox(&mut self, what: InstData) {
        let (v, result) = (what.args[0], what.results[0]);
        let only_floats = matches!(what.op, Op::Unbox(_));
        let known = match only_floats {
            true => self.table.float(v),
            false => self.float_without_test(v, i64::MAX),
        };
        let float = match known {
            Some(float) => float,
            None if self.repeatable => self.float_or_slow(v, only_floats),
            None => {
                self.copy(what);
                let float = self.float(result);
                self.found_float(v, float, only_floats);
                return;
            }
        };
        self.table.set_float(result, float);
    }

    /// The float that a term is, or the one nearest to it if it is a small integer of at most this size; nothing where that is
    /// not known.
    fn float_without_test(&mut self, v: Value, most: i64) -> Option<Value> {
        if let Some(float) = self.table.float(v) {
            return Some(float);
        }
        let (low, high) = self.table.number(v).bounds()?;
        if low < -most || high > most {
            return None;
        }
        match self.table.number(v).value() {
            Some(n) => Some(self.one(Op::Float(n as f64), Vec::new(), Repr::Float)),
            None => {
                let term = self.term(v);
                Some(self.one(Op::SmallToFloat, vec![term], Repr::Float))
            }
        }
    }

    fn float_or_slow(&mut self, v: Value, only_floats: bool) -> Value {
        let op = match only_floats {
            true => Op::TryUnbox,
            false => Op::TryToFloat,
        };
        let term = self.term(v);
        let r = self.push(op, vec![term], &[Repr::Bool, Repr::Float]);
        self.or_slow(r[0]);
        self.found_float(v, r[1], only_floats);
        r[1]
    }

    /// A term has turned out to be a float, or a number of which this is the nearest one.
    fn found_float(&mut self, v: Value, float: Value, only_floats: bool) {
        match only_floats {
            true => self.is_float(v, float),
            false => {
                let number = Number::of(Number::FLOAT | Number::SMALL);
                self.table.learn(v, number);
            }
        }
    }

    // ---- arithmetic ----

    fn arith(&mut self, what: InstData, how: Arith, exit: Option<ExitRef>) {
        let (v, [a, b]) = (what.results[0], [what.args[0], what.args[1]]);
        let numbers = [a, b].map(|v| self.table.number(v));
        let [x, y] = numbers;
        let either_float = numbers.iter().any(|n| n.is(Number::FLOAT));
        if let Some(float_how) = of_floats(how).filter(|_| either_float) {
            if self.repeatable {
                let [fa, fb] = [a, b].map(|v| {
                    let known = self.float_without_test(v, i64::MAX);
                    known.unwrap_or_else(|| self.float_or_slow(v, false))
                });
                let r = self.finite(float_how, fa, fb);
                return self.is_float(v, r);
            }
            if let Some(exit) = exit
                && let Some(fa) = self.float_without_test(a, i64::MAX)
                && let Some(fb) = self.float_without_test(b, i64::MAX)
            {
                let op = Op::FloatArith(float_how, self.exit(exit));
                let r = self.one(op, vec![fa, fb], Repr::Float);
                return self.is_float(v, r);
            }
        }
        if Number::is_plain(how, x, y) {
            return self.plain_arith(v, how, a, b);
        }
        let may_be = numbers.iter().all(|n| n.may_be(Number::SMALL));
        if self.repeatable && may_be && is_tried(how, y) {
            let unknown: Vec<Value> = [a, b]
                .into_iter()
                .filter(|v| !self.table.number(*v).is(Number::SMALL))
                .collect();
            if !unknown.is_empty() {
                let terms = unknown.iter().map(|v| self.term(*v)).collect();
                let are = self.one(Op::AreSmall, terms, Repr::Bool);
                self.or_slow(are);
                for v in unknown {
                    self.table.learn(v, Number::of(Number::SMALL));
                }
            }
            let [x, y] = [a, b].map(|v| self.table.number(v));
            if Number::is_plain(how, x, y) {
                return self.plain_arith(v, how, a, b);
            }
            let args = [a, b].map(|v| self.small_operand(v)).to_vec();
            let r = self.push(Op::TrySmallArith(how), args, &[Repr::Bool, Repr::Term]);
            self.or_slow(r[0]);
            self.table.set_term(v, r[1]);
            return self.table.learn(v, Number::small_arith(how, x, y));
        }
        self.copy(what);
        let number = Number::arith(how, x, y);
        match exit {
            Some(_) => self.table.learn(v, number),
            None => self.table.learn(v, number.or(Number::of(Number::NONE))),
        }
    }

    /// An operand that is a small integer, as a constant if it is known.
    fn small_operand(&mut self, v: Value) -> Value {
        match self.table.number(v).value() {
            Some(n) => self.small(n),
            None => self.term(v),
        }
    }

    /// Arithmetic on small integers that gives one.
    fn plain_arith(&mut self, v: Value, how: Arith, a: Value, b: Value) {
        let (x, y) = (self.table.number(a), self.table.number(b));
        let number = Number::small_arith(how, x, y);
        let positive = x.bounds().is_some_and(|b| b.0 >= 0);
        let power = y
            .value()
            .filter(|n| positive && n.count_ones() == 1 && *n > 0);
        let args = match (how, power) {
            (Arith::Div | Arith::Rem, Some(n)) => {
                let by = match how {
                    Arith::Div => i64::from(n.trailing_zeros()),
                    _ => n - 1,
                };
                vec![self.small_operand(a), self.small(by)]
            }
            _ => [a, b].map(|v| self.small_operand(v)).to_vec(),
        };
        let how = match (how, power) {
            (Arith::Div, Some(_)) => Arith::Bsr,
            (Arith::Rem, Some(_)) => Arith::Band,
            _ => how,
        };
        let term = match number.value() {
            Some(n) => self.small(n),
            None => self.one(Op::SmallArith(how), args, Repr::Term),
        };
        self.table.set_term(v, term);
        self.table.learn(v, number);
    }

    // ---- questions ----

    fn compare(&mut self, what: InstData, how: Comparison) {
        let (v, [a, b]) = (what.results[0], [what.args[0], what.args[1]]);
        let [x, y] = [a, b].map(|v| self.table.number(v));
        let exact = matches!(how, Comparison::ExactEq | Comparison::ExactNe);
        if let (Some(p), Some(q)) = (x.bounds(), y.bounds()) {
            if let Some(answer) = known_comparison(how, p, q) {
                self.table.answers.insert(v, Answer::Known(answer));
                return;
            }
            let args = [a, b].map(|v| self.small_operand(v)).to_vec();
            let answer = self.one(Op::CompareSmall(how), args, Repr::Bool);
            self.table.answers.insert(v, Answer::Open(answer));
            let consequences = bounds_after(how, (a, p), (b, q));
            self.table.consequences.insert(v, consequences);
            return;
        }
        if exact && (x.is(Number::SMALL) || y.is(Number::SMALL)) {
            // What is exactly equal to a small integer is the same word.
            let args = [a, b].map(|v| self.term(v)).to_vec();
            let answer = self.one(Op::CompareSmall(how), args, Repr::Bool);
            self.table.answers.insert(v, Answer::Open(answer));
            let equal = vec![(a, x.and(y)), (b, y.and(x))];
            let consequences = match how {
                Comparison::ExactEq => Consequences {
                    yes: equal,
                    no: Vec::new(),
                },
                _ => Consequences {
                    yes: Vec::new(),
                    no: equal,
                },
            };
            self.table.consequences.insert(v, consequences);
            return;
        }
        if !exact
            && (x.is(Number::FLOAT) || y.is(Number::FLOAT))
            && let Some(fa) = self.float_without_test(a, EXACT)
            && let Some(fb) = self.float_without_test(b, EXACT)
        {
            let answer = self.one(Op::CompareFloat(how), vec![fa, fb], Repr::Bool);
            self.table.answers.insert(v, Answer::Open(answer));
            return;
        }
        self.copy(what);
    }

    fn test(&mut self, what: InstData, test: Test) {
        let (v, result) = (what.args[0], what.results[0]);
        let number = self.table.number(v);
        let all = Number::SMALL | Number::BIG | Number::FLOAT;
        let kinds = match test {
            Test::Small => Some(Number::SMALL),
            Test::Integer => Some(Number::SMALL | Number::BIG),
            Test::Float => Some(Number::FLOAT),
            Test::Number => Some(all),
            _ => None,
        };
        let answer = match kinds {
            Some(kinds) if number.is(kinds) => Some(true),
            Some(kinds) if !number.may_be(kinds) => Some(false),
            Some(_) => None,
            None if number.is(Number::SMALL) => Some(false),
            None => None,
        };
        if let Some(answer) = answer {
            self.table.answers.insert(result, Answer::Known(answer));
            return;
        }
        if let Some(kinds) = kinds {
            let consequences = Consequences {
                yes: vec![(v, Number::of(kinds))],
                no: vec![(v, Number::ANY.but(kinds))],
            };
            self.table.consequences.insert(result, consequences);
        }
        self.copy(what);
    }
}

fn of_floats(how: Arith) -> Option<FloatArith> {
    Some(match how {
        Arith::Add => FloatArith::Add,
        Arith::Sub => FloatArith::Sub,
        Arith::Mul => FloatArith::Mul,
        _ => return None,
    })
}

/// Is it done in line on small integers of which the second one is this?
fn is_tried(how: Arith, y: Number) -> bool {
    match (how, y.value()) {
        (Arith::Div | Arith::Rem, Some(n)) => n != 0 && n != -1,
        (Arith::Bsl, n) => n.is_some_and(|n| (0..60).contains(&n)),
        (Arith::Bsr, Some(n)) => n >= 0,
        _ => true,
    }
}

/// The answer, if the bounds say it.
fn known_comparison(how: Comparison, x: (i64, i64), y: (i64, i64)) -> Option<bool> {
    let (one, disjoint) = (x.0 == x.1 && x == y, x.1 < y.0 || y.1 < x.0);
    let equal = match (one, disjoint) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    };
    let less = match (x.1 < y.0, x.0 >= y.1) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    };
    match how {
        Comparison::Lt => less,
        Comparison::Ge => less.map(|is| !is),
        Comparison::Eq | Comparison::ExactEq => equal,
        Comparison::Ne | Comparison::ExactNe => equal.map(|is| !is),
    }
}

/// What a comparison of two small integers between bounds says of them.
fn bounds_after(how: Comparison, x: (Value, (i64, i64)), y: (Value, (i64, i64))) -> Consequences {
    let ((a, p), (b, q)) = (x, y);
    let less = vec![
        (a, Number::small(p.0, p.1.min(q.1 - 1))),
        (b, Number::small(q.0.max(p.0 + 1), q.1)),
    ];
    let not_less = vec![
        (a, Number::small(p.0.max(q.0), p.1)),
        (b, Number::small(q.0, q.1.min(p.1))),
    ];
    let (low, high) = (p.0.max(q.0), p.1.min(q.1));
    let equal = vec![(a, Number::small(low, high)), (b, Number::small(low, high))];
    // What is at an end of the bounds may be cut off.
    let without = |p: (i64, i64), q: (i64, i64)| match q.0 == q.1 {
        true if p.0 == q.0 => (p.0 + 1, p.1),
        true if p.1 == q.0 => (p.0, p.1 - 1),
        _ => p,
    };
    let (r, s) = (without(p, q), without(q, p));
    let other = vec![(a, Number::small(r.0, r.1)), (b, Number::small(s.0, s.1))];
    let (yes, no) = match how {
        Comparison::Lt => (less, not_less),
        Comparison::Ge => (not_less, less),
        Comparison::Eq | Comparison::ExactEq => (equal, other),
        Comparison::Ne | Comparison::ExactNe => (other, equal),
    };
    Consequences { yes, no }
}
