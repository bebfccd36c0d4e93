//! A stack of values that grows without moving what is there: adding one always takes about the same time.

/// Values of a full segment.
const SEGMENT: usize = 1 << 14;

/// See the module's text.
#[derive(Debug)]
pub struct Pile<T> {
    full: Vec<Vec<T>>,
    /// The uppermost segment; empty only if all is.
    top: Vec<T>,
}

impl<T> Default for Pile<T> {
    fn default() -> Pile<T> {
        Pile {
            full: Vec::new(),
            top: Vec::new(),
        }
    }
}

impl<T> Pile<T> {
    /// Is nothing there?
    pub fn is_empty(&self) -> bool {
        self.top.is_empty()
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        SEGMENT * self.full.len() + self.top.len()
    }

    /// Puts a value on top.
    #[inline]
    pub fn push(&mut self, value: T) {
        if self.top.len() == SEGMENT {
            let next = Vec::with_capacity(SEGMENT);
            self.full.push(std::mem::replace(&mut self.top, next));
        }
        self.top.push(value);
    }

    /// Takes the uppermost value.
    pub fn pop(&mut self) -> Option<T> {
        let value = self.top.pop();
        self.lower();
        value
    }

    /// The uppermost value.
    pub fn last_mut(&mut self) -> Option<&mut T> {
        self.top.last_mut()
    }

    /// The uppermost values, the last one last: as many as lie together, at most `n`.
    pub fn top(&self, n: usize) -> &[T] {
        &self.top[self.top.len().saturating_sub(n)..]
    }

    /// Takes away the `n` uppermost values, at most as many as `top` has given.
    pub fn drop_top(&mut self, n: usize) {
        self.top.truncate(self.top.len() - n);
        self.lower();
    }

    fn lower(&mut self) {
        if self.top.is_empty()
            && let Some(next) = self.full.pop()
        {
            self.top = next;
        }
    }

    /// All segments, the lowest first.
    pub fn segments(&mut self) -> impl Iterator<Item = &mut [T]> {
        let full = self.full.iter_mut().map(Vec::as_mut_slice);
        full.chain(std::iter::once(self.top.as_mut_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_in_order() {
        let mut p = Pile::default();
        let n = 2 * SEGMENT + 7;
        (0..n).for_each(|i| p.push(i));
        assert_eq!(p.len(), n);
        assert!(p.segments().flat_map(|s| s.iter()).copied().eq(0..n));
        assert_eq!((p.pop(), p.last_mut().copied()), (Some(n - 1), Some(n - 2)));
        let mut left = n - 1;
        while !p.is_empty() {
            let some = p.top(1000).to_vec();
            assert!(!some.is_empty() && some.iter().copied().eq(left - some.len()..left));
            left -= some.len();
            p.drop_top(some.len());
        }
        assert_eq!((left, p.pop()), (0, None));
    }
}
