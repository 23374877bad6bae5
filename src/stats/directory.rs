//! Where control finds the counters of every shard and stream. Shards come here when a stream
//! begins or ends, never for a frame.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{PullStats, ShardStats, StreamStats};
use crate::name::StreamName;

/// All counters of the server.
#[derive(Debug)]
pub struct Directory {
    shards: Vec<Arc<ShardStats>>,
    streams: Mutex<BTreeMap<StreamName, Arc<StreamStats>>>,
    pulls: Mutex<BTreeMap<StreamName, Arc<PullStats>>>,
}

impl Directory {
    /// One shard per core, no streams.
    pub fn new(cores: &[usize]) -> Self {
        let shards = cores.iter().map(|&core| Arc::new(ShardStats::new(core))).collect();
        Directory { shards, streams: Mutex::default(), pulls: Mutex::default() }
    }

    /// The shards, by index.
    pub fn shards(&self) -> &[Arc<ShardStats>] {
        &self.shards
    }

    /// The narrowest pacing window of any shard.
    pub fn narrowest_window(&self) -> Duration {
        let windows = self.shards.iter().map(|shard| shard.pacing_window_ms.get());
        Duration::from_millis(windows.min().unwrap_or(0))
    }

    /// The counters of a stream: those that it has, or new ones.
    pub fn register(&self, name: &StreamName) -> Arc<StreamStats> {
        let mut streams = self.lock();
        let stream =
            streams.entry(name.clone()).or_insert_with(|| Arc::new(StreamStats::new(name.clone())));
        Arc::clone(stream)
    }

    /// Forgets a stream, if these are still its counters: the late end of an old stream must not
    /// remove its successor of the same name.
    pub fn remove(&self, stream: &Arc<StreamStats>) {
        let mut streams = self.lock();
        if streams.get(stream.name()).is_some_and(|present| Arc::ptr_eq(present, stream)) {
            streams.remove(stream.name());
        }
    }

    /// The streams, ordered by name.
    pub fn streams(&self) -> Vec<Arc<StreamStats>> {
        self.lock().values().cloned().collect()
    }

    /// A pull begins: these are its counters.
    pub fn add_pull(&self, pull: &Arc<PullStats>) {
        self.lock_pulls().insert(pull.name().clone(), Arc::clone(pull));
    }

    /// A pull has ended.
    pub fn remove_pull(&self, pull: &Arc<PullStats>) {
        let mut pulls = self.lock_pulls();
        if pulls.get(pull.name()).is_some_and(|present| Arc::ptr_eq(present, pull)) {
            pulls.remove(pull.name());
        }
    }

    /// The pulls, ordered by stream.
    pub fn pulls(&self) -> Vec<Arc<PullStats>> {
        self.lock_pulls().values().cloned().collect()
    }

    fn lock_pulls(&self) -> MutexGuard<'_, BTreeMap<StreamName, Arc<PullStats>>> {
        self.pulls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<StreamName, Arc<StreamStats>>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_keeps_its_counters_until_it_is_removed() {
        let directory = Directory::new(&[0, 2]);
        let name = StreamName::parse("live/cam1").unwrap();
        let first = directory.register(&name);
        assert!(Arc::ptr_eq(&first, &directory.register(&name)));
        directory.remove(&first);
        assert!(directory.streams().is_empty());

        let second = directory.register(&name);
        directory.remove(&first);
        assert!(Arc::ptr_eq(&directory.streams()[0], &second));
        assert_eq!(directory.shards()[1].core, 2);
    }
}
