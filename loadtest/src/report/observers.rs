//! Several that look on as one: a run has one observer, and may be shown and logged at once.

use crate::account::record::{Moment, Observer};
use crate::account::times::Times;
use std::fmt;

/// Tells each of them, in order.
#[derive(Default)]
pub struct Observers<'a>(pub Vec<&'a mut dyn Observer>);

impl fmt::Debug for Observers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observers").field(&self.0.len()).finish()
    }
}

impl Observer for Observers<'_> {
    fn moment(&mut self, moment: &Moment, times: &Times) {
        self.0.iter_mut().for_each(|observer| observer.moment(moment, times));
    }

    fn phase(&mut self, what: &str) {
        self.0.iter_mut().for_each(|observer| observer.phase(what));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Counting(u32, String);

    impl Observer for Counting {
        fn moment(&mut self, _: &Moment, _: &Times) {
            self.0 += 1;
        }

        fn phase(&mut self, what: &str) {
            what.clone_into(&mut self.1);
        }
    }

    #[test]
    fn each_is_told() {
        let (mut one, mut other) = (Counting::default(), Counting::default());
        let mut all = Observers(vec![&mut one, &mut other]);
        all.moment(&Moment::default(), &Times::default());
        all.phase("joining");
        assert_eq!(
            (one.0, other.0, one.1.as_str(), other.1.as_str()),
            (1, 1, "joining", "joining")
        );
    }
}
