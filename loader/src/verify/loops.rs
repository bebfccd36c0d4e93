//! Loops within a function.
//!
//! A process gives up its scheduler only where a function is entered and where a `receive` looks at
//! the next message. Code that jumps back without passing either would keep the scheduler for ever and
//! could not even be killed, so such a loop is refused. Compilers make no other loops than those of `receive`.

/// The ways from label to label that pass no place where the process can be stopped.
#[derive(Default)]
pub(super) struct Jumps {
    /// Positions of the labels, from and to.
    edges: Vec<(u32, u32)>,
    /// Is there one that does not lead forwards? Without one there is no loop.
    backwards: bool,
}

impl Jumps {
    pub(super) fn clear(&mut self) {
        self.edges.clear();
        self.backwards = false;
    }

    /// There is a way from label to label; the same may be told again.
    pub(super) fn note(&mut self, from: usize, to: usize) {
        self.backwards |= to <= from;
        self.edges.push((from as u32, to as u32));
    }

    /// A label that lies on a loop or behind one, if there is a loop. Takes away what nothing leads to until
    /// nothing is left (Kahn's topological order).
    pub(super) fn find_loop(&mut self, labels: usize) -> Option<usize> {
        if !self.backwards {
            return None;
        }
        self.edges.sort_unstable();
        self.edges.dedup();
        let mut ways_in = vec![0u32; labels];
        for &(_, to) in &self.edges {
            ways_in[to as usize] += 1;
        }
        let mut free: Vec<usize> = (0..labels).filter(|&label| ways_in[label] == 0).collect();
        while let Some(label) = free.pop() {
            let first = self.edges.partition_point(|e| (e.0 as usize) < label);
            let out = self.edges[first..].iter();
            for &(_, to) in out.take_while(|e| e.0 as usize == label) {
                let to = to as usize;
                ways_in[to] -= 1;
                if ways_in[to] == 0 {
                    free.push(to);
                }
            }
        }
        ways_in.iter().position(|&n| n > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(edges: &[(usize, usize)]) -> Option<usize> {
        let mut jumps = Jumps::default();
        for &(from, to) in edges {
            jumps.note(from, to);
        }
        jumps.find_loop(5)
    }

    #[test]
    fn loops() {
        assert_eq!(found(&[]), None);
        assert_eq!(found(&[(0, 1), (1, 2), (0, 2)]), None);
        assert_eq!(found(&[(0, 3), (3, 1), (1, 4), (1, 4)]), None);
        assert_eq!(found(&[(2, 2)]), Some(2));
        assert_eq!(found(&[(0, 1), (1, 3), (3, 1), (3, 4)]), Some(1));
    }
}
