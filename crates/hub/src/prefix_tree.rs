//! A tree of texts that finds the values of all texts with which a given text begins. The time does not depend on the
//! number of texts in the tree: a search reads at most [`INDEXED_BYTES`] bytes.
//!
//! The tree is a [radix tree](https://en.wikipedia.org/wiki/Radix_tree). Each node adds some bytes to the text of its
//! parent.

/// The greatest number of bytes of a text that the tree uses. A longer text is treated as if it ended there. This
/// bounds the depth of the tree, whose methods call themselves.
pub(crate) const INDEXED_BYTES: usize = 256;

/// A value for each text of a [`PrefixTree`].
pub(crate) trait Value: Default {
    /// True if the value is equal to the default value, so that it need not be stored.
    fn is_empty(&self) -> bool;

    /// Notes that this value, or a value below it, has changed. `below` are the values of the next nodes.
    fn changed<'a>(&mut self, below: impl Iterator<Item = &'a Self>)
    where
        Self: 'a,
    {
        _ = below;
    }
}

/// Values that are found by the beginning of a text.
#[derive(Debug, Default)]
pub(crate) struct PrefixTree<T> {
    root: Node<T>,
}

#[derive(Debug, Default)]
struct Node<T> {
    /// The bytes that the node adds to the text of its parent. Only the root has none.
    label: Box<[u8]>,
    value: T,
    /// The next nodes, in the order of the first bytes of their labels, which are all different.
    children: Vec<Node<T>>,
}

impl<T: Value> PrefixTree<T> {
    /// Changes the value of `prefix`, which was empty if the tree does not have this text.
    pub(crate) fn change(&mut self, prefix: &[u8], change: impl FnOnce(&mut T)) {
        self.root.change(&prefix[..prefix.len().min(INDEXED_BYTES)], change);
    }

    /// Returns the values of all texts with which `text` begins, the shortest text first. Some values may be empty.
    pub(crate) fn along<'a, 'b>(&'a self, text: &'b [u8]) -> impl Iterator<Item = &'a T> + use<'a, 'b, T> {
        let mut next = Some((&self.root, text));
        std::iter::from_fn(move || {
            let (node, rest) = next.take()?;
            next = node.step(rest);
            Some(&node.value)
        })
    }

    /// The value of the empty text.
    pub(crate) fn root(&self) -> &T {
        &self.root.value
    }

    /// True if no text has a value.
    pub(crate) fn is_empty(&self) -> bool {
        self.root.value.is_empty() && self.root.children.is_empty()
    }
}

impl<T: Value> Node<T> {
    /// Returns the next node on the way to `rest`, and the bytes that are left behind it.
    fn step<'a, 'b>(&'a self, rest: &'b [u8]) -> Option<(&'a Self, &'b [u8])> {
        let child = &self.children[self.find(*rest.first()?).ok()?];
        Some((child, rest.strip_prefix(&*child.label)?))
    }

    /// Returns the index of the child whose label begins with this byte, or the index at which it would be inserted.
    fn find(&self, first: u8) -> Result<usize, usize> {
        self.children.binary_search_by_key(&first, |child| child.label[0])
    }

    fn change(&mut self, rest: &[u8], change: impl FnOnce(&mut T)) {
        match rest.first().map(|first| self.find(*first)) {
            None => change(&mut self.value),
            Some(Ok(index)) => {
                let child = &mut self.children[index];
                let common = child.label.iter().zip(rest).take_while(|(one, other)| one == other).count();
                child.split(common);
                child.change(&rest[common..], change);
                if child.is_needless() {
                    self.children.remove(index);
                }
            }
            Some(Err(index)) => {
                let mut child = Self { label: rest.into(), ..Self::default() };
                child.change(&[], change);
                if !child.is_needless() {
                    // Most nodes have few children. A vector that grows by itself has room for four.
                    if self.children.len() == self.children.capacity() {
                        self.children.reserve_exact(self.children.len().max(1));
                    }
                    self.children.insert(index, child);
                }
            }
        }
        // The vector never keeps room for more than twice as many children, so the memory of a tree is proportional to
        // the number of its texts.
        if self.children.capacity() > 2 * self.children.len() {
            self.children.shrink_to_fit();
        }
        self.join();
        self.value.changed(self.children.iter().map(|child| &child.value));
    }

    /// Divides the node in two, so that its label has only the first `length` bytes.
    fn split(&mut self, length: usize) {
        if length < self.label.len() {
            let (label, below) = (self.label[..length].into(), self.label[length..].into());
            let mut child = Self { label: below, ..Self::default() };
            std::mem::swap(&mut child.value, &mut self.value);
            std::mem::swap(&mut child.children, &mut self.children);
            (self.label, self.children) = (label, vec![child]);
        }
    }

    /// Replaces the node by its only child, if it has one and no value. The root stays, because its text is empty.
    fn join(&mut self) {
        if !self.label.is_empty() && self.value.is_empty() && self.children.len() == 1 {
            let child = self.children.remove(0);
            let label = [&*self.label, &*child.label].concat();
            *self = Self { label: label.into(), ..child };
        }
    }

    fn is_needless(&self) -> bool {
        self.value.is_empty() && self.children.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// A number of texts, and the greatest sum of these numbers on a way down from here.
    #[derive(Debug, Default, Clone, PartialEq)]
    struct Count {
        own: usize,
        most: usize,
    }

    impl Value for Count {
        fn is_empty(&self) -> bool {
            self.own == 0
        }

        fn changed<'a>(&mut self, below: impl Iterator<Item = &'a Self>) {
            self.most = self.own + below.map(|count| count.most).max().unwrap_or_default();
        }
    }

    fn nodes<T>(node: &Node<T>) -> usize {
        1 + node.children.iter().map(nodes).sum::<usize>()
    }

    proptest::proptest! {
        #[test]
        fn a_text_finds_all_of_its_beginnings(texts in proptest::collection::vec("[ab]{0,5}", 0..40), seed in 0..99usize) {
            let mut tree = PrefixTree::<Count>::default();
            let mut expected = BTreeMap::<&str, usize>::new();
            let check = |tree: &PrefixTree<Count>, expected: &BTreeMap<&str, usize>| {
                let sum = |text: &str| {
                    expected.iter().filter(|(prefix, _)| text.starts_with(**prefix)).map(|(_, own)| own).sum::<usize>()
                };
                for text in texts.iter().map(String::as_str).chain(["", "a", "abab", "bbbbbbb", "c"]) {
                    assert_eq!(tree.along(text.as_bytes()).map(|count| count.own).sum::<usize>(), sum(text), "{text}");
                }
                assert_eq!(tree.root().most, expected.keys().map(|text| sum(text)).max().unwrap_or_default());
                let distinct = expected.keys().filter(|text| !text.is_empty()).count();
                assert!(nodes(&tree.root) <= 1 + 2 * distinct, "a node has a value or several children");
            };
            for text in &texts {
                tree.change(text.as_bytes(), |count| count.own += 1);
                *expected.entry(text).or_default() += 1;
                check(&tree, &expected);
            }
            for number in 0..texts.len() {
                let text = &texts[(number + seed) % texts.len()];
                tree.change(text.as_bytes(), |count| count.own -= 1);
                *expected.get_mut(text.as_str()).unwrap() -= 1;
                expected.retain(|_, own| *own > 0);
                check(&tree, &expected);
            }
            assert!(tree.is_empty() && nodes(&tree.root) == 1);
        }
    }

    #[test]
    fn the_end_of_a_long_text_is_not_indexed() {
        let mut tree = PrefixTree::<Count>::default();
        let (most, more) = ([b'x'; INDEXED_BYTES], [b'x'; INDEXED_BYTES + 1]);
        for text in [&most[..], &more] {
            tree.change(text, |count| count.own += 1);
        }
        let found = |text: &[u8]| tree.along(text).map(|count| count.own).sum::<usize>();
        assert_eq!([found(&most[1..]), found(&most), found(&more)], [0, 2, 2]);
    }

    /// A chain of texts, each of which begins with the one before, makes the deepest tree.
    #[test]
    fn the_deepest_tree_is_dropped_on_a_small_stack() {
        let work = || {
            let mut tree = PrefixTree::<Count>::default();
            let text = [b'x'; 4_096];
            for length in 1..text.len() {
                tree.change(&text[..length], |count| count.own += 1);
            }
            assert_eq!((tree.root().most, nodes(&tree.root)), (text.len() - 1, 1 + INDEXED_BYTES));
        };
        std::thread::Builder::new().stack_size(512 << 10).spawn(work).unwrap().join().unwrap();
    }
}
