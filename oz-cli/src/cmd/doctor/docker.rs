//! Docker, for runs in containers.

use super::{
    report::Check,
    tool::{Answer, LIMIT, ask},
};

pub(super) async fn checks(path: &str) -> Vec<Check> {
    vec![check(ask("docker", &["version", "--format", "{{.Server.Version}}"], path, LIMIT).await)]
}

fn check(answer: Answer) -> Check {
    let start = if cfg!(target_os = "macos") { "open -a Docker" } else { "sudo systemctl start docker" };
    match answer {
        Answer::Missing => Check::absent(
            "docker",
            "not installed; runs work without containers",
            "curl -fsSL https://get.docker.com | sh",
        ),
        Answer::Silent => Check::warning("docker", "the engine does not answer", start),
        Answer::Failed(why) if why.contains("permission denied") => {
            Check::warning("docker", why, "sudo usermod -aG docker \"$USER\" && newgrp docker")
        }
        Answer::Failed(why) => Check::warning("docker", why, start),
        Answer::Said(version) => Check::ok("docker", format!("the engine answers, version {version}")),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{Programs, shown},
        *,
    };

    #[tokio::test]
    async fn the_engine_is_asked_not_only_the_program() {
        let mut found = Vec::new();
        for script in [
            "[ \"$1 $2 $3\" = 'version --format {{.Server.Version}}' ] && echo 27.1.1",
            "echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock.' >&2; exit 1",
            "echo 'permission denied while trying to connect to the Docker daemon socket' >&2; exit 1",
        ] {
            let programs = Programs::new(&[("docker", script)]);
            found.push(shown(&checks(programs.path()).await));
        }
        found.push(shown(&checks(Programs::new(&[]).path()).await));
        insta::assert_snapshot!(found.join("\n"), @r#"
        ok docker: the engine answers, version 27.1.1
        warning docker: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. => sudo systemctl start docker
        warning docker: permission denied while trying to connect to the Docker daemon socket => sudo usermod -aG docker "$USER" && newgrp docker
        skipped docker: not installed; runs work without containers => curl -fsSL https://get.docker.com | sh
        "#);
    }
}
