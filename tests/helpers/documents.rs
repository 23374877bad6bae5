//! What docs/helpers.md tells people to write is accepted.

use crate::support::*;
use millstream::config::{Overrides, load};
use millstream_testkit::scratch::Scratch;

#[test]
fn every_example_is_a_configuration() {
    let page = include_str!("../../docs/helpers.md");
    let examples: Vec<&str> =
        page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(examples.len() >= 6, "{}", examples.len());
    let scratch = Scratch::new("helpers").unwrap();
    let mut all = 0;
    for example in examples {
        let file = scratch.file("example.toml");
        std::fs::write(&file, example).unwrap();
        let config = load(Some(&file), [], Overrides::default());
        all += config.unwrap_or_else(|error| panic!("{error}\n{example}")).helper.len();
    }
    assert!(all >= 6, "{all}");
    // Every setting is explained.
    let helper = Mark::new().helper("x", "y", "live", &["z"], "");
    let file = scratch.file("settings.toml");
    std::fs::write(&file, helper).unwrap();
    let config = load(Some(&file), [], Overrides::default()).unwrap();
    let settings = serde_json::to_value(&config.helper[0]).unwrap();
    for setting in settings.as_object().unwrap().keys() {
        assert!(page.contains(&format!("`{setting}`")), "{setting} is not explained");
    }
}
