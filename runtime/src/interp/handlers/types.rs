//! Type tests.

use crate::code::forms::{compare, is_long_tuple, is_tagged_tuple, test, test_number};
use crate::code::{export, fun};
use crate::interp::bits;
use crate::interp::machine::{Any, M, Place, Source};
use crate::term::{Header, Kind, Term};

handlers! {
    is_cons<S: Source> |m| { let ok = m.src::<S>(test::VALUE).is_cons(); m.type_is(ok) }
    is_nil<S: Source> |m| { let ok = m.src::<S>(test::VALUE).is_nil(); m.type_is(ok) }
    is_list |m| { let ok = m.src::<Any>(test::VALUE).is_list(); m.type_is(ok) }
    is_atom<S: Source> |m| { let ok = m.src::<S>(test::VALUE).is_atom(); m.type_is(ok) }
    is_boolean |m| { let ok = m.src::<Any>(test::VALUE).as_bool().is_some(); m.type_is(ok) }
    is_integer<S: Source> |m| { let ok = m.src::<S>(test::VALUE).is_integer(); m.type_is(ok) }
    is_float |m| { let ok = m.src::<Any>(test::VALUE).is_float(); m.type_is(ok) }
    is_number |m| { let ok = m.src::<Any>(test::VALUE).is_number(); m.type_is(ok) }
    is_pid |m| { let ok = m.src::<Any>(test::VALUE).is_pid(); m.type_is(ok) }
    is_port |m| { let ok = m.src::<Any>(test::VALUE).is_port(); m.type_is(ok) }
    is_reference |m| { let ok = m.src::<Any>(test::VALUE).is_reference(); m.type_is(ok) }
    is_tuple |m| { let ok = m.src::<Any>(test::VALUE).is_tuple(); m.type_is(ok) }
    is_map |m| { let ok = m.src::<Any>(test::VALUE).is_map(); m.type_is(ok) }
    is_record |m| { let ok = m.src::<Any>(test::VALUE).is_kind(Kind::Record); m.type_is(ok) }
    is_function |m| { let ok = m.src::<Any>(test::VALUE).is_function(); m.type_is(ok) }
    is_bitstring |m| {
        let t = m.src::<Any>(test::VALUE);
        m.type_is(t.is_bitstring() || t.is_kind(Kind::MatchCtx))
    }
    is_binary |m| {
        let t = m.src::<Any>(test::VALUE);
        m.type_is(t.is_binary() || t.is_kind(Kind::MatchCtx) && bits::left(t) & 7 == 0)
    }
    is_function_of |m| {
        let (f, arity) = (m.src::<Any>(compare::LEFT), m.src::<Any>(compare::RIGHT));
        m.test(has_arity(f, arity), compare::WORDS, compare::FAIL)
    }
    is_tuple_of<S: Source> |m| {
        let t = m.src::<S>(test_number::VALUE);
        let ok = is_tuple_of_size(t, m.num(test_number::NUMBER));
        m.test(ok, test_number::WORDS, test_number::FAIL)
    }
    is_tagged_tuple<S: Source> |m| {
        let t = m.src::<S>(is_tagged_tuple::VALUE);
        let ok = is_tuple_of_size(t, m.num(is_tagged_tuple::SIZE))
            && t.word(1) == m.constant(is_tagged_tuple::TAG);
        m.test(ok, is_tagged_tuple::WORDS, is_tagged_tuple::FAIL)
    }
    is_long_tuple |m| {
        let (t, tag) = (m.src::<Any>(is_long_tuple::VALUE), m.constant(is_long_tuple::TAG));
        let ok = is_tuple_of_size(t, m.num(is_long_tuple::SIZE)) && (tag == 0 || t.word(1) == tag);
        m.test(ok, is_long_tuple::WORDS, is_long_tuple::FAIL)
    }
}

impl<const THREADED: bool> M<'_, '_, THREADED> {
    #[inline(always)]
    fn type_is(self, ok: bool) -> Place {
        self.test(ok, test::WORDS, test::FAIL)
    }
}

#[inline(always)]
fn is_tuple_of_size(t: Term, n: usize) -> bool {
    t.is_boxed() && t.header() == Header::new(Kind::Tuple, n)
}

#[inline(always)]
pub(in crate::interp) fn has_arity(f: Term, arity: Term) -> bool {
    let n = match f.kind() {
        Some(Kind::Fun) => fun::of(f).arity,
        Some(Kind::Export) => export::of(f).arity,
        _ => return false,
    };
    arity.as_small() == Some(i64::from(n))
}
