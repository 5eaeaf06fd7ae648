//! Artifacts: what runs leave behind. One with bytes shows in its run once the bytes have arrived.

use super::{
    Db, Result, Store, StoreError,
    accounts::{Caller, short_id},
    args,
    engine::Value,
    files, json, micros, runs, timestamp, to_json,
};
use oz_core::{
    Error, Open, Timestamp,
    api::CreateArtifact,
    artifact::{Artifact, ArtifactType},
};

/// What an artifact is, with its text or its file.
pub(crate) struct StoredArtifact {
    pub(crate) created_at: Timestamp,
    pub(crate) artifact: Open<Artifact>,
    pub(crate) content: Option<String>,
    pub(crate) file: Option<files::StoredFile>,
}

/// An artifact that was made, and the file to upload for it.
pub(crate) struct MadeArtifact {
    pub(crate) artifact_uid: String,
    pub(crate) file: Option<files::NewFile>,
}

/// Stores an artifact.
pub(super) fn insert(
    db: &Db<'_>,
    run_no: i64,
    uid: &str,
    kind: &str,
    data: &str,
    content: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    db.execute(
        "INSERT INTO artifacts (artifact_uid, run_no, artifact_type, data, content, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        args![uid, run_no, kind, data, content, micros(now)],
    )?;
    db.execute("UPDATE runs SET updated_at = ?2 WHERE run_no = ?1", args![run_no, micros(now)])?;
    db.changed(|c| {
        c.runs.insert(run_no);
    });
    Ok(())
}

/// Kinds whose bytes have not arrived are kept under this name, which no filter and no record shows.
const EXPECTED: &str = "EXPECTED";

/// Lets an artifact show once the bytes of its file are there.
pub(super) fn arrived(db: &Db<'_>, file_id: &str, size: i64, now: Timestamp) -> Result<()> {
    let waiting = db.first(
        "SELECT artifact_uid, run_no, content FROM artifacts WHERE file_id = ?1 AND artifact_type = ?2",
        args![file_id, EXPECTED],
        |row| Ok((row.get::<String>(0)?, row.get::<i64>(1)?, row.get::<String>(2)?)),
    )?;
    let Some((uid, run_no, data)) = waiting else { return Ok(()) };
    let mut artifact: Artifact = json(&data)?;
    if let Artifact::File { size_bytes, .. } = &mut artifact {
        *size_bytes = Some(size);
    }
    db.execute("DELETE FROM artifacts WHERE artifact_uid = ?1", args![&uid])?;
    insert(db, run_no, &uid, artifact.kind().as_str(), &to_json(&artifact)?, None, now)?;
    db.execute("UPDATE artifacts SET file_id = ?2 WHERE artifact_uid = ?1", args![&uid, file_id])?;
    Ok(())
}

fn owner(db: &Db<'_>, caller: &Caller, new: &CreateArtifact) -> Result<(i64, String)> {
    let run = match (new.run_id, new.conversation_id, caller) {
        (Some(run_id), None, caller) => runs::find_run(db, caller, run_id)?,
        (None, Some(conversation), caller) => runs::find_conversation(db, caller, conversation)?
            .ok_or_else(|| StoreError::Refused(Error::not_found("conversation", conversation)))?,
        (None, None, Caller::Run(who)) => runs::find_run(db, caller, who.run_id)?,
        _ => {
            return Err(
                Error::invalid("run_id: exactly one of run_id and conversation_id is required").into()
            );
        }
    };
    let team = db.one("SELECT team_id FROM runs WHERE run_no = ?1", args![run.run_no], |row| row.get(0))?;
    Ok((run.run_no, team))
}

impl Store {
    /// Makes an artifact of a run that `caller` may see.
    pub(crate) async fn create_artifact(
        &self,
        caller: Caller,
        new: CreateArtifact,
        now: Timestamp,
    ) -> Result<MadeArtifact> {
        self.engine
            .write(move |db| {
                let (run_no, team_id) = owner(db, &caller, &new)?;
                let uid = short_id();
                if new.artifact_type == ArtifactType::Plan {
                    let plan = Artifact::Plan {
                        document_uid: uid.clone(),
                        artifact_uid: Some(uid.clone()),
                        notebook_uid: Some(uid.clone()),
                        url: None,
                        title: new.title.clone(),
                    };
                    insert(db, run_no, &uid, "PLAN", &to_json(&plan)?, new.content.as_deref(), now)?;
                    return Ok(MadeArtifact { artifact_uid: uid, file: None });
                }
                let filepath = new.filepath.clone().unwrap_or_default();
                let filename = filepath.rsplit('/').next().unwrap_or_default().to_owned();
                let mime = new.mime_type.clone();
                let (artifact, file) = if new.artifact_type == ArtifactType::File {
                    let mime_type = mime.unwrap_or_else(|| "application/octet-stream".to_owned());
                    let file = files::NewFile::expected(&filename, &mime_type);
                    let artifact = Artifact::File {
                        artifact_uid: uid.clone(),
                        filepath,
                        filename,
                        mime_type,
                        description: new.description.clone(),
                        size_bytes: None,
                        title: new.title.clone(),
                    };
                    (artifact, file)
                } else {
                    let mime_type = mime.unwrap_or_else(|| "image/png".to_owned());
                    let file = files::NewFile::expected(&format!("{uid}.png"), &mime_type);
                    let description = new.description.clone();
                    (Artifact::Screenshot { artifact_uid: uid.clone(), mime_type, description }, file)
                };
                let place = files::Place { run_no: Some(run_no), ..files::Place::default() };
                files::insert(db, files::Purpose::Artifact, &team_id, &place, &file, now)?;
                db.execute(
                    "INSERT INTO artifacts (artifact_uid, run_no, artifact_type, data, content, file_id, created_at)
                     VALUES (?1, ?2, ?3, '', ?4, ?5, ?6)",
                    args![&uid, run_no, EXPECTED, to_json(&artifact)?, &file.file_id, micros(now)],
                )?;
                Ok(MadeArtifact { artifact_uid: uid, file: Some(file) })
            })
            .await
    }

    /// An artifact of a run that `caller` may see.
    pub(crate) async fn artifact(&self, caller: Caller, uid: String) -> Result<StoredArtifact> {
        self.engine
            .read(move |db| {
                let mut values = vec![Value::from(uid.clone()), Value::from(EXPECTED)];
                let allowed = runs::visible(&caller, &mut values);
                let found = db.first(
                    &format!(
                        "SELECT a.created_at, a.data, a.content, a.file_id FROM artifacts a JOIN runs r ON r.run_no = a.run_no
                         WHERE a.artifact_uid = ?1 AND a.artifact_type <> ?2 AND {allowed}"
                    ),
                    &values,
                    |row| {
                        Ok((
                            timestamp(row.get(0)?)?,
                            json::<Open<Artifact>>(row.get(1)?)?,
                            row.get::<Option<String>>(2)?,
                            row.get::<Option<String>>(3)?,
                        ))
                    },
                )?;
                let (created_at, artifact, content, file_id) =
                    found.ok_or_else(|| StoreError::Refused(Error::not_found("artifact", &uid)))?;
                let file = match &file_id {
                    Some(file_id) => Some(files::find(db, file_id)?),
                    None => None,
                };
                Ok(StoredArtifact { created_at, artifact, content, file })
            })
            .await
    }
}
