//! Records with a life shorter than the run, kept in place and used again.
//!
//! Owns the free list. A slot's number is stable while it lives; nothing is allocated once the slab
//! has reached the most records alive at once.

/// A growing array with a free list.
#[derive(Debug)]
pub(super) struct Slab<T> {
    items: Vec<T>,
    free: Vec<u32>,
}

impl<T> Slab<T> {
    pub(super) fn new() -> Self {
        Self { items: Vec::new(), free: Vec::new() }
    }

    /// A slot for this record.
    #[inline]
    pub(super) fn insert(&mut self, item: T) -> u32 {
        if let Some(id) = self.free.pop() {
            self.items[id as usize] = item;
            return id;
        }
        self.items.push(item);
        // So that giving back never allocates.
        self.free.reserve(self.items.len());
        self.items.len() as u32 - 1
    }

    /// A slot with the record of whoever had it before, made fit for use: what that allocated is used again.
    pub(super) fn reuse(&mut self, mend: impl FnOnce(&mut T)) -> u32
    where
        T: Default,
    {
        match self.free.pop() {
            None => self.insert(T::default()),
            Some(id) => {
                mend(&mut self.items[id as usize]);
                id
            }
        }
    }

    /// Gives a slot back. The record stays readable until the slot is used again.
    #[inline]
    pub(super) fn remove(&mut self, id: u32) {
        self.free.push(id);
    }

    /// All slots, the free ones included: the record must tell.
    pub(super) fn slots(&self) -> impl Iterator<Item = (u32, &T)> {
        self.items.iter().enumerate().map(|(id, item)| (id as u32, item))
    }
}

impl<T> std::ops::Index<u32> for Slab<T> {
    type Output = T;
    #[inline]
    fn index(&self, id: u32) -> &T {
        &self.items[id as usize]
    }
}

impl<T> std::ops::IndexMut<u32> for Slab<T> {
    #[inline]
    fn index_mut(&mut self, id: u32) -> &mut T {
        &mut self.items[id as usize]
    }
}
