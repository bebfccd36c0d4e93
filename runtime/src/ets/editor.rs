//! Changes of single elements of an object.

use crate::heap::Heap;
use crate::heap::object::Obj;
use crate::term::Term;

/// Changes elements of an object. Changes are made when all of them are known to be right.
pub struct Editor {
    object: Obj,
    /// The first change, so that the usual case takes no memory.
    first: Option<(usize, Term)>,
    more: Vec<(usize, Term)>,
}

impl Editor {
    /// Number of elements.
    #[inline]
    pub fn arity(&self) -> usize {
        self.object.arity()
    }

    #[inline]
    fn check(&self, pos: usize) {
        assert!((1..=self.arity()).contains(&pos), "no such element");
    }

    /// Element `pos`, which must be there, as it is after the changes so far.
    #[inline]
    pub fn element(&self, pos: usize) -> Term {
        self.check(pos);
        if self.first.is_none() {
            return self.object.element(pos);
        }
        self.changed_element(pos)
    }

    fn changed_element(&self, pos: usize) -> Term {
        match self.changes().rfind(|c| c.0 == pos) {
            Some(c) => c.1,
            None => self.object.element(pos),
        }
    }

    /// Changes element `pos`, which must be there.
    #[inline]
    pub fn set(&mut self, pos: usize, value: Term) {
        self.check(pos);
        if self.first.is_none() {
            self.first = Some((pos, value));
        } else {
            self.more.push((pos, value));
        }
    }

    #[inline]
    pub(super) fn new(object: Obj) -> Editor {
        Editor {
            object,
            first: None,
            more: Vec::new(),
        }
    }

    fn changes(&self) -> impl DoubleEndedIterator<Item = (usize, Term)> + '_ {
        self.first.into_iter().chain(self.more.iter().copied())
    }

    /// Makes the changes, in place if possible; gives the object that has to take the old one's place
    /// otherwise.
    #[inline]
    pub(super) fn finish(self, valid: bool) -> Option<Obj> {
        let (pos, value) = self.first.filter(|_| valid)?;
        if self.more.is_empty() && self.object.set_immediate(pos, value) {
            return None;
        }
        Some(self.replaced())
    }

    /// An object with the changes.
    #[inline(never)]
    fn replaced(self) -> Obj {
        let mut h = Heap::new();
        let mut elements: Vec<Term> = (1..=self.object.arity())
            .map(|i| self.object.element(i))
            .collect();
        for (pos, value) in self.changes() {
            elements[pos - 1] = value;
        }
        Obj::new(h.tuple(&elements))
    }
}

/// An update of a default object that is put in if the update is right.
pub(super) fn fresh<R>(
    default: Term,
    f: impl FnOnce(&mut Editor) -> Option<R>,
    insert: impl FnOnce(Term),
) -> Option<R> {
    let o = Obj::new(default);
    let mut e = Editor::new(o);
    let r = f(&mut e);
    let valid = r.is_some();
    let changed = e.finish(valid);
    if valid {
        insert(changed.unwrap_or(o).root());
    }
    for o in [Some(o), changed].into_iter().flatten() {
        // SAFETY: made here and copied by `insert`.
        unsafe { o.free() };
    }
    r
}
