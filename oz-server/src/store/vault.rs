//! The key pairs of the vault, as they are kept: the public half plain, the private half encrypted.

use super::{Db, Result, Store, args, engine::Row, micros};
use oz_core::Timestamp;

/// A key pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VaultKey {
    pub(crate) key_id: String,
    /// What it is for.
    pub(crate) purpose: String,
    /// The public half, in base64.
    pub(crate) public_key: String,
    /// The private half, encrypted under the master key.
    pub(crate) wrapped_key: String,
}

const COLUMNS: &str = "key_id, purpose, public_key, wrapped_key";

fn vault_key(row: &Row<'_>) -> Result<VaultKey> {
    Ok(VaultKey {
        key_id: row.get(0)?,
        purpose: row.get(1)?,
        public_key: row.get(2)?,
        wrapped_key: row.get(3)?,
    })
}

fn newest(db: &Db<'_>, purpose: &str) -> Result<Option<VaultKey>> {
    db.first(
        &format!(
            "SELECT {COLUMNS} FROM vault_keys WHERE purpose = ?1 ORDER BY created_at DESC, key_id LIMIT 1"
        ),
        args![purpose],
        vault_key,
    )
}

impl Store {
    /// All key pairs, oldest first.
    pub(crate) async fn vault_keys(&self) -> Result<Vec<VaultKey>> {
        self.engine
            .read(|db| {
                let sql = format!("SELECT {COLUMNS} FROM vault_keys ORDER BY created_at, key_id");
                db.rows(&sql, args![], vault_key)
            })
            .await
    }

    /// The key pair with this id.
    pub(crate) async fn vault_key(&self, key_id: String) -> Result<Option<VaultKey>> {
        self.engine
            .read(move |db| {
                let sql = format!("SELECT {COLUMNS} FROM vault_keys WHERE key_id = ?1");
                db.first(&sql, args![&key_id], vault_key)
            })
            .await
    }

    /// The key pair that serves a purpose now.
    pub(crate) async fn vault_key_for(&self, purpose: &'static str) -> Result<Option<VaultKey>> {
        self.engine.read(move |db| newest(db, purpose)).await
    }

    /// Keeps a key pair, unless there is one for its purpose already. Returns the one that serves it now.
    pub(crate) async fn keep_vault_key(&self, new: VaultKey, now: Timestamp) -> Result<VaultKey> {
        self.engine
            .write(move |db| {
                if let Some(known) = newest(db, &new.purpose)? {
                    return Ok(known);
                }
                db.execute(
                    "INSERT INTO vault_keys (key_id, purpose, public_key, wrapped_key, created_at)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                    args![&new.key_id, &new.purpose, &new.public_key, &new.wrapped_key, micros(now)],
                )?;
                Ok(new.clone())
            })
            .await
    }

    /// Replaces the encrypted private halves of key pairs, all or none.
    pub(crate) async fn rewrap_vault(&self, keys: Vec<VaultKey>) -> Result<()> {
        self.engine
            .write(move |db| {
                for key in &keys {
                    db.execute(
                        "UPDATE vault_keys SET wrapped_key = ?2 WHERE key_id = ?1",
                        args![&key.key_id, &key.wrapped_key],
                    )?;
                }
                Ok(())
            })
            .await
    }
}
