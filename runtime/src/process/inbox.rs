//! The queue of what others send to a process: many senders, one receiver, no lock.
//!
//! Senders push onto a stack with one compare-and-swap, the receiver takes the whole stack and reverses it.

use crate::sys::sync::{AtomicPtr, Ordering};

struct Node<T> {
    next: *mut Node<T>,
    value: T,
}

/// See the module's text.
pub struct Inbox<T>(AtomicPtr<Node<T>>);

impl<T> Inbox<T> {
    /// An empty queue.
    pub fn new() -> Inbox<T> {
        Inbox(AtomicPtr::new(std::ptr::null_mut()))
    }

    /// Is there anything in it?
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.0.load(Ordering::Acquire).is_null()
    }

    /// Puts a value behind the others.
    pub fn push(&self, value: T) {
        let node = Box::into_raw(Box::new(Node {
            next: std::ptr::null_mut(),
            value,
        }));
        let mut head = self.0.load(Ordering::Relaxed);
        loop {
            // SAFETY: the node is ours until the exchange succeeds.
            unsafe { (*node).next = head };
            match self
                .0
                .compare_exchange_weak(head, node, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Takes everything, oldest first.
    pub fn take_all(&self) -> Taken<T> {
        let mut node = self.0.swap(std::ptr::null_mut(), Ordering::AcqRel);
        let mut reversed = std::ptr::null_mut();
        while !node.is_null() {
            // SAFETY: the nodes were taken out and belong to us.
            unsafe {
                let next = (*node).next;
                (*node).next = reversed;
                reversed = node;
                node = next;
            }
        }
        Taken(reversed)
    }
}

impl<T> Default for Inbox<T> {
    fn default() -> Inbox<T> {
        Inbox::new()
    }
}

impl<T> Drop for Inbox<T> {
    fn drop(&mut self) {
        drop(self.take_all());
    }
}

/// What was taken from an inbox.
pub struct Taken<T>(*mut Node<T>);

// SAFETY: the nodes belong to it, and so do the values in them.
unsafe impl<T: Send> Send for Taken<T> {}

impl<T> Taken<T> {
    /// Nothing.
    pub const NONE: Taken<T> = Taken(std::ptr::null_mut());

    /// Puts what was taken later behind.
    pub fn append(&mut self, later: Taken<T>) {
        let mut end = &raw mut self.0;
        // SAFETY: the nodes belong to us; the last one's link is null.
        unsafe {
            while !(*end).is_null() {
                end = &raw mut (**end).next;
            }
            *end = later.0;
        }
        std::mem::forget(later);
    }

    /// Is nothing left?
    pub fn is_empty(&self) -> bool {
        self.0.is_null()
    }
}

impl<T> Iterator for Taken<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        if self.0.is_null() {
            return None;
        }
        // SAFETY: the nodes were made by `push` and belong to us.
        let node = unsafe { Box::from_raw(self.0) };
        self.0 = node.next;
        Some(node.value)
    }
}

impl<T> Drop for Taken<T> {
    fn drop(&mut self) {
        self.by_ref().for_each(drop);
    }
}
