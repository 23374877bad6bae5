//! Layering: defaults < file < environment < command line, with every complaint traced to the
//! layer that caused it. The meaning of settings is not decided here.

use std::ffi::OsString;
use std::path::Path;

use figment::providers::{Format, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::{Config, ConfigError, Origin, Secret};
use crate::outbound::Rule;

/// Environment variables that begin so are settings: `MILLSTREAM_CHUNK_SIZE`, and with two
/// underscores for the dot of a table, `MILLSTREAM_LAG__SKIP`. They are read in lower case.
pub const ENV_PREFIX: &str = "MILLSTREAM_";

/// The variable that names the file, which is not itself a setting.
const ENV_CONFIG: &str = "MILLSTREAM_CONFIG";

/// What the command line sets.
#[derive(Clone, Default)]
pub struct Overrides {
    values: Dict,
}

impl Overrides {
    /// Sets a top-level key.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.values.insert(key.to_owned(), value.into());
    }

    /// Adds a line to the `[keys]` table; those of the file stay.
    pub fn add_key(&mut self, name: &str, secret: &Secret) {
        let keys = self.values.entry("keys".into()).or_insert_with(|| Dict::new().into());
        if let Value::Dict(_, keys) = keys {
            keys.insert(name.to_owned(), Value::from(secret.reveal()));
        }
    }
}

/// Reads the configuration. `file` is that of `--config`; without it the variable
/// `MILLSTREAM_CONFIG` may name one. `env` is the environment, `std::env::vars_os()` in a
/// program.
pub fn load(
    file: Option<&Path>,
    env: impl IntoIterator<Item = (OsString, OsString)>,
    overrides: Overrides,
) -> Result<Config, ConfigError> {
    let env: Vec<(String, String)> = env
        .into_iter()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let env_file =
        env.iter().find(|(name, _)| name == ENV_CONFIG).map(|(_, value)| Path::new(value));

    let mut layers = Vec::new();
    if let Some(file) = file.or(env_file) {
        layers.push(Layer { origin: Origin::File(file.to_owned()), values: read(file)? });
    }
    layers.push(Layer { origin: Origin::Environment, values: from_env(&env) });
    layers.push(Layer { origin: Origin::CommandLine, values: overrides.values });

    let known = known_keys();
    let mut figment = Figment::new();
    for layer in &layers {
        layer.refuse_unknown(&known)?;
        figment = figment.merge(layer);
    }
    let origin = |metadata: Option<&Metadata>| {
        let found = layers.iter().find(|layer| metadata.is_some_and(|m| m.name == layer.name()));
        found.map_or(Origin::Default, |layer| layer.origin.clone())
    };
    let config: Config = figment.extract().map_err(|error| ConfigError::Invalid {
        key: error.path.join("."),
        origin: origin(error.metadata.as_ref()),
        reason: error.kind.to_string(),
    })?;
    for (index, push) in config.push.iter().enumerate() {
        Rule::new(push).map_err(|error| ConfigError::Invalid {
            key: format!("push.{index}"),
            origin: origin(figment.find_metadata("push")),
            reason: error.to_string(),
        })?;
    }
    match config.first_offence() {
        None => Ok(config),
        Some((key, rule)) => {
            Err(ConfigError::Range { key, origin: origin(figment.find_metadata(key)), rule })
        }
    }
}

fn read(file: &Path) -> Result<Dict, ConfigError> {
    let text = std::fs::read_to_string(file)
        .map_err(|source| ConfigError::Read { file: file.to_owned(), source })?;
    Toml::from_str(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        ConfigError::Syntax {
            file: file.to_owned(),
            reason: format!("line {line}: {}", error.message()),
        }
    })
}

/// Values stay text, as every setting but the switches may be written so, and a secret of
/// digits keeps its leading zero.
fn from_env(env: &[(String, String)]) -> Dict {
    let mut values = Dict::new();
    for (name, text) in env {
        let Some(key) = name.strip_prefix(ENV_PREFIX).filter(|_| name != ENV_CONFIG) else {
            continue;
        };
        let key = key.to_ascii_lowercase();
        let is_secret = key == "http_token" || key.starts_with("keys__");
        let value = match text.parse::<bool>() {
            Ok(flag) if !is_secret => Value::from(flag),
            _ => Value::from(text.as_str()),
        };
        match key.split_once("__") {
            None => drop(values.insert(key, value)),
            Some((table, key)) => {
                let table = values.entry(table.into()).or_insert_with(|| Dict::new().into());
                if let Value::Dict(_, table) = table {
                    table.insert(key.to_owned(), value);
                }
            }
        }
    }
    values
}

/// Every key there is, as the tree that the defaults serialise to.
fn known_keys() -> Dict {
    let defaults = Value::serialize(Config::default())
        .expect("the defaults are plain text, numbers and tables, all of which figment can hold");
    defaults.into_dict().expect("a struct serialises to a table")
}

/// One source of settings.
struct Layer {
    origin: Origin,
    values: Dict,
}

impl Layer {
    fn name(&self) -> &'static str {
        match self.origin {
            Origin::File(_) => "file",
            Origin::Environment => "environment",
            Origin::CommandLine => "command line",
            Origin::Default => "defaults",
        }
    }

    /// Looked up per layer before merging, so that the layer at fault is known for certain.
    fn refuse_unknown(&self, known: &Dict) -> Result<(), ConfigError> {
        for (key, value) in &self.values {
            let Some(meant) = known.get(key) else {
                return Err(self.unknown(key.clone(), key, known, ""));
            };
            // `keys` is a table whose keys the operator chooses.
            let (Value::Dict(_, table), Value::Dict(_, meant)) = (value, meant) else { continue };
            if key == "keys" {
                continue;
            }
            if let Some(inner) = table.keys().find(|inner| !meant.contains_key(*inner)) {
                return Err(self.unknown(
                    format!("{key}.{inner}"),
                    inner,
                    meant,
                    &format!("{key}."),
                ));
            }
        }
        Ok(())
    }

    fn unknown(&self, key: String, inner: &str, known: &Dict, table: &str) -> ConfigError {
        let nearest = known
            .keys()
            .map(|candidate| (distance(inner, candidate), candidate))
            .min()
            .filter(|&(distance, _)| distance <= 2)
            .map(|(_, candidate)| format!("{table}{candidate}"));
        ConfigError::Unknown { key, origin: self.origin.clone(), nearest }
    }
}

impl Provider for &Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

/// How many characters must be put in, left out or exchanged to make one text the other
/// (Levenshtein's distance, one row at a time).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.chars().enumerate() {
            let exchanged = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = exchanged.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_book() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
    }
}
