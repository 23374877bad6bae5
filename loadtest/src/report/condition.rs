//! temporary
/// x
#[derive(Debug)]
pub struct Condition;
impl std::str::FromStr for Condition {
    type Err = std::fmt::Error;
    fn from_str(_: &str) -> Result<Self, std::fmt::Error> {
        Ok(Self)
    }
}
