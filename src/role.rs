//! In which role somebody publishes a stream: who waits for whom, and who gives way.
//!
//! What a role is allowed is decided in `stream::takeover`; how a peer asks for one is read here,
//! because the rules and every application read it alike.

use serde::Serialize;

/// A publisher's role. The lesser one comes first where both could feed a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Feeds the stream whenever it can.
    #[default]
    Primary,
    /// Waits, and feeds the stream while no primary does.
    Backup,
    /// Fills a gap that everybody else leaves.
    Slate,
}

impl Role {
    /// The word for it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Backup => "backup",
            Self::Slate => "slate",
        }
    }

    /// The role that query strings ask for: a backup's where one has `role=backup` or `backup=1`,
    /// which is what the second address of a large platform has. A slate is nobody's wish.
    pub fn of_queries<'a>(queries: impl IntoIterator<Item = &'a str>) -> Self {
        let mut fields = queries.into_iter().flat_map(|query| query.split('&'));
        let backup =
            fields.any(|field| matches!(field, "role=backup" | "backup=1" | "backup=true"));
        if backup { Self::Backup } else { Self::Primary }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_says_so_in_either_query() {
        for queries in [["role=backup", ""], ["", "key=abc&backup=1"], ["a=b&backup=true", ""]] {
            assert_eq!(Role::of_queries(queries), Role::Backup, "{queries:?}");
        }
        for queries in [["role=primary", ""], ["backup=0", "backup"], ["xbackup=1", "role=slate"]] {
            assert_eq!(Role::of_queries(queries), Role::Primary, "{queries:?}");
        }
        assert!(Role::Primary < Role::Backup && Role::Backup < Role::Slate);
    }
}
