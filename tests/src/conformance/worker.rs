//! What a worker must do for a control plane. The worker is whatever a command line starts; the case sees what its runs do
//! through the setup command that the command line gives to it.

mod cases;
mod subject;

pub use subject::Subject;

use super::Verdict;

impl Subject {
    /// Runs every case, each with a worker of its own.
    pub async fn run(&self) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        for (case, check) in cases::all() {
            let check = match self.start().await {
                Ok(mut scene) => {
                    let check = check(&mut scene).await;
                    check.and(scene.end().await)
                }
                Err(why) => Err(why),
            };
            verdicts.push(Verdict { case, check });
        }
        verdicts
    }
}
