//! What `select_replace` may do: it must be plain that each object that is made has the key of the one it replaces.

use enigma_runtime::data::compare;
use enigma_runtime::match_spec;
use enigma_runtime::term::list;
use enigma_runtime::{Atom, Term};

/// Is it plain from a clause that the object it makes has the key of the object that it matched?
pub(super) fn keeps_key(keypos: usize, head: Term, body: Term) -> bool {
    let Some(&[only]) = list::to_vec(body).as_deref() else {
        return false;
    };
    if only == Term::from(Atom::DOLLAR_UNDERSCORE) {
        return true;
    }
    let element = |t: Term| t.as_tuple().and_then(|e| e.get(keypos - 1).copied());
    let Some(key) = element(head) else {
        return false;
    };
    let (made, constant) = match only.as_tuple() {
        Some(&[name, value]) if name == Term::from(Atom::CONST) => (value, true),
        Some(&[tuple]) => (tuple, false),
        _ => return false,
    };
    let Some(new) = element(made) else {
        return false;
    };
    if same_key(key, new, constant) {
        return true;
    }
    !constant
        && matches!(new.as_tuple(), Some(&[name, pos, of])
            if name == Term::from(Atom::ELEMENT)
                && pos == Term::small(keypos as i64)
                && of == Term::from(Atom::DOLLAR_UNDERSCORE))
}

/// Does an expression give what a pattern has matched?
fn same_key(pattern: Term, expression: Term, constant: bool) -> bool {
    if pattern == Term::from(Atom::UNDERSCORE) {
        return false;
    }
    if match_spec::variable(pattern).is_some() {
        return !constant && pattern == expression;
    }
    if let Some((h, t)) = pattern.as_cons() {
        return expression
            .as_cons()
            .is_some_and(|(x, y)| same_key(h, x, constant) && same_key(t, y, constant));
    }
    if let Some(parts) = pattern.as_tuple() {
        let made = match expression.as_tuple() {
            Some(&[name, value]) if !constant && name == Term::from(Atom::CONST) => {
                return same_key(pattern, value, true);
            }
            Some(&[inner]) if !constant => inner.as_tuple(),
            Some(e) if constant => Some(e),
            _ => None,
        };
        return made.is_some_and(|e| {
            e.len() == parts.len() && parts.iter().zip(e).all(|(&p, &x)| same_key(p, x, constant))
        });
    }
    if !constant
        && let Some(&[name, value]) = expression.as_tuple_n::<2>()
        && name == Term::from(Atom::CONST)
    {
        return compare::exact_eq(pattern, value);
    }
    !pattern.is_map() && compare::exact_eq(pattern, expression)
}
