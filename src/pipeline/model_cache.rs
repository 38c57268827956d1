//! The networks in memory: each is loaded when first needed, and the least recently used is evicted when there are too
//! many.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Network, PipelineError};

/// A network that slides share; whoever runs it locks it.
pub(super) type Shared = Arc<Mutex<Network>>;

/// Networks by name, the least recently used first.
pub(super) struct ModelCache {
    most: Option<NonZeroUsize>,
    networks: Mutex<Vec<(String, Shared)>>,
}

impl ModelCache {
    /// Nothing loaded yet. Never holds more than `most`, but for those that a caller still has in use.
    pub(super) fn new(most: Option<NonZeroUsize>) -> Self {
        ModelCache {
            most,
            networks: Mutex::new(Vec::new()),
        }
    }

    /// The network of that name, from memory or from `load`.
    ///
    /// Others are evicted before it is loaded, so that memory never holds one more than it should.
    pub(super) fn get(
        &self,
        name: &str,
        load: impl FnOnce() -> Result<Network, PipelineError>,
    ) -> Result<Shared, PipelineError> {
        let mut networks = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
        let found = match networks.iter().position(|(known, _)| known == name) {
            Some(place) => networks.remove(place).1,
            None => {
                if let Some(most) = self.most {
                    while networks.len() >= most.get() {
                        networks.remove(0);
                    }
                }
                Arc::new(Mutex::new(load()?))
            }
        };
        networks.push((name.to_owned(), Arc::clone(&found)));
        Ok(found)
    }

    /// How many are held.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.networks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::pipeline::network::tests::answering;

    /// Which of `names`, asked for in turn, had to be loaded.
    fn loads(most: Option<usize>, names: &[&str]) -> String {
        let loaded = ModelCache::new(most.and_then(NonZeroUsize::new));
        let mut log = String::new();
        for name in names {
            let fresh = Cell::new(false);
            loaded
                .get(name, || {
                    fresh.set(true);
                    Ok(answering())
                })
                .unwrap();
            if fresh.get() {
                log.push_str(name);
            }
            assert!(most.is_none_or(|most| loaded.count() <= most));
        }
        log
    }

    #[test]
    fn each_network_is_loaded_once_where_there_is_no_limit() {
        assert_eq!(loads(None, &["a", "b", "a", "c", "b", "a"]), "abc");
    }

    #[test]
    fn the_longest_unused_is_given_up() {
        assert_eq!(loads(Some(2), &["a", "b", "a", "c", "a", "b"]), "abcb");
        assert_eq!(loads(Some(1), &["a", "a", "b", "a"]), "aba");
    }

    #[test]
    fn what_fails_to_load_is_not_kept() {
        let loaded = ModelCache::new(None);
        let failed = loaded.get("a", || Err(PipelineError::NoRouter));
        assert!(failed.is_err());
        assert_eq!(loaded.count(), 0);
        assert!(loaded.get("a", || Ok(answering())).is_ok());
    }
}
