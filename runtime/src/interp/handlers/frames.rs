//! Frames, heap that is reserved, jumps.

use crate::code::forms::{allocate, init_y, jump, jump_far, slots, test_heap};
use crate::code::operand;
use crate::interp::Outcome;
use crate::interp::calls::{self, STACK_SLACK};
use crate::term::Term;

handlers! {
    allocate |m| {
        let (slots, words) = (m.num(allocate::SLOTS), m.num(allocate::HEAP));
        let left = (m.sp as usize).wrapping_sub(m.cx.own.stack.limit() as usize) / 8;
        if left < slots + STACK_SLACK || words > m.room() {
            return m.hand_to(slow::allocate);
        }
        for _ in 0..slots {
            m.sp = m.sp.wrapping_sub(1);
            m.sety_in_loop(0, Term::NIL);
        }
        m.next(allocate::WORDS)
    }
    test_heap |m| {
        if m.room() < m.num(test_heap::HEAP) || m.cx.own.heap.stress {
            return m.hand_to(slow::test_heap);
        }
        m.next(test_heap::WORDS)
    }
    drop_slots |m| {
        m.drop_frame(m.num(slots::SLOTS));
        m.next(slots::WORDS)
    }
    deallocate_return |m| {
        m.drop_frame(m.num(slots::SLOTS));
        m.ret()
    }
    init_y |m| {
        let n = m.num(init_y::COUNT);
        for i in 0..n {
            let slot = m.bits(init_y::LIST.at(i)) & operand::NUMBER;
            m.sety_in_loop(slot as usize, Term::NIL);
        }
        m.next(init_y::words(n))
    }
    jump |m| m.jump(jump::TO)
    jump_far |m| m.jump(jump_far::TO)
}

slow_handlers! {
    allocate |m| {
        let (slots, words) = (m.num(allocate::SLOTS), m.num(allocate::HEAP));
        let left = (m.sp as usize).wrapping_sub(m.cx.own.stack.limit() as usize) / 8;
        if left < slots + STACK_SLACK {
            calls::grow_stack(m.cx, slots + STACK_SLACK);
        }
        if words > 0 && m.room() < words {
            let live = m.num(allocate::LIVE);
            if !calls::reserve(m.cx, words, live) {
                return m.stop(Outcome::Exit);
            }
        }
        for _ in 0..slots {
            m.cx.own.stack.push(Term::NIL.raw());
        }
        m.next(allocate::WORDS)
    }
    test_heap |m| {
        let (words, live) = (m.num(test_heap::HEAP), m.num(test_heap::LIVE));
        if !calls::reserve(m.cx, words, live) {
            return m.stop(Outcome::Exit);
        }
        m.next(test_heap::WORDS)
    }
}
